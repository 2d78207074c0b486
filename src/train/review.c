/* A look at a training once it is over: a table of what often goes wrong, each row with the rule that finds it and the advice that helps. */
#include "base/sort.h"
#include "base/text.h"
#include "train/netvalues.h"
#include "train/spool.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SAMPLE = 4000, LOOK_ROWS = 512, FEW_ROWS = 5 };

/* What the rules are asked about, found once. */
typedef struct facts {
  bp_net *net;
  const bp_review *about;
  const bp_data *train, *valid; /* in memory: of spooled data a block */
  double first, lowest,
      jump; /* training losses; the largest factor by which one was above the lowest before it */
  size_t epochs;
  double before, after; /* of the jump */
  double dead;          /* the largest share of a layer's units that never fire */
  char dead_layer[80];
  int64_t leak; /* a column that tells the answer alone; -1: none */
  double leak_share;
  int64_t rare, rare_rows; /* the class with fewest rows */
  double twins;            /* share of validation rows that are in the training rows too */
  double bits,
      most_bits; /* what the columns of a row tell: of all together, and of the one that tells most */
  double on_train, on_valid;
  int64_t judged_rows;
} facts;

/* ---- the history of the losses ---- */

static void find_losses(facts *f)
{
  const bp_epoch *e;
  f->epochs = (size_t)bp_net_history(f->net, &e);
  f->first = f->lowest = f->epochs ? e[0].train_loss : NAN;
  for (size_t i = 1; i < f->epochs; i++) {
    double ratio = e[i].train_loss / f->lowest;
    if (f->lowest > 0 && ratio > f->jump) {
      f->jump = ratio;
      f->before = f->lowest;
      f->after = e[i].train_loss;
    }
    f->lowest = e[i].train_loss < f->lowest ? e[i].train_loss : f->lowest;
  }
}

/* ---- units that never fire ---- */

static bool bends(const bpi_node *node)
{
  return (node->op->traits & BP_ELEMENTWISE) && node->n_in == 1 && node->type->rank >= 2;
}

/* A unit is an index of the last axis. Exactly 0 for all rows is what no activation gives by chance. */
static bool count_dead(void *user, const bpi_look *l)
{
  facts *f = user;
  const bp_type *t = l->node->type;
  int64_t units = t->dims[t->rank - 1], all = bpi_type_size(t), dead = 0;
  for (int64_t u = 0; u < units; u++) {
    bool zero = true;
    for (int64_t i = u; i < all && zero; i += units)
      zero = bpi_look_at(l, i) == 0;
    dead += zero;
  }
  double share = units > 1 ? (double)dead / (double)units : 0;
  if (share > f->dead) {
    f->dead = share;
    snprintf(f->dead_layer, sizeof f->dead_layer, "%s", l->layer);
  }
  return true;
}

static bp_status find_dead(facts *f)
{
  const bp_data *d = f->valid ? f->valid : f->train;
  int64_t n = d->n < LOOK_ROWS ? d->n : LOOK_ROWS, at[LOOK_ROWS];
  bpi_match match;
  bp_status s = bpi_net_match(f->net, d, false, &match);
  void *x = bpi_alloc(f->net->ctx, (size_t)(n * f->net->inputs), bp_dtype_size(bp_state_real(f->net->state)));
  if (s == BP_OK && !x)
    s = bpi_nomem();
  for (int64_t i = 0; i < n; i++)
    at[i] = i * d->n / n;
  if (s == BP_OK) {
    bpi_data_gather(d, at, n, &f->net->encoding, &match, bp_state_real(f->net->state), x);
    s = bpi_inside(f->net, x, n, bends, count_dead, f);
  }
  bpi_free(f->net->ctx, x);
  bpi_match_clear(&match);
  return s;
}

/* ---- columns that tell the answer alone ---- */

typedef struct pair {
  float value, answer;
  int64_t row;
} pair;

/* Missing values last; equal ones in the order of their rows, so that a column of few values gains nothing. */
static int by_value(const void *a, const void *b, const void *arg)
{
  const pair *p = a, *q = b;
  (void)arg;
  if (isnan(p->value) != isnan(q->value))
    return isnan(p->value) ? 1 : -1;
  if (p->value != q->value && !isnan(p->value))
    return p->value < q->value ? -1 : 1;
  return (p->row > q->row) - (p->row < q->row);
}

