# bprop check: right gradients, kinks, wrong ones, and what is refused.
. "$SRC/tests/cli/common"

# checks STATUS PATTERN ARGUMENT... : the program ends so, and its answer has a line that matches.
checks()
{
  want=$1 text=$2
  shift 2
  "$BPROP" check "$@" >out 2>err </dev/null
  got=$?
  [ $got -eq "$want" ] || { bad "exit $got, not $want: $row bprop check $*"; cat out err; }
  grep -Eq -e "$text" out || { bad "no '$text' in the answer: $row bprop check $*"; cat out err; }
}

row=neuron
neuron='1/(1+exp(-(w0*x0+w1*x1+w2)))'
at='w0=2 x0=-1 w1=-3 x1=-2 w2=-3'
# shellcheck disable=SC2086
checks 0 '^5 gradients against central differences, h=6e-6: largest relative error [0-9]e-1[0-9] \([wx][012]\)   ok$' "$neuron" $at
grep -Eq '^Taylor remainder along a random direction: rate (1\.9[5-9]|2\.0[0-5]) \((0\.9[5-9]|1\.0[0-5]) without the gradient\)   ok$' out ||
  { bad "no rate of 2"; cat out; }
grep -Eq '^forward mode against reverse mode: relative difference [0-9e-]+   ok$' out || bad "modes"
[ ! -s err ] || { bad "talk for nothing"; cat err; }
# shellcheck disable=SC2086
checks 0 '^2 gradients' "$neuron" $at --wrt w0,x1
# shellcheck disable=SC2086
checks 0 '^w0 +1 +1 ' "$neuron" $at -v
[ "$(grep -c '\*$' out)" -ge 2 ] || bad "the levels that the rate is taken from are not marked"

row=step
checks 0 'h=0.0001: largest relative error 2e-9' 'exp(x)' x=0.5 --step 1e-4
checks 0 'h=0.1: .*ok$' 'exp(x)' x=0.5 --step 0.1

row=linear
checks 0 'nothing but rounding, as the function is linear' 'sum(x)' 'x=randn(3,3)'

row=kinks
checks 0 '^kink within h of x\[1\]: slope 0 on the left, 1 on the right \(gradient 0\)$' 'sum(relu(x))' 'x=[-1,0,1]'
checks 0 '^3 gradients .*   ok$' 'sum(relu(x))' 'x=[-1,0,1]'
checks 0 '^kink within h of x: ' 'abs(x)' x=0
checks 0 '^kink within h of x: ' 'abs(x)' x=2e-6
checks 0 'none can be compared' 'abs(x)' x=0
checks 0 '^kink within h of a: ' 'max(a,b)' a=3 b=3
checks 0 '^Taylor.*: kink within h of the point$' 'max(a,b)' a=1 b=1.0000001
checks 0 '^edge at x\[0\]: ' 'sum(sqrt(x))' 'x=[0,4]'
checks 0 '^kink within h of x' 'floor(x)' x=2

row=rough
checks 0 '^too rough around x for h=1e-9: .*try a smaller --step$' 'sin(1e8*x)' x=1
checks 0 '^1 gradient .*   ok$' 'sin(1e8*x)' x=1 --step 1e-10
checks 0 '^Taylor.*: none, as the function is too rough' 'sin(1e12*x)' x=1
checks 0 '^Taylor.*: rate 2.[2-9].*   kinks crossed: it need not be 2$' 'sum(relu(x))' 'x=randn(1000000)'
checks 0 '^Taylor.*: rate 3.00 .*   ok$' 'sin(x)' x=0

row=wrong
checks 1 'largest relative error 0.5 \(x\)   WRONG$' 'x*stop_gradient(x)' x=1.5
grep -q '^  x = 1.5: gradient 1.5, differences 3 (h=9e-6)$' out || { bad "the wrong entry is not told"; cat out; }
grep -q 'rate 1.00 (1.00 without the gradient)   WRONG' out || { bad "the rate of a wrong gradient"; cat out; }
grep -q "^bprop: the gradient by 'x' is 1.5 by autodiff, 3 by differences" err || { bad "the message"; cat err; }
checks 1 '^b: .*WRONG' 'a=x*x; b=x*stop_gradient(x); a; b' x=2
grep -q '^a: .*ok$' out || bad "the right output of two is not told"
# Wrong in one of 5,000 entries that is not drawn: the direction through all of them shows it.
checks 1 'along a random direction through all of x: ' \
  'sum(sin(x[:4321])) + sum(sin(x[4322:])) + sin(x[4321])*stop_gradient(sin(x[4321]))' 'x=randn(5000)' --entries 10

# sqrt has an infinite slope at 0, and that of abs is 0 there: the gradient is NaN, though the function is constant.
checks 1 'gradient nan, differences 0 .*infinite slope' 'sqrt(abs(relu(x)))' x=-2
grep -q 'none, as the gradient along it is not finite' out || { bad "Taylor of a NaN"; cat out; }

row=parts
checks 0 '^1,000 of 4,000 gradients, drawn by seed 1, and random directions' 'sum(tanh(W @ x))' 'W=randn(40,100)' 'x=randn(100)' --wrt W
checks 0 '^4,000 gradients' 'sum(tanh(W @ x))' 'W=randn(40,100)' 'x=randn(100)' --wrt W --entries 4000

row=json
"$BPROP" check 'sum(relu(x)*y)' 'x=[0,2]' 'y=[3,4]' --json >out 2>err || bad "json fails"
"$PYTHON" - <<'END' || bad "json"
import json
a = json.loads(open("out").read())
assert a["schema"] == 1 and a["right"] and a["gradients"] == 4 and a["wrong"] == 0 and a["kinks"] == 1, a
x, y = a["inputs"]
assert x["name"] == "x" and x["kink_at"] == "x[0]" and x["kink"]["kind"] == "kink", x
assert abs(x["kink"]["left"]) < 1e-6 and abs(x["kink"]["right"] - 3) < 1e-6, x
assert y["worst"]["kind"] == "right" and len(a["taylor"]["levels"]) == 24, a
END
"$BPROP" check 'x*stop_gradient(x)' x=1.5 --json >out 2>err
[ $? -eq 1 ] || bad "a wrong gradient as JSON does not end with 1"
grep -q '"right":false' out || bad "right in JSON"

row=refused
ends 2 "it is computed" check 'q=x+y; q*z' x=-2 y=5 z=-4 --wrt q
ends 2 "no output is real" check 'argmax(x)' 'x=[1,2]'
ends 5 "not finite" check 'log(x)' x=-1
ends 3 "nothing is called 'y'" check 'x+y' x=1
ends 2 "--step: '0'" check 'x*x' x=1 --step 0
ends 2 "--step: 'nan'" check 'x*x' x=1 --step nan
ends 2 "--entries: '0'" check 'x*x' x=1 --entries 0
ends 2 "nothing to differentiate by" check '2+3'

# The same seed gives the same bytes for any number of threads.
row=threads
"$BPROP" check 'mean((A @ B)**2)' 'A=randn(30,40)' 'B=randn(40,20)' --json -j1 >one 2>err
"$BPROP" check 'mean((A @ B)**2)' 'A=randn(30,40)' 'B=randn(40,20)' --json -j3 >three 2>err
cmp -s one three || bad "threads change the answer"
finish
