"""JAX as a contestant. JAX_THREADS=1 keeps the process on one processor, which is the setting that XLA's CPU back end takes its threads
from."""
import functools
import itertools
import os

if os.environ.get("JAX_THREADS") == "1":
    os.sched_setaffinity(0, {sorted(os.sched_getaffinity(0))[-1]})
    os.environ["XLA_FLAGS"] = os.environ.get("XLA_FLAGS", "") + " --xla_cpu_multi_thread_eigen=false"
os.environ["JAX_PLATFORMS"] = "cpu"

import jax
import jax.numpy as jnp
import numpy as np

import protocol


def logits(params, x):
    for W, b in params[:-1]:
        x = jax.nn.relu(x @ W.T + b)
    W, b = params[-1]
    return x @ W.T + b


def image_logits(params, x):
    """Two times convolution of 3 by 3, ReLU and max-pooling of 2 by 2; dense layers. The weights are [filters, 3, 3, channels]."""
    x = x.reshape(-1, 28, 28, 1)
    for W, b in params[:2]:
        W = W.reshape(len(b), 3, 3, -1)
        x = jax.nn.relu(jax.lax.conv_general_dilated(x, W, (1, 1), "VALID", dimension_numbers=("NHWC", "OHWI", "NHWC")) + b)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
    return logits(params[2:], x.reshape(len(x), -1))


def loss_of(ask, params, x, labels):
    z = ask(params, x)
    return jnp.mean(jax.nn.logsumexp(z, axis=1) - jnp.take_along_axis(z, labels[:, None], axis=1)[:, 0])


class Train:
    def __init__(self, request):
        net = self.net = protocol.Network(request)
        self.loss = functools.partial(loss_of, image_logits if net.images else logits)
        self.x = [jnp.asarray(net.x[s]) for s in net.batches()]
        self.labels = [jnp.asarray(net.labels[s].astype(np.int32)) for s in net.batches()]

        def sgd(state, x, y):
            loss, g = jax.value_and_grad(self.loss)(state[0], x, y)
            return (jax.tree.map(lambda p, g: p - net.lr * g, state[0], g),), loss

        def adam(state, x, y):
            params, m, v, t = state
            loss, g = jax.value_and_grad(self.loss)(params, x, y)
            t = t + 1
            m = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, m, g)
            v = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, v, g)
            c1, c2 = net.lr / (1 - 0.9**t), 1 / (1 - 0.999**t)
            params = jax.tree.map(lambda p, m, v: p - c1 * m / (jnp.sqrt(c2 * v) + 1e-8), params, m, v)
            return (params, m, v, t), loss

        self.step = jax.jit(adam if net.adam else sgd, donate_argnums=0)
        self.restart()
        self.run(2)

    def first(self):
        return [(jnp.array(W), jnp.array(b)) for W, b in self.net.params]

    def restart(self):
        params = self.first()
        zeros = lambda: jax.tree.map(jnp.zeros_like, params)
        self.state = (params, zeros(), zeros(), jnp.float32(0)) if self.net.adam else (params,)
        self.next = itertools.cycle(zip(self.x, self.labels))

    def run(self, n):
        for _ in range(n):
            self.state, loss = self.step(self.state, *next(self.next))
        jax.block_until_ready(self.state)

    def check(self, path):
        self.restart()
        self.state, loss = self.step(self.state, *next(self.next))
        np.concatenate([np.asarray(a).reshape(-1) for a in jax.tree.leaves(self.state[0])]).tofile(path)
        total = float(loss)
        for _ in range(len(self.x) - 1):
            self.state, loss = self.step(self.state, *next(self.next))
            total += float(loss)
        return {"loss": total / len(self.x)}


class Infer:
    def __init__(self, request):
        self.net = protocol.Network(request)
        self.x = [jnp.asarray(self.net.x[s]) for s in self.net.batches()]
        self.params = self.first()
        self.call = jax.jit(image_logits if self.net.images else logits)
        self.next = itertools.cycle(self.x)
        self.run(2)

    def first(self):
        return [(jnp.array(W), jnp.array(b)) for W, b in self.net.params]

    def run(self, n):
        for _ in range(n):
            y = self.call(self.params, next(self.next))
            y.block_until_ready()

    def check(self, path):
        np.asarray(self.call(self.params, self.x[0])).tofile(path)


def chain(x):
    """The formula of bench/ours/chain.c."""
    t = jax.nn.relu(x * 1.5 + 0.25) * x - 0.5
    return t * t * 0.125 + x


class Chain:
    def __init__(self, request):
        self.x = jnp.asarray(np.fromfile(request["file"], dtype=np.float32))
        self.gradient = request.count("gradient", 0)
        self.f = jax.jit(jax.value_and_grad(lambda x: chain(x).sum()) if self.gradient else chain)
        self.run(2)

    def run(self, n):
        for _ in range(n):
            self.y = self.f(self.x)
            jax.block_until_ready(self.y)

    def check(self, path):
        self.run(1)
        np.asarray(self.y[1] if self.gradient else self.y).tofile(path)


if __name__ == "__main__":
    note = f"JAX {jax.__version__}, {os.environ.get('JAX_THREADS', 'all')} threads"
    protocol.serve(note, {"train": Train, "infer": Infer, "chain": Chain})
