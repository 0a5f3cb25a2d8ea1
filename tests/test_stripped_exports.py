"""`export --strip` leaves out our contact and the site's cookies, and other tools still read the file."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.archiving import page, sohr
from tests.crawling import crawl

CONTACT, OPERATOR, COOKIE = b"me@example.org", b"An operator of tests", b"visitor=31415"


class Site(BaseHTTPRequestHandler):
    """Sets a cookie with each answer."""

    def do_GET(self) -> None:
        """One listing, one post, no robots.txt."""
        is_post, is_home = self.path.startswith("/en/7/"), self.path in ("/en/", "/")
        home = b'<body class="home"><article><h2><a href="/en/7/">A title</a></h2></article></body>'
        body = page("A title", "A line of this post that is read.", post_id=7) if is_post else home
        self.send_response(200 if is_post or is_home else 404)
        self.send_header("Set-Cookie", COOKIE.decode())
        self.send_header("Content-Type", "text/html; charset=UTF-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive of that site, made by somebody who gives a contact and a name."""
    path = tmp_path_factory.mktemp("strip") / "archive"
    path.mkdir()
    (path / "settings.toml").write_text(f'operator = "{OPERATOR.decode()}"\ncontact = "{CONTACT.decode()}"\n')
    server = ThreadingHTTPServer(("127.0.0.1", 0), Site)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    listed = path.with_suffix(".txt")
    listed.write_text(f"http://127.0.0.1:{server.server_port}/en/7/\n")
    crawl(f"http://127.0.0.1:{server.server_port}/", path, f"urls={listed}")
    server.shutdown()
    return path


@pytest.mark.parametrize("ending", ["warc.gz", "wacz"])
def test_nobody_is_named(folder: Path, tmp_path: Path, ending: str) -> None:
    """The whole file names contact, operator and cookie; the stripped one none of them, and its digests are
    right."""

    def export(name: str, *options: str) -> bytes:
        target = tmp_path / f"{name}.{ending}"
        done = sohr(folder, "export", "-o", target, *options)
        assert done.status == 0, done.err
        if ending == "wacz":
            with zipfile.ZipFile(target) as archive:
                (tmp_path / f"{name}.warc.gz").write_bytes(archive.read("archive/data.warc.gz"))
        return gzip.decompress((tmp_path / f"{name}.warc.gz").read_bytes())

    whole, stripped = export("whole"), export("stripped", "--strip")
    for name in (CONTACT, OPERATOR, COOKIE):
        assert name in whole and name not in stripped
    assert b"A line of this post that is read." in stripped and b"stripped: contact" in stripped
    line = [sys.executable, "-m", "warcio.cli", "check", "-v", tmp_path / "stripped.warc.gz"]
    checked = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert checked.returncode == 0 and "digest pass" in checked.stdout, checked.stdout


def test_tables_have_nothing_to_strip(folder: Path, tmp_path: Path) -> None:
    """A sentence says so."""
    done = sohr(folder, "export", "--strip", "-o", tmp_path / "a.csv")
    assert done.status == 2 and "--strip is for warc and wacz" in done.err
