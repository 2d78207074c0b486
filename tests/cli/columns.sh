# What is found out about the columns of a table is said, and can be overruled. (test_spool.c: the same for rows in a file.)
. "$SRC/tests/cli/common"

# table NAME HEADER AWK: 300 rows of a file, by an awk program that sees i, and the class y of the row.
table()
{
  awk -v head="$2" 'BEGIN {print head; for (i = 1; i <= 300; i++) {y = i * 7919 % 31 % 2 ? "yes" : "no"; '"$3"'}}' </dev/null >"$1"
}

table index.csv ',a,y' 'printf "%d,%d,%s\n", i * 77 % 301, i % 17, y'
table empty.csv 'a,y,' 'printf "%d,%s,\n", i % 17, y'
table ids.csv 'id,a,y' 'printf "%d,%d,%s\n", i + 5, i % 17, y'
table names.csv 'name,a,y' 'printf "n%d,%d,%s\n", i, i % 17, y'
table dates.csv 'day,a,y' 'printf "2024-01-01 10:%02d:%02d,%d,%s\n", i / 60, i % 60, i % 17, y'
table odd.csv 'a,b,y' 'printf "%s,%d,%s\n", i == 1 ? "many" : i % 9, i % 17, y'
table late.csv 'a,b,y' 'printf "%s,%d,%s\n", i == 290 ? "many" : i, i % 17, y'
table commas.csv 'a,b,y' 'printf "\"%d,%03d\",%d,%s\n", i % 5 + 1, i % 3, i % 17, y'
table money.csv 'a,b,y' 'printf "$%d.50,%d,%s\n", i % 5 + 1, i % 17, y'
table same.csv 'a,b,y' 'printf "x,%d,%s\n", i % 17, y'
table marks.csv 'a,b,c,y' 'printf "%s,%s,%d,%s\n", i == 9 ? "NaN" : i % 9, i % 10 ? i % 7 : i % 20 ? "?" : "none", i % 17, y'
table nobody.csv 'a,b,y' 'printf "%d,%d,%s\n", i % 7, i % 17, i == 7 ? "NA" : i % 100 ? y : ""'

# file | what is said, or "not" and what is not | options
while IFS='|' read -r file text options; do
  [ -n "$file" ] || continue
  # shellcheck disable=SC2086
  "$BPROP" train "$file" --target y --epochs 1 --runs off -o x $options >out 2>err || { bad "$file"; cat err; }
  if [ "${text#not }" != "$text" ]; then
    if grep -Eq -e "${text#not }" err; then bad "'${text#not }' is said: $file $options"; fi
  else
    grep -Eq -e "$text" err || { bad "no '$text': $file $options"; cat err; }
  fi
done <<'END'
index.csv|left out column 'column 1': it has no name, as a column that numbers the rows \(asked for as numeric, it is kept\)
index.csv|not left out|--numeric #1
empty.csv|left out column 'column 3': it is empty$
ids.csv|left out column 'id': it only counts the rows
ids.csv|not left out|--numeric id
names.csv|left out column 'name': its text is nearly always another
names.csv|not left out|--categorical name
dates.csv|left out column 'day': it holds dates
odd.csv|column 'a' is taken as categories: it holds text, as 'many', beside numbers \(asked for as numeric, such text counts as missing\)
odd.csv|not taken as categories|--numeric a
odd.csv|not taken as categories|--categorical a
late.csv|left out column 'a': it holds text, as 'many', beside numbers
late.csv|not left out|--numeric a
commas.csv|column 'a' is taken as categories: it holds numbers written as '.,00.'; with digits and a decimal point alone they are numbers
money.csv|column 'a' is taken as categories: it holds numbers written as '[$].[.]50'
same.csv|left out column 'a': it is the same in all rows$
marks.csv|NA, \? and the like count as missing values in 'a' \(1 row\), 'b' \(30 rows\)$
marks.csv|300 rows, 3 numeric columns
nobody.csv|left out 4 rows in which the target has no value$
nobody.csv|296 rows, 2 numeric columns; 2 classes
END

# Values that training did not see: counted, with the first place, wherever rows are read for a network.
awk 'BEGIN {print "a,c,y"; for (i = 1; i <= 300; i++) printf "%d,%s,%s\n", i * 7 % 50, i % 3 ? "red" : "blue", i % 2 ? "p" : "q"}' >seen.csv
printf 'a,c,y\n1,green,p\n,red,p\nNA,blue,q\n' >new.csv
says="2 values missing in columns that had none in training, 1 value of categories that were not there in training \(the first: row 1, column 'c'\)"
ends 0 '' train seen.csv --target y --epochs 2 -q -o seen.safetensors
ends 0 "^test rows: $says; the mean or most common category stands for them$" train seen.csv --target y --epochs 2 --test new.csv -o x
ends 0 "^validation rows: $says" train seen.csv --target y --epochs 2 --valid new.csv -o x
ends 3 "new.csv: row 1, column 'c': 'green' is a category" train seen.csv --target y --epochs 2 --valid new.csv --unknown error -o x
ends 0 "^new.csv: $says" predict seen.safetensors new.csv --unknown missing
ends 0 "^new.csv: $says" eval seen.safetensors new.csv --unknown missing
ends 3 "new.csv: row 1, column 'c': 'green' is a category" predict seen.safetensors new.csv
grep -v green new.csv >holes.csv
ends 0 "^holes.csv: 2 values missing in columns that had none in training \(the first: row 1, column 'a'\)" predict seen.safetensors holes.csv
# A word as ? where there are categories is a missing value, not an unknown one.
printf 'a,c,y\n1,red,p\n2,?,p\n' >mark.csv
ends 0 "^mark.csv: 1 value missing in columns that had none in training \(the first: row 2, column 'c'\); .* stands for it$" predict seen.safetensors mark.csv
ends 0 "" predict seen.safetensors seen.csv
if grep -q "stands for" err; then bad "nothing was unseen"; fi
# More rows than a block of predictions, the only hole in the last.
awk 'BEGIN {print "a,c"; for (i = 1; i <= 20000; i++) printf "%s,red\n", i == 19999 ? "" : i % 50}' >long.csv
ends 0 "^long.csv: 1 value missing in columns .* \(the first: row 19999, column 'a'\)" predict seen.safetensors long.csv

# What stands in the column of the answers does not matter to predictions.
printf 'a,c,y\n1,red,\n2,blue,?\n3,red,who knows\n' >open.csv
printf 'a,c\n1,red\n2,blue\n3,red\n' >inputs.csv
ends 0 "" predict seen.safetensors inputs.csv
mv out want
ends 0 "" predict seen.safetensors open.csv
cmp -s out want || bad "answers change predictions"
ends 3 "row 1 has no value in the target column 'y'" eval seen.safetensors open.csv
finish
