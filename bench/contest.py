"""Contestants and rounds: processes that are told what to do line by line (bench/house/house.h), one running at a time, by turns."""
import ctypes
import os
import signal
import statistics
import subprocess
import sys
import time


class Refused(Exception):
    pass


MISSING = "does not start: bench/install-peers"


def _child():
    """A contestant dies with the driver, also when it is stopped at that moment."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Process:
    """One running contestant. It is stopped but while it is spoken to, so that threads that spin on disturb nobody."""

    def __init__(self, argv, env):
        self.proc = subprocess.Popen(argv, env={**os.environ, **env}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, preexec_fn=_child)
        self.used = 0
        self.note = self.proc.stdout.readline().strip()
        if not self.note:
            self.end()
            raise Refused(MISSING)
        self.rest()

    def rest(self):
        if self.proc.poll() is None:
            os.kill(self.proc.pid, signal.SIGSTOP)

    def ask(self, line):
        if self.proc.poll() is not None:
            raise Refused("has ended")
        os.kill(self.proc.pid, signal.SIGCONT)
        try:
            self.proc.stdin.write(line + "\n")
            self.proc.stdin.flush()
            answer = self.proc.stdout.readline().strip()
        except OSError:
            answer = ""
        self.rest()
        if not answer:
            raise Refused("ended in the middle")
        if answer.startswith("no"):
            raise Refused(answer[3:])
        return answer

    def end(self):
        self.proc.kill()
        self.proc.wait()


class House:
    """Starts each program once for each setting."""

    def __init__(self, programs, log):
        self.programs, self.log, self.running, self.broken = programs, log, {}, set()

    def process(self, name, env):
        key = (name, tuple(sorted(env.items())))
        if name not in self.programs:
            raise Refused("is not there: bench/install-peers")
        if name in self.broken:
            raise Refused(MISSING)
        old = self.running.get(key)
        if not old or old.proc.poll() is not None:
            try:
                self.running[key] = Process(self.programs[name], env)
            except Refused:
                self.broken.add(name)
                raise
        return self.running[key]

    def end(self, keep=()):
        for key, process in list(self.running.items()):
            if key[0] not in keep:
                process.end()
                del self.running[key]


class Entry:
    """A contestant in one work: opened, warmed up, and timed round by round."""

    def __init__(self, house, entrant, kind, words, env):
        self.entrant, self.env, self.samples, self.each = entrant, env, [], 1
        self.process = house.process(entrant.program, env)
        self.number = self.process.used
        self.process.used += 1
        line = " ".join(f"{k}={v}" for k, v in {**words, **entrant.words, "threads": entrant.threads}.items())
        self.process.ask(f"open {self.number} {kind} {line}")

    def run(self, n):
        seconds = float(self.process.ask(f"run {self.number} {n}"))
        if not seconds > 0:
            raise Refused("failed while running")
        return seconds / n

    def warm(self, target, seconds):
        """Runs for about so long, and finds how many repetitions take `target` seconds."""
        spent, n = 0.0, 1
        while spent < seconds:
            each = self.run(n)
            spent += each * n
            self.each = max(1, round(target / each))
            n = max(1, min(self.each, n * 8))
        return self

    def take(self):
        self.samples.append(self.run(self.each))

    def check(self, path):
        words = self.process.ask(f"check {self.number} {path}").split()[1:]
        return dict(w.split("=", 1) for w in words)

    def close(self):
        try:
            self.process.ask(f"close {self.number}")
        except Refused:
            pass

    def median(self):
        return statistics.median(self.samples)


def open_best(house, entrant, kind, words, target):
    """Tries the settings of a contestant, and keeps the fastest: an Entry, or the reason why there is none."""
    best, why = None, "no setting"
    for env in entrant.settings or [{}]:
        try:
            entry = Entry(house, entrant, kind, words, {**entrant.env, **env})
            entry.warm(target, 0 if len(entrant.settings) < 2 else 4 * target)
            figure = min(entry.run(entry.each) for _ in range(3)) if len(entrant.settings) > 1 else 0
        except Refused as e:
            why = str(e)
            continue
        if best is None or figure < best[0]:
            if best:
                best[1].close()
            best = (figure, entry)
            entry.setting = env
        else:
            entry.close()
    return best[1] if best else why


def compete(house, work, words, target, rounds, check):
    """All contestants of one work, by turns. Returns {key: result}."""
    entries, results = {}, {}
    for entrant in work.entrants:
        found = open_best(house, entrant, work.kind, words, target)
        if isinstance(found, str):
            results[entrant.key] = {"absent": found}
            house.log(f"    {entrant.key}: absent, {found}")
        else:
            entries[entrant.key] = found
    agreement = {key: check(entry) for key, entry in entries.items()} if check else {}
    for key, entry in list(entries.items()):
        try:
            entry.warm(target, min(0.3, 10 * target))
        except Refused as e:
            results[key] = {"absent": str(e)}
            del entries[key]
    keys = list(entries)
    for round_ in range(rounds):
        for i in range(len(keys)):
            key = keys[(i + round_) % len(keys)]
            try:
                entries[key].take()
            except Refused as e:
                results[key] = {"absent": str(e)}
    for key in keys:
        entry = entries[key]
        entry.close()
        if key not in results:
            results[key] = {
                "seconds": entry.median(), "samples": entry.samples, "repetitions": entry.each, "note": entry.process.note,
                "setting": entry.setting, "agreement": agreement.get(key)}
    return results
