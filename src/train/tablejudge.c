#include "train/tablejudge.h"
#include "data/csv_field.h"

#include <math.h>
#include <string.h>

enum { FEW_TEXTS = 10, FEW_CLASSES = 10, ROWS_OF_CLASS = 5, MOST_LISTED = 8, SHOWN = 40 };

bool bpi_texts_scatter(int64_t texts, int64_t filled)
{
  return texts > FEW_TEXTS && 2 * texts > filled;
}

bool bpi_counts_classes(const double *keys, int64_t n, int64_t rows)
{
  if (n > BPI_MOST_NUMBER_CLASSES || (n > FEW_CLASSES && rows < ROWS_OF_CLASS * n))
    return false;
  for (int64_t k = 0; k < n; k++)
    if (keys[k] < 0 || keys[k] > 1e9 || keys[k] != floor(keys[k]))
      return false;
  return n > 0;
}

bool bpi_two_valued(int64_t texts, const double *keys, int64_t n_keys)
{
  return texts ? texts == 2 : n_keys == 2 && keys[0] == 0 && keys[1] == 1;
}

/* ---- what texts look like ---- */

static bool in(char c, const char *set)
{
  return c && strchr(set, c);
}

static bool is_a_digit(char c)
{
  return c >= '0' && c <= '9';
}

/* Digits with two signs between them: 2024-01-31, 31/1/24 10:00. */
static bool looks_like_a_date(const char *s)
{
  int digits = 0, signs = 0;
  for (; *s; s++) {
    bool sign = in(*s, "-/.:");
    if (!sign && !is_a_digit(*s) && !in(*s, " TZ+"))
      return false;
    digits += is_a_digit(*s);
    signs += sign;
  }
  return digits >= 4 && signs >= 2;
}

/* 1,234 and 7,5 and $5.00 and 12 % and 1 000: numbers for people. */
static bool looks_like_a_number(const char *s)
{
  static const char *const money[] = {"$", "\u20ac", "\u00a3", "\u00a5"};
  int digits = 0, points = 0;
  s += in(*s, "+-");
  for (size_t i = 0; i < sizeof money / sizeof *money; i++)
    s += strncmp(s, money[i], strlen(money[i])) == 0 ? strlen(money[i]) : 0;
  for (; is_a_digit(*s) || in(*s, ",. '"); s++) {
    digits += is_a_digit(*s);
    points += *s == '.';
  }
  for (size_t i = 0; i < sizeof money / sizeof *money; i++)
    s += strncmp(s, money[i], strlen(money[i])) == 0 ? strlen(money[i]) : 0;
  s += *s == '%';
  return !*s && digits && points < 2;
}

/* Of the different texts of a column. */
typedef struct looks {
  int64_t numbers, written;  /* numbers; and what would be one, written in another way */
  const char *odd, *example; /* the first that is neither, nor a mark; the first that is written so */
} looks;

static looks look_at(const bpi_categories *texts)
{
  looks l = {0};
  for (int32_t k = 0; (size_t)k < texts->n; k++) {
    const char *s = bpi_categories_text(texts, k);
    size_t n = strlen(s);
    double x;
    bool number = bpi_parse_double(s, n, &x) && isfinite(x), written = !number && looks_like_a_number(s);
    l.numbers += number;
    l.written += written;
    if (written && !l.example)
      l.example = s;
    if (!number && !written && !l.odd && !bpi_csv_mark_of(s, n))
      l.odd = s;
  }
  return l;
}

/* Text where numbers seem to be meant, in words; false: they do not. */
static bool meant_numbers(const bpi_column_facts *f, bpi_text *why)
{
  if (!f->texts || f->texts->n < 2)
    return false;
  looks l = look_at(f->texts);
  if (2 * (l.numbers + l.written) < (int64_t)f->texts->n)
    return false;
  if (l.odd)
    bpi_textf(why,
              "it holds text, as '%.*s', beside numbers (asked for as numeric, such text counts as missing)",
              SHOWN, l.odd);
  else if (l.example)
    bpi_textf(why,
              "it holds numbers written as '%.*s'; with digits and a decimal point alone they are numbers",
              SHOWN, l.example);
  return l.odd || l.example;
}

/* ---- inputs ---- */

#define KEPT(kind) " (asked for as " kind ", it is kept)"
static const bpi_reason
    empty = {"it is empty", ""},
    same = {"it is the same in all rows", ""},
    dates = {"it holds dates; their parts as numbers (month, weekday, days since) could be "
             "learned from",
             KEPT("categorical")},
    names = {"its text is nearly always another, as names and numbers of things are", KEPT("categorical")},
    mixed = {"it holds text beside numbers", " (asked for as numeric, such text counts as missing)"},
    unnamed_text = {"it has no name", KEPT("categorical")},
    unnamed = {"it has no name, as a column that numbers the rows", KEPT("numeric")},
    counting = {"it only counts the rows", KEPT("numeric")};

