#!/usr/bin/env python3
"""A registry for tests, on 127.0.0.1, that can be told to misbehave.

    fault_server.py OPTIONS.json

It prints "port N", then one JSON line for each request it answers. Content is
kept in memory; a redirect leads to the same server as "localhost", which is
another origin. OPTIONS:

  auth      "basic" or "bearer" (none otherwise), with user, password
  identity  identity token that POST accepts as refresh_token
  token_get false: the token service knows POST only (405)
  token_ttl seconds that a token is really good for
  faults    list of {match, times, skip, do, ...}; `match` is a regular
            expression on "METHOD target"; the first that fits is used, `times`
            times (default 1) after `skip` times. do:
              status    answers `status` with `headers` and `body`
              truncate  sends the first `bytes` bytes, then hangs up
              corrupt   flips a bit of the body
              reset     hangs up without an answer
              swallow   reads no body and hangs up after `bytes` bytes
              nomount   treats a mount as a plain upload
              norange   sends all in place of the part asked for
  redirect  true: blobs are fetched from a "storage service" that refuses
            requests with an Authorization
"""
import base64, hashlib, json, re, socket, sys, threading, time, urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OPTIONS = json.load(open(sys.argv[1]))
LOCK = threading.Lock()
BLOBS, MANIFESTS, UPLOADS, TOKENS = {}, {}, {}, {}


