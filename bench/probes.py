"""What is no race: measured once, by programs that print it. Each probe is a function of the build and the options, and returns figures."""
import os
import re
import shutil
import signal
import statistics
import subprocess
import tempfile
import time

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(here)


def lines_of(*argv):
    out = subprocess.run(argv, capture_output=True, text=True)
    if out.returncode:
        raise RuntimeError(f"{os.path.basename(argv[0])}: {out.stderr.strip()[-200:]}")
    return [line.split() for line in out.stdout.splitlines()]


def compile_cost(build, quick):
    """Seconds from graph to plan for 1,000 to 1,000,000 nodes."""
    sizes = ["1000", "100000"] if quick else ["1000", "100000", "1000000"]
    return {size: float(line[1]) for size, line in zip(sizes, lines_of(f"{build}/bench/compilecost", *sizes))}


def code_cost(build, quick):
    """Seconds from plan to loaded machine code, by the system's compiler."""
    sizes = ["1000", "4000"] if quick else ["4000", "16000", "64000"]
    lines = lines_of(f"{build}/bench/compilecost", "--code", "100", *sizes)[1:]  # the first call of a compiler finds nothing in memory
    if any(line[-1] == "interpreted" for line in lines):
        raise RuntimeError("there is no compiler")
    return {size: float(line[1]) for size, line in zip(sizes, lines)}


def gradient_cost(build, quick):
    """Time of function and gradient over that of the function."""
    rows = lines_of(f"{build}/bench/gradcost", *(["20", "5"] if quick else ["100", "15"]))
    found = {name: float(ratio) for name, _, ratio in rows}
    programs = sorted((v, k) for k, v in found.items() if k.startswith("program"))
    return {"networks": {k: v for k, v in found.items() if not k.startswith("program")}, "programs": [v for v, _ in programs],
            "median": programs[len(programs) // 2][0], "worst": programs[-1][0], "worst program": programs[-1][1]}


def first_step(build, quick):
    """Seconds from starting the program to the end of its first training step: a table of 150 rows, in one batch, so that the first step is the
    first epoch, which the program tells of. The median of 15 starts."""
    took = []
    with tempfile.TemporaryDirectory() as scratch:
        for _ in range(5 if quick else 15):
            start = time.perf_counter()
            p = subprocess.Popen([f"{build}/bprop", "train", f"{root}/data/iris.csv", "--target", "species", "--batch", "150", "--epochs", "1",
                                  "-o", f"{scratch}/m.safetensors"], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                                 env={**os.environ, "XDG_DATA_HOME": scratch})  # a history of its own
            for line in p.stderr:
                if line.startswith("epoch 1"):
                    took.append(time.perf_counter() - start)
                    break
            p.stderr.read()
            p.wait()
    return {"seconds": statistics.median(took), "samples": took}


def library_size(build, quick):
    with tempfile.TemporaryDirectory() as scratch:
        shutil.copy(os.path.realpath(f"{build}/libbprop.so"), f"{scratch}/lib.so")
        subprocess.run(["strip", f"{scratch}/lib.so"], check=True)
        return {"bytes": os.path.getsize(f"{scratch}/lib.so")}


DATA = 4 * 512 * 784  # the data set of fixedwork
PARAMS = sum((a + 1) * b for a, b in ((784, 512), (512, 512), (512, 10)))
ACTIVATIONS = 4 * 128 * (512 + 512 + 10)  # values of the hidden layers, and the logits
MEMORY_BAR = 4 * PARAMS * (2 + 2) + 1.5 * ACTIVATIONS + 8e6


def peak_memory(build, quick):
    """The largest resident size of a process that trains 784-512-512-10 with Adam and batch 128: all of it, the program's own code and the C
    library too, but not the trainer's data set."""
    figures = {"allowed": MEMORY_BAR}
    for way in ("plan", "trainer"):
        before, after = map(int, lines_of(f"{build}/bench/fixedwork", "memory", *(["trainer"] if way == "trainer" else []))[0])
        figures[way] = after - (DATA if way == "trainer" else 0)
        figures[f"{way}, before"] = before
    return figures


def same_bits(build, quick):
    """Hashes of the weights of three trained networks for 1, 2, 3, 4 and 8 threads, in each build that is there."""
    found = {}
    for name in ("release", "clang"):
        program = f"{os.path.dirname(build.rstrip('/'))}/{name}/bench/fixedwork"
        if os.path.exists(program):
            found[name] = [" ".join(lines_of(program, "bits", str(t))[0]) for t in ((1, 2) if quick else (1, 2, 3, 4, 8))]
    return {"builds": found, "differ": sum(h != hashes[0] for hashes in found.values() for h in hashes)}


def data_path(build, quick):
    """A step of the trainer, which loads, shuffles and converts its batches, over one of the same plan on fixed inputs."""
    return {f"{t} threads": 1 + float(lines_of(f"{build}/bench/datapath", t)[0][-2]) / 100 for t in ("1", "2")}


def crowded(build, quick):
    """Two trainings at once beside one after the other, and more threads than processors: steps a second over those of one training."""
    out = subprocess.run([f"{build}/bench/crowd"], capture_output=True, text=True).stdout
    found = {line[:22].strip(): float(re.search(r"\s([0-9.]+) of one", line).group(1)) for line in out.splitlines() if " of one" in line}
    return {"of one training": found, "worst": min(found.values())}


def fashion(build, quick):
    """Test accuracy on Fashion-MNIST, 784-128-10, Adam, batch 128, 10 epochs, seeds 1 to 3."""
    data = "/usr/share/datasets/fashion-mnist"
    if not os.path.isdir(data):
        raise RuntimeError("Debian's dataset-fashion-mnist is not installed")
    found, speed = [], []
    with tempfile.TemporaryDirectory() as scratch:
        for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
            with open(f"{scratch}/{name}-ubyte", "wb") as f:
                subprocess.run(["gzip", "-dc", f"{data}/{name}-ubyte.gz"], stdout=f, check=True)
        for seed in ("1", "2", "3"):
            text = " ".join(lines_of(f"{build}/bench/fashion", scratch, "2", "1" if quick else "10", seed)[-1])
            found.append(float(re.search(r"accuracy ([0-9.]+)", text).group(1)))
            speed.append(float(re.search(r"([0-9.]+) samples/s", text).group(1)))
    return {"accuracy": found, "mean": statistics.mean(found), "samples a second": speed}
