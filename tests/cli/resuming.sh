# Trainings that were interrupted or killed go on, and end with the bytes of one that was left alone.
. "$SRC/tests/cli/common"
iris=$data/iris.csv digits=$data/digits.csv

# expect STATUS PATTERN WORD...
expect()
{
  want=$1 pattern=$2
  shift 2
  "$BPROP" "$@" >out 2>err
  got=$?
  [ $got -eq "$want" ] || bad "$*: exit $got, not $want"
  grep -Eq -- "$pattern" err out || { bad "$*: nothing says $pattern"; cat err; }
}

left_alone()
{
  "$BPROP" train "$@" -q -o alone.safetensors >alone || bad "train $*"
}

# By SIGTERM, as soon as there are epochs.
stop_once()
{
  rm -f err
  "$BPROP" "$@" >out 2>err &
  pid=$!
  said '^epoch' err $pid
  kill -TERM $pid 2>/dev/null
  wait $pid
}

# ---- SIGTERM, and go on as it says ----

left_alone "$digits" --target digit --epochs 60 --patience 60 --hidden 32
stop_once train "$digits" --target digit --epochs 60 --patience 60 --hidden 32 -o model.safetensors
got=$?
if [ $got -eq 143 ]; then
  grep -Eq '^interrupted: saved model.safetensors (at epoch [0-9]+, step [0-9]+|after epoch [0-9]+); go on with: bprop train --resume model.safetensors$' err ||
    { bad "what to do is not told"; cat err; }
  grep -q '^validation accuracy' out || bad "no answer when interrupted"
  "$BPROP" eval model.safetensors "$digits" >/dev/null || bad "a checkpoint is no model"
  expect 0 'done: best epoch' train --resume model.safetensors -j 3
else
  [ $got -eq 0 ] || bad "SIGTERM: exit $got"
fi
cmp -s alone.safetensors model.safetensors || bad "gone on with, it ends with other bytes"
cmp -s alone out || bad "gone on with, it answers something else"

# ---- every option comes back; the same options and a name that has to be quoted ----

mkdir -p "a folder"
cp "$iris" "a folder/it's.csv"
left_alone "a folder/it's.csv" --target 5 --test 20% --valid 25% --epochs 90 --patience 90 --optimizer sgd --lr 0.02 --momentum 0.8 \
  --nesterov --schedule cosine --dropout 0.1 --seed 9 --dtype float64 --batch 11
stop_once train "a folder/it's.csv" --target 5 --test 20% --valid 25% --epochs 90 --patience 90 --optimizer sgd --lr 0.02 --momentum 0.8 \
  --nesterov --schedule cosine --dropout 0.1 --seed 9 --dtype float64 --batch 11 -o "a folder/m.safetensors"
got=$?
if [ $got -eq 143 ]; then
  grep -Fq "bprop train --resume 'a folder/m.safetensors'" err || { bad "the command told is not quoted"; cat err; }
  expect 0 . train --resume "a folder/m.safetensors"
fi
cmp -s alone.safetensors "a folder/m.safetensors" || bad "with many options, it ends with other bytes"

# ---- images that are changed each time, and rows that come from a file ----

{ printf '\000\000\010\003\000\000\001\220\000\000\000\010\000\000\000\010'
  awk 'BEGIN {for (i = 0; i < 400; i++) for (k = 0; k < 64; k++) printf "%c", 40 + (i * 31 + k * 17) % 40 + (i % 2 && k < 32 ? 40 : 0)}'; } >images
{ printf '\000\000\010\001\000\000\001\220'
  awk 'BEGIN {for (i = 0; i < 400; i++) printf i % 2 ? "b" : "a"}' | tr ab '\000\001'; } >labels
awk 'BEGIN {srand(2); print "a,b,c,y"; for (i = 0; i < 45000; i++) {a = rand(); printf "%.4f,%.4f,%s,%s\n", a, rand(), i % 3 ? "p" : "q", (a > 0.4) ? "yes" : "no"}}' >large.csv
while read -r arguments; do
  # shellcheck disable=SC2086
  left_alone $arguments
  # shellcheck disable=SC2086
  stop_once train $arguments -o model.safetensors
  got=$?
  [ $got -eq 143 ] || [ $got -eq 0 ] || bad "SIGTERM: exit $got: $arguments"
  [ $got -eq 0 ] || expect 0 'done: ' train --resume model.safetensors
  cmp -s alone.safetensors model.safetensors || bad "gone on with, it ends with other bytes: $arguments"
done <<'END'
images labels --epochs 40 --patience 40 --hidden 64 --augment shift=2,flip --refit no
images labels --epochs 40 --patience 40 --hidden 64 --mixup 0.3 --augment shift=1
large.csv --target y --epochs 4 --patience 4 --memory 1M --hidden 64
END

# ---- stopped while it learns once more from all rows (--refit), which begins after the last epoch: that begins again ----

