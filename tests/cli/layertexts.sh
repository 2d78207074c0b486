# Networks by their text: told, trained, shown, refused.
. "$SRC/tests/cli/common"
digits=$data/digits.csv

# Every kind in the list is told alone too, and as JSON.
"$BPROP" layers >list || bad "layers"
"$BPROP" layers --json | sed -n 's/.*"layer":"\([a-z]*\)".*/\1/p' >kinds
[ "$(wc -l <kinds)" -ge 13 ] || bad "kinds are missing"
while read -r kind; do
  grep -q "^$kind" list || bad "$kind is not in the list"
  "$BPROP" layers "$kind" | head -n 1 | grep -q "^$kind" || bad "layers $kind"
done <kinds
"$BPROP" layers conv | head -n 1 | grep -Fxq 'conv filters window [stride=1] [pad=0|same] [dilation=1] [groups=1] [nobias]' ||
  bad "the usage of conv"
ends 2 "no kind of layer 'convv'; did you mean conv" layers convv

# A network of images from a table, trained and shown.
model='conv 8 3 same relu, batchnorm, maxpool, residual(conv 8 3 same, batchnorm) relu, dense 24 tanh, dropout 0.1'
"$BPROP" train "$digits" --target digit --shape 8x8 --model "$model" --epochs 2 -o m.safetensors >out 2>err || { bad "train"; cat err; }
grep -Fq "model 64: reshape 8x8x1, $model, dense 10, " err || bad "the network is not told"
"$BPROP" info m.safetensors >info || bad "info"
# layer1 8 * 9 + 8, norm1 32 (16 of them not trained), layer2 8 * 72 + 8, norm2 32, layer3 24 * 128 + 24, layer4 240 + 10
grep -Eq '^  all +4,074 +' info || { bad "the sum of the parameters"; cat info; }
grep -Fq '  of the parameters 32 are not trained' info || bad "what is not trained"
grep -Eq '^    conv 8 3 same +4x4x8 +layer2 +584 ' info || bad "a layer in a layer"
"$BPROP" info m.safetensors --json >json || bad "info --json"
grep -Fq "\"model\":\"reshape 8x8x1, $model, dense 10\"" json || bad "the text in JSON"
if command -v "${PYTHON:-python3}" >/dev/null; then
  "${PYTHON:-python3}" -c 'import json
m = json.load(open("json"))
assert sum(l["parameters"] + l["fixed"] for l in m["layers"]) == m["parameters"]
assert sum(l["flops"] for l in m["layers"] if l["depth"] == 0) == m["flops"]' || bad "sums in JSON"
fi
"$BPROP" templates m.safetensors -o filters.svg >/dev/null 2>&1 || bad "templates of a convolution"

# The text that is told is a text that can be given: the same bytes come out.
text=$(sed 's/.*"model":"\([^"]*\)".*/\1/' json)
"$BPROP" train "$digits" --target digit --shape 8x8 --model "$text" --epochs 2 -q -o again.safetensors >/dev/null || bad "the text again"
"$BPROP" predict m.safetensors "$digits" --json 2>/dev/null >one
"$BPROP" predict again.safetensors "$digits" --json 2>/dev/null >two
cmp -s one two || bad "the same layers answer otherwise"
for threads in 1 3; do
  "$BPROP" train "$digits" --target digit --shape 8x8 --model "$text" --epochs 2 -q --threads $threads -o again.safetensors >/dev/null || bad "threads"
  "$BPROP" predict again.safetensors "$digits" --json 2>/dev/null >two
  cmp -s one two || bad "other answers with $threads threads"
done

# Mistakes: before any data are read, with the place.
ends 2 "column 18: 'batchnrm' is no kind of layer and no activation; did you mean batchnorm" train nothing.csv --target a --model 'conv 8 3 relu,   batchnrm'
tail -n 1 err | grep -Fxq '                   ^' || { bad "the caret"; cat err; }
ends 2 "a layer is missing here" train nothing.csv --target a --model 'dense 3,'
ends 2 "hidden: --model says all layers" train nothing.csv --target a --model 'dense 3' --hidden 4
ends 2 "dropout: --model says all layers" train nothing.csv --target a --model 'dense 3' --dropout 0.5
ends 2 "activation: --model says all layers" train nothing.csv --target a --activation tanh --model 'dense 3'
ends 2 "'8by8' is not HEIGHTxWIDTH" train nothing.csv --target a --model 'conv 3 3' --shape 8by8
ends 2 "'8x0' is not HEIGHTxWIDTH" train nothing.csv --target a --shape 8x0
ends 2 "takes images, and here are rows of 64; .*'reshape 8x8x1'.*--shape" train "$digits" --target digit --model 'conv 8 3'
ends 2 "an image of 7x9x1 has 63 values, and a row has 64 inputs" train "$digits" --target digit --model 'conv 8 3' --shape 7x9
ends 2 "the network ends in a layer of 11, and the data have 10 classes" train "$digits" --target digit --model 'dense 5 relu, dense 11'
ends 2 "layer 'conv 8 9'" train "$digits" --target digit --model 'conv 8 9' --shape 8x8
[ ! -e digits.safetensors ] || bad "a model in spite of failure"
finish
