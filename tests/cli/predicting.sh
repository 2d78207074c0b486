# Prediction: rows in, classes and probabilities out, columns by name.
. "$SRC/tests/cli/common"
iris_model
iris=$data/iris.csv
python=${PYTHON:-python3}

"$BPROP" predict iris.safetensors "$iris" --json >all 2>err || bad "predict"
grep -q 'left out species' err || bad "the target is left out without a word"
[ "$(wc -l <all)" -eq 150 ] || bad "150 rows"
head -n 1 all | grep -Eqx '\{"row":1,"class":"setosa","p":\[[0-9.e-]+,[0-9.e-]+,[0-9.e-]+\],"schema":1\}' || { bad "the form"; head -n 1 all; }
if command -v "$python" >/dev/null; then
  "$python" -c 'import json
for i, line in enumerate(open("all")):
    r = json.loads(line)
    assert r["row"] == i + 1 and abs(sum(r["p"]) - 1) < 0.002, r' || bad "JSON"
fi
# As many right as eval says.
tail -n +2 "$iris" | cut -d, -f5 >truth
sed 's/.*"class":"\([^"]*\)".*/\1/' all | paste -d, - truth | awk -F, '$1 == $2 {n++} END {printf "%.1f\n", 100 * n / NR}' >rate
"$BPROP" eval iris.safetensors "$iris" | sed -n 's/^accuracy \([0-9.]*\) %/\1/p' >said
cmp -s rate said || { bad "predict and eval differ"; cat rate said; }

# The same from standard input, compressed, without the target, in another order, with other columns, without a header.
same()
{
  cmp -s all other || bad "$1: other answers"
}
"$BPROP" predict iris.safetensors - --json <"$iris" >other 2>/dev/null || bad "stdin"
same stdin
cat "$iris" | "$BPROP" predict iris.safetensors - --json >other 2>/dev/null || bad "a pipe"
same "a pipe"
gzip -c "$iris" >packed
"$BPROP" predict iris.safetensors packed --json >other 2>/dev/null || bad "gzip"
same gzip
"$BPROP" predict iris.safetensors - --json <packed >other 2>/dev/null || bad "gzip from stdin"
same "gzip from stdin"
cut -d, -f1-4 "$iris" >inputs.csv
"$BPROP" predict iris.safetensors inputs.csv --json >other 2>err || bad "inputs alone"
same "inputs alone"
[ ! -s err ] || bad "nothing is left out, and yet it talks"
awk -F, -v OFS=, '{print $4, "x", $2, $3, $1, $5}' "$iris" | sed '1s/,x,/,extra,/' >mixed.csv
"$BPROP" predict iris.safetensors mixed.csv --json >other 2>err || bad "another order"
same "another order"
grep -q 'left out extra, species' err || bad "two columns left out"
tail -n +2 inputs.csv >bare.csv
"$BPROP" predict iris.safetensors bare.csv --json --header no >other 2>/dev/null || bad "no header"
same "no header"
row="no header"
ends 3 "header" predict iris.safetensors bare.csv
tr , ';' <"$iris" >semicolons.csv
"$BPROP" predict iris.safetensors semicolons.csv --json --delimiter ';' >other 2>/dev/null || bad "semicolons"
same semicolons

# Rows of a pipe are answered as they come: the second is asked for once the first is answered.
mkfifo rows answers
"$BPROP" predict iris.safetensors - --json -q <rows >answers 2>err &
exec 3>rows 4<answers
head -n 2 "$iris" >&3
IFS= read -r line <&4 || bad "a pipe: no answer to the first row"
[ "$line" = "$(head -n 1 all)" ] || bad "a pipe: another answer to the first row: $line"
sed -n 3p "$iris" >&3
IFS= read -r line <&4
[ "$line" = "$(sed -n 2p all)" ] || bad "a pipe: another answer to the second row: $line"
exec 3>&- 4<&-
wait

# As a table.
"$BPROP" predict iris.safetensors "$iris" -q >out 2>err || bad "as a table"
[ "$(wc -l <out)" -eq 151 ] && [ ! -s err ] || bad "as a table: lines"
head -n 1 out | grep -Eqx ' +row  class +setosa  versicolor  virginica' || { bad "heading"; head -n 1 out; }

# A file longer than a block of rows.
{ head -n 1 "$iris"; for i in $(seq 400); do tail -n +2 "$iris"; done; } >long.csv
"$BPROP" predict iris.safetensors long.csv --json -q >other || bad "a long file"
[ "$(wc -l <other)" -eq 60000 ] || bad "a long file: rows"
sed -n '59851,60000s/"row":[0-9]*//p' other >end
sed 's/"row":[0-9]*//' all >start
cmp -s start end || bad "a long file: the last rows differ from the first"

# info, of ours and of others.
"$BPROP" info iris.safetensors >out || bad "info"
for text in 'network 4-256-3 relu, 2,051 parameters' 'inputs  sepal_length, sepal_width, petal_length, petal_width' 'target  species' \
  'classes setosa, versicolor, virginica' 'layer1.W' '\[256, 4\]' 'bprop.version = 2'; do
  grep -q "$text" out || bad "info lacks $text"
done
printf '\100\000\000\000\000\000\000\000{"w":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}          \000\000\000\000\000\000\000\000' >foreign.safetensors
"$BPROP" info foreign.safetensors >out 2>err || { bad "info of another's file"; cat err; }
grep -q 'w  *float32  *\[2\]' out || bad "info of another's file: tensors"
row="another's file"
ends 4 "" predict foreign.safetensors "$iris"
finish
