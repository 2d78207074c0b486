# Bad data files end with 3 and a message with the place, bad models with 4, what cannot be written with 6, and divergence with 5.
. "$SRC/tests/cli/common"
iris_model
iris=$data/iris.csv

printf '' >empty.csv
echo 'a,b,y' >header.csv
printf 'a,b,y\n1,2,0\n1,2\n3,4,1\n' >ragged.csv
printf 'a,b,y\n1,2,0\n1,"2,1\n' >quote.csv
printf 'a,b,y\n1,2,0\n1,-inf,1\n2,3,1\n' >infinite.csv
printf 'a,b,y\n1,2,0\n1,1e999,1\n' >huge.csv
printf 'a,b,y\n1,2,0\n1,,1\n2,2,1\n' >missing.csv
printf 'a,b,y\n1,2,\n1,2,\n2,2,\n' >no_answers.csv
printf 'a,b,y\n1,2,0\n1,3,0\n2,3,0\n' >one_class.csv
printf 'y\n1\n0\n' >no_inputs.csv
printf 'a,b,y\n1,2\000,0\n' >nul.csv
printf '150,4,setosa,versicolor,virginica\n5.1,3.5,1.4,0.2,0\n4.9,3.0,1.4,0.2,0\n' >sklearn.csv
printf 'a,b,y\n1,2,0\n\377\376,2,1\n' >latin.csv
printf 'a,b,y\n1e300,2,0\n1,2,1\n' >wide.csv
sed 's/setosa/unheard-of/' "$iris" >classes.csv
sed '1s/petal_width/petal_widht/' "$iris" >renamed.csv
cut -d, -f1-4 "$iris" >inputs.csv
awk -F, -v OFS=, 'NR == 7 {$2 = ""} {print}' "$iris" >hole.csv
awk -F, -v OFS=, 'NR == 3 {$2 = "tall"} {print}' "$iris" >worded.csv
awk -F, -v OFS=, 'NR == 4 {$5 = ""} {print}' "$iris" >unanswered.csv
"$BPROP" train "$iris" --target species --missing refuse --epochs 2 -q -o strict.safetensors >out 2>err || bad "strict model"
gzip -c "$iris" | head -c 400 >cut.csv.gz
{ echo 'a,b,y'; head -c 50000000 /dev/zero; } | gzip >zeros.csv.gz
{ printf '\000\000\010\001\000\000\000\003\000\001\000'; head -c 50000000 /dev/zero; } | gzip >bomb.gz
awk -F, -v OFS=, 'NR > 1 {$4 = "p" NR} {print}' "$iris" >texts.csv
awk -F, -v OFS=, 'NR > 1 {$4 = "\"0," NR "\""} {print}' "$iris" >commas.csv
printf '"a";"y"\n1;2\n' >quoted.csv
printf 'a b y\n1 2 0\n2 1 1\n' >blanks.csv
mkdir folder

# IDX by hand: 3 images of 2x2, labels
printf '\000\000\010\003\000\000\000\003\000\000\000\002\000\000\000\002\001\002\003\004\005\006\007\010\011\012\013\014' >images
printf '\000\000\010\001\000\000\000\003\000\001\000' >labels
printf '\000\000\010\001\000\000\000\002\000\001' >two_labels
printf '\000\000\007\001\000\000\000\003\000\001\000' >bad_type
head -c 20 images >short_images
printf '\000\000\010\001\377\377\377\377\000' >long_labels
printf '\223NUMPY\001\000\377\377{' >bad.npy

