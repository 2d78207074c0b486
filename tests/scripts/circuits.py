"""Whether an SVG of a circuit can be read: no text on a text, a wire or a foreign gate, no wire through a gate, no gate on a gate.

Works on the file alone, as a viewer gets it, with the widths of the font that the SVG names first, read from the font's own file.
"""
import math
import re
import struct
import sys
import xml.etree.ElementTree as ET

FOLDER = "/usr/share/fonts/truetype/dejavu/"
ASCENT, DESCENT = 0.76, 0.24  # of letters, as parts of the size
STEPS = 48                    # pieces of a curve
SLACK = 0.02                  # coordinates are rounded to hundredths


class Font:
    """Advance widths of a TrueType font, in parts of the size."""

    def __init__(self, path):
        data = open(path, "rb").read()
        tables = {}
        for i in range(struct.unpack(">H", data[4:6])[0]):
            tag, _, at, size = struct.unpack(">4sIII", data[12 + 16 * i:28 + 16 * i])
            tables[tag] = data[at:at + size]
        self.em = struct.unpack(">H", tables[b"head"][18:20])[0]
        count = struct.unpack(">H", tables[b"hhea"][34:36])[0]
        self.advances = [struct.unpack(">H", tables[b"hmtx"][4 * i:4 * i + 2])[0] for i in range(count)]
        self.cmap = self.read_cmap(tables[b"cmap"])

    @staticmethod
    def read_cmap(table):
        for i in range(struct.unpack(">H", table[2:4])[0]):
            at = struct.unpack(">I", table[8 + 8 * i:12 + 8 * i])[0]
            if struct.unpack(">H", table[at:at + 2])[0] == 12:
                n = struct.unpack(">I", table[at + 12:at + 16])[0]
                groups = [struct.unpack(">III", table[at + 16 + 12 * k:at + 28 + 12 * k]) for k in range(n)]
                return {code: glyph + code - first for first, last, glyph in groups for code in range(first, last + 1)}
        raise ValueError("the font has no table of characters of format 12")

    def width(self, text):
        glyphs = (self.cmap.get(ord(c), 0) for c in text)
        return sum(self.advances[min(g, len(self.advances) - 1)] for g in glyphs) / self.em


class Circuit:
    def __init__(self, path, fonts):
        self.path, self.fonts = path, fonts
        self.texts, self.wires, self.shapes, self.faults = [], [], [], []
        root = ET.parse(path).getroot()
        if not root.get("font-family").startswith("DejaVu Sans"):
            self.fault("the first font is not DejaVu Sans")
        self.size = float(root.get("width")), float(root.get("height"))
        self.walk(root, ())

    def fault(self, what):
        self.faults.append("%s: %s" % (self.path, what))

    def walk(self, parent, groups):
        for e in parent:
            tag = e.tag.split("}")[1]
            if tag == "g":
                self.walk(e, groups + (id(e),))
            elif tag == "text":
                self.text(e, groups)
            elif tag == "path":
                points = points_of(e.get("d"))
                self.wires.append((points, box_of(points), float(e.get("stroke-width", 1))))
            elif tag == "rect" and not e.get("width").endswith("%"):
                x, y, w, h = (float(e.get(k)) for k in ("x", "y", "width", "height"))
                self.shape(groups, (x, y, x + w, y + h), None, "stroke-dasharray" in e.attrib)
            elif tag == "circle" and e.get("stroke"):
                x, y, r = (float(e.get(k)) for k in ("cx", "cy", "r"))
                self.shape(groups, (x - r, y - r, x + r, y + r), (x, y, r), False)

    def text(self, e, groups):
        font = self.fonts["bold" if e.get("font-weight") == "bold" else "plain"]
        size, x, y = (float(e.get(k)) for k in ("font-size", "x", "y"))
        width = font.width(e.text) * size
        left = x - {"middle": width / 2, "end": width}.get(e.get("text-anchor"), 0)
        box = left, y - ASCENT * size, left + width, y + DESCENT * size
        self.texts.append((e.text, box, groups))

    def shape(self, groups, box, circle, frame):
        if self.shapes and self.shapes[-1][0] == groups:  # a pile of boxes is one
            old = self.shapes[-1][1]
            box = min(old[0], box[0]), min(old[1], box[1]), max(old[2], box[2]), max(old[3], box[3])
            self.shapes.pop()
        self.shapes.append((groups, box, circle, frame))

    def check(self):
        for i, (text, box, groups) in enumerate(self.texts):
            if box[0] < 0 or box[1] < 0 or box[2] > self.size[0] or box[3] > self.size[1]:
                self.fault("'%s' leaves the picture" % text)
            for other, where, _ in self.texts[i + 1:]:
                if meet(box, where):
                    self.fault("'%s' and '%s' overlap" % (text, other))
            for owner, where, _, frame in self.shapes:
                if not frame and owner != groups and meet(box, where):
                    self.fault("'%s' lies on a gate at %g,%g" % (text, where[0], where[1]))
            for points, around, width in self.wires:
                wide = grown(box, width / 2 - SLACK)
                if touch(around, wide) and any(enters(a, b, wide) for a, b in zip(points, points[1:])):
                    self.fault("a wire from %g,%g runs through '%s'" % (points[0] + (text,)))
        for i, (groups, box, _, frame) in enumerate(self.shapes):
            for inner, where, _, _ in self.shapes[i + 1:]:
                held = frame and inner[:len(groups)] == groups
                if not held and meet(box, where):
                    self.fault("gates at %g,%g and %g,%g overlap" % (box[:2] + where[:2]))
            if frame:
                continue
            for points, around, _ in self.wires:
                if touch(around, box) and any(self.is_deep(p, i) for p in points):
                    self.fault("a wire from %g,%g runs through a gate at %g,%g" % (points[0] + box[:2]))
        return self.faults

    def is_deep(self, p, i):
        _, box, circle, _ = self.shapes[i]
        if circle:
            return math.hypot(p[0] - circle[0], p[1] - circle[1]) < circle[2] - 1.8
        return box[0] + 1.8 < p[0] < box[2] - 1.8 and box[1] + 1.8 < p[1] < box[3] - 1.8


