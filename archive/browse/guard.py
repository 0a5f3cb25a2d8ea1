"""What holds for every answer of a server: bounds of a request, a policy for Datasette's own pages, no folder
of this machine in them, and marks for robots.

All but the bounds and the marks hold where archives are served alone: pages of other plugins may need more.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import html
import re
import secrets
import sqlite3
import sys
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from jinja2.ext import Extension

from archive.browse import archives, published

MOST_ADDRESS = 65_536  # bytes of a path with its query, as servers in front allow; 20 MB took 5 s to read
MOST_BODY = 1_000_000  # bytes that are posted
MOST_FOLDED = 200_000  # characters that fold() takes: 0.5 s at most
MOST_FACETS = 5  # of a table: each takes 2 s at most of a thread that reads
MOST_ROWS = 200  # of a page for people; 1,000 take 2 s, in which nobody else is answered
MOST_VALUE = 64_000_000  # bytes of a value that a visitor's SQL may make
_nonce: ContextVar[str] = ContextVar("nonce", default="")  # of the request; empty: no policy
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{}'{}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; font-src 'self'; frame-src 'self'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
_SCRIPT = re.compile(r"<script(?=[\s>])")
_HANDLER = re.compile(r"\son[a-z]+=\"([^\"{]+)\"")
_handlers: dict[str, str] = {}  # code in attributes of Datasette's templates -> its source expression
App = Callable[[dict[str, Any], Any, Any], Awaitable[None]]


class Nonces(Extension):
    """Allow the scripts that stand in templates by the request's nonce, and code in attributes by its
    digest. What a template fills in gets neither."""

    def preprocess(self, source: str, name: str | None, filename: str | None = None) -> str:
        """Called by Jinja with each template's source."""
        if name and name.startswith("sohr_"):  # ours, which run one file of ours
            return source
        self.environment.globals["sohr_nonce"] = _nonce.get
        for code in _HANDLER.findall(source):
            digest = hashlib.sha256(html.unescape(code).encode()).digest()
            _handlers[code] = f" 'sha256-{base64.b64encode(digest).decode()}'"
        return _SCRIPT.sub('<script{% if sohr_nonce() %} nonce="{{ sohr_nonce() }}"{% endif %}', source)


def bound(conn: sqlite3.Connection) -> None:
    """Bound what a visitor's SQL can do with a connection, and hide where the database is."""
    conn.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE)
    conn.set_authorizer(_authorize)


def _authorize(action: int, name: str | None, *_: str | None) -> int:
    is_place = action == sqlite3.SQLITE_PRAGMA and name == "database_list"
    return sqlite3.SQLITE_IGNORE if is_place else sqlite3.SQLITE_OK


def guarded(app: App, datasette: Any) -> App:
    """The whole application with these rules."""

    async def answer(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        if refused := _too_large(scope):
            await _refuse(send, *refused)
            return
        is_ours = archives.hold_all(datasette)
        _nonce.set(secrets.token_urlsafe(16) if is_ours else "")
        headers = [published.TAG] if await published.is_published(datasette) else []
        bounded = _bounded(receive)
        sender = _Sender(send, bounded, headers)
        if is_ours:
            sender.nonce = _nonce.get()
            path = scope["path"].removeprefix(datasette.setting("base_url").rstrip("/"))
            sender.is_internal = path.startswith("/-/") and not path.startswith(("/-/sohr", "/-/static"))
            sender.find_places = lambda: _places(datasette)
        try:
            await app(scope, bounded, sender)
        except _Gone:
            pass
        finally:
            sender.end()

    return answer


def _too_large(scope: dict[str, Any]) -> tuple[int, str] | None:
    if len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"") > MOST_ADDRESS:
        return 414, f"The address is longer than {MOST_ADDRESS:,} bytes."
    length = dict(scope.get("headers") or ()).get(b"content-length", b"0")
    if length.isdigit() and int(length[:20]) > MOST_BODY:
        return 413, f"More than {MOST_BODY:,} bytes were posted."
    return _too_much_of_a_table(scope)


