"""Lends desktops by `freehand mcp` to the Model Context Protocol's own Python client: python3 mcp_python.py BINARY
FOLDER, with an empty FOLDER that is the home. Whether something was done is read from what programs wrote and from
the processes, not from the server's word alone. The first check that does not hold ends it with 1."""

import asyncio
import base64
import contextlib
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

import mcp
import mcp_types
from mcp.client.stdio import StdioServerParameters, stdio_client

BINARY, FOLDER, TESTS = sys.argv[1], pathlib.Path(sys.argv[2]).resolve(), pathlib.Path(__file__).resolve().parents[1]
ENV = {"HOME": str(FOLDER), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
ARGS = ["mcp", "--display", "virtual:800x600"]
NAME, PASSWORD, LOG_IN = {"label": "Name"}, {"label": "Password"}, {"label": "Log in"}
errors = open(FOLDER / "stderr.txt", "w")
checks, questions, answers = 0, [], []


def check(what, holds, seen=None):
    global checks
    checks += 1
    if not holds:
        # Not sys.exit, which the client's task groups would wrap. The servers end, since their input closes.
        print(f"mcp: {what}: {seen!r}", file=sys.stderr, flush=True)
        os._exit(1)


def login(journal, title="Sign in"):
    return f"/usr/bin/python3 {TESTS}/console/login.py {FOLDER / journal} '{title}'"


def came(journal):
    path = FOLDER / journal
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


async def person(_context, question):
    """Gives the next answer to each question; a question too many gets an error, which is no yes."""
    questions.append(question)
    return answers.pop(0)


def say(action="accept", **content):
    return mcp_types.ElicitResult(action=action, content=content)


@contextlib.asynccontextmanager
async def lent(*more, person=None):
    server = StdioServerParameters(command=BINARY, args=[*ARGS, *more], env=ENV)
    async with stdio_client(server, errlog=errors) as way, mcp.ClientSession(*way, elicitation_callback=person) as us:
        await us.initialize()
        yield us


async def done(session, tool, fails=False, **args):
    result = await session.call_tool(tool, args)
    told = "\n".join(part.text for part in result.content if part.type == "text")
    check(f"{tool} {str(args)[:80]} {'fails' if fails else 'is done'}", result.is_error == fails and told, told[:999])
    return told


def alive():
    """The names and parents of all processes; a zombie has ended, even if nobody has waited for it."""
    found = {}
    for stat in pathlib.Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            if row := re.match(r"(\d+) \((.*)\) [^ZX] (\d+)", stat.read_text(), re.S):
                found[int(row[1])] = (row[2], int(row[3]))
    return found


class Wire:
    """The protocol by hand, for what the official client would hide or never do."""

    def __init__(self, *more):
        pipe, self.number = subprocess.PIPE, 1
        self.process = subprocess.Popen([BINARY, *ARGS, *more], env=ENV, stdin=pipe, stdout=pipe, stderr=errors)
        params = {"protocolVersion": "2025-11-25", "capabilities": {"elicitation": {}}}
        self.send(id=1, method="initialize", params={**params, "clientInfo": {"name": "by hand", "version": "1"}})
        self.answer(1)
        self.send(method="notifications/initialized")

    def send(self, **message):
        self.process.stdin.write(json.dumps({"jsonrpc": "2.0", **message}).encode() + b"\n")
        self.process.stdin.flush()

    def call(self, tool, **args):
        self.number += 1
        self.send(id=self.number, method="tools/call", params={"name": tool, "arguments": args})
        return self.number

    def read(self):
        line = self.process.stdout.readline()
        with contextlib.suppress(ValueError, KeyError, TypeError):
            if (message := json.loads(line))["jsonrpc"] == "2.0":
                return message
        check("nothing but the protocol on stdout", False, line)

    def answer(self, number):
        while (message := self.read()).get("id") != number or "method" in message:
            pass
        return message["result"]

    def leave(self, seconds=3):
        """Closes its input, and then it has to end with all that it started. Clients kill what has not after 2 s."""
        processes, family, fresh, began = alive(), {}, {self.process.pid}, time.monotonic()
        while fresh := {pid: name for pid, (name, parent) in processes.items() if parent in fresh}:
            family |= fresh
        self.process.stdin.close()
        rest = self.process.stdout.read().splitlines()
        check("whole messages to the end", all(json.loads(line)["jsonrpc"] for line in rest), rest)
        ended, took = self.process.wait(), time.monotonic() - began
        check("it ends soon after its client left, and by itself", took < seconds and ended >= 0, (took, ended))
        while (left := family.keys() & alive().keys()) and time.monotonic() < began + seconds:
            time.sleep(0.05)
        check("nothing that it started is left", not left and "Xvfb" in family.values(), (left, family))


async def looks():
    async with lent() as session:
        tools = (await session.list_tools()).tools
        check("each takes an object", all(tool.input_schema["type"] == "object" for tool in tools), tools)
        names = {tool.name for tool in tools}
        check("no notes, questions or ends", "observe" in names and not {"note", "ask_user", "finish"} & names, names)
        plain, shown = [(await session.call_tool("observe", more)).content for more in ({}, {"picture": True})]
        check("a picture if wanted", [part.type for part in [*plain, *shown]] == ["text", "text", "image"], shown)
        png = base64.b64decode(shown[1].data)
        check("a PNG", shown[1].mime_type == "image/png" and png.startswith(b"\x89PNG\r\n\x1a\n"), png[:16])
        check("of the screen's size", png[16:24] == bytes.fromhex("00000320 00000258"), png[16:24])


async def acts():
    typed = {"name": 'Zoë "the" Łöwe; $HOME', "password": "pass {word} €"}
    async with lent("--policy", "unattended-in-sandbox") as session:
        told = await done(session, "open_app", name=login("acts", "Sign in to the test"))
        check("the dialog is in the answer", '"Sign in to the test"' in told and 'textbox "Name"' in told, told)
        button = int(re.search(r'\[(\d+)\] button "Log in"', told)[1])
        told = await done(session, "type_text", target=NAME, text=typed["name"])
        check("what changed is in the answer, and no more", "Łöwe" in told and "Log in" not in told, told)
        kept = await done(session, "type_text", target=PASSWORD, text=typed["password"])
        told = await done(session, "click", target=button)
        check("what came is in the answer", "Welcome, Zo" in told, told)
        check("what was typed came", came("acts") == [typed], came("acts"))
        kept += await done(session, "observe") + (FOLDER / ".local/state/freehand/audit.jsonl").read_text()
        check("the audit log knows whose it was, and no password", "client" in kept and "{word}" not in kept, kept)


async def lets_go():
    """Of a key that is held when its call is cancelled; judged by a file that an editor writes."""
    notes, written = FOLDER / "notes.txt", []
    notes.write_text("")
    async with lent() as session:
        await done(session, "open_app", name=f"mousepad {notes}")
        await done(session, "type_text", text="one\nzwei €\n")
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(session.call_tool("press_keys", {"keys": "a", "hold_ms": 10_000}), 1.5)
        for _ in range(2):
            await done(session, "press_keys", keys="ctrl+s")
            await asyncio.sleep(0.7)
            written.append(notes.read_text())
        check("the key came, and no more", re.fullmatch("(one\nzwei €\na+)\\1", "".join(written)), written)
        began = time.monotonic()
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(session.call_tool("wait", {"timeout_ms": 60_000}), 0.5)
        await done(session, "wait", timeout_ms=1)
        check("the next need not wait for one that was cancelled", time.monotonic() - began < 3)


async def asks():
    yes, no = say(answer="yes"), say(answer="no", reason="not before lunch")
    async with lent("--policy", "supervised", person=person) as session:

        async def asked(given, tool, **args):
            questions[:], answers[:] = [], given
            told = await done(session, tool, **args)
            check(f"questions for {tool}", len(questions) == len(given), questions)
            return told, "".join(question.message for question in questions)

        _, message = await asked([yes], "open_app", name=login("asks"))
        check("the question names the command", login("asks") in message, message)
        await asked([say(answer="yes", change='{"text": "Eve"}')], "type_text", target=NAME, text="Bob")
        await asked([yes], "click", target=LOG_IN)
        check("what was changed came", came("asks") == [{"name": "Eve", "password": ""}], came("asks"))
        await asked([say(answer="yes, from now on")], "type_text", target=NAME, text="Fay", clear=True)
        await asked([], "type_text", target=NAME, text="Gil", clear=True)
        told, message = await asked([no], "click", target=LOG_IN, fails=True)
        check("the reason is told", "refused" in told and "not before lunch" in told, told)
        whole = all(part in message for part in ["click", '"Log in"', '"Sign in"', "would log in", "supervised:"])
        check("what, where, what comes of it and which rule asks", whole, message)
        await asked([], "click", target=LOG_IN, fails=True)
        check("no is no", len(came("asks")) == 1, came("asks"))
        _, message = await asked([yes], "write_clipboard", text="a\u202eb")
        check("hidden characters are written out", "\u202e" not in message, message)


async def takes_no_for_an_answer():
    """And whatever else is no clear yes. Each has a program and a file of its own: what was refused stays so."""
    unclear = [say("decline", answer="yes"), say("cancel", answer="yes"), say(reason="yes"), say(answer="yes please")]
    unclear += [say(answer=True), say(answer="yes", change='{"name": '), mcp_types.ElicitResult(action="accept")]
    unclear += [mcp_types.ErrorData(code=-32603, message="yes")]
    async with lent("--policy", "supervised", person=person) as asked, lent("--policy", "supervised") as unasked:
        for number, answer in enumerate(unclear, 1):
            program = shutil.copy("/usr/bin/touch", FOLDER / f"touch{number}")
            questions[:], answers[:] = [], [answer]
            told = await done(asked, "open_app", fails=True, name=f"{program} {program}.done")
            check(f"{answer} is a no", "refused" in told and len(questions) == 1, told)
        told = await done(unasked, "open_app", fails=True, name=f"touch {FOLDER / 'unasked.done'}")
        check("nobody to ask is a no", "refused" in told and await done(unasked, "observe"), told)
    check("nothing was done", not list(FOLDER.glob("*.done")))


async def bears_mistakes():
    wrong = {"missing": ("click", {}), "99": ("click", {"target": 99}), "soon": ("wait", {"timeout_ms": "soon"})}
    wrong |= {"taget": ("click", {"target": 1, "taget": 2}), "Log out": ("click", {"target": {"label": "Log out"}})}
    wrong |= {"1000000": ("type_text", {"text": "x" * 1_000_000}), "shop": ("type_text", {"text": "{{secret:shop}}"})}
    async with lent() as session:
        await done(session, "open_app", name=login("mistakes"))
        for said, (tool, args) in wrong.items():
            told = await done(session, tool, fails=True, **args)
            check(f"{said} is said to be wrong", said in told and len(told) < 1000, told[:1000])
        for tool in ["note", "ask_user", "finish", ""]:
            with contextlib.suppress(mcp.MCPError):
                check(f"no tool {tool!r}", False, await session.call_tool(tool, {"text": "x"}))
        await done(session, "type_text", target=NAME, text="Ida")
        await done(session, "click", target=LOG_IN)
        only = [{"name": "Ida", "password": ""}]
        check("it goes on, and typed no secret that was not lent", came("mistakes") == only, came("mistakes"))


async def keeps_to_the_protocol():
    """Reading looks at each line. Calls may come without waiting for answers, as a model's parallel calls do."""
    wire, letters = Wire(), "abcdefghijklmn"
    wire.process.stdin.write(b"no json\n\xff\xfe\n")
    wire.answer(wire.call("open_app", name=login("wire")))
    wire.answer(wire.call("observe", picture=True))
    # A program must not write to our output, or read from our input.
    call = wire.call("open_app", name="cat /etc/hostname -")
    time.sleep(0.5)
    wire.send(method="notifications/cancelled", params={"requestId": call})
    calls = [wire.call("type_text", text=letter) for letter in letters]
    check("all is typed", not any(wire.read()["result"]["isError"] for _ in calls))
    wire.answer(wire.call("click", target=LOG_IN))
    check("calls are done in their order", came("wire")[0]["name"] == letters, came("wire"))
    wire.leave()


async def withdraws():
    wire = Wire("--policy", "supervised")
    call, question = wire.call("open_app", name=f"touch {FOLDER / 'late'}"), wire.read()
    wire.send(method="notifications/cancelled", params={"requestId": call})
    wire.call("wait", timeout_ms=500)
    message = wire.read()
    check("a question is taken back with its call", message.get("method") == "notifications/cancelled", message)
    wire.send(id=question["id"], result={"action": "accept", "content": {"answer": "yes"}})
    wire.answer(wire.call("wait", timeout_ms=500))
    wire.leave()
    check("a yes to a call that was cancelled is none", not (FOLDER / "late").exists())


async def ends_with_its_client():
    """In the middle of a wait, with more to come, or of a question; and nothing is done after that."""
    waits, asked = Wire(), Wire("--policy", "supervised")
    waits.answer(waits.call("open_app", name=login("left")))
    waits.call("wait", timeout_ms=1500)
    waits.call("click", target=LOG_IN)
    asked.call("open_app", name=login("left"))
    check("a question is open", asked.read()["method"] == "elicitation/create")
    waits.leave()
    asked.leave()
    check("nothing was done for one that had left", came("left") == [], came("left"))


async def bears_rubbish():
    lines = [b"no json", b"{}", b"[" * 100_000, b'{"jsonrpc":"2.0","id":1,"method":"tools/call"}', b"x" * 2_000_000]
    for rubbish in [b"\n".join(lines) + b"\n", bytes(range(256)) * 400, b""]:
        told = subprocess.run([BINARY, *ARGS], env=ENV, input=rubbish, stdout=subprocess.PIPE, stderr=errors, timeout=9)
        messages = all(json.loads(line)["jsonrpc"] for line in told.stdout.splitlines())
        check("it ends by itself, and says nothing but messages", messages and told.returncode >= 0, told)


signal.signal(signal.SIGALRM, lambda *_: check(f"{part.__name__} comes to an end", False))
parts = [looks, acts, lets_go, asks, takes_no_for_an_answer, bears_mistakes, bears_rubbish]
for part in [*parts, keeps_to_the_protocol, withdraws, ends_with_its_client]:
    signal.alarm(60)
    asyncio.run(part())
check("nothing panicked", "panicked" not in (said := (FOLDER / "stderr.txt").read_text()), said)
print(f"mcp: {checks} checks hold")
