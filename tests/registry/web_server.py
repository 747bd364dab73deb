#!/usr/bin/env python3
"""Files over HTTP for tests, on 127.0.0.1:  web_server.py DIRECTORY

Prints "port N", then one JSON line for each request. Serves DIRECTORY with ETag
and Last-Modified and answers conditional requests; /status/N answers N once and
then the file, /to/NAME redirects to NAME on "localhost", /private/NAME wants
"Authorization: Bearer secret", /short/NAME hangs up half-way the first time.
"""
import email.utils, hashlib, json, os, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT, SEEN = sys.argv[1], set()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b"", headers=()):
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD" and status != 304:
            self.wfile.write(body)

    def first(self):
        new = self.path not in SEEN
        SEEN.add(self.path)
        return new

    def run(self):
        auth = self.headers.get("Authorization", "")
        print(json.dumps({"request": f"{self.command} {self.path}", "auth": auth}), flush=True)
        kind, _, name = self.path.lstrip("/").partition("/")
        if kind == "to":
            port = self.server.server_address[1]
            return self.answer(302, headers={"Location": f"http://localhost:{port}/{name}"})
        if kind == "private" and auth != "Bearer secret":
            return self.answer(401)
        if kind == "status" and self.first():
            return self.answer(int(name))
        path = os.path.join(ROOT, name or kind)
        if not os.path.isfile(path):
            return self.answer(404)
        body = open(path, "rb").read()
        etag = '"' + hashlib.sha256(body).hexdigest()[:12] + '"'
        headers = {"ETag": etag, "Last-Modified": email.utils.formatdate(os.stat(path).st_mtime, usegmt=True)}
        if self.headers.get("If-None-Match") == etag:
            return self.answer(304, headers=headers)
        if kind == "short" and self.first():
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2])
            self.close_connection = True
            return
        self.answer(200, body, headers)

    do_GET = do_HEAD = run


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
