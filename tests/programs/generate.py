#!/usr/bin/env python3
"""Random programs in bprop's language over the whole operation table, with what NumPy says of them, for tests/test_programs.c.

    generate.py COUNT SEED [wrong]

With "wrong", the formula of each star is a millionth off: tests/test_programs.c must notice each. Every program has one row of the table as its star, all in turn, among others. Printed, one item a line:

    program N ROW         the star
    text BYTES            and the program, BYTES bytes, on the next lines
    output RANK DIMS... : VALUES...     in the order of the program; hexadecimal floats
    upstream VALUES...    of each output: weights that make one number of all outputs (0 for those that are not real)
    input NAME : VALUES...  the derivative of that number by each element of each real input, by central differences
    end
    row NAME COUNT        at last: in how many programs a row was called
"""
import sys
from collections import Counter

import numpy as np

from blocks import Block, Node, Rejected, bare, literal
from rows import ROWS, SPELLED

STEP = 2.0 ** -11  # of central differences; a power of two, so that x + h - x = h
IN_FUNCTIONS = "sin cos tanh sigmoid softplus atan erf silu gelu add sub mul maximum relu".split()


class Generator:
    """One random program; offers to rows.py what arguments are drawn from."""

    def __init__(self, seed):
        self.random = np.random.default_rng(seed)
        self.block = Block([])
        self.heads = []  # lines before all others: functions
        self.called = Counter()
        self.inputs, self.free_names = [], list("xyzwuv") + ["W1", "b1", "theta", "alpha_2", "h", "s"]
        self.rows, self.cols = self.dim(), self.dim()
        self.quota = 24  # elements of all inputs

    # ---- small draws ----

    def chance(self, p):
        return self.random.random() < p

    def pick(self, choices):
        return choices[int(self.random.integers(len(choices)))]

    def dim(self):
        return int(self.random.integers(1, 5))

    def number(self, lo, hi):
        return round(float(self.random.uniform(lo, hi)), 3)

    def axis(self, x):
        n = x.value.ndim
        return int(self.random.integers(-n, n)) if self.chance(0.3) else int(self.random.integers(n))

    def axes(self, x):
        if x.value.ndim == 0 or self.chance(0.3):
            return None
        n = int(self.random.integers(1, min(x.value.ndim, 2) + 1))
        return tuple(sorted(int(a) for a in self.random.permutation(x.value.ndim)[:n]))

    def reduction_text(self, axes, keep, x):
        text = ""
        if axes is not None:
            some = [a - x.value.ndim if self.chance(0.2) else a for a in axes]
            text += f", axes=[{', '.join(map(str, some))}]"
        return text + (self.pick([", keep=1", ", keep=True"]) if keep else "")

    def numpy_reduction_text(self, axes, keep):
        text = ""
        if axes is not None:
            text += f", axis={axes[0]}" if len(axes) == 1 else f", axis=({', '.join(map(str, axes))})"
        return text + (", keepdims=True" if keep else "")

    def spelled(self, name, arguments):
        return self.pick([f"{name}({arguments})"] + SPELLED.get(name, []))

    # ---- nodes ----

    def call(self, text, args, fn, kinks=None, frozen=False):
        return self.block.add(Node(text, args, fn, kinks, frozen))

    def literal(self, value, text=None):
        node = self.call(text or literal(value), [], lambda: value)
        node.plain = True
        return node

    def new_input(self, value):
        if not self.free_names:
            raise Rejected("no names left")
        node = Node(None, [], None)
        node.name, node.value = self.free_names.pop(0), np.asarray(value)
        self.block.give(node)
        self.inputs.append(node)
        if node.value.dtype == float:
            self.quota -= node.value.size
        return node

    def draw(self, shape, lo, hi):
        """A new input, or where there are many already a constant."""
        value = np.round(self.random.uniform(lo, hi, shape), 4)
        if self.quota >= value.size and len(self.free_names) > 2:
            return self.new_input(value)
        return self.literal(value)

    def constant(self, lo, hi):
        value = self.number(lo, hi)
        return self.literal(np.float64(value), f"({value!r})" if value < 0 else repr(value))

    def assigned(self, node, name):
        """The statement that gives a node its name."""
        text = bare(self.block.expression(node))
        node.name = name
        return f"{name} = {text}"

    def shape(self, least=0, most=3):
        r, c = self.rows, self.cols
        shapes = [(), (c,), (r,), (r, c), (r, c), (1, c), (r, 1), (2, r, c)]
        return self.pick([s for s in shapes if least <= len(s) <= most])

    def within(self, x, lo, hi):
        return x.value.size == 0 or (x.value.min() >= lo and x.value.max() <= hi)

    def reals(self, test=lambda x: True):
        """Nodes at hand, those of late more often."""
        found = [n for n in self.block.nodes
                 if not n.plain and n.value.dtype == float and n.value.size <= 48 and test(n)]
        return found + 2 * found[-3:]

    def squashed(self, x, lo, hi):
        """The node, or one made of it whose values lie between lo and hi."""
        if self.within(x, lo, hi):
            return x
        width, middle = round((hi - lo) * 0.49, 3), round((hi + lo) / 2, 3)
        return self.call(f"({middle!r} + {width!r} * tanh({{0}}))", [x], lambda v: middle + width * np.tanh(v))

    def real(self, lo=-4, hi=4, least=0, most=3):
        have = self.reals(lambda n: least <= n.value.ndim <= most)
        if have and (self.chance(0.8) or self.quota < 4):
            return self.squashed(self.pick(have), lo, hi)
        return self.draw(self.shape(least, most), lo, hi)

    def shaped(self, shape, lo=-4, hi=4):
        have = self.reals(lambda n: n.value.shape == tuple(shape))
        if have and self.chance(0.7):
            return self.squashed(self.pick(have), lo, hi)
        return self.draw(shape, lo, hi)

    def pair(self, a, b):
        """Two arguments that broadcast."""
        first = self.real(*a)

        def fits(n):
            try:
                return np.prod(np.broadcast_shapes(first.value.shape, n.value.shape)) <= 48
            except ValueError:
                return False

        have = self.reals(fits)
        if have and self.chance(0.7):
            second = self.squashed(self.pick(have), *b)
        elif self.chance(0.3):
            second = self.constant(*b)
        else:
            shape = tuple(1 if self.chance(0.3) else d for d in first.value.shape[int(self.random.integers(2)):])
            second = self.draw(shape, *b)
        return [first, second]

    def typed(self, dtype, shape=None, least=0):
        return [n for n in self.block.nodes if n.value.dtype == dtype and n.value.ndim >= least
                and n.value.size <= 48 and (shape is None or n.value.shape == shape)]

    def whole(self, lo=-9, hi=9, least=0, shape=None):
        have = [n for n in self.typed(np.int64, shape, least) if self.within(n, lo, hi)]
        if have and self.chance(0.7):
            return self.pick(have)
        value = self.random.integers(lo, hi + 1, self.shape(least) if shape is None else shape)
        return self.literal(value, f"int64({literal(value)})")

    def wholes(self):
        a = self.whole()
        return [a, self.whole(shape=a.value.shape)]

    def truth(self, shape=None):
        have = self.typed(bool, shape)
        if have and self.chance(0.6):
            return self.pick(have)
        x = self.real() if shape is None else self.shaped(shape)
        at = self.number(-2, 2)
        return self.call(f"({{0}} > {at!r})", [x], lambda v: v > at, lambda v: v - at)

    def index(self, shape, size):
        """Whole numbers from 0 to size - 1: those at hand, or literal ones, which need not say that they are int64."""
        have = [n for n in self.typed(np.int64, shape) if self.within(n, 0, size - 1)]
        if have and self.chance(0.5):
            return self.pick(have)
        value = self.random.integers(0, size, shape)
        return self.literal(value)

    def key(self):
        value = self.random.integers(0, 1 << 40, 2) % np.array([1 << 40, 1 << 20])
        return self.new_input(value)

    # ---- larger pieces ----

    def subscript(self, x=None):
        """x[...] as Python has it."""
        x = x or self.real(least=1)
        cuts, words = [], []
        dims = x.value.shape
        if len(dims) > 1 and self.chance(0.2):
            at = int(self.random.integers(-dims[-1], dims[-1]))
            return self.call(f"{{0}}[..., {at}]", [x], lambda v: v[..., at])
        for n in dims[: int(self.random.integers(1, len(dims) + 1))]:
            how = self.pick(["at", "from", "to", "cut", "step", "back", "all"])
            i = int(self.random.integers(n))
            cut, word = {
                "at": (i - n if self.chance(0.3) else i, None),
                "from": (slice(i, None), f"{i}:"),
                "to": (slice(None, i + 1), f":{i + 1}"),
                "cut": (slice(0, -1) if n > 1 else slice(0, 1), "0:-1" if n > 1 else "0:1"),
                "step": (slice(None, None, 2), "::2"),
                "back": (slice(None, None, -1), "::-1"),
                "all": (slice(None), ":"),
            }[how]
            cuts.append(cut)
            words.append(str(cut) if how == "at" else word)
        return self.call("{0}[" + ", ".join(words) + "]", [x], lambda v: v[tuple(cuts)])

    def function(self):
        """A function of the user's own, called at one or two places."""
        name = "f%d" % len(self.heads)
        args = self.pair((-3, 3), (-3, 3))
        body = Body(self, args)
        self.heads.append(body.definition(name))
        self.call(name + "({0}, {1})", args, body.value, body.signs)
        if self.chance(0.5):
            text = name + self.pick(["({1}, {0})", "(b={0}, a={1})"])
            self.call(text, args, lambda a, b: body.value(b, a), lambda a, b: body.signs(b, a))

    def add_row(self, name):
        node = ROWS[name](self)
        self.called[name] += 1
        return node

    def add_star(self, name, wrong):
        node = self.add_row(name)
        if wrong:
            right = node.fn
            node.fn = lambda *values: off(right(*values))
            node.value = np.asarray(off(node.value))
        return node

    def fill(self, star, wrong):
        names = list(ROWS)
        for _ in range(int(self.random.integers(1, 3))):
            self.draw(self.shape(), -3, 3)
        for _ in range(int(self.random.integers(0, 4))):
            self.add_row(self.pick(names))
        node = self.add_star(star, wrong)
        for _ in range(int(self.random.integers(2, 6))):
            how = self.random.random()
            if how < 0.1:
                self.subscript()
            elif how < 0.25:
                self.function()
            else:
                self.add_row(self.pick(names))
        return [n for n in self.block.nodes if n is node or not (n.uses or n.plain or n in self.inputs)]

    def text(self, outputs):
        """Statements in the order of the nodes. A node that is used once may stand inside the one that uses it."""
        lines = list(self.heads)
        for i, n in enumerate(self.block.nodes):
            if n in self.inputs:
                lines.append(f"{n.name} = {literal(n.value)}")
            elif not n.plain and n.uses and (n.uses > 1 or n in outputs or self.chance(0.4)):
                lines.append(self.assigned(n, f"t{i}"))
        lines += [bare(self.block.expression(n)) for n in outputs]
        return ("; " if self.chance(0.1) and not self.heads else "\n").join(lines) + "\n"


