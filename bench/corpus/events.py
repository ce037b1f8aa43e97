#!/usr/bin/env python3
"""What the accessibility bus announces: how many events a browser and a GTK program send while something is done to
them that changes what is on the screen, and how many of what is listed has another place or name afterwards.

    python3 bench/corpus/events.py"""

import argparse
import os
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from browser import Chromium
from programs import PROGRAMS
from stage import Stage

HERE = os.path.dirname(os.path.abspath(__file__))
LISTENER = """
import signal
import gi
gi.require_version("Atspi", "2.0")
from gi.repository import Atspi, GLib
heard = [0]
def hear(event):
    heard[0] += 1
listener = Atspi.EventListener.new(hear)
for kind in ("bounds-changed", "children-changed", "property-change", "selection-changed", "state-changed", "text-caret-moved", "text-changed", "visible-data-changed"):
    listener.register("object:" + kind)
listener.register("document:load-complete")
def say():
    print(heard[0], flush=True)
    heard[0] = 0
    return True
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, say)
print("listening", flush=True)
Atspi.event_main()
"""


class Ear:
    """Counts the events of all programs on a display."""

    def __init__(self, stage):
        command = ["/usr/bin/python3", "-W", "ignore", "-c", LISTENER]
        self.listener = stage.start(command, "gir1.2-atspi-2.0", stdout=subprocess.PIPE, text=True)
        if not self.listener.stdout.readline():
            raise SystemExit("nothing can be heard; install the Debian packages `python3-gi` and `gir1.2-atspi-2.0`")

    def heard(self):
        """Events since the last time."""
        self.listener.send_signal(signal.SIGUSR1)
        return int(self.listener.stdout.readline())


def known(seen):
    """What is listed, each thing with all that an event could tell of it."""
    keys = ("role", "name", "value", "states", "bounds")
    return {thing["id"]: [thing.get(key) for key in keys] for thing in seen["elements"]}


def done(stage, ear, what, act):
    """Does something, and says what was announced and what has changed."""
    before = known(stage.wait_until_quiet())
    ear.heard()
    act()
    after = known(stage.wait_until_quiet())
    others = sum(after.get(number) != told for number, told in before.items()) + len(after.keys() - before.keys())
    print(f"{what:44}{ear.heard():>8} events{others:>8} of {len(before)} things changed", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(HERE))
    parser.add_argument("--freehand", default=os.path.join(root, "target", "debug", "freehand"), help="the program")
    args = parser.parse_args()
    stage = Stage(args.freehand)
    try:
        ear = Ear(stage)
        page = Chromium(stage, 1)
        page.go(os.path.join(HERE, "pages", "long.html"))
        time.sleep(2)
        wheel = lambda: stage.input("mousemove", 400, 600, "click", "--repeat", 3, 5)
        done(stage, ear, "a page of Chromium is scrolled", wheel)
        done(stage, ear, "its window is moved", lambda: stage.input("getactivewindow", "windowmove", "--relative", 0, 30))
        done(stage, ear, "a part of it gets other words", lambda: page.run("document.querySelector('h1, h2, p').textContent = 'Other words'"))
        done(stage, ear, "all in it is moved by a style", lambda: page.run("document.body.style.paddingTop = '40px'"))
        PROGRAMS["gtk3"](stage)
        time.sleep(2)
        done(stage, ear, "the window of a GTK program is moved", lambda: stage.input("getactivewindow", "windowmove", "--relative", 40, 30))
    finally:
        stage.end()


if __name__ == "__main__":
    main()
