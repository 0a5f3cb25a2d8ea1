"""Stand-ins of both public archives on loopback, with the faults that are told of them, and `scrapy crawl
wayback` and `commoncrawl` as a person runs them."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from archive.clock import parse_time
from tests.archiving import HOME, page
from tests.crawling import Crawled, command, rows, run

QUICK = {
    "WAYBACK_INDEX_SECONDS": 0.001,
    "WAYBACK_CAPTURE_SECONDS": 0.001,
    "COMMONCRAWL_INDEX_SECONDS": 0.001,
    "COMMONCRAWL_CAPTURE_SECONDS": 0.001,
    "RETRY_TIMES": 4,
    "LOG_LEVEL": "INFO",
}


@dataclass(frozen=True)
class Kept:
    """A capture that a public archive has. ``digest`` and ``listed_status`` are what its index states."""

    url: str
    at: str
    body: bytes = field(repr=False, default=b"")
    status: int = 200
    headers: tuple[tuple[str, str], ...] = (("Content-Type", "text/html; charset=UTF-8"),)
    digest: str | None = None
    listed_status: str | None = None
    fault: str = ""

    @property
    def digits(self) -> str:
        """The 14 digits of its time."""
        return "".join(sign for sign in self.at if sign.isdigit())

    @property
    def sha1(self) -> str:
        """The digest that the index states."""
        made = base64.b32encode(hashlib.sha1(self.body, usedforsecurity=False).digest()).decode()
        return self.digest or made


def kept(post_id: int, at: str, *lines: str, home: str = HOME, **more: Any) -> Kept:
    """A post as a public archive has it."""
    body = page("A title", *lines, post_id=post_id).replace(HOME.encode(), home.encode())
    return Kept(f"{home}en/{post_id}/", at, body, **more)


def not_there(post_id: int, at: str, home: str = HOME) -> Kept:
    """An archived 404."""
    return Kept(f"{home}en/{post_id}/", at, b"<html><body>Not found</body></html>" * 40, 404)


class _Service:
    """A server on a free port of this machine, which logs what it is asked. ``faults`` name what it does
    wrong; `_faulty` has them."""

    def __init__(self, captures: Sequence[Kept], *faults: str) -> None:
        self.captures = sorted(captures, key=lambda one: (one.url, one.at))
        self.faults = Counter(faults)
        self.log: list[tuple[float, str]] = []
        service = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                service.log.append((time.monotonic(), self.path))
                try:
                    status, headers, body = service.answer(self.path, dict(self.headers))
                except _Dropped:
                    self.close_connection = True
                    return
                cut = "/web/" in self.path and service.fails("cut")
                self.send_response(status)
                if status == 429:
                    self.send_header("Connection", "close")
                for name, value in (*headers, ("Content-Length", str(len(body)))):
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body[: len(body) // 2] if cut else body)
                self.close_connection = cut

            def log_message(self, *_: object) -> None:
                pass

        class Server(ThreadingHTTPServer):
            def handle_error(self, *_: object) -> None:
                """A client that was killed is no error."""

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self) -> Any:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Refuse all connections from now on."""
        self._server.shutdown()
        self._server.server_close()

    def fails(self, fault: str) -> bool:
        """Whether a fault is to happen now; each is used up as often as it was named."""
        if self.faults[fault] <= 0:
            return False
        self.faults[fault] -= 1
        return True

    def asked(self, part: str) -> list[str]:
        """The paths asked for that have ``part`` in them."""
        return [path for _, path in self.log if part in path]

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        raise NotImplementedError


class _Dropped(Exception):
    """Raised where the server closes the connection without an answer."""


_WARCINFO = b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n"
_TEXT, _HTML = (("Content-Type", "text/plain"),), (("Content-Type", "text/html"),)


