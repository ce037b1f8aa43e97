"""Stops Freehand at moments that nobody chose, and measures from outside how long keys and buttons still
arrive, and whether anything stays held down.

    stop.py FREEHAND [--times 1000] [--seed 1]

The moments are spread over a whole run: while it starts, looks, waits for its model, types, drags and waits
for the screen. The keyboard and the pointer are asked of the X server itself.
"""

import argparse
import ctypes
import json
import os
import random
import signal
import statistics
import subprocess
import time

from attacks import call, press, write
from ground import Ground

LONG = "the quick brown fox jumps over the lazy dog and types on and on " * 12


class Devices:
    """The keys and buttons that are down, and where the pointer is, as the X server says it."""

    def __init__(self, display):
        self.x = ctypes.CDLL("libX11.so.6")
        self.x.XOpenDisplay.restype = ctypes.c_void_p
        self.display = ctypes.c_void_p(self.x.XOpenDisplay(display.encode()))
        self.x.XDefaultRootWindow.restype = ctypes.c_ulong
        self.root = ctypes.c_ulong(self.x.XDefaultRootWindow(self.display))

    def state(self):
        keys = ctypes.create_string_buffer(32)
        self.x.XQueryKeymap(self.display, keys)
        window, child = ctypes.c_ulong(), ctypes.c_ulong()
        places = [ctypes.c_int() for _ in range(4)]
        mask = ctypes.c_uint()
        self.x.XQueryPointer(self.display, self.root, ctypes.byref(window), ctypes.byref(child),
                             *map(ctypes.byref, places), ctypes.byref(mask))  # fmt: skip
        return keys.raw, (places[0].value, places[1].value), mask.value & 0x1F00

    def held(self):
        keys, _, buttons = self.state()
        return any(keys) or buttons != 0


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("freehand")
    parser.add_argument("--times", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json")
    args = parser.parse_args()
    dice = random.Random(args.seed)
    ground = Ground(args.freehand)
    devices = Devices(ground.stage.environment["DISPLAY"])
    ground.window("notes", "Notes", "field:Text", "list:Row")
    calls = [write(LONG, target={"label": "Text"}), call("drag", target={"label": "Text"}, path=[{"x": 300, "y": 300}, {"x": 500, "y": 400}]),
             press("ctrl+shift+a", hold_ms=400), write(LONG)]  # fmt: skip
    times, held, ended = [], 0, []
    for number in range(args.times):
        ground.model.calls = list(calls)
        record = os.path.join(ground.home, f"record-{number}")
        command = [ground.freehand, "run", "type", "--display", ground.stage.environment["DISPLAY"], "--trust-display",
                   "--policy", "unattended-in-sandbox", "--model", ground.model.address, "--out", record]  # fmt: skip
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                 cwd=ground.home, env=ground.environment())  # fmt: skip
        time.sleep(dice.uniform(0.05, 3.0))
        if child.poll() is not None:
            continue
        sent = time.monotonic()
        child.send_signal(dice.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
        # The last moment at which the devices were not as they are from then on.
        before, last = devices.state(), sent
        while time.monotonic() - sent < 0.4:
            now = devices.state()
            if now != before:
                before, last = now, time.monotonic()
            time.sleep(0.0005)
        times.append((last - sent) * 1000)
        held += devices.held()
        child.wait(20)
        ended.append((time.monotonic() - sent) * 1000)
        subprocess.run(["rm", "-r", record], stderr=subprocess.DEVNULL, check=False)
    ground.end()
    row = {"times": len(times), "median_ms": round(statistics.median(times), 1), "p99_ms": round(sorted(times)[int(len(times) * 0.99) - 1], 1),
           "worst_ms": round(max(times), 1), "held": held, "ended_median_ms": round(statistics.median(ended)), "ended_worst_ms": round(max(ended))}  # fmt: skip
    print(json.dumps(row))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(row, file)


if __name__ == "__main__":
    main()
