"""The scalar program of bench/scalar.c by CasADi's virtual machine: one SX function of the value and its gradient. Called through a buffer,
so that nothing is allocated or converted. Usage and output as bench/scalar.c."""
import sys
import time

import casadi as ca
import numpy as np

BATCHES = 31
CALLS = {"add": lambda a, b: a + b, "sub": lambda a, b: a - b, "mul": lambda a, b: a * b, "div": lambda a, b: a / b,
         "sin": ca.sin, "exp": ca.exp, "tanh": ca.tanh, "sqrt": ca.sqrt}

lines = open(sys.argv[1]).read().split("\n")
inputs, nodes = map(int, lines[0].split())
values = np.array([float(v) for v in lines[1:1 + inputs]])
x = ca.SX.sym("x", inputs)
at = [x[i] for i in range(inputs)]
for line in lines[1 + inputs:1 + inputs + nodes]:
    name, *of = line.split()
    at.append(CALLS[name](*(at[int(i)] for i in of)))
f = ca.Function("f", [x], [at[-1], ca.gradient(at[-1], x)])
value, gradient = np.zeros(1), np.zeros(inputs)
buffer, call = f.buffer()
buffer.set_arg(0, memoryview(values))
buffer.set_res(0, memoryview(value))
buffer.set_res(1, memoryview(gradient))
call()
if len(sys.argv) > 2:
    for i, v in enumerate([value[0], *gradient]):
        print(i, "%.17g" % v)
    sys.exit()
took = []
for k in range(-3, BATCHES):
    start = time.perf_counter()
    call()
    if k >= 0:
        took.append(time.perf_counter() - start)
took.sort()
print("%-18s %12.3f %12.3f  CasADi %s, %d instructions" %
      ("gradient-f64", 1e9 * took[BATCHES // 2] / nodes, 1e9 * took[0] / nodes, ca.__version__, f.n_instructions()))
