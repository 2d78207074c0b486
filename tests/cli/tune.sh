# Searches: what is tried, how long, what is saved and told; budgets, interruptions, and going on.
. "$SRC/tests/cli/common"
wine=$data/wine.csv
python=${PYTHON:-python3}
command -v "$python" >/dev/null || python=
"$BPROP" runs >out 2>err || { grep -q 'without SQLite' err && history=no; }
history=${history-yes}

# tune NAME ARGUMENT... : a search that goes well.
tune()
{
  name=$1
  shift
  "$BPROP" tune "$@" >out 2>err || { bad "$name: exit $?"; cat err; }
}

# trials FILE: the lines of trials, in order: number, epochs, loss.
trials()
{
  sed -n 's/^trial  *\([0-9]*\)  *\([0-9]*\) epochs*  *valid \([0-9.]*\) .*/\1 \2 \3/p' "$1" | sort -n
}

# none_of NAME: no folder of trials is left.
none_of()
{
  for folder in "$1".tune*; do
    [ ! -e "$folder" ] || return 1
  done
}

# ---- halving: 27 for 1/27 of the epochs, 9 for 1/9, 3 for 1/3, one to the end ----
tune halving "$wine" --target cultivar --epochs 27 --hidden 8 --test 20% --parallel 3 -o a.safetensors
trials err >all
[ "$(awk '$2 == 1' all | wc -l)" -eq 27 ] && [ "$(awk '$2 == 3' all | wc -l)" -eq 9 ] && [ "$(awk '$2 == 9' all | wc -l)" -eq 3 ] &&
  [ "$(awk '$2 == 27' all | wc -l)" -eq 1 ] || { bad "the rungs"; cat all; }
# Those that go on are the best so far: none that was given up had a lower loss than one that was not.
awk '$2 == 1 {loss[$1] = $3} $2 == 3 {on[$1] = 1}
  END {for (i in on) if (loss[i] > most) most = loss[i]; for (i in loss) if (!(i in on) && loss[i] < most) exit 1}' all || { bad "a better trial was given up"; cat all; }
[ "$(awk '$2 == 27 {print $1}' all)" = "$(sed -n 's/^best of 27: trial \([0-9]*\), .* -> a.safetensors .*/\1/p' err)" ] || { bad "the best"; tail -n 1 err; }
grep -Eqx 'test accuracy [0-9.]+ %' out && [ "$(wc -l <out)" -eq 2 ] || { bad "the answer"; cat out; }
none_of a || bad "the folder of the trials was left"
"$BPROP" info a.safetensors | grep -q '^network 13-8-3 ' || bad "--hidden 8 is not kept"

# The command told gives the same answer again.
command=$(sed -n '$s/^bprop train //p' out)
cp a.safetensors tuned
sh -c "'$BPROP' train $command -q" >again.out || bad "the command: $command"
head -n 1 out | cmp -s - again.out || { bad "the command gives something else"; cat out again.out; }
cmp -s tuned a.safetensors || bad "the command gives another model"

# The same trials for any number at once; another seed, other trials.
tune "one at a time" "$wine" --target cultivar --epochs 27 --hidden 8 --test 20% --parallel 1 -o b.safetensors
trials err | cmp -s - all || { bad "one at a time gives something else"; trials err | diff all -; }
cmp -s a.safetensors b.safetensors || bad "one at a time gives another model"
tune "another seed" "$wine" --target cultivar --epochs 3 --search random --trials 3 --seed 2 -o c.safetensors
grep '^trial .*--hidden' err | sed 's/.*--hidden/--hidden/' >two
tune "seed 1" "$wine" --target cultivar --epochs 3 --search random --trials 3 -o c.safetensors
grep '^trial .*--hidden' err | sed 's/.*--hidden/--hidden/' >one
[ "$(wc -l <one)" -eq 2 ] && ! cmp -s one two || { bad "another seed gives the same trials"; cat one two; }

# ---- what is drawn ----
tune ranges "$wine" --target cultivar --epochs 1 --search random --trials 40 --search-width 5..9 --search-depth 2 --search-lr 0.01..0.02 --search-decay 0 \
  --search-dropout 0.1..0.2 -o c.safetensors
