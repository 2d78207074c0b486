"""What NumPy says of every row of the operation table: the formulas again, by another hand, and how a random call is made.

ROWS[name] is a function that adds such a call to a program (see generate.py for what `g` offers) and returns its node."""
import math
import statistics

import numpy as np

ROWS = {}


def row(name):
    def put(build):
        ROWS[name] = build
        return build

    return put


def erf(x):
    return np.vectorize(math.erf, otypes=[float])(x)


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softplus(x):
    return np.logaddexp(0, x)


def hard(x):
    return np.clip((x + 3) / 6, 0, 1)


# ---- one input, element by element ----------------------------------------------------------------------------


def points(*where):
    """Kinks at fixed points."""
    return lambda x: np.stack([x - p for p in where])


def whole(x):
    """0 at the whole numbers."""
    return np.sin(np.pi * x) / np.pi


def half(x):
    return np.cos(np.pi * x) / np.pi


# name: (formula, from, to, kinks). Two numbers say where arguments are drawn; {} stands for attributes, drawn below.
UNARY = {
    "neg": (lambda x: -x, -9, 9, None),
    "exp": (np.exp, -3, 3, None),
    "log": (np.log, 0.2, 5, None),
    "sqrt": (np.sqrt, 0.2, 5, None),
    "square": (lambda x: x * x, -4, 4, None),
    "reciprocal": (lambda x: 1 / x, 0.3, 3, None),
    "log1p": (np.log1p, -0.7, 3, None),
    "expm1": (np.expm1, -3, 3, None),
    "logit": (lambda x: np.log(x / (1 - x)), 0.05, 0.95, None),
    "sin": (np.sin, -6, 6, None),
    "cos": (np.cos, -6, 6, None),
    "tan": (np.tan, -1.2, 1.2, None),
    "asin": (np.arcsin, -0.9, 0.9, None),
    "acos": (np.arccos, -0.9, 0.9, None),
    "atan": (np.arctan, -4, 4, None),
    "sinh": (np.sinh, -3, 3, None),
    "cosh": (np.cosh, -3, 3, None),
    "erf": (erf, -3, 3, None),
    "abs": (np.abs, -4, 4, points(0)),
    "sign": (np.sign, -4, 4, points(0)),
    "heaviside": (lambda x: (x > 0).astype(float), -4, 4, points(0)),
    "floor": (np.floor, -4, 4, whole),
    "ceil": (np.ceil, -4, 4, whole),
    "round": (np.round, -4, 4, half),
    "sigmoid": (sigmoid, -6, 6, None),
    "relu": (lambda x: np.maximum(x, 0), -4, 4, points(0)),
    "tanh": (np.tanh, -4, 4, None),
    "selu": (lambda x: 1.0507009873554804934193349852946
             * np.where(x > 0, x, 1.6732632423543772848170429916717 * np.expm1(x)), -4, 4, points(0)),
    "relu6": (lambda x: np.clip(x, 0, 6), -2, 8, points(0, 6)),
    "hard_sigmoid": (hard, -4, 4, points(-3, 3)),
    "hard_swish": (lambda x: x * hard(x), -4, 4, points(-3, 3)),
    "softplus": (softplus, -6, 6, None),
    "log_sigmoid": (lambda x: -softplus(-x), -6, 6, None),
    "softsign": (lambda x: x / (1 + np.abs(x)), -4, 4, points(0)),
    "silu": (lambda x: x * sigmoid(x), -6, 6, None),
    "mish": (lambda x: x * np.tanh(softplus(x)), -6, 6, None),
    "gelu": (lambda x: x * (1 + erf(x / math.sqrt(2))) / 2, -4, 4, None),
    "gelu_tanh": (lambda x: x / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x ** 3))), -4, 4, None),
}
# Also written as an operator, or by the name that NumPy has for it.
SPELLED = {
    "neg": ["(-{0})"],
    "square": ["({0} ** 2)", "np.square({0})"],
    "reciprocal": ["(1 / {0})"],
    **{name: [f"np.{name}({{0}})"] for name in
       "exp log sqrt log1p expm1 sin cos tan sinh cosh abs sign floor ceil tanh".split()},
}
WHOLE_TOO = ("neg", "abs", "square", "sign")  # rows that take whole numbers as well


def unary(name, fn, lo, hi, kinks):
    @row(name)
    def build(g):
        if name in WHOLE_TOO and g.chance(0.15):
            return g.call(g.spelled(name, "{0}"), [g.whole()], fn)
        return g.call(g.spelled(name, "{0}"), [g.real(lo, hi)], fn, kinks)


for _name, _how in UNARY.items():
    unary(_name, *_how)


