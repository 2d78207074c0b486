# Losses, weights, schedules and what is done to gradients and examples: options that reach the training, and those that are wrong.
. "$SRC/tests/cli/common"

measure()
{
  sed -n "s/.*$2 \([-0-9.]*\).*/\1/p" "$1" | head -1
}

within()
{
  awk -v x="${1:-nan}" -v least="$2" -v most="$3" 'BEGIN {exit !(x + 0 == x && x >= least && x <= most)}' || bad "$4: $1 is not in $2..$3"
}

# Classes.
for options in "--loss softmax" "--loss mean(softmax_cross_entropy(p,y))" "--class-weights balanced" "--class-weights setosa=2,virginica=0.5" \
  "--schedule step(20,0.5) --warmup 30" "--schedule plateau(3,0.5)" "--schedule onecycle --lr 0.01" "--accumulate 2 --lr 0.003" "--rate layer1=0.5" \
  "--optimizer lion --lr 0.001" "--optimizer adagrad --lr 0.1" "--optimizer lbfgs --weight-decay 0.001" "--l1 0.0001 --max-norm 4" \
  "--clip-value 1" "--mixup 0.2" "--freeze layer1"; do
  # shellcheck disable=SC2086
  "$BPROP" train "$data/iris.csv" --target species --test 20% --runs off -q -o m.safetensors $options >out 2>err || { bad "iris $options"; cat err; }
  within "$(measure out accuracy)" 80 100 "iris $options"
done

# Numbers. Predictions come in the units of the target, whatever the loss.
cut -d, -f1-4 "$data/iris.csv" >numbers.csv
for options in mse l1 'huber(1)' 'quantile(0.5)' poisson 'mean((p-y)**2)' 'd = 0.3; mean(where(abs(p-y)<d, (p-y)**2/2, d*(abs(p-y)-d/2)))'; do
  "$BPROP" train numbers.csv --target petal_width --test 20% --runs off -q --epochs 60 -o m.safetensors --loss "$options" >out 2>err ||
    { bad "iris --loss $options"; cat err; }
  within "$(measure out RMSE)" 0.1 0.3 "iris --loss $options"
  "$BPROP" eval m.safetensors numbers.csv >out 2>err || { bad "eval after --loss $options"; cat err; }
  within "$(measure out RMSE)" 0.1 0.3 "eval after --loss $options"
done
"$BPROP" train numbers.csv --target petal_width --test 20% --runs off -q --epochs 60 -o m.safetensors --loss 'mean(exp(p)-y*p)' --link exp >out 2>err ||
  { bad "--link exp"; cat err; }
within "$(measure out RMSE)" 0.1 0.3 "--link exp"

# Nine rows of ten lie below the 0.9 quantile.
"$BPROP" train numbers.csv --target petal_width --valid 0 --runs off -q --epochs 100 -o q.safetensors --loss 'quantile(0.9)' >out 2>err || bad "quantile"
"$BPROP" predict q.safetensors numbers.csv --quiet >predicted 2>err || { bad "predict a quantile"; cat err; }
awk '$1 ~ /^[0-9]+$/ {print $2}' predicted >quantiles
awk -F, 'NR > 1 {print $4}' numbers.csv | paste -d, - quantiles | awk -F, '$1 <= $2 {n++} END {print "share", n / NR}' >out
within "$(measure out share)" 0.82 0.97 "rows under the quantile 0.9"

# Images.
"$BPROP" train "$data/iris.csv" --target species --augment flip --runs off -q -o m.safetensors >out 2>err
[ $? -eq 2 ] || bad "--augment of a table"
grep -q 'are for images' err || bad "--augment of a table is not told"

# The same bytes with 1 and 2 threads.
for j in 1 2; do
  "$BPROP" train "$data/iris.csv" --target species --mixup 0.3 --class-weights balanced --accumulate 3 --epochs 8 -j $j --runs off -q -o $j.safetensors >out || bad "-j $j"
done
cmp 1.safetensors 2.safetensors || bad "threads change the model"

