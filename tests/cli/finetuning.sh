# Cross-validation, and trainings that start from a trained network.
. "$SRC/tests/cli/common"
iris=$data/iris.csv

# ---- cross-validation ----

"$BPROP" train "$iris" --target species --folds 5 --epochs 60 --runs off -o model.safetensors >out 2>err || { bad "--folds 5"; cat err; }
[ "$(grep -c '^fold [1-5]/5  accuracy' err)" -eq 5 ] || { bad "a line for each fold"; cat err; }
grep -Eq '^5 folds: accuracy 9[0-9]\.[0-9] \+- [0-9.]+ %, loss' err || { bad "mean and deviation"; cat err; }
# The mean of the five lines, and the median of their epochs.
mean=$(sed -n 's/^fold .*accuracy *\([0-9.]*\) %.*/\1/p' err | awk '{ s += $1 } END { printf "%.1f", s / NR }')
grep -q "^5 folds: accuracy $mean " err || bad "the mean is not $mean"
median=$(sed -n 's/^fold .*best epoch \([0-9]*\)$/\1/p' err | sort -n | sed -n 3p)
grep -q "the model is trained on all 150 rows, for the median of the best epochs: $median" err || bad "the median is not $median"
grep -q "^done: $median epochs -> model.safetensors" err || { bad "the model is trained for $median epochs"; tail -n 4 err; }
cp model.safetensors first
"$BPROP" train "$iris" --target species --folds 5 --epochs 60 --runs off -q -j 3 -o model.safetensors >out2 2>err || bad "--folds again"
cmp -s first model.safetensors || bad "cross-validation: other bytes the second time"
cmp -s out out2 || bad "cross-validation: another answer the second time"
"$BPROP" train "$iris" --target petal_width --folds 3 --epochs 20 --runs off -o number.safetensors >out 2>err || bad "folds of a number"
grep -Eq '^3 folds: RMSE 0\.[0-9]+ \+- ' err || { bad "folds of a number: no RMSE"; cat err; }
ends 2 'folds: takes its validation rows from the data' train "$iris" --target species --folds 3 --valid "$iris"
ends 2 'folds: ' train "$iris" --target species --folds 1
head -n 4 "$iris" >tiny.csv
ends 3 . train tiny.csv --target petal_width --folds 100

# ---- starting from a trained network ----

"$BPROP" train "$iris" --target species --hidden 12 --epochs 40 --runs off -q -o base.safetensors >/dev/null || bad "train"
sed 's/,setosa$/,blue/; s/,versicolor$/,blue/; s/,virginica$/,red/' "$iris" >colours.csv

# One tensor of a model, as the numbers in its file.
tensor()
{
  python3 -c '
import json, sys
b = open(sys.argv[1], "rb").read()
n = int.from_bytes(b[:8], "little")
begin, end = json.loads(b[8:8 + n])[sys.argv[2]]["data_offsets"]
print(b[8 + n + begin:8 + n + end].hex())' "$1" "$2"
}

"$BPROP" train colours.csv --target species --from base.safetensors --freeze layer1 --epochs 3 --runs off -o tuned.safetensors >out 2>err ||
  { bad "--from"; cat err; }
grep -q '^model 4-12-2 relu' err || { bad "the last layer is not new"; cat err; }
if command -v python3 >/dev/null; then
  for t in layer1.W layer1.b input.mean input.scale; do
    [ "$(tensor base.safetensors $t)" = "$(tensor tuned.safetensors $t)" ] || bad "--freeze layer1: $t changed"
  done
  "$BPROP" train "$iris" --target species --from base.safetensors --freeze layer1.W --epochs 3 --runs off -q -o again.safetensors >/dev/null || bad "--from, same classes"
  [ "$(tensor base.safetensors layer1.W)" = "$(tensor again.safetensors layer1.W)" ] || bad "--freeze layer1.W: it changed"
  [ "$(tensor base.safetensors layer2.W)" != "$(tensor again.safetensors layer2.W)" ] || bad "what is not frozen stayed"
fi

# The same classes: nothing is lost at the start.
"$BPROP" train "$iris" --target species --from base.safetensors --epochs 1 --lr 1e-9 --valid 0 --runs off -q -o same.safetensors >out 2>err || { bad "--from, hardly trained"; cat err; }
"$BPROP" eval base.safetensors "$iris" --json | sed 's/.*"accuracy":\([0-9.]*\).*/\1/' >a
"$BPROP" eval same.safetensors "$iris" --json | sed 's/.*"accuracy":\([0-9.]*\).*/\1/' >b
cmp -s a b || { bad "--from: the weights are others"; cat a b; }

cut -d, -f2- "$iris" >fewer.csv
ends 2 'sepal_length' train fewer.csv --target species --from base.safetensors
ends 2 '^bprop: --hidden: --from brings' train "$iris" --target species --from base.safetensors --hidden 3
ends 4 . train "$iris" --target species --from "$iris"
ends 2 'layer9' train "$iris" --target species --from base.safetensors --freeze layer9

# It is interrupted and goes on, with what is frozen, also without the network that it started from.
"$BPROP" train colours.csv --target species --from base.safetensors --freeze layer1 --epochs 40 --patience 40 --runs off -q -o alone.safetensors >/dev/null || bad "alone"
cp base.safetensors gone.safetensors
"$BPROP" train colours.csv --target species --from gone.safetensors --freeze layer1 --epochs 40 --patience 40 --runs off -q -o alone.safetensors >/dev/null || bad "alone"
rm -f err
"$BPROP" train colours.csv --target species --from gone.safetensors --freeze layer1 --epochs 40 --patience 40 --runs off -v --checkpoint-every 10 \
  -o killed.safetensors >out 2>err &
pid=$!
said '^saved' err $pid
kill -KILL $pid 2>/dev/null
wait $pid 2>/dev/null
if [ $? -eq 137 ]; then
  rm gone.safetensors
  "$BPROP" train --resume killed.safetensors --runs off -q >out 2>err || { bad "going on with what is frozen"; cat err; }
fi
cmp -s alone.safetensors killed.safetensors || bad "fine-tuning, gone on with: other bytes"
finish
