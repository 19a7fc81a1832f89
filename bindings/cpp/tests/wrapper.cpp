// The wrapper by itself: spans, tables of every kind, errors, callbacks that throw, threads, sharing. Ends with 0 where all holds.

#include <metalearners.hpp>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <thread>

using namespace metalearners;

static int failures = 0;
#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            std::fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            ++failures; \
        } \
    } while (0)

template <class Work>
static Error failure(Work work) {
    try {
        work();
    } catch (const Error &error) {
        return error;
    }
    std::fprintf(stderr, "no error was thrown\n");
    ++failures;
    return Error(MTLR_OK, "", "", std::nullopt, std::nullopt);
}

namespace {

constexpr int rows = 120;
const std::string spec = R"({"learner": "dr", "data": {"treatment": "w", "outcome": "y"}, "cross_fitting": {"folds": 2},
    "models": {"outcome": "ridge", "propensity": "logistic", "effect": "ridge"}})";

struct Sample {
    std::vector<double> x, z, y;
    std::vector<std::int8_t> w;
    std::vector<std::string> region;
    Sample() {
        unsigned state = 7;
        const auto random = [&] {
            state = state * 1103515245u + 12345u;
            return static_cast<double>(state >> 8 & 0xFFFF) / 65536 - 0.5;
        };
        const char *names[] = {"north", "south", ""};
        for (int row = 0; row < rows; ++row) {
            x.push_back(random());
            z.push_back(random());
            w.push_back(random() > 0);
            region.emplace_back(names[row % 3]);
            y.push_back(x.back() + w.back() * (1 + z.back()) + 0.1 * random());
        }
    }
    Table table() const { return Table().add("x", x).add("z", z).add_labels("region", region).add("w", w).add("y", y); }
};

bool close(const std::vector<double> &a, const std::vector<double> &b, double tolerance = 1e-9) {
    if (a.size() != b.size()) return false;
    for (std::size_t place = 0; place < a.size(); ++place)
        if (!(std::fabs(a[place] - b[place]) <= tolerance)) return false;
    return true;
}

void spans() {
    const std::vector<double> values{1, 2, 3};
    const span<const double> whole(values);
    CHECK(whole.size() == 3 && whole.data() == values.data() && whole[2] == 3 && !whole.empty());
    double sum = 0;
    for (double value : whole) sum += value;
    CHECK(sum == 6);
    double array[] = {4, 5};
    CHECK(span<const double>(array).size() == 2 && span<const double>().empty());
    CHECK((detail::texts(R"(["a", "b\"\\\n", "\u00e9\ud83d\ude00"])") == std::vector<std::string>{"a", "b\"\\\n", "\xc3\xa9\xf0\x9f\x98\x80"}));
}

