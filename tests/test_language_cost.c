/* The language: what texts cost, hostile ones too. */
#include "support/linear.h"
#include "support/reading.h"

#include <stdio.h>
#include <stdlib.h>

static char *repeated(const char *head, const char *part, size_t n, const char *tail)
{
  size_t h = strlen(head), m = strlen(part);
  char *text = malloc(h + n * m + strlen(tail) + 1);
  assert_non_null(text);
  memcpy(text, head, h);
  for (size_t i = 0; i < n; i++)
    memcpy(text + h + i * m, part, m);
  strcpy(text + h + n * m, tail);
  return text;
}

/* Counts what is allocated. */
typedef struct meter {
  size_t now, most;
} meter;

static void *metered(void *user, void *p, size_t size)
{
  meter *m = user;
  size_t *block = p ? (size_t *)p - 2 : NULL;
  m->now -= block ? *block : 0;
  if (!size) {
    free(block);
    return NULL;
  }
  block = realloc(block, size + 2 * sizeof *block);
  if (!block)
    return NULL;
  *block = size;
  m->now += size;
  m->most = m->now > m->most ? m->now : m->most;
  return block + 2;
}

/* What a hostile text of `n` parts costs: seconds and bytes. */
static bp_status cost_of(const char *head, const char *part, size_t n, const char *tail, double *seconds,
                         size_t *bytes)
{
  meter m = {0, 0};
  bp_ctx_options o = {.alloc = metered, .alloc_user = &m};
  bp_ctx *ctx = bp_ctx_new(&o);
  bp_graph *g = bp_graph_new(ctx);
  bp_program *p = bp_program_new(g, NULL);
  char *text = repeated(head, part, n, tail);
  double start = processor_seconds();
  bp_status s = bp_program_read(p, "text", text, strlen(text));
  *seconds = processor_seconds() - start;
  *bytes = m.most;
  free(text);
  bp_program_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  assert_int_equal(m.now, 0);
  return s;
}

typedef struct hostile_text {
  const char *what, *head, *part, *tail;
  size_t n;
  bp_status status;
  bool small; /* no more memory than the text and 16 MiB */
} hostile_text;
static hostile_text hostile[] = {
    {"76 open parentheses", "", "(", "", 100000, BP_E_LIMIT, true},
    {"76 open brackets", "", "[", "", 100000, BP_E_LIMIT, true},
    {"76 calls", "", "exp(", "", 100000, BP_E_LIMIT, true},
    {"76 signs", "", "-", "1", 100000, BP_E_LIMIT, true},
    {"76 powers", "", "2**", "2", 100000, BP_E_LIMIT, true},
    {"76 lambdas", "", "lambda:", "1", 100000, BP_E_LIMIT, true},
    {"76 subscripts", "x=1;", "x[", "", 100000, BP_E_LIMIT, true},
    {"78 a million terms", "1", "+1", "", 1000000, BP_OK, true},
    {"78 a term of a million factors", "1", "*1.5", "", 1000000, BP_OK, true},
    {"79 a number of a million digits", "", "1", "", 1000000, BP_OK, true},
    {"79 a name of a million letters", "", "a", "", 1000000, BP_E_NOTFOUND, true},
    {"82 a million bytes that are no text", "", "\x01", "", 1000000, BP_E_PARSE, true},
    {"a million line breaks", "", "\n", "1", 1000000, BP_OK, true},
    {"a comment of a megabyte", "#", "a", "\n1", 1000000, BP_OK, true},
    {"terms of nodes", "x=1.5\n", "x+", "x", 50000, BP_OK, false},
    {"statements", "x=1.5\n", "y=x*x\n", "", 50000, BP_OK, false},
    {"known statements", "", "y=2*randn(1)\n", "", 10000, BP_OK, false},
    {"a list", "[", "1,", "1]", 200000, BP_OK, false},
    {"names to assign", "", "a,", "a=1", 100000, BP_E_ARG, false},
    {"arguments", "max(", "1,", "1)", 100000, BP_E_LIMIT, false},
    {"views", "x=1.5;x", ".T", "", 50000, BP_OK, false},
    {"78 arguments past the last", "x=1.5;concat((x,x)", ",0", ")", 1000, BP_E_ARG, false},
    {"78 lists in lists", "x=1.5;a=x\n", "a=(a,x)\n", "a", 300000, BP_E_LIMIT, true},
    {"78 lists that double", "a=(1,1)\n", "a=(a,a)\n", "x=a;sum(a)", 40, BP_E_LIMIT, true},
    {"78 lists that double in a call", "f(a)=(a,a)\nx=1.5\ny=", "f(", "x", 60, BP_E_PARSE, true},
};