class Body(Generator):
    """The body of a function of two parameters that broadcast: rows that take any number, and scalar constants."""

    def __init__(self, outer, args):
        vars(self).update(vars(outer))
        self.params = []
        for name, arg in zip("ab", args):
            node = Node(None, [], None)
            node.name, node.value = name, arg.value
            self.params.append(node)
        self.block = Block(self.params)
        for _ in range(int(self.random.integers(2, 5))):
            self.add_row(self.pick(IN_FUNCTIONS))
        ends = [n for n in self.block.nodes if not n.uses]
        while len(ends) > 1:
            ends = [self.call("({0} + {1})", ends[:2], np.add)] + ends[2:]

    def draw(self, shape, lo, hi):
        return self.constant(lo, hi)

    def whole(self, lo=-9, hi=9, least=0, shape=None):
        value = self.random.integers(lo, hi + 1)
        return self.literal(value, f"int64({value})")

    def value(self, *args):
        return self.block.run(dict(zip(self.params, args)))[0][-1]

    def signs(self, *args):
        return self.block.run(dict(zip(self.params, args)))[1]

    def definition(self, name):
        """In one line or several."""
        inner = [n for n in self.block.nodes if n.args]
        lines = []
        if self.chance(0.5):
            lines = [self.assigned(n, f"t{i}") for i, n in enumerate(inner[:-1]) if n.uses != 1 or self.chance(0.4)]
        result = bare(self.block.expression(inner[-1]))
        if not lines:
            return f"{name}(a, b) = {result}"
        return "\n    ".join([f"def {name}(a, b):"] + lines + [f"return {result}"])


