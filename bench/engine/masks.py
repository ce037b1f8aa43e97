#!/usr/bin/env python3
"""How long the masks of the grammar take, token by token, in the questions of recorded runs.

    FREEHAND_LOG=freehand_model::asked=trace freehand run "open the editor" 2> asked.log
    python3 bench/engine/masks.py target/release/freehand MODEL.gguf asked.log

Needs Python alone. The questions that are answered under a schema are asked in their order.
"""

import argparse
import json
import os
import re
import subprocess
import threading

ASKED = "freehand_model::asked: "
MASK = re.compile(r"freehand_model::masks: us=([0-9.e+-]+)")
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program `freehand`")
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("log", help="what the runs wrote")
    parser.add_argument("--most", type=int, default=10_000, help="as many questions at most")
    parser.add_argument("--context", type=int, default=8192)
    return parser.parse_args()


def questions(path):
    with open(path) as log:
        for line in log:
            _, found, question = line.partition(ASKED)
            if found:
                question = json.loads(question)
                if not question["options"] and question["asked"]["constraint"] != "free":
                    yield question


def share(values, part):
    values = sorted(values)
    return values[min(int(len(values) * part), len(values) - 1)]


def main():
    options = arguments()
    environment = {**os.environ, "FREEHAND_LOG": "freehand_model::masks=trace", "RAYON_NUM_THREADS": "2"}
    command = [options.binary, "model", "bench-worker", options.model, str(options.context)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    worker = subprocess.Popen(command, env=environment, text=True, **pipes)
    masks = []

    def listen():
        for line in worker.stderr:
            found = MASK.search(COLOUR.sub("", line))
            if found:
                masks.append(float(found[1]))

    listener = threading.Thread(target=listen)
    listener.start()
    assert "version" in json.loads(worker.stdout.readline())
    sampled, forced, spent, asked = 0, 0, 0.0, 0
    for question in list(questions(options.log))[: options.most]:
        worker.stdin.write(json.dumps(question) + "\n")
        worker.stdin.flush()
        answer = json.loads(worker.stdout.readline())
        asked += 1
        sampled += answer["written"] - answer["forced"]
        forced += answer["forced"]
        spent += answer["written_ms"]
    worker.stdin.close()
    worker.wait()
    listener.join()
    total = sum(masks) / 1000
    print("| what | measured |\n| --- | --- |")
    print(f"| answers | {asked} |")
    print(f"| tokens sampled, forced | {sampled}, {forced} |")
    print(f"| time of writing, s; for a sampled token, ms | {spent / 1000:.1f}; {spent / max(sampled, 1):.1f} |")
    print(f"| masks | {len(masks)} |")
    print(f"| a mask, µs: median, p95, p99, most | {share(masks, 0.5):.0f}, {share(masks, 0.95):.0f}, {share(masks, 0.99):.0f}, {max(masks):.0f} |")
    print(f"| all masks, ms; share of the time of writing | {total:.1f}; {100 * total / spent:.2f} % |")


main()
