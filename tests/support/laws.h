/* The laws of the operation table. Each takes a row, one of its examples and a seed, names no operation, and returns whether it
 * holds; nothing asserts, so that planted faults can show that a law breaks. */
#ifndef TEST_LAWS_H
#define TEST_LAWS_H

#include "check/example.h"
#include "support/numeric.h"

typedef enum verdict { LAW_HOLDS, LAW_SKIPPED, LAW_BROKEN } verdict;

typedef struct law_case {
  bp_ctx *ctx;
  const bp_op *op;
  const char *example; /* NULL for laws of whole rows */
  uint64_t seed;
  char why[WHY_MAX];
} law_case;

typedef enum law_scope { PER_ROW, PER_EXAMPLE, PER_SEED } law_scope;

typedef struct law {
  const char *name;
  verdict (*holds)(law_case *c);
  law_scope scope;
} law;

extern const law all_laws[];
extern const size_t n_laws;

/* ---- derivatives: laws.c ---- */
verdict law_vjp(law_case *c);
verdict law_jvp(law_case *c);
verdict law_adjoint(law_case *c);
verdict law_second_derivative(law_case *c);
verdict law_class(law_case *c);
verdict law_bundle(law_case *c);
verdict law_kinks(law_case *c);

/* ---- structure: structure_laws.c ---- */
verdict law_pattern(law_case *c);
verdict law_second_pattern(law_case *c);
/* Every entry of J that is not 0 is in the pattern of f's real results by its real inputs. */
bool pattern_covers(fun *f, const matrix *J);

/* ---- values: value_laws.c ---- */
verdict law_float32(law_case *c);
verdict law_empty(law_case *c);
verdict law_nan(law_case *c);
verdict law_infinity(law_case *c);
verdict law_passes(law_case *c);

/* ---- the row and its builder: row_laws.c ---- */
verdict law_described(law_case *c);
verdict law_has_derivative(law_case *c);
verdict law_integers(law_case *c);
verdict law_canonical(law_case *c);
verdict law_misuse(law_case *c);

/* ---- what they share ---- */

/* An example built in a graph of its own and drawn. */
typedef struct sample {
  bpi_example ex;
  bp_graph *g;
  fun f;
} sample;

/* False: the row or example is at fault, and c->why says how. Closed by sample_close in either case. */
bool sample_open(law_case *c, sample *s);
/* The example as it stands, perhaps changed: drawn and built. */
bool sample_build(law_case *c, sample *s);
void sample_close(sample *s);
/* Opens the sample of a row that can be differentiated, with its numeric Jacobian. LAW_HOLDS: go on; else s is closed. */
verdict sample_measured(law_case *c, sample *s, matrix *J);
verdict broken(law_case *c, const char *fmt, ...) BP_PRINTF(2, 3);
/* Closes the sample; the verdict of a check on its function. */
verdict judged(law_case *c, sample *s, bool good);
/* Rows that the laws are about: all but where values come from. */
bool is_lawful(const bp_op *op);
int count_examples(const bp_op *op);

#endif
