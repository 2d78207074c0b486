/* The text of bodies, of what they call, and of numbers. */
#include "base/pairs.h"
#include "codegen/emit.h"
#include "ops/family.h"

#include <string.h>

/* ---- the bodies ---- */

typedef struct body_text {
  const char *text;
  char kind; /* R N T B P: as the macros of family.h are called */
  uint8_t n_in;
} body_text;

#include "kernels/simd/bodies_none.h"
#define ROW(name, kind, n, ...) [BPI_BODY_##name] = {#__VA_ARGS__, kind, n},
#define REAL_BODY1(name, ...)   ROW(name, 'R', 1, __VA_ARGS__)
#define REAL_BODY2(name, ...)   ROW(name, 'R', 2, __VA_ARGS__)
#define REAL_BODY3(name, ...)   ROW(name, 'R', 3, __VA_ARGS__)
#define NUM_BODY1(name, ...)    ROW(name, 'N', 1, __VA_ARGS__)
#define NUM_BODY2(name, ...)    ROW(name, 'N', 2, __VA_ARGS__)
#define TEST_BODY1(name, ...)   ROW(name, 'T', 1, __VA_ARGS__)
#define TEST_BODY2(name, ...)   ROW(name, 'T', 2, __VA_ARGS__)
#define BOOL_BODY1(name, ...)   ROW(name, 'B', 1, __VA_ARGS__)
#define BOOL_BODY2(name, ...)   ROW(name, 'B', 2, __VA_ARGS__)
#define PICK_BODY3(name, ...)   ROW(name, 'P', 3, __VA_ARGS__)
static const body_text texts[BPI_BODY_COUNT] = {
#include "bodies.inc"
};

static const char *const type_name[4] = {"float", "double", "int64_t", "uint8_t"};
static const char *const suffix[4] = {"f32", "f64", "i64", "b8"};

int bpi_code_body_type(const bp_plan *p, const bp_op *op, bpi_loop loop)
{
  if (!op || !loop || !op->body || op->body->id <= 0 || op->body->id >= BPI_BODY_COUNT)
    return -1;
  const bpi_body_loops *l = &p->kernels->body[op->body->id];
  const bpi_loop by_type[4] = {l->f32, l->f64, l->i64, l->b8};
  for (int k = 0; k < 4; k++)
    if (by_type[k] == loop)
      return k;
  return -1;
}

bool bpi_code_body_far(int id)
{
  const char *s = texts[id].text;
  return strstr(s, "m_sin(") || strstr(s, "m_cos(") || strstr(s, "m_tan(");
}

static int n_params(int id)
{
  const char *s = texts[id].text;
  return strstr(s, "p2") ? 3 : strstr(s, "p1") ? 2 : strstr(s, "p0") ? 1 : 0;
}

double bpi_code_body_weight(int id)
{
  double weight = 1;
  for (const char *s = texts[id].text; (s = strstr(s, "m_")) != NULL; s += 2)
    weight += 20;
  return weight;
}

const char *bpi_code_type(int dtype)
{
  static const char *const names[BP_DTYPE_COUNT] = {
      [BP_INT64] = "i64", [BP_BOOL] = "b8", [BP_FLOAT32] = "f32", [BP_FLOAT64] = "f64"};
  return names[dtype];
}

/* Whether a body is called instead of put in place. */
static bool is_called(const bpi_emit *e, int id)
{
  return e->calls && bpi_code_body_weight(id) > 1;
}

void bpi_code_call(bpi_emit *e, bpi_text *t, int id, int type)
{
  const bool called = is_called(e, id);
  e->bodies[id] |= (uint8_t)((called ? 17u : 1u) << type);
  bpi_textf(t, called ? "c%d_%s(" : "f%d_%s(", id, suffix[type]);
}

/* Parameters are brought to the element's type as the kernels do it. */
void bpi_code_call_end(const bpi_emit *e, bpi_text *t, int id, int type, const double *params)
{
  for (int k = 0; k < n_params(id); k++) {
    bpi_textf(t, ", (%s)", type_name[type]);
    bpi_code_number(t, BP_FLOAT64, &params[k]);
  }
  bpi_textf(t, bpi_code_body_far(id) && !is_called(e, id) ? ", &far, careful)" : ")");
}

static void write_arguments(bpi_text *t, int id, int type, bool types)
{
  static const char *const names[2][3] = {{"a", "b", "c"}, {"x", "", ""}};
  const body_text *b = &texts[id];
  for (int k = 0; k < b->n_in && k < 3; k++) {
    const char *own = type_name[b->kind == 'P' && k == 0 ? 3 : type];
    bpi_textf(t, "%s%s %s", k ? ", " : "", types ? own : "", names[b->n_in == 1][k]);
  }
  for (int k = 0; k < n_params(id); k++)
    bpi_textf(t, ", %s p%d", types ? type_name[type] : "", k);
}

static void write_body(bpi_text *t, int id, int type)
{
  const body_text *b = &texts[id];
  bpi_textf(t, "BPV_FN %s f%d_%s(", type_name[b->kind == 'T' ? 3 : type], id, suffix[type]);
  write_arguments(t, id, type, true);
  bpi_textf(t, "%s)\n{\nreturn %s;\n}\n", bpi_code_body_far(id) ? ", int *far, const int careful" : "",
            b->text);
}