void tables(const Sample &sample, const Matrix &expected) {
    const auto effects = [&](const Table &table) { return Model::fit(Dataset(table, spec), spec).predict(table).values; };
    // Numbers that are moved in, and those that stay; strided ones, matrices by rows and by columns.
    Table moved;
    moved.add("x", std::vector<double>(sample.x)).add("z", std::vector<double>(sample.z)).add_labels("region", sample.region).add("w", sample.w).add("y", sample.y);
    CHECK(close(effects(moved), expected.values));
    std::vector<double> pairs, stacked(sample.x);
    for (int row = 0; row < rows; ++row) pairs.insert(pairs.end(), {sample.x[row], sample.z[row]});
    stacked.insert(stacked.end(), sample.z.begin(), sample.z.end());
    Table strided;
    strided.add("x", pairs.data(), rows, 16).add("z", pairs.data() + 1, rows, 16).add_labels("region", sample.region).add("w", sample.w).add("y", sample.y);
    CHECK(close(effects(strided), expected.values));
    for (const Order order : {Order::rows, Order::columns}) {
        Table whole;
        whole.matrix(span<const double>(order == Order::rows ? pairs : stacked), 2, order, {"x", "z"});
        whole.add_labels("region", sample.region).add("w", sample.w).add("y", sample.y);
        CHECK(close(effects(whole), expected.values));
    }
    // Codes of levels are the same as labels; a sparse matrix is the same as a dense one.
    std::vector<std::int16_t> codes;
    for (const std::string &one : sample.region) codes.push_back(one == "north" ? 0 : one == "south" ? 1 : -1);
    Table coded;
    coded.add("x", sample.x).add("z", sample.z).add_category("region", span<const std::int16_t>(codes), {"north", "south"}).add("w", sample.w).add("y", sample.y);
    CHECK(close(effects(coded), expected.values));
    std::vector<std::int32_t> starts{0}, places;
    for (int row = 0; row < rows; ++row) {
        places.insert(places.end(), {0, 1});
        starts.push_back(2 * (row + 1));
    }
    Table sparse, dense;
    sparse.add("w", sample.w).add("y", sample.y).sparse(span<const std::int32_t>(starts), span<const std::int32_t>(places), span<const double>(pairs), 2);
    dense.matrix(span<const double>(pairs), 2).add("w", sample.w).add("y", sample.y);
    CHECK(close(effects(sparse), effects(dense), 1e-6));
    // Integers with gaps.
    std::vector<std::int64_t> whole(rows, 3);
    std::vector<std::uint8_t> validity(rows / 8, 0xFE);
    Table gaps = sample.table();
    gaps.add_nullable("gaps", span<const std::int64_t>(whole), span<const std::uint8_t>(validity));
    CHECK(Dataset(gaps, spec).covariate_count() == 4);
    CHECK(failure([&] { Table().add("a", sample.x).add("b", std::vector<double>{1, 2}); }).problem().find("has 2 rows") == 0);
    CHECK(failure([&] { Table().matrix(span<const double>(sample.x), 7); }).kind() == "invalid_argument");
    CHECK(failure([&] { Table().add_nullable("a", span<const std::int64_t>(whole), span<const std::uint8_t>()); }).location() == "a");
}

// An array of Arrow over the numbers of vectors: nothing to release but the mark that it was.
struct Arrow {
    ArrowSchema schema{}, fields[2]{}, *field_list[2];
    ArrowArray array{}, columns[2]{}, *column_list[2];
    const void *buffers[2][2]{}, *none[1]{};
    Arrow(const std::vector<double> &x, const std::vector<double> &z) {
        const char *names[] = {"x", "z"};
        const std::vector<double> *numbers[] = {&x, &z};
        for (int place = 0; place < 2; ++place) {
            fields[place].format = "g";
            fields[place].name = names[place];
            fields[place].release = [](ArrowSchema *self) { self->release = nullptr; };
            field_list[place] = &fields[place];
            buffers[place][1] = numbers[place]->data();
            columns[place].length = static_cast<std::int64_t>(numbers[place]->size());
            columns[place].n_buffers = 2;
            columns[place].buffers = buffers[place];
            columns[place].release = [](ArrowArray *self) { self->release = nullptr; };
            column_list[place] = &columns[place];
        }
        schema.format = "+s";
        schema.n_children = array.n_children = 2;
        schema.children = field_list;
        schema.release = [](ArrowSchema *self) { self->release = nullptr; };
        array.length = columns[0].length;
        array.n_buffers = 1;
        array.buffers = none;
        array.children = column_list;
        array.release = [](ArrowArray *self) { self->release = nullptr; };
    }
};

void arrow(const Sample &sample) {
    Arrow given(sample.x, sample.z);
    const ArrowTable columns = ArrowTable::from_array(&given.schema, &given.array);
    CHECK(given.array.release == nullptr && columns.rows() == rows);
    Table table, plain;
    table.add("w", sample.w).add("y", sample.y).arrow(columns);
    plain.add("w", sample.w).add("y", sample.y).add("x", sample.x).add("z", sample.z);
    CHECK(close(Model::fit(Dataset(table, spec), spec).predict(table).values, Model::fit(Dataset(plain, spec), spec).predict(plain).values));
    CHECK(failure([] { ArrowTable::from_stream(nullptr); }).kind() == "invalid_argument");
}

