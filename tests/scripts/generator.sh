# tools/gen-builders reads rows as they may be written, makes C that compiles, and says where it cannot.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/src/ops" "$work/include"
cp "$SRC/include/bprop.h" "$work/include"
rows=$work/src/ops/rows.c
gen()
{
  "$SRC/tools/gen-builders" -s "$work" "$@"
}
wants()
{
  grep -qF "$2" "$work/$1" || { echo "$1 lacks: $2"; cat "$work/$1"; exit 1; }
}

# No operations at all: everything made is still valid C.
gen -o "$work/out"
wants out/body_ids.h 'BPI_BODY_COUNT'
gcc -std=c11 -Wall -Wextra -Werror -I "$work/include" -I "$work/out" -include body_ids.h -c "$work/out/builders.c" -o "$work/none.o"

cat >"$work/src/ops/ops.def" <<'END'
/* OP(no_row_in_a_comment) */
OP(trial_pair)
OP(trial_slope) /* a comment */

OP(trial_parts)
OP(trial_axes)
OP(trial_noise)
OP(trial_type)
OP(trial_hidden)
OP(trial_by_hand)
END
cat >"$rows" <<'END'
/* Trial rows: as they may be written.
 * const bp_op bp_op_in_a_comment = {.args = "x"};
 */
NUM_BODY2(trial_pair, a + b)
REAL_BODY1(trial_slope, (x > 0 ? x : p0 * x) /* ) */
                          + (0))
#define REAL_BODY1(name, expr) nothing
const bp_op bp_op_trial_pair = {
    .name = "trial_pair", .math = "y = {a}" " \"b\"", .args = "y, default", .traits = BP_ELEMENTWISE | BP_COMMUTATIVE};
const bp_op bp_op_trial_slope = {.args = "x", .kink = "slope at 0", .math = "m */",
    .attrs = {{"slope", BP_ATTR_REAL, 0.01},
              {"count", BP_ATTR_INT, NAN}}};
const bp_op bp_op_trial_parts = {.args = "parts...", .attrs = {{"axis", BP_ATTR_INT, NAN}}};
const bp_op bp_op_trial_axes = {.args = "x", .attrs = {{"axes", BP_ATTR_INTS, NAN}, {"keep", BP_ATTR_BOOL, 0}}};
const bp_op bp_op_trial_noise = {.args = "", .traits = BP_RANDOM, .attrs = {{"stream", BP_ATTR_INT, NAN}, {"dims", BP_ATTR_INTS, NAN}}};
const bp_op bp_op_trial_type = {.args = "x", .attrs = {{"dtype", BP_ATTR_DTYPE, NAN}}};
const bp_op bp_op_trial_hidden = {.args = "x", .traits = BP_LINEAR | BP_INTERNAL};
const bp_op bp_op_trial_by_hand = { /* builder by hand */ .args = "x"};
END
gen -o "$work/out"
wants include/bprop.h '/* ---- Trial rows: as they may be written. */'
wants include/bprop.h '/** y = {a} "b" */'
wants include/bprop.h 'BP_API bp_node bp_trial_pair(bp_node y, bp_node default_);'
wants include/bprop.h '/** m * /. Kinks: slope at 0 */'
wants include/bprop.h 'BP_API bp_node bp_trial_slope(bp_node x, double slope, int64_t count);'
wants include/bprop.h 'BP_API bp_node bp_trial_parts(const bp_node *parts, size_t n_parts, int64_t axis);'
wants include/bprop.h 'BP_API bp_node bp_trial_axes(bp_node x, const int64_t *axes, int64_t n_axes, bool keep);'
wants include/bprop.h 'BP_API bp_node bp_trial_noise(bp_graph *g, const int64_t *dims, int64_t n_dims);'
wants include/bprop.h 'BP_API bp_node bp_trial_type(bp_node x, bp_dtype dtype);'
wants include/bprop.h '#define bp_trial_pair(...) bp_here((bp_trial_pair)(__VA_ARGS__), __FILE__, __LINE__)'
wants out/body_ids.h 'BPI_BODY_trial_slope,'
wants out/bodies.inc '+ (0))'
if grep -E 'trial_hidden|trial_by_hand|in_a_comment' "$work/include/bprop.h" "$work/out/builders.c"; then exit 1; fi
for lines in -DBP_NO_SOURCE_LINES -UBP_NO_SOURCE_LINES; do
  gcc -std=c11 -Wall -Wextra -Wshadow -Wmissing-prototypes -Werror $lines -I "$work/include" -c "$work/out/builders.c" -o "$work/some.o"
done

# What is up to date is left alone; what is not is noticed.
gen --check
before=$(stat -c %Y.%i "$work/include/bprop.h" "$work/out/builders.c")
gen -o "$work/out"
[ "$before" = "$(stat -c %Y.%i "$work/include/bprop.h" "$work/out/builders.c")" ]
refuses()
{
  if gen "$@" 2>"$work/message"; then echo "accepted: $why"; exit 1; fi
  grep -q "$why" "$work/message" || { cat "$work/message"; exit 1; }
}
why='does not match'; sed -i 's/double slope/float slope/' "$work/include/bprop.h"; refuses --check
why='ops.def:11: no row'; echo 'OP(trial_absent)' >>"$work/src/ops/ops.def"; gen -o "$work/out" 2>/dev/null; refuses --check
sed -i '$d' "$work/src/ops/ops.def"
cp "$rows" "$work/good"
why='rows.c:[0-9]*: attribute kind not known'; sed -i 's/BP_ATTR_DTYPE/BP_ATTR_COLOUR/' "$rows"; refuses -o "$work/out"
cp "$work/good" "$rows"
why='also in'; echo 'const bp_op bp_op_trial_type = {.args = "x"};' >>"$rows"; refuses -o "$work/out"
cp "$work/good" "$rows"
why='never ends'; echo 'const bp_op bp_op_trial_end = {.args = "x"' >>"$rows"; refuses -o "$work/out"
cp "$work/good" "$rows"
why='mark the row'; sed -i 's|/\* builder by hand \*/||' "$rows"
sed -i 's|^/\* BEGIN BUILDERS \*/|BP_API bp_node bp_trial_by_hand(bp_node x);\n&|' "$work/include/bprop.h"; refuses -o "$work/out"
