/* base: statuses, messages, memory, arenas, sizes and shapes, the context. */
#include "base/arena.h"
#include "base/cpu.h"
#include "base/pool.h"
#include "base/shape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <pthread.h>

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* An allocator that counts what is live and fails the allocation number `fail_at` (from 1), or all from there on. */
typedef struct faulty {
  long live, calls, fail_at;
  bool from_then_on;
} faulty;

static void *faulty_alloc(void *user, void *p, size_t size)
{
  faulty *f = user;
  if (size == 0) {
    f->live -= p != NULL;
    free(p);
    return NULL;
  }
  f->calls++;
  if (f->calls == f->fail_at || (f->from_then_on && f->fail_at && f->calls > f->fail_at))
    return NULL;
  f->live += p == NULL;
  return realloc(p, size);
}

static bp_ctx *faulty_ctx(faulty *f)
{
  return bp_ctx_new(&(bp_ctx_options){.alloc = faulty_alloc, .alloc_user = f});
}

/* ---- statuses and messages ---- */

static void statuses_come_from_one_list(void **state)
{
  (void)state;
  assert_string_equal(bp_status_name(BP_OK), "BP_OK");
  assert_string_equal(bp_status_text(BP_OK), "success");
  assert_string_equal(bp_status_name(BP_E_SHAPE), "BP_E_SHAPE");
  assert_string_equal(bp_status_name(BP_E_INTERNAL), "BP_E_INTERNAL");
  for (int s = 0; s < BP_STATUS_COUNT; s++) {
    assert_int_equal(strncmp(bp_status_name((bp_status)s), "BP_", 3), 0);
    assert_true(strlen(bp_status_text((bp_status)s)) > 3);
    for (int other = 0; other < s; other++)
      assert_true(strcmp(bp_status_name((bp_status)s), bp_status_name((bp_status)other)) != 0);
  }
  assert_string_equal(bp_status_name(BP_STATUS_COUNT), "BP_E_?");
  assert_string_equal(bp_status_name((bp_status)-1), "BP_E_?");
  assert_non_null(bp_status_text((bp_status)12345));
  assert_string_equal(bp_version(), BP_VERSION);
}

static void *message_of_new_thread(void *arg)
{
  strcpy(arg, bp_error());
  bpi_fail(BP_E_ARG, "other thread");
  return NULL;
}

static void a_message_belongs_to_its_thread(void **state)
{
  (void)state;
  char other[1024] = "unset";
  pthread_t t;
  assert_int_equal(bpi_fail(BP_E_RANGE, "label %d", 11), BP_E_RANGE);
  assert_int_equal(pthread_create(&t, NULL, message_of_new_thread, other), 0);
  pthread_join(t, NULL);
  assert_string_equal(other, "");
  assert_string_equal(bp_error(), "label 11");
}

static void messages_are_cut_and_cleaned(void **state)
{
  (void)state;
  static char big[5000];
  memset(big, 'x', sizeof big - 1);
  bpi_fail(BP_E_ARG, "%s", big);
  assert_int_equal(strlen(bp_error()), 1023);
  memcpy(big + 1021, "\xe2\x82\xac", 3); /* the cut falls inside a three-byte character */
  bpi_fail(BP_E_ARG, "%s", big);
  assert_int_equal(strlen(bp_error()), 1021);
  static const struct {
    const char *in, *out;
  } rows[] = {
      {"a\nb\tc\x1b[2J\x7f", "a?b?c?[2J?"},
      {"%n%s", "%n%s"},
      {"\xc3\xa9 \xe2\x82\xac", "\xc3\xa9 \xe2\x82\xac"},
      {"\xc2\x9b"
       "2J",
       "??2J"},
      {"\xff\xc3", "??"},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bpi_fail(BP_E_ARG, "%s", rows[i].in);
    assert_string_equal(bp_error(), rows[i].out);
  }
  bpi_fail(BP_E_ARG, "inner");
  bpi_fail(BP_E_ARG, "outer: %s", bp_error());
  assert_string_equal(bp_error(), "outer: inner");
  assert_int_equal(bpi_nomem(), BP_E_NOMEM);
  assert_non_null(strstr(bp_error(), "out of memory"));
  assert_int_equal(bpi_bad_arg("bp_foo", "dims"), BP_E_ARG);
  assert_non_null(strstr(bp_error(), "bp_foo: `dims`"));
}

