# Ctrl-C, SIGTERM and kill -9 while training: what was promised is there.
. "$SRC/tests/cli/common"
digits=$data/digits.csv

begun()
{
  said '^epoch' err "$pid" || { bad "training ended before it was interrupted"; cat err; }
}

start()
{
  rm -f err out
  "$BPROP" train "$digits" --target digit --epochs 100000000 --patience 100000000 -o model.safetensors "$@" >out 2>err &
  pid=$!
  begun
}

# A job in the background of a shell ignores SIGINT, so it is made to care again.
if command -v python3 >/dev/null; then
  rm -f err out
  python3 -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$BPROP" train "$digits" --target digit --epochs 100000000 --patience 100000000 -o model.safetensors >out 2>err &
  pid=$!
  begun
  kill -INT $pid
  wait $pid
  got=$?
  [ $got -eq 130 ] || bad "103: Ctrl-C: exit $got"
  grep -Eq 'interrupted: saved model.safetensors (at|after) epoch [0-9]+' err || { bad "103: Ctrl-C: nothing told"; tail -n 3 err; }
  grep -q 'accuracy' out || bad "103: Ctrl-C: no answer"
  "$BPROP" eval model.safetensors "$digits" >/dev/null || bad "103: the model saved does not load"
fi

rm -f model.safetensors
start
kill -TERM $pid
wait $pid
got=$?
[ $got -eq 143 ] || bad "SIGTERM: exit $got"
"$BPROP" eval model.safetensors "$digits" >/dev/null || bad "SIGTERM: the model saved does not load"

# A shell's background job with SIGINT ignored goes on.
start
kill -INT $pid
sleep 0.5
kill -0 $pid 2>/dev/null || bad "an ignored SIGINT ends training"

# 102: kill -9 leaves the old model, and no temporary file.
cp model.safetensors before
kill -KILL $pid
wait $pid 2>/dev/null
cmp -s before model.safetensors || bad "102: kill -9 changed the old model"

# 103: SIGTERM, twice, at any moment, also during the save: the old model or the new one is there, whole, and nothing else.
for i in $(seq 10 2 40); do
  "$BPROP" train "$data/iris.csv" --target species --epochs 1 --hidden 1000,1000 -q -o model.safetensors >out 2>err &
  pid=$!
  sleep "0.$i"
  kill -TERM $pid 2>/dev/null
  kill -TERM $pid 2>/dev/null
  wait $pid 2>/dev/null
  got=$?
  case $got in 0 | 143) ;; *) bad "103: exit $got" ;; esac
  "$BPROP" info model.safetensors >/dev/null 2>err || { bad "103: the model does not load"; cat err; }
  for left in .bprop-*; do
    [ ! -e "$left" ] || { bad "103: a temporary file was left"; rm -f "$left"; }
  done
done

# 100: the reader of the progress goes away: training goes on and its model is saved.
rm -f model.safetensors
{ "$BPROP" train "$digits" --target digit --epochs 20 -o model.safetensors 2>&1 >out; echo $? >status; } | head -n 1 >/dev/null
[ "$(cat status)" -eq 0 ] || bad "100: the reader of stderr went: exit $(cat status)"
"$BPROP" info model.safetensors >/dev/null || bad "100: no model"
ls -A | grep -q "^\.bprop-.*tmp$" && bad "a temporary file was left"

# The old file's mode stays (74).
chmod 600 model.safetensors
"$BPROP" train "$digits" --target digit --epochs 1 -q -o model.safetensors >/dev/null || bad "training over an old model"
[ "$(stat -c %a model.safetensors)" = 600 ] || bad "74: the mode of the model file changed"
finish
