/* The table: every row, found by number or by name. */
#include "ops/family.h"

#include <string.h>

static const bp_op *const rows[] = {
#define OP(name) &bp_op_##name,
#include "ops/ops.def"
#undef OP
};
enum { ROWS = sizeof rows / sizeof *rows };

size_t bp_op_count(void)
{
  return ROWS;
}

/* The list is in the order of families; readers want names. A count of smaller names is enough for so few. */
const bp_op *bp_op_at(size_t i)
{
  for (size_t k = 0; k < ROWS; k++) {
    size_t before = 0;
    for (size_t j = 0; j < ROWS; j++)
      before += strcmp(rows[j]->name, rows[k]->name) < 0;
    if (before == i)
      return rows[k];
  }
  return NULL;
}

const bp_op *bp_op_find(const char *name)
{
  for (size_t k = 0; name && k < ROWS; k++)
    if (strcmp(rows[k]->name, name) == 0)
      return rows[k];
  return NULL;
}
