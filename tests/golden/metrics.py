#!/usr/bin/env python3
"""Makes metrics.inc: metrics of made-up predictions, as scikit-learn has them.

    python3 metrics.py > metrics.inc       (scikit-learn 1.5 or later)

Predictions are rounded to eighths of a logit, so that many are equal; all numbers are what a 32-bit float holds. What scikit-learn has
not is worked out here: the calibration error (Guo et al. 2017: bins of equal width, open below, closed above), and Poisson's deviance and
the relative error by their definitions beside scikit-learn's. Two rules differ from scikit-learn's on purpose, and are stepped round here: AUC of several
classes leaves out a class that no row is of (scikit-learn refuses), and macro means leave out a class that is neither there nor predicted,
which is what scikit-learn does unless it is told the list of classes."""
import warnings

import numpy as np
from sklearn import metrics as M

warnings.simplefilter("ignore")
rng = np.random.default_rng(7)


def f32(x):
    return np.asarray(x, np.float32).astype(float)


def softmax(z):
    e = np.exp(z - z.max(1, keepdims=True))
    return f32(e / e.sum(1, keepdims=True))


def ece(p, right, w, bins=15):
    at = np.clip(np.ceil(p * bins) - 1, 0, bins - 1).astype(int)
    off = sum(abs((w * (p - right))[at == b].sum()) for b in range(bins))
    return off / w.sum()


def rank_top(p, y, k):
    """Hits where ties go to the lower class."""
    before = (p > p[np.arange(len(y)), y][:, None]).sum(1)
    ties = [(p[i, :c] == p[i, c]).sum() for i, c in enumerate(y)]
    return before + np.array(ties) < k


def averages(values, y, said, w):
    for name in ("precision", "recall", "f1"):
        f = getattr(M, name + "_score")
        values[name] = f(y, said, average="macro", sample_weight=w, zero_division=0)
        values[name + "_weighted"] = f(y, said, average="weighted", sample_weight=w, zero_division=0)


def classes(p, y, w):
    n, said = len(y), p.argmax(1)
    ww = np.ones(n) if w is None else w
    v = {"accuracy": M.accuracy_score(y, said, sample_weight=w),
         "balanced_accuracy": M.balanced_accuracy_score(y, said, sample_weight=w),
         "top(1)": M.accuracy_score(y, said, sample_weight=w),
         "top(2)": np.average(rank_top(p, y, 2), weights=ww),
         "top": np.average(rank_top(p, y, 5), weights=ww),
         "mcc": M.matthews_corrcoef(y, said, sample_weight=w),
         "log_loss": M.log_loss(y, p / p.sum(1, keepdims=True), sample_weight=w, labels=np.arange(p.shape[1])),
         "ece": ece(p.max(1), said == y, ww), "ece(4)": ece(p.max(1), said == y, ww, 4)}
    averages(v, y, said, w)
    there = [k for k in range(p.shape[1]) if (y == k).any() and (y != k).any()]
    if p.shape[1] == 2:
        v["auc"] = M.roc_auc_score(y, p[:, 1], sample_weight=w)
    else:
        v["auc"] = np.mean([M.roc_auc_score(y == k, p[:, k], sample_weight=w) for k in there])
    v["average_precision"] = np.mean([M.average_precision_score(y == k, p[:, k], sample_weight=w) for k in there])
    return v


def labels(p, y, w):
    said, ww = p > 0.5, np.ones(len(y)) if w is None else w
    v = {"accuracy": 1 - M.hamming_loss(y, said, sample_weight=w), "exact_match": M.accuracy_score(y, said, sample_weight=w),
         "auc": M.roc_auc_score(y, p, average="macro", sample_weight=w),
         "average_precision": M.average_precision_score(y, p, average="macro", sample_weight=w),
         "log_loss": np.mean([M.log_loss(y[:, k], p[:, k], sample_weight=w) for k in range(y.shape[1])]),
         "ece": ece(p.ravel(), y.ravel(), np.repeat(ww, y.shape[1]))}
    averages(v, y, said, w)
    return v


