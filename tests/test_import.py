"""Captures of others come in by the one path, at their own time, exactly as they were recorded, or not at
all."""

from __future__ import annotations

import base64
import gzip
import hashlib
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import brotli
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from archive.errors import ArchiveError
from archive.model import Capture
from archive.read.database import open_readonly
from archive.read.feed import changes as feed
from archive.rebuild.rebuild import rebuild, repair
from archive.rebuild.verify import verify
from archive.warc.files import warc_files
from archive.warc.foreign import Report, Response, read_captures
from archive.warc.foreign_records import UnreadableFile
from archive.warc.reader import read
from archive.writer.import_file import SINCE, Importer
from tests.archiving import HOME, Archive, Foreign, answer, capture, dump, page, said, sohr, warc, well
from tests.crawling import check_warcs, rows
from tests.replica.server import ROOT, Replica

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


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An archive that holds a post as of 2025, in one version."""
    with Archive(tmp_path / "archive") as archive:
        archive.take(
            capture(1, "2025-01-01T00:00:00Z", "It says 5 now.", "And more."),
            capture(1, "2025-06-01T00:00:00Z", "It says 5 now.", "And more."),
        )
    return tmp_path / "archive"


def texts(folder: Path, post_id: int = 1) -> list[tuple[Any, ...]]:
    """Number, first line, and first and last capture of each version."""
    sql = """select number, substr(text, 1, instr(text || char(10), char(10)) - 1), v.first_captured_at,
             v.last_captured_at, captures
             from versions v join articles using (article_id) where post_id = ? order by number"""
    return rows(folder, sql, post_id)


def whole(folder: Path) -> None:
    """Nothing is wrong, and a rebuild gives the same."""
    assert list(verify(folder)) == []
    before = dump(folder)
    rebuild(folder)
    assert dump(folder) == before


def days(*stated: tuple[str, str]) -> list[Foreign]:
    """A post as it was on days."""
    return [said(1, f"{day}T12:00:00Z", text, "And more.") for day, text in stated]


# -- kinds of files ------------------------------------------------------------------------------------------


def wacz(path: Path, *parts: Path) -> Path:
    """A WACZ as ArchiveWeb.page writes it."""
    with zipfile.ZipFile(path, "w") as package:
        package.writestr("datapackage.json", "{}")
        package.writestr("pages/pages.jsonl", '{"format": "json-pages-1.0"}\n')
        for part in parts:
            package.write(part, f"archive/{part.name}", zipfile.ZIP_STORED)
    return path


@pytest.mark.parametrize("kind", ["gz", "plain", "wacz", "wacz of plain", "zstd"])
def test_kinds_of_files(folder: Path, tmp_path: Path, kind: str) -> None:
    """By their first bytes, not their name; a second time nothing changes."""
    records = [said(1, NOON, "It said 3 then.", "And more."), said(2, NOON, "Another.", "And more.")]
    file = warc(tmp_path / "x.warc.gz", records, packed=kind in ("gz", "wacz"))
    if kind.startswith("wacz"):
        other = warc(tmp_path / "y.warc.gz", [said(3, NOON, "Third.", "And more.")], packed=kind == "wacz")
        file = wacz(tmp_path / "x.wacz", file.rename(tmp_path / "z.warc.gz"), other)
    if kind == "zstd":
        zstd = pytest.importorskip("backports.zstd")
        file.write_bytes(b"".join(zstd.compress(record.plain()) for record in records))
    counts = import_file(folder, file)
    assert counts == Counter({"backfilled": 1, "new": 2 if kind.startswith("wacz") else 1})
    assert [text for _, text, *_ in texts(folder)] == ["It said 3 then.", "It says 5 now."]
    before = (
        rows(folder, "select * from captures"),
        rows(folder, "select * from changes"),
        rows(folder, "select * from versions"),
    )
    assert import_file(folder, file) == Counter({"known_already": counts.total()})
    assert before == (
        rows(folder, "select * from captures"),
        rows(folder, "select * from changes"),
        rows(folder, "select * from versions"),
    )
    check_warcs(folder)
    whole(folder)


def test_it_is_written_down_where_captures_came_from(folder: Path, tmp_path: Path) -> None:
    """The file's name and digest, when the site said it and when the archive learnt it."""
    file = warc(tmp_path / "others.warc.gz", [said(2, NOON, "Another.", "And more.")])
    import_file(folder, file)
    sql = (
        "select kind, arguments, channel, captured_at, recorded_at > captured_at from captures join "
        "crawls using (crawl_id) where kind = 'import'"
    )
    ((kind, arguments, channel, said_at, later),) = rows(folder, sql)
    assert (kind, channel, said_at, later) == ("import", "import", NOON, 1)
    assert json.loads(arguments) == {
        "file": "others.warc.gz",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
    }
    assert rows(folder, "select said_at, learnt_at > said_at from changes order by seq desc limit 1") == [
        (NOON, 1)
    ]


