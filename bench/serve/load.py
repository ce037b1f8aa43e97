#!/usr/bin/env python3
"""How `freehand serve` bears up: many clients at once, some of which hang up, some of which send rubbish, and
one of which means harm. Needs Python alone.

    python3 bench/serve/load.py --binary target/release/freehand --model FILE.gguf --minutes 20

It ends with 1 where the server crashed, grew, or left a well-behaved client without answers. The figures are
printed as Markdown; --json writes all of them to a file.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import statistics
import subprocess
import sys
import tempfile
import time

QUESTIONS = [
    "Name a colour.",
    "What is the capital of France?",
    "Say hello in Spanish.",
    "Which is larger, 7 or 12?",
    "Give me one word for a small house.",
]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--binary", required=True, help="the program `freehand`")
    parser.add_argument("--model", required=True, help="a GGUF file or a name of the catalogue")
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--choosing", type=int, default=1, help="of these, clients that have 64 long options weighed")
    parser.add_argument("--tokens", type=int, default=8, help="tokens of an answer")
    parser.add_argument("--json", help="write all figures to this file")
    return parser.parse_args()


class Server:
    """A `freehand serve` in an account of its own."""

    def __init__(self, binary, model):
        self.home = tempfile.TemporaryDirectory()
        environment = {**os.environ, "HOME": self.home.name}
        for name in ["XDG_CONFIG_HOME", "XDG_STATE_HOME"]:
            environment.pop(name, None)
        models = os.path.join(os.path.expanduser(os.environ.get("XDG_CACHE_HOME", "~/.cache")), "freehand/models")
        environment.setdefault("FREEHAND_MODELS", models)
        command = [binary, "serve", "--model", model, "--port", "0", "--json", "--name", "m", "--context", "2048"]
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
        place = json.loads(self.process.stdout.readline())
        self.port = int(place["url"].rsplit(":", 1)[1].split("/")[0])
        with open(place["token_file"]) as file:
            self.token = file.read().strip()

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            line = next(line for line in status if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024

    def files(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def head(self, length, method="POST", path="/v1/chat/completions"):
        return (
            f"{method} {path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer {self.token}\r\n"
            f"content-type: application/json\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n"
        ).encode()

    async def open(self):
        return await asyncio.open_connection("127.0.0.1", self.port)

    async def ask(self, body, timeout=600, path="/v1/chat/completions"):
        """The status, the headers and the body of the answer."""
        text = json.dumps(body).encode()
        reader, writer = await self.open()
        try:
            writer.write(self.head(len(text), path=path) + text)
            reply = await asyncio.wait_for(reader.read(), timeout)
        finally:
            writer.close()
        head, _, rest = reply.partition(b"\r\n\r\n")
        return int(head.split()[1]), head.decode("latin-1").lower(), rest


class Count:
    """What a kind of client has seen."""

    def __init__(self):
        self.answers = {}
        self.waits = []
        self.refused = 0
        self.left = 0
        self.sent = {}
        self.wrong = []


def question(tokens, **more):
    text = random.choice(QUESTIONS)
    return {"model": "m", "messages": [{"role": "user", "content": text}], "max_tokens": tokens, **more}


async def good(server, count, number, tokens, until):
    count.answers[number] = 0
    while time.monotonic() < until:
        stream = random.random() < 0.5
        begun = time.monotonic()
        try:
            status, head, body = await server.ask(question(tokens, stream=stream, user=f"client {number}"))
        except Exception as error:
            count.wrong.append(f"client {number}: {error!r}")
            await asyncio.sleep(1)
            continue
        if status == 429:
            count.refused += 1
            again = next(line for line in head.splitlines() if line.startswith("retry-after:"))
            await asyncio.sleep(min(int(again.split(":")[1]), 5))
        elif status == 200 and (b"[DONE]" in body if stream else b'"usage"' in body):
            count.answers[number] += 1
            count.waits.append(time.monotonic() - begun)
        else:
            count.wrong.append(f"client {number}: {status} {body[:200]!r}")
        await asyncio.sleep(random.random())


async def choosing(server, count, number, until):
    """Has many long options weighed, and hangs up on about every second such question."""
    options = [f"{option}. " + "the house by the lake " * 8 for option in range(64)]
    while time.monotonic() < until:
        try:
            asked = question(1, options=options, user=f"chooser {number}")
            begun = time.monotonic()
            status, _, reply = await server.ask(asked, random.choice([600, 2]), "/v1/choose")
            count.sent[status] = count.sent.get(status, 0) + 1
            if status == 200:
                count.waits.append(time.monotonic() - begun)
            elif status != 429:
                count.wrong.append(f"a choice got {status}: {reply[:200]!r}")
        except asyncio.TimeoutError:
            count.left += 1
        except (OSError, ValueError, IndexError) as error:
            count.wrong.append(f"a choice: {error!r}")
        await asyncio.sleep(random.random() * 5)


async def fickle(server, count, until):
    """Hangs up: before the head is whole, while it waits, and in the middle of an answer."""
    while time.monotonic() < until:
        text = json.dumps(question(2000, stream=True)).encode()
        try:
            reader, writer = await server.open()
            whole = server.head(len(text)) + text
            writer.write(whole[: random.choice([30, len(whole) - 3, len(whole), len(whole), len(whole)])])
            try:
                await asyncio.wait_for(reader.read(random.choice([1, 400])), random.uniform(0.1, 20))
            except asyncio.TimeoutError:
                pass
            writer.transport.abort()
            count.left += 1
        except OSError:
            pass
        await asyncio.sleep(random.random() * 3)


def rubbish(server):
    """Bytes that are no question, and the status that they deserve; None where the connection may just end."""
    schema = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"$ref": "#/nowhere"}}}
    deep = b"[" * 100_000
    bodies = [
        (b"{", 400), (b"null", 400), (deep, 400), (os.urandom(500), 400), (b"\xff\xfe{}", 400),
        (json.dumps({"model": "m", "messages": "hi"}).encode(), 400),
        (json.dumps(question(5, response_format=schema)).encode(), 400),
        (json.dumps(question(5, temperature="hot")).encode(), 400),
        (json.dumps({"model": "m", "messages": [{"role": "user", "content": "word " * 30_000}]}).encode(), 400),
    ]
    body, status = random.choice(bodies)
    whole = server.head(len(body)) + body
    return random.choice([(whole, status), (whole, status), (os.urandom(2000), None), (b"GET / HTTP/9\r\n\r\n", None)])


async def confused(server, count, until):
    while time.monotonic() < until:
        sent, wanted = rubbish(server)
        try:
            reader, writer = await server.open()
            writer.write(sent)
            reply = await asyncio.wait_for(reader.read(), 300)
            writer.close()
            status = int(reply.split()[1]) if reply.startswith(b"HTTP/") else None
            count.sent[status] = count.sent.get(status, 0) + 1
            if wanted and status not in (wanted, 429):
                count.wrong.append(f"rubbish got {status} instead of {wanted}: {sent[-80:]!r}")
        except (OSError, ValueError, asyncio.TimeoutError) as error:
            count.wrong.append(f"rubbish: {error!r}")
        await asyncio.sleep(random.random() * 2)


async def huge(server):
    reader, writer = await server.open()
    try:
        writer.write(server.head(2_000_000_000))
        for _ in range(200):
            writer.write(b"x" * 1_000_000)
            await asyncio.wait_for(writer.drain(), 5)
    finally:
        writer.transport.abort()


async def slow_head(server):
    reader, writer = await server.open()
    try:
        for byte in server.head(10)[:40]:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def slow_body(server):
    reader, writer = await server.open()
    try:
        writer.write(server.head(1000))
        for _ in range(60):
            writer.write(b" ")
            await writer.drain()
            await asyncio.sleep(1)
    finally:
        writer.transport.abort()


async def slow_reader(server):
    text = json.dumps(question(200, stream=True)).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port, limit=64)
    try:
        writer.write(server.head(len(text)) + text)
        for _ in range(60):
            await asyncio.wait_for(reader.read(1), 30)
            await asyncio.sleep(0.5)
    finally:
        writer.transport.abort()


async def silent(server):
    held = [await server.open() for _ in range(100)]
    await asyncio.sleep(20)
    for _, writer in held:
        writer.transport.abort()


async def malicious(server, count, until):
    while time.monotonic() < until:
        attack = random.choice([huge, slow_head, slow_body, slow_reader, silent])
        try:
            await attack(server)
        except (OSError, asyncio.TimeoutError, asyncio.IncompleteReadError):
            pass
        count.sent[attack.__name__] = count.sent.get(attack.__name__, 0) + 1
        await asyncio.sleep(0.5)


async def watch(server, seen, until):
    while time.monotonic() < until and server.process.poll() is None:
        seen.append((time.monotonic(), server.memory(), server.files()))
        await asyncio.sleep(2)


async def load(server, options):
    until = time.monotonic() + options.minutes * 60
    counts = {kind: Count() for kind in ["good", "choosing", "fickle", "confused", "malicious"]}
    leaves, sends = options.clients // 6, options.clients // 10
    answers = options.clients - leaves - sends - 1 - options.choosing
    seen = []
    tasks = [good(server, counts["good"], number, options.tokens, until) for number in range(answers)]
    tasks += [fickle(server, counts["fickle"], until) for _ in range(leaves)]
    tasks += [confused(server, counts["confused"], until) for _ in range(sends)]
    tasks += [choosing(server, counts["choosing"], number, until) for number in range(options.choosing)]
    tasks += [malicious(server, counts["malicious"], until), watch(server, seen, until)]
    # What is still waited for at the end is neither an answer nor a fault.
    done, pending = await asyncio.wait([asyncio.ensure_future(task) for task in tasks], timeout=options.minutes * 60 + 5)
    for task in pending:
        task.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    for task in done:
        task.result()
    return counts, seen


def judge(server, counts, seen, code):
    """What went wrong."""
    wrong = []
    if code != 0:
        wrong.append(f"the server ended with {code}")
    answers = list(counts["good"].answers.values())
    if min(answers) * 3 < statistics.median(answers) or min(answers) == 0:
        wrong.append(f"a client starved: {sorted(answers)}")
    # Memory settles while the first answers are given: the second third is compared with the last.
    memory = [bytes for _, bytes, _ in seen]
    third = len(memory) // 3
    middle, last = (statistics.median(part) for part in (memory[third : 2 * third], memory[2 * third :]))
    if last > middle * 1.05 + 30e6:
        wrong.append(f"memory grew from {middle / 1e6:.0f} to {last / 1e6:.0f} MB")
    for count in counts.values():
        wrong += count.wrong[:5]
    return wrong


def report(options, counts, seen):
    good = counts["good"]
    answers, waits = sorted(good.answers.values()), sorted(good.waits) or [0]
    memory, files = [bytes / 1e6 for _, bytes, _ in seen], [files for _, _, files in seen]
    at = lambda share: waits[min(int(len(waits) * share), len(waits) - 1)]
    chosen = sorted(counts["choosing"].waits) or [0]
    rows = [
        ("minutes", f"{options.minutes:g}"),
        ("clients that behave / choose / hang up / send rubbish / mean harm",
         f"{len(answers)} / {options.choosing} / {options.clients // 6} / {options.clients // 10} / 1"),
        ("answers", sum(answers)),
        ("answers a client: least, median, most", f"{answers[0]}, {statistics.median(answers):g}, {answers[-1]}"),
        ("time to an answer, s: median, p95, most", f"{at(0.5):.1f}, {at(0.95):.1f}, {waits[-1]:.1f}"),
        ("told to come again (429)", good.refused),
        ("hung up", counts["fickle"].left),
        ("choices of 64 long options, by status; hung up",
         ", ".join(f"{k}: {v}" for k, v in counts["choosing"].sent.items()) + f"; {counts['choosing'].left}"),
        ("time to such a choice, s: median, most", f"{statistics.median(chosen):.1f}, {chosen[-1]:.1f}"),
        ("rubbish, by status", ", ".join(f"{k}: {v}" for k, v in counts["confused"].sent.items())),
        ("attacks", ", ".join(f"{k}: {v}" for k, v in counts["malicious"].sent.items())),
        ("memory, MB: first, median, last, most",
         f"{memory[0]:.0f}, {statistics.median(memory):.0f}, {memory[-1]:.0f}, {max(memory):.0f}"),
        ("open files: most, last", f"{max(files)}, {files[-1]}"),
    ]
    print("| what | measured |\n| --- | --- |")
    for what, measured in rows:
        print(f"| {what} | {measured} |")


def main():
    options = arguments()
    random.seed(1)
    server = Server(options.binary, options.model)
    try:
        counts, seen = asyncio.run(load(server, options))
    finally:
        if server.process.poll() is None:
            server.process.send_signal(signal.SIGINT)
        code = server.process.wait(60)
    report(options, counts, seen)
    wrong = judge(server, counts, seen, code)
    if options.json:
        figures = {kind: {**vars(count)} for kind, count in counts.items()}
        with open(options.json, "w") as file:
            json.dump({"counts": figures, "seen": seen, "wrong": wrong}, file)
    for line in wrong:
        print(f"wrong: {line}", file=sys.stderr)
    sys.exit(1 if wrong else 0)


main()
