#!/usr/bin/env python3
"""Makes elementwise.inc: what every elementwise operation and its slopes are at chosen points, to the last digit of a double.

    python3 elementwise.py > elementwise.inc       (needs mpmath: Debian's python3-mpmath)

Slopes are stated here as formulas of their own and checked against mpmath's numerical derivative wherever the point is an
ordinary one; at kinks, infinities and NaN they are what the operation documents. Every point is exact in float32 unless it is too
small for that; tests skip such points there."""
import struct
from mpmath import (mp, mpf, mpc, acos, asin, atan, atan2, ceil, cos, cosh, diff, erf, erfc, exp, expm1, floor, inf, isinf, isnan,
                    log, log1p, nan, pi, sign, sin, sinh, sqrt, tan, tanh)

mp.dps = 60


def f32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


COMMON = [0, 2.0**-1060, 2.0**-140, 2.0**-20, f32(0.1), 0.5, 1, f32(1.7), 3, 6, f32(20.3), 80, 100, 1e4, 2.0**100]
POINTS = sorted({s * mpf(x) for x in COMMON for s in (1, -1)})
INSIDE = sorted({s * mpf(x) for x in [0, 2.0**-140, 2.0**-20, 0.25, 0.5, f32(0.9), 1 - 2.0**-20, 1] for s in (1, -1)})
half = mpf(1) / 2

SCALE = mpf("1.0507009873554804934193349852946")
ALPHA = mpf("1.6732632423543772848170429916717")


def sigmoid(x):
    return 1 / (1 + exp(-x)) if x >= 0 else exp(x) / (1 + exp(x))


def softplus(x):
    return log1p(exp(x)) if x < 0 else x + log1p(exp(-x))


def normal(x):
    return erfc(-x / sqrt(2)) / 2


def normal_slope(x):
    return exp(-x * x / 2) / sqrt(2 * pi)


def mish_slope(x):
    t = tanh(softplus(x))
    return t + x * sigmoid(x) * (1 / cosh(softplus(x))**2 if softplus(x) < 1000 else 0)


K = 2 * sqrt(2 / pi)


def gelu_tanh(x):
    return x * sigmoid(K * (x + mpf("0.044715") * x**3))


def gelu_tanh_slope(x):
    s, s_ = (sigmoid(t * K * (x + mpf("0.044715") * x**3)) for t in (1, -1))
    return s + x * s * s_ * K * (1 + 3 * mpf("0.044715") * x**2)


def power(a, b):
    r = mpf(1) if b == 0 else (inf if b < 0 else mpf(0)) if a == 0 else mp.power(a, b)
    return r if not isinstance(r, mpc) else r.real if b == floor(b) else nan


def power_slopes(a, b):
    da = mpf(0) if b == 0 else b * power(a, b - 1)
    db = nan if a < 0 else mpf(0) if a == 0 and b > 0 else -inf if a == 0 else power(a, b) * log(a)
    return da, db


def angle_slopes(a, b):
    return (mpf(0), mpf(0)) if a == 0 and b == 0 else (b / (a * a + b * b), -a / (a * a + b * b))


rows = []


def unary(op, f, slope, points=POINTS, at=None, kinks=None, attrs=(), smooth=True, kind="REAL"):
    """at: {x: (y, slope)} for infinities and NaN; kinks: points where the numerical derivative is no check."""
    cases = []
    for x in points:
        y, s = f(x), slope(x)
        if smooth and x not in (kinks or ()) and 2.0**-30 < abs(x) < 50 and not (isinf(y) or isinf(s) or isnan(y)):
            num = diff(f, x)
            assert abs(num - s) <= mpf(10)**-20 * (1 + abs(s)), (op, x, num, s)
        cases.append(((x,), y, (s,)))
    for x, (y, s) in (at or {}).items():
        cases.append(((x,), mpf(y), (mpf(s),)))
    rows.append((op, kind, attrs, cases))


def binary(op, f, slopes, pairs, at=None, kind="REAL", attrs=()):
    cases = [((mpf(a), mpf(b)), mpf(f(mpf(a), mpf(b))), tuple(map(mpf, slopes(mpf(a), mpf(b))))) for a, b in pairs]
    cases += [(tuple(map(mpf, x)), mpf(y), tuple(map(mpf, s))) for x, y, s in at or []]
    rows.append((op, kind, attrs, cases))


def zero(*_):
    return mpf(0)


def zeros(*_):
    return mpf(0), mpf(0)


NAN = {nan: (nan, nan)}


def ends(below, above):
    return {-inf: below, inf: above, **NAN}