def test_an_empty_archive_takes_a_file(tmp_path: Path) -> None:
    """Without a crawl before: posts of the site itself."""
    site = "https://www.syriahr.com/"
    import_file(
        tmp_path / "new",
        warc(tmp_path / "x.warc.gz", [said(332481, NOON, "A text.", "And more.", site=site)]),
    )
    assert rows(tmp_path / "new", "select source, key, versions from articles") == [("en", "332481", 1)]
    assert rows(tmp_path / "new", "select value from about where key = 'home'") == [(site,)]
    whole(tmp_path / "new")


def test_what_is_no_capture_file_makes_no_archive(tmp_path: Path) -> None:
    """A letter, an empty file, a folder, nothing: 65, one sentence, and no folder that looks like an archive
    afterwards."""
    (tmp_path / "letter").write_text("Dear all")
    (tmp_path / "empty").touch()
    for name in ("letter", "empty", ".", "nothing"):
        ran = sohr(tmp_path / "new", "import", tmp_path / name)
        assert ran.status == 65 and len(ran.err.splitlines()) == 1, ran.err
    assert not (tmp_path / "new").exists()


def test_what_wget_wrote(tmp_path: Path) -> None:
    """A crawl of the replica by wget: its posts come in, all else is counted."""
    if not shutil.which("wget"):
        pytest.skip("no wget here")
    with Replica(posts=8, chunked=True) as replica:
        post = next(post for post in replica.posts("en") if not post.odd)
        line = [
            "wget",
            "-q",
            "--warc-file=w",
            "--delete-after",
            "-e",
            "robots=off",
            f"{replica.url}en/{post.post_id}/",
            f"{replica.url}en/",
            replica.url,
        ]
        subprocess.run(line, cwd=tmp_path, check=False, timeout=60)
        with Archive(tmp_path / "a", replica.url):
            pass
        counts = import_file(tmp_path / "a", tmp_path / "w.warc.gz")
    assert counts["new"] == 1 and counts["other_page"] == 2 and not counts["wrong_digest"]
    assert rows(tmp_path / "a", "select title, text from versions") == [(post.title, "\n".join(post.lines))]
    whole(tmp_path / "a")


# -- what is in a record -------------------------------------------------------------------------------------


