#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A server on loopback that has bad days: server.py FILE LOG [CERTIFICATE] serves FILE, writes its port to LOG.port and a line for each request
("PATH RANGE") to LOG, and ends after SECONDS. What it does is in the path:

/whole       the file, also in parts        /html      a login's page, as captive portals send it
/cut         breaks off in the middle once  /stubborn  the same, and knows nothing of parts
/changed     the same, and is another file after that
/busy        503 twice                      /slow      piece by piece, until somebody goes
/redirect    leads to /whole                /loop      leads to itself
/out         leads to another host by http  /down      leads from https to http
/other       no disc at all                 /short     less of it than the disc is
/nothing     an empty answer                /lies      another part than it was asked for
"""
import http.server, os, ssl, sys, threading, time

SECONDS = 120
FILE, LOG = sys.argv[1:3]
data = open(FILE, "rb").read()
asked = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def lead(self, to):
        self.send_response(302)
        self.send_header("Location", to)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def give(self, body, tag='"one"', status=200, kind="application/octet-stream", parts=True, stop=None, pause=0.0):
        begin = 0
        wanted = self.headers.get("Range")
        if parts and wanted and self.headers.get("If-Range", tag) == tag:
            begin = int(wanted.split("=")[1].rstrip("-"))
            status = 206 if begin < len(body) else 416
        self.send_response(status)
        self.send_header("Content-Type", kind)
        if parts:
            self.send_header("ETag", tag)
        if status == 206:
            at = begin + (1 if self.path == "/lies" else 0)
            self.send_header("Content-Range", f"bytes {at}-{len(body) - 1}/{len(body)}")
        rest = b"" if status == 416 else body[begin:]
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        rest = rest[:stop] if stop else rest
        step = 1 << 16
        for at in range(0, len(rest), step):
            self.wfile.write(rest[at:at + step])
            time.sleep(pause)
        if stop:
            self.close_connection = True

    def do_GET(self):
        path = self.path
        n = asked[path] = asked.get(path, 0) + 1
        with open(LOG, "a") as log:
            log.write(f"{path} {self.headers.get('Range', 'all')}\n")
        half = len(data) // 2
        first = half if n == 1 else None
        try:
            if path in ("/whole", "/lies"):
                self.give(data, stop=first if path == "/lies" else None)
            elif path == "/html":
                self.give(b"<html><head><TITLE>\nLog in\n to the caf\xc3\xa9</TITLE></head>" + b" " * 200000, kind="text/html; charset=utf-8")
            elif path == "/cut":
                self.give(data, stop=first)
            elif path == "/stubborn":
                self.give(data, stop=first, parts=False)
            elif path == "/changed":
                self.give(data[::-1] if n == 1 else data, tag='"old"' if n == 1 else '"new"', stop=first)
            elif path == "/busy":
                self.give(data) if n > 2 else self.give(b"later", status=503, kind="text/plain", parts=False)
            elif path == "/slow":
                self.give(data, pause=0.05 if n == 1 else 0)
            elif path == "/redirect":
                self.lead("/whole")
            elif path == "/loop":
                self.lead("/loop")
            elif path == "/out":
                self.lead("http://mirror.invalid/virtio-win.iso")
            elif path == "/down":
                self.lead(f"http://127.0.0.1:{server.server_port}/whole")
            elif path == "/other":
                self.give(b"\x7fELF" + b"x" * (1 << 20))
            elif path == "/short":
                self.give(data[:half])
            elif path == "/nothing":
                self.give(b"")
            else:
                self.give(b"<title>Not here</title>", status=404, kind="text/html", parts=False)
        except (BrokenPipeError, ConnectionResetError, ssl.SSLError):
            self.close_connection = True


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) > 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3])
    server.socket = context.wrap_socket(server.socket, server_side=True)
with open(LOG + ".port.new", "w") as port:
    port.write(str(server.server_port))
os.rename(LOG + ".port.new", LOG + ".port")
threading.Timer(SECONDS, lambda: os._exit(0)).start()
server.serve_forever()
