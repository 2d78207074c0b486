"""The tridiagonal functions of bench/sparse.c by CasADi: the Jacobian as a function of its own, evaluated by CasADi's machine into
buffers made beforehand, so that no array of Python's is made. As scalar expressions (SX) and as matrices (MX), and SX as compiled C.
Output as that of bench/sparse.c, and the cost of an empty call, which is in every figure."""
import os
import sys
import time

import casadi as ca
import numpy as np

N, BATCHES = 2048, 31


def broyden(left, x, right):
    return (3 - 2 * x) * x - left - 2 * right + 1


def trigexp(left, x, right):
    return x * (4 + 3 * x * x) + 2 * right + ca.sin(x - right) * ca.sin(x + right) - left * ca.exp(left - x) - 8


def jacobian(kind, function, options={}):
    x = kind.sym("x", N)
    padded = ca.vertcat(0, x, 0)
    y = function(padded[:-2], x, padded[2:])
    return ca.Function("J", [x], [ca.jacobian(y, x)], options)


def measure(name, J, note):
    at = np.array([i % 17 / 16 - 0.45 for i in range(N)]) if J.nnz_in() else np.zeros(1)
    out = np.zeros(max(J.nnz_out(), 1))
    buffer, call = J.buffer()
    buffer.set_arg(0, memoryview(at))
    buffer.set_res(0, memoryview(out))
    took = []
    for _ in range(BATCHES):
        start, each = time.perf_counter(), 0
        while time.perf_counter() - start < 2e-3:
            for _ in range(8):
                call()
            each += 8
        took.append((time.perf_counter() - start) / each)
    print("%-18s %12.3f %12.3f  %s" % (name, 1e6 * np.median(took), 1e6 * min(took), note))
    return out


def main():
    values = "--values" in sys.argv
    nothing = ca.Function("nothing", [ca.SX.sym("x", 0)], [ca.SX(0, 0)])
    measure("empty", nothing, "a call that does nothing")
    compiled = {"jit": True, "compiler": "shell", "jit_options": {"flags": ["-O3", "-march=native"]}}
    for name, function in ("broyden", broyden), ("trigexp", trigexp):
        for label, kind, options in ("SX", ca.SX, {}), ("MX", ca.MX, {}), ("C", ca.SX, compiled):
            J = jacobian(kind, function, options)
            out = measure("%s-%s" % (name, label), J, "%d entries" % J.nnz_out())
            if values and label == "SX":
                rows, cols = J.sparsity_out(0).get_triplet()
                for i, j, v in zip(rows, cols, out):
                    print("%s %d %d %.17g" % (name, i, j, v))
    print("casadi", ca.__version__, file=sys.stderr)


if __name__ == "__main__":
    os.chdir(os.environ.get("TMPDIR", "/tmp"))
    main()
