/* bprop: differentiable computing for C.                               MIT licence, see LICENSE.
 *
 * This header is the authority on how to call the library and how it fails.
 *
 * How it hangs together
 *   bp_ctx      memory, log, threads; the one thing that threads share
 *   bp_graph    pure nodes: WHAT is computed; gradients are more nodes of the same graph
 *   bp_state    the arrays that outlive a run: parameters, optimiser slots, counters
 *   bp_plan     a graph compiled: immutable, shared by threads
 *   bp_run      one thread's execution of a plan: bound inputs, block of memory, results
 *   bp_net      layers, loss and optimiser put together; bp_data feeds it
 *
 * Conventions
 *   Arrays are row-major. Dims are int64_t; rank is 0 (a scalar, shape []) to BP_MAX_RANK.
 *   A function that can fail returns bp_status (or NULL, or an error node); bp_error() then says
 *   what happened and what to do. The library never aborts, exits or prints.
 *   A pointer argument may not be NULL unless its comment says so; if it is, BP_E_ARG comes back.
 *   Objects are freed with their own _free function, which accepts NULL.
 */
#ifndef BPROP_H
#define BPROP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BP_VERSION_MAJOR 0
#define BP_VERSION_MINOR 1
#define BP_VERSION_PATCH 0
#define BP_VERSION       "0.1.0"

#if defined(__GNUC__)
#define BP_API             __attribute__((visibility("default")))
#define BP_PRINTF(fmt, va) __attribute__((format(printf, fmt, va)))
#else
#define BP_API
#define BP_PRINTF(fmt, va)
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ======================================================================================
 * Status
 * ====================================================================================== */

/** Every status there is: X(name, meaning). Names and meanings come from this list alone. */
#define BP_STATUS_LIST(X)                                            \
  X(OK, "success")                                                   \
  X(E_NOMEM, "out of memory")                                        \
  X(E_ARG, "an argument is missing or out of its range")             \
  X(E_SHAPE, "shapes do not fit")                                    \
  X(E_DTYPE, "element types do not fit")                             \
  X(E_RANGE, "an index or label is out of range")                    \
  X(E_LIMIT, "a size is past what can be represented or allowed")    \
  X(E_GRAPH, "a node is stale, or nodes belong to different graphs") \
  X(E_UNBOUND, "an input was never bound")                           \
  X(E_ORDER, "called before what it needs was done")                 \
  X(E_NOTFINITE, "NaN or infinity where a finite number is needed")  \
  X(E_NOTFOUND, "no such name, file or column")                      \
  X(E_EXISTS, "the name is taken")                                   \
  X(E_IO, "reading or writing failed")                               \
  X(E_FORMAT, "the file is malformed")                               \
  X(E_PARSE, "the text cannot be parsed")                            \
  X(E_MISMATCH, "model, state or data do not belong together")       \
  X(E_UNSUPPORTED, "not supported by this build or version")         \
  X(E_STOPPED, "stopped by the caller")                              \
  X(E_CHECK, "a check found a mistake")                              \
  X(E_INTERNAL, "a mistake inside bprop; please report it")

typedef enum bp_status {
#define BP_STATUS_ENUM(name, text) BP_##name,
  BP_STATUS_LIST(BP_STATUS_ENUM)
#undef BP_STATUS_ENUM
      BP_STATUS_COUNT
} bp_status;

/** "BP_E_SHAPE" and so on; "BP_E_?" for a number that is no status. Never NULL; static storage. */
BP_API const char *bp_status_name(bp_status s);
/** The meaning of a status in words. Never NULL; static storage. */
BP_API const char *bp_status_text(bp_status s);
/** Version of the library linked, "0.1.0". Static storage. */
BP_API const char *bp_version(void);

/** Message of the last call that failed in the calling thread: what, where, what to do. Never NULL;
 *  "" when none failed. Valid until the next failing call of this thread. */
BP_API const char *bp_error(void);

/* ======================================================================================
 * Context
 * ====================================================================================== */

typedef struct bp_ctx bp_ctx;

/** Memory for everything: realloc-like. (NULL, n) allocates, (p, 0) frees and returns NULL.
 *  Must return storage aligned as malloc does, and be callable from several threads. */
typedef void *(*bp_alloc_fn)(void *user, void *ptr, size_t size);

typedef enum bp_log_level {
  BP_LOG_OFF,
  BP_LOG_ERROR,
  BP_LOG_WARN,
  BP_LOG_INFO,
  BP_LOG_DEBUG,
  BP_LOG_TRACE
} bp_log_level;
/** A line of log, without newline. May be called from any thread. */
typedef void (*bp_log_fn)(void *user, bp_log_level level, const char *line);

/** Instruction sets that kernels are built for. BP_ISA_BEST is the best one that this machine has. */
typedef enum bp_isa {
  BP_ISA_BASE,
  BP_ISA_AVX2,
  BP_ISA_AVX512,
  BP_ISA_NEON,
  BP_ISA_COUNT,
  BP_ISA_BEST = BP_ISA_COUNT
} bp_isa;

/** Whether plans are compiled to machine code by the compiler of the system (cc), where there is one.
 *  Compiled code gives the bits of the interpreter: what it does the first time is compared, and code that differs is not used. Without a
 *  compiler, or when it fails, plans stay interpreted and the log says so (BP_LOG_INFO). See docs/architecture.md. */
typedef enum bp_jit {
  BP_JIT_OFF,  /**< no; nothing is started or written */
  BP_JIT_AUTO, /**< plans that have run for half a second or so, in the background; runs go on meanwhile */
  BP_JIT_WAIT /**< every plan, when its first run is made (bp_run_new), which waits for it, as do runs made meanwhile: for benchmarks and tests */
} bp_jit;

typedef struct bp_ctx_options {
  bp_alloc_fn alloc; /**< NULL: malloc, realloc, free */
  void *alloc_user;
  bp_log_fn log; /**< NULL: no log */
  void *log_user;
  bp_log_level log_level;
  int threads; /**< most threads a run may use; 0: 1. No thread is started before one is needed. bp_processors(): all there are. */
  bool limit_isa; /**< true: use `isa` below, or the base where the machine lacks it */
  bp_isa isa;
  uint32_t
      passes_off; /**< of every plan made in the context: bit BP_PASS_x set: without that pass, see bp_passes_read */
  /** BP_JIT_OFF: as a library starts no other program and writes no file unasked. Compiling starts $CC, or cc, gcc or clang from PATH, with no
   *  shell, no open files and of the environment PATH and HOME alone, in the working directory, from a thread that takes no signals; the host
   *  sees SIGCHLD when it ends. CC, PATH, HOME, TMPDIR and XDG_CACHE_HOME are read by bp_run_new, at a plan's first run, in its thread. */
  bp_jit jit;
  /** Directory of compiled code, kept from run to run; made if need be. NULL: $XDG_CACHE_HOME/bprop or ~/.cache/bprop; "": none. What is
   *  in one that others may write to is not used. At most 256 files and 256 MB stay there, those used last. */
  const char *jit_cache;
} bp_ctx_options;

/** New context. @param options NULL for defaults (zeros). @return NULL when out of memory, or for negative threads or an
 *  unknown isa; more than 256 threads count as 256. */
BP_API bp_ctx *bp_ctx_new(const bp_ctx_options *options);
/** Frees the context and its threads. Every object made from it must have been freed before. */
BP_API void bp_ctx_free(bp_ctx *ctx);
/** Number of threads runs may use. */
BP_API int bp_ctx_threads(const bp_ctx *ctx);
/** Processors that this process may use, 1 to 256: those it may run on, or fewer where its control group (a container's limit, say) grants
 *  less time. Cost: some files are read, about 50 microseconds. No context uses more threads at once than this, whatever it was allowed. */
BP_API int bp_processors(void);
/** Instruction set in use. */
BP_API bp_isa bp_ctx_isa(const bp_ctx *ctx);
/** "base", "avx2", "avx512", "neon". */
BP_API const char *bp_isa_name(bp_isa isa);

/* ======================================================================================
 * Types of arrays
 * ====================================================================================== */

#define BP_MAX_RANK    8
#define BP_MAX_ATTRS   6
#define BP_MAX_RESULTS 64

/** Element types. A node is REAL, INT64 or BOOL; the plan chooses FLOAT32 or FLOAT64 for REAL.
 *  A bool is one byte, 0 or 1. */
typedef enum bp_dtype {
  BP_NONE,
  BP_REAL,
  BP_INT64,
  BP_BOOL,
  BP_FLOAT32,
  BP_FLOAT64,
  BP_DTYPE_COUNT
} bp_dtype;

/** "real", "int64", "bool", "float32", "float64". */
BP_API const char *bp_dtype_name(bp_dtype t);
/** Bytes of one element; 0 for BP_REAL and BP_NONE, which have no storage. */
BP_API size_t bp_dtype_size(bp_dtype t);

typedef struct bp_type {
  bp_dtype dtype;
  int rank;
  int64_t dims[BP_MAX_RANK];
} bp_type;

/* ======================================================================================
 * Graph and nodes
 * ====================================================================================== */

typedef struct bp_graph bp_graph;

/** A value in a graph: a handle, copied freely. The same operation on the same inputs is the same node.
 *  A bad call returns the error node of the graph; calls on error nodes return error nodes, so that a whole
 *  model needs one check, of bp_graph_status(). A stale handle (rolled back) is found by its serial number. */
typedef struct bp_node {
  bp_graph *graph;
  uint32_t index; /**< 0: the error node */
  uint32_t serial;
} bp_node;

/** New empty graph. @return NULL when out of memory. A graph belongs to one thread at a time. */
BP_API bp_graph *bp_graph_new(bp_ctx *ctx);
BP_API void bp_graph_free(bp_graph *g);
BP_API bp_ctx *bp_graph_ctx(const bp_graph *g);
/** Status of the FIRST call that failed since the last bp_graph_clear or rollback. */
BP_API bp_status bp_graph_status(const bp_graph *g);
/** Its message: what, which node, the caller's file and line. "" when none failed. */
BP_API const char *bp_graph_error(const bp_graph *g);
/** Forgets the first error. */
BP_API void bp_graph_clear(bp_graph *g);
/** Number of values in the graph: a mark for rollback. */
BP_API uint32_t bp_graph_mark(const bp_graph *g);
/** Removes every node made since the mark, and the error. Their handles become stale. */
BP_API bp_status bp_graph_rollback(bp_graph *g, uint32_t mark);
/** Writes the graph as readable text, one line a node. @param text Out: NUL-terminated, freed with bp_free. */
BP_API bp_status bp_graph_print(const bp_graph *g, char **text);
/** Frees text and arrays that the library handed over. */
BP_API void bp_free(bp_ctx *ctx, void *p);

/** True for an error node or a stale handle. */
BP_API bool bp_failed(bp_node n);
/** Type of a node. @return BP_E_GRAPH for an error node or stale handle. */
BP_API bp_status bp_node_type(bp_node n, bp_type *type);
/** Number of elements; 0 for an error node. */
BP_API int64_t bp_node_size(bp_node n);
/** Gives a node a name, for messages, pictures and reading results. Several names may mean one node; a name
 *  means one node. @return n, or the error node if the name is taken by another. */
BP_API bp_node bp_name(bp_node n, const char *name);
/** The node of that name, or the error node (the graph keeps BP_E_NOTFOUND). */
BP_API bp_node bp_find(bp_graph *g, const char *name);
/** First name of a node, or NULL. Valid while the graph lives. */
BP_API const char *bp_node_name(bp_node n);
/** Remembers where a node was built (used by the macros of the builders below). @return n. */
BP_API bp_node bp_here(bp_node n, const char *file, int line);

/** A value that the caller binds before each run. @param name Unique among inputs, not NULL. */
BP_API bp_node bp_input(bp_graph *g, const char *name, bp_dtype dtype, int rank, const int64_t *dims);
/** A real scalar constant. */
BP_API bp_node bp_constant(bp_graph *g, double value);
/** An int64 scalar constant. */
BP_API bp_node bp_constant_int(bp_graph *g, int64_t value);
/** A constant of any shape, every element `value`; stored once. dtype: BP_REAL, BP_INT64 (whole
 *  numbers only, else BP_E_RANGE) or BP_BOOL (what is not 0 is true). */
BP_API bp_node bp_full(bp_graph *g, bp_dtype dtype, double value, int rank, const int64_t *dims);
/** A constant array; the data are copied: double for BP_REAL, int64_t for BP_INT64, bytes for BP_BOOL. */
BP_API bp_node bp_array_constant(bp_graph *g, bp_dtype dtype, int rank, const int64_t *dims,
                                 const void *data);

/* ======================================================================================
 * Functions: graphs with inputs and outputs, used by call and scan
 * ====================================================================================== */

typedef struct bp_fn bp_fn;

/** Makes a function of a graph. Takes the graph over in every case, also when it fails.
 *  @param name     For printing; copied.
 *  @param inputs   Input nodes of the graph, all of them, in the order of the parameters.
 *  @param outputs  1 to BP_MAX_RESULTS nodes.
 *  @return NULL on error. Counted: free with bp_fn_free; graphs that use it keep their own count.
 *  A function and the graphs that use it belong to one thread at a time. */
BP_API bp_fn *bp_fn_new(const char *name, bp_graph *body, const bp_node *inputs, size_t n_inputs,
                        const bp_node *outputs, size_t n_outputs);
BP_API void bp_fn_free(bp_fn *fn);
/** Its name; "" for NULL. Lives as long as the function. */
BP_API const char *bp_fn_name(const bp_fn *fn);

/** Applies a function to nodes of g. @param results Out: one node an output of fn. */
BP_API bp_status bp_call(bp_fn *fn, const bp_node *args, size_t n_args, bp_node *results);

/** Loop over the first axis of the sequences xs, step by step:
 *    (carry', y_t) = fn(carry, x_t, constants)
 *  @param fn      Inputs: n_carry carries, n_xs slices, n_consts constants. Outputs: n_carry new carries, of the same
 *                 types, then any number of y.
 *  @param xs      Nodes of shape [T, ...]; x_t has that shape without T. n_xs ≥ 1, or length > 0 gives T.
 *                 Random nodes in it draw the same numbers in every step under the same key: let the key be an element of a sequence, or
 *                 count it up as a carry, where that is not wanted. Two loops never share a stream.
 *  @param reverse Steps from the last to the first; y_t stays at its t.
 *  @param results Out: n_carry final carries, then each y stacked to [T, ...].
 *  Gradients run the loop backwards (backpropagation through time, Werbos 1990). */
BP_API bp_status bp_scan(bp_fn *fn, const bp_node *carry, size_t n_carry, const bp_node *xs, size_t n_xs,
                         const bp_node *consts, size_t n_consts, int64_t length, bool reverse,
                         bp_node *results);

/* ======================================================================================
 * What an operation is: one row of the table
 * ====================================================================================== */

typedef struct bp_op bp_op;

/** Kinds of attribute. In C builders, BP_ATTR_INTS is two arguments: pointer and count. */
typedef enum bp_attr_kind {
  BP_ATTR_END,
  BP_ATTR_INT,   /**< .i */
  BP_ATTR_REAL,  /**< .r */
  BP_ATTR_BOOL,  /**< .i, 0 or 1 */
  BP_ATTR_INTS,  /**< .v[.n] */
  BP_ATTR_DTYPE, /**< .i, a bp_dtype */
  BP_ATTR_FN,    /**< .fn */
  BP_ATTR_DATA   /**< .v, .n bytes; internal rows */
} bp_attr_kind;

typedef struct bp_attr {
  union {
    int64_t i;
    double r;
    const int64_t *v;
    bp_fn *fn;
  };
  int64_t n;
} bp_attr;

typedef struct bp_attr_def {
  const char *name;
  bp_attr_kind kind;
  double preset; /**< default of INT, REAL, BOOL in the language; NAN: none */
} bp_attr_def;

/** How local Jacobian d(result)/d(input) is filled; entry (i, j) is d result[i] / d input[j], row-major indices. */
typedef enum bp_jac {
  BP_JAC_ZERO,
  BP_JAC_IDENTITY,
  BP_JAC_SCALED,      /**< a number times the identity */
  BP_JAC_DIAGONAL,    /**< never stored as a matrix */
  BP_JAC_SELECT,      /**< at most one nonzero per row */
  BP_JAC_SPREAD,      /**< transpose of select: at most one nonzero per column */
  BP_JAC_PERMUTATION, /**< one 1 in every row and column */
  BP_JAC_BLOCK, /**< block-diagonal: equal blocks, each mapping a contiguous run of inputs to one of results */
  BP_JAC_SPARSE, /**< none of these, and entries are missing: a tridiagonal one, say. Of whole functions; no row states it */
  BP_JAC_DENSE
} bp_jac;

/** Which elements of one input reach which of a result, where this is a box with strides: for every point p of the box, result element
 *  y_at + sum of p[k] y[k] depends on input element x_at + sum of p[k] x[k]. An axis that is summed over has y stride 0, one along which
 *  an element is used again has x stride 0. Where the entry of the Jacobian is an element of another input, that is the factor: its element
 *  sum of p[k] w[k]. Matrix product a[m,k] b[k,n] by a: dims m, k, n; x k, 1, 0; y n, 0, 1; factor b, w 0, n, 1. */
#define BP_REACH_RANK (BP_MAX_RANK + 2)
typedef struct bp_reach {
  int rank;
  int64_t dims[BP_REACH_RANK];
  int64_t x[BP_REACH_RANK], y[BP_REACH_RANK], w[BP_REACH_RANK];
  int64_t x_at, y_at;
  int factor; /**< number of that input, counted from 1; 0: none */
} bp_reach;

/** Traits: what passes, printers and drawers may know about a row; they never ask its name. */
enum {
  BP_ELEMENTWISE = 1 << 0, /**< result[i] depends on input[i] alone; the builder broadcasts the inputs */
  BP_LINEAR = 1 << 1,      /**< jointly linear in its real inputs: jvp is the row itself on tangents */
  BP_MULTILINEAR = 1 << 2, /**< linear in each real input apart */
  BP_VIEW = 1 << 3,        /**< the result is the input seen through other dims and strides */
  BP_REDUCTION = 1 << 4,
  BP_COMMUTATIVE = 1 << 5,
  BP_RANDOM = 1 << 6,  /**< first attribute is a stream id, fresh at every builder call */
  BP_INPUT = 1 << 7,   /**< no inputs; the caller binds the value. Attributes: name (DATA), dtype, dims */
  BP_STATE = 1 << 8,   /**< no inputs; the value is an entry of the state. Attribute: entry */
  BP_STRIDED = 1 << 9, /**< the kernel takes inputs of any strides; others get contiguous ones */
  BP_NAN_STOPS =
      1 << 10,           /**< a NaN in an input need not reach the result (comparisons, where, gather, ...) */
  BP_INTERNAL = 1 << 11, /**< no builder in the language or the C list */
  BP_CONSTANT =
      1
      << 12, /**< no inputs. Attributes: dtype, dims, data: all elements (8 bytes each; 1 for bool), or one for all */
  BP_STOPS = 1 << 16, /**< lets no gradient through by decree, though its result does change with its input */
  BP_JOIN = 1 << 14,  /**< the result is the inputs one after another along the axis of the first attribute */
  BP_TOTAL = 1 << 15, /**< the kernel never fails; others run before any update is committed */
  BP_SPARING =
      1 << 19, /**< results that nobody reads have no data (NULL), and the kernel does not make them */
  BP_ENDED =
      1
      << 18, /**< internal: the kernel calls `finish` with each region of its result, which it need not store then */
  BP_APART =
      1
      << 20, /**< internal: entry i of the result along its first axis is made of entry i of input 0 alone, with the same bits in any
                  batch; other inputs serve all entries */
  BP_INDICATOR = 1 << 21, /**< every element of a result is 0 or 1, also for NaN */
  BP_ROUTER =
      1
      << 17, /**< each element of a result is one element of one input, which takes its whole gradient: max, min, where */
  BP_LOOP =
      1 << 13 /**< runs a function step by step, see bp_scan. Attributes: fn, n_carry, n_xs, length, reverse.
                              Results: final carries, stacked y, then the carries before each step, stacked */
};

/** A call of a row, as its rules see it. */
typedef struct bp_op_call {
  bp_graph *graph;
  const bp_op *op;
  int n_in;
  int n_out;
  const bp_node *x;      /**< inputs */
  const bp_type *x_type; /**< their types */
  const bp_attr *attr;   /**< attributes in the order of the row's definitions */
  bp_node y;             /**< first result (not in canon and shape) */
  const bp_type *y_type; /**< results' types (not in canon and shape) */
} bp_op_call;

/** An array as kernels see it. Strides are in elements and may be 0 (broadcast) or negative. */
typedef struct bp_array {
  void *data;
  const int64_t *dims;
  const int64_t *strides;
  int64_t size; /**< number of elements */
  bp_dtype dtype;
  int rank;
} bp_array;

#define BP_KERNEL_KEPT 192

/** What a kernel is called with. Results are contiguous. A kernel computes units [begin, end) of its
 *  row's `units`; what a unit writes depends on shapes alone, so any number of threads gives the same bits. */
typedef struct bp_kernel_call {
  const bp_array *in;
  const bp_array *out;
  const bp_attr *attr;
  const void *vec;    /**< internal: kernels of the instruction set in use */
  const void *params; /**< internal: what the compiler prepared */
  const void *finish; /**< internal: what is done with parts of the result while they are in the cache */
  void *scratch;      /**< per thread, of the row's `scratch` bytes, 64-byte aligned */
  void *
      kept; /**< BP_KERNEL_KEPT bytes of this call's own, 0 at first and left alone from run to run: for what follows from shapes,
                           so that it need not be worked out again. NULL: none */
  int64_t begin, end;
  int n_in, n_out;
  int64_t fail_at;      /**< on error: the offending index, */
  const char *fail_why; /**< and what is wrong with it, static text */
} bp_kernel_call;

typedef bp_status (*bp_kernel)(bp_kernel_call *c);
struct bpi_gemm;
struct bpi_reduction;

/** A scalar body, for every dtype and instruction set; made by the BODY macros of src/ops/family.h. */
typedef struct bp_body {
  const char *text; /**< the C expression, kept for export */
  int id;
} bp_body;

/** A point where the derivative is defined by decision: inputs and the slope for each. */
typedef struct bp_kink {
  double x[3];
  double slope[3];
} bp_kink;

/** One row of the operation table. A caller's own row, made at run time, is no different. Unused fields stay zero. */
struct bp_op {
  const char *name;
  const char *math; /**< formula */
  const char *
      symbol; /**< what circuits show in its gate, as "+", "×−1", "x²"; NULL: its name. One that is no word stands between operands. */
  const char *source; /**< paper or standard */
  const char *kink;   /**< behaviour at kinks and ties, in words; NULL where smooth */
  const char *args;   /**< names of inputs, "a, b"; "parts..." for any number from 1 */
  bp_attr_def attrs[BP_MAX_ATTRS];
  uint32_t traits;

  /** Fills in attributes that have defaults and brings them to one form (axes 0..rank-1, ascending), so that equal calls
   *  are the same node. May change attr through c->attr (cast); new lists come from bp_op_ints(). NULL: nothing to do. */
  bp_status (*canon)(bp_op_call *c, bp_attr *attr);
  /** Sets the number of results and their types. On error returns bp_op_fail(c, ...). */
  bp_status (*shape)(const bp_op_call *c, bp_type *out, int *n_out);

  /** Class of d result / d input. NULL: diagonal for elementwise rows, else dense. */
  bp_jac (*jacobian)(const bp_op_call *c, int input, int result);
  /** Where d result / d input has entries, for rows that neither their class nor a definition in simpler nodes says it of: a product,
   *  elements chosen by an index (all that may be). NULL, or false: patterns are found from class, view, expand and vjp. */
  bool (*reach)(const bp_op_call *c, int input, int result, bp_reach *r);
  /** Elementwise rows: d y / d x[input] as a node shaped like y; BP_NO_NODE where it is zero everywhere. */
  bp_node (*slope)(const bp_op_call *c, int input);
  /** Gradient for x[input]: upstream (one a result; BP_NO_NODE where absent) times local Jacobian, shaped like x[input]. */
  bp_node (*vjp)(const bp_op_call *c, const bp_node *up, int input);
  /** Tangents of the results from tangents of the inputs (BP_NO_NODE where absent). Only for a measured reason. */
  bp_status (*jvp)(const bp_op_call *c, const bp_node *tangent, bp_node *out);
  /** A bundle's definition in simpler nodes. A row with expand and no rules is differentiated through it. */
  bp_status (*expand)(const bp_op_call *c, bp_node *out);
  /** An equal node that costs less, bit for bit also for NaN, infinity and -0; BP_NO_NODE where there is none. */
  bp_node (*simplify)(const bp_op_call *c);
  bool zero; /**< no derivative: comparisons, argmax, floor, ... */

