# Standard output and error: what goes where, and what happens when they are closed, full or gone.
. "$SRC/tests/cli/common"
iris_model
iris=$data/iris.csv
control=$(printf '\001-\010\013-\037\177')

has_control()
{
  LC_ALL=C tr -d '\n\t' <"$1" | LC_ALL=C grep -q "[$control]"
}

# Piped: one plain line an epoch, no control characters; the answer alone on stdout.
"$BPROP" train "$iris" --target species --test 20% --epochs 5 -o a.safetensors >out 2>err || bad "train"
[ "$(grep -c '^epoch' err)" -eq 5 ] || bad "not one line an epoch"
grep -Eqx 'test accuracy [0-9]+\.[0-9] %' out && [ "$(wc -l <out)" -eq 1 ] || { bad "stdout is not the answer alone"; cat out; }
if has_control out || has_control err; then bad "control characters in a pipe"; fi
printf '\033' >escape
has_control escape || bad "this test sees no control characters"

# A terminal gets a bar; a dumb one does not.
if command -v script >/dev/null && script -qec true /dev/null </dev/null >/dev/null 2>&1; then
  TERM=xterm script -qec "'$BPROP' train '$iris' --target species --epochs 5 -o a.safetensors" /dev/null </dev/null >tty 2>&1
  tr '\r' '\n' <tty | grep -q 'epoch 5/5.*ETA' || bad "no bar on a terminal"
  TERM=dumb script -qec "'$BPROP' train '$iris' --target species --epochs 5 -o a.safetensors" /dev/null </dev/null >tty 2>&1
  if tr -d '\r' <tty | grep -q 'ETA'; then bad "a bar on a dumb terminal"; fi
fi

# -q is silent, but for the answer; errors are always told.
"$BPROP" train "$iris" --target species --epochs 3 -q -o a.safetensors >out 2>err || bad "train -q"
[ ! -s err ] || { bad "-q talks"; cat err; }
"$BPROP" train nothing.csv --target species -q >out 2>err
[ -s err ] || bad "-q hides an error"

# Names with control characters are shown without them.
sed '1s/species/spe\x1b[2Jcies/;s/setosa/se\x07tosa/' "$iris" >evil.csv
"$BPROP" train evil.csv --target nosuch -o a.safetensors >out 2>err
if has_control err; then bad "control characters of a column in a message"; fi
"$BPROP" train evil.csv --target 5 --epochs 3 -o evil.safetensors >out 2>err || bad "train evil.csv"
"$BPROP" predict evil.safetensors evil.csv >out 2>>err || bad "predict evil.csv"
"$BPROP" info evil.safetensors >>out 2>>err || bad "info evil"
if has_control out || has_control err; then bad "control characters of a class"; fi
"$BPROP" predict evil.safetensors evil.csv --json >out 2>err || bad "predict --json evil.csv"
if has_control out; then bad "control characters in JSON"; fi

# 87: closed stdout. The answer is lost, and that is told; nothing else is written in its place.
for arguments in "version" "help" "ops" "ops relu" "predict iris.safetensors $iris" "eval iris.safetensors $iris" "info iris.safetensors" \
  "train $iris --target species --epochs 2 -q -o closed.safetensors"; do
  cp iris.safetensors before
  "$BPROP" $arguments >&- 2>err
  got=$?
  [ $got -eq 6 ] || bad "87: closed stdout: exit $got: $arguments"
  cmp -s before iris.safetensors || bad "87: closed stdout: the model changed: $arguments"
done
"$BPROP" info closed.safetensors >/dev/null 2>&1 || bad "87: the model trained with a closed stdout does not load"
"$BPROP" version >/dev/null 2>&- || bad "87: closed stderr"
"$BPROP" train "$iris" --target species --epochs 2 -o a.safetensors 2>&- >out || bad "87: closed stderr while training"
"$BPROP" info a.safetensors >/dev/null 2>&1 || bad "87: closed stderr: the model does not load"
"$BPROP" version <&- >/dev/null || bad "87: closed stdin"

# 96: a full disk.
if [ -c /dev/full ] && ! (echo x >/dev/full) 2>/dev/null; then
  for arguments in "version" "help" "ops" "predict iris.safetensors $iris --json" "eval iris.safetensors $iris" "info iris.safetensors"; do
    "$BPROP" $arguments >/dev/full 2>err
    got=$?
    [ $got -eq 6 ] || bad "96: full disk: exit $got: $arguments"
    grep -q 'standard output' err || bad "96: full disk: nothing told: $arguments"
  done
fi
# A file size limit ends a save with a message, not the program with a signal (100: SIGXFSZ), and the old model stays.
cp iris.safetensors before
(
  ulimit -f 1 2>/dev/null || exit 6
  "$BPROP" train "$iris" --target species --epochs 2 -q --hidden 400 -o iris.safetensors >out 2>err
)
got=$?
[ $got -eq 6 ] || bad "100: SIGXFSZ: exit $got"
cmp -s before iris.safetensors || bad "100: SIGXFSZ: the old model is gone"

# 100: SIGPIPE: quiet, 0. The reader goes before the answer comes.
for arguments in "ops" "predict iris.safetensors big.csv --json" "help"; do
  [ -e big.csv ] || { head -n 1 "$iris"; for i in $(seq 60); do tail -n +2 "$iris"; done; } >big.csv
  { sleep 0.3; "$BPROP" $arguments -q 2>err; echo $? >status; } | true
  [ "$(cat status)" -eq 0 ] && [ ! -s err ] || { bad "100: SIGPIPE: exit $(cat status): $arguments"; cat err; }
done
finish
