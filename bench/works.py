"""What is measured, against whom, and the bars: one row a work.

A bar is (text, figure, bar): `figure` is a function of the Figures of its work; it is met when the figure is at least the bar, or at most
where the bar has a minus sign (then -bar is meant; -0.0: at most none).
"""
from dataclasses import dataclass, field

import probes


@dataclass
class Entrant:
    key: str  # "bprop 1T"
    program: str
    threads: int
    words: dict = field(default_factory=dict)
    env: dict = field(default_factory=dict)
    settings: list = field(default_factory=list)  # environments to be tried, the fastest competes


@dataclass
class Work:
    name: str
    kind: str
    words: dict  # of the request; data=(rows, widths) or count=n: files to be made
    entrants: list
    bars: list
    unit: str  # of one repetition: "step", "pass"
    rounds: int = 15
    target: float = 0.03  # seconds of one turn
    quick: bool = False  # part of make bench-quick
    check: str = ""  # contestant that computes the reference, in float64
    flops: float = 0  # multiply-adds and the like of one repetition, times 2 ...
    bytes: float = 0  # ... what must go through main memory ...
    reads: float = 0  # ... and what must be read, from the level of memory that holds it
    per: float = 1  # elements or examples of one repetition


# PyTorch, JAX and ADOL-C ask for memory with every call: so that the C library keeps what they give back, and pages are not made anew each time.
KEEP_MEMORY = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": str(1 << 40), "MALLOC_ARENA_MAX": "1"}
@dataclass
class Probe:
    name: str
    measure: object  # a function of bench/probes.py
    bars: list
    quick: bool = True


CORES = ["SkylakeX", "Zen", "Haswell"]

# For bench/run --isa: bprop is told the instruction set, OpenBLAS takes one of these; PyTorch and JAX stay as they are.
CORES_OF = {"avx2": ["Zen", "Haswell"]}


def blas(threads):
    return [{"OPENBLAS_CORETYPE": core, "OPENBLAS_NUM_THREADS": str(threads)} for core in CORES]


def ours(threads, name="bprop", **words):
    return Entrant(f"{name} {threads}T", "ours", threads, words)


def hand(threads, **words):
    return Entrant(f"C {threads}T", "handwritten", threads, words, settings=blas(threads))


def torch(threads, mode, **words):
    return Entrant(f"PyTorch {mode} {threads}T", "torch", threads, {"mode": mode, **words},
                   {"TORCH_THREADS": str(threads), "OMP_NUM_THREADS": str(threads), **KEEP_MEMORY})


def jax(threads, **words):
    return Entrant(f"JAX {threads}T", "jax", threads, words, {"JAX_THREADS": str(threads), **KEEP_MEMORY})


class Figures:
    """The results of one work, as bars ask for them."""

    def agreements(self, what, mine):
        """What contestants said of the same work computed once (bench/run, checker): of bprop (mine), or of all others."""
        found = [(k, (r.get("agreement") or {}).get(what)) for k, r in self.results.items()]
        return [v for k, v in found if v is not None and k.startswith(("bprop", "trainer")) == mine]

    def error_over_peers(self):
        """bprop's error of the weights after one step over that of the best peer."""
        mine, peers = self.agreements("rms", True), self.agreements("rms", False)
        return max(mine) / min(peers) if mine and peers else None

    def losses_apart(self):
        """The most that a peer's mean loss of the first pass over the data lies from one of bprop's."""
        mine, peers = self.agreements("loss", True), self.agreements("loss", False)
        return max(abs(a - b) for a in mine for b in peers) if mine and peers else None

    def __init__(self, work, results, limits):
        self.work, self.results, self.limits = work, results, limits

    def seconds(self, *prefixes):
        """Least time of all contestants whose key begins so; None where there is none."""
        found = [r["seconds"] for k, r in self.results.items() if "seconds" in r and k.startswith(prefixes)]
        return min(found) if found else None

    def times(self, other, ours):
        """How many times as fast as the others."""
        a, b = self.seconds(*([other] if isinstance(other, str) else other)), self.seconds(ours)
        return a / b if a and b else None

    def floor(self, threads):
        suffix = "1" if threads == 1 else "all"
        peak = self.limits.get(f"flops_{self.limits['isa']}_{suffix}")
        reading = self.work.reads / self.bandwidth(self.level(self.work.reads), suffix)
        if self.work.flops and not peak:
            return None  # nobody has measured it
        return max(self.work.flops / (peak or 1), reading) + self.work.bytes / self.bandwidth("dram", suffix)

    def bandwidth(self, level, suffix):
        """The most that any of the sweeps of a level of memory reached."""
        return max(self.limits.get(f"{how}_{level}_{suffix}", 0) for how in ("triad", "stream", "read"))

    def level(self, size):
        """The level of memory that holds so many bytes."""
        return next((l for l in ("l1", "l2", "l3") if size <= self.limits[f"{l}_bytes"]), "dram")

    def over_floor(self, ours, threads):
        b = self.seconds(ours)
        return b / self.floor(threads) if b and self.floor(threads) else None


