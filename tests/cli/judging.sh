# bprop eval: all metrics, classes and confusions, groups by a column; beside what can be counted from predictions.
. "$SRC/tests/cli/common"
python=${PYTHON:-python3}
iris_model

"$BPROP" eval iris.safetensors "$data/iris.csv" >out || bad "eval"
grep -Eq '^accuracy [0-9.]+ %$' out || bad "no accuracy in the first line"
for text in '^metric +value$' '^Matthews correlation +0\.[0-9]+$' '^ROC AUC +(0\.[0-9]+|1)$' \
  '^class +rows +precision +recall +F1 +ROC AUC +average precision$' '^virginica +50 .* %' '^true . predicted +setosa +versicolor +virginica$' \
  '^setosa +50 +\. +\.$'; do
  grep -Eq "$text" out || { bad "no '$text' in what eval tells"; cat out; }
done
grep -q 'top-5' out && bad "top-5 of three classes is told"

# What predict says, counted here.
"$BPROP" predict iris.safetensors "$data/iris.csv" --json -q >predicted || bad "predict"
"$BPROP" eval iris.safetensors "$data/iris.csv" --by petal_width --json >judged || bad "eval --by --json"
if command -v "$python" >/dev/null; then
  "$python" - "$data/iris.csv" <<'END' || bad "eval --json is not what predictions give"
import csv, json, math, sys
rows = list(csv.DictReader(open(sys.argv[1])))
said = [json.loads(l) for l in open("predicted")]
got = json.loads(open("judged").read(), parse_constant=lambda c: 1 / 0)
assert got["schema"] == 1
names = [c["class"] for c in got["classes"]]
true = [r["species"] for r in rows]
right = [s["class"] == t for s, t in zip(said, true)]
near = lambda a, b: abs(a - b) < 1e-3 * (1 + abs(b))
m = got["metrics"]
assert m["rows"] == 150 and near(m["accuracy"], sum(right) / 150)
assert near(m["log_loss"], -sum(math.log(s["p"][names.index(t)]) for s, t in zip(said, true)) / 150)
for i, t in enumerate(names):
    assert got["confusion"][i] == [sum(a == t and s["class"] == p for a, s in zip(true, said)) for p in names]
    assert near(got["classes"][i]["recall"], got["confusion"][i][i] / 50)
groups = got["by"]["groups"]
assert got["by"]["column"] == "petal_width" and len(groups) == 5
assert sum(g["metrics"]["rows"] for g in groups) == 150
low = 0
for g in groups:  # "0.1 to 0.2", "over 0.2 to 1.1", ...
    high = float(g["group"].split(" to ")[1])
    mine = [r for r, row in zip(right, rows) if low < float(row["petal_width"]) <= high]
    assert len(mine) == g["metrics"]["rows"] and near(g["metrics"]["accuracy"], sum(mine) / len(mine)), g
    low = high
END
fi

# Groups by category, by a few numbers, and by a column that the network does not know; rows without a value.
{ echo "kind,size,$(head -n 1 "$data/iris.csv")"; tail -n +2 "$data/iris.csv" | awk '{print (NR % 3 ? "a\"" : ""), "," NR % 2 "," $0}' | sed 's/^a" /"a"""/; s/^ ,/,/'; } >more.csv
"$BPROP" eval iris.safetensors more.csv --by kind >out || bad "--by an unknown column"
grep -Eq '^a" +100 ' out && grep -Eq '^\(missing\) +50 ' out && grep -Eq '^all +150 ' out || { bad "groups of kind"; cat out; }
"$BPROP" eval iris.safetensors more.csv --by size >out || bad "--by numbers"
grep -Eq '^0 +75 ' out && grep -Eq '^1 +75 ' out || { bad "groups of size"; cat out; }
"$BPROP" eval iris.safetensors more.csv --by species >out || bad "--by the target"
grep -Eq '^versicolor +50 ' out || bad "groups of species"
ends 2 "no column \"kinds\"; did you mean \"kind\"" eval iris.safetensors more.csv --by kinds
ends 2 'names a column of a CSV file, and the data are none' eval iris.safetensors - --by kind <more.csv

# A row of weight 3 is the row three times: in eval, and in what is told after training.
awk -F, 'NR == 1 {print $0 ",w"; next} {print $0 "," NR % 4}' "$data/iris.csv" >weighted.csv
awk -F, 'NR == 1 {print; next} {for (i = 0; i < NR % 4; i++) print}' "$data/iris.csv" >repeated.csv
"$BPROP" eval iris.safetensors weighted.csv --weights w --json >by-weight || bad "eval --weights"
"$BPROP" eval iris.safetensors repeated.csv --json >by-rows || bad "eval of repeated rows"
if command -v "$python" >/dev/null; then
  "$python" - <<'END' || bad "weights are not rows"
import json
a, b = json.load(open("by-weight")), json.load(open("by-rows"))
assert a["metrics"].pop("rows") == 150 and b["metrics"].pop("rows") == 227
assert a["confusion"] == b["confusion"] and len(a["metrics"]) > 14
for part in ["metrics"], ["classes", 0], ["classes", 2]:
    x, y = a, b
    for key in part:
        x, y = x[key], y[key]
    for name, value in x.items():
        assert value == y[name] or abs(value - y[name]) < 1e-6 * (1 + abs(value)), (name, value, y[name])
END
fi
"$BPROP" train "$data/iris.csv" --target species --epochs 2 --test repeated.csv -q -o plain.safetensors >plain || bad "test rows"
awk -F, 'NR == 1 {print $0 ",w"; next} {print $0 ",1"}' "$data/iris.csv" >ones.csv
"$BPROP" train ones.csv --target species --weights w --epochs 2 --test weighted.csv -q -o plain.safetensors >weighted || bad "weighted test rows"
cmp plain weighted || bad "test accuracy by weights is not that by rows"

# Numbers.
cut -d, -f1-4 "$data/iris.csv" >numbers.csv
"$BPROP" train numbers.csv --target petal_length --epochs 40 -q -o length.safetensors >/dev/null 2>err || { bad "regression"; cat err; }
"$BPROP" eval length.safetensors numbers.csv >out || bad "eval of numbers"
grep -Eq '^RMSE [0-9.]+$' out && grep -Eq '^R2 +0\.[0-9]+$' out && grep -Eq '^median absolute error +' out || { bad "metrics of numbers"; cat out; }
grep -q 'predicted' out && bad "a confusion matrix of numbers"

# Several targets, by name.
"$BPROP" train numbers.csv --target petal_length,petal_width --epochs 10 -q -o two.safetensors >/dev/null || bad "two targets"
"$BPROP" eval two.safetensors numbers.csv >out || bad "eval of two targets"
grep -Eq '^target +RMSE' out && grep -Eq '^petal_width +[0-9.]+ ' out || { bad "targets by name"; cat out; }
"$BPROP" eval two.safetensors numbers.csv -q >out
[ "$(wc -l <out)" -eq 1 ] || bad "more than the answer with -q"
finish
