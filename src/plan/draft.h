/* A plan while it is being made. The stages, in order:
 *
 *   rewrite   the nodes that are needed, in a graph of our own: bundles expanded, nodes that do nothing dropped
 *   blocks    chains of layers over a batch become loops over blocks of it (within rewrite)
 *   values    nodes become roots (rooms for arrays), references to them, and instructions; constants are computed
 *   distribute  elementwise work on a concatenation is cut where its parts meet
 *   join      parts of concatenations get their room inside the result
 *   fuse      groups of elementwise instructions become tile programs
 *   epilogue  tile programs run at the end of the products that make their inputs
 *   order     a schedule; which new values of state are written in place
 *   batch     equal steps over single elements side by side
 *   place     lifetimes, writing over dying inputs, offsets
 *   lower     the plan
 *
 * A value that a view gives is a reference to the room of another. No stage recurses on the depth of the graph. */
#ifndef BPI_DRAFT_H
#define BPI_DRAFT_H

#include "plan/plan.h"

/* How the elements of a reference lie: one after another; one element for all; in any other way. */
typedef enum bpi_form { BPI_FULL, BPI_SPLAT, BPI_STRIDED } bpi_form;

typedef struct bpi_ref {
  uint32_t root; /* 0: none */
  uint8_t form;
  int64_t offset; /* elements */
  const bp_type *type;
  const int64_t *strides; /* BPI_STRIDED; else NULL */
} bpi_ref;

typedef struct bpi_root {
  uint8_t segment, dtype;
  bool keep;    /* an output: lives until the next run */
  bool joined;  /* some parts of it are computed in their place */
  bool claimed; /* a value that an update wants to write straight into its entry */
  uint32_t index;
  int64_t size;
  size_t bytes;
  void *data;      /* of constants */
  uint32_t def;    /* instruction that makes it */
  uint32_t parent; /* the concatenation that it is a part of */
  size_t parent_offset;
  uint32_t readers, reader_xor; /* instructions that have yet to read it */
  uint32_t first, last;         /* positions in the order */
  size_t offset;
  uint32_t mark, mark_at; /* scratch of the stage at work */
} bpi_root;

typedef struct bpi_ins {
  uint8_t kind;
  bool may_fail, dead;
  bool early;    /* the guard, or what may fail, depends on it */
  bool tail;     /* a sum that is made in the tile program of its group */
  uint32_t head; /* slot in the rewritten graph */
  uint32_t n_in, n_out;
  uint32_t n_row;   /* inputs of the row itself, where a tile program runs at its end; else 0 */
  uint32_t in, out; /* first of refs, of results */
  int64_t n;
  uint32_t level, group;
  uint32_t position;
  bpi_loop loop;
  bpi_tile *tile;
  bpi_scan *scan;
} bpi_ins;

/* A new value of an entry, or of elements [at, at + size) of it. */
typedef struct bpi_draft_update {
  uint32_t entry;
  uint32_t root;    /* of the entry */
  uint32_t value;   /* room of the new value */
  uint32_t ins;     /* the copy that commits it; dead when written directly */
  uint32_t next;    /* the next update, + 1, that the same instruction writes directly */
  uint32_t sibling; /* the next, + 1, of the same entry that is written directly */
  uint32_t waits;   /* instructions that have yet to read the old value */
  int64_t at, size; /* elements */
  bool direct;
} bpi_draft_update;

typedef struct bpi_draft {
  bp_ctx *ctx;
  bpi_arena arena;
  bp_plan *plan;
  const bp_plan_options *o;
  bpi_tuning tuning;
  int depth; /* of functions within functions */
  bool wide; /* reals are float64 */

  bp_graph *from;        /* as given */
  const bp_node *params; /* of a function: its inputs, in order */
  size_t n_params;
  bp_graph *h;      /* rewritten; owned unless it is `from` */
  uint32_t *origin; /* of each of its slots: the slot in `from` */
  size_t origin_cap;
  bp_node *wanted; /* in h: outputs, updates' values, guards */
  size_t n_wanted;
  uint8_t *need; /* of each slot of h */

  bpi_ref *at;       /* of each slot of h */
  uint32_t *copy_of; /* a contiguous copy of it, or 0 */
  bpi_root *roots;
  size_t n_roots, roots_cap;
  bpi_ref *refs;
  size_t n_refs, refs_cap;
  uint32_t *results;
  size_t n_results, results_cap;
  bpi_ins *ins; /* ins[0] is none */
  size_t n_ins, ins_cap;
  uint32_t guard; /* instruction */

  bpi_ref *outputs;
  bpi_draft_update *updates;
  size_t n_updates;
  uint32_t *entry_root; /* of each entry of the state */
  const bp_type **entry_type;
  size_t n_entry_root;
  uint32_t *input_root; /* of each input of the plan */

  uint32_t *order; /* instructions */
  size_t n_order;
  size_t first_commit; /* position */
  uint32_t *
      run; /* of each position: the run it is in, or 0; its members follow one another. NULL: there are none */
  uint32_t *step;    /* of each position in a run: number of its step */
  uint32_t *batched; /* room of the order then */
  bpi_scalar_step *steps;
  size_t n_steps, steps_cap;
} bpi_draft;

