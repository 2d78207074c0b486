/* The laws of the operation table. Each takes a row, one of its examples and a seed, names no operation, and says whether it holds. */
#ifndef BPI_LAWS_H
#define BPI_LAWS_H

#include "check/example.h"
#include "check/probe.h"
#include "graph/graph.h"

typedef struct bpi_law_case {
  bp_ctx *ctx;
  const bp_op *op;
  const char *example; /* NULL for laws of whole rows */
  uint64_t seed;
  bool float64_only; /* the row refuses float32 */
  bool skipped;      /* out: there is nothing that the law could say */
} bpi_law_case;

typedef enum bpi_law_scope { BPI_PER_ROW, BPI_PER_EXAMPLE, BPI_PER_SEED } bpi_law_scope;

/* A law returns BP_OK where it holds or skips, BP_E_NOMEM when out of memory; any other status is a broken law, and bp_error() says how. */
typedef bp_status (*bpi_law_fn)(bpi_law_case *c);

typedef struct bpi_law {
  const char *name;
  bpi_law_fn holds;
  bpi_law_scope scope;
  bool
      first; /* where it is broken, the laws after it cannot be asked: the row lacks what they need, or would spoil memory in a run */
} bpi_law;

/* All laws. */
extern const bpi_law bpi_laws[];
extern const size_t bpi_n_laws;

/* What a law says of a case. BP_E_NOMEM, else BP_OK. */
bp_status bpi_law_judge(bpi_law_fn law, bpi_law_case *c, bp_law_verdict *verdict);

/* derivative_laws.c */
bp_status bpi_law_vjp(bpi_law_case *c);
bp_status bpi_law_jvp(bpi_law_case *c);
bp_status bpi_law_adjoint(bpi_law_case *c);
bp_status bpi_law_second_derivative(bpi_law_case *c);
bp_status bpi_law_kinks(bpi_law_case *c);
/* class_laws.c */
bp_status bpi_law_class(bpi_law_case *c);
/* local_laws.c */
bp_status bpi_law_local(bpi_law_case *c);
/* structure_laws.c */
bp_status bpi_law_pattern(bpi_law_case *c);
bp_status bpi_law_second_pattern(bpi_law_case *c);
/* Every entry of J that is not 0 is in the pattern of f's real results by its real inputs. */
bp_status bpi_probe_pattern_covers(bpi_probe *f, const bpi_measured *J);
/* bundle_laws.c */
bp_status bpi_law_bundle(bpi_law_case *c);
/* value_laws.c */
bp_status bpi_law_float32(bpi_law_case *c);
bp_status bpi_law_empty(bpi_law_case *c);
bp_status bpi_law_nan(bpi_law_case *c);
bp_status bpi_law_infinity(bpi_law_case *c);
bp_status bpi_law_passes(bpi_law_case *c);
/* kernel_laws.c */
bp_status bpi_law_kernel(bpi_law_case *c);
/* row_laws.c */
bp_status bpi_law_described(bpi_law_case *c);
bp_status bpi_law_has_derivative(bpi_law_case *c);
bp_status bpi_law_integers(bpi_law_case *c);
bp_status bpi_law_canonical(bpi_law_case *c);
/* misuse_laws.c */
bp_status bpi_law_misuse(bpi_law_case *c);

/* ---- what they share: samples.c ---- */

/* An example built in a graph of its own and drawn. */
typedef struct bpi_sample {
  bpi_example ex;
  bp_graph *g;
  bpi_probe f;
} bpi_sample;

/* bpi_sample_close must follow, also on failure. */
bp_status bpi_sample_open(bpi_law_case *c, bpi_sample *s);
/* The example read, not yet drawn and built: it may be changed in between. */
bp_status bpi_sample_read(bpi_law_case *c, bpi_sample *s);
bp_status bpi_sample_build(bpi_law_case *c, bpi_sample *s);
/* Opens the example with the shapes that the row itself gets: inputs that the builder would broadcast have the common shape (class_laws.c). */
bp_status bpi_sample_own_shapes(bpi_law_case *c, bpi_sample *s);
/* Opens the sample of a row that can be differentiated, else skips, and measures its Jacobian. */
bp_status bpi_sample_measured(bpi_law_case *c, bpi_sample *s, bpi_measured *J);
/* By differences, but for a row that stops gradients by decree: then nothing may come through. */
bp_status bpi_sample_measure(bpi_law_case *c, bpi_sample *s, bpi_measured *J);
/* The sample's call as the row sees it; bpi_call_done(room) must follow BP_OK. */
bp_status bpi_sample_call(bpi_sample *s, bpi_call_room *room, bp_op_call *call);
/* Returns `status`, or BP_E_NOMEM where the graph ran out of memory. */
bp_status bpi_sample_close(bpi_sample *s, bp_status status);
/* Leaves a law that has nothing to say here. */
bp_status bpi_skip(bpi_law_case *c, bpi_sample *s);
/* Rows that the laws are about: all but where values come from. */
bool bpi_is_lawful(const bp_op *op);

#endif
