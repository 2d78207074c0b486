"""Results as text, JSON and Markdown."""
import math
import subprocess

from works import Figures, Work


def duration(seconds):
    for one, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if seconds >= one or name == "ns":
            x = seconds / one
            return f"{x:.{2 if x < 9.95 else 1 if x < 99.5 else 0}f} {name}"


def at_most(bar):
    """Whether a bar is one from above: it has a minus sign, -0.0 too."""
    return math.copysign(1, bar) < 0


def judge(work, figures):
    """The bars of a work or probe."""
    out = []
    for text, figure, bar in work.bars:
        value = figure(figures)
        met = None if value is None else value <= -bar if at_most(bar) else value >= bar
        out.append({"text": text, "figure": value, "bar": bar, "met": met})
    return out


def bar_text(b):
    limit = ("at most " if at_most(b["bar"]) else "at least ") + f"{abs(b['bar']):g}"
    state = {True: "met", False: "MISSED", None: "not measured"}[b["met"]]
    figure = "-" if b["figure"] is None else f"{b['figure']:.3g}"
    return figure, limit, state


def table(rows, head):
    widths = [max(len(str(r[i])) for r in [head] + rows) for i in range(len(head))]
    line = lambda r: "  ".join(str(c).ljust(w) if i == 0 else str(c).rjust(w) for i, (c, w) in enumerate(zip(r, widths))).rstrip()
    return "\n".join([line(head)] + [line(r) for r in rows])


PEERS = [("bprop", "bprop"), ("trainer", "trainer"), ("C", "C"), ("PyTorch", "PyTorch eager"), ("compile", "PyTorch compile"), ("JAX", "JAX"), ("other", None)]
KNOWN = tuple(p for _, p in PEERS if p)


def work_row(name, work, results, limits, threads):
    """One line of the table: the work on so many threads."""
    f = Figures(work, results, limits)
    suffix = f" {threads}T"
    cell = {}
    for title, prefix in PEERS:
        mine = {k: r["seconds"] for k, r in results.items() if "seconds" in r and k.endswith(suffix) and
                (k == prefix + suffix if prefix else not k[:-len(suffix)] in KNOWN)}
        cell[title] = min(mine.items(), key=lambda kv: kv[1]) if mine else None
    ours = cell["bprop"]
    rivals = [c[1] for t, c in cell.items() if c and t not in ("bprop", "trainer")]
    times = lambda c: f"{c[1] / ours[1]:.2f}" if c and ours else "-"
    share = f.floor(threads) / ours[1] if ours and f.floor(threads) else None
    return ([name, threads] + [(duration(c[1]) + (f" ({c[0][:-len(suffix)]})" if t == "other" else "")) if c else "-" for t, c in cell.items()] +
            [times(cell["C"]), f"{min(rivals) / ours[1]:.2f}" if rivals and ours else "-", f"{100 * share:.0f} %" if share else "-"])


HEAD = ["work", "threads"] + [t for t, _ in PEERS] + ["x C", "x best", "of limit"]


def rows_of(works, found, limits):
    for work in works:
        if work.name in found and isinstance(work, Work):
            for t in (1, 2):
                if any(k.endswith(f" {t}T") and "seconds" in r for k, r in found[work.name]["results"].items()):
                    yield work_row(work.name, work, found[work.name]["results"], found[work.name].get("limits", limits), t)


def show(works, found, limits):
    print(table(list(rows_of(works, found, limits)), HEAD))
    bars = [[w.name if i == 0 else "", b["text"], *bar_text(b)] for w in works if w.name in found for i, b in enumerate(found[w.name]["bars"])]
    print()
    print(table(bars, ["bar", "what", "figure", "bar", ""]))
    for w in works:
        for note in found.get(w.name, {}).get("disagreement", []):
            print(f"{w.name}: {note}")


# ---- docs/performance.md, between its marks ----

def cells(row):
    return "| " + " | ".join(str(c) for c in row) + " |"


def markdown_table(head, rows):
    return "\n".join([cells(head), cells(["---"] * len(head))] + [cells(r) for r in rows])


def numbered(works, found, limits):
    """Rows of the table with the numbers that the plot counts by."""
    return [[i + 1] + row for i, row in enumerate(rows_of(works, found, limits))]