static inline bool bpi_pass_on(const bpi_draft *d, bp_pass pass)
{
  return !(d->plan->passes_off & (1u << pass));
}
static inline bool bpi_faulty(const bpi_draft *d, bpi_fault f)
{
  return d->tuning.fault == f;
}
/* Room of a value in the end: that of the join it is a part of. */
static inline uint32_t bpi_top(const bpi_draft *d, uint32_t root)
{
  while (d->roots[root].parent)
    root = d->roots[root].parent;
  return root;
}

/* Chains of nodes that go through a batch block by block, noted at their last one: entries of a block, or 0, and members. */
typedef struct bpi_blocks {
  int64_t *size;
  uint8_t *members;
} bpi_blocks;

/* Stages. */
bp_status bpi_rewrite(bpi_draft *d);
bp_status bpi_make_values(bpi_draft *d);
void bpi_join_parts(bpi_draft *d);
bp_status bpi_distribute(bpi_draft *d);
bp_status bpi_fuse(bpi_draft *d);
bp_status bpi_end_products(bpi_draft *d);
bp_status bpi_order(bpi_draft *d);
bp_status bpi_batch(bpi_draft *d);
bp_status bpi_place_values(bpi_draft *d);
bp_status bpi_lower(bpi_draft *d);

/* The chains of d->h; any: there are some. */
bp_status bpi_find_blocks(bpi_draft *d, bpi_blocks *found, bool *any);
/* The loop in `to` that stands for the chain of d->h that ends at `tail`. map: slots of d->h in `to`. */
bp_status bpi_loop_blocks(bpi_draft *d, const bpi_blocks *blocks, bp_graph *to, const uint32_t *map,
                          uint32_t tail, bp_node *result);
/* Marks in d->need what the wanted nodes need. */
bp_status bpi_mark_needed(bpi_draft *d);
/* Names and places of nodes, for messages. */
bp_status bpi_keep_sources(bpi_draft *d);

/* Live instructions that read each room: those of root i are list[first[i]] to list[first[i + 1]], each once. */
typedef struct bpi_readers {
  uint32_t *first, *list;
} bpi_readers;
bool bpi_readers_find(bpi_draft *d, bpi_readers *r);

/* Shared by stages. 0 and NULL: out of memory. */
uint32_t bpi_root_new(bpi_draft *d, bpi_segment segment, bp_dtype dtype, int64_t size);
uint32_t bpi_ins_new(bpi_draft *d, bpi_kind kind, uint32_t head, const bpi_ref *in, size_t n_in,
                     const uint32_t *out, size_t n_out);
/* A contiguous reference to the value of a slot; makes a copy where there is none. */
bp_status bpi_whole(bpi_draft *d, uint32_t slot, bpi_ref *out);
/* The same for a loose reference. */
bp_status bpi_copied(bpi_draft *d, uint32_t head, const bpi_ref *r, bpi_ref *out);
/* True if an instruction's kernel hands over its result region by region, so that a tile program can run at its end. */
bool bpi_has_end(const bpi_draft *d, const bpi_ins *ins);
/* True if result k of an instruction may be written over elements [at, at + its size) of the room `root`, as far as its own reading goes. */
bool bpi_overwrites(const bpi_draft *d, const bpi_ins *ins, uint32_t k, uint32_t root, int64_t at);
/* Strides of a reference, in room where they are not stored. */
const int64_t *bpi_ref_strides(const bpi_ref *r, int64_t *room);
bpi_ref bpi_full_ref(uint32_t root, const bp_type *type);
/* What a kernel will see, without addresses; room: BP_MAX_RANK strides. */
bp_array bpi_ref_array(const bpi_draft *d, const bpi_ref *r, int64_t *room);
/* A kernel call without addresses, in the draft's arena. */
bp_kernel_call *bpi_dry_call(bpi_draft *d, const bpi_ins *ins);
/* Real attributes of a row in order, in the plan's memory; *p NULL where it has none. */
bp_status bpi_real_params(bpi_draft *d, const bpi_node *v, const double **p);
/* Orders the instructions of a tile program, which stand in an order that will do; number: zeros, of each instruction, that calls for other programs may have
 * written to. */
bp_status bpi_order_steps(bpi_draft *d, uint32_t *number, uint32_t *members, size_t n);
/* Finds the relays of a tile program whose steps are made. */
bp_status bpi_find_relays(bpi_draft *d, bpi_tile *tile);
/* Whether an instruction can be part of a tile program at all, and of the same one as the maker of what it reads. */
bool bpi_may_fuse(const bpi_draft *d, const bpi_ins *ins);
/* A reference to the whole of a room as it lies. */
bool bpi_is_plain(const bpi_draft *d, const bpi_ref *r);
bool bpi_can_join(const bpi_draft *d, const bpi_ins *ins, const bpi_ref *r);
/* Moves instructions to higher levels, see sink.c. */
bp_status bpi_sink(bpi_draft *d);
/* A copy of a node's attributes in the plan's memory. */
bp_status bpi_keep_attributes(bpi_draft *d, const bpi_node *v, const bp_attr **out);
/* Runs an instruction whose inputs are constants; its results become constants. False: leave it to the run. */
bool bpi_fold(bpi_draft *d, bpi_ins *ins);
/* Compiles; params: inputs of a function, or NULL. */
bp_status bpi_compile(bp_graph *g, const bp_node *params, size_t n_params, const bp_plan_options *o,
                      const bpi_tuning *t, int depth, bp_plan **plan);

#endif
