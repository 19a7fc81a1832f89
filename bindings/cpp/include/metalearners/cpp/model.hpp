/*
 * Models, predictions, average effects, single rows. Part of metalearners.hpp.
 *
 * SPDX-License-Identifier: Apache-2.0
 */
#ifndef METALEARNERS_CPP_MODEL_HPP
#define METALEARNERS_CPP_MODEL_HPP

#include "data.hpp"
#include "execution.hpp"
#include <metalearners/average_effect.h>
#include <metalearners/model.h>
#include <metalearners/prediction.h>
#include <metalearners/predictor.h>

#include <cstdint>

namespace metalearners {

// -------------------------------------------------------------------------------------------------- Models

enum class Output : std::int32_t {
    effects = MTLR_EFFECTS,
    arm_means = MTLR_ARM_MEANS,
    propensities = MTLR_PROPENSITIES,
    intervals = MTLR_INTERVALS,
    stability = MTLR_STABILITY,
    individual_intervals = MTLR_INDIVIDUAL_INTERVALS
};
enum class Scale : std::int32_t {
    of_spec = MTLR_SCALE_OF_SPEC,
    difference = MTLR_SCALE_DIFFERENCE,
    ratio = MTLR_SCALE_RATIO,
    odds_ratio = MTLR_SCALE_ODDS_RATIO
};
enum class Estimand : std::int32_t { ate = MTLR_ATE, att = MTLR_ATT, atc = MTLR_ATC, ato = MTLR_ATO };

/** What to predict. */
struct Prediction {
    Output output = Output::effects;
    Scale scale = Scale::of_spec;
    /** The arm that is asked about, and the one that it is compared with; all of them, and the control. */
    std::optional<std::string> arm = std::nullopt, baseline = std::nullopt;
    /** The level of intervals; 0 for that of the spec. */
    double level = 0;
};

/** Numbers by rows, with the names of the columns. */
struct Matrix {
    std::vector<double> values;
    std::size_t rows = 0, columns = 0;
    std::vector<std::string> names;
    /** What was worth telling about the rows, such as levels that training did not have. */
    std::vector<std::string> warnings;

    double operator()(std::size_t row, std::size_t column) const { return values[row * columns + column]; }
    span<const double> row(std::size_t place) const { return span<const double>(values.data() + place * columns, columns); }
};

/** The average effect of an arm against the control. */
struct AverageEffect {
    std::string arm;
    /** The class whose probability changes, of an outcome of several classes. */
    std::optional<std::string> outcome_class;
    Estimand estimand;
    double estimate, std_error, lower, upper, level, p_value;
};

class RowPredictor;

/** A fitted model. */
class Model {
public:
    /** @param spec JSON; what it leaves out has its default. */
    static Model fit(const Dataset &dataset, const std::string &spec, const Execution &execution = {}) {
        return Model(detail::Running(execution).make<mtlr_model>(mtlr_model_free, mtlr_model_fit, dataset.get(), spec.c_str()));
    }
    /** The same with the nuisances of another model of the same rows, where they are the same. */
    static Model fit(const Dataset &dataset, const std::string &spec, const Model &nuisances, const Execution &execution = {}) {
        return Model(detail::Running(execution).make<mtlr_model>(mtlr_model_free, mtlr_model_fit_reusing, dataset.get(), spec.c_str(), nuisances.get()));
    }
    static Model load(const std::string &path) { return Model(detail::make<mtlr_model>(mtlr_model_free, mtlr_model_load, path.c_str())); }
    static Model load(const std::string &path, const Registry &registry) {
        return Model(detail::make<mtlr_model>(mtlr_model_free, mtlr_registry_load_model, static_cast<const mtlr_registry *>(registry.get()), path.c_str()));
    }
    static Model from_bytes(span<const std::uint8_t> bytes) {
        return Model(detail::make<mtlr_model>(mtlr_model_free, mtlr_model_from_bytes, bytes.data(), static_cast<std::int64_t>(bytes.size())));
    }
    void save(const std::string &path) const { detail::call(mtlr_model_save, get(), path.c_str()); }
    std::vector<std::uint8_t> to_bytes() const {
        std::uint8_t *bytes = nullptr;
        std::int64_t length = 0;
        detail::call(mtlr_model_to_bytes, &bytes, &length, get());
        std::unique_ptr<std::uint8_t, decltype(&mtlr_bytes_free)> owner(bytes, &mtlr_bytes_free);
        return std::vector<std::uint8_t>(bytes, bytes + length);
    }

