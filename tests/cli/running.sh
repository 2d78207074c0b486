# bprop run: what it prints, where values come from, what is refused. The numbers are worked out by hand.
. "$SRC/tests/cli/common"

# shows ARGUMENT... : the program prints what stands on standard input, and says nothing.
shows()
{
  cat >want
  "$BPROP" run "$@" >out 2>err </dev/null || { bad "exit $?: bprop run $*"; cat err; }
  cmp -s out want || { bad "bprop run $*"; diff want out; }
  [ ! -s err ] || { bad "bprop run $* talks"; cat err; }
}

# The sigmoid of 2*-1 + -3*-2 - 3 = 1.
shows '1/(1+exp(-(w0*x0+w1*x1+w2)))' w0=2 x0=-1 w1=-3 x1=-2 w2=-3 <<'END'
f = 0.731058578630
END
shows 'x*x; y = 2*x; y, x > 1' x=[1,2,3] <<'END'
f1 [3] = [1. 4. 9.]
y [3] = [2. 4. 6.]
f3 [3] = [False  True  True]
END
shows 'W @ W' 'W=[[1,0.5],[0,2]]' <<'END'
f [2,2] =
  [[1.0 1.5]
   [0.0 4.0]]
END
shows 'x' x=1e-30 <<'END'
x = 1e-30
END
shows 'argmax(x), True, inf, zeros((0,3)).shape' 'x=[1,5,2]' <<'END'
f1 = 1
f2 = True
f3 = inf
f4 [2] = [0 3]
END
"$BPROP" run 'zeros((50,50))' >out || bad "a large array"
[ "$(wc -l <out)" -le 8 ] || bad "a large array is printed whole"

# JSON: all digits, inputs too.
"$BPROP" run --json 'y = x/3; y, n > 1' x=[1,2] n=2 >out || bad "--json"
printf '{"schema":1,"inputs":[{"name":"x","dtype":"float64","shape":[2],"value":[1,2]},{"name":"n","dtype":"float64","shape":[],"value":2}],' >want
printf '"outputs":[{"name":"y","dtype":"float64","shape":[2],"value":[0.3333333333333333,0.6666666666666666]},' >>want
printf '{"name":"f2","dtype":"bool","shape":[],"value":true}]}\n' >>want
cmp -s out want || { bad "--json"; diff want out; }
"$BPROP" run --json --dtype float32 'x/3' x=1 | grep -q '"dtype":"float32","shape":\[\],"value":0.333333\(34\|343\)}' || bad "--dtype float32"

# Values: files of every kind, which win over the program; a program from a file and from standard input.
printf 'x = [9, 9]\nk = 2\nsum(x)*k\n' >program.bp
printf '1\n2\n3.5\n' >one.csv
printf 'a,b\n1,2\n3,4\n' >two.csv
shows program.bp <<'END'
f = 36
END
shows program.bp x=@one.csv k=10 <<'END'
f = 65
END
shows 'X.T @ X' X=@two.csv <<'END'
f [2,2] =
  [[10. 14.]
   [14. 20.]]
END
gzip -k one.csv && shows 'sum(x)' x=@one.csv.gz <<'END'
f = 6.5
END
echo 'x*x' | "$BPROP" run - x=7 >out || bad "a program on standard input"
grep -qx 'f = 49' out || bad "a program on standard input gives $(cat out)"
if [ -n "${PYTHON:-}" ] && "$PYTHON" -c 'import numpy' 2>/dev/null; then
  "$PYTHON" -c 'import numpy; numpy.save("y.npy", numpy.array([[1, 2], [3, 4]], "int32"))'
  shows 'y.sum(axis=0), gather([10, 20, 30, 40, 50], y)[1]' y=@y.npy <<'END'
f1 [2] = [4. 6.]
f2 [2] = [40. 50.]
END
fi