def off(value):
    """Somewhat wrong."""
    value = np.asarray(value)
    if value.dtype == bool:
        return ~value
    return value + 1 if value.dtype == np.int64 else value + 1e-6 * (1 + np.abs(value))


def total(values, outputs, upstream):
    return sum(float(np.sum(u * values[n.at])) for n, u in zip(outputs, upstream) if u is not None)


def difference(g, node, i, h, outputs, upstream, signs):
    """(L(x + h) - L(x - h)) / 2h for element i of an input."""
    ends = []
    for side in (h, -h):
        given = {n: n.value for n in g.inputs}
        moved = node.value.copy()
        moved[i] += side
        given[node] = moved
        values, now = g.block.run(given)
        if not np.array_equal(now, signs):
            raise Rejected("a kink within the step")
        ends.append(total(values, outputs, upstream))
    return (ends[0] - ends[1]) / (2 * h)


def derivatives(g, node, outputs, upstream, signs):
    """Central differences, extrapolated (Richardson 1911): (4 D(h) - D(2h)) / 3 has an error of h^4. Where D(h) and D(2h) are far apart, the
    function bends too much for this step, and another program is drawn."""
    result = np.zeros(node.value.shape)
    for i in np.ndindex(node.value.shape):
        near = difference(g, node, i, STEP, outputs, upstream, signs)
        far = difference(g, node, i, 2 * STEP, outputs, upstream, signs)
        if abs(near - far) > 3e-5 * max(1, abs(near)):
            raise Rejected("bends too much")
        result[i] = (4 * near - far) / 3
    return result


