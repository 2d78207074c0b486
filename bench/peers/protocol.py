"""The conversation of bench/house/house.h for contestants in Python.

A kind of work is a class: __init__(request) makes it ready, run(n) does n repetitions and returns when they are done, check(path) writes
numbers for comparing and may return a dict of words.
"""
import os
import sys
import time

import numpy as np


class Request(dict):
    """KEY=VALUE words of an open line."""

    def count(self, key, preset=1):
        return int(self.get(key, preset))

    def real(self, key, preset):
        return float(self.get(key, preset))

    def array(self, name, dtype):
        return np.fromfile(os.path.join(self["dir"], name), dtype=dtype)


class Network:
    """What every contestant gets of a network: data in batches, first weights as (W [out, in], b [out]) for each layer that has some."""

    def __init__(self, request):
        self.batch, self.rows, self.images = request.count("batch"), request.count("rows"), request.count("images", 0)
        self.adam, self.lr = request.get("optimizer") == "adam", request.real("lr", 0.1)
        self.x = request.array("x.f32", np.float32).reshape(self.rows, -1)
        self.labels = request.array("labels.i64", np.int64)
        flat, at, self.params = request.array("params.f32", np.float32), 0, []
        for fan_in, out in (map(int, layer.split("x")) for layer in request["layers"].split(",")):
            self.params.append((flat[at : at + out * fan_in].reshape(out, fan_in), flat[at + out * fan_in : at + out * (fan_in + 1)]))
            at += out * (fan_in + 1)

    def batches(self):
        return [slice(i, i + self.batch) for i in range(0, self.rows, self.batch)]


def serve(note, kinds):
    works = {}
    talk = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever libraries print goes to standard error

    def say(text):
        talk.write(text.replace("\n", " ") + "\n")
        talk.flush()

    say(note)
    for line in sys.stdin:
        verb, number, *rest = line.split()
        try:
            if verb == "open":
                request = Request(word.split("=", 1) for word in rest[1:])
                if rest[0] not in kinds:
                    raise ValueError("no such kind of work")
                works[number] = kinds[rest[0]](request)
                say("ok")
            elif verb == "run":
                getattr(works[number], "restart", lambda: None)()  # training begins with the first weights each time, see house.h
                start = time.perf_counter()
                works[number].run(int(rest[0]))
                say(f"{time.perf_counter() - start:.9g}")
            elif verb == "check":
                words = works[number].check(rest[0]) or {}
                say("ok " + " ".join(f"{k}={v}" for k, v in words.items()))
            elif verb == "close":
                works.pop(number)
                say("ok")
            else:
                say("no such request")
        except Exception as e:  # a contestant that cannot is told of in the table; the others go on
            say(f"no {type(e).__name__}: {str(e)[:300]}")
