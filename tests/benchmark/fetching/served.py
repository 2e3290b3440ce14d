"""A web server on the loopback interface that misbehaves as told."""

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

CONTENT = bytes(i * i % 251 for i in range(700_000))


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def left(folder: Path) -> set[str]:
    """What is in a folder besides the empty file that is locked."""
    return {path.name for path in folder.iterdir()} - {".meld_multimodal_features.pkl.lock"}


@dataclass
class Served:
    """What is sent at the next requests; lists are used up one item a request.

    ``cuts``: bytes of the body after which the connection ends. ``stall``: at a cut, wait for this first.
    """

    content: bytes = CONTENT
    etag: str | None = '"1"'
    modified: float | None = None
    ranges: bool = True
    if_range: bool = True
    framing: str = "length"  # or chunked, none
    announced: int | None = None
    kind: str = "application/octet-stream"
    disposition: bool = False
    statuses: list[int] = field(default_factory=list)
    cuts: list[int] = field(default_factory=list)
    stall: threading.Event | None = None
    at_cut: threading.Event = field(default_factory=threading.Event)
    asked: list[dict[str, str]] = field(default_factory=list)
    pages: dict[str, str] = field(default_factory=dict)
    url: str = ""

    @property
    def validator(self) -> str | None:
        return self.etag or (None if self.modified is None else formatdate(self.modified, usegmt=True))

    @property
    def offsets(self) -> list[int]:
        """From which byte on each request asked."""
        return [int(asked.get("Range", "bytes=0-")[6:-1]) for asked in self.asked]


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    served: Served

    def log_message(self, *_: Any) -> None:
        pass

    def do_GET(self) -> None:
        served, self.close_connection = self.served, True
        if (page := served.pages.get(self.path)) is not None:
            self._send(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})
            return
        served.asked.append(dict(self.headers))
        if served.statuses and (status := served.statuses.pop(0)) != 200:
            self._send(status, b"<html>no</html>", {"Content-Type": "text/html"})
            return
        headers = {"Content-Type": served.kind}
        if served.disposition:
            headers["Content-Disposition"] = 'attachment; filename="meld.pkl"'
        if served.etag:
            headers["ETag"] = served.etag
        if served.modified is not None:
            headers["Last-Modified"] = formatdate(served.modified, usegmt=True)
        body, status, total = served.content, 200, len(served.content)
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        same = not served.if_range or self.headers.get("If-Range") == served.validator
        if asked and served.ranges and same:
            start = int(asked[1])
            if start >= total:
                self._send(416, b"", {"Content-Range": f"bytes */{total}"})
                return
            status, body = 206, body[start:]
            headers["Content-Range"] = f"bytes {start}-{total - 1}/{total}"
        self._send(status, body, headers, served.cuts.pop(0) if served.cuts else None)

    def _send(self, status: int, body: bytes, headers: dict[str, str], cut: int | None = None) -> None:
        framing = self.served.framing if status == 200 else "length"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Connection", "close")
        if framing == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
        elif framing == "length":
            self.send_header("Content-Length", str(self.served.announced or len(body)))
        self.end_headers()
        whole = cut is None or cut >= len(body)
        part = body if whole else body[:cut]
        try:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part) if framing == "chunked" and part else part)
            if whole and framing == "chunked":
                self.wfile.write(b"0\r\n\r\n")
            self.wfile.flush()
            if not whole:
                self.served.at_cut.set()
                if self.served.stall:
                    self.served.stall.wait(30)
        except OSError:
            pass  # the client left


@contextmanager
def serving() -> Iterator[Served]:
    served = Served()
    handler = type("Handler", (_Handler,), {"served": served})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        served.url = f"http://127.0.0.1:{server.server_port}/files/meld.pkl"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield served
        finally:
            if served.stall:
                served.stall.set()
            server.shutdown()
            thread.join()
