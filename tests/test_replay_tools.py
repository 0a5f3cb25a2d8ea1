"""Replay tools that are not ours read our files: pywb shows each capture as it was, at its time; FastWARC
reads each record.

SOHR_PYWB names a Python whose environment holds pywb and FastWARC: pywb is GPL and pins old versions, so it
never enters ours.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import shutil
import subprocess
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest

from archive.html.decode import decode_body
from archive.model import Capture
from archive.warc.files import warc_files
from archive.warc.reader import read
from tests.archiving import HOME, capture
from tests.crawling import crawl, records
from tests.damaging import DAYS, new_file
from tests.replica.server import Replica

pytestmark = pytest.mark.replay

# Asks pywb, in one process and without a port, for the unchanged body of each (time, address) on its standard
# input.
ASK = """
import gevent.monkey
gevent.monkey.patch_all()
import hashlib, json, sys
from pywb.apps.frontendapp import FrontEndApp
from werkzeug.test import Client
client = Client(FrontEndApp())
for time, address in json.load(sys.stdin):
    answer = client.get(f"/sohr/{time}id_/{address}")
    digest = hashlib.sha256(answer.data).hexdigest()
    told = [answer.status_code, answer.headers.get("Memento-Datetime"), digest]
    print("answer", json.dumps(told), flush=True)
"""
COUNT = """
import collections, json, sys
from fastwarc.warc import ArchiveIterator
every = (record for file in sys.argv[1:] for record in ArchiveIterator(open(file, "rb")))
print(json.dumps(collections.Counter(str(record.record_type) for record in every)))
"""


@pytest.fixture(scope="module")
def evidence(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two crawls of a site, with an edit and a disappearance between them."""
    folder = tmp_path_factory.mktemp("replay") / "archive"
    with Replica(posts=8) as replica:
        assert crawl(replica, folder).status == 0
        first, second, *_ = (post.post_id for post in replica.posts("en") if not post.odd)
        replica.call("edit", edition="en", post_id=first, title="Another title")
        replica.call("trash", edition="en", post_id=second)
        assert crawl(replica, folder, "look=all").status == 0
    return folder


def other(*line: str | Path, cwd: Path, given: str = "") -> str:
    """Run the other environment's Python; what it wrote."""
    done = subprocess.run(
        [os.environ["SOHR_PYWB"], *line],
        cwd=cwd,
        input=given,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def copies(folder: Path, into: Path) -> list[Path]:
    """The WARC files under their final names, as someone would take them away."""
    return [Path(shutil.copy(file.path, into / file.name)) for file in warc_files(folder / "warc")]


def captured(folder: Path) -> list[Capture]:
    """The captures that replay can find: pywb keeps one of an address and second."""
    every = [
        stored.capture for file in warc_files(folder / "warc") for stored in read(file) if stored.capture
    ]
    count = Counter((one.url, one.captured_at) for one in every)
    return [one for one in every if count[one.url, one.captured_at] == 1]


def ask(into: Path, every: list[Capture]) -> list[list[Any]]:
    """What pywb answers: status, time, and digest of the body."""
    asked = [("".join(c for c in one.captured_at if c.isdigit()), one.url) for one in every]
    lines = other("-c", ASK, cwd=into, given=json.dumps(asked)).splitlines()
    return [json.loads(line.removeprefix("answer ")) for line in lines if line.startswith("answer ")]


def replayed(folder: Path, into: Path, every: list[Capture]) -> int:
    """How many captures pywb replays, each of them with its own status, time and body."""
    manager = ("-m", "pywb.manager.manager")
    other(*manager, "init", "sohr", cwd=into)
    other(*manager, "add", "sohr", *copies(folder, into), cwd=into)
    expected = []
    for one in every:
        at = datetime.fromisoformat(one.captured_at).astimezone(UTC)
        expected.append(
            [one.status, format_datetime(at, usegmt=True), hashlib.sha256(decode_body(one)).hexdigest()]
        )
    assert ask(into, every) == expected
    return len(expected)


def test_pywb_replays_each_capture(evidence: Path, tmp_path: Path) -> None:
    """Same status, same body, at its own time."""
    every = captured(evidence)
    assert {one.status for one in every} >= {200, 404}
    assert replayed(evidence, tmp_path, every) > 30


def test_pywb_resolves_revisits(tmp_path: Path) -> None:
    """The same page again, the same under another address, in another file: the body is the original's, byte
    for byte; a 304 has none."""
    folder = tmp_path / "archive"
    # More than one KiB when it is packed, too
    text = " ".join(hashlib.sha256(bytes([n])).hexdigest() for n in range(100))
    for day in DAYS:
        with new_file(folder) as archive:
            plain = capture(1, f"{day}T10:00:00Z", text, "And more.")
            packed = replace(
                plain,
                url=f"{HOME}en/2/",
                body=gzip.compress(plain.body, mtime=0),
                headers=(*plain.headers, ("Content-Encoding", "gzip")),
            )
            missing = capture(
                3,
                f"{day}T10:00:02Z",
                status=404,
                body=b"<title>Page not found</title>" + b"<p>Nothing.</p>" * 100,
            )
            tagged = replace(plain, url=f"{HOME}en/5/", headers=(*plain.headers, ("ETag", '"v1"')))
            archive.take(plain, packed, missing, replace(missing, url=f"{HOME}en/4/"), tagged)
            sent = (("If-None-Match", '"v1"'),)
            archive.take(
                replace(tagged, status=304, body=b"", captured_at=f"{day}T11:00:00Z", request_headers=sent)
            )
    every = [stored for file in warc_files(folder / "warc") for stored in read(file) if stored.capture]
    assert len(every) == 18 and sum(stored.position.original is not None for stored in every) == 18 - 3
    assert (
        replayed(folder, tmp_path, [s.capture for s in every if s.capture and s.capture.status != 304]) == 15
    )
    modified = [s.capture for s in every if s.capture and s.capture.status == 304]
    nothing = hashlib.sha256(b"").hexdigest()
    # The exchange as it was
    assert [[status, digest] for status, _, digest in ask(tmp_path, modified)] == [[304, nothing]] * 3


def test_fastwarc_reads_each_record(evidence: Path, tmp_path: Path) -> None:
    """As many of each kind as warcio."""
    found = json.loads(other("-c", COUNT, *copies(evidence, tmp_path), cwd=tmp_path))
    assert found == Counter(record.kind for record in records(evidence))
