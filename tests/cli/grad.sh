# bprop grad: the circuits of the lecture as they are printed (derivations of the numbers: tests/test_lecture.c), what --json says, and
# what is refused.
. "$SRC/tests/cli/common"

# shows ARGUMENT... : the program prints what stands on standard input.
shows()
{
  cat >want
  "$BPROP" grad "$@" >out 2>err </dev/null || { bad "exit $?: bprop grad $*"; cat err; }
  cmp -s out want || { bad "bprop grad $*"; diff want out; }
  [ ! -s err ] || { bad "bprop grad $* talks"; cat err; }
}

neuron='1/(1+exp(-(w0*x0+w1*x1+w2)))'
shows "$neuron" w0=2 x0=-1 w1=-3 x1=-2 w2=-3 <<'END'
f = 0.731058578630
name   value    gradient
w0     2.0000    -0.1966
x0    -1.0000     0.3932
w1    -3.0000    -0.3932
x1    -2.0000    -0.5898
w2    -3.0000     0.1966
END

# f = (x + y) z: both inputs of the sum get what the sum gets; the product swaps.
shows --steps '(x+y)*z' x=-2 y=5 z=-4 <<'END'
f = -12

forward            value  from
x        input   -2.0000
y        input    5.0000
#1       add      3.0000  x+y
z        input   -4.0000
f        mul    -12.0000  (x+y)*z

backward       to  upstream  *    local  =  product
f         mul  #1    1.0000  *  -4.0000  =  -4.0000
               z     1.0000  *   3.0000  =   3.0000
#1        add  x    -4.0000  *   1.0000  =  -4.0000
               y    -4.0000  *   1.0000  =  -4.0000

name   value    gradient
x     -2.0000    -4.0000
y      5.0000    -4.0000
z     -4.0000     3.0000
END

# The sigmoid neuron: the eight gradients from the output back are the column `upstream`, and what the sums hand on.
shows --steps "$neuron" w0=2 x0=-1 w1=-3 x1=-2 w2=-3 <<'END'
f = 0.731058578630

forward           value  from
w0       input   2.0000
x0       input  -1.0000
#1       mul    -2.0000  w0*x0
w1       input  -3.0000
x1       input  -2.0000
#2       mul     6.0000  w1*x1
#3       add     4.0000  w0*x0+w1*x1
w2       input  -3.0000
#4       add     1.0000  w0*x0+w1*x1+w2
#5       neg    -1.0000  -(w0*x0+w1*x1+w2)
#6       exp     0.3679  exp(-(w0*x0+w1*x1+w2))
#7       add     1.3679  1+exp(-(w0*x0+w1*x1+w2))
f        div     0.7311  1/(1+exp(-(w0*x0+w1*x1+w2)))

backward       to  upstream  *    local  =  product
f         div  #7    1.0000  *  -0.5344  =  -0.5344
#7        add  #6   -0.5344  *   1.0000  =  -0.5344
#6        exp  #5   -0.5344  *   0.3679  =  -0.1966
#5        neg  #4   -0.1966  *  -1.0000  =   0.1966
#4        add  #3    0.1966  *   1.0000  =   0.1966
               w2    0.1966  *   1.0000  =   0.1966
#3        add  #1    0.1966  *   1.0000  =   0.1966
               #2    0.1966  *   1.0000  =   0.1966
#2        mul  w1    0.1966  *  -2.0000  =  -0.3932
               x1    0.1966  *  -3.0000  =  -0.5898
#1        mul  w0    0.1966  *  -1.0000  =  -0.1966
               x0    0.1966  *   2.0000  =   0.3932

name   value    gradient
w0     2.0000    -0.1966
x0    -1.0000     0.3932
w1    -3.0000    -0.3932
x1    -2.0000    -0.5898
w2    -3.0000     0.1966
END

# Numbers that are as wide as a column keep a blank between them; the columns beside them follow.
shows 'sum(x*y*-1e-4)' 'x=[4.733,-1,1e7]' 'y=[1.5,12345678,-4.5]' <<'END'
f = 5734.56709005
x [3]
                         value                             gradient
    4.7330   -1.0000 1.000e+07     -1.500e-04 -1234.5678  4.500e-04
