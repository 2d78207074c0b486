# The examples that help and the manual page show are run as they stand, in a folder with the files that they name.
. "$SRC/tests/cli/common"
"$PYTHON" -c 'import numpy' 2>/dev/null || { echo "no numpy for $PYTHON"; exit 77; }

cp "$data/wine.csv" wine.csv
head -n 20 wine.csv >more-wine.csv
cut -d, -f1-13 more-wine.csv >new.csv
cut -d, -f3-5 "$data/iris.csv" >iris.csv
"$BPROP" train "$data/digits.csv" --target digit --epochs 3 -q >out 2>err || bad "train digits"
"$BPROP" train iris.csv --target species --epochs 3 -q -o petals.safetensors >out 2>err || bad "train petals"
cat >network.bp <<'END'
x = randn(64)
W1, b1 = 0.1 * randn(16, 64), zeros(16)
W2, b2 = 0.1 * randn(10, 16), zeros(10)
softmax_cross_entropy(W2 @ tanh(W1 @ x + b1) + b2, 3)
END
"$PYTHON" - "$data/digits.csv" <<'END'
import gzip, struct, sys
import numpy as np

table = np.loadtxt(sys.argv[1], delimiter=",", skiprows=1)
np.save("digits.npy", table[0, :64])

def idx(name, array):
    with gzip.open(name, "wb") as f:
        f.write(struct.pack(">HBB", 0, 8, array.ndim) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes())

images = np.kron(table[:, :64].reshape(-1, 8, 8)[:300] * 15, np.ones((3, 3))).astype(np.uint8)
labels = table[:300, 64].astype(np.uint8)
idx("train-images-idx3-ubyte.gz", images)
idx("train-labels-idx1-ubyte.gz", labels)
idx("t10k-images-idx3-ubyte.gz", images[:50])
idx("t10k-labels-idx1-ubyte.gz", labels[:50])
END
HOME=$work
mkdir -p .local/share/bash-completion/completions
PATH=$(dirname "$BPROP"):$PATH
export HOME PATH

# Examples of a command, one a line: a line that ends in \ goes on in the next.
examples_of()
{
  "$BPROP" help "$1" | sed -n '/^Examples$/,/^$/p' |
    awk '/^  / { sub(/^ +/, ""); more = sub(/\\$/, ""); printf "%s%s", $0, more ? "" : "\n" }'
}

commands=$("$BPROP" help | sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p')
for command in $commands; do
  case ${BPROP_SANITIZE:+$command} in bench) continue ;; esac # it measures a program that is made slow
  examples_of "$command" >examples
  [ -s examples ] || bad "help $command has no example"
  while IFS= read -r line; do
    sh -c "$line" >out 2>err </dev/null || { bad "$line"; cat err; }
    case $line in *'>'*) ;; *) [ -s out ] || [ -s err ] || bad "nothing is said: $line" ;; esac
  done <examples
done
finish
