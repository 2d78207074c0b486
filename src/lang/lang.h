/* The language inside. A text goes through three hands:
 *
 *   lexer.c   bytes -> tokens
 *   parser.c  tokens -> steps of a stack machine, postfix: no tree, so depth of an expression costs nothing but its brackets
 *   machine.c steps -> values; outside of functions each step runs as soon as it is parsed, so a text takes no memory of its own
 *
 * A value that is known while reading (a number, a drawn array, `0.01*randn(4,3)`) lives outside of the program's graph: on the host, or
 * as nodes of a scratch graph, which is freed with the statement. It enters the graph where it meets a node, as a constant, or
 * where its name is used, as an input. */
#ifndef BPI_LANG_H
#define BPI_LANG_H

#include "graph/graph.h"

enum {
  BPI_DEPTH = 200,      /* of brackets, as in Python */
  BPI_CALL_DEPTH = 64,  /* of functions that call functions */
  BPI_MAX_PARAMS = 256, /* of one function */
  BPI_MAX_ARGS = 65535,
  BPI_LIST_DEPTH = 64,       /* of lists in lists */
  BPI_LIST_LEAVES = 1 << 20, /* that a list holds: names can double a list with every line */
  BPI_CARET_LINE = 160       /* bytes of a line that a message shows */
};

/* ---- names: each text once, so that equal names are equal pointers ---- */

typedef struct bpi_lname {
  const char *text;
  size_t n;
  uint32_t hash;
} bpi_lname;

/* ---- a place in a text ---- */

/* Line, column and where the line begins, at every BPI_LINE_STEP-th byte: so a place is found in constant time, however long lines are. */
typedef struct bpi_lmark {
  int line, column;
  uint32_t begin;
} bpi_lmark;
enum { BPI_LINE_STEP = 512 };

typedef struct bpi_lsource {
  const char *name;
  const char *text;
  size_t n;
  bpi_lmark *marks; /* NULL: not counted */
} bpi_lsource;

typedef struct bpi_place_in {
  const bpi_lsource *source;
  uint32_t at;         /* where the caret goes */
  uint32_t begin, end; /* the whole expression */
} bpi_place_in;

/* ---- tokens ---- */

typedef enum bpi_token_kind {
  BPI_T_END,
  BPI_T_LINE, /* the end of a statement */
  BPI_T_NUMBER,
  BPI_T_NAME,
  BPI_T_STRING,
  BPI_T_OP
} bpi_token_kind;

/* Operators of two characters as one number. */
#define BPI_OP2(a, b) ((a) | (b) << 8)

typedef struct bpi_token {
  bpi_token_kind kind;
  int op;
  uint32_t at, end;
  int indent; /* of its line, if it is the first there; else -1 */
  bool whole; /* a number without point and exponent */
  double number;
  int64_t integer;       /* where whole */
  const bpi_lname *name; /* also the text of a string */
} bpi_token;

typedef struct bpi_lexer {
  bp_program *p;
  const bpi_lsource *source;
  uint32_t at;
  int brackets;
  bool line_start;
} bpi_lexer;

/* The next token. False: told. */
bool bpi_lex(bpi_lexer *lx, bpi_token *t);

/* ---- values ---- */

typedef enum bpi_vkind {
  BPI_V_ABSENT, /* an argument that was not given */
  BPI_V_NONE,
  BPI_V_ELLIPSIS,
  BPI_V_NUMBER, /* a scalar known */
  BPI_V_ARRAY,  /* an array known */
  BPI_V_INPUT,  /* a name with a known value */
  BPI_V_NODE,   /* of the graph being built, of one around it, or of the scratch graph */
  BPI_V_LIST,
  BPI_V_SLICE, /* a list of three */
  BPI_V_FN,
  BPI_V_DTYPE,
  BPI_V_TEXT
} bpi_vkind;

/* A known array. Of a splat one element stands for all. */
typedef struct bpi_larray {
  bp_type type; /* BP_REAL (double), BP_INT64 or BP_BOOL (bytes) */
  int64_t size;
  void *data;
  bool splat;
} bpi_larray;

typedef struct bpi_value bpi_value;

/* A name with a known value. It becomes an input of the graph when it is first used as a node. */
typedef struct bpi_linput {
  const bpi_lname *name;
  bpi_larray *array;
  bool flex;
  bp_node node;     /* once it is used */
  const void *data; /* its value in the type of the node */
  bool read;        /* its value was needed while reading */
  bpi_place_in place;
} bpi_linput;

