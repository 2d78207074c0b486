# bprop graph: what it tells, where it writes, what it refuses; and the picture of the README is the one it draws.
. "$SRC/tests/cli/common"

neuron='1/(1+exp(-(w0*x0+w1*x1+w2)))'
values='w0=2 x0=-1 w1=-3 x1=-2 w2=-3'

# told OUTPUT ARGUMENT... : the program prints just this.
told()
{
  want=$1
  shift
  "$BPROP" "$@" >out 2>err </dev/null || bad "exit $?: bprop $*"
  [ "$(cat out)" = "$want" ] || { bad "bprop $* says"; cat out err; }
}

# shellcheck disable=SC2086
{
  told 'neuron.svg: 5 inputs, 8 nodes (with --bundle: 5, the last four drawn as one sigmoid)' graph "$neuron" $values -o neuron.svg
  cmp neuron.svg "$SRC/docs/pictures/neuron.svg" || bad "docs/pictures/neuron.svg is not what bprop graph draws"
  told 'b.svg: 5 inputs, 8 nodes; with --bundle 5, the last four drawn as one sigmoid' graph "$neuron" $values -o b.svg --bundle
  told '{"schema":1,"file":null,"inputs":5,"nodes":8,"drawn":5,"bundles":1,"bundled":4}' graph "$neuron" $values --bundle --json
  "$BPROP" graph "$neuron" $values -q >stdout.svg 2>err || bad "no picture on standard output"
}
cmp neuron.svg stdout.svg || bad "the picture differs on standard output"
[ ! -s err ] || bad "talk in spite of -q"

told 'p.png: 3 inputs, 2 nodes' graph '(x+y)*z' x=-2 y=5 z=-4 -o p.png --dark
[ "$(head -c 8 p.png | od -An -tx1 | tr -d ' \n')" = 89504e470d0a1a0a ] || bad "p.png is no PNG"

# Every line of the text for Graphviz is a statement; where Graphviz is installed, it reads it.
"$BPROP" graph 'def f(x): return 1/(1+exp(-x))
f(a*b) + max(a, b)' a=1 b=2 --dot --unbundle -q >f.dot 2>err || { bad "no text for Graphviz"; cat err; }
grep -Ev '^(digraph circuit \{|\}|rankdir=LR|node \[.*\]|edge \[.*\]|subgraph cluster_[0-9_]+ \{.*|n[0-9]+_[0-9]+ (\[.*\]|-> n[0-9]+_[0-9]+.*))$' f.dot &&
  bad "lines that are no statements"
[ "$(tr -cd '{' <f.dot | wc -c)" -eq "$(tr -cd '}' <f.dot | wc -c)" ] || bad "brackets that do not match"
! command -v dot >/dev/null || dot -Tsvg f.dot >/dev/null || bad "Graphviz does not read it"

# A function that is opened has its parts in a frame.
"$BPROP" graph 'def f(x): return 1/(1+exp(-x))
f(a*b)' a=1 b=2 -q >closed.svg && "$BPROP" graph 'def f(x): return 1/(1+exp(-x))
f(a*b)' a=1 b=2 --unbundle -q >opened.svg
grep -q stroke-dasharray opened.svg && ! grep -q stroke-dasharray closed.svg || bad "no frame around an opened function"
grep -q '>exp<' opened.svg && ! grep -q '>exp<' closed.svg || bad "an opened function does not show its parts"

# The same bytes each time.
"$BPROP" graph 'tanh(W@x)' 'W=randn(40,30)' 'x=randn(30)' -q -j 1 >1.svg && "$BPROP" graph 'tanh(W@x)' 'W=randn(40,30)' 'x=randn(30)' -q -j 3 >3.svg
cmp 1.svg 3.svg || bad "other bytes for other threads"

# Inputs without a value are drawn without.
ends 0 "drawn without values: q has no value" graph "input('q')*2"
grep -q '>q<' out || bad "the input without a value is missing"

# row | status | words of the message | arguments
while IFS='|' read -r row status text arguments; do
  [ -n "$row" ] || continue
  # shellcheck disable=SC2086
  ends "$status" "$text" $arguments
done <<END
83 opposites|2|--bundle and --unbundle are opposites|graph x*x x=2 --bundle --unbundle
83 nothing|2|nothing to work on|graph
83 text named as a picture|2|--dot writes text|graph x*x x=2 --dot -o x.PNG
83 unknown kind of file|2|\.svg|graph x*x x=2 -o x.gif
84 most|2|--most: '1'|graph x*x x=2 --most 1
75 empty expression|3|.|graph ;
81 unknown name|3|y|graph x*y x=2
96 no such folder|6|.|graph x*x x=2 -o nowhere/x.svg
END
finish
