# The grammar: what is refused with status 2, and how it is said. Numbers are rows of the list of bad inputs.
. "$SRC/tests/cli/common"
iris_model
iris=$data/iris.csv

# row | words of the message | arguments
while IFS='|' read -r row text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends 2 "$text" $arguments
done <<END
83 no command|which command|
83 unknown command|did you mean train\?|trian
83 unknown command, none near|no command is called 'zzzzzz' |zzzzzz
83 option first|the command comes first|--epochs 3 train
83 nothing to work on|nothing to work on|train --target species
83 an input too many|one input too many|train $iris b c --target species
83 unknown option|did you mean --epochs\?|train $iris --epochz 3
83 unknown option, cut short|did you mean --activation\?|train $iris --activ relu
83 unknown letter|unknown option|train $iris -x
83 option of another command|no option of .bprop info., but of: train|info iris.safetensors --epochs 3
83 missing argument|--target: COLUMN is missing|train $iris --target
83 missing argument, option follows|--lr: X is missing|train $iris --lr --seed 1
83 missing argument of a letter|-o: FILE is missing|train $iris -o
83 argument to a flag|--quiet: takes no argument|train $iris --quiet=1
83 repeated|--seed: given twice|train $iris --seed 1 --seed 1
83 repeated by letter|-o: given twice|train $iris -o a.safetensors --epochs 2 -o b.safetensors
83 repeated flag|-q: given twice|train $iris -q -q
83 empty argument|--target: '' is not|train $iris --target=
83 no target|which column is to be learned.*species|train $iris
83 target with two files|--target: names a column|train $iris $iris --target species
83 data missing|an input is missing. usage: bprop eval|eval iris.safetensors
84 lr nan|--lr: 'nan'.*a number over 0|train $iris --lr nan
84 lr inf|--lr: 'inf'|train $iris --lr inf
84 lr -1|--lr: '-1'|train $iris --lr -1
84 lr 0|--lr: '0'|train $iris --lr 0
84 lr 1e999|--lr: '1e999'|train $iris --lr 1e999
84 lr text|--lr: 'fast'|train $iris --lr fast
84 lr rest|--lr: '0.1x'|train $iris --lr 0.1x
84 lr hexadecimal|--lr: '0x1p-3'|train $iris --lr 0x1p-3
84 batch 0|--batch: '0'.*from 1|train $iris --batch 0
84 epochs 2^63|--epochs: '9223372036854775808'|train $iris --epochs 9223372036854775808
84 epochs 2^64+1|--epochs: '18446744073709551617'|train $iris --epochs 18446744073709551617
84 epochs 0|--epochs: '0'|train $iris --epochs 0
84 epochs 2.5|--epochs: '2.5'|train $iris --epochs 2.5
84 dropout 1|--dropout: '1'.*under 1|train $iris --dropout 1
84 momentum 1|--momentum: '1'|train $iris --optimizer sgd --momentum 1
84 smoothing nan|--label-smoothing: 'nan'|train $iris --label-smoothing nan
84 test 1|--test: '1'|train $iris --test 1
84 test 100%|--test: '100%'|train $iris --test 100%
84 test of no name|--test: ''|train $iris --target species --test= --seed 1
84 valid -0.1|--valid: '-0.1'|train $iris --valid -0.1
85 epochs -1|--epochs: '-1'|train $iris --epochs -1
85 patience -1|--patience: '-1'|train $iris --patience -1
85 threads -1|-j: '-1'|train $iris -j -1
85 threads 0|-j: '0'|train $iris -j0
85 seed -1|--seed: '-1'|train $iris --seed -1
85 hidden -1|--hidden: '-1'|train $iris --hidden -1
85 hidden 5,,5|--hidden: '5,,5'|train $iris --hidden 5,,5
85 hidden 5,0|--hidden: '5,0'|train $iris --hidden 5,0
85 hidden 16 layers|--hidden: |train $iris --hidden 1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1
86 output is the data|is both input and output|train $iris --target species -o $iris
86 output is the test|is both input and output|train $iris --target species --test iris.safetensors -o iris.safetensors
86 output is the same by another name|is both input and output|train $iris --target species -o $data/../data/iris.csv
choice|--optimizer: 'adm'.*did you mean adam\?|train $iris --optimizer adm
activation|did you mean relu\?|train $iris --target species --activation rleu
activation of two inputs|no elementwise operation|train $iris --target species --activation atan2
activation maxout|maxout|train $iris --target species --activation maxout(0)
delimiter|--delimiter: 'x'|train $iris --delimiter x
nesterov alone|--nesterov: needs|train $iris --nesterov
momentum of adam|--momentum: is for|train $iris --momentum 0.9
init without its scale|--init: normal needs|train $iris --target species --init normal
dropout of nothing|no hidden layer|train $iris --dropout 0.5 --hidden none
operation|did you mean relu\?|ops rleu
help of nothing|did you mean train\?|help tarin
END
row=empty
ends 2 "--config" train "$iris" --config ""

row=86
cp iris.safetensors both
"$BPROP" predict iris.safetensors "$iris" >out 2>err || bad "predict"
cp "$iris" same.csv
"$BPROP" predict iris.safetensors same.csv >>same.csv 2>err
[ $? -eq 2 ] || bad "predict >>same.csv does not end with 2"
cmp -s same.csv "$iris" || bad "predict >>same.csv changed it"
cmp -s both iris.safetensors || bad "the model changed"

# The environment is looked at too.
row=environment
BPROP_LOG=9 "$BPROP" version >out 2>err
[ $? -eq 2 ] || bad "BPROP_LOG=9 is accepted"
BPROP_ISA=mmx "$BPROP" version >out 2>err
[ $? -eq 2 ] || bad "BPROP_ISA=mmx is accepted"
BPROP_ISA=base "$BPROP" version -v | grep -q "instruction set base" || bad "BPROP_ISA=base does nothing"
BPROP_PASSES=all,-fusion "$BPROP" version >out 2>err
[ $? -eq 2 ] || bad "BPROP_PASSES=all,-fusion is accepted"
grep -q "no pass 'fusion'; there are all, none, simplify" err || bad "the passes that there are, are not told"
for passes in all none all,-fuse none,views -epilogue; do
  BPROP_PASSES=$passes "$BPROP" train "$iris" --target=species --epochs=2 -q -o "p$passes.safetensors" || bad "BPROP_PASSES=$passes"
  cmp -s pall.safetensors "p$passes.safetensors" || bad "BPROP_PASSES=$passes gives other bits"
done

# What is allowed: = or a blank, letters together, -- before names, options after inputs.
row=allowed
ends 0 "" train "$iris" --target=species --epochs=2 -qj1 -oallowed.safetensors
cp "$iris" ./-odd.csv
ends 0 "" train --target species --epochs 2 -q -o odd.safetensors -- -odd.csv
ends 0 "" train "$iris" --target '#5' --epochs 2 -q -o allowed.safetensors
ends 0 "" train "$iris" --target 5 --epochs 2 -q -o allowed.safetensors
ends 0 "" train "$iris" --target species --epochs 2 -q -o allowed.safetensors --hidden none
ends 0 "" train "$iris" --target species --epochs 2 -q -o allowed.safetensors --activation 'maxout(2)' --hidden 8,4
[ ! -e species ] && [ ! -e -- ] || bad "a file of a strange name was written"
finish
