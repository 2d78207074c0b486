#include "train/columnlist.h"
#include "base/text.h"

#include <string.h>

int bpi_column_named(const bp_table *t, const char *name)
{
  return bpi_categories_find(&t->names, name, strlen(name));
}

const char *bpi_column_name(const bp_table *t, int column)
{
  return bpi_categories_text(&t->names, column);
}

/* "#5" is number 5 also where a column is called 5. */
static bp_status find_column(const bp_table *t, const char *name, int *at)
{
  int64_t number;
  if (name[0] != '#' || !bpi_parse_int(name + 1, strlen(name + 1), &number))
    return bp_table_find(t, name, at);
  if (number < 1 || number > bp_table_columns(t))
    return bpi_fail(BP_E_NOTFOUND, "there is no column %s; the table has %d", name, bp_table_columns(t));
  *at = (int)number - 1;
  return BP_OK;
}

/* Takes the quotes off a name that begins with one, in place. Returns what follows the closing one. */
static char *unquote(char *name)
{
  char *from = name + 1, *to = name;
  for (; *from && !(*from == '"' && from[1] != '"'); from++) {
    from += *from == '"';
    *to++ = *from;
  }
  char *rest = *from ? from + 1 : from;
  size_t left = strcspn(rest, ","); /* what stands behind the quotes makes the name unknown */
  memmove(to, rest, left);
  to[left] = 0;
  return rest + left;
}

/* Cuts the next name off *at; *at becomes NULL behind the last. */
static char *next_name(char **at)
{
  char *name = *at;
  bool quoted = *name == '"';
  char *end = quoted ? unquote(name) : name + strcspn(name, ",");
  *at = *end ? end + 1 : NULL;
  if (!quoted)
    *end = 0;
  return name;
}

bp_status bpi_each_column(bp_ctx *ctx, const bp_table *t, const char *list, bpi_column_visit visit, void *arg)
{
  int column = list ? bpi_column_named(t, list) : -1;
  if (!list || column >= 0) /* a name that holds commas needs no quotes where it is the whole list */
    return list ? visit(arg, column) : BP_OK;
  char *copy = bpi_strdup(ctx, list), *at = copy;
  bp_status s = copy ? BP_OK : bpi_nomem();
  while (s == BP_OK && at) {
    s = find_column(t, next_name(&at), &column);
    if (s == BP_OK)
      s = visit(arg, column);
  }
  bpi_free(ctx, copy);
  return s;
}
