# The history of runs: what is remembered and told, many writers at once, and that it never stands in the way.
. "$SRC/tests/cli/common"
"$BPROP" runs >out 2>err || { cat err; grep -q 'without SQLite' err && { echo "no SQLite"; exit 77; }; }
[ ! -s out ] && grep -q 'no run yet' err || bad "an empty history"
iris=$data/iris.csv
history=$XDG_DATA_HOME/bprop/runs.db
python=${PYTHON:-python3}
"$python" -c 'import sqlite3' 2>/dev/null || python=

# learn NAME ARGUMENT... : trains a little, which always goes well; its talk is in err.
learn()
{
  name=$1
  shift
  "$BPROP" train "$iris" --target species --epochs 3 -q -o model.safetensors "$@" >out 2>err || { bad "$name: exit $?"; cat err; }
  "$BPROP" info model.safetensors >/dev/null || bad "$name: no model"
}

# json FILE EXPRESSION: true of every line, its keys being names.
json()
{
  [ -z "$python" ] || "$python" -c 'import json, sys
for line in open(sys.argv[1]):
    value = json.loads(line, parse_constant=lambda c: sys.exit(c + " is no JSON"))
    assert value["schema"] == 1
    assert eval(sys.argv[2], {}, value), (sys.argv[2], value)' "$1" "$2" || bad "$1: $2"
}

# ---- what is remembered ----
learn first --seed 7
[ ! -s err ] || { bad "a run that is remembered talks"; cat err; }
learn second --seed 7 --hidden 5,4 --test 20% --lr 0.01
cp "$iris" "it's a table.csv"
"$BPROP" train "it's a table.csv" --target species --epochs 2 -q -o other.safetensors >out 2>err || bad "a name with a quote"

"$BPROP" runs >out 2>err || bad "runs"
awk 'NR == 1 && $1 == "run" {next} {print $1, $4}' out | tr '\n' ';' | grep -qx '3 done;2 done;1 done;' || { bad "the list"; cat out; }
[ ! -s err ] || { bad "runs talks"; cat err; }
"$BPROP" runs -n 1 | grep -qF "'it'\\''s a table.csv'" || bad "runs -n 1"
"$BPROP" runs 4-5-4-3 DONE >out || bad "runs WORD"
[ "$(wc -l <out)" -eq 2 ] && grep -q '^  *2 .* test accuracy ' out || { bad "runs WORD"; cat out; }
"$BPROP" runs nosuchword >out 2>err || bad "runs nosuchword"
[ ! -s out ] && grep -q 'no run like that' err || bad "no run like that"

"$BPROP" runs show 2 >out || bad "show"
for line in "run 2: done" "  command  bprop train .*iris.csv --target species --epochs 3 -q -o model.safetensors --seed 7 --hidden 5,4 --test 20% --lr 0.01" \
  "  folder   $work" "  data     $iris: 150 rows, 4 columns.*" "  network  4-5-4-3 relu, .* parameters; seed 7" "  model    model.safetensors" \
  "  version  [0-9.]*" "  test accuracy .*"; do
  grep -Eqx -e "$line" out || { bad "show has no line: $line"; cat out; }
done
[ "$(grep -c '^\(best\|    \)  *[0-9]  ' out)" -eq 3 ] || { bad "the curve of three epochs"; cat out; }
"$BPROP" runs show 2 -v | grep -qx 'hidden = 5,4' || bad "show -v has no options"
"$BPROP" runs show 3 | grep -qF "bprop train 'it'\\''s a table.csv' --target species" || bad "the quoted command"

"$BPROP" runs compare 1 2 -o curves.svg >out 2>err || bad "compare"
sed 's/  */ /g' out >lines
for line in ' run 1 run 2' 'network .*4-.*-3 relu 4-5-4-3 relu' 'hidden auto 5,4' 'test 0 0.2' 'lr auto 0.01' 'status done done' 'epochs 3 3'; do
  grep -Eqx -e "$line" lines || { bad "compare has no line: $line"; cat out; }