typedef struct log_lines {
  int n;
  bp_log_level level;
  char last[2000];
} log_lines;

static void keep_line(void *user, bp_log_level level, const char *line)
{
  log_lines *l = user;
  l->n++;
  l->level = level;
  strcpy(l->last, line);
}

static void the_log_honours_its_level(void **state)
{
  (void)state;
  log_lines lines = {0};
  bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.log = keep_line, .log_user = &lines, .log_level = BP_LOG_INFO});
  bpi_log(ctx, BP_LOG_DEBUG, "no");
  assert_int_equal(lines.n, 0);
  bpi_log(ctx, BP_LOG_INFO, "pass %s: %d\n", "fuse", 3);
  assert_int_equal(lines.n, 1);
  assert_int_equal(lines.level, BP_LOG_INFO);
  assert_string_equal(lines.last, "pass fuse: 3?");
  bpi_log(ctx, BP_LOG_OFF, "no");
  assert_int_equal(lines.n, 1);
  bp_ctx_free(ctx);
  ctx = bp_ctx_new(NULL);
  bpi_log(ctx, BP_LOG_ERROR, "nobody listens");
  bp_ctx_free(ctx);
}

/* ---- the context ---- */

static void context_options(void **state)
{
  (void)state;
  static const struct {
    int given, used;
  } threads[] = {{0, 1}, {1, 1}, {7, 7}, {256, 256}, {1000000, 256}};
  for (size_t i = 0; i < COUNT(threads); i++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.threads = threads[i].given});
    assert_non_null(ctx);
    assert_int_equal(bp_ctx_threads(ctx), threads[i].used);
    assert_int_equal(bp_ctx_isa(ctx), bpi_cpu_best());
    bp_ctx_free(ctx);
  }
  assert_null(bp_ctx_new(&(bp_ctx_options){.threads = -3}));
  assert_non_null(strstr(bp_error(), "-3"));
  assert_null(bp_ctx_new(&(bp_ctx_options){.limit_isa = true, .isa = (bp_isa)99}));
  assert_null(bp_ctx_new(&(bp_ctx_options){.limit_isa = true, .isa = (bp_isa)-1}));
  bp_ctx_free(NULL);
  assert_int_equal(bp_ctx_threads(NULL), 0);
  assert_int_equal(bp_ctx_isa(NULL), BP_ISA_BASE);
  bp_free(NULL, NULL);
}

static void the_instruction_set_is_one_that_runs_here(void **state)
{
  (void)state;
  assert_true(bpi_cpu_has(BP_ISA_BASE));
  assert_false(bpi_cpu_has(BP_ISA_COUNT));
  assert_true(bpi_cpu_has(bpi_cpu_best()));
  for (int isa = 0; isa <= BP_ISA_COUNT; isa++) {
    bp_ctx *ctx = bp_ctx_new(&(bp_ctx_options){.limit_isa = true, .isa = (bp_isa)isa});
    bp_isa best = isa == BP_ISA_BEST ? bpi_cpu_best() : BP_ISA_BASE;
    assert_int_equal(bp_ctx_isa(ctx), bpi_cpu_has((bp_isa)isa) ? (bp_isa)isa : best);
    bp_ctx_free(ctx);
  }
#ifdef __x86_64__
  assert_false(bpi_cpu_has(BP_ISA_NEON));
#endif
  assert_string_equal(bp_isa_name(BP_ISA_BASE), "base");
  assert_string_equal(bp_isa_name(BP_ISA_AVX2), "avx2");
  assert_string_equal(bp_isa_name(BP_ISA_AVX512), "avx512");
  assert_string_equal(bp_isa_name(BP_ISA_NEON), "neon");
  assert_string_equal(bp_isa_name((bp_isa)77), "?");
}

