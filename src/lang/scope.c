/* Names and what they mean. */
#include "lang/lang.h"

#include <string.h>

enum {
  FIRST_TABLE = 32,
  MAX_DEPS = 1000 /* of one body */
};

static uint32_t hash_text(const char *s, size_t n)
{
  uint32_t h = 2166136261u; /* FNV-1a */
  for (size_t i = 0; i < n; i++)
    h = (h ^ (unsigned char)s[i]) * 16777619u;
  return h;
}

static bool names_grow(bp_program *p)
{
  size_t cap = p->names_cap ? 2 * p->names_cap : 4 * FIRST_TABLE;
  bpi_lname **table = bpi_zalloc(p->ctx, cap, sizeof *table);
  if (!table)
    return false;
  for (size_t i = 0; i < p->names_cap; i++) {
    size_t at = p->names[i] ? p->names[i]->hash & (cap - 1) : 0;
    while (p->names[i] && table[at])
      at = (at + 1) & (cap - 1);
    if (p->names[i])
      table[at] = p->names[i];
  }
  bpi_free(p->ctx, p->names);
  p->names = table;
  p->names_cap = cap;
  return true;
}

const bpi_lname *bpi_intern(bp_program *p, const char *text, size_t n)
{
  if ((p->n_names + 1) * 2 > p->names_cap && !names_grow(p)) {
    bpi_lang_nomem(p);
    return NULL;
  }
  uint32_t hash = hash_text(text, n);
  size_t at = hash & (p->names_cap - 1);
  for (; p->names[at]; at = (at + 1) & (p->names_cap - 1))
    if (p->names[at]->hash == hash && p->names[at]->n == n && memcmp(p->names[at]->text, text, n) == 0)
      return p->names[at];
  bpi_lname *name = bpi_arena_alloc(&p->arena, 1, sizeof *name);
  char *copy = bpi_arena_alloc(&p->arena, n + 1, 1);
  if (!name || !copy) {
    bpi_lang_nomem(p);
    return NULL;
  }
  memcpy(copy, text, n);
  *name = (bpi_lname){copy, n, hash};
  p->names[at] = name;
  p->n_names++;
  return name;
}

/* ---- scopes ---- */

static size_t slot_of(const bpi_scope *s, const bpi_lname *name)
{
  size_t at = name->hash & (s->cap - 1);
  while (s->table[at] && s->table[at]->name != name)
    at = (at + 1) & (s->cap - 1);
  return at;
}

bpi_symbol *bpi_symbol_in(const bpi_scope *s, const bpi_lname *name)
{
  return s->cap ? s->table[slot_of(s, name)] : NULL;
}

static bool scope_grow(bp_program *p, bpi_scope *s)
{
  bpi_scope wider = {.cap = s->cap ? 2 * s->cap : FIRST_TABLE, .count = s->count};
  wider.table = bpi_zalloc(p->ctx, wider.cap, sizeof(bpi_symbol *));
  if (!wider.table)
    return false;
  for (size_t i = 0; i < s->cap; i++)
    if (s->table[i])
      wider.table[slot_of(&wider, s->table[i]->name)] = s->table[i];
  bpi_free(p->ctx, s->table);
  *s = wider;
  return true;
}

void bpi_scope_free(bp_program *p, bpi_scope *s)
{
  bpi_free(p->ctx, s->table);
  *s = (bpi_scope){0};
}

bpi_symbol *bpi_define(bp_program *p, bpi_env *env, const bpi_lname *name)
{
  bpi_scope *s = &env->scope;
  bpi_symbol *have = bpi_symbol_in(s, name);
  if (have)
    return have;
  bpi_symbol *made = bpi_arena_alloc(&p->arena, 1, sizeof *made);
  if (!made || ((s->count + 1) * 2 > s->cap && !scope_grow(p, s))) {
    bpi_lang_nomem(p);
    return NULL;
  }
  made->name = name;
  s->table[slot_of(s, name)] = made;
  s->count++;
  return made;
}

static size_t dep_slot(const bpi_env *env, const bpi_symbol *symbol)
{
  size_t at = (size_t)((uintptr_t)symbol * UINT64_C(0x9e3779b97f4a7c15) >> 20) & (env->dep_slots_cap - 1);
  while (env->dep_slots[at] && env->deps[env->dep_slots[at] - 1].symbol != symbol)
    at = (at + 1) & (env->dep_slots_cap - 1);
  return at;
}