def points_of(d):
    """The points of a path of M, L and C; curves and long lines in small pieces."""
    words = re.findall(r"[MLC]|-?[0-9.]+", d)
    points, step, at = [], "", 0
    while at < len(words):
        if words[at] in "MLC":
            step = words[at]
            at += 1
        n = 3 if step == "C" else 1
        p = [(float(words[at + 2 * k]), float(words[at + 2 * k + 1])) for k in range(n)]
        at += 2 * n
        a = points[-1] if points else p[0]
        b, c, e = p if step == "C" else (a, p[0], p[0])
        for k in range(0 if points else STEPS, STEPS + 1):
            t = k / STEPS
            w = (1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t ** 3
            points.append(tuple(w[0] * a[i] + w[1] * b[i] + w[2] * c[i] + w[3] * e[i] for i in (0, 1)))
    return points


def box_of(points):
    xs, ys = zip(*points)
    return min(xs), min(ys), max(xs), max(ys)


def touch(a, b):
    return a[0] <= b[2] and b[0] <= a[2] and a[1] <= b[3] and b[1] <= a[3]


def grown(box, by):
    return box[0] - by, box[1] - by, box[2] + by, box[3] + by


def meet(a, b):
    return a[0] + SLACK < b[2] and b[0] + SLACK < a[2] and a[1] + SLACK < b[3] and b[1] + SLACK < a[3]


def enters(a, b, box):
    """A short piece of a wire in a box: its bounding box will do, its steps are small."""
    return (max(a[0], b[0]) > box[0] and min(a[0], b[0]) < box[2] and max(a[1], b[1]) > box[1] and
            min(a[1], b[1]) < box[3])


def main(paths):
    fonts = {"plain": Font(FOLDER + "DejaVuSans.ttf"), "bold": Font(FOLDER + "DejaVuSans-Bold.ttf")}
    faults = [f for path in paths for f in Circuit(path, fonts).check()]
    for f in faults[:20]:
        print(f)
    print("%d pictures, %d faults" % (len(paths), len(faults)))
    return 1 if faults else 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except FileNotFoundError as missing:
        if "dejavu" not in str(missing):
            raise
        print("the font is not installed (Debian: fonts-dejavu-core):", missing)
        sys.exit(77)