static void element_types(void **state)
{
  (void)state;
  static const struct {
    bp_dtype t;
    const char *name;
    size_t size;
  } rows[] = {{BP_NONE, "none", 0},  {BP_REAL, "real", 0},       {BP_INT64, "int64", 8},
              {BP_BOOL, "bool", 1},  {BP_FLOAT32, "float32", 4}, {BP_FLOAT64, "float64", 8},
              {(bp_dtype)50, "?", 0}};
  for (size_t i = 0; i < COUNT(rows); i++) {
    assert_string_equal(bp_dtype_name(rows[i].t), rows[i].name);
    assert_int_equal(bp_dtype_size(rows[i].t), rows[i].size);
  }
}

/* ---- memory ---- */

static void sizes_of_memory_are_checked(void **state)
{
  (void)state;
  faulty f = {0};
  bp_ctx *ctx = faulty_ctx(&f);
  assert_null(bpi_alloc(ctx, SIZE_MAX / 2, 3));
  assert_null(bpi_alloc(ctx, SIZE_MAX, 1));
  assert_null(bpi_zalloc(ctx, (size_t)1 << 61, 8)); /* bad input 2: the count fits, the bytes do not */
  assert_null(bpi_alloc_aligned(ctx, SIZE_MAX));
  assert_null(bpi_alloc_aligned(ctx, SIZE_MAX - 70));
  assert_int_equal(f.calls, 1); /* the context; the rest never reached the allocator */
  void *empty = bpi_alloc(ctx, 0, 8);
  assert_non_null(empty);
  empty = bpi_realloc(ctx, empty, 0, 4);
  assert_non_null(empty);
  bpi_free(ctx, empty);
  bpi_free(ctx, NULL);
  bpi_free_aligned(ctx, NULL);
  unsigned char *z = bpi_zalloc(ctx, 100, 3);
  for (int i = 0; i < 300; i++)
    assert_int_equal(z[i], 0);
  bp_free(ctx, z);
  for (size_t n = 0; n < 200; n++) {
    char *p = bpi_alloc_aligned(ctx, n);
    assert_int_equal((uintptr_t)p % 64, 0);
    memset(p, 1, n);
    bpi_free_aligned(ctx, p);
  }
  char *s = bpi_strdup(ctx, "text");
  assert_string_equal(s, "text");
  bpi_free(ctx, s);
  assert_int_equal(f.live, 1);
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
}

static void arrays_grow(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  int *items = NULL;
  size_t cap = 0;
  for (size_t n = 0; n < 1000; n++) {
    assert_true(bpi_grow(ctx, (void **)&items, &cap, n, sizeof *items));
    assert_true(cap > n);
    items[n] = (int)n;
  }
  for (int i = 0; i < 1000; i++)
    assert_int_equal(items[i], i);
  cap = SIZE_MAX / 4;
  assert_false(bpi_grow(ctx, (void **)&items, &cap, cap, sizeof *items));
  cap = SIZE_MAX;
  assert_false(bpi_grow(ctx, (void **)&items, &cap, cap, 1));
  bpi_free(ctx, items);
  bp_ctx_free(ctx);
}

/* A bit of everything that allocates; false when anything said that memory ran out. */
static bool a_bit_of_everything(bp_ctx *ctx)
{
  bool ok = true;
  bpi_arena a;
  bpi_arena_init(&a, ctx);
  for (int i = 0; i < 50; i++)
    ok = bpi_arena_alloc(&a, 500, 1) && ok;
  ok = bpi_arena_strdup(&a, "name") && ok;
  bpi_arena_free(&a);
  void *aligned = bpi_alloc_aligned(ctx, 100);
  ok = aligned && ok;
  bpi_free_aligned(ctx, aligned);
  char *copy = bpi_strdup(ctx, "copy");
  ok = copy && ok;
  bpi_free(ctx, copy);
  bpi_text t;
  bpi_text_init(&t, ctx);
  for (int i = 0; i < 100; i++)
    bpi_textf(&t, "line %d ", i);
  bpi_text_double(&t, 0.1);
  char *s = bpi_text_take(&t);
  ok = s && ok;
  bp_free(ctx, s);
  int *items = NULL;
  size_t cap = 0;
  for (size_t n = 0; n < 40; n++) {
    bool grown = bpi_grow(ctx, (void **)&items, &cap, n, sizeof *items);
    ok = grown && ok;
    if (grown)
      items[n] = 1;
  }
  bpi_free(ctx, items);
  return ok;
}

