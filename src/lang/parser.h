/* The parser inside: one token at hand, steps that run or are recorded. */
#ifndef BPI_PARSER_H
#define BPI_PARSER_H

#include "lang/lang.h"

enum { BPI_MAX_NAMED = 16 /* outputs of one statement that keep their names */ };

typedef struct bpi_parser {
  bp_program *p;
  bpi_lexer lx;
  bpi_token t;       /* the token at hand */
  uint32_t last_end; /* of the token before it */
  bpi_lcode *code;   /* a function whose body is recorded; NULL: steps run at once */
  int depth;
  uint32_t begin;                        /* of the expression parsed last */
  const bpi_lname *items[BPI_MAX_NAMED]; /* of the tuple parsed last: those that are names */
  uint32_t n_items;
} bpi_parser;

/* Each returns false once something is wrong, and has told it. */

/* ---- tokens and steps (parser.c) ---- */
bool bpi_fail_at(bpi_parser *r, uint32_t at, bp_status s, const char *what);
/* "WHAT is wanted here, not ..." */
bool bpi_expected(bpi_parser *r, const char *what);
bool bpi_next(bpi_parser *r);
bool bpi_at_op(const bpi_parser *r, int op);
bool bpi_at_word(const bpi_parser *r, const char *word);
/* The next token, if the one at hand is this operator. */
bool bpi_take(bpi_parser *r, int op, const char *what);
/* One more level of brackets: the caller takes it off r->depth again. */
bool bpi_deeper(bpi_parser *r);
/* Runs the step, or records it in r->code. */
bool bpi_emit(bpi_parser *r, bpi_lstep s);
bool bpi_emit_value(bpi_parser *r, bpi_value v, uint32_t at);
bool bpi_emit_op(bpi_parser *r, bpi_step_kind kind, int op, uint32_t n, uint32_t at, uint32_t begin);
bool bpi_emit_name(bpi_parser *r, bpi_step_kind kind, const bpi_lname *name, uint32_t at, uint32_t begin);

/* ---- functions (definition.c) ---- */
bpi_lcode *bpi_new_code(bpi_parser *r, const bpi_lname *name);
/* Parameters up to the operator `close`. Defaults are parsed where they stand, outside of the function; their count comes back. */
bool bpi_parse_params(bpi_parser *r, bpi_lcode *c, int close, uint32_t *n_defaults);
/* An expression as the whole body. */
bool bpi_record_expression(bpi_parser *r, bpi_lcode *c);
bool bpi_emit_function(bpi_parser *r, bpi_lcode *c, uint32_t n_defaults, uint32_t at);
bool bpi_parse_lambda(bpi_parser *r);

/* ---- expressions (formula.c) ---- */
bool bpi_parse_value(bpi_parser *r);
/* a, b, c without brackets is a tuple; r->items tells which of them are names alone. */
bool bpi_parse_tuple(bpi_parser *r);
/* True, and told, if the word at hand belongs to Python and not to the language. */
bool bpi_refuse_word(bpi_parser *r);

/* ---- statements (statement.c) ---- */
bool bpi_parse_statement(bpi_parser *r);

#endif
