"""What the tests of `import` share: files of others taken into an archive, and what it says then."""

from __future__ import annotations

import base64
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from archive.model import Capture
from archive.rebuild.verify import verify
from archive.warc.foreign import Report, Response, read_captures
from archive.writer.import_file import SINCE, Importer
from tests.archiving import HOME, Foreign, answer, check_rebuild, page, said
from tests.crawling import rows

NOON = "2024-05-01T12:00:00Z"
URL = f"{HOME}en/1/"


def import_file(folder: Path, file: Path) -> Counter[str]:
    """Import a file; what became of its records."""
    return Importer(folder).add(file).counts


def captures(file: Path, counts: Counter[str]) -> Iterator[Capture]:
    """The responses of a file, without an archive."""
    for found in read_captures(file, Report(counts), SINCE):
        if isinstance(found, Response):
            yield found.capture


def texts(folder: Path, post_id: int = 1) -> list[tuple[Any, ...]]:
    """Number, first line, and first and last capture of each version."""
    sql = """select number, substr(text, 1, instr(text || char(10), char(10)) - 1), v.first_captured_at,
             v.last_captured_at, captures
             from versions v join articles using (article_id) where post_id = ? order by number"""
    return rows(folder, sql, post_id)


def whole(folder: Path) -> None:
    """Nothing is wrong, and a rebuild gives the same."""
    assert list(verify(folder)) == []
    check_rebuild(folder)


BODY = page("A title", "It says ثلاثة then.", "And more.")
IDENTICAL = "http://netpreserve.org/warc/1.0/revisit/identical-payload-digest"
FIRST = said(1, NOON, "It says 5 then.", "And more.")
FIRST_ID = next(
    line.split(": ")[1] for line in FIRST.plain().decode().splitlines() if line.startswith("WARC-Record-ID")
)
PAYLOAD = (
    "sha1:"
    + base64.b32encode(
        hashlib.sha1(FIRST.http.partition(b"\r\n\r\n")[2], usedforsecurity=False).digest()
    ).decode()
)
FIRST = replace(FIRST, headers={"WARC-Payload-Digest": PAYLOAD})
AGAIN = answer(b"", "X-Seen: again", "Transfer-Encoding: chunked")


def again(
    at: str = "2024-05-02T12:00:00Z", uri: str = URL, http: bytes = AGAIN, **headers: str | None
) -> Foreign:
    """A record that repeats the first one."""
    return Foreign(
        uri,
        at,
        http,
        "revisit",
        {"WARC-Profile": IDENTICAL, "WARC-Payload-Digest": PAYLOAD}
        | {k.replace("_", "-"): v for k, v in headers.items()},
    )
