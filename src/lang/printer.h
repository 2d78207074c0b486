/* The printer inside: a graph, or the body of a function, on its way to text. */
#ifndef BPI_PRINTER_H
#define BPI_PRINTER_H

#include "lang/lang.h"

enum { BPI_INLINE = 8 /* height of an expression on one line */ };

/* What is known of one value. */
typedef struct bpi_pvalue {
  const char *name; /* as the text calls it; NULL: written where it is used */
  uint32_t uses;
  uint8_t height;
  bool needed; /* of the first result of a call: any of its results is */
  bool known;  /* the language works it out while reading: no input on the way, no draw, no function */
  bool input;  /* a parameter, or an input of the program */
  bool output;
} bpi_pvalue;

/* A function's name in the text. */
typedef struct bpi_pfn {
  const bp_fn *fn;
  const char *name;
  bool known_result; /* some output does not depend on a parameter */
} bpi_pfn;

typedef struct bpi_printer {
  bp_ctx *ctx;
  bpi_text t;
  bpi_arena arena;
  bp_program *values;
  bpi_linput **inputs; /* of values, by the index of their node */
  bpi_pfn *fns;        /* open addressing, by address */
  size_t fns_cap, n_fns;
  bp_status status;
} bpi_printer;

/* One graph of them. */
typedef struct bpi_pgraph {
  bpi_printer *pr;
  bp_graph *g;
  bpi_pvalue *v; /* by index */
  const char *margin;
} bpi_pgraph;

/* A real number as the lexer reads it, never as a whole number. */
void bpi_print_real(bpi_text *t, double x);
/* A constant as an expression of its type. */
void bpi_print_constant(bpi_text *t, const bp_type *type, const bp_attr *data);
/* The same of a value: all elements. */
void bpi_print_array(bpi_text *t, const bp_type *type, const void *data);
void bpi_print_string(bpi_text *t, const char *s);
void bpi_print_ints(bpi_text *t, const int64_t *list, int64_t n);
/* Whether a text is a name of the language that means nothing else there. */
bool bpi_is_word(const char *s);
/* The operator of a row, how strongly it binds, and its number of operands; NULL if it has none. */
const char *bpi_row_operator(const bp_op *op, int *level, int *operands);

/* Makes room, and marks what the outputs need. */
bp_status bpi_pgraph_open(bpi_pgraph *pg, bpi_printer *pr, bp_graph *g, const bp_node *outputs, size_t n);
/* The call at a head as an expression; brackets where it binds less than `level`. */
void bpi_print_call(bpi_pgraph *pg, uint32_t head, int level);
/* A value: its name, or its expression. */
void bpi_print_use(bpi_pgraph *pg, uint32_t index, int level);
/* Operands of a call as the text writes them: broadcasts that the builder makes anyway are left out. False: operand i is as it is. */
bool bpi_stripped(const bp_graph *g, uint32_t head, int i, uint32_t *operand, bool *scalar);
bpi_pfn *bpi_pfn_of(bpi_printer *pr, const bp_fn *fn);

#endif