# Arithmetic.
unary("neg", lambda x: -x, lambda x: mpf(-1), at={-inf: (inf, -1), inf: (-inf, -1), nan: (nan, -1)})
unary("square", lambda x: x * x, lambda x: 2 * x, at=ends((inf, -inf), (inf, inf)))
unary("reciprocal", lambda x: 1 / x if x else inf, lambda x: -1 / x**2 if x else -inf, at=ends((0, 0), (0, 0)))
unary("exp", exp, exp, at=ends((0, 0), (inf, inf)))
unary("log", lambda x: log(x) if x else -inf, lambda x: 1 / x if x else inf, points=[x for x in POINTS if x >= 0],
      at={inf: (inf, 0), **NAN})
unary("sqrt", sqrt, lambda x: half / sqrt(x) if x else inf, points=[x for x in POINTS if x >= 0], at={inf: (inf, 0), **NAN})
unary("log1p", lambda x: log1p(x) if x > -1 else -inf, lambda x: 1 / (1 + x) if x > -1 else inf, points=[x for x in POINTS if x >= -1],
      at={inf: (inf, 0), **NAN})
unary("expm1", expm1, exp, at=ends((-1, 0), (inf, inf)))
SHARES = [mpf(x) for x in (0, 2.0**-140, 2.0**-20, f32(0.1), 0.25, f32(0.4999), 0.5, f32(0.5001), f32(0.9), 1 - 2.0**-20, 1)]
unary("logit", lambda x: log(x / (1 - x)) if 0 < x < 1 else inf if x else -inf, lambda x: 1 / (x * (1 - x)) if 0 < x < 1 else inf,
      points=SHARES, kinks=(0, 1), at={2: (nan, -0.5), -1: (nan, -0.5), nan: (nan, nan)})

# Trigonometry.
TURNS = [x for x in POINTS if abs(x) <= 1e4]
unary("sin", sin, cos, points=TURNS, at=ends((nan, nan), (nan, nan)))
unary("cos", cos, lambda x: -sin(x), points=TURNS, at=ends((nan, nan), (nan, nan)))
unary("tan", tan, lambda x: 1 + tan(x)**2, points=TURNS, at=ends((nan, nan), (nan, nan)))
unary("asin", asin, lambda x: 1 / sqrt(1 - x * x) if abs(x) < 1 else inf, points=INSIDE, kinks=(-1, 1),
      at={1.5: (nan, nan), **ends((nan, nan), (nan, nan))})
unary("acos", acos, lambda x: -1 / sqrt(1 - x * x) if abs(x) < 1 else -inf, points=INSIDE, kinks=(-1, 1),
      at={1.5: (nan, nan), **ends((nan, nan), (nan, nan))})
unary("atan", atan, lambda x: 1 / (1 + x * x), at=ends((-pi / 2, 0), (pi / 2, 0)))
unary("sinh", sinh, cosh, at=ends((-inf, inf), (inf, inf)))
unary("cosh", cosh, sinh, at=ends((inf, -inf), (inf, inf)))
unary("erf", erf, lambda x: 2 / sqrt(pi) * exp(-x * x), at=ends((-1, 0), (1, 0)))

# Kinks and steps.
unary("abs", abs, sign, kinks=(0,), at=ends((inf, -1), (inf, 1)))
unary("sign", sign, zero, smooth=False, at={-inf: (-1, 0), inf: (1, 0), nan: (nan, 0)})
unary("heaviside", lambda x: mpf(x > 0), zero, smooth=False, at={-inf: (0, 0), inf: (1, 0), nan: (0, 0)})
STEPS = [x for x in POINTS] + [mpf(x) for x in (-2.5, -1.5, 1.5, 2.5, 3.5, f32(2.4999))]
for name, f in (("floor", floor), ("ceil", ceil), ("round", mp.nint)):
    unary(name, f, zero, points=STEPS, smooth=False, at={-inf: (-inf, 0), inf: (inf, 0), nan: (nan, 0)})
unary("clip", lambda x: min(max(x, -1), 3), lambda x: mpf(-1 < x < 3), kinks=(-1, 3), attrs=(-1, 3),
      at={-inf: (-1, 0), inf: (3, 0), nan: (nan, 0)})

# Activations. A NaN reaches every value; the slope of a piecewise one is then that of x <= 0.
unary("relu", lambda x: max(x, mpf(0)), lambda x: mpf(x > 0), kinks=(0,), at={-inf: (0, 0), inf: (inf, 1), nan: (nan, 0)})
unary("relu6", lambda x: min(max(x, mpf(0)), mpf(6)), lambda x: mpf(0 < x < 6), kinks=(0, 6), at={-inf: (0, 0), inf: (6, 0), nan: (nan, 0)})
for slope in (0.01, -0.25):
    unary("leaky_relu", lambda x: x if x > 0 else mpf(slope) * x, lambda x: mpf(1 if x > 0 else slope), kinks=(0,), attrs=(slope,),
          at={-inf: (-inf if slope > 0 else inf, slope), inf: (inf, 1), nan: (nan, slope)})
