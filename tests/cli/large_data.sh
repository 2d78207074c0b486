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

# Held out by class as ever, no more than fit; and cross-validation, which holds out rows where they are.
awk -F, -v OFS=, 'NR == 1 {print; next} {$4 = $4 > 1.5 ? "high" : "low"; print}' large.csv >classes.csv
"$BPROP" train classes.csv --target y --memory 1M --epochs 1 --test 30% -o c.safetensors >out 2>err || { bad "classes"; cat err; }
grep -q 'validation [0-9,]* rows (stratified), test [0-9,]* rows' err || { bad "rows of classes are not stratified"; cat err; }
grep -q 'rows held out are fewer than asked for, as many as fit that memory' err || { bad "that fewer are held out is not told"; cat err; }
"$BPROP" train classes.csv --target y --memory 1M --epochs 1 --folds 3 -o c.safetensors >out 2>err || { bad "folds"; cat err; }
grep -Eq '^3 folds: accuracy 9[0-9.]+ \+- ' err || { bad "folds of rows in a file"; cat err; }
if grep -q 'fewer than asked' err; then bad "folds are whole"; fi

# The same predictions from a pipe with other threads, and from gzip.
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

# Measured from a file: the same numbers, and groups by any column.
for how in "" "--by colour" "--by a"; do
  # shellcheck disable=SC2086
  "$BPROP" eval a.safetensors large.csv --json --memory 2M $how >from-file 2>err || { bad "eval $how"; cat err; }
  # shellcheck disable=SC2086
  "$BPROP" eval a.safetensors large.csv --json $how >from-memory || bad "eval in memory $how"
  cmp from-file from-memory || bad "eval $how differs for data in a file"
done
"$BPROP" eval a.safetensors large.csv --memory 1M -v >out 2>err || bad "eval in 1M"
[ -z "$(ls -A tmp)" ] || bad "eval leaves a temporary file"
{ cat large.csv; tail -n +2 large.csv; } >larger.csv
"$BPROP" eval a.safetensors larger.csv --memory 1M >out 2>err || bad "eval of more rows"
grep -q 'left out: median absolute error; .*--memory' err || { bad "what is left out is not told"; cat err; }
grep -q '^RMSE' out && ! grep -q 'median' out || { bad "metrics of rows that are not kept"; cat out; }
"$BPROP" train large.csv --target y --test larger.csv --memory 1M --epochs 1 -o t.safetensors >out 2>err || { bad "a large test file"; cat err; }
grep -q '^test RMSE' out || { bad "no test RMSE"; cat out; }
{ cat large.csv; echo '0.5,0.5,mauve,1'; } >unknown.csv
row="an unknown category in a file"
ends 3 "row 40001, column 'colour': 'mauve'" eval a.safetensors unknown.csv --memory 1M

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
