"""An answer that repeats an earlier one is kept once, and every way of reading it gives the whole."""

from __future__ import annotations

import gzip
import hashlib
import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from warcio.archiveiterator import ArchiveIterator

from archive.browse.evidence import read_back
from archive.errors import DamagedWarc
from archive.model import Capture
from archive.read.api import Archive as Reader
from archive.rebuild.rebuild import rebuild
from archive.rebuild.verify import verify
from archive.warc import writer
from archive.warc.files import warc_files
from archive.warc.manifests import write_manifest
from archive.warc.reader import read, read_response
from archive.warc.revisits import Bodies
from tests.archiving import HOME, LONG, Archive, capture, dump, kinds, well
from tests.crawling import check_warcs, rows
from tests.damaging import DAYS, findings, flip, new_file, tamper

ROBOTS = "select offset, length from captures where url like '%robots.txt' order by capture_id limit 1"
NAMED = "select name, offset, capture_id from captures join warc_files using (warc_file_id)"


def robots(at: str, body: bytes = b"User-agent: *\nDisallow: /private/\n" * 40) -> Capture:
    """A robots.txt of more than one KiB."""
    return Capture(
        f"{HOME}robots.txt",
        200,
        (("Content-Type", "text/plain"), ("X-Asked", at)),
        body,
        at,
        channel="robots",
    )


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three days, a file each; repeats within a batch, across batches, across files and addresses."""
    folder = tmp_path_factory.mktemp("revisits") / "archive"
    for number, day in enumerate(DAYS):
        with new_file(folder) as archive:
            missing = b"<html><title>Page not found</title>" + b"<p>Nothing is here.</p>" * 80
            archive.take(
                robots(f"{day}T08:00:00Z"),
                capture(1, f"{day}T09:00:00Z", LONG, "And more." if number != 1 else "And less."),
                capture(1, f"{day}T09:00:01Z", LONG, "And more." if number != 1 else "And less."),
                capture(7, f"{day}T09:00:02Z", status=404, body=missing),
                capture(8, f"{day}T09:00:03Z", status=404, body=missing),
                capture(9, f"{day}T09:00:04Z", "Short.", "Short."),
            )
            archive.take(robots(f"{day}T10:00:00Z"))
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The archive, to be damaged."""
    shutil.copytree(made, tmp_path / "archive")
    return tmp_path / "archive"


def test_a_body_is_kept_once(made: Path) -> None:
    """Each longer one that was there before is referred to: by id, address, date, digest and place; a
    reference never leads to another."""
    first = ["response", "response", "revisit", "response", "revisit", "response", "revisit"]
    second = ["revisit", "response", "revisit", "revisit", "revisit", "response", "revisit"]
    third = ["revisit", "revisit", "revisit", "revisit", "revisit", "response", "revisit"]
    assert len(warc_files(made / "warc")) == 3
    assert kinds(made) == first + second + third
    every = {
        (s.position.serial, s.position.offset): s
        for file in warc_files(made / "warc")
        for s in read(file)
        if s.capture
    }
    for stored in every.values():
        if original := stored.position.original:
            there = every[original.serial, original.offset]
            assert there.position.original is None and there.position.record_id == original.record_id
            assert there.capture and stored.capture and there.capture.body == stored.capture.body
            assert (there.capture.url, there.capture.captured_at) == (original.url, original.at)
    check_warcs(made)
    assert rows(
        made,
        "select count(*) from captures c join captures o on o.capture_id = c.original_id where "
        "o.original_id is not null",
    ) == [(0,)]


def test_what_was_repeated_reads_as_if_it_were_not(made: Path) -> None:
    """Body, status and its own headers: from the file, the database's row, the Python API, the page of the
    evidence."""
    every = rows(
        made,
        "select name, serial, offset, payload_sha256, c.size, captured_at, url from captures c join "
        "warc_files using (warc_file_id)",
    )
    for name, serial, offset, sha256, size, at, url in every:
        path = next(file.path for file in warc_files(made / "warc") if file.serial == serial)
        one = read_response(path, offset)
        assert (len(one.body), one.captured_at, one.url) == (size, at, url)
        assert one.header("x-asked") in (None, at)
        shown = read_back(made, {"warc": name, "offset": offset, "payload_sha256": sha256})
        assert shown.capture is not None and shown.digest == sha256 and shown.capture.body == one.body
    with Reader.open(made) as reader:
        article = reader.article("en", 1)
        assert [version.number for version in article.versions] == [1, 2, 3]
        first, _, third = (reader.evidence(version) for version in article.versions)
        assert first.body == third.body and first.captured_at != third.captured_at