def say(**line):
    with LOCK:
        print(json.dumps(line), flush=True)


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        # No TLS here: a handshake would wait for the end of a line.
        if self.connection.recv(1, socket.MSG_PEEK) == b"\x16":
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, *_):
        pass

    def fault(self):
        what = f"{self.command} {self.path}"
        with LOCK:
            for f in OPTIONS.get("faults", []):
                if not re.search(f["match"], what):
                    continue
                if f.get("skip", 0) > 0:
                    f["skip"] -= 1
                    continue
                if f.setdefault("times", 1) > 0:
                    f["times"] -= 1
                    return f
        return {}

    def answer(self, status, body=b"", headers=None):
        headers = dict(headers or {})
        if self.trouble.get("do") == "corrupt" and body:
            body = bytes([body[0] ^ 1]) + body[1:]
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        if status != 204:
            self.send_header("Content-Length", headers.get("Content-Length", str(len(body))))
        self.end_headers()
        if self.command == "HEAD":
            return
        if self.trouble.get("do") == "truncate":
            self.wfile.write(body[: self.trouble["bytes"]])
            self.hang_up()
            return
        self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)

    def error(self, status, code, message, headers=None):
        body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
        self.answer(status, body, headers)

    def read_body(self):
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def run(self):
        self.trouble = self.fault()
        auth = self.headers.get("Authorization", "")
        say(method=self.command, path=self.path, auth=auth.split(" ")[0], range=self.headers.get("Range", ""),
            host=self.headers.get("Host", "").split(":")[0], fault=self.trouble.get("do", ""))
        do = self.trouble.get("do")
        if do == "reset":
            return self.hang_up()
        if do == "swallow":
            self.rfile.read(min(self.trouble["bytes"], int(self.headers["Content-Length"])))
            return self.hang_up()
        if do == "status":
            self.read_body()
            return self.answer(self.trouble["status"], self.trouble.get("body", "").encode(), self.trouble.get("headers"))
        url = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(url.query)
        if url.path == "/token":
            return self.token(query)
        if url.path.startswith("/storage/"):
            if auth:
                return self.answer(400, b"Only one auth mechanism allowed")
            return self.blob(url.path[len("/storage/"):])
        repository = re.match(r"/v2/(.*?)/(manifests|blobs)/", url.path)
        if not self.allowed(auth, repository and repository[1]):
            self.read_body()
            return None
        return self.registry(url.path, query)

    do_GET = do_HEAD = do_PUT = do_POST = do_PATCH = run

    def allowed(self, auth, repository):
        kind = OPTIONS.get("auth")
        if not kind:
            return True
        if kind == "basic":
            if auth == self.basic():
                return True
            self.error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": 'Basic realm="test"'})
            return False
        need = {"GET": "pull", "HEAD": "pull"}.get(self.command, "push")
        token = TOKENS.get(auth[len("Bearer "):]) if auth.startswith("Bearer ") else None
        fresh = token and time.monotonic() < token["until"]
        scope = f"repository:{repository}:"
        if fresh and (not repository or any(s.startswith(scope) and need in s for s in token["scopes"])):
            return True
        realm = f"http://127.0.0.1:{self.server.server_port}/token"
        challenge = f'Bearer realm="{realm}",service="test"'
        if repository:
            challenge += f',scope="{scope}{need}"'
        self.error(401, "UNAUTHORIZED", "authentication required", {"WWW-Authenticate": challenge})
        return False

    def basic(self):
        pair = f'{OPTIONS["user"]}:{OPTIONS["password"]}'
        return "Basic " + base64.b64encode(pair.encode()).decode()

    def token(self, query):
        known = False
        if self.command == "POST":
            form = urllib.parse.parse_qs(self.read_body().decode())
            first = {k: v[0] for k, v in form.items()}
            if first.get("grant_type") == "refresh_token":
                known = first.get("refresh_token") == OPTIONS.get("identity")
            else:
                known = (first.get("username"), first.get("password")) == (OPTIONS["user"], OPTIONS["password"])
            if not known:
                return self.answer(401, b'{"details": "incorrect username or password"}')
            scopes = first.get("scope", "").split()
        else:
            if not OPTIONS.get("token_get", True):
                return self.answer(405)
            auth = self.headers.get("Authorization")
            known = auth == self.basic()
            if auth and not known:
                return self.answer(401, b'{"details": "incorrect username or password"}')
            scopes = query.get("scope", [])
        if not known:  # anonymous: may read what is public
            scopes = [re.sub(",?push", "", s) for s in scopes if "private" not in s]
        value = f"token-{len(TOKENS)}"
        say(token=value, scopes=scopes)
        TOKENS[value] = {"scopes": scopes, "until": time.monotonic() + OPTIONS.get("token_ttl", 300)}
        return self.answer(200, json.dumps({"token": value, "expires_in": 300}).encode())

    def blob(self, digest):
        data = BLOBS.get(digest)
        if data is None:
            return self.error(404, "BLOB_UNKNOWN", "blob unknown to registry")
        match = re.match(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if match and self.trouble.get("do") != "norange":
            begin = int(match[1])
            if begin >= len(data):
                return self.answer(416)
            return self.answer(206, data[begin:], {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"})
        return self.answer(200, data)

    def registry(self, path, query):
        if path == "/v2/":
            return self.answer(200, b"{}")
        if m := re.match(r"/v2/(.*)/manifests/(.*)", path):
            return self.manifest(m[1], m[2])
        if m := re.match(r"/v2/(.*)/blobs/uploads/(.*)", path):
            return self.upload(m[1], m[2], query)
        if m := re.match(r"/v2/(.*)/blobs/(.*)", path):
            if self.command == "GET" and OPTIONS.get("redirect") and m[2] in BLOBS:
                to = f"http://localhost:{self.server.server_port}/storage/{m[2]}?Signature=secret"
                return self.answer(307, b"", {"Location": to})
            return self.blob(m[2])
        return self.error(404, "NAME_UNKNOWN", "no such path")

    def manifest(self, repository, name):
        if self.command == "PUT":
            data = self.read_body()
            kept = (self.headers.get("Content-Type"), data)
            MANIFESTS[repository, name] = MANIFESTS[repository, digest_of(data)] = kept
            return self.answer(201, b"", {"Docker-Content-Digest": digest_of(data)})
        if (repository, name) not in MANIFESTS:
            return self.error(404, "MANIFEST_UNKNOWN", "manifest unknown")
        kind, data = MANIFESTS[repository, name]
        return self.answer(200, data, {"Content-Type": kind, "Docker-Content-Digest": digest_of(data)})

    def upload(self, repository, name, query):
        if self.command == "POST":
            if query.get("mount", [""])[0] in BLOBS and self.trouble.get("do") != "nomount":
                return self.answer(201)
            name = f"upload-{len(UPLOADS)}"
            UPLOADS[name] = True
            # Relative, and with a query that has to come back.
            return self.answer(202, b"", {"Location": f"{name}?_state=x"})
        data = self.read_body()
        digest = query.get("digest", [""])[0]
        if query.get("_state") != ["x"] or name not in UPLOADS:
            return self.error(404, "BLOB_UPLOAD_UNKNOWN", "upload unknown")
        if digest_of(data) != digest:
            return self.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
        BLOBS[digest] = data
        return self.answer(201, b"", {"Docker-Content-Digest": digest})


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a client that hung up, or that we hung up on


server = Server(("127.0.0.1", 0), Handler)
print("port", server.server_port, flush=True)
server.serve_forever()
