"""Logs in at a page with a secret, and looks for it everywhere afterwards.

    login.py FREEHAND [--keyring]

With --keyring it is kept by a real keyring (the Debian package `gnome-keyring`), else in the file.
"""

import os
import subprocess
import sys

from attacks import call, click, press, write
from ground import Ground

SECRET = "correct-horse-Battery9"
FORM = """<form onsubmit="fetch('/login', {method: 'POST', body: u.value + ':' + p.value}); shown.textContent = p.value;
document.title = 'Hello ' + p.value; return false"><label>User <input id=u></label><label>Password <input id=p type=password></label>
<button>Sign in</button></form><label>Key <input id=k></label><p id=shown></p>"""  # fmt: skip


def main():
    ground = Ground(sys.argv[1])
    keep = [ground.freehand, "secret", "set", "shop", "--domain", "127.0.0.1", "--field", "Key"]
    if "--keyring" in sys.argv:
        unlock = ["gnome-keyring-daemon", "--unlock", "--components=secrets"]
        subprocess.run(unlock, input="of the session", text=True, env=ground.environment(), check=True, capture_output=True)
    else:
        keep.append("--in-file")
    subprocess.run(keep, input=SECRET + "\n", text=True, env=ground.environment(), check=True)
    ground.page(FORM, "Login")
    calls = [
        write("ada", target={"label": "User"}),
        write("{{secret:shop}}", True, target={"label": "Password"}),
        call("wait", timeout_ms=800),
        write("{{secret:shop}}", target={"label": "Key"}),
        press("ctrl+a ctrl+c"),
        call("read_clipboard"),
        call("zoom", x=0, y=0, width=900, height=400),
        write("{{secret:shop}}", target={"label": "User"}),
        click("Sign in", "button"),
    ]
    ran = ground.run(calls, lambda _: "y", words=("run", "log in as ada with {{secret:shop}}"))
    for tool, outcome in ran.outcomes:
        print(tool, outcome)
    posts = [body for path, body in ground.web.hits if path == "/login"]
    print("the server got", posts)
    kept = ground.chromium.run("k.value")
    print("the field `Key` holds it:", kept == SECRET, "| `User` holds", repr(ground.chromium.run("u.value")))
    found, pictures, words = [], 0, 0
    skip = os.path.join(ground.home, ".config", "freehand", "secrets.toml")
    for folder, _, files in os.walk(ground.home):
        for name in files:
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                if path != skip and SECRET.encode() in file.read():
                    found.append(path)
            if name.endswith(".png"):
                read = subprocess.run(["tesseract", path, "-"], capture_output=True, text=True, check=True).stdout
                pictures += 1
                words += read.count("User")
                if any(part in read for part in ("correct-h", "horse", "Battery9")):
                    found.append(path)
    asked = sum(SECRET in question for question in ran.questions) + (SECRET in ran.said)
    prompts = sum(SECRET in prompt for prompt in ground.model.prompts)
    print(f"{pictures} pictures, in which `User` is read {words} times")
    print(f"in files and pictures: {found}, in what the person was shown: {asked}, in prompts: {prompts} of {len(ground.model.prompts)}")
    good = words and posts[:1] == [f"ada:{SECRET}"] and kept == SECRET and not found and not asked and not prompts
    print("held" if good else "NOT held")
    ground.end()
    sys.exit(not good)


if __name__ == "__main__":
    main()