  const bp_body *body; /**< elementwise rows: the scalar expression */
  bp_kernel kernel;    /**< other rows; NULL with expand: the compiler expands */
  /** Views: strides and offset (elements) of the result in the input's memory; false where only a copy will do. NULL elsewhere. */
  bool (*view)(const bp_op_call *c, const int64_t *in_strides, int64_t *strides, int64_t *offset);
  /** Rows with BP_STRIDED: whether the kernel takes the strides of input i; NULL: any. */
  bool (*accepts)(const bp_kernel_call *c, int input);
  /** Independent units of work, and about how many nanoseconds one takes. NULL: 1 unit. */
  int64_t (*units)(const bp_kernel_call *c, double *ns);
  /** Floating-point operations of a call, for profiles. NULL: one for each element of the first input or result, whichever has more. */
  double (*flops)(const bp_kernel_call *c);
  size_t (*scratch)(const bp_kernel_call *c); /**< bytes per thread */
  /** Internal: rows that are one matrix product, of inputs 0 and 1, plus input 2 where there are three, say which, without addresses; false
   *  where it is several. */
  bool (*product)(const bp_kernel_call *c, struct bpi_gemm *g);
  /** Internal: rows that are one reduction say which; false where it is none of contiguous elements. */
  bool (*reduction)(const bp_kernel_call *c, struct bpi_reduction *r);
  uint32_t overwrites; /**< bit i: the first result may be written over x[i] (same size, contiguous) */

  /** Example calls for the laws: "x[3,4] in -2..2 not 0, w[4]; axes=[1], keep=1". See src/check/example.h. */
  const char *examples[6];
  bp_fn *(*example_fn)(bp_ctx *ctx); /**< the function for an attribute of kind FN in the examples */
  const bp_kink *kinks;              /**< n_kinks of them */
  int n_kinks;
  double safe_lo, safe_hi; /**< inputs where the expansion is numerically equal; both 0: everywhere */
  double ulp32;            /**< float32 against float64: most ulps of the largest result; 0: 4 */
};

/** The absent node: what a rule returns for a derivative that is zero everywhere. */
#define BP_NO_NODE ((bp_node){0, 0, 0})
/** True for BP_NO_NODE. */
static inline bool bp_absent(bp_node n)
{
  return n.graph == NULL;
}

/** For rules: records a failure of this call. The message gets the operation's name and the shapes of its inputs. */
BP_API bp_status bp_op_fail(const bp_op_call *c, bp_status s, const char *fmt, ...) BP_PRINTF(3, 4);
/** For canon: storage for a list of n integers that lives as long as the graph. NULL when out of memory. */
BP_API int64_t *bp_op_ints(const bp_op_call *c, int64_t n);
/** Adds a node of any row. @param attr One an attribute of the row, copied. @param results Out: all results.
 *  Elementwise rows get their inputs broadcast by NumPy's rules. @param g May be NULL if n_in > 0. */
BP_API bp_status bp_apply(bp_graph *g, const bp_op *op, const bp_node *x, size_t n_in, const bp_attr *attr,
                          bp_node *results);

/** The row of a node, and its attributes (may be NULL), one for each definition of the row. NULL for an error node. They live as the graph does. */
BP_API const bp_op *bp_node_op(bp_node n, const bp_attr **attr);

/** The rows that come with the library, in the order of their names. */
BP_API size_t bp_op_count(void);
BP_API const bp_op *bp_op_at(size_t i);
/** A row by name, or NULL. */
BP_API const bp_op *bp_op_find(const char *name);
/** Class of d result / d input in the row's example call number `example`, for whoever describes a row. Inputs are counted as the example
 *  has them. @return BP_OK; BP_E_RANGE: there is no such example, input or result, or one of them is not real; BP_E_NOMEM. */
BP_API bp_status bp_op_jacobian(bp_ctx *ctx, const bp_op *op, int example, int input, int result,
                                bp_jac *jac);

/* ======================================================================================
 * Differentiation: from graph to graph
 * ====================================================================================== */

/** Gradient of a scalar with respect to n nodes, as new nodes of the same graph.
 *
 *  @param loss   Real node of shape [].
 *  @param wrt    n real nodes; one that loss does not depend on gets zeros of its shape.
 *  @param grads  Out: n nodes, grads[i] shaped like wrt[i]; units of loss per unit of wrt[i].
 *  @return BP_OK; BP_E_SHAPE if loss has more than one element; BP_E_DTYPE for an integer; BP_E_GRAPH if the
 *          nodes are of different graphs; BP_E_NOMEM. On error the graph is as it was, and bp_error() names the node.
 *  Cost: adds, per node between wrt and loss, what that node's row declares; runs nothing.
 *  Source: Griewank & Walther, Evaluating Derivatives (2008), ch. 3. */
BP_API bp_status bp_grad(bp_node loss, const bp_node *wrt, size_t n, bp_node *grads);

/** Vector-Jacobian product: as bp_grad, of n_y nodes y of any shape with upstream gradients up[i] shaped like y[i]. */
BP_API bp_status bp_vjp(const bp_node *y, const bp_node *up, size_t n_y, const bp_node *wrt, size_t n,
                        bp_node *grads);

/** Jacobian-vector product (forward mode): tangents of y for tangents of x.
 *  @param x        n_x real nodes, and tangents shaped like them.
 *  @param out      Out: n_y nodes shaped like y[i]; zeros where y[i] does not depend on x.
 *  Same errors and source as bp_grad. */
BP_API bp_status bp_jvp(const bp_node *y, size_t n_y, const bp_node *x, const bp_node *tangent, size_t n_x,
                        bp_node *out);

/* ======================================================================================
 * State, plan, run
 * ====================================================================================== */

typedef struct bp_state bp_state;

/** Arrays that outlive a run. Made once, before any plan, and shared by the plans that train, evaluate and predict.
 *  @param real BP_FLOAT32 or BP_FLOAT64: storage of its real entries. @return NULL on error. */
BP_API bp_state *bp_state_new(bp_ctx *ctx, bp_dtype real);
BP_API void bp_state_free(bp_state *s);
/** Adds an array, zeros at first. @param dtype BP_REAL or BP_INT64. @param entry Out: its number. BP_E_EXISTS, BP_E_LIMIT, BP_E_NOMEM. */
BP_API bp_status bp_state_add(bp_state *s, const char *name, bp_dtype dtype, int rank, const int64_t *dims,
                              int *entry);
BP_API int bp_state_count(const bp_state *s);
/** Number of the entry of that name, or -1. */
BP_API int bp_state_find(const bp_state *s, const char *name);
/** The array of an entry: data in the state's own storage (float, double or int64_t), 64-byte aligned; type as added (BP_REAL or
 *  BP_INT64). Any of the last three may be NULL. Addresses never change. */
BP_API bp_status bp_state_array(bp_state *s, int entry, const char **name, bp_type *type, void **data);
/** Storage of its reals. */
BP_API bp_dtype bp_state_real(const bp_state *s);

/** The value an entry had before the step, as a node. A graph reads one state only. */
BP_API bp_node bp_read(bp_graph *g, bp_state *s, int entry);

/** After a successful run, `entry` gets the value of `value`. */
typedef struct bp_update {
  int entry;
  bp_node value;
} bp_update;

/** Passes of the compiler, for switching off. */
#define BP_PASS_LIST(X)                                                    \
  X(simplify, "fold constants, drop what does nothing")                    \
  X(views, "reshape, transpose, slice, broadcast without copying")         \
  X(distribute, "elementwise work on a concatenation done part by part")   \
  X(blocks, "layers over a batch done block by block")                     \
  X(fuse, "trees of elementwise nodes as one pass over cache-sized tiles") \
  X(epilogue, "elementwise work at the end of the product before it")      \
  X(order, "updates as soon as their readers are done")                    \
  X(reuse, "memory of dead values used again")                             \
  X(inplace, "results written over dying inputs")                          \
  X(concat, "parts of a concatenation computed in their place")            \
  X(commit, "new values of state written straight into it")                \
  X(scalars, "equal steps over single elements in one run")

typedef enum bp_pass {
#define BP_PASS_ENUM(name, text) BP_PASS_##name,
  BP_PASS_LIST(BP_PASS_ENUM)
#undef BP_PASS_ENUM
      BP_PASS_COUNT
} bp_pass;

/** Reads which passes are on from text: "all" or "none", then names of BP_PASS_LIST to add or, with a minus before it, to take away, by
 *  commas: "all,-fuse", "none,views". A list that begins with a name taken away begins with all, one that begins with a name added, with none;
 *  "" is all.
 *  @param off Out: bits for `passes_off`. @return BP_OK; BP_E_ARG for an unknown name, with the list of those that there are. */
BP_API bp_status bp_passes_read(const char *text, uint32_t *off);
/** Name of a pass: "fuse"; "" for a number that is none. */
BP_API const char *bp_pass_name(bp_pass pass);

typedef struct bp_plan_options {
  bp_dtype real;          /**< BP_FLOAT32 or BP_FLOAT64 */
  const bp_node *outputs; /**< nodes that can be read after a run */
  size_t n_outputs;
  const bp_update *updates; /**< new values of state, committed together */
  size_t n_updates;
  const bp_node *guards; /**< real nodes that must be finite before any update is committed */
  size_t n_guards;
  uint32_t passes_off; /**< bit BP_PASS_x set: without that pass. For tests and for finding faults. */
} bp_plan_options;

typedef struct bp_plan bp_plan;

/** Compiles. The graph is only read and may be freed afterwards; the plan keeps what it needs.
 *  @param plan Out, NULL on error. @return BP_OK; BP_E_ARG (an entry updated twice), BP_E_DTYPE, BP_E_GRAPH, BP_E_RANGE and BP_E_SHAPE (an
 *  update that does not fit its entry), BP_E_MISMATCH (state's storage differs), BP_E_UNSUPPORTED (a row with neither kernel, body nor
 *  definition), BP_E_LIMIT, BP_E_NOMEM; or the first error of the graph. Rows made by the caller must outlive the plan.
 *  Cost: linear in the nodes that are needed. */
BP_API bp_status bp_plan_new(bp_graph *g, const bp_plan_options *o, bp_plan **plan);
BP_API void bp_plan_free(bp_plan *p);
/** The plan as readable text: instructions, operands, offsets. Freed with bp_free. */
BP_API bp_status bp_plan_print(const bp_plan *p, char **text);
/** The plan as C, as it is given to the compiler of the system (bp_jit): tile programs and runs of small instructions as functions; what
 *  they lack is interpreted. It includes no header, holds no name of the graph's, and numbers in it are exact. Of loops inside the plan only
 *  the instruction is left out, see bp_plan_print. Freed with bp_free. @return BP_OK, BP_E_NOMEM. Cost: linear in the instructions. */
BP_API bp_status bp_plan_c(const bp_plan *p, char **text);
/** Number of instructions, and bytes of the block that a run needs. Either may be NULL. */
BP_API void bp_plan_size(const bp_plan *p, size_t *instructions, size_t *bytes);

/** How far compiled code of a plan is (bp_jit). */
typedef enum bp_jit_state {
  BP_JIT_NONE, /**< the plan is interpreted, and will be: off, no compiler, nothing to gain, or other bits */
  BP_JIT_IDLE, /**< it has not run enough */
  BP_JIT_COMPILING, /**< in the background */
  BP_JIT_READY,     /**< loaded; the next runs check it */
  BP_JIT_USED       /**< checked, and used */
} bp_jit_state;
BP_API bp_jit_state bp_plan_jit(const bp_plan *p);

typedef struct bp_run bp_run;

/** One thread's execution of a plan. @param state The state the graph read, or another of the same layout; NULL where the plan neither
 *  reads nor updates any. The plan and state must outlive it. BP_E_MISMATCH if the state has other entries than the plan uses. */
BP_API bp_status bp_run_new(bp_plan *p, bp_state *state, bp_run **run);
BP_API void bp_run_free(bp_run *r);
/** Binds an input by name to the caller's memory, which is read at each run: float or double as the plan chose, int64_t, or bytes
 *  of 0 and 1; contiguous. @param bytes Its size, checked (BP_E_SHAPE). BP_E_NOTFOUND if the plan has no such input. */
BP_API bp_status bp_run_bind(bp_run *r, const char *input, const void *data, size_t bytes);
/** Number of an input, for bp_run_bind_at. BP_E_NOTFOUND. */
BP_API bp_status bp_run_input(bp_run *r, const char *input, size_t *number);
/** As bp_run_bind, without looking for a name: for loops that bind another row of their data before every step. Of the same plan, an input has
 *  the same number in every run. BP_E_SHAPE, BP_E_RANGE. Takes a few nanoseconds, and one more for each place where the plan reads it. */
BP_API bp_status bp_run_bind_at(bp_run *r, size_t number, const void *data, size_t bytes);
/** Runs. BP_E_UNBOUND; BP_E_RANGE for data out of range; BP_E_NOTFINITE if a guard is not finite: then no state has changed.
 *  Allocates nothing, takes no lock on the way. */
BP_API bp_status bp_run_step(bp_run *r);
/** Value of outputs[i] of the last run, contiguous, in the plan's storage (type->dtype is BP_FLOAT32, BP_FLOAT64, BP_INT64 or BP_BOOL);
 *  valid until the next run. Of an entry of the state, the value from before the step. BP_E_ORDER before the first run and after a failed one. */
BP_API bp_status bp_run_output(bp_run *r, size_t i, const void **data, bp_type *type);
/** Copies outputs[i] as doubles. @param n Number of elements expected (BP_E_SHAPE if another). */
BP_API bp_status bp_run_get(bp_run *r, size_t i, double *out, size_t n);

/* ======================================================================================
 * Profiles: where the time goes
 * ====================================================================================== */

#define BP_MEMORY_LEVELS 4

/** What this machine does at most. */
typedef struct bp_limits {
  int threads;
  double flops32, flops64; /**< floating-point operations a second, in registers: float32, float64 */
  double memory_bytes[BP_MEMORY_LEVELS]; /**< arrays of so many bytes in all ... */
  double memory_rate
      [BP_MEMORY_LEVELS]; /**< ... are read and written at so many bytes a second; the last is main memory */
} bp_limits;

/** Measures the limits with the context's instruction set, and with `threads` threads of its pool: multiply-adds that depend on nothing, and
 *  a = b + c over arrays of 24 kB to 96 MB. Takes about 0.1 s, and 96 MB meanwhile. Other work on the machine lowers what is found.
 *  @param threads 1 to bp_ctx_threads(ctx). @param limits Out. @return BP_OK; BP_E_ARG; BP_E_NOMEM. */
BP_API bp_status bp_limits_measure(bp_ctx *ctx, int threads, bp_limits *limits);

/** A profile: while it is there, every run of its context notes what each of its instructions takes. A context has at most one, and it is
 *  made and freed while nothing runs. It costs two readings of the clock an instruction; without a profile a run costs what it did.
 *  Compiled code (JIT) of whole plans is left aside meanwhile: what is seen is the plan's instructions one by one. */
typedef struct bp_profile bp_profile;

/** Zeros are the defaults in brackets. */
typedef struct bp_profile_options {
  const bp_limits *limits; /**< two: of one thread, and of all of the context's [measured now] */
  int64_t
      events; /**< executions of instructions to keep for bp_profile_trace; those after are counted alone [0] */
} bp_profile_options;

/** @return NULL on error: BP_E_ARG (the context has a profile), BP_E_NOMEM. It must be freed before its context; plans and runs may go before. */
BP_API bp_profile *bp_profile_new(bp_ctx *ctx, const bp_profile_options *options);
/** The profile of a context; NULL where it has none. */
BP_API bp_profile *bp_ctx_profile(const bp_ctx *ctx);
/** Ends noting; what was noted can still be read. */
BP_API void bp_profile_stop(bp_profile *p);
BP_API void bp_profile_free(bp_profile *p);

/** One instruction of one run. */
typedef struct bp_profile_row {
  const char *
      what; /**< the operation's name, "tile" (a fused tree), "copy", ...; lives as long as the profile, as `node` does */
  const char *node;   /**< the node it was made for, as messages name it */
  size_t plan;        /**< which run, counted from 1 in the order in which they were met */
  size_t instruction; /**< its number, as in bp_plan_print */
  int64_t calls;      /**< how often it was executed */
  double seconds;     /**< of all calls */
  double flops,
      bytes; /**< of one call: floating-point operations (a row says how many, see bp_op; a call of exp counts as one), and bytes
                            of its operands, each element once */
  int threads; /**< it may use */
  double
      floor; /**< seconds that one call must take on this machine: its operations at the peak or its bytes from memory that
                            holds so many, whichever is longer */
} bp_profile_row;

BP_API size_t bp_profile_count(const bp_profile *p);
/** @return BP_OK; BP_E_RANGE. */
BP_API bp_status bp_profile_at(const bp_profile *p, size_t i, bp_profile_row *row);
/** A table for each run: time, share of the run, GFLOP/s, GB/s and share of the limit (floor / time; over 100 % where operands lie in a
 *  faster cache than their size says), longest first.
 *  @param most Rows of each run; 0: all. @param text Out: NUL-terminated, freed with bp_free. @return BP_OK; BP_E_NOMEM. */
BP_API bp_status bp_profile_text(const bp_profile *p, size_t most, char **text);
/** The events kept, as JSON in the trace format of Chrome (chrome://tracing, Perfetto): a row for each thread; thread 1 is the caller's.
 *  @param json Out: NUL-terminated, freed with bp_free. @return BP_OK; BP_E_NOMEM. Source: "Trace Event Format" of the Catapult project. */
BP_API bp_status bp_profile_trace(const bp_profile *p, char **json);
/** Executions that came when the events were full: they are in the rows, and not in bp_profile_trace. */
BP_API int64_t bp_profile_lost(const bp_profile *p);

/** The value of an input, as bp_run_bind takes it, for calls that make plans and runs of their own. Those compute in float64: the data of
 *  a real input are doubles. */
typedef struct bp_value {
  const char *input; /**< its name */
  const void *data;
  size_t bytes;
} bp_value;

/* ======================================================================================
 * Looking inside: values, gradients and local Jacobians of single nodes
 * ====================================================================================== */

/** Everything that one forward and one backward pass compute, readable node by node and wire by wire: values, gradients, what each
 *  node passes back to each of its inputs, and the sums where wires fork.
 *
 *  A trace is one plan that keeps all of it: exact, and as large as that. The graph must outlive it and is as it was before; it may grow.
 *  A trace belongs to one thread at a time. */
typedef struct bp_trace bp_trace;
struct bp_local_info;

/** Zeros are the defaults in brackets. */
typedef struct bp_trace_options {
  bp_dtype real;      /**< [BP_FLOAT64] */
  const bp_node *wrt; /**< gradients are followed back to these, and to nothing else [every real input and
                                entry of the state that y depends on] */
  size_t n_wrt;
  const bp_node *upstream; /**< nodes shaped like y, as in bp_vjp [ones: the gradient of the sum of y] */
  bp_state *state;         /**< what the graph reads, as in bp_run_new [NULL] */
} bp_trace_options;

/** Builds the backward pass and compiles it together with the forward pass.
 *  @param y  n_y real nodes of one graph. @param options NULL for defaults. @param trace Out, NULL on error.
 *  @return BP_OK; the errors of bp_vjp and bp_plan_new. Time is linear in the nodes. */
BP_API bp_status bp_trace_new(const bp_node *y, size_t n_y, const bp_trace_options *options,
                              bp_trace **trace);
BP_API void bp_trace_free(bp_trace *t);
/** As bp_run_bind. A trace has every input that y or wrt depend on. */
BP_API bp_status bp_trace_bind(bp_trace *t, const char *input, const void *data, size_t bytes);
/** As bp_run_step: both passes. */
BP_API bp_status bp_trace_run(bp_trace *t);
/** The run of its plan, for what binds inputs itself (bp_program_bind). It belongs to the trace; NULL for NULL. */
BP_API bp_run *bp_trace_plan_run(bp_trace *t);

/** A wire: result `result` of node `from` is input `input` of node `to` (numbers of nodes in the trace). */
typedef struct bp_wire {
  size_t from, to;
  int result, input;
} bp_wire;

/** A node of a trace. */
typedef struct bp_traced {
  bp_node node; /**< its first result */
  const bp_op *op;
  const bp_attr *attr; /**< one an attribute of the row */
  const char *name;    /**< first name of the first result that has one, or NULL */
  int n_in, n_out;     /**< inputs and results */
  size_t n_uses;       /**< wires that leave its results: two or more of one result, and the wire forks */
  const bp_wire *in;   /**< n_in wires, by input */
  const bp_wire *uses; /**< n_uses wires, in the order in which their products arrive in the backward pass */
  bool fixed;          /**< depends on constants alone */
  bool given;          /**< one of wrt */
  bool output;         /**< a result of it is one of y */
} bp_traced;

/** Number of nodes: those that y and wrt are made of, in the order of the forward pass. Nodes of gradients are not among them. */
BP_API size_t bp_trace_count(const bp_trace *t);
/** Node i, or NULL past the end. Lives as long as the trace. */
BP_API const bp_traced *bp_trace_at(const bp_trace *t, size_t i);
/** Where the node of that name is: its number and which of its results (may be NULL). BP_E_NOTFOUND. */
BP_API bp_status bp_trace_find(const bp_trace *t, const char *name, size_t *i, int *result);
/** The same for a node of the graph. BP_E_GRAPH for a node of another, BP_E_NOTFOUND for one that is not in the trace. */
BP_API bp_status bp_trace_locate(const bp_trace *t, bp_node n, size_t *i, int *result);

/** What can be read of node i of a trace. Results and inputs are counted from 0. */
typedef enum bp_trace_part {
  BP_TRACE_VALUE,    /**< of result k, from the forward pass */
  BP_TRACE_GRADIENT, /**< of result k: d(sum of upstream times y) / d(result k). The sum of its seed and of the products of its uses */
  BP_TRACE_SEED,     /**< of result k: the upstream gradient given for it, where it is one of y */
  BP_TRACE_PRODUCT, /**< of input k: what the node passes back, the gradients of its results times the local Jacobian; shaped like input k */
  BP_TRACE_LOCAL, /**< of input k: the entries of the local Jacobian, one for each element of the input, where no column has more
                          than one that is not 0, or where the result has one element. So for elementwise nodes, reductions, views, and of
                          a router also for inputs that lost. NULL for others (softmax, most products of matrices): see bp_trace_local for
                          their class, bp_local_new for their entries */
  BP_TRACE_PARTS
} bp_trace_part;

/** Reads after a run: contiguous, in the plan's storage as in bp_run_output; valid until the next run.
 *  @param k     Number of the result or input.
 *  @param data  Out; NULL where there is none, with BP_OK: no gradient reaches there, or none flows on, whatever the values.
 *  @param type  Out, may be NULL. With data NULL, the type of the result or input itself.
 *  @return BP_OK; BP_E_RANGE (no such node, result or input); BP_E_ORDER before the first run and after a failed one. */
BP_API bp_status bp_trace_read(const bp_trace *t, bp_trace_part part, size_t i, int k, const void **data,
                               bp_type *type);
/** Copies as doubles; zeros where there is none. @param n Number of elements expected (BP_E_SHAPE if another). */
BP_API bp_status bp_trace_get(const bp_trace *t, bp_trace_part part, size_t i, int k, double *out, size_t n);

/** Class and structure of the local Jacobian of node i by one of its inputs, as bp_local_look (further below) says it; nothing is evaluated. Of
 *  inputs that are computed from constants alone, only what is a constant itself is taken into account.
 *  @param most As for bp_local_look. @return BP_OK; BP_E_RANGE (no such node, input or result); the errors of bp_local_look.
 *  Cost: that of the pattern of one call, however large the graph is. */
BP_API bp_status bp_trace_local(const bp_trace *t, size_t i, int input, int result, int64_t most,
                                struct bp_local_info *info);