    /** The labels of the arms, the control first. */
    std::vector<std::string> arms() const {
        std::vector<std::string> made;
        for (std::int64_t arm = 0; arm < mtlr_model_arm_count(get()); ++arm) made.emplace_back(mtlr_model_arm_label(get(), arm));
        return made;
    }
    /** The classes of the outcome; empty where it has none. */
    std::vector<std::string> classes() const {
        std::vector<std::string> made;
        for (std::int64_t place = 0; place < mtlr_model_class_count(get()); ++place) made.emplace_back(mtlr_model_class_label(get(), place));
        return made;
    }
    std::int64_t training_rows() const noexcept { return mtlr_model_training_rows(get()); }
    /** The spec with every default, the description, the models within, as JSON. */
    std::string spec() const { return detail::text(mtlr_model_spec, get()); }
    std::string summary() const { return detail::text(mtlr_model_summary, get()); }
    std::string inspect() const { return detail::text(mtlr_model_inspect, get()); }
    std::vector<std::string> warnings() const { return detail::texts(detail::text(mtlr_model_warnings, get())); }

    /** Predicts new rows: by default the effect of each arm but the control. */
    Matrix predict(const Table &table, const Prediction &asked = {}, const Execution &execution = {}) const {
        const Table::View view(table);
        return predict(table.rows(), view.get(), prediction(asked), execution);
    }
    /** Predicts the rows of training, each by models that never saw it. */
    Matrix predict_training(const Prediction &asked = {}, const Execution &execution = {}) const {
        mtlr_prediction made = prediction(asked);
        made.rows = MTLR_TRAINING_ROWS;
        return predict(static_cast<std::size_t>(training_rows()), nullptr, made, execution);
    }
    /** The same; intervals and stability need the dataset. */
    Matrix predict_training(const Dataset &dataset, const Prediction &asked = {}, const Execution &execution = {}) const {
        mtlr_prediction made = prediction(asked);
        made.rows = MTLR_TRAINING_ROWS;
        made.dataset = dataset.get();
        return predict(static_cast<std::size_t>(training_rows()), nullptr, made, execution);
    }
    /** The average effect of each arm (and class), doubly robust. */
    std::vector<AverageEffect> average_effects(Estimand estimand = Estimand::ate, double level = 0.95, const Execution &execution = {}) const {
        mtlr_averaging averaging = MTLR_AVERAGING_INIT;
        averaging.estimand = static_cast<mtlr_estimand>(estimand);
        averaging.level = level;
        const std::vector<std::string> labels = arms(), names = classes();
        if (labels.empty()) detail::refuse("was moved from", "model", "call it on the model that it was moved to");
        const std::size_t count = (labels.size() - 1) * (names.empty() ? 1 : names.size());
        std::vector<mtlr_average_effect> found(count);
        detail::Running running(execution);
        running(mtlr_model_average_effects, found.data(), static_cast<std::int64_t>(count), get(), static_cast<const mtlr_averaging *>(&averaging));
        running.finish();
        std::vector<AverageEffect> made;
        for (const mtlr_average_effect &one : found) {
            std::optional<std::string> name;
            if (one.outcome_class >= 0) name = names.at(static_cast<std::size_t>(one.outcome_class));
            made.push_back({labels.at(static_cast<std::size_t>(one.arm)), std::move(name), static_cast<Estimand>(one.estimand), one.estimate, one.std_error,
                            one.lower, one.upper, one.level, one.p_value});
        }
        return made;
    }
    /** The model prepared for one row at a time, in microseconds. */
    RowPredictor row_predictor(const std::vector<std::string> &columns = {}, const Prediction &asked = {}) const;