static double time_of_hostile(void *arg, int n)
{
  const hostile_text *h = arg;
  double t;
  size_t bytes;
  cost_of(h->head, h->part, (size_t)n, h->tail, &t, &bytes);
  return t;
}

/* Eight times the text takes about eight times the time: a bound that a quadratic reader is far over. */
static void hostile_texts_cost_no_more_than_their_length(void **state)
{
  (void)state;
  for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
    double t;
    size_t bytes, length = strlen(hostile[i].part) * hostile[i].n;
    bp_status s = cost_of(hostile[i].head, hostile[i].part, hostile[i].n, hostile[i].tail, &t, &bytes);
    if (s != hostile[i].status)
      fail_msg("%s: %s %s", hostile[i].what, bp_status_name(s), bp_error());
    if (bytes > (hostile[i].small ? 8 * length + (16u << 20) : 2000 * hostile[i].n + (16u << 20)))
      fail_msg("%s: %zu bytes for a text of %zu", hostile[i].what, bytes, length);
    if (!is_linear(time_of_hostile, &hostile[i], (int)hostile[i].n / 8, 8, 0.05))
      fail_msg("%s: %g s for %zu bytes, and less in proportion for less", hostile[i].what, t, length);
  }
}

/* Functions that call others twice stand for 2^60 operations; draws and known arguments do not hide it. */
static void doubling_is_refused(void **state)
{
  (void)state;
  const char *const last[] = {"x = 1.5\nf59(x)", "f59(2)"}, *const first[] = {"f0(x) = x*x\n",
                                                                              "f0(x) = x + randn(1)\n"};
  for (int k = 0; k < 4; k++) {
    char text[8192];
    size_t n = (size_t)snprintf(text, sizeof text, "%s", first[k / 2]);
    for (int i = 1; i < 60; i++)
      n += (size_t)snprintf(text + n, sizeof text - n, "f%d(x) = f%d(x) + f%d(2*x)\n", i, i - 1, i - 1);
    snprintf(text + n, sizeof text - n, "%s", last[k % 2]);
    reading r = open_reading();
    assert_int_equal(bp_program_read(r.p, "text", text, strlen(text)), BP_E_LIMIT);
    close_reading(&r);
  }
}

/* f(x) + f(x) is one call, so 40 doublings are 40 calls; and what a function depends on is remembered once. */
static void calls_in_calls_cost_no_more_than_their_text(void **state)
{
  (void)state;
  char text[4096];
  double t, got[MOST];
  size_t bytes, n = (size_t)snprintf(text, sizeof text, "f0(x)=x+1\n");
  for (int i = 1; i < 40; i++)
    n += (size_t)snprintf(text + n, sizeof text - n, "f%d(x)=f%d(x)+f%d(x)\n", i, i - 1, i - 1);
  snprintf(text + n, sizeof text - n, "y=1\nf39(y)");
  assert_int_equal(cost_of(text, "", 0, "", &t, &bytes), BP_OK);
  assert_true(t < 2);
  assert_true(bytes < (8u << 20));
  reading r = read_text(text);
  values_of(&r, 0, got);
  assert_true(got[0] == 1099511627776.0); /* 2^39 (y + 1) */
  close_reading(&r);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hostile_texts_cost_no_more_than_their_length),
      cmocka_unit_test(doubling_is_refused),
      cmocka_unit_test(calls_in_calls_cost_no_more_than_their_text),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