/** Of a router (a row with BP_ROUTER: max, min, where, ...) which element won, for each element of the result: the one that takes its
 *  whole gradient.
 *  @param input  Out: n numbers of inputs; -1 where none won, as of maximum(a, b) where one is NaN. A max over an axis is won by a NaN.
 *  @param at     Out, may be NULL: n places in that input, row-major.
 *  @param n      Number of elements of the result (BP_E_SHAPE if another).
 *  @return BP_OK; BP_E_UNSUPPORTED: not a router, or of integers; BP_E_RANGE, BP_E_ORDER, BP_E_SHAPE; BP_E_LIMIT: over 2^24 elements in float32. */
BP_API bp_status bp_trace_winners(const bp_trace *t, size_t i, int *input, int64_t *at, size_t n);

/** For each bundle (a call of a function, or a row with `expand`): whether to replace it by its parts.
 *  @param depth 1 for bundles among the nodes given, 2 for those among their parts, and so on. */
typedef bool (*bp_unbundle_fn)(void *user, bp_node bundle, int depth);

/** Rebuilds nodes in a new graph with bundles replaced by their parts. Names stay with their nodes; what is called z inside a function f
 *  becomes "f.z", and of a further call of f "f.z:2" and so on. Random nodes keep their streams, so that they draw the same numbers.
 *  @param nodes   n nodes of one graph, with all that they depend on.
 *  @param depth   How deep bundles within bundles are replaced; 0: all the way.
 *  @param choose  NULL: every bundle.
 *  @param graph   Out: freed with bp_graph_free, NULL on error. @param out Out: n nodes of it, the same values.
 *  @return BP_OK; BP_E_GRAPH, BP_E_NOMEM; BP_E_LIMIT: bundles within bundles more than 64 deep. */
BP_API bp_status bp_unbundle(const bp_node *nodes, size_t n, int depth, bp_unbundle_fn choose, void *user,
                             bp_graph **graph, bp_node *out);

/** "zero", "identity", "scaled identity", "diagonal", "select", "spread", "permutation", "block-diagonal", "sparse", "dense"; "?" for what
 *  is no class. Static storage. */
BP_API const char *bp_jac_name(bp_jac jac);

/** Local Jacobian d y / d x, x being one input of the call that makes y: entry (i, j) is d y[i] / d x[j], i and j counting elements row-major,
 *  and nothing but that input moves (also where the same node stands at two inputs, or another input depends on it). It is kept in the
 *  storage of its class, never as a matrix unless it is dense; a relu of 4,096 elements keeps 4,096 numbers:
 *
 *    class        numbers kept             entry
 *    ZERO         none
 *    IDENTITY     none                     1 at (i, i)
 *    SCALED       1 value                  values[0] at (i, i)
 *    DIAGONAL     rows values              values[i] at (i, i)
 *    SELECT       rows values and places   values[i] at (i, index[i]); none in row i where index[i] is -1
 *    SPREAD       cols values and places   values[j] at (index[j], j); none in column j where index[j] is -1
 *    PERMUTATION  rows places              1 at (i, index[i])
 *    BLOCK        every block, row-major   values[(b * block_rows + r) * block_cols + c] at (b * block_rows + r, b * block_cols + c)
 *    SPARSE       one value an entry       values[k] at (i, col[k]), k from row_start[i] to row_start[i + 1] - 1
 *    DENSE        rows * cols values       values[i * cols + j] at (i, j)
 *
 *  A router shows its winners: max over an axis is SELECT, index[i] being the place of the element that won y[i], and values[i] 1; maximum of
 *  two is DIAGONAL by either input, 1 where that input won and 0 where the other did (ties as the row says, see its `kink`). */
typedef struct bp_local_info {
  bp_jac jac;
  int64_t rows, cols;                     /**< elements of y, of x */
  int64_t blocks, block_rows, block_cols; /**< BP_JAC_BLOCK: how many, of which size; else 1, rows, cols */
  int64_t stored; /**< numbers kept: of values, or of places where there are no values */
} bp_local_info;

/** Class and structure, from the graph alone. @param y A result of a call. @param input Its input, counted from 0; both real.
 *  @param most Most numbers that may be kept (BP_E_LIMIT); 0: 2^24.
 *  @return BP_OK; BP_E_RANGE: no such input; BP_E_DTYPE; BP_E_GRAPH; BP_E_LIMIT; BP_E_NOMEM. The graph is as it was afterwards. */
BP_API bp_status bp_local_look(bp_node y, int input, int64_t most, bp_local_info *info);

/** A local Jacobian as nodes: to be computed by the caller's own plan together with everything else. */
typedef struct bp_local_nodes {
  bp_local_info info;
  bp_node values; /**< real [stored], SCALED: []; BP_NO_NODE where the class has none */
  bp_node index;  /**< int64 [stored]; BP_NO_NODE where the class has none */
  const int64_t
      *row_start; /**< BP_JAC_SPARSE: rows + 1, and the columns; they live as long as the graph. Else NULL */
  const int32_t *col;
} bp_local_nodes;

/** Builds the numbers of a local Jacobian as nodes of y's graph. Slopes and entries that are elements of another input (a product) are taken
 *  as they are; entries of a selection come of one product with ones; blocks and others of as many products as a block has rows or columns.
 *  Parameters and errors as bp_local_look; on error the graph is as it was. */
BP_API bp_status bp_local_build(bp_node y, int input, int64_t most, bp_local_nodes *nodes);

/** A local Jacobian to be evaluated: nodes, plan and run in one. It belongs to one thread at a time. */
typedef struct bp_local bp_local;

/** Compiles a local Jacobian, in float64. The graph is as it was afterwards, and may be freed; the state it reads must outlive the object.
 *  Parameters and errors as bp_local_look, and those of bp_plan_new. @param local Out, NULL on error. */
BP_API bp_status bp_local_new(bp_node y, int input, int64_t most, bp_local **local);
BP_API void bp_local_free(bp_local *l);
/** What it is; NULL for NULL. */
BP_API const bp_local_info *bp_local_info_of(const bp_local *l);
/** As bp_run_bind, double for reals. Inputs of the graph that the entries do not depend on are passed over. BP_E_NOTFOUND: the graph had none of
 *  that name. */
BP_API bp_status bp_local_bind(bp_local *l, const char *input, const void *data, size_t bytes);
/** Evaluates at the values bound; needs no binding where the entries depend on nothing. */
BP_API bp_status bp_local_run(bp_local *l);
/** The numbers of the last run, as bp_local_info says; NULL where the class has none. They stay at their addresses. Any out may be NULL.
 *  BP_E_ORDER before the first run and after a failed one, as for everything below. */
BP_API bp_status bp_local_values(const bp_local *l, const double **values, const int64_t **index,
                                 const int64_t **row_start, const int32_t **col);
/** J v: out[i] = sum over j of J[i, j] v[j]. @param v cols numbers. @param out rows numbers, not overlapping v. Cost: the numbers kept. */
BP_API bp_status bp_local_jvp(const bp_local *l, const double *v, double *out);
/** u J, that is J' u: out[j] = sum over i of u[i] J[i, j]. @param u rows numbers. @param out cols numbers, not overlapping u. */
BP_API bp_status bp_local_vjp(const bp_local *l, const double *u, double *out);
/** In compressed rows: entries of row i have the numbers row_start[i] to row_start[i + 1] - 1, columns ascending; of a diagonal, zeros among
 *  its entries too. @param most Most entries (BP_E_LIMIT). Each array is freed with bp_free; all are NULL on error. */
BP_API bp_status bp_local_csr(const bp_local *l, int64_t most, int64_t **row_start, int64_t **col,
                              double **value);
/** As a matrix of rows * cols, row-major. @param most Most elements (BP_E_LIMIT). Freed with bp_free; NULL on error. */
BP_API bp_status bp_local_dense(const bp_local *l, int64_t most, double **matrix);

/* ======================================================================================
 * Jacobians and Hessians of whole functions
 * ====================================================================================== */

typedef struct bp_jacobian bp_jacobian;

/** Which sweeps make a Jacobian. A forward sweep gives J v, the sum of some columns; a reverse sweep u J, the sum of some rows. */
typedef enum bp_sweeps {
  BP_SWEEPS_AUTO,    /**< whichever needs fewest */
  BP_SWEEPS_FORWARD, /**< columns by forward mode */
  BP_SWEEPS_REVERSE, /**< rows by reverse mode */
  BP_SWEEPS_BOTH     /**< some entries by either: for a few long rows and a few long columns at once */
} bp_sweeps;

typedef struct bp_jacobian_options {
  bp_dtype real;        /**< BP_FLOAT32 or BP_FLOAT64; 0: BP_FLOAT64 */
  bp_sweeps sweeps;     /**< Hessians take no notice */
  int64_t most_entries; /**< most entries to store (BP_E_LIMIT); 0: 2^26. An entry takes about 16 bytes, and
                             50 while the sweeps are chosen */
  bp_state *state; /**< the state that the graph reads; NULL where it reads none. Must outlive the object */
  bool products;   /**< compile bp_jacobian_jvp and bp_jacobian_vjp too */
} bp_jacobian_options;

typedef struct bp_jacobian_info {
  int64_t rows, cols; /**< elements of all y, and of all x */
  int64_t entries;    /**< entries stored: those that may be other than 0 for some input */
  bp_jac kind;        /**< the class of the whole, the narrowest one that fits */
  bool hessian;       /**< symmetric; both triangles are stored, with the same bits */
  int64_t below,
      above;      /**< how far entries lie below and above the diagonal, at most: 1 and 1 where tridiagonal */
  int64_t blocks; /**< BP_JAC_BLOCK: how many; else 0 */
  int64_t longest_row; /**< most entries of a row */
  int64_t longest_col; /**< most entries of a column */
  int64_t forward;     /**< forward sweeps that make all entries (Hessian: Hessian-vector products), */
  int64_t reverse;     /**< and reverse sweeps; both 0 where every entry is known beforehand */
  int64_t
      varying; /**< entries that may change with the inputs; the others are worked out once, when it is made */
  int64_t
      each_forward; /**< sweeps of each evaluation: of the varying entries alone, where that takes fewer */
  int64_t each_reverse;
  bp_dtype real; /**< storage of the values */
} bp_jacobian_info;

/** The Jacobian of nodes y with respect to nodes x, sparse: entry (i, j) is d y[i] / d x[j], where i counts the elements of all y one after
 *  another, each row-major, and j those of all x. Its pattern is found once, here, without ever forming it dense; sweeps that make several
 *  columns (or rows) at once are chosen by colouring, and compiled into one plan. Parts of entries that are the same for every input, as those
 *  of a function's linear terms, are worked out once.
 *
 *  @param y, x     Real nodes of one graph. The graph is as it was afterwards, and may be freed.
 *  @param options  NULL for defaults (zeros).
 *  @param jacobian Out, NULL on error.
 *  @return BP_OK; BP_E_DTYPE, BP_E_GRAPH, BP_E_LIMIT (more entries than most_entries), BP_E_MISMATCH (state), BP_E_UNSUPPORTED, BP_E_NOMEM.
 *  Cost: about linear in the nodes and the entries. An object belongs to one thread at a time.
 *  Sources: Curtis, Powell & Reid 1974; Coleman & Verma 1998 (both directions); Gebremedhin, Manne & Pothen, SIAM Review 47 (2005). */
BP_API bp_status bp_jacobian_new(const bp_node *y, size_t n_y, const bp_node *x, size_t n_x,
                                 const bp_jacobian_options *options, bp_jacobian **jacobian);
/** The Hessian of a scalar: entry (i, j) is d^2 loss / d x[i] d x[j]. The sweeps are Hessian-vector products (forward over
 *  reverse), chosen by star colouring (Coleman & Moré 1984). Where second derivatives jump (at kinks), it is what the rows' rules give.
 *  Otherwise as bp_jacobian_new; BP_E_SHAPE if loss has more than one element. */
BP_API bp_status bp_hessian_new(bp_node loss, const bp_node *x, size_t n_x,
                                const bp_jacobian_options *options, bp_jacobian **hessian);
BP_API void bp_jacobian_free(bp_jacobian *j);
BP_API bp_status bp_jacobian_info_of(const bp_jacobian *j, bp_jacobian_info *info);

/** Binds an input of the graph, as bp_run_bind: the memory is read at every call below. An input that no entry depends on is accepted
 *  too. BP_E_NOTFOUND if the graph had no such input. */
BP_API bp_status bp_jacobian_bind(bp_jacobian *j, const char *input, const void *data, size_t bytes);
/** Evaluates at the values bound. Allocates nothing. BP_E_UNBOUND, and what bp_run_step returns. */
BP_API bp_status bp_jacobian_run(bp_jacobian *j);
/** The matrix in compressed rows: the entries of row i have the numbers row_start[i] to row_start[i + 1] - 1, by ascending column. Any out
 *  may be NULL. row_start and col are fixed; values are those of the last run, float or double as chosen, at the same address always.
 *  Asking for the value before the first run, or after a failed one, is BP_E_ORDER. */
BP_API bp_status bp_jacobian_csr(const bp_jacobian *j, const int64_t **row_start, const int32_t **col,
                                 const void **value);
/** The matrix of the last run as rows * cols doubles, row-major. @param n Room of out; BP_E_SHAPE if it is not rows * cols. BP_E_ORDER as above. */
BP_API bp_status bp_jacobian_dense(const bp_jacobian *j, double *out, size_t n);
/** J v by one forward sweep, without the matrix, at the values bound. @param v cols values, @param out rows values, both in the
 *  object's storage (float or double). Allocates nothing. BP_E_ORDER if options.products was false. */
BP_API bp_status bp_jacobian_jvp(bp_jacobian *j, const void *v, void *out);
/** u J by one reverse sweep (Hessian: the same as H u). @param u rows values, @param out cols values. As bp_jacobian_jvp. */
BP_API bp_status bp_jacobian_vjp(bp_jacobian *j, const void *u, void *out);

/** Saves the matrix of the last run, with the promises of bp_save_file, in the format that the end of the name says (in either case):
 *    .mtx  Matrix Market, coordinate real general; of a Hessian symmetric, the lower triangle. Read by SciPy, Julia, Octave, ...
 *    .npz  for scipy.sparse.load_npz, in compressed rows; under 4 GiB
 *    .npy  dense, float64; up to 2^27 elements
 *  Every stored entry is written, also one that is 0. @return BP_OK; BP_E_UNSUPPORTED for another end; BP_E_LIMIT; BP_E_ORDER before
 *  the first run; BP_E_IO, BP_E_NOMEM. */
BP_API bp_status bp_jacobian_save(const bp_jacobian *j, const char *path);

/** Hessian-vector products as nodes: out[i], shaped like x[i], is the sum over k of d^2 loss / d x[i] d x[k] times v[k]. Forward over
 *  reverse: costs about 2 gradients, whatever the size of x. @param v n nodes shaped like x. Errors as bp_grad. Source: Pearlmutter 1994. */
BP_API bp_status bp_hvp(bp_node loss, const bp_node *x, const bp_node *v, size_t n, bp_node *out);

/* ======================================================================================
 * Checks: gradients and the laws of an operation
 * ====================================================================================== */

typedef enum bp_law_verdict { BP_LAW_HOLDS, BP_LAW_SKIPPED, BP_LAW_BROKEN } bp_law_verdict;

/** What one law said about one example of a row. Valid during the call that tells it. */
typedef struct bp_law_result {
  const char *law;        /**< "vjp = differences" and so on */
  const char *example;    /**< as the row states it; NULL where the law is about the whole row */
  uint64_t seed;          /**< of the values that were drawn for it */
  bp_law_verdict verdict; /**< skipped: the law has nothing to say here, as of integers about derivatives */
  const char *why;        /**< broken: what is wrong, at which entry, with the numbers; else "" */
} bp_law_result;

/** Zeros are the defaults in brackets. */
typedef struct bp_op_check_options {
  int seeds;         /**< how often values are drawn for each example [3] */
  uint64_t seed;     /**< the first of them [0] */
  bool float64_only; /**< the kernel refuses float32: no law asks it for that [false] */
  void (*each)(void *user, const bp_law_result *r); /**< told every single result [NULL: nobody] */
  void *user;
} bp_op_check_options;

typedef struct bp_op_report {
  int held, skipped, broken; /**< how many laws; one that is broken anywhere is broken */
  char *
      text; /**< a line a law, of a broken one also where and why; freed with bp_free. NULL on other errors */
} bp_op_report;

/** Holds a row, above all one that the caller made, to the laws that the rows of the library are under, over the row's own `examples`:
 *  it states what it needs; its kernel writes its results whole and nothing else; vjp and jvp equal central differences (all in float64),
 *  entry by entry, and ⟨u, Jv⟩ = ⟨Jᵀu, v⟩; second derivatives by the same laws; the class that `jacobian` states covers the numbers;
 *  `expand` gives the same; kinks give what `kinks` says; float32 agrees; empty arrays, NaN, infinities and wrong calls do no harm; the
 *  compiler's passes keep the bits. A row that lacks what all need, or whose kernel writes where it may not, is asked no further.
 *  Needs no graph, and runs nothing but the row and what its rules build.
 *  @param options NULL for defaults.
 *  @param report  Out; may be NULL.
 *  @return BP_OK: every law holds; BP_E_CHECK: one is broken, and bp_error() says where (the first); BP_E_ARG; BP_E_NOMEM.
 *  Cost: for an example of n elements in and m out, about 10 n (m + 20) runs of the row: keep examples small.
 *  Source: Griewank & Walther, Evaluating Derivatives (2008), ch. 3. */
BP_API bp_status bp_op_check(bp_ctx *ctx, const bp_op *op, const bp_op_check_options *options,
                             bp_op_report *report);

/** Zeros are the defaults in brackets. */
typedef struct bp_gradient_options {
  const bp_value *values; /**< of every input that y depends on */
  size_t n_values;
  /** h, how far each entry x is moved either way [6.06e-6, the cube root of 2^-52, times |x| where that is over 1] */
  double step;
  double tolerance; /**< the largest relative error of a right gradient [1e-6] */
  int64_t entries; /**< of each node of wrt, compared one by one; so many are drawn of a larger one [1,000] */
  uint64_t seed;   /**< of what is drawn: entries, directions, upstream [0] */
} bp_gradient_options;

/** What one gradient entry, or the gradient along one direction, is found to be. */
typedef enum bp_slope_kind {
  BP_SLOPE_RIGHT,
  BP_SLOPE_KINK, /**< f has a kink or a jump within h: the gradient is a slope of one side, or between */
  BP_SLOPE_EDGE, /**< differences say nothing: f is not finite within h, or has a slope without bound */
  BP_SLOPE_WRONG,
  BP_SLOPE_ROUGH /**< differences say nothing: f goes up and down within the steps; a smaller h may tell */
} bp_slope_kind;

typedef struct bp_slope {
  bp_slope_kind kind;
  double gradient;    /**< as autodiff gives it */
  double difference;  /**< central, at `step` */
  double left, right; /**< one-sided, at the smallest step that tells them: at a kink they differ */
  double step;        /**< h; another where differences at h had not settled */
  /** |gradient - difference|, relative to the larger of the two, at least to resolution / tolerance. */
  double error;
  double resolution; /**< how far the difference may be off itself */
} bp_slope;

/** What was found about one node of wrt. Entries are counted row-major. */
typedef struct bp_gradient_input {
  int64_t size, checked; /**< elements, and how many were compared one by one */
  int64_t wrong, kinks;  /**< of those checked; kinks counts edges and rough ones too */
  int64_t worst; /**< the entry with the largest relative error, a wrong one before others; -1: none */
  int64_t kink;  /**< the first of those that kinks counts; -1: none */
  double value;  /**< x at the worst entry */
  bp_slope at_worst, at_kink;
  bp_slope across; /**< where not every entry is checked: along a random direction through all of them */
} bp_gradient_input;

enum { BP_TAYLOR_LEVELS = 24 };

/** Taylor's remainders along one random direction v of length 1 through all of wrt:
 *  r0 = |f(x + hv) - f(x)| falls like h, r1 = |f(x + hv) - f(x) - h g·v| like h^2 if g is the gradient, else like h. */
typedef struct bp_taylor {
  double h[BP_TAYLOR_LEVELS], r0[BP_TAYLOR_LEVELS], r1[BP_TAYLOR_LEVELS]; /**< h halves from level to level */
  /** The levels that the rates are taken from, those with the smallest h at which r1 is more than rounding. last < first: it is nothing
   *  else, as f is linear along v. */
  int first, last;
  double rate0, rate1; /**< exponents of h; NAN where there are no such levels */
  bp_slope along; /**< the gradient along v against differences: says where rate1 is low because of a kink */
  bool
      crossed; /**< rate1 is not 2 because kinks lie within the steps it is taken from (not looked for where it is 2) */
} bp_taylor;

typedef struct bp_gradient_check {
  double value;                        /**< f: y, or the sum of upstream times y */
  int64_t size, checked, wrong, kinks; /**< sums over the inputs */
  size_t worst;                        /**< number of the node of wrt with the largest relative error */
  double error;                        /**< that error */
  double step;                         /**< h */
  double forward, reverse; /**< derivative along v by forward mode, and g·v: equal but for rounding */
  bool modes_agree;        /**< to 1e-9 of the terms of g·v, and to rounding inside y */
  bp_taylor taylor;
  bool right; /**< nothing is wrong */
} bp_gradient_check;

/** Compares the gradient of y, as bp_vjp builds it, with differences of y, in float64.
 *  @param y       Real node. One that is not a scalar is multiplied by an upstream gradient of random numbers and summed.
 *  @param wrt     n real nodes, each an input or an entry of the state (bp_read), none twice.
 *  @param options The values, at least.
 *  @param result  Out. @param inputs Out, may be NULL: n of them.
 *  @return BP_OK: no contradiction; BP_E_CHECK: the gradient is wrong, bp_error() says where; result and inputs are filled in either case.
 *          BP_E_NOTFINITE: y is not finite at x; BP_E_UNBOUND, BP_E_ARG, BP_E_DTYPE, BP_E_GRAPH, BP_E_SHAPE, BP_E_MISMATCH (a state of float32),
 *          BP_E_NOMEM. The graph and its state are as they were.
 *  A kink is no mistake: where f has no derivative, autodiff gives the one that the rows document, and differences something between the slopes
 *  of both sides. It is told apart from a wrong gradient by how the differences change as h shrinks (one-sided slopes that stay apart), and by
 *  asking whether a comparison, argmax or the like changes its value next to x.
 *  Cost: two runs of y for each entry, 26 for one that does not agree at once; 24 for the remainders.
 *  Source: Griewank & Walther, Evaluating Derivatives (2008), ch. 3; Ridders, Advances in Engineering Software 4 (1982), for the choice of steps. */
BP_API bp_status bp_check_gradient(bp_node y, const bp_node *wrt, size_t n,
                                   const bp_gradient_options *options, bp_gradient_check *result,
                                   bp_gradient_input *inputs);

/* ======================================================================================
 * Builders of operations
 *
 * The list between the marks is made by tools/gen-builders from the rows in src/ops/; do not edit it by hand.
 * Elementwise builders broadcast by NumPy's rules. Axes may be negative; an empty list of axes means all.
 * Errors: the error node comes back and the graph keeps the message.
 * Each call of a random builder takes the next stream. C does not say which argument of a call is worked out first: build two random nodes
 * in two statements where the numbers shall not depend on the compiler.
 * ====================================================================================== */
/** y = max(a, b), and y = min(a, b), elementwise; NaN if either is. One operand takes the whole gradient: at a tie a
 *  constant one (that depends on no input, state or random node), else the first. */
BP_API bp_node bp_maximum(bp_node a, bp_node b);
BP_API bp_node bp_minimum(bp_node a, bp_node b);
#ifndef BP_NO_SOURCE_LINES
#define bp_maximum(...) bp_here((bp_maximum)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_minimum(...) bp_here((bp_minimum)(__VA_ARGS__), __FILE__, __LINE__)
#endif
/** x cut along axis into equal parts.
 *  @param parts   1 to BP_MAX_RESULTS; must divide the axis (BP_E_SHAPE).
 *  @param results Out: `parts` nodes, in order; error nodes on failure. */
BP_API bp_status bp_split(bp_node x, int64_t axis, int64_t parts, bp_node *results);

/* BEGIN BUILDERS */
/* clang-format off */
/* ---- Activations. */
/** y = max(0, x). Kinks: slope 0 at x = 0 */
BP_API bp_node bp_relu(bp_node x);
/** y = 1 / (1 + e^-x) */
BP_API bp_node bp_sigmoid(bp_node x);
/** y = tanh x */
BP_API bp_node bp_tanh(bp_node x);
/** y = x for x > 0, else slope x. Kinks: slope at x = 0 is `slope` */
BP_API bp_node bp_leaky_relu(bp_node x, double slope);
/** y = x for x > 0, else a x. Kinks: slope at x = 0 is a; a NaN in a does not reach the result where x > 0
 *  */
