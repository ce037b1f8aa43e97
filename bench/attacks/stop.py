"""Stops Freehand at moments that nobody chose, and measures from outside how long keys and buttons still
arrive, how long it still computes, and whether anything stays held down.

    stop.py FREEHAND [--times 900] [--thinking 100] [--seed 1] [--json FILE]

The first are spread over runs of a model that types, drags and holds keys without a pause: while it starts, looks,
waits for its model, types and drags. It is stopped by the button of its console, by a signal, or by the file that
ends everything. The others are spread over what the real model reads and says, and are stopped by the button.
The keyboard and the pointer are asked of the X server itself, the computing of the kernel.
"""

import argparse
import ctypes
import glob
import json
import os
import random
import signal
import statistics
import subprocess
import time

from attacks import call, press, write
from console import Console
from ground import Ground

LONG = "the quick brown fox jumps over the lazy dog and types on and on " * 12
LATCH = ".local/state/freehand/stopped"
# Of one core, over a sample: more is computing.
BUSY = 0.3


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

    def last_change(self, limit=0.25):
        """When they were last otherwise than they are from then on; `None` where they were never."""
        before, last, end = self.state(), None, time.monotonic() + limit
        while time.monotonic() < end:
            now = self.state()
            if now != before:
                before, last = now, time.monotonic()
            time.sleep(0.0005)
        return last


def computed(pid):
    """Seconds that all threads of a process have computed."""
    total = 0
    for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
        try:
            with open(path, encoding="utf-8") as file:
                total += int(file.read().split()[0])
        except OSError:
            pass
    return total / 1e9


def last_work(pid, limit=0.8, sample=0.01):
    """When the process last computed; and whether it did at first."""
    at, before, last, first = time.monotonic(), computed(pid), None, None
    end = at + limit
    while time.monotonic() < end:
        time.sleep(sample)
        now, work = time.monotonic(), computed(pid)
        busy = work - before > BUSY * (now - at)
        first = busy if first is None else first
        last = now if busy else last
        at, before = now, work
    return last, first


def row_of(times, devices_held):
    ordered = sorted(times)
    return {"times": len(times), "median_ms": round(statistics.median(times), 1), "p99_ms": round(ordered[int(len(times) * 0.99) - 1], 1),
            "worst_ms": round(ordered[-1], 1), "over_100_ms": sum(time > 100 for time in times), "held": devices_held}  # fmt: skip


def hands(ground, devices, dice, count):
    """Stops while keys and buttons are in use. By trigger, the times in ms and how often something stayed down."""
    calls = [write(LONG, target={"label": "Text"}), call("drag", target={"label": "Text"}, path=[{"x": 300, "y": 300}, {"x": 500, "y": 400}]),
             press("ctrl+shift+a", hold_ms=400), write(LONG)]  # fmt: skip
    found, console = {}, None
    for number in range(count):
        trigger = dice.choices(["button", "signal", "file"], [6, 2, 2])[0]
        ground.model.calls = list(calls)
        console = console or Console(ground, "--model", ground.model.address)
        console.start("type")
        time.sleep(dice.uniform(0.0, 1.6))
        sent = time.monotonic()
        if trigger == "button":
            console.stop()
        elif trigger == "signal":
            console.child.send_signal(dice.choice([signal.SIGINT, signal.SIGTERM, signal.SIGHUP]))
        else:
            with open(os.path.join(ground.home, LATCH), "w", encoding="utf-8"):
                pass
        last = devices.last_change()
        found.setdefault(trigger, []).append((((last or sent) - sent) * 1000, devices.held()))
        if trigger != "button":
            if console.child.wait(20) != 130:
                raise RuntimeError(f"it ended with {console.child.returncode}")
            if trigger == "file":
                # It stays so: what is begun meanwhile does nothing.
                if number % 10 == 0 and begins(ground):
                    raise RuntimeError("it began while it was stopped")
                os.remove(os.path.join(ground.home, LATCH))
            console = None
            # Not while one may still write its record.
            subprocess.run(["rm", "-rf", os.path.join(ground.home, ".local/state/freehand/runs")], check=False)
        if number % 50 == 49:
            print(f"{number + 1} of {count}", flush=True)
    if console:
        console.child.send_signal(signal.SIGINT)
        console.child.wait(20)
    return found


def begins(ground):
    touch = json.dumps(call("open_app", name="touch begun"))
    command = [ground.freehand, "do", "--display", ground.stage.environment["DISPLAY"], "--trust-display", "--policy", "unattended-in-sandbox", touch]
    done = subprocess.run(command, env=ground.environment(), cwd=ground.home, capture_output=True, check=False)
    return done.returncode != 130 or os.path.exists(os.path.join(ground.home, "begun"))


def thoughts(ground, devices, dice, count):
    """Stops while the real model reads or says something."""
    os.makedirs(os.path.join(ground.home, ".cache"))
    os.symlink(os.path.expanduser("~/.cache/freehand"), os.path.join(ground.home, ".cache/freehand"))
    console = Console(ground)
    times, held, idle = [], 0, 0
    while len(times) < count:
        console.start("Write a long poem about the sea into the field Text")
        time.sleep(dice.uniform(0.3, 6.0))
        before = computed(console.child.pid)
        time.sleep(0.03)
        if computed(console.child.pid) - before < 0.015:
            # It does not think at this moment, so it is none of these.
            idle += 1
            console.stop()
            continue
        sent = time.monotonic()
        console.stop()
        last, _ = last_work(console.child.pid)
        times.append(((last or sent) - sent) * 1000)
        held += devices.held()
        if len(times) % 20 == 0:
            print(f"{len(times)} of {count} while it thinks", flush=True)
    console.child.send_signal(signal.SIGINT)
    console.child.wait(20)
    return row_of(times, held) | {"not_thinking": idle}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("freehand")
    parser.add_argument("--times", type=int, default=900)
    parser.add_argument("--thinking", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json")
    args = parser.parse_args()
    dice, rows = random.Random(args.seed), {}
    ground = Ground(args.freehand)
    try:
        devices = Devices(ground.stage.environment["DISPLAY"])
        ground.window("notes", "Notes", "field:Text", "list:Row")
        if args.thinking:
            rows["thinking"] = thoughts(ground, devices, dice, args.thinking)
        if args.times:
            found = hands(ground, devices, dice, args.times)
            for trigger, all_of_it in sorted(found.items()):
                rows[trigger] = row_of([time for time, _ in all_of_it], sum(held for _, held in all_of_it))
            everything = [one for all_of_it in found.values() for one in all_of_it]
            rows["all"] = row_of([time for time, _ in everything], sum(held for _, held in everything))
    finally:
        ground.end()
    for name, row in rows.items():
        print(name, json.dumps(row))
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file)


if __name__ == "__main__":
    main()