@row("clip")
def clip(g):
    lo, hi = g.number(-2, 0), g.number(0.5, 2)
    text = g.pick(["clip({0}, lo=%r, hi=%r)", "clip({0}, %r, %r)", "np.clip({0}, %r, %r)"]) % (lo, hi)
    return g.call(text, [g.real(-3, 3)], lambda x: np.clip(x, lo, hi), points(lo, hi))


@row("leaky_relu")
def leaky_relu(g):
    slope = g.number(-0.5, 0.5)
    return g.call(f"leaky_relu({{0}}, slope={slope!r})", [g.real()], lambda x: np.where(x > 0, x, slope * x), points(0))


@row("elu")
def elu(g):
    a = g.number(0.3, 2)
    return g.call(f"elu({{0}}, alpha={a!r})", [g.real()], lambda x: np.where(x > 0, x, a * np.expm1(x)), points(0))


@row("celu")
def celu(g):
    a = g.number(0.3, 2)
    return g.call(f"celu({{0}}, alpha={a!r})", [g.real()], lambda x: np.where(x > 0, x, a * np.expm1(x / a)), points(0))


@row("prelu")
def prelu(g):
    x, a = g.pair((-4, 4), (-1, 1))
    return g.call("prelu({0}, {1})", [x, a], lambda x, a: np.where(x > 0, x, a * x),
                  lambda x, a: x + 0 * a)


@row("isfinite")
def isfinite(g):
    return g.call("isfinite({0})", [g.real()], np.isfinite)


@row("stop_gradient")
def stop_gradient(g):
    return g.call("stop_gradient({0})", [g.real()], lambda x: x, frozen=True)


@row("cast")
def cast(g):
    how = g.pick(["real to int64", "int64 to real", "bool to real", "bool to int64", "real to bool"])
    if how == "real to int64":
        return g.call("cast({0}, dtype=int64)", [g.real()], lambda x: np.trunc(x).astype(np.int64), whole)
    if how == "int64 to real":
        return g.call("cast({0}, dtype=real)", [g.whole()], lambda x: x.astype(float))
    if how == "bool to real":
        return g.call("cast({0}, dtype=real)", [g.truth()], lambda x: x.astype(float))
    if how == "bool to int64":
        return g.call("cast({0}, dtype=int64)", [g.truth()], lambda x: x.astype(np.int64))
    return g.call("cast({0}, dtype=bool)", [g.real()], lambda x: x != 0, points(0))


# ---- two inputs, element by element ---------------------------------------------------------------------------


def between(a, b):
    return a - b


# name: (formula, range of a, range of b, kinks)
BINARY = {
    "add": (np.add, (-9, 9), (-9, 9), None),
    "sub": (np.subtract, (-9, 9), (-9, 9), None),
    "mul": (np.multiply, (-5, 5), (-5, 5), None),
    "div": (np.divide, (-5, 5), (0.4, 3), None),
    "chain": (lambda u, s: np.where(u == 0, 0, u * s), (-4, 4), (-4, 4), lambda u, s: u + 0 * s),
    "pow": (np.power, (0.3, 3), (-2, 3), None),
    "atan2": (np.arctan2, (0.3, 3), (-3, 3), None),
    "maximum": (np.maximum, (-4, 4), (-4, 4), between),
    "minimum": (np.minimum, (-4, 4), (-4, 4), between),
    "binary_cross_entropy_logits": (lambda x, t: np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x))),
                                    (-5, 5), (0, 1), None),
}
SPELLED.update({
    "add": ["({0} + {1})", "({0} + {1})"],
    "sub": ["({0} - {1})", "({0} - {1})"],
    "mul": ["({0} * {1})", "({0} * {1})"],
    "div": ["({0} / {1})", "({0} / {1})"],
    "pow": ["({0} ** {1})"],
    "maximum": ["np.maximum({0}, {1})", "max({0}, {1})"],
    "minimum": ["np.minimum({0}, {1})", "min({0}, {1})"],
})


def binary(name, fn, a, b, kinks):
    @row(name)
    def build(g):
        if name in ("add", "sub", "mul", "maximum", "minimum") and g.chance(0.15):
            return g.call(g.spelled(name, "{0}, {1}"), g.wholes(), fn)
        return g.call(g.spelled(name, "{0}, {1}"), g.pair(a, b), fn, kinks)


for _name, _how in BINARY.items():
    binary(_name, *_how)

COMPARE = {
    "less": (np.less, "({0} < {1})"),
    "less_equal": (np.less_equal, "({0} <= {1})"),
    "greater": (np.greater, "({0} > {1})"),
    "greater_equal": (np.greater_equal, "({0} >= {1})"),
    "equal": (np.equal, "({0} == {1})"),
    "not_equal": (np.not_equal, "({0} != {1})"),
}


