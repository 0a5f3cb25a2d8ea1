"""Other people's files through `sohr-archive import` and `verify`: all whole posts are taken, and each
damaged place is named."""

from __future__ import annotations

import gzip
import json
import random
import shutil
import struct
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from archive.rebuild.rebuild import rebuild
from archive.warc.files import warc_files
from archive.warc.reader import read
from tests.archiving import HOME, Archive, Foreign, Ran, answer, page, said, sohr, warc, well
from tests.crawling import check_warcs, rows

CASES = Path(__file__).parent / "cases" / "files"
SITE = "https://www.syriahr.com/"
NOON = "2024-05-01T12:00:00Z"


def post(number: int, at: str = NOON) -> Foreign:
    """A post of the site, as somebody else captured it."""
    return said(number, at, f"It says {number} here.", f"And {number} more.", site=SITE)


def counts(ran: Ran) -> dict[str, int]:
    """What the command says of its one file."""
    (line,) = [json.loads(line) for line in ran.lines]
    return {word: number for word, number in line.items() if isinstance(number, int) and number}


def taken(folder: Path) -> set[int]:
    """The posts that an archive has a version of."""
    if not (folder / "archive.db").exists():
        return set()
    return {post_id for (post_id,) in rows(folder, "select post_id from articles where versions > 0")}


def run(folder: Path, *files: Path, status: int = 0) -> Ran:
    """Import, and check the archive that comes of it."""
    ran = sohr(folder, "import", "--json", *files)
    assert ran.status == status, ran
    if folder.exists():
        check_warcs(folder)
        assert sohr(folder, "verify").status == 0
    return ran


# -- the cases


EXPECTED = {
    "import-12-posts-one-bit-flipped.warc.gz": (65, {"new": 11, "damaged": 1}),
    "flip-in-gz.warc.gz": (65, {"new": 19, "damaged": 1, "no_response": 1}),
    "junk-after-31.warc": (65, {"new": 31, "damaged": 1, "no_response": 1}),
    "blank-first.warc": (0, {"new": 2}),
    "whole-gzip.warc.gz": (0, {"new": 2, "no_response": 1}),
    "dict.warc.zst": (0, {"new": 2, "no_response": 1}),
    "zstd-decoded.warc": (0, {"new": 1, "no_response": 1}),
    "block-digest-is-the-payloads.warc": (0, {"new": 1}),
    "warc-date-year-0103.warc": (65, {"before_site": 1}),
}


@pytest.mark.parametrize("name", EXPECTED)
def test_a_case(tmp_path: Path, name: str) -> None:
    """Every whole post is taken; damage is named with its file and byte, and ends with 65."""
    status, expected = EXPECTED[name]
    ran = run(tmp_path / "a", CASES / name, status=status)
    assert counts(ran) == expected
    damaged = [line for line in ran.err.splitlines() if line.startswith(f"damaged: {name}, byte ")]
    assert len(damaged) == expected.get("damaged", 0)
    assert ("1 damaged record: " in ran.err) == bool(damaged)
    assert len(taken(tmp_path / "a")) == expected.get("new", 0)
    assert (tmp_path / "a").exists() == ("new" in expected)


def test_the_block_digest_of_a_payload_is_noted(tmp_path: Path) -> None:
    """The capture says that its record was odd."""
    run(tmp_path / "a", CASES / "block-digest-is-the-payloads.warc")
    ((reason,),) = rows(tmp_path / "a", "select reason from captures")
    assert reason == "the record states its payload's digest as its block's"