y [3]
                         value                             gradient
    1.5000 1.235e+07   -4.5000     -4.733e-04  1.000e-04 -1000.0000
END
shows 'a*b*c' a=12345678 b=1e-9 c=-3e-5 <<'END'
f = -3.7037034e-07
name     value     gradient
a     1.235e+07  -3.000e-14
b     1.000e-09   -370.3703
c    -3.000e-05      0.0123
END

# Forks, routers and a tie: x comes back from two places, max(x, z) lets z through, max(0, y) the constant, and at a tie the constant wins.
shows --steps 'x*y + max(x, z) + max(0, y) + max(t, 0)' x=3 y=-2 z=5 t=0 <<'END'
f = -1

forward             value  from
x        input     3.0000
y        input    -2.0000
#1       mul      -6.0000  x*y
z        input     5.0000
#2       maximum   5.0000  max(x, z)
#3       add      -1.0000  x*y + max(x, z)
#4       maximum   0.0000  max(0, y)
#5       add      -1.0000  x*y + max(x, z) + max(0, y)
t        input     0.0000
#6       maximum   0.0000  max(t, 0)
f        add      -1.0000  x*y + max(x, z) + max(0, y) + max(t, 0)

backward           to  upstream  *    local  =  product
f         add      #5    1.0000  *   1.0000  =   1.0000
                   #6    1.0000  *   1.0000  =   1.0000
#6        maximum  t     1.0000  *   0.0000  =   0.0000  0 wins
#5        add      #3    1.0000  *   1.0000  =   1.0000
                   #4    1.0000  *   1.0000  =   1.0000
#4        maximum  y     1.0000  *   0.0000  =   0.0000  0 wins
#3        add      #1    1.0000  *   1.0000  =   1.0000
                   #2    1.0000  *   1.0000  =   1.0000
#2        maximum  x     1.0000  *   0.0000  =   0.0000  z wins
                   z     1.0000  *   1.0000  =   1.0000  wins
#1        mul      x     1.0000  *  -2.0000  =  -2.0000
                   y     1.0000  *   3.0000  =   3.0000
