"""What stands in records of other people's files: any coding, bodies cut on their way, hostile records."""

from __future__ import annotations

import gzip
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import brotli
import pytest

from archive.warc.files import warc_files
from archive.warc.reader import read
from tests.archiving import HOME, Archive, Foreign, answer, said, warc
from tests.crawling import check_warcs, rows
from tests.importing import BODY, IDENTICAL, NOON, URL, captures, import_file, texts, whole
from tests.replica.server import ROOT


def chunked(body: bytes, size: int = 100) -> bytes:
    """Transfer coding."""
    parts = [body[n : n + size] for n in range(0, len(body), size)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


CODINGS = {
    "gzip": gzip.compress(BODY),
    "deflate": zlib.compress(BODY),
    "br": brotli.compress(BODY),
    "identity": BODY,
}


@pytest.mark.parametrize("is_chunked", [False, True], ids=["whole", "chunked"])
@pytest.mark.parametrize("coding", [*CODINGS, "zstd"])
def test_payload_codings(tmp_path: Path, coding: str, is_chunked: bool) -> None:
    """The text is read through any coding; the body is kept as it was coded, without its transfer coding,
    beside headers as they were."""
    body = CODINGS[coding] if coding in CODINGS else pytest.importorskip("backports.zstd").compress(BODY)
    headers = (
        f"Content-Encoding: {coding}",
        "X-Said: twice",
        "X-Said: عربي",
        *(["Transfer-Encoding: chunked"] if is_chunked else []),
    )
    file = warc(
        tmp_path / "x.warc", [Foreign(URL, NOON, answer(chunked(body) if is_chunked else body, *headers))]
    )
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 1})
    (stored,) = [s.capture for s in read(warc_files(tmp_path / "a" / "warc")[0]) if s.capture]
    assert stored.body == body
    assert [value for name, value in stored.headers if name == "X-Said"] == [
        "twice",
        "عربي".encode().decode("latin-1"),
    ]
    assert texts(tmp_path / "a")[0][1] == "It says ثلاثة then."
    whole(tmp_path / "a")


def test_a_transfer_coding_that_was_undone(tmp_path: Path) -> None:
    """Some tools keep the header and undo the coding."""
    file = warc(tmp_path / "x.warc", [Foreign(URL, NOON, answer(BODY, "Transfer-Encoding: chunked"))])
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 1})


CUT = {
    "in a chunk": answer(chunked(BODY)[:-90], "Transfer-Encoding: chunked"),
    "between chunks": answer(chunked(BODY[:-150])[:-5], "Transfer-Encoding: chunked"),
    "by its length": answer(BODY[:-90], f"Content-Length: {len(BODY)}"),
    "in its gzip": answer(gzip.compress(BODY)[:-9], "Content-Encoding: gzip"),
}


@pytest.mark.parametrize("http", CUT.values(), ids=CUT)
def test_a_body_cut_on_its_way_makes_no_version(tmp_path: Path, http: bytes) -> None:
    """Whole in its record, and not whole on the wire: kept as evidence, never as what the site said."""
    with Archive(tmp_path / "a"):
        pass
    counts = import_file(tmp_path / "a", warc(tmp_path / "x.warc", [Foreign(URL, NOON, http)]))
    assert counts == Counter({"truncated": 1})
    assert rows(tmp_path / "a", "select count(*) from versions") == [(0,)]


HTTP = answer(BODY)
HOSTILE: dict[str, tuple[str, Foreign]] = {
    "wrong block digest": (
        "wrong_digest",
        Foreign(URL, NOON, HTTP, headers={"WARC-Block-Digest": "sha1:" + "A" * 32}),
    ),
    "wrong payload digest": (
        "wrong_digest",
        Foreign(
            URL, NOON, HTTP, headers={"WARC-Block-Digest": None, "WARC-Payload-Digest": "sha256:" + "0" * 64}
        ),
    ),
    "longer than its file": (
        "cut_short",
        Foreign(URL, NOON, HTTP, headers={"Content-Length": str(len(HTTP) + 5000)}),
    ),
    "a length of letters": ("incomplete", Foreign(URL, NOON, HTTP, headers={"Content-Length": "many"})),
    "a gigabyte": ("too_large", Foreign(URL, NOON, HTTP, headers={"Content-Length": str(10**9)})),
    "a status that is no number": ("incomplete", Foreign(URL, NOON, answer(BODY, status="²00 OK"))),
    "a status of many digits": (
        "incomplete",
        Foreign(URL, NOON, answer(BODY, status="99999999999999999999 OK")),
    ),
    "no end of the headers": (
        "incomplete",
        Foreign(URL, NOON, b"HTTP/1.1 200 OK\r\nContent-Type: text/html"),
    ),
    "no response at all": ("incomplete", Foreign(URL, NOON, b"\0\1\2\3" * 50)),
    "an empty block": ("incomplete", Foreign(URL, NOON, b"")),
    "an address with a null": ("incomplete", Foreign(URL + "\0", NOON, HTTP)),
    "a broken address": ("other_page", Foreign("http://[::1/en/1/", NOON, HTTP)),
    "another site": ("other_page", Foreign("https://example.org/en/1/", NOON, HTTP)),
    "a listing": ("other_page", Foreign(HOME, NOON, HTTP)),
    "no date": ("incomplete", Foreign(URL, "yesterday", HTTP)),
    "a date that is none": ("incomplete", Foreign(URL, "2024-13-45T99:99:99Z", HTTP)),
    "a date to come": ("in_future", Foreign(URL, "2999-01-01T00:00:00Z", HTTP)),
    "a post of astronomical number": ("other_page", Foreign(f"{HOME}en/{'9' * 40}/", NOON, HTTP)),
    "a request": ("no_response", Foreign(URL, NOON, b"GET / HTTP/1.1\r\n\r\n", kind="request")),
    "a resource": (
        "no_response",
        Foreign(URL, NOON, BODY, kind="resource", headers={"Content-Type": "text/html"}),
    ),
    "a revisit of nothing": ("revisit", Foreign(URL, NOON, b"HTTP/1.1 200 OK\r\n\r\n", kind="revisit")),
}