typedef struct bpi_lfn bpi_lfn;

struct bpi_value {
  uint8_t kind;
  uint8_t dtype;    /* of a number: BP_REAL, BP_INT64 or BP_BOOL */
  uint8_t depth;    /* of a list: 1 if no item is one */
  bool flex : 1;    /* whole numbers of no type yet: real where a real is wanted, int64 where an integer is */
  bool fixed : 1;   /* constant(...): its name is no input */
  bool results : 1; /* a list that one operation gave */
  bool tuple : 1;   /* a list without square brackets */
  bool known : 1;   /* a list of what is known alone, at every level */
  bool nodes : 1;   /* a list that holds inputs or nodes, at some level */
  bool kept : 1;    /* a list that lives with the program */
  uint32_t n;       /* of a list */
  uint32_t leaves;  /* what it holds that is no list, counted as often as it is met */
  const bpi_lname *keyword; /* of an argument */
  union {
    double number;
    int64_t whole; /* of an int64 number */
    bpi_larray *array;
    bpi_linput *input;
    bp_node node;
    bpi_value *items;
    const bpi_lfn *fn;
    const bpi_lname *text;
  };
};

/* ---- steps ---- */

typedef enum bpi_step_kind {
  BPI_S_VALUE,   /* push value */
  BPI_S_NAME,    /* push what the name means */
  BPI_S_UNARY,   /* op */
  BPI_S_BINARY,  /* op */
  BPI_S_KEYWORD, /* the top value is an argument of that name */
  BPI_S_CALL,    /* name, with the top n values; method: the first is what stands before the point */
  BPI_S_APPLY,   /* the value below the top n, called with them */
  BPI_S_LIST,    /* of the top n values: [ ] */
  BPI_S_TUPLE,
  BPI_S_SLICE,
  BPI_S_INDEX, /* the value below the top n, indexed with them */
  BPI_S_ATTRIBUTE,
  BPI_S_FUNCTION, /* push a function made of code; n defaults are on top */
  BPI_S_ASSIGN,   /* name */
  BPI_S_UNPACK,   /* the top value to n names */
  BPI_S_OUTPUT,
  BPI_S_RETURN
} bpi_step_kind;

typedef struct bpi_lcode bpi_lcode;

typedef struct bpi_lstep {
  uint8_t kind;
  bool random; /* np.random.name */
  bool method;
  bool spread; /* the last argument was *list */
  int op;
  uint32_t n;
  uint32_t at, begin, end;
  union {
    const bpi_lname *name;
    const bpi_lname **names;
    const bpi_value *value;
    bpi_lcode *code;
  };
} bpi_lstep;

/* ---- functions ---- */

typedef struct bpi_param {
  const bpi_lname *name;
  bool has_default;
  bool typed; /* name: real[2,3] */
  bp_type type;
} bpi_param;

/* A function as written. */
struct bpi_lcode {
  const bpi_lname *name; /* NULL: lambda */
  const char *title;     /* the name that its nodes show */
  const bpi_lsource *source;
  uint32_t at;
  bpi_param *params;
  uint32_t n_params, params_cap;
  bpi_lstep *steps;
  size_t n_steps, steps_cap;
  int active; /* calls at work */
};

typedef struct bpi_native bpi_native;
typedef struct bpi_env bpi_env;
typedef struct bpi_built bpi_built;

/* What a call may call: code with the scope that it was defined in, a row, or a native. */
struct bpi_lfn {
  bpi_lcode *code;
  bpi_env *scope;
  bpi_value *defaults; /* of the last parameters */
  const bp_op *op;
  const bpi_native *native;
  const struct bpi_alias *alias;
  bpi_built *built; /* code made into functions of graphs, by types of arguments */
};

/* ---- scopes ---- */

typedef struct bpi_symbol {
  const bpi_lname *name;
  bpi_value value;
  uint32_t version;
  bool set; /* by bp_program_set...: texts do not change it */
} bpi_symbol;

typedef struct bpi_scope {
  bpi_symbol **table; /* open addressing */
  size_t cap, count;
} bpi_scope;

typedef struct bpi_dep {
  bpi_symbol *symbol;
  uint32_t version;
} bpi_dep;