def weighted_median(x, w):
    at = np.argsort(x, kind="stable")
    x, below = x[at], np.cumsum(w[at])
    i = np.argmax(2 * below >= below[-1])
    return (x[i] + x[i + 1]) / 2 if 2 * below[i] == below[-1] else x[i]


def numbers(p, y, w):
    k = y.shape[1]
    ww = np.ones(len(y)) if w is None else w
    each = lambda f: np.mean([f(y[:, i], p[:, i]) for i in range(k)])
    v = {"mse": M.mean_squared_error(y, p, sample_weight=w), "rmse": M.root_mean_squared_error(y, p, sample_weight=w),
         "mae": M.mean_absolute_error(y, p, sample_weight=w), "r2": M.r2_score(y, p, sample_weight=w),
         "max_error": each(lambda a, b: M.max_error(a[ww > 0], b[ww > 0])),
         "median_ae": each(lambda a, b: weighted_median(abs(a - b), ww)),
         "mape": M.mean_absolute_percentage_error(y, p, sample_weight=w),
         "poisson": each(lambda a, b: M.mean_poisson_deviance(a, b, sample_weight=w)),
         "pinball": M.mean_pinball_loss(y, p, alpha=0.5, sample_weight=w),
         "pinball(0.9)": M.mean_pinball_loss(y, p, alpha=0.9, sample_weight=w)}
    if w is None:
        v["median_ae"] = M.median_absolute_error(y, p)
    return v


def array(a):
    return "{" + ", ".join(f"{x:.9g}" for x in np.ravel(a)) + "}"


def tell(name, task, p, truth, w, values):
    n, k = p.shape
    print(f"{{.name = \"{name}\", .task = BP_TASK_{task}, .rows = {n}, .outputs = {k},")
    print(f"  .p = {array(p)},")
    print(f"  .{'labels' if task == 'CLASSES' else 'y'} = {array(truth)},")
    if w is not None:
        print(f"  .weighted = true, .weights = {array(w)},")
    print("  .want = {" + ", ".join(f'{{"{m}", {x!r}}}' for m, x in ((m, float(x)) for m, x in values.items())) + "}},")


def logits(n, k, truth=None, pull=1.5):
    z = rng.normal(size=(n, k)) * 1.5
    if truth is not None:
        z[np.arange(n), truth] += pull
    return np.round(z * 2) / 2


def weights(n):
    return np.round(rng.uniform(0, 3, n) * 4) / 4


print("/* Made by metrics.py: predictions, what is true, and the metrics that scikit-learn finds. */\n/* clang-format off */")
y = rng.integers(0, 4, 40)
p = softmax(logits(40, 4, y))
w = weights(40)
tell("four classes", "CLASSES", p, y, None, classes(p, y, None))
tell("four classes, weighted", "CLASSES", p, y, w, classes(p, y, w))
y = rng.choice([0, 1, 2, 5], 36)
z = logits(36, 7, y)
z[:, 6] = -9  # class 6 is neither there nor predicted; 3 and 4 are not there
p = softmax(z)
tell("classes without rows", "CLASSES", p, y, None, classes(p, y, None))
y = rng.integers(0, 2, 30)
p = softmax(logits(30, 2, y, 1))
w = weights(30)
tell("two classes", "CLASSES", p, y, None, classes(p, y, None))
tell("two classes, weighted", "CLASSES", p, y, w, classes(p, y, w))
y = rng.integers(0, 2, (24, 3))
p = f32(1 / (1 + np.exp(-(np.round((rng.normal(size=(24, 3)) * 1.5 + 2 * y - 1) * 2) / 2 + 0.125))))
w = weights(24)
tell("labels", "LABELS", p, y, None, labels(p, y, None))
tell("labels, weighted", "LABELS", p, y, w, labels(p, y, w))
y = f32(np.round(rng.gamma(2, 3, (25, 2)) * 8) / 8 + 0.125)
p = f32(np.abs(y + rng.normal(size=(25, 2)) * [1, 2]) + 0.25)
w = weights(25)
tell("numbers", "NUMBERS", p, y, None, numbers(p, y, None))
tell("numbers, weighted", "NUMBERS", p, y, w, numbers(p, y, w))
print("/* clang-format on */")
