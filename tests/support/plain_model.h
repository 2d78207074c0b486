/* Model files taken apart and put together again, with whatever changed on the way, with or without a checksum. */
#ifndef TEST_PLAIN_MODEL_H
#define TEST_PLAIN_MODEL_H

#include "bprop.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A growing text. */
typedef struct plain_text {
  char *s;
  size_t n;
} plain_text;

static inline void plain_add(plain_text *t, const char *s, size_t n)
{
  t->s = realloc(t->s, t->n + n + 1);
  memcpy(t->s + t->n, s, n);
  t->n += n;
  t->s[t->n] = 0;
}

static inline void plain_string(plain_text *t, const char *s)
{
  plain_add(t, "\"", 1);
  for (; *s; s++) {
    if (*s == '"' || *s == '\\')
      plain_add(t, "\\", 1);
    plain_add(t, s, 1);
  }
  plain_add(t, "\"", 1);
}

static inline const char *plain_store(bp_store s)
{
  return s == BP_STORE_FLOAT64 ? "F64" : "F32";
}

/* The bytes of a safetensors file that carries no checksum: only float32 and float64. Freed by the caller. */
static inline char *plain_file(const bp_tensors *t, size_t *size)
{
  plain_text h = {0};
  plain_add(&h, "{\"__metadata__\":{", 17);
  bool first = true;
  for (size_t i = 0; i < bp_tensors_meta_count(t); i++) {
    const bp_meta *m = bp_tensors_meta_at(t, i);
    if (strncmp(m->key, "bprop.c", 7) == 0) /* check and crc32c */
      continue;
    plain_add(&h, ",", first ? 0 : 1);
    plain_string(&h, m->key);
    plain_add(&h, ":", 1);
    plain_string(&h, m->value);
    first = false;
  }
  plain_add(&h, "}", 1);
  size_t at = 0;
  for (size_t i = 0; i < bp_tensors_count(t); i++) {
    const bp_tensor *x = bp_tensors_at(t, i);
    char text[256];
    plain_add(&h, ",", 1);
    plain_string(&h, x->name);
    plain_add(&h, text,
              (size_t)snprintf(text, sizeof text, ":{\"dtype\":\"%s\",\"shape\":[", plain_store(x->store)));
    for (int d = 0; d < x->rank; d++)
      plain_add(&h, text, (size_t)snprintf(text, sizeof text, "%s%lld", d ? "," : "", (long long)x->dims[d]));
    plain_add(&h, text,
              (size_t)snprintf(text, sizeof text, "],\"data_offsets\":[%zu,%zu]}", at, at + x->bytes));
    at += x->bytes;
  }
  plain_add(&h, "}", 1);
  while (h.n % 8)
    plain_add(&h, " ", 1);
  char *out = malloc(8 + h.n + at);
  for (int i = 0; i < 8; i++)
    out[i] = (char)(h.n >> 8 * i);
  memcpy(out + 8, h.s, h.n);
  *size = 8 + h.n;
  for (size_t i = 0; i < bp_tensors_count(t); i++) {
    const bp_tensor *x = bp_tensors_at(t, i);
    memcpy(out + *size, x->data, x->bytes);
    *size += x->bytes;
  }
  free(h.s);
  return out;
}

#endif
