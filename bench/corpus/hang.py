#!/usr/bin/env python3
"""What a program that hangs costs: how long a look takes with a browser and a GTK program on the screen, and how
long while the GTK program is stopped and answers nothing.

    python3 bench/corpus/hang.py --rounds 20"""

import argparse
import os
import signal
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from browser import Chromium
from programs import PROGRAMS
from stage import Missing, Stage

HERE = os.path.dirname(os.path.abspath(__file__))


def times(stage, page, rounds):
    """How long looks take in ms, each at a screen that has changed, and what they could not see."""
    taken, gaps, elements = [], set(), 0
    for number in range(rounds):
        # A screen that stands still is not read again.
        page.run(f"document.querySelector('h1').textContent = 'Order {number}'")
        time.sleep(0.3)
        seen = stage.look()
        taken.append(seen["ms"])
        gaps |= set(seen.get("gaps", []))
        elements = len(seen["elements"])
    return taken, gaps, elements


def told(what, taken, gaps, elements):
    taken = sorted(taken)
    shares = " / ".join(f"{ms:.0f}" for ms in (taken[0], statistics.median(taken), taken[-1]))
    print(f"{what:32}{shares:>20} ms (min / median / max), {elements} elements; gaps: {'; '.join(sorted(gaps)) or 'none'}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(HERE))
    parser.add_argument("--freehand", default=os.path.join(root, "target", "debug", "freehand"), help="the program")
    parser.add_argument("--rounds", type=int, default=20)
    args = parser.parse_args()
    stage = Stage(args.freehand)
    try:
        page = Chromium(stage, 1)
        page.go(os.path.join(HERE, "pages", "form.html"))
        PROGRAMS["gtk3"](stage)
        stage.wait_until_quiet()
        told("both answer", *times(stage, page, args.rounds))
        program = stage.programs[-1]
        program.send_signal(signal.SIGSTOP)
        try:
            # Once it is known that it is silent, it is not waited for any more.
            told("the GTK program hangs: first", *times(stage, page, 1))
            told("the GTK program hangs", *times(stage, page, args.rounds))
        finally:
            program.send_signal(signal.SIGCONT)
        time.sleep(1)
        told("it answers again", *times(stage, page, args.rounds))
    except Missing as reason:
        raise SystemExit(f"cannot measure: {reason}") from reason
    finally:
        stage.end()


if __name__ == "__main__":
    main()