void errors(const Sample &sample, const Model &model) {
    const Error unknown = failure([] { resolve_spec(R"({"lerner": "x"})"); });
    CHECK(unknown.status() == MTLR_INVALID_SPEC && unknown.kind() == "invalid_spec" && unknown.location() == "lerner" && unknown.remedy());
    CHECK(std::string(unknown.what()).find("lerner") != std::string::npos);
    CHECK(failure([&] { Dataset(sample.table(), R"({"data": {"treatment": "v", "outcome": "y"}})"); }).kind() == "invalid_data");
    CHECK(failure([&] { model.predict(Table().add("x", sample.x)); }).kind() == "invalid_data");
    CHECK(failure([] { Model::load("/no/such/file"); }).kind() == "input_output");
    const std::vector<std::uint8_t> nonsense{1, 2, 3};
    CHECK(failure([&] { Model::from_bytes(nonsense); }).kind() == "corrupt_model");
    CHECK(failure([&] { model.average_effects(Estimand::ate, 7); }).kind() == "invalid_argument");
    CHECK(failure([&] { Study(model).run(R"({"analysis": "none"})"); }).kind().empty() == false);
}

void running(const Sample &sample) {
    const Table table = sample.table();
    const Dataset dataset(table, spec);
    std::atomic<int> told{0};
    Execution asked;
    asked.threads = 1;
    asked.progress = [&](std::string_view stage, std::int64_t done, std::int64_t total) {
        CHECK(!stage.empty() && done <= total);
        ++told;
        return true;
    };
    const std::vector<double> expected = Model::fit(dataset, spec).predict(table).values;
    CHECK(Model::fit(dataset, spec, asked).predict(table).values == expected && told > 0);
    // What a callback throws comes out of the call, and nothing is lost.
    asked.progress = [](std::string_view, std::int64_t, std::int64_t) -> bool { throw std::logic_error("of the callback"); };
    try {
        Model::fit(dataset, spec, asked);
        CHECK(!"an exception");
    } catch (const std::logic_error &error) {
        CHECK(std::string(error.what()) == "of the callback");
    }
    asked.progress = [](std::string_view, std::int64_t, std::int64_t) { return false; };
    CHECK(failure([&] { Model::fit(dataset, spec, asked); }).kind() == "cancelled");
    Execution cancelled;
    cancelled.token = CancelToken();
    cancelled.token->cancel();
    CHECK(cancelled.token->is_cancelled());
    CHECK(failure([&] { Model::fit(dataset, spec, cancelled); }).kind() == "cancelled");
    Execution polled;
    const std::thread::id here = std::this_thread::get_id();
    polled.poll = [here] { CHECK(std::this_thread::get_id() == here); return true; };
    CHECK(Model::fit(dataset, spec, polled).predict(table).values == expected);
    Execution small;
    small.memory_limit = 1;
    CHECK(failure([&] { Model::fit(dataset, spec, small); }).kind() == "out_of_memory");
    std::vector<std::thread> threads;
    std::atomic<int> same{0};
    const Model model = Model::fit(dataset, spec);
    for (int place = 0; place < 4; ++place) threads.emplace_back([&, copy = model] { same += copy.predict(table).values == expected; });
    for (std::thread &thread : threads) thread.join();
    CHECK(same == 4);
}