def chunked(body: bytes, size: int = 100) -> bytes:
    """Transfer coding."""
    parts = [body[n : n + size] for n in range(0, len(body), size)]
    return b"".join(b"%x;x=y\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"


BODY = page("A title", "It says ثلاثة then.", "And more.")
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


BAD_FILES = {
    "empty": b"",
    "no archive": b"Dear reader, this is a letter.\n" * 20,
    "gzip of something else": gzip.compress(b"a letter " * 100),
    "zip of something else": b"PK\x03\x04" + bytes(100),
    "zstd of nothing": b"\x28\xb5\x2f\xfd" + bytes(50),
    "a database": b"SQLite format 3\0" + bytes(4000),
    "ones": b"\xff" * 5000,
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_no_warc(folder: Path, tmp_path: Path, content: bytes) -> None:
    """A sentence that names the file, and nothing taken."""
    file = tmp_path / "x.warc.gz"
    file.write_bytes(content)
    before = dump(folder)["captures"]
    try:
        assert import_file(folder, file).total() == 0
    except UnreadableFile as error:
        assert "x.warc.gz" in str(error) and len(str(error)) < 300  # noqa: PT017  # either way will do
    assert dump(folder)["captures"] == before
    whole(folder)


def test_the_command_goes_on_with_the_next_file(folder: Path, tmp_path: Path) -> None:
    """A folder, an empty file, none, the same file twice: each has its line, the exit status is that of the
    worst."""
    good = warc(tmp_path / "good.warc.gz", [said(2, NOON, "Another.", "And more.")])
    cut = tmp_path / "cut.warc.gz"
    cut.write_bytes(
        warc(
            tmp_path / "x.warc.gz",
            [said(3, NOON, "Third.", "And more."), said(4, NOON, "Fourth.", "And more.")],
        ).read_bytes()[:-60]
    )
    (tmp_path / "empty.warc").touch()
    ran = sohr(folder, "import", tmp_path, tmp_path / "empty.warc", tmp_path / "none.warc", cut, good, good)
    assert ran.status == 65
    assert ran.lines == [
        "cut.warc.gz: 1 cut_short, 1 new",
        "good.warc.gz: 1 new",
        "good.warc.gz: 1 known_already",
    ]
    assert ["is a folder" in ran.err, "empty.warc" in ran.err, "none.warc" in ran.err] == [True] * 3
    assert {post_id for (post_id,) in rows(folder, "select post_id from articles where versions > 0")} == {
        1,
        2,
        3,
    }
    whole(folder)


# -- older history -------------------------------------------------------------------------------------------


def test_an_older_text_becomes_an_earlier_version(folder: Path, tmp_path: Path) -> None:
    """Versions get new numbers and the feed says `backfilled`. Earlier lines of the feed stay, and a citation
    still finds its text."""
    with open_readonly(folder) as conn:
        before = list(feed(conn))
    import_file(
        folder,
        warc(
            tmp_path / "x.warc.gz",
            days(("2024-03-01", "It said 3."), ("2024-02-01", "It said 2."), ("2024-03-05", "It said 3.")),
        ),
    )
    assert texts(folder) == [
        (1, "It said 2.", "2024-02-01T12:00:00Z", "2024-02-01T12:00:00Z", 1),
        (2, "It said 3.", "2024-03-01T12:00:00Z", "2024-03-05T12:00:00Z", 2),
        (3, "It says 5 now.", "2025-01-01T00:00:00Z", "2025-06-01T00:00:00Z", 2),
    ]
    with open_readonly(folder) as conn:
        after = list(feed(conn))
    assert after[: len(before)] == before and [change["kind"] for change in after[len(before) :]] == [
        "backfilled",
        "backfilled",
    ]
    assert before[-1]["citation"] == "sohr:en:1@2025-01-01T00:00:00Z"
    assert rows(
        folder, "select number, text_sha256 from versions where first_captured_at = '2025-01-01T00:00:00Z'"
    ) == [(3, before[-1]["text_sha256"])]
    assert rows(folder, "select number from latest_versions") == [(3,)]
    whole(folder)


def test_the_same_text_seen_earlier_is_no_version(folder: Path, tmp_path: Path) -> None:
    """The version existed earlier than the archive knew. The feed gets no line."""
    count = rows(folder, "select count(*) from changes")
    import_file(
        folder,
        warc(
            tmp_path / "x.warc.gz", days(("2024-03-01", "It says 5 now."), ("2025-03-01", "It says 5 now."))
        ),
    )
    assert texts(folder) == [(1, "It says 5 now.", "2024-03-01T12:00:00Z", "2025-06-01T00:00:00Z", 4)]
    assert rows(folder, "select count(*) from changes") == count
    whole(folder)


def test_another_text_in_between_parts_a_version(folder: Path, tmp_path: Path) -> None:
    """A-B-A is three versions, learnt late too."""
    import_file(folder, warc(tmp_path / "x.warc.gz", days(("2025-03-01", "It said 4."))))
    assert [(number, text) for number, text, *_ in texts(folder)] == [
        (1, "It says 5 now."),
        (2, "It said 4."),
        (3, "It says 5 now."),
    ]
    assert [told[2:] for told in texts(folder)][::2] == [
        ("2025-01-01T00:00:00Z",) * 2 + (1,),
        ("2025-06-01T00:00:00Z",) * 2 + (1,),
    ]
    assert rows(folder, "select number from latest_versions") == [(3,)]
    whole(folder)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(st.integers(1, 28), st.sampled_from("ABC")),
        min_size=1,
        max_size=9,
        unique_by=lambda pair: pair[0],
    ),
    st.randoms(),
)
def test_history_in_any_order_is_the_same_history(
    tmp_path: Path, seen: list[tuple[int, str]], random: Any
) -> None:
    """Whatever order captures become known in, the versions are those of the order in which the site said
    them."""
    base = Path(tempfile.mkdtemp(dir=tmp_path))
    late = list(seen)
    random.shuffle(late)
    found = []
    for name, order in (("early", sorted(seen)), ("late", late)):
        with Archive(base / name) as archive:
            for day, text in order:
                (outcome,) = archive.take(
                    capture(1, f"2024-02-{day:02}T00:00:00Z", f"It said {text}.", "And more.")
                )
                assert outcome.word in ("new", "changed", "unchanged", "backfilled"), outcome
        assert [kind for (kind,) in rows(base / name, "select kind from changes")].count("created") == 1
        assert list(verify(base / name)) == []
        found.append(texts(base / name))
    assert found[0] == found[1]
    before = dump(base / "late")
    rebuild(base / "late")
    assert dump(base / "late") == before
    shutil.rmtree(base)


