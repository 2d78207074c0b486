# Help for every command, the manual page in docs/ as the program makes it, and completion.
. "$SRC/tests/cli/common"

"$BPROP" help --man >bprop.1 || bad "help --man"
cmp -s bprop.1 "$SRC/docs/bprop.1" || { bad "docs/bprop.1 is not what \`bprop help --man\` makes"; diff bprop.1 "$SRC/docs/bprop.1" | head -n 20; }
if command -v man >/dev/null && man --version 2>/dev/null | grep -q '^man 2'; then
  MANWIDTH=80 man --warnings -E UTF-8 -l bprop.1 >page 2>warnings </dev/null || bad "man cannot read the page"
  [ ! -s warnings ] || { bad "man warns"; cat warnings; }
fi

"$BPROP" help >out 2>err || bad "help"
"$BPROP" --help >again || bad "--help"
cmp -s out again || bad "--help is not help"
"$BPROP" --version | grep -Eqx 'bprop [0-9]+\.[0-9]+\.[0-9]+' || bad "--version"
commands=$(sed -n '/^Commands/,/^$/s/^  \([a-z]*\) .*/\1/p' out)
[ "$(echo "$commands" | wc -l)" -ge 7 ] || bad "too few commands in help"
seen=
for command in $commands; do
  "$BPROP" help "$command" >one 2>err || bad "help $command"
  "$BPROP" "$command" --help >two 2>>err || bad "$command --help"
  "$BPROP" "$command" -h >three 2>>err || bad "$command -h"
  cmp -s one two && cmp -s one three || bad "$command --help is not help $command"
  [ ! -s err ] || bad "help $command talks on stderr"
  grep -q "^usage: bprop $command" one || bad "help $command has no usage"
  awk 'length > 100 {print "too wide: " $0; bad = 1} END {exit bad}' one || bad "help $command is too wide"
  # Every option that help shows is taken by the parser; under sanitizers, which are slow to start, each with its first command alone.
  for option in $(sed -n 's/^  *\(-[a-zA-Z], \)\{0,1\}--\([a-z][a-z0-9-]*\).*/\2/p' one | sort -u); do
    case " $seen " in *" $option "*) [ -z "${BPROP_SANITIZE-}" ] || continue ;; esac
    seen="$seen $option"
    "$BPROP" "$command" "--$option" >out 2>err </dev/null
    if grep -q 'unknown option\|no option of' err; then bad "help $command shows --$option, which is not taken"; fi
  done
done

"$BPROP" help --completion bash >completion || bad "help --completion bash"
if command -v bash >/dev/null; then
  bash -c '. ./completion
    COMP_WORDS=(bprop tr); COMP_CWORD=1; _bprop; [ "${COMPREPLY[*]}" = train ] || exit 1
    COMP_WORDS=(bprop train --lab); COMP_CWORD=2; _bprop; [ "${COMPREPLY[*]}" = --label-smoothing ] || exit 2
    COMP_WORDS=(bprop train --optimizer s); COMP_CWORD=3; _bprop; [ "${COMPREPLY[*]}" = sgd ] || exit 3
    COMP_WORDS=(bprop train di); COMP_CWORD=2; _bprop; [ "${#COMPREPLY[@]}" = 0 ] || exit 4' || bad "completion, case $?"
fi

# The table of operations.
"$BPROP" ops >out 2>/dev/null || bad "ops"
[ "$(wc -l <out)" -ge 60 ] || bad "few operations"
for op in $(cut -d' ' -f1 out); do
  "$BPROP" ops "$op" >one || bad "ops $op"
  for label in formula arguments derivative expansion examples; do
    grep -q "^  $label " one || bad "ops $op has no $label"
  done
done
"$BPROP" ops relu | grep -q 'jacobian .*: diagonal' || bad "the Jacobian of relu"
"$BPROP" ops matmul | grep -q 'd input 2: dense' || bad "the Jacobian of matmul"
"$BPROP" ops relu | grep -q 'kinks .*slope 0 at x = 0' || bad "the kink of relu"
finish
