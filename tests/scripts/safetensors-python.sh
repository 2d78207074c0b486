# Hugging Face's safetensors package reads what we write, and we read what it writes. Without the package the golden files of
# test_safetensors stand in for it.
set -eu
"$PYTHON" -c 'import numpy, safetensors.numpy' 2>/dev/null || { echo "no safetensors package for $PYTHON"; exit 77; }
[ -z "${BPROP_SANITIZE:-}" ] || { echo "Python cannot load a library with sanitizers"; exit 77; }
library=$(find "$BUILD" -maxdepth 2 -name 'libbprop.so' | head -n 1)
[ -n "$library" ] || { echo "libbprop.so is not built"; exit 77; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
"$PYTHON" - "$library" "$folder" <<'END'
import ctypes as c, os, sys
import numpy as np
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

lib, folder = c.CDLL(sys.argv[1]), sys.argv[2]

class Tensor(c.Structure):
    _fields_ = [("name", c.c_char_p), ("store", c.c_int), ("rank", c.c_int), ("dims", c.POINTER(c.c_int64)),
                ("data", c.c_void_p), ("bytes", c.c_size_t)]

class Meta(c.Structure):
    _fields_ = [("key", c.c_char_p), ("value", c.c_char_p)]

lib.bp_ctx_new.restype = lib.bp_tensors_at.restype = c.c_void_p
lib.bp_tensors_at.restype = c.POINTER(Tensor)
lib.bp_tensors_count.restype = c.c_size_t
lib.bp_tensors_meta.restype = lib.bp_error.restype = lib.bp_store_name.restype = c.c_char_p
ctx = c.c_void_p(lib.bp_ctx_new(None))
stores = {lib.bp_store_name(i).decode(): i for i in range(1, 14)}

def check(status):
    if status:
        sys.exit(lib.bp_error().decode())

def ours_save(path, arrays, meta):
    keep, tensors = [], (Tensor * len(arrays))()
    for i, (name, a) in enumerate(arrays.items()):
        dims = (c.c_int64 * max(a.ndim, 1))(*a.shape)
        keep.append(dims)
        tensors[i] = Tensor(name.encode(), stores[str(a.dtype)], a.ndim, dims, a.ctypes.data, a.nbytes)
    metas = (Meta * len(meta))(*[Meta(k.encode(), v.encode()) for k, v in meta.items()])
    check(lib.bp_tensors_save(ctx, path.encode(), tensors, c.c_size_t(len(arrays)), metas, c.c_size_t(len(meta))))

def ours_load(path):
    t, arrays = c.c_void_p(), {}
    check(lib.bp_tensors_load(ctx, path.encode(), c.byref(t)))
    for i in range(lib.bp_tensors_count(t)):
        x = lib.bp_tensors_at(t, c.c_size_t(i)).contents
        dtype = lib.bp_store_name(x.store).decode()
        raw = c.string_at(x.data, x.bytes)
        arrays[x.name.decode()] = np.frombuffer(raw, dtype).reshape([x.dims[d] for d in range(x.rank)])
    meta = {k: lib.bp_tensors_meta(t, k.encode()) for k in ("model", "größe")}
    lib.bp_tensors_free(t)
    return arrays, meta

def same(a, b):
    assert a.keys() == b.keys(), (a.keys(), b.keys())
    for k in a:
        assert a[k].dtype == b[k].dtype and a[k].shape == b[k].shape and a[k].tobytes() == b[k].tobytes(), k

rng = np.random.default_rng(1)
dtypes = ["bool", "uint8", "int8", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float16", "float32", "float64"]
arrays = {f"{d} {i} \"é\"\n": rng.integers(0, 2, s).astype(d) for d in dtypes
          for i, s in enumerate([(), (3,), (2, 5), (0, 4), (1, 2, 3, 4)])}
arrays["weights"] = rng.standard_normal((64, 10)).astype("float32")
arrays["weights"][0, :3] = np.nan, np.inf, -0.0
meta = {"model": "dense(64, 10)\n\"\\\x01", "größe": "名 \U0001f600"}
ours, theirs = os.path.join(folder, "ours"), os.path.join(folder, "theirs")

ours_save(ours, arrays, meta)
same(load_file(ours), arrays)
with safe_open(ours, "np") as f:
    got = f.metadata()
assert got["bprop.check"] == "crc32c" and {k: got[k] for k in meta} == meta, got

save_file(arrays, theirs, metadata=meta)
back, got = ours_load(theirs)
same(back, arrays)
assert got == {k: v.encode() for k, v in meta.items()}, got
print(len(arrays), "tensors both ways")
END
