/*
 * Tables and datasets. Part of metalearners.hpp.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef METALEARNERS_CPP_DATA_HPP
#define METALEARNERS_CPP_DATA_HPP

#include "error.hpp"
#include "execution.hpp"
#include <metalearners/arrow.h>
#include <metalearners/data.h>

#include <cstdint>
#include <exception>
#include <functional>
#include <map>

namespace metalearners {

// ---------------------------------------------------------------------------------------------------- Data

namespace detail {

template <class T>
constexpr mtlr_dtype dtype() {
    using U = std::remove_cv_t<T>;
    static_assert(std::is_arithmetic_v<U> && sizeof(U) <= 8, "numbers of at most 64 bits can be read");
    if constexpr (std::is_floating_point_v<U>) {
        return sizeof(U) == 4 ? MTLR_FLOAT32 : MTLR_FLOAT64;
    } else if constexpr (std::is_signed_v<U>) {
        return sizeof(U) == 8 ? MTLR_INT64 : sizeof(U) == 4 ? MTLR_INT32 : sizeof(U) == 2 ? MTLR_INT16 : MTLR_INT8;
    } else {
        return sizeof(U) == 8 ? MTLR_UINT64 : sizeof(U) == 4 ? MTLR_UINT32 : sizeof(U) == 2 ? MTLR_UINT16 : MTLR_UINT8;
    }
}

}  // namespace detail

/** Columns that came by the Arrow C Data Interface, read where they are. */
class ArrowTable {
public:
    /** Takes over a stream, which is released in any case. */
    static ArrowTable from_stream(ArrowArrayStream *stream) {
        return ArrowTable(detail::make<mtlr_arrow_table>(mtlr_arrow_table_free, mtlr_arrow_table_from_stream, stream));
    }
    /** Takes over an array and its schema. */
    static ArrowTable from_array(ArrowSchema *schema, ArrowArray *array) {
        return ArrowTable(detail::make<mtlr_arrow_table>(mtlr_arrow_table_free, mtlr_arrow_table_create, schema, array));
    }
    std::int64_t rows() const noexcept { return mtlr_arrow_table_rows(handle_.get()); }
    const mtlr_arrow_table *get() const noexcept { return handle_.get(); }

private:
    explicit ArrowTable(std::shared_ptr<mtlr_arrow_table> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<mtlr_arrow_table> handle_;
};

/** How the numbers of a matrix stand in memory. */
enum class Order { rows, columns };

/**
 * Named columns. Numbers that are given as spans (or as lvalues of vectors) stay the caller's and are not copied; vectors that are moved in
 * belong to the table, and to every dataset that is made of it. All columns have as many rows as the first.
 */
class Table {
public:
    /** A column of numbers; NaN is missing. */
    template <class T>
    Table &add(std::string name, span<const T> numbers) {
        return add(std::move(name), numbers.data(), numbers.size(), 0);
    }
    template <class T>
    Table &add(std::string name, const std::vector<T> &numbers) {
        return add(std::move(name), numbers.data(), numbers.size(), 0);
    }
    template <class T>
    Table &add(std::string name, const std::vector<T> &&numbers) = delete;
    /** Numbers that the table keeps. */
    template <class T, class = std::enable_if_t<std::is_arithmetic_v<T>>>
    Table &add(std::string name, std::vector<T> &&numbers) {
        auto owned = std::make_shared<std::vector<T>>(std::move(numbers));
        owned_.push_back(owned);
        return add(std::move(name), owned->data(), owned->size(), 0);
    }
    /** `rows` numbers that stand `stride` bytes apart; 0 for side by side. */
    template <class T>
    Table &add(std::string name, const T *numbers, std::size_t rows, std::ptrdiff_t stride) {
        check(name, rows);
        columns_.push_back({std::move(name), numbers, stride, detail::dtype<T>(), {}, false, nullptr});
        return *this;
    }
    /** Integers that may be missing: a bit for each row, from the lowest bit of the first byte, 1 where there is a value. */
    template <class T>
    Table &add_nullable(std::string name, span<const T> numbers, span<const std::uint8_t> validity) {
        if (validity.size() < (numbers.size() + 7) / 8) detail::refuse("has too few bits of validity", name, "pass a bit for each row");
        add(std::move(name), numbers.data(), numbers.size(), 0);
        columns_.back().validity = validity.data();
        return *this;
    }
    /** A category: codes into levels, from 0; negative where missing. */
    template <class T>
    Table &add_category(std::string name, span<const T> codes, std::vector<std::string> levels) {
        static_assert(std::is_integral_v<T>, "codes are integers");
        add(std::move(name), codes.data(), codes.size(), 0);
        columns_.back().levels = std::move(levels);
        columns_.back().category = true;
        return *this;
    }
    /** A category by its labels, whose levels are sorted; a label equal to `missing` is missing. */
    Table &add_labels(std::string name, span<const std::string> labels, std::string_view missing = "") {
        std::map<std::string_view, std::int32_t> places;
        for (const std::string &label : labels)
            if (label != missing) places.emplace(label, 0);
        std::vector<std::string> levels;
        for (auto &entry : places) {
            entry.second = static_cast<std::int32_t>(levels.size());
            levels.emplace_back(entry.first);
        }
        auto codes = std::make_shared<std::vector<std::int32_t>>();
        codes->reserve(labels.size());
        for (const std::string &label : labels) codes->push_back(label == missing ? -1 : places.find(label)->second);
        owned_.push_back(codes);
        return add_category(std::move(name), span<const std::int32_t>(codes->data(), codes->size()), std::move(levels));
    }
    /** A dense matrix of covariates, ahead of the other columns; without names its columns are x0, x1, ... */
    template <class T>
    Table &matrix(span<const T> values, std::size_t columns, Order order = Order::rows, std::vector<std::string> names = {}) {
        const std::size_t count = columns ? values.size() / columns : 0;
        if (count * columns != values.size()) detail::refuse("is no multiple of its columns", "matrix", "pass rows times columns numbers");
        if (!names.empty() && names.size() != columns) detail::refuse("has other names than columns", "matrix", "pass a name for each column");
        check("matrix", count);
        const std::int64_t size = sizeof(T);
        const bool by_rows = order == Order::rows;
        matrix_ = mtlr_matrix{values.data(), static_cast<std::int64_t>(count), static_cast<std::int64_t>(columns),
                              by_rows ? size * static_cast<std::int64_t>(columns) : size,
                              by_rows ? size : size * static_cast<std::int64_t>(count), detail::dtype<T>(), 0};
        matrix_names_ = std::move(names);
        return *this;
    }
    /** A sparse matrix in compressed rows; without names its columns are x0, x1, ... */
    template <class Index, class T>
    Table &sparse(span<const Index> row_starts, span<const Index> column_indices, span<const T> values, std::size_t columns,
                  std::vector<std::string> names = {}) {
        static_assert(std::is_same_v<Index, std::int32_t> || std::is_same_v<Index, std::int64_t>, "indices are int32_t or int64_t");
        if (row_starts.empty() || column_indices.size() != values.size())
            detail::refuse("is incomplete", "sparse", "pass a start for each row and the end, and a column for each value");
        if (!names.empty() && names.size() != columns) detail::refuse("has other names than columns", "sparse", "pass a name for each column");
        check("sparse", row_starts.size() - 1);
        sparse_ = mtlr_sparse_matrix{row_starts.data(), column_indices.data(), values.data(), static_cast<std::int64_t>(row_starts.size() - 1),
                                     static_cast<std::int64_t>(columns), static_cast<std::int64_t>(values.size()), detail::dtype<Index>(),
                                     detail::dtype<T>()};
        sparse_names_ = std::move(names);
        return *this;
    }
    /** Columns by Arrow, after the others. */
    Table &arrow(ArrowTable table) {
        check("arrow", static_cast<std::size_t>(table.rows()));
        arrow_ = std::move(table);
        return *this;
    }
    std::size_t rows() const noexcept { return rows_.value_or(0); }