static bool dep_slots_grow(bp_program *p, bpi_env *env)
{
  size_t cap = env->dep_slots_cap ? 2 * env->dep_slots_cap : FIRST_TABLE;
  uint32_t *slots = bpi_zalloc(p->ctx, cap, sizeof *slots);
  if (!slots)
    return false;
  bpi_free(p->ctx, env->dep_slots);
  env->dep_slots = slots;
  env->dep_slots_cap = cap;
  for (uint32_t i = 0; i < env->n_deps; i++)
    slots[dep_slot(env, env->deps[i].symbol)] = i + 1;
  return true;
}

bool bpi_note_dep(bp_program *p, bpi_env *env, bpi_dep dep)
{
  size_t at = env->dep_slots_cap ? dep_slot(env, dep.symbol) : 0;
  if (env->dep_slots_cap && env->dep_slots[at])
    return true;
  if (env->n_deps ==
      MAX_DEPS) { /* too many to remember with each function that calls this one: read anew at each call */
    env->once = true;
    return true;
  }
  if (((env->n_deps + 1) * 2 > env->dep_slots_cap && !dep_slots_grow(p, env)) ||
      !bpi_grow(p->ctx, (void **)&env->deps, &env->deps_cap, env->n_deps, sizeof *env->deps)) {
    bpi_lang_nomem(p);
    return false;
  }
  env->deps[env->n_deps++] = dep;
  env->dep_slots[dep_slot(env, dep.symbol)] = (uint32_t)env->n_deps;
  return true;
}

void bpi_deps_free(bp_program *p, bpi_env *env)
{
  bpi_free(p->ctx, env->deps);
  bpi_free(p->ctx, env->dep_slots);
  env->deps = NULL;
  env->dep_slots = NULL;
  env->n_deps = env->deps_cap = env->dep_slots_cap = 0;
}

bpi_symbol *bpi_lookup(bp_program *p, const bpi_lname *name)
{
  for (bpi_env *env = p->env; env; env = env->around) {
    bpi_symbol *found = bpi_symbol_in(&env->scope, name);
    if (!found)
      continue;
    bool noted = env == p->env || bpi_note_dep(p, p->env, (bpi_dep){found, found->version});
    return noted ? found : NULL;
  }
  return NULL;
}

/* ---- assignment ---- */

/* Names that begin with an underscore are for the text alone. A name taken by another node (x = x + 1) gets a number. */
static void name_node(bp_program *p, bp_node n, const bpi_lname *name)
{
  if (name->text[0] == '_' || n.graph != p->graph || bp_failed(n))
    return;
  if (!bpi_name_taken(p->graph, name->text)) {
    bp_name(n, name->text);
    return;
  }
  bp_node old = bp_find(p->graph, name->text);
  if (old.index == n.index)
    return;
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  for (uint32_t i = 2; !t.failed; i++) {
    t.n = 0;
    bpi_textf(&t, "%s.%u", name->text, i > 2 ? (unsigned)n.index : i);
    if (!t.failed && !bpi_name_taken(p->graph, t.s)) {
      bp_name(n, t.s);
      break;
    }
    if (i > 3)
      break;
  }
  bpi_text_free(&t);
}

/* A known value under a name of the program: an input, once it is used as a node. */
static bp_status make_input(bp_program *p, const bpi_lname *name, bpi_value *v)
{
  bpi_larray *host = bpi_host(p, v);
  bpi_linput *in = host ? bpi_arena_alloc(&p->arena, 1, sizeof *in) : NULL;
  if (!host)
    return p->status;
  if (!in || !bpi_grow(p->ctx, (void **)&p->inputs, &p->inputs_cap, p->n_inputs, sizeof *p->inputs))
    return bpi_lang_nomem(p);
  *in = (bpi_linput){
      .name = name, .array = bpi_keep_array(p, host), .flex = v->flex, .node = BP_NO_NODE, .place = p->here};
  if (!in->array)
    return p->status;
  p->inputs[p->n_inputs++] = in;
  *v = (bpi_value){.kind = BPI_V_INPUT, .input = in, .flex = v->flex};
  return BP_OK;
}

static bool is_array(const bpi_value *v)
{
  return v->kind == BPI_V_NUMBER || v->kind == BPI_V_ARRAY || v->kind == BPI_V_NODE;
}

