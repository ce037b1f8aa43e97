"""A console of Freehand's, steered from outside as its page would: start a task, stop it."""

import base64
import http.client
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time


class Socket:
    """The console's messages. A text at a time, which is all that it sends."""

    def __init__(self, port, cookie):
        self.wire = socket.create_connection(("127.0.0.1", port))
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        key = base64.b64encode(os.urandom(16)).decode()
        self.wire.sendall((f"GET /messages HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                           f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\nOrigin: http://127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n").encode())  # fmt: skip
        head = b""
        while b"\r\n\r\n" not in head:
            head += self.wire.recv(1)
        if b" 101 " not in head.split(b"\r\n")[0]:
            raise RuntimeError(head.decode())
        self.number, self.replies, self.came = 0, {}, threading.Condition()
        self.send({"message": "join", "protocol": 3})
        threading.Thread(target=self.listen, daemon=True).start()

    def send(self, message):
        data, mask = json.dumps(message).encode(), os.urandom(4)
        size = len(data)
        head = struct.pack("!BB", 0x81, 0x80 | size) if size < 126 else struct.pack("!BBH", 0x81, 0xFE, size)
        self.wire.sendall(head + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def exactly(self, size):
        data = b""
        while len(data) < size:
            more = self.wire.recv(size - len(data))
            if not more:
                raise OSError("it has ended")
            data += more
        return data

    def listen(self):
        try:
            while True:
                kind, size = self.exactly(2)
                size = struct.unpack("!H", self.exactly(2))[0] if size == 126 else struct.unpack("!Q", self.exactly(8))[0] if size == 127 else size
                data = self.exactly(size)
                if kind & 0xF == 1:
                    message = json.loads(data)
                    if message["message"] == "reply":
                        with self.came:
                            self.replies[message["id"]] = message.get("refused")
                            self.came.notify_all()
        except OSError:
            pass

    def command(self, **what):
        """Sends a command and gives its number."""
        self.number += 1
        self.send({"message": "do", "id": self.number, "what": what})
        return self.number

    def reply(self, number, limit=20):
        with self.came:
            if not self.came.wait_for(lambda: number in self.replies, limit):
                raise RuntimeError("the console does not answer")
            return self.replies[number]


class Console:
    def __init__(self, ground, *more):
        command = [ground.freehand, "console", "--no-open", "--display", ground.stage.environment["DISPLAY"], "--trust-display",
                   "--policy", "unattended-in-sandbox", *more]  # fmt: skip
        self.said = ""
        self.child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                      text=True, cwd=ground.home, env=ground.environment())  # fmt: skip
        while "ready for a task" not in self.said:
            line = self.child.stderr.readline()
            if not line:
                raise RuntimeError(self.said)
            self.said += line
        threading.Thread(target=self.listen, daemon=True).start()
        port, token = re.search(r"http://127\.0\.0\.1:(\d+)/#(\S+)", self.said).groups()
        wire = http.client.HTTPConnection("127.0.0.1", int(port))
        wire.request("POST", "/enter", json.dumps({"token": token}), {"Origin": f"http://127.0.0.1:{port}"})
        answer = wire.getresponse()
        self.socket = Socket(int(port), answer.headers["Set-Cookie"].split(";")[0])

    def listen(self):
        for line in self.child.stderr:
            self.said += line

    def start(self, task):
        """Begins a task, once the one before has come to its end."""
        end = time.monotonic() + 20
        try:
            while (refused := self.socket.reply(self.socket.command(command="start", task=task))) is not None:
                if time.monotonic() > end:
                    raise RuntimeError(refused)
                time.sleep(0.02)
        except (RuntimeError, OSError) as error:
            raise RuntimeError(f"{error}; its code is {self.child.poll()}, and it said\n{self.said[-3000:]}") from error

    def stop(self):
        self.socket.command(command="stop")
