#!/usr/bin/env python3
"""Whether `freehand serve` and llama.cpp's own server compute the same of the same file: how likely each token
of greedy answers is, and how likely the twenty in its place, as long as both say the same.

    python3 bench/engine/same.py target/release/freehand MODEL.gguf --python PYTHON

PYTHON is one that has xllamacpp, such as the one that `freehand model bench --against llama.cpp` makes in
Freehand's cache folder. Needs Python alone.
"""

import argparse
import json
import math
import statistics
import tempfile
import urllib.request

from together import freehand, llama_cpp

LONG = "".join(f"Row {row}: a button `Save {row}` beside a text field, {row % 7} px above another.\n" for row in range(60))
QUESTIONS = [
    "What is the capital of France?",
    "Write a function in Rust that adds two numbers.",
    "Nenne drei Städte in Österreich, mit je einem Satz.",
    "日本の首都はどこですか。",
    "Continue: 2, 3, 5, 7, 11,",
    "Give the next action as JSON. Buttons: Open, Save, Cancel. The task: keep the document.",
    "  def f(x):\n\treturn x**2  # what does\n\n\nthis do?",
    LONG + "Which row has the third button? Explain briefly.",
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary", help="the program `freehand`")
    parser.add_argument("model", help="a GGUF file")
    parser.add_argument("--python", required=True, help="a Python that has xllamacpp")
    parser.add_argument("--tokens", type=int, default=48, help="tokens of an answer")
    return parser.parse_args()


def ask(server, question, tokens):
    """Each token of the answer with its likelihood, and the likeliest in its place."""
    messages = [{"role": "system", "content": "Answer briefly."}, {"role": "user", "content": question}]
    body = {"model": "m", "messages": messages, "max_tokens": tokens, "temperature": 0, "logprobs": True, "top_logprobs": 20}
    headers = {"content-type": "application/json", "authorization": f"Bearer {server.token}"}
    request = urllib.request.Request(f"{server.url}/chat/completions", json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=600) as reply:
        told = json.load(reply)
    rows = told["choices"][0]["logprobs"]["content"]
    return [(row["token"], row["logprob"], {top["token"]: top["logprob"] for top in row["top_logprobs"]}) for row in rows]


def main():
    options = arguments()
    home = tempfile.TemporaryDirectory()
    servers = [freehand(options, home.name)]
    chosen, others, apart = [], [], []
    try:
        servers.append(llama_cpp(options))
        for question in QUESTIONS:
            own, peer = (ask(server, question, options.tokens) for server in servers)
            for at, ((token, likelihood, tops), (other, other_likelihood, other_tops)) in enumerate(zip(own, peer)):
                # What both list is compared, as far as it is likelier than one in a thousand.
                both = [name for name in tops if name in other_tops and other_tops[name] > math.log(1e-3)]
                others += [abs(tops[name] - other_tops[name]) for name in both]
                if token != other:
                    best = sorted(other_tops.values(), reverse=True)
                    apart.append((question[:30], at, best[0] - best[1]))
                    break
                chosen.append(abs(likelihood - other_likelihood))
    finally:
        for server in servers:
            server.process.terminate()
            server.process.wait()
    at = lambda values, share: sorted(values)[min(int(len(values) * share), len(values) - 1)]
    print("| what | measured |\n| --- | --- |")
    print(f"| answers that go the same way | {len(QUESTIONS) - len(apart)} of {len(QUESTIONS)} |")
    print(f"| tokens compared | {len(chosen)} |")
    print(f"| difference of the logarithm of the chosen token: median, p95, most | {statistics.median(chosen):.4f}, {at(chosen, 0.95):.4f}, {max(chosen):.4f} |")
    print(f"| the same of {len(others)} tokens in their places | {statistics.median(others):.4f}, {at(others, 0.95):.4f}, {max(others):.4f} |")
    for question, place, gap in apart:
        print(f"| `{question.strip()}` goes another way at token {place}, where llama.cpp's two likeliest differ by | {gap:.4f} |")


if __name__ == "__main__":
    main()
