/* What commands that take `EXPR|FILE name=value...` have in common: the program, its values, a run of some of its nodes. */
#ifndef CLI_EXPRESSION_H
#define CLI_EXPRESSION_H

#include "options.h"

typedef struct expression {
  bp_ctx *ctx;
  bp_graph *graph;
  bp_program *program;
  const char *text; /* as typed; of a file, its path */
  bool from_file;
} expression;

/* Reads inputs[0], a text, or a file of that name, and inputs[1...], words name=value: a value is an expression, or @FILE: .npy, IDX or
 * CSV of numbers. Words come first, and win. END_USAGE, END_DATA, END_RESOURCES, told. e is closed by the caller in every case. */
int expression_open(expression *e, bp_ctx *ctx, const settings *s);
void expression_close(expression *e);
/* The same by hand: an empty program; then a word name=value, told as above. */
int expression_begin(expression *e, bp_ctx *ctx, const settings *s);
int expression_value(expression *e, const settings *s, const char *word);

/* Compiles nodes of the graph and runs them once on the values of the inputs. real: BP_FLOAT32 or BP_FLOAT64. The caller frees both,
 * run first. END_DATA: an index out of range, an input without a value. */
int expression_run(expression *e, bp_dtype real, const bp_node *nodes, size_t n, bp_plan **plan,
                   bp_run **run);
/* The first input that outputs depend on and that has no value, NULL if there is none; and END_DATA, told, where there is one. */
const char *expression_unvalued(const expression *e);
int expression_valued(const expression *e);
/* What --dtype says, float64 if nothing. */
bp_dtype expression_dtype(const settings *s);
/* fail with the message of the program, caret and all. */
int expression_fail(const expression *e, bp_status st);

#endif
