# A training told to files: JSON lines and TensorBoard's event files; where they cannot be written.
. "$SRC/tests/cli/common"
python=${PYTHON:-python3}
iris="train $data/iris.csv --target species --epochs 4 --test 0.2 -q"

"$BPROP" $iris --log run.jsonl -o a.safetensors >out || bad "--log"
[ "$(wc -l <run.jsonl)" -eq 6 ] || bad "not a line for the beginning, one for each epoch, and one for the end"
if command -v "$python" >/dev/null; then
  "$python" - <<'END' || bad "run.jsonl is not what it should be"
import json
lines = [json.loads(line, parse_constant=lambda c: 1 / 0) for line in open("run.jsonl")]
assert all(l["schema"] == 1 for l in lines)
assert [l["event"] for l in lines] == ["begin"] + 4 * ["epoch"] + ["end"]
assert lines[0]["seed"] == 1 and lines[0]["train_rows"] + lines[0]["valid_rows"] + lines[0]["test_rows"] == 150
assert [l["epoch"] for l in lines[1:-1]] == [1, 2, 3, 4]
assert lines[4]["train_loss"] < lines[1]["train_loss"] and 0 <= lines[4]["valid_accuracy"] <= 1
assert lines[5]["status"] == "done" and abs(100 * lines[5]["test"]["accuracy"] - float(open("out").read().split()[2])) < 0.051
END
fi

# The bytes of the model do not know of it, and a second log replaces the first.
"$BPROP" $iris -o b.safetensors >/dev/null && cmp a.safetensors b.safetensors || bad "the log changes the model"
"$BPROP" train "$data/iris.csv" --target species --epochs 1 -q --log run.jsonl -o b.safetensors >/dev/null
[ "$(wc -l <run.jsonl)" -eq 3 ] || bad "a log is not begun anew"

# A run that diverges says so in its last line.
"$BPROP" train "$data/iris.csv" --target species --optimizer sgd --lr 1e6 -q --log bad.jsonl -o b.safetensors >/dev/null 2>&1
tail -n 1 bad.jsonl | grep -q '"event":"end","status":"diverged","message":"' || bad "the end of a run that diverged"

# TensorBoard.
"$BPROP" $iris --tensorboard runs/first -o b.safetensors >/dev/null || bad "--tensorboard"
ls runs/first | grep -q '^events.out.tfevents.' || bad "no event file"
grep -q 'loss/train' runs/first/events.out.tfevents.* || bad "no loss in the event file"

# What cannot be.
cp "$data/iris.csv" mine.csv
ends 2 'mine.csv: is the data or the model' train mine.csv --target species --log mine.csv
cmp mine.csv "$data/iris.csv" || bad "a log was written over the data"
ends 2 'is the data or the model' train mine.csv --target species -o c.safetensors --log c.safetensors
ends 6 'no/such/run.jsonl: cannot be written: No such' train mine.csv --target species --log no/such/run.jsonl
ends 6 'mine.csv/events.out' train mine.csv --target species --tensorboard mine.csv
if [ -w /dev/full ]; then
  "$BPROP" $iris --log /dev/full -o full.safetensors >out 2>err
  [ $? -eq 6 ] || bad "a full disk under the log does not end with 6"
  grep -q '/dev/full: cannot be written: No space left on device; training goes on without' err || bad "a full disk is not told"
  [ "$(grep -c full err)" -eq 1 ] || bad "a full disk is told more than once"
  cmp a.safetensors full.safetensors || bad "a full disk under the log loses the model"
fi
finish
