/* The list of laws, and how a case is judged. */
#include "check/laws.h"

const bpi_law bpi_laws[] = {
    {"row is described", bpi_law_described, BPI_PER_ROW},
    {"row has a derivative", bpi_law_has_derivative, BPI_PER_ROW},
    {"attributes are canonical", bpi_law_canonical, BPI_PER_EXAMPLE},
    {"misuse is refused", bpi_law_misuse, BPI_PER_EXAMPLE},
    {"integers have no gradient", bpi_law_integers, BPI_PER_EXAMPLE},
    {"kernel keeps to its memory", bpi_law_kernel, BPI_PER_SEED},
    {"vjp = differences", bpi_law_vjp, BPI_PER_SEED},
    {"jvp = differences", bpi_law_jvp, BPI_PER_SEED},
    {"<u, Jv> = <J'u, v>", bpi_law_adjoint, BPI_PER_SEED},
    {"Jacobian has its class", bpi_law_class, BPI_PER_SEED},
    {"local Jacobian = differences", bpi_law_local, BPI_PER_SEED},
    {"pattern covers the Jacobian", bpi_law_pattern, BPI_PER_SEED},
    {"second derivative = differences", bpi_law_second_derivative, BPI_PER_SEED},
    {"pattern covers the second derivative", bpi_law_second_pattern, BPI_PER_SEED},
    {"bundle = expansion", bpi_law_bundle, BPI_PER_SEED},
    {"kinks as documented", bpi_law_kinks, BPI_PER_ROW},
    {"float32 = float64", bpi_law_float32, BPI_PER_SEED},
    {"empty tensors", bpi_law_empty, BPI_PER_ROW},
    {"NaN arrives", bpi_law_nan, BPI_PER_EXAMPLE},
    {"infinity does no harm", bpi_law_infinity, BPI_PER_EXAMPLE},
    {"passes keep the bits", bpi_law_passes, BPI_PER_EXAMPLE},
};
const size_t bpi_n_laws = sizeof bpi_laws / sizeof *bpi_laws;

bp_status bpi_law_judge(bpi_law_fn law, bpi_law_case *c, bp_law_verdict *verdict)
{
  c->skipped = false;
  bp_status s = law(c);
  *verdict = s != BP_OK ? BP_LAW_BROKEN : c->skipped ? BP_LAW_SKIPPED : BP_LAW_HOLDS;
  return s == BP_E_NOMEM ? s : BP_OK;
}