def hexes(values):
    return " ".join(float(v).hex() for v in np.ravel(values))


def attempt(star, seed, wrong):
    g = Generator(seed)
    outputs = g.fill(star, wrong)
    upstream = [np.round(g.random.uniform(-1, 1, n.value.shape), 3) if n.value.dtype == float else None for n in outputs]
    given = {n: n.value for n in g.inputs}
    signs = g.block.run(given)[1]
    used = [n for n in g.inputs if n.uses and n.value.dtype == float and any(u is not None for u in upstream)]
    slopes = [(n.name, derivatives(g, n, outputs, upstream, signs)) for n in used]
    text = g.text(outputs)
    lines = [f"text {len(text.encode())}", text + "."]
    for n, u in zip(outputs, upstream):
        dims = " ".join(map(str, n.value.shape))
        lines.append(f"output {n.value.ndim} {dims} : {hexes(n.value)}")
        lines.append(f"upstream {hexes(u if u is not None else np.zeros(n.value.shape))}")
    lines += [f"input {name} : {hexes(d)}" for name, d in slopes]
    return "\n".join(lines + ["end"]), g.called


def main():
    count, seed, wrong = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] == ["wrong"]
    stars, called, drawn = list(ROWS), Counter(), 0
    for k in range(count):
        star = stars[k % len(stars)]
        for again in range(1000):
            drawn += 1
            try:
                text, of = attempt(star, [seed, k, again], wrong)
            except Rejected:
                continue
            print(f"program {k} {star}\n{text}")
            called.update(set(of))
            break
        else:
            sys.exit(f"no program with {star} stays away from kinks")
    for name in stars:
        print("row", name, called[name])
    print(f"{drawn} drawn for {count}", file=sys.stderr)


if __name__ == "__main__":
    main()