y         total    0.0000 (#4) + 3.0000 (#1)  =  3.0000
x         total    0.0000 (#2) - 2.0000 (#1)  =  -2.0000

name   value    gradient
x      3.0000    -2.0000
y     -2.0000     3.0000
z      5.0000     1.0000
t      0.0000     0.0000
END

# A network of two layers, the gradient of s0 - 2 s1: shapes, and the class of each local Jacobian.
shows --steps 'h = max(0, W1 @ x)
s = W2 @ h
s @ [1,-2]' 'W1=[[1,-1],[2,1],[-1,1]]' 'W2=[[1,-2,3],[0,1,-1]]' 'x=[2,1]' <<'END'
f = -19

forward                          value  from
W1       input     [3,2] 1 -1 2 1 -1 1
x        input                 [2] 2 1
#1       dot                [3] 1 5 -1  W1 @ x
h        maximum             [3] 1 5 0  max(0, W1 @ x)
W2       input     [2,3] 1 -2 3 0 1 -1
s        dot                  [2] -9 5  W2 @ h
#2       constant             [2] 1 -2
f        dot                  -19.0000  s @ [1,-2]

backward           to    upstream  *               local  =               product
f         dot      s       1.0000  *         spread 1 -2  =              [2] 1 -2
s         dot      W2    [2] 1 -2  *  spread 1 5 0 1 5 0  =  [2,3] 1 5 0 -2 -10 0
                   h     [2] 1 -2  *           dense 2x3  =            [3] 1 -4 5
h         maximum  #1  [3] 1 -4 5  *      diagonal 1 1 0  =            [3] 1 -4 0  wins 2 of 3
#1        dot      W1  [3] 1 -4 0  *  spread 2 1 2 1 2 1  =   [3,2] 2 1 -8 -4 0 0
                   x   [3] 1 -4 0  *           dense 3x2  =             [2] -7 -5

W1 [3,2]
               value                gradient
    1.0000   -1.0000        2.0000    1.0000
    2.0000    1.0000       -8.0000   -4.0000
   -1.0000    1.0000        0.0000    0.0000
W2 [2,3]
                         value                          gradient
    1.0000   -2.0000    3.0000        1.0000    5.0000    0.0000
    0.0000    1.0000   -1.0000       -2.0000  -10.0000    0.0000
x [2]
               value                gradient
    2.0000    1.0000       -7.0000   -5.0000
END

# Values that have names may be differentiated by, and several outputs are told one after another.
shows 'q = x + y; q * z; q' x=-2 y=5 z=-4 --wrt q,z <<'END'
f1 = -12
name   value    gradient
q      3.0000    -4.0000
z     -4.0000     3.0000

q = 3
name   value    gradient
q      3.0000     1.0000
z     -4.0000     0.0000
END

# A function is one node, or its parts; a table's bundle too.
shows --steps 'f(x) = 1/(1+exp(-x))
f(w*x)' w=2 x=0.5 <<'END'
f = 0.731058578630

forward          value  from
w        input  2.0000
x        input  0.5000
#1       mul    1.0000  w*x
f        f      0.7311  f(w*x)

backward       to  upstream  *   local  =  product
f         f    #1    1.0000  *  0.1966  =   0.1966
#1        mul  w     0.1966  *  0.5000  =   0.0983
               x     0.1966  *  2.0000  =   0.3932

name   value    gradient
w      2.0000     0.0983
x      0.5000     0.3932
END
"$BPROP" grad --steps --unbundle 'f(x) = 1/(1+exp(-x))
f(w*x)' w=2 x=0.5 >out || bad "--unbundle"
for line in '#1       mul     1.0000  mul(w, x)' '#3       exp     0.3679  exp(#2)' 'f        div     0.7311  div(1, #4)' \
  '#3        exp  #2   -0.5344  \*   0.3679  =  -0.1966'; do
  grep -qx "$line" out || { bad "--unbundle does not show $line"; cat out; }
done

# Where nothing flows: a step has no slope, and neither has a name that is the output itself anything to pass on.
"$BPROP" grad 'floor(x)*3' x=3.5 --steps | grep -qx 'backward: nothing flows back' || bad "floor"
"$BPROP" grad 'y = x; y' x=3.5 --steps | grep -qx 'backward: nothing flows back' || bad "y = x"

# How much each element counts.
shows 'W @ x' 'W=[[1,2],[3,4]]' 'x=[5,6]' --upstream '[1,-1]' <<'END'
f [2]
   17.0000   39.0000
W [2,2]
               value                gradient
    1.0000    2.0000        5.0000    6.0000
    3.0000    4.0000       -5.0000   -6.0000
x [2]
               value                gradient
    5.0000    6.0000       -2.0000   -2.0000
END
"$BPROP" grad 'W @ x' 'W=[[1,2],[3,4]]' 'x=[5,6]' --upstream 1 >out && "$BPROP" grad 'sum(W @ x)' 'W=[[1,2],[3,4]]' 'x=[5,6]' >want
[ "$(tail -n +3 out)" = "$(tail -n +2 want)" ] || bad "--upstream 1 is not the gradient of the sum"

# Large arrays by their range and mean; numbers that four places would hide.
shows 'sum(1e-9*x)' 'x=arange(2000.0)' <<'END'
f = 0.001999
x [2000]
  value     0..1999, mean 999.5
  gradient  all 1e-09, mean 1e-09
END

# float32 and a program in a file.
printf 'w = 3\nx = 2\nw*x*x\n' >square.bp
shows square.bp x=4 --dtype float32 <<'END'
f = 48
name   value    gradient
x      4.0000    24.0000
w      3.0000    16.0000
END

# ---- JSON: every line is an object with a schema; the eight gradients to 1e-12; sums and products ----
cat >check.py <<'END'
import json, math, sys
lines = [json.loads(line) for line in open(sys.argv[1])]
assert all(o["schema"] == 1 for o in lines)
kind = lambda k: [o for o in lines if o["kind"] == k]
nodes, wires = {o["node"]: o for o in kind("node")}, kind("wire")
near = lambda a, b: abs(a - b) <= 1e-12
for n in nodes.values():
    arrived = [w["product"] for w in wires if w["from"] == n["node"]]
    if n["gradient"] is not None and arrived:
        assert near(sum(arrived), n["gradient"]), n
for w in wires:
    assert near(w["upstream"] * w["local"], w["product"]), w
    assert near(w["upstream"], nodes[w["to"]]["gradient"])
    assert nodes[w["to"]]["inputs"][w["input"]] == w["from"]
if len(sys.argv) > 2:
    # tests/test_lecture.c derives these
    s, d = 0.19661193324148185254, -0.53444664538852302671
    back = [n["gradient"] for _, n in sorted(nodes.items(), reverse=True) if n["inputs"]]
    want = [1, d, d, -s, s, s, s, s]
    assert len(back) == 8 and all(near(a, b) for a, b in zip(back, want)), back
    grads = {o["name"]: o["gradient"] for o in kind("gradient")}
    want = {"w0": -s, "x0": 2 * s, "w1": -2 * s, "x1": -3 * s, "w2": s}
    assert set(grads) == set(want) and all(near(grads[k], want[k]) for k in want), grads
    assert near(kind("output")[0]["value"], 0.73105857863000487925)
END
"$BPROP" grad --steps --json "$neuron" w0=2 x0=-1 w1=-3 x1=-2 w2=-3 >neuron.json || bad "--json"
"$PYTHON" check.py neuron.json eight || bad "the JSON of the neuron"
"$BPROP" grad --steps --json 'x*y + max(x, z) + x*x' x=3 y=-2 z=5 >forks.json || bad "--json"
"$PYTHON" check.py forks.json || bad "the JSON of forks"
# Who won what: of a max of two, of one over an axis, and of one over all.
"$BPROP" grad --steps 'max(x, y) @ ones(3) + sum(max(A, axis=1)) + max(A)' 'x=[1,5,2]' 'y=[3,4,2]' 'A=[[1,7],[8,3],[9,9]]' >out || bad "winners"
for line in 'maximum .* x .*  wins 2 of 3' '   y .*  wins 1 of 3' 'max .* A .*  elements 1 2 4 win' 'max .* A .*  element 4 wins'; do
  grep -q "$line\$" out || { bad "no line '$line'"; cat out; }
done
"$BPROP" grad --steps --json 'max(x, y)' x=1 y=1 | grep -c '"wins":[01]}' >out
[ "$(cat out)" = 2 ] || bad "no wins in JSON"

"$BPROP" grad --json 'sum(x/y)' 'x=[[1,2]]' y=0 >out || bad "--json"
cat >want <<'END'
{"schema":1,"kind":"output","name":"f","shape":[],"value":"inf"}
{"schema":1,"kind":"gradient","of":"f","name":"x","shape":[1,2],"value":[[1,2]],"gradient":[["inf","inf"]]}
{"schema":1,"kind":"gradient","of":"f","name":"y","shape":[],"value":0,"gradient":"-inf"}
END
cmp -s out want || { bad "the JSON of infinities"; diff want out; }

# ---- what is refused, and how ----
ends 2 'nothing to differentiate by' grad '3*4'
ends 3 "nothing is called 'x'" grad 'x*x'
ends 2 "f has shape \[2\]: a gradient belongs to one number.*--upstream" grad '2*x' 'x=[1,2]'
ends 2 'f is int64' grad 'argmax(x)' 'x=[1,2]'
ends 2 "wrt zz: nothing is called 'zz'; did you mean 'z'" grad 'x*z' x=1 z=2 --wrt zz
ends 2 'wrt i: it is int64' grad 'x[i]' 'x=[1,2]' 'i=int64(1)' --wrt i
ends 2 'names x twice' grad 'x*x' x=1 --wrt x,x
ends 2 'takes names' grad 'x*x' x=1 --wrt x,
ends 2 'upstream has shape \[3\]' grad '2*x' 'x=[1,2]' --upstream '[1,2,3]'
ends 2 'upstream is int64' grad '2*x' 'x=[1,2]' --upstream 'int64(1)'
ends 2 'belongs to one output' grad 'x; x*x' x=1 --upstream 2
ends 3 'upstream:1:1: nothing is called .foo.' grad '2*x' 'x=[1,2]' --upstream foo
ends 3 'no value|input|give' grad 'x*y' x=1
ends 3 '' grad '' x=1
ends 3 'there is no file loss.bp either' grad loss.bp x=1
ends 2 '' grad
ends 2 'unknown option|no option' grad 'x' x=1 --frobnicate
ends 3 'out of range|index' grad 'pick(x, i, axis=0)' 'x=[1,2]' 'i=int64(7)'

# A NaN has no sign.
[ "$("$BPROP" run 'sqrt(x)' x=-1)" = "f = nan" ] || bad "a NaN: $("$BPROP" run 'sqrt(x)' x=-1)"

# A long text and a long chain take time in proportion: 20,000 terms on one line, and as many nodes one after another.
awk 'BEGIN { printf "x*0"; for (i = 1; i < 20000; i++) printf "+x*%d", i; print "" }' >wide.bp
awk 'BEGIN { print "y = x"; for (i = 0; i < 10000; i++) print "y = sin(y)*x + y" }' >deep.bp
awk 'BEGIN { print "x = [1, 2]\ng(v) = v*exp(-v)\ny = x"; for (i = 0; i < 6000; i++) print "y = g(y)[::-1]"; print "sum(y)" }' >arrays.bp
timeout 60 "$BPROP" grad arrays.bp --steps | grep -c 'diagonal' >out || bad "arrays.bp: exit $?"
[ "$(cat out)" = 6000 ] || bad "arrays.bp: not every function is diagonal"
for file in wide.bp deep.bp; do
  timeout 60 "$BPROP" grad $file x=2 --steps >out || bad "$file: exit $?"
  [ "$(wc -l <out)" -gt 40000 ] || bad "$file: few steps"
done

# Colour on a terminal alone: values green, gradients red; none with NO_COLOR.
if command -v script >/dev/null; then
  TERM=xterm NO_COLOR= script -qec "'$BPROP' grad x*x x=3 --steps" /dev/null >out </dev/null || bad "on a terminal"
  grep -q "$(printf '\033')\[32m9.0000" out || { bad "a value that is not green"; cat -v out; }
  grep -q "$(printf '\033')\[31m3.0000" out || { bad "a gradient that is not red"; cat -v out; }
  TERM=xterm NO_COLOR=1 script -qec "'$BPROP' grad x*x x=3 --steps" /dev/null >out </dev/null || bad "NO_COLOR"
  ! grep -q "$(printf '\033')" out || bad "colour in spite of NO_COLOR"
fi

# A closed reader ends a long answer quietly.
"$BPROP" grad 'sum(x)' 'x=zeros(200000)' --json 2>err | head -c 10 >out
[ ! -s err ] || { bad "a closed pipe is told"; cat err; }
# A file with a hole gives NaN, and it is told where; the name of a file stands in a message once.
row=files
printf '1,2\n3,\n5,6\n,8\n' >hole.csv
printf 'a,b\n1,2\n3,x\n' >word.csv
ends 0 "hole.csv: row 2, column 2 has no number and is taken as nan; so are 1 more" grad 'sum(x*x)' x=@hole.csv
ends 3 '^bprop: word.csv: column "b" is text' grad 'sum(x*x)' x=@word.csv
"$BPROP" grad --steps 'sum(randn(1000,1000)@x)' 'x=randn(1000,10)' >out 2>err || bad "steps of a large product"
grep -q 'too large to look at' out || { bad "the limit is not told"; cat out; }
finish