def compare(name, fn, operator):
    SPELLED[name] = [operator]

    @row(name)
    def build(g):
        if g.chance(0.3):
            return g.call(g.spelled(name, "{0}, {1}"), g.wholes(), fn)
        return g.call(g.spelled(name, "{0}, {1}"), g.pair((-4, 4), (-4, 4)), fn, between)


for _name, _how in COMPARE.items():
    compare(_name, *_how)


def logical(name):
    fn = getattr(np, name)

    @row(name)
    def build(g):
        a = g.truth()
        return g.call(name + "({0}, {1})", [a, g.truth(a.value.shape)], fn)


for _name in ("logical_and", "logical_or", "logical_xor"):
    logical(_name)


@row("logical_not")
def logical_not(g):
    return g.call(g.pick(["logical_not({0})", "np.logical_not({0})"]), [g.truth()], np.logical_not)


@row("where")
def where(g):
    a, b = g.pair((-4, 4), (-4, 4))
    test = g.truth(np.broadcast_shapes(a.value.shape, b.value.shape))
    return g.call(g.pick(["where({0}, {1}, {2})", "np.where({0}, {1}, {2})"]), [test, a, b], np.where)


# ---- reductions -----------------------------------------------------------------------------------------------


def rivals(x, axes):
    """How far each element is above the largest of the others over these axes: positive for the winner alone."""
    axes = tuple(range(x.ndim)) if axes is None else axes
    rest = [i for i in range(x.ndim) if i not in axes]
    flat = np.transpose(x, rest + list(axes)).reshape(int(np.prod([x.shape[i] for i in rest])), -1)
    if flat.shape[1] < 2:
        return np.ones(1)
    order = np.sort(flat, axis=1)
    first, second = order[:, -1:], order[:, -2:-1]
    return np.where(flat == first, flat - second, flat - first)


def reduction(name, fn, lo=-4, hi=4, kinks=None, numpy_too=False, extra=None, whole_too=False):
    @row(name)
    def build(g):
        x = g.whole(lo=-3, hi=3) if whole_too and g.chance(0.15) else g.real(lo, hi)
        axes, keep = g.axes(x), g.chance(0.3)
        more, attrs = extra(g, x, axes) if extra else ({}, "")
        text = name + "({0}" + g.reduction_text(axes, keep, x) + attrs + ")"
        if numpy_too and g.chance(0.4):
            text = "np." + name + "({0}" + g.numpy_reduction_text(axes, keep) + attrs + ")"
            if g.chance(0.4):
                text = "{0}." + name + "(" + (g.numpy_reduction_text(axes, keep) + attrs)[2:] + ")"
        real = x.value.dtype == float
        # A sum or largest of whole numbers is real here.
        return g.call(text, [x], lambda v: np.asarray(fn(v, axis=axes, keepdims=keep, **more), float),
                      (lambda v: kinks(v, axes)) if kinks and real else None)


def norm(x, axis, keepdims):
    return np.sqrt(np.sum(x * x, axis=axis, keepdims=keepdims))


def logsumexp(x, axis, keepdims):
    return np.log(np.sum(np.exp(x), axis=axis, keepdims=keepdims))


def ddof(g, x, axes):
    n = x.value.size if axes is None else int(np.prod([x.value.shape[a] for a in axes]))
    if n > 1 and g.chance(0.5):
        return {"ddof": 1}, ", ddof=1"
    return {}, ""


reduction("sum", np.sum, numpy_too=True, whole_too=True)
reduction("mean", np.mean, numpy_too=True)
reduction("prod", np.prod, lo=-2, hi=2, numpy_too=True, whole_too=True)
reduction("max", np.max, kinks=rivals, numpy_too=True, whole_too=True)
reduction("min", np.min, kinks=lambda x, axes: rivals(-x, axes), numpy_too=True, whole_too=True)
reduction("var", np.var, numpy_too=True, extra=ddof)
reduction("norm", norm, lo=0.3)
reduction("logsumexp", logsumexp)


def along(name, fn, kinks=None, keep=False):
    """Rows that work along one axis."""

    @row(name)
    def build(g):
        x = g.real(least=1)
        axis = g.axis(x)
        if keep and g.chance(0.3):
            return g.call(name + f"({{0}}, axis={axis}, keep=1)", [x], lambda v: np.expand_dims(fn(v, axis), axis),
                          (lambda v: kinks(v, axis)) if kinks else None)
        return g.call(name + f"({{0}}, axis={axis})", [x], lambda v: fn(v, axis),
                      (lambda v: kinks(v, axis)) if kinks else None)


def softmax(x, axis):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