    /** The structure of C, good for as long as this object and its table are. */
    class View {
    public:
        explicit View(const Table &table) {
            view_.rows = static_cast<std::int64_t>(table.rows());
            levels_.reserve(table.columns_.size());
            for (const Column &column : table.columns_) {
                levels_.push_back(pointers(column.levels));
                // A category without a level is still one.
                if (column.category && levels_.back().empty()) levels_.back().push_back(nullptr);
                columns_.push_back({column.name.c_str(), column.data, column.stride, column.category ? levels_.back().data() : nullptr,
                                    static_cast<std::int64_t>(column.levels.size()), column.dtype, 0});
                validity_.push_back(column.validity);
            }
            view_.columns = columns_.data();
            view_.column_count = static_cast<std::int64_t>(columns_.size());
            view_.validity = validity_.data();
            matrix_names_ = pointers(table.matrix_names_);
            sparse_names_ = pointers(table.sparse_names_);
            view_.matrix = table.matrix_ ? &*table.matrix_ : nullptr;
            view_.matrix_names = matrix_names_.empty() ? nullptr : matrix_names_.data();
            view_.sparse = table.sparse_ ? &*table.sparse_ : nullptr;
            view_.sparse_names = sparse_names_.empty() ? nullptr : sparse_names_.data();
            view_.arrow = table.arrow_ ? table.arrow_->get() : nullptr;
        }
        View(const View &) = delete;
        View &operator=(const View &) = delete;
        const mtlr_table *get() const noexcept { return &view_; }

