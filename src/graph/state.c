/* The state: named arrays in storage of their own. An entry's array is allocated apart from the table of entries, so that its
 * address stays while entries are added. */
#include "graph/state.h"

#include <string.h>

bp_state *bp_state_new(bp_ctx *ctx, bp_dtype real)
{
  if (!ctx) {
    bpi_bad_arg("bp_state_new", "ctx");
    return NULL;
  }
  if (real != BP_FLOAT32 && real != BP_FLOAT64) {
    bpi_fail(BP_E_DTYPE, "bp_state_new: reals are stored as float32 or float64, not %s", bp_dtype_name(real));
    return NULL;
  }
  bp_state *s = bpi_zalloc(ctx, 1, sizeof *s);
  if (!s) {
    bpi_nomem();
    return NULL;
  }
  s->ctx = ctx;
  s->real = real;
  return s;
}

void bp_state_free(bp_state *s)
{
  if (!s)
    return;
  for (size_t i = 0; i < s->count; i++) {
    bpi_free_aligned(s->ctx, s->entries[i].data);
    bpi_free(s->ctx, s->entries[i].name);
  }
  bpi_free(s->ctx, s->entries);
  bpi_free(s->ctx, s->table);
  bpi_free(s->ctx, s);
}

/* FNV-1a. */
static size_t hash_name(const char *name)
{
  uint64_t h = 0xcbf29ce484222325u;
  for (; *name; name++)
    h = (h ^ (unsigned char)*name) * 0x100000001b3u;
  return (size_t)(h ^ (h >> 32));
}

/* The place of a name in the table: its own, or the empty one where it would go. */
static size_t name_slot(const bp_state *s, const char *name)
{
  size_t at = hash_name(name) & (s->table_cap - 1);
  while (s->table[at] && strcmp(s->entries[s->table[at] - 1].name, name) != 0)
    at = (at + 1) & (s->table_cap - 1);
  return at;
}

int bp_state_find(const bp_state *s, const char *name)
{
  if (!s || !name || !s->table_cap)
    return -1;
  return (int)s->table[name_slot(s, name)] - 1;
}

static bool grow_table(bp_state *s)
{
  if ((s->count + 1) * 2 <= s->table_cap)
    return true;
  size_t cap = s->table_cap ? s->table_cap * 2 : 16;
  uint32_t *table = bpi_zalloc(s->ctx, cap, sizeof *table);
  if (!table)
    return false;
  bpi_free(s->ctx, s->table);
  s->table = table;
  s->table_cap = cap;
  for (size_t i = 0; i < s->count; i++)
    table[name_slot(s, s->entries[i].name)] = (uint32_t)i + 1;
  return true;
}

static bp_status check_entry(const bp_state *s, const char *name, bp_dtype dtype, int rank,
                             const int64_t *dims, int64_t *size)
{
  if (!s || !name || !*name || (rank > 0 && !dims))
    return bpi_bad_arg("bp_state_add", "state, name or dims");
  if (dtype != BP_REAL && dtype != BP_INT64)
    return bpi_fail(BP_E_DTYPE, "bp_state_add: '%s': entries are real or int64, not %s", name,
                    bp_dtype_name(dtype));
  if (!bpi_size(rank, dims, size))
    return bpi_fail(
        BP_E_LIMIT,
        "bp_state_add: '%s': a dim is negative, the rank is not 0 to %d, or the size is too large", name,
        BP_MAX_RANK);
  if (bp_state_find(s, name) >= 0)
    return bpi_fail(BP_E_EXISTS, "bp_state_add: there is an entry '%s' already", name);
  return s->count < INT32_MAX / 2 ? BP_OK : bpi_fail(BP_E_LIMIT, "bp_state_add: too many entries");
}

bp_status bp_state_add(bp_state *s, const char *name, bp_dtype dtype, int rank, const int64_t *dims,
                       int *entry)
{
  int64_t size;
  bp_status status = check_entry(s, name, dtype, rank, dims, &size);
  if (status != BP_OK)
    return status;
  if (!entry)
    return bpi_bad_arg("bp_state_add", "entry");
  if (!grow_table(s) || !bpi_grow(s->ctx, (void **)&s->entries, &s->cap, s->count, sizeof *s->entries))
    return bpi_nomem();
  size_t bytes = (size_t)size * bp_dtype_size(bpi_storage(dtype, s->real));
  bpi_entry e = {bpi_strdup(s->ctx, name), bpi_type(dtype, rank, dims),
                 bpi_alloc_aligned(s->ctx, bytes ? bytes : 1)};
  if (!e.name || !e.data) {
    bpi_free(s->ctx, e.name);
    bpi_free_aligned(s->ctx, e.data);
    return bpi_nomem();
  }
  memset(e.data, 0, bytes);
  s->table[name_slot(s, name)] = (uint32_t)s->count + 1;
  s->entries[s->count] = e;
  *entry = (int)s->count++;
  return BP_OK;
}

int bp_state_count(const bp_state *s)
{
  return s ? (int)s->count : 0;
}

bp_status bp_state_array(bp_state *s, int entry, const char **name, bp_type *type, void **data)
{
  if (!s)
    return bpi_bad_arg("bp_state_array", "state");
  if (entry < 0 || (size_t)entry >= s->count)
    return bpi_fail(BP_E_RANGE, "bp_state_array: there is no entry %d; the state has %zu", entry, s->count);
  const bpi_entry *e = &s->entries[entry];
  if (name)
    *name = e->name;
  if (type)
    *type = e->type;
  if (data)
    *data = e->data;
  return BP_OK;
}

bp_dtype bp_state_real(const bp_state *s)
{
  return s ? s->real : BP_NONE;
}
