"""Browsers, asked from outside: Chromium through its remote debugging protocol, Firefox through Marionette."""

import json
import os
import shutil
import socket
import time

from stage import Missing

HERE = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(HERE, "truth.js"), encoding="utf-8") as file:
    TRUTH = file.read()
# Where the pointer was last, in CSS px of the page.
POINTER = "addEventListener('mousemove', (e) => { window.pointer = [e.clientX, e.clientY] }, true); 0"


class Page:
    """A page in a browser: where it lies on the screen, and what it says of itself."""

    def __init__(self, stage):
        self.stage = stage
        self.origin = None

    def find_origin(self):
        """Where the page begins on the screen, in physical px: the page says where it feels the pointer."""
        self.run(POINTER)
        for x, y in [(640, 420), (660, 440), (600, 500), (680, 460), (620, 430)]:
            self.run("window.pointer = null; 0")
            self.stage.input("mousemove", x, y)
            for _ in range(10):
                time.sleep(0.05)
                felt = self.run("window.pointer")
                if felt:
                    scale = self.run("devicePixelRatio")
                    self.origin = (round(x - felt[0] * scale), round(y - felt[1] * scale))
                    return
        raise Missing("the page does not feel the pointer")

    def truth(self):
        """What is on it, in physical px of the screen."""
        said = self.run(TRUTH)
        for thing in said["items"] + said["words"]:
            x, y, width, height = (side * said["scale"] for side in thing["box"])
            thing["box"] = [self.origin[0] + x, self.origin[1] + y, width, height]
        said["drawn"] = [
            [self.origin[0] + box[0] * said["scale"], self.origin[1] + box[1] * said["scale"], box[2] * said["scale"], box[3] * said["scale"]]
            for box in said["drawn"]
        ]
        return said


class Chromium(Page):
    def __init__(self, stage, scale):
        super().__init__(stage)
        name = next((n for n in ["chromium", "chromium-browser", "google-chrome"] if shutil.which(n)), "chromium")
        profile = os.path.join(stage.folder, f"profile-{scale}")
        os.makedirs(os.path.join(profile, "Default"))
        with open(os.path.join(profile, "Default", "Preferences"), "w", encoding="utf-8") as file:
            json.dump({"translate": {"enabled": False}}, file)
        command = [
            "sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh", name, "--remote-debugging-pipe",
            "--no-sandbox", "--test-type", "--disable-gpu", "--no-first-run", "--disable-background-networking",
            "--disable-component-update", "--disable-sync", "--password-store=basic", "--window-position=0,0",
            "--force-renderer-accessibility", "--allow-file-access-from-files",
            f"--force-device-scale-factor={scale}", f"--window-size={int(1280 / scale)},{int(800 / scale)}",
            f"--user-data-dir={profile}", "--app=about:blank",
        ]  # fmt: skip
        if not shutil.which(name):
            raise Missing("install the Debian package `chromium`")
        self.program = stage.start(command, "chromium", stdin=-1, stdout=-1)
        self.number = 0
        self.unread = b""
        pages = []
        end = time.monotonic() + 30
        while not pages and time.monotonic() < end:
            targets = self.ask("Target.getTargets")["targetInfos"]
            pages = [target for target in targets if target["type"] == "page"]
            time.sleep(0.1)
        self.session = self.ask("Target.attachToTarget", targetId=pages[0]["targetId"], flatten=True)["sessionId"]

    def ask(self, method, session=None, **words):
        """One question of the protocol and its answer; what happens meanwhile is not looked at."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": words}
        if session:
            message["sessionId"] = session
        self.program.stdin.write(json.dumps(message).encode() + b"\0")
        self.program.stdin.flush()
        while True:
            while b"\0" not in self.unread:
                chunk = os.read(self.program.stdout.fileno(), 1 << 20)
                if not chunk:
                    raise Missing("the browser has ended")
                self.unread += chunk
            line, self.unread = self.unread.split(b"\0", 1)
            answer = json.loads(line)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["result"]

    def run(self, script):
        said = self.ask("Runtime.evaluate", self.session, expression=script, returnByValue=True)
        if "exceptionDetails" in said:
            raise RuntimeError(said["exceptionDetails"])
        return said["result"].get("value")

    def go(self, path):
        self.ask("Page.navigate", self.session, url=f"file://{path}")
        end = time.monotonic() + 20
        while time.monotonic() < end:
            time.sleep(0.1)
            if self.run(f"location.pathname === {json.dumps(path)} && document.readyState === 'complete'"):
                return


class Firefox(Page):
    def __init__(self, stage, scale):
        super().__init__(stage)
        profile = os.path.join(stage.folder, f"firefox-{scale}")
        os.makedirs(profile, exist_ok=True)
        port = free_port()
        with open(os.path.join(profile, "user.js"), "w", encoding="utf-8") as file:
            for key, value in {
                "marionette.port": port,
                "layout.css.devPixelsPerPx": str(float(scale)),
                "browser.shell.checkDefaultBrowser": False,
                "browser.aboutwelcome.enabled": False,
                "datareporting.policy.dataSubmissionEnabled": False,
                "accessibility.force_disabled": -1,
                "privacy.resistFingerprinting": False,
            }.items():
                file.write(f"user_pref({json.dumps(key)}, {json.dumps(value)});\n")
        command = ["firefox-esr", "--marionette", "--remote-allow-system-access", "--no-remote", "--profile", profile,
                   "--width", str(int(1270 * scale)), "--height", str(int(760 * scale)), "about:blank"]  # fmt: skip
        stage.start(command, "firefox-esr", environment={"MOZ_DISABLE_CONTENT_SANDBOX": "1", "GNOME_ACCESSIBILITY": "1"})
        self.wire = connect(port)
        self.unread = b""
        self.number = 0
        self.read()
        self.ask("WebDriver:NewSession", capabilities={"alwaysMatch": {"acceptInsecureCerts": True}})

    def read(self):
        while b":" not in self.unread:
            self.unread += self.wire.recv(1 << 16)
        length, rest = self.unread.split(b":", 1)
        while len(rest) < int(length):
            rest += self.wire.recv(1 << 16)
        self.unread = rest[int(length) :]
        return json.loads(rest[: int(length)])

    def ask(self, method, **words):
        self.number += 1
        message = json.dumps([0, self.number, method, words]).encode()
        self.wire.sendall(str(len(message)).encode() + b":" + message)
        _, _, error, result = self.read()
        if error:
            raise RuntimeError(error)
        return result

    def run(self, script):
        script = f"with (window.wrappedJSObject ?? window) {{ return eval({json.dumps(script)}) }}"
        return self.ask("WebDriver:ExecuteScript", script=script, args=[], sandbox=None)["value"]

    def go(self, path):
        self.ask("WebDriver:Navigate", url=f"file://{path}")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def connect(port, limit=60):
    end = time.monotonic() + limit
    while time.monotonic() < end:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=30)
        except OSError:
            time.sleep(0.3)
    raise Missing("Firefox does not open its Marionette port")
