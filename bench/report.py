"""Results as text, JSON and Markdown."""
from works import Figures, Work


def duration(seconds):
    for one, name in ((1, "s"), (1e-3, "ms"), (1e-6, "us"), (1e-9, "ns")):
        if seconds >= one or name == "ns":
            x = seconds / one
            return f"{x:.{2 if x < 9.95 else 1 if x < 99.5 else 0}f} {name}"


def judge(work, figures):
    """The bars of a work or probe."""
    out = []
    for text, figure, bar in work.bars:
        value = figure(figures)
        met = None if value is None else value <= -bar if bar < 0 else value >= bar
        out.append({"text": text, "figure": value, "bar": bar, "met": met})
    return out


def bar_text(b):
    limit = ("at most " if b["bar"] < 0 else "at least ") + f"{abs(b['bar']):g}"
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
                    yield work_row(work.name, work, found[work.name]["results"], limits, t)


def show(works, found, limits):
    print(table(list(rows_of(works, found, limits)), HEAD))
    bars = [[w.name if i == 0 else "", b["text"], *bar_text(b)] for w in works if w.name in found for i, b in enumerate(found[w.name]["bars"])]
    print()
    print(table(bars, ["bar", "what", "figure", "bar", ""]))
    for w in works:
        for note in found.get(w.name, {}).get("disagreement", []):
            print(f"{w.name}: {note}")
