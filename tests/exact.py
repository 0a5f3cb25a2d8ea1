"""A site on loopback that answers byte for byte what a test says: whole HTTP answers, right or wrong."""

from __future__ import annotations

import re
import socketserver
import ssl
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from threading import Thread
from types import TracebackType
from typing import Any

from tests.replica.server import ROOT

CASES = ROOT / "tests/cases/crawl"
Answer = bytes | Callable[[str], bytes]  # or made from the Host header


def http(
    body: str | bytes = b"", status: str = "200 OK", *headers: str, kind: str = "text/html; charset=UTF-8"
) -> bytes:
    """An answer as a plain server gives it."""
    content = body.encode() if isinstance(body, str) else body
    lines = [
        f"HTTP/1.1 {status}",
        f"Content-Type: {kind}",
        *headers,
        f"Content-Length: {len(content)}",
        "Connection: close",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + content


MISSING = http("<h1>Not found</h1>", "404 Not Found")


def moved(location: str, status: str = "301 Moved Permanently") -> bytes:
    """A redirect."""
    return http(b"", status, f"Location: {location}")


class Exact:
    """The site: ``answers`` by path and query; what is not there is 404. ``log`` has host and path."""

    def __init__(
        self,
        answers: dict[str, Answer] | None = None,
        host: str = "127.0.0.1",
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.answers: dict[str, Answer] = dict(answers or {})
        self.rules: list[tuple[str, Answer]] = []  # patterns of paths, tried before the answers
        self.log: list[tuple[str, str]] = []
        self.tls = tls
        site = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return
                    head += line
                path = head.split(b" ")[1].decode("latin-1")
                found = re.search(rb"\r\nHost: ([^\r\n]+)", head)
                name = found[1].decode() if found else ""
                site.log.append((name, path))
                self.wfile.write(site.answer(name, path))

        class Server(socketserver.ThreadingTCPServer):
            allow_reuse_address = True
            daemon_threads = True
            address_family = 10 if ":" in host else 2  # AF_INET6, AF_INET

            def get_request(self) -> Any:
                connection, address = super().get_request()
                if site.tls:
                    connection = site.tls.wrap_socket(connection, True, do_handshake_on_connect=False)
                return connection, address

            def handle_error(self, request: object, client_address: object) -> None:
                """A client that ends a handshake or a connection is part of the tests."""

        self._server = Server((host, 0), Handler)
        self.port: int = self._server.server_address[1]
        self.host = f"[{host}]" if ":" in host else host
        Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def url(self) -> str:
        """Its home address."""
        return f"http{'s' if self.tls else ''}://{self.host}:{self.port}/"

    @property
    def paths(self) -> list[str]:
        """The paths asked for, in order."""
        return [path for _, path in self.log]

    def answer(self, host: str, path: str) -> bytes:
        """The answer to a request."""
        rules = (answer for pattern, answer in self.rules if re.search(pattern, path))
        found = next(rules, self.answers.get(path, MISSING))
        return found(host) if callable(found) else found

    def put(self, path: str, case: str, *pairs: tuple[str, str]) -> None:
        """Answer with a file of tests/cases/crawl, its addresses put to this site."""
        self.answers[path] = self.case(case, *pairs)

    def case(self, name: str, *pairs: tuple[str, str]) -> bytes:
        """A case as bytes, its addresses put to this site; further replacements by ``pairs``."""
        body = re.sub(rb"http://127\.0\.0\.1:92\d\d/", self.url.encode(), (CASES / name).read_bytes())
        for old, new in pairs:
            body = body.replace(old.encode(), new.encode())
        return body

    def add_posts(self, ids: Iterable[int], edition: str = "en", *, listed: bool = True) -> None:
        """Posts with a page each, and a home listing of them, newest first."""
        home = "/en/" if edition == "en" else "/"
        numbers = sorted(ids, reverse=True)
        for post_id in numbers:
            self.answers[self.path(post_id, edition)] = http(self.post(post_id, edition))
        if listed:
            self.answers[home] = http(self.listing(numbers, edition))

    @staticmethod
    def path(post_id: int, edition: str = "en") -> str:
        """The path of a post."""
        return f"/en/{post_id}/" if edition == "en" else f"/p{post_id}/{post_id}/"

    def post(self, post_id: int, edition: str = "en", text: str = "") -> str:
        """A page of a post as the general layout reads it."""
        lines = text or f"Paragraph {post_id} tells of {post_id} apples counted near gate {post_id * 3}."
        home = self.url + ("en/" if edition == "en" else "")
        return (
            f'<!DOCTYPE html><html lang="en-US"><head><title>Number {post_id}</title>'
            f'<link rel="shortlink" href="{home}?p={post_id}"></head>'
            f'<body class="single single-post postid-{post_id}"><article id="post-{post_id}" '
            f'class="post-{post_id} post type-post"><h1 class="entry-title">Number {post_id}</h1>'
            f'<div class="entry-content"><p>{lines}</p><p>A second line of {post_id}: nothing else.</p>'
            "</div></article></body></html>"
        )

    def listing(self, ids: Sequence[int], edition: str = "en", page: int = 1, last: int = 1) -> str:
        """A page of a listing."""
        entries = "".join(
            f'<article id="post-{n}" class="post-{n} post type-post"><h2 class="entry-title">'
            f'<a href="{self.path(n, edition)}">Number {n}</a></h2></article>'
            for n in ids
        )
        home = "/en/" if edition == "en" else "/"
        links = "".join(
            f'<a class="page-numbers" href="{home}page/{n}/">{n}</a>' for n in range(1, last + 1) if n != page
        )
        return f"<html><body class='home blog'><main>{entries}</main><nav>{links}</nav></body></html>"

    def __enter__(self) -> Exact:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()


def read_case(name: str) -> bytes:
    """A file of tests/cases/crawl."""
    return Path(CASES, name).read_bytes()