grep '^trial ' err | grep -v 'as bprop train does it' | sed 's/.*--hidden \([0-9,]*\) .*--dropout \([0-9.e-]*\) .*--lr \([0-9.e-]*\) .*--weight-decay \([0-9.e-]*\).*/\1 \2 \3 \4/' >drawn
[ "$(wc -l <drawn)" -eq 39 ] || { bad "39 drawn"; cat err; }
awk '{split($1, w, ","); if (w[1] != w[2] || w[3] != "" || w[1] < 5 || w[1] > 9 || $2 < 0.1 || $2 > 0.2 || $3 < 0.01 || $3 > 0.02 || $4 != 0) {print; bad = 1}}
  END {exit bad}' drawn || bad "out of its range"
[ "$(cut -d' ' -f1 drawn | sort -u | wc -l)" -eq 5 ] || bad "not every width from 5 to 9 is drawn in 39"
tune fixed "$wine" --target cultivar --epochs 1 --trials 3 --lr 0.005 --dropout 0 --hidden none -o c.safetensors
! grep '^trial ' err | grep -Eq -- '--(lr|hidden|dropout)' && [ "$(grep -c -- '--weight-decay' err)" -ge 2 ] || { bad "what is given is searched"; cat err; }
tail -n 1 out | grep -q -- '--hidden none .*--lr 0.005' || { bad "what is given is not in the command"; cat out; }

# ---- JSON, and standard error without control characters ----
tune json "$wine" --target cultivar --epochs 27 --trials 4 --hidden 4 --json -o c.safetensors
[ -z "$python" ] || "$python" - out <<'END' || { bad "--json"; cat out; }
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(line["schema"] == 1 for line in lines)
trials, best = lines[:-1], lines[-1]
assert sorted(set(t["trial"] for t in trials)) == [1, 2, 3, 4] and not any(t["failed"] for t in trials)
assert best["trials"] == 4 and best["model"] == "c.safetensors" and best["command"].startswith("bprop train ")
assert best["loss"] == min(t["loss"] for t in trials)
END
if tr -d '\n\t' <err | grep -q "$(printf '[\001-\010\013-\037\177]')"; then bad "control characters"; fi
tune quiet "$wine" --target cultivar --epochs 2 --trials 2 -q -o c.safetensors
[ ! -s err ] || { bad "-q talks"; cat err; }

# ---- what goes wrong ----
mkdir taken.tune
while IFS='|' read -r row want text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends "$want" "$text" tune $arguments
done <<END
nothing|2|nothing to work on|
no validation|2|must be validation rows|$wine --target cultivar --valid 0
standard input|2|each trial reads the data|- --target cultivar
nothing to search|2|nothing is left to search|$wine --target cultivar --hidden 4 --lr 0.1 --weight-decay 0 --dropout 0
no target|2|which column is to be learned|$wine
no such file|3|nothing.csv|nothing.csv --target a
a range the wrong way|2|--search-lr: '1..0.1'|$wine --search-lr 1..0.1
a range of words|2|--search-width: 'wide'|$wine --search-width wide
a budget of no time|2|--budget: 'soon'|$wine --budget soon
no such study|3|no study 99|--resume 99
no number of a study|2|'x' is not the number of a study|--resume x
a folder that is taken|6|taken.tune: is there already|$wine --target cultivar -o taken.safetensors --runs off
no such folder|6|nowhere/a.safetensors|$wine --target cultivar -o nowhere/a.safetensors
a log|2|--log: is for one training|$wine --target cultivar --log a.jsonl
a search for a rate|2|--find-lr: is for one training|$wine --target cultivar --find-lr
halving with folds|2|--search: with --folds each trial|$wine --target cultivar --folds 3 --search halving
no such metric|2|--metric: there is no metric 'acuracy'|$wine --target cultivar --metric acuracy
END
row=
ends 2 '--trials: no option of `bprop train`, but of: tune' train "$wine" --trials 2
none_of wine || bad "a folder was left by a search that failed"
# Trials that diverge are left out; where all do, that is the end.
tune "some diverge" "$wine" --target cultivar --optimizer sgd --search-lr 0.01..1e6 --epochs 3 --search random --trials 8 --hidden 8 -o c.safetensors
grep -q '^trial .* failed: ' err || { bad "none failed"; cat err; }
"$BPROP" tune "$wine" --target cultivar --optimizer sgd --lr 1e6 --epochs 3 --trials 2 -o d.safetensors >out 2>err
got=$?
[ $got -eq 5 ] || { bad "all diverge: exit $got"; cat err; }
[ ! -e d.safetensors ] && none_of d || bad "all diverge: files were left"