/* Values that outlive the statement. */
static bp_status settle(bp_program *p, const bpi_lname *name, bpi_value *v)
{
  bool top = p->env == &p->top;
  if (v->kind == BPI_V_LIST)
    return bpi_keep_value(p, v);
  if (!is_array(v))
    return BP_OK;
  if (bpi_known(p, v) && top && !v->fixed)
    return make_input(p, name, v);
  bool scratch = v->kind == BPI_V_NODE && p->scratch && v->node.graph == p->scratch;
  if (scratch || (top && v->fixed && !v->flex && v->kind != BPI_V_NODE)) {
    bp_node n = bpi_to_node(p, p->env->graph, v, BP_NONE);
    *v = bpi_v_node(n);
  } else {
    bpi_keep_value(p, v);
  }
  if (v->kind == BPI_V_NODE && top)
    name_node(p, v->node, name);
  return p->status;
}

/* A name that was set keeps its value where the text would make an input of it. To compute it is a mistake, unless the value was used
 * before: x = 2*x is a new x. */
static bool keeps_value(bp_program *p, bpi_symbol *have, const bpi_value *v)
{
  if (!have || !have->set || have->name == p->setting || p->env != &p->top)
    return false;
  if (bpi_known(p, v) || v->kind == BPI_V_INPUT)
    return true;
  const bpi_value *old = &have->value;
  if (old->kind == BPI_V_INPUT && bp_failed(old->input->node) && !old->input->read)
    bpi_wrong(p, BP_E_EXISTS, "%s was given a value, but is computed here; give values to inputs only",
              have->name->text);
  have->set = false;
  return p->status != BP_OK;
}

bp_status bpi_assign(bp_program *p, const bpi_lname *name, const bpi_value *value)
{
  bpi_value v = *value;
  v.keyword = NULL;
  if (keeps_value(p, bpi_symbol_in(&p->env->scope, name), &v))
    return p->status;
  if (settle(p, name, &v) != BP_OK)
    return p->status;
  bpi_symbol *symbol = bpi_define(p, p->env, name);
  if (!symbol)
    return p->status;
  if (v.kind == BPI_V_FN && v.fn->code && !v.fn->code->name)
    v.fn->code->title = name->text; /* f = lambda x: ... is shown as f */
  symbol->value = v;
  symbol->value.results = false;
  symbol->version++;
  symbol->set = symbol->set || name == p->setting;
  if (p->env == &p->top)
    p->last = name;
  return BP_OK;
}

/* ---- did you mean ---- */

typedef struct near_name {
  const char *word, *best;
  int distance;
  size_t begins; /* as many letters alike */
} near_name;

/* Of names equally near the one that begins alike for longer: sinn is sin rather than sign. */
static void try_name(near_name *n, const char *candidate)
{
  size_t begins = 0;
  while (candidate[begins] && candidate[begins] == n->word[begins])
    begins++;
  int d = bpi_edit_distance(n->word, candidate, n->distance);
  bool nearer = d < n->distance || (n->best && d == n->distance && begins > n->begins);
  if (nearer && d < (int)strlen(n->word)) {
    n->best = candidate;
    n->distance = d;
    n->begins = begins;
  }
}

bp_status bpi_unknown(bp_program *p, const bpi_lname *name, bool called)
{
  near_name n = {.word = name->text, .distance = name->n > 40 ? 0 : 3 + (int)name->n / 6};
  for (bpi_env *env = p->env; env; env = env->around)
    for (size_t i = 0; i < env->scope.cap; i++)
      if (env->scope.table[i])
        try_name(&n, env->scope.table[i]->name->text);
  const char *builtin;
  for (size_t i = 0; (builtin = bpi_builtin_name(i)) != NULL && (called || name->n > 2); i++)
    try_name(&n, builtin);
  const char *what = called ? "no function is called" : "nothing is called";
  if (n.best)
    return bpi_wrong(p, BP_E_NOTFOUND, "%s '%s'; did you mean '%s'?", what, name->text, n.best);
  if (called)
    return bpi_wrong(p, BP_E_NOTFOUND, "%s '%s' (bprop ops lists the operations)", what, name->text);
  return bpi_wrong(p, BP_E_NOTFOUND, "%s '%s'; give it a value: %s = ...", what, name->text, name->text);
}