/* A value that a function's body takes from outside. */
typedef struct bpi_lift {
  bp_node inside;
  bpi_value outside; /* as its caller sees it */
  bp_node origin;    /* where it was made; absent for arguments */
} bpi_lift;

/* Where names are found and nodes are built: the program's own, or that of a function's body while it is read. */
struct bpi_env {
  bp_graph *graph;
  bp_graph *closed; /* what was the graph, once it is a function's */
  bpi_scope scope;
  bpi_env *around; /* where names are looked up further */
  bpi_env *caller; /* whose graph calls the one built here; NULL for the program */
  bpi_lift *lifts; /* parameters and what is taken from the caller's graph */
  size_t n_lifts, lifts_cap;
  bpi_dep *deps; /* each symbol once */
  size_t n_deps, deps_cap;
  uint32_t *dep_slots; /* where a symbol's dep is, and 1 more: open addressing */
  size_t dep_slots_cap;
  bool once;     /* values were drawn or read that another call may not share */
  bool streamed; /* random nodes here have streams that were written */
  bool returned;
  bpi_value result;
};

struct bpi_built {
  bpi_built *next;
  bpi_value *args; /* types of nodes: kind NODE; known ones: their values */
  bp_type *types;
  uint32_t n_args;
  bp_fn *fn;
  bpi_lift *lifts; /* its parameters: arguments, and what it takes from outside */
  size_t n_lifts;
  bpi_dep *deps;
  size_t n_deps;
  bool tuple;
};

typedef struct bpi_spot {
  uint32_t first, after; /* nodes */
  uint32_t serial;       /* of the first */
  uint32_t begin, end;   /* bytes */
  const bpi_lsource *source;
} bpi_spot;

struct bp_program {
  bp_ctx *ctx;
  bp_graph *graph;
  bpi_arena arena; /* lives with the program */
  bpi_arena temp;  /* lives with a statement */
  bp_program_options options;
  bp_status status;
  char *message;
  bpi_lname **names; /* interned */
  size_t names_cap, n_names;
  bpi_env top;
  bpi_env *env; /* the one at work */
  bp_graph *scratch;
  bpi_value *stack;
  size_t n_stack, stack_cap;
  bpi_spot *spots; /* ascending by first */
  size_t n_spots, spots_cap;
  bpi_linput **inputs; /* in the order of assignment */
  size_t n_inputs, inputs_cap;
  struct bpi_out {
    const char *name;
    bp_node node;
  } * outputs;
  size_t n_outputs, outputs_cap;
  bp_node implied;       /* the output where no bare expression is one */
  const bpi_lname *last; /* assigned last */
  uint64_t draws;
  int calls;                   /* depth */
  uint64_t work;               /* steps in bodies */
  const bpi_lname *setting;    /* the name that bp_program_set assigns */
  struct bpi_row_wants *wants; /* see apply.c */
  bp_fn **fns;                 /* to be freed, */
  size_t n_fns, fns_cap;
  bpi_lcode **codes; /* and their lists */
  size_t n_codes, codes_cap;
  bpi_env **envs; /* and their tables */
  size_t n_envs, envs_cap;
  bpi_linput **live; /* inputs that outputs depend on, once asked for */
  size_t n_live;
  bool live_known;
  void **narrow; /* float32 copies */
  size_t n_narrow, narrow_cap;
  bpi_place_in here; /* of the step at work */
};

/* ---- caret.c ---- */

/* Records a failure at a place, with the line and a caret. Returns s. */
bp_status bpi_mistake(bp_program *p, const bpi_place_in *at, bp_status s, const char *fmt, ...)
    BP_PRINTF(4, 5);
/* What is wrong becomes the program's message, and its first line bp_error(); the program goes on. */
void bpi_tell_place(bp_program *p, const bpi_place_in *at, bp_status s, const char *what);
/* At the step at work. */
bp_status bpi_wrong(bp_program *p, bp_status s, const char *fmt, ...) BP_PRINTF(3, 4);
/* What the graph says of its first failure, at the step at work; the graph forgets it. */
bp_status bpi_wrong_graph(bp_program *p, bp_graph *g);
bp_status bpi_lang_nomem(bp_program *p);
/* Makes the marks of a text. False when out of memory. */
bool bpi_mark_lines(bpi_arena *a, bpi_lsource *s);
void bpi_line_of(const bpi_lsource *s, uint32_t at, bpi_lmark *m);