def net_flops(widths, train):
    """Of one example: forward; with training also both gradients, but for that by the inputs."""
    products = [2 * a * b for a, b in zip(widths, widths[1:])]
    return sum(products) * (2 if train else 1) + (sum(products[1:]) if train else 0)


def net_params(widths):
    return sum((a + 1) * b for a, b in zip(widths, widths[1:]))


def data_of(rows, inputs, layers):
    """The files of a network: layers as (inputs of a unit, units)."""
    return {"rows": rows, "inputs": inputs, "layers": ",".join(f"{a}x{b}" for a, b in layers)}


def dense(rows, widths):
    return data_of(rows, widths[0], list(zip(widths, widths[1:])))


def train_work(widths, batch, optimizer, rows, bars, **more):
    name = "-".join(map(str, widths))
    entrants = [e for t in (1, 2) for e in (
        ours(t), ours(t, "trainer", through="trainer"), hand(t), torch(t, "eager"), torch(t, "compile"), jax(t))]
    return Work(f"train {name}, batch {batch}, {optimizer}", "train",
                {**dense(rows, widths), "batch": batch, "optimizer": optimizer, "lr": 0.1 if optimizer == "sgd" else 0.001},
                entrants, bars, "step", check="reference", flops=batch * net_flops(widths, True), per=batch,
                bytes=24.0 * net_params(widths) if more.pop("memory", False) else 0, **more)


AGREEMENT = [("error of the weights after one step, over the best peer's", lambda f: f.error_over_peers(), -1.1),
             ("first-epoch losses lie apart", lambda f: f.losses_apart(), -1e-3)]


def train_bars(c, floor, peers):
    """(1 thread, 2 threads) each: times hand-written C with as many threads, at most so many floors, times PyTorch at its best thread count."""
    bars = []
    for t in (1, 2):
        s = "s" if t > 1 else ""
        torches = tuple(f"PyTorch {m} {n}T" for m in ("eager", "compile") for n in range(1, t + 1))
        bars.append((f"{t} thread{s}: times hand-written C with as many", lambda f, t=t: f.times(f"C {t}T", f"bprop {t}T"), c[t - 1]))
        bars.append((f"{t} thread{s}: times the floor", lambda f, t=t: f.over_floor(f"bprop {t}T", t), -floor[t - 1]))
        bars.append((f"{t} thread{s}: times the best PyTorch{' with 1 or 2' if t > 1 else ''}", lambda f, t=t, p=torches: f.times(p, f"bprop {t}T"), peers[t - 1]))
        bars.append((f"{t} thread{s}: trainer over plan", lambda f, t=t: over(f.seconds(f"trainer {t}T"), f.seconds(f"bprop {t}T")), -1.03))
    bars.append(("2 threads against 1", lambda f: f.times("bprop 1T", "bprop 2T"), 1.0))
    return bars + AGREEMENT


def over(a, b):
    return a / b if a and b else None


def infer_work(widths, batch, rows, factor, **more):
    name = "-".join(map(str, widths))
    entrants = [e for t in (1, 2) for e in (ours(t), hand(t), torch(t, "eager"), torch(t, "compile"), jax(t))]
    torches = tuple(f"PyTorch {m} {n}T" for m in ("eager", "compile") for n in (1, 2))
    bars = [("best of 1 and 2 threads: times the best PyTorch with 1 or 2", lambda f: f.times(torches, "bprop "), factor),
            ("2 threads against 1", lambda f: f.times("bprop 1T", "bprop 2T"), 1.0)]
    return Work(f"infer {name}, batch {batch}", "infer", {**dense(rows, widths), "batch": batch}, entrants, bars + more.pop("bars", []), "pass",
                check="reference", flops=batch * net_flops(widths, False), reads=4 * net_params(widths), per=batch, **more)


SMALL, MIDDLE, LARGE = [784, 128, 10], [784, 512, 512, 10], [3072, 4096, 4096, 10]


def chain_work(n, gradient, bars, **more):
    threads = (1,) if n < 100000 else (1, 2)
    entrants = [ours(t, "bprop JIT", jit=1) for t in threads]
    entrants += [e for t in threads for e in (ours(t), hand(t), torch(t, "eager"), torch(t, "compile"), jax(t))]
    for e in entrants:
        e.settings = e.settings[:1]  # no BLAS in it
    moved = 8 * n if n > 1000000 else 0
    return Work(f"chain of 8, {n:,} elements, forward{' and gradient' if gradient else ''}", "chain", {"count": n, "n": n, "gradient": int(gradient)},
                [e for e in entrants if e.program != "handwritten" or e.threads == 1], bars, "pass", check="reference", bytes=moved, per=n, **more)


