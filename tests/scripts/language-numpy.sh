# The language means what NumPy means: the lecture's code as it stands, and expressions that both read, agree to 1e-12. What bprop drew
# is handed to NumPy.
set -eu
[ -n "${BPROP:-}" ] || { echo "the program is not built"; exit 77; }
"$PYTHON" -c 'import numpy' 2>/dev/null || { echo "no numpy for $PYTHON"; exit 77; }
"$PYTHON" - "$BPROP" "$SRC/examples/lecture.bp" <<'END'
import json, subprocess, sys
import numpy as np

bprop, lecture = sys.argv[1:]

def run(text, *words):
    got = subprocess.run([bprop, "run", "--json", "--seed", "5", "--", text, *words], capture_output=True, text=True)
    if got.returncode:
        sys.exit(f"{text}\n{got.stderr}")
    made = json.loads(got.stdout)
    def array(v):
        return np.array(v["value"], dtype=v["dtype"]).reshape(v["shape"])
    return ({v["name"]: array(v) for v in made.get("inputs", [])}, [array(v) for v in made["outputs"]])

failed = 0
def compare(text, ours, theirs):
    global failed
    theirs = np.asarray(theirs)
    if ours.shape != theirs.shape or not np.allclose(ours, theirs, rtol=1e-12, atol=1e-12, equal_nan=True):
        print(f"{text}\nbprop {ours.shape}: {ours}\nNumPy {theirs.shape}: {theirs}")
        failed += 1
    if (ours.dtype.kind != theirs.dtype.kind and theirs.dtype.kind != "i") or (ours.dtype.kind == "b") != (theirs.dtype.kind == "b"):
        print(f"{text}\nbprop {ours.dtype}, NumPy {theirs.dtype}")
        failed += 1

def printed(text, *words):
    """The program as --print shows it: it reads back to the same results, bit for bit."""
    got = subprocess.run([bprop, "run", "--print", "--seed", "5", "--", text, *words], capture_output=True, text=True)
    if got.returncode:
        sys.exit(f"{text}\n{got.stderr}")
    return got.stdout

def same_bits(text, a, b):
    global failed
    if len(a) != len(b) or any(x.dtype != y.dtype or x.shape != y.shape or x.tobytes() != y.tobytes() for x, y in zip(a, b)):
        print(f"{text}\nprinted, it gives something else")
        failed += 1

# ---- the lecture's four lines, verbatim ----
text = open(lecture).read()
inputs, outputs = run(lecture)
drawn = iter([inputs[k] for k in ("W1", "b1", "W2", "b2", "W3", "b3")])
class Random:
    def randn(*shape):
        return inputs["x"]
class Numpy:
    random, exp, dot = Random, np.exp, np.dot
scope = dict(inputs, np=Numpy)
lines = text[text.index("# forward-pass"):]
for must in ("f = lambda x: 1.0/(1.0 + np.exp(-x))", "x = np.random.randn(3, 1)", "h1 = f(np.dot(W1, x) + b1)",
             "h2 = f(np.dot(W2, h1) + b2)", "out = np.dot(W3, h2) + b3"):
    assert must in lines, must
exec(lines, scope)
compare(lecture, outputs[0], scope["out"])
same_bits(lecture, outputs, run(printed(lecture))[1])
assert inputs["x"].shape == (3, 1) and abs(inputs["W1"]).max() > 0.1

# ---- expressions that both read ----
names = {"x": "np.random.randn(3, 4)", "y": "np.random.randn(4, 2)", "v": "np.random.randn(4)", "w": "np.random.rand(3) + 0.5",
         "s": "1.7", "t": "np.random.randn(2, 3, 4)", "k": "[2, 0, 1]"}
