/* Sums of all elements inside of tile programs: the bits of the kernel that sums an array, for any size, number of threads, element
 * type, and in compiled code. */
#include "support/jitting.h"

enum { MOST = 70001, SUMS = 3 };

static void *data;

/* Three sums of one program; with `heavy` it is no single relay, with `strided` an operand is gathered. One value is wanted itself. */
static size_t three_sums(bp_graph *g, int64_t n, bool heavy, bool strided, bp_node *out)
{
  int64_t dims[2] = {n / 7, 7}, one = 7;
  bp_node x = bp_input(g, "x", BP_REAL, strided ? 2 : 1, strided ? dims : &n);
  bp_node y = bp_add(bp_mul(x, strided ? bp_input(g, "row", BP_REAL, 1, &one) : bp_constant(g, 1.25)),
                     bp_constant(g, 0.5));
  out[0] = bp_sum(y, NULL, 0, false);
  y = heavy ? bp_tanh(y) : bp_relu(y);
  out[1] = bp_sum(bp_mul(y, x), NULL, 0, false);
  out[3] = bp_neg(y);
  out[2] = bp_mean(bp_square(out[3]), NULL, 0, false);
  return SUMS + 1;
}

typedef struct setting {
  int64_t n;
  bool heavy, strided;
  bp_dtype real;
  int threads;
  bp_jit jit;
  uint32_t off;
} setting;

/* The results, one after another; the caller frees them. */
static char *results_of(const setting *s, size_t *bytes, bool *fused)
{
  bp_ctx *ctx = bp_ctx_new(
      &(bp_ctx_options){.threads = s->threads, .jit = s->jit, .jit_cache = room.cache, .passes_off = s->off});
  bp_graph *g = bp_graph_new(ctx);
  bp_node out[SUMS + 1];
  bp_plan_options o = {
      .real = s->real, .outputs = out, .n_outputs = three_sums(g, s->n, s->heavy, s->strided, out)};
  bpi_tuning t = {.split_ns = 1};
  size_t elem = bp_dtype_size(s->real), n_sums = 0;
  bp_plan *p;
  bp_run *run;
  SUCCEEDS(bpi_plan_new(g, &o, &t, &p));
  SUCCEEDS(bpi_plan_verify(p));
  for (size_t i = 0; i < p->n_instrs; i++)
    n_sums += p->instrs[i].kind == BPI_DO_TILE ? p->instrs[i].tile->n_sums : 0;
  *fused = n_sums == SUMS;
  SUCCEEDS(bp_run_new(p, NULL, &run));
  SUCCEEDS(bp_run_bind(run, "x", data, (size_t)s->n * elem));
  if (s->strided)
    SUCCEEDS(bp_run_bind(run, "row", data, 7 * elem));
  for (int k = 0; k < 2; k++) /* code is checked in the first run, and used in the second */
    SUCCEEDS(bp_run_step(run));
  assert_int_equal(verdict_of(p).bad, 0);
  char *all = malloc((size_t)(s->n + SUMS) * elem);
  assert_non_null(all);
  *bytes = 0;
  for (size_t i = 0; i < o.n_outputs; i++) {
    const void *value;
    SUCCEEDS(bp_run_output(run, i, &value, NULL));
    size_t size = (i < SUMS ? 1 : (size_t)s->n) * elem;
    memcpy(all + *bytes, value, size);
    *bytes += size;
  }
  bp_run_free(run);
  bp_plan_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return all;
}

static void fill(bp_dtype real)
{
  uint64_t seed = 1;
  for (int64_t i = 0; i < MOST; i++) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    double v = (double)(seed >> 40) / (1 << 23) - 1;
    if (real == BP_FLOAT64)
      ((double *)data)[i] = v;
    else
      ((float *)data)[i] = (float)v;
  }
}

/* The same without the pass that fuses. */
static void check(setting s, bool fuses)
{
  size_t n, n_apart;
  bool fused, apart_fused;
  char *got = results_of(&s, &n, &fused);
  s.off = 1u << BP_PASS_fuse;
  s.jit = BP_JIT_OFF;
  s.threads = 1;
  char *apart = results_of(&s, &n_apart, &apart_fused);
  assert_int_equal(n, n_apart);
  if (memcmp(got, apart, n))
    fail_msg("%lld elements, heavy %d, strided %d, %s: other bits", (long long)s.n, s.heavy, s.strided,
             bp_dtype_name(s.real));
  assert_int_equal(fused, fuses);
  assert_false(apart_fused);
  free(got);
  free(apart);
}

/* kinds: a bit for each of the eight. */
static void all_sizes(int kinds, int threads, bp_jit jit, const int64_t *sizes, size_t n_sizes)
{
  for (int kind = 0; kind < 8; kind++) {
    if (!(kinds >> kind & 1))
      continue;
    bp_dtype real = kind & 1 ? BP_FLOAT64 : BP_FLOAT32;
    fill(real);
    for (size_t i = 0; i < n_sizes; i++)
      check((setting){.n = sizes[i],
                      .heavy = kind & 2,
                      .strided = kind & 4,
                      .real = real,
                      .threads = threads,
                      .jit = jit},
            threads == 1 || sizes[i] <= 1024 || sizes[i] >= 16384);
  }
}

static void fused_sums_have_the_bits_of_the_kernel(void **state)
{
  (void)state;
  static const int64_t s[] = {259, 1029, 4095, 4102, 8190, 16387, 70000}; /* multiples of 7 */
  for (int threads = 1; threads <= 3; threads++)
    all_sizes(0xff, threads, BP_JIT_OFF, s, COUNT(s));
}

static void compiled_sums_have_the_bits_of_the_kernel(void **state)
{
  (void)state;
  if (!have_compiler())
    skip();
  const int64_t n = 16387;
  all_sizes(0x69, 2, BP_JIT_WAIT, &n, 1); /* each pair of traits once */
}

static int open_all(void **state)
{
  data = malloc(MOST * sizeof(double));
  return !data || open_room(state);
}

static int close_all(void **state)
{
  free(data);
  return close_room(state);
}

int main(void)
{
  const struct CMUnitTest tests[] = {cmocka_unit_test(fused_sums_have_the_bits_of_the_kernel),
                                     cmocka_unit_test(compiled_sums_have_the_bits_of_the_kernel)};
  return cmocka_run_group_tests(tests, open_all, close_all);
}