    private:
        static std::vector<const char *> pointers(const std::vector<std::string> &texts) {
            std::vector<const char *> made;
            made.reserve(texts.size());
            for (const std::string &text : texts) made.push_back(text.c_str());
            return made;
        }
        mtlr_table view_ = MTLR_TABLE_INIT;
        std::vector<mtlr_column> columns_;
        std::vector<std::vector<const char *>> levels_;
        std::vector<const std::uint8_t *> validity_;
        std::vector<const char *> matrix_names_, sparse_names_;
    };

private:
    struct Column {
        std::string name;
        const void *data;
        std::int64_t stride;
        mtlr_dtype dtype;
        std::vector<std::string> levels;
        bool category;
        const std::uint8_t *validity;
    };
    void check(const std::string &name, std::size_t rows) {
        if (rows_ && *rows_ != rows)
            detail::refuse("has " + std::to_string(rows) + " rows, and the table has " + std::to_string(*rows_), name, "pass a value for each row");
        rows_ = rows;
    }
    std::vector<Column> columns_;
    std::vector<std::shared_ptr<void>> owned_;
    std::optional<mtlr_matrix> matrix_;
    std::optional<mtlr_sparse_matrix> sparse_;
    std::vector<std::string> matrix_names_, sparse_names_;
    std::optional<ArrowTable> arrow_;
    std::optional<std::size_t> rows_;
};

/** Whether a dataset copies numbers, or points into those of the table, which must then neither move nor change. */
enum class Memory : std::uint32_t { copy = MTLR_DATASET_COPY, borrow = MTLR_DATASET_BORROW };

/** Rows that are read batch by batch, from the beginning as often as needed. What the functions throw comes out of the call. */
struct RowSource {
    /** Begins anew: the next batch is the first one. */
    std::function<void()> restart;
    /** The next rows, perhaps none; nothing once there are no more. */
    std::function<std::optional<Table>()> next;
    /** How many bins a column of numbers has at most: the `max_bins` of every model; 0 for 255. */
    int max_bins = 0;
};

namespace detail {

/** The functions of C that read rows, and the exception that one of them has thrown. */
class Reading {
public:
    explicit Reading(const RowSource &source) : source_(source) {
        view_.payload = this;
        if (source.restart) view_.restart = &Reading::restart;
        if (source.next) view_.next = &Reading::next;
        view_.max_bins = source.max_bins;
    }
    Reading(const Reading &) = delete;
    Reading &operator=(const Reading &) = delete;
    const mtlr_row_source *get() const noexcept { return &view_; }
    /** Throws what a function threw. */
    void finish() const {
        if (thrown_) std::rethrow_exception(thrown_);
    }

private:
    static std::int32_t restart(void *payload) {
        Reading &self = *static_cast<Reading *>(payload);
        try {
            self.source_.restart();
            return 0;
        } catch (...) {
            self.thrown_ = std::current_exception();
            return -1;
        }
    }
    static std::int32_t next(void *payload, mtlr_table *batch) {
        Reading &self = *static_cast<Reading *>(payload);
        try {
            self.batch_view_.reset();
            self.batch_ = self.source_.next();
            if (!self.batch_) return 0;
            self.batch_view_.emplace(*self.batch_);
            *batch = *self.batch_view_->get();
            return 1;
        } catch (...) {
            self.thrown_ = std::current_exception();
            return -1;
        }
    }

