#!/usr/bin/env python3
"""Makes losses.inc: every loss and its gradient by the outputs, by its definition, and schedules by theirs.

    python3 losses.py > losses.inc       (needs NumPy: Debian's python3-numpy)

The mean over all elements, rows weighted: mean(w l) with weights of mean 1. Gradients are written out here and not differentiated."""
import numpy as np

P = np.array([[0.5, -1.25], [2.0, 0.75], [-3.5, 1.5], [0.125, 0.25]])
Y = np.array([[1.0, -1.0], [0.5, 0.75 + 0.5], [-1.0, 4.0], [0.125 - 1.0, 0.0]])
YES = np.array([[1.0, 0.0], [0.0, 1.0], [1.0, 1.0], [0.0, 0.25]])
COUNTS = np.array([[1.0, 0.0], [3.0, 2.0], [0.0, 7.0], [0.5, 1.0]])
LABELS = np.array([1, 0, 1, 0])
W = np.array([0.5, 2.0, 1.5, 0.0])


def softmax(smoothing):
    q = np.full((4, 2), smoothing / 2)
    q[np.arange(4), LABELS] += 1 - smoothing
    p = np.exp(P) / np.exp(P).sum(axis=1, keepdims=True)
    return -(q * np.log(p)).sum(axis=1, keepdims=True), p - q


def sigmoid():
    p = 1 / (1 + np.exp(-P))
    return -(YES * np.log(p) + (1 - YES) * np.log(1 - p)), p - YES


def huber(d):
    e = P - Y
    return np.where(abs(e) <= d, e * e / 2, d * (abs(e) - d / 2)), np.clip(e, -d, d)


def quantile(q):
    e = Y - P
    return np.where(e > 0, q * e, (q - 1) * e), np.where(e > 0, -q, 1 - q)


CASES = [
    ("softmax", "LABELS", softmax(0)),
    ("multilabel", "YES", sigmoid()),
    ("mse", "Y", ((P - Y) ** 2, 2 * (P - Y))),
    ("l1", "Y", (abs(P - Y), np.sign(P - Y))),
    ("huber", "Y", huber(1)),
    ("huber(0.5)", "Y", huber(0.5)),
    ("quantile", "Y", quantile(0.5)),
    ("quantile(0.9)", "Y", quantile(0.9)),
    ("poisson", "COUNTS", (np.exp(P) - COUNTS * P, np.exp(P) - COUNTS)),
]


def row(x):
    return "{" + ", ".join(repr(float(v)) for v in np.ravel(x)) + "}"


print("/* Made by losses.py: loss and gradient, without weights and with them. */")
print("/* clang-format off */")
print("#ifdef LOSSES")
for name, target, (loss, slope) in CASES:
    n = loss.size
    w = W[:, None]
    print(f'{{"{name}", {target}, {float(loss.mean())!r}, {row(slope / n)},')
    print(f"  {float((w * loss).mean())!r}, {row(w * slope / n)}}},")
print("#endif")

# Schedules: 10 epochs of 4 steps, rate 0.5.
STEPS, EPOCH, BASE = 40, 4, 0.5


def one_cycle(step):  # PyTorch's OneCycleLR, max_lr = BASE, by its source
    low, end, top = BASE / 25, BASE / 25 / 1e4, 0.3 * STEPS - 1
    anneal = lambda a, b, share: b + (a - b) / 2 * (1 + np.cos(np.pi * share))
    return anneal(low, BASE, step / top) if step <= top else anneal(BASE, end, (step - top) / (STEPS - 1 - top))


def cosine(step, warm=0):
    if step < warm:
        return BASE * (step + 1) / warm
    return BASE * (1 + np.cos(np.pi * (step - warm) / (STEPS - warm))) / 2


SCHEDULES = [
    ("constant", 0, lambda k: BASE),
    ("constant", 8, lambda k: BASE * min(1, (k + 1) / 8)),
    ("cosine", 0, cosine),
    ("cosine", 6, lambda k: cosine(k, 6)),
    ("step(3,0.5)", 0, lambda k: BASE * 0.5 ** (k // EPOCH // 3)),
    ("step(2, 0.25)", 3, lambda k: BASE * 0.25 ** (k // EPOCH // 2) * min(1, (k + 1) / 3)),
    ("step", 0, lambda k: BASE),
    ("onecycle", 0, one_cycle),
]
print("#ifdef SCHEDULES")
for name, warm, rate in SCHEDULES:
    print(f'{{"{name}", {warm}, {row([rate(k) for k in range(STEPS)])}}},')
print("#endif")
print("/* clang-format on */")
