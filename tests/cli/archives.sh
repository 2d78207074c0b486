# Examples from .npz archives, stored and packed, and from folders of PNG files; damaged ones end with 3 and say what is wrong.
. "$SRC/tests/cli/common"
command -v python3 >/dev/null || { echo "python3 is missing: not tested"; exit 0; }
python3 - <<'END' || bad "cannot make the files"
import io, os, random, shutil, struct, zipfile, zlib

random.seed(1)
def npy(kind, shape, data):
    head = "{'descr': '%s', 'fortran_order': False, 'shape': (%s,), }" % (kind, ", ".join(map(str, shape)))
    head = head.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(head)) + head.encode() + data
N, SIDE = 160, 6
images = [bytes(random.randrange(60) + (120 if i % 2 and k < 18 else 0) for k in range(SIDE * SIDE)) for i in range(N)]
x = npy("|u1", (N, SIDE, SIDE), b"".join(images))
y = npy("<i8", (N,), b"".join(struct.pack("<q", i % 2) for i in range(N)))
def archive(path, members, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "w", method) as z:
        for name, data in members:
            with z.open(name + ".npy", "w", force_zip64=True) as f:
                f.write(data)
archive("two.npz", [("x", x), ("y", y)])
archive("packed.npz", [("y_train", y), ("x_train", x), ("x_test", x), ("y_test", y)], zipfile.ZIP_DEFLATED)
archive("order.npz", [("some", x), ("more", y)])
archive("odd.npz", [("some", x), ("more", y), ("other", y)])
packed = open("packed.npz", "rb").read()
open("cut.npz", "wb").write(packed[:-30])
flipped = bytearray(packed)
flipped[len(flipped) // 4] ^= 64
open("flipped.npz", "wb").write(flipped)
# 50 MB of zeros where 8 bytes are said.
archive("bomb.npz", [("x", npy("|u1", (4, 2), b"\0" * 50000000)), ("y", y)], zipfile.ZIP_DEFLATED)

def png(path, pixels, w, h, colour=False):
    row = w * (3 if colour else 1)
    raw = b"".join(b"\0" + pixels[i * row:(i + 1) * row] for i in range(h))
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    open(path, "wb").write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2 if colour else 0, 0, 0, 0)) +
                           chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b""))
for k, name in enumerate(["dark", "light"]):
    os.makedirs("pictures/" + name)
    for i in range(N // 2):
        png("pictures/%s/%03d.png" % (name, i), images[2 * i + k], SIDE, SIDE)
shutil.copytree("pictures", "sizes")
png("sizes/light/zzz.png", images[0], SIDE, SIDE - 1)
shutil.copytree("pictures", "coloured")
png("coloured/light/zzz.png", bytes(3 * SIDE * SIDE), SIDE, SIDE, True)
shutil.copytree("pictures", "damaged")
data = open("damaged/light/003.png", "rb").read()
open("damaged/light/003.png", "wb").write(data[:50])
os.mkdir("empty")
END

# Trained on, measured and predicted: the two halves are easily told apart.
share() { sed -n 's/^accuracy \([0-9.]*\) %/\1/p' out; }
images=pictures
"$BPROP" train pictures -q --epochs 1 -o x.safetensors >out 2>err || { grep -q 'without libpng' err && images=; }
rm -f x.safetensors
for data in two.npz packed.npz order.npz $images; do
  "$BPROP" train "$data" --epochs 20 -q -o m.safetensors >out 2>err || { bad "train $data"; cat err; }
  "$BPROP" eval m.safetensors "$data" >out 2>err || { bad "eval $data"; cat err; }
  case $(share) in 9?.*|100.0) ;; *) bad "$data: accuracy $(share)";; esac
  "$BPROP" predict m.safetensors "$data" >out 2>err
  case $data in order.npz) ;; *) [ "$(wc -l <out)" -eq 161 ] || { bad "predict $data"; cat err; };; esac
done
# Images that are moved and mixed each time they are seen: from archives and folders alike, and another network than without.
for data in two.npz $images; do
  ends 0 "" train "$data" --epochs 20 -q -o plain.safetensors
  for change in "--augment shift=1,flip" "--mixup 0.4"; do
    # shellcheck disable=SC2086
    ends 0 "" train "$data" $change --epochs 20 -q -o moved.safetensors
    cmp -s plain.safetensors moved.safetensors && bad "$data: $change changes nothing"
    "$BPROP" eval moved.safetensors "$data" >out 2>err
    # A dark half is on the other side when it is turned, and then looks like nothing else: only what is mixed keeps its side.
    case $change:$(share) in --mixup*:9?.* | *:100.0 | --augment*) ;; *) bad "$data $change: accuracy $(share)";; esac
  done
done
"$BPROP" predict m.safetensors "${images:-packed.npz}" >out 2>err
[ -z "$images" ] || { head -1 out | grep -q dark || bad "the folders do not name the classes"; }
[ -z "$images" ] || { "$BPROP" info m.safetensors >out; grep -q 'shape.*6.*6.*1' out || bad "the shape of images is not kept"; }

while IFS='|' read -r row status text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends "$status" "$text" $arguments
done <<END
three arrays|3|which array holds the examples|train odd.npz -o x
cut short|3|cut.npz: the zip archive is damaged|train cut.npz -o x
a bit flipped|3|flipped.npz|train flipped.npz -o x
39 a zip bomb|3|bomb.npz: x.npy.*bytes follow|train bomb.npz -o x
a folder without images|3|without PNG files|train empty -o x
END
[ -z "$images" ] || while IFS='|' read -r row status text arguments; do
  # shellcheck disable=SC2086
  ends "$status" "$text" $arguments
done <<END
other sizes|3|zzz.png: has 6 x 5 pixels, .*000.png has 6 x 6|train sizes -o x
a damaged image|3|damaged/light/003.png|train damaged -o x
another number of channels|3|takes 36|predict m.safetensors coloured
END
[ ! -e x ] || bad "a model was written in spite of the failure"
finish
