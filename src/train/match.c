/* Matching: where the columns and classes of a network are in data that were read without it. */
#include "train/net.h"
#include "train/spool.h"

#include <math.h>
#include <string.h>

void bpi_match_clear(bpi_match *m)
{
  if (!m->ctx)
    return;
  for (int64_t c = 0; m->codes && c < m->cols; c++)
    bpi_free(m->ctx, m->codes[c]);
  void *own[] = {m->codes, m->column, m->classes};
  for (size_t i = 0; i < sizeof own / sizeof *own; i++)
    bpi_free(m->ctx, own[i]);
  *m = (bpi_match){0};
}

/* ---- columns ---- */

static bp_status no_column(const bpi_examples *all, const char *name)
{
  const char *near = bpi_fields_nearest(all->fields, all->cols, name);
  return bpi_fail(BP_E_MISMATCH, "the data have no column '%s', which the network was trained on%s%s%s", name,
                  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* Columns that stand where they stood in the training data are found there; the others by name. */
static bp_status find_columns(const bpi_encoding *e, const bpi_examples *all, bpi_match *m)
{
  bool same = e->cols == all->cols;
  if (!e->fields || !all->fields)
    return same ? BP_OK
                : bpi_fail(BP_E_MISMATCH, "the data have %lld columns, the network takes %lld",
                           (long long)all->cols, (long long)e->cols);
  for (int64_t c = 0; same && c < e->cols; c++)
    same = strcmp(e->fields[c].name, all->fields[c].name) == 0;
  if (same)
    return BP_OK;
  m->column = bpi_alloc(m->ctx, (size_t)e->cols, sizeof *m->column);
  bpi_categories index;
  bp_status s = bpi_index_names(m->ctx, all->fields, all->cols, &index);
  if (s == BP_OK && !m->column)
    s = bpi_nomem();
  for (int64_t c = 0; s == BP_OK && c < e->cols; c++) {
    const char *name = e->fields[c].name;
    m->column[c] = bpi_categories_find(&index, name, strlen(name));
    if (m->column[c] < 0)
      s = no_column(all, name);
  }
  bpi_categories_free(&index);
  return s;
}

static int64_t column_of(const bpi_match *m, int64_t c)
{
  return m->column ? m->column[c] : c;
}

/* ---- categories ---- */

static bool same_texts(const bpi_field *a, const bpi_field *b)
{
  for (int64_t k = 0; k < a->n && k < b->n; k++)
    if (strcmp(a->texts[k], b->texts[k]) != 0)
      return false;
  return a->n == b->n;
}

static bp_status wrong_kind(const bpi_field *want)
{
  return bpi_fail(BP_E_MISMATCH, "column '%s' holds %s, and the network was trained on %s there", want->name,
                  want->texts ? "numbers" : "text", want->texts ? "text" : "numbers");
}

static bp_status unknown_in_block(const bpi_encoding *e, const bp_data *d, int64_t c, bpi_match *m)
{
  int64_t from = column_of(m, c);
  for (int64_t i = 0; i < d->n; i++) {
    float code = bpi_raw_value(d->all, bpi_data_at(d, i), from);
    if (isnan(code) || m->codes[c][(int64_t)code] >= 0)
      continue;
    m->missing = true;
    if (!e->unknown_missing)
      return bpi_fail(BP_E_MISMATCH,
                      "row %lld, column '%s': '%s' is a category that the training data did not have",
                      bpi_row_number(d, i), e->fields[c].name, d->all->fields[from].texts[(int64_t)code]);
  }
  return BP_OK;
}

/* Unknown categories matter in rows of d that have them. Where they are missing values, rows in a file need not be gone through. */
static bp_status check_unknown(const bpi_encoding *e, const bp_data *d, int64_t c, bpi_match *m)
{
  m->missing = m->missing || d->part || d->all->spool;
  if (m->missing && (d->part || e->unknown_missing))
    return BP_OK;
  const bp_data *block;
  bpi_blocks blocks;
  bpi_blocks_begin(&blocks, d);
  bp_status s = bpi_blocks_next(&blocks, &block);
  while (s == BP_OK && block) {
    s = unknown_in_block(e, block, c, m);
    if (s == BP_OK)
      s = bpi_blocks_next(&blocks, &block);
  }
  bpi_blocks_end(&blocks);
  return s;
}

/* By text of `got`, its number among those of `want`, or -1. Freed with bpi_free. */
static bp_status number_texts(bp_ctx *ctx, const bpi_field *got, const bpi_field *want, int32_t **to)
{
  bpi_categories index;
  bp_status s = bpi_index_texts(ctx, want, &index);
  *to = bpi_alloc(ctx, (size_t)got->n, sizeof **to);
  if (s == BP_OK && !*to)
    s = bpi_nomem();
  for (int64_t k = 0; s == BP_OK && k < got->n; k++)
    (*to)[k] = bpi_categories_find(&index, got->texts[k], strlen(got->texts[k]));
  bpi_categories_free(&index);
  return s;
}

static bp_status match_texts(const bpi_encoding *e, const bp_data *d, int64_t c, bpi_match *m)
{
  static const bpi_field numbers = {0};
  const bpi_field *want = &e->fields[c], *got = d->all->fields ? &d->all->fields[column_of(m, c)] : &numbers;
  if (!want->texts != !got->texts)
    return wrong_kind(want);
  if (!want->texts || same_texts(want, got))
    return BP_OK;
  if (!m->codes && !(m->codes = bpi_zalloc(m->ctx, (size_t)e->cols, sizeof *m->codes)))
    return bpi_nomem();
  bp_status s = number_texts(m->ctx, got, want, &m->codes[c]);
  for (int64_t k = 0; s == BP_OK && k < got->n; k++)
    if (m->codes[c][k] < 0)
      return check_unknown(e, d, c, m);
  return s;
}

bp_status bpi_encoding_match(const bpi_encoding *e, const bp_data *d, bpi_match *m)
{
  *m = (bpi_match){.ctx = e->ctx, .cols = e->cols, .missing = d->all->missing};
  bp_status s = find_columns(e, d->all, m);
  for (int64_t c = 0; s == BP_OK && e->fields && c < e->cols; c++)
    s = match_texts(e, d, c, m);
  if (s == BP_OK && e->refuse)
    s = bpi_encoding_refuse(e, d, m->column);
  if (s != BP_OK)
    bpi_match_clear(m);
  return s;
}

/* ---- targets ---- */

static const char *kind_of_target(bool labels, bool y)
{
  return labels ? "classes" : y ? "a numeric target" : "no target";
}

static bp_status match_named(bp_ctx *ctx, const bpi_field *got, const bpi_field *want, int32_t **classes)
{
  bp_status s = same_texts(got, want) ? BP_OK : number_texts(ctx, got, want, classes);
  for (int64_t k = 0; s == BP_OK && *classes && k < got->n; k++)
    if ((*classes)[k] < 0)
      s = bpi_fail(BP_E_MISMATCH, "the data have a class '%s' that the network was not trained on",
                   got->texts[k]);
  return s;
}

static bp_status match_classes(const bp_net *net, const bpi_examples *all, bpi_match *m)
{
  const bpi_field *want = net->targets, *got = all->targets;
  bool named = want && want->texts && got && got->texts;
  if (named)
    return match_named(net->ctx, got, want, &m->classes);
  if (all->classes > net->classes)
    return bpi_fail(BP_E_MISMATCH, "the data have %lld classes, the network %lld", (long long)all->classes,
                    (long long)net->classes);
  return BP_OK;
}

static bp_status match_target(const bp_net *net, const bpi_examples *all, bpi_match *m)
{
  if (net->classes ? !all->classes : !all->n_y)
    return bpi_fail(BP_E_MISMATCH, "the network has %s, the data have %s",
                    kind_of_target(net->classes > 0, true), kind_of_target(all->classes > 0, all->n_y > 0));
  if (!net->classes && all->n_y != net->outputs)
    return bpi_fail(BP_E_MISMATCH, "the data have %lld targets, the network %lld", (long long)all->n_y,
                    (long long)net->outputs);
  return net->classes ? match_classes(net, all, m) : BP_OK;
}

bp_status bpi_net_match(const bp_net *net, const bp_data *d, bool need_target, bpi_match *m)
{
  bp_status s = bpi_encoding_match(&net->encoding, d, m);
  if (s == BP_OK && need_target)
    s = match_target(net, d->all, m);
  if (s != BP_OK)
    bpi_match_clear(m);
  return s;
}

/* ---- values that training did not see ---- */

static void look_for_unseen(const bpi_encoding *e, const bp_data *d, const bpi_match *m, bp_unseen *u)
{
  for (int64_t i = 0; i < d->n; i++)
    for (int64_t c = 0; c < e->cols; c++) {
      float x = bpi_raw_value(d->all, bpi_data_at(d, i), column_of(m, c));
      bool unknown = !isnan(x) && m->codes && m->codes[c] && m->codes[c][(int64_t)x] < 0;
      if (unknown || isnan(x))
        bpi_unseen_add(e, u, unknown, bpi_row_number(d, i), c);
    }
}

void bpi_unseen_add(const bpi_encoding *e, bp_unseen *u, bool unknown, int64_t row, int64_t column)
{
  if (!unknown && e->codings && e->codings[column].missing >= 0)
    return;
  bool first = !u->row || row < u->row;
  u->unknown += unknown;
  u->missing += !unknown;
  u->row = first ? row : u->row;
  u->column = first ? column : u->column;
}

void bpi_unseen_join(bp_unseen *u, const bp_unseen *more)
{
  u->column = u->row ? u->column : more->column;
  u->row = u->row ? u->row : more->row;
  u->unknown += more->unknown;
  u->missing += more->missing;
}

bp_status bp_net_unseen(const bp_net *net, const bp_data *d, bp_unseen *out)
{
  if (!net || !d || !out)
    return bpi_bad_arg("bp_net_unseen", "net, data or out is NULL");
  *out = d->all->unseen;
  if (d->all->fitted)
    return BP_OK;
  bpi_match m;
  bp_status s = bpi_encoding_match(&net->encoding, d, &m);
  if (s == BP_OK && (m.codes || d->all->missing)) {
    const bp_data *block;
    bpi_blocks blocks;
    bpi_blocks_begin(&blocks, d);
    s = bpi_blocks_next(&blocks, &block);
    while (s == BP_OK && block) {
      look_for_unseen(&net->encoding, block, &m, out);
      s = bpi_blocks_next(&blocks, &block);
    }
    bpi_blocks_end(&blocks);
  }
  bpi_match_clear(&m);
  return s;
}