static void every_allocation_may_fail(void **state)
{
  (void)state;
  for (int from_then_on = 0; from_then_on < 2; from_then_on++) {
    bool done = false;
    for (long n = 1; !done; n++) {
      faulty f = {.fail_at = n, .from_then_on = from_then_on};
      bp_ctx *ctx = faulty_ctx(&f);
      if (n == 1)
        assert_null(ctx);
      done = ctx && a_bit_of_everything(ctx);
      assert_int_equal(done, f.calls < n);
      f.fail_at = 0;
      assert_true(!ctx || a_bit_of_everything(ctx)); /* the context still works */
      bp_ctx_free(ctx);
      assert_int_equal(f.live, 0);
      assert_true(n < 1000);
    }
  }
}

/* ---- arenas ---- */

static void arena_pieces_are_aligned_zeroed_and_apart(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bpi_arena a;
  bpi_arena_init(&a, ctx);
  enum { PIECES = 3000 };
  static unsigned char *piece[PIECES];
  for (size_t i = 0; i < PIECES; i++) {
    size_t n = i * 37 % 301;
    piece[i] = bpi_arena_alloc(&a, n, 1);
    assert_non_null(piece[i]);
    assert_int_equal((uintptr_t)piece[i] % 16, 0);
    for (size_t j = 0; j < n; j++)
      assert_int_equal(piece[i][j], 0);
    memset(piece[i], (int)(i % 255) + 1, n);
  }
  for (size_t i = 0; i < PIECES; i++)
    for (size_t j = 0; j < i * 37 % 301; j++)
      assert_int_equal(piece[i][j], i % 255 + 1);
  unsigned char *large = bpi_arena_alloc(&a, 5000000, 1);
  assert_non_null(large);
  large[4999999] = 1;
  assert_non_null(bpi_arena_alloc(&a, 0, 8));
  assert_null(bpi_arena_alloc(&a, SIZE_MAX, 1));
  assert_null(bpi_arena_alloc(&a, PTRDIFF_MAX, 1));
  assert_null(bpi_arena_alloc(&a, SIZE_MAX / 4, 8));
  assert_string_equal(bpi_arena_strdup(&a, "kept"), "kept");
  bpi_arena_free(&a);
  bpi_arena_free(&a);
  bp_ctx_free(ctx);
}

static void an_arena_rolls_back(void **state)
{
  (void)state;
  faulty f = {0};
  bp_ctx *ctx = faulty_ctx(&f);
  bpi_arena a;
  bpi_arena_init(&a, ctx);
  bpi_arena_mark empty = bpi_arena_here(&a);
  char *kept = bpi_arena_strdup(&a, "kept");
  bpi_arena_mark mark = bpi_arena_here(&a);
  long live = f.live;
  char *first = NULL;
  for (int round = 0; round < 3; round++) {
    char *p = bpi_arena_alloc(&a, 100, 1);
    assert_true(!first || p == first); /* the same place again, and zeroed again */
    first = p;
    for (int i = 0; i < 100; i++)
      assert_int_equal(p[i], 0);
    memset(p, 7, 100);
    for (int i = 0; i < 1000; i++)
      assert_non_null(bpi_arena_alloc(&a, 100, 1));
    assert_true(f.live > live);
    bpi_arena_rollback(&a, mark);
    assert_int_equal(f.live, live);
  }
  assert_string_equal(kept, "kept");
  bpi_arena_rollback(&a, empty);
  assert_int_equal(f.live, 1);
  assert_non_null(bpi_arena_alloc(&a, 1, 1));
  bpi_arena_free(&a);
  bp_ctx_free(ctx);
  assert_int_equal(f.live, 0);
}

/* ---- sizes and shapes ---- */

