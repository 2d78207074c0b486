/* Lists of columns. */
#include "train/fields.h"
#include "base/text.h"

#include <string.h>

enum { MOST_GUESSES = 10000 };

bpi_field *bpi_fields_new(bp_ctx *ctx, int64_t n)
{
  bpi_field *fields = bpi_zalloc(ctx, (size_t)n, sizeof *fields);
  if (!fields)
    bpi_nomem();
  return fields;
}

void bpi_fields_free(bp_ctx *ctx, bpi_field *fields, int64_t n)
{
  for (int64_t i = 0; fields && i < n; i++) {
    for (int64_t k = 0; fields[i].texts && k < fields[i].n; k++)
      bpi_free(ctx, fields[i].texts[k]);
    bpi_free(ctx, fields[i].texts);
    bpi_free(ctx, fields[i].name);
  }
  bpi_free(ctx, fields);
}

static bool copy_field(bp_ctx *ctx, const bpi_field *from, bpi_field *to)
{
  if (from->name && !(to->name = bpi_strdup(ctx, from->name)))
    return false;
  to->loose = from->loose;
  if (!from->texts)
    return true;
  to->n = from->n;
  to->texts = bpi_zalloc(ctx, (size_t)from->n, sizeof *to->texts);
  for (int64_t k = 0; to->texts && k < from->n; k++)
    if (!(to->texts[k] = bpi_strdup(ctx, from->texts[k])))
      return false;
  return to->texts != NULL;
}

bp_status bpi_fields_copy(bp_ctx *ctx, const bpi_field *from, int64_t n, bpi_field **to)
{
  *to = NULL;
  if (!from)
    return BP_OK;
  bpi_field *fields = bpi_fields_new(ctx, n);
  for (int64_t i = 0; fields && i < n; i++)
    if (!copy_field(ctx, &from[i], &fields[i])) {
      bpi_fields_free(ctx, fields, n);
      return bpi_nomem();
    }
  *to = fields;
  return fields ? BP_OK : BP_E_NOMEM;
}

static bp_status add_text(bpi_categories *index, const char *text)
{
  size_t before = index->n;
  if (bpi_categories_add(index, text, strlen(text)) < 0)
    return bpi_nomem();
  return index->n > before ? BP_OK : bpi_fail(BP_E_FORMAT, "two are called '%s'", text);
}

bp_status bpi_index_names(bp_ctx *ctx, const bpi_field *fields, int64_t n, bpi_categories *index)
{
  bp_status s = BP_OK;
  bpi_categories_init(index, ctx);
  for (int64_t i = 0; s == BP_OK && i < n; i++)
    s = add_text(index, fields[i].name);
  return s;
}

bp_status bpi_index_texts(bp_ctx *ctx, const bpi_field *f, bpi_categories *index)
{
  bp_status s = BP_OK;
  bpi_categories_init(index, ctx);
  for (int64_t k = 0; s == BP_OK && k < f->n; k++)
    s = add_text(index, f->texts[k]);
  return s;
}

bp_status bpi_fields_check(bp_ctx *ctx, const bpi_field *fields, int64_t n)
{
  bpi_categories index;
  bp_status s = bpi_index_names(ctx, fields, fields ? n : 0, &index);
  bpi_categories_free(&index);
  for (int64_t i = 0; s == BP_OK && fields && i < n; i++) {
    s = bpi_index_texts(ctx, &fields[i], &index);
    bpi_categories_free(&index);
  }
  return s;
}

const char *bpi_fields_nearest(const bpi_field *fields, int64_t n, const char *name)
{
  const char *best = NULL;
  int least = 3;
  for (int64_t i = 0; i < n && i < MOST_GUESSES; i++) {
    int d = bpi_edit_distance(name, fields[i].name, least);
    if (d < least && (size_t)d < strlen(name)) {
      least = d;
      best = fields[i].name;
    }
  }
  return best;
}