def test_rebuilt_without_the_database(folder: Path) -> None:
    """In the order of the records, references and all; `verify --deep` agrees."""
    before = dump(folder)
    (folder / "archive.db").unlink()
    rebuild(folder)
    assert dump(folder) == before
    assert list(verify(folder, deep=True)) == []


def test_nothing_depends_on_a_record_that_is_damaged(folder: Path) -> None:
    """The answer is then written whole again, and what comes later refers to that."""
    (offset, length) = rows(folder, ROBOTS)[0]
    flip(warc_files(folder / "warc")[0].path, offset + length // 2)
    with Archive(folder) as archive:
        archive.take(robots("2026-01-05T08:00:00Z"))
        archive.take(robots("2026-01-05T09:00:00Z"))
    assert rows(folder, "select original_id is null from captures order by capture_id desc limit 2") == [
        (0,),
        (1,),
    ]


def test_a_cut_body_is_never_repeated_nor_repeats(tmp_path: Path) -> None:
    """It may be any page's beginning."""
    body = b"<html>" + b"x" * 5000
    with Archive(tmp_path / "a") as archive:
        one = capture(1, "2026-01-02T00:00:00Z", body=body, truncated="disconnect")
        archive.take(
            one,
            capture(1, "2026-01-02T00:00:01Z", body=body),
            capture(2, "2026-01-02T00:00:02Z", body=body, truncated="disconnect"),
        )
    assert kinds(tmp_path / "a") == ["response"] * 3


# -- verify --------------------------------------------------------------------------------------------------


def test_an_altered_original_is_named_with_all_that_repeat_it(folder: Path) -> None:
    """Its record, and each capture whose body it holds."""
    file = warc_files(folder / "warc")[0]
    ((capture_id, offset, length),) = rows(
        folder, "select capture_id, offset, length from captures where url like '%/en/7/' and capture_id < 7"
    )
    flip(file.path, offset + length // 2)
    repeats = [row[:2] for row in rows(folder, f"{NAMED} where original_id = ?", capture_id)]
    assert len(repeats) == 5
    found = findings(folder)
    assert {f.kind for f in found} == {"mismatch"}
    assert {f.thing for f in found if ":" in f.thing} == {
        f"{file.name}:{offset}",
        *(f"{name}:{place}" for name, place in repeats),
    }
    assert (
        sum(
            f"has its body at byte {offset} of {file.name}, which is not as it was" in f.sentence
            for f in found
        )
        == 5
    )
    name, place = repeats[-1]
    with pytest.raises(
        DamagedWarc,
        match=f"at byte {place} of .* has its body in another record, and the record at byte {offset} of",
    ):
        read_response(next((folder / "warc").glob(f"{name}*")), place)


def test_a_removed_original_is_named_with_all_that_repeat_it(folder: Path) -> None:
    """Verify names the file once, and each capture elsewhere whose body was in it. Reading one says what is
    missing."""
    file = warc_files(folder / "warc")[0]
    file.path.unlink()
    repeats = rows(
        folder,
        """select f.name, c.offset from captures c join warc_files f using (warc_file_id) join captures o on
           o.capture_id = c.original_id
           where o.warc_file_id = 1 order by 1, 2""",
    )
    found = findings(folder)
    assert (found[0].kind, found[0].thing) == ("absent", file.name)
    assert {f.kind for f in found} == {"absent"}
    assert sorted(f.thing for f in found[1:11]) == sorted(f"{name}:{offset}" for name, offset in repeats)[:10]
    there = [(name, offset) for name, offset in repeats if name != file.name]
    assert len(there) >= 8
    with pytest.raises(DamagedWarc, match="WARC file 1 is not there"):
        read_response(next((folder / "warc").glob(f"{there[0][0]}*")), there[0][1])


def test_an_original_that_was_forged_is_named(folder: Path) -> None:
    """Written anew with right digests and a chain of manifests to match: it is not the record that the others
    refer to."""
    file = warc_files(folder / "warc")[0]
    whole = file.path.read_bytes()
    ((offset, length),) = rows(folder, ROBOTS)
    stored = next(s for s in read(file) if s.position.offset == offset)
    assert stored.capture
    appender = writer.Appender(folder / "forged", "x")
    other = stored.capture.body.replace(b"private", b"Private")
    appender.append_exchange(
        Capture(stored.capture.url, 200, stored.capture.headers, other, stored.capture.captured_at)
    )
    appender.close()
    forged = warc_files(folder / "forged")[0]
    position = next(s.position for s in read(forged) if s.capture)
    member = forged.path.read_bytes()[position.offset :]
    file.path.write_bytes(whole[:offset] + member + whole[offset + length :])
    shutil.rmtree(folder / "forged")
    shutil.rmtree(folder / "manifests")
    write_manifest(folder, "forged", "2026-01-05T00:00:00Z")
    assert f"{file.name}:{offset}" in {f.thing for f in findings(folder)}
    with pytest.raises(DamagedWarc, match=f"^{file.name}:.* cannot be read"):
        rebuild(folder)


def test_a_record_is_the_original_by_its_id_and_body(made: Path) -> None:
    """Another whole record at the place, or the right one with another digest than was referred to, is not
    taken for it."""
    originals = [
        s.position.original for file in warc_files(made / "warc") for s in read(file) if s.position.original
    ]
    one, other = originals[0], next(o for o in originals if o.offset != originals[0].offset)
    bodies = Bodies(made / "warc")
    assert hashlib.sha256(bodies.body(one)).hexdigest() == one.payload_sha256
    for wrong in (
        replace(one, offset=other.offset),
        replace(one, record_id=other.record_id),
        replace(one, offset=1),
        replace(one, offset=10**9),
    ):
        with pytest.raises(DamagedWarc):
            bodies.body(wrong)
    with pytest.raises(DamagedWarc, match="has another body than it had"):
        bodies.body(replace(one, payload_sha256=other.payload_sha256))


def test_a_row_that_refers_elsewhere_is_named(folder: Path) -> None:
    """The reference in the database is the record's."""
    ((name, offset, capture_id),) = rows(
        folder, f"{NAMED} where original_id is not null order by capture_id limit 1"
    )
    tamper(folder, f"update captures set original_id = null where capture_id = {capture_id}")
    assert [(f.kind, f.thing) for f in findings(folder)] == [("mismatch", f"{name}:{offset}")]


# -- subsets -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["warc", "wacz"])
def test_an_export_holds_the_originals(made: Path, tmp_path: Path, kind: str) -> None:
    """Of the newest version alone too, whose body is in the first file: each revisit's original is in the
    export, and is in its index."""
    target = tmp_path / f"x.{kind}"
    well(made, "export", "--format", kind, "--versions", "latest", "-o", target)
    index: list[dict[str, str]] = []
    if kind == "wacz":
        with zipfile.ZipFile(target) as package:
            index = [
                json.loads(line.split(b" ", 2)[2])
                for line in gzip.decompress(package.read("indexes/index.cdx.gz")).splitlines()
            ]
            target = Path(package.extract("archive/data.warc.gz", tmp_path))
    originals, repeats = {}, []
    with open(target, "rb") as stream:
        for record in ArchiveIterator(stream):
            header = record.rec_headers.get_header
            if record.rec_type == "response":
                originals[header("WARC-Record-ID")] = (
                    header("WARC-Target-URI"),
                    header("WARC-Date"),
                    header("WARC-Payload-Digest"),
                )
            if record.rec_type == "revisit":
                stated = ("WARC-Refers-To-Target-URI", "WARC-Refers-To-Date", "WARC-Payload-Digest")
                repeats.append((header("WARC-Refers-To"), tuple(header(name) for name in stated)))
    assert len(repeats) == 2 and all(originals[name] == stated for name, stated in repeats)
    if index:
        assert (
            sorted(line["mime"] for line in index) == ["text/html"] * (len(index) - 2) + ["warc/revisit"] * 2
        )
        assert {line["digest"] for line in index if line["mime"] == "warc/revisit"} < {
            line["digest"] for line in index
        }
