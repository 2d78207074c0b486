/* The model card. */
#include "card.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void card_add(card *c, const char *name, const char *fmt, ...)
{
  va_list va;
  va_start(va, fmt);
  int value = vsnprintf(NULL, 0, fmt, va);
  va_end(va);
  size_t room = c->n + strlen(name) + (size_t)value + 3;
  char *text = value < 0 || c->failed ? NULL : realloc(c->text, room);
  if (!text) {
    c->failed = true;
    return;
  }
  c->text = text;
  c->n += (size_t)sprintf(text + c->n, "%s\t", name);
  va_start(va, fmt);
  vsnprintf(text + c->n, (size_t)value + 1, fmt, va);
  va_end(va);
  for (char *s = text + c->n; *s; s++)
    *s = *s == '\n' || *s == '\t' || *s == '\r' ? ' ' : *s;
  c->n += (size_t)value;
  c->n += (size_t)sprintf(text + c->n, "\n");
}

bool card_keep(card *c, bp_net *net, const char *note)
{
  bool good = !c->failed && bp_net_set_note(net, note, c->text) != BP_E_NOMEM;
  free(c->text);
  *c = (card){0};
  return good;
}

bool card_next(card_line *l)
{
  free(l->name);
  free(l->value);
  l->name = l->value = NULL;
  while (l->rest && *l->rest) {
    size_t n = strcspn(l->rest, "\n"), name = strcspn(l->rest, "\t\n");
    const char *line = l->rest;
    l->rest += n + (line[n] != 0);
    if (name == n)
      continue;
    l->name = strndup(line, name);
    l->value = strndup(line + name + 1, n - name - 1);
    return l->name && l->value;
  }
  return false;
}

char *card_value(const bp_net *net, const char *note, const char *name)
{
  card_line l = {.rest = bp_net_note(net, note)};
  char *found = NULL;
  while (!found && card_next(&l))
    if (!strcmp(l.name, name))
      found = strdup(l.value);
  free(l.name);
  free(l.value);
  return found;
}
