#!/usr/bin/env python3
"""Writes what Pillow makes of a picture at other sizes, and the sizes that Qwen-VL's processor takes, for the
tests of this package. Needs Pillow: pip install pillow && python3 tools/goldens/resize.py"""

import math
import os
import random

from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
SIZES = [(12, 9), (40, 31), (23, 8), (9, 17), (1, 1)]
FILTERS = [Image.Resampling.BILINEAR, Image.Resampling.BICUBIC, Image.Resampling.LANCZOS]


def picture(width, height):
    seed, values = 1, bytearray()
    for _ in range(width * height * 3):
        seed = (seed * 1664525 + 1013904223) % 2**32
        values.append(seed >> 24)
    return Image.frombytes("RGB", (width, height), bytes(values))


def fitted(width, height, factor, least, most):
    """Each side to the nearest multiple, then both by the same share into the range of pixels."""
    sides = [max(factor, round(side / factor) * factor) for side in (width, height)]
    if sides[0] * sides[1] > most:
        by = math.sqrt(width * height / most)
        sides = [max(factor, math.floor(side / by / factor) * factor) for side in (width, height)]
    elif sides[0] * sides[1] < least:
        by = math.sqrt(least / (width * height))
        sides = [math.ceil(side * by / factor) * factor for side in (width, height)]
    return sides


def main():
    image = picture(23, 17)
    with open(os.path.join(HERE, "resize.bin"), "wb") as file:
        for method in FILTERS:
            for size in SIZES:
                file.write(image.resize(size, method).tobytes())
    drawn = random.Random(1)
    with open(os.path.join(HERE, "fit.txt"), "w", encoding="ascii") as file:
        file.write("# width height factor least most -> width height\n")
        sizes = [(1280, 800), (1920, 1080), (2560, 1440), (3840, 2160), (42, 70), (10, 10), (14, 1400), (400, 300)]
        sizes += [(drawn.randint(8, 4000), drawn.randint(30, 3000)) for _ in range(16)]
        for width, height in sizes:
            for factor, least, most in [(28, 3136, 12845056), (28, 3136, 1003520), (32, 65536, 16777216)]:
                if max(width, height) / min(width, height) < 200:
                    print(width, height, factor, least, most, *fitted(width, height, factor, least, most), file=file)


if __name__ == "__main__":
    main()
