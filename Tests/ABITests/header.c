/* The header stands alone in C99, and the layout of its structures is what every later version must keep. */
#include <metalearners.h>

#include "check.h"

#define LAYOUT(type, member, offset) CHECK(offsetof(type, member) == (offset))

int main(void) {
    CHECK(sizeof(mtlr_column) == 48);
    LAYOUT(mtlr_column, name, 0);
    LAYOUT(mtlr_column, data, 8);
    LAYOUT(mtlr_column, stride, 16);
    LAYOUT(mtlr_column, levels, 24);
    LAYOUT(mtlr_column, level_count, 32);
    LAYOUT(mtlr_column, dtype, 40);
    LAYOUT(mtlr_column, reserved, 44);
    CHECK(sizeof(mtlr_matrix) == 48);
    LAYOUT(mtlr_matrix, data, 0);
    LAYOUT(mtlr_matrix, rows, 8);
    LAYOUT(mtlr_matrix, columns, 16);
    LAYOUT(mtlr_matrix, row_stride, 24);
    LAYOUT(mtlr_matrix, column_stride, 32);
    LAYOUT(mtlr_matrix, dtype, 40);
    LAYOUT(mtlr_matrix, reserved, 44);
    CHECK(sizeof(mtlr_sparse_matrix) == 56);
    LAYOUT(mtlr_sparse_matrix, row_starts, 0);
    LAYOUT(mtlr_sparse_matrix, column_indices, 8);
    LAYOUT(mtlr_sparse_matrix, values, 16);
    LAYOUT(mtlr_sparse_matrix, rows, 24);
    LAYOUT(mtlr_sparse_matrix, columns, 32);
    LAYOUT(mtlr_sparse_matrix, value_count, 40);
    LAYOUT(mtlr_sparse_matrix, index_dtype, 48);
    LAYOUT(mtlr_sparse_matrix, dtype, 52);
    CHECK(sizeof(mtlr_table) == 80);
    LAYOUT(mtlr_table, struct_size, 0);
    LAYOUT(mtlr_table, rows, 8);
    LAYOUT(mtlr_table, columns, 16);
    LAYOUT(mtlr_table, column_count, 24);
    LAYOUT(mtlr_table, matrix, 32);
    LAYOUT(mtlr_table, matrix_names, 40);
    LAYOUT(mtlr_table, sparse, 48);
    LAYOUT(mtlr_table, sparse_names, 56);
    LAYOUT(mtlr_table, validity, 64);
    LAYOUT(mtlr_table, arrow, 72);
    CHECK(sizeof(mtlr_execution) == 72);
    LAYOUT(mtlr_execution, struct_size, 0);
    LAYOUT(mtlr_execution, threads, 8);
    LAYOUT(mtlr_execution, reserved, 12);
    LAYOUT(mtlr_execution, progress, 16);
    LAYOUT(mtlr_execution, payload, 24);
    LAYOUT(mtlr_execution, cancel_token, 32);
    LAYOUT(mtlr_execution, registry, 40);
    LAYOUT(mtlr_execution, memory_limit, 48);
    LAYOUT(mtlr_execution, poll, 56);
    LAYOUT(mtlr_execution, collective, 64);
    CHECK(sizeof(mtlr_collective) == 72);
    LAYOUT(mtlr_collective, struct_size, 0);
    LAYOUT(mtlr_collective, rank, 8);
    LAYOUT(mtlr_collective, size, 12);
    LAYOUT(mtlr_collective, payload, 16);
    LAYOUT(mtlr_collective, sum_int64, 24);
    LAYOUT(mtlr_collective, sum_double, 32);
    LAYOUT(mtlr_collective, max_int64, 40);
    LAYOUT(mtlr_collective, broadcast, 48);
    LAYOUT(mtlr_collective, gather, 56);
    LAYOUT(mtlr_collective, leave, 64);
    CHECK(sizeof(mtlr_row_source) == 48);
    LAYOUT(mtlr_row_source, struct_size, 0);
    LAYOUT(mtlr_row_source, payload, 8);
    LAYOUT(mtlr_row_source, restart, 16);
    LAYOUT(mtlr_row_source, next, 24);
    LAYOUT(mtlr_row_source, last_error, 32);
    LAYOUT(mtlr_row_source, max_bins, 40);
    LAYOUT(mtlr_row_source, reserved, 44);
    CHECK(sizeof(mtlr_prediction) == 72);
    LAYOUT(mtlr_prediction, struct_size, 0);
    LAYOUT(mtlr_prediction, output, 8);
    LAYOUT(mtlr_prediction, scale, 12);
    LAYOUT(mtlr_prediction, arm, 16);
    LAYOUT(mtlr_prediction, baseline, 24);
    LAYOUT(mtlr_prediction, rows, 32);
    LAYOUT(mtlr_prediction, dtype, 36);
    LAYOUT(mtlr_prediction, dataset, 40);
    LAYOUT(mtlr_prediction, row_stride, 48);
    LAYOUT(mtlr_prediction, column_stride, 56);
    LAYOUT(mtlr_prediction, level, 64);
    CHECK(sizeof(mtlr_averaging) == 32);
    LAYOUT(mtlr_averaging, struct_size, 0);
    LAYOUT(mtlr_averaging, estimand, 8);
    LAYOUT(mtlr_averaging, reserved, 12);
    LAYOUT(mtlr_averaging, dataset, 16);
    LAYOUT(mtlr_averaging, level, 24);
    CHECK(sizeof(mtlr_average_effect) == 64);
    LAYOUT(mtlr_average_effect, arm, 0);
    LAYOUT(mtlr_average_effect, estimand, 4);
    LAYOUT(mtlr_average_effect, outcome_class, 8);
    LAYOUT(mtlr_average_effect, reserved, 12);
    LAYOUT(mtlr_average_effect, estimate, 16);
    LAYOUT(mtlr_average_effect, std_error, 24);
    LAYOUT(mtlr_average_effect, lower, 32);
    LAYOUT(mtlr_average_effect, upper, 40);
    LAYOUT(mtlr_average_effect, level, 48);
    LAYOUT(mtlr_average_effect, p_value, 56);

    const char *const names[] = {"ok", "invalid_argument", "invalid_spec", "invalid_data", "unsupported",
                                 "input_output", "corrupt_model", "incompatible_model", "numerical_failure",
                                 "cancelled", "out_of_memory", "internal_fault"};
    for (mtlr_status status = MTLR_OK; status <= MTLR_INTERNAL_FAULT; status++) {
        CHECK(strcmp(mtlr_status_name(status), names[status]) == 0);
    }
    CHECK(strcmp(mtlr_status_name(-1), "unknown") == 0);
    CHECK(strcmp(mtlr_status_name(INT32_MAX), "unknown") == 0);

    char version[32];
    snprintf(version, sizeof version, "%d.%d.%d", MTLR_VERSION_MAJOR, MTLR_VERSION_MINOR, MTLR_VERSION_PATCH);
    CHECK(strcmp(mtlr_version(), version) == 0);
    CHECK(mtlr_abi_version() == MTLR_ABI_VERSION);
    CHECK(MTLR_ABI_VERSION == MTLR_VERSION_MAJOR * 1000 + MTLR_VERSION_MINOR);
    return finish("header");
}
