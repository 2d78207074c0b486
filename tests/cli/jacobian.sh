# Jacobians and Hessians of programs: what is told, what is saved, what is refused.
. "$SRC/tests/cli/common"

# says LINE ARGUMENT... : the first line of the answer.
says()
{
  want=$1
  shift
  "$BPROP" "$@" >out 2>err </dev/null || { bad "exit $?: bprop $*"; cat err; }
  [ "$(head -n 1 out)" = "$want" ] || bad "bprop $*: '$(head -n 1 out)', not '$want'"
}

# Structure and sweeps, as mathematics has them. How many of 4,096 drawn numbers are positive depends on the draw.
"$BPROP" jacobian 'relu(x)' 'x=randn(4096)' >out 2>err || bad "relu"
grep -Eqx '4096 x 4096, diagonal: 4096 entries stored, (19|20|21)[0-9][0-9] nonzero \(seed 1\); one backward pass' out || { bad "relu"; cat out; }
says '49 x 50, bidiagonal: 98 entries stored, 98 nonzero (seed 1); two forward passes' jacobian 'x[1:]-x[:-1]' 'x=randn(50)'
says '9 x 9, tridiagonal: 25 entries stored, 25 nonzero (seed 1); three Hessian-vector products' hessian 'sum(100*(x[1:]-x[:-1]**2)**2+(1-x[:-1])**2)' 'x=randn(9)'
says '30 x 40, block-diagonal (10 blocks of 3 x 4): 120 entries stored, 120 nonzero (seed 1); three backward passes' \
  jacobian 'tanh(x @ W)' 'x=randn(10,4)' 'W=randn(4,3)' --wrt x
says '1000 x 1000, sparse: 2998 entries stored, 2998 nonzero (seed 1); two Hessian-vector products' hessian 'sum(exp(x[0]*x[1:]))' 'x=randn(1000)'
says '6 x 6, permutation: 6 entries stored, 6 nonzero; no pass, as every entry is known' jacobian 'x.T' 'x=[[1,2,3],[4,5,6]]'
says '2 x 3, zero: 0 entries stored, 0 nonzero; no pass, as every entry is known' jacobian 'floor(x[:2])' 'x=[1.5,2.5,3.5]'
says '1 x 1, diagonal: 1 entry stored, 1 nonzero; one backward pass' jacobian 'x*x' x=3
says '40 x 40, sparse: 118 entries stored, 118 nonzero (seed 2); two forward passes and one backward pass' \
  jacobian 'sum(x*x); x[0]*x[1:]' 'x=randn(40)' --seed 2
says '40 x 40, sparse: 118 entries stored, 118 nonzero (seed 1); 40 forward passes' jacobian 'sum(x*x); x[0]*x[1:]' 'x=randn(40)' --sweeps forward

# A small one is shown: Rosenbrock's Hessian at (-1.2, 1), worked out by hand: 1200 x^2 - 400 y + 2 = 1330, -400 x = 480, 200.
"$BPROP" hessian '100*(y-x**2)**2+(1-x)**2' x=-1.2 y=1 >out || bad "rosenbrock"
cat >want <<'END'
2 x 2, dense: 4 entries stored, 4 nonzero; two Hessian-vector products
      x     y
x  1330   480
y   480   200
END
cmp -s out want || { bad "rosenbrock"; cat out; }
"$BPROP" jacobian 'x[1:]-x[:-1]' 'x=[1,4,9,16]' >out || bad "differences"
cat >want <<'END'
3 x 4, bidiagonal: 6 entries stored, 6 nonzero; two forward passes
      x[0]  x[1]  x[2]  x[3]
f[0]    -1     1     .     .
f[1]     .    -1     1     .
f[2]     .     .    -1     1
END
cmp -s out want || { bad "differences"; cat out; }
[ "$("$BPROP" jacobian 'x*y' x=2 y=3 --json)" = '{"schema":1,"rows":1,"cols":2,"class":"dense","entries":2,"nonzero":2,"below":0,"above":1,"forward":0,"reverse":1,"of":["f"],"wrt":["x","y"],"row_start":[0,2],"col":[0,1],"value":[3,2]}' ] || bad "--json"
[ "$("$BPROP" jacobian 'x*y' x=2 y=0.1 --dtype float32 --wrt x --json | sed 's/.*"value"//')" = ':[0.1]}' ] ||
  [ "$("$BPROP" jacobian 'x*y' x=2 y=0.1 --dtype float32 --wrt x --json | sed 's/.*"value"//')" = ':[0.100000001]}' ] || bad "float32"

