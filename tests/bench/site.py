"""A site to crawl at full speed: the replica's pages, rendered and packed once, served by nginx, or from
memory where there is none."""

from __future__ import annotations

import asyncio
import gzip
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

from tests.bench.measure import ROOT
from tests.replica import routes
from tests.replica.chrome import Look
from tests.replica.site import ReplicaSite

SEED = 8
PAGE_BYTES = 60_000  # an article of the site as a browser gets it
NGINX = """
worker_processes 1;
daemon off;
error_log {folder}/error.log;
pid {folder}/nginx.pid;
events {{ worker_connections 256; }}
http {{
    access_log off;
    default_type "text/html; charset=UTF-8";
    gzip_static always;
    keepalive_requests 100000;
    client_body_temp_path {folder}/a; proxy_temp_path {folder}/b; fastcgi_temp_path {folder}/c;
    uwsgi_temp_path {folder}/d; scgi_temp_path {folder}/e;
    server {{ listen 127.0.0.1:{port}; root {folder}/pages; rewrite ^(.*)/$ $1/index.html break; }}
}}
"""


@dataclass(frozen=True, slots=True)
class Served:
    """A site that answers. ``pages`` counts articles and the listings that lead to them."""

    url: str
    articles: int
    pages: int
    server: str


def render(folder: Path, base: str, articles: int) -> int:
    """Write the English edition as packed files, one a path; the number of pages, listings included."""
    site = ReplicaSite(posts=articles, seed=SEED, layout="foxiz")
    ids = site.ids("en")[:articles]
    paths = ["", *(f"page/{n}/" for n in range(2, -(-len(ids) // site.settings.per_page) + 1))]
    posts = [post for i in ids if (post := site.post("en", i))]
    paths += [f"{post.post_id}/" for post in posts]
    # Linked from the first page only
    later = [f"{post.post_id}/{n}/" for post in posts for n in range(2, len(post.pages) + 1)]
    for number, path in enumerate([*paths, *later]):
        answer = routes.answer(Look(site, "en", base, number), path.split("/")[:-1], True, {}, {})
        assert answer.status == 200, (path, answer.status)
        target = folder / "en" / path / "index.html.gz"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(gzip.compress(heavy(answer.body, number).encode(), 6, mtime=0))
    # News-please begins at the root whatever it is told
    shutil.copy(folder / "en" / "index.html.gz", folder / "index.html.gz")
    return len(paths)


def heavy(html: str, number: int) -> str:
    """A page brought to `PAGE_BYTES` by the kind of inline style and script that themes carry."""
    lacking = max(0, PAGE_BYTES - len(html.encode()))
    rule = "".join(
        f".tdb-{number}-{n}{{margin:{n % 7}px auto;color:#{n * 7919 % 4096:03x}}}"
        for n in range(lacking // 40 + 1)
    )[:lacking]
    return html.replace("</head>", f"<style>{rule}</style></head>", 1)


@contextmanager
def served(articles: int) -> Iterator[Served]:
    """Serve a site of so many articles on loopback while the block runs."""
    with tempfile.TemporaryDirectory() as beside, socket.socket() as held:
        folder = Path(beside)
        folder.chmod(0o755)  # nginx's workers may be another user
        held.bind(("127.0.0.1", 0))
        port = held.getsockname()[1]
        base = f"http://127.0.0.1:{port}"
        pages = render(folder / "pages", base, articles)
        held.close()
        nginx = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
        if nginx:
            (folder / "nginx.conf").write_text(NGINX.format(folder=folder, port=port))
            line = [
                nginx,
                "-p",
                str(folder),
                "-e",
                str(folder / "error.log"),
                "-c",
                str(folder / "nginx.conf"),
            ]
        else:
            line = [sys.executable, "-m", "tests.bench.site", str(port), str(folder / "pages")]
        server = subprocess.Popen(line, cwd=ROOT, stdin=subprocess.PIPE, start_new_session=True)
        try:
            _await(f"{base}/en/")
            yield Served(f"{base}/", articles, pages, "nginx" if nginx else "the bundled server")
        finally:
            server.terminate()
            server.communicate()


def _await(url: str) -> None:
    for _ in range(100):
        try:
            with urlopen(url, timeout=1):
                return
        except OSError:
            time.sleep(0.1)
    raise RuntimeError(f"the server of the bench does not answer at {url}")


class _Static(asyncio.Protocol):
    """HTTP/1.1 with keep-alive, one answer a request, all from memory."""

    pages: dict[bytes, bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._buffer = transport, b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while b"\r\n\r\n" in self._buffer:
            head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
            body = self.pages.get(head.split(b" ", 2)[1])
            if body is None:
                self._transport.write(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                continue
            told = (
                b"HTTP/1.1 200 OK\r\nContent-Type: text/html; charset=UTF-8\r\nContent-Encoding: "
                b"gzip\r\nContent-Length: %d\r\n\r\n" % len(body)
            )
            self._transport.write(told + body)


async def _serve(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(_Static, "127.0.0.1", port)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    folder = Path(sys.argv[2])
    _Static.pages = {
        f"/{file.parent.relative_to(folder)}/".encode(): file.read_bytes() for file in folder.rglob("*.gz")
    }
    asyncio.run(_serve(int(sys.argv[1])))
