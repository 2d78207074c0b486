/* Arrays as text: for a person as NumPy prints them, and as JSON. */
#ifndef CLI_SHOW_H
#define CLI_SHOW_H

#include "bprop.h"

enum { NUMBER_TEXT = 32 };

/* A number with 12 significant digits; those that need fewer are shorter. In text. */
const char *number_text(double x, char text[NUMBER_TEXT]);
/* Number of elements. */
int64_t show_size(const bp_type *type);
/* Element i, row-major, of a float32, float64, int64 or bool array. */
double show_element(const bp_type *type, const void *data, int64_t i);
/* "NAME = 0.731058578630", "NAME [3] = [1. 2. 3.]", or a matrix on lines of its own; of large arrays the edges. type and data as
 * bp_run_output gives them. */
void show_array(const char *name, const bp_type *type, const void *data);
/* Nested lists with all digits; infinities and NaN as strings "inf", "-inf", "nan". */
void json_array(const bp_type *type, const void *data);
/* "[3,4]" */
void json_shape(const bp_type *type);

#endif
