"""A random program as a list of nodes: each has its text in bprop's language and a NumPy function of its arguments' values."""
import numpy as np

SPARE = 0.02  # how far a value stays away from a kink


class Node:
    """text: a template, {0} for the first argument. fn: values of the arguments -> value. kinks: values -> distances to kinks, signed:
    a sign changes where a kink is crossed. frozen: no gradient goes through, so differences must not either. plain: a literal constant."""

    def __init__(self, text, args, fn, kinks=None, frozen=False):
        self.text, self.args, self.fn, self.kinks, self.frozen = text, args, fn, kinks, frozen
        self.name, self.value, self.at, self.uses, self.plain = None, None, None, 0, False


class Rejected(Exception):
    """This program is too near to a kink, or its numbers are too large: another is drawn."""


class Block:
    """Nodes in order, the first n of which are given from outside."""

    def __init__(self, given):
        self.nodes, self.n_given = [], 0
        for node in given:
            self.give(node)

    def give(self, node):
        assert self.n_given == len(self.nodes) or not node.args
        node.at = len(self.nodes)
        self.nodes.append(node)
        self.n_given += 1

    def add(self, node):
        args = [a.value for a in node.args]
        node.value = np.asarray(node.fn(*args))
        if node.kinks is not None and np.any(np.abs(node.kinks(*args)) < SPARE):
            raise Rejected("near a kink")
        if not np.all(np.isfinite(node.value)) or np.any(np.abs(node.value) > 1e3):
            raise Rejected("large numbers")
        for a in node.args:
            a.uses += 1
        node.at = len(self.nodes)
        self.nodes.append(node)
        return node

    def run(self, given):
        """Values of all nodes, and the signs of all distances to kinks. given: values of the nodes without arguments, by node."""
        values, signs = [], []
        for node in self.nodes:
            if node in given:
                values.append(given[node])
            elif node.frozen:
                values.append(node.value)
            else:
                args = [values[a.at] for a in node.args]
                values.append(node.fn(*args))
                if node.kinks is not None:
                    signs.append(np.sign(node.kinks(*args)).ravel())
        return values, np.concatenate(signs) if signs else np.zeros(0)

    def expression(self, node):
        if node.name:
            return node.name
        return node.text.format(*[self.expression(a) for a in node.args])


def bare(text):
    """Without brackets around the whole."""
    if not (text.startswith("(") and text.endswith(")")):
        return text
    depth = 0
    for i, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if depth == 0 and i < len(text) - 1:
            return text
    return text[1:-1]


def literal(value):
    """An array as text that reads back to the same bits."""
    value = np.asarray(value)
    if value.ndim:
        return "[" + ", ".join(literal(v) for v in value) + "]"
    if value.dtype == bool:
        return "True" if value else "False"
    return repr(value.item())