for a in (1, 0.25, -0.5):
    unary("elu", lambda x: x if x > 0 else a * expm1(x), lambda x: mpf(1) if x > 0 else a * exp(x), kinks=(0,), attrs=(a,),
          at=ends((-a, 0), (inf, 1)))
for a in (1, 0.25):
    unary("celu", lambda x: x if x > 0 else a * expm1(x / a), lambda x: mpf(1) if x > 0 else exp(x / a), kinks=(0,), attrs=(a,),
          at=ends((-a, 0), (inf, 1)))
unary("selu", lambda x: SCALE * (x if x > 0 else ALPHA * expm1(x)), lambda x: SCALE * (1 if x > 0 else ALPHA * exp(x)), kinks=(0,),
      at=ends((-SCALE * ALPHA, 0), (inf, SCALE)))
unary("hard_sigmoid", lambda x: min(max((x + 3) / 6, mpf(0)), mpf(1)), lambda x: mpf(abs(x) < 3) / 6, kinks=(-3, 3),
      at={-inf: (0, 0), inf: (1, 0), nan: (nan, 0)})
unary("hard_swish", lambda x: x if x >= 3 else mpf(0) if x <= -3 else x * (x + 3) / 6,
      lambda x: mpf(1) if x >= 3 else mpf(0) if x <= -3 else x / 3 + half, kinks=(-3, 3), at=ends((0, 0), (inf, 1)))
unary("sigmoid", sigmoid, lambda x: sigmoid(x) * sigmoid(-x), at=ends((0, 0), (1, 0)))
unary("tanh", tanh, lambda x: 1 / cosh(x)**2 if abs(x) < 1000 else mpf(0), at=ends((-1, 0), (1, 0)))
unary("softplus", softplus, sigmoid, at=ends((0, 0), (inf, 1)))
unary("log_sigmoid", lambda x: -softplus(-x), lambda x: sigmoid(-x), at=ends((-inf, 1), (0, 0)))
unary("softsign", lambda x: x / (1 + abs(x)), lambda x: 1 / (1 + abs(x))**2, at=ends((-1, 0), (1, 0)))
unary("silu", lambda x: x * sigmoid(x), lambda x: sigmoid(x) + x * sigmoid(x) * sigmoid(-x), at=ends((0, 0), (inf, 1)))
unary("mish", lambda x: x * tanh(softplus(x)), mish_slope, at=ends((0, 0), (inf, 1)))
unary("gelu", lambda x: x * normal(x), lambda x: normal(x) + x * normal_slope(x), at=ends((0, 0), (inf, 1)))
unary("gelu_tanh", gelu_tanh, gelu_tanh_slope, at=ends((0, 0), (inf, 1)))

# Two operands.
FEW = [-1e4, -2.0, -0.5, 0.0, 0.5, 3.0, 1e4]
PAIRS = [(a, b) for a in FEW for b in FEW]
binary("add", lambda a, b: a + b, lambda a, b: (1, 1), PAIRS, at=[((inf, -inf), nan, (1, 1)), ((nan, 1), nan, (1, 1))])
binary("sub", lambda a, b: a - b, lambda a, b: (1, -1), PAIRS, at=[((inf, inf), nan, (1, -1)), ((1, nan), nan, (1, -1))])
binary("mul", lambda a, b: a * b, lambda a, b: (b, a), PAIRS, at=[((inf, 0), nan, (0, inf)), ((nan, 0), nan, (0, nan))])
binary("div", lambda a, b: a / b, lambda a, b: (1 / b, -a / b**2), [p for p in PAIRS if p[1]],
       at=[((1, 0), inf, (inf, -inf)), ((0, 0), nan, (inf, nan)), ((1, inf), 0, (0, 0)), ((nan, 1), nan, (1, nan))])
binary("chain", lambda a, b: a * b, lambda a, b: (b, a), PAIRS, at=[((0, inf), 0, (inf, 0)), ((0, nan), 0, (nan, 0)), ((nan, 0), nan, (0, nan))])
BASES = [(2, 3), (-2, 3), (-2, 4), (-2, -2), (-2, -3), (-2, 0.5), (0.5, -2.5), (0, 2), (0, 1), (0, 0.5), (0, 0), (3, 0), (-3, 0), (1, 7.5),
         (1e4, 2), (1e4, -2), (1e4, 0.5), (-1e4, 3), (-1e4, -1), (0.5, 40), (1.5, 1), (-1.5, 1), (-1.5, 2), (2, -1), (1.25, 100), (1e4, 1e4), (0.5, 1e4),
         (1, -1e4), (2.0**-140, 0.5), (2.0**-140, 1)]
