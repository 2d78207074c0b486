# Training: answers, saved models, the same bytes again, and every kind of data.
. "$SRC/tests/cli/common"
python=${PYTHON:-python3}
command -v "$python" >/dev/null || python=

json()
{
  [ -z "$python" ] || "$python" -c 'import json, sys
for line in open(sys.argv[1]):
    value = json.loads(line, parse_constant=lambda c: sys.exit(c + " is no JSON"))
    assert value["schema"] == 1
    assert eval(sys.argv[2], {}, value), (sys.argv[2], value)' "$1" "$2" || bad "$1: $2"
}

accuracy()
{
  sed -n 's/.*accuracy \([0-9.]*\) %.*/\1/p' "$1"
}

at_least()
{
  awk -v x="${1:-0}" -v least="$2" 'BEGIN {exit !(x >= least)}' || bad "$3: $1 is under $2"
}

# Digits, as `make run` does it.
"$BPROP" train "$data/digits.csv" --target digit --test 0.25 -o digits.safetensors >out 2>err || bad "digits"
at_least "$(accuracy out)" 96.5 "digits"
grep -q 'digits.csv: 1,797 rows, 64 numeric columns; 10 classes (178/182/177/183/181/182/181/179/174/180)' err || bad "the data are not told"
grep -Eq 'model 64-[0-9]+-10 relu, [0-9,]+ parameters; adamw, learning rate 0.003; seed 1; validation [0-9]+ rows \(stratified\), test 449 rows' err ||
  bad "the model is not told"
grep -q 'baseline (always the most common class): 10.2 % accuracy' err || bad "the baseline is not told"
grep -Eq '(early stop|done): best epoch [0-9]+ -> digits.safetensors' err || bad "the file is not told"
"$BPROP" eval digits.safetensors "$data/digits.csv" >out || bad "eval"
at_least "$(accuracy out)" 97 "eval of digits"

# The same bytes twice, for 1 and 2 threads, and for 25% and 0.25.
"$BPROP" train "$data/digits.csv" --target digit --test 25% -j 1 -q -o one.safetensors >out || bad "digits -j 1"
"$BPROP" train "$data/digits.csv" --target digit --test 0.25 -j2 -q -o two.safetensors >out || bad "digits -j 2"
cmp digits.safetensors one.safetensors && cmp one.safetensors two.safetensors || bad "the model differs from run to run"
"$BPROP" train "$data/digits.csv" --target digit --test 0.25 --seed 2 --epochs 2 -q -o other.safetensors >out || bad "digits, seed 2"
if cmp -s one.safetensors other.safetensors; then bad "another seed gives the same model"; fi

# The default name, JSON, and a linear model.
"$BPROP" train "$data/wine.csv" --target cultivar --json -v >out 2>err || bad "wine --json"
[ -s wine.safetensors ] || bad "no wine.safetensors"
json out 'model == "wine.safetensors" and validation["accuracy"] > 0.8 and len(epochs) >= best_epoch and train_rows + valid_rows == 178'
[ "$(wc -l <out)" -eq 1 ] || bad "--json is more than one line"
"$BPROP" train "$data/wine.csv" --target cultivar --hidden none --valid 0 --epochs 60 -q -o linear.safetensors >out || bad "linear"
grep -q '^training accuracy' out || bad "without held-out rows the training accuracy is the answer"
at_least "$(accuracy out)" 97 "linear"
"$BPROP" info linear.safetensors | grep -q 'network 13-3, 42 parameters' || bad "--hidden none"

# Options reach the training.
for options in "--optimizer sgd --momentum 0.9 --nesterov" "--optimizer adamw --weight-decay 0.01" "--optimizer rmsprop --clip-norm 1" \
  "--activation tanh --hidden 16,8" "--dropout 0.2 --schedule cosine" "--init orthogonal --dtype float64" "--init normal --init-scale 0.1" "--label-smoothing 0 --batch 7" \
  "--activation maxout(2)" "--batch 100000"; do
  # shellcheck disable=SC2086
  "$BPROP" train "$data/wine.csv" --target cultivar --test 20% -q -o options.safetensors $options >out 2>err || { bad "wine $options"; cat err; }
  at_least "$(accuracy out)" 85 "wine $options"
done

