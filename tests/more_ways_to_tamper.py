"""Twenty more ways to tamper with an archive: content inside its own digests, the chain, the database."""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from functools import partial
from pathlib import Path

from archive.rebuild.rebuild import DamagedRecords, rebuild, repair
from archive.text.normalise import same_sha256, text_sha256
from archive.warc.manifests import manifests
from archive.warc.writer import Appender
from tests.archiving import HOME as ADDRESS
from tests.damaging import files, tamper
from tests.ways_to_tamper import (
    OLD,
    append_to_open,
    forged,
    replace,
)

# -- twenty more ---------------------------------------------------------------------------------------------


def members(path: Path) -> Iterator[tuple[int, int, bytes]]:
    """Where each record lies, and what it unpacks to."""
    raw, at = path.read_bytes(), 0
    while at < len(raw):
        unpacking = zlib.decompressobj(31)
        block = unpacking.decompress(raw[at:])
        end = len(raw) - len(unpacking.unused_data)
        yield at, end, block
        at = end


def edit(folder: Path, kind: bytes, old: bytes, new: bytes) -> None:
    """Change a record of the first file and pack it again."""
    path = files(folder)[0]
    at, end, block = next(one for one in members(path) if kind in one[2] and old in one[2])
    replace(path, at, end, gzip.compress(block.replace(old, new, 1), mtime=0))
    with suppress(DamagedRecords):
        rebuild(folder)


def exchange_bodies(folder: Path) -> None:
    path = files(folder)[0]
    raw = path.read_bytes()
    (a, b, one), (c, d, two) = [place for place in members(path) if b"msgtype=response" in place[2]][:2]
    head, tail = (block.index(b"\r\n\r\n", block.index(b"\r\n\r\n") + 4) for block in (one, two))
    first, second = gzip.compress(one[:head] + two[tail:]), gzip.compress(two[:tail] + one[head:])
    path.write_bytes(raw[:a] + first + raw[b:c] + second + raw[d:])
    with suppress(DamagedRecords):
        rebuild(folder)


def put_zeros_between(folder: Path) -> None:
    path = files(folder)[0]
    end = next(members(path))[1]
    replace(path, end, end, b"\0" * 100)


def double_a_serial(folder: Path) -> None:
    path = files(folder)[0]
    path.with_name(f"{path.name}.open").write_bytes(path.read_bytes() + forged(folder))
    rebuild(folder)


def link_to_another(folder: Path) -> None:
    path = files(folder)[0]
    (folder / "other").write_bytes(path.read_bytes()[:-1] + b"x")
    path.unlink()
    path.symlink_to(folder / "other")


def newest_as(folder: Path, content: Callable[[bytes], bytes]) -> None:
    """Other bytes in the newest manifest, which no other one names."""
    path = manifests(folder)[-1].path
    path.write_bytes(content(path.read_bytes()))


def move_a_line(folder: Path) -> None:
    def moved(raw: bytes) -> bytes:
        (own,) = re.findall(rb' "self": "[0-9a-f]+",\n', raw)
        return raw.replace(own, b"").replace(b"{\n", b"{\n" + own, 1)

    newest_as(folder, moved)


def exchange_manifests(folder: Path) -> None:
    one, two = (manifest.path for manifest in manifests(folder)[1:3])
    first = one.read_bytes()
    one.write_bytes(two.read_bytes())
    two.write_bytes(first)


def roll_back(folder: Path) -> None:
    manifests(folder)[-1].path.unlink()
    path = files(folder)[-1]
    path.write_bytes(path.read_bytes()[: manifests(folder)[-1].parts[-1].end])
    (folder / "archive.db").unlink()
    rebuild(folder)


def add_a_crawl(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        (extractor,) = db.execute("select value from about where key = 'extractor'").fetchone()
    appender = Appender(folder / "scratch", "x")
    event = {
        "event": "crawl-started",
        "name": "20200505T100000Z",
        "kind": "crawl",
        "at": OLD,
        "site": ADDRESS,
    }
    appender.append_event(OLD, {**event, "extractor": extractor, "arguments": {}, "software": {}})
    appender.close()
    (path,) = (folder / "scratch").iterdir()
    with open(files(folder)[-1], "ab") as file:
        file.write(path.read_bytes())
    shutil.rmtree(folder / "scratch")
    repair(folder)


def text_and_digests(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        title, text = db.execute("select title, text from versions where version_id = 2").fetchone()
    text = text.replace("says", "said")
    digests = f"text_digest = x'{text_sha256(text)}', same_digest = x'{same_sha256(title, text)}'"
    tamper(folder, f"update versions set text = '{text}', {digests} where version_id = 2")


YES = "yes yes yes no"
EDITS = (
    (b"WARC-Type: response", b"/en/1/", b"/en/9/", "change the address of a record"),
    (b"WARC-Type: response", b"WARC-Date: 2026", b"WARC-Date: 2020", "change the date of a record"),
    (
        b"WARC-Type: warcinfo",
        b"software: ",
        b"software:  ",
        "change the software in the first record of a file",
    ),
    (b"crawl-started", b'"arguments"', b'"Arguments"', "change the settings of a crawl in its record"),
    (
        b"WARC-Type: response",
        b"WARC/1.1",
        b"WARC/1.1",
        "pack a record again, its content unchanged",
    ),
)
MORE = (
    (partial(append_to_open, at="2030-05-05T10:00:00Z"), "add an exchange dated 2030, repair", YES),
    (add_a_crawl, "add a crawl that began in 2020, repair", YES),
    (exchange_bodies, "swap the bodies of two exchanges, rebuild", YES),
    *(
        (partial(edit, kind=kind, old=old, new=new), f"{what}, rebuild", YES)
        for kind, old, new, what in EDITS
    ),
    (put_zeros_between, "put zeros between two records", YES),
    (double_a_serial, "put a longer file with the same serial number beside one, rebuild", YES),
    (link_to_another, "put a link to an altered copy in the place of a file", YES),
    (
        partial(newest_as, content=lambda raw: raw.replace(b' "why"', b' "note": "x",\n "why"')),
        "add a line to the newest manifest",
        "yes yes yes yes",
    ),
    (
        partial(newest_as, content=lambda raw: raw.replace(b"\n", b"\r\n")),
        "change the line ends of the newest manifest",
        "yes yes yes yes",
    ),
    (move_a_line, "move a line of the newest manifest", "yes yes yes yes"),
    (exchange_manifests, "swap two manifests", "yes yes yes yes"),
    (roll_back, "put back a copy of the folder from before the newest manifest", "no no yes yes"),
    (text_and_digests, "change a text and its digests in the database", "no yes no no"),
    (
        lambda folder: tamper(folder, f"update captures set url = '{ADDRESS}en/7/' where capture_id = 2"),
        "change the address of a capture in the database",
        "no yes no no",
    ),
    (
        lambda folder: tamper(folder, "delete from changes where seq = (select max(seq) from changes)"),
        "delete the newest change of the feed from the database",
        "no yes no no",
    ),
    (
        partial(
            append_to_open, recorded_at="2026-01-05T00:00:00Z", source="wayback", service_url="http://a/1"
        ),
        "add a capture of 2020 as if a public archive had given it, repair",
        "no no no no",
    ),
)
