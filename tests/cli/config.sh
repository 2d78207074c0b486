# Configuration files: defaults, file, command line, in this order; --print-config gives such a file.
. "$SRC/tests/cli/common"
iris=$data/iris.csv

cat >run.conf <<'END'
# a comment, and an empty line

target = species
epochs=3
  hidden = 7,5
quiet = yes
test = 25%
END
"$BPROP" train "$iris" --config run.conf -o a.safetensors >out 2>err || { bad "--config"; cat err; }
[ ! -s err ] || bad "quiet = yes does nothing"
grep -q '^test accuracy' out || bad "test = 25% does nothing"
"$BPROP" info a.safetensors | grep -q 'network 4-7-5-3 relu' || bad "hidden = 7,5 does nothing"
"$BPROP" train "$iris" --config run.conf --hidden 9 -o a.safetensors >out || bad "--config and --hidden"
"$BPROP" info a.safetensors | grep -q 'network 4-9-3 relu' || bad "the command line does not beat the file"

"$BPROP" train --config run.conf --lr 0.01 --print-config >printed 2>err || bad "--print-config"
for line in 'target = species' 'epochs = 3' 'hidden = 7,5' 'lr = 0.01' 'test = 0.25' 'valid = 0.1' 'optimizer = adamw' 'batch = auto' 'quiet = yes' '# output ='; do
  grep -qx -e "$line" printed || bad "--print-config lacks: $line"
done
"$BPROP" train --config printed --print-config >again || bad "what was printed cannot be read"
cmp -s printed again || { bad "what was printed means something else"; diff printed again; }
"$BPROP" train --test a b --delimiter tab --print-config >printed || bad "--test a b"
"$BPROP" train --config printed --print-config | cmp -s - printed || bad "a test file or tab means something else"

# row | message | text of the file
while IFS='|' read -r row text line; do
  [ -n "$row" ] || continue
  printf '%b\n' "$line" >bad.conf
  ends 2 "$text" train "$iris" --config bad.conf
done <<'END'
unknown key|bad.conf:1: epochz: unknown option.*did you mean|epochz = 3
bad value|bad.conf:2: lr: 'nan'|epochs = 3\nlr = nan
no equals|bad.conf:1: a line is|epochs
repeated|bad.conf:2: epochs: given twice|epochs = 3\nepochs = 4
flag|bad.conf:1: quiet: 'maybe'|quiet = maybe
itself|bad.conf:1: config: unknown|config = bad.conf
no value|bad.conf:1: target: ''|target =
END
row=
ends 2 "nothing.conf: No such file" train "$iris" --config nothing.conf
printf 'a\000b' >nul.conf
ends 2 "no configuration file" train "$iris" --config nul.conf
finish
