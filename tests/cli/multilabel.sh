# Several targets that are yes or no, each by itself: told as such from the data to the report.
. "$SRC/tests/cli/common"

# Each target follows from one column: the network gets nearly all right, the more common answer 50 to 60 %.
awk 'BEGIN {srand(5); print "a,b,red,big"; for (i = 0; i < 300; i++) {a = rand(); b = rand();
  printf("%.3f,%.3f,%s,%s\n", a, b, (a > 0.5) ? "yes" : "no", (b > 0.4) ? "yes" : "no")}}' >words.csv
sed 's/yes/1/g; s/no/0/g' words.csv >digits.csv
for file in words digits; do
  ends 0 "$file.csv: 300 rows, 2 numeric columns; 2 targets, each yes or no$" train $file.csv --target red,big --test 20% -o $file.safetensors
  grep -Eq '^test accuracy (9[5-9]|100)' out || bad "$file: $(cat out)"
  grep -Eq '^baseline \(always the most common answer to each\): (5|6)[0-9][.][0-9] % accuracy$' err || bad "$file: $(grep baseline err)"
  grep -Eq '^linear model [0-9.]+ %, network [0-9.]+ % \(test accuracy\)$' err || bad "$file: $(grep linear err)"
  if grep -q 'R2\|RMSE\|beat' err; then bad "$file: $(grep 'R2\|RMSE\|beat' err)"; fi
  ends 0 "" predict $file.safetensors words.csv -q
  head -n 1 out | grep -Eq '^ +row +red +big$' || bad "$file: $(head -n 1 out)"
  awk 'NR > 1 && !($2 >= 0 && $2 <= 1 && $3 >= 0 && $3 <= 1) {exit 1}' out || bad "$file: these are no probabilities"
done
cmp -s words.safetensors digits.safetensors && bad "two names of the data give the same file"

ends 0 "^fold 3/3  accuracy +[0-9.]+ %  loss [0-9.]+" train words.csv --target red,big --folds 3 --epochs 10 -o x
grep -Eq '^3 folds: accuracy 9[0-9.]+ ' err || bad "$(grep '3 folds' err)"
ends 0 "" eval words.safetensors words.csv
grep -Eq '^exact match' out && grep -Eq '^red +[0-9]+' out || bad "eval: $(cat out)"
# As numbers, when they are asked for as such, or by their loss.
ends 0 "2 numbers to predict" train digits.csv --target red,big --numeric red,big --epochs 5 -o x
grep -q '^validation RMSE' out || bad "numeric: $(cat out)"
ends 0 "2 numbers to predict" train digits.csv --target red,big --loss mse --epochs 5 -o x
# A label that has three answers is none.
sed '2s/yes$/perhaps/; 2s/no$/perhaps/' words.csv >three.csv
ends 3 "several targets must be all numbers, or all have two values each" train three.csv --target red,big -o y
# A missing answer leaves the row out.
sed '2s/[a-z]*$/NA/' words.csv >holes.csv
ends 0 "left out 1 row in which the target or one of them has no value" train holes.csv --target red,big --epochs 2 -o x
finish