binary("pow", power, power_slopes, BASES,
       at=[((inf, 2), inf, (inf, inf)), ((inf, -2), 0, (0, 0)), ((inf, 0), 1, (0, inf)), ((0.5, inf), 0, (nan, 0)), ((2, inf), inf, (inf, inf)),
           ((2, -inf), 0, (nan, 0)), ((-inf, 3), -inf, (inf, nan)), ((nan, 2), nan, (nan, nan)), ((nan, 0), 1, (0, nan)), ((1, nan), 1, (nan, 0)),
           ((0, -1), inf, (-inf, -inf))])
binary("atan2", lambda a, b: atan2(a, b), angle_slopes, PAIRS + [(2.0**-140, 1), (1, 2.0**-140)],
       at=[((inf, 1), pi / 2, (0, nan)), ((1, inf), 0, (nan, 0)), ((inf, inf), pi / 4, (nan, nan)), ((nan, 1), nan, (nan, nan)), ((1, nan), nan, (nan, nan))])
ODD = [((nan, 1), nan, (0, 0)), ((1, nan), nan, (0, 0))]
for name, f in (("maximum", max), ("minimum", min)):
    wins = lambda a, b: (mpf(f(a, b) == a), mpf(f(a, b) != a))  # the first operand wins ties
    binary(name, f, wins, PAIRS + [(inf, 1), (-inf, 1), (1, inf)], at=ODD)
    binary(name, f, zeros, [(-3, 2), (2, 2), (5, -7), (2**53, 2**53 - 1)], kind="INT")
binary("prelu", lambda a, b: a if a > 0 else a * b, lambda a, b: (1, 0) if a > 0 else (b, a), PAIRS,
       at=[((inf, 2), inf, (1, 0)), ((-inf, 2), -inf, (2, -inf)), ((nan, 2), nan, (2, nan)), ((1, nan), 1, (1, 0)), ((-1, nan), nan, (nan, -1))])

LOGITS = [(x, t) for x in (-1e4, -100, -6, -1.5, 0, 0.5, 3, 20.25, 1e4) for t in (0, 0.25, 1)]
binary("binary_cross_entropy_logits", lambda x, t: softplus(x) - x * t if t < 1 else softplus(-x), lambda x, t: (sigmoid(x) - t, -x), LOGITS,
       at=[((nan, 1), nan, (nan, nan)), ((1, nan), nan, (nan, -1))])

# Tests and logic; integers.
TESTS = {"less": lambda a, b: a < b, "less_equal": lambda a, b: a <= b, "greater": lambda a, b: a > b, "greater_equal": lambda a, b: a >= b,
         "equal": lambda a, b: a == b, "not_equal": lambda a, b: a != b}
for name, f in TESTS.items():
    binary(name, f, zeros, PAIRS + [(inf, inf), (-inf, inf), (nan, 1), (1, nan), (nan, nan), (2.0**-140, 0)])
    binary(name, f, zeros, [(-3, 2), (2, 2), (5, -7), (2**53, 2**53 - 1)], kind="INT")
unary("isfinite", lambda x: mpf(1), zero, smooth=False, at={-inf: (0, 0), inf: (0, 0), nan: (0, 0)})
unary("isfinite", lambda x: mpf(1), zero, points=[mpf(-7), mpf(0)], smooth=False, kind="INT")
unary("abs", abs, zero, points=[mpf(-7), mpf(0), mpf(2**53)], smooth=False, kind="INT")
unary("sign", sign, zero, points=[mpf(-7), mpf(0), mpf(2**53)], smooth=False, kind="INT")
BITS = [(0, 0), (0, 1), (1, 0), (1, 1)]
binary("logical_and", lambda a, b: a and b, zeros, BITS, kind="BOOL")
binary("logical_or", lambda a, b: a or b, zeros, BITS, kind="BOOL")
binary("logical_xor", lambda a, b: a != b, zeros, BITS, kind="BOOL")
unary("logical_not", lambda x: mpf(x == 0), zero, points=[mpf(0), mpf(1)], smooth=False, kind="BOOL")


def text(x):
    x = mpf(x)
    if isnan(x):
        return "NAN"
    if abs(x) > mpf(2)**1024 * (1 - mpf(2)**-54):
        return "INFINITY" if x > 0 else "-INFINITY"
    # mpmath rounds subnormal numbers twice; through the decimal digits it is rounded once.
    return repr(float(mp.nstr(x, 50))).replace(".0e", "e")


print("/* Made by elementwise.py; do not edit.\n * ROW(operation, kind of operands, attributes)  P1(x, y, slope)  P2(a, b, y, slope for a, slope for b)  END */")
print("/* clang-format off */")
for op, kind, attrs, cases in rows:
    pad = list(attrs) + [0] * (2 - len(attrs))
    print(f"ROW({op}, {kind}, {text(pad[0])}, {text(pad[1])})")
    for x, y, s in cases:
        print(f"P{len(x)}(" + ", ".join(text(v) for v in (*x, y, *s)) + ")")
    print("END")
