#include "train/columns_json.h"

#include <string.h>

enum { MOST_NAMES = 1000000 };

/* ---- writing ---- */

void bpi_json_text(bpi_text *t, const char *s)
{
  bpi_textf(t, "\"");
  for (; *s; s++) {
    unsigned char c = (unsigned char)*s;
    if (c == '"' || c == '\\')
      bpi_textf(t, "\\%c", c);
    else if (c < 0x20)
      bpi_textf(t, "\\u%04x", c);
    else
      bpi_text_add(t, s, 1);
  }
  bpi_textf(t, "\"");
}

static void write_field(bpi_text *t, const bpi_field *f, const bpi_coding *k)
{
  bool missing = k && k->missing >= 0, embedded = k && k->embedded;
  if (!f->texts && !missing && !f->loose) {
    bpi_json_text(t, f->name);
    return;
  }
  bpi_textf(t, "{\"name\":");
  bpi_json_text(t, f->name);
  for (int64_t i = 0; f->texts && i < f->n; i++) {
    bpi_textf(t, i ? "," : ",\"categories\":[");
    bpi_json_text(t, f->texts[i]);
  }
  if (f->texts)
    bpi_textf(t, f->n ? "]" : ",\"categories\":[]");
  bpi_textf(t, "%s%s%s}", f->loose ? ",\"loose\":1" : "", missing ? ",\"missing\":1" : "",
            embedded ? ",\"embedded\":1" : "");
}

void bpi_json_fields(bpi_text *t, const char *key, const bpi_field *fields, const bpi_coding *codings,
                     int64_t n)
{
  if (!fields)
    return;
  bpi_textf(t, ",\"%s\":[", key);
  for (int64_t i = 0; i < n; i++) {
    bpi_textf(t, "%s", i ? "," : "");
    write_field(t, &fields[i], codings ? &codings[i] : NULL);
  }
  bpi_textf(t, "]");
}

/* ---- reading ---- */

static bool no_memory(bpi_field_list *list)
{
  list->memory = true;
  return false;
}

bpi_field *bpi_field_list_add(bpi_field_list *list)
{
  size_t n = (size_t)list->n;
  if (!bpi_grow(list->ctx, (void **)&list->fields, &list->fields_cap, n, sizeof *list->fields) ||
      !bpi_grow(list->ctx, (void **)&list->codings, &list->codings_cap, n, sizeof *list->codings)) {
    no_memory(list);
    return NULL;
  }
  list->fields[n] = (bpi_field){0};
  list->codings[n] = (bpi_coding){.missing = -1};
  list->n++;
  return &list->fields[n];
}

void bpi_field_list_clear(bpi_field_list *list)
{
  bpi_fields_free(list->ctx, list->fields, list->n);
  bpi_free(list->ctx, list->codings);
  *list = (bpi_field_list){.ctx = list->ctx};
}

bool bpi_json_copy(bpi_json *j, bpi_field_list *list, char **to)
{
  char *s;
  if (*to)
    return bpi_json_fail(j, "a key stands twice");
  if (!bpi_json_string(j, &s))
    return false;
  *to = bpi_strdup(list->ctx, s);
  return *to || no_memory(list);
}

bool bpi_json_read_texts(bpi_json *j, bpi_field_list *list, bpi_field *f)
{
  size_t cap = 0;
  if (f->texts)
    return bpi_json_fail(j, "a key stands twice");
  if (!bpi_json_expect(j, '[') || !bpi_grow(list->ctx, (void **)&f->texts, &cap, 0, sizeof *f->texts))
    return j->bad ? false : no_memory(list);
  if (bpi_json_accept(j, ']'))
    return true;
  do {
    if (f->n >= MOST_NAMES)
      return bpi_json_fail(j, "a list is too long");
    if (!bpi_grow(list->ctx, (void **)&f->texts, &cap, (size_t)f->n, sizeof *f->texts))
      return no_memory(list);
    f->texts[f->n] = NULL;
    if (!bpi_json_copy(j, list, &f->texts[f->n++]))
      return false;
  } while (bpi_json_accept(j, ','));
  return bpi_json_expect(j, ']');
}

/* 1: what is not so is left out. */
static bool read_one(bpi_json *j)
{
  int64_t value;
  return bpi_json_count(j, &value) && (value == 1 || bpi_json_fail(j, "a switch of a column is not 1"));
}

static bool read_key(bpi_json *j, bpi_field_list *list, bpi_field *f, bpi_coding *k, const char *key)
{
  if (strcmp(key, "name") == 0)
    return bpi_json_copy(j, list, &f->name);
  if (strcmp(key, "categories") == 0)
    return bpi_json_read_texts(j, list, f);
  if (strcmp(key, "missing") == 0) {
    k->missing = 0;
    return read_one(j);
  }
  if (strcmp(key, "loose") == 0) {
    f->loose = true;
    return read_one(j);
  }
  if (strcmp(key, "embedded") == 0) {
    k->embedded = true;
    return read_one(j);
  }
  return bpi_json_fail(j, "a key of a column is unknown to this version");
}

static bool read_field(bpi_json *j, bpi_field_list *list)
{
  bpi_field *f = bpi_field_list_add(list);
  if (!f)
    return false;
  bpi_coding *k = &list->codings[list->n - 1];
  if (!bpi_json_accept(j, '{'))
    return bpi_json_copy(j, list, &f->name);
  do {
    char *key;
    if (!bpi_json_string(j, &key) || !bpi_json_expect(j, ':') || !read_key(j, list, f, k, key))
      return false;
  } while (bpi_json_accept(j, ','));
  if (!f->name || (k->embedded && (!f->texts || f->n < 1)))
    return bpi_json_fail(j, f->name ? "a column is embedded and has no categories" : "a column has no name");
  list->coded = list->coded || f->texts || k->missing >= 0;
  return bpi_json_expect(j, '}');
}

bool bpi_json_read_fields(bpi_json *j, bpi_field_list *list)
{
  if (!bpi_json_expect(j, '['))
    return false;
  do {
    if (list->n >= MOST_NAMES)
      return bpi_json_fail(j, "a list is too long");
    if (!read_field(j, list))
      return false;
  } while (bpi_json_accept(j, ','));
  return bpi_json_expect(j, ']');
}
