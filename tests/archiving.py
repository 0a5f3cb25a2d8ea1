"""What the tests of the evidence share: `sohr-archive` as a person runs it, WARC files as other tools write
them, archives compared."""

from __future__ import annotations

import gzip
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from warcio.archiveiterator import ArchiveIterator

from archive.clock import now
from archive.model import Capture
from archive.outcome import Outcome
from archive.rebuild.rebuild import rebuild
from archive.software import software
from archive.warc.files import warc_files
from archive.writer.messages import Open, Took
from archive.writer.server import Writer
from tests.crawling import environment
from tests.replica.server import ROOT

LONG = "It says 5 there, and this sentence is long enough for a page of more than one KiB. " * 20
HOME = "http://127.0.0.1:9/"  # of archives made without a site; nobody listens there
LAYOUT = "publisher"


@dataclass(frozen=True)
class Ran:
    """A command that has ended."""

    status: int
    out: bytes = field(repr=False)
    err: str

    @property
    def lines(self) -> list[str]:
        """What it said on standard output."""
        return self.out.decode().splitlines()


def command_line(folder: Path, *arguments: object) -> list[str]:
    """The command for an archive."""
    return [sys.executable, "-m", "archive.cli.main", "--archive", str(folder), *map(str, arguments)]


def sohr(
    folder: Path, *arguments: object, source: Path = ROOT, clock: str = "", roots: Path | str = ""
) -> Ran:
    """Run the command to its end, from the source tree given, by the clock given; ``roots`` are certificates
    of timestamp authorities to trust."""
    line = command_line(folder, *arguments)
    done = subprocess.run(
        line,
        cwd=source,
        env=environment()
        | {"PYTHONPATH": str(source), "ARCHIVE_CLOCK": clock, "ARCHIVE_TIMESTAMP_ROOTS": str(roots)},
        capture_output=True,
        timeout=120,
        check=False,
    )
    err = done.stderr.decode()
    assert "Traceback" not in err, err
    return Ran(done.returncode, done.stdout, err)


def well(folder: Path, *arguments: object, source: Path = ROOT) -> bytes:
    """The output of a command that ends with 0."""
    ran = sohr(folder, *arguments, source=source)
    assert ran.status == 0, ran
    return ran.out


def told(folder: Path) -> tuple[bytes, bytes]:
    """Export and feed, as bytes."""
    return well(folder, "export", "--versions", "all"), well(folder, "changes")


def dump(folder: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table but when WARC files were opened and closed, and what the search knows of each
    article."""
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        db.row_factory = sqlite3.Row
        tables = [
            name
            for (name,) in db.execute("select name from sqlite_master where type = 'table'")
            if not name.startswith(("search", "sqlite_", "_"))
        ]
        found = {
            name: sorted((tuple(row) for row in db.execute(f"select * from {name}")), key=repr)
            for name in tables
            if name != "warc_files"
        }
        found["warc_files"] = [
            tuple(row)
            for row in db.execute("select warc_file_id, serial, name, size, sha256 from warc_files")
        ]
        db.execute("create virtual table temp.words using fts5vocab(main, search, 'instance')")
        found["search"] = [tuple(row) for row in db.execute("select * from temp.words")]
        return found


def check_rebuild(folder: Path) -> None:
    """A rebuild gives the same rows. Raises AssertionError."""
    before = dump(folder)
    rebuild(folder)
    assert dump(folder) == before


# -- pages and archives without a site -----------------------------------------------------------------------


def page(title: str, *lines: str, post_id: int = 1) -> bytes:
    """A post of the English edition as the general layout reads it."""
    text = "".join(f"<p>{line}</p>" for line in lines)
    return (
        f'<!DOCTYPE html><html lang="en-US"><head><title>{title}</title><link rel="shortlink" '
        f'href="{HOME}en/?p={post_id}"></head>'
        f'<body class="single single-post postid-{post_id}"><article id="post-{post_id}" '
        f'class="post-{post_id} post type-post">'
        f'<h1 class="entry-title">{title}</h1><div class="entry-content">{text}</div></article></body></html>'
    ).encode()


def capture(
    post_id: int,
    at: str,
    *lines: str,
    status: int = 200,
    title: str = "A title",
    body: bytes | None = None,
    **fields: Any,
) -> Capture:
    """A post as captured at an instant."""
    headers = (("Content-Type", "text/html; charset=UTF-8"),)
    content = page(title, *lines, post_id=post_id) if body is None else body
    return Capture(f"{HOME}en/{post_id}/", status, headers, content, at, **fields)


class Archive:
    """An archive under the hand of a test, without crawler or site; closed on leaving the ``with`` block."""

    def __init__(self, folder: Path, site: str = HOME) -> None:
        self.folder = folder
        self.name = f"test {now()} {os.urandom(3).hex()}"
        self.writer = Writer(Open(str(folder), site, os.getpid(), self.name, "crawl", {}, software()))

    def __enter__(self) -> Archive:
        return self

    def __exit__(self, *_: object) -> None:
        self.writer.close()

    def take(self, *captures: Capture) -> list[Outcome]:
        """Hand over captures, as a crawl would."""
        return self.writer.work([Took(one) for one in captures])


# -- files of others -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Foreign:
    """A record of a foreign WARC file. ``http`` is its block, headers and all; ``headers`` replace or (None)
    take away WARC's own."""

    uri: str
    date: str
    http: bytes
    kind: str = "response"
    headers: Mapping[str, str | None] = field(default_factory=dict)

    def plain(self) -> bytes:
        """The record, unpacked."""
        digest = "sha1:" + hashlib.sha1(self.http, usedforsecurity=False).hexdigest()
        record_id = hashlib.md5(self.http + self.date.encode(), usedforsecurity=False).hexdigest()
        own: dict[str, str | None] = {
            "WARC-Type": self.kind,
            "WARC-Record-ID": f"<urn:uuid:{record_id}>",
            "WARC-Target-URI": self.uri,
            "WARC-Date": self.date,
            "Content-Type": f"application/http; msgtype={self.kind}",
            "WARC-Block-Digest": digest,
            "Content-Length": str(len(self.http)),
        }
        lines = "".join(
            f"{name}: {value}\r\n" for name, value in (own | dict(self.headers)).items() if value is not None
        )
        return b"WARC/1.0\r\n" + lines.encode() + b"\r\n" + self.http + b"\r\n\r\n"


def answer(body: bytes, *headers: str, status: str = "200 OK") -> bytes:
    """An HTTP response as it came over the wire."""
    lines = [f"HTTP/1.1 {status}", "Content-Type: text/html; charset=UTF-8", *headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def said(post_id: int, at: str, *lines: str, title: str = "A title", site: str = HOME) -> Foreign:
    """A post as somebody else captured it."""
    return Foreign(
        f"{site}en/{post_id}/",
        at,
        answer(page(title, *lines, post_id=post_id).replace(HOME.encode(), site.encode())),
    )


def warc(path: Path, records: Iterable[Foreign], *, packed: bool = True) -> Path:
    """A WARC file; ``packed`` as one gzip member a record."""
    path.write_bytes(
        b"".join(gzip.compress(record.plain(), mtime=0) if packed else record.plain() for record in records)
    )
    return path


def kinds(folder: Path) -> list[str]:
    """Type of each response and revisit record, in order."""
    found = []
    for file in warc_files(folder / "warc"):
        with open(file.path, "rb") as stream:
            found += [
                record.rec_type
                for record in ArchiveIterator(stream)
                if record.rec_type in ("response", "revisit")
            ]
    return found