# Files. The lower triangle of a symmetric matrix, counted from 1.
"$BPROP" hessian '100*(y-x**2)**2+(1-x)**2' x=-1.2 y=1 -o H.mtx >out 2>err || bad "-o H.mtx"
grep -q 'H.mtx: 2 x 2, 4 entries' err || bad "H.mtx is not told"
printf '%%%%MatrixMarket matrix coordinate real symmetric\n2 2 3\n1 1 1330\n2 1 480\n2 2 200\n' >want
grep -v '^% bprop' H.mtx | cmp -s - want || { bad "H.mtx"; cat H.mtx; }
"$BPROP" jacobian 'x*x' 'x=[3,4]' -o J.MTX -q >/dev/null 2>err || bad "-o J.MTX"
[ -s err ] && bad "-q talks"
printf '%%%%MatrixMarket matrix coordinate real general\n2 2 2\n1 1 6\n2 2 8\n' >want
grep -v '^% bprop' J.MTX | cmp -s - want || { bad "J.MTX"; cat J.MTX; }
program='y = exp(x)*x; y[1:] - y[:-1]*sin(x[0])'
for dtype in float64 float32; do
  for end in npz npy mtx; do
    "$BPROP" jacobian "$program" 'x=randn(50)' -o $dtype.$end -q --dtype $dtype >/dev/null || bad "-o $dtype.$end"
  done
done
"$BPROP" jacobian 'x[:0]' 'x=[1,2]' -o empty.npz -q >/dev/null || bad "-o empty.npz"
"$PYTHON" - 2>/dev/null <<'END' || { echo "no NumPy: files are not read back"; finish; }
import numpy
END
cat >check.py <<'END'
import io, sys, zipfile
import numpy as np

def dense(path):
    assert zipfile.ZipFile(path).testzip() is None
    z = np.load(path)
    assert z["format"].item() == b"csr", z["format"]
    J = np.zeros(z["shape"], z["data"].dtype)
    for i in range(J.shape[0]):
        k = slice(z["indptr"][i], z["indptr"][i + 1])
        J[i, z["indices"][k]] = z["data"][k]
    return J

def market(path):
    lines = [l for l in open(path) if not l.startswith("%")]
    rows, cols, n = map(int, lines[0].split())
    J = np.zeros((rows, cols))
    assert len(lines) == n + 1
    for line in lines[1:]:
        i, j, v = line.split()
        J[int(i) - 1, int(j) - 1] = float(v)
    return J

for dtype in "float64", "float32":
    J = dense(dtype + ".npz")
    assert J.dtype == dtype and J.shape == (49, 50) and np.count_nonzero(J) > 120
    assert (np.load(dtype + ".npy") == J).all() and (market(dtype + ".mtx") == J).all()
assert np.abs(dense("float64.npz") - dense("float32.npz")).max() < 1e-5
assert dense("empty.npz").shape == (0, 2)
try:
    import scipy.io, scipy.sparse
except ImportError:
    sys.exit(print("no SciPy: that it reads our files is not tested here"))
S = scipy.sparse.load_npz("float64.npz")
assert S.format == "csr" and S.has_sorted_indices and (S.toarray() == dense("float64.npz")).all()
assert (scipy.io.mmread("float64.mtx").toarray() == S.toarray()).all()
assert (scipy.io.mmread("H.mtx").toarray() == [[1330, 480], [480, 200]]).all()
assert scipy.sparse.load_npz("empty.npz").shape == (0, 2)
END
"$PYTHON" check.py || bad "files read back"

# What is refused: nothing is written, and an old file stays.
ends 2 'the end of the name says the format' jacobian 'x*x' x=3 -o J.txt
ends 2 'the end of the name' jacobian 'x*x' x=3 -o .mtx
[ ! -e J.txt ] || bad "J.txt was written"
mkdir d.npz
ends 6 'is a directory' jacobian 'x*x' x=3 -o d.npz
ln -s J.MTX link.mtx
ends 6 'is a symbolic link' jacobian 'x*x' x=3 -o link.mtx
ends 6 'No such file' jacobian 'x*x' x=3 -o nowhere/J.mtx
ends 2 'too large to be saved dense' jacobian 'x*x' 'x=ones(20000)' -o big.npy
[ ! -e big.npy ] || bad "big.npy was written"
ends 2 "--wrt z: .*'z'" jacobian 'x*x' x=3 --wrt z
ends 2 'only real values' jacobian 'x*x[i]' 'x=[1,2]' 'i=int64(1)' --wrt i
ends 2 'only real values' jacobian 'x>1' 'x=[1,2]'
ends 2 'twice' jacobian 'x*x' x=3 --wrt x,x
ends 2 '--wrt takes names' jacobian 'x*x' x=3 --wrt x,
ends 2 'nothing to differentiate by' jacobian '3.5+4'
ends 2 'of one number' hessian 'x*x' 'x=[1,2]'
ends 2 'there are 2 outputs' hessian 'x*x; x' x=1
ends 2 'sweeps' jacobian 'x' x=1 --sweeps sideways
ends 2 'sweeps' hessian 'x' x=1 --sweeps forward
ends 3 'y' jacobian 'x*y' x=1
ends 3 '\^' jacobian 'x @ W' 'x=[1,2]' 'W=[[1,2]]'
ends 3 'out of range|outside' jacobian 'x[int64([5])]' 'x=[1,2]'
finish