/* How well the neighbour on the line of sorted values tells the answer: the share of right classes, or 1 - half the mean squared difference over
 * the variance. */
static double neighbours_tell(const pair *p, int64_t n, bool classes)
{
  double right = 0, square = 0, sum = 0, squares = 0;
  for (int64_t i = 0; i < n; i++) {
    double y = (double)p[i].answer, d = i ? y - (double)p[i - 1].answer : 0;
    right += i && d == 0;
    square += d * d;
    sum += y;
    squares += y * y;
  }
  double count = (double)n, variance = squares / count - sum / count * (sum / count);
  if (classes)
    return right / (count - 1);
  return variance > 0 ? 1 - square / (2 * (count - 1)) / variance : 0;
}

/* Entropy of a sorted column. */
static double bits_of(const pair *p, int64_t n)
{
  double bits = 0;
  for (int64_t i = 0, first = 0; i < n; i++) {
    bool last = i + 1 == n || p[i + 1].value != p[i].value;
    double share = (double)(i + 1 - first) / (double)n;
    bits -= last ? share * log2(share) : 0;
    first = last ? i + 1 : first;
  }
  return bits;
}

static void look_at_columns(facts *f, pair *p, int64_t n)
{
  const bpi_examples *e = f->train->all;
  bool classes = e->labels != NULL;
  for (int64_t c = 0; c < e->cols; c++) {
    for (int64_t i = 0; i < n; i++) {
      int64_t row = bpi_data_at(f->train, i * f->train->n / n);
      p[i] = (pair){bpi_raw_value(e, row, c), classes ? (float)e->labels[row] : e->y[row * e->n_y], row};
    }
    bpi_sort(p, (size_t)n, sizeof *p, by_value, NULL);
    double share = neighbours_tell(p, n, classes), bits = bits_of(p, n);
    f->bits += bits;
    f->most_bits = bits > f->most_bits ? bits : f->most_bits;
    if (e->cols > 1 && share > f->leak_share) {
      f->leak = c;
      f->leak_share = share;
    }
  }
}

/* ---- rows ---- */

static bp_status find_rare(facts *f)
{
  int64_t classes = f->train->all->classes, *count = bpi_zalloc(f->net->ctx, (size_t)classes, sizeof *count);
  if (!count)
    return bpi_nomem();
  for (int64_t i = 0; f->train->all->labels && i < f->train->n; i++)
    count[f->train->all->labels[bpi_data_at(f->train, i)]]++;
  for (int64_t k = 0; k < classes; k++)
    if (count[k] && (f->rare < 0 || count[k] < f->rare_rows)) {
      f->rare = k;
      f->rare_rows = count[k];
    }
  bpi_free(f->net->ctx, count);
  return BP_OK;
}

static int by_hash(const void *a, const void *b, const void *arg)
{
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  (void)arg;
  return (x > y) - (x < y);
}