def test_a_late_text_of_another_layout_takes_its_place(tmp_path: Path) -> None:
    """Whichever theme the page had: it waits only if a second reader finds another text
    (tests/test_any_order.py)."""
    body = page("A title", "It says 6 then.", "And more.").replace(
        b'<div class="entry-content">', b'<div class="entry-content rbct">'
    )
    same = body.replace(b"It says 6 then.", b"It says 5 then.")
    with Archive(tmp_path / "a") as archive:
        archive.take(
            capture(1, "2020-01-01T00:00:00Z", "It says 5 then.", "And more."),
            capture(1, "2026-01-01T00:00:00Z", "It says 7.", "And more."),
        )
    records = [
        Foreign(URL, "2021-01-01T00:00:00Z", answer(same)),
        Foreign(URL, "2022-01-01T00:00:00Z", answer(body)),
    ]
    assert import_file(tmp_path / "a", warc(tmp_path / "x.warc.gz", records)) == Counter(
        {"unchanged": 1, "backfilled": 1}
    )
    assert [text for _, text, *_ in texts(tmp_path / "a")] == [
        "It says 5 then.",
        "It says 6 then.",
        "It says 7.",
    ]
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


# -- revisits ------------------------------------------------------------------------------------------------

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
NAMED: dict[str, dict[str, str | None]] = {
    "as wget does": {"WARC-Refers-To": FIRST_ID, "WARC-Truncated": "length"},
    "as browsertrix does": {"WARC-Refers-To-Target-URI": FIRST.uri, "WARC-Refers-To-Date": NOON},
    "as Heritrix did": {},
}


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


@pytest.mark.parametrize("named", NAMED.values(), ids=NAMED)
@pytest.mark.parametrize("order", ["behind", "before"])
def test_a_revisit_has_the_body_it_repeats(tmp_path: Path, named: dict[str, str | None], order: str) -> None:
    """Wherever in the file that stands: the same text once more, at its own time, with its own headers."""
    records = [FIRST, said(2, NOON, "Another.", "And more."), again(**named)]
    file = warc(tmp_path / "x.warc.gz", records if order == "behind" else records[::-1])
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 2, "unchanged": 1})
    assert texts(tmp_path / "a") == [(1, "It says 5 then.", NOON, "2024-05-02T12:00:00Z", 2)]
    (second,) = [
        s.capture
        for s in read(warc_files(tmp_path / "a" / "warc")[0])
        if s.capture and s.capture.captured_at > NOON
    ]
    assert (
        second.header("x-seen") == "again"
        and second.header("transfer-encoding") is None
        and second.truncated is None
    )
    assert import_file(tmp_path / "a", file) == Counter({"known_already": 3})
    whole(tmp_path / "a")


def test_a_revisit_without_headers_has_those_of_its_original(tmp_path: Path) -> None:
    """Old files write none."""
    file = warc(tmp_path / "x.warc.gz", [FIRST, again(http=b"", WARC_Refers_To=FIRST_ID)])
    with Archive(tmp_path / "a"):
        pass
    assert import_file(tmp_path / "a", file) == Counter({"new": 1, "unchanged": 1})
    one, two = (s.capture for s in read(warc_files(tmp_path / "a" / "warc")[0]) if s.capture)
    assert (two.status, two.headers, two.body) == (
        one.status,
        one.headers,
        one.body,
    ) and two.captured_at > one.captured_at