const bpi_reason *bpi_scattered(const bpi_categories *texts)
{
  looks l = look_at(texts);
  if (looks_like_a_date(bpi_categories_text(texts, 0)))
    return &dates;
  return 2 * l.numbers >= (int64_t)texts->n ? &mixed : &names;
}

/* NULL: its texts do not scatter. */
static const bpi_reason *scattering(const bpi_column_facts *f)
{
  if (f->scattered)
    return f->scattered;
  bool many = f->texts && bpi_texts_scatter((int64_t)f->texts->n, f->rows - f->missing);
  return many ? bpi_scattered(f->texts) : NULL;
}

/* Why nothing can be learned from it, whatever was asked for; then what can be overruled. */
static const bpi_reason *useless(const bpi_column_facts *f, bool alone)
{
  if (f->missing == f->rows)
    return &empty;
  if (f->use->categorical || f->use->numeric)
    return NULL;
  if (f->texts && f->texts->n == 1 && f->missing == 0)
    return &same;
  const bpi_reason *r = scattering(f);
  if (r || alone)
    return r;
  if (f->unnamed)
    return f->texts ? &unnamed_text : &unnamed;
  return f->counts ? &counting : NULL;
}

static bp_status leave_out(bpi_judging *j, const bpi_column_facts *f, const bpi_reason *r,
                           const char *numbers)
{
  j->inputs--;
  return *numbers ? bpi_examples_note(j->e, "left out column '%s': %s", f->name, numbers)
                  : bpi_examples_note(j->e, "left out column '%s': %s%s", f->name, r->why, r->otherwise);
}

/* Marks of all columns are one note. */
static void add_marks(bpi_judging *j, const bpi_column_facts *f)
{
  if (j->n_marked++ < MOST_LISTED)
    bpi_textf(&j->marked, "%s'%s' (%lld row%s)", j->marked.n ? ", " : "", f->name, (long long)f->marks,
              f->marks == 1 ? "" : "s");
}

bp_status bpi_judge_input(bpi_judging *j, const bpi_column_facts *f, bool *keep)
{
  bpi_text numbers;
  bpi_text_init(&numbers, j->e->ctx);
  const bpi_reason *why = useless(f, j->inputs < 2);
  bool asked = f->use->categorical || f->use->numeric, meant = !asked && meant_numbers(f, &numbers);
  char *text = bpi_text_take(&numbers);
  bp_status s = text ? BP_OK : bpi_nomem();
  *keep = !why;
  if (s == BP_OK && why)
    s = leave_out(j, f, why, text);
  else if (s == BP_OK && meant)
    s = bpi_examples_note(j->e, "column '%s' is taken as categories: %s", f->name, text);
  if (*keep && f->marks)
    add_marks(j, f);
  bpi_free(j->e->ctx, text);
  return s;
}

void bpi_judging_begin(bpi_judging *j, bpi_examples *e, int64_t inputs)
{
  *j = (bpi_judging){.e = e, .inputs = inputs};
  bpi_text_init(&j->marked, e->ctx);
}

bp_status bpi_judging_end(bpi_judging *j, bp_status s)
{
  if (s == BP_OK && j->n_marked > MOST_LISTED)
    bpi_textf(&j->marked, ", and %lld more columns", (long long)(j->n_marked - MOST_LISTED));
  char *marked = bpi_text_take(&j->marked);
  if (s == BP_OK && !marked)
    s = bpi_nomem();
  if (s == BP_OK && j->n_marked)
    s = bpi_examples_note(j->e, "NA, ? and the like count as missing values in %s", marked);
  bpi_free(j->e->ctx, marked);
  if (s == BP_OK && j->inputs < 1)
    s = bpi_fail(BP_E_FORMAT, "the table has no column but the target%s",
                 j->e->n_notes ? ", or none from which it could be learned" : "");
  return s;
}

/* ---- targets ---- */

bp_status bpi_note_unanswered(bpi_examples *e, int64_t rows)
{
  if (rows == 0)
    return BP_OK;
  return bpi_examples_note(e, "left out %lld row%s in which the target%s has no value", (long long)rows,
                           rows == 1 ? "" : "s", e->n_targets > 1 ? " or one of them" : "");
}

bp_status bpi_judge_target(bp_ctx *ctx, const bpi_column_facts *f)
{
  const bpi_reason *r = f->use->categorical || f->use->numeric ? NULL : scattering(f);
  if (!r)
    return BP_OK;
  bpi_text why;
  bpi_text_init(&why, ctx);
  if (!meant_numbers(f, &why))
    bpi_textf(&why, "%s%s", r->why, r->otherwise);
  char *text = bpi_text_take(&why);
  bp_status s =
      text ? bpi_fail(BP_E_FORMAT, "column '%s' cannot be the target: %s", f->name, text) : bpi_nomem();
  bpi_free(ctx, text);
  return s;
}
