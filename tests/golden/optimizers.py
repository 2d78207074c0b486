#!/usr/bin/env python3
"""Makes optimizers.inc: five steps of every optimiser, by PyTorch's formulas (torch.optim: SGD, Adam, AdamW, RMSprop,
Adagrad), and of Lion by Chen et al. 2023, Program 1.

    python3 optimizers.py > optimizers.inc       (needs NumPy: Debian's python3-numpy)

Weights: a matrix W [2,3] and a vector b [4], given below. Loss: sum(A (W - C)^2) / 2 + sum(a (b - c)^2) / 2 + 0.1 sum(W) sum(b), whose
gradient is written out here. The learning rate falls by a tenth of the first from step to step. Two things differ from PyTorch on
purpose: weight decay is of W alone, and clipping scales by exactly min(1, most / norm), where PyTorch adds 1e-6 to the norm.

Beside them: clipping of each element (before that of the norm), l1 as l1 sign(W) added to the gradient, rates of parameters as factors
of the whole step, decay included, and a largest norm of the rows of W after the step."""
import numpy as np

W = np.array([0.5, -1.25, 2.0, 0.75, -0.5, 1.5])
b = np.array([0.25, -0.75, 1.0, 3.0])
A, C = np.array([1.0, 2.0, 0.5, 1.5, 3.0, 0.25]), np.array([1.0, 0.0, -1.0, 0.5, 2.0, -2.0])
a, c = np.array([0.5, 1.0, 2.0, 0.125]), np.array([-1.0, 1.0, 0.0, 2.0])
MATRIX = np.r_[np.ones(6), np.zeros(4)]
STEPS = 5


def gradient(w):
    W, b = w[:6], w[6:]
    return np.r_[A * (W - C) + 0.1 * b.sum(), a * (b - c) + 0.1 * W.sum()]


def sgd(o, slots, g, lr, t):
    if not o.get("momentum"):
        return lr * g
    mu = o["momentum"]
    slots["v"] = g if t == 1 else mu * slots["v"] + g
    return lr * (g + mu * slots["v"] if o.get("nesterov") else slots["v"])


def adam(o, slots, g, lr, t):
    b1, b2, eps = o.get("beta1", 0.9), o.get("beta2", 0.999), o.get("epsilon", 1e-8)
    slots["m"] = b1 * slots.get("m", 0) + (1 - b1) * g
    slots["v"] = b2 * slots.get("v", 0) + (1 - b2) * g * g
    denominator = np.sqrt(slots["v"]) / np.sqrt(1 - b2**t) + eps
    return lr / (1 - b1**t) * slots["m"] / denominator


def rmsprop(o, slots, g, lr, t):
    alpha, eps = o.get("beta2", 0.99), o.get("epsilon", 1e-8)
    slots["v"] = alpha * slots.get("v", 0) + (1 - alpha) * g * g
    return lr * g / (np.sqrt(slots["v"]) + eps)


def adagrad(o, slots, g, lr, t):
    slots["v"] = slots.get("v", 0) + g * g
    return lr * g / (np.sqrt(slots["v"]) + o.get("epsilon", 1e-10))


def lion(o, slots, g, lr, t):
    b1, b2, m = o.get("beta1", 0.9), o.get("beta2", 0.99), slots.get("m", np.zeros(10))
    slots["m"] = b2 * m + (1 - b2) * g
    return lr * np.sign(b1 * m + (1 - b1) * g)


KINDS = {"SGD": (sgd, 0.1), "ADAM": (adam, 0.001), "ADAMW": (adam, 0.003), "RMSPROP": (rmsprop, 0.001),
         "ADAGRAD": (adagrad, 0.01), "LION": (lion, 0.0001)}


def rate_of(o):
    rate = np.ones(10)
    for name, r in o.get("rates", []):
        rate[:6 if name == "W" else 0] = r
        rate[10 if name == "W" else 6:] = r
    return rate


def limit_rows(w, most):
    m = w[:6].reshape(2, 3)
    norm = np.sqrt((m * m).sum(axis=1, keepdims=True))
    return np.r_[(m * np.minimum(1, most / norm)).ravel(), w[6:]]


