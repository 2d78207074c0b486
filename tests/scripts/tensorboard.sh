# Event files as TensorBoard itself reads them. Skipped where it is not installed.
set -u
python=${PYTHON:-python3}
"$python" -c 'import tensorboard' 2>/dev/null || { echo "tensorboard is not installed"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
XDG_DATA_HOME=$work "$BPROP" train "$SRC/data/iris.csv" --target species --epochs 5 -q -o "$work/m.safetensors" \
  --tensorboard "$work/runs/a" --log "$work/log.jsonl" >/dev/null || exit 1
"$python" - "$work" <<'END'
import json, struct, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
got = EventAccumulator(sys.argv[1] + "/runs/a")
got.Reload()
epochs = [l for l in map(json.loads, open(sys.argv[1] + "/log.jsonl")) if l["event"] == "epoch"]
f32 = lambda x: struct.unpack("f", struct.pack("f", x))[0]
for tag, key in {"loss/train": "train_loss", "loss/valid": "valid_loss", "accuracy/valid": "valid_accuracy"}.items():
    scalars = got.Scalars(tag)
    assert [s.step for s in scalars] == [1, 2, 3, 4, 5], tag
    assert all(abs(s.value - f32(e[key])) <= 1e-6 * abs(s.value) for s, e in zip(scalars, epochs)), tag
END