SHORT_BARS = [
    ("times torch.compile", lambda f: f.times("PyTorch compile", "bprop 1T"), 1.0),
    ("times JAX", lambda f: f.times("JAX", "bprop 1T"), 1.0),
    ("over a hand-fused loop, interpreted", lambda f: over(f.seconds("bprop 1T"), f.seconds("C 1T")), -3.5),
    ("over a hand-fused loop, JIT", lambda f: over(f.seconds("bprop JIT 1T"), f.seconds("C 1T")), -1.3),
]
LONG_BARS = [bar for t in (1, 2) for way, key in (("interpreted", "bprop"), ("JIT", "bprop JIT")) for bar in (
    (f"{t} thread{'s'[:t - 1]}, {way}: times torch.compile", lambda f, t=t, k=key: f.times(f"PyTorch compile {t}T", f"{k} {t}T"), 0.95),
    (f"{t} thread{'s'[:t - 1]}, {way}: share of measured bandwidth", lambda f, t=t, k=key: over(1, f.over_floor(f"{k} {t}T", t)), 0.8))]
LONG_BARS.append(("2 threads against 1", lambda f: f.times("bprop 1T", "bprop 2T"), 1.0))


def tiny_work():
    entrants = [ours(1), ours(1, "bprop JIT", jit=1), Entrant("C 1T", "handwritten", 1), Entrant("FANN 1T", "fann", 1), torch(1, "eager")]
    return Work("train 2-8-1, batch 1, sgd", "tiny", {"count": 33}, entrants, [
        ("interpreted, times scalar C", lambda f: f.times("C 1T", "bprop 1T"), 1.0),
        ("JIT, times scalar C", lambda f: f.times("C 1T", "bprop JIT 1T"), 3.0)] + AGREEMENT, "step", check="reference", quick=True)


# Two convolutions of 3 by 3 to 32 and 64 channels, each with ReLU and max-pooling of 2 by 2, a dense layer of 128 with ReLU, then the classes.
IMAGE_LAYERS = [(9, 32), (288, 64), (1600, 128), (128, 10)]
IMAGE_FLOPS = [2 * 26 * 26 * 9 * 32, 2 * 11 * 11 * 288 * 64, 2 * 1600 * 128, 2 * 128 * 10]


def image_work(batch, train):
    """In float64 PyTorch computes the reference."""
    entrants = [e for t in (1, 2) for e in (ours(t), torch(t, "eager"), torch(t, "compile"), jax(t))]
    bars = [(f"{t} thread{'s'[:t - 1]}: times the best PyTorch{' with 1 or 2' if t > 1 else ''}",
             lambda f, t=t: f.times(tuple(f"PyTorch {m} {n}T" for m in ("eager", "compile") for n in range(1, t + 1)), f"bprop {t}T"),
             1.2 if train else 1.5 if batch == 1 else 1.1) for t in (1, 2)]
    bars.append(("2 threads against 1", lambda f: f.times("bprop 1T", "bprop 2T"), 1.0))
    bars += AGREEMENT if train else []
    flops = sum(IMAGE_FLOPS) * (2 if train else 1) + (sum(IMAGE_FLOPS[1:]) if train else 0)
    words = {**data_of(1920 if batch < 1000 else 2048, 784, IMAGE_LAYERS), "images": 1, "batch": batch}
    if train:
        words.update(optimizer="sgd", lr=0.1)
    return Work(f"{'train' if train else 'infer'} small convolutional network 28x28, batch {batch}", "train" if train else "infer", words, entrants, bars,
                "step" if train else "pass", check="torch", flops=batch * flops, per=batch)


def circuit_work(nodes):
    entrants = [ours(1), Entrant("ADOL-C 1T", "adolc", 1, {}, KEEP_MEMORY), Entrant("CasADi 1T", "casadi", 1)]
    return Work(f"gradient of {nodes:,} scalar nodes, float64", "circuit", {"program": nodes}, entrants, [
        ("times ADOL-C", lambda f: f.times("ADOL-C", "bprop 1T"), 2.0),
        ("times CasADi's virtual machine", lambda f: f.times("CasADi 1T", "bprop 1T"), 2.0),
        ("nanoseconds a node", lambda f: over(f.seconds("bprop 1T"), 1e-9 * nodes), -8.0)], "gradient", check="same", per=nodes, target=0.02)


