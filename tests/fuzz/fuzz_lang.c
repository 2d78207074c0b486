/* Any bytes as a program; what is read is printed, and what is printed reads back. */
#include "bprop.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A text that printing gave is read, to as many outputs. */
static void read_back(bp_ctx *ctx, const char *text, size_t n_outputs)
{
  bp_graph *g = bp_graph_new(ctx);
  bp_program *p = bp_program_new(g, NULL);
  bp_status s = bp_program_read(p, "printed", text, strlen(text));
  /* What was read once is only too long, or too deep, to be read twice. */
  if ((s != BP_OK && s != BP_E_LIMIT) || (s == BP_OK && bp_program_outputs(p) != n_outputs))
    abort();
  bp_program_free(p);
  bp_graph_free(g);
}

static void print_all(bp_ctx *ctx, bp_graph *g, bp_program *p)
{
  bp_node outputs[64];
  size_t n = bp_program_outputs(p);
  char *text;
  if (n == 0 || n > 64)
    return;
  for (size_t i = 0; i < n; i++) {
    bp_variable v;
    bp_span span;
    if (bp_program_output(p, i, &v) != BP_OK)
      return;
    outputs[i] = v.node;
    bp_program_span(p, v.node, &span);
  }
  if (bp_program_print(g, outputs, n, NULL, &text) != BP_OK)
    return;
  read_back(ctx, text, n);
  bp_free(ctx, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  bp_ctx *ctx = bp_ctx_new(NULL);
  bp_graph *g = bp_graph_new(ctx);
  bp_program_options o = {.max_elements = 10000, .max_bytes = 1 << 16};
  bp_program *p = bp_program_new(g, &o);
  if (bp_program_read(p, "fuzz", (const char *)data, size) == BP_OK && bp_program_inputs(p) < 1000)
    print_all(ctx, g, p);
  else
    (void)bp_program_error(p);
  bp_program_free(p);
  bp_graph_free(g);
  bp_ctx_free(ctx);
  return 0;
}