class Wayback(_Service):
    """The Internet Archive's. Faults: ``429`` and ``503`` (an answer each), ``429 refused`` (after it no
    connection), ``repeat`` (each row twice), ``empty`` (a slice without rows and with a key), ``cycle`` (keys
    go in a circle for one limit), ``excluded``, ``drop`` (no answer), ``cut`` (half a body)."""

    json = False

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        """What the service answers."""
        if not headers.get("User-Agent"):
            return 400, _HTML, b"no User-Agent"
        if self.fails("drop"):
            raise _Dropped
        if self.fails("429 refused"):
            self._server.socket.close()
            threading.Thread(target=self.stop, daemon=True).start()
            return 429, _HTML, b"Too Many Requests"
        if self.fails("429"):
            return 429, _HTML, b"Too Many Requests"
        if self.fails("503"):
            return 503, _HTML, b"busy"
        if self.faults["excluded"]:
            return 403, _HTML, b"org.archive.wayback.exception.AdministrativeAccessControlException: Blocked"
        return self._index(path) if path.startswith("/cdx/") else self._memento(path)

    def _index(self, path: str) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        asked = {name: values[0] for name, values in parse_qs(urlsplit(path).query).items()}
        scope = asked["url"].removesuffix("*")
        rows = [
            one
            for one in self.captures
            if urlsplit(one.url)._replace(scheme="").geturl()[2:].startswith(scope)
        ]
        rows = [
            one
            for one in rows
            if asked.get("from", "") <= one.digits
            and one.digits[: len(asked.get("to", "9"))] <= asked.get("to", "9")
        ]
        if "limit" not in asked:
            return 200, _TEXT, self._write(rows, None)
        start, limit = int(asked.get("resumeKey", "0 0").split(" ")[1]), int(asked["limit"])
        if start == 0 and self.fails("empty"):
            return (
                200,
                _TEXT,
                self._write([], "key 0") if "resumeKey" in asked else self._write([], "again 0"),
            )
        if self.faults["cycle"] and limit == self.faults["cycle"] and start + limit < len(rows):
            following = 0 if start else limit
            return 200, _TEXT, self._write(rows[start : start + limit], f"key {following}")
        more = f"key {start + limit}" if start + limit < len(rows) else None
        return 200, _TEXT, self._write(rows[start : start + limit], more)

    def _write(self, rows: Sequence[Kept], key: str | None) -> bytes:
        fields = [
            [
                "surt",
                one.digits,
                one.url,
                "warc/revisit" if one.fault == "revisit" else "text/html",
                one.listed_status or ("-" if one.fault == "revisit" else str(one.status)),
                one.sha1,
                "999",
            ]
            for one in rows
            for _ in range(2 if self.faults["repeat"] else 1)
        ]
        if self.json:
            head = [["urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length"]]
            return json.dumps([*head, *fields, *([[], [key.replace(" ", "+")]] if key else [])]).encode()
        lines = [" ".join(row) for row in fields] + (["", key.replace(" ", "+")] if key else [])
        return "".join(f"{line}\n" for line in lines).encode()

    def _memento(self, path: str) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        digits, _, url = path.removeprefix("/web/").partition("/")
        digits, url = digits.removesuffix("id_"), unquote(url)
        found = next((one for one in self.captures if (one.digits, one.url) == (digits, url)), None)
        if found is None:
            return 404, _HTML, b"The Wayback Machine has not archived that URL."
        if found.fault.startswith("elsewhere "):
            to = f"{self.url}web/{found.fault.split(' ')[1]}id_/{url}"
            return 302, (("Location", to),), b""
        if found.fault == "gone":
            return 404, _HTML, b"The Wayback Machine has not archived that URL."
        at = parse_time(found.at).strftime("%a, %d %b %Y %H:%M:%S GMT")
        own = [(f"x-archive-orig-{name.lower()}", value) for name, value in found.headers]
        kinds = [value for name, value in found.headers if name == "Content-Type"]
        links = f'<{url}>; rel="original", <{self.url}web/timemap/link/{url}>; rel="timemap"'
        headers = [("Memento-Datetime", at), ("Link", links), *own]
        headers += [("Content-Type", kinds[0])] if kinds else []
        if found.fault == "doubled":
            headers += [("Content-Encoding", "gzip"), ("Content-Encoding", "gzip")]
        return found.status, headers, found.body


class CommonCrawl(_Service):
    """Common Crawl's index and data; a crawl for each year. Faults: ``403``, ``503`` (an answer each),
    ``pages`` (a wrong number of pages), ``whole`` (the range is ignored)."""

    rows = 3  # of a page

    def __init__(self, captures: Sequence[Kept], *faults: str) -> None:
        super().__init__(captures, *faults)
        self.files: dict[str, bytes] = {}
        self._lines: dict[str, list[str]] = {}
        for one in self.captures:
            crawl = f"CC-MAIN-{one.at[:4]}-10"
            name = f"crawl-data/{crawl}/segments/1/warc/part.warc.gz"
            file = self.files.get(
                name, gzip.compress(b"WARC/1.0\r\nWARC-Type: warcinfo\r\nContent-Length: 0\r\n\r\n\r\n\r\n")
            )
            member = gzip.compress(_record(one), mtime=0)
            self.files[name] = file + member
            stated = {"url": one.url, "mime": "text/html", "status": one.listed_status or str(one.status)}
            stated |= {
                "digest": one.sha1,
                "length": str(len(member)),
                "offset": str(len(file)),
                "filename": name,
            }
            stated |= {"urlkey": "surt", "timestamp": one.digits}
            self._lines.setdefault(crawl, []).append(json.dumps(stated))

    def answer(self, path: str, headers: dict[str, str]) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        """What the service answers."""
        if self.fails("403"):
            return 403, _HTML, b"too fast"
        if self.fails("503"):
            return 503, _HTML, b"slow down"
        parts = urlsplit(path)
        if parts.path == "/collinfo.json":
            return 200, _TEXT, self._crawls()
        if parts.path.endswith("-index"):
            asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
            return self._index(parts.path[1:].removesuffix("-index"), asked)
        return self._record(parts.path[1:], headers.get("Range", ""))

    def _crawls(self) -> bytes:
        names = sorted({*self._lines, "CC-MAIN-2014-10"}, reverse=True)
        return json.dumps(
            [{"id": one, "cdx-api": f"https://index.commoncrawl.org/{one}-index"} for one in names]
        ).encode()

    def _index(self, crawl: str, asked: dict[str, str]) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        lines = self._lines.get(crawl)
        if lines is None:
            return 404, _TEXT, b'{"message": "No Captures found"}'
        if "showNumPages" in asked:
            return 200, _TEXT, b'{"pages": 1}'  # wrong, where there are more
        first = int(asked.get("page", "0")) * self.rows
        if first >= len(lines):
            return 400, _TEXT, b'{"message": "Page invalid"}'
        return 200, _TEXT, "".join(f"{line}\n" for line in lines[first : first + self.rows]).encode()

    def _record(self, name: str, span: str) -> tuple[int, Sequence[tuple[str, str]], bytes]:
        file = self.files.get(name)
        if file is None:
            return 404, _HTML, b"no such file"
        if self.fails("whole"):
            return 200, _TEXT, file
        first, last = (int(number) for number in span.removeprefix("bytes=").split("-"))
        if self.fails("other bytes"):
            first += 5
        return 206, (("Content-Range", f"bytes {first}-{last}/{len(file)}"),), file[first : last + 1]