    const mtlr_model *get() const noexcept { return handle_.get(); }

private:
    friend class RowPredictor;
    explicit Model(std::shared_ptr<mtlr_model> handle) : handle_(std::move(handle)) {}
    static mtlr_prediction prediction(const Prediction &asked) {
        mtlr_prediction made = MTLR_PREDICTION_INIT;
        made.output = static_cast<mtlr_output>(asked.output);
        made.scale = static_cast<mtlr_effect_scale>(asked.scale);
        made.arm = asked.arm ? asked.arm->c_str() : nullptr;
        made.baseline = asked.baseline ? asked.baseline->c_str() : nullptr;
        made.level = asked.level;
        return made;
    }
    Matrix predict(std::size_t rows, const mtlr_table *table, const mtlr_prediction &asked, const Execution &execution) const {
        std::int64_t columns = 0;
        detail::call(mtlr_model_prediction_columns, &columns, get(), &asked);
        Matrix made;
        made.rows = rows;
        made.columns = static_cast<std::size_t>(columns);
        made.values.resize(rows * made.columns);
        made.names = detail::texts(detail::text(mtlr_model_prediction_names, get(), &asked));
        char *told = nullptr;
        detail::Running running(execution);
        running(mtlr_model_predict, static_cast<void *>(made.values.data()), static_cast<std::int64_t>(made.values.size()), &told, get(), table, &asked);
        running.finish();
        made.warnings = detail::texts(detail::take(told));
        return made;
    }
    std::shared_ptr<mtlr_model> handle_;
};

/** Predicts single rows in microseconds, without an allocation. */
class RowPredictor {
public:
    /** The names of the values of a row. */
    std::vector<std::string> columns() const {
        std::vector<std::string> made;
        for (std::int64_t place = 0; place < mtlr_predictor_column_count(get()); ++place) made.emplace_back(mtlr_predictor_column_name(get(), place));
        return made;
    }
    /** The levels of a value that is a category: its codes are their places. */
    std::vector<std::string> levels(std::size_t column) const {
        const auto place = static_cast<std::int64_t>(column);
        std::vector<std::string> made;
        for (std::int64_t code = 0; code < mtlr_predictor_level_count(get(), place); ++code) made.emplace_back(mtlr_predictor_level(get(), place, code));
        return made;
    }
    std::size_t output_count() const noexcept { return static_cast<std::size_t>(mtlr_predictor_output_count(get())); }
    bool is_compiled() const noexcept { return mtlr_predictor_is_compiled(get()) != 0; }
    /** Numbers, and codes of levels; NaN is missing. */
    void operator()(span<const double> row, span<double> values) const {
        detail::call(mtlr_predictor_row, values.data(), static_cast<std::int64_t>(values.size()), get(), row.data(), static_cast<std::int64_t>(row.size()));
    }
    std::vector<double> operator()(span<const double> row) const {
        std::vector<double> values(output_count());
        (*this)(row, span<double>(values.data(), values.size()));
        return values;
    }
    const mtlr_predictor *get() const noexcept { return handle_.get(); }

private:
    friend class Model;
    explicit RowPredictor(std::shared_ptr<mtlr_predictor> handle) : handle_(std::move(handle)) {}
    std::shared_ptr<mtlr_predictor> handle_;
};

inline RowPredictor Model::row_predictor(const std::vector<std::string> &columns, const Prediction &asked) const {
    std::vector<const char *> names;
    for (const std::string &name : columns) names.push_back(name.c_str());
    const mtlr_prediction made = prediction(asked);
    return RowPredictor(detail::make<mtlr_predictor>(mtlr_predictor_free, mtlr_predictor_create, get(), names.empty() ? nullptr : names.data(),
                                                     static_cast<std::int64_t>(names.size()), &made));
}

}  // namespace metalearners

#endif  // METALEARNERS_CPP_MODEL_HPP
