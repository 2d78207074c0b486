/* What clang's analyzer cannot see from one file: a function that records a failure returns that failure, never BP_OK. Only
 * tools/lint includes this, ahead of every file that does not itself define one of these. */
#include "graph/graph.h"
#include "lang/lang.h"

#define bpi_fail(s, ...)          ((void)(bpi_fail)(s, __VA_ARGS__), (s))
#define bpi_graph_fail(g, s, ...) ((void)(bpi_graph_fail)(g, s, __VA_ARGS__), (s))
#define bp_op_fail(c, s, ...)     ((void)(bp_op_fail)(c, s, __VA_ARGS__), (s))
#define bpi_nomem()               ((void)(bpi_nomem)(), BP_E_NOMEM)
#define bpi_bad_arg(f, what)      ((void)(bpi_bad_arg)(f, what), BP_E_ARG)
#define bpi_wrong(p, s, ...)      ((void)(bpi_wrong)(p, s, __VA_ARGS__), (s))
