"""Everyday tasks from an empty display to a result that is judged from outside, by the default model.

    run.py FREEHAND [--rounds 1] [--task NAME]... [--keep DIR] [--json FILE] [-- OPTION...]

Every run has a display, a home folder and a server of its own. What stands after `--` goes to `freehand run`.
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from tasks import PAGES, TASKS

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from web import Web  # noqa: E402

# What a page is like after something was sent to it.
THANKS = "<!doctype html><meta charset=utf-8><h1>Thank you</h1>"


def home():
    """A home folder with the weights that are there already."""
    folder = tempfile.mkdtemp(prefix="freehand-everyday-")
    os.makedirs(os.path.join(folder, ".cache"))
    cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    os.symlink(os.path.join(cache, "freehand"), os.path.join(folder, ".cache/freehand"))
    return folder


def play(freehand, task, keep, options):
    """Whether it was done, what Freehand said of it, the seconds and the steps."""
    web, folder = Web({path: "<!doctype html><meta charset=utf-8>" + page for path, page in PAGES.items()}, THANKS), home()
    record = os.path.join(keep, task.name) if keep else os.path.join(folder, "record")
    command = [freehand, "run", task.words.format(web=web.address), "--display", "virtual", "--plain", "--out", record, *options]
    environment = {name: value for name, value in os.environ.items() if not name.startswith("XDG_")} | {"HOME": folder}
    environment.pop("DISPLAY", None)
    start = time.monotonic()
    ended = subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)
    seconds = time.monotonic() - start
    hits = [f"{path} {body}" for path, body in web.hits]
    row = {"task": task.name, "done": task.done(folder, hits), "says_done": ended.returncode == 0,
           "code": ended.returncode, "seconds": round(seconds, 1), "steps": len(steps(record)), "model": model_seconds(record)}  # fmt: skip
    if keep:
        with open(os.path.join(keep, f"{task.name}.log"), "w", encoding="utf-8") as file:
            file.write(ended.stdout + ended.stderr + "\n".join(hits))
    shutil.rmtree(folder, ignore_errors=True)
    web.server.shutdown()
    return row


def steps(record):
    try:
        with open(os.path.join(record, "trajectory.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if "timing" in line]
    except OSError:
        return []


def model_seconds(record):
    return round(sum(step["timing"]["model"] for step in steps(record)) / 1000, 1)


def main():
    words = sys.argv[1:]
    at = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("freehand")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--task", action="append", choices=[task.name for task in TASKS])
    parser.add_argument("--keep")
    parser.add_argument("--json")
    args, options = parser.parse_args(words[:at]), words[at + 1 :] or ["--max-steps", "20", "--timeout", "3m"]
    rows = []
    for number in range(args.rounds):
        keep = args.keep and os.path.join(args.keep, str(number + 1))
        if keep:
            os.makedirs(keep)
        for task in TASKS:
            if args.task and task.name not in args.task:
                continue
            row = play(args.freehand, task, keep, options)
            rows.append(row)
            verdict = "done" if row["done"] else "NOT done, but said so" if row["says_done"] else "not done"
            print(f"{row['task']:10} {verdict:22} {row['seconds']:6.1f} s, {row['steps']} steps, model {row['model']} s", flush=True)
    done, false = sum(row["done"] for row in rows), sum(row["says_done"] and not row["done"] for row in rows)
    print(f"{done} of {len(rows)} done; {false} said to be done that were not")
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(rows, file)


if __name__ == "__main__":
    main()