# Numbers to predict.
"$BPROP" train "$data/iris.csv" --target petal_width --test 20% -q -o text.safetensors >out 2>err || bad "a column of text among the inputs"
at_least "$(sed -n 's/.*RMSE //p' out | awk '{print 1 - $1}')" 0.65 "text: 1 - RMSE"
cut -d, -f1-4 "$data/iris.csv" >numbers.csv
"$BPROP" train numbers.csv --target petal_width --test 20% -o numbers.safetensors >out 2>err || bad "regression"
grep -Eq '^test RMSE [0-9.]+$' out || bad "no RMSE"
at_least "$(sed -n 's/.*RMSE //p' out | awk '{print 1 - $1}')" 0.65 "1 - RMSE"
grep -q 'baseline (always the mean): RMSE' err || bad "no baseline of a regression"
"$BPROP" eval numbers.safetensors numbers.csv --json >out || bad "eval of a regression"
json out 'metrics["r2"] > 0.8 and metrics["rmse"] < metrics["baseline"]'

# A test and a validation file of their own: other order of columns, a column more, some classes only.
awk -F, -v OFS=, '{print $5, $4, "x" NR, $3, $2, $1}' "$data/iris.csv" | sed '1s/x1/note/' | head -n 61 >test.csv
"$BPROP" train "$data/iris.csv" --target species --test test.csv --valid "$data/iris.csv" --epochs 100 -o own.safetensors >out 2>err || { bad "own test file"; cat err; }
at_least "$(accuracy out)" 90 "own test file"
grep -q 'validation 150 rows, test 60 rows' err || bad "rows of the files of their own"
"$BPROP" train --test test.csv "$data/iris.csv" --target species --epochs 2 -q >out 2>err || { bad "--test FILE before the data"; cat err; }

# A network that knows nothing is told so.
awk 'BEGIN {srand(1); print "a,b,y"; for (i = 0; i < 200; i++) print rand() "," rand() "," (rand() < 0.8 ? "no" : "yes")}' >noise.csv
"$BPROP" train noise.csv --target y --test 50% --epochs 3 >out 2>err || bad "noise"
grep -q 'warning: .*does not beat the baseline' err || bad "no warning about noise"

# IDX, compressed by gzip, with the test as a pair of files; npy.
if [ -n "$python" ]; then
  "$python" - "$data/digits.csv" <<'END' || bad "cannot write IDX"
import csv, gzip, struct, sys
rows = [[int(v) for v in r] for r in list(csv.reader(open(sys.argv[1])))[1:]]
def idx(name, dims, values):
    data = bytes([0, 0, 8, len(dims)]) + struct.pack(">%dI" % len(dims), *dims) + bytes(values)
    (gzip.open if name.endswith(".gz") else open)(name, "wb").write(data)
for name, part in (("train", rows[:1400]), ("t10k", rows[1400:])):
    idx(name + "-images-idx3-ubyte.gz", (len(part), 8, 8), [v for r in part for v in r[:64]])
    idx(name + "-labels-idx1-ubyte.gz", (len(part),), [r[64] for r in part])
idx("plain-images", (1797, 8, 8), [v for r in rows for v in r[:64]])
END
  "$BPROP" train train-images-idx3-ubyte.gz train-labels-idx1-ubyte.gz --epochs 40 --test t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz \
    >out 2>err || { bad "IDX"; cat err; }
  at_least "$(accuracy out)" 90 "IDX"
  [ -s train-images.safetensors ] || bad "the default name for IDX"
  "$BPROP" eval train-images.safetensors t10k-images-idx3-ubyte.gz t10k-labels-idx1-ubyte.gz >again || bad "eval of IDX"
  [ "$(accuracy out)" = "$(accuracy again)" ] || bad "eval of IDX is not what training said"
  "$BPROP" predict train-images.safetensors plain-images --json >rows || bad "predict of IDX"
  [ "$(wc -l <rows)" -eq 1797 ] || bad "predict of IDX: rows"
fi
if [ -n "$python" ] && "$python" -c 'import numpy' 2>/dev/null; then
  "$python" - "$data/digits.csv" <<'END'
import csv, sys, numpy as np
a = np.array(list(csv.reader(open(sys.argv[1])))[1:], float)
np.save("x.npy", a[:, :64].astype("f4")); np.save("y.npy", a[:, 64].astype("i8")); np.save("r.npy", a[:, 64] / 3)
END
  "$BPROP" train x.npy y.npy --test 25% --epochs 30 -q >out 2>err || { bad "npy"; cat err; }
  at_least "$(accuracy out)" 95 "npy"
  "$BPROP" train x.npy r.npy --test 25% --epochs 10 -q -o r.safetensors >out 2>err || { bad "npy, numbers"; cat err; }
  grep -q RMSE out || bad "npy, numbers: no RMSE"
fi

# The model is a safetensors file that others read.
if [ -n "$python" ] && "$python" -c 'import numpy, safetensors.numpy' 2>/dev/null; then
  "$python" -c 'import safetensors.numpy
t = safetensors.numpy.load_file("digits.safetensors")
assert t["layer1.W"].shape[1] == 64, t.keys()' || bad "safetensors of Python"
fi
finish