// One process is the least that can join.
void collectives(const Sample &sample, const Matrix &expected) {
    mtlr_collective alone = MTLR_COLLECTIVE_INIT;
    alone.sum_int64 = alone.max_int64 = [](void *, std::int64_t *, std::int64_t) -> std::int32_t { return 0; };
    alone.sum_double = [](void *, double *, std::int64_t) -> std::int32_t { return 0; };
    alone.broadcast = [](void *, void *, std::int64_t, std::int32_t) -> std::int32_t { return 0; };
    alone.gather = [](void *, const void *bytes, std::int64_t length, void *all, const std::int64_t *) -> std::int32_t {
        if (length > 0) std::memcpy(all, bytes, static_cast<std::size_t>(length));
        return 0;
    };
    Execution asked;
    asked.collective = &alone;
    const Dataset dataset = Dataset::part(sample.table(), spec, asked);
    CHECK(dataset.rows() == rows);
    CHECK(close(Model::fit(dataset, spec, asked).predict(sample.table()).values, expected.values));
    CHECK(failure([&] { Model::fit(dataset, spec); }).kind() == "invalid_argument");
    CHECK(failure([&] { Dataset::part(sample.table(), spec, Execution()); }).location() == "execution.collective");
    refuse(asked, MTLR_INVALID_DATA, "there is no file");
    CHECK(failure([&] { refuse(asked, MTLR_OK, "nothing"); }).location() == "kind");
}

// Batches make the model of the table, and what a source throws comes out of the call.
void batches(const Sample &sample) {
    const std::string trees = R"({"learner": "t", "data": {"treatment": "w", "outcome": "y"}, "cross_fitting": {"folds": 2},
        "models": {"outcome": {"backend": "trees", "trees": 5}, "propensity": {"backend": "trees", "trees": 5}}})";
    int row = 0;
    int readings = 0;
    RowSource source;
    source.restart = [&] { row = 0, ++readings; };
    source.next = [&]() -> std::optional<Table> {
        if (row == rows) return std::nullopt;
        const int first = row;
        const int end = row = std::min(rows, first + 50);
        Table table;
        table.add("x", std::vector<double>(sample.x.begin() + first, sample.x.begin() + end));
        table.add("z", std::vector<double>(sample.z.begin() + first, sample.z.begin() + end));
        table.add("w", std::vector<std::int8_t>(sample.w.begin() + first, sample.w.begin() + end));
        table.add("y", std::vector<double>(sample.y.begin() + first, sample.y.begin() + end));
        return table;
    };
    Table whole;
    whole.add("x", sample.x).add("z", sample.z).add("w", sample.w).add("y", sample.y);
    const Dataset dataset = Dataset::streamed(source, trees);
    CHECK(readings == 3 && dataset.rows() == rows && dataset.covariate_count() == 2);
    CHECK(Model::fit(dataset, trees).to_bytes() == Model::fit(Dataset(whole, trees), trees).to_bytes());
    source.restart = [] { throw std::runtime_error("the disk is gone"); };
    try {
        Dataset::streamed(source, trees);
        CHECK(false);
    } catch (const std::runtime_error &thrown) {
        CHECK(std::string(thrown.what()) == "the disk is gone");
    }
    CHECK(failure([&] { Dataset::streamed(RowSource(), trees); }).location() == "source.restart");
}

// A model that outlives its dataset, a dataset that outlives its table, a predictor that outlives its model.
void lifetimes(const Sample &sample, const Matrix &expected) {
    std::optional<Model> model;
    std::optional<RowPredictor> predictor;
    {
        std::optional<Table> table(Table().add("x", std::vector<double>(sample.x)).add("z", std::vector<double>(sample.z)));
        table->add_labels("region", sample.region).add("w", std::vector<std::int8_t>(sample.w)).add("y", std::vector<double>(sample.y));
        const Dataset dataset(*table, spec, Memory::borrow);
        table.reset();
        model = Model::fit(dataset, spec);
        CHECK(dataset.rows() == rows && dataset.arms() == (std::vector<std::string>{"0", "1"}) && dataset.source_rows().back() == rows - 1);
        const Matrix own = model->predict_training({Output::individual_intervals});
        CHECK(own.columns == 3 && own.values[1] < own.values[0] && own.values[0] < own.values[2]);
        const Matrix intervals = model->predict_training(dataset, {Output::intervals, Scale::of_spec, std::nullopt, std::nullopt, 0.5});
        CHECK(intervals.columns == 3 && intervals(0, 1) < intervals(0, 0) && intervals(0, 0) < intervals(0, 2));
        predictor = model->row_predictor({"z", "x", "region"});
    }
    CHECK(close(model->predict(sample.table()).values, expected.values));
    const std::vector<std::uint8_t> bytes = model->to_bytes();
    CHECK(close(Model::from_bytes(bytes).predict(sample.table()).values, expected.values));
    model.reset();
    CHECK(predictor->columns().size() == 3 && predictor->is_compiled() && predictor->levels(2) == (std::vector<std::string>{"north", "south"}));
    const std::array<double, 3> row{sample.z[2], sample.x[2], std::numeric_limits<double>::quiet_NaN()};
    CHECK(std::fabs((*predictor)(row).front() - expected(2, 0)) < 1e-12);
    CHECK(failure([&] { (*predictor)(span<const double>(row.data(), 2)); }).kind() == "invalid_argument");
}

