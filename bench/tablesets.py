"""The tables of bench/tables: where each comes from, and its fixed splits."""
import csv
import math
import os
import shutil
import subprocess

import numpy as np
import sklearn.datasets
from sklearn.model_selection import train_test_split

here = os.path.dirname(os.path.abspath(__file__))


class Source:
    """A table: rows of text as a CSV file has them, the column to learn, and whether it is classes or a number."""

    def __init__(self, name, target, number=False, bundled=None, package=None, data=None, group="numeric", drop=()):
        self.name, self.target, self.number, self.bundled, self.package, self.data, self.group, self.drop = name, target, number, bundled, package, data, group, drop


# The nine that the defaults are held to, then tables with text, missing values and odd shapes.
SOURCES = [
    Source("digits", "class", bundled="load_digits"),
    Source("iris", "class", bundled="load_iris"),
    Source("wine", "class", bundled="load_wine"),
    Source("breast cancer", "class", bundled="load_breast_cancer"),
    Source("diabetes", "progression", number=True, bundled="load_diabetes"),
    Source("letter", "lettr", package="mlbench", data="LetterRecognition"),
    Source("satellite", "classes", package="mlbench", data="Satellite"),
    Source("shuttle", "Class", package="mlbench", data="Shuttle"),
    Source("spam", "type", package="kernlab", data="spam"),
    Source("boston", "medv", number=True, package="mlbench", data="BostonHousing", group="mixed"),
    Source("cars", "Price", number=True, package="MASS", data="Cars93", group="mixed", drop=("Min.Price", "Max.Price")),
    Source("dna", "Class", package="mlbench", data="DNA", group="mixed"),
    Source("glass", "Type", package="mlbench", data="Glass", group="mixed"),
    Source("house votes", "Class", package="mlbench", data="HouseVotes84", group="mixed"),
    Source("income", "INCOME", package="kernlab", data="income", group="mixed"),
    Source("ionosphere", "Class", package="mlbench", data="Ionosphere", group="mixed"),
    Source("ozone", "V4", number=True, package="mlbench", data="Ozone", group="mixed"),
    Source("pima", "diabetes", package="mlbench", data="PimaIndiansDiabetes2", group="mixed"),
    Source("servo", "Class", number=True, package="mlbench", data="Servo", group="mixed"),
    Source("sonar", "Class", package="mlbench", data="Sonar", group="mixed"),
    Source("soybean", "Class", package="mlbench", data="Soybean", group="mixed"),
    Source("vehicle", "Class", package="mlbench", data="Vehicle", group="mixed"),
    Source("vowel", "Class", package="mlbench", data="Vowel", group="mixed"),
    Source("zoo", "type", package="mlbench", data="Zoo", group="mixed"),
]


def bundled(source):
    """Rows of one of scikit-learn's tables, classes by their names."""
    d = getattr(sklearn.datasets, source.bundled)()
    columns = [str(c).replace(" ", "_") for c in getattr(d, "feature_names", range(d.data.shape[1]))]
    answers = d.target if source.number else [str(d.target_names[k]) for k in d.target]
    return columns + [source.target], [[repr(float(v)) for v in row] + [str(a)] for row, a in zip(d.data, answers)]


def exported(source, scratch):
    """Rows of a table of an R package; None where R or the package is not installed."""
    path = f"{scratch}/{source.package}-{source.data}.csv"
    if not os.path.exists(path):
        if not shutil.which("Rscript"):
            return None
        what = f"{source.package}/{source.data}/{source.target}/{source.package}-{source.data}"
        if subprocess.run(["Rscript", f"{here}/export-tables.R", scratch, what], capture_output=True).returncode:
            return None
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.reader(f))
    keep = [i for i, c in enumerate(rows[0]) if c not in source.drop]
    return [rows[0][i] for i in keep], [[r[i] for i in keep] for r in rows[1:]]


def is_number(text):
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False


class Table:
    """The same rows for both sides: as CSV files for bprop, as arrays for scikit-learn."""

    def __init__(self, source, header, rows):
        self.source, self.header, self.rows = source, header, rows
        self.at = header.index(source.target)
        answers = [r[self.at] for r in rows]
        self.y = np.array([float(a) for a in answers]) if source.number else np.array(answers)
        inputs = [i for i in range(len(header)) if i != self.at]
        numeric = [all(is_number(r[i]) for r in rows if r[i] != "") for i in inputs]
        self.numeric, self.text = [k for k, n in enumerate(numeric) if n], [k for k, n in enumerate(numeric) if not n]
        self.missing = any(r[i] == "" for r in rows for i in inputs)
        value = lambda cell, n: (float(cell) if cell != "" else math.nan) if n else (cell or "missing")
        self.x = np.array([[value(r[i], n) for i, n in zip(inputs, numeric)] for r in rows], dtype=object if self.text else float)

    def split(self, seed):
        """Row numbers of training and test: a quarter is held out, in proportion to the classes where none is too rare for that."""
        counts = None if self.source.number else np.unique(self.y, return_counts=True)[1]
        by = None if counts is None or counts.min() < 2 else self.y
        return train_test_split(np.arange(len(self.rows)), test_size=0.25, random_state=seed, stratify=by)

    def write(self, path, rows):
        with open(path, "w", newline="", encoding="utf-8") as f:
            out = csv.writer(f, lineterminator="\n")
            out.writerow(self.header)
            out.writerows(self.rows[i] for i in rows)


def read(source, scratch):
    found = bundled(source) if source.bundled else exported(source, scratch)
    return Table(source, *found) if found else None