static void arithmetic_is_checked(void **state)
{
  (void)state;
  int64_t x = -1;
  assert_true(bpi_mul(3000000000, 3, &x));
  assert_int_equal(x, 9000000000);
  assert_true(bpi_mul(0, INT64_MAX, &x) && x == 0);
  assert_false(bpi_mul((int64_t)1 << 32, (int64_t)1 << 31, &x));
  assert_false(bpi_mul(-1, 1, &x));
  assert_false(bpi_mul(1, -1, &x));
  assert_false(bpi_mul(-1, -1, &x));
  assert_true(bpi_add(INT64_MAX - 1, 1, &x) && x == INT64_MAX);
  assert_false(bpi_add(INT64_MAX, 1, &x)); /* bad input 5: sums that wrap */
  assert_false(bpi_add(-1, 5, &x));
  assert_false(bpi_add(5, -1, &x));
  size_t n;
  assert_true(bpi_align_up(0, 64, &n) && n == 0);
  assert_true(bpi_align_up(1, 64, &n) && n == 64);
  assert_true(bpi_align_up(64, 64, &n) && n == 64);
  assert_true(bpi_align_up(SIZE_MAX - 63, 64, &n) && n == SIZE_MAX - 63);
  assert_false(bpi_align_up(SIZE_MAX - 62, 64, &n)); /* bad input 4: wraps to 0 */
  assert_false(bpi_align_up(SIZE_MAX, 2, &n));
  assert_false(bpi_align_up(1, 0, &n));
  assert_false(bpi_align_up(1, 48, &n));
}

static void sizes_of_shapes_are_checked(void **state)
{
  (void)state;
  static const int64_t most = (int64_t)1 << 48;
  static const struct {
    int rank;
    int64_t dims[BP_MAX_RANK];
    int64_t size; /* -1: refused */
  } rows[] = {
      {0, {0}, 1},
      {1, {7}, 7},
      {3, {2, 3, 4}, 24},
      {2, {0, 5}, 0}, /* bad input 7 */
      {1, {most}, most},
      {2, {most, 1}, most},
      {8, {64, 64, 64, 64, 64, 64, 64, 64}, most},
      {1, {most + 1}, -1},
      {1, {INT64_MAX}, -1},
      {2, {(int64_t)1 << 32, (int64_t)1 << 32}, -1}, /* bad input 1: wraps to 0 */
      {2, {(int64_t)1 << 30, (int64_t)1 << 31}, -1}, /* bad input 2: fits, but not times 8 */
      {3, {4194305, 4194305, 211106198978564}, -1},  /* bad input 3: wraps to 4 */
      {1, {-1}, -1},                                 /* bad input 6 */
      {2, {-2, -3}, -1},
      {2, {0, -1}, -1},
      {2, {0, INT64_MAX}, -1}, /* empty, but its strides would overflow */
      {3, {(int64_t)1 << 40, 0, (int64_t)1 << 40}, -1},
      {-1, {0}, -1}, /* bad input 8 */
      {9, {1, 1, 1, 1, 1, 1, 1, 1}, -1},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    int64_t size = -5;
    bool ok = bpi_size(rows[i].rank, rows[i].dims, &size);
    assert_int_equal(ok, rows[i].size >= 0);
    assert_int_equal(size, ok ? rows[i].size : -5);
    if (ok) {
      bp_type t = bpi_type(BP_REAL, rows[i].rank, rows[i].dims);
      assert_int_equal(bpi_type_size(&t), size);
    }
  }
}

static void strides_are_row_major(void **state)
{
  (void)state;
  int64_t s[3];
  bpi_strides(3, (int64_t[]){2, 3, 4}, s);
  assert_memory_equal(s, ((int64_t[]){12, 4, 1}), sizeof s);
  bpi_strides(3, (int64_t[]){2, 0, 4}, s);
  assert_memory_equal(s, ((int64_t[]){4, 4, 1}), sizeof s);
  static const struct {
    int rank;
    int64_t dims[3], strides[3];
    bool contiguous;
  } rows[] = {
      {0, {0}, {0}, true},        {2, {3, 4}, {4, 1}, true},  {2, {3, 4}, {1, 3}, false},
      {2, {3, 4}, {0, 1}, false}, {2, {1, 4}, {99, 1}, true}, {2, {4, 1}, {1, 99}, true},
      {2, {4, 1}, {2, 1}, false}, {2, {0, 4}, {7, 7}, true},  {3, {5, 6, 0}, {1, 1, 1}, true},
      {1, {4}, {-1}, false},
  };
  for (size_t i = 0; i < COUNT(rows); i++)
    assert_int_equal(bpi_contiguous(rows[i].rank, rows[i].dims, rows[i].strides), rows[i].contiguous);
}