BP_API bp_node bp_prelu(bp_node x, bp_node a);
/** y = x for x > 0, else alpha (e^x - 1). Kinks: slope at x = 0 is alpha */
BP_API bp_node bp_elu(bp_node x, double alpha);
/** y = s x for x > 0, else s a (e^x - 1); s = 1.05070098735548, a = 1.67326324235438. Kinks: slope at x = 0
 *  is s a */
BP_API bp_node bp_selu(bp_node x);
/** y = x for x > 0, else alpha (e^(x / alpha) - 1). Kinks: slope 1 at x = 0; the second derivative jumps
 *  there */
BP_API bp_node bp_celu(bp_node x, double alpha);
/** y = min(max(0, x), 6). Kinks: slope 1 strictly between 0 and 6, 0 elsewhere */
BP_API bp_node bp_relu6(bp_node x);
/** y = min(max(0, (x + 3) / 6), 1). Kinks: slope 1/6 strictly between -3 and 3, 0 elsewhere */
BP_API bp_node bp_hard_sigmoid(bp_node x);
/** y = x min(max(0, (x + 3) / 6), 1). Kinks: slope 0 at x = -3, 1 at x = 3 */
BP_API bp_node bp_hard_swish(bp_node x);

/* ---- Arithmetic: elementwise, smooth where defined. */
/** y = -x */
BP_API bp_node bp_neg(bp_node x);
/** y = a + b */
BP_API bp_node bp_add(bp_node a, bp_node b);
/** y = a - b */
BP_API bp_node bp_sub(bp_node a, bp_node b);
/** y = a b */
BP_API bp_node bp_mul(bp_node a, bp_node b);
/** y = a / b */
BP_API bp_node bp_div(bp_node a, bp_node b);
/** y = u s, and 0 where u is 0. Kinks: at u = 0 the slope for u is s */
BP_API bp_node bp_chain(bp_node u, bp_node s);
/** y = e^x */
BP_API bp_node bp_exp(bp_node x);
/** y = ln x. Kinks: -inf at 0, NaN below */
BP_API bp_node bp_log(bp_node x);
/** y = sqrt(x). Kinks: slope inf at 0, as the limit says; NaN below */
BP_API bp_node bp_sqrt(bp_node x);
/** y = x^2 */
BP_API bp_node bp_square(bp_node x);
/** y = 1 / x */
BP_API bp_node bp_reciprocal(bp_node x);

/* ---- Comparisons, logic and where. They have no slope of their own; `where` routes. */
/** y = a > b. Kinks: no gradient; false for NaN */
BP_API bp_node bp_greater(bp_node a, bp_node b);
/** y = (a = b). Kinks: no gradient; false for NaN */
BP_API bp_node bp_equal(bp_node a, bp_node b);
/** y = a < b. Kinks: no gradient; false for NaN */
BP_API bp_node bp_less(bp_node a, bp_node b);
/** y = a <= b. Kinks: no gradient; false for NaN */
BP_API bp_node bp_less_equal(bp_node a, bp_node b);
/** y = a >= b. Kinks: no gradient; false for NaN */
BP_API bp_node bp_greater_equal(bp_node a, bp_node b);
/** y = (a is not b). Kinks: no gradient; true for NaN */
BP_API bp_node bp_not_equal(bp_node a, bp_node b);
/** y = x is neither NaN nor infinite. Kinks: no gradient; false for NaN */
BP_API bp_node bp_isfinite(bp_node x);
/** y = a and b, both. Kinks: no gradient */
BP_API bp_node bp_logical_and(bp_node a, bp_node b);
/** y = a or b, or both. Kinks: no gradient */
BP_API bp_node bp_logical_or(bp_node a, bp_node b);
/** y = a or b, not both. Kinks: no gradient */
BP_API bp_node bp_logical_xor(bp_node a, bp_node b);
/** y = not x. Kinks: no gradient */
BP_API bp_node bp_logical_not(bp_node x);
/** y = a where test, else b. Kinks: the branch not taken gets 0, never 0 * inf */
BP_API bp_node bp_where(bp_node test, bp_node a, bp_node b);

/* ---- Convolution over images [batch, height, width, channels], and its two adjoints: three rows that are
   each other's gradients. */
/** y[n,i,j,f] = sum over k, l, c of x[n, i stride + k dilation - pad, j .., c] W[f,k,l,c], x being 0
 *  outside; x [batch, height, width, channels], W [filters, height, width, channels / groups]; pad: one
 *  number, height and width, or top, bottom, left, right */
BP_API bp_node bp_conv2d(bp_node x, bp_node W, const int64_t *stride, int64_t n_stride, const int64_t *pad,
    int64_t n_pad, const int64_t *dilation, int64_t n_dilation, int64_t groups);
/** y = conv2d(x, W) + b, b [filters] */
BP_API bp_node bp_conv2d_bias(bp_node x, bp_node W, bp_node b, const int64_t *stride, int64_t n_stride,
    const int64_t *pad, int64_t n_pad, const int64_t *dilation, int64_t n_dilation, int64_t groups);
/** the adjoint of conv2d in x: u [batch, height, width, filters] carried back to an image of `size`, by
 *  default the smallest that gives u; W and the rest as for conv2d */
BP_API bp_node bp_conv2d_transpose(bp_node u, bp_node W, const int64_t *size, int64_t n_size,
    const int64_t *stride, int64_t n_stride, const int64_t *pad, int64_t n_pad, const int64_t *dilation,
    int64_t n_dilation, int64_t groups);
/** the adjoint of conv2d in W: [filters, window, channels / groups] from x and u [batch, height, width,
 *  filters]; the rest as for conv2d */
BP_API bp_node bp_conv2d_weight_grad(bp_node x, bp_node u, const int64_t *window, int64_t n_window,
    const int64_t *stride, int64_t n_stride, const int64_t *pad, int64_t n_pad, const int64_t *dilation,
    int64_t n_dilation, int64_t groups);

/* ---- Smooth activations made of exp: softplus and its kin, and gates y = x g(x). */
/** y = ln(1 + e^x) */
BP_API bp_node bp_softplus(bp_node x);
/** y = -ln(1 + e^-x) */
BP_API bp_node bp_log_sigmoid(bp_node x);
/** y = x / (1 + |x|). Kinks: slope 1 at x = 0; the second derivative jumps there */
BP_API bp_node bp_softsign(bp_node x);
/** y = x / (1 + e^-x) */
BP_API bp_node bp_silu(bp_node x);
/** y = x tanh(ln(1 + e^x)) */
BP_API bp_node bp_mish(bp_node x);
/** y = x P(x), P the normal distribution function */
BP_API bp_node bp_gelu(bp_node x);
/** y = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3))) */
BP_API bp_node bp_gelu_tanh(bp_node x);

/* ---- Elements chosen by index: gather and scatter, picking along an axis, one-hot, counting, splitting.
   */
/** y = 0, 1, 2, ... along axis, the same along the others */
BP_API bp_node bp_iota(bp_graph *g, bp_dtype dtype, const int64_t *dims, int64_t n_dims, int64_t axis);
/** slices of x along axis, one for each element of index (numbers from 0). Kinks: an index out of range
 *  stops the run */
BP_API bp_node bp_gather(bp_node x, bp_node index, int64_t axis);
/** zeros, an axis of `size`, to which slices of u are added at the places that index names. Kinks: an index
 *  out of range stops the run */
BP_API bp_node bp_scatter_add(bp_node u, bp_node index, int64_t axis, int64_t size);
/** y = x at index along axis, for every position of the other axes. Kinks: an index out of range stops the
 *  run */
BP_API bp_node bp_pick(bp_node x, bp_node index, int64_t axis);
/** zeros, with u at index along a new axis of `size`, for every position of the others. Kinks: an index out
 *  of range stops the run */
BP_API bp_node bp_put(bp_node u, bp_node index, int64_t axis, int64_t size);
/** y = 1 at the label, 0 elsewhere, along a new last axis of `depth`. Kinks: a label out of range stops the
 *  run */
BP_API bp_node bp_one_hot(bp_node labels, int64_t depth);

/* ---- Normalisation. */
/** y = (x - mean x) / sqrt(var x + eps) gain + bias over the last axis */
BP_API bp_node bp_layer_norm(bp_node x, bp_node gain, bp_node bias, double eps);

/* ---- Losses. Cross-entropies and hinge give one loss an example, so that weights may follow;
   mean_squared_error, l1 and huber give the */
/** loss of each example = -sum of q ln softmax(logits); q = 1 - smoothing at the label, + smoothing /
 *  classes. Kinks: a label out of range stops the run */
BP_API bp_node bp_softmax_cross_entropy(bp_node logits, bp_node labels, double smoothing);
/** loss of each example = -sum of p ln softmax(logits). Kinks: a class with p = 0 adds nothing */
BP_API bp_node bp_softmax_cross_entropy_probs(bp_node logits, bp_node p);
/** loss of each example = sum over classes but its own of max(0, score - own score + margin). Kinks: slope
 *  0 where a class is just a margin away; a label out of range stops the run */
BP_API bp_node bp_hinge(bp_node scores, bp_node labels, double margin);
/** loss = max(x, 0) - x t + ln(1 + e^-|x|), that is -t ln p - (1 - t) ln(1 - p) for p = sigmoid(x) */
BP_API bp_node bp_binary_cross_entropy_logits(bp_node x, bp_node t);
/** y = mean of (p - t)^2 over all elements; 0 where there are none */
BP_API bp_node bp_mean_squared_error(bp_node p, bp_node t);
/** y = mean of |p - t| over all elements; 0 where there are none. Kinks: slope 0 where p = t */
BP_API bp_node bp_l1(bp_node p, bp_node t);
/** y = mean over all elements of d^2 / 2 where |d| <= delta, else delta (|d| - delta / 2); d = p - t */
BP_API bp_node bp_huber(bp_node p, bp_node t, double delta);

/* ---- Elementwise with kinks or steps: absolute value, rounding, extremes. */
/** y = |x|. Kinks: slope 0 at x = 0 */
BP_API bp_node bp_abs(bp_node x);
/** y = 1 for x > 0, -1 for x < 0, else x. Kinks: no gradient; 0 at x = 0 */
BP_API bp_node bp_sign(bp_node x);
/** y = 1 for x > 0, else 0. Kinks: no gradient; 0 for NaN too */
BP_API bp_node bp_heaviside(bp_node x);
/** y = the largest integer that is at most x. Kinks: no gradient */
BP_API bp_node bp_floor(bp_node x);
/** y = the least integer that is at least x. Kinks: no gradient */
BP_API bp_node bp_ceil(bp_node x);
/** y = the integer nearest to x, halves to the even one. Kinks: no gradient */
BP_API bp_node bp_round(bp_node x);
/** y = min(max(x, lo), hi). Kinks: slope 1 strictly between lo and hi, 0 elsewhere */
BP_API bp_node bp_clip(bp_node x, double lo, double hi);

/* ---- Pooling over windows of images [batch, height, width, channels]: the largest, routed by its winners,
   and the mean. */
/** y[n,i,j,c] = largest of x [batch, height, width, channels] in window (i, j); windows lie side by side
 *  unless a stride is given; what a border of `pad` adds to x never wins. Kinks: the lowest row-major index
 *  among the largest takes the whole gradient; NaN wins */
BP_API bp_node bp_max_pool2d(bp_node x, const int64_t *window, int64_t n_window, const int64_t *stride,
    int64_t n_stride, const int64_t *pad, int64_t n_pad);
/** y = v where x is largest in each window: max_pool2d(x) is max_pool2d_pick(x, x). Kinks: the lowest
 *  row-major index among the largest of x wins, NaN before all; no gradient for x */
BP_API bp_node bp_max_pool2d_pick(bp_node v, bp_node x, const int64_t *window, int64_t n_window,
    const int64_t *stride, int64_t n_stride, const int64_t *pad, int64_t n_pad);
/** zeros shaped like x, to which u is added where x is largest in each window. Kinks: the lowest row-major
 *  index among the largest of x wins, NaN before all; no gradient for x */
BP_API bp_node bp_max_pool2d_put(bp_node u, bp_node x, const int64_t *window, int64_t n_window,
    const int64_t *stride, int64_t n_stride, const int64_t *pad, int64_t n_pad);
/** y[n,i,j,c] = mean of x [batch, height, width, channels] in window (i, j); windows lie side by side
 *  unless a stride is given; a border of `pad` moves them, and what it adds to x is not counted */
BP_API bp_node bp_avg_pool2d(bp_node x, const int64_t *window, int64_t n_window, const int64_t *stride,
    int64_t n_stride, const int64_t *pad, int64_t n_pad);
/** the adjoint of avg_pool2d: an image of `size`, each element the sum of its shares of u */
BP_API bp_node bp_avg_pool2d_grad(bp_node u, const int64_t *size, int64_t n_size, const int64_t *window,
    int64_t n_window, const int64_t *stride, int64_t n_stride, const int64_t *pad, int64_t n_pad);

/* ---- Powers and logarithms, accurate near 0 and 1. */
/** y = a^b. Kinks: a^0 = 1^b = 1 even for NaN; NaN for a < 0 unless b is an integer; d/da = 0 at b = 0;
 *  d/db = 0 at a = 0, b > 0, and NaN for a < 0 */
BP_API bp_node bp_pow(bp_node a, bp_node b);
/** y = ln(1 + x). Kinks: -inf at -1, with slope inf; NaN below */
BP_API bp_node bp_log1p(bp_node x);
/** y = e^x - 1 */
BP_API bp_node bp_expm1(bp_node x);
/** y = ln(x / (1 - x)). Kinks: -inf at 0 and inf at 1, with slope inf; NaN outside 0..1 */
BP_API bp_node bp_logit(bp_node x);

/* ---- Products: matrix product, and what is made of it. */
/** y = a b, matrix product over the last two axes; leading axes broadcast */
BP_API bp_node bp_matmul(bp_node a, bp_node b);
/** y = x W' + b for x [..., in], W [out, in], b [out] */
BP_API bp_node bp_linear(bp_node x, bp_node W, bp_node b);
/** y = sum of a b over the last axis of a and the first of b, for vectors and matrices */
BP_API bp_node bp_dot(bp_node a, bp_node b);
/** y[i,j] = a[i] b[j] */
BP_API bp_node bp_outer(bp_node a, bp_node b);

/* ---- Random numbers: pure functions of key and stream. The key is state, {seed, step}; the stream is
   fresh at every call of a */
/** y uniform in [0, 1) */
BP_API bp_node bp_uniform(bp_node key, const int64_t *dims, int64_t n_dims);
/** y normal with mean 0 and variance 1 */
BP_API bp_node bp_normal(bp_node key, const int64_t *dims, int64_t n_dims);
/** y = true with probability p */
BP_API bp_node bp_bernoulli(bp_node key, double p, const int64_t *dims, int64_t n_dims);
/** y = x m / (1 - rate), m = 0 with probability rate, else 1 */
BP_API bp_node bp_dropout(bp_node x, bp_node key, double rate);