epochs=40 end=0
while [ $end -eq 0 ] && [ $failures -eq 0 ]; do
  set -- "$digits" --target digit --hidden 32 --lr 1e-5 --refit yes --epochs $epochs --patience $epochs
  left_alone "$@"
  rm -f err
  "$BPROP" train "$@" -o model.safetensors >out 2>err &
  pid=$!
  said "^epoch *$epochs/" err $pid
  kill -TERM $pid 2>/dev/null
  wait $pid
  end=$?
  case $end in
    0) epochs=$((epochs * 2)) ;; # this machine was faster
    143) expect 0 'trained once more' train --resume model.safetensors ;;
    *) bad "SIGTERM while learning once more: exit $end" ;;
  esac
  cmp -s alone.safetensors model.safetensors || bad "stopped while learning once more, it ends with other bytes"
done

# ---- 73: two trainings, one file ----

"$BPROP" train "$digits" --target digit --epochs 12 --seed 1 --refit no -q -o first.safetensors >out || bad "seed 1"
"$BPROP" train "$digits" --target digit --epochs 12 --seed 2 --refit no -q -o second.safetensors >out || bad "seed 2"
"$BPROP" train "$digits" --target digit --epochs 12 --seed 1 --refit no -q --checkpoint-every 3 -o both.safetensors >out 2>err &
pid=$!
"$BPROP" train "$digits" --target digit --epochs 12 --seed 2 --refit no -q --checkpoint-every 3 -o both.safetensors >out2 2>err2 || { bad "the second of two"; cat err2; }
wait $pid || { bad "the first of two"; cat err; }
cmp -s both.safetensors first.safetensors || cmp -s both.safetensors second.safetensors || bad "two trainings with one file leave neither model"
for left in both.safetensors?*; do [ ! -e "$left" ] || bad "two trainings leave $left"; done

# ---- data that cannot be read again ----

tail -n +2 "$iris" >bare.csv
rm -f err
"$BPROP" train - --target 5 --header no --epochs 100000000 --patience 100000000 -o piped.safetensors <bare.csv >out 2>err &
pid=$!
said '^epoch' err $pid
kill -TERM $pid
wait $pid
"$BPROP" train --resume piped.safetensors </dev/null >out 2>err
[ $? -eq 3 ] || bad "no data to go on with"
grep -q 'came from standard input, and are needed again: bprop train - --resume piped.safetensors < DATA' err || { bad "what to do about piped data is not told"; cat err; }
"$BPROP" train - --resume piped.safetensors --epochs 3 -q <bare.csv >out 2>err || { bad "going on with piped data"; cat err; }

# ---- what is refused ----

stop_once train "$iris" --target species --epochs 100000000 --patience 100000000 -o model.safetensors
cp model.safetensors kept
expect 2 '^bprop: --lr: a training that goes on keeps its options; --from model.safetensors begins another' train --resume model.safetensors --lr 0.1
expect 2 '^bprop: --seed: ' train --resume model.safetensors --seed 3
expect 2 '^bprop: --target: ' train --resume model.safetensors --target species
cmp -s kept model.safetensors || bad "a refusal changed the model"
head -n 100 "$iris" >fewer.csv
expect 3 'cannot go on: it was made with training rows 135, and here it is training rows 89' train --resume model.safetensors fewer.csv
sed 's/^5\.1,/5.2,/' "$iris" >changed.csv
expect 3 'cannot go on: .*data' train --resume model.safetensors changed.csv
cmp -s kept model.safetensors || bad "a refusal changed the model"
expect 0 . train --resume model.safetensors "$iris" --epochs 3 -q

# A training that is over is told again, and its file is left alone.
cp out alone
expect 0 'nothing is left to do' train --resume model.safetensors
cmp -s alone out || bad "the answer of a finished training is another the second time"
cp model.safetensors kept
expect 2 '^bprop: --epochs: .* is finished.*--from model.safetensors' train --resume model.safetensors --epochs 5
expect 0 '"end":"finished before"' train --resume model.safetensors --json
cmp -s kept model.safetensors || bad "going on with a finished training changed its file"
"$BPROP" info model.safetensors | grep -q 'bprop.training' && bad "a finished training still holds what going on takes"
expect 4 . train --resume "$iris"
expect 4 . train --resume nowhere.safetensors
expect 2 'steps, as 1000, or a time' train "$iris" --target species --checkpoint-every often
expect 2 . train "$iris" --target species --checkpoint-every -3

# ---- checkpoints meanwhile ----

"$BPROP" train "$iris" --target species --epochs 20 --checkpoint-every 50 -v -o model.safetensors >out 2>err || bad "checkpoints"
[ "$(grep -c '^saved model.safetensors at epoch' err)" -eq 6 ] || { bad "17 steps an epoch, 340 in all, saved every 50"; cat err; }
"$BPROP" train "$iris" --target species --epochs 20 --checkpoint-every 0 -v -o other.safetensors >out 2>err
grep -q '^saved' err && bad "--checkpoint-every 0 saves"
cmp -s model.safetensors other.safetensors || bad "saving meanwhile changes the result"

# A training that cannot be saved meanwhile goes on, says so, and is not saved in the end: exit 6.
mkdir -p gone
( cd gone && "$BPROP" train "$iris" --target species --epochs 100000000 --patience 100000000 --checkpoint-every 100 -o ../sub/m.safetensors >../out 2>../err )
[ $? -eq 6 ] || bad "a folder that is not there"
finish