void studies(const Sample &sample, const Model &model) {
    const Table table = sample.table();
    const Dataset dataset(table, spec);
    const Study study(model, dataset);
    CHECK(study.rows() == rows && !study.column_names().empty() && study.column("outcome").size() == rows);
    const Answer answer = study.run(R"({"analysis": "policy_value"})");
    CHECK(answer.json().find("\"gains\"") != std::string::npos && answer.column_names().front() == "decision");
    CHECK(answer.column(0).size() == rows);
    CHECK(study.report(R"(["aipw"])").find("<html") != std::string::npos);
    CHECK(Study(model).rows() == rows);
    CHECK(study.warnings() == model.warnings());
    Estimates given;
    const std::vector<double> effects(rows, 1), shares(rows, 0.5), means(2 * rows, 0.2);
    given.effects = effects;
    given.propensities = shares;
    given.arm_means = means;
    given.source = "elsewhere";
    const Study other(dataset, spec, given);
    CHECK(other.column("effect_1") == effects && other.run("\"rate\"").json().find("elsewhere") != std::string::npos);
    given.effects = span<const double>(effects.data(), 7);
    CHECK(failure([&] { Study(dataset, spec, given); }).location() == "effects");
    Registry registry;
    CHECK(registry.backends().find("\"trees\"") != std::string::npos && backends().find("ridge") != std::string::npos);
    CHECK(registry.resolve_spec("{}").find("auto") != std::string::npos && analyses().find("policy_tree") != std::string::npos);
    CHECK(failure([&] { registry.add(nullptr); }).kind() == "invalid_argument");
    CHECK(!failure([&] { registry.load_plugin("/no/such/plugin.so"); }).kind().empty());
    CHECK(!version().empty());
}

}  // namespace

int main() {
    const Sample sample;
    const Table table = sample.table();
    const Model model = Model::fit(Dataset(table, spec), spec);
    const Matrix effects = model.predict(table);
    CHECK(effects.rows == rows && effects.columns == 1 && effects.names.front() == "cate" && effects.row(3)[0] == effects(3, 0));
    CHECK(model.predict(table, {Output::arm_means}).columns == 2 && model.predict_training().rows == rows && model.training_rows() == rows);
    CHECK(model.arms().size() == 2 && model.classes().empty() && !model.spec().empty() && !model.summary().empty() && !model.inspect().empty());
    const AverageEffect ate = model.average_effects(Estimand::att, 0.9).front();
    CHECK(ate.arm == "1" && ate.level == 0.9 && ate.lower < ate.estimate && ate.estimate < ate.upper && ate.estimand == Estimand::att && !ate.outcome_class);
    spans();
    tables(sample, effects);
    arrow(sample);
    errors(sample, model);
    running(sample);
    lifetimes(sample, effects);
    collectives(sample, effects);
    batches(sample);
    studies(sample, model);
    if (failures) std::fprintf(stderr, "%d failures\n", failures);
    return failures ? EXIT_FAILURE : EXIT_SUCCESS;
}