def trajectory(kind, o):
    move, lr = KINDS[kind]
    lr = o.get("lr", lr)
    w, slots, out = np.r_[W, b], {}, []
    for t in range(1, STEPS + 1):
        rate, g, decay = lr * (1 - 0.1 * (t - 1)), gradient(w), o.get("weight_decay", 0)
        if o.get("clip_value"):
            g = np.clip(g, -o["clip_value"], o["clip_value"])
        if o.get("clip_norm"):
            g = g * min(1, o["clip_norm"] / np.linalg.norm(g))
        rate, before = rate * rate_of(o), w
        if decay and kind in ("ADAMW", "LION"):
            w = w - rate * decay * MATRIX * before
        elif decay:
            g = g + decay * MATRIX * before
        g = g + o.get("l1", 0) * MATRIX * np.sign(before)
        w = w - move(o, slots, g, rate, t)
        if o.get("max_norm"):
            w = limit_rows(w, o["max_norm"])
        out.append(w)
    return out


CASES = [
    ("SGD", {}),
    ("SGD", {"lr": 0.05, "weight_decay": 0.3}),
    ("SGD", {"lr": 0.02, "momentum": 0.9}),
    ("SGD", {"lr": 0.02, "momentum": 0.9, "nesterov": 1, "weight_decay": 0.01}),
    ("SGD", {"lr": 0.1, "clip_norm": 0.5}),
    ("SGD", {"lr": 0.1, "clip_norm": 1000.0}),
    ("SGD", {"lr": 0.1, "momentum": 0.5, "clip_norm": 4.0, "weight_decay": 0.1}),
    ("ADAM", {}),
    ("ADAM", {"lr": 0.1}),
    ("ADAM", {"lr": 0.1, "beta1": 0.8, "beta2": 0.95, "epsilon": 1e-3}),
    ("ADAM", {"lr": 0.1, "weight_decay": 0.3, "clip_norm": 1.5}),
    ("ADAMW", {}),
    ("ADAMW", {"lr": 0.1, "weight_decay": 0.3}),
    ("ADAMW", {"lr": 0.05, "weight_decay": 0.01, "clip_norm": 2.0, "beta1": 0.5}),
    ("RMSPROP", {}),
    ("RMSPROP", {"lr": 0.05}),
    ("RMSPROP", {"lr": 0.05, "beta2": 0.9, "epsilon": 1e-4, "weight_decay": 0.2}),
    ("ADAGRAD", {}),
    ("ADAGRAD", {"lr": 0.2, "epsilon": 1e-3, "weight_decay": 0.2, "clip_value": 1.0}),
    ("LION", {}),
    ("LION", {"lr": 0.05, "weight_decay": 0.3}),
    ("LION", {"lr": 0.05, "beta1": 0.5, "beta2": 0.8, "l1": 0.4}),
    ("SGD", {"clip_value": 0.75}),
    ("SGD", {"clip_value": 1.5, "clip_norm": 2.0, "l1": 0.2}),
    ("SGD", {"max_norm": 1.25}),
    ("ADAM", {"lr": 0.1, "l1": 0.3, "max_norm": 2.0}),
    ("SGD", {"rates": [("W", 0.25)]}),
    ("ADAM", {"lr": 0.1, "rates": [("W", 3.0), ("b", 0.0)]}),
    ("ADAMW", {"lr": 0.1, "weight_decay": 0.3, "rates": [("b", 2.0), ("W", 0.5)]}),
    ("RMSPROP", {"lr": 0.05, "rates": [("b", 2.0), ("b", 0.5)], "max_norm": 1.0}),
]

print("/* Made by optimizers.py: five steps, ten weights each. */")
print("/* clang-format off */")
for kind, o in CASES:
    fields = "".join(f", .{k} = {v!r}" for k, v in o.items() if k != "rates")
    if "rates" in o:
        rates = ", ".join(f'{{"{name}", {rate!r}}}' for name, rate in o["rates"])
        fields += f", .rates = (const bp_rate[]){{{rates}}}, .n_rates = {len(o['rates'])}"
    print(f"{{{{.kind = BP_OPTIMIZER_{kind}{fields}}}, {{")
    for w in trajectory(kind, o):
        print("  {" + ", ".join(repr(float(x)) for x in w) + "},")
    print("}},")
print("/* clang-format on */")