@pytest.mark.parametrize(("word", "record"), HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("packed", [True, False], ids=["gz", "plain"])
def test_hostile_records(tmp_path: Path, word: str, record: Foreign, packed: bool) -> None:
    """They are counted and skipped. Records before them are imported, and those after them where their
    beginning can be found."""
    before, behind = said(2, NOON, "Before.", "And more."), said(3, NOON, "Behind.", "And more.")
    file = warc(tmp_path / "x.warc.gz", [before, record, behind], packed=packed)
    counts: Counter[str] = Counter()
    taken = [one.url for one in captures(file, counts)]
    if word == "other_page":  # what is wanted is the importer's to say
        assert [taken[0], taken[-1]] == [before.uri, behind.uri]
    else:
        assert taken == [before.uri, behind.uri]
        assert counts[word] >= 1 or "Content-Length" in record.headers


def test_hostile_headers_stay_headers(tmp_path: Path) -> None:
    """Nothing in them becomes a record of the archive's own file, and a rebuild reads what the import
    read."""
    lines = [
        "X-A: 1\0 2",
        "X-B : \xff\xfe",
        "no colon",
        ": no name",
        "X-C: " + "c" * 70_000,
        " folded: yes",
        "Location: /عربي\r\x0b\x0c\x85",
        "Content-Length: -5",
    ]
    file = warc(
        tmp_path / "x.warc.gz",
        [
            Foreign(
                URL,
                NOON,
                answer(BODY, *lines),
                headers={"WARC-IP-Address": "1.2.3.4\0\x0b x", "WARC-Truncated": None},
            )
        ],
    )
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 1})
    check_warcs(tmp_path / "a")
    whole(tmp_path / "a")


# A record of a GiB of zeros in a file of a MiB: a child's own peak is measured.
PEAK = r"""
import re, sys
from collections import Counter
from pathlib import Path
from archive.warc.foreign import Report, read_captures
report = Report()
taken = [one.capture.url for one in read_captures(Path(sys.argv[1]), report, "")]
counts = report.counts
# ru_maxrss counts the process that forked this one too
peak = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
print(taken, dict(counts), int(peak[1]) // 1024)
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["response", "revisit"])
def test_a_record_of_a_gigabyte_takes_no_gigabyte(tmp_path: Path, kind: str) -> None:
    """It is counted and skipped in pieces, and the records after it are imported."""
    size, zeros = 2**30, bytes(2**20)
    head = Foreign(
        URL,
        NOON,
        HTTP,
        kind,
        {
            "Content-Length": str(size),
            "WARC-Block-Digest": None,
            "WARC-Payload-Digest": "sha1:A",
            "WARC-Profile": IDENTICAL,
        },
    )
    deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
    file = tmp_path / "x.warc.gz"
    with open(file, "wb") as out:
        out.write(deflate.compress(head.plain().partition(b"\r\n\r\n")[0] + b"\r\n\r\n"))
        out.writelines(deflate.compress(zeros) for _ in range(size // len(zeros)))
        out.write(deflate.compress(b"\r\n\r\n") + deflate.flush())
        out.write(gzip.compress(said(2, NOON, "Behind.", "And more.").plain()))
    done = subprocess.run(
        [sys.executable, "-c", PEAK, str(file)],
        capture_output=True,
        text=True,
        cwd=ROOT,
        check=True,
        timeout=300,
    )
    taken, peak = done.stdout.rsplit(" ", 1)
    assert taken == f"['{HOME}en/2/'] {{'too_large': 1}}"
    assert int(peak) < 150  # MiB