    const RowSource &source_;
    mtlr_row_source view_ = MTLR_ROW_SOURCE_INIT;
    std::optional<Table> batch_;
    std::optional<Table::View> batch_view_;
    std::exception_ptr thrown_;
};

}  // namespace detail

/**
 * Tells the other processes of `execution.collective` that this one cannot take part: their calls end with this error.
 *
 * @param kind what their errors are, such as MTLR_INVALID_DATA.
 */
inline void refuse(const Execution &execution, mtlr_status kind, const std::string &problem) {
    detail::Running running(execution);
    running(mtlr_collective_refuse, kind, problem.c_str());
    running.finish();
}

/** Checked rows to learn from. */
class Dataset {
public:
    /** @param spec JSON, whose section "data" says which column plays which part. */
    Dataset(const Table &table, const std::string &spec, Memory memory = Memory::copy) {
        if (memory == Memory::borrow) table_ = std::make_shared<Table>(table);
        const Table::View view(table);
        handle_ = detail::make<mtlr_dataset>(mtlr_dataset_free, mtlr_dataset_create, view.get(), spec.c_str(), static_cast<std::uint32_t>(memory));
    }
    /** The rows of one of several processes, all of which call this; `execution.collective` joins them. */
    static Dataset part(const Table &table, const std::string &spec, const Execution &execution, Memory memory = Memory::copy) {
        Dataset made;
        if (memory == Memory::borrow) made.table_ = std::make_shared<Table>(table);
        const Table::View view(table);
        made.handle_ = detail::Running(execution).make<mtlr_dataset>(mtlr_dataset_free, mtlr_dataset_create_part, view.get(), spec.c_str(),
                                                                     static_cast<std::uint32_t>(memory));
        return made;
    }
    /**
     * Rows that are read batch by batch, and of whose covariates nothing is kept but the bins of trees. Learners are those with trees as base
     * learners, and their models are those of a table of all rows.
     */
    static Dataset streamed(const RowSource &source, const std::string &spec, const Execution &execution = Execution()) {
        Dataset made;
        detail::Reading reading(source);
        try {
            made.handle_ = detail::Running(execution).make<mtlr_dataset>(mtlr_dataset_free, mtlr_dataset_create_streamed, reading.get(), spec.c_str());
        } catch (const Error &) {
            reading.finish();
            throw;
        }
        return made;
    }
    std::int64_t rows() const noexcept { return mtlr_dataset_rows(get()); }
    std::int64_t covariate_count() const noexcept { return mtlr_dataset_covariate_count(get()); }
    /** The labels of the arms, the control first. */
    std::vector<std::string> arms() const {
        std::vector<std::string> made;
        for (std::int64_t arm = 0; arm < mtlr_dataset_arm_count(get()); ++arm) made.emplace_back(mtlr_dataset_arm_label(get(), arm));
        return made;
    }
    /** For each row its row in the table, where some without an outcome were dropped. */
    std::vector<std::int64_t> source_rows() const {
        std::vector<std::int64_t> made(static_cast<std::size_t>(rows()));
        detail::call(mtlr_dataset_source_rows, made.data(), static_cast<std::int64_t>(made.size()), get());
        return made;
    }
    std::vector<std::string> warnings() const { return detail::texts(detail::text(mtlr_dataset_warnings, get())); }
    const mtlr_dataset *get() const noexcept { return handle_.get(); }

private:
    Dataset() = default;
    // Freed after the handle, which may point into its numbers.
    std::shared_ptr<Table> table_;
    std::shared_ptr<mtlr_dataset> handle_;
};

}  // namespace metalearners

#endif  // METALEARNERS_CPP_DATA_HPP