done
! grep -Eq '^(seed|data|activation) ' lines || bad "compare tells what is the same"
grep -q 'run 1, validation' curves.svg && grep -q 'run 2, training' curves.svg || bad "the picture of both"
"$BPROP" runs show 1 -o curve.svg >out && grep -q 'curve.svg: losses of 1 run' out || bad "show -o"

"$BPROP" runs --json >out || bad "runs --json"
[ "$(wc -l <out)" -eq 3 ] || bad "a line for each run"
json out 'status == "done" and rows == 150 and cols == 4 and version and started < ended'
"$BPROP" runs show 2 --json >out || bad "show --json"
json out 'run == 2 and [c["epoch"] for c in curve] == [1, 2, 3] and "hidden = 5,4\n" in options and 0 <= metrics["test"]["accuracy"] <= 1'
"$BPROP" runs compare 1 2 --json >out || bad "compare --json"
json out 'runs == [1, 2] and options["hidden"] == ["auto", "5,4"] and results["epochs"] == ["3", "3"] and results["test accuracy"][0] is None'

# What show tells as the command gives the same model again.
command=$("$BPROP" runs show 2 | sed -n 's/^  command  bprop//p')
cp model.safetensors before
sh -c "'$BPROP' $command --runs off" >/dev/null || bad "the command of the history"
cmp -s before model.safetensors || bad "the command of the history gives another model"

"$BPROP" runs delete 1 4 >out 2>err
[ $? -eq 3 ] && grep -q 'no run 4' err || bad "delete of what is not there"
"$BPROP" runs | grep -q '^  *1 ' && bad "run 1 was not deleted"
learn "a number is never given twice"
"$BPROP" runs -n 1 | grep -q '^  *4 ' || bad "the number after a deletion"

while IFS='|' read -r row want text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends "$want" "$text" runs $arguments
done <<END
no number|2|the number of a run is missing|show
one number|2|the numbers of two runs are missing|compare 1
no such run|3|there is no run 99|show 99
no number but a word|2|'iris' is not the number of a run|show iris
too large|2|'99999999999999999999' is not the number|show 99999999999999999999
one too many|2|'3' is one run too many|show 2 3
a picture of a list|2|only show and compare|list -o a.svg
no such folder|6|nowhere/a.svg|show 2 -o nowhere/a.svg
no such file|3|nothing.db: No such file|--runs nothing.db
off|2|keeps no history|--runs off
a table|3|iris.csv: file is not a database|--runs $iris
a folder|3|$work|--runs $work
END
row=

# ---- where ----
learn off --runs off
learn own --runs own.db
"$BPROP" runs --runs own.db | grep -q '^  *1 .*done' || bad "--runs own.db"
(unset XDG_DATA_HOME; HOME=$work/home "$BPROP" train "$iris" --target species --epochs 2 -q -o model.safetensors >out 2>err) || bad "HOME"
[ -s home/.local/share/bprop/runs.db ] || bad "~/.local/share/bprop/runs.db"
XDG_DATA_HOME=relative HOME=$work/home "$BPROP" runs | grep -q '^  *1 ' || bad "a relative XDG_DATA_HOME is not ignored"
[ ! -e relative ] || bad "a relative XDG_DATA_HOME was made"
(unset XDG_DATA_HOME HOME; "$BPROP" train "$iris" --target species --epochs 2 -q -v -o model.safetensors >out 2>err) || bad "no HOME"
"$BPROP" runs -n 1 | grep -q '^  *4 ' || bad "a run elsewhere is here"

