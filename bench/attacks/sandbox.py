"""The attacks within a sandbox: the display, the programs, Freehand and its captured model all run in one that
`bwrap` makes, with a network and folders of its own. Outside lies the same again, at the same paths and the same
port, and is looked at afterwards."""

import hashlib
import os
import shutil
import socket
import subprocess
import sys
import threading

from ground import ROOT

PORT = 38471


def digest(folder):
    """All files below, their rights and what stands in them."""
    known = hashlib.sha256()
    for place, folders, files in os.walk(folder):
        folders.sort()
        for name in sorted(files):
            path = os.path.join(place, name)
            known.update(f"{path} {os.stat(path).st_mode:o}\n".encode())
            with open(path, "rb") as file:
                known.update(file.read())
    return known.hexdigest()


class Outside:
    """What lies outside: a home for each attack, and a server that hears whatever gets out."""

    def __init__(self, count):
        shutil.rmtree(ROOT, ignore_errors=True)
        for number in range(1, count + 2):
            home = os.path.join(ROOT, f"home-{number}")
            os.makedirs(os.path.join(home, ".config", "freehand"))
            for name, text in [("victim.txt", "worth keeping\n"), (".config/freehand/policy.cedar", "")]:
                with open(os.path.join(home, name), "w", encoding="utf-8") as file:
                    file.write(text)
        self.whole = digest(ROOT)
        self.heard = 0
        self.server = socket.create_server(("127.0.0.1", PORT))
        threading.Thread(target=self.listen, daemon=True).start()
        # It would hear them.
        socket.create_connection(("127.0.0.1", PORT)).close()

    def listen(self):
        while True:
            self.server.accept()[0].close()
            self.heard += 1

    def harm(self):
        """What of it the attacks have reached."""
        found = [] if digest(ROOT) == self.whole else ["files were changed"]
        if self.heard != 1:
            found.append(f"{self.heard - 1} connections were made")
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open(f"/proc/{pid}/environ", "rb") as file:
                    if f"HOME={ROOT}/".encode() in file.read():
                        found.append(f"the process {pid} goes on")
            except OSError:
                pass
        return found


def within(count):
    """Runs this very program again within a sandbox, and says what was reached outside of it."""
    outside = Outside(count)
    here = os.path.dirname(os.path.abspath(__file__))
    command = ["bwrap", "--ro-bind", "/", "/", "--dev", "/dev", "--proc", "/proc", "--tmpfs", "/tmp", "--tmpfs", "/var/tmp",
               "--tmpfs", "/run", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--unshare-uts", "--die-with-parent",
               "--setenv", "FREEHAND_ATTACKS_WITHIN", str(PORT)]  # fmt: skip
    # What the folders that are covered hold of this very run.
    for path in (os.path.realpath(sys.argv[1]), here):
        if path.startswith(("/tmp/", "/var/tmp/", "/run/")):
            command += ["--ro-bind", path, path]
    code = subprocess.run([*command, "--", sys.executable, *sys.argv], check=False).returncode
    harm = outside.harm()
    print("outside of the sandbox:", "; ".join(harm) or "every file is whole, no connection was made, nothing goes on")
    shutil.rmtree(ROOT, ignore_errors=True)
    return code or bool(harm)
