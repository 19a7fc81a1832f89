// The header serves C++17: initialisers, linkage, and ownership by unique_ptr.
#include <metalearners.h>

#include <cstdio>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

int main() {
    std::vector<double> x, y;
    std::vector<std::int32_t> w;
    for (int row = 0; row < 90; row++) {
        x.push_back(row % 9);
        w.push_back(row % 2);
        y.push_back(x.back() + 2.0 * w.back());
    }
    const mtlr_column columns[] = {
        {"x", x.data(), 0, nullptr, 0, MTLR_FLOAT64, 0},
        {"w", w.data(), 0, nullptr, 0, MTLR_INT32, 0},
        {"y", y.data(), 0, nullptr, 0, MTLR_FLOAT64, 0},
    };
    mtlr_table table = MTLR_TABLE_INIT;
    table.rows = static_cast<std::int64_t>(x.size());
    table.columns = columns;
    table.column_count = 3;
    mtlr_execution execution = MTLR_EXECUTION_INIT;
    execution.threads = 1;

    const std::string spec = R"({"data": {"treatment": "w", "outcome": "y"}, "learner": "t",
        "models": {"outcome": {"backend": "ols"}, "propensity": {"backend": "constant"}}})";
    mtlr_dataset *dataset = nullptr;
    mtlr_model *model = nullptr;
    if (mtlr_dataset_create(&dataset, &table, spec.c_str(), MTLR_DATASET_BORROW, nullptr) != MTLR_OK) return 1;
    const std::unique_ptr<mtlr_dataset, decltype(&mtlr_dataset_free)> dataset_owner(dataset, mtlr_dataset_free);
    mtlr_error *error = nullptr;
    if (mtlr_model_fit(&model, dataset, spec.c_str(), &execution, &error) != MTLR_OK) {
        std::fprintf(stderr, "%s\n", mtlr_error_message(error));
        mtlr_error_free(error);
        return 1;
    }
    const std::unique_ptr<mtlr_model, decltype(&mtlr_model_free)> model_owner(model, mtlr_model_free);
    std::vector<double> effects(x.size());
    if (mtlr_model_predict(effects.data(), static_cast<std::int64_t>(effects.size()), nullptr, model, &table, nullptr,
                           &execution, nullptr) != MTLR_OK) {
        return 1;
    }
    for (double effect : effects) {
        if (!(effect > 1.999999 && effect < 2.000001)) {
            std::fprintf(stderr, "an effect of %g, not 2\n", effect);
            return 1;
        }
    }
    std::printf("header (C++): %zu checks, 0 failures\n", effects.size());
    return 0;
}