def _too_much_of_a_table(scope: dict[str, Any]) -> tuple[int, str] | None:
    query = (scope.get("query_string") or b"").decode("latin-1")
    asked = parse_qsl(query) if "_facet" in query or "_size" in query else []
    facets = [name for name, _ in asked if name.startswith("_facet") and name != "_facet_size"]
    if len(facets) > MOST_FACETS:
        return 400, f"More than {MOST_FACETS} facets were asked for."
    sizes = [value for name, value in asked if name == "_size"]
    is_huge = any(one == "max" or (one.isdigit() and int(one[:9]) > MOST_ROWS) for one in sizes)
    if is_huge and not scope["path"].endswith((".json", ".csv")):
        return 400, f"A page has {MOST_ROWS} rows at most; its .json and .csv have 1,000."
    return None


async def _refuse(send: Any, status: int, sentence: str) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": f"{sentence}\n".encode()})


def _bounded(receive: Any) -> Any:
    """A body that states no length ends at the bound."""
    read = 0

    async def next_part() -> dict[str, Any]:
        nonlocal read
        message: dict[str, Any] = await receive()
        read += len(message.get("body") or b"")
        return message if read <= MOST_BODY else {"type": "http.disconnect"}

    return next_part


class _Gone(BaseException):
    """Raised into an answer whose reader is gone. After an Exception Datasette goes on for all rows."""


class _Sender:
    """Adds headers to an answer; an internal page or an error loses the names of folders. Between two parts
    of an answer others are answered, and one whose reader is gone ends."""

    def __init__(self, send: Any, receive: Any, headers: list[tuple[bytes, bytes]]) -> None:
        self._send, self._receive, self._headers = send, receive, headers
        self._reader: asyncio.Task[None] | None = None  # ends when the reader goes
        self.nonce = ""  # empty: no policy
        self.is_internal = False
        self.find_places: Callable[[], list[bytes]] = list
        self._places: list[bytes] = []

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = message | {"headers": self._with_headers(message.get("headers") or [])}
            if self.is_internal or message["status"] >= 400:
                self._places = self.find_places()
                message["headers"] = [pair for pair in message["headers"] if pair[0] != b"content-length"]
        elif body := message.get("body"):
            for place in self._places:
                body = body.replace(place + b"/", b"").replace(place, b"")
            message = message | {"body": body}
        if message.get("more_body"):
            await self._meet_reader()
        await self._send(message)

    async def _meet_reader(self) -> None:
        """Raises _Gone."""
        self._reader = self._reader or asyncio.ensure_future(self._wait_for_end())
        await asyncio.sleep(0)
        if self._reader.done():
            raise _Gone

    async def _wait_for_end(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    def end(self) -> None:
        """Wait for the reader no longer."""
        if self._reader:
            self._reader.cancel()

    def _with_headers(self, given: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        added = dict(self._headers)
        kept = [(name.lower(), value) for name, value in given if name.lower() not in added]
        names = dict(kept)
        if self.nonce and names.get(b"content-type", b"").startswith(b"text/html"):
            by_digest = " 'unsafe-hashes'" + "".join(_handlers.values()) if _handlers else ""
            policy = _POLICY.format(self.nonce, by_digest)
            added |= {b"content-security-policy": policy.encode(), b"referrer-policy": b"no-referrer"}
        if self.nonce:
            added[b"x-content-type-options"] = b"nosniff"
        return kept + [pair for pair in added.items() if pair[0] not in names]


def _places(datasette: Any) -> list[bytes]:
    """The folders of the databases and of this software, the longest first."""
    paths = {Path(one.path).absolute().parent for one in datasette.databases.values() if one.path}
    paths |= {path.resolve() for path in paths} | {Path(sys.prefix), Path(sys.base_prefix), Path.cwd()}
    paths.add(Path(__file__).parents[2])
    return sorted((str(path).encode() for path in paths if len(path.parts) > 1), key=len, reverse=True)
