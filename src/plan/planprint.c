/* The plan as text: a header, and one line an instruction. */
#include "plan/plan.h"

void bpi_text_operand(bpi_text *t, const bp_plan *p, const bpi_operand *x)
{
  static const char *const segment[] = {
      [BPI_BLOCK] = "block", [BPI_CONSTANTS] = "const", [BPI_STATE] = "state", [BPI_INPUT] = "input"};
  if (x->size < 0) {
    bpi_textf(t, "-");
    return;
  }
  if (x->segment == BPI_INPUT && x->index < p->n_inputs)
    bpi_textf(t, "'%s'", p->inputs[x->index].name);
  else
    bpi_textf(t, "%s", segment[x->segment]);
  if (x->segment == BPI_STATE)
    bpi_textf(t, "%u", x->index);
  bpi_textf(t, "+%zu", x->offset);
  bpi_text_shape(t, x->rank, x->dims);
  if (!x->contiguous) {
    bpi_textf(t, " strides ");
    bpi_text_shape(t, x->rank, x->strides);
  }
}

static void print_operands(bpi_text *t, const bp_plan *p, const bpi_instr *i)
{
  for (uint32_t k = 0; k < i->n_out; k++) {
    bpi_textf(t, "%s", k ? ", " : "");
    bpi_text_operand(t, p, &i->x[i->n_in + k]);
  }
  bpi_textf(t, i->n_out && i->n_in ? " <- " : "");
  for (uint32_t k = 0; k < i->n_in; k++) {
    bpi_textf(t, "%s", k ? ", " : "");
    bpi_text_operand(t, p, &i->x[k]);
  }
}

static void print_ref(bpi_text *t, const bpi_instr *i, const bpi_tile_ref *r)
{
  if (r->slot)
    bpi_textf(t, "s%u", r->index);
  else if (r->index < i->n_in)
    bpi_textf(t, "x%u%s", r->index, r->step ? "" : "[0]");
  else
    bpi_textf(t, "y%u", r->index - i->n_in);
}

static void print_tile(bpi_text *t, const bpi_instr *i)
{
  const bpi_tile *tile = i->tile;
  bpi_textf(t, "\n      %s%lld elements in tiles of %lld, %u slots:",
            i->kind == BPI_DO_TILE ? "" : "at its end: ", (long long)tile->n, (long long)tile->tile,
            tile->n_slots);
  for (size_t k = 0; k < tile->n_steps; k++) {
    const bpi_tile_step *s = &tile->steps[k];
    bpi_textf(t, " ");
    print_ref(t, i, &s->out);
    bpi_textf(t, "=%s(", s->op ? s->op->name : s->once ? "load_once" : "load");
    for (int j = 0; j < s->n_in; j++) {
      bpi_textf(t, "%s", j ? "," : "");
      print_ref(t, i, &s->in[j]);
    }
    bpi_textf(t, ")");
  }
}

/* A line for each step of a program: its elements one after another. */
static void print_scalars(bpi_text *t, const bp_plan *p, const bpi_instr *i)
{
  const bpi_scalars *program = i->scalars;
  const uint32_t *source = program->source;
  char label[256];
  for (const uint32_t *at = program->code; at < program->end;) {
    const bpi_scalar_step *s = bpi_run_step_of(program, *at);
    for (uint32_t n = bpi_run_length(*at++); n; n--, at += s->n_in + 1) {
      bpi_textf(t, "\n      %-12s block+%u <- ", s->op ? s->op->name : "take", at[s->n_in]);
      if (s->op)
        for (uint32_t k = 0; k < s->n_in; k++)
          bpi_textf(t, "%sblock+%u", k ? ", " : "", at[k]);
      else
        bpi_text_operand(t, p, &i->x[*at]);
      bpi_textf(t, "  ; %s", bpi_plan_label(p, *source++, s->op, label, sizeof label));
    }
  }
}

const char *bpi_instr_name(const bpi_instr *i)
{
  static const char *const what[] = {
      [BPI_DO_TILE] = "tile",       [BPI_DO_COPY] = "copy",   [BPI_DO_SCAN] = "scan",
      [BPI_DO_SCALARS] = "scalars", [BPI_DO_GUARD] = "guard", [BPI_DO_COMMIT] = "commit",
      [BPI_DO_JOIN] = "join"};
  bool row = i->kind == BPI_DO_LOOP || i->kind == BPI_DO_KERNEL;
  return row ? i->op->name : what[i->kind];
}

static void print_instr(bpi_text *t, const bp_plan *p, size_t k)
{
  const bpi_instr *i = &p->instrs[k];
  char label[256];
  bpi_textf(t, "%5zu %-12s ", k, bpi_instr_name(i));
  print_operands(t, p, i);
  if (i->threads > 1)
    bpi_textf(t, "  %u threads", i->threads);
  bpi_textf(t, "  ; %s", bpi_plan_label(p, i->source, i->op, label, sizeof label));
  if (i->kind == BPI_DO_TILE || (i->kind == BPI_DO_KERNEL && i->tile))
    print_tile(t, i);
  if (i->kind == BPI_DO_SCALARS)
    print_scalars(t, p, i);
  bpi_textf(t, "\n");
}

static void print_header(bpi_text *t, const bp_plan *p)
{
  bpi_textf(t, "# plan: %s, %zu instructions, block %zu bytes, constants %zu, scratch %zu a thread\n",
            bp_dtype_name(p->real), p->n_instrs, p->block_bytes, p->constants_bytes, p->scratch_bytes);
  bpi_textf(t, "# passes:");
  for (int k = 0; k < BP_PASS_COUNT; k++)
    if (p->passes_off & (1u << k))
      bpi_textf(t, " %s off", bp_pass_name((bp_pass)k));
    else
      bpi_textf(t, " %s %u", bp_pass_name((bp_pass)k), p->done[k]);
  bpi_textf(t, "\n");
  for (size_t i = 0; i < p->n_inputs; i++) {
    bpi_textf(t, "# input '%s' %s", p->inputs[i].name, bp_dtype_name(p->inputs[i].type.dtype));
    bpi_text_shape(t, p->inputs[i].type.rank, p->inputs[i].type.dims);
    bpi_textf(t, "\n");
  }
}

static void print_plan(bpi_text *t, const bp_plan *p)
{
  print_header(t, p);
  for (size_t k = 0; k < p->n_instrs; k++) {
    if (k == p->first_commit)
      bpi_textf(t, "      ---- commits\n");
    print_instr(t, p, k);
  }
  for (size_t i = 0; i < p->n_outputs; i++) {
    bpi_textf(t, "output %zu: ", i);
    bpi_text_operand(t, p, &p->outputs[i]);
    bpi_textf(t, "\n");
  }
}

bp_status bp_plan_print(const bp_plan *p, char **text)
{
  if (!p || !text)
    return bpi_bad_arg("bp_plan_print", "plan or text");
  bpi_text t;
  bpi_text_init(&t, p->ctx);
  print_plan(&t, p);
  for (size_t i = 0; i < p->n_bodies; i++) {
    bpi_textf(&t, "\n# body of loop %zu\n", i);
    print_plan(&t, p->bodies[i]);
  }
  *text = bpi_text_take(&t);
  return *text ? BP_OK : bpi_nomem();
}
