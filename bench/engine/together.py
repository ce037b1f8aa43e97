#!/usr/bin/env python3
"""How many tokens a second several answers make together, against one alone: `freehand serve` and, by turns,
llama.cpp's own server on the same file with the same number of threads.

    python3 bench/engine/together.py target/release/freehand MODEL.gguf --python PYTHON

PYTHON is one that has xllamacpp, such as the one that `freehand model bench --against llama.cpp` makes in
Freehand's cache folder; without it Freehand is measured alone. The quickest of the rounds counts. Needs Python
alone.
"""

import argparse
import concurrent.futures
import json
import os
import socket
import subprocess
import tempfile
import time
import urllib.request

PEER = """
import sys, time, xllamacpp
p = xllamacpp.CommonParams()
p.model.path, p.port, p.n_ctx, p.n_parallel, p.n_gpu_layers = sys.argv[1], int(sys.argv[2]), 8192, 4, 0
p.cpuparams.n_threads = p.cpuparams_batch.n_threads = 2
server = xllamacpp.Server(p)
while True:
    time.sleep(60)
"""


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program `freehand`")
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--python", help="a Python that has xllamacpp")
    parser.add_argument("--tokens", type=int, default=64, help="tokens of an answer")
    parser.add_argument("--together", type=int, default=4, help="answers at a time")
    parser.add_argument("--rounds", type=int, default=2)
    return parser.parse_args()


class Server:
    def __init__(self, process, url, token=None):
        self.process, self.url, self.token = process, url, token

    def ask(self, number, tokens):
        """When it was asked, when the first token came, when the last, and how many there were."""
        text = f"Write the numbers from {100 * number} to {100 * number + 99}, separated by spaces."
        body = {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": tokens,
                "temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
        headers = {"content-type": "application/json", "authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.url}/chat/completions", json.dumps(body).encode(), headers)
        first, count = None, 0
        with urllib.request.urlopen(request, timeout=600) as reply:
            for line in reply:
                if not line.startswith(b"data: {"):
                    continue
                piece = json.loads(line[6:])
                if any((choice.get("delta") or {}).get("content") for choice in piece["choices"]):
                    first = first or time.monotonic()
                    last = time.monotonic()
                count = (piece.get("usage") or {}).get("completion_tokens", count)
        return first, last, count


def freehand(options, home):
    environment = {**os.environ, "HOME": home, "RAYON_NUM_THREADS": "2", "CANDLE_NUM_THREADS": "2"}
    for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"]:
        environment.pop(name, None)
    command = [options.binary, "serve", "--model", options.model, "--port", "0", "--json", "--name", "m"]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    place = json.loads(process.stdout.readline())
    with open(place["token_file"]) as file:
        return Server(process, place["url"], file.read().strip())


def llama_cpp(options):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen([options.python, "-c", PEER, options.model, str(port)], **quiet)
    server = Server(process, f"http://127.0.0.1:{port}/v1")
    for _ in range(120):
        try:
            server.ask(0, 1)
            return server
        except OSError:
            time.sleep(0.5)
    raise SystemExit("llama.cpp's server does not answer")


def rate(server, together, tokens):
    """Tokens a second of so many answers, from the first token of any to the last."""
    with concurrent.futures.ThreadPoolExecutor(together) as pool:
        answers = list(pool.map(lambda number: server.ask(number + 1, tokens), range(together)))
    begun, ended = min(first for first, _, _ in answers), max(last for _, last, _ in answers)
    return sum(count for _, _, count in answers) / (ended - begun)


def main():
    options = arguments()
    home = tempfile.TemporaryDirectory()
    servers = {"Freehand": freehand(options, home.name)}
    if options.python:
        servers["llama.cpp"] = llama_cpp(options)
    best = {}
    try:
        for server in servers.values():
            # The prompts are read once, so that what follows is writing.
            rate(server, options.together, 2)
        for _ in range(options.rounds):
            for together in [1, options.together]:
                for name, server in servers.items():
                    key = (name, together)
                    best[key] = max(best.get(key, 0), rate(server, together, options.tokens))
    finally:
        for server in servers.values():
            server.process.terminate()
            server.process.wait()
    print(f"| tokens written a second, all together | 1 answer | {options.together} answers | |\n| --- | --- | --- | --- |")
    for name in servers:
        one, many = best[name, 1], best[name, options.together]
        print(f"| {name} | {one:.1f} | {many:.1f} | {many / one:.2f}x |")


if __name__ == "__main__":
    main()
