#!/usr/bin/env python3
"""What share of the things that the instructions of MiniWoB++ tasks name stand in Freehand's list. The page
says what they are; needs the Python package `miniwob` 1.1.0 (MIT), unpacked, for its pages:

    pip download --no-deps miniwob==1.1.0 && unzip miniwob-1.1.0-*.whl
    python3 bench/corpus/miniwob.py --html miniwob/html --tasks tasks.txt --seeds 3 --details

A file of tasks has one on each line, and behind a # the kind that it is counted in."""

import argparse
import collections
import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from browser import Chromium
from see import share
from stage import Missing, Stage

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "named.js"), encoding="utf-8") as file:
    NAMED = file.read()
# How far in px the middle of an element may lie beside the thing.
SLACK = 3
# The share of both boxes that a thing without words and its element must have in common.
OVERLAP = 0.3
FIELDS = ("textbox", "password", "dropdown", "checkbox", "radio", "slider", "spinner", "moment")
QUIET = """(() => { const s = document.createElement('style');
s.textContent = '#reward-display, #click-canvas { display: none !important }'; document.head.append(s) })()"""


def tasks_of(path):
    """The tasks of a file with their kinds."""
    found = []
    with open(path, encoding="utf-8") as file:
        for line in file:
            task, _, note = line.partition("#")
            if task.strip():
                found.append((task.strip(), (note.split() or ["?"])[0]))
    return found


def open_task(page, html, task, seed):
    page.go(os.path.join(html, "miniwob", f"{task}.html"))
    end = time.monotonic() + 20
    while not page.run("typeof core !== 'undefined' && !!document.getElementById('sync-task-cover')"):
        if time.monotonic() > end:
            raise Missing(f"`{task}` does not start")
        time.sleep(0.05)
    page.run(QUIET)
    page.run(f"core.EPISODE_MAX_TIME = 600000; Math.seedrandom('{seed}'); core.startEpisodeReal(); 0")


def box_of(element):
    bounds = element["bounds"]
    return [bounds["x"], bounds["y"], bounds["width"], bounds["height"]]


def overlap(a, b):
    width = min(a[0] + a[2], b[0] + b[2]) - max(a[0], b[0])
    height = min(a[1] + a[3], b[1] + b[3]) - max(a[1], b[1])
    shared = max(width, 0) * max(height, 0)
    return shared / (a[2] * a[3] + b[2] * b[3] - shared or 1)


def stands_for(element, target):
    """Whether the element is that thing: it lies in it, and says its words or is as large."""
    box, bounds = target["box"], box_of(element)
    x, y = bounds[0] + bounds[2] / 2, bounds[1] + bounds[3] / 2
    inside = box[0] - SLACK <= x <= box[0] + box[2] + SLACK and box[1] - SLACK <= y <= box[1] + box[3] + SLACK
    wanted = (target["phrase"] or "").lower()
    # A label stands in the list as the name of its field.
    if wanted and target["tag"] == "label" and element["role"] in FIELDS and wanted in element["name"].lower():
        return True
    said = [element["name"], element.get("value") or "", element.get("description") or "", *element.get("options", [])]
    if wanted and any(wanted in text.lower() for text in said):
        return inside or overlap(box, bounds) > 0
    return inside and not wanted and overlap(box, bounds) >= OVERLAP


def look(stage, page, html, task, seed):
    """What one episode names, and which of it is listed."""
    open_task(page, html, task, seed)
    if page.origin is None:
        page.find_origin()
    stage.input("mousemove", 1279, 799)
    seen = stage.wait_until_quiet(limit=6) or stage.look()
    told = page.run(f"({NAMED})({json.dumps(task)}, '{seed}')")
    scale = page.run("devicePixelRatio")
    shown = {int(part.split("]")[0]) for part in seen["list"].split("[")[1:] if part.split("]")[0].isdigit()}
    listed = [element for element in seen["elements"] if element["id"] in shown]
    results = []
    for target in told["targets"]:
        x, y, width, height = (side * scale for side in target["box"])
        target["box"] = [page.origin[0] + x, page.origin[1] + y, width, height]
        found = [element for element in listed if stands_for(element, target)]
        target["by"] = found[0]["source"] if found else None
        results.append(target)
    return {"task": task, "seed": seed, "instruction": told["instruction"], "targets": results, "typed": told["typed"], "list": seen["list"]}


def report(results, kinds, details):
    by_kind = collections.defaultdict(lambda: collections.Counter())
    missing = collections.defaultdict(list)
    for result in results:
        for target in result["targets"]:
            count = by_kind[kinds[result["task"]]]
            count["all"] += 1
            count[target["by"] or "missing"] += 1
            if not target["by"]:
                missing[result["task"]].append(target)
    print(f"{'kind':8}{'named':>8}{'listed':>8}{'share':>8}  by the tree, by reading, by look")
    total = sum(by_kind.values(), collections.Counter())
    for kind, count in [*sorted(by_kind.items()), ("all", total)]:
        listed = count["all"] - count["missing"]
        ways = ", ".join(str(count[way]) for way in ["accessibility", "ocr", "vision"])
        print(f"{kind:8}{count['all']:8}{listed:8}{share(listed, count['all']) * 100:8.1f}  {ways}")
    silent = sorted({result["task"] for result in results if not any(other["targets"] for other in results if other["task"] == result["task"])})
    print(f"tasks that name nothing on the screen: {', '.join(silent) or 'none'}")
    for task, targets in sorted(missing.items()):
        print(f"  {task}: {len(targets)} missing")
        for target in targets[:4] if details else []:
            print(f"    {target['how']} {target['tag']} {target['words'][:40]!r} at {[round(v) for v in target['box']]}")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(HERE))
    parser.add_argument("--freehand", default=os.path.join(root, "target", "debug", "freehand"), help="the program")
    parser.add_argument("--html", required=True, metavar="FOLDER", help="the pages: `miniwob/html` of the package")
    parser.add_argument("--tasks", metavar="FILE", help="tasks with their kinds")
    parser.add_argument("--task", action="append", help="only these tasks")
    parser.add_argument("--seeds", type=int, default=3, metavar="N", help="episodes of each task [default: 3]")
    parser.add_argument("--scale", type=float, default=2, help="the device scale [default: 2]")
    parser.add_argument("--read", action="store_true", help="read text off the pixels as well")
    parser.add_argument("--json", metavar="FILE", help="write everything here")
    parser.add_argument("--details", action="store_true", help="say what is missing")
    return parser.parse_args()


def main():
    args = arguments()
    tasks = tasks_of(args.tasks) if args.tasks else [(task, "?") for task in args.task or []]
    tasks = [(task, kind) for task, kind in tasks if not args.task or task in args.task]
    stage = Stage(args.freehand, more=["--read"] if args.read else [])
    results = []
    try:
        page = Chromium(stage, args.scale)
        for task, _ in tasks:
            for seed in range(args.seeds):
                try:
                    results.append(look(stage, page, os.path.abspath(args.html), task, seed))
                except RuntimeError as error:
                    print(f"left out {task} {seed}: {str(error)[:200]}", flush=True)
    finally:
        stage.end()
    report(results, dict(tasks), args.details)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            json.dump(results, file, ensure_ascii=False, indent=1)
    return 0 if results else 1


if __name__ == "__main__":
    sys.exit(main())