UNRESOLVED: dict[str, tuple[str, Foreign]] = {
    "not in the file": ("revisit", again(uri=f"{HOME}en/2/", WARC_Refers_To="<urn:uuid:1>")),
    "another digest": ("revisit", again(WARC_Payload_Digest="sha1:" + "A" * 32, WARC_Refers_To=FIRST_ID)),
    "a digest of an unknown kind": ("revisit", again(WARC_Payload_Digest="best:1", WARC_Refers_To=FIRST_ID)),
    "no digest": ("revisit", again(WARC_Payload_Digest=None, WARC_Refers_To=FIRST_ID)),
    "no profile": ("revisit", again(WARC_Profile=None, WARC_Refers_To=FIRST_ID)),
    "a 304": (
        "not_modified",
        again(
            WARC_Profile=IDENTICAL.replace("identical-payload-digest", "server-not-modified"),
            WARC_Refers_To=FIRST_ID,
        ),
    ),
    "another site": ("other_page", again(uri="https://example.org/", WARC_Refers_To=FIRST_ID)),
    "no response at all": ("incomplete", again(http=b"\0\1\2", WARC_Refers_To=FIRST_ID)),
    "a wrong digest of its own": (
        "wrong_digest",
        again(WARC_Block_Digest="sha1:" + "A" * 32, WARC_Refers_To=FIRST_ID),
    ),
    "headers without end": (
        "too_large",
        again(http=answer(b"", "X: " + "x" * 70_000), WARC_Refers_To=FIRST_ID),
    ),
}


@pytest.mark.parametrize(("word", "record"), UNRESOLVED.values(), ids=UNRESOLVED)
def test_a_revisit_of_what_is_not_there_is_counted(tmp_path: Path, word: str, record: Foreign) -> None:
    """By why; the rest of the file comes in."""
    with Archive(tmp_path / "a"):
        pass
    file = warc(tmp_path / "x.warc.gz", [record, FIRST])
    assert import_file(tmp_path / "a", file) == Counter({"new": 1, word: 1})


def test_our_own_export_imports(tmp_path: Path) -> None:
    """With its revisits, into another archive: the same texts at the same times."""
    long = "It says 5 there, and this sentence is long enough for a page of more than one KiB. " * 20
    with Archive(tmp_path / "a") as archive:
        archive.take(
            *(
                capture(1, f"2024-05-0{n}T12:00:00Z", long, "And less." if n == 2 else "And more.")
                for n in (1, 2, 3, 4)
            )
        )
    assert sohr(tmp_path / "a", "export", "--format", "warc", "-o", tmp_path / "x.warc.gz").status == 0
    with Archive(tmp_path / "b"):
        pass
    assert import_file(tmp_path / "b", tmp_path / "x.warc.gz")["revisit"] == 0
    assert [row[:4] for row in texts(tmp_path / "b")] == [row[:4] for row in texts(tmp_path / "a")]
    whole(tmp_path / "b")


# -- damage --------------------------------------------------------------------------------------------------

RECORDS = [said(n, f"2024-05-{n:02}T12:00:00Z", f"It says {n}.", "And more.") for n in range(1, 7)]
ORIGINALS = {(record.uri, record.date): record.http.partition(b"\r\n\r\n")[2] for record in RECORDS}
for first in RECORDS[:3]:  # each of them once more
    payload = first.http.partition(b"\r\n\r\n")[2]
    digest = "sha1:" + hashlib.sha1(payload, usedforsecurity=False).hexdigest()
    RECORDS.insert(
        4,
        again(
            first.date.replace("2024", "2025"),
            first.uri,
            WARC_Payload_Digest=digest,
            WARC_Refers_To_Target_URI=first.uri,
            WARC_Refers_To_Date=first.date,
        ),
    )
    ORIGINALS[first.uri, first.date.replace("2024", "2025")] = payload
damage = st.lists(
    st.tuples(
        st.sampled_from(["flip", "cut", "insert", "drop"]),
        st.floats(0, 1),
        st.binary(min_size=1, max_size=12),
    ),
    min_size=1,
    max_size=4,
)


