#!/usr/bin/env python3
"""How well Freehand sees: shows real pages and programs on a display of its own, asks them what a person
could use and read on them, and compares that with Freehand's list.

    python3 bench/corpus/see.py --tokens qwen2.5-coder-1.5b-instruct-q4_k_m.gguf --json see.json

Ends with 1 when a share that was asked for with --least-* is not reached or a number has changed."""

import argparse
import json
import os
import statistics
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from browser import Chromium, Firefox
from programs import PROGRAMS, SCALES
from score import changed_numbers, score, score_pixels
from stage import Missing, Stage

HERE = os.path.dirname(os.path.abspath(__file__))
PAGES = sorted(name.removesuffix(".html") for name in os.listdir(os.path.join(HERE, "pages")))
FIELDS = ("textbox",)


def look(stage, truth, area):
    """One comparison, when page and list are quiet."""
    seen = stage.wait_until_quiet()
    told = truth()
    if seen is None:
        raise Missing("the list never stands still")
    judge = score if stage.asks_programs else score_pixels
    return judge(told, seen, area() if callable(area) else area), told


def disturb(stage, told):
    """What a person does between two looks: hover, scroll, scroll back, type."""
    placed = [item for item in told["items"] if item["sure"] and item["box"]]

    def middle(item):
        x, y, width, height = item["box"]
        return int(x + width / 2), int(y + height / 2)

    def hover():
        for item in placed[:3]:
            stage.input("mousemove", *middle(item))

    def wheel(button):
        stage.input("mousemove", 640, 400, "click", "--repeat", 2, button)

    def write():
        fields = [item for item in placed if item["role"] in FIELDS]
        if fields:
            stage.input("mousemove", *middle(fields[0]), "click", 1)
            stage.input("type", "ab")

    return [hover, lambda: wheel(5), lambda: wheel(4), write]


def watch(stage, name, scale, truth, area=None, disturbed=True):
    """All looks at one scene."""
    first, told = look(stage, truth, area)
    compared, changed, before = 0, [], first
    for act in disturb(stage, told) if disturbed else []:
        act()
        time.sleep(0.3)
        after, _ = look(stage, truth, area)
        both, other = changed_numbers(before, after)
        compared += both
        changed += [f"after {act.__name__}: {thing}" for thing in other]
        before = after
    for key in ["numbers", "called", "seen", "within"]:
        first.pop(key, None)
    return {"scene": name, "scale": scale, **first, "compared": compared, "changed": changed}


def pages(stage, browser, scale, names, label=""):
    page = browser(stage, scale)
    results = []
    for name in names:
        page.go(os.path.join(HERE, "pages", f"{name}.html"))
        if page.origin is None:
            page.find_origin()
        # Out of the way: what lies under the pointer looks different.
        stage.input("mousemove", 1279, 799)

        def area():
            size = page.run("[innerWidth * devicePixelRatio, innerHeight * devicePixelRatio]")
            return [*page.origin, *size]

        results.append(watch(stage, label + name, scale, page.truth, area))
        line(results[-1])
    return results


def program(stage, name, scale=1):
    truth = PROGRAMS[name](stage, scale)
    # Some take a while before they show anything.
    names = {item["name"] for item in truth()["items"]}
    seen = stage.wait_until_quiet(lambda seen: names & {e["name"] for e in seen["elements"]}, limit=90)
    if seen is None:
        seen = stage.look()
    placed = not truth().get("partial")
    result = watch(stage, name, scale, truth, disturbed=placed)
    line(result)
    return result


def share(part, whole):
    return part / whole if whole else 1.0


def figures(result):
    """The shares of one scene."""
    listed, said = result["listed"], result["said"]
    return {
        "recall": share(result["found"], result["items"]),
        "shown": share(result["shown"], result["items"]),
        "named": share(result["named"], result["found"]),
        "precision": 1 - share(len(result["extra"]), listed) if listed else 1.0,
        "text": 1 - share(len(result["unread"]), result["words"]) if result["words"] else 1.0,
        "truth": 1 - share(len(result["made_up"]), said) if said else 1.0,
    }


def line(result):
    f = figures(result)
    shares = "".join(f"{value * 100:10.1f}" for value in f.values())
    numbers = f"{len(result['changed'])}/{result['compared']}"
    print(f"{result['scene']:20}{result['scale']:>5}{result['items']:7}{shares}{result['tokens'] or '-':>8}{numbers:>9}", flush=True)


def details(result):
    for title in ["missing", "misnamed", "extra", "unread", "made_up", "changed", "gaps"]:
        if result[title]:
            print(f"  {result['scene']} at {result['scale']}: {title}: {'; '.join(map(str, result[title][:12]))}")