# A mistake that only the trainings find is told once, and no trial is told.
"$BPROP" tune "$wine" --target cultivar --loss nosuch --parallel 3 -o d.safetensors >out 2>err
got=$?
[ $got -eq 2 ] && [ "$(grep -c nosuch err)" -eq 1 ] && ! grep -q '^trial' err || { bad "a mistake in --loss: exit $got"; cat err; }

# ---- what decides: another metric, folds, a trained network ----
tune metric "$wine" --target cultivar --epochs 9 --metric log_loss --trials 6 --hidden 6 -o c.safetensors --json
[ -z "$python" ] || "$python" - out <<'END' || { bad "--metric"; cat out; }
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
last = {t["trial"]: t for t in lines[:-1]}
assert lines[-1]["log_loss"] == min(t["log_loss"] for t in last.values()), lines
assert "--metric log_loss" in lines[-1]["command"]
END
tune "more is better" "$wine" --target cultivar --epochs 2 --search random --metric auc --trials 5 --hidden 6 --lr 0.0003 -o c.safetensors --json
[ -z "$python" ] || "$python" - out <<'END' || { bad "--metric auc"; cat out; }
import json, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert lines[-1]["auc"] == max(t["auc"] for t in lines[:-1])
END
tune folds "$wine" --target cultivar --folds 3 --epochs 6 --trials 4 --hidden 6 -o c.safetensors
grep -q '^best of 4: trial [1-4], mean loss [0-9.]* over 3 folds -> c.safetensors' err && grep -Eqx 'accuracy [0-9.]+ % over 3 folds' out || { bad "folds"; cat out err; }
sh -c "'$BPROP' train $(sed -n '$s/^bprop train //p' out)" >again.out 2>again.err || { bad "the command of folds"; cat again.err; }
# The mean that the search told is the one that the training tells.
mean=$(sed -n 's/^best of .* mean loss \([0-9.]*\) over .*/\1/p' err)
grep -Eq "^3 folds: .*, loss $mean \+- " again.err || { bad "the mean over folds is not $mean"; cat again.err; }
tune "from a network" "$wine" --target cultivar --from c.safetensors --epochs 3 --trials 3 -o d.safetensors
! grep -Eq -- '--(hidden|dropout)' err || { bad "layers of a trained network are searched"; cat err; }
rm -f d.safetensors
# Few epochs are parted less often: no trial is trained twice for the same.
tune "few epochs" "$wine" --target cultivar --epochs 2 --trials 3 --hidden 6 --parallel 1 -o c.safetensors
[ "$(trials err)" = "$(trials err | sort -u)" ] && grep -q 'of 1, 2 epochs;' err || { bad "few epochs"; cat err; }

# ---- a budget of time ----
tune budget "$wine" --target cultivar --budget 1s --epochs 2000 --patience 2000 --parallel 2 -o c.safetensors
"$BPROP" info c.safetensors >/dev/null || bad "budget: no model"
none_of c || bad "budget: the folder was left"

# ---- without a history ----
tune "no history" "$wine" --target cultivar --runs off --epochs 9 --trials 3 -o c.safetensors
grep -Eq '^validation accuracy' out || { bad "no history"; cat out; }
[ "$history" = yes ] || finish

# ---- the history ----
tune remembered "$wine" --target cultivar --epochs 27 --trials 3 --hidden 4 -o c.safetensors --runs own.db
grep -q '^study 1: 3 trials' err || { bad "study 1"; cat err; }
"$BPROP" runs --runs own.db >out
[ "$(wc -l <out)" -eq 4 ] || { bad "a run for each trial"; cat out; }
"$BPROP" runs show 1 --runs own.db | grep -Eq '^  study    1, trial [1-3]$' || bad "the study of a run"

