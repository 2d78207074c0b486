"""Compares two PNG files, ours (RGB) and another renderer's (RGBA, opaque): status 1 where they do not look the same.

Renderers place letters a fraction of a pixel apart, so differences are averaged over 3 by 3 pixels first.
"""
import struct
import sys
import zlib

import numpy


def read(path):
    b = open(path, "rb").read()
    assert b[:8] == b"\x89PNG\r\n\x1a\n"
    at, packed = 8, b""
    while at < len(b):
        n, kind = struct.unpack(">I4s", b[at:at + 8])
        data = b[at + 8:at + 8 + n]
        assert struct.unpack(">I", b[at + 8 + n:at + 12 + n])[0] == zlib.crc32(kind + data)
        if kind == b"IHDR":
            width, height, bits, colour = struct.unpack(">IIBB", data[:10])
        if kind == b"IDAT":
            packed += data
        at += 12 + n
    samples = {2: 3, 6: 4}[colour]
    raw, size = zlib.decompress(packed), samples * width
    out, above = bytearray(), bytes(size)
    for y in range(height):
        kind, row = raw[y * (size + 1)], bytearray(raw[y * (size + 1) + 1:(y + 1) * (size + 1)])
        if kind:
            undo(kind, row, above, samples)
        out += row
        above = row
    return numpy.frombuffer(bytes(out), numpy.uint8).reshape(height, width, samples)[:, :, :3].astype(float) / 255


def undo(kind, row, above, samples):
    """Filters of PNG: 1 left, 2 up, 3 mean of both, 4 Paeth."""
    for x in range(len(row)):
        a = row[x - samples] if x >= samples else 0
        u = above[x]
        if kind == 1:
            p = a
        elif kind == 2:
            p = u
        elif kind == 3:
            p = (a + u) // 2
        else:
            c = above[x - samples] if x >= samples else 0
            pa, pb, pc = abs(u - c), abs(a - c), abs(a + u - 2 * c)
            p = a if pa <= pb and pa <= pc else u if pb <= pc else c
        row[x] = (row[x] + p) & 255


ours, theirs = read(sys.argv[1]), read(sys.argv[2])
assert ours.shape == theirs.shape, (ours.shape, theirs.shape)
d = (ours - theirs).mean(axis=2)
blurred = sum(d[i:d.shape[0] - 2 + i, k:d.shape[1] - 2 + k] for i in range(3) for k in range(3)) / 9
worst, mean = abs(blurred).max(), abs(blurred).mean()
print(f"{sys.argv[1]}: worst difference {worst:.3f}, mean {mean:.5f}")
sys.exit(int(worst > 0.45 or mean > 0.003))
