# Tables larger than the memory for them: through a temporary file, from a file, a pipe and gzip; nothing is left behind; faults are told.
. "$SRC/tests/cli/common"
mkdir tmp
export TMPDIR=$work/tmp
awk 'BEGIN {
  srand(7)
  print "a,b,colour,y"
  split("red green blue", colour, " ")
  for (i = 0; i < 40000; i++) {
    a = rand(); b = rand(); c = colour[1 + int(3 * rand())]
    printf "%.6f,%s,%s,%.6f\n", a, i % 50 ? sprintf("%.5f", b) : "NA", c, 3 * a - b + (c == "red") + 0.1 * rand()
  }
}' >large.csv

"$BPROP" train large.csv --target y --memory 1M --epochs 3 -o a.safetensors >out 2>err || { bad "train"; cat err; }
grep -q 'more than fit the memory for data (--memory).*temporary file' err || { bad "it does not say where the data are"; cat err; }
awk '/^validation RMSE/ {ok = $3 < 0.1} END {exit !ok}' out || { bad "nothing was learned"; cat out; }
[ -z "$(ls -A tmp)" ] || bad "a temporary file is left"
# In memory the data are the same, and what is learned is as good.
"$BPROP" train large.csv --target y --memory 1G --epochs 3 -o b.safetensors >out 2>err || bad "train in memory"
if grep -q 'temporary file' err; then bad "a file for data that fit"; fi

# The same bytes from a pipe, from gzip, with other threads, and again.
same()
{
  shift_name=$1
  cmp -s a.safetensors c.safetensors || bad "another model: $shift_name"
}
cat large.csv | "$BPROP" train - --target y --memory 1M --epochs 3 -j 3 -o c.safetensors >out 2>err || { bad "a pipe"; cat err; }
"$BPROP" predict a.safetensors large.csv --json 2>/dev/null >all || bad "predict"
"$BPROP" predict c.safetensors large.csv --json 2>/dev/null >other || bad "predict by the other"
cmp -s all other || bad "a pipe gives another model"
gzip -c large.csv >large.csv.gz
"$BPROP" train large.csv.gz --target y --memory 1M --epochs 3 -o c.safetensors >out 2>err || { bad "gzip"; cat err; }
"$BPROP" predict c.safetensors large.csv --json 2>/dev/null >other || bad "predict by the third"
cmp -s all other || bad "gzip gives another model"
[ "$(wc -l <all)" -eq 40000 ] || bad "rows are lost in prediction"

# Killed: the file had no name.
"$BPROP" train large.csv --target y --memory 1M --epochs 100000000 --patience 100000000 -o d.safetensors >out 2>err &
pid=$!
said '^epoch' err $pid || { bad "it ended before it was killed"; cat err; }
kill -9 $pid
wait $pid 2>/dev/null
[ -z "$(ls -A tmp)" ] || bad "a temporary file is left by a process that was killed"

row="96 no place for the file"
TMPDIR=/nonexistent/place ends 6 "/nonexistent/place: a temporary file cannot be made" train large.csv --target y --memory 1M -o x
row=84
for size in 0 -1 1k 5X nan 1e30 ""; do
  ends 2 "bytes, as 512M or 2G" train large.csv --target y --memory "$size" -o x
done
row="tabs by name"
tr , '\t' <large.csv >large.tsv
ends 0 "" train large.tsv --target y --epochs 1 -o x
finish
