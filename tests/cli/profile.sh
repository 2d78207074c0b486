# --profile: a table on standard error, a trace in a file; the answer is the same.
. "$SRC/tests/cli/common"

row=table
"$BPROP" run 'sum(tanh(x@x))' 'x=randn(30,30)' >plain 2>err || { bad "without"; cat err; }
"$BPROP" run 'sum(tanh(x@x))' 'x=randn(30,30)' --profile >out 2>err || { bad "with"; cat err; }
cmp -s plain out || bad "the answer changes"
grep -Eq '^limits, 1 thread: [0-9.]+ GFLOP/s' err || { bad "limits"; cat err; }
grep -Eq '^plan 1: 1 runs, [0-9.]+ us each' err || { bad "no plan"; cat err; }
grep -Eq '^ +[0-9.]+ us +[0-9.]+ % .* matmul +matmul#' err || { bad "no product"; cat err; }

row=trace
"$BPROP" train "$data/iris.csv" --target species --epochs 2 -o m.safetensors --profile=trace.json -q >out 2>err || { bad "train"; cat err; }
"$PYTHON" - <<'END2' || bad "the trace"
import json
trace = json.load(open("trace.json"))
events = [e for e in trace["traceEvents"] if e["ph"] == "X"]
assert len(events) > 30 and trace["otherData"]["lost"] == 0
assert all(e["dur"] >= 0 and e["ts"] >= 0 for e in events)
assert any(e["args"]["flop"] > 1000 for e in events)
END2

row=refused
"$BPROP" run '1+1' --profile=no/such/folder/t.json >out 2>err
[ $? -eq 6 ] && grep -q "no/such/folder" err || { bad "a trace that cannot be written"; cat err; }
ends 2 "no option of" ops --profile
finish