# Killed at any moment: it goes on, and ends with the same model as if nothing had been.
epochs=150
# search OUTPUT: becomes the search, which can be interrupted in the background, too.
search()
{
  set -- "$BPROP" tune "$wine" --target cultivar --epochs $epochs --patience 1000000 --trials 9 --search-width 4..16 -o "$1" --runs own.db
  exec "$PYTHON" -c 'import os, signal, sys
signal.signal(signal.SIGINT, signal.SIG_DFL)
os.execv(sys.argv[1], sys.argv[1:])' "$@" >out 2>err
}
# Signals the search after some trials; false where it was faster.
cut_off()
{
  rm -f err
  search "$work/part.safetensors" &
  pid=$!
  while [ "$(cat err 2>/dev/null | grep -c '^trial')" -lt 4 ] && kill -0 $pid 2>/dev/null; do sleep 0.02; done
  kill -"$1" $pid 2>/dev/null
  wait $pid 2>/dev/null
  got=$?
  [ $got -ne 0 ]
}
(search whole.safetensors) || { bad "whole"; cat err; }
for signal in INT TERM KILL; do
  until cut_off $signal; do
    cmp -s whole.safetensors part.safetensors || bad "twice the same search: another model"
    epochs=$((epochs * 2))
    (search whole.safetensors) || { bad "whole"; cat err; }
  done
  case $signal$got in INT130 | TERM143 | KILL137) ;; *) bad "$signal: exit $got"; cat err ;; esac
  study=$(sed -n 's/^study \([0-9]*\): .*/\1/p' err)
  [ $signal = KILL ] || grep -q "go on with: bprop tune --resume $study" err || { bad "$signal: how to go on"; cat err; }
  [ $signal = KILL ] || "$BPROP" info part.safetensors >/dev/null || bad "$signal: the best so far is not saved"
  # Who goes on waits for the trials of the one that was killed, until they have saved.
  "$BPROP" tune --resume "$study" --runs own.db >out 2>err || { bad "$signal: --resume: exit $?"; cat err; }
  cmp -s whole.safetensors part.safetensors || { bad "$signal: another model"; cat err; }
  none_of part || bad "$signal: the folder was left"
  while pgrep -f "$work/part.safetensors" >/dev/null 2>&1; do sleep 0.02; done
done
# A kill after the end is no failure: the end is told again.
mkdir "part.tune-$study"
"$BPROP" tune --resume "$study" --runs own.db >again.out 2>err || { bad "a study that is done: exit $?"; cat err; }
cmp -s out again.out && grep -q "study $study is done, and nothing is left to do" err || { bad "a study that is done"; cat err out again.out; }
none_of part || bad "a study that is done: the folder was left"

# Trials that were killed after they had saved and before the history heard of it are trained again, as what they had reached is in no file.
until cut_off KILL; do
  epochs=$((epochs * 2))
  (search whole.safetensors) || { bad "whole"; cat err; }
done
study=$(sed -n 's/^study \([0-9]*\): .*/\1/p' err)
while pgrep -f "$work/part.safetensors" >/dev/null 2>&1; do sleep 0.02; done
"$PYTHON" - own.db "$study" <<'END'
import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("DELETE FROM metrics WHERE part LIKE 'rung%' AND run IN (SELECT id FROM runs WHERE study = ?)", (int(sys.argv[2]),))
db.commit()
END
"$BPROP" tune --resume "$study" --runs own.db >out 2>err || { bad "without rungs: --resume: exit $?"; cat err; }
cmp -s whole.safetensors part.safetensors || { bad "without rungs: another model"; cat err; }

# Without -o the model is called as the search was begun with.
cp "$wine" mine.csv
tune unnamed mine.csv --target cultivar --epochs 3 --trials 2 --runs own.db
"$BPROP" tune --resume "$(sed -n 's/^study \([0-9]*\): .*/\1/p' err)" --runs own.db >out 2>err
grep -q -- '-> mine.safetensors' err || { bad "the name of the model"; cat err; }
finish