def limits_text(limits):
    gb = lambda key: f"{1e-9 * limits[key]:.0f}"
    isas = [i for i in ("avx2", "avx512") if f"flops_{i}_1" in limits]
    rows = [[f"multiply-adds in registers, float32, {i}, GFLOP/s", gb(f"flops_{i}_1"), gb(f"flops_{i}_all")] for i in isas]
    for level, name in (("l1", "L1"), ("l2", "L2"), ("l3", "L3"), ("dram", "main memory")):
        rows.append([f"a = b + s c in {name}, GB/s", gb(f"triad_{level}_1"), gb(f"triad_{level}_all")])
        rows.append([f"reading alone in {name}, GB/s", gb(f"read_{level}_1"), gb(f"read_{level}_all")])
    rows.append(["a = b + s c in main memory with streaming stores, GB/s", gb("stream_dram_1"), gb("stream_dram_all")])
    rows.append(["a job for all threads that does nothing: spinning / parked, us", "-", f"{1e6 * limits['fork_join']:.2f} / {1e6 * limits['fork_join_parked']:.0f}"])
    rows.append(["a call of a kernel that does nothing, ns", f"{1e9 * limits['empty_call']:.1f}", "-"])
    return markdown_table(["", "1 thread", f"{limits['cores']:.0f} threads"], rows)


def rounds_text(works, found):
    """How often each work was measured, at which commit and when; fewer rounds than the table of works declares are marked."""
    rows, few = [], 0
    for w in works:
        r = found.get(w.name)
        if r:
            less = isinstance(w, Work) and r["rounds"] < w.rounds
            few += less
            count = "-" if not isinstance(w, Work) else f"**{r['rounds']} of {w.rounds}**" if less else r["rounds"]
            rows.append([w.name, count, r.get("commit", "-"), r.get("date", "-")])
    head = f"{few} works were measured in fewer rounds than they should be (bold).\n\n" if few else ""
    took = sum(r.get("took", 0) for r in found.values())
    return head + markdown_table(["work", "rounds", "commit", "date"], rows) + f"\n\nMeasuring them took {took / 60:.1f} minutes."


def trainer_text(works, found):
    """Where the trainer is much faster than the plan beside it: these are two plans."""
    less = [f"{w.name} ({b['text'].split(':')[0]}: {b['figure']:.2f})" for w in works for b in found.get(w.name, {}).get("bars", [])
            if b["text"].endswith("trainer over plan") and b["figure"] and b["figure"] < 0.97]
    return "" if not less else f"""
*Trainer over plan* is well below 1 in {'; '.join(less)}. The two contestants are different plans: the trainer's checks that numbers are finite,
and others of its wishes, change what the compiler makes of the same network (guards, what is done at the end of a product), so the bare plan is no
lower limit of the trainer, and such a ratio does not say what the trainer adds to a plan.
"""


def agreement_text(works, found):
    rows = []
    for w in works:
        results = found.get(w.name, {}).get("results", {})
        said = {k: r["agreement"] for k, r in results.items() if r.get("agreement") and "rms" in r["agreement"]}
        mine = [a["rms"] for k, a in said.items() if k.startswith(("bprop", "trainer"))]
        peers = [a["rms"] for k, a in said.items() if not k.startswith(("bprop", "trainer"))]
        if w.name.startswith("train") and mine and peers:
            losses = [a["loss"] for a in said.values() if "loss" in a]
            rows.append([w.name, f"{max(mine):.3g}", f"{min(peers):.3g} to {max(peers):.3g}", f"{max(losses) - min(losses):.1e}" if losses else "-"])
    return markdown_table(["work", "bprop", "peers", "first-epoch losses lie within"], rows)


def settings_text(works, found):
    rows = []
    for w in works:
        for key, r in found.get(w.name, {}).get("results", {}).items():
            if r.get("setting"):
                rows.append([w.name, key, ", ".join(f"{k}={v}" for k, v in r["setting"].items() if "THREADS" not in k)])
    return markdown_table(["work", "contestant", "fastest setting"], rows)


def all_times(works, found):
    rows = []
    for w in works:
        for key, r in found.get(w.name, {}).get("results", {}).items():
            spread = sorted(r.get("samples", []))
            rows.append([w.name, key, duration(r["seconds"]), f"{duration(spread[0])} to {duration(spread[-1])}"] if spread else [w.name, key, "absent", r["absent"]])
    return markdown_table(["work", "contestant", "median", "least and most"], rows)


def notes_text(found):
    return "\n".join(f"- {n}" for n in sorted({r["note"] for w in found.values() for r in w.get("results", {}).values() if r.get("note")}))


def bars_text(works, found):
    """Their number, and a table."""
    bars = [[w.name, b["text"], *bar_text(b)] for w in works if w.name in found for b in found[w.name]["bars"]]
    missed = sum(b[-1] == "MISSED" for b in bars)
    rows = [[b[0], b[1], b[2], b[3], f"**{b[4]}**" if b[4] == "MISSED" else b[4]] for b in bars]
    return f"""{len(bars)} bars, {missed} missed.

{markdown_table(["work", "what", "figure", "bar", ""], rows)}"""


