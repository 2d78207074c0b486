"""What bench/tables measured, as text and as Markdown: means, paired differences, wins, times."""
import statistics

MARKS = ("<!-- tables: written by bench/tables --docs -->", "<!-- end of tables -->")


def scores(found, name):
    """Score by split, of the splits that ended well."""
    return {s: runs[name]["score"] for s, runs in found["splits"].items() if "score" in runs.get(name, {})}


def seconds(found, name):
    """Of the processor: what a run takes on a machine that has nothing else to do."""
    times = [runs[name]["cpu"] for runs in found["splits"].values() if "cpu" in runs.get(name, {})]
    return statistics.median(times) if times else None


def paired(a, b):
    """Mean of a - b over the splits that both have, its standard error, and splits won, equal and lost by a."""
    d = [a[s] - b[s] for s in a if s in b]
    if not d:
        return None
    error = statistics.stdev(d) / len(d) ** 0.5 if len(d) > 1 else 0.0
    return statistics.mean(d), error, sum(x > 0 for x in d), sum(x == 0 for x in d), sum(x < 0 for x in d)


def names(found):
    return list(dict.fromkeys(n for runs in found["splits"].values() for n in runs))


def best_peer(found):
    """The setting of scikit-learn that has the highest mean on this table."""
    peers = {n: statistics.mean(scores(found, n).values()) for n in names(found) if not n.startswith("bprop") and scores(found, n)}
    return max(peers, key=peers.get) if peers else None


def figure(value, number):
    return f"{value:.4f}" if number else f"{100 * value:.2f}"


def versus(found, mine, peer):
    """Difference to the peer, how many standard errors that is, and the splits won, equal and lost."""
    p = paired(scores(found, mine), scores(found, peer)) if peer else None
    if not p:
        return ["-", "-", "-"]
    mean, error, won, same, lost = p
    verdict = f"{mean / error:+.1f} s.e." if error else "="
    n = found["number"]
    return [f"{'+' if mean >= 0 else '-'}{figure(abs(mean), n)} ± {figure(error, n)}", verdict, f"{won}/{same}/{lost}"]


def short(t):
    return "-" if t is None else f"{t:.2f} s" if t < 9.95 else f"{t:.0f} s"


def lines(tables):
    """Every contestant of every table, in the manner of a terminal."""
    out = []
    for table, found in tables.items():
        peer = best_peer(found)
        out.append(f"{table}: {found['rows']} rows, {found['columns']} columns, {len(found['splits'])} splits; {'R2' if found['number'] else 'accuracy %'}")
        for n in names(found):
            s = scores(found, n)
            errors = sorted({runs[n]["error"] for runs in found["splits"].values() if "error" in runs.get(n, {})})
            if s:
                against = "  ".join(versus(found, n, peer)) if n.startswith("bprop") else "<- best" if n == peer else ""
                out.append(f"  {n:24} {figure(statistics.mean(s.values()), found['number']):>8}  {short(seconds(found, n)):>8}  {against}")
            out += [f"  {n}: {e}" for e in errors]
    return "\n".join(out)


def markdown(record):
    head = ["table", "rows", "columns", "bprop", "scikit-learn, best", "its setting", "difference", "", "won/equal/lost", "time bprop", "time scikit-learn"]
    rows = []
    for table, found in record["tables"].items():
        mine, peer = scores(found, "bprop"), best_peer(found)
        if mine and peer:
            n = found["number"]
            rows.append([table, found["rows"], found["columns"], figure(statistics.mean(mine.values()), n), figure(statistics.mean(scores(found, peer).values()), n), peer,
                         *versus(found, "bprop", peer), short(seconds(found, "bprop")), short(seconds(found, peer))])
    cells = lambda r: "| " + " | ".join(str(c) for c in r) + " |"
    said = f"{record['processor']}, one thread; commit {record['commit']}, {record['date']}; scikit-learn {record['scikit-learn']}."
    return "\n".join([said, "", cells(head), cells(["---"] * len(head))] + [cells(r) for r in rows])


def write_docs(path, record):
    text = open(path).read()
    before, rest = text.split(MARKS[0])
    after = rest.split(MARKS[1])[1]
    with open(path, "w") as f:
        f.write(f"{before}{MARKS[0]}\n\n{markdown(record)}\n\n{MARKS[1]}{after}")
