"""Forty ways to tamper with an archive, and what names each: `verify`, `verify --deep`, `verify --head`, a
timestamp.

Whoever tampers here has the folder, this software, and time to hide the traces with `repair` or `rebuild`.
"""

from __future__ import annotations

import gzip
import re
import shutil
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from pathlib import Path

import pytest

from archive.clock import MACHINE, Clock, use
from archive.rebuild.rebuild import DamagedRecords, rebuild, repair
from archive.rebuild.verify import verify
from archive.text.normalise import same_sha256, text_sha256
from archive.warc.files import warc_files
from archive.warc.manifests import manifests
from archive.warc.reader import read
from archive.warc.timestamps import ROOTS, trusted_roots
from archive.warc.writer import Appender
from archive.writer.import_file import Importer
from tests.archiving import HOME as ADDRESS
from tests.archiving import Archive, capture, said, warc
from tests.authority import Authority
from tests.damaging import DAYS, files, flip, tamper
from tests.replica.server import ROOT

OLD = "2020-05-05T10:00:00Z"
LIE = ("It said 500 in 2020.", "Nobody saw it.")


@contextmanager
def clock_at(at: str) -> Iterator[None]:
    """This process's clock, as of an instant."""
    use(Clock.of(at))
    try:
        yield
    finally:
        use(MACHINE)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Crawls on three days, each in a file of its own, and an import of older captures on the last."""
    folder = tmp_path_factory.mktemp("tampering") / "archive"
    for number, day in enumerate(DAYS):
        with clock_at(f"{day}T10:00:05Z"), Archive(folder) as archive:
            archive.take(
                *(
                    capture(post, f"{day}T10:00:0{post}Z", f"It says {number} of {post}.", "And more.")
                    for post in (1, 2, 3)
                )
            )
    with clock_at(f"{DAYS[-1]}T12:00:00Z"):
        older = warc(
            folder.parent / "older.warc.gz", [said(1, "2024-01-01T10:00:00Z", "It said 7.", "More.")]
        )
        Importer(folder).add(older)
    return folder


@pytest.fixture(scope="module")
def dated(whole: Path) -> Iterator[Path]:
    """Tokens of each of its manifests, kept elsewhere."""
    with Authority(whole.parent / "authority") as authority, pytest.MonkeyPatch.context() as patch:
        patch.setenv(ROOTS, str(authority.root))
        trusted_roots.cache_clear()
        kept = whole.parent / "tokens"
        kept.mkdir()
        for manifest in manifests(whole):
            (kept / manifest.path.name).with_suffix(".tsr").write_bytes(authority.stamp(manifest.path))
        yield kept
    trusted_roots.cache_clear()


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    """The archive, to be tampered with, a day later."""
    return Path(shutil.copytree(whole, tmp_path / "archive"))


def places(folder: Path, number: int) -> list[tuple[int, int]]:
    """Where the exchanges of a file lie, their requests included: first byte and end."""
    ends = [at.position.offset + at.position.length for at in read(warc_files(folder / "warc")[number])]
    return list(pairwise(ends))


def forged(folder: Path, at: str = OLD, **fields: str) -> bytes:
    """An exchange as this software would have written it at that time."""
    scratch = folder / "scratch"
    appender = Appender(scratch, "x")
    appender.append_exchange(capture(1, at, *LIE, **fields))
    appender.close()
    (path,) = scratch.iterdir()
    content = path.read_bytes()
    shutil.rmtree(scratch)
    return content


def replace(path: Path, start: int, end: int, content: bytes) -> None:
    """Other bytes in the place of those."""
    raw = path.read_bytes()
    path.write_bytes(raw[:start] + content + raw[end:])


def made_anew(folder: Path) -> None:
    """Database and chain, from the files as they are."""
    shutil.rmtree(folder / "manifests")
    rebuild(folder)


# -- the ways ------------------------------------------------------------------------------------------------


def flip_a_bit(folder: Path) -> None:
    path = files(folder)[0]
    start, end = places(folder, 0)[0]
    flip(path, (start + end) // 2)


def cut_out(folder: Path) -> None:
    replace(files(folder)[0], *places(folder, 0)[0], b"")
    rebuild(folder)


def swap(folder: Path) -> None:
    path = files(folder)[0]
    (start, middle), (_, end) = places(folder, 0)[:2]
    raw = path.read_bytes()
    replace(path, start, end, raw[middle:end] + raw[start:middle])
    rebuild(folder)


def replace_a_page(folder: Path) -> None:
    replace(files(folder)[0], *places(folder, 0)[0], forged(folder, f"{DAYS[0]}T10:00:02Z"))
    rebuild(folder)


def remove_a_file(folder: Path) -> None:
    files(folder)[1].unlink()
    rebuild(folder)


def append_to_closed(folder: Path) -> None:
    with open(files(folder)[0], "ab") as file:
        file.write(forged(folder))
    rebuild(folder)


def append_to_open(folder: Path, **how: str) -> None:
    with open(files(folder)[-1], "ab") as file:
        file.write(forged(folder, **how))
    repair(folder)


def put_first(folder: Path) -> None:
    (folder / "warc" / "127.0.0.1-9-20200505-000000.warc.gz").write_bytes(forged(folder))
    rebuild(folder)


def put_last(folder: Path) -> None:
    (folder / "warc" / "127.0.0.1-9-20200505-000004.warc.gz").write_bytes(forged(folder))
    rebuild(folder)


def as_import(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        (name,) = db.execute("select name from crawls where kind = 'import'").fetchone()
    append_to_open(folder, recorded_at="2026-01-05T00:00:00Z", crawl=name, source="import")


def under_an_old_manifest(folder: Path) -> None:
    with clock_at(OLD):
        append_to_open(folder)


def change_a_manifest(folder: Path) -> None:
    path = manifests(folder)[1].path
    path.write_bytes(path.read_bytes().replace(b"2026-01-03", b"2026-01-02"))


def remove_a_manifest(folder: Path) -> None:
    manifests(folder)[1].path.unlink()


def remove_the_newest(folder: Path) -> None:
    for manifest in manifests(folder)[2:]:
        manifest.path.unlink()
    files(folder)[-1].unlink()
    (folder / "archive.db").unlink()
    rebuild(folder)


def replace_all(folder: Path) -> None:
    replace(files(folder)[0], *places(folder, 0)[0], forged(folder, f"{DAYS[0]}T10:00:02Z"))
    made_anew(folder)


def begin_earlier(folder: Path) -> None:
    path = files(folder)[0]
    path.write_bytes(forged(folder) + path.read_bytes())
    made_anew(folder)


@dataclass(frozen=True)
class Way:
    """A way to tamper: what is done, whether `verify` names it with nothing kept elsewhere, and whether a
    token does."""

    what: str
    do: Callable[[Path], None]
    by_verify: bool = True
    by_token: bool = False


WAYS = (
    Way("flip a bit of a record", flip_a_bit),
    Way("cut an exchange out of a file, rebuild", cut_out),
    Way("swap two exchanges, rebuild", swap),
    Way("put another page with right digests in the place of one, rebuild", replace_a_page),
    Way("remove a file, rebuild", remove_a_file),
    Way("add an exchange dated 2020 to a closed file, rebuild", append_to_closed),
    Way("add one dated 2020 to the open file, repair", append_to_open),
    Way("add a file before the first, with one dated 2020, rebuild", put_first),
    Way("add a file after the last, with one dated 2020, rebuild", put_last),
    Way(
        "add a live capture of 2020 as recorded today, repair",
        partial(append_to_open, recorded_at="2026-01-05T00:00:00Z"),
    ),
    Way("add a capture of 2020 to an import that has ended, repair", as_import),
    Way("add one dated 2020 and seal it with a manifest dated 2020", under_an_old_manifest),
    Way(
        "change the text of a version in the database",
        lambda folder: tamper(
            folder, "update versions set text = replace(text, 'says', 'said') where version_id = 2"
        ),
    ),
    Way(
        "delete a version from the database",
        lambda folder: tamper(folder, "delete from versions where version_id = 2"),
    ),
    Way(
        "change the time of a capture in the database",
        lambda folder: tamper(
            folder, f"update captures set captured_at = '{OLD}', recorded_at = '{OLD}' where capture_id = 2"
        ),
    ),
    Way("change a manifest", change_a_manifest, True, True),
    Way("remove a manifest", remove_a_manifest, True, True),
    Way("remove the newest manifests, their files and the database, rebuild", remove_the_newest, False, True),
    Way("replace a page, write chain and database anew", replace_all, False, True),
    Way(
        "put an exchange dated 2020 before the first, write chain and database anew",
        begin_earlier,
        False,
        True,
    ),
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
MORE = (
    (partial(append_to_open, at="2030-05-05T10:00:00Z"), "add an exchange dated 2030, repair", YES),
    (add_a_crawl, "add a crawl that began in 2020, repair", YES),
    (exchange_bodies, "swap the bodies of two exchanges, rebuild", YES),
    (
        partial(edit, kind=b"WARC-Type: response", old=b"/en/1/", new=b"/en/9/"),
        "change the address of a record, rebuild",
        YES,
    ),
    (
        partial(edit, kind=b"WARC-Type: response", old=b"WARC-Date: 2026", new=b"WARC-Date: 2020"),
        "change the date of a record, rebuild",
        YES,
    ),
    (
        partial(edit, kind=b"WARC-Type: warcinfo", old=b"software: ", new=b"software:  "),
        "change the software in the first record of a file, rebuild",
        YES,
    ),
    (
        partial(edit, kind=b"crawl-started", old=b'"arguments"', new=b'"Arguments"'),
        "change the settings of a crawl in its record, rebuild",
        YES,
    ),
    (
        partial(edit, kind=b"WARC-Type: response", old=b"WARC/1.1", new=b"WARC/1.1"),
        "pack a record again, its content unchanged, rebuild",
        YES,
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


def test_the_archive_is_whole(whole: Path) -> None:
    """Its import is of the past, and no finding."""
    assert list(verify(whole, deep=True, head=manifests(whole)[-1].digest)) == []
    assert len(manifests(whole)) == 4 and len(files(whole)) == 3


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.what)
def test_each_way_is_named(folder: Path, dated: Path, way: Way) -> None:
    """By `verify` alone, or by it with the digest or the tokens that were kept elsewhere."""
    head = manifests(folder)[-1].digest
    way.do(folder)
    found = list(verify(folder))
    assert bool(found) == way.by_verify, found
    assert list(verify(folder, head=head))
    for token in dated.iterdir():
        shutil.copy(token, folder / "manifests")
    assert any(one.thing.endswith(".tsr") for one in verify(folder)) == way.by_token


@pytest.mark.parametrize(
    ("do", "named"),
    [
        pytest.param(do, named, marks=[pytest.mark.slow] * (n > 1), id=what)
        for n, (do, what, named) in enumerate(MORE)
    ],
)
def test_what_names_twenty_more(folder: Path, dated: Path, do: Callable[[Path], None], named: str) -> None:
    """By `verify`, `--deep`, `--head`, a token."""
    head = manifests(folder)[-1].digest
    do(folder)
    found = [bool(list(verify(folder, **how))) for how in ({}, {"deep": True}, {"head": head})]
    for token in dated.iterdir():
        shutil.copy(token, folder / "manifests")
    found.append(any(one.thing.endswith(".tsr") for one in verify(folder)))
    assert ["yes" if one else "no" for one in found] == named.split()


def test_the_tables_are_those_in_the_docs() -> None:
    """Forty ways, and what names each."""
    text = (ROOT / "docs" / "tampering.md").read_text()
    table = re.findall(r"^\| ([^|]+?) \| (yes|no) \| yes \| (yes|no) \|$", text, re.MULTILINE)
    words = {True: "yes", False: "no"}
    assert table == [(way.what, words[way.by_verify], words[way.by_token]) for way in WAYS]
    assert len(table) == len(MORE) == 20
    for _, what, named in MORE:
        assert f"| {what} | {' | '.join(named.split())} |" in text