def test_a_day_that_does_not_exist_is_no_day(tmp_path: Path) -> None:
    """30 February: the post is taken, its day is NULL, and every reader of days works."""
    run(tmp_path / "a", CASES / "day-that-does-not-exist.warc")
    assert {day for (day,) in rows(tmp_path / "a", "select day from articles where key = '2000'")} == {None}
    assert sohr(tmp_path / "a", "audit").status in (0, 1)
    assert sohr(tmp_path / "a", "export", "--format", "parquet", "-o", tmp_path / "x.parquet").status == 0


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["original first", "revisit first"])
def test_a_revisit_of_another_file_of_the_command(tmp_path: Path, order: tuple[int, int]) -> None:
    """Whichever file comes first: both looks are in the archive."""
    files = [CASES / f"roll-0000{number}.warc.gz" for number in order]
    run(tmp_path / "a", *files)
    assert rows(tmp_path / "a", "select captures from versions") == [(2,)]
    rebuild(tmp_path / "a")
    assert rows(tmp_path / "a", "select captures from versions") == [(2,)]


def test_a_revisit_of_a_capture_in_the_archive(tmp_path: Path) -> None:
    """The original came with an earlier command; without it the revisit is counted, and no archive is
    made."""
    ran = run(tmp_path / "b", CASES / "roll-00001.warc.gz", status=65)
    assert counts(ran) == {"revisit": 1, "no_response": 1} and not (tmp_path / "b").exists()
    run(tmp_path / "a", CASES / "roll-00000.warc.gz")
    assert counts(run(tmp_path / "a", CASES / "roll-00001.warc.gz")) == {"unchanged": 1, "no_response": 1}
    assert rows(tmp_path / "a", "select captures from versions") == [(2,)]


@pytest.mark.parametrize("name", sorted(path.name for path in CASES.iterdir()))
def test_a_foreign_file_in_the_archives_folder_stops_no_command(tmp_path: Path, name: str) -> None:
    """`verify`, `repair` and `rebuild` end with a sentence, whatever stands under the name of a WARC file."""
    with Archive(tmp_path / "a", SITE):
        pass
    shutil.copy(CASES / name, tmp_path / "a" / "warc" / "www.syriahr.com-20240501-000002.warc.gz")
    assert sohr(tmp_path / "a", "verify").status == 1
    assert sohr(tmp_path / "a", "repair").status in (0, 73)
    assert sohr(tmp_path / "a", "rebuild").status in (0, 73)
    assert sohr(tmp_path / "a", "verify").status in (0, 1)


# -- forms


def test_an_interim_answer_is_dropped(tmp_path: Path) -> None:
    """100 Continue comes before the answer that counts."""
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a.css>\r\n\r\n"
    record = post(1)
    file = warc(tmp_path / "x.warc.gz", [Foreign(record.uri, NOON, interim + record.http)])
    assert counts(run(tmp_path / "a", file)) == {"new": 1}
    assert rows(tmp_path / "a", "select status from captures") == [(200,)]


SOURCES = {
    "https://web.archive.org/web/20200131120000id_/https://www.syriahr.com/en/1/": "2020-01-31T12:00:00Z",
    "http://archive.example/web/20200131120000/https://www.syriahr.com/en/1/": "2020-01-31T12:00:00Z",
    "https://data.example/crawl/CC-MAIN-20200101000000-20200102000000-00001.warc.gz": NOON,
    "https://web.archive.org/web/2id_/https://www.syriahr.com/en/1/": None,
    "https://web.archive.org/web/20209931120000id_/https://www.syriahr.com/en/1/": None,
}


@pytest.mark.parametrize(("source", "at"), SOURCES.items(), ids=range(len(SOURCES)))
def test_a_download_from_a_web_archive_has_its_capture_time(
    tmp_path: Path, source: str, at: str | None
) -> None:
    """The time in the address, not that of the download; without it the record is counted and left out."""
    record = post(1)
    file = warc(
        tmp_path / "x.warc.gz", [Foreign(record.uri, NOON, record.http, headers={"WARC-Source-URI": source})]
    )
    ran = run(tmp_path / "a", file, status=0 if at else 65)
    assert counts(ran) == ({"new": 1} if at else {"undated": 1})
    assert not at or rows(tmp_path / "a", "select captured_at from captures") == [(at,)]


def test_times_at_which_the_site_said_nothing(tmp_path: Path) -> None:
    """Before it existed and after now: refused and counted."""
    file = warc(
        tmp_path / "x.warc.gz", [post(1, "2006-04-30T23:59:59Z"), post(2, "2106-01-01T00:00:00Z"), post(3)]
    )
    assert counts(run(tmp_path / "a", file)) == {"new": 1, "before_site": 1, "in_future": 1}


