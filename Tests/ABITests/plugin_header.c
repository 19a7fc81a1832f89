/* The layout of the plug-in interface is what every plug-in that was ever compiled relies on. */
#include <metalearners_plugin.h>

#include "check.h"

#define LAYOUT(type, member, offset) CHECK(offsetof(type, member) == (offset))

int main(void) {
    CHECK(MTLR_PLUGIN_ABI_VERSION == 1);
    CHECK(MTLR_PLUGIN_OUT_OF_MEMORY == MTLR_OUT_OF_MEMORY && MTLR_PLUGIN_CANCELLED == MTLR_CANCELLED);
    CHECK(MTLR_PLUGIN_CORRUPT_MODEL == MTLR_CORRUPT_MODEL && MTLR_PLUGIN_UNSUPPORTED == MTLR_UNSUPPORTED);
    CHECK(sizeof(mtlr_plugin_column) == 40);
    LAYOUT(mtlr_plugin_column, data, 0);
    LAYOUT(mtlr_plugin_column, stride, 8);
    LAYOUT(mtlr_plugin_column, dtype, 16);
    LAYOUT(mtlr_plugin_column, level_count, 20);
    LAYOUT(mtlr_plugin_column, name, 24);
    LAYOUT(mtlr_plugin_column, levels, 32);
    CHECK(sizeof(mtlr_plugin_table) == 32);
    LAYOUT(mtlr_plugin_table, row_count, 8);
    LAYOUT(mtlr_plugin_table, column_count, 16);
    LAYOUT(mtlr_plugin_table, columns, 24);
    CHECK(sizeof(mtlr_plugin_task) == 80);
    LAYOUT(mtlr_plugin_task, features, 8);
    LAYOUT(mtlr_plugin_task, rows, 16);
    LAYOUT(mtlr_plugin_task, row_count, 24);
    LAYOUT(mtlr_plugin_task, target, 32);
    LAYOUT(mtlr_plugin_task, weights, 40);
    LAYOUT(mtlr_plugin_task, regressor, 48);
    LAYOUT(mtlr_plugin_task, clusters, 56);
    LAYOUT(mtlr_plugin_task, objective, 64);
    LAYOUT(mtlr_plugin_task, class_count, 68);
    LAYOUT(mtlr_plugin_task, seed, 72);
    CHECK(sizeof(mtlr_plugin_execution) == 48);
    LAYOUT(mtlr_plugin_execution, host, 8);
    LAYOUT(mtlr_plugin_execution, progress, 16);
    LAYOUT(mtlr_plugin_execution, is_cancelled, 24);
    LAYOUT(mtlr_plugin_execution, warn, 32);
    LAYOUT(mtlr_plugin_execution, threads, 40);
    CHECK(sizeof(mtlr_plugin_error) == 16 && sizeof(mtlr_plugin_sink) == 16);
    CHECK(sizeof(mtlr_plugin_value) == 32);
    LAYOUT(mtlr_plugin_value, text, 8);
    LAYOUT(mtlr_plugin_value, number, 16);
    LAYOUT(mtlr_plugin_value, kind, 24);
    LAYOUT(mtlr_plugin_value, is_set, 28);
    CHECK(sizeof(mtlr_plugin_spec) == 32);
    CHECK(sizeof(mtlr_plugin_vtable) == 144);
    LAYOUT(mtlr_plugin_vtable, struct_size, 0);
    LAYOUT(mtlr_plugin_vtable, abi_version, 8);
    LAYOUT(mtlr_plugin_vtable, capabilities, 12);
    LAYOUT(mtlr_plugin_vtable, flags, 16);
    LAYOUT(mtlr_plugin_vtable, name, 24);
    LAYOUT(mtlr_plugin_vtable, version, 32);
    LAYOUT(mtlr_plugin_vtable, summary, 40);
    LAYOUT(mtlr_plugin_vtable, parameters, 48);
    LAYOUT(mtlr_plugin_vtable, payload, 56);
    LAYOUT(mtlr_plugin_vtable, create, 64);
    LAYOUT(mtlr_plugin_vtable, free_estimator, 72);
    LAYOUT(mtlr_plugin_vtable, fit, 80);
    LAYOUT(mtlr_plugin_vtable, predict, 88);
    LAYOUT(mtlr_plugin_vtable, serialise, 96);
    LAYOUT(mtlr_plugin_vtable, deserialise, 104);
    LAYOUT(mtlr_plugin_vtable, free_model, 112);
    LAYOUT(mtlr_plugin_vtable, contributions, 120);
    LAYOUT(mtlr_plugin_vtable, importances, 128);
    LAYOUT(mtlr_plugin_vtable, release, 136);
    const double number = 2.5;
    const float small = 1.5f;
    const int32_t codes[] = {3, -1};
    const mtlr_plugin_column columns[] = {{&number, 0, MTLR_PLUGIN_FLOAT64, 0, "x", NULL},
                                          {&small, 0, MTLR_PLUGIN_FLOAT32, 0, "y", NULL},
                                          {codes, 4, MTLR_PLUGIN_CODES, 4, "z", NULL}};
    CHECK(mtlr_plugin_number(&columns[0], 7) == 2.5 && mtlr_plugin_number(&columns[1], 0) == 1.5);
    CHECK(mtlr_plugin_number(&columns[2], 0) == 3 && mtlr_plugin_number(&columns[2], 1) != 3);
    CHECK(!(mtlr_plugin_number(&columns[2], 1) == mtlr_plugin_number(&columns[2], 1)));
    return finish("plugin_header");
}