/* ---- scope.c ---- */

const bpi_lname *bpi_intern(bp_program *p, const char *text, size_t n);
bpi_symbol *bpi_symbol_in(const bpi_scope *s, const bpi_lname *name);
/* Found here or further around; NULL if nowhere. */
bpi_symbol *bpi_lookup(bp_program *p, const bpi_lname *name);
bp_status bpi_assign(bp_program *p, const bpi_lname *name, const bpi_value *v);
/* Without naming nodes or making inputs: parameters. */
bpi_symbol *bpi_define(bp_program *p, bpi_env *env, const bpi_lname *name);
void bpi_scope_free(bp_program *p, bpi_scope *s);
/* A function's body depends on what it found around it, and on what the functions that it calls found: built again when that
 * changes. False: told. */
bool bpi_note_dep(bp_program *p, bpi_env *env, bpi_dep dep);
void bpi_deps_free(bp_program *p, bpi_env *env);
/* Fails with BP_E_NOTFOUND and the nearest name there is. */
bp_status bpi_unknown(bp_program *p, const bpi_lname *name, bool called);

/* ---- parser.c ---- */

bp_status bpi_parse(bp_program *p, const bpi_lsource *source);
/* One expression, whose value is left on the stack. */
bp_status bpi_parse_expression(bp_program *p, const bpi_lsource *source);

/* ---- machine.c ---- */

bp_status bpi_do(bp_program *p, const bpi_lsource *source, const bpi_lstep *s);
bp_status bpi_push(bp_program *p, bpi_value v);
bpi_value bpi_pop(bp_program *p);
/* What a statement left behind: values, temporary memory, the scratch graph. */
void bpi_statement_done(bp_program *p);

/* ---- value.c ---- */

bpi_value bpi_v_number(double x, bp_dtype t, bool flex);
bpi_value bpi_v_whole(int64_t x); /* flex */
bpi_value bpi_v_node(bp_node n);
bpi_value bpi_v_array(bpi_larray *a, bool flex);
/* New array, temporary; its data zeroed (one element for a splat). NULL: told. */
bpi_larray *bpi_new_array(bp_program *p, bp_dtype t, int rank, const int64_t *dims, bool splat);
/* Known: on the host or in the scratch graph. */
bool bpi_known(const bp_program *p, const bpi_value *v);
/* Is or holds an input or a node of a graph that is being built. */
bool bpi_has_nodes(const bp_program *p, const bpi_value *v);
/* Whole numbers whose type is still open. */
bool bpi_untyped(const bpi_value *v);
/* Type of a value that is an array or can be made one. */
bp_status bpi_type_of(bp_program *p, bpi_value *v, bp_type *t);
/* Known arrays as host arrays, also those that inputs and nodes of known inputs have. NULL: told. */
bpi_larray *bpi_host(bp_program *p, const bpi_value *v);
/* The value in the graph, or in the scratch graph if g is that. dtype BP_NONE: as it comes, real if it is flexible. */
bp_node bpi_to_node(bp_program *p, bp_graph *g, const bpi_value *v, bp_dtype dtype);
bp_graph *bpi_scratch(bp_program *p);
/* A list as an array: packed if its items are known and of equal shapes, else stacked as nodes. */
bp_status bpi_pack(bp_program *p, bpi_value *v);
bp_status bpi_list(bp_program *p, const bpi_value *items, uint32_t n, bool tuple, bpi_value *out);
/* Copies of the items of a list or tuple, of a known array along its first axis, or of the value itself. */
bp_status bpi_spread(bp_program *p, const bpi_value *v, bpi_value **items, uint32_t *n);
double bpi_array_real(const bpi_larray *a, int64_t i);
/* Copies to the memory of the program. */
bpi_larray *bpi_keep_array(bp_program *p, const bpi_larray *a);
/* The value with all that it holds moves to the memory of the program, where it lives with a statement so far. */
bp_status bpi_keep_value(bp_program *p, bpi_value *v);
/* "real[3,4]", for messages; lives with the statement. */
const char *bpi_type_text(bp_program *p, bpi_value *v);

/* ---- statics: values that must be known while reading (static.c) ---- */

