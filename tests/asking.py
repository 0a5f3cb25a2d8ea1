"""One request to the replica of the site, and what its pages hold, read naively."""

from __future__ import annotations

import gzip
import http.client
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlsplit

from lxml import html

from tests.replica.posts import Post
from tests.replica.server import Replica
from tests.replica.words import Edition


@dataclass
class Answered:
    """One answer, unzipped."""

    status: int
    headers: dict[str, str]
    body: bytes = field(repr=False)

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def tree(self) -> Any:
        return html.document_fromstring(self.text)


def ask(replica: Replica, address: str, method: str = "GET", **headers: str) -> Answered:
    """One request on a connection of its own; `accept_encoding=` is Accept-Encoding."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(urlsplit(replica.url).netloc, timeout=10)
    try:
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        connection.request(
            method, path, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        answer = connection.getresponse()
        body = answer.read()
        received = {name.lower(): value for name, value in answer.getheaders()}
        return Answered(
            answer.status,
            received,
            gzip.decompress(body) if received.get("content-encoding") == "gzip" else body,
        )
    finally:
        connection.close()


def plain(replica: Replica, edition: Edition, at: int = 0) -> Post:
    """A published post without oddity, other ones for other ``at``."""
    return [post for post in replica.posts(edition) if not post.odd and not post.slug.startswith("put")][at]


def link(replica: Replica, post: Post) -> str:
    return replica.url.rstrip("/") + quote(post.path)


def seen(listing: Answered) -> list[int]:
    return [int(i) for i in re.findall(r'<article id="post-(\d+)"', listing.text)]


def lines_of(content: Any) -> list[str]:
    """The lines of an article's HTML, read naively: blocks part lines, cells are parted by tabs, white space
    of the source is one space."""
    blocks = {
        "p",
        "li",
        "h1",
        "h2",
        "h3",
        "ul",
        "ol",
        "table",
        "tr",
        "figure",
        "figcaption",
        "blockquote",
        "thead",
        "tbody",
        "br",
        "div",
    }
    out: list[str] = []

    def walk(node: Any) -> None:
        if node.tag in blocks:
            out.append("\n")
        out.append(re.sub(r"[ \n]+", " ", node.text or ""))
        for child in node:
            if isinstance(child.tag, str):
                walk(child)
            out.append(re.sub(r"[ \n]+", " ", child.tail or ""))
        out.append("\t" if node.tag in ("td", "th") else "\n" if node.tag in blocks else "")

    walk(content)
    return [stripped for line in "".join(out).split("\n") if (stripped := line.strip())]
