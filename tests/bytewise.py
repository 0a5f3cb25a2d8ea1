"""A site that sends the very bytes it is given: for answers that no web framework would send."""

from __future__ import annotations

import socketserver
import threading
from collections.abc import Callable, Mapping
from typing import Any, Self

Answer = bytes | Callable[[bytes], bytes]  # a whole answer, or a function of the whole request


def http(body: bytes | str = b"", status: str = "200 OK", *headers: str) -> bytes:
    """A whole answer; its length is stated, and the connection closed."""
    content = body.encode() if isinstance(body, str) else body
    named = {header.partition(":")[0].lower() for header in headers}
    lines = [f"HTTP/1.1 {status}", *headers, f"Content-Length: {len(content)}", "Connection: close"]
    if "content-type" not in named:
        lines.append("Content-Type: text/html; charset=UTF-8")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + content


class Site:
    """Answers on loopback, by path with query; 404 for every path that it was not given."""

    def __init__(self) -> None:
        self.answers: dict[str, Answer] = {}
        self.otherwise: Callable[[str], bytes] = lambda _: http(
            "<title>Page not found</title>", "404 Not Found"
        )
        self.asked: list[str] = []
        self.requests: list[bytes] = []
        site = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                request = b""
                while not request.endswith(b"\r\n\r\n"):
                    line = self.rfile.readline()
                    if not line:
                        return
                    request += line
                path = request.split(b" ", 2)[1].decode("latin-1")
                site.asked.append(path)
                site.requests.append(request)
                found = site.answers.get(path) or site.otherwise(path)
                self.wfile.write(found(request) if callable(found) else found)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            allow_reuse_address = True

        self._server = Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def list_posts(self, *ids: int, edition: str = "en") -> None:
        """Let the edition's home page show these posts, newest first."""
        entries = "".join(
            f'<article class="post-{n} post type-post"><h2 class="entry-title">'
            f'<a href="{self.post_url(n, edition)}">Post {n}</a></h2></article>'
            for n in ids
        )
        head = '<html><head><title>Home</title></head><body class="home blog">'
        page = f"{head}<main>{entries}</main></body></html>"
        self.answers["/en/" if edition == "en" else "/"] = http(page)

    def publish(self, *ids: int, edition: str = "en") -> None:
        """Let the edition list these posts alone, each with a text of its own."""
        self.list_posts(*ids, edition=edition)
        for post_id in ids:
            self.put_post(post_id, f"The text of post {post_id} has some words in one line.", edition=edition)

    def post_url(self, post_id: int, edition: str = "en") -> str:
        """The address of a post."""
        return f"{self.url}en/{post_id}/" if edition == "en" else f"{self.url}slug-{post_id}/{post_id}/"

    def put_post(self, post_id: int, *lines: str, edition: str = "en", title: str = "", **page: Any) -> None:
        """Let a post say this."""
        headers: tuple[str, ...] = page.pop("headers", ())
        body = post_page(self.post_url(post_id, edition), post_id, title or f"Post {post_id}", lines, **page)
        self.answers[self.path_of(post_id, edition)] = http(body, "200 OK", *headers)

    def path_of(self, post_id: int, edition: str = "en") -> str:
        """The path of a post."""
        return self.post_url(post_id, edition).removeprefix(self.url.rstrip("/"))

    def redirect(self, path: str, to: str, status: int = 301, *headers: str) -> None:
        """Let a path lead elsewhere."""
        self.answers[path] = http(b"", f"{status} Redirect", f"Location: {to}", *headers)

    def update(self, answers: Mapping[str, Answer]) -> None:
        """Set several answers."""
        self.answers |= answers


def post_page(
    url: str, post_id: int, title: str, lines: tuple[str, ...], modified: str = "", published: str = ""
) -> str:
    """A post as the general layout reads it."""
    text = "".join(f"<p>{line}</p>" for line in lines)
    times = {"modified": modified, "published": published}
    stated = "".join(
        f'<meta property="article:{name}_time" content="{time}">' for name, time in times.items() if time
    )
    return (
        f'<!DOCTYPE html><html><head><title>{title}</title><link rel="canonical" href="{url}">{stated}</head>'
        f'<body class="single single-post postid-{post_id}">'
        f'<article id="post-{post_id}" class="post type-post">'
        f'<h1 class="entry-title">{title}</h1><div class="entry-content">{text}</div></article></body></html>'
    )
