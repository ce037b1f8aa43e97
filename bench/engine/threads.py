#!/usr/bin/env python3
"""What the threads of the engine do: the time of the processor that an idle `freehand serve` takes after an
answer, and whether pinning each thread to a core makes it quicker.

    python3 bench/engine/threads.py target/release/freehand MODEL.gguf

Threads are pinned from outside, between two questions, so that both are measured in one process by turns. Needs
Python alone, on Linux.
"""

import argparse
import json
import os
import statistics
import subprocess
import tempfile
import time
import urllib.request


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program `freehand`")
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--seconds", type=float, default=60, help="how long it is left alone")
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=512, help="tokens of a prompt")
    return parser.parse_args()


def processor_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def idle(options):
    home = tempfile.TemporaryDirectory()
    environment = {**os.environ, "HOME": home.name}
    command = [options.binary, "serve", "--model", options.model, "--port", "0", "--json", "--name", "m", "--no-token"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    server = subprocess.Popen(command, env=environment, **pipes)
    try:
        url = json.loads(server.stdout.readline())["url"]
        body = {"model": "m", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 8}
        headers = {"content-type": "application/json"}
        request = urllib.request.Request(f"{url}/chat/completions", json.dumps(body).encode(), headers)
        urllib.request.urlopen(request, timeout=600).read()
        time.sleep(1)
        before = processor_seconds(server.pid)
        time.sleep(options.seconds)
        return processor_seconds(server.pid) - before
    finally:
        server.terminate()
        server.wait()


def pin(pid, pinned):
    cores, used = sorted(os.sched_getaffinity(0)), 0
    for thread in sorted(os.listdir(f"/proc/{pid}/task"), key=int):
        with open(f"/proc/{pid}/task/{thread}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        # Those that compute get a core each, by turns; the others stay where they are.
        if int(fields[11]) + int(fields[12]) > 20:
            os.sched_setaffinity(int(thread), {cores[used % len(cores)]} if pinned else set(cores))
            used += 1


def pinning(options):
    environment = {**os.environ, "RAYON_NUM_THREADS": "2", "CANDLE_NUM_THREADS": "2"}
    command = [options.binary, "model", "bench-worker", options.model, "2048"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, "text": True}
    worker = subprocess.Popen(command, env=environment, **pipes)
    worker.stdout.readline()

    def ask(round):
        prompt = [1000 + (number * 7919 + round * 613) % 20_000 for number in range(options.tokens)]
        worker.stdin.write(json.dumps({"prompt": prompt, "n_predict": 24}) + "\n")
        worker.stdin.flush()
        answer = json.loads(worker.stdout.readline())
        return answer["read"] * 1000 / answer["read_ms"], answer["written"] * 1000 / answer["written_ms"]

    ask(0)
    rates = {False: [], True: []}
    for round in range(options.rounds):
        for pinned in [False, True]:
            pin(worker.pid, pinned)
            rates[pinned].append(ask(round + 1))
    worker.stdin.close()
    worker.wait()
    return rates


def main():
    options = arguments()
    spent = idle(options)
    print(f"| what | measured |\n| --- | --- |")
    print(f"| time of the processor in {options.seconds:g} s after an answer | {spent:.2f} s |")
    rates = pinning(options)
    for what, at in [("read", 0), ("written", 1)]:
        free, pinned = ([rate[at] for rate in rates[key]] for key in [False, True])
        print(f"| tokens {what} a second, threads free: median, most | {statistics.median(free):.1f}, {max(free):.1f} |")
        print(f"| the same, each on a core of its own | {statistics.median(pinned):.1f}, {max(pinned):.1f} |")


main()