# The same seed draws the same numbers, whatever the threads.
"$BPROP" run --json 'sum(randn(1000) @ randn(1000, 50))' --seed 3 -j1 >one
"$BPROP" run --json 'sum(randn(1000) @ randn(1000, 50))' --seed 3 -j4 >two
"$BPROP" run --json 'sum(randn(1000) @ randn(1000, 50))' --seed 4 >three
cmp -s one two || bad "the same seed draws other numbers"
cmp -s one three && bad "other seeds draw the same numbers"

# --print is a program again.
"$BPROP" run --print "$SRC/examples/lecture.bp" >printed.bp || bad "--print"
"$BPROP" run --json "$SRC/examples/lecture.bp" | sed 's/.*"outputs"//' >one
"$BPROP" run --json printed.bp | sed 's/.*"outputs"//' >two
[ -s one ] && cmp -s one two || bad "what --print shows gives another result"

# Inputs that a text declares take their values from outside, as --print writes them for graphs made in C.
shows "x=input('x',[3],real); sum(x)" x=[1,2,3] <<'END'
f = 6
END
ends 3 'x has no value; give it one, as x=3' run "x=input('x',[3],real); sum(x)"
ends 3 'x has no value; give it one, as x=3' jacobian "x=input('x',[3],real); x*x"
ends 3 'x has no value; give it one, as x=3' hessian "x=input('x',[3],real); sum(x*x)"
ends 3 'x has no value; give it one, as x=3' check "x=input('x',[3],real); sum(x*x)"
ends 3 'x has no value; give it one, as x=3' grad --steps "x=input('x',[3],real); sum(x*x)"
ends 3 "'x' is given as real\[2\], but is declared as real\[3\]" run "x=input('x',[3],real); sum(x)" x=[1,2]

# What is refused, and how the program ends.
ends 2 'an input is missing|nothing to work on' run
ends 3 'expression:1:1: the text is empty' run ''
ends 3 'expression:1:3: nothing is called .y.; give it a value' run 'x+y' x=1
ends 3 'there is no file nofile.bp' run nofile.bp
printf 'x = 1\ny = @x\n' >broken.bp
ends 3 'broken.bp:2:5: a value is wanted here' run broken.bp
ends 3 'is a directory; give a file of program text' run /tmp
ends 2 "'x' is no value; write name=value" run 'x' x
ends 2 'x is given a value twice' run 'x' x=1 x=2
ends 3 'x=\[1,:1:4: ' run 'x' 'x=[1,'
ends 3 "'2x' is no name" run 'x' 2x=1
ends 3 'nowhere.npy: ' run 'x' x=@nowhere.npy
iris_model
ends 3 'a value is read from' run 'x' x=@iris.safetensors
ends 3 'the index is negative or past the last element' run 'gather(x, i + 5)' x=[1,2] 'i=argmax([1,2])'
ends 2 'a formula that begins with - comes after --' run -x x=2
ends 0 'z is given a value, but nothing depends on it' run 'x' x=1 z=2
ends 3 'f = \(x\): there is nothing|there is nothing to compute' run 'f(x) = x'
ends 3 'expression:1:1: gather#[0-9]*: element 1: the index is negative' run 'take(x,[0,5])' x=[1,2]
"$BPROP" run 'y = x*x; 1 + take(y,[0,5])' x=[1,2] 2>err >out && bad "an index out of range"
[ "$(sed -n '2,3p' err)" = "  y = x*x; 1 + take(y,[0,5])
               ^" ] || { bad "the caret of a run"; cat err; }
"$BPROP" run 'sum(x)' 'x=[[1,2],[3]]' 2>err >out && bad "rows of different lengths"
printf 'bprop: x=[[1,2],[3]]:1:1: the items of this list have different shapes: real[2] and real[1]\n  [[1,2],[3]]\n  ^\n' >want
cmp -s err want || { bad "the caret of a value"; diff want err; }
"$BPROP" run 'W @ x' 'W=ones((2,3))' 'x=ones(2)' >out 2>err && bad "shapes that do not fit"
printf "bprop: expression:1:3: dot('W' real[2,3], 'x' real[2]): the last axis of a has 3 elements, the first of b 2\n  W @ x\n    ^\n" >want
cmp -s err want || { bad "the caret"; diff want err; }
finish
