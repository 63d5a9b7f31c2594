"""A confusion matrix as a picture: the shade of a cell is its share of the row's examples."""

import struct
import zlib

import numpy as np

CELL = 48  # pixels, the line around it included
NONE, ALL, LINE = (247, 251, 255), (8, 48, 107), (198, 205, 214)  # ends of ColorBrewer's Blues, and a grey


def matrix_pixels(counts: np.ndarray) -> np.ndarray:
    """(k, k) ints, rows true, to (k · CELL, k · CELL, 3) bytes."""
    totals = counts.sum(axis=1, keepdims=True)
    shares = np.divide(counts, totals, out=np.zeros(counts.shape), where=totals > 0)[..., None]
    colours = np.rint((1 - shares) * NONE + shares * np.array(ALL)).astype(np.uint8)
    pixels: np.ndarray = colours.repeat(CELL, axis=0).repeat(CELL, axis=1)
    pixels[::CELL] = pixels[CELL - 1 :: CELL] = LINE
    pixels[:, ::CELL] = pixels[:, CELL - 1 :: CELL] = LINE
    return pixels


def png(pixels: np.ndarray) -> bytes:
    """(height, width, 3) bytes as PNG (RFC 2083), without filters."""
    height, width, _ = pixels.shape
    lines = np.concatenate([np.zeros((height, 1), np.uint8), pixels.reshape(height, -1)], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines.tobytes())), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(*each) for each in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