def harm(raw: bytes, deeds: list[tuple[str, float, bytes]]) -> bytes:
    """Bytes after something has happened to them."""
    for deed, share, some in deeds:
        at = int(share * max(0, len(raw) - 1))
        match deed:
            case "flip":
                raw = raw[:at] + bytes([raw[at] ^ (some[0] or 1)]) + raw[at + 1 :] if raw else raw
            case "cut":
                raw = raw[:at]
            case "insert":
                raw = raw[:at] + some + raw[at:]
            case "drop":
                raw = raw[:at] + raw[at + len(some) :]
    return raw


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage, st.booleans())
def test_a_damaged_foreign_file_gives_no_wrong_capture(
    tmp_path: Path, deeds: list[tuple[str, float, bytes]], packed: bool
) -> None:
    """A capture taken has the bytes it had, at the time and place it had; the end is an end, or a
    sentence."""
    file = warc(tmp_path / "x.warc.gz", RECORDS, packed=packed)
    # Of a plain file, a second blow may take the digest of the first
    file.write_bytes(harm(file.read_bytes(), deeds if packed else deeds[:1]))
    try:
        for one in captures(file, Counter()):
            if packed:
                assert ORIGINALS[one.url, one.captured_at] == one.body
            # Nothing protects the WARC headers of a plain file: the address or date may be another, the body
            # may not
            else:
                assert one.body in ORIGINALS.values() or one.truncated
    except UnreadableFile as error:
        assert str(error).startswith("x.warc.gz ")  # noqa: PT017  # it may end either way


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage, st.booleans())
def test_a_damaged_archive_gives_no_wrong_capture(
    tmp_path: Path, deeds: list[tuple[str, float, bytes]], closed: bool
) -> None:
    """Our own file, revisits of both kinds in it: `verify` finds the damage, `repair` ends or says why not,
    and no capture has another body than it had."""
    pristine = tmp_path / "pristine"
    asked = [
        (
            1 + n % 6 if n % 6 > 2 else n,
            f"2024-05-{n:02}T12:00:00Z",
            f"It says {n % 6}. " * (150 if n % 2 else 1),
        )
        for n in range(1, 13)
    ]
    every = [
        capture(post, at, text, "And more.", body=page("A title", text, "And more."))
        for post, at, text in asked
    ]
    every = [replace(one, headers=(*one.headers, ("ETag", one.captured_at))) for one in every]
    sent = (("If-None-Match", every[2].captured_at),)
    every.append(Capture(every[2].url, 304, (), b"", "2024-05-20T12:00:00Z", request_headers=sent))
    if not pristine.exists():
        with Archive(pristine) as archive:
            archive.take(*every[:-1])
            archive.take(every[-1])
        assert rows(pristine, "select count(original_id), min(status), max(status) from captures") == [
            (4, 200, 304)
        ]
    bodies = {(one.url, one.captured_at): one.body for one in every}
    folder = Path(tempfile.mkdtemp(dir=tmp_path)) / "archive"
    shutil.copytree(pristine, folder)
    (path,) = (folder / "warc").iterdir()
    raw = path.read_bytes()
    harmed = harm(raw, deeds)
    path.write_bytes(harmed)
    if closed:
        path = path.rename(path.with_suffix(""))
    found = list(verify(folder))
    assert bool(found) == (harmed[: len(raw)] != raw or len(harmed) != len(raw))
    (folder / "archive.db").unlink()
    try:
        repair(folder)
    except ArchiveError as error:
        assert len(str(error)) < 400  # noqa: PT017  # it may end either way
    try:
        taken = [stored.capture for stored in read(warc_files(folder / "warc")[0]) if stored.capture]
    except ArchiveError:
        taken = []
    assert all(bodies[one.url, one.captured_at] == one.body for one in taken)
    shutil.rmtree(folder.parent)


def test_two_imports_of_one_second_have_two_citations(tmp_path: Path) -> None:
    """Each resolves to its own version, in the feed and after a rebuild too; one that is not there is
    refused."""
    folder, at = tmp_path / "a", "2025-03-01T12:00:00Z"
    with Archive(folder):
        pass
    for number, text in enumerate(("It says 5.", "It says 6.")):
        well(folder, "import", warc(tmp_path / f"{number}.warc.gz", [said(1, at, text, "And more.")]))
    exported = [json.loads(line) for line in well(folder, "export", "--versions", "all").splitlines()]
    citations = {record["citation"]: record["lines"][0]["text"] for record in exported}
    assert sorted(citations.values()) == ["It says 5.", "It says 6."]
    plain, tagged = sorted(citations)
    assert plain == f"sohr:en:1@{at}" and re.fullmatch(rf"{plain}~[0-9a-f]{{8}}", tagged)
    for citation, text in citations.items():
        cited = json.loads(well(folder, "cite", citation, "--json"))
        assert cited["citation"] == citation and text in well(folder, "show", citation).decode()
    fed = [json.loads(line)["citation"] for line in well(folder, "changes").splitlines()]
    assert sorted(filter(None, fed)) == [plain, tagged]
    assert sohr(folder, "cite", f"{plain}~00000000").status == 2
    before = dump(folder)
    rebuild(folder)
    assert dump(folder) == before