static bool is_there(const uint64_t *sorted, int64_t n, uint64_t x)
{
  int64_t low = 0;
  for (int64_t high = n; low < high;) {
    int64_t middle = low + (high - low) / 2;
    if (sorted[middle] < x)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && sorted[low] == x;
}

static bp_status find_twins(facts *f)
{
  bool kept = f->valid && !f->valid->all->spool; /* rows in a file are not gone through for this */
  int64_t n = f->train->n, seen = 0, looked = kept ? f->valid->n : 0;
  uint64_t *hash = looked ? bpi_alloc(f->net->ctx, (size_t)n, sizeof *hash) : NULL;
  if (!looked)
    return BP_OK;
  if (!hash)
    return bpi_nomem();
  for (int64_t i = 0; i < n; i++)
    hash[i] = bpi_row_hash(f->train->all, bpi_data_at(f->train, i));
  bpi_sort(hash, (size_t)n, sizeof *hash, by_hash, NULL);
  for (int64_t i = 0; i < looked; i++)
    seen += is_there(hash, n, bpi_row_hash(f->valid->all, bpi_data_at(f->valid, i)));
  f->twins = seen >= FEW_ROWS ? (double)seen / (double)looked : 0;
  bpi_free(f->net->ctx, hash);
  return BP_OK;
}

/* ---- how well it does, where ---- */

static double score_of(const bp_metrics *m)
{
  return isnan(m->accuracy) ? m->r2 : m->accuracy;
}

/* A share of right answers, whose noise is known; else R2. */
static bool is_share(const facts *f)
{
  return bp_net_task(f->net) != BP_TASK_NUMBERS;
}

static bp_status find_scores(facts *f)
{
  bp_data *rest = NULL, *some = NULL;
  bp_metrics m;
  bp_status s = BP_OK;
  if (!f->valid)
    return BP_OK;
  if (f->train->n > SAMPLE)
    s = bp_data_split(f->train, (double)SAMPLE / (double)f->train->n, 1, &rest, &some);
  if (s == BP_OK)
    s = bp_net_eval(f->net, some ? some : f->train, &m);
  if (s == BP_OK)
    f->on_train = score_of(&m);
  if (s == BP_OK)
    s = bp_net_eval(f->net, f->valid, &m);
  if (s == BP_OK) {
    f->on_valid = score_of(&m);
    f->judged_rows = m.rows;
  }
  bp_data_free(rest);
  bp_data_free(some);
  return s;
}

static bp_status find_columns(facts *f)
{
  int64_t n = f->train->n < SAMPLE ? f->train->n : SAMPLE;
  pair *p = bpi_alloc(f->net->ctx, (size_t)n, sizeof *p);
  if (!p)
    return bpi_nomem();
  const bpi_examples *e = f->train->all;
  if (e->image)
    f->bits = INFINITY;
  else if (n >= 30 && e->x && (e->labels || e->y))
    look_at_columns(f, p, n);
  bpi_free(f->net->ctx, p);
  return BP_OK;
}

/* ---- the table ---- */

/* Each says what it found, if it did. */
static bool loss_stays(const facts *f, bpi_text *t)
{
  if (f->epochs < 3 || !(f->lowest > 0.98 * f->first))
    return false;
  bpi_textf(t, "the training loss hardly fell: %.3g after the first epoch, %.3g at best", f->first,
            f->lowest);
  return true;
}

static bool loss_jumps(const facts *f, bpi_text *t)
{
  if (!(f->jump >= 10) || !(f->after > 0.5 * f->first))
    return false;
  bpi_textf(t, "the training loss jumped from %.3g to %.3g: gradients explode", f->before, f->after);
  return true;
}

static bool units_die(const facts *f, bpi_text *t)
{
  if (f->dead < 0.5)
    return false;
  bpi_textf(t, "%.0f %% of the units%s%s never fire: their activation is 0 for every row looked at",
            100 * f->dead, *f->dead_layer ? " of " : "", f->dead_layer);
  return true;
}

/* "column 'age'", or by its number. */
static void add_name(bpi_text *t, const char *what, const char *name, int64_t number)
{
  if (*name)
    bpi_textf(t, "%s '%s'", what, name);
  else
    bpi_textf(t, "%s %lld", what, (long long)number);
}

static bool column_leaks(const facts *f, bpi_text *t)
{
  if (f->leak < 0 || f->leak_share < (f->train->all->labels ? 0.98 : 0.9999))
    return false;
  add_name(t, "column", bp_data_col_name(f->train, f->leak), f->leak + 1);
  bpi_textf(t, " alone nearly tells the answer");
  return true;
}

static bool class_is_rare(const facts *f, bpi_text *t)
{
  if (f->rare < 0 || f->rare_rows >= FEW_ROWS)
    return false;
  add_name(t, "class", bp_data_class_name(f->train, f->rare), f->rare);
  bpi_textf(t, " has %lld training %s", (long long)f->rare_rows, f->rare_rows == 1 ? "row" : "rows");
  return true;
}

/* Rows of a few columns with a few values each are often the same by chance, and that tells nothing. */
static bool rows_are_twins(const facts *f, bpi_text *t)
{
  int64_t n = f->train->n < SAMPLE ? f->train->n : SAMPLE;
  double row = log2((double)n + 1);
  if (f->twins <= 0.1 || !(f->bits > 4 * row || f->most_bits > 0.7 * row))
    return false;
  bpi_textf(t,
            "%.0f %% of the validation rows are among the training rows too: they say little about new rows",
            100 * f->twins);
  return true;
}

static bool learnt_by_heart(const facts *f, bpi_text *t)
{
  double gap = f->on_train - f->on_valid;
  double noise = is_share(f) ? sqrt(0.25 / (double)(f->judged_rows + 1)) : 0.1;
  if (!(gap > 0.1 + noise))
    return false;
  bpi_textf(
      t,
      is_share(f)
          ? "accuracy is %.1f %% on the training rows and %.1f %% on the validation rows: it learns by heart"
          : "R2 is %.3f on the training rows and %.3f on the validation rows: it learns by heart",
      is_share(f) ? 100 * f->on_train : f->on_train, is_share(f) ? 100 * f->on_valid : f->on_valid);
  return true;
}

/* By more than the noise of so few rows. */
static bool linear_is_better(const facts *f, bpi_text *t)
{
  double linear = f->about->linear, own = f->about->own;
  double noise = is_share(f) ? sqrt(own * (1 - own) / (double)(f->about->judged + 1)) : 0.01;
  if (!(linear > own + noise))
    return false;
  bpi_textf(t, "a linear model does better than the network");
  return true;
}

static const struct {
  const char *name;
  bool (*applies)(const facts *f, bpi_text *t);
  const char *advice;
} rules[] = {
    {"loss", loss_stays, "is the target right? Else try a learning rate ten times as large, or a tenth"},
    {"gradients", loss_jumps, "a smaller learning rate, or the gradient clipped to a norm of 1"},
    {"dead", units_die,
     "a smaller learning rate, or an activation that is nowhere flat, as leaky_relu or gelu"},
    {"leakage", column_leaks,
     "is it known before the answer is? Else leave it out, or new rows will disappoint"},
    {"rare", class_is_rare, "what is learnt of it is luck: more rows of it, or weights by class"},
    {"twins", rows_are_twins, "split by what belongs together, or take copies out"},
    {"overfit", learnt_by_heart, "more rows, a smaller network, dropout, or weight decay"},
    {"linear", linear_is_better,
     "take that one (no hidden layer), or train with another learning rate or longer"},
};
enum { RULES = sizeof rules / sizeof *rules };

static bp_status tell_all(const facts *f, void (*tell)(void *user, const char *name, const char *text),
                          void *user)
{
  for (size_t i = 0; i < RULES; i++) {
    bpi_text t;
    bpi_text_init(&t, f->net->ctx);
    bool applies = rules[i].applies(f, &t);
    if (applies)
      bpi_textf(&t, "; %s", rules[i].advice);
    char *text = bpi_text_take(&t);
    if (applies && text)
      tell(user, rules[i].name, text);
    bpi_free(f->net->ctx, text);
    if (applies && !text)
      return bpi_nomem();
  }
  return BP_OK;
}

static bp_status find_facts(facts *f)
{
  find_losses(f);
  bp_status s = find_dead(f);
  if (s == BP_OK)
    s = find_columns(f);
  if (s == BP_OK)
    s = find_rare(f);
  if (s == BP_OK)
    s = find_twins(f);
  return s == BP_OK ? find_scores(f) : s;
}

bp_status bp_net_review(bp_net *net, const bp_review *about,
                        void (*tell)(void *user, const char *name, const char *text), void *user)
{
  if (!net || !about || !about->train || !tell)
    return bpi_bad_arg("bp_net_review", "net, the training data or tell is NULL");
  bpi_blocks b;
  const bp_data *block = NULL;
  bpi_blocks_begin(&b, about->train);
  bp_status s = bpi_blocks_next(&b, &block);
  facts f = {.net = net,
             .about = about,
             .train = block,
             .valid = about->valid,
             .leak = -1,
             .rare = -1,
             .on_train = NAN,
             .on_valid = NAN};
  if (s == BP_OK && block)
    s = find_facts(&f);
  if (s == BP_OK && block)
    s = tell_all(&f, tell, user);
  bpi_blocks_end(&b);
  return s;
}