# row | status | words of the message | arguments
while IFS='|' read -r row status text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends "$status" "$text" $arguments
done <<END
no such file|3|nothing.csv: .*No such file|train nothing.csv --target y -o x
a folder|3|folder|train folder --target y -o x
40 type code|3|bad_type|train images bad_type -o x
41 count past the file|3|short_images|train short_images labels -o x
41 count past the file|3|long_labels|train images long_labels -o x
42 images and labels differ|3|3.*2|train images two_labels -o x
42 images without labels|2|labels are missing|train images -o x
two tables|3|neither|train $iris $iris -o x
33 npy|3|bad.npy|train bad.npy labels -o x
43 a class that was not trained|3|no class 'unheard-of'|eval iris.safetensors classes.csv
44 ragged|3|ragged.csv:3|train ragged.csv --target y -o x
45 empty|3|empty.csv|train empty.csv --target y -o x
45 header only|3|header.csv|train header.csv --target y -o x
45 no inputs|3|no_inputs.csv|train no_inputs.csv --target y -o x
46 not a number|3|worded.csv:3:.*text ."tall". in column "sepal_width"|predict iris.safetensors worded.csv
46 inf|3|infinite.csv:3:3: not a finite number, in column .b.|train infinite.csv --target y -o x
46 a target that is no classes|3|column .petal_width. cannot be the target: its text is nearly always another|train texts.csv --target petal_width -o x
46 a target of numbers with commas|3|column .petal_width. cannot be the target: it holds numbers written as .0,2.; with digits and a decimal point|train commas.csv --target petal_width -o x
50 semicolons behind quotes|3|a semicolon after a closing quote; if it separates the fields, give it as the delimiter .--delimiter|train quoted.csv --target y -o x
46 1e999|3|huge.csv|train huge.csv --target y -o x
46 past float32|3|wide.csv|train wide.csv --target y -o x
46 missing value refused|3|row 2 has no value in column 'b'|train missing.csv --target y --missing refuse -o x
46 missing value refused in prediction|3|row 6 has no value in column 'sepal_width'|predict strict.safetensors hole.csv
46 no answer at all|3|'y' has no value in any row|train no_answers.csv --target y -o x
46 missing answer|3|row 3 has no value in the target column 'species'|eval iris.safetensors unanswered.csv
47 open quote|3|quote.csv:3|train quote.csv --target y -o x
48 NUL|3|nul.csv|train nul.csv --target y -o x
48 not UTF-8|3|latin.csv|train latin.csv --target y -o x
51 no header|3|sklearn.csv.*whether it is a header.*--header yes, or --header no|train sklearn.csv --target 5 -o x
44 fields separated by blanks|3|the only one is .a b y., and with another delimiter there may be more .--delimiter|train blanks.csv --target y -o x
51 target missing|3|no column|train $iris --target flower -o x
51 target near|3|did you mean.*species|train $iris --target specie -o x
51 column missing|3|'petal_width' is missing.*did you mean .petal_widht|predict iris.safetensors renamed.csv
51 target missing in eval|3|answers, 'species', is missing|eval iris.safetensors inputs.csv
one class|3|one class|train one_class.csv --target y -o x
104 cut short|3|cut.csv.gz|train cut.csv.gz --target species -o x
39 a gzip bomb|3|zeros.csv.gz:2:1: a NUL byte|train zeros.csv.gz --target y -o x
39 a gzip bomb|3|bomb.gz: .*bytes follow the last element|train images bomb.gz -o x
more folds than rows|2|--folds: 151 folds cannot be made of 150 rows|train $iris --target species --folds 151 -o x
nothing left to train|2|--freeze: nothing is left to train|train $iris --target species --from iris.safetensors --freeze layer1,layer2 -o x
a table to augment|2|--augment: shift and flip are for images|train $iris --target species --augment flip -o x
images moved out of sight|2|--augment: shift is 2, and the images are 2x2|train images labels --augment shift=2 -o x
images and labels in the wrong order|3|are the two files in the wrong order|train labels images -o x
a network that cannot be, with missing values refused|2|--hidden|train $iris --target species --missing refuse --hidden -3 -o x
a model as data|3|is a model|train iris.safetensors --target y -o x
a model as data|3|is a model|predict iris.safetensors iris.safetensors
data as a model|4|the model comes first|predict $iris iris.safetensors
no such model|4|nothing.safetensors|predict nothing.safetensors $iris
a test that is not there|3|nothing.csv|train $iris --target species --test nothing.csv -o x
71 output is a folder|6|folder|train $iris --target species -o folder
71 output is a device|6|/dev/null|train $iris --target species -o /dev/null
96 output has no folder|6|nowhere|train $iris --target species -o nowhere/x
107 diverged|5|epoch 1|train $iris --target species -q --optimizer sgd --lr 1e5 -o x
94 out of memory|6|out of memory|train $iris --target species -q --hidden 1000000,1000000 -o x
END
[ ! -e x ] || bad "a model was written in spite of the failure"

row=71
ln -s iris.safetensors link
mkfifo fifo
ends 6 "symbolic link" train "$iris" --target species -o link
ends 6 "no regular file" train "$iris" --target species -o fifo
[ -L link ] && [ -p fifo ] && [ -c /dev/null ] || bad "71: something was replaced"

# 66, 67: a model cut at any length, or with any bit turned, is refused; the program neither crashes nor answers.
row=66
size=$(wc -c <iris.safetensors)
step=$((size / 40 + 1))
for n in $(seq 0 $step $((size - 1))); do
  head -c "$n" iris.safetensors >short
  ends 4 "" predict short "$iris"
  ends 4 "" info short
done
row=67
for n in $(seq 0 $step $((size - 1))); do
  cp iris.safetensors turned
  byte=$(od -An -tu1 -j "$n" -N 1 iris.safetensors)
  # shellcheck disable=SC2059
  printf "\\$(printf %03o $((byte ^ 4)))" | dd of=turned bs=1 seek="$n" conv=notrunc 2>/dev/null
  ends 4 "" predict turned "$iris"
done

# 50: BOM, CRLF and a missing final newline are nothing to complain of; nor is a decimal comma of the locale (51).
row=50
printf '\357\273\277' >bom.csv
sed 's/$/\r/' "$iris" | head -c -2 >>bom.csv
ends 0 "" eval iris.safetensors bom.csv
for locale in $(locale -a 2>/dev/null | grep -E '^(de|fr|es|it)_' | head -n 1); do
  LC_ALL=$locale "$BPROP" eval iris.safetensors "$iris" >other 2>/dev/null
  "$BPROP" eval iris.safetensors "$iris" >out 2>/dev/null
  cmp -s out other || bad "51: another locale gives another answer"
done
finish