values, got = run("; ".join(names), *[f"{k}={v}" for k, v in names.items()])
scope = {k: v for k, v in zip(names, got)}
scope["k"] = scope["k"].astype(int)
scope["np"] = np
expressions = """
x + 1; x * s - v; x / (1 + x*x); -x; x ** 2; 2 ** x; w ** -0.5; (x @ y) @ np.ones(2); v @ y; x @ v; v @ v; t @ y
np.dot(x, y); np.dot(v, v); np.dot(s, x); np.matmul(x, y); np.outer(v, w)
x[0]; x[-1]; x[1:]; x[:, 1]; x[::2]; x[::-1]; x[1, 2]; x[-2, -1]; x[0:0]; x[:, ::-2]; x[2:0:-1, 1:3]; x[..., 0]; t[..., 1]; t[0, ..., 2]
x[None]; x[:, None, 1]; x[np.newaxis, ..., None]; x[[0, 2]]; x[:, [3, 1, 3]]; x[[0, 1, 2], [1, 1, 3]]; x[np.arange(3), k]; x[k]; x[k][:, 0]; x[[-1, 0]]
t[:, [1, 0]]; t[1][:, [2, 0]]; t[0, [0, 1], [3, 3]]; v[1:] - v[:-1]; x[1:, :] - x[:-1, :]
x.T; x.T @ x; t.T; x.shape; x.ndim; x.size; len(x); np.transpose(t, (1, 0, 2)); t.transpose(2, 0, 1)
x.sum(); x.sum(axis=0); x.sum(1); np.sum(t, axis=(0, 2)); np.sum(x, axis=1, keepdims=True); x.mean(); np.mean(x, axis=-1); np.var(x); x.var(axis=0, ddof=1)
np.std(x, axis=1); x.max(); x.max(axis=0); np.max(x, axis=1, keepdims=True); np.min(x); np.amin(x, axis=0); np.prod(w); x.argmax(); np.argmax(x, axis=1); np.argmin(x, 0)
np.cumsum(v); np.cumsum(x, axis=0); np.cumsum(x); np.linalg.norm(v); np.maximum(x, 0); np.minimum(x, v); np.clip(x, -0.5, 0.5); np.abs(x); np.sign(x)
np.exp(x); np.log(w); np.sqrt(w); np.sin(x); np.cos(x); np.tan(x); np.tanh(x); np.arctan2(x, v); np.log1p(w); np.expm1(x); np.square(x); np.reciprocal(w); np.log2(w); np.log10(w)
np.floor(x); np.ceil(x); np.round(x); np.arcsin(x/10); np.arccos(x/10); np.arctan(x); np.sinh(x); np.cosh(x); x // 1; x % 1; -7 // 2; -7 % 3; 7 / 2
x > 0; x <= v; x == x; x != 0; (x > 0) & (x < 1); (x > 0) | (v > 0); ~(x > 0); (x > 0) ^ (v > 0); np.isfinite(x); np.where(x > 0, x, 0.1*x); np.where(x > 0, 1, 0)
(x > 0).sum(); (x > 0).mean(); (x > 0) * 2.5; (x > 0) + 1; np.argmax(x, axis=1) + 1; np.argmax(x, axis=1) * 0.5; np.argmax(x, axis=1) == k
x.reshape(4, 3); x.reshape((2, -1)); np.reshape(x, (12,)); x.ravel(); x.flatten(); t.reshape(6, -1); np.squeeze(x[:1]); np.expand_dims(v, 1); np.expand_dims(v, axis=-2)
np.concatenate([x, x]); np.concatenate((x, y.T), axis=0); np.concatenate([v, w]); np.stack([v, v + 1]); np.stack([v, v], axis=1); np.vstack([v, x]); np.hstack([v, w]); np.hstack((x, x))
np.array([v[0], v[1] + 1, 3]); np.array([[1, 2], [3, 4]]) @ np.array([1, -1]); np.zeros((2, 3)); np.ones(3) * v[0]; np.full((2, 2), 7.5); np.eye(3) * x[:, :3]; np.arange(2, 11, 3); np.arange(0, 1, 0.25)
np.linspace(0, 1, 5); np.linspace(-1, 1, 3) * s; np.zeros_like(x) + 1; np.ones_like(v); np.broadcast_to(v, (3, 4)); np.split(x, 2, axis=1)[1]; np.split(v, 2)[0]
np.pi * s; np.e; np.inf; -np.inf; np.nan * s; 1e-3; .5; 5.; 1E5 * s; (1 + 2) * 3; 2 ** 3 ** 2; -2 ** 2; 2 ** -1; - - s; +s; 10 % 4; 1 - 2 - 3; 8 / 4 / 2
(lambda a, b: a * b + 1)(x, v); np.maximum(0, x); np.float64(3) * s; x.astype(int); x.dot(y); x[:, 0].mean(); x.T[1]; x.mean(axis=0)[1:].sum()
"""
n = 0
words = [f"{k}={v}" for k, v in names.items()]
for line in expressions.strip().splitlines(): # a program each
    ours = run(line, *words)[1]
    same_bits(line, ours, run(printed(line, *words))[1])
    theirs = []
    for e in filter(None, map(str.strip, line.split(";"))):
        got = eval(e, scope)
        theirs += [(e, t) for t in (got if isinstance(got, tuple) else [got])]
        n += 1
    if len(ours) != len(theirs):
        print(f"{line}: {len(ours)} values, NumPy has {len(theirs)}")
        failed += 1
    for a, (e, b) in zip(ours, theirs):
        compare(e, a, b)
assert n > 180, n
sys.exit(failed > 0)
END