# ---- a history that cannot be written is told once, and training goes on ----
# warns NAME TEXT ARGUMENT...
warns()
{
  name=$1 text=$2
  shift 2
  "$BPROP" train "$iris" --target species --epochs 3 -o model.safetensors "$@" >out 2>err || { bad "$name: exit $?"; cat err; }
  [ "$(grep -c 'warning: this run is not in the history' err)" -eq 1 ] || { bad "$name: not one warning"; cat err; }
  grep -Eq -e "$text" err || { bad "$name: no '$text'"; cat err; }
  "$BPROP" info model.safetensors >/dev/null || bad "$name: no model"
}
cp "$iris" table.csv
warns "not a database" 'table.csv: file is not a database' --runs table.csv
cmp -s "$iris" table.csv || bad "a file that is no database was changed"
warns "a folder" "$work" --runs "$work"
warns "a folder that cannot be" 'table.csv/runs.db' --runs table.csv/runs.db
head -c 60000 /dev/urandom >noise
{ head -c 100 "$history"; cat noise; } >damaged.db
warns "damaged" 'damaged.db' --runs damaged.db
(
  ulimit -f 8 2>/dev/null || exit 0
  warns "no more room" 'small.db: (disk I/O error|database or disk is full)' --runs small.db --hidden 4
  exit $failures
) || failures=$((failures + 1))
if [ "$(id -u)" -ne 0 ]; then
  mkdir readonly && chmod 500 readonly
  warns "a folder that is read-only" 'readonly/runs.db' --runs readonly/runs.db
fi
if [ -n "$python" ]; then
  "$python" -c 'import sqlite3
sqlite3.connect("foreign.db").executescript("CREATE TABLE people(name TEXT); PRAGMA user_version = 1;")
sqlite3.connect("negative.db").executescript("PRAGMA application_id = 0x62707270; PRAGMA user_version = -3;")
sqlite3.connect("newer.db").executescript("PRAGMA application_id = 0x62707270; PRAGMA user_version = 99; CREATE TABLE runs(x);")'
  cp newer.db newer.before
  cp foreign.db foreign.before
  warns "of another program" 'foreign.db: it is a database of another program' --runs foreign.db
  warns "of a version under 0" 'negative.db: it is a database of another program' --runs negative.db
  warns "of a newer bprop" 'newer.db: it was written by a newer bprop' --runs newer.db
  cmp -s newer.db newer.before && cmp -s foreign.db foreign.before || bad "a database that is not for this program was changed"
  ends 3 "newer.db: it was written by a newer bprop" runs --runs newer.db
  ends 3 "foreign.db: it is a database of another program" runs --runs foreign.db

  # Tables of an older version are brought up to date, whoever comes first, and keep their rows.
  "$python" - <<'END'
import sqlite3
for name in "old.db", "old-too.db":
    db = sqlite3.connect(name)
    db.executescript("""
CREATE TABLE runs(id INTEGER PRIMARY KEY AUTOINCREMENT, started REAL NOT NULL, heard REAL NOT NULL, ended REAL,
 status TEXT NOT NULL, message TEXT, host TEXT NOT NULL, machine TEXT NOT NULL, pid INTEGER NOT NULL, born INTEGER NOT NULL,
 folder TEXT, command TEXT, options TEXT, version TEXT NOT NULL, data TEXT, hash TEXT, rows INTEGER, cols INTEGER,
 model TEXT, network TEXT, parameters INTEGER, seed INTEGER, metric TEXT, epochs INTEGER NOT NULL DEFAULT 0, best_epoch INTEGER);
CREATE TABLE epochs(run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, epoch INTEGER NOT NULL,
 train_loss REAL, valid_loss REAL, valid_metric REAL, seconds REAL, PRIMARY KEY(run, epoch)) WITHOUT ROWID;
CREATE TABLE metrics(run INTEGER NOT NULL REFERENCES runs(id) ON DELETE CASCADE, part TEXT NOT NULL, name TEXT NOT NULL,
 value REAL, PRIMARY KEY(run, part, name)) WITHOUT ROWID;
PRAGMA application_id = 0x62707270;
PRAGMA user_version = 1;
INSERT INTO runs(started, heard, ended, status, host, machine, pid, born, version, data) VALUES(1e9, 1e9, 1e9, 'done', 'h', 'm', 1, 1, '0.1', 'ancient.csv');
""")
END
  learn "an older history" --runs old.db
  [ ! -s err ] || { bad "an older history"; cat err; }
  "$BPROP" runs --runs old.db >out || bad "runs of an older history"
  grep -q '^  *1 .*ancient.csv' out && grep -q '^  *2 .*iris.csv' out || { bad "the rows of an older history"; cat out; }
  "$BPROP" runs --runs old-too.db | grep -q '^  *1 .*ancient.csv' || bad "an older history, read only"

  # Another writer that takes its time is waited for.
  "$python" -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1], isolation_level=None)
