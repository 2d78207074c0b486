# kill -9 at any moment: a training that is gone on with each time ends with the same bytes, and a save that was reported is never lost.
# KILLS and SAVE_KILLS say how often: 20 and 1000 for the figures of the manual.
set -u
export LC_ALL=C
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work" || exit 1
export XDG_DATA_HOME=$work/share
digits=$SRC/data/digits.csv
failures=0

bad()
{
  echo "FAILED: $*"
  failures=$((failures + 1))
}

# A number below $1.
below()
{
  n=$(od -An -N2 -tu2 /dev/urandom)
  echo $((n % $1))
}

# Steps in all, at the save that the log $1 reported last; 0: none.
reported()
{
  sed -n 's/^saved .* at epoch \([0-9]*\), step \([0-9]*\)$/\1 \2/p' "$1" | tail -n 1 | {
    read -r epoch step || { echo 0; return; }
    echo $(((epoch - 1) * steps_of_epoch + step))
  }
}

# Steps that the checkpoint $1 has done; "all": its training is finished; empty: it does not load.
kept()
{
  "$BPROP" info "$1" >info 2>err || return
  step=$(sed -n 's/.*bprop.training.*"step":\([0-9]*\).*/\1/p' info)
  echo "${step:-all}"
}

# Kills the training $pid some milliseconds after it has reported $1 saves in the log $2; false if it ended before.
kill_after()
{
  while [ "$(grep -c '^saved' "$2" 2>/dev/null)" -lt "$1" ]; do
    kill -0 "$pid" 2>/dev/null || return 1
    sleep 0.005
  done
  sleep "0.0$(below 100)"
  kill -KILL "$pid" 2>/dev/null
  wait "$pid" 2>/dev/null
  [ $? -eq 137 ]
}

# The file is whole, and not before what was reported.
look_at()
{
  at=$(kept "$1")
  [ -n "$at" ] || { bad "$2: the file does not load"; cat err; return; }
  [ "$at" = all ] || [ "$at" -ge "$(reported log)" ] ||
    bad "$2: step $(reported log) was reported as saved, and the file has step $at"
}

# ---- killed at random moments, gone on with each time ----

kills=${KILLS:-5}
steps_of_epoch=26 # 1617 rows in batches of 64
train="$digits --target digit --hidden 16 --batch 64 --patience 1000000"

# Trains for $1 epochs, killed and gone on with until it ends or was killed often enough; counts in $done.
kill_and_go_on()
{
  # shellcheck disable=SC2086
  "$BPROP" train $train --epochs "$1" -q -o alone.safetensors >alone || bad "train"
  rm -f killed.safetensors
  : >log
  # shellcheck disable=SC2086
  "$BPROP" train $train --epochs "$1" -v --checkpoint-every 11 -o killed.safetensors >out 2>log &
  pid=$!
  while [ $done -lt "$kills" ] && kill_after $((1 + $(below 3))) log; do
    done=$((done + 1))
    look_at killed.safetensors "kill $done"
    : >log
    "$BPROP" train --resume killed.safetensors -v --checkpoint-every 11 -j $((1 + $(below 4))) >out 2>log &
    pid=$!
  done
  wait $pid
  cmp -s alone.safetensors killed.safetensors || bad "killed $done times in $1 epochs, it ends with other bytes"
  cmp -s alone out || { bad "killed $done times in $1 epochs, it answers something else"; cat log; }
}

# However fast the machine is, some training is long enough to be killed so often.
done=0 epochs=60
while [ $done -lt "$kills" ] && [ $failures -eq 0 ]; do
  kill_and_go_on $epochs
  epochs=$((epochs * 2))
done
echo "killed at $done random moments: the bytes of the run that was left alone"

# ---- killed while it saves, which is nearly all that it does ----

kills=${SAVE_KILLS:-10}
: >log
"$BPROP" train "$digits" --target digit --hidden 200,200 --epochs 1000000 --patience 1000000 --batch 64 --checkpoint-every 1 -v -o saving.safetensors >out 2>log &
pid=$!
kill_after 1 log || bad "the first training ended before it was killed"
done=0 inside=0
while [ $done -lt "$kills" ]; do
  rm -f .bprop-*.tmp
  : >log
  "$BPROP" train --resume saving.safetensors -v --checkpoint-every 1 >out 2>log &
  pid=$!
  kill_after 1 log || { bad "kill $done: it does not go on"; cat log; break; }
  done=$((done + 1))
  look_at saving.safetensors "kill $done while saving"
  for left in .bprop-*.tmp; do
    if [ -e "$left" ]; then inside=$((inside + 1)); fi
  done
done
echo "killed $done times while saving, $inside of them between the beginning and the end of a save: no file that does not load, no reported save lost"

# What killed programs leave is removed by the next training beside it, once nobody writes it any more: 72.
: >.bprop-1-2-3.tmp
touch -d '1 hour ago' .bprop-1-2-3.tmp
: >.bprop-4-5-6.tmp
touch -d '1 hour ago' other.tmp
"$BPROP" train "$SRC/data/iris.csv" --target species --epochs 1 -q -o iris.safetensors >out || bad "train"
[ ! -e .bprop-1-2-3.tmp ] || bad "72: a stale temporary file was left"
[ -e .bprop-4-5-6.tmp ] || bad "a temporary file that may be in use was removed"
[ -e other.tmp ] || bad "somebody's file was removed"

[ $failures -eq 0 ] || { echo "$failures failures"; exit 1; }
