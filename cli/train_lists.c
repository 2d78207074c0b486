/* Options of a training that are lists: NAME=NUMBER,... and names alone. */
#include "nearest.h"
#include "train_job.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* One item of a list, taken apart: value is NULL where there is no = in it. */
typedef int (*take_item)(train_job *j, const char *name, const char *value);

static bool number_of(const char *text, double *x)
{
  char *end;
  *x = text ? strtod(text, &end) : NAN;
  return text && end != text && !*end && isfinite(*x);
}

/* Separated by commas; the last = of an item parts its name from its value. The text is changed. */
static int each_item(train_job *j, char *text, take_item take)
{
  int end = END_DONE;
  for (char *item = text, *next; item && !end; item = next) {
    next = strchr(item, ',');
    if (next)
      *next++ = 0;
    char *value = strrchr(item, '=');
    if (value)
      *value++ = 0;
    end = take(j, item, value);
  }
  return end;
}

static int take_rate(train_job *j, const char *name, const char *value)
{
  train_lists *l = &j->lists;
  double rate;
  if (!*name || !number_of(value, &rate) || rate < 0)
    return fail(END_USAGE, "--rate: takes LAYER=FACTOR, as layer1=0.1, and several with commas between them");
  if (l->n_rates == MOST_LISTED)
    return fail(END_USAGE, "--rate: more than %d layers", MOST_LISTED);
  l->rates[l->n_rates++] = (bp_rate){name, rate};
  return END_DONE;
}

static int take_change(train_job *j, const char *name, const char *value)
{
  double by;
  bool shift = !strcmp(name, "shift") && number_of(value, &by) && by >= 0 && by <= 1e6 && by == floor(by),
       flip = !strcmp(name, "flip") && !value;
  if (!shift && !flip)
    return fail(END_USAGE, "--augment: takes shift=PIXELS and flip, as shift=2,flip");
  if (shift)
    j->lists.shift = (int64_t)by;
  j->lists.flip = j->lists.flip || flip;
  return END_DONE;
}

static int take_class(train_job *j, const char *name, const char *value)
{
  nearest near = nearest_to(name);
  double weight;
  if (!*name || !number_of(value, &weight) || weight < 0)
    return fail(END_USAGE, "--class-weights: takes balanced, or CLASS=WEIGHT with commas between them");
  for (int64_t k = 0; k < bp_net_classes(j->net); k++) {
    const char *has = bp_net_class_name(j->net, k);
    char number[24];
    snprintf(number, sizeof number, "%lld", (long long)k);
    if (!strcmp(name, *has ? has : number)) {
      j->lists.class_weights[k] = weight;
      return END_DONE;
    }
    nearest_try(&near, has);
  }
  return fail(END_USAGE, "--class-weights: there is no class '%s'%s", name, nearest_hint(&near, ""));
}

/* A copy of the lists' texts, one behind the other, each ended by 0: names stay in it. */
static bool copy_texts(train_job *j, const char *const *texts, char **copies, size_t n)
{
  size_t room = 1;
  for (size_t i = 0; i < n; i++)
    room += texts[i] ? strlen(texts[i]) + 1 : 0;
  char *at = j->lists.text = malloc(room);
  for (size_t i = 0; at && i < n; i++) {
    size_t size = texts[i] ? strlen(texts[i]) + 1 : 0;
    copies[i] = size ? memcpy(at, texts[i], size) : NULL;
    at += size;
  }
  return at != NULL;
}

int train_lists_read(train_job *j)
{
  const settings *s = j->s;
  static const take_item takes[] = {take_rate, take_change};
  const char *const texts[] = {s->rates, s->augment};
  char *copies[2];
  int end = END_DONE;
  if (!copy_texts(j, texts, copies, 2))
    return fail(END_RESOURCES, "out of memory");
  j->lists.balanced = s->class_weights && !strcmp(s->class_weights, "balanced");
  for (size_t i = 0; i < 2 && !end; i++)
    end = each_item(j, copies[i], takes[i]);
  return end;
}

static bool has_layer(const bp_params *p, const char *layer)
{
  const char *name;
  size_t n = strlen(layer);
  for (int i = 0; i < bp_params_count(p); i++)
    if (bp_params_at(p, i, &name, NULL, NULL, NULL) == BP_OK && !strncmp(name, layer, n) &&
        (!name[n] || name[n] == '.'))
      return true;
  return false;
}

int train_lists_fit(train_job *j)
{
  const char *text = j->s->class_weights;
  int64_t n = bp_net_classes(j->net), frozen;
  if (bp_params_size(bp_net_params(j->net), &frozen) == 0)
    return fail(END_USAGE, "--freeze: nothing is left to train");
  for (size_t i = 0; i < j->lists.n_rates; i++)
    if (!has_layer(bp_net_params(j->net), j->lists.rates[i].name))
      return fail(END_USAGE,
                  "--rate: no parameter is '%s' or begins with '%s.' (`bprop info` shows a model's)",
                  j->lists.rates[i].name, j->lists.rates[i].name);
  if (!text)
    return END_DONE;
  if (!n)
    return fail(END_USAGE, "--class-weights: the target is numbers, not classes");
  if (j->lists.balanced)
    return END_DONE;
  double *w = j->lists.class_weights = malloc((size_t)n * sizeof *w);
  char *copy = strdup(text);
  for (int64_t k = 0; w && k < n; k++)
    w[k] = 1;
  int end = w && copy ? each_item(j, copy, take_class) : fail(END_RESOURCES, "out of memory");
  free(copy);
  return end;
}

void train_lists_free(train_lists *l)
{
  free(l->class_weights);
  free(l->text);
}