def arc(*posts: Foreign) -> list[bytes]:
    """Records of ARC, the format before WARC."""
    first = b"1 0 Alexa Internet\nURL IP-address Archive-date Content-type Archive-length\n"
    head = b"filedesc://x.arc 0.0.0.0 20080101000000 text/plain %d\n" % len(first)
    line = "{} 192.0.2.1 {} text/html {}\n"
    return [head + first + b"\n"] + [
        line.format(one.uri, "".join(c for c in one.date if c.isdigit()), len(one.http)).encode()
        + one.http
        + b"\n"
        for one in posts
    ]


@pytest.mark.parametrize("packed", [True, False], ids=["gz", "plain"])
def test_arc(tmp_path: Path, packed: bool) -> None:
    """By its own dates; what is damaged is named."""
    records = arc(post(1, "2009-01-01T00:00:00Z"), post(2, "2009-01-02T00:00:00Z"))
    file = tmp_path / "x.arc"
    file.write_bytes(b"".join(map(gzip.compress, records) if packed else records))
    ran = run(tmp_path / "a", file)
    assert counts(ran) == {"new": 2, "no_response": 1} and ran.err == ""
    assert rows(tmp_path / "a", "select min(captured_at) from captures") == [("2009-01-01T00:00:00Z",)]


SENTENCES = {
    "lz4": (b"\x04\x22\x4d\x18" + bytes(50), "lz4 -d"),
    "WARC/2.0": (b"WARC/2.0\r\nWARC-Type: response\r\n\r\n", "WARC/1.1"),
    "WARC/2.0 in gzip": (gzip.compress(b"WARC/2.0\r\nWARC-Type: response\r\n\r\n"), "WARC/1.1"),
    "HAR": (b'\xef\xbb\xbf{ "log": {"version": "1.2", "entries": []}}', "har2warc"),
    "MHTML": (b"From: <Saved by Blink>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/related;\r\n", "WACZ"),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_other_formats_have_a_sentence(tmp_path: Path, name: str) -> None:
    """One line that says what to do, 65, and no archive."""
    content, advice = SENTENCES[name]
    (tmp_path / "x").write_bytes(content)
    ran = sohr(tmp_path / "a", "import", tmp_path / "x")
    assert ran.status == 65 and advice in ran.err and len(ran.err.splitlines()) == 1
    assert not (tmp_path / "a").exists()


def test_a_file_without_a_post_makes_no_archive(tmp_path: Path) -> None:
    """The command says that there is no post. If another file has posts, that is no failure."""
    other = warc(tmp_path / "x.warc.gz", [Foreign("https://example.org/en/1/", NOON, answer(b"<html>"))])
    ran = sohr(tmp_path / "a", "import", other)
    assert (ran.status, ran.lines) == (65, ["x.warc.gz: 1 other_page"])
    assert ran.err == f"x.warc.gz has no post of {SITE} to import\n" and not (tmp_path / "a").exists()
    assert sohr(tmp_path / "a", "import", other, warc(tmp_path / "y.warc.gz", [post(1)])).status == 0


def test_several_records_in_a_member(tmp_path: Path) -> None:
    """Each of them is taken, and a junk line between two is named."""
    members = [post(1).plain() + post(2).plain(), post(3).plain() + b"junk\r\n\r\n" + post(4).plain()]
    file = tmp_path / "x.warc.gz"
    file.write_bytes(b"".join(map(gzip.compress, members)))
    ran = run(tmp_path / "a", file, status=65)
    assert counts(ran) == {"new": 4, "damaged": 1}
    assert f"byte {len(gzip.compress(members[0]))}" in ran.err


def test_a_cut_zstd_file(tmp_path: Path) -> None:
    """What precedes the cut is taken, and the cut is named."""
    zstd = pytest.importorskip("backports.zstd")
    frames = [zstd.compress(post(number).plain()) for number in (1, 2, 3)]
    file = tmp_path / "x.warc.zst"
    file.write_bytes(b"".join(frames)[:-20])
    ran = run(tmp_path / "a", file, status=65)
    assert counts(ran) == {"new": 2, "cut_short": 1}
    assert f"byte {len(frames[0]) + len(frames[1])}: " in ran.err and "breaks off" in ran.err


def package(path: Path, compression: int, *contents: bytes) -> Path:
    """A WACZ."""
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("datapackage.json", "{}")
        for number, content in enumerate(contents):
            archive.writestr(f"archive/{number}.warc.gz", content, compression)
    return path


@pytest.mark.parametrize(
    "compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "deflated"]
)
def test_a_wacz_that_was_cut_or_hit(tmp_path: Path, compression: int) -> None:
    """A flipped bit costs one record; without its list of files, the records are found all the same."""
    records = [gzip.compress(post(number).plain()) for number in range(1, 7)]
    file = package(tmp_path / "x.wacz", compression, b"".join(records[:3]), b"".join(records[3:]))
    raw = bytearray(file.read_bytes())
    if compression == zipfile.ZIP_STORED:
        at = raw.index(records[1]) + len(records[1]) // 2
        raw[at] ^= 1
        file.write_bytes(raw)
        ran = run(tmp_path / "a", file, status=65)
        assert counts(ran) == {"new": 5, "damaged": 1} and "x.wacz/archive/0.warc.gz, byte" in ran.err
        raw[at] ^= 1
        file.write_bytes(raw[: raw.index(b"PK\x01\x02") + 10])
        ran = run(tmp_path / "b", file, status=65)
        assert taken(tmp_path / "b") == set(range(1, 7))
    else:
        assert counts(run(tmp_path / "a", file)) == {"new": 6}
        file.write_bytes(raw[:-30])
        assert sohr(tmp_path / "b", "import", file).status == 65


@pytest.mark.parametrize("harm", ["place", "beginning"])
def test_a_wacz_of_which_one_file_is_lost(tmp_path: Path, harm: str) -> None:
    """Its list names a place beyond the end, or nothing of the file is left: the other file is taken."""
    records = [gzip.compress(post(number).plain()) for number in (1, 2)]
    file = package(tmp_path / "x.wacz", zipfile.ZIP_STORED, *records)
    raw = bytearray(file.read_bytes())
    if harm == "place":
        entry = raw.index(b"archive/0.warc.gz", raw.index(b"PK\x01\x02")) - 46
        raw[entry + 42 : entry + 46] = (2**31).to_bytes(4, "little")
    else:
        at = raw.index(records[0])
        raw[at : at + len(records[0])] = bytes(len(records[0]))
    file.write_bytes(raw)
    ran = run(tmp_path / "a", file, status=65)
    assert taken(tmp_path / "a") == {2} and counts(ran) == {"new": 1, "damaged": 1}
    assert "x.wacz/archive/0.warc.gz, byte 0: " in ran.err


@pytest.mark.parametrize("harm", ["flip", "cut"])
def test_a_warc_gzipped_as_a_whole_that_was_hit(tmp_path: Path, harm: str) -> None:
    """What precedes a cut is taken; of a file with a flipped bit, what a digest proves. No text is
    another."""
    dice = random.Random(1)
    posts = [post(number) for number in range(1, 31)]
    for number, one in enumerate(posts, 1):
        noise = " ".join(f"{dice.getrandbits(60):x}" for _ in range(100))
        posts[number - 1] = replace(one, http=one.http.replace(b"And", f"{noise}. And".encode()))
    raw = bytearray(gzip.compress(b"".join(one.plain() for one in posts)))
    middle = len(raw) // 2
    if harm == "cut":
        del raw[middle:]
    else:
        raw[middle] ^= 16
    file = tmp_path / "x.warc.gz"
    file.write_bytes(raw)
    ran = run(tmp_path / "a", file, status=65)
    found = taken(tmp_path / "a")
    assert 12 <= len(found) < 30 and (harm == "flip" or found == set(range(1, len(found) + 1)))
    assert ran.err.startswith("damaged: x.warc.gz, byte 0: ")
    bodies = {one.http.partition(b"\r\n\r\n")[2] for one in posts}
    stored = [s.capture for f in warc_files(tmp_path / "a" / "warc") for s in read(f) if s.capture]
    assert {one.body for one in stored} <= bodies


@pytest.mark.parametrize("at_end", ["", "no such record\r\n"], ids=["whole", "junk"])
def test_further_pages_of_a_post_are_taken_whatever_follows(tmp_path: Path, at_end: str) -> None:
    """They wait for the first page. Damage after them does not drop them."""
    pages = []
    for number in (2, 1):
        uri = f"{SITE}en/1/" + ("" if number == 1 else f"{number}/")
        links = "".join(f'<a href="{SITE}en/1/{n}/" class="post-page-numbers">{n}</a>' for n in (1, 2))
        body = page("A title", f"Page {number} says 5.", "And more.", post_id=1).replace(
            HOME.encode(), SITE.encode()
        )
        body = body.replace(
            b"</div></article>", f'<div class="page-links">{links}</div></div></article>'.encode()
        )
        pages.append(Foreign(uri, NOON, answer(body)))
    file = warc(tmp_path / "x.warc", pages, packed=False)
    file.write_bytes(file.read_bytes() + at_end.encode())
    run(tmp_path / "a", file, status=65 if at_end else 0)
    ((captures, text),) = rows(tmp_path / "a", "select count(*), (select text from versions) from captures")
    assert captures == 2 and "Page 1" in text and "Page 2" in text


@pytest.mark.slow
def test_many_false_beginnings_take_no_hours(tmp_path: Path) -> None:
    """Each says that it is long: the bytes that are read anew after damage are bounded."""
    file = tmp_path / "x.warc"
    file.write_bytes(b"WARC/1.0\nWARC-Type: response\nContent-Length: 1500000\n\n" * 40_000)
    assert sohr(tmp_path / "a", "import", file).status == 65


@pytest.mark.slow
def test_a_bomb_in_a_bomb_is_bounded(tmp_path: Path) -> None:
    """Gigabytes of zeros in a record of a small WACZ: a sentence, in little memory and little time."""
    deflate = zlib.compressobj(1, zlib.DEFLATED, 31)
    zeros = bytes(2**20)
    bomb = b"".join(deflate.compress(zeros) for _ in range(2200)) + deflate.flush()
    file = package(tmp_path / "x.wacz", zipfile.ZIP_DEFLATED, gzip.compress(post(1).plain()) + bomb)
    assert file.stat().st_size < 1_000_000
    ran = sohr(tmp_path / "a", "import", file)
    assert ran.status == 65 and "unpacks to more than" in ran.err
    assert ran.lines == ["x.wacz: 1 new"]
    assert taken(tmp_path / "a") == {1}


def test_a_bomb_is_bounded(tmp_path: Path) -> None:
    """A WACZ whose list of files says that it unpacks to terabytes is refused before anything is unpacked."""
    file = package(tmp_path / "x.wacz", zipfile.ZIP_DEFLATED, bytes(10**6))
    raw = bytearray(file.read_bytes())
    listed = raw.rindex(b"PK\x01\x02")
    struct.pack_into("<I", raw, listed + 24, 2**32 - 2)  # the unpacked size
    file.write_bytes(raw)
    ran = sohr(tmp_path / "a", "import", file)
    assert ran.status == 65 and "unpacks to more than" in ran.err and not (tmp_path / "a").exists()


def test_three_short_posts_with_one_text_are_not_taken_back(tmp_path: Path) -> None:
    """The third is quarantined, and the first two stay in exports: three short texts do not prove a wall."""
    folder = tmp_path / "archive"
    well(folder, "import", CASES / "day-that-does-not-exist.warc")
    exported = [json.loads(line) for line in well(folder, "export").splitlines()]
    assert [(one["post_id"], one["day"]) for one in exported] == [(2000, None), (2001, None)]
