/* Nodes inside: how a graph stores what the handles of bprop.h mean. */
#ifndef BPI_GRAPH_H
#define BPI_GRAPH_H

#include "base/arena.h"
#include "base/shape.h"

/* One value. A call with n results takes n consecutive slots that share op, attributes and inputs; the first is the head. */
typedef struct bpi_node {
  const bp_op *op;
  const bp_type *type; /* in the arena, shared between nodes */
  const bp_attr *attr;
  const uint32_t *in; /* indices of inputs, all lower than this node's own */
  uint32_t serial;
  uint32_t hash;
  uint16_t n_in, n_out;
  uint16_t result; /* which result of the call this slot is; head index = index - result */
  uint16_t flags;
} bpi_node;

enum {
  BPI_NODE_FIXED = 1, /* depends on constants alone: loses no tie of max, see ops */
  BPI_NODE_NAMED = 2
};

typedef struct bpi_name {
  char *name;
  uint32_t index;
} bpi_name;

typedef struct bpi_place {
  const char *file; /* copied */
  uint32_t index;
  int line;
} bpi_place;

struct bp_graph {
#ifdef BPI_DEBUG
  bp_graph *next_live;
#endif
  bp_ctx *ctx;
  bpi_arena arena;
  bpi_node *nodes; /* nodes[0] is the error node */
  size_t count, cap;
  uint32_t *table; /* interning: open addressing, indices of heads, 0 is empty */
  size_t table_cap, table_used;
  bpi_name *names;
  size_t n_names, names_cap;
  uint32_t *name_table; /* open addressing by name: number of the name + 1 */
  size_t name_table_cap;
  bpi_place *places; /* ascending by index */
  size_t n_places, places_cap;
  bp_fn **fns; /* functions that nodes use, counted */
  size_t n_fns, fns_cap;
  const bp_type *last_type; /* small cache for sharing types */
  bp_state *state;          /* the one state that `read` nodes mean */
  uint64_t next_stream;     /* of random nodes */
  uint32_t next_serial;
  bp_status status; /* the first error, */
  char *message;    /* and its message */
  bool message_placed;
  size_t n_inlined; /* functions whose parts got names here */
  bool name_parts;  /* parts of functions put in here are named after their function: "f.z" */
  bool closed; /* the body of a function: it gets no more nodes, so no function can come to call itself */
};

/* A function: a graph with chosen inputs and outputs. */
struct bp_fn {
  bp_graph *body;
  char *name;
  bp_node *inputs, *outputs;
  size_t n_inputs, n_outputs;
  size_t count;
  uint64_t weight; /* nodes that a call stands for, where that was counted */
  bool random;     /* some node in it draws, or in a function that it calls */
  bool streamed;   /* its random nodes have streams that no other function has: see scan */
  /* Derived functions (gradient, tangent), made once: so that equal derivatives are equal nodes. */
  struct bpi_derived *derived;
  size_t n_derived, derived_cap;
};

typedef struct bpi_derived {
  int kind;       /* of the deriver's choosing */
  uint64_t *mask; /* which inputs and outputs take part */
  size_t n_mask;
  bp_fn *fn;
} bpi_derived;

/* bp_fn_new, with a status. */
bp_status bpi_fn_make(const char *name, bp_graph *body, const bp_node *inputs, size_t n_inputs,
                      const bp_node *outputs, size_t n_outputs, bp_fn **fn);
bp_fn *bpi_fn_keep(bp_fn *fn);
/* The body of fn as nodes of g, on these arguments. Random nodes in it get streams of their own for each `stream`. */
bp_status bpi_fn_inline(bp_fn *fn, bp_graph *g, const bp_node *args, uint32_t stream, bp_node *results);
bool bpi_fn_random(const bp_fn *fn);
/* fn with streams of its own for `stream`; kept by fn. NULL when out of memory. */
bp_fn *bpi_fn_restreamed(bp_fn *fn, uint32_t stream);
/* Streams of the random nodes that a graph's builders make lie below; those derived from them above. */
#define BPI_OWN_STREAMS 0x80000000u
bp_fn *bpi_fn_derived(bp_fn *fn, int kind, const uint64_t *mask, size_t n_mask);
/* Hands `made` over to fn's cache (also on failure: then it is freed and NULL comes back). */
bp_fn *bpi_fn_remember(bp_fn *fn, int kind, const uint64_t *mask, size_t n_mask, bp_fn *made);

/* Whether a graph was not freed yet: known in debug builds (live.c), taken for granted in others. */
#ifdef BPI_DEBUG
void bpi_graph_born(bp_graph *g);
void bpi_graph_died(bp_graph *g);
bool bpi_graph_alive(const bp_graph *g);
#else
static inline void bpi_graph_born(bp_graph *g)
{
  (void)g;
}
static inline void bpi_graph_died(bp_graph *g)
{
  (void)g;
}
static inline bool bpi_graph_alive(const bp_graph *g)
{
  (void)g;
  return true;
}
#endif

/* The slot of a live handle; NULL for an error node or a stale handle. */
const bpi_node *bpi_slot(bp_node n);
bp_node bpi_handle(bp_graph *g, uint32_t index);
/* A failure was recorded whose message there was no memory for. */
bool bpi_graph_speechless(const bp_graph *g);
/* The error node; records the failure as the graph's first one unless there is one. */
bp_node bpi_node_fail(bp_graph *g, bp_status s, const char *fmt, ...) BP_PRINTF(3, 4);
bp_status bpi_graph_fail(bp_graph *g, bp_status s, const char *fmt, ...) BP_PRINTF(3, 4);
/* Puts words and a colon before the message of the graph's error, if it has one. */
void bpi_graph_reword(bp_graph *g, const char *fmt, ...) BP_PRINTF(2, 3);
static inline bp_node bpi_error_node(bp_graph *g)
{
  return (bp_node){g, 0, 0};
}
/* How a node is called in messages: its name, or "add#12". Writes at most n bytes. */
const char *bpi_node_label(const bp_graph *g, uint32_t index, char *buf, size_t n);
/* The call of a head slot, as rules see it. The arrays live in `room`. */
typedef struct bpi_call_room {
  bp_node *x;
  bp_type *x_type, *y_type;
  bp_node few_x[4];
  bp_type few_types[6];
  bpi_arena arena; /* when there are more */
} bpi_call_room;
bp_status bpi_call_of(bp_graph *g, uint32_t head, bpi_call_room *room, bp_op_call *call);
void bpi_call_done(bpi_call_room *room);
/* One attribute as text. */
void bpi_text_attr(bpi_text *t, const bp_attr_def *def, const bp_attr *a);
int bpi_op_n_attrs(const bp_op *op);
bool bpi_same_attr(bp_attr_kind kind, const bp_attr *a, const bp_attr *b);
/* Of a row, attributes and inputs; never 0. Equal calls have equal hashes within a run of the program. */
uint32_t bpi_hash_call(const bp_op *op, const bp_attr *attr, int n_attr, const bp_node *x, size_t n_in);
/* An input without a name, for a value that what is made with it will not depend on in the end (src/ops/leaf.c). */
bp_node bpi_placeholder(bp_graph *g, const bp_type *t);
/* Drops the names of slots from `mark`. */
void bpi_names_drop(bp_graph *g, uint32_t mark);
bool bpi_name_taken(const bp_graph *g, const char *name);
/* True if the value depends on constants alone. */
bool bpi_is_fixed(bp_node n);
/* If the node is a constant with all elements equal, its value. */
bool bpi_splat(bp_node n, double *value);

#endif