bp_status bpi_static_int(bp_program *p, const bpi_value *v, const char *what, int64_t *x);
bp_status bpi_static_real(bp_program *p, const bpi_value *v, const char *what, double *x);
bp_status bpi_static_bool(bp_program *p, const bpi_value *v, const char *what, int64_t *x);
/* A list, or one number for a list of one. Lives with the statement. */
bp_status bpi_static_ints(bp_program *p, const bpi_value *v, const char *what, const int64_t **list,
                          int64_t *n);
/* At most BP_MAX_RANK dims, checked against max_elements where `made` on the host. */
bp_status bpi_static_dims(bp_program *p, const bpi_value *v, int *rank, int64_t *dims);
bp_status bpi_static_dtype(bp_program *p, const bpi_value *v, bp_dtype *t);

/* ---- apply.c: rows ---- */

/* How NumPy calls a row. */
typedef struct bpi_alias {
  const char *name; /* as written */
  const char *row;
  const char *params; /* names of inputs and attributes in another order than the row's; NULL: the row's */
  uint8_t flags;
} bpi_alias;
enum {
  BPI_FLAT = 1,  /* without an axis it means all elements */
  BPI_LISTED = 2 /* gives a list, also of one result */
};

/* A row of inputs and attributes. */
bp_status bpi_apply_row(bp_program *p, const bp_op *op, bpi_value *x, uint32_t n, const bp_attr *attr,
                        bpi_value *out);
/* A row by name with inputs alone, as an operator. */
bp_status bpi_apply_named(bp_program *p, const char *row, bpi_value *x, uint32_t n, bpi_value *out);
/* A row with arguments as written. */
bp_status bpi_call_row(bp_program *p, const bp_op *op, const bpi_alias *alias, bpi_value *args, uint32_t n,
                       bpi_value *out);
/* Nodes of the program's graph made from index `first` on, but those that are known already, are of a place. */
void bpi_spot_nodes(bp_program *p, uint32_t first, const bpi_place_in *place);

/* ---- builtin.c: functions that are no rows ---- */

struct bpi_native {
  const char *name;
  const char *params; /* "shape, dtype?, *rest": ? may be left out; * gathers what follows */
  bp_status (*run)(bp_program *p, bpi_value *argv, bpi_value *out);
  uint8_t flags;
};
enum {
  BPI_OF_RANDOM = 1, /* np.random.name */
  BPI_NO_METHOD = 2  /* x.name(...) means the row */
};
extern const bpi_native bpi_array_natives[], bpi_shape_natives[],
    bpi_other_natives[]; /* ended by a row without a name */
const bpi_native *bpi_native_find(const char *name, bool random, bool method);
const bpi_alias *bpi_alias_find(const char *name);
/* Arguments in the order of a list of parameters; argv has BPI_MAX_PARAMS places. */
bp_status bpi_bind_args(bp_program *p, const char *function, const char *params, bpi_value *args, uint32_t n,
                        bpi_value *argv);
/* Not given, or None. */
bool bpi_absent(const bpi_value *v);
/* One list of dims, or dims as arguments of their own. */
bp_status bpi_dims_of(bp_program *p, const bpi_value *v, int *rank, int64_t *dims);
bp_status bpi_dtype_of(bp_program *p, const bpi_value *v, bp_dtype preset, bp_dtype *t);
/* What a name that nobody assigned means: a constant, a type, a function. False: nothing. */
bool bpi_builtin(bp_program *p, const bpi_lname *name, bool random, bpi_value *out);
bool bpi_builtin_fn(const bpi_lname *name, bool random, bool method, bpi_lfn *fn);
/* Name number i of what is built in, for "did you mean"; NULL past the end. */
const char *bpi_builtin_name(size_t i);

/* ---- program.c ---- */

/* Inputs by the index of their node; freed with bpi_free. NULL when out of memory. */
bpi_linput **bpi_inputs_by_node(bp_program *p);

/* ---- subscript.c ---- */

bp_status bpi_index(bp_program *p, bpi_value *x, bpi_value *at, uint32_t n, bpi_value *out);

/* ---- userfn.c ---- */

bp_status bpi_call_value(bp_program *p, const bpi_lfn *fn, bpi_value *args, uint32_t n, bpi_value *out);
/* A typed function as a function of graphs. NULL: told. */
bp_fn *bpi_typed_fn(bp_program *p, const bpi_lfn *fn);
/* A node of a graph around, as a node of the body at work. */
bp_node bpi_lift_node(bp_program *p, bpi_env *env, bp_node n);

#endif
