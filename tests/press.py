"""Another site on loopback whose pages are cited, and `scrapy crawl pages` to archive them."""

from __future__ import annotations

import html
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.archiving import HOME
from tests.crawling import Crawled, environment
from tests.replica.server import ROOT

LINES = [
    (
        "Three people were wounded on Monday when a wall fell in the market of Kafr Alyan, according to "
        "residents of the town."
    ),
    (
        "The market was closed for the day, and engineers of the council looked at the other walls, which "
        "are of the same age."
    ),
    (
        "A spokesman said that 17 shops would open again by Thursday, and that the owners had been told to "
        "keep the passage free."
    ),
]
Page = tuple[int, dict[str, str], str]


def page(title: str, lines: list[str], *, canonical: str = "", tail: str = "") -> str:
    """A simple press page: menu, headline, text, what stands below it."""
    link = f'<link rel="canonical" href="{canonical}">' if canonical else ""
    body = "".join(f"<p>{html.escape(line, quote=False)}</p>\n" for line in lines)
    name = html.escape(title)
    return (
        f'<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>{name} – The Daily '
        f"Example</title>{link}"
        f'<meta property="og:title" content="{name}"><meta property="og:site_name" content="The Daily '
        'Example">'
        '<meta property="article:published_time" content="2024-03-02T08:00:00+02:00"></head><body>'
        '<header><nav><ul><li><a href="/">Home</a></li><li><a href="/world">World</a></li></ul></nav>'
        "</header>"
        f"<main><article><h1>{name}</h1>{body}{tail}</article></main>"
        '<aside><h3>MARKERWORD Most read</h3><ul><li><a href="/x">MARKERWORD another story</a></li></ul>'
        "</aside>"
        "<footer><p>MARKERWORD Copyright The Daily Example. All rights reserved.</p></footer></body></html>"
    )


class Press:
    """Another site: what it answers by path, and what it was asked."""

    def __init__(self) -> None:
        self.pages: dict[str, Page] = {
            "/robots.txt": (200, {"Content-Type": "text/plain"}, "User-agent: *\nDisallow: /private/\n")
        }
        self.asked: list[str] = []
        self.url = ""

    def put(self, path: str, body: str, status: int = 200, **headers: str) -> str:
        """Answer a path from now on; its address."""
        self.pages[path] = (status, {"Content-Type": "text/html; charset=utf-8", **headers}, body)
        return self.url + path


@contextmanager
def press() -> Iterator[Press]:
    """A site on a free port of loopback."""
    site = Press()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.asked.append(self.path)
            status, headers, body = site.pages.get(
                self.path, (404, {"Content-Type": "text/html"}, "<html><title>Not found</title></html>")
            )
            content = body.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    site.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()


def command(
    folder: Path, urls: list[str], *arguments: str, site: str = HOME, **settings: object
) -> list[str]:
    """`scrapy crawl pages` with these addresses in a file beside the archive."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    cited = folder.with_name("urls.txt")
    cited.write_text("# cited\n" + "\n".join(urls) + "\n")
    line = [
        sys.executable,
        "-m",
        "scrapy.cmdline",
        "crawl",
        "pages",
        "-O",
        str(folder.with_name("new.jsonl")),
    ]
    line += [part for a in (f"site={site}", f"urls={cited}", *arguments) for part in ("-a", a)]
    given = {"ARCHIVE_DIR": folder, "DOWNLOAD_DELAY": 0, "BACKOFF_SECONDS": 0.05, **settings}
    return line + [part for name, value in given.items() for part in ("-s", f"{name}={value}")]


def crawl(folder: Path, urls: list[str], *arguments: str, site: str = HOME, **settings: object) -> Crawled:
    """`scrapy crawl pages` to its end."""
    out = folder.with_name("new.jsonl")
    line = command(folder, urls, *arguments, site=site, **settings)
    done = subprocess.run(
        line, cwd=ROOT, env=environment(), capture_output=True, text=True, timeout=60, check=False
    )
    new = [json.loads(text) for text in out.read_text().splitlines()] if out.exists() else []
    return Crawled(done.returncode, 0, done.stderr, new)