static void write_called_body(bpi_text *t, int id, int type)
{
  bpi_textf(t, "static __attribute__((noinline)) %s c%d_%s(", type_name[texts[id].kind == 'T' ? 3 : type], id,
            suffix[type]);
  write_arguments(t, id, type, true);
  bpi_textf(t, ")\n{\nint far = 0;\n(void)far;\nreturn f%d_%s(", id, suffix[type]);
  write_arguments(t, id, type, false);
  bpi_textf(t, "%s);\n}\n", bpi_code_body_far(id) ? ", &far, 1" : "");
}

/* ---- what stands first ---- */

/* No header of the system is read: it may not be there, and reading takes longer than all the rest. */
static const char first[] =
    "typedef __INT32_TYPE__ int32_t;\ntypedef __UINT32_TYPE__ uint32_t;\ntypedef __INT64_TYPE__ int64_t;\n"
    "typedef __UINT64_TYPE__ uint64_t;\ntypedef __UINT8_TYPE__ uint8_t;\n"
    "#define memcpy __builtin_memcpy\n#define NAN __builtin_nanf(\"\")\n#define INFINITY __builtin_inff()\n"
    "double sin(double), cos(double), tan(double), sinh(double), cosh(double), asin(double), acos(double);\n"
    "double atan(double), atan2(double, double), pow(double, double), exp(double), log(double);\n";

#include "body_source.inc"

static void add_mathematics(bpi_text *t)
{
  char part[mathematics_LONGEST];
  for (const unsigned char *s = mathematics_packed; *s; s++)
    bpi_text_add(t, part, (size_t)(bpi_unpack(mathematics_pairs, *s, part) - part));
}

static const char after[] =
    "typedef float f32 __attribute__((may_alias));\ntypedef double f64 __attribute__((may_alias));\n"
    "typedef int64_t i64 __attribute__((may_alias));\ntypedef uint8_t b8 __attribute__((may_alias));\n"
    "#if defined(__clang__)\n#define APART _Pragma(\"clang loop vectorize(assume_safety)\")\n"
    "#else\n#define APART _Pragma(\"GCC ivdep\")\n#endif\n"
    /* Small arrays are made in parts and read as a whole: a wide load waits until several narrower stores are done. */
    "#if defined(__AVX512F__) && !defined(__clang__)\n"
    "#define SCOPE __attribute__((noinline, target(\"prefer-vector-width=256\")))\n"
    "#else\n#define SCOPE __attribute__((noinline))\n#endif\n"
    /* Bytes of a strip: eight vectors. */
    "#if defined(__AVX512F__)\n#define STRIP 512\n#elif defined(__AVX__)\n#define STRIP 256\n#else\n#define "
    "STRIP 128\n#endif\n"
    "#define F32(u) bpv_from_bits_f32(u)\n#define F64(u) bpv_from_bits_f64(u)\n"
    "#define EXPORT __attribute__((visibility(\"default\")))\n"
    "#if defined(__x86_64__)\n#define STREAMED __asm__ volatile(\"sfence\" ::: \"memory\")\n"
    "#if defined(__AVX512F__)\n#define WIDE 64\n#define STORE \"vmovntdq %1, %0\"\n"
    "#elif defined(__AVX__)\n#define WIDE 32\n#define STORE \"vmovntdq %1, %0\"\n"
    "#else\n#define WIDE 16\n#define STORE \"movntdq %1, %0\"\n#endif\n"
    "typedef int64_t vec __attribute__((vector_size(WIDE), may_alias));\n"
    "BPV_FN void stream(void *to, const void *from, uint64_t n)\n{\nuint64_t i = 0;\n"
    "if ((uint64_t)to % WIDE == 0)\nfor (; i + WIDE <= n; i += WIDE) {\nvec v;\n"
    "memcpy(&v, (const char *)from + i, WIDE);\n"
    "__asm__ volatile(STORE : \"=m\"(*(vec *)((char *)to + i)) : \"v\"(v));\n}\n"
    "memcpy((char *)to + i, (const char *)from + i, n - i);\n}\n"
    "#else\n#define STREAMED (void)0\n#define stream memcpy\n#endif\n"
    "typedef struct env {\nchar *block;\nconst char *constants;\nchar *const *state;\n"
    "const char *const *inputs;\n} env;\n";

void bpi_code_prelude(const bpi_emit *e, bpi_text *t)
{
  bpi_text_add(t, first, sizeof first - 1);
  add_mathematics(t);
  bpi_text_add(t, after, sizeof after - 1);
  for (int type = 0; type < 4; type++) {
    bpi_textf(t, "#define T %s\n#define S %s\n", type_name[type], suffix[type]);
    for (int id = 1; id < BPI_BODY_COUNT; id++)
      if (e->bodies[id] & (1u << type)) {
        write_body(t, id, type);
        if (e->bodies[id] & (16u << type))
          write_called_body(t, id, type);
      }
    bpi_textf(t, "#undef T\n#undef S\n");
  }
}

/* ---- numbers ---- */

void bpi_code_number(bpi_text *t, int dtype, const void *data)
{
  uint64_t wide;
  uint32_t narrow;
  switch (dtype) {
  case BP_FLOAT32:
    memcpy(&narrow, data, sizeof narrow);
    bpi_textf(t, "F32(0x%08" PRIx32 "u)", narrow);
    break;
  case BP_FLOAT64:
    memcpy(&wide, data, sizeof wide);
    bpi_textf(t, "F64(0x%016" PRIx64 "u)", wide);
    break;
  case BP_INT64:
    memcpy(&wide, data, sizeof wide);
    bpi_textf(t, "(int64_t)0x%016" PRIx64 "u", wide);
    break;
  default:
    bpi_textf(t, "%u", *(const uint8_t *)data);
  }
}
