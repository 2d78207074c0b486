#!/usr/bin/env python3
"""Makes tensor.inc: values and gradients of softmax, losses, norms and statistics where naive formulas overflow or cancel.

    python3 tensor.py > tensor.inc       (needs mpmath: Debian's python3-mpmath)

The gradient is of sum(u y) with u = 1, 2, 3, 1, 2, 3, ... over the elements of y, by differences at 150 digits: no formula of a
derivative is shared with the library. All inputs are exact in float32."""
from mpmath import mp, mpf, exp, fabs, fsum, log, log1p, sqrt

mp.dps = 150
STEP = mpf(10)**-50


def rows(x, n):
    return [x[i:i + n] for i in range(0, len(x), n)]


def by_rows(f):
    """f of each row of the last axis, joined."""
    def whole(n, x, *rest):
        return [v for i, r in enumerate(rows(x, n)) for v in f(r, i, *rest)]
    return whole


def lse(r):
    m = max(r)
    return m + log(fsum(exp(v - m) for v in r))


def cross_entropy(r, i, labels, a=0):
    l = lse(r)
    return [-fsum(((1 - a if k == labels[i] else 0) + mpf(a) / len(r)) * (v - l) for k, v in enumerate(r))]


def from_probs(r, i, p):
    l = lse(r)
    return [-fsum(q * (v - l) for q, v in zip(rows(p, len(r))[i], r))]


def var(r, ddof=0):
    m = fsum(r) / len(r)
    return fsum((v - m)**2 for v in r) / (len(r) - ddof)


def layer_norm(r, i, gain, bias, eps):
    m, d = fsum(r) / len(r), sqrt(var(r) + eps)
    return [(v - m) / d * g + b for v, g, b in zip(r, gain, bias)]


def hinge(r, i, labels, margin):
    return [fsum(max(mpf(0), v - r[labels[i]] + margin) for k, v in enumerate(r) if k != labels[i])]


def condition(x, n):
    """How much worse than the inputs the distances from their mean are known."""
    return max(max(map(fabs, r)) / sqrt(var(r)) for r in rows(x, n))


FAR = [mpf(v) for v in (1e4, -1e4, 0, 9999, -1e4, -9998, -1e4, -9999.5, 1e4, 1e4, 9990, -1e4)]
NEAR = [mpf(v) for v in (0.5, -1.25, 2, 0.75, 20, 0, -20, 3, -0.125, 0, 0.125, 0.25)]
HIGH = [mpf(10000) + mpf(v) / 8 for v in (0, 1, 3, 2, 7, 5, 1, 0, -4, 2, 2, 9)]
WIDE = [mpf(v) * 2**60 for v in (3, 4, 0, 0, 1, 1, 1, 1, -2, 0.5, 0, 8)]
SMALL = [mpf(v) * mpf(2)**-70 for v in (3, 4, 0, 0, 1, 1, 1, 1, -2, 0.5, 0, 8)]
LABELS = [3, 0, 1]
PROBS = [mpf(v) / 8 for v in (1, 2, 4, 1, 0, 0, 8, 0, 2, 2, 2, 2)]
GAIN = [mpf(v) for v in (1, 0.5, -2, 1.5)]
BIAS = [mpf(v) for v in (0, 1, -0.25, 10)]
SETS = [FAR, NEAR, HIGH]


def text(values):
    def one(v):
        v = float(v)
        return repr(0.0 if abs(v) < 1e-60 else v)
    return "(const double[]){" + ", ".join(map(one, values)) + "}"


def case(op, example, f, inputs, n_real, unit, cond=1):
    """f takes the inputs as lists; the first n_real of them are real."""
    y = f(*inputs)
    u = [mpf(i % 3 + 1) for i in range(len(y))]

    def loss(k, j, step):
        moved = [list(x) for x in inputs]
        moved[k][j] += step
        return fsum(a * b for a, b in zip(u, f(*moved)))

    grads = [[(loss(k, j, STEP) - loss(k, j, -STEP)) / (2 * STEP) for j in range(len(inputs[k]))] for k in range(n_real)]
    print("{%s}," % ", ".join(['"%s"' % op, '"%s"' % example, repr(float(unit)), repr(float(cond)), "{" + ", ".join(map(text, inputs)) + "}",
                               text(y), "{" + ", ".join(map(text, grads)) + "}"]))


def main():
    print("/* Made by tensor.py; do not edit: operation, call, unit, condition, inputs, result, gradients of the real inputs. */")
    for x in SETS:
        case("softmax", "x[3,4]; axis=-1", lambda x: by_rows(lambda r, i: [exp(v - lse(r)) for v in r])(4, x), [x], 1, 1)
        case("log_softmax", "x[3,4]; axis=-1", lambda x: by_rows(lambda r, i: [v - lse(r) for v in r])(4, x), [x], 1, 1)
        case("softmax", "x[4,3]; axis=0", lambda x: [exp(x[i] - lse(x[i % 3::3])) for i in range(12)], [x], 1, 1)
        case("logsumexp", "x[3,4]; axes=[1], keep=0", lambda x: by_rows(lambda r, i: [lse(r)])(4, x), [x], 1, 1)
        case("softmax_cross_entropy", "logits[3,4], labels[3] int 0..3; smoothing=0",
             lambda x, l: by_rows(cross_entropy)(4, x, [int(v) for v in l]), [x, LABELS], 1, max(map(fabs, x)) if x is HIGH else 1)
        case("softmax_cross_entropy", "logits[3,4], labels[3] int 0..3; smoothing=0.125",
             lambda x, l: by_rows(cross_entropy)(4, x, [int(v) for v in l], mpf(1) / 8), [x, LABELS], 1, max(map(fabs, x)) if x is HIGH else 1)
        case("softmax_cross_entropy_probs", "logits[3,4], p[3,4]", lambda x, p: by_rows(from_probs)(4, x, p), [x, PROBS], 2, 1)
        case("hinge", "scores[3,4], labels[3] int 0..3; margin=1.0625", lambda x, l: by_rows(hinge)(4, x, [int(v) for v in l], mpf(1.0625)),
             [x, LABELS], 1, 1)
        case("var", "x[3,4]; axes=[1], keep=0, ddof=0", lambda x: by_rows(lambda r, i: [var(r)])(4, x), [x], 1, 0, condition(x, 4))
        case("var", "x[3,4]; axes=[], keep=0, ddof=1", lambda x: [var(x, 1)], [x], 1, 0, condition(x, 12))
        case("layer_norm", "x[3,4], gain[4], bias[4]; eps=0.0009765625",
             lambda x, g, b: by_rows(layer_norm)(4, x, g, b, mpf(1) / 1024), [x, GAIN, BIAS], 3, 1, condition(x, 4))
    for x in SETS + [WIDE, SMALL]:
        case("norm", "x[3,4]; axes=[1], keep=0", lambda x: by_rows(lambda r, i: [sqrt(fsum(v * v for v in r))])(4, x), [x], 1, 0)


main()