along("argmax", lambda x, axis: np.argmax(x, axis), lambda x, axis: rivals(x, (axis % x.ndim,)), keep=True)
along("argmin", lambda x, axis: np.argmin(x, axis), lambda x, axis: rivals(-x, (axis % x.ndim,)), keep=True)
along("softmax", softmax)
along("log_softmax", lambda x, axis: x - np.log(np.sum(np.exp(x), axis=axis, keepdims=True)))


@row("cumsum")
def cumsum(g):
    x = g.whole(least=1) if g.chance(0.15) else g.real(least=1)
    axis, reverse = g.axis(x), g.chance(0.5)
    fn = (lambda v: np.flip(np.cumsum(np.flip(v, axis), axis), axis)) if reverse else (lambda v: np.cumsum(v, axis))
    return g.call(f"cumsum({{0}}, axis={axis}, reverse={int(reverse)})", [x], fn)


@row("maxout")
def maxout(g):
    x = g.real(least=1)
    n = x.value.shape[-1]
    k = g.pick([k for k in range(1, n + 1) if n % k == 0])
    grouped = lambda v: v.reshape(v.shape[:-1] + (n // k, k))
    return g.call(f"maxout({{0}}, k={k})", [x], lambda v: grouped(v).max(-1), lambda v: rivals(grouped(v), (v.ndim,)))


# ---- products -------------------------------------------------------------------------------------------------


@row("matmul")
def matmul(g):
    m, k, n = g.dim(), g.dim(), g.dim()
    if g.chance(0.25):
        shapes = (2, m, k), g.pick([(k, n), (2, k, n), (1, k, n)])
    else:
        shapes = (m, k), (k, n)
    return g.call(g.pick(["matmul({0}, {1})", "({0} @ {1})", "np.matmul({0}, {1})"]),
                  [g.shaped(shapes[0], -3, 3), g.shaped(shapes[1], -3, 3)], np.matmul)


@row("linear")
def linear(g):
    m, k, n = g.dim(), g.dim(), g.dim()
    lead = g.pick([(), (m,), (2, m)])
    return g.call("linear({0}, {1}, {2})",
                  [g.shaped(lead + (k,), -3, 3), g.shaped((n, k), -3, 3), g.shaped((n,), -3, 3)],
                  lambda x, W, b: x @ W.T + b)


@row("dot")
def dot(g):
    m, k, n = g.dim(), g.dim(), g.dim()
    a, b = g.pick([((k,), (k,)), ((m, k), (k,)), ((k,), (k, n)), ((m, k), (k, n))])
    return g.call(g.pick(["dot({0}, {1})", "np.dot({0}, {1})"]), [g.shaped(a, -3, 3), g.shaped(b, -3, 3)], np.dot)


@row("outer")
def outer(g):
    return g.call(g.pick(["outer({0}, {1})", "np.outer({0}, {1})"]),
                  [g.shaped((g.dim(),), -3, 3), g.shaped((g.dim(),), -3, 3)], np.outer)


# ---- windows over images [batch, height, width, channels] ------------------------------------------------------


def sliding(g, most=2):
    """How windows lie: height and width of a window, stride, border (top, bottom, left, right), dilation; and the text of the last three."""
    pair = lambda choices: [g.pick(choices), g.pick(choices)]
    window, stride, dilation = pair([1, 2, 3]), pair([1, 1, 2]), pair([1, 1, most])
    extent = [(k - 1) * d + 1 for k, d in zip(window, dilation)]
    pad = [int(g.random.integers(0, min(e, 3))) for e in (extent[0], extent[0], extent[1], extent[1])]
    return window, stride, pad, dilation, extent


def room(extent, stride, pad, places):
    """The size of an image, a bit larger than these places need."""
    return [max(1, (p - 1) * s + e - pad[2 * i] - pad[2 * i + 1]) for i, (p, s, e) in
            enumerate(zip(places, stride, extent))]


def places_of(size, extent, stride, pad):
    return [(n + pad[2 * i] + pad[2 * i + 1] - e) // s + 1 for i, (n, e, s) in enumerate(zip(size, extent, stride))]


def bordered(x, pad, value=0.0):
    return np.pad(x, [(0, 0), (pad[0], pad[1]), (pad[2], pad[3]), (0, 0)], constant_values=value)


def strided(x, k, l, places, stride):
    """What element (k, l) of the window sees, for all places at once."""
    return x[:, k:k + (places[0] - 1) * stride[0] + 1:stride[0], l:l + (places[1] - 1) * stride[1] + 1:stride[1]]


def convolve(x, W, stride, pad, dilation, groups):
    """A sum over the elements of the window, of matrix products of pixels and filters."""
    extent = [(k - 1) * d + 1 for k, d in zip(W.shape[1:3], dilation)]
    places, x = places_of(x.shape[1:3], extent, stride, pad), bordered(x, pad)
    parts = []
    for xg, Wg in zip(np.split(x, groups, 3), np.split(W, groups, 0)):
        parts.append(sum(strided(xg, k * dilation[0], l * dilation[1], places, stride) @ Wg[:, k, l].T
                         for k in range(W.shape[1]) for l in range(W.shape[2])))
    return np.concatenate(parts, 3)


def adjoint(fn, shape):
    """The adjoint of a linear function of arrays of a shape: its matrix, column by column, transposed."""
    units = np.eye(int(np.prod(shape))).reshape((-1,) + tuple(shape))
    return lambda u: np.array([np.sum(fn(e) * u) for e in units]).reshape(shape)


def convolution(name, build):
    @row(name)
    def put(g):
        window, stride, pad, dilation, extent = sliding(g)
        groups = g.pick([1, 1, 2])
        filters, channels = groups * g.pick([1, 2]), g.pick([1, 2])
        size = room(extent, stride, pad, [g.pick([1, 2]), g.pick([1, 2, 3])])
        places = places_of(size, extent, stride, pad)
        terms = f"stride={listed(stride)}, pad={listed(pad)}, dilation={listed(dilation)}, groups={groups}"
        image, weights = (g.pick([1, 2]), *size, channels * groups), (filters, *window, channels)
        out = (image[0], *places, filters)
        how = lambda x, W: convolve(x, W, stride, pad, dilation, groups)
        return build(g, image, weights, out, terms, how)


def forward(g, image, weights, out, terms, how):
    return g.call(f"conv2d({{0}}, {{1}}, {terms})", [g.shaped(image, -3, 3), g.shaped(weights, -3, 3)], how)


def biased(g, image, weights, out, terms, how):
    return g.call(f"conv2d_bias({{0}}, {{1}}, {{2}}, {terms})",
                  [g.shaped(image, -3, 3), g.shaped(weights, -3, 3), g.shaped(weights[:1], -3, 3)],
                  lambda x, W, b: how(x, W) + b)


def transposed(g, image, weights, out, terms, how):
    return g.call(f"conv2d_transpose({{0}}, {{1}}, size={listed(image[1:3])}, {terms})",
                  [g.shaped(out, -3, 3), g.shaped(weights, -3, 3)],
                  lambda u, W: adjoint(lambda x: how(x, W), image)(u))


def by_weights(g, image, weights, out, terms, how):
    return g.call(f"conv2d_weight_grad({{0}}, {{1}}, window={listed(weights[1:3])}, {terms})",
                  [g.shaped(image, -3, 3), g.shaped(out, -3, 3)],
                  lambda x, u: adjoint(lambda W: how(x, W), weights)(u))


convolution("conv2d", forward)
convolution("conv2d_bias", biased)
convolution("conv2d_transpose", transposed)
convolution("conv2d_weight_grad", by_weights)


def pooling(name, build):
    @row(name)
    def put(g):
        window, stride, pad, _, _ = sliding(g, most=1)
        size = room(window, stride, pad, [g.pick([1, 2]), g.pick([1, 2])])
        places = places_of(size, window, stride, pad)
        image = (g.pick([1, 2]), *size, g.pick([1, 2]))
        terms = f"window={listed(window)}, stride={listed(stride)}, pad={listed(pad)}"

        def seen(x, border):
            """[elements of the window, batch, places, channels]"""
            x = bordered(x, pad, border)
            return np.stack([strided(x, k, l, places, stride) for k in range(window[0]) for l in range(window[1])])

        return build(g, image, (image[0], *places, image[3]), terms, seen)


def pool_rivals(seen):
    return lambda *v: rivals(seen(v[-1], -1e9), (0,))


def max_pool(g, image, out, terms, seen):
    return g.call(f"max_pool2d({{0}}, {terms})", [g.shaped(image)], lambda x: seen(x, -np.inf).max(0), pool_rivals(seen))


def picked(seen, x):
    winner = np.argmax(seen(x, -np.inf), 0)[None]
    return lambda v: np.take_along_axis(seen(v, 0.0), winner, 0)[0]


def max_pool_pick(g, image, out, terms, seen):
    return g.call(f"max_pool2d_pick({{0}}, {{1}}, {terms})", [g.shaped(image), g.shaped(image)],
                  lambda v, x: picked(seen, x)(v), pool_rivals(seen))


def max_pool_put(g, image, out, terms, seen):
    return g.call(f"max_pool2d_put({{0}}, {{1}}, {terms})", [g.shaped(out), g.shaped(image)],
                  lambda u, x: adjoint(picked(seen, x), image)(u), pool_rivals(seen))


def mean_of(seen):
    return lambda x: seen(x, 0.0).sum(0) / seen(np.ones(x.shape), 0.0).sum(0)


def avg_pool(g, image, out, terms, seen):
    return g.call(f"avg_pool2d({{0}}, {terms})", [g.shaped(image)], mean_of(seen))


def avg_pool_grad(g, image, out, terms, seen):
    return g.call(f"avg_pool2d_grad({{0}}, size={listed(image[1:3])}, {terms})", [g.shaped(out)],
                  adjoint(mean_of(seen), image))


pooling("max_pool2d", max_pool)
pooling("max_pool2d_pick", max_pool_pick)
pooling("max_pool2d_put", max_pool_put)
pooling("avg_pool2d", avg_pool)
pooling("avg_pool2d_grad", avg_pool_grad)


# ---- structure ------------------------------------------------------------------------------------------------


def listed(values):
    return "[" + ", ".join(str(int(v)) for v in values) + "]"


@row("broadcast")
def broadcast(g):
    x = g.real()
    dims = [g.dim() if d == 1 else d for d in x.value.shape]
    if x.value.ndim < 3 and (g.chance(0.5) or not dims):
        dims = [2] + dims
    return g.call(f"broadcast({{0}}, dims={listed(dims)})", [x], lambda v: np.broadcast_to(v, dims))


@row("reshape")
def reshape(g):
    x = g.real()
    n = x.value.size
    k = g.pick([d for d in range(1, n + 1) if n % d == 0])
    dims = g.pick([[n], [k, n // k], [1, n], [-1, k], [k, -1]])
    text = g.pick(["reshape({0}, dims=%s)", "reshape({0}, %s)", "{0}.reshape(%s)", "np.reshape({0}, %s)"])
    return g.call(text % listed(dims), [x], lambda v: v.reshape(dims))


@row("transpose")
def transpose(g):
    x = g.real(least=2)
    if g.chance(0.5):
        return g.call(g.pick(["{0}.T", "transpose({0})", "transpose({0}, perm=[])"]), [x], np.transpose)
    perm = [int(i) for i in g.random.permutation(x.value.ndim)]
    return g.call(f"transpose({{0}}, perm={listed(perm)})", [x], lambda v: np.transpose(v, perm))


@row("slice")
def slice_(g):
    x = g.real(least=1)
    cuts, parts = [], []
    for n in x.value.shape:
        start, step = int(g.random.integers(0, n)), g.pick([1, 1, 2, -1])
        stop = int(g.random.integers(start + 1, n + 1)) if step > 0 else -n - 1
        cuts.append(slice(start, stop, step))
        parts.append((start, stop, step))
    if g.chance(0.5):
        starts, stops, steps = zip(*parts)
        text = f"slice({{0}}, start={listed(starts)}, stop={listed(stops)}, step={listed(steps)})"
        return g.call(text, [x], lambda v: v[tuple(cuts)])
    return g.subscript(x)


@row("place")
def place(g):
    x = g.real(least=1)
    dims, start, step, at = [], [], [], []
    for n in x.value.shape:
        s = g.pick([1, 2, -1])
        before, after = int(g.random.integers(0, 2)), int(g.random.integers(0, 2))
        span = (n - 1) * abs(s) + 1
        dims.append(before + span + after)
        first = before if s > 0 else before + span - 1
        start.append(first)
        step.append(s)
        at.append(first + s * np.arange(n))

    def fn(v):
        y = np.zeros(dims)
        y[np.ix_(*at)] = v
        return y

    return g.call(f"place({{0}}, dims={listed(dims)}, start={listed(start)}, step={listed(step)})", [x], fn)


@row("pad")
def pad(g):
    x = g.real(least=1)
    before = [int(n) for n in g.random.integers(0, 3, x.value.ndim)]
    after = [int(n) for n in g.random.integers(0, 2, x.value.ndim)]
    value = g.number(-1, 1)
    return g.call(f"pad({{0}}, before={listed(before)}, after={listed(after)}, value={value!r})", [x],
                  lambda v: np.pad(v, list(zip(before, after)), constant_values=value))


@row("concat")
def concat(g):
    x = g.real(least=1)
    axis = g.axis(x)
    parts = [x]
    for _ in range(g.pick([1, 1, 2])):
        shape = list(x.value.shape)
        shape[axis] = g.dim()
        parts.append(g.shaped(tuple(shape)))
    names = ", ".join("{%d}" % i for i in range(len(parts)))
    text = g.pick([f"concat({names}, axis={axis})", f"np.concatenate([{names}], axis={axis})"])
    return g.call(text, parts, lambda *v: np.concatenate(v, axis))


@row("split")
def split(g):
    x = g.real(least=1)
    axis = g.axis(x)
    n = x.value.shape[axis]
    parts = g.pick([k for k in range(1, n + 1) if n % k == 0])
    which = int(g.random.integers(parts))
    return g.call(f"split({{0}}, axis={axis}, parts={parts})[{which}]", [x], lambda v: np.split(v, parts, axis)[which])


# ---- indices --------------------------------------------------------------------------------------------------


@row("iota")
def iota(g):
    dims = [g.dim() for _ in range(g.pick([1, 1, 2]))]
    axis = int(g.random.integers(len(dims)))
    grid = np.indices(dims)[axis]
    if g.chance(0.5):
        return g.call(f"iota(dims={listed(dims)}, axis={axis})", [], lambda: grid)
    return g.call(f"iota(dtype=real, dims={listed(dims)}, axis={axis})", [], lambda: grid.astype(float))


@row("gather")
def gather(g):
    x = g.real(least=1)
    axis = g.axis(x)
    index = g.index(g.pick([(), (2,), (3,), (2, 2)]), x.value.shape[axis])
    if axis == 0 and g.chance(0.3):
        return g.call("{0}[{1}]", [x, index], lambda v, i: np.take(v, i, 0))
    return g.call(f"gather({{0}}, {{1}}, axis={axis})", [x, index], lambda v, i: np.take(v, i, axis))


@row("scatter_add")
def scatter_add(g):
    u = g.real(least=1)
    axis, size = int(g.random.integers(u.value.ndim)), g.dim() + 1
    index = g.index((u.value.shape[axis],), size)

    def fn(v, at):
        y = np.zeros(v.shape[:axis] + (size,) + v.shape[axis + 1:])
        for k, j in enumerate(at):
            y[(slice(None),) * axis + (j,)] += v[(slice(None),) * axis + (k,)]
        return y

    return g.call(f"scatter_add({{0}}, {{1}}, axis={axis}, size={size})", [u, index], fn)


@row("pick")
def pick(g):
    x = g.real(least=1)
    axis = g.axis(x)
    index = g.index(np.take(x.value, 0, axis).shape, x.value.shape[axis])
    return g.call(f"pick({{0}}, {{1}}, axis={axis})", [x, index],
                  lambda v, i: np.take_along_axis(v, np.expand_dims(i, axis), axis).squeeze(axis))


@row("put")
def put(g):
    u = g.real(most=2)
    size, axis = g.dim() + 1, int(g.random.integers(u.value.ndim + 1))
    index = g.index(u.value.shape, size)

    def fn(v, at):
        y = np.zeros(v.shape[:axis] + (size,) + v.shape[axis:])
        np.put_along_axis(y, np.expand_dims(at, axis), np.expand_dims(v, axis), axis)
        return y

    return g.call(f"put({{0}}, {{1}}, axis={axis}, size={size})", [u, index], fn)


@row("one_hot")
def one_hot(g):
    depth = g.dim() + 1
    index = g.index(g.pick([(), (3,), (2, 2)]), depth)
    return g.call(f"one_hot({{0}}, depth={depth})", [index], lambda i: np.eye(depth)[i])


# ---- random numbers: Philox4x32-10 (Salmon et al. 2011) once more ---------------------------------------------


def philox(key, counter):
    key, c = list(key), list(counter)
    for _ in range(10):
        p0, p1 = 0xD2511F53 * c[0], 0xCD9E8D57 * c[2]
        c = [p1 >> 32 ^ c[1] ^ key[0], p1 & 0xFFFFFFFF, p0 >> 32 ^ c[3] ^ key[1], p0 & 0xFFFFFFFF]
        key = [(key[0] + 0x9E3779B9) & 0xFFFFFFFF, (key[1] + 0xBB67AE85) & 0xFFFFFFFF]
    return c


def cells(key, stream, dims):
    """The numbers 0 .. 2^53 - 1 that a draw is made of. Key: seed and step; element i has half of block i / 2."""
    seed, step = int(key[0]), int(key[1])
    n = int(np.prod(dims))
    out = []
    for i in range(n):
        words = philox((seed & 0xFFFFFFFF, seed >> 32), (i // 2, 0, stream, step))
        low, high = words[2 * (i % 2)], words[2 * (i % 2) + 1]
        out.append((high << 32 | low) >> 11)
    return out


def uniforms(key, stream, dims):
    return np.array([c / 2 ** 53 for c in cells(key, stream, dims)]).reshape(dims)


def normals(key, stream, dims):
    inverse = statistics.NormalDist().inv_cdf
    return np.array([inverse((c + 0.5) / 2 ** 53) for c in cells(key, stream, dims)]).reshape(dims)


def drawn(g):
    dims = [g.dim() for _ in range(g.pick([0, 1, 2]))]
    return g.key(), int(g.random.integers(1, 1000)), dims


@row("uniform")
def uniform(g):
    key, stream, dims = drawn(g)
    return g.call(f"uniform({{0}}, stream={stream}, dims={listed(dims)})", [key], lambda k: uniforms(k, stream, dims))


@row("normal")
def normal(g):
    key, stream, dims = drawn(g)
    return g.call(f"normal({{0}}, stream={stream}, dims={listed(dims)})", [key], lambda k: normals(k, stream, dims))


@row("bernoulli")
def bernoulli(g):
    key, stream, dims = drawn(g)
    p = g.number(0.2, 0.8)
    return g.call(f"bernoulli({{0}}, stream={stream}, p={p!r}, dims={listed(dims)})", [key],
                  lambda k: uniforms(k, stream, dims) < p)


@row("dropout")
def dropout(g):
    x, key, stream, rate = g.real(), g.key(), int(g.random.integers(1, 1000)), g.number(0.1, 0.7)
    return g.call(f"dropout({{0}}, {{1}}, stream={stream}, rate={rate!r})", [x, key],
                  lambda v, k: np.where(uniforms(k, stream, v.shape) < 1 - rate, v / (1 - rate), 0))


# ---- losses and norms -----------------------------------------------------------------------------------------


def log_softmax(x):
    return x - np.log(np.sum(np.exp(x), axis=-1, keepdims=True))


@row("softmax_cross_entropy")
def softmax_cross_entropy(g):
    x = g.real(least=1)
    n = x.value.shape[-1]
    labels, smooth = g.index(x.value.shape[:-1], n), g.pick([0.0, g.number(0.05, 0.3)])

    def fn(v, at):
        q = (1 - smooth) * np.eye(n)[at] + smooth / n
        return -np.sum(q * log_softmax(v), axis=-1)

    attrs = f", smoothing={smooth!r}" if smooth else ""
    return g.call("softmax_cross_entropy({0}, {1}%s)" % attrs, [x, labels], fn)


@row("softmax_cross_entropy_probs")
def softmax_cross_entropy_probs(g):
    x = g.real(least=1)
    p = g.call("softmax({0})", [g.shaped(x.value.shape)], lambda v: softmax(v, -1))
    return g.call("softmax_cross_entropy_probs({0}, {1})", [x, p], lambda v, q: -np.sum(q * log_softmax(v), axis=-1))


@row("hinge")
def hinge(g):
    x = g.real(least=1)
    n, margin = x.value.shape[-1], g.number(0.3, 2)
    labels = g.index(x.value.shape[:-1], n)

    def over(v, at):
        own = np.take_along_axis(v, at[..., None], -1)
        return np.where(np.eye(n)[at] == 1, -1, v - own + margin)

    return g.call(f"hinge({{0}}, {{1}}, margin={margin!r})", [x, labels],
                  lambda v, at: np.sum(np.maximum(over(v, at), 0), axis=-1), over)


def distance_loss(name, fn, kinks=None):
    @row(name)
    def build(g):
        p = g.real()
        return g.call(name + "({0}, {1})", [p, g.shaped(p.value.shape)], fn, kinks)


distance_loss("mean_squared_error", lambda p, t: np.mean((p - t) ** 2))
distance_loss("l1", lambda p, t: np.mean(np.abs(p - t)), between)


@row("huber")
def huber(g):
    p, delta = g.real(), g.number(0.3, 2)

    def fn(p, t):
        d = np.abs(p - t)
        return np.mean(np.where(d <= delta, d * d / 2, delta * (d - delta / 2)))

    return g.call(f"huber({{0}}, {{1}}, delta={delta!r})", [p, g.shaped(p.value.shape)], fn,
                  lambda p, t: np.abs(p - t) - delta)


@row("layer_norm")
def layer_norm(g):
    x = g.real(least=1)
    n, eps = x.value.shape[-1], g.pick([1e-5, g.number(0.05, 0.5)])
    if n < 2:
        eps = 0.1

    def fn(v, gain, bias):
        d = v - v.mean(-1, keepdims=True)
        return d / np.sqrt((d * d).mean(-1, keepdims=True) + eps) * gain + bias

    # Where all elements are nearly the same the slope is steep: as near a kink as can be.
    steep = (lambda v, gain, bias: v.std(-1) - 0.2) if n > 1 and eps < 0.01 else None
    return g.call(f"layer_norm({{0}}, {{1}}, {{2}}, eps={eps!r})", [x, g.shaped((n,)), g.shaped((n,))], fn, steep)
