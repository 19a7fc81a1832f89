/* Tables that bytes describe, and what is done with them. */
#ifndef FUZZ_VIEWS_H
#define FUZZ_VIEWS_H

#include "input.h"

/* A table of so many rows. Memory is as large as the table says, unless the library must see from the table that it is not. */
const mtlr_table *fuzz_table(fuzz_input *in, int64_t rows);

/* A column, most often one of a trial by its position. */
mtlr_column fuzz_column(fuzz_input *in, int position, int64_t rows);

/* Makes datasets of a table, fits to them, and predicts the table with them and with `model`. */
void fuzz_use_table(fuzz_input *in, const mtlr_table *table, const char *spec, const mtlr_model *model);

#endif
