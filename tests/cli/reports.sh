# bprop report: one sound page for classes, images, numbers and two inputs; names of others are text and never markup.
. "$SRC/tests/cli/common"
python=${PYTHON:-python3}

# page FILE TEXT... : the file is a page, and says each text.
page()
{
  [ -s "$1" ] || { bad "no $1"; return; }
  command -v "$python" >/dev/null || return
  "$python" "$SRC/tests/support/check-page.py" "$@" || bad "$1"
}

# A table: with the model alone, and with data.
"$BPROP" train "$data/wine.csv" --target cultivar --test 0.25 --epochs 12 -q -o wine.safetensors >/dev/null || bad "train wine"
"$BPROP" report wine.safetensors -o alone.html >out || bad "report of a model"
grep -q '^alone.html: report of 13-256-3 relu$' out || { bad "what report says"; cat out; }
page alone.html 'wine.safetensors' 'Confusion matrix' 'What the first layer looks for' 'Model card' 'data hash' 'Matthews correlation' \
  'Measured after training, on its test rows (45)' 'accuracy'
"$BPROP" report wine.safetensors "$data/wine.csv" -o wine.html >out || bad "report with data"
page wine.html 'Measured on 178 rows' 'Calibration' 'Worst mistakes' 'Importance of columns' 'proline' 'ROC AUC' 'validation'
"$BPROP" report wine.safetensors "$data/wine.csv" >stdout.html && cmp wine.html stdout.html || bad "report on standard output"
"$BPROP" report wine.safetensors "$data/wine.csv" -j 2 -o again.html >out && cmp wine.html again.html || bad "another report the second time"

# Images.
"$BPROP" train "$data/digits.csv" --target digit --epochs 2 -q -o digits.safetensors >/dev/null || bad "train digits"
head -n 400 "$data/digits.csv" >some.csv
"$BPROP" report digits.safetensors some.csv -o digits.html >out || bad "report of images"
page digits.html 'What speaks for a class' 'Worst mistakes' 'row '
grep -q 'Importance of columns' digits.html && bad "importance of pixels"
[ "$(grep -o '<img' digits.html | wc -l)" -gt 20 ] || bad "no images of mistakes"

# Numbers, and a plane.
cut -d, -f3-4 "$data/iris.csv" >petals.csv
"$BPROP" train petals.csv --target petal_width --epochs 20 -q -o width.safetensors >/dev/null || bad "train numbers"
"$BPROP" report width.safetensors petals.csv -o width.html >out || bad "report of numbers"
page width.html 'Predicted and true: petal_width' 'Residuals' 'RMSE' 'median absolute error' 'off by'
grep -q 'Confusion\|confusion' width.html && bad "confusion of numbers"
cut -d, -f3-5 "$data/iris.csv" >plane.csv
"$BPROP" train plane.csv --target species --epochs 20 -q -o plane.safetensors >/dev/null || bad "train a plane"
"$BPROP" report plane.safetensors plane.csv -o plane.html >out || bad "report of a plane"
page plane.html 'Decision regions' 'petal_length'

# Names that look like markup, in columns, categories, classes and files.
{
  echo '"<script>alert(1)</script>","""><img src=x onerror=alert(2)>",k&lt;nd'
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    echo "$i,$((i % 3)),<b>yes</b>"
    echo "-$i,$((i % 4)),\"</title><svg onload=alert(3)>\""
  done
} >'a"<i>b.csv'
"$BPROP" train 'a"<i>b.csv' --target 'k&lt;nd' --epochs 30 -q -o '<u>.safetensors' >/dev/null || bad "train evil"
"$BPROP" report '<u>.safetensors' 'a"<i>b.csv' -o evil.html >out || bad "report of evil names"
page evil.html '<script>alert(1)</script>' '<u>.safetensors' '<b>yes</b>' 'a"<i>b.csv'
grep -Eq '<script|<img src=x|<svg onload|<b>yes|<u>|<i>' evil.html && bad "names of others are markup"

# So are text categories, in the table of mistakes and in the names of several targets.
{
  echo 'kind<i>,x,"<b>one</b>",two&amp;'
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do
    echo "\"<script>alert(4)</script>\",$i,$((i * 3 % 7)).5,$((i % 5)).25"
    echo "'><img src=x>,,$((i * 5 % 7)).5,$((i % 3)).25"
  done
} >kinds.csv
"$BPROP" train kinds.csv --target '<b>one</b>,two&amp;' --epochs 3 -q -o kinds.safetensors >/dev/null || bad "train kinds"
"$BPROP" report kinds.safetensors kinds.csv -o kinds.html >out || bad "report of kinds"
page kinds.html '<script>alert(4)</script>' "'><img src=x>" '<b>one</b>' 'two&amp;' 'each target measured by its RMSE'
grep -Eq '<script|<img|<b>one|<i>' kinds.html && bad "categories are markup"
[ "$(grep -c '<tr><td class="n">[0-9]' kinds.html)" -eq 15 ] || bad "mistakes of several targets"

# Labels: those that are true, and those that were said.
{
  echo 'x,red,green,blue'
  for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30; do
    echo "$i,$((i % 2)),$((i > 15)),$((i * 7 % 3 == 1))"
  done
} >labels.csv
"$BPROP" train labels.csv --target red,green,blue --loss multilabel --epochs 3 -q -o labels.safetensors >/dev/null || bad "train labels"
"$BPROP" report labels.safetensors labels.csv -o labels.html >out || bad "report of labels"
page labels.html 'Worst mistakes' 'red, green' 'exact match' 'Validation accuracy'

# The curve of the metric that was watched, and a linear model beside the network, also where nothing was told.
"$BPROP" train "$data/wine.csv" --target cultivar --epochs 4 --metric 'log_loss' -q -o watched.safetensors >/dev/null || bad "train by log loss"
"$BPROP" report watched.safetensors -o watched.html >out || bad "report of a watched metric"
page watched.html 'Validation log loss' 'a linear model had' 'accuracy of a linear model' 'After training, on its validation rows'

# Rows by their weights: a wrong one that counts for nothing is no mistake of the matrix.
awk -F, 'NR == 1 {print $0 ",w"; next} {print $0 "," ($NF == "class_1" ? 2 : 0)}' "$data/wine.csv" >weighted.csv
"$BPROP" report wine.safetensors weighted.csv --weights w -o weighted.html >out || bad "report by weights"
page weighted.html '142' 'Measured on 178 rows'

# Of data in a temporary file: the same page, but for the names of the model and the rows that are drawn.
for memory in 1M 1G; do
  "$BPROP" train "$data/digits.csv" --target digit --epochs 1 -q -o large.safetensors >/dev/null || bad "train digits again"
  { cat "$data/digits.csv"; for i in 1 2 3; do tail -n +2 "$data/digits.csv"; done; } >large.csv
  "$BPROP" report large.safetensors large.csv --memory $memory -o $memory.html 2>err >out || { bad "report with $memory"; cat err; }
done
for part in metrics confusion mistakes; do
  for memory in 1M 1G; do sed -n "/<section id=\"$part\">/,/<.section>/p" $memory.html >$memory.part; done
  [ -s 1M.part ] && cmp 1M.part 1G.part || bad "$part differ for data in a file"
done

# What cannot be.
ends 2 'both input and output' report wine.safetensors "$data/wine.csv" -o wine.safetensors
ends 6 'no/such' report wine.safetensors -o no/such/x.html
ends 4 '' report "$data/wine.csv"
ends 3 "column 'alcohol' is missing" report wine.safetensors plane.csv -o x.html
[ ! -e x.html ] || bad "a report in spite of failure"
finish