static void shapes_broadcast_as_numpy_does(void **state)
{
  (void)state;
  static const struct {
    int ra;
    int64_t a[4];
    int rb;
    int64_t b[4];
    int r; /* -1: does not fit */
    int64_t out[4];
  } rows[] = {
      {0, {0}, 0, {0}, 0, {0}},     {2, {3, 4}, 0, {0}, 2, {3, 4}},          {2, {3, 4}, 1, {4}, 2, {3, 4}},
      {1, {3}, 2, {3, 4}, -1, {0}}, {2, {3, 1}, 2, {1, 4}, 2, {3, 4}},       {1, {0}, 1, {1}, 1, {0}},
      {1, {0}, 1, {2}, -1, {0}},    {3, {2, 1, 5}, 2, {7, 1}, 3, {2, 7, 5}}, {1, {2}, 1, {3}, -1, {0}},
  };
  for (size_t i = 0; i < COUNT(rows); i++) {
    bp_type a = bpi_type(BP_REAL, rows[i].ra, rows[i].a), b = bpi_type(BP_INT64, rows[i].rb, rows[i].b);
    bp_type both[2];
    bool ok = bpi_broadcast(&a, &b, &both[0]);
    assert_int_equal(ok, rows[i].r >= 0);
    assert_int_equal(bpi_broadcast(&b, &a, &both[1]), ok);
    for (int j = 0; ok && j < 2; j++) {
      bp_type want = bpi_type(j ? BP_INT64 : BP_REAL, rows[i].r, rows[i].out);
      assert_memory_equal(&both[j], &want, sizeof want);
    }
    bp_type kept = a;
    assert_int_equal(bpi_broadcast(&a, &b, &a), ok); /* in place */
    assert_memory_equal(&a, ok ? &both[0] : &kept, sizeof a);
  }
  bp_type x = bpi_type(BP_REAL, 2, (int64_t[]){3, 4}), y = bpi_type(BP_BOOL, 2, (int64_t[]){3, 4});
  assert_true(bpi_same_shape(&x, &y));
  y.dims[1] = 5;
  assert_false(bpi_same_shape(&x, &y));
  y = bpi_type(BP_REAL, 1, (int64_t[]){3});
  assert_false(bpi_same_shape(&x, &y));
}

static void shapes_print(void **state)
{
  (void)state;
  bp_ctx *ctx = bp_ctx_new(NULL);
  bpi_text t;
  bpi_text_init(&t, ctx);
  bpi_text_shape(&t, 0, NULL);
  bpi_text_shape(&t, 1, (int64_t[]){5});
  bpi_text_shape(&t, 3, (int64_t[]){2, 0, 281474976710656});
  char *s = bpi_text_take(&t);
  assert_string_equal(s, "[][5][2,0,281474976710656]");
  bp_free(ctx, s);
  bp_ctx_free(ctx);
}

int main(void)
{
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(statuses_come_from_one_list),
      cmocka_unit_test(a_message_belongs_to_its_thread),
      cmocka_unit_test(messages_are_cut_and_cleaned),
      cmocka_unit_test(the_log_honours_its_level),
      cmocka_unit_test(context_options),
      cmocka_unit_test(the_instruction_set_is_one_that_runs_here),
      cmocka_unit_test(element_types),
      cmocka_unit_test(sizes_of_memory_are_checked),
      cmocka_unit_test(arrays_grow),
      cmocka_unit_test(every_allocation_may_fail),
      cmocka_unit_test(arena_pieces_are_aligned_zeroed_and_apart),
      cmocka_unit_test(an_arena_rolls_back),
      cmocka_unit_test(arithmetic_is_checked),
      cmocka_unit_test(sizes_of_shapes_are_checked),
      cmocka_unit_test(strides_are_row_major),
      cmocka_unit_test(shapes_broadcast_as_numpy_does),
      cmocka_unit_test(shapes_print),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