db.execute("BEGIN IMMEDIATE")
print("held", file=open("held", "w"), flush=True)
while not __import__("os").path.exists("release"): time.sleep(0.01)
time.sleep(0.3)
db.execute("COMMIT")' "$history" &
  said . held $!
  "$BPROP" train "$iris" --target species --epochs 3 -q -o model.safetensors >out 2>err &
  trained=$!
  sleep 0.3
  touch release
  wait $trained || bad "a locked history: exit $?"
  [ ! -s err ] || { bad "a locked history"; cat err; }
  "$BPROP" runs -n 1 | grep -q '^  *5 .*done' || bad "a locked history: the run is missing"
fi

# ---- how runs end ----
begun()
{
  said '^epoch' err "$pid" || { bad "training ended before it was killed"; cat err; }
}
rm -f err
"$BPROP" train "$iris" --target species --epochs 100000000 --patience 100000000 -o killed.safetensors >out 2>err &
pid=$!
begun
"$BPROP" runs killed >out
grep -q ' running ' out || { bad "a run that goes on"; cat out; }
number=$(awk 'NR == 2 {print $1}' out)
while "$BPROP" runs show "$number" --json | grep -q '"curve":\[\]'; do sleep 0.05; done # epochs are written from time to time
ends 3 "run $number is still running" runs delete "$number"
kill -KILL $pid
wait $pid 2>/dev/null
"$BPROP" runs killed | grep -q ' lost ' || bad "a run that was killed"
"$BPROP" runs show "$number" | grep -q "^run $number: lost (ended without a word, the last at " || bad "show of a run that was killed"
"$BPROP" runs show "$number" --json >out && json out 'status == "lost" and ended is None and epochs > 0 and len(curve) > 0'
rm -f err
"$BPROP" train "$iris" --target species --epochs 100000000 --patience 100000000 -o ended.safetensors >out 2>err &
pid=$!
begun
kill -TERM $pid
wait $pid 2>/dev/null
"$BPROP" runs ended.safetensors | grep -q ' interrupted ' || bad "a run that was interrupted"
"$BPROP" train "$iris" --target species --optimizer sgd --lr 1e6 --epochs 50 -q -o diverged.safetensors >out 2>err && bad "no divergence"
"$BPROP" runs diverged.safetensors | grep -q ' diverged ' || bad "a run that diverged"
"$BPROP" runs show "$("$BPROP" runs diverged.safetensors | awk 'NR == 2 {print $1}')" | grep -q '^  message  .* is NaN at ' || bad "why it diverged"

# ---- many writers ----
[ -n "${BPROP_SANITIZE-}" ] && each=8 || each=50
for process in 1 2 3 4 5 6 7 8; do
  (
    for i in $(seq $each); do
      "$BPROP" train "$iris" --target species --epochs 2 --hidden 4 -q -j 1 --runs many.db --seed "$process$i" -o "many$process.safetensors" || echo "exit $?"
    done >"many$process.out" 2>&1
  ) &
done
wait
cat many?.out | grep -v '^validation accuracy' >complaints
[ ! -s complaints ] || { bad "many writers"; sort complaints | uniq -c | head; }
"$BPROP" runs --runs many.db -n 1000 --json >out || bad "the history of many"
[ "$(wc -l <out)" -eq $((8 * each)) ] || bad "of $((8 * each)) runs $(wc -l <out) are in the history"
[ "$(grep -c '"status":"done".*"epochs":2,.*"metrics":{"validation":{"accuracy":' out)" -eq $((8 * each)) ] || bad "some runs of many are not whole"
[ "$(sed 's/.*"seed":\([0-9]*\).*/\1/' out | sort -u | wc -l)" -eq $((8 * each)) ] || bad "some runs of many are there twice"
finish
