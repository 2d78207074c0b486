/* The network of a training: a new one, or one that starts from a trained one. */
#include "input.h"
#include "modelfile.h"
#include "train_job.h"

#include <stdlib.h>
#include <string.h>

static int check_start(const settings *s)
{
  static const char *const brought[] = {"hidden", "activation", "dropout", "model", "init", "init-scale"};
  for (size_t i = 0; s->start && i < sizeof brought / sizeof *brought; i++)
    if (settings_given(s, brought[i]))
      return fail(END_USAGE, "--%s: --from brings its own layers and weights", brought[i]);
  return END_DONE;
}

/* The names of --freeze, ended by NULL; in the text, whose commas become ends. */
static const char **split_names(char *text)
{
  size_t n = 1, i = 0;
  for (const char *c = text; *c; c++)
    n += *c == ',';
  const char **names = calloc(n + 1, sizeof *names);
  for (char *name = text; names && name; i++) {
    names[i] = name;
    name = strchr(name, ',');
    if (name)
      *name++ = 0;
  }
  return names;
}

bp_net *train_new_net(train_job *j, const bp_data *data)
{
  const settings *s = j->s;
  bp_net_options o = train_net_options(s);
  char *text = s->freeze ? strdup(s->freeze) : NULL;
  const char **names = text ? split_names(text) : NULL;
  if (s->start)
    o = (bp_net_options){.from = j->start, .loss = o.loss, .link = o.link, .seed = o.seed, .real = o.real};
  o.freeze = names;
  bp_net *net = bp_net_new(j->ctx, data, &o);
  free(names);
  free(text);
  return net;
}

int train_start(train_job *j)
{
  int end = check_start(j->s);
  if (!end && j->s->start && !j->net) /* which going on with a training has brought */
    end = model_load(j->ctx, j->s->start, &j->start);
  return end;
}

int train_make_net(train_job *j)
{
  if (j->net) /* which going on with a training has brought */
    return END_DONE;
  j->net = train_new_net(j, j->train);
  return j->net ? train_lists_fit(j) : train_net_failed(j);
}