/* ---- Reductions over axes. */
/** y = sum of x over axes */
BP_API bp_node bp_sum(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = largest of x over axes. Kinks: the lowest row-major index among the largest takes the whole
 *  gradient; NaN wins */
BP_API bp_node bp_max(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = smallest of x over axes. Kinks: the lowest row-major index among the smallest takes the whole
 *  gradient; NaN wins */
BP_API bp_node bp_min(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = product of x over axes. Kinks: no division: right where elements are 0 too */
BP_API bp_node bp_prod(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = index of the largest of x along axis. Kinks: no gradient; the lowest index of the largest, the first
 *  NaN before all */
BP_API bp_node bp_argmax(bp_node x, int64_t axis, bool keep);
/** y = index of the smallest of x along axis. Kinks: no gradient; the lowest index of the smallest, the
 *  first NaN before all */
BP_API bp_node bp_argmin(bp_node x, int64_t axis, bool keep);

/* ---- Softmax and its logarithm over an axis, and maxout over groups. */
/** y = e^x / sum of e^x along axis */
BP_API bp_node bp_softmax(bp_node x, int64_t axis);
/** y = x - ln of the sum of e^x along axis */
BP_API bp_node bp_log_softmax(bp_node x, int64_t axis);
/** y = the largest of each group of k elements of the last axis. Kinks: the lowest index of the largest
 *  takes the whole gradient; NaN wins */
BP_API bp_node bp_maxout(bp_node x, int64_t k);

/* ---- What reductions say about numbers: mean, variance, norm, log of a sum of exponentials, running sums.
   */
/** y = mean of x over axes */
BP_API bp_node bp_mean(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = sum of (x - mean x)^2 over axes / (n - ddof) */
BP_API bp_node bp_var(bp_node x, const int64_t *axes, int64_t n_axes, bool keep, int64_t ddof);
/** y = sqrt of the sum of x^2 over axes. Kinks: slope 0 where all are 0 */
BP_API bp_node bp_norm(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = ln of the sum of e^x over axes. Kinks: -inf, with slope 0, where all are -inf or there is none */
BP_API bp_node bp_logsumexp(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);
/** y = running sums of x along axis; in reverse, sums of what follows */
BP_API bp_node bp_cumsum(bp_node x, int64_t axis, bool reverse);

/* ---- Shape: elements moved or repeated, never changed. Views cost nothing; each row's gradient is its
   adjoint. */
/** x repeated along axes of size 1 and new leading axes, to shape dims */
BP_API bp_node bp_broadcast(bp_node x, const int64_t *dims, int64_t n_dims);
/** the same elements in row-major order under other dims; one dim may be -1 */
BP_API bp_node bp_reshape(bp_node x, const int64_t *dims, int64_t n_dims);
/** y's axis i is x's axis perm[i]; an empty perm reverses the axes */
BP_API bp_node bp_transpose(bp_node x, const int64_t *perm, int64_t n_perm);
/** x[start:stop:step] along every axis; negative starts and stops count from the end */
BP_API bp_node bp_slice(bp_node x, const int64_t *start, int64_t n_start, const int64_t *stop,
    int64_t n_stop, const int64_t *step, int64_t n_step);
/** zeros of shape dims, with x at start, start + step, ... along every axis */
BP_API bp_node bp_place(bp_node x, const int64_t *dims, int64_t n_dims, const int64_t *start,
    int64_t n_start, const int64_t *step, int64_t n_step);
/** x with `before` elements of `value` in front of and `after` behind every axis */
BP_API bp_node bp_pad(bp_node x, const int64_t *before, int64_t n_before, const int64_t *after,
    int64_t n_after, double value);
/** parts one after another along axis */
BP_API bp_node bp_concat(const bp_node *parts, size_t n_parts, int64_t axis);
/** x as another type: real to int64 cuts towards zero, bool is 0 or 1, what is not 0 is true. Kinks: no
 *  gradient but from real to real */
BP_API bp_node bp_cast(bp_node x, bp_dtype dtype);
/** y = x, and no gradient flows back */
BP_API bp_node bp_stop_gradient(bp_node x);

/* ---- Trigonometric, hyperbolic and error functions. */
/** y = sin x, x in radians */
BP_API bp_node bp_sin(bp_node x);
/** y = cos x, x in radians */
BP_API bp_node bp_cos(bp_node x);
/** y = tan x, x in radians */
BP_API bp_node bp_tan(bp_node x);
/** y = arcsin x, in -pi/2..pi/2. Kinks: slope inf at -1 and 1; NaN outside */
BP_API bp_node bp_asin(bp_node x);
/** y = arccos x, in 0..pi. Kinks: slope -inf at -1 and 1; NaN outside */
BP_API bp_node bp_acos(bp_node x);
/** y = arctan x, in -pi/2..pi/2 */
BP_API bp_node bp_atan(bp_node x);
/** y = angle of the point (b, a) seen from the origin, in -pi..pi. Kinks: both slopes 0 at the origin;
 *  jumps by 2 pi across a = 0, b < 0 */
BP_API bp_node bp_atan2(bp_node a, bp_node b);
/** y = (e^x - e^-x) / 2 */
BP_API bp_node bp_sinh(bp_node x);
/** y = (e^x + e^-x) / 2 */
BP_API bp_node bp_cosh(bp_node x);
/** y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x */
BP_API bp_node bp_erf(bp_node x);

/* So that messages name the line that built a node. */
#ifndef BP_NO_SOURCE_LINES
#define bp_relu(...) bp_here((bp_relu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sigmoid(...) bp_here((bp_sigmoid)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_tanh(...) bp_here((bp_tanh)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_leaky_relu(...) bp_here((bp_leaky_relu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_prelu(...) bp_here((bp_prelu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_elu(...) bp_here((bp_elu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_selu(...) bp_here((bp_selu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_celu(...) bp_here((bp_celu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_relu6(...) bp_here((bp_relu6)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_hard_sigmoid(...) bp_here((bp_hard_sigmoid)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_hard_swish(...) bp_here((bp_hard_swish)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_neg(...) bp_here((bp_neg)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_add(...) bp_here((bp_add)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sub(...) bp_here((bp_sub)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_mul(...) bp_here((bp_mul)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_div(...) bp_here((bp_div)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_chain(...) bp_here((bp_chain)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_exp(...) bp_here((bp_exp)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_log(...) bp_here((bp_log)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sqrt(...) bp_here((bp_sqrt)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_square(...) bp_here((bp_square)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_reciprocal(...) bp_here((bp_reciprocal)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_greater(...) bp_here((bp_greater)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_equal(...) bp_here((bp_equal)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_less(...) bp_here((bp_less)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_less_equal(...) bp_here((bp_less_equal)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_greater_equal(...) bp_here((bp_greater_equal)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_not_equal(...) bp_here((bp_not_equal)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_isfinite(...) bp_here((bp_isfinite)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_logical_and(...) bp_here((bp_logical_and)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_logical_or(...) bp_here((bp_logical_or)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_logical_xor(...) bp_here((bp_logical_xor)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_logical_not(...) bp_here((bp_logical_not)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_where(...) bp_here((bp_where)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_conv2d(...) bp_here((bp_conv2d)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_conv2d_bias(...) bp_here((bp_conv2d_bias)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_conv2d_transpose(...) bp_here((bp_conv2d_transpose)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_conv2d_weight_grad(...) bp_here((bp_conv2d_weight_grad)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_softplus(...) bp_here((bp_softplus)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_log_sigmoid(...) bp_here((bp_log_sigmoid)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_softsign(...) bp_here((bp_softsign)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_silu(...) bp_here((bp_silu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_mish(...) bp_here((bp_mish)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_gelu(...) bp_here((bp_gelu)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_gelu_tanh(...) bp_here((bp_gelu_tanh)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_iota(...) bp_here((bp_iota)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_gather(...) bp_here((bp_gather)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_scatter_add(...) bp_here((bp_scatter_add)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_pick(...) bp_here((bp_pick)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_put(...) bp_here((bp_put)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_one_hot(...) bp_here((bp_one_hot)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_layer_norm(...) bp_here((bp_layer_norm)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_softmax_cross_entropy(...) bp_here((bp_softmax_cross_entropy)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_softmax_cross_entropy_probs(...) bp_here((bp_softmax_cross_entropy_probs)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_hinge(...) bp_here((bp_hinge)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_binary_cross_entropy_logits(...) bp_here((bp_binary_cross_entropy_logits)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_mean_squared_error(...) bp_here((bp_mean_squared_error)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_l1(...) bp_here((bp_l1)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_huber(...) bp_here((bp_huber)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_abs(...) bp_here((bp_abs)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sign(...) bp_here((bp_sign)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_heaviside(...) bp_here((bp_heaviside)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_floor(...) bp_here((bp_floor)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_ceil(...) bp_here((bp_ceil)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_round(...) bp_here((bp_round)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_clip(...) bp_here((bp_clip)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_max_pool2d(...) bp_here((bp_max_pool2d)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_max_pool2d_pick(...) bp_here((bp_max_pool2d_pick)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_max_pool2d_put(...) bp_here((bp_max_pool2d_put)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_avg_pool2d(...) bp_here((bp_avg_pool2d)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_avg_pool2d_grad(...) bp_here((bp_avg_pool2d_grad)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_pow(...) bp_here((bp_pow)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_log1p(...) bp_here((bp_log1p)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_expm1(...) bp_here((bp_expm1)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_logit(...) bp_here((bp_logit)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_matmul(...) bp_here((bp_matmul)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_linear(...) bp_here((bp_linear)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_dot(...) bp_here((bp_dot)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_outer(...) bp_here((bp_outer)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_uniform(...) bp_here((bp_uniform)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_normal(...) bp_here((bp_normal)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_bernoulli(...) bp_here((bp_bernoulli)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_dropout(...) bp_here((bp_dropout)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sum(...) bp_here((bp_sum)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_max(...) bp_here((bp_max)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_min(...) bp_here((bp_min)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_prod(...) bp_here((bp_prod)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_argmax(...) bp_here((bp_argmax)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_argmin(...) bp_here((bp_argmin)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_softmax(...) bp_here((bp_softmax)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_log_softmax(...) bp_here((bp_log_softmax)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_maxout(...) bp_here((bp_maxout)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_mean(...) bp_here((bp_mean)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_var(...) bp_here((bp_var)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_norm(...) bp_here((bp_norm)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_logsumexp(...) bp_here((bp_logsumexp)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_cumsum(...) bp_here((bp_cumsum)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_broadcast(...) bp_here((bp_broadcast)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_reshape(...) bp_here((bp_reshape)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_transpose(...) bp_here((bp_transpose)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_slice(...) bp_here((bp_slice)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_place(...) bp_here((bp_place)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_pad(...) bp_here((bp_pad)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_concat(...) bp_here((bp_concat)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_cast(...) bp_here((bp_cast)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_stop_gradient(...) bp_here((bp_stop_gradient)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sin(...) bp_here((bp_sin)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_cos(...) bp_here((bp_cos)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_tan(...) bp_here((bp_tan)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_asin(...) bp_here((bp_asin)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_acos(...) bp_here((bp_acos)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_atan(...) bp_here((bp_atan)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_atan2(...) bp_here((bp_atan2)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_sinh(...) bp_here((bp_sinh)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_cosh(...) bp_here((bp_cosh)(__VA_ARGS__), __FILE__, __LINE__)
#define bp_erf(...) bp_here((bp_erf)(__VA_ARGS__), __FILE__, __LINE__)
#endif
/* clang-format on */
/* END BUILDERS */

/* ======================================================================================
 * Data: where bytes come from
 * ====================================================================================== */

/** Where bytes come from. Readers take one, so compressed input, a socket or a database comes in through a callback.
 *  The readers below never close it. */
typedef struct bp_source {
  /** Reads at most n bytes (n > 0) into buffer. @return Bytes read, 0 only at the end, or -1 on failure: then *why is a
   *  text that lives until close. May return fewer than n. */
  int64_t (*read)(void *user, void *buffer, size_t n, const char **why);
  void (*close)(void *user); /**< frees user; may be NULL */
  void *user;
  const char *name; /**< for messages, usually the path; NULL: "input" */
  int64_t
      size; /**< bytes in all, where that is known before; else -1. Believed only to refuse early and to choose
                         the size of the first buffer. */
  /** Goes back to the first byte. @return false on failure, *why as in read. NULL: the bytes come once (a pipe, a socket); a reader
   *  that needs them twice keeps them, in memory while they are few, else in an unnamed file in $TMPDIR (or /var/tmp, or /tmp). */
  bool (*rewind)(void *user, const char **why);
} bp_source;

/** Opens a file (or FIFO, or device) for reading; short reads and EINTR are handled. The name is copied.
 *  @param out Out: to be closed with bp_source_close. @return BP_OK; BP_E_NOTFOUND, BP_E_IO, BP_E_NOMEM. */
BP_API bp_status bp_source_file(bp_ctx *ctx, const char *path, bp_source *out);
/** Reads from memory, which must outlive the source; so must the name. @return BP_OK; BP_E_NOMEM. */
BP_API bp_status bp_source_memory(bp_ctx *ctx, const void *data, size_t n, const char *name, bp_source *out);
/** Closes, and clears *source; NULL and a cleared source are accepted. */
BP_API void bp_source_close(bp_source *source);

/** Saves bytes as a file, so that at every moment, also when the power fails, the old file or the whole new one is there: a unique
 *  temporary file in the same directory is written, synchronised, closed and renamed, and the directory is synchronised.
 *  An existing file keeps its mode. A symbolic link, directory, device or FIFO in its place is refused.
 *  @return BP_OK; BP_E_IO with the reason and the path: then the old file is as it was (unless the message says that only the last
 *  step, making the new name durable, failed); BP_E_NOMEM. A program should ignore SIGXFSZ. */
BP_API bp_status bp_save_file(bp_ctx *ctx, const char *path, const void *data, size_t n);
/** Removes temporary files that killed programs left beside `path` while they saved: those that are older than a minute and that nobody
 *  writes any more. Never fails: what cannot be removed stays. @return How many were removed. */
BP_API int64_t bp_save_clean(bp_ctx *ctx, const char *path);

/* ======================================================================================
 * Data: arrays as files store them
 * ====================================================================================== */

/** Element types in files: X(name, bits of one element, name in messages). */
#define BP_STORE_LIST(X)           \
  X(NONE, 0, "none")               \
  X(BOOL, 8, "bool")               \
  X(UINT8, 8, "uint8")             \
  X(INT8, 8, "int8")               \
  X(UINT16, 16, "uint16")          \
  X(INT16, 16, "int16")            \
  X(UINT32, 32, "uint32")          \
  X(INT32, 32, "int32")            \
  X(UINT64, 64, "uint64")          \
  X(INT64, 64, "int64")            \
  X(FLOAT16, 16, "float16")        \
  X(BFLOAT16, 16, "bfloat16")      \
  X(FLOAT32, 32, "float32")        \
  X(FLOAT64, 64, "float64")        \
  X(FLOAT4, 4, "float4")           \
  X(FLOAT6_E2M3, 6, "float6_e2m3") \
  X(FLOAT6_E3M2, 6, "float6_e3m2") \
  X(FLOAT8_E4M3, 8, "float8_e4m3") \
  X(FLOAT8_E5M2, 8, "float8_e5m2") \
  X(FLOAT8_E8M0, 8, "float8_e8m0") \
  X(COMPLEX64, 64, "complex64")

/** How a file stores an element. bp_convert turns those up to FLOAT64 in this list into a bp_dtype; the others are only recognised. */
typedef enum bp_store {
#define BP_STORE_ENUM(name, bits, text) BP_STORE_##name,
  BP_STORE_LIST(BP_STORE_ENUM)
#undef BP_STORE_ENUM
      BP_STORE_COUNT
} bp_store;

/** "uint8" and so on; "none" for what is no storage. Static. */
BP_API const char *bp_store_name(bp_store s);
/** Bits of one element. */
BP_API unsigned bp_store_bits(bp_store s);
/** The storage of a bp_dtype; BP_STORE_NONE for BP_REAL and BP_NONE. */
BP_API bp_store bp_store_of(bp_dtype t);

/** Converts n elements. Any alignment of `from`; in the byte order of this machine.
 *  @param to   BP_FLOAT32 or BP_FLOAT64 (rounded to nearest), BP_INT64 (whole numbers in its range only) or BP_BOOL (0 and 1 only).
 *  @param out  n elements of it.
 *  @return BP_OK; BP_E_RANGE names the element that does not fit; BP_E_DTYPE; BP_E_UNSUPPORTED for storage that is only recognised. */
BP_API bp_status bp_convert(const void *from, bp_store store, int64_t n, bp_dtype to, void *out);

/** An array read from a file: row-major, in this machine's byte order, as the file stored its elements. */
typedef struct bp_ndarray {
  bp_store store;
  int rank;
  int64_t dims[BP_MAX_RANK];
  int64_t size; /**< number of elements */
  void *data;   /**< 64-byte aligned; never NULL in an array read */
} bp_ndarray;

/** Frees the data and clears *a. NULL is accepted. */
BP_API void bp_ndarray_free(bp_ctx *ctx, bp_ndarray *a);

/** Reads an IDX array (the format of MNIST): any element type of the format, rank 1 to 4. Memory grows as data come, whatever the
 *  file claims. @param out Out: freed with bp_ndarray_free.
 *  @return BP_OK; BP_E_FORMAT (what is wrong, and at which byte), BP_E_IO, BP_E_NOMEM. */
BP_API bp_status bp_idx_read(bp_ctx *ctx, bp_source *source, bp_ndarray *out);
/** The same from a file that is not compressed. */
BP_API bp_status bp_idx_load(bp_ctx *ctx, const char *path, bp_ndarray *out);

/** Checks that labels fit examples: rank 1, whole numbers, as many as examples.dims[0], each in 0..classes-1.
 *  @param classes 0: any number of classes; then *found, if not NULL, gets largest label + 1.
 *  @return BP_OK; BP_E_MISMATCH (counts), BP_E_RANGE (names the label), BP_E_SHAPE, BP_E_DTYPE. */
BP_API bp_status bp_labels_check(const bp_ndarray *examples, const bp_ndarray *labels, int64_t classes,
                                 int64_t *found);

/** Reads an .npy array, versions 1 to 3, rank 0 to BP_MAX_RANK. Big-endian data are converted, Fortran order is honoured
 *  (that takes the memory of the array twice). Object, text, complex and structured dtypes are refused by name.
 *  @return BP_OK; BP_E_FORMAT, BP_E_UNSUPPORTED, BP_E_IO, BP_E_NOMEM. Source: numpy.lib.format. */
BP_API bp_status bp_npy_read(bp_ctx *ctx, bp_source *source, bp_ndarray *out);
/** The same from a file. */
BP_API bp_status bp_npy_load(bp_ctx *ctx, const char *path, bp_ndarray *out);
/** Saves as .npy version 1, in the byte order of this machine, with bp_save_file's promises. BP_E_UNSUPPORTED for storage that NumPy does not have. */
BP_API bp_status bp_npy_save(bp_ctx *ctx, const char *path, const bp_ndarray *a);

/* ======================================================================================
 * Data: tables from CSV
 * ====================================================================================== */

/** Whether the first line of a CSV file holds names. AUTO takes it for names unless one of its fields is a number; then it refuses
 *  and explains, rather than guess. */
typedef enum bp_csv_header { BP_CSV_HEADER_AUTO, BP_CSV_HEADER_YES, BP_CSV_HEADER_NO } bp_csv_header;

/** Zeros are the defaults. */
typedef struct bp_csv_options {
  char delimiter; /**< 0: ','. One of , ; | or tab */
  bp_csv_header header;
  int64_t max_line;  /**< longest record in bytes; 0: 64 MiB */
  int64_t max_bytes; /**< most bytes of input; 0: no limit */
  int64_t buffer;    /**< bytes of input held at a time (more where a record is longer); 0: 256 KiB */
  const char *const
      *text; /**< names of columns that are text whatever they hold (postal codes, numbers of types) */
  size_t n_text;
} bp_csv_options;

/** A table: columns of numbers or of text categories, each with a name. */
typedef struct bp_table bp_table;

/** Reads CSV by RFC 4180: quotes, doubled quotes, line breaks inside quotes, LF or CRLF, with or without a final one; a UTF-8 byte
 *  order mark is skipped, empty lines are skipped. Text must be UTF-8.
 *
 *  A column in which every field is a number (decimal point, whatever the locale; blanks around it allowed) or empty is a column of
 *  numbers; any other is text, whose categories keep the exact text. An empty field is a missing value. In a column that holds numbers
 *  otherwise, so are NA, N/A, #N/A, <NA>, NaN, null, None, ?, - and . (in capitals or not); among other text they are text. inf and numbers
 *  too large for a double are refused in a column of numbers. Without a header the columns are named "column 1" and so on; a column
 *  without a name is named so too.
 *
 *  @param source  Read twice where a column turns out to be text after it looked like numbers ("007" must become a category as it was
 *                 written); see bp_source.rewind.
 *  @param options NULL for defaults. @param table Out: freed with bp_table_free.
 *  @return BP_OK; BP_E_FORMAT: bp_error() gives file:line:column, what is wrong and what to do; BP_E_LIMIT for a line or input over
 *          the limits, or over 100,000 columns; BP_E_NOTFOUND: a column of options.text is not there; BP_E_IO; BP_E_NOMEM.
 *  Memory: the table, and a buffer. Whole numbers take 1, 2 or 4 bytes, others 8. */
BP_API bp_status bp_csv_read(bp_ctx *ctx, bp_source *source, const bp_csv_options *options, bp_table **table);
/** The same from a file that is not compressed. */
BP_API bp_status bp_csv_load(bp_ctx *ctx, const char *path, const bp_csv_options *options, bp_table **table);

/** The same file as a stream: any number of rows, block by block, in constant memory. */
typedef struct bp_csv bp_csv;

/** What a column of a stream is taken for. */
typedef enum bp_csv_kind {
  BP_CSV_AUTO,    /**< numbers, until text is met */
  BP_CSV_NUMBERS, /**< text in it is an error, told with its place */
  BP_CSV_TEXT,
  BP_CSV_SKIP /**< not kept: a column of numbers without values. Its fields must still be well-formed */
} bp_csv_kind;

/** Opens a stream and reads the names of its columns. The source must outlive it.
 *  @param out Out: closed with bp_csv_close. @return As bp_csv_read. */
BP_API bp_status bp_csv_open(bp_ctx *ctx, bp_source *source, const bp_csv_options *options, bp_csv **out);
/** The block read last; before the first one, a table of no rows that tells the names. Belongs to the stream, which reads each block into it. */
BP_API const bp_table *bp_csv_table(const bp_csv *c);
/** Says what a column is taken for, before the first block. @param column 0 to columns - 1. @return BP_OK; BP_E_RANGE, BP_E_ORDER. */
BP_API bp_status bp_csv_expect(bp_csv *c, int column, bp_csv_kind kind);
/** What a column was found to be by now: NUMBERS, TEXT (also where it could not be kept, see bp_csv_block), SKIP, or AUTO while it was empty. */
BP_API bp_csv_kind bp_csv_found(const bp_csv *c, int column);
/** Reads the next rows.
 *
 *  @param most  At most so many; less where the input does not have them at hand, so that rows of a pipe are answered as they come.
 *  @param table Out: the block. It has 0 rows at the end of the input, and only there. Its categories are those of its own rows, numbered in
 *               the order of their first appearance in it. Where all values of an AUTO column are missing so far, it is a column of numbers.
 *  @return BP_OK; as bp_csv_read; BP_E_DTYPE: text came in AUTO columns whose numbers were handed out or forgotten. bp_csv_found says TEXT
 *          for them, and bp_csv_again starts over with that.
 *  inf and overflows: in NUMBERS refused at once; in AUTO missing in the block, and refused at the end of the input, as only then it is
 *  known whether they were words. */
BP_API bp_status bp_csv_block(bp_csv *c, int64_t most, const bp_table **table);
/** Back to the first row. Columns keep what they were found to be. @return BP_OK; BP_E_UNSUPPORTED where the source cannot go back; BP_E_IO. */
BP_API bp_status bp_csv_again(bp_csv *c);
/** Frees the stream and its table. The source stays open. */
BP_API void bp_csv_close(bp_csv *c);

BP_API void bp_table_free(bp_table *t);

BP_API int64_t bp_table_rows(const bp_table *t);
/** Rows of the input before the table's first: 0 but for blocks of a stream. */
BP_API int64_t bp_table_first(const bp_table *t);
BP_API int bp_table_columns(const bp_table *t);

typedef struct bp_column {
  const char *name;   /**< lives as long as the table */
  bool text;          /**< categories; else numbers */
  int64_t missing;    /**< empty fields, and marks */
  int64_t marks;      /**< of them, those that say NA, NaN, ? and the like in a column of numbers */
  int32_t categories; /**< of a text column, in order of first appearance; 0 for numbers */
} bp_column;

/** @param column 0 to columns - 1. @return BP_OK; BP_E_RANGE. */
BP_API bp_status bp_table_column(const bp_table *t, int column, bp_column *out);
/** The column of that name; else, of that number counted from 1. @return BP_OK; BP_E_NOTFOUND, which says the nearest name. */
BP_API bp_status bp_table_find(const bp_table *t, const char *name, int *column);
/** Copies n numbers of a column from row `first` on; missing ones are NaN. @return BP_OK; BP_E_DTYPE for a text column; BP_E_RANGE. */
BP_API bp_status bp_table_numbers(const bp_table *t, int column, int64_t first, int64_t n, double *out);
/** The categories of a text column, one a row; missing: -1. @param codes Out: rows of them, living as long as the table. BP_E_DTYPE, BP_E_RANGE. */
BP_API bp_status bp_table_codes(const bp_table *t, int column, const int32_t **codes);
/** Text of a category, and how many rows have it (count may be NULL); NULL when there is no such column or category. */
BP_API const char *bp_table_category(const bp_table *t, int column, int32_t code, int64_t *count);

/* ======================================================================================
 * Data: shuffle and split
 * ====================================================================================== */

/** Seeded permutation of 0..n-1; round: another one for each epoch. The same on every machine. BP_E_ARG for n < 0. */
BP_API bp_status bp_shuffle_rows(uint64_t seed, uint32_t round, int64_t n, int64_t *out);

/** Cuts 0..n-1 into a first part of about `fraction` of them and the rest, at random by seed.
 *  @param labels    NULL: plain. Else n whole numbers: stratified, each label is shared out in proportion (largest remainders get the
 *                   odd ones; a label of 2 or more examples has at least one in each part where the sizes allow).
 *  @param fraction  Of the first part, 0 to 1.
 *  @param out       Out: n indices: first part, then the rest, each ascending.
 *  @param n_first   Out: size of the first part: fraction * n, rounded.
 *  @return BP_OK; BP_E_ARG; BP_E_NOMEM. */
BP_API bp_status bp_split_rows(bp_ctx *ctx, uint64_t seed, int64_t n, const int64_t *labels, double fraction,
                               int64_t *out, int64_t *n_first);

/** Numbers of rows for fold number `fold` (from 0) of `folds`, as bp_split_rows gives parts: those of the fold first, then all others, each
 *  ascending. Every row is in exactly one fold; folds differ in size by one row at most, also (labels not NULL) in rows of each label.
 *  @return BP_OK; BP_E_ARG: folds is not from 2 to n, or fold none of them; BP_E_NOMEM. */
BP_API bp_status bp_fold_rows(bp_ctx *ctx, uint64_t seed, int64_t n, const int64_t *labels, int folds,
                              int fold, int64_t *out, int64_t *n_first);

/* ======================================================================================
 * Data: safetensors
 * ====================================================================================== */

/** A named array. Row-major, little-endian in the file. */
typedef struct bp_tensor {
  const char *name;
  bp_store store;
  int rank;
  const int64_t *dims;
  const void
      *data; /**< in files of other programs not always aligned to its elements; bp_convert takes any */
  size_t bytes;
} bp_tensor;

/** An entry of the metadata. */
typedef struct bp_meta {
  const char *key;
  const char *value;
} bp_meta;

/** A safetensors file read: tensors in the order of their data, and metadata. Immutable. */
typedef struct bp_tensors bp_tensors;

/** Reads a safetensors file, checking every rule of the format. A file of ours also carries a checksum of all its bytes, in the metadata
 *  as "bprop.crc32c", which is verified; "bprop.check" says that it must be there.
 *  @return BP_OK; BP_E_FORMAT (what is wrong and with which tensor); BP_E_LIMIT (rank over BP_MAX_RANK); BP_E_IO; BP_E_NOMEM.
 *  Source: huggingface/safetensors, README "Format". */
BP_API bp_status bp_tensors_read(bp_ctx *ctx, bp_source *source, bp_tensors **out);
/** The same from a file. */
BP_API bp_status bp_tensors_load(bp_ctx *ctx, const char *path, bp_tensors **out);
BP_API void bp_tensors_free(bp_tensors *t);
BP_API size_t bp_tensors_count(const bp_tensors *t);
/** Tensor i in the order of the data; NULL past the end. Lives as long as t. */
BP_API const bp_tensor *bp_tensors_at(const bp_tensors *t, size_t i);
/** The tensor of that name, or NULL. */
BP_API const bp_tensor *bp_tensors_find(const bp_tensors *t, const char *name);
BP_API size_t bp_tensors_meta_count(const bp_tensors *t);
BP_API const bp_meta *bp_tensors_meta_at(const bp_tensors *t, size_t i);
/** Value of a metadata key, or NULL. */
BP_API const char *bp_tensors_meta(const bp_tensors *t, const char *key);

/** Saves tensors and metadata as a safetensors file, with bp_save_file's promises. Equal input gives equal bytes: tensors go by element
 *  size (large first, so that each is aligned), then name; metadata in the order given.
 *  @param tensors  n of them; `bytes` must be what dims and store say. Names and metadata must be UTF-8; names, and keys, unique.
 *  @return BP_OK; BP_E_ARG, BP_E_EXISTS (a name twice), BP_E_IO, BP_E_NOMEM. */
BP_API bp_status bp_tensors_save(bp_ctx *ctx, const char *path, const bp_tensor *tensors, size_t n,
                                 const bp_meta *meta, size_t n_meta);
/** The same into memory. @param bytes Out: freed with bp_free. @param size Out. */
BP_API bp_status bp_tensors_encode(bp_ctx *ctx, const bp_tensor *tensors, size_t n, const bp_meta *meta,
                                   size_t n_meta, void **bytes, size_t *size);

/* ======================================================================================
 * Parameters, initialisers, optimisers: all as nodes
 * ====================================================================================== */

/** How a parameter starts. fan_in and fan_out are taken from its shape: of [out, in] they are in and out; a vector counts as [n, 1].
 *  X(name, text, what it draws) */
#define BP_INIT_LIST(X)                                                                                    \
  X(DEFAULT, "default", "mirrored for matrices, zeros for vectors")                                        \
  X(ZEROS, "zeros", "0")                                                                                   \
  X(CONSTANT, "constant", "the value `scale`")                                                             \
  X(GLOROT, "glorot", "uniform in +-sqrt(6 / (fan_in + fan_out)) (Glorot & Bengio 2010)")                  \
  X(HE, "he", "normal, variance 2 / fan_in (He et al. 2015)")                                              \
  X(LECUN, "lecun", "normal, variance 1 / fan_in (LeCun et al. 1998)")                                     \
  X(ORTHOGONAL, "orthogonal", "orthonormal rows or columns (Saxe et al. 2014)")                            \
  X(MIRRORED, "mirrored",                                                                                  \
    "He normal, but rows come in pairs w, -w, so that between them every input is seen by an active ReLU") \
  X(UNIFORM, "uniform", "uniform in +-scale")                                                              \
  X(NORMAL, "normal", "normal, standard deviation `scale`")

typedef enum bp_init_kind {
#define BP_INIT_ENUM(name, text, what) BP_INIT_##name,
  BP_INIT_LIST(BP_INIT_ENUM)
#undef BP_INIT_ENUM
      BP_INIT_COUNT
} bp_init_kind;

typedef struct bp_init {
  bp_init_kind kind;
  double
      scale; /**< factor on what the kind says; 0: 1. For CONSTANT the value itself, 0 too; for UNIFORM and NORMAL bound and deviation. */
} bp_init;

/** The parameters of a network: named views of one contiguous vector (and frozen ones of another), so that an optimiser is one pass.
 *
 *  They are met in two rounds of the same building code. In the first, bp_param makes a parameter known. bp_params_make then makes the
 *  state. From then on bp_param gives the node of the parameter's value in any graph. */
typedef struct bp_params bp_params;

BP_API bp_params *bp_params_new(bp_ctx *ctx);
BP_API void bp_params_free(bp_params *p);
/** The parameter of that name as a node of g, of shape dims. In the first round it is made known; later it must be known, with the
 *  same shape (BP_E_MISMATCH). Asked for twice, it is one parameter: tied. */
BP_API bp_node bp_param(bp_params *p, bp_graph *g, const char *name, int rank, const int64_t *dims,
                        bp_init init);
/** Before bp_params_make: the parameter (and every one whose name begins with it and a point) is not trained. BP_E_NOTFOUND, BP_E_ORDER. */
BP_API bp_status bp_params_freeze(bp_params *p, const char *name);
/** Makes the entries "params", "frozen" and "running" in s and fills them: each parameter draws from a stream of its own, so that its numbers
 *  depend on seed, order and shape alone. */
BP_API bp_status bp_params_make(bp_params *p, bp_state *s, uint64_t seed);
BP_API int bp_params_count(const bp_params *p);
/** Elements of all trained parameters, and of the others: frozen ones and running values. */
BP_API int64_t bp_params_size(const bp_params *p, int64_t *frozen);
/** Parameter number i: name, type, and where its values lie (in the state's storage; NULL before bp_params_make). Outs may be NULL. */
BP_API bp_status bp_params_at(const bp_params *p, int i, const char **name, bp_type *type, void **data,
                              bool *frozen);

/** A value beside the parameters that steps change without a gradient, as a batch norm's running mean: a parameter that is never trained, in
 *  the entry "running" of the state, kept and saved with the others (bp_params_at). Asked for after bp_running_next in the same graph, it is
 *  the value given there. Errors as bp_param. */
BP_API bp_node bp_running(bp_params *p, bp_graph *g, const char *name, int rank, const int64_t *dims,
                          bp_init init);
/** What it becomes with each step of value's graph; bp_optimizer_step adds the update to its own. value: of the same shape.
 *  @return value; error nodes: BP_E_NOTFOUND, BP_E_SHAPE. */
BP_API bp_node bp_running_next(bp_params *p, const char *name, bp_node value);

#define BP_OPTIMIZER_LIST(X)                                                          \
  X(ADAMW, "adamw", "Loshchilov & Hutter 2019; weight decay apart from the gradient") \
  X(ADAM, "adam", "Kingma & Ba 2015; weight decay added to the gradient")             \
  X(SGD, "sgd", "w -= lr g; momentum, Nesterov (Sutskever et al. 2013)")              \
  X(RMSPROP, "rmsprop", "Tieleman & Hinton 2012")                                     \
  X(ADAGRAD, "adagrad", "Duchi, Hazan & Singer 2011")                                 \
  X(LION, "lion", "Chen et al. 2023; weight decay apart from the gradient")           \
  X(LBFGS, "lbfgs", "limited-memory BFGS over all rows (Liu & Nocedal 1989)")

typedef enum bp_optimizer_kind {
#define BP_OPTIMIZER_ENUM(name, text, what) BP_OPTIMIZER_##name,
  BP_OPTIMIZER_LIST(BP_OPTIMIZER_ENUM)
#undef BP_OPTIMIZER_ENUM
      BP_OPTIMIZER_COUNT
} bp_optimizer_kind;

/** A learning rate of its own: `rate` times the optimiser's, for the parameter `name` and every one whose name begins with it and a
 *  point. 0: they stay as they are. */
typedef struct bp_rate {
  const char *name;
  double rate;
} bp_rate;

/** Zeros are the defaults in brackets. What is not asked for is not computed. */
typedef struct bp_optimizer {
  bp_optimizer_kind kind;
  double
      lr; /**< learning rate [adamw 0.003; adam, rmsprop 0.001; sgd 0.1; adagrad 0.01; lion 0.0001; lbfgs 1] */
  double momentum; /**< of sgd [0] */
  bool nesterov;
  double beta1,
      beta2;      /**< of adam and adamw [0.9, 0.999]; beta2 also of rmsprop [0.99]; of lion [0.9, 0.99] */
  double epsilon; /**< [1e-8; adagrad 1e-10] */
  double weight_decay; /**< of matrices, not of vectors [0] */
  double clip_norm;    /**< most global norm of the gradient [0: no clipping] */
  double
      clip_value; /**< most of each element of the gradient, either way; before clip_norm [0: no clipping] */
  double l1;      /**< adds l1 |w| of matrices to what is minimised; the loss told is without it [0] */
  double
      max_norm; /**< after a step, rows of matrices (what comes into a unit) are scaled down to this norm (Srivastava
                            et al. 2014) [0: any norm] */
  int64_t memory; /**< of lbfgs: pairs kept [10] */
  const bp_rate *
      rates; /**< n_rates of them; where several fit, the last counts. BP_E_NOTFOUND for one that fits nothing */
  size_t n_rates;
} bp_optimizer;

/** The learning rate that it starts with: `lr`, or what its kind has by default. */
BP_API double bp_optimizer_lr(const bp_optimizer *o);

/** One training step as nodes: gradient of loss by all trained parameters, clipping, optimiser; and the running values that layers of the
 *  graph gave with bp_running_next.
 *  Adds the optimiser's entries to the state at the first call ("optimizer.lr" is a real scalar that a schedule may set between steps).
 *  @param updates Out: at least BP_OPTIMIZER_UPDATES entries. @param n Out: how many were used.
 *  @param grad    Out, may be NULL: the gradient as one vector, before clipping: a guard for bp_plan_new.
 *  @return BP_OK; BP_E_ARG; BP_E_ORDER; BP_E_NOTFOUND (rates); BP_E_UNSUPPORTED for lbfgs, which is more than a step: see bp_minimize. */
#define BP_OPTIMIZER_UPDATES 5
BP_API bp_status bp_optimizer_step(bp_params *p, bp_state *s, const bp_optimizer *o, bp_node loss,
                                   bp_update *updates, size_t *n, bp_node *grad);
/** Its two halves, for a gradient that is summed over several runs or changed on its way. The gradient: of loss, by all trained
 *  parameters, as one vector in the order of the entry "params"; zeros where loss does not depend on one. */
BP_API bp_node bp_params_gradient(bp_params *p, bp_node loss);
/** The step from a gradient like that. Same errors. */
BP_API bp_status bp_optimizer_apply(bp_params *p, bp_state *s, const bp_optimizer *o, bp_node grad,
                                    bp_update *updates, size_t *n);

/** Zeros are the defaults in brackets. */
typedef struct bp_minimize_options {
  int64_t iterations;  /**< at most [1,000] */
  double tolerance;    /**< ends where every element of the gradient is at most this [1e-8] */
  int64_t memory;      /**< pairs kept [10] */
  double weight_decay; /**< adds weight_decay / 2 times the sum of the squares of all matrices [0] */
  bool (*progress)(void *user, int64_t iteration, double loss); /**< after each; false stops: BP_E_STOPPED */
  void *user;
} bp_minimize_options;

typedef struct bp_minimize_result {
  int64_t iterations, evaluations; /**< runs of the plan: one or two for most iterations */
  double loss, gradient;           /**< at the end, without the decay; the largest element of the gradient */
  bool
      converged; /**< within tolerance. Else there were too many iterations, or rounding hid any lower loss */
} bp_minimize_result;

/** Minimises a loss by L-BFGS: for smooth functions of up to some million parameters that can be worked out as a whole, where it takes far
 *  fewer runs than the steps of bp_optimizer_step.
 *
 *  @param r  A run, with its inputs bound, of a plan whose outputs are the loss and bp_params_gradient of it; on state s. Its guards, if any, make
 *            the line search shorten its step. The weights in s are where it begins, and then where it ends.
 *  @param options, result  May be NULL.
 *  @return BP_OK, also without convergence; BP_E_NOTFINITE where it begins; BP_E_STOPPED; BP_E_SHAPE or BP_E_RANGE for other outputs; BP_E_NOMEM.
 *  Memory: the pairs, 2 * memory vectors of the state's reals, which are entries of s; and 4 vectors of doubles.
 *  Source: Liu & Nocedal 1989; strong Wolfe line search with c1 = 1e-4 and c2 = 0.9, Nocedal & Wright 2006, algorithms 3.5 and 3.6. */
BP_API bp_status bp_minimize(bp_params *p, bp_state *s, bp_run *r, const bp_minimize_options *options,
                             bp_minimize_result *result);

/** Dense layer: x W' + b with parameters NAME.W [out, in] (its rows are the templates) and NAME.b [out]. x: [..., in].
 *  b starts at 0; with BP_INIT_DEFAULT at 0.1, which together with mirrored rows keeps small ReLU networks from stalling (of 2,000
 *  networks 2-8-1 on XOR, 99.95 % learn it, and 93.0 % with He normal and 0). */
BP_API bp_node bp_dense(bp_params *p, bp_node x, const char *name, int64_t out, bp_init init);
/** Zeros are the defaults in brackets. */
typedef struct bp_conv_options {
  int64_t filters;   /**< channels of the result; at least 1 */
  int64_t window[2]; /**< height and width of a filter, at least 1 [a width of 0: as high as wide] */
  int64_t stride;    /**< in both directions [1] */
  int64_t pad;       /**< border of zeros on every side [0]; window / 2 keeps the size of odd windows */
  int64_t dilation;  /**< distance of neighbours in a window [1] */
  int64_t groups;    /**< of channels, each with its own filters; divides channels and filters [1] */
} bp_conv_options;

/** Convolutional layer: conv2d_bias(x, W, b) with parameters NAME.W [filters, height, width, channels / groups] and NAME.b [filters], which start
 *  as in bp_dense. x: [batch, height, width, channels], channels last. For other borders and strides call bp_conv2d_bias on parameters of your own.
 *  @return [batch, places down, places across, filters]; places = (size + 2 pad - extent) / stride + 1, extent = (window - 1) dilation + 1.
 *          Error nodes: BP_E_ARG, BP_E_SHAPE. Source: LeCun et al. 1989. */
BP_API bp_node bp_conv(bp_params *p, bp_node x, const char *name, bp_conv_options options, bp_init init);
/** Largest element, or mean, of windows of `window` by `window` pixels that lie side by side; rows and columns that fill no window are left out.
 *  x: [batch, height, width, channels]. For other windows see bp_max_pool2d and bp_avg_pool2d. */
BP_API bp_node bp_max_pool(bp_node x, int64_t window);
BP_API bp_node bp_avg_pool(bp_node x, int64_t window);
/** Learned vectors: row codes[i] of the parameter NAME.E [count, width], which starts normal with deviation 0.05. codes: int64 [...], from 0;
 *  one that is not below count stops the run (BP_E_RANGE). @return [..., width]. Source: Bengio et al. 2003. */
BP_API bp_node bp_embedding(bp_params *p, bp_node codes, const char *name, int64_t count, int64_t width,
                            bp_init init);
/** x [batch, ...] as rows [batch, all the rest], for the dense layers behind. A view. BP_E_SHAPE for a scalar. */
BP_API bp_node bp_flatten(bp_node x);
/** An activation by name ("relu", "maxout(2)", ...): any elementwise row of one real input with its default attributes, or maxout. "none" and NULL: x. */
BP_API bp_node bp_activation(bp_node x, const char *name);

/** Layers by their text, "conv 32 3 same relu, maxpool, dense 64 relu, dropout 0.2, dense 10": layers one after another, separated by commas. A
 *  layer is a name, its arguments (numbers in their order, or name=number), and an activation; an activation alone is a layer too. Layers
 *  may stand in layers: residual(conv 32 3 same, batchnorm, relu, conv 32 3 same) relu. `bprop layers` lists the kinds.
 *
 *  Parameters are named by their place: layer1.W, layer1.b of the first dense or conv, layer2.W, ...; norm1.gain, norm1.bias (and running
 *  norm1.mean, norm1.var) of norms; residual1.W of a projection; embed1.E, embed2.E, ... of
 *  embedded columns.
 *  @param x        [batch, n] or [batch, height, width, channels].
 *  @param key      int64[2] for dropout, where training; else may be BP_NO_NODE.
 *  @param training Dropout drops, batch norm takes the batch's own mean and variance and moves the running ones, with bp_running_next.
 *  @return The last layer's node; error nodes: BP_E_PARSE for the text, BP_E_SHAPE and others, with the layer that it was. */
BP_API bp_node bp_layers(bp_params *p, bp_node x, bp_node key, bool training, const char *text);
/** Reads such a text and builds nothing. @param plain Out, may be NULL: the same layers as they are written plainly, freed with bp_free.
 *  @param at Out, may be NULL: where it is wrong, in bytes. @return BP_OK; BP_E_PARSE: bp_error() says the column and the nearest name;
 *  BP_E_NOMEM. */
BP_API bp_status bp_layers_check(bp_ctx *ctx, const char *text, char **plain, size_t *at);

/** What an argument of a layer takes. */
typedef enum bp_layer_arg_kind { BP_LAYER_WHOLE, BP_LAYER_REAL, BP_LAYER_FLAG } bp_layer_arg_kind;
typedef struct bp_layer_arg {
  const char *name;
  bp_layer_arg_kind kind;
  bool named;            /**< only as name=value; a flag is its name alone */
  int most;              /**< numbers, joined by x as in 3x5; 0: 1 */
  double lo, hi, preset; /**< preset NAN: it must be given */
  const char *word;      /**< that may stand for it, as "same"; NULL: none */
  const char *what;
} bp_layer_arg;

/** A kind of layer, of those that bp_layers reads. */
typedef struct bp_layer_kind {
  const char *name, *what, *source; /**< source: paper or standard; NULL: none */
  const bp_layer_arg *args;         /**< n_args of them, in their order; at most BP_LAYER_ARGS */
  int n_args;
  bool body; /**< has layers in brackets */
} bp_layer_kind;
#define BP_LAYER_ARGS 7
/** Kind number i, from 0. BP_E_RANGE past the last. Its texts are static. */
BP_API bp_status bp_layer_kind_at(size_t i, bp_layer_kind *kind);

/* ======================================================================================
 * Data sets
 * ====================================================================================== */

/** Examples: rows of numbers, each with a class or with real targets. Counted storage: parts share it. */
typedef struct bp_data bp_data;

/** How the columns of a table are used. Zeros are the defaults. Lists are names, or numbers from 1 ("#5" where a name could be meant), separated
 *  by commas; a name that holds a comma is put in double quotes. */
typedef struct bp_data_options {
  const char *target;  /**< what is to be predicted: one column, or several; NULL: nothing */
  const char *weights; /**< a column that says how much each row counts (0 or more) */
  const char *ignore;  /**< columns to leave out */
  const char *
      categorical; /**< columns of numbers that are categories, like codes and postcodes; text columns that would be left out are kept */
  const char *
      numeric; /**< columns of numbers in which other text counts as missing; as a target: numbers, not classes */
  bool
      by_position; /**< of bp_data_for_net: the network's columns are those of the table in their order, whatever they are called */
  bool
      inputs_only; /**< of bp_data_for_net: answers that are in the table too are not read, whatever they are */
  int64_t
      memory; /**< bytes that bp_data_from_csv and bp_data_read_for_net may take for the data; 0: any number */
} bp_data_options;

/** From a table: columns of numbers and of text categories, missing values as NaN; what becomes of them is up to bp_net_new.
 *
 *  One target: text, or few different whole numbers (>= 0), makes classes: 10, or up to 64 where there are 5 rows for each; another makes regression. Several: numbers, or text and
 *  numbers with two different values each (0 and 1, yes and no), of which several may be true. Rows whose target is missing are left out.
 *
 *  Left out are also columns from which nothing can be learned, unless they are asked for: empty ones, text that is the same in all rows, text
 *  that is nearly always another (names, dates), numbers that only count the rows. bp_data_note says so.
 *  Values are kept as 32-bit floats; a column whose values those cannot tell apart (time stamps) is BP_E_RANGE. The table may be freed afterwards.
 *  @param options NULL: no target, for prediction.
 *  @return NULL on error: BP_E_NOTFOUND for a column that does not exist, BP_E_RANGE, BP_E_FORMAT, BP_E_NOMEM. */
BP_API bp_data *bp_data_from_table(bp_ctx *ctx, const bp_table *t, const bp_data_options *options);
/** From arrays: x [rows, ...] flattened to rows; labels [rows] whole numbers from 0, or NULL. The arrays may be freed afterwards.
 *  Arrays of uint8 and rank 3 or more count as images: scaled by one mean and deviation, not column by column. */
BP_API bp_data *bp_data_from_arrays(bp_ctx *ctx, const bp_ndarray *x, const bp_ndarray *labels);
/** Gives labels their names, as those of folders: `target` is what they tell apart. n must be over every label. @return BP_OK; BP_E_ARG: no labels, or too few
 *  names, or two are the same; BP_E_ORDER once a part of d was made; BP_E_NOMEM. */
BP_API bp_status bp_data_name_classes(bp_data *d, const char *target, const char *const *names, int64_t n);
/** From memory, copied: x[rows * cols], NaN where a value is missing; labels[rows], or y[rows * n_y], or neither. Labels count from 0: BP_E_LIMIT where the largest is
 *  over 65,535 and not below the number of rows. */
BP_API bp_data *bp_data_new(bp_ctx *ctx, int64_t rows, int64_t cols, const float *x, const int64_t *labels,
                            const float *y, int64_t n_y);
/** From CSV of any size. While the values fit options.memory they are kept in memory, as by bp_csv_read and bp_data_from_table. Else they are read once
 *  more, as a stream, into an unnamed file in $TMPDIR (or /var/tmp, or /tmp), 4 bytes a value; it is gone when the data are freed, and when the process
 *  is killed. Training then takes blocks of it in shuffled order and shuffles the rows of some dozens of blocks at a time; the parts that
 *  bp_data_split holds out come into memory, and are smaller than asked for where that would take over a quarter of options.memory; those of bp_data_fold
 *  stay in the file. bp_data_label gives -1 for such data.
 *  @return As bp_data_from_table, and as bp_csv_read; BP_E_IO, also where the disk is full. */
BP_API bp_data *bp_data_from_csv(bp_ctx *ctx, bp_source *source, const bp_csv_options *csv,
                                 const bp_data_options *options);
/** The same from a file that is not compressed, in memory. */
BP_API bp_data *bp_data_load_csv(bp_ctx *ctx, const char *path, const char *target);
BP_API void bp_data_free(bp_data *d);
/** Rows at[n] of d, in that order, in memory. @return BP_OK; BP_E_RANGE; BP_E_IO of rows in a file; BP_E_NOMEM. */
BP_API bp_status bp_data_part(const bp_data *d, const int64_t *at, int64_t n, bp_data **out);
/** Seeded split; stratified by class. @param fraction Share of held_out, in (0, 1); at least one row on each side. */
BP_API bp_status bp_data_split(const bp_data *d, double fraction, uint64_t seed, bp_data **rest,
                               bp_data **held_out);
/** Fold number `fold` (from 0) of `folds`: *held_out has it, *rest all others. Seeded; stratified by class; folds differ in size by at most one row
 *  (of a class, too). Every row is in exactly one fold. @param folds 2 to the number of rows. */
BP_API bp_status bp_data_fold(const bp_data *d, int folds, int fold, uint64_t seed, bp_data **rest,
                              bp_data **held_out);
/** A number for what it holds: rows in their order, names, categories, labels and weights. The same for the same data on every machine of one byte
 *  order, however they were read; reads all of them once, about 1 GB/s. 0 for NULL. */
BP_API uint64_t bp_data_hash(const bp_data *d);
BP_API int64_t bp_data_rows(const bp_data *d);
BP_API int64_t bp_data_cols(const bp_data *d);
/** What was done with a table that a person should know, in sentences: columns and rows that were left out, text that counts as missing. Note i from 0
 *  on; NULL past the last. */
BP_API const char *bp_data_note(const bp_data *d, int64_t i);
/** Height, width and channels where rows are images (arrays of rank 3 and 4): returns 3; else their length: returns 1. */
BP_API int bp_data_shape(const bp_data *d, int64_t dims[3]);
/** Number of classes; 0 for regression or no target. */
BP_API int64_t bp_data_classes(const bp_data *d);
/** Name of a class, of a column ("" where it has none). */
BP_API const char *bp_data_class_name(const bp_data *d, int64_t i);
BP_API const char *bp_data_col_name(const bp_data *d, int64_t i);
/** Bytes of the temporary file that holds the rows (bp_data_from_csv); 0 where they are in memory. */
BP_API int64_t bp_data_file_bytes(const bp_data *d);
/** Category k of column i, as it was read; NULL past the last, and for a column of numbers. */
BP_API const char *bp_data_category(const bp_data *d, int64_t i, int64_t k);
/** Real targets of a row; 0 for classes. */
BP_API int64_t bp_data_targets(const bp_data *d);
/** Label of row i, -1 without. */
BP_API int64_t bp_data_label(const bp_data *d, int64_t i);
/** Copies row i as floats, as they were read: categories as numbers, NaN where a value is missing. */
BP_API bp_status bp_data_row(const bp_data *d, int64_t i, float *out);

/* ======================================================================================
 * Networks: built, trained, evaluated, saved
 * ====================================================================================== */

typedef struct bp_net bp_net;

/** What a network learns to make small: X(NAME, text, targets, what). p: outputs, y: targets. */
#define BP_LOSS_LIST(X)                                                                                    \
  X(SOFTMAX, "softmax", "classes", "cross-entropy of softmax(p) (Bridle 1990)")                            \
  X(MULTILABEL, "multilabel", "several targets from 0 to 1",                                               \
    "cross-entropy of sigmoid(p), mean over the targets: each is true or not by itself")                   \
  X(MSE, "mse", "numbers", "(p - y)^2")                                                                    \
  X(L1, "l1", "numbers", "|p - y|: learns medians")                                                        \
  X(HUBER, "huber", "numbers",                                                                             \
    "huber(d) [1]: (p - y)^2 / 2 within d, d (|p - y| - d / 2) beyond (Huber 1964); d in deviations of y") \
  X(QUANTILE, "quantile", "numbers",                                                                       \
    "quantile(q) [0.5]: q (y - p) where p < y, (1 - q) (p - y) above (Koenker & Bassett 1978)")            \
  X(POISSON, "poisson", "numbers from 0 on", "exp(p) - y p: counts, learnt as the logarithm of their mean")

/** Whether a loss (bp_net_options.loss) and a schedule (bp_train_options) can be read, before there are data. What an expression says is looked at when there are.
 *  NULL: the default. @return BP_OK; BP_E_NOTFOUND, BP_E_ARG: bp_error() begins with "loss" or "schedule" and says what there is. */
BP_API bp_status bp_loss_check(const char *loss);
BP_API bp_status bp_schedule_check(const char *schedule, int64_t warmup);

typedef enum bp_loss_kind {
#define BP_LOSS_ENUM(name, text, targets, what) BP_LOSS_##name,
  BP_LOSS_LIST(BP_LOSS_ENUM)
#undef BP_LOSS_ENUM
      BP_LOSS_COUNT
} bp_loss_kind;

/** A network of the caller's own: from x [batch, in] to logits [batch, classes] or values [batch, n_y]. Called in both rounds of bp_param,
 *  for every batch size, and apart for training and for evaluation. key: int64[2] for random nodes (dropout), only where training. */
typedef bp_node (*bp_build_fn)(void *user, bp_params *p, bp_node x, bp_node key, bool training);

/** Values that are missing: the mean of the column in the training data, or its most common category, stands for them, and an input of its own says
 *  so where the training data had missing values in that column; or data with missing values are refused. */
typedef enum bp_missing { BP_MISSING_MEAN, BP_MISSING_REFUSE } bp_missing;

/** Zeros are the defaults in brackets. */
typedef struct bp_net_options {
  int64_t hidden[16]; /**< widths of the hidden layers, ended by 0 [256]; -1 first: none, the linear model */
  const char *activation; /**< of the hidden layers ["relu"] */
  double dropout;         /**< after each hidden layer, while training [0] */
  const char *
      model; /**< the network as text (bp_layers), instead of the three above. A last layer for the answers is added, unless it ends in
                                one of their number without an activation. Where it begins with images, rows become what the data's images are */
  int64_t shape
      [3]; /**< height, width and channels of an image, where a row is one: then all its values have one mean and deviation [as the
                                data say] */
  bp_init init;
  bp_dtype real;      /**< [BP_FLOAT32] */
  uint64_t seed;      /**< [1] */
  bool raw;           /**< leave numbers as they are, instead of standardising them by the training data */
  bp_missing missing; /**< [BP_MISSING_MEAN] */
  int64_t
      embed_above; /**< a text column with more categories is embedded, one with fewer has an input for each [32] */
  bp_build_fn build; /**< instead of dense layers. Such a network cannot be saved as a whole. */
  void *user;
  /** A name of BP_LOSS_LIST, with its number in brackets if it takes one ("huber(0.5)"); or an expression of the language that gives one
   *  number, as "mean((p - y)**2)". In it p [batch, outputs] are outputs (of the identity link in the units of the targets); y the
   *  targets [batch, n_y] in their own units, or labels [batch]; w [batch, 1] weights of the rows, of mean 1 over all, 1 where there
   *  are none. ["softmax" for classes, "mse" for numbers] */
  const char *loss;
  const char *link; /**< of an expression: what makes predictions of outputs: "identity", "exp",
                                  "sigmoid", "softmax" ["softmax" for classes, else "identity"] */
  const struct bp_net *
      from; /**< a trained network to start from (fine-tuning): its encoding, so that the data must have its columns, its layers
                                  and its weights; where the data ask for other answers, with a new last layer. Only loss, link, freeze, seed and
                                  real may be given beside it. It may be freed afterwards [none] */
  const char *const *freeze; /**< as bp_params_freeze, ended by NULL: stay as they start [none] */
} bp_net_options;

/** A network for this data: its columns in, its classes (softmax cross-entropy) or targets (mean squared error) out.
 *  Means and deviations of the columns are taken from `data`, which should be the training part; a column that is constant there is left out. @return NULL on error. */
BP_API bp_net *bp_net_new(bp_ctx *ctx, const bp_data *data, const bp_net_options *options);
BP_API void bp_net_free(bp_net *net);

typedef struct bp_progress {
  int64_t epoch, epochs;           /**< from 1 */
  double train_loss;               /**< mean over the epoch */
  double valid_loss, valid_metric; /**< metric: as bp_net_history_metric calls it; NAN without validation */
  int64_t best_epoch;
  double seconds, eta;       /**< since the start; about what is left */
  double samples_per_second; /**< of this epoch's training */
} bp_progress;

/** A save while training. */
typedef struct bp_saved {
  const char *path;
  bp_status
      status; /**< BP_OK: the file is whole and on the disk. Else what bp_error() explains, and the file is the one before */
  int64_t epoch, step; /**< the epoch in hand, from 1, and the steps of it that are done */
} bp_saved;

typedef struct bp_train_options {
  int64_t epochs; /**< [200] */
  int64_t batch;  /**< [8 to 128 by the size of the data] */
  bp_optimizer
      optimizer; /**< [adamw]; weight_decay [of adamw 200 / rows, at most 2, of the others 0; -1: none] */
  /** Of the learning rate, by steps: "constant"; "cosine" (to 0 at the last step, Loshchilov & Hutter 2017); "step(E,F)": times F after
   *  every E epochs [30, 0.1]; "plateau(E,F)": times F after E epochs without a better validation loss [5, 0.1], or training loss where
   *  there is no validation; "onecycle": from lr / 25 up to lr in the first 0.3 of the steps, then down to lr / 250,000, both as half a
   *  cosine (Smith & Topin 2018). ["constant"] */
  const char *schedule;
  double
      averaging; /**< eta of a running mean of the weights over the steps, in which step t counts like t^eta: it is what is judged and
                                    kept (Shamir & Zhang 2013). -1: the weights as the last step left them [3; none with another
                                    schedule than "constant", and with lbfgs] */
  int64_t warmup; /**< steps in which the rate grows to that of the schedule, by equal amounts [0] */
  int64_t
      accumulate; /**< batches whose gradients make one step, as one of so many times `batch` would: for batches that do not
                                 fit into memory [1] */
  const double *class_weights; /**< [classes], at least 0: how much a row of each counts [1] */
  bool
      balanced; /**< class_weights rows / (classes * rows of the class) instead (scikit-learn's "balanced") */
  double
      mixup; /**< alpha: each row is mixed with another, l x + (1 - l) x', and its target likewise, l from Beta(alpha,
                                    alpha) for each batch (Zhang et al. 2018) [0: none] */
  int64_t shift; /**< images: moved at random by up to so many pixels each way, filled with 0 [0] */
  bool flip;     /**< images: mirrored left to right, every second one at random */
  double
      label_smoothing; /**< of class labels; -1: none [200 / rows, at most 0.05: worth up to one point of accuracy on small tables] */
  const bp_data *valid; /**< for early stopping; NULL: none */
  /** What of `valid` says which epoch is best, when to stop, and when "plateau" lowers the rate: a metric by its name ("auc", "top(3)"; one that
   *  fits, see bp_metric_find), of equal values the lower loss; or "loss" alone. BP_E_MISMATCH where it is not defined on those rows. [the loss, but
   *  a better accuracy or R2 is a reason to go on, and half the errors count more than the loss] */
  const char *metric;
  bool
      refit; /**< once the best epoch is known, begin again with the first weights, and learn for so many epochs from the validation rows
                              too; they must be of the same data (bp_data_split). Where it came before 1,000 steps, n of them: for
                              sqrt(best * n) epochs, as few rows know it badly. Not with lbfgs */
  void (*refit_begins)(
      void *
          user); /**< called with the best weights in the network: the last chance to judge it by the validation rows */
  int64_t
      patience; /**< epochs without anything better (see metric) before stopping [10, and at least 1000 steps] */
  bool (*progress)(
      void *user,
      const bp_progress *p); /**< after each epoch; false stops: BP_E_STOPPED, the best weights kept */
  void *user;
  const char
      *checkpoint; /**< a model file that is saved while training, with all that going on takes [none] */
  int64_t checkpoint_steps;  /**< after so many steps each [0: not by steps] */
  double checkpoint_seconds; /**< when so many seconds have passed since the last [0: not by time] */
  bool (*saved)(void *user,
                const bp_saved *s); /**< after each such save, also one that failed; false stops */
  const char
      *resume; /**< a file of `checkpoint` to go on from; see bp_net_train [none: from the beginning] */
  const volatile int *
      stop; /**< looked at after every step; not 0 stops at once, for signal handlers and other threads [none] */
} bp_train_options;

typedef struct bp_train_result {
  int64_t epochs, best_epoch, steps;           /**< epochs that were finished */
  double train_loss, valid_loss, valid_metric; /**< of the weights kept */
  double seconds, samples_per_second;
  bool stopped_early;
  int64_t epoch, step;  /**< where it ended: the epoch in hand, from 1, and the steps of it that are done */
  int64_t refit_rows;   /**< rows that it learned from once more; 0: it was not asked for, or ended early */
  int64_t refit_epochs; /**< and how often */
} bp_train_result;

/** Trains: shuffled batches, one plan a step. @param options NULL for defaults. @param result May be NULL.
 *  @return BP_OK; BP_E_MISMATCH (data of other columns or classes); BP_E_NOTFINITE: loss or gradient was not finite at the step that the
 *          message names, or a weight or the validation loss after the epoch; the weights are the best before it; BP_E_STOPPED;
 *          BP_E_ORDER: the network is being trained already, by another thread or around this progress callback; BP_E_NOMEM.
 *  Where the context uses fewer threads than bp_processors(), one more thread loads batches ahead while this call lasts; it runs nothing of
 *  the caller's. The same data, options and seed give the same bytes, for any number of threads.
 *
 *  With `checkpoint` the file is saved when it is time, and when training is stopped (BP_E_STOPPED), in the middle of an epoch too. It is a
 *  model file: the best weights so far, or before the first judgement the current ones. Beside them it holds the current weights, the
 *  optimiser's state, the place in the schedule and in the order of the rows, and what early stopping knows. A save that fails stops nothing.
 *
 *  With `resume` the net must come from bp_net_load of that file, and data and options be those of the first call (epochs may be others): then
 *  it ends with the bytes that it would have had without the stop. BP_E_MISMATCH names what is different; BP_E_ORDER: that training is
 *  finished, and the file has nothing to go on from. */
BP_API bp_status bp_net_train(bp_net *net, const bp_data *data, const bp_train_options *options,
                              bp_train_result *result);

typedef struct bp_metrics {
  int64_t rows;
  double
      loss; /**< the network's own, not smoothed; of numbers as they are learnt, divided by their deviation in training */
  double accuracy;      /**< of classes, and of labels: the share of all of them that are right; else NAN */
  double rmse, mae, r2; /**< regression; else NAN */
  double baseline; /**< accuracy of always the most common class of these rows; RMSE of always their mean */
} bp_metrics;

/** Always the same answer to a numeric target: the one that makes the network's loss smallest on the training rows, the least that a network must beat. */
typedef struct bp_trivial {
  char what
      [32]; /**< "mean" (of squared errors, Poisson's loss and expressions), "median" (L1, Huber), "0.9 quantile" */
  double loss, rmse; /**< of the rows judged; the loss as in bp_metrics */
} bp_trivial;
/** Finds it from the answers of up to 65,536 rows of `train`, and judges it on `on`. @return BP_OK; BP_E_MISMATCH where there are no numbers to predict (bp_metrics
 *  has the baseline of classes); as bp_net_eval. */
BP_API bp_status bp_net_trivial(bp_net *net, const bp_data *train, const bp_data *on, bp_trivial *out);

/** Losses at learning rates. Zeros are the defaults in brackets. */
typedef struct bp_lr_search {
  double from, to; /**< the rates that are swept [1e-6, 10] */
  int64_t steps;   /**< at most so many, each with a rate that is larger by the same factor [100] */
  double *lr,
      *loss; /**< out: n rates, and the running mean of the losses there (each step counts 0.1); freed with bp_free */
  size_t n;
  double suggestion; /**< out: where the loss falls fastest; NAN where it never falls */
} bp_lr_search;

/** Looks for a learning rate: steps with rates that grow from one to the next, until the loss is four times the lowest. The network is as it was,
 *  afterwards. @param options As for bp_net_train, batch and optimiser above all; NULL for defaults.
 *  @return BP_OK; as bp_net_train; BP_E_UNSUPPORTED for lbfgs. Source: Smith 2017. */
BP_API bp_status bp_net_find_lr(bp_net *net, const bp_data *data, const bp_train_options *options,
                                bp_lr_search *search);

/** The usual metrics in one pass over the data, in constant memory, rows counting by their weights. Of several targets, means over the targets.
 *  Others go by name: bp_net_metric. */
BP_API bp_status bp_net_eval(bp_net *net, const bp_data *data, bp_metrics *m);

/** What a look at a training is told. */
typedef struct bp_review {
  const bp_data *train;
  const bp_data *valid; /**< NULL: none */
  double own,
      linear; /**< accuracy or R2 of the network, and of a linear model on the same rows; NAN: not known */
  int64_t judged; /**< how many rows those were */
} bp_review;

/** Looks at a network that was just trained for what often goes wrong, and tells each thing that it finds in a line, with what helps. Names: "loss" (it
 *  hardly fell), "gradients" (they explode), "dead" (units that never fire), "leakage" (a column that tells the answer alone), "rare" (a class of
 *  fewer than 5 rows), "twins" (validation rows among the training rows), "overfit", "linear" (a linear model does better). Looks at up to
 *  4,000 rows for most. @return BP_OK, whatever it finds; BP_E_NOMEM and what bp_net_eval gives. */
BP_API bp_status bp_net_review(bp_net *net, const bp_review *about,
                               void (*tell)(void *user, const char *name, const char *text), void *user);
/** Class probabilities [rows, classes] or values [rows, n_y] for rows of raw inputs: numbers, and the number of its category (bp_net_category) where a
 *  column has categories; NaN where a value is missing. @return BP_OK; BP_E_RANGE for a category that does not exist; BP_E_UNSUPPORTED for a missing value where
 *  those are refused. May be called by several threads on one net. */
BP_API bp_status bp_net_predict(bp_net *net, const float *x, int64_t rows, float *out);
/** The class with the largest probability for one raw row; -1 on error, and where the row makes them NaN (BP_E_NOTFINITE). */
BP_API int64_t bp_net_classify(bp_net *net, const float *x);

/** Rows of a table as a network takes them: its columns, wherever they stand, and its categories by their texts; other columns are left aside. The
 *  network's target, if the table has it: then every row must have a value there, unless options->inputs_only; options->target names another column for it (in the order of the network's,
 *  where there are several); options->weights too; what else the options say is for training and ignored here.
 *  @return NULL on error: BP_E_MISMATCH: a column is missing (the nearest name is said), holds text in place of numbers, or row and column of a category or
 *          class that the network does not know (see bp_net_set_unknown); BP_E_UNSUPPORTED: a missing value where those are refused; as bp_data_from_table. */
BP_API bp_data *bp_data_for_net(const bp_net *net, const bp_table *t, const bp_data_options *options);
/** Says what the columns of a stream are for a network, before its first block: text where it has categories, whatever those look like; numbers; the rest is
 *  not kept. Then bp_data_for_net takes block by block, in constant memory. @return As bp_csv_expect; BP_E_NOTFOUND for a column of the options. */
BP_API bp_status bp_net_expect(const bp_net *net, bp_csv *c, const bp_data_options *options);
/** Both, for all rows of a stream that was opened: 4 bytes a value; where that is over options->memory, in an unnamed file as of bp_data_from_csv.
 *  @return NULL on error, as those. */
BP_API bp_data *bp_data_read_for_net(const bp_net *net, bp_csv *c, const bp_data_options *options);
/** Values for which the mean of their column stands, or its most common category, without an input that says so: as the training data had nothing of the kind. */
typedef struct bp_unseen {
  int64_t unknown; /**< categories that are new, and count as missing */
  int64_t missing; /**< values missing in columns where the training data had all */
  int64_t row;     /**< of the first, from 1, as messages count rows; 0: there is none */
  int64_t column;  /**< of the first: the network's */
} bp_unseen;
/** Counts them in a data set. @return BP_OK; what bp_net_eval gives for data that do not fit. */
BP_API bp_status bp_net_unseen(const bp_net *net, const bp_data *data, bp_unseen *out);
/** As bp_net_predict, for all rows of a data set: out[rows * outputs]. */
BP_API bp_status bp_net_predict_data(bp_net *net, const bp_data *data, float *out);
/** What a category is that the training data did not have: an error [BP_UNKNOWN_ERROR], or a missing value. In parts of a split, which the other part cannot
 *  know, it is a missing value in any case. Not while another thread uses the network. */
typedef enum bp_unknown { BP_UNKNOWN_ERROR, BP_UNKNOWN_MISSING } bp_unknown;
BP_API void bp_net_set_unknown(bp_net *net, bp_unknown unknown);

/** Raw columns of a row. */
BP_API int64_t bp_net_inputs(const bp_net *net);
BP_API int64_t bp_net_outputs(const bp_net *net);
/** 0 for regression. */
BP_API int64_t bp_net_classes(const bp_net *net);
BP_API const char *bp_net_class_name(const bp_net *net, int64_t i);
BP_API const char *bp_net_col_name(const bp_net *net, int64_t i);
/** Category k of raw column i; NULL past the last, and for a column of numbers. */
BP_API const char *bp_net_category(const bp_net *net, int64_t i, int64_t k);
/** Name of target column i of the table that it was made for; "" where there was none. One of them for classes, else one for each output. */
BP_API const char *bp_net_target_at(const bp_net *net, int64_t i);
/** The first. */
BP_API const char *bp_net_target(const bp_net *net);
/** Whether its inputs are pixels: as the data said that it was made for, or by their number and names (a square of at least 5 by 5 whose
 *  columns have numbers for names, or none). @param shape Out, may be NULL: height, width, channels; 0 where it is no image. */
BP_API bool bp_net_image(const bp_net *net, int64_t shape[3]);
BP_API bp_params *bp_net_params(bp_net *net);
/** "64-128-10 relu", or the text of its layers. Valid while the net lives. */
BP_API const char *bp_net_summary(const bp_net *net);
/** Its layers as text, whole: what a model file keeps, and `model` of bp_net_options takes. "" for a network with its own build function. */
BP_API const char *bp_net_model(const bp_net *net);

/** One layer, and what it costs. Its texts live as long as the net. */
typedef struct bp_layer_info {
  const char *
      text; /**< "conv 32 3 same relu"; of a layer with others in it, which come before it, without them: "residual" */
  const char *name;          /**< its parameters are NAME.W and so on; "" where it has none */
  int depth;                 /**< in how many others it stands */
  int rank;                  /**< of what it gives for one example, 0 to 3, */
  int64_t dims[3];           /**< and its shape */
  int64_t parameters, fixed; /**< numbers that are trained; that are not: frozen ones and running values */
  double
      flops; /**< floating-point operations forward, for one example, where it predicts: a multiply-add is two, any other
                                 operation on an element one. With those of the layers in it */
  int64_t bytes; /**< of what it gives for one example */
} bp_layer_info;
/** How many layers there are; 0 for a network with its own build function. */
BP_API size_t bp_net_layers(const bp_net *net);
BP_API bp_status bp_net_layer(const bp_net *net, size_t i, bp_layer_info *info);

/** One epoch of a training, for curves. No times: equal trainings have equal histories. */
typedef struct bp_epoch {
  int64_t epoch;
  double train_loss, valid_loss, valid_metric; /**< as in bp_progress */
} bp_epoch;

/** The epochs of the last training, also of one before the file was saved. *epochs: theirs, in order, until the net is trained or freed.
 *  Rounded to six digits. Of a long training every second is left out, as often as needed to stay below 8,192. @return Their number. */
BP_API int64_t bp_net_history(const bp_net *net, const bp_epoch **epochs);
/** Name of their valid_metric: what bp_train_options.metric asked for, else "accuracy", or "r2" of numbers. Until the net is trained or freed. */
BP_API const char *bp_net_history_metric(const bp_net *net);
/** Text of the caller's that goes with the model into its file, as metadata: what it was trained on, for whom, how. Copied; NULL removes it.
 *  @param key Not one of "bprop.version", "bprop.net", "bprop.training", "bprop.history", "bprop.check", "bprop.crc32c" (BP_E_ARG). Both must be UTF-8. */
BP_API bp_status bp_net_set_note(bp_net *net, const char *key, const char *text);
/** The note of that key, NULL where there is none. Until it is set again. */
BP_API const char *bp_net_note(const bp_net *net, const char *key);

/** Saves as safetensors with the network's description in its metadata; readable by anything that reads safetensors.
 *  @return BP_OK; BP_E_UNSUPPORTED for a network with its own build function; BP_E_NOTFINITE for NaN or infinity among the parameters, which
 *          bp_net_load would refuse; BP_E_IO, BP_E_NOMEM. */
BP_API bp_status bp_net_save(const bp_net *net, const char *path);
/** Takes memory in proportion to the file, whatever its description claims.
 *  @return NULL on error: BP_E_NOTFOUND, BP_E_FORMAT (malformed, or a description that is wrong), BP_E_MISMATCH (a tensor is missing or of
 *          another shape), BP_E_UNSUPPORTED (another version)... in *status, if not NULL. */
BP_API bp_net *bp_net_load(bp_ctx *ctx, const char *path, bp_status *status);

/* ======================================================================================
 * Metrics: how good predictions are
 * ====================================================================================== */

/** What is predicted. */
typedef enum bp_task {
  BP_TASK_CLASSES = 1, /**< one class of several */
  BP_TASK_NUMBERS = 2, /**< one or more numbers */
  BP_TASK_LABELS = 4   /**< each of several labels, or not (multi-label) */
} bp_task;

/** A metric, as it is called by name: "accuracy", "top(3)". All weigh rows by their weights. */
typedef struct bp_metric {
  const char *name, *title; /**< "auc", "ROC AUC" */
  const char *math;         /**< its definition, and what it does where that says nothing */
  const char *source;
  unsigned tasks; /**< bp_task, or-ed */
  bool higher;    /**< higher is better */
  bool share;     /**< is told in per cent */
  bool each;      /**< has a value for each class, label or target; the whole is their mean */
  bool
      ranked; /**< goes by the order of all rows, which must be kept for it; others are sums over rows that are seen once */
  double arg, least,
      most; /**< what stands in brackets if nothing does, and its range; all 0: it takes nothing */
} bp_metric;

BP_API size_t bp_metric_count(void);
/** @return NULL past the end. */
BP_API const bp_metric *bp_metric_at(size_t i);
/** By name, "top(3)" or "top". @param arg Out, may be NULL: what stands in brackets. @return NULL: bp_error() says why and names the nearest. */
BP_API const bp_metric *bp_metric_find(const char *name, double *arg);

/** Predictions of many rows beside what is true of them. Memory: 4 bytes for each prediction, 8 to 12 for each row, and 4 for each true number
 *  or label. Read-only: threads may share it. */
typedef struct bp_scores bp_scores;

/** From predictions of any origin, which are copied.
 *  @param p        [rows * outputs]: probabilities of classes or labels, or numbers.
 *  @param labels   [rows] true classes, from 0: of BP_TASK_CLASSES. @param y [rows * outputs]: true numbers, or labels as 0 and 1. The
 *                  other one is NULL.
 *  @param weights  [rows], none negative and not all 0. NULL: 1 each.
 *  @return BP_OK; BP_E_ARG; BP_E_RANGE for a label that is no class, or a weight; BP_E_NOMEM. */
BP_API bp_status bp_scores_new(bp_ctx *ctx, bp_task task, int64_t rows, int64_t outputs, const float *p,
                               const int64_t *labels, const float *y, const float *weights, bp_scores **out);
BP_API void bp_scores_free(bp_scores *s);
/** Some of its rows, copied: at[n], in any order. BP_E_RANGE, BP_E_NOMEM. */
BP_API bp_status bp_scores_part(const bp_scores *s, const int64_t *at, int64_t n, bp_scores **out);
/** Empty ones for rows that are seen once: what is added (bp_scores_add) is summed up, and not kept. Metrics of any number of rows so take the memory of
 *  one block.
 *  @param metrics  The names of those that will be asked for, ended by NULL; where one of them is `ranked`, rows are kept after all. NULL: all
 *                  that fit the task and are not.
 *  Counts come along, and of up to 1,024 classes the confusion matrix. What needs rows that are not kept is BP_E_UNSUPPORTED; bp_scores_row and
 *  its like have none.
 *  @return BP_OK; BP_E_ARG; BP_E_NOTFOUND or BP_E_MISMATCH for a name; BP_E_NOMEM. */
BP_API bp_status bp_scores_open(bp_ctx *ctx, bp_task task, int64_t outputs, const char *const *metrics,
                                bp_scores **out);
/** Adds rows at[n] of other scores to those of bp_scores_open; at NULL: all of them. BP_E_MISMATCH: of another task or other outputs;
 *  BP_E_RANGE, BP_E_NOMEM: nothing was added. */
BP_API bp_status bp_scores_add(bp_scores *s, const bp_scores *more, const int64_t *at, int64_t n);
BP_API bp_task bp_scores_task(const bp_scores *s);
BP_API int64_t bp_scores_rows(const bp_scores *s);
BP_API int64_t bp_scores_outputs(const bp_scores *s);
/** Predictions of a row, [outputs]; NULL past the end. */
BP_API const float *bp_scores_row(const bp_scores *s, int64_t row);
/** The true class of a row; -1 where there are none. What is true of output k: the number, or 1 or 0. */
BP_API int64_t bp_scores_label(const bp_scores *s, int64_t row);
BP_API double bp_scores_truth(const bp_scores *s, int64_t row, int64_t k);
/** How wrong a row is: minus the logarithm of the probability of what is true, or the squared error (means over labels, targets). */
BP_API double bp_scores_loss(const bp_scores *s, int64_t row);

/** The metric called `name`. *value is NAN where it is not defined: for want of rows of a kind, or because a prediction is not finite.
 *  @return BP_OK; BP_E_NOTFOUND; BP_E_MISMATCH: not of this task; BP_E_NOMEM. Time: rows by outputs; by the logarithm of the rows more for
 *          auc and median_ae. */
BP_API bp_status bp_scores_metric(const bp_scores *s, const char *name, double *value);
/** The same of class, label or target k alone, for those that have it (`each`). */
BP_API bp_status bp_scores_metric_of(const bp_scores *s, const char *name, int64_t k, double *value);

/** How often a class or label was there, was predicted, and both: sums of weights. */
typedef struct bp_class_count {
  double actual, predicted, right;
} bp_class_count;
BP_API bp_status bp_scores_count(const bp_scores *s, int64_t k, bp_class_count *out);
/** Confusion matrix. @param out [outputs * outputs] sums of weights: a row for each true class, a column for each predicted one.
 *  BP_E_MISMATCH: not of classes. */
BP_API bp_status bp_scores_confusion(const bp_scores *s, double *out);

/** The ROC curve of class or label k against the rest: from (0, 0) to (1, 1), a point wherever the threshold passes a prediction.
 *  @param fpr, tpr  Out: *n numbers each, freed with bp_free. Nothing (n = 0) where all rows, or none, are of k.
 *  @return BP_OK; BP_E_MISMATCH for numbers; BP_E_RANGE; BP_E_NOMEM. Source: Fawcett 2006. */
BP_API bp_status bp_scores_roc(const bp_scores *s, int64_t k, double **fpr, double **tpr, size_t *n);

/** A bin of the calibration curve. */
typedef struct bp_calibration_bin {
  double weight;     /**< of the rows in it */
  double confidence; /**< mean probability of what was predicted; NAN where the bin is empty */
  double accuracy;   /**< how often it was true */
} bp_calibration_bin;
/** Rows sorted by the probability of the class that was predicted, into `bins` equal parts of (0, 1]; of labels, every label's probability and how
 *  often it is true. @param out [bins]. @return BP_OK; BP_E_MISMATCH for numbers; BP_E_ARG. Source: Guo et al. 2017. */
BP_API bp_status bp_scores_calibration(const bp_scores *s, int64_t bins, bp_calibration_bin *out);

/** What a network predicts. */
BP_API bp_task bp_net_task(const bp_net *net);
/** Its predictions of data that have a target, found by name, with their weights. Errors as bp_net_eval's. */
BP_API bp_status bp_net_scores(bp_net *net, const bp_data *data, bp_scores **out);
/** A block of rows on its way, from number `first` on. Valid during the call. Another status than BP_OK ends the visit, and is what it returns. */
typedef bp_status (*bp_see)(void *user, const bp_scores *block, int64_t first);
/** Shows the predictions of all rows, in their order, in blocks: for data of any size, as for adding them up (bp_scores_add).
 *  @param m Out, may be NULL: as of bp_net_eval, in the same pass. */
BP_API bp_status bp_net_visit(bp_net *net, const bp_data *data, bp_see see, void *user, bp_metrics *m);
/** One metric, in one pass and in constant memory unless it is `ranked`. */
BP_API bp_status bp_net_metric(bp_net *net, const bp_data *data, const char *name, double *value);

/* ======================================================================================
 * Looking into a network
 * ====================================================================================== */

/** How the score of an output changes with each input: for each of n rows of data, the gradient of output which[i] (before softmax or another
 *  link) by the columns, in standard deviations of the training data; NAN for columns of categories.
 *  @param at     [n] rows of data. @param which [n] outputs.
 *  @param out    [n * bp_net_inputs(net)].
 *  @return BP_OK; BP_E_RANGE for a row or output that is not there; BP_E_MISMATCH; BP_E_UNSUPPORTED for data larger than memory; BP_E_NOMEM. Cost: forward and backward pass of the rows, and a plan.
 *  Source: Simonyan, Vedaldi & Zisserman 2014. */
BP_API bp_status bp_net_input_gradient(bp_net *net, const bp_data *data, const int64_t *at,
                                       const int64_t *which, int64_t n, float *out);

/** Zeros are the defaults in brackets. */
typedef struct bp_importance_options {
  const char *metric; /**< what is measured ["log_loss" for classes and labels, "rmse" for numbers] */
  int64_t repeats;    /**< shuffles of each column [5] */
  int64_t rows;       /**< at most so many rows, drawn by the seed [1,000] */
  uint64_t seed;      /**< [1] */
} bp_importance_options;
/** How much worse predictions become when a column's values are shuffled among the rows. */
typedef struct bp_importance {
  double mean;   /**< of the shuffles; over 0: worse */
  double spread; /**< their standard deviation */
} bp_importance;
/** Permutation importance of every column of a network, on data that it was not trained on. Columns that say the same stand in for each other, and
 *  none of them may look important.
 *  @param options  NULL for defaults. @param out [bp_net_inputs(net)]. @param whole Out, may be NULL: the metric with nothing shuffled, on the
 *                  same rows.
 *  @return BP_OK; BP_E_NOTFOUND for the metric; BP_E_MISMATCH; BP_E_UNSUPPORTED for data larger than memory; BP_E_ARG; BP_E_NOMEM. Cost: repeats predictions of the rows for each column.
 *  Source: Breiman 2001; Fisher, Rudin & Dominici 2019. */
BP_API bp_status bp_net_importance(bp_net *net, const bp_data *data, const bp_importance_options *options,
                                   bp_importance *out, double *whole);

/* ======================================================================================
 * Curves for TensorBoard
 * ====================================================================================== */

/** An event file being written: scalars by step, as TensorBoard shows them. Each call of bp_events_write arrives at once, so that curves can be
 *  watched as they grow. Belongs to one thread at a time. */
typedef struct bp_events bp_events;
typedef struct bp_scalar {
  const char *tag; /**< "loss/train": what stands before the slash is a heading; UTF-8 */
  double value;    /**< kept as 32 bits; may be NaN or infinite */
} bp_scalar;

/** A new file in a folder, which is made where it is missing, its parents too: events.out.tfevents.TIME.HOST.PID.N. TensorBoard takes all files
 *  of one folder for one run. @return BP_OK; BP_E_IO; BP_E_NOMEM. Format: TFRecord with masked CRC-32C around the protocol buffers
 *  tensorflow.Event and Summary (tensorflow/core/lib/io/record_writer.h, core/util/event.proto, core/framework/summary.proto). */
BP_API bp_status bp_events_open(bp_ctx *ctx, const char *folder, bp_events **out);
/** Where it is. */
BP_API const char *bp_events_path(const bp_events *e);
/** n values of one step, with the time of the call. BP_E_ARG for a tag that is empty, not UTF-8 or over 1,000 bytes; BP_E_IO (the file then ends with the record before, or
 *  in the middle of this one, which readers leave out); BP_E_NOMEM. */
BP_API bp_status bp_events_write(bp_events *e, int64_t step, const bp_scalar *scalars, size_t n);
/** Closes and frees. BP_E_IO where closing fails: a disk that filled up. NULL: BP_OK. */
BP_API bp_status bp_events_close(bp_events *e);

/* ======================================================================================
 * The language: programs as text
 * ====================================================================================== */

/** A program: numpy-like text, read into a graph. docs/language.md tells the language.
 *
 *  A name that is assigned a value which depends on no other node is an input with that value (`x = -2`, `W = 0.01*randn(4,3)`); an
 *  expression over inputs is a node of that name. Bare expressions are outputs, in their order; without any, the last assignment is.
 *  Texts may be read one after another in the same scope. A program belongs to the thread of its graph. */
typedef struct bp_program bp_program;

/** Zeros are the defaults in brackets. */
typedef struct bp_program_options {
  uint64_t seed;        /**< of what is drawn while reading (randn, rand, ...) [1] */
  int64_t max_elements; /**< most elements of an array made while reading, as by zeros(n) [2^26] */
  int64_t max_bytes;    /**< longest text [64 MiB] */
  bp_state *state;      /**< what state("name") reads [none]; must outlive the graph's use */
} bp_program_options;

/** New program over a graph, which must outlive it. @param options NULL for defaults. @return NULL on error. */
BP_API bp_program *bp_program_new(bp_graph *g, const bp_program_options *options);
BP_API void bp_program_free(bp_program *p);

/** Reads a text. Nothing is run but what must be known while reading: draws, sizes, values of inputs.
 *  @param source Name for messages, as a path; copied. @param text n bytes of UTF-8; copied.
 *  @return BP_OK; BP_E_PARSE, BP_E_NOTFOUND (an unknown name; the nearest is said), BP_E_SHAPE, BP_E_DTYPE, BP_E_LIMIT (text, depth of
 *          brackets or arrays over their limits), BP_E_EXISTS (a name that was set is computed), BP_E_NOMEM, ... bp_error() gives
 *          source:line:column and what is wrong; bp_program_error() also shows the line with a caret.
 *  On error the nodes of this text are rolled back, and the program is of no more use: BP_E_ORDER.
 *  Cost: time and memory linear in the text and in the nodes that it makes. */
BP_API bp_status bp_program_read(bp_program *p, const char *source, const char *text, size_t n);
/** Assigns the value of an expression to a name, and lets it win: texts read later that make an input of that name leave it as it is,
 *  and those that compute it are refused. Same errors; BP_E_ARG for what is no name. */
BP_API bp_status bp_program_set(bp_program *p, const char *name, const char *source, const char *text,
                                size_t n);
/** The same, with an array as the value (copied): an input of its shape. Whole numbers are real where a real is wanted. */
BP_API bp_status bp_program_set_array(bp_program *p, const char *name, const bp_ndarray *a);
/** The same, with a node of the graph that is there already: "mean((p - y)**2)" can be read over nodes p and y. */
BP_API bp_status bp_program_set_node(bp_program *p, const char *name, bp_node node);
/** What bp_error() says of the first failure, and below it the line of the text and a caret under the place. "" when nothing failed. */
BP_API const char *bp_program_error(const bp_program *p);

/** An input or output of a program. */
typedef struct bp_variable {
  const char *name; /**< lives as long as the program */
  bp_node node;
  bp_type type; /**< BP_REAL, BP_INT64 or BP_BOOL */
  const void *
      data; /**< of an input: its value as double, int64_t or bytes, living as long as the program; NULL where it has none
                         (declared by input(...)), and for outputs */
} bp_variable;

/** Inputs that the outputs depend on, in the order of their names in the text. */
BP_API size_t bp_program_inputs(bp_program *p);
BP_API bp_status bp_program_input(bp_program *p, size_t i, bp_variable *out);
/** Outputs: the bare expressions, or the name assigned last where there is none. A name's own; else "f", or "f1", "f2", ... where there are
 *  several. @return their number. 0 where nothing is computed, and where reading failed or the name assigned last means nothing that can
 *  be computed: then bp_program_error() says what, and is "" in the first case. */
BP_API size_t bp_program_outputs(bp_program *p);
BP_API bp_status bp_program_output(bp_program *p, size_t i, bp_variable *out);
/** The node that a name means at the end of what was read. @return BP_NO_NODE when there is none; bp_error() names the nearest. */
BP_API bp_node bp_program_find(bp_program *p, const char *name);
/** True if outputs depend on an input of that name (or the name is a node that was computed or set). */
BP_API bool bp_program_uses(bp_program *p, const char *name);
/** Binds every input that the plan needs to its value. Inputs without a value (input('x', [3], real)) are left as they are: they are the
 *  caller's to bind, before or after. A float32 plan reads copies, which live as long as the program.
 *  @return BP_OK; BP_E_NOMEM. */
BP_API bp_status bp_program_bind(bp_program *p, bp_run *r);

/** Whether an array was drawn while reading (randn and its like), so that the values depend on the seed. @param seed Out, may be NULL: the
 *  seed in force at the end. */
BP_API bool bp_program_drew(const bp_program *p, uint64_t *seed);

/** Writes nodes of a graph, and all that they depend on, as a program: also of a graph that was built in C. Read back, it gives an equal
 *  graph: the same operations, attributes, streams and constants, bit for bit (a NaN loses its payload), the same names and functions.
 *  @param outputs n nodes, n at least 1: bare expressions at the end of the text.
 *  @param values  A program over g whose inputs are written with their values, or NULL: then each is declared, as
 *                 x = input('x', [3,4], real). Entries of the state are read by name: state('params').
 *  @param text    Out: NUL-terminated, freed with bp_free.
 *  @return BP_OK; BP_E_ARG, BP_E_GRAPH; BP_E_UNSUPPORTED for a row that is not in the table; BP_E_NOMEM. Time and text are linear. */
BP_API bp_status bp_program_print(bp_graph *g, const bp_node *outputs, size_t n, bp_program *values,
                                  char **text);

/** Where a node came from. */
typedef struct bp_span {
  const char *source; /**< name of the text */
  const char *text;   /**< the piece that made the node, `length` bytes, not ended by NUL */
  int line, column;   /**< from 1; columns count characters */
  size_t length;
} bp_span;
/** @return BP_OK; BP_E_NOTFOUND for a node that no text of this program made (or one inside a function). */
BP_API bp_status bp_program_span(const bp_program *p, bp_node n, bp_span *out);
/** After bp_run_step failed in a run of nodes of the program's graph: what bp_error() says, with the place in the text that made the node
 *  that failed, its line, and a caret. @return the message, until the next call with the program; bp_error() alone where no text made
 *  the node. bp_error() has the place too from then on. */
BP_API const char *bp_program_run_error(bp_program *p, const bp_run *r);

/* ======================================================================================
 * Pictures
 * ====================================================================================== */

/** A finished picture: a list of shapes and texts in colours by their role. One unit is a CSS pixel. It holds all it needs: what it was
 *  drawn from may be freed. Read-only, so threads may share it. */
typedef struct bp_picture bp_picture;

BP_API void bp_picture_free(bp_picture *p);
/** Width and height. Either may be NULL. */
BP_API void bp_picture_size(const bp_picture *p, double *width, double *height);
/** As SVG 1.1, complete in itself: no script, no style sheet, no font file (DejaVu Sans is named first; a viewer without it takes the
 *  next). The same picture is the same bytes on every machine and in every locale.
 *  @param dark  Light things on a dark ground, else dark on white.
 *  @param text  Out: NUL-terminated UTF-8, freed with bp_free. @return BP_OK, BP_E_NOMEM. */
BP_API bp_status bp_picture_svg(const bp_picture *p, bool dark, char **text);
/** As PNG (8-bit RGB), drawn by the library itself: no font and no other program is needed.
 *  @param scale  Pixels for a unit, over 0; 2 is sharp on most screens and prints well.
 *  @param data   Out: n bytes, freed with bp_free. @return BP_OK; BP_E_LIMIT: over 2^28 pixels; BP_E_NOMEM. */
BP_API bp_status bp_picture_png(const bp_picture *p, bool dark, double scale, unsigned char **data,
                                size_t *n);
/** Saves it as the end of the name says, .svg or .png (in either case), in one piece: the old file or the whole new one is there.
 *  @param scale  Of a PNG. @return BP_OK; BP_E_UNSUPPORTED for another end; BP_E_IO; BP_E_LIMIT and BP_E_NOMEM as above. */
BP_API bp_status bp_picture_save(const bp_picture *p, bool dark, double scale, const char *path);

/** How a series is drawn. The picture's own choice of colour goes with a dash or a marker, so that series are never told apart by colour
 *  alone. */
typedef enum bp_stroke { BP_STROKE_LINE, BP_STROKE_DASHED, BP_STROKE_DOTTED, BP_STROKE_POINTS } bp_stroke;

/** Points of a curve, in the order they are joined. */
typedef struct bp_series {
  const char *label;   /**< in the legend; NULL or "": not there */
  const double *x, *y; /**< n each; where one is not finite the curve has a gap */
  size_t n;
  bp_stroke stroke;
  int colour; /**< 1 to 8; 0: the series' number */
} bp_series;

/** Zeros are the defaults in brackets. */
typedef struct bp_plot_options {
  const char *title, *x_label, *y_label; /**< with units, as "time / s" [none] */
  double width, height;                  /**< of the whole picture [640, 420]; at least 200, at most 10,000 */
  double x_lo, x_hi, y_lo, y_hi;         /**< range of an axis [lo = hi: what the data need] */
  bool x_log, y_log;                     /**< logarithmic: values that are not over 0 are left out */
  bool poles; /**< where a few values lie far beyond all others, as at a pole, the y axis shows the others */
} bp_plot_options;

/** Curves over axes with round numbers, a grid and a legend.
 *
 *  @param options  NULL for defaults.
 *  @param series   n of them, each of any length; more than 8 take the colours again. May be freed afterwards.
 *  @param picture  Out, NULL on error; freed with bp_picture_free.
 *  @return BP_OK; BP_E_ARG; BP_E_RANGE for a size or range that makes no sense (a range that is not finite, or not over 0 on a logarithmic
 *          axis); BP_E_NOMEM. No data at all are an empty frame. Cost: linear in the points; of many points in one place across, only
 *          the lowest and highest are kept. */
BP_API bp_status bp_plot(bp_ctx *ctx, const bp_plot_options *options, const bp_series *series, size_t n,
                         bp_picture **picture);

/** Points of the curve y(x), for bp_plot: evenly spaced, two to a pixel, and both sides of every jump, with a gap between.
 *
 *  A jump is told from a steep slope by halving: if a change stays when its interval has shrunk to the spacing of doubles, it is one.
 *
 *  @param y, x      Real nodes of shape []; x an input. y may be a gradient.
 *  @param values    Program whose inputs y may depend on beside x: they keep their values. NULL: y depends on x alone.
 *  @param from, to  Finite, from < to.
 *  @param points    How many even parts, 2 to 1,000,000; 0: 1,200.
 *  @param xs, ys    Out: *n numbers each, freed with bp_free; NULL on error. NaN marks gaps.
 *  @return BP_OK; BP_E_SHAPE, BP_E_DTYPE; BP_E_ARG; BP_E_RANGE; BP_E_UNBOUND if y needs another input; BP_E_NOMEM. */
BP_API bp_status bp_curve(bp_node y, bp_node x, bp_program *values, double from, double to, size_t points,
                          double **xs, double **ys, size_t *n);

/** Zeros are the defaults in brackets. */
typedef struct bp_heatmap_options {
  const char *title, *x_label, *y_label;           /**< of columns, of rows [none] */
  const char *const *row_names, *const *col_names; /**< [numbers from 1] */
  bool by_row; /**< strength is a cell's share of its row [of the largest value] */
  bool
      diagonal; /**< what is off the diagonal has a colour of its own, as mistakes in a confusion matrix [what is under 0] */
  double width; /**< about how wide it may get [640] */
} bp_heatmap_options;
/** A matrix as a field of cells with their numbers, stronger where they are larger: as the confusion matrix of bp_scores_confusion.
 *  @param values  [rows * cols]. @return BP_OK; BP_E_RANGE for over 400 rows or columns, or a width not in 200 to 10,000; BP_E_ARG, BP_E_NOMEM. */
BP_API bp_status bp_heatmap(bp_ctx *ctx, const bp_heatmap_options *options, const double *values,
                            int64_t rows, int64_t cols, bp_picture **picture);

typedef struct bp_bar {
  const char *label;
  double value, spread; /**< spread: drawn to both sides of the value; 0: none */
} bp_bar;
/** Zeros are the defaults in brackets. */
typedef struct bp_bars_options {
  const char *title, *label; /**< label: of the values [none] */
  double width;              /**< [640] */
} bp_bars_options;
/** Values with names, as bars from left to right, one below the other: as those of bp_net_importance.
 *  @return BP_OK; BP_E_RANGE for no or over 200 bars, or a width not in 400 to 10,000; BP_E_ARG, BP_E_NOMEM. */
BP_API bp_status bp_bars(bp_ctx *ctx, const bp_bars_options *options, const bp_bar *bars, size_t n,
                         bp_picture **picture);

/** An image as PNG. @param pixels [height, width, channels] bytes; channels 1 (grey) or 3 (RGB). @param data Out: n bytes, freed with bp_free.
 *  @return BP_OK; BP_E_ARG; BP_E_LIMIT: over 2^28 pixels; BP_E_NOMEM. */
BP_API bp_status bp_image_png(bp_ctx *ctx, const unsigned char *pixels, int64_t height, int64_t width,
                              int64_t channels, unsigned char **data, size_t *n);
/** The same as the text of a data: URL, for HTML and SVG (RFC 2397). @param url Out: freed with bp_free. */
BP_API bp_status bp_image_url(bp_ctx *ctx, const unsigned char *pixels, int64_t height, int64_t width,
                              int64_t channels, char **url);

/** How bundles are drawn: calls of functions, and rows of the table that have a definition. */
typedef enum bp_bundling {
  BP_BUNDLES_GIVEN, /**< a bundle of the graph is one rounded box */
  BP_BUNDLES_FOUND, /**< the same, and what amounts to a bundle of the table is one too: 1/(1+exp(-z)) is one sigmoid */
  BP_BUNDLES_OPEN /**< a bundle is a frame around its parts */
} bp_bundling;

/** Zeros are the defaults in brackets. */
typedef struct bp_circuit_options {
  const bp_trace
      *trace; /**< after a run: shows values and gradients; of the same graph [none: shapes alone] */
  bp_bundling bundles;
  const char *const
      *names; /**< of the outputs; single ones may be NULL [the nodes' names, else f, or f1, f2, ...] */
  const char *title; /**< for those who cannot see it ["circuit"] */
  int64_t
      most; /**< nodes to show: in larger circuits, blocks that repeat become one box, "×32"; far larger ones leave the
                                 middle out [120] */
  bool all;     /**< shows every node, however many */
  double width; /**< about how wide it may get: longer circuits are broken into rows [by its shape] */
} bp_circuit_options;

/** What a circuit consists of. */
typedef struct bp_circuit_size {
  size_t inputs;      /**< inputs and entries of the state */
  size_t nodes;       /**< operations; constants are counted nowhere: they stand in the gates */
  size_t drawn;       /**< gates and boxes that stand for them */
  size_t bundles;     /**< boxes that were recognised, with BP_BUNDLES_FOUND, */
  size_t bundled;     /**< the operations that they hide, */
  const char *bundle; /**< and the name of their row, where all are of one; else NULL */
  bool bundled_last;  /**< they are one bundle, made of the last operations before the output */
} bp_circuit_size;

/** Draws what n nodes are computed from, as a circuit from left to right: inputs as names on the left, operations in circles, constants
 *  folded into their gates ("+1", "max(0,·)"), bundles in rounded boxes. With a trace, each wire has its value above it (upright) and the
 *  gradient of the outputs by it below (italic); where a wire forks, its branches show what comes back along each, and the stem the
 *  sum. The operand that a max takes has a thick wire. Arrays show their shape and a summary. A wire that would reach far is cut and
 *  goes on under its name or number; a long circuit is broken into rows.
 *  @param y        n >= 1 nodes of one graph, which is not changed.
 *  @param options  NULL for defaults. @param picture Out: freed with bp_picture_free; NULL on error.
 *  @param size     Out, may be NULL.
 *  @return BP_OK; BP_E_ARG; BP_E_GRAPH (stale nodes, or of several graphs); BP_E_ORDER for a trace that was not run; BP_E_NOMEM.
 *  Cost: near linear in the nodes. The same circuit is the same picture, byte for byte.
 *  Source: Sugiyama, Tagawa & Toda 1981; Gansner, Koutsofios, North & Vo 1993; for the look, Stanford CS231n, notes on backpropagation. */
BP_API bp_status bp_circuit(const bp_node *y, size_t n, const bp_circuit_options *options,
                            bp_picture **picture, bp_circuit_size *size);
/** What it consists of, without drawing it. @param size Out. Same errors. */
BP_API bp_status bp_circuit_count(const bp_node *y, size_t n, const bp_circuit_options *options,
                                  bp_circuit_size *size);
/** The same circuit as text for Graphviz. @param text Out: NUL-terminated UTF-8, freed with bp_free. */
BP_API bp_status bp_circuit_dot(const bp_node *y, size_t n, const bp_circuit_options *options, char **text,
                                bp_circuit_size *size);

/** Zeros are the defaults in brackets. */
typedef struct bp_templates_options {
  int64_t most; /**< units shown: the strongest, by the norms of the weights they have and get [40] */
  int64_t rows,
      cols; /**< of an image [a square, if the data were images or their columns have numbers for names; else none] */
  bool grey; /**< images in grey, dark to light, instead of blue to red */
} bp_templates_options;

/** The rows of a network's first weight matrix, its templates: each as an image on one scale for all, 0 in the middle; or, where the inputs
 *  are no pixels, as bars with the columns' names. Of a network that begins with a convolution, its filters, channels side by side. Below each template, bars: the weight that the next layer gives it, for each class. A
 *  model without hidden layers has a template for each class.
 *
 *  Weights are those of standardised inputs, as the network multiplies them; a column that was constant in training counts as 0.
 *  @param picture  Out, NULL on error; freed with bp_picture_free. @return BP_OK; BP_E_SHAPE: rows and cols are not its inputs;
 *          BP_E_UNSUPPORTED: a network of its own build without such a matrix; BP_E_RANGE, BP_E_NOMEM. */
BP_API bp_status bp_templates(const bp_net *net, const bp_templates_options *options, bp_picture **picture);

/** Zeros are the defaults in brackets. */
typedef struct bp_regions_options {
  double width, height; /**< of the whole picture [640, 460] */
  double x_lo, x_hi, y_lo,
      y_hi; /**< range of the first and second input [lo = hi: where the data lie, else three deviations about the
                                    mean of the training data] */
} bp_regions_options;

/** What a network of two inputs answers all over the plane. Classes: grounds that are stronger where it is surer, with a line where the
 *  answer changes. Numbers (of the first, where there are several targets): a ground and lines of equal value, with a scale.
 *
 *  @param data     Examples, drawn as marks, a shape for each class, with a dark edge where the network is wrong; of many, 2,000
 *                  spread evenly. Columns and classes are found by name. NULL: none.
 *  @param picture  Out, NULL on error; freed with bp_picture_free. @return BP_OK; BP_E_UNSUPPORTED: not two inputs; BP_E_MISMATCH: data of
 *          other columns or classes; BP_E_RANGE; BP_E_NOMEM. Cost: one prediction for every 2 by 2 units of the picture. */
BP_API bp_status bp_regions(bp_net *net, const bp_data *data, const bp_regions_options *options,
                            bp_picture **picture);

#ifdef __cplusplus
}
#endif
#endif