def sparse_work(case, label):
    casadi = [] if case == "arrow" else [Entrant("CasADi SX 1T", "casadi", 1), Entrant("CasADi MX 1T", "casadi", 1, {"expressions": "MX"}),
                                         Entrant("CasADi compiled 1T", "casadi", 1, {"compiled": 1})]
    adolc = [] if case == "arrow" else [Entrant("ADOL-C columns 1T", "adolc", 1, {}, KEEP_MEMORY), Entrant("ADOL-C rows 1T", "adolc", 1, {"rows": 1}, KEEP_MEMORY)]
    return Work(label, "sparse", {"case": case}, [ours(1), ours(1, "dense", way="dense")] + adolc + casadi,
                [("times the dense way", lambda f: f.times("dense", "bprop 1T"), 1.0)], "Jacobian", check="same", target=0.01)


MLP_BAR = [(f"{name}", lambda f, n=name: f["networks"][n], -3.0) for name in ("784-128-10,batch64", "784-512-512-10,batch128")]
PROBES = [
    Probe("gradient and function over function", probes.gradient_cost, MLP_BAR + [("worst of the random elementwise programs", lambda f: f["worst"], -4.0)]),
    Probe("compile, graph to plan", probes.compile_cost, [
        ("1,000 nodes, ms", lambda f: 1e3 * f["1000"], -2.0), ("100,000 nodes, ms", lambda f: 1e3 * f["100000"], -200.0),
        ("time a node, 1,000,000 nodes over 100,000", lambda f: over(f.get("1000000", 0) / 1e6, f["100000"] / 1e5), -1.5)]),
    Probe("compile, plan to machine code", probes.code_cost, [
        ("time a node, 64,000 nodes over 4,000", lambda f: over(f.get("64000", 0) / 64e3, f["4000"] / 4e3), -1.5)], quick=False),
    Probe("start to first training step", probes.first_step, [("ms", lambda f: 1e3 * f["seconds"], -20.0)]),
    Probe("size of the stripped library", probes.library_size, [("MB", lambda f: 1e-6 * f["bytes"], -1.0)]),
    Probe("peak memory, train 784-512-512-10, batch 128, adam", probes.peak_memory, [
        ("plan, share of what is allowed", lambda f: f["plan"] / f["allowed"], -1.0),
        ("trainer, share of what is allowed", lambda f: f["trainer"] / f["allowed"], -1.0)]),
    Probe("same bits for 1, 2, 3, 4 and 8 threads, gcc and clang", probes.same_bits,
          [("results that differ inside a build", lambda f: f["differ"], -0.0), ("builds compared", lambda f: len(f["builds"]), 2)]),
    Probe("data path, 784-128-10 from bytes, batch 64, sgd", probes.data_path, [
        (f"{t} thread{'s'[:t - 1]}: the trainer's step over its plan's", lambda f, t=t: f[f"{t} threads"], -1.03) for t in (1, 2)], quick=False),
    Probe("trainings on a busy machine", probes.crowded, [
        ("two at once with 2 threads each, steps a second over those of one", lambda f: f["of one training"]["two at once"], 1.0),
        ("one with 8 threads, over one with 2", lambda f: f["of one training"]["one, 8 threads"], 1.0)], quick=False),
    Probe("Fashion-MNIST, 784-128-10, 10 epochs", probes.fashion, [("test accuracy, %", lambda f: f["mean"], 88.0)], quick=False),
]

WORKS = [
    train_work(SMALL, 64, "sgd", 9984, train_bars((1.25, 1.4), (1.35, 1.5), (2.0, 2.5)), quick=True),
    train_work(MIDDLE, 128, "sgd", 9984, train_bars((1.15, 1.25), (1.2, 1.35), (1.5, 2.0))),
    train_work(MIDDLE, 128, "adam", 9984, train_bars((1.15, 1.25), (1.2, 1.35), (1.5, 2.0))),
    train_work(LARGE, 256, "adam", 1024, train_bars((1.05, 1.05), (1.25, 1.25), (1.0, 1.0)), rounds=5, memory=True),
    tiny_work(),
    infer_work(SMALL, 1, 9984, 1.5, bars=[("over reading the weights once", lambda f: f.over_floor("bprop 1T", 1), -1.3)], quick=True),
    infer_work(SMALL, 1024, 9216, 1.1),
    infer_work(MIDDLE, 1, 9984, 1.5),
    infer_work(MIDDLE, 1024, 9216, 1.1),
    infer_work(LARGE, 1, 1024, 1.5),
    infer_work(LARGE, 1024, 1024, 1.1, rounds=5),
    chain_work(4096, False, SHORT_BARS, quick=True),
    chain_work(4096, True, SHORT_BARS),
    chain_work(1 << 24, False, LONG_BARS),
    chain_work(1 << 24, True, LONG_BARS),
    image_work(64, True),
    image_work(1, False),
    image_work(1024, False),
    circuit_work(100000),
    sparse_work("broyden", "Jacobian of Broyden's function, 2,048 variables"),
    sparse_work("trigexp", "Jacobian of the trigonometric function, 2,048 variables"),
    sparse_work("arrow", "Hessian of an arrow, 2,048 variables"),
] + PROBES