# The learning-rate finder leaves no model and trains nothing.
"$BPROP" train "$data/digits.csv" --target digit --find-lr=lr.svg --runs off -o none.safetensors >out 2>err || { bad "--find-lr"; cat err; }
grep -Eq '^learning rate [0-9.e-]+: there the loss falls fastest' out || bad "--find-lr says $(cat out)"
within "$(measure out 'learning rate' | head -1)" 0.0001 0.1 "--find-lr"
[ ! -e none.safetensors ] || bad "--find-lr writes a model"
grep -q '<svg' lr.svg || bad "--find-lr=lr.svg draws nothing"
"$BPROP" train "$data/digits.csv" --target digit --find-lr --json --runs off 2>err | grep -Eq '^\{"schema":1,"suggestion":[0-9.e-]+,"steps":\[\{"lr":' || bad "--find-lr --json"

# Losses of classes by an expression: as rows of 0 and 1 they can be compared with outputs.
"$BPROP" train "$data/iris.csv" --target species --loss 'mean((softmax(p) - (arange(3) == y[:,None]))**2)' --test 20% --epochs 60 --runs off -q >out 2>err || { bad "an expression of classes"; cat err; }
awk '$3 < 90 {exit 1}' out || { bad "an expression of classes learns nothing"; cat out; }

# Columns of a table that are pixels are scaled alike, and can be moved.
"$BPROP" train "$data/digits.csv" --target digit --shape 8x8 --augment shift=1 --epochs 4 --test 20% --runs off -q >out 2>err || { bad "--augment of a table"; cat err; }
awk '$3 < 85 {exit 1}' out || { bad "--augment of a table learns nothing"; cat out; }

# Names are looked at before any data are.
ends 2 "--loss 'foo': there is none of that name" train nothing.csv --target a --loss foo
ends 2 "--schedule 'linear': there is none" train nothing.csv --target a --schedule linear
ends 2 "schedule onecycle has a warm-up of its own" train nothing.csv --target a --schedule onecycle --warmup 5

# What is wrong is said, with where and what to do.
refuse()
{
  says=$1
  shift
  ends 2 "$says" train "$data/iris.csv" --epochs 2 --runs off -q -o refused.safetensors "$@"
  [ ! -e refused.safetensors ] || bad "$*: writes a model"
}
species="--target species"
width="--target petal_width"
# shellcheck disable=SC2086
{
  refuse "--loss 'foo': there is none of that name; there are softmax, multilabel, mse," $species --loss foo
  refuse "--loss mse takes numbers, and the target is classes" $species --loss mse
  refuse "--loss softmax takes classes, and the target is numbers" $width --loss softmax
  refuse "--loss:1:9: nothing is called 'z'" $width --loss 'mean((p-z)**2)'
  refuse '^ +\^$' $width --loss 'mean((p-z)**2)'
  refuse "it must be one real number, and the expression gives real" $width --loss 'p-y'
  refuse "quantile: the number in brackets must be over 0 and below 1, not 2" $width --loss 'quantile(2)'
  refuse '^  p: outputs, y: targets, both .rows, targets.; w: weights' $width --loss 'mean((p-z)**2)'
  refuse 'y: classes .rows., whole numbers from 0 .arange.3. ==' $species --loss 'mean((p-y)**2)'
  refuse "--loss: its gradient is 0 whatever the outputs p are" $width --loss 'mean(y)'
  refuse "--loss: its gradient is 0 whatever the outputs p are" $species --loss 'mean(floor(p))'
  refuse "--augment: shift and flip are for images, and the shape" $species --augment flip
  refuse "has a link of its own" $width --loss mse --link exp
  refuse "no class 'setos'; did you mean setosa" $species --class-weights setos=2
  refuse "takes balanced, or CLASS=WEIGHT" $species --class-weights setosa
  refuse "the target is numbers" $width --class-weights balanced
  refuse "--schedule 'linear': there is none of that name; there are constant, cosine," $species --schedule linear
  refuse "E is a whole number of epochs" $species --schedule 'step(0,1)'
  refuse "--rate: no parameter is 'layer9'" $species --rate layer9=1
  refuse "--rate: takes LAYER=FACTOR" $species --rate layer1
  refuse "--freeze: no parameter is 'layer9'" $species --freeze layer9
  refuse "--augment: takes shift=PIXELS and flip" $species --augment spin
  refuse "do not go with it" $species --optimizer lbfgs --clip-norm 1
}
finish
