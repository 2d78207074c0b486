# bprop bench gradient: what the answer holds. How long things take is the machine's, and only what no machine changes is asked of it: 50,000 times as many parameters cost more.
. "$SRC/tests/cli/common"

row=program
"$BPROP" bench gradient 'sum(tanh(W @ x))' 'W=randn(6,9)' 'x=randn(9)' --wrt W >out 2>err || { bad "bench of a program"; cat err; }
grep -Eq '^ +54 +[0-9.]+ [a-z]+ +[0-9.]+ [a-z]+ +[0-9.]+ [a-z]+ +[0-9.,]+ x +[0-9.]+ [a-z]+ +[0-9.,]+ x$' out || { bad "the row"; cat out; }
grep -Eq '^one backward pass gives all 54 derivatives, at the cost of [0-9.]+ forward passes$' out || { bad "the last line"; cat out; }
"$BPROP" bench gradient 'x*y' x=2 y=3 --dtype float32 --json >out 2>err || bad "float32"
"$PYTHON" - <<'END' || bad "json of a program"
import json
a = json.loads(open("out").read())
assert a["schema"] == 1 and a["parameters"] == 2
assert not a["jvp"]["extrapolated"] and not a["differences"]["extrapolated"]
assert all(a[k] > 0 for k in ("forward_seconds", "backward_seconds"))
for way in ("jvp", "differences"):
    assert abs(a[way]["ratio"] - a[way]["seconds"] / a["backward_seconds"]) < 1e-6 * a[way]["ratio"]
END

row=refused
ends 2 "takes no program" bench machine x=1
ends 2 "takes no program" bench training --wrt x
ends 2 "no benchmark of 'gradeint'; did you mean gradient" bench gradeint
ends 2 "for a program of your own" bench gradient --wrt W1
ends 2 "no output is real" bench gradient 'argmax(x)' 'x=[1,2]'
ends 2 "it is computed" bench gradient 'q=x+y; q*z' x=1 y=2 z=3 --wrt q
ends 3 "nothing is called" bench gradient 'x*y' x=1
ends 2 "nothing to differentiate by" bench gradient '2.5+3'

[ -z "${BPROP_SANITIZE-}" ] || finish # measurements of a program that is made slow

# The network: h^2 + 19 h parameters for h = 1, 4, 16, 64, 256, 1024, and the price of doing without backpropagation grows with them.
row=network
"$BPROP" bench gradient --json >out 2>err || { bad "bench of the network"; cat err; }
"$PYTHON" - <<'END' || { bad "json of the network"; cat out; }
import json
rows = [json.loads(l) for l in open("out")]
last = rows.pop()
assert [r["parameters"] for r in rows] == [20, 92, 560, 5312, 70400, 1068032]
for way in ("differences", "jvp"):
    ratios = [r[way]["ratio"] for r in rows]
    assert ratios[-1] > ratios[0], ratios
    assert last["growth"][way] > 0, last
    assert rows[-1][way]["extrapolated"] and not rows[0][way]["extrapolated"]
END

# Without a subject all of them; limits are what no machine falls below, shares of them what no measurement exceeds.
row=all
"$BPROP" bench --json --threads 2 >out 2>err || { bad "bench"; cat err; }
"$PYTHON" - <<'END2' || { bad "json of all subjects"; cat out; }
import json
rows = [json.loads(l) for l in open("out")]
limits = [r for r in rows if "float32_flops" in r]
steps = [r for r in rows if "step_seconds" in r]
assert [r["threads"] for r in limits] == [1, 2] and [r["threads"] for r in steps] == [1, 1, 2, 2]
assert all(r["float32_flops"] > 1e7 and all(m["bytes_per_second"] > 1e6 for m in r["memory"]) for r in limits)
assert all(r["samples_per_second"] > 0 and r["share_of_limit"] > 0 for r in steps)
assert any("growth" in r for r in rows)
END2
"$BPROP" bench training --threads 1 >out 2>err || { bad "bench training"; cat err; }
grep -Eq '^784-128-10, batch 64, sgd +1 +[0-9.]+ [a-z]+ +[0-9,]+ +[0-9.]+ +[0-9]+ %$' out || { bad "its row"; cat out; }

finish
