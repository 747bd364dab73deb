#!/ usr / bin / env python3
"""Git repositories over HTTP for tests, on 127.0.0.1:  git_server.py DIRECTORY

Prints "port N", then a JSON line for each request: its path, what the client
asks for ("ls-refs" or "fetch" of protocol 2) and its Authorization. Serves what
stands in DIRECTORY through git-http-backend; below /private/ the same to
whoever says "basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0", x-access-token:secret.
"""
import gzip, json, os, subprocess, sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ROOT = os.path.abspath(sys.argv[1])
BACKEND = os.path.join(subprocess.check_output(["git", "--exec-path"], text=True).strip(), "git-http-backend")
TOKEN = "basic eC1hY2Nlc3MtdG9rZW46c2VjcmV0"


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, headers, body):
        self.send_response(status)
        for line in headers:
            self.send_header(*line)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def body(self):
        if "chunked" in self.headers.get("Transfer-Encoding", ""):
            data = b""
            while size := int(self.rfile.readline(), 16):
                data += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        else:
            data = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        return gzip.decompress(data) if self.headers.get("Content-Encoding") == "gzip" else data

    def run(self):
        path, _, query = self.path.partition("?")
        body = self.body()
        auth = self.headers.get("Authorization", "")
        wants = [word for word in ("ls-refs", "fetch") if b"command=" + word.encode() in body]
        print(json.dumps({"path": path, "wants": "".join(wants), "auth": auth}), flush=True)
        if path.startswith("/private/"):
            if auth != TOKEN:
                return self.answer(401, [("WWW-Authenticate", "Basic realm=git")], b"")
            path = path[len("/private"):]
        environment = {
            "PATH": os.environ["PATH"], "GIT_PROJECT_ROOT": ROOT, "GIT_HTTP_EXPORT_ALL": "1", "PATH_INFO": path,
            "QUERY_STRING": query, "REQUEST_METHOD": self.command, "REMOTE_ADDR": "127.0.0.1",
            "CONTENT_TYPE": self.headers.get("Content-Type", ""), "CONTENT_LENGTH": str(len(body)),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""), "GIT_CONFIG_COUNT": "1",
            "GIT_CONFIG_KEY_0": "safe.directory", "GIT_CONFIG_VALUE_0": "*"}
        done = subprocess.run([BACKEND], input=body, stdout=subprocess.PIPE, env=environment)
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [tuple(line.split(": ", 1)) for line in head.decode().split("\r\n") if line]
        status = next((int(v.split()[0]) for k, v in headers if k == "Status"), 200)
        self.answer(status, [line for line in headers if line[0] != "Status"], content)

    do_GET = do_POST = run


server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(f"port {server.server_address[1]}", flush=True)
server.serve_forever()
