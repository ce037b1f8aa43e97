"""The display on which the corpus is shown, what Freehand sees of it, and real input from outside."""

import json
import os
import shutil
import subprocess
import time


class Missing(Exception):
    """Something has to be installed first; says what."""


class Stage:
    """A display of Freehand's own, kept by `freehand bench look`."""

    def __init__(self, freehand, tokens=None, size="1280x800", more=(), asks_programs=True, reads=False):
        self.asks_programs = asks_programs
        command = [freehand, "bench", "look", "--size", size, *more]
        if reads or not asks_programs:
            command += ["--read"]
        if not asks_programs:
            command += ["--no-tree"]
        if tokens:
            command += ["--tokens", tokens]
        self.eyes = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        first = self.eyes.stdout.readline()
        if not first:
            raise SystemExit("`freehand bench look` does not start; see its message above")
        environment = json.loads(first)["environment"]
        self.environment = {**os.environ, **environment, "HOME": environment["TMPDIR"]}
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.folder = environment["TMPDIR"]
        self.programs = []

    def look(self):
        """What Freehand sees now."""
        self.eyes.stdin.write("\n")
        self.eyes.stdin.flush()
        line = self.eyes.stdout.readline()
        if not line:
            raise SystemExit("`freehand bench look` has ended; see its message above")
        return json.loads(line)

    def start(self, command, package, **more):
        """Starts a program on the display."""
        if not shutil.which(command[0]):
            raise Missing(f"install the Debian package `{package}`")
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        environment = {**self.environment, **more.pop("environment", {})}
        program = subprocess.Popen(command, env=environment, cwd=self.folder, start_new_session=True, **{**options, **more})
        self.programs.append(program)
        return program

    def input(self, *words):
        """Real input, through xdotool."""
        if not shutil.which("xdotool"):
            raise Missing("install the Debian package `xdotool`")
        subprocess.run(["xdotool", *map(str, words)], env=self.environment, check=True, timeout=20, stdout=subprocess.DEVNULL)

    def wait_until_quiet(self, such=lambda seen: True, limit=40):
        """The first look that is `such` and shows the same elements as the one before it."""
        end, before = time.monotonic() + limit, None
        while time.monotonic() < end:
            seen = self.look()
            shows = [(e["role"], e["name"], e["bounds"]) for e in seen["elements"]]
            if such(seen) and shows == before:
                return seen
            before = shows
            time.sleep(0.25)
        return None

    def clear(self):
        """Ends the programs that were started."""
        for program in self.programs:
            program.terminate()
            try:
                program.wait(5)
            except subprocess.TimeoutExpired:
                program.kill()
                program.wait()
        self.programs.clear()

    def end(self):
        self.clear()
        self.eyes.stdin.close()
        self.eyes.wait(20)