def _record(one: Kept) -> bytes:
    """A record as Common Crawl writes it."""
    lines = [f"HTTP/1.1 {one.status} OK", *(f"{name}: {value}" for name, value in one.headers)]
    block = "\r\n".join(lines).encode() + b"\r\n\r\n"
    is_revisit = one.fault == "revisit"
    digest = base64.b32encode(hashlib.sha1(one.body, usedforsecurity=False).digest()).decode()
    headers = {
        "WARC-Type": "revisit" if is_revisit else "response",
        "WARC-Record-ID": f"<urn:uuid:{one.digits}-{len(one.body)}>",
        "WARC-Target-URI": "https://example.org/" if one.fault == "other page" else one.url,
        "WARC-Date": one.at,
        "WARC-Payload-Digest": f"sha1:{'A' * 32 if one.fault == 'digest' else digest}",
        "Content-Type": "application/http; msgtype=response",
    }
    if one.fault == "undated":
        del headers["WARC-Date"]
    if one.fault == "cut":
        headers["WARC-Truncated"] = "length"
    if is_revisit:
        headers["Content-Type"] = "message/http"
        headers["WARC-Profile"] = "http://netpreserve.org/warc/1.1/revisit/identical-payload-digest"
    else:
        block += one.body
    stated = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"WARC/1.0\r\n{stated}Content-Length: {len(block)}\r\n\r\n".encode() + block + b"\r\n\r\n"


def settings_of(*services: _Service) -> dict[str, str]:
    """The settings that name the stand-ins in the place of the real services."""
    found = {}
    for service in services:
        if isinstance(service, Wayback):
            found["WAYBACK_URL"] = service.url
        else:
            found |= {"COMMONCRAWL_INDEX_URL": service.url, "COMMONCRAWL_DATA_URL": service.url}
    return found


def line_of(service: _Service, folder: Path, *arguments: str, home: str = HOME, **settings: Any) -> list[str]:
    """The command line of a backfill from a stand-in."""
    line = command(home, folder, *arguments, **{**QUICK, **settings_of(service), **settings})
    line[line.index("sohr")] = "wayback" if isinstance(service, Wayback) else "commoncrawl"
    return line


def backfill(service: _Service, folder: Path, *arguments: str, home: str = HOME, **settings: Any) -> Crawled:
    """Run `scrapy crawl wayback` or `commoncrawl` to its end."""
    return run(line_of(service, folder, *arguments, home=home, **settings))


@contextmanager
def no_service() -> Iterator[str]:
    """An address at which nobody listens."""
    with ThreadingHTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}/"
    yield url


A, B, C = ("Three were killed.", "Near it."), ("Five were killed.", "Near it."), ("Nine were killed.", "Far.")
TIMES = [f"201{year}-03-01T10:00:00Z" for year in range(5, 10)]
STORY = [
    *(kept(1, at, *text) for at, text in zip(TIMES, (A, A, B, A, A), strict=True)),
    kept(2, TIMES[0], *B),
    not_there(2, TIMES[3]),
    kept(3, TIMES[1], *C),
]
TAKEN = """select captured_at, url, status, outcome, source from captures
           where source != 'live' order by captured_at, url"""


def said(folder: Path, post_id: int = 1) -> list[tuple[str, str]]:
    """When each version of a post was first captured, and its first word."""
    sql = """select v.first_captured_at, substr(v.text, 1, instr(v.text, ' ') - 1)
             from versions v join articles using (article_id) where post_id = ? order by number"""
    return rows(folder, sql, post_id)
