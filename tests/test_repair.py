"""`repair` and `rebuild` cut torn ends, pass over damage and name it, and touch nothing that is whole."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.errors import DamagedWarc
from archive.rebuild.rebuild import rebuild, repair
from archive.warc.files import warc_files
from archive.warc.reader import read
from tests.archiving import Archive, capture, check_rebuild, dump, sohr
from tests.crawling import rows
from tests.damaging import files, findings, flip
from tests.made_once import copy_archive


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    """The archive, to be damaged."""
    return copy_archive(intact, tmp_path / "archive")


def torn(path: Path, tail: bytes) -> bytes:
    """Add bytes after the last record of a file; return what was there before."""
    whole = path.read_bytes()
    path.write_bytes(whole + tail)
    return whole


@pytest.mark.parametrize("share", [1, 7, 200, -1])
def test_repair_cuts_a_torn_record(folder: Path, share: int) -> None:
    """However much of it was written; nothing before it changes, and a second time there is nothing to do."""
    path = files(folder)[-1]
    member = path.read_bytes()[: read_first(folder)]
    before, whole = dump(folder), torn(path, member[:share])
    cut = len(member[:share])
    assert repair(folder) == (cut, 0)
    assert path.read_bytes() == whole and dump(folder) == before
    assert repair(folder) == (0, 0)
    assert findings(folder) == []


def read_first(folder: Path) -> int:
    """Where the second record of the newest file begins."""
    return next(read(warc_files(folder / "warc")[-1])).position.offset


def test_repair_cuts_what_a_power_cut_left(folder: Path) -> None:
    """Zeros, or other bytes that are no record: cut, and kept beside the file, never over an earlier
    piece."""
    path = files(folder)[-1]
    kept = path.with_name(f"{path.name}.cut-{path.stat().st_size}")
    tails = (bytes(5000), b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03" + b"\xff" * 300)
    for tail, name in zip(tails, (kept.name, f"{kept.name}.1"), strict=True):
        whole = torn(path, tail)
        assert repair(folder) == (len(tail), 0)
        assert path.read_bytes() == whole
        assert path.with_name(name).read_bytes() == tail
    assert kept.read_bytes() == tails[0]
    assert findings(folder) == []


def test_repair_never_touches_a_whole_record(folder: Path) -> None:
    """Damage with records after it is not a torn end, nor is damage in sealed bytes: the file stays, and the
    sentence names it."""
    path = files(folder)[-1]
    sealed = path.stat().st_size
    flip(path, sealed - 30)  # the last record, in a manifest and indexed
    damaged = path.read_bytes()
    (folder / "archive.db").unlink()
    ran = sohr(folder, "repair")
    assert ran.status == 73 and path.name.removesuffix(".open") in ran.err and path.read_bytes() == damaged
    (folder / "archive.db").unlink()
    shutil.rmtree(folder / "manifests")
    flip(path, sealed - 30)
    flip(path, read_first(folder) + 40)  # the second record, in no manifest and not indexed
    damaged = path.read_bytes()
    with pytest.raises(DamagedWarc):
        repair(folder)
    assert path.read_bytes() == damaged


def test_repair_passes_over_damage_and_names_it(folder: Path) -> None:
    """With no database, a flipped bit in one record costs that record: all else is indexed, the next crawl
    works, and a restored file is whole."""
    intact_rows = dump(folder)
    first = files(folder)[0]
    raw = first.read_bytes()
    ((offset, length, url),) = rows(
        folder, "select offset, length, url from captures order by capture_id limit 1 offset 4"
    )
    flip(first, offset + length // 2)
    (folder / "archive.db").unlink()
    ran = sohr(folder, "repair")
    assert (
        ran.status == 73
        and f": {first.name}:{offset} cannot be read" in ran.err
        and "sohr-archive rebuild" in ran.err
    )
    count = len(intact_rows["captures"])
    assert (
        rows(folder, "select count(*), count(*) filter (where url = ?) from captures", url)[0][0] == count - 1
    )
    assert {f.thing for f in findings(folder)} == {first.name, f"{first.name}:{offset}"}
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-05T10:00:00Z", "It says 7 today.", "And more."))
    assert sohr(folder, "repair").status == 0  # it was told
    first.write_bytes(raw)
    assert [f.sentence for f in findings(folder)] == [
        f"the record at byte {offset} of {first.name} is not in the database: run 'sohr-archive rebuild'"
    ]
    rebuild(folder)
    assert findings(folder, deep=True) == []
    assert len(dump(folder)["captures"]) == count + 1


def test_rebuild_passes_over_damage_and_names_it(folder: Path) -> None:
    """All else is indexed, and the database that knew more is kept; with the file restored, all is as
    before."""
    first = files(folder)[0]
    raw, before = first.read_bytes(), dump(folder)
    ((offset, length),) = rows(folder, "select offset, length from captures order by capture_id limit 1")
    flip(first, offset + length // 2)
    ran = sohr(folder, "rebuild")
    assert ran.status == 73 and f": {first.name}:{offset} cannot be read" in ran.err
    assert len(dump(folder)["captures"]) == len(before["captures"]) - 1
    (kept,) = folder.glob("archive.db.before-*Z")
    with closing(sqlite3.connect(kept)) as old:
        assert old.execute("select count(*) from captures").fetchone() == (len(before["captures"]),)
    first.write_bytes(raw)
    assert sohr(folder, "rebuild").status == 0 and dump(folder) == before


@pytest.mark.parametrize("which", ["response", "event", "several", "last"])
def test_repair_passes_over_damage_wherever_it_is(folder: Path, which: str) -> None:
    """In the open file too; what is whole is indexed once."""
    path = files(folder)[-1]
    stored = list(read(warc_files(folder / "warc")[-1]))
    captures = [s.position for s in stored if s.capture]
    events = [s.position for s in stored if s.event]
    struck = {
        "response": captures[:1],
        "event": events[-1:],
        "several": captures[:3],
        "last": [stored[-1].position],
    }[which]
    shutil.rmtree(folder / "manifests")
    if which == "last":
        with Archive(folder) as archive:  # records behind it, but for a torn one
            archive.take(capture(1, "2026-01-05T10:00:00Z", "It says 7 today.", "And more."))
        shutil.rmtree(folder / "manifests")
    for position in struck:
        flip(path, position.offset + position.length // 2)
    (folder / "archive.db").unlink()
    with pytest.raises(DamagedWarc) as refused:
        repair(folder)
    assert re.findall(r":(\d+)\b", str(refused.value)) == [str(position.offset) for position in struck]
    assert len({f.thing for f in findings(folder)}) == len(struck)
    assert repair(folder) == (0, 0)
    assert (
        rows(folder, "select count(*), count(distinct record_id) from captures")[0][0]
        == rows(folder, "select count(distinct record_id) from captures")[0][0]
    )


@pytest.mark.real_process
def test_a_crawl_that_was_killed_is_ended_by_the_next(tmp_path: Path) -> None:
    """As of its last sign, without an exit status; in the evidence, so that a rebuild knows it too."""
    folder = tmp_path / "a"
    with Archive(folder) as archive:  # none of these tells its end
        archive.take(capture(1, "2039-01-04T12:00:00Z", "Text.", "More.", crawl=archive.name))
    assert rows(folder, "select finished_at from crawls") == [(None,)]
    for _ in range(2):
        with Archive(folder):
            pass
    first, second, last = rows(
        folder,
        "select finished_at, finish_reason, exit_status, verdict, started_at from crawls order by crawl_id",
    )
    assert (
        first[:4] == ("2039-01-04T12:00:00Z", "interrupted", None, "cut off")
        and second[0] == second[4]
        and last[0] is None
    )
    check_rebuild(folder)


def test_repair_indexes_what_the_database_lacks(folder: Path) -> None:
    """Records that were durable when the process died before their rows were written."""
    before = dump(folder)
    archive = Archive(folder)
    archive.writer.warc.append_exchange(capture(1, "2026-01-04T12:00:00Z", "It says 5 today.", "And more."))
    archive.writer.warc.sync()
    archive.writer._lock.close()
    assert [f.sentence.endswith("run 'sohr-archive repair'") for f in findings(folder)] == [True]
    assert repair(folder) == (0, 1)
    assert findings(folder, deep=True) == []
    assert len(dump(folder)["versions"]) == len(before["versions"]) + 1


def test_a_rebuild_gives_back_the_digests_of_closed_files(folder: Path) -> None:
    """They are of the files, so any index may hold them."""
    before = rows(folder, "select serial, name, size, sha256 from warc_files order by serial")
    assert [bool(sha256) for *_, sha256 in before] == [True, True, False]
    rebuild(folder)
    assert rows(folder, "select serial, name, size, sha256 from warc_files order by serial") == before
    assert findings(folder, deep=True) == []