def narrow_text(works, isa, record):
    """What was measured with a smaller instruction set than the processor has."""
    found, limits, m = record["works"], record["limits"], record["machine"]
    return f"""
### With {isa} alone

The bars were set on a machine with AVX2. Here bprop and the products of hand-written C (OpenBLAS) are kept to {isa} on the same processor, and the floor
is that of {isa}. PyTorch's products never take more; JAX cannot be held back, nor are the loops of hand-written C. Commit {m['commit']}; {record['date']}.

{markdown_table(HEAD, list(rows_of(works, found, limits)))}

{bars_text(works, found)}
"""


def markdown(works, record):
    found, limits, m = record["works"], record["limits"], record["machine"]
    disagree = [f"- {w.name}: {n}" for w in works for n in found.get(w.name, {}).get("disagreement", [])]
    return f"""{m['processors']} processors: {m['processor']}; {m['compiler']}; commit {m['commit']}; {record['date']}. Instruction set in use: {limits['isa']}.

### Limits of the machine

{limits_text(limits)}

### Works

Times of one repetition, medians of the rounds below. *x C* and *x best*: how many times as long hand-written C, and the fastest contestant with as many threads, takes. *Of limit*: the
floor, operations at the peak and bytes at the bandwidth above, over bprop's time.

{markdown_table(["#"] + HEAD, numbered(works, found, limits))}

![Time of each contestant over bprop's, by the number of the work](performance-works.svg)
{trainer_text(works, found)}
### Rounds

{rounds_text(works, found)}

### Bars

{bars_text(works, found)}

![Gradient and function over function, of 100 random elementwise programs](performance-gradients.svg)

![Time from graph to plan](performance-compile.svg)
{"".join(narrow_text(works, isa, r) for isa, r in record.get("isas", {}).items())}
### Agreement

Error of the weights after the first step against float64 (rms, over the rms of the weights), and how far the mean losses of the first pass over the data lie apart.

{agreement_text(works, found)}
{chr(10).join([''] + disagree) if disagree else ''}
### Contestants

{notes_text(found)}

<details><summary>All times</summary>

{all_times(works, found)}

</details>

<details><summary>Settings that were tried and kept</summary>

{settings_text(works, found)}

</details>
"""


def plot(build, path, title, x, y, logs, series):
    lines = [f"{title}|{x}|{y}|{logs[0]}|{logs[1]}"]
    for label, stroke, points in series:
        lines.append(f"= {label}|{stroke}")
        lines += [f"{a:.9g} {b:.9g}" for a, b in points]
    subprocess.run([f"{build}/bench/plots", path], input="\n".join(lines) + "\n", text=True, check=True)


def plots(build, docs, works, record):
    found, limits = record["works"], record["limits"]
    points = {}
    n = 0
    for w in works:
        results = found.get(w.name, {}).get("results", {})
        for t in (1, 2):
            here = {k: r["seconds"] for k, r in results.items() if "seconds" in r and k.endswith(f" {t}T")}
            if not here:
                continue
            n += 1
            for title, prefix in PEERS[2:-1]:
                key = f"{prefix} {t}T"
                if key in here and f"bprop {t}T" in here:
                    points.setdefault({"C": "hand-written C", "compile": "torch.compile"}.get(title, title), []).append((n, here[key] / here[f"bprop {t}T"]))
    plot(build, f"{docs}/performance-works.svg", "Time over that of bprop", "work, by its number in the table", "times as long", (0, 1),
         [(k, "points", v) for k, v in points.items()] + [("bprop", "line", [(1, 1), (max(n, 2), 1)])])
    cost = found.get("gradient and function over function", {}).get("figures")
    if cost:
        programs = list(enumerate(cost["programs"], 1))
        plot(build, f"{docs}/performance-gradients.svg", "What a gradient costs", "random programs, cheapest first", "function and gradient / function", (0, 0),
             [("programs", "points", programs), ("bar", "dashed", [(1, 4), (len(programs), 4)])])
    compiled = found.get("compile, graph to plan", {}).get("figures")
    if compiled:
        plot(build, f"{docs}/performance-compile.svg", "From graph to plan", "nodes", "seconds", (1, 1),
             [("measured", "points", [(float(k), v) for k, v in compiled.items()]),
              ("2 us a node", "dashed", [(1e3, 2e-3), (1e6, 2.0)])])
