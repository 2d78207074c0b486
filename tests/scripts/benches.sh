# The benchmarks build and run: every kind of work once, without peers, and the programs that measure one thing. How fast is not asked here.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench=$BUILD/bench
[ -z "$BPROP_SANITIZE" ] || { echo "not together with a sanitizer"; exit 77; }
[ -x "$bench/ours" ] || { echo "the benchmarks were not built"; exit 77; }
fail() { echo "FAILED: $*"; exit 1; }

# One repetition of each kind of work.
"$PYTHON" "$SRC/bench/run" --build "$BUILD" --no-peers --once --json "$work/bench.json" \
  "train 784-128-10" "infer 784-128-10, batch 1" "2-8-1" "4,096 elements" "network 28x28, batch 1" scalar Broyden arrow >"$work/out" 2>"$work/err" ||
  { cat "$work/err"; fail "bench/run"; }
"$PYTHON" - "$work/bench.json" <<'END2' || fail "the results"
import json, sys
works = json.load(open(sys.argv[1]))["works"]
assert len(works) >= 9, list(works)
for name, work in works.items():
    for key, result in work["results"].items():
        assert result.get("seconds", 0) > 0 and len(result["samples"]) == 1, (name, key, result)
    assert work["disagreement"] == [], (name, work["disagreement"])
END2
grep -q "train 784-128-10, batch 64, sgd" "$work/out" || fail "no table"

# Two builds by turns: the same one twice.
"$PYTHON" "$SRC/bench/run" --ab "$BUILD" "$BUILD" --once --json "$work/ab.json" 2-8-1 >"$work/out" 2>"$work/err" || { cat "$work/err"; fail "--ab"; }
grep -Eq "2-8-1.*bprop 1T .*[0-9]" "$work/out" || fail "--ab prints nothing"

# What cannot be run is said, with what there is.
ends_with_2() { rc=0; "$PYTHON" "$SRC/bench/run" "$@" >"$work/out" 2>"$work/err" || rc=$?; [ "$rc" -eq 2 ] || fail "bench/run $*: exit $rc"; }
ends_with_2 --json "$work/no.json" nonsense && grep -q "train 2-8-1" "$work/err" || fail "an unknown work does not list the works"
ends_with_2 --json "$work/no.json" --ab "$BUILD" "$work/none" && grep -q "is no build" "$work/err" || fail "--ab of a missing build"

# A bar of none at most is missed by one.
"$PYTHON" -B -c 'import sys; sys.path.insert(0, sys.argv[1]); import report
class W: bars = [("n", lambda f: f, -0.0)]
assert [report.judge(W, n)[0]["met"] for n in (0, 1, None)] == [True, False, None]' "$SRC/bench" || fail "a bar of at most 0"

[ "$("$bench/compilecost" 100 | wc -l)" -eq 1 ] || fail compilecost
[ "$("$bench/gradcost" 3 1 | wc -l)" -eq 5 ] || fail gradcost
[ "$("$bench/fixedwork" bits 1)" = "$("$bench/fixedwork" bits 3)" ] || fail "fixedwork: other bits with three threads"
"$bench/fixedwork" memory trainer | grep -Eq '^[0-9]+ [0-9]+$' || fail "fixedwork memory"
printf 'a|b|c|0|1\n= one|points\n1 2\n3 4\n' | "$bench/plots" "$work/p.svg" && grep -q "</svg>" "$work/p.svg" || fail plots
"$bench/limits" 0.001 | grep -q "^triad_dram_1 [0-9]" || fail limits

# docs/performance.md is what the last record says.
"$PYTHON" "$SRC/bench/run" --docs-fit || fail "docs/performance.md"
