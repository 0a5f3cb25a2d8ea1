"""Records of our own form with right digests, whose fields are missing, more, or of another type: each is one
finding of `verify`, and costs no other record."""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from archive.clock import now
from archive.rebuild.rebuild import DamagedRecords, rebuild, repair
from archive.warc.files import warc_files
from archive.warc.gzip_members import pack_member
from archive.warc.manifests import manifests
from archive.warc.reader import EVENT_URI
from archive.warc.writer import Appender
from tests.archiving import HOME, Archive, capture, dump, sohr
from tests.crawling import rows
from tests.damaging import findings
from tests.more_ways_to_tamper import members

AT = now()
EVENTS: dict[str, dict[str, Any]] = {
    "crawl-started": {
        "name": "n",
        "kind": "crawl",
        "site": HOME,
        "extractor": "e",
        "arguments": {"editions": ["en"]},
        "software": {},
    },
    "crawl-finished": {
        "name": "n",
        "reason": "finished",
        "exit_status": 0,
        "verdict": "healthy",
        "counters": {"requests": 3, "editions": {"en": {"listed": True, "healthy": True}}},
    },
    "no-answer": {"url": f"{HOME}en/1/", "error": "e", "crawl": None},
    "not-asked": {"url": "http://example.org/", "error": "e", "crawl": None},
    "tls": {"host": "h", "protocol": "TLSv1.3", "cipher": "c", "certificates": ["no certificate"]},
    "cited": {"urls": ["http://example.org/1", "no address", f"{HOME}en/1/"]},
    "read-apart": {"record_id": "<urn:uuid:0>", "stopped": None, "drift": "d"},
    "layout-confirmed": {"layout": "l"},
    "re-extracted": {"extractor": "e"},
    "site-moved": {"to": "http://127.0.0.1:10/", "has_slash": True},
    "crawl-judged": {
        "crawl": "n",
        "held": [["en", "missing"]],
        "proven": [["en:1", "missing"]],
        "shared": {"en:1": "line x"},
        "withdrawn": {"<urn:uuid:0>": "line x"},
        "invented": ["en:1"],
        "over": [["en:2", "missing"]],
        "waiting": ["en:1"],
    },
    "held-accepted": {"crawl": "n"},
    "epoch": {"epoch": 1, "extractor": "e"},
}
WRONG: tuple[Any, ...] = (
    None,
    7,
    -1.5,
    True,
    "",
    "\0",
    [],
    [7],
    [[]],
    [["a"]],
    {},
    {"a": 7},
    {"editions": 7},
)
ODD = (None, 7.5, [], {}, True)
NULLABLE = {"exit_status", "stopped", "drift", "cipher"}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An archive with a post, an edit, and one that is not there."""
    folder = tmp_path_factory.mktemp("forged") / "archive"
    with Archive(folder) as archive:
        archive.take(
            capture(1, "2026-01-02T10:00:00Z", "It says 3."),
            capture(1, "2026-01-03T10:00:00Z", "It says 31."),
            capture(2, "2026-01-03T10:00:01Z", status=404, body=b"gone"),
        )
    return folder


@pytest.fixture
def folder(small: Path, tmp_path: Path) -> Path:
    """The archive, to be added to."""
    return Path(shutil.copytree(small, tmp_path / "archive"))


def append(folder: Path, *blocks: bytes, **headers: str) -> list[int]:
    """Add events with right digests; where they are."""
    path = warc_files(folder / "warc")[-1].path
    offsets = []
    with open(path, "ab") as file:
        for number, block in enumerate(blocks):
            offsets.append(file.tell())
            stated = {"WARC-Type": "metadata", "WARC-Date": AT, "WARC-Target-URI": EVENT_URI}
            stated |= {"WARC-Record-ID": f"<urn:uuid:{number}>", **headers}
            file.write(pack_member(stated, block, "application/json"))
    return offsets


def whole(name: str) -> dict[str, Any]:
    """An event as this release writes it."""
    return {"event": name, "at": AT, **EVENTS[name]}


def is_right(field: str, value: Any, usual: Any) -> bool:
    """Whether a value is one that this release may write."""
    if value is None:
        return field in NULLABLE or usual is None
    if isinstance(value, (list, dict)):
        is_free = field == "software" or (field in ("arguments", "counters") and value == {"a": 7})
        return type(value) is type(usual) and (not value or is_free)
    kind = int if field == "exit_status" else str if usual is None else type(usual)
    return type(value) is kind and field not in ("kind", "to", "site", "at")


def broken() -> Iterator[bytes]:
    """Events that lack a field, or have one of another type or spelling."""
    for name in EVENTS:
        event = whole(name)
        for field, usual in event.items():
            yield json.dumps({n: v for n, v in event.items() if n != field}).encode()
            for value in WRONG:
                if field != "event" and not is_right(field, value, usual):
                    yield json.dumps(event | {field: value}).encode()
    for site in ("", "x", "http://", "http://[", "http://a:99999/", "http://u:p@127.0.0.1/", "ftp://a/"):
        yield json.dumps(whole("site-moved") | {"to": site}).encode()
        yield json.dumps(whole("crawl-started") | {"site": site}).encode()
    for at in ("", "2026", "2026-02-30T10:00:00Z", "0001-01-01T00:00:00Z", "2026-01-05T10:00:00+02:00"):
        yield json.dumps(whole("cited") | {"at": at}).encode()
    yield from (b"", b"{", b"[]", b"null", b"7", b"\xff", b"[" * 100_000, b'{"event": "cited"')
    yield b'{"event": "cited", "at": "%s", "urls": ["\\ud800"]}' % AT.encode()


def right() -> Iterator[bytes]:
    """Events of right form: with more fields than are known, and about what is not there."""
    for name in EVENTS:
        event = whole(name)
        yield json.dumps(event | {"more": [{"\0": 1e300}], "clock": 7}).encode()
        for field, usual in event.items():
            for value in WRONG:
                if field not in ("event", "epoch") and is_right(field, value, usual):
                    yield json.dumps(event | {field: value}).encode()


def reads_well(folder: Path) -> None:
    """Every command that reads the archive ends as it may, without a traceback."""
    for line in (
        ["status"],
        ["audit"],
        ["changes"],
        ["export", "--versions", "all"],
        ["search", "says"],
        ["layouts"],
        ["held"],
        ["politeness"],
        ["head"],
        ["cite", "en:1"],
        ["show", "en:1"],
    ):
        ran = sohr(folder, *line)
        assert ran.status in (0, 1), (line, ran)


def test_each_broken_event_is_one_finding(folder: Path) -> None:
    """Of hundreds, each is named by its place, and nothing else is; what is whole is indexed; the next crawl
    goes on."""
    before = dump(folder)
    offsets = append(folder, *broken())
    name = warc_files(folder / "warc")[-1].name
    assert [one.thing for one in findings(folder)] == [f"{name}:{offset}" for offset in offsets]
    ran = sohr(folder, "repair")
    assert ran.status == 73 and f"and {len(offsets) - 5} more" in ran.err and ran.err.count("\n") == 1
    with pytest.raises(DamagedRecords):
        rebuild(folder)
    found = dump(folder)
    assert {table: found[table] for table in before if table != "about"} == {
        table: before[table] for table in before if table != "about"
    }
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-06T10:00:00Z", "It says 313."))
    assert rows(folder, "select count(*) from versions") == [(3,)]
    reads_well(folder)


def test_one_broken_event_is_said_in_one_sentence(folder: Path) -> None:
    """The field is named, by `verify`, and by `verify --deep` too; `repair` says where it is."""
    event = whole("crawl-finished")
    del event["verdict"]
    [offset] = append(folder, json.dumps(event).encode())
    what = "is an event crawl-finished without the field verdict"
    for arguments in (["verify"], ["verify", "--deep"]):
        ran = sohr(folder, *arguments)
        assert ran.status == 1 and what in ran.lines[0] and f"byte {offset} of" in ran.lines[0]
    ran = sohr(folder, "repair")
    assert ran.status == 73 and f":{offset} cannot be read" in ran.err


def test_events_of_right_form_are_read_whatever_they_say(folder: Path) -> None:
    """More fields, unknown crawls and posts, empty and odd texts: no command ends with a bug."""
    append(folder, *right())
    repair(folder)
    assert findings(folder, deep=True) == []
    reads_well(folder)


def test_a_manifest_with_an_odd_field_is_one_finding(folder: Path) -> None:
    """Its own digest is right, and a field is missing or of another type."""
    path = manifests(folder)[-1].path
    whole_one = path.read_bytes()
    content = {n: value for n, value in json.loads(whole_one).items() if n != "self"}
    parts = [
        content | {"files": [content["files"][0] | {n: odd}]} for n in content["files"][0] for odd in ODD
    ]
    parts += [content | {"files": odd} for odd in (None, 7, "x", [7], [None], [{}], {"a": 1})]
    parts += [content | {n: odd} for n in ("at", "before", "number") for odd in (7.5, [], {}, True)]
    for odd in parts:
        text = json.dumps(odd, indent=1, sort_keys=True) + "\n"
        own = hashlib.sha256(text.encode()).hexdigest()
        path.write_text(text.replace(' "why"', f' "self": "{own}",\n "why"'))
        found = [one.sentence for one in findings(folder) if one.thing == "manifests/000001.json"]
        assert len(found) == 1 and ("cannot be read" in found[0] or "is number" in found[0]), (odd, found)
        with suppress(DamagedRecords):
            repair(folder)
        for extra in path.parent.glob("000002*"):
            extra.unlink()
    path.write_bytes(whole_one)
    assert findings(folder) == []


# -- exchanges -----------------------------------------------------------------------------------------------

JUNK = (
    "",
    " ",
    "x",
    "\0",
    "\u00e9\u00b2",
    "9" * 30,
    "-1",
    "0:0",
    "999999999:999999999999999999",
    "http://",
    "http://[",
    "http://127.0.0.1:9/en/1/\u00b2",
    "2026-02-30T00:00:00Z",
    "9999-12-31T23:59:59Z",
    "0103-01-01T00:00:00Z",
    "sha256:zz",
    "sha256:" + "0" * 64,
    "<urn:uuid:0>",
    "../../archive.db",
)
STATUS_LINES = ("", "HTTP/1.1", "HTTP/1.1 \u00b2 x", f"HTTP/1.1 {'9' * 30} x", "HTTP/1.1 -1 x", "\u00ff")


def exchange(folder: Path, number: int) -> list[bytes]:
    """The three records of an exchange, unpacked."""
    scratch = folder.parent / f"scratch-{number}"
    with_body = capture(
        number % 5 + 1, AT, f"It says {number}.", crawl="n", channel="article", ip="127.0.0.1"
    )
    appender = Appender(scratch, "x")
    appender.append_exchange(with_body)
    appender.close()
    return [block for _, _, block in members(next(scratch.iterdir()))][1:]


def with_line(record: bytes, chance: random.Random) -> bytes:
    """The record with one line of its headers, its fields or its HTTP message gone, doubled or replaced."""
    head, _, block = record.partition(b"\r\n\r\n")
    block = block.removesuffix(b"\r\n\r\n")
    in_head = chance.random() < 0.7
    lines = (head if in_head else block.partition(b"\r\n\r\n")[0]).decode("latin-1").split("\r\n")
    if in_head or len(lines) > 1:
        place = chance.randrange(1, len(lines))
        name = lines[place].partition(":")[0]
        value = f"{name}: {chance.choice(JUNK)}"
        lines[place : place + 1] = chance.choice(([], [value], [lines[place], value], [value, lines[place]]))
    if not in_head and chance.random() < 0.3:
        lines[0] = chance.choice(STATUS_LINES)
    changed = "\r\n".join(lines).encode("latin-1")
    if not in_head:
        rest = block[len(block.partition(b"\r\n\r\n")[0]) :]
        block = changed + rest
        digest = f"WARC-Block-Digest: sha256:{hashlib.sha256(block).hexdigest()}".encode()
        head = re.sub(rb"WARC-Block-Digest: [^\r]+", digest, head)
        head = re.sub(rb"Content-Length: [0-9]+", b"Content-Length: %d" % len(block), head)
    else:
        head = changed
    return head + b"\r\n\r\n" + block + b"\r\n\r\n"


@pytest.mark.parametrize("seed", range(3))
def test_no_field_of_an_exchange_ends_a_command(folder: Path, seed: int) -> None:
    """A hundred exchanges, each with an odd line: those that state no time, address or id are findings, none
    is a bug, and a rebuild gives the rows that `repair` gave."""
    chance = random.Random(seed)
    with open(warc_files(folder / "warc")[-1].path, "ab") as file:
        for number in range(100):
            records = exchange(folder, 100 * seed + number)
            odd = chance.randrange(3)
            records[odd] = with_line(records[odd], chance)
            file.write(b"".join(gzip.compress(one, mtime=0) for one in records))
    with suppress(DamagedRecords):
        repair(folder)
    findings(folder)
    after = dump(folder)
    assert len(after["captures"]) > 70
    with suppress(DamagedRecords):
        rebuild(folder)
    assert dump(folder) == after
    reads_well(folder)


@pytest.mark.parametrize(
    ("name", "value", "what"),
    [
        ("WARC-Record-ID", None, "states no WARC-Record-ID"),
        ("WARC-Target-URI", None, "states no WARC-Target-URI"),
        ("WARC-Date", None, "states no WARC-Date that can be read"),
        ("WARC-Date", "2026-02-30T00:00:00Z", "states no WARC-Date that can be read"),
    ],
)
def test_an_exchange_without_a_time_or_an_address_is_damaged(
    folder: Path, name: str, value: str | None, what: str
) -> None:
    """The finding says what it lacks."""
    records = exchange(folder, 1)
    line = f"{name}: {value}\r\n" if value else ""
    records[-1] = re.sub(rb"%s: [^\r]+\r\n" % name.encode(), line.encode(), records[-1])
    with open(warc_files(folder / "warc")[-1].path, "ab") as file:
        file.write(b"".join(gzip.compress(one, mtime=0) for one in records))
    [found] = findings(folder)
    assert what in found.sentence
    assert sohr(folder, "repair").status == 73


def test_a_record_that_was_copied_is_named(folder: Path) -> None:
    """The same exchange twice: `repair` does not index it again, and `verify` says why."""
    path = warc_files(folder / "warc")[0].path
    raw = path.read_bytes()
    start, end, _ = next(one for one in members(path) if b"msgtype=response" in one[2])
    path.write_bytes(raw + raw[start:end])
    repair(folder)
    place = f"byte {len(raw)} of {path.name.removesuffix('.open')}"
    [found] = findings(folder)
    assert found.sentence == f"the record at {place} has the id of another: it was copied there"


@pytest.mark.parametrize(
    ("planted", "findings_of"),
    [("manifests/000001.2.json", 0), ("manifests/999999.json", 12), ("warc/x-20260101-999999.warc.gz", 11)],
)
def test_a_planted_number_is_named_in_a_few_lines(folder: Path, planted: str, findings_of: int) -> None:
    """A million numbers before it are missing: the first ten, and how many more; what
    writes ends with 73 and a sentence."""
    path = folder / planted
    path.write_bytes(b"{}" * planted.startswith("manifests"))
    assert len(findings(folder)) == findings_of
    if findings_of:
        ran = sohr(folder, "rebuild", "--extract")
        assert ran.status == 73 and "move the" in ran.err, ran
        path.unlink()
    repair(folder)
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-07T10:00:00Z", "It says 3137."))
    assert findings(folder) == []
