"""Whether a long run stays as quick and as small as it began: one task of many steps in a real window, by the
default model, with its time and memory step by step.

    run.py FREEHAND [--steps 200] [--json FILE]

Needs the Debian packages `python3-gi` and `gir1.2-gtk-3.0`. It ends with 1 where the last quarter of the steps was a
tenth slower than the second, or took 5 % more memory.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "corpus"))
from stage import Stage  # noqa: E402

TASK = "Press the button Next page again and again until the window says Finished"
END = "Finished"


def memory(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        line = next((line for line in status if line.startswith("VmRSS:")), None)
    return int(line.split()[1]) / 1024 if line else None


def watch(program, seen):
    while program.poll() is None:
        try:
            now = memory(program.pid)
        except OSError:
            return
        if now:
            seen.append((time.time(), now))
        time.sleep(0.5)


def quarters(values):
    size = max(len(values) // 4, 1)
    return [statistics.median(values[at : at + size]) for at in range(0, size * 4, size)]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("freehand")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--json")
    args = parser.parse_args()
    stage = Stage(args.freehand)
    record = tempfile.mkdtemp(prefix="freehand-long-")
    pages = stage.start(["/usr/bin/python3", os.path.join(HERE, "pages.py"), str(args.steps + 1), END], "python3-gi", stdout=subprocess.PIPE)
    stage.wait_until_quiet(lambda seen: any(e["name"] == "Next page" for e in seen["elements"]))
    out = os.path.join(record, "run")
    command = [args.freehand, "run", TASK, "--until", END, "--display", stage.environment["DISPLAY"], "--trust-display", "--presence", "off", "--plain",
               "--policy", "unattended-in-sandbox", "--max-steps", str(args.steps + 20), "--timeout", "1h", "--out", out]  # fmt: skip
    environment = {**stage.environment, "HOME": os.path.expanduser("~")}
    seen = []
    run = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    watcher = threading.Thread(target=watch, args=(run, seen))
    watcher.start()
    said, _ = run.communicate()
    watcher.join()
    stage.end()
    reached = len(pages.stdout.read().split())
    with open(os.path.join(out, "trajectory.jsonl"), encoding="utf-8") as file:
        steps = [line for line in map(json.loads, file) if "timing" in line]
    times = [sum(v for v in step["timing"].values() if isinstance(v, (int, float))) for step in steps]
    megabytes = [value for _, value in seen]
    print(f"{reached - 1} of {args.steps} pages in {len(steps)} steps; Freehand ended with {run.returncode}")
    print("ms a step, median of each quarter:", *[round(q) for q in quarters(times)])
    print("MB of memory, median of each quarter:", *[round(q) for q in quarters(megabytes)])
    print("last words:", said.strip().splitlines()[-1:])
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump({"reached": reached, "times": times, "memory": seen, "steps": [step["timing"] for step in steps]}, file)
    time_ok = quarters(times)[3] <= quarters(times)[1] * 1.1
    memory_ok = quarters(megabytes)[3] <= quarters(megabytes)[1] * 1.05
    return 0 if reached == args.steps + 1 and time_ok and memory_ok else 1


sys.exit(main())