def total(results):
    """Everything together, each thing and each word counted once."""
    whole = {"scene": "together", "scale": ""}
    for key in ["items", "found", "shown", "named", "listed", "words", "said", "compared"]:
        whole[key] = sum(result[key] for result in results)
    for key in ["cjk", "unread_cjk"]:
        whole[key] = sum(result.get(key, 0) for result in results)
    for key in ["missing", "misnamed", "extra", "unread", "made_up", "changed", "gaps"]:
        whole[key] = [thing for result in results for thing in result[key]]
    counts = sorted(result["tokens"] for result in results if result["tokens"])
    whole["tokens"] = int(statistics.median(counts)) if counts else None
    whole["tokens_p95"] = counts[min(len(counts) - 1, int(len(counts) * 0.95))] if counts else None
    return whole


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    root = os.path.dirname(os.path.dirname(HERE))
    parser.add_argument("--freehand", default=os.path.join(root, "target", "debug", "freehand"), help="the program")
    parser.add_argument("--tokens", metavar="GGUF", help="count tokens as this model does")
    parser.add_argument("--page", action="append", choices=[*PAGES, "none"], help="only these pages")
    parser.add_argument("--program", action="append", choices=[*PROGRAMS, "firefox", "none"], help="only these programs")
    parser.add_argument("--scale", action="append", type=float, help="only these device scales")
    parser.add_argument("--program-scale", action="append", type=float, help="show programs at these scales (default: 1, 2, and 1.5 where they can)")
    parser.add_argument("--read", action="store_true", help="read texts off the screen too, as `observe` and `run` do once they have the networks")
    parser.add_argument("--no-tree", action="store_true", help="ask no program what it shows: what is seen in the pixels alone")
    parser.add_argument("--json", metavar="FILE", help="write everything here")
    parser.add_argument("--details", action="store_true", help="say what is missing and what is too much")
    parser.add_argument("--least-recall", type=float, default=0.0)
    parser.add_argument("--least-precision", type=float, default=0.0)
    parser.add_argument("--least-text", type=float, default=0.0)
    return parser.parse_args()


def run(args):
    results, skipped = [], []

    def attempt(what, work, size="1280x800"):
        stage = Stage(args.freehand, args.tokens, size, asks_programs=not args.no_tree, reads=args.read)
        try:
            found = work(stage)
            results.extend(found if isinstance(found, list) else [found])
        except Missing as reason:
            skipped.append(f"{what}: {reason}")
            print(f"left out {what}: {reason}", flush=True)
        finally:
            stage.end()

    wanted = [name for name in args.page or PAGES if name != "none"]
    for scale in args.scale or [1, 1.5, 2]:
        scale = int(scale) if scale == int(scale) else scale
        if wanted:
            attempt(f"chromium at {scale}", lambda stage, s=scale: pages(stage, Chromium, s, wanted))
    for name in [name for name in args.program or [*PROGRAMS, "firefox"] if name != "none"]:
        for scale in args.program_scale or SCALES[name]:
            size = f"{int(1280 * scale)}x{int(800 * scale)}"
            if name == "firefox":
                attempt(f"firefox at {scale:g}", lambda stage, s=scale: pages(stage, Firefox, s, ["form", "tabs", "table"], "firefox "), size)
            else:
                attempt(f"{name} at {scale:g}", lambda stage, n=name, s=scale: program(stage, n, s), size)
    return results, skipped


def main():
    args = arguments()
    heads = ["recall", "shown", "named", "precis.", "text", "true text"]
    print(f"{'scene':20}{'scale':>5}{'items':>7}{''.join(f'{head:>10}' for head in heads)}{'tokens':>8}{'renumb.':>9}")
    results, skipped = run(args)
    whole = total(results)
    line(whole)
    print(f"tokens of a list: median {whole['tokens']}, 95th percentile {whole['tokens_p95']}")
    if whole["cjk"]:
        latin, unread = whole["words"] - whole["cjk"], len(whole["unread"]) - whole["unread_cjk"]
        print(f"text: Latin {100 - share(unread, latin) * 100:.1f} % of {latin}, CJK {100 - share(whole['unread_cjk'], whole['cjk']) * 100:.1f} % of {whole['cjk']}")
    if args.details:
        for result in results:
            details(result)
    if args.json:
        with open(args.json, "w", encoding="utf-8") as file:
            scenes = [{**result, "shares": figures(result)} for result in results]
            json.dump({"together": {**figures(whole), "tokens": whole["tokens"], "tokens_p95": whole["tokens_p95"]}, "scenes": scenes, "left_out": skipped}, file, ensure_ascii=False, indent=1)
    f = figures(whole)
    least = {"recall": args.least_recall, "precision": args.least_precision, "text": args.least_text}
    failed = [f"{key} is {f[key]:.3f}, not {value}" for key, value in least.items() if f[key] < value]
    if whole["changed"]:
        failed.append(f"{len(whole['changed'])} numbers have changed")
    if not results:
        failed.append("nothing was shown")
    for reason in failed:
        print(f"failed: {reason}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
