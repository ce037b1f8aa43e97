"""A server on this machine that hands out pages and remembers everything else that it was asked for."""

import http.server
import threading


class Web:
    """`pages` by their paths; what was asked for besides, as (path, body), and answered with `other`."""

    def __init__(self, pages=None, other="ok", port=0):
        web = self
        self.pages, self.hits = pages or {}, []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.answer(b"")

            def do_POST(self):
                self.answer(self.rfile.read(int(self.headers.get("content-length", 0))))

            def answer(self, body):
                page = web.pages.get(self.path.split("?")[0])
                if page is None and self.path != "/favicon.ico":
                    web.hits.append((self.path, body.decode(errors="replace")))
                data = (page if page is not None else other).encode()
                self.send_response(200)
                self.send_header("content-type", "text/html; charset=utf-8")
                self.send_header("content-length", str(len(data)))
                self.send_header("cache-control", "no-store")
                self.end_headers()
                self.wfile.write(data)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
