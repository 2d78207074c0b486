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
[ ! -s err ] || { bad "-q talks"; cat err; }
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
ends 6 "is a folder, and will not be replaced by a trace" run 1+1 --profile=.

# A trace is never written over what is read, or over what -o names; it is found before the work.
row=overwriting
cp "$data/iris.csv" d.csv
echo 'x = 2; x * x' >prog.bp
echo 'epochs = 1' >some.conf
echo 1,2 >x.csv
cat d.csv prog.bp some.conf m.safetensors x.csv >before
both="is both input and output"
ends 2 "$both" train d.csv --target species -o q.safetensors --profile=d.csv
ends 2 "$both" train d.csv --target species -o q.safetensors --profile=../"${PWD##*/}"/d.csv
ends 2 "$both" train "$data/iris.csv" --target species --test d.csv -o q.safetensors --profile=d.csv
ends 2 "$both" train "$data/iris.csv" --target species --valid d.csv -o q.safetensors --profile=d.csv
ends 2 "$both" train d.csv --target species --config some.conf -o q.safetensors --profile=some.conf
ends 2 "$both" eval m.safetensors d.csv --profile=m.safetensors
ends 2 "$both" predict m.safetensors d.csv --profile=d.csv
ends 2 "$both" run prog.bp --profile=prog.bp
ends 2 "$both" run 'sum(x)' x=@x.csv --profile=x.csv
ends 2 "both -o and --profile" train d.csv --target species -o q.safetensors --profile=./q.safetensors
ends 2 "both -o and --profile" train d.csv --target species --profile=d.safetensors
ends 2 "both -o and --profile" jacobian 'x*x' 'x=[1,2]' -o J.npz --profile=J.npz
"$BPROP" predict m.safetensors - --profile=d.csv <d.csv >out 2>err
[ $? -eq 2 ] && grep -q "$both" err || bad "a trace over standard input"
cat d.csv prog.bp some.conf m.safetensors x.csv | cmp -s - before || bad "a file was overwritten"
[ ! -e q.safetensors ] && [ ! -e J.npz ] && [ ! -e d.safetensors ] || bad "work was done first"

# What did not fit into the trace is told.
row=lost
"$BPROP" train d.csv --target species --valid 0 --batch 1 --epochs 150 -o q.safetensors --profile=big.json >out 2>err || bad "train"
grep -Eq '^trace -> big.json \(the first 200,000 of [0-9,]+ events\)$' err || { bad "events lost are not told"; tail -n 3 err; }
finish
