#!/usr/bin/env python3
"""How long a look takes at a page that the browser keeps in no cache, as it does with all pages that are opened after
somebody has looked: a table of some 700 elements (34 rows) of which one button changes between two looks. The browser
itself says how many nodes its tree of that page has.

    python3 bench/corpus/uncached.py --rounds 40
    python3 bench/corpus/uncached.py --rows 23
    python3 bench/corpus/uncached.py --freehand before/freehand --freehand target/debug/freehand"""

import argparse
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from browser import Chromium
from stage import Missing, Stage

HERE = os.path.dirname(os.path.abspath(__file__))
ROW = '<div><input type="checkbox" aria-label="c{n}"><a href="#x">link {n}</a><span>text {n}</span><button>do {n}</button></div>'
STYLE = (
    "body{font:10px/1.2 sans-serif;margin:8px}main{display:flex;gap:8px}section{flex:1}"
    "div{display:flex;gap:4px;height:20px;align-items:center;white-space:nowrap}div>*{flex:1;font-size:9px;overflow:hidden}"
)


def table(rows, blocks=5):
    """A page full of rows of four."""
    sections = ("".join(ROW.format(n=f"{block} {row}") for row in range(rows)) for block in range(blocks))
    body = "".join(f"<section>{rows}</section>" for rows in sections)
    return f"<!doctype html><meta charset=utf-8><title>table</title><style>{STYLE}</style><main>{body}</main>"


def computed(process):
    """For how many ms a process has computed until now."""
    with open(f"/proc/{process}/stat", encoding="utf-8") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) * 1000 / os.sysconf("SC_CLK_TCK")


def nodes(page):
    """How many nodes the browser tells programs of that ask for its tree; pieces of lines are none."""
    tree = page.ask("Accessibility.getFullAXTree", page.session)["nodes"]
    return sum(not node["ignored"] and node["role"]["value"] != "InlineTextBox" for node in tree)


def measure(freehand, rounds, rows):
    stage = Stage(freehand)
    try:
        page = Chromium(stage, 1)
        # From the first look on the browser keeps what it shows, and no page that comes later.
        stage.wait_until_quiet()
        path = os.path.join(stage.folder, "table.html")
        with open(path, "w", encoding="utf-8") as file:
            file.write(table(rows))
        page.go(path)
        if not stage.wait_until_quiet(lambda seen: len(seen["elements"]) > 20 * rows):
            raise Missing(f"not all of {rows} rows show")
        taken, elements, before = [], 0, computed(stage.eyes.pid)
        for number in range(rounds):
            page.run(f"document.querySelector('button').textContent = 'n{number}'")
            time.sleep(0.3)
            seen = stage.look()
            taken.append(seen["ms"])
            elements = len(seen["elements"])
        own = (computed(stage.eyes.pid) - before) / rounds
        there = nodes(page)
    finally:
        stage.end()
    taken.sort()
    shares = " / ".join(f"{ms:.0f}" for ms in (taken[0], statistics.median(taken), taken[len(taken) * 9 // 10]))
    print(f"{freehand}: {there} nodes, {elements} elements, {shares} ms (min / median / p90), of its own {own:.0f} ms a look", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = os.path.join(os.path.dirname(os.path.dirname(HERE)), "target", "debug", "freehand")
    parser.add_argument("--freehand", action="append", help="the program; given more than once, each is measured in turn")
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--rows", type=int, default=34, help="rows of twenty things each (34)")
    args = parser.parse_args()
    try:
        for freehand in args.freehand or [default]:
            measure(freehand, args.rounds, args.rows)
    except Missing as reason:
        raise SystemExit(f"cannot measure: {reason}") from reason


if __name__ == "__main__":
    main()
