# Disks that are full, folders that cannot be written, and what becomes of answers there: the exit status says so, what was there before
# stays, and no part of a file is left. A small file system of its own is mounted in a namespace of its own, where that is allowed.
. "$SRC/tests/cli/common"
iris=$data/iris.csv
iris_model
"$BPROP" runs >out 2>err || { grep -q 'without SQLite' err && history=no; }
[ "${history-yes}" = no ] || runs='runs|runs show 1|runs compare 1 1|runs --json'
tune="tune $iris --target species --trials 2 --epochs 2 --hidden 4 -q -o tuned.safetensors"

# Every command that answers, one a line.
commands()
{
  cat <<END
train $iris --target species --epochs 2 -q -o trained.safetensors
eval iris.safetensors $iris
eval iris.safetensors $iris --json
predict iris.safetensors $iris
predict iris.safetensors $iris --json
report iris.safetensors $iris
info iris.safetensors
$tune
$tune --json
END
  echo "${runs-}" | tr '|' '\n'
}
commands | grep . >all

# ---- the answer cannot be written ----
while IFS= read -r arguments; do
  # shellcheck disable=SC2086
  "$BPROP" $arguments >&- 2>err </dev/null
  [ $? -eq 6 ] || { bad "a closed stdout: exit $?: $arguments"; cat err; }
  if [ -c /dev/full ]; then
    # shellcheck disable=SC2086
    "$BPROP" $arguments >/dev/full 2>err </dev/null
    got=$?
    [ $got -eq 6 ] && grep -q 'standard output' err || { bad "a full disk: exit $got: $arguments"; cat err; }
    # What cannot be told on standard error is no reason to fail.
    # shellcheck disable=SC2086
    "$BPROP" $arguments >out 2>/dev/full </dev/null || bad "a full disk for the talk: exit $?: $arguments"
    [ -s out ] || bad "a full disk for the talk: no answer: $arguments"
  fi
  # The reader has gone: quiet, and no failure.
  # shellcheck disable=SC2086
  { sleep 0.1; "$BPROP" $arguments 2>err </dev/null; echo $? >status; } | true
  [ "$(cat status)" -eq 0 ] && ! grep -q '^bprop:' err || { bad "SIGPIPE: exit $(cat status): $arguments"; cat err; }
done <all
for file in trained tuned; do
  "$BPROP" info $file.safetensors >/dev/null || bad "$file.safetensors was not saved where its answer was lost"
done

# ---- folders that cannot be written, and disks that fill ----
cat >inside <<'END'
mkdir small readonly
mount -t tmpfs -o size=200k none small && mount -t tmpfs -o size=1m none readonly || exit 77
cp iris.safetensors readonly/old.safetensors
mount -o remount,ro readonly || exit 77
failures=0
# expect STATUS TEXT ARGUMENT...
expect()
{
  want=$1 text=$2
  shift 2
  "$BPROP" "$@" >out 2>err </dev/null
  got=$?
  [ $got -eq "$want" ] && grep -Eq -e "$text" err || { echo "exit $got, not $want: bprop $*"; cat err; failures=$((failures + 1)); }
}
train="train $iris --target species --epochs 2 -q"
for place in readonly/new readonly/old; do
  expect 6 "$place" $train -o $place.safetensors
  expect 6 "$place" tune "$iris" --target species --trials 2 --epochs 2 -q -o $place.safetensors
  expect 6 "$place" report iris.safetensors "$iris" -o $place.html
  expect 6 "$place" plot relu -o $place.svg
done
cmp -s iris.safetensors readonly/old.safetensors || { echo "a file in a folder that cannot be written was changed"; failures=$((failures + 1)); }
cp iris.safetensors small/old.safetensors
expect 6 "small/old" $train --hidden 400,400 -o small/old.safetensors
cmp -s iris.safetensors small/old.safetensors || { echo "the old model on a full disk was changed"; failures=$((failures + 1)); }
# Saves on the way take four times the room of the model: where that is not there, training goes on, and its end is saved if it fits.
expect 6 "warning: the training could not be saved, and goes on: small/old" $train --checkpoint-every 1 --hidden 400,400 -o small/old.safetensors
cmp -s iris.safetensors small/old.safetensors || { echo "a save on the way to a full disk changed the old model"; failures=$((failures + 1)); }
expect 0 "warning: the training could not be saved, and goes on: small/new" $train --checkpoint-every 1 --hidden 3000 -o small/new.safetensors
"$BPROP" info small/new.safetensors >/dev/null 2>err || { cat err; failures=$((failures + 1)); }
rm -f small/new.safetensors
expect 6 "small|room|space" tune "$iris" --target species --trials 2 --epochs 2 -q --hidden 400,400 --runs off -o small/tuned.safetensors
head -c 250000 /dev/zero >small/filler 2>/dev/null
expect 6 "small/report" report iris.safetensors "$iris" -o small/report.html
if [ -n "$runs" ]; then
  expect 0 "warning: this run is not in the history: small/runs.db" train "$iris" --target species --epochs 2 -o fine.safetensors --runs small/runs.db
  expect 0 "warning: this run is not in the history: readonly/runs.db" train "$iris" --target species --epochs 2 -o fine.safetensors --runs readonly/runs.db
fi
"$BPROP" predict iris.safetensors "$iris" >small/answer 2>err
[ $? -eq 6 ] || { echo "predict to a full disk"; cat err; failures=$((failures + 1)); }
left=$(find small readonly -name '.*tmp*' -o -name '*.tune' -o -name '.bprop*')
[ -z "$left" ] || { echo "left on the disk: $left"; failures=$((failures + 1)); }
exit $failures
END
if unshare -rm true 2>/dev/null; then
  BPROP=$BPROP iris=$iris runs=${runs-} unshare -rm sh inside >told 2>&1
  got=$?
  [ $got -eq 0 ] || [ $got -eq 77 ] || { bad "inside of small disks"; cat told; }
fi
finish
