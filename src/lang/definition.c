/* Functions as they are written: recorded, to be run at their calls. */
#include "lang/parser.h"

#include <string.h>

static bool parse_type(bpi_parser *r, bpi_param *param)
{
  bpi_value v;
  if (!bpi_next(r) || r->t.kind != BPI_T_NAME || !bpi_builtin(r->p, r->t.name, false, &v) ||
      v.kind != BPI_V_DTYPE)
    return bpi_expected(r, "a type, as real[2,3],");
  param->typed = true;
  param->type = (bp_type){.dtype = (bp_dtype)v.dtype};
  if (!bpi_next(r))
    return false;
  if (!bpi_at_op(r, '['))
    return true;
  do {
    if (!bpi_next(r))
      return false;
    if (bpi_at_op(r, ']') && param->type.rank == 0)
      break;
    if (r->t.kind != BPI_T_NUMBER || !r->t.whole || param->type.rank == BP_MAX_RANK)
      return bpi_expected(r, "a dim (at most 8 of them)");
    param->type.dims[param->type.rank++] = r->t.integer;
    if (!bpi_next(r))
      return false;
  } while (bpi_at_op(r, ','));
  int64_t size;
  if (!bpi_size(param->type.rank, param->type.dims, &size))
    return bpi_fail_at(r, r->t.at, BP_E_LIMIT, "the parameter has too many elements");
  return bpi_take(r, ']', "']'");
}

/* Parameters up to `close`. Defaults are parsed where they stand, outside of the function; their count comes back. */
bool bpi_parse_params(bpi_parser *r, bpi_lcode *c, int close, uint32_t *n_defaults)
{
  while (!bpi_at_op(r, close)) {
    if (r->t.kind != BPI_T_NAME)
      return bpi_expected(r, "the name of a parameter");
    for (uint32_t i = 0; i < c->n_params; i++)
      if (c->params[i].name == r->t.name)
        return bpi_fail_at(r, r->t.at, BP_E_PARSE, "two parameters have this name");
    size_t cap = c->params_cap;
    if (c->n_params == BPI_MAX_PARAMS)
      return bpi_fail_at(r, r->t.at, BP_E_LIMIT, "a function has at most 256 parameters");
    if (!bpi_grow(r->p->ctx, (void **)&c->params, &cap, c->n_params, sizeof *c->params)) {
      bpi_lang_nomem(r->p);
      return false;
    }
    c->params_cap = (uint32_t)cap;
    bpi_param *param = &c->params[c->n_params++];
    *param = (bpi_param){.name = r->t.name};
    if (!bpi_next(r) || (bpi_at_op(r, ':') && close != ':' && !parse_type(r, param)))
      return false;
    if (bpi_at_op(r, '=')) {
      param->has_default = true;
      ++*n_defaults;
      if (!bpi_next(r) || !bpi_parse_value(r))
        return false;
    } else if (*n_defaults) {
      return bpi_fail_at(r, r->t.at, BP_E_PARSE, "a parameter without a default follows one with a default");
    }
    if (bpi_at_op(r, ',') ? !bpi_next(r) : !bpi_at_op(r, close))
      return bpi_at_op(r, ',') ? false : bpi_expected(r, close == ')' ? "',' or ')'" : "',' or ':'");
  }
  return true;
}

bpi_lcode *bpi_new_code(bpi_parser *r, const bpi_lname *name)
{
  bpi_lcode *c = bpi_arena_alloc(&r->p->arena, 1, sizeof *c);
  if (!c ||
      !bpi_grow(r->p->ctx, (void **)&r->p->codes, &r->p->codes_cap, r->p->n_codes, sizeof *r->p->codes)) {
    bpi_lang_nomem(r->p);
    return NULL;
  }
  r->p->codes[r->p->n_codes++] = c;
  *c =
      (bpi_lcode){.name = name, .title = name ? name->text : "lambda", .source = r->lx.source, .at = r->t.at};
  return c;
}

/* An expression as the whole body. */
bool bpi_record_expression(bpi_parser *r, bpi_lcode *c)
{
  bpi_lcode *outer = r->code;
  uint32_t at = r->t.at;
  r->code = c;
  bool ok = bpi_parse_value(r) && bpi_emit_op(r, BPI_S_RETURN, 0, 0, at, at);
  r->code = outer;
  return ok;
}

bool bpi_emit_function(bpi_parser *r, bpi_lcode *c, uint32_t n_defaults, uint32_t at)
{
  return bpi_emit(r, (bpi_lstep){.kind = BPI_S_FUNCTION, .code = c, .n = n_defaults, .at = at, .begin = at});
}

bool bpi_parse_lambda(bpi_parser *r)
{
  uint32_t at = r->t.at, n_defaults = 0;
  bpi_lcode *c = bpi_new_code(r, NULL);
  bool ok = c && bpi_deeper(r) && bpi_next(r) && bpi_parse_params(r, c, ':', &n_defaults) && bpi_next(r) &&
            bpi_record_expression(r, c);
  r->depth--;
  return ok && bpi_emit_function(r, c, n_defaults, at);
}
