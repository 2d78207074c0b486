#include "wrt.h"

#include <stdlib.h>
#include <string.h>

static bool room_for(wrt_list *w, size_t most)
{
  w->names = calloc(most + 1, sizeof *w->names);
  w->nodes = calloc(most + 1, sizeof *w->nodes);
  return w->names && w->nodes;
}

static int by_inputs(expression *e, wrt_list *w)
{
  size_t n = bp_program_inputs(e->program);
  if (!room_for(w, n))
    return fail_memory();
  for (size_t i = 0; i < n; i++) {
    bp_variable v;
    if (bp_program_input(e->program, i, &v) != BP_OK || v.type.dtype != BP_REAL)
      continue;
    w->names[w->n] = v.name;
    w->nodes[w->n++] = v.node;
  }
  return w->n ? END_DONE
              : fail(END_USAGE, "there is nothing to differentiate by: nothing here depends on a real input. "
                                "A name that is given a value is one: 'x*x' x=3");
}

static int by_name(expression *e, wrt_list *w, const char *name)
{
  bp_type type;
  bp_node node = bp_program_find(e->program, name);
  if (bp_absent(node) || bp_node_type(node, &type) != BP_OK)
    return fail(END_USAGE, "--wrt %s: %s", name, bp_error());
  if (type.dtype != BP_REAL)
    return fail(END_USAGE, "--wrt %s: it is %s, and only real values have gradients", name,
                bp_dtype_name(type.dtype));
  for (size_t i = 0; i < w->n; i++)
    if (w->names[i] && !strcmp(w->names[i], name))
      return fail(END_USAGE, "--wrt names %s twice", name);
  w->names[w->n] = name;
  w->nodes[w->n++] = node;
  return END_DONE;
}

static int by_list(expression *e, wrt_list *w, const char *list)
{
  size_t most = 1;
  for (const char *c = list; *c; c++)
    most += *c == ',';
  w->list = malloc(strlen(list) + 1);
  if (!room_for(w, most) || !w->list)
    return fail_memory();
  memcpy(w->list, list, strlen(list) + 1);
  int end = END_DONE;
  for (char *name = w->list; name && !end;) {
    char *comma = strchr(name, ',');
    if (comma)
      *comma = 0;
    name += strspn(name, " ");
    for (size_t n = strlen(name); n && name[n - 1] == ' ';)
      name[--n] = 0;
    end = *name ? by_name(e, w, name) : fail(END_USAGE, "--wrt takes names, as --wrt x,y");
    name = comma ? comma + 1 : NULL;
  }
  return end;
}

int wrt_open(wrt_list *w, expression *e, const settings *s)
{
  *w = (wrt_list){0};
  return s->wrt ? by_list(e, w, s->wrt) : by_inputs(e, w);
}

void wrt_close(wrt_list *w)
{
  free(w->names);
  free(w->nodes);
  free(w->list);
}

int wrt_input(const wrt_list *w, size_t i, expression *e, bp_variable *v)
{
  size_t n = bp_program_inputs(e->program);
  for (size_t k = 0; k < n; k++)
    if (bp_program_input(e->program, k, v) == BP_OK && v->data && !strcmp(v->name, w->names[i]))
      return END_DONE;
  return fail(END_USAGE,
              "--wrt %s: it is computed, or nothing depends on it; differences need an input to move",
              w->names[i]);
}
