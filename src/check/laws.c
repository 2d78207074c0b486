/* The list of laws, and how a case is judged. */
#include "check/laws.h"

const bpi_law bpi_laws[] = {
    {"row is described", bpi_law_described, BPI_PER_ROW, true},
    {"kernel keeps to its memory", bpi_law_kernel, BPI_PER_SEED, true},
    {"row has a derivative", bpi_law_has_derivative, BPI_PER_ROW, false},
    {"attributes are canonical", bpi_law_canonical, BPI_PER_EXAMPLE, false},
    {"misuse is refused", bpi_law_misuse, BPI_PER_EXAMPLE, false},
    {"integers have no gradient", bpi_law_integers, BPI_PER_EXAMPLE, false},
    {"vjp = differences", bpi_law_vjp, BPI_PER_SEED, false},
    {"jvp = differences", bpi_law_jvp, BPI_PER_SEED, false},
    {"<u, Jv> = <J'u, v>", bpi_law_adjoint, BPI_PER_SEED, false},
    {"Jacobian has its class", bpi_law_class, BPI_PER_SEED, false},
    {"local Jacobian = differences", bpi_law_local, BPI_PER_SEED, false},
    {"pattern covers the Jacobian", bpi_law_pattern, BPI_PER_SEED, false},
    {"second derivative = differences", bpi_law_second_derivative, BPI_PER_SEED, false},
    {"pattern covers the second derivative", bpi_law_second_pattern, BPI_PER_SEED, false},
    {"bundle = expansion", bpi_law_bundle, BPI_PER_SEED, false},
    {"kinks as documented", bpi_law_kinks, BPI_PER_ROW, false},
    {"float32 = float64", bpi_law_float32, BPI_PER_SEED, false},
    {"empty tensors", bpi_law_empty, BPI_PER_ROW, false},
    {"NaN arrives", bpi_law_nan, BPI_PER_EXAMPLE, false},
    {"infinity does no harm", bpi_law_infinity, BPI_PER_EXAMPLE, false},
    {"passes keep the bits", bpi_law_passes, BPI_PER_EXAMPLE, false},
};
const size_t bpi_n_laws = sizeof bpi_laws / sizeof *bpi_laws;

bp_status bpi_law_judge(bpi_law_fn law, bpi_law_case *c, bp_law_verdict *verdict)
{
  c->skipped = false;
  bp_status s = law(c);
  *verdict = s != BP_OK ? BP_LAW_BROKEN : c->skipped ? BP_LAW_SKIPPED : BP_LAW_HOLDS;
  return s == BP_E_NOMEM ? s : BP_OK;
}
