"""`verify` names what is wrong with an archive, and nothing else; `repair` and `backup` touch nothing that is
whole."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive.errors import CannotWrite, DamagedWarc, Locked
from archive.read.database import open_readonly
from archive.rebuild.backup import backup
from archive.rebuild.rebuild import rebuild, repair
from archive.rebuild.verify import Finding, verify
from archive.warc import writer
from archive.warc.files import warc_files
from archive.warc.manifests import find_seal, manifests, write_manifest
from archive.warc.reader import read
from tests.archiving import Archive, capture, dump, sohr
from tests.crawling import rows, running, until
from tests.replica.server import Replica

DAYS = ("2026-01-02", "2026-01-03", "2026-01-04")


@pytest.fixture(scope="module")
def intact(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three runs on three days: two closed files and an open one, three manifests, versions, changes, links,
    terms, failures."""
    folder = tmp_path_factory.mktemp("verify") / "archive"
    for number, day in enumerate(DAYS):
        size = files(folder)[-1].stat().st_size if number else 10**9
        with pytest.MonkeyPatch.context() as patch:
            # Each run begins a file, and is shorter than the one before
            patch.setattr(writer, "ROTATE_BYTES", size)
            with Archive(folder) as archive:
                archive.take(
                    *(
                        capture(20 + n, f"{day}T09:00:00Z", status=404, body=b"gone")
                        for n in range(4 - 2 * number)
                    ),
                    capture(1, f"{day}T10:00:00Z", f"It says {number} today.", "And more."),
                    capture(
                        2,
                        f"{day}T10:00:01Z",
                        "It says the same.",
                        f'A <a href="http://127.0.0.1:9/en/1/">link</a> {number}.',
                    ),
                    capture(3, f"{day}T10:00:02Z", status=404, body=b"gone"),
                    capture(4, f"{day}T10:00:03Z", body=b"<html><body>No layout reads this.</body></html>"),
                )
    return folder


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    """The archive, to be damaged."""
    shutil.copytree(intact, tmp_path / "archive")
    return tmp_path / "archive"


def findings(folder: Path, **options: object) -> list[Finding]:
    """What `verify` finds."""
    return list(verify(folder, **options))  # type: ignore[arg-type]


def flip(path: Path, at: int) -> None:
    """One bit of a file."""
    raw = bytearray(path.read_bytes())
    raw[at] ^= 4
    path.write_bytes(raw)


def tamper(folder: Path, *statements: str) -> None:
    """Change rows as nobody may: past triggers and foreign keys."""
    with closing(sqlite3.connect(folder / "archive.db")) as db:
        for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
            db.execute(f"drop trigger {name}")
        for statement in statements:
            db.execute(statement)
        db.commit()


def files(folder: Path) -> list[Path]:
    """The WARC files in order."""
    return [file.path for file in warc_files(folder / "warc")]


# -- verify --------------------------------------------------------------------------------------------------


def test_an_intact_archive_is_silent(intact: Path) -> None:
    """No finding, and 0; with every row derived again too, and with its own head."""
    ran = sohr(intact, "verify", "--deep", "--head", manifests(intact)[-1].digest)
    assert (ran.status, ran.out) == (0, b"") and ran.err.endswith(": everything matches.\n")
    assert findings(intact, head=manifests(intact)[0].digest) == []
    assert [path.suffix for path in files(intact)] == [".gz", ".gz", ".open"]


def test_a_flipped_bit_in_any_record_is_named(folder: Path) -> None:
    """Wherever it strikes in the open file: the record, or the file, and nothing else."""
    path = files(folder)[-1]
    whole = path.read_bytes()
    offsets = [(s.position.offset, s.position.length) for s in read(warc_files(folder / "warc")[-1])]
    for offset, length in offsets:
        for share in (0.02, 0.3, 0.6, 0.99):
            flip(path, offset + int(length * share))
            found = findings(folder)
            assert found and {f.thing.split(":")[0] for f in found} == {path.name.removesuffix(".open")}, (
                offset,
                share,
                found,
            )
            path.write_bytes(whole)
    assert findings(folder) == []


def test_a_flipped_bit_in_a_closed_file_is_named(folder: Path) -> None:
    """Its record, and the file by its digest."""
    path = files(folder)[0]
    (offset,) = rows(folder, "select min(offset) from captures where warc_file_id = 1")[0]
    flip(path, offset + 100)
    ran = sohr(folder, "verify", "--json")
    found = [json.loads(line) for line in ran.lines]
    assert ran.status == 1 and "2 findings" in ran.err
    assert [f["thing"] for f in found] == [path.name, f"{path.name}:{offset}"]


@pytest.mark.parametrize("column", ["text", "title", "text_digest", "same_digest"])
def test_a_changed_version_is_named(folder: Path, column: str) -> None:
    """One letter of its text or title, or a digest."""
    value = (
        "zeroblob(32)"
        if column.endswith("digest")
        else f"replace(substr({column}, 1, 1), substr({column}, 1, 1), 'x') || substr({column}, 2)"
    )
    tamper(folder, f"update versions set {column} = {value} where version_id = 3")
    ((name, number),) = rows(
        folder,
        "select source || ':' || key, number from versions join articles using (article_id) where "
        "version_id = 3",
    )
    assert [f.thing for f in findings(folder)] == [f"{name} version {number}"]


def test_a_deleted_version_is_named(folder: Path) -> None:
    """By article and number, whichever it was; and the rows that point at it."""
    every = rows(
        folder,
        "select version_id, source || ':' || key, number from versions join articles using (article_id)",
    )
    assert len(every) == 6
    for version_id, name, number in every:
        copy = folder.with_name(f"without-{version_id}")
        shutil.copytree(folder, copy)
        tamper(copy, f"delete from versions where version_id = {version_id}")
        found = findings(copy)
        assert (
            Finding(
                "absent", f"{name} version {number}", f"version {number} of {name} is not there", "rebuild"
            )
            in found
        )
        assert all("row of versions" in f.sentence for f in found if f.thing != f"{name} version {number}")


def test_a_deleted_change_is_named(folder: Path) -> None:
    """The feed has no gaps."""
    tamper(folder, "delete from changes where seq = 3")
    assert [f.thing for f in findings(folder)] == ["changes 3"]


def test_a_removed_file_is_named_once(folder: Path) -> None:
    """And not each of its records."""
    for path in files(folder):
        moved = path.rename(folder / "aside")
        assert [(f.kind, f.thing) for f in findings(folder)] == [("absent", path.name.removesuffix(".open"))]
        moved.rename(path)


def test_a_shortened_file_is_named(folder: Path) -> None:
    """By the manifest that knows how long it was; and the captures that are gone with it."""
    path = files(folder)[-1]
    size = path.stat().st_size
    (offset,) = rows(folder, "select max(offset) from captures where warc_file_id = 3")[0]
    with open(path, "r+b") as file:
        file.truncate(offset)
    found = findings(folder)
    assert {f.thing.split(":")[0] for f in found} == {
        path.name.removesuffix(".open")
    } and f"of {size}" in found[0].sentence


def test_each_byte_of_a_manifest_counts(folder: Path) -> None:
    """Flipped anywhere in any of them, and the newest one: that manifest is named, and no other."""
    for manifest in manifests(folder):
        whole = manifest.path.read_bytes()
        for at in range(0, len(whole), 7):
            flip(manifest.path, at)
            found = findings(folder)
            assert [f.thing for f in found] == [f"manifests/{manifest.path.name}"], (at, found)
            manifest.path.write_bytes(whole)


def test_swapped_manifests_are_named(folder: Path) -> None:
    """Both, and no other."""
    first, second, _ = (m.path for m in manifests(folder))
    one, two = first.read_bytes(), second.read_bytes()
    first.write_bytes(two)
    second.write_bytes(one)
    assert [f.thing for f in findings(folder)] == ["manifests/000001.json", "manifests/000002.json"]


def test_a_removed_manifest_is_named(folder: Path) -> None:
    """One in the middle by its gap; the newest by what it sealed, or, once that is sealed again, by the
    digest that was kept elsewhere."""
    _, two, three = manifests(folder)
    raw = two.path.read_bytes()
    two.path.unlink()
    assert [f.thing for f in findings(folder)] == ["manifests/000002.json"]
    two.path.write_bytes(raw)
    three.path.unlink()
    assert [f.sentence.partition(" are in no manifest")[1:] for f in findings(folder)] == [
        (" are in no manifest", ", perhaps after a crash: run 'sohr-archive repair'")
    ]
    assert repair(folder) == (0, 0)
    assert findings(folder) == []  # without the digest there is nothing that could tell
    ran = sohr(folder, "verify", "--head", three.digest)
    assert ran.status == 1 and three.digest in ran.lines[0]


def test_a_chain_written_anew_is_named(folder: Path) -> None:
    """Each manifest right by itself, and not those that were."""
    head = manifests(folder)[-1].digest
    shutil.rmtree(folder / "manifests")
    write_manifest(folder, "forged", "2026-01-05T00:00:00Z")
    assert findings(folder) == []
    assert [f.thing for f in findings(folder, head=head)] == ["manifests"]


def test_a_crawl_goes_on_behind_a_damaged_manifest(folder: Path) -> None:
    """It is named until it is restored, and stops nobody."""
    path = manifests(folder)[-1].path
    path.write_bytes(b"{")
    with Archive(folder) as archive:
        archive.take(capture(9, "2026-01-04T11:00:00Z", "Text.", "More."))
    assert [f.thing for f in findings(folder)] == ["manifests/000003.json"]


def test_deep_finds_a_changed_row_in_each_table(intact: Path, tmp_path: Path) -> None:
    """Whichever table, changed, removed or added, that row is named."""
    changed = {
        "about": "update about set value = 'x' where key = 'home'",
        "aliases": "update aliases set first_seen_at = 'x' where alias_id = 2",
        "articles": "update articles set url = 'x' where article_id = 1",
        "captures": "update captures set content_type = 'x' where capture_id = 2",
        "changes": "update changes set severity = 1 where seq = 1",
        "crawls": "update crawls set counters = '{\"x\": 1}' where crawl_id = 1",
        "failures": "update failures set detail = 'x' where failure_id = 1",
        "links": "update links set text = 'x' where link_id = (select min(link_id) from links)",
        "versions": "update versions set author = 'x' where version_id = 1",
        "day_counts": "update day_counts set captured = 99 where day = (select min(day) from day_counts)",
        "edit_counts": "insert into edit_counts values ('1999-01', 'figures', 1)",
        "figures": (
            "insert into figures (version_id, line, start, end, written, value, sentence_start, "
            "sentence_end, series) values (1, 99, 0, 1, 'x', 1, 0, 1, 1)"
        ),
        "series": "insert into series values (1, 'en', 2, 0, 'x', 'x', 1, 2, 1, 1, 0)",
        "index_pages": "insert into index_pages values ('x', 'wayback', 1, 'x', null, 0, 0, 0, 0)",
        "listed_captures": (
            "insert into listed_captures (service, identity, post, edition, url, at, digest) "
            "values ('wayback', 'x', 'en:1', 'en', 'x', 'x', '')"
        ),
        "noise_counts": "insert into noise_counts values ('en', '2026-01-02', 'stale_copy', 1)",
        "channels": "insert into channels (edition, channel, scope) values ('en', 'rest', 'x')",
        "digests": (
            "insert into digests (article_id, channel, first_seen_at, first_capture_id, last_seen_at) "
            "values (1, 'feed', 'x', 1, 'x')"
        ),
        "pending_outcomes": "insert into pending_outcomes values (1, 1, 'moved', '{}', null)",
        "promotions": "insert or replace into promotions values (1, 'x')",
        "swept_ids": "insert into swept_ids values ('en', 1, 'x')",
        "coverage_days": "insert into coverage_days values ('en', '2026-01-01', 'x')",
        "terms": "insert into terms (taxonomy, name) values ('tag', 'x')",
        "stretches": "insert into stretches (edition) values ('en')",
        "listing_pages": "insert into listing_pages values (1, 1, 'en', 'home', 1, 1, 1, 1, null, null)",
        "parts": "insert into parts values (1, 'x', 1, 2, '{}')",
        "sightings": (
            "insert into sightings (article_id, channel, claims, first_seen_at, last_seen_at) values "
            "(1, 'x', '{}', 'x', 'x')"
        ),
        "article_terms": "insert into article_terms values (1, 1)",
        "claim_sets": "update claim_sets set claims = '[]' where claim_set_id = 1",
        "search": "insert into search (rowid, title, text) values (1, 'x', 'x')",
    }
    with closing(sqlite3.connect(intact / "archive.db")) as db:
        names = {
            name
            for (name,) in db.execute("select name from sqlite_master where type = 'table'")
            if not re.match("search_|_?sqlite|warc_files", name)
        }
    assert names == set(changed)
    for table, statement in changed.items():
        folder = tmp_path / table
        shutil.copytree(intact, folder)
        tamper(
            folder,
            "insert into terms (taxonomy, name) values ('tag', 'y')"
            if table == "article_terms"
            else "select 1",
            statement,
        )
        found = [
            f for f in findings(folder, deep=True) if not (table == "article_terms" and f.thing == "terms 1")
        ]
        # Of the former only what versions make of it is evidence
        told_by = {"claim_sets": "versions"}.get(table, table)
        assert {f.thing.split()[0] for f in found} == {told_by}, (table, found)


def test_deep_names_a_deleted_row_by_its_key(folder: Path) -> None:
    """And not all rows after it."""
    tamper(folder, "delete from captures where capture_id = 2")
    found = [f for f in findings(folder, deep=True) if f.thing.startswith("captures")]
    assert Finding("absent", "captures 2", "row 2 of captures is not there", "rebuild") in found


def test_deep_says_where_the_evidence_fails_it(folder: Path) -> None:
    """A damaged record is a finding there too, not an error."""
    (offset,) = rows(folder, "select min(offset) from captures where warc_file_id = 1")[0]
    flip(files(folder)[0], offset + 100)
    assert findings(folder, deep=True)[-1].sentence.startswith("its rows cannot be derived again")


def test_a_damaged_database_is_a_finding(folder: Path) -> None:
    """Whatever SQLite says of it."""
    raw = bytearray((folder / "archive.db").read_bytes())
    for first in (8, 1):
        for at in range(4096 * first, len(raw), 4096):
            raw[at : at + 16] = b"\xff" * 16
        (folder / "archive.db").write_bytes(raw)
        assert findings(folder)[-1].thing == "archive.db"


def test_a_crawl_at_work_is_no_damage(folder: Path) -> None:
    """What it has written and not indexed yet is not looked at; `--deep` asks to wait."""
    archive = Archive(folder)
    archive.take(capture(9, "2026-01-04T11:00:00Z", "Text.", "More."))
    archive.writer.warc.append_exchange(capture(10, "2026-01-04T11:00:00Z", "Text.", "More."))
    archive.writer.warc.sync()
    with open(files(folder)[-1], "ab") as file:
        file.write(b"\x1f\x8b\x08\x00half a record")
    assert findings(folder) == []
    with pytest.raises(Locked):
        findings(folder, deep=True)
    archive.writer._lock.close()
    assert {f.thing.split(":")[0] for f in findings(folder)} == {files(folder)[-1].name.removesuffix(".open")}


# -- repair --------------------------------------------------------------------------------------------------


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
    before = dump(folder)
    rebuild(folder)
    assert dump(folder) == before


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


# -- backup --------------------------------------------------------------------------------------------------


def test_a_backup_during_a_crawl_is_of_one_instant(tmp_path: Path) -> None:
    """Whole by SQLite's own check, by its digest, and by ours against the evidence."""
    with Replica(posts=25, slow_ms=10) as replica, running(replica, tmp_path / "a") as run:
        until(lambda: (tmp_path / "a" / "archive.db").exists() and replica.count() > 20, "some posts")
        for number in range(3):
            ran = sohr(tmp_path / "a", "backup", tmp_path / f"{number}.db")
            assert ran.status == 0, ran
            digest = hashlib.sha256((tmp_path / f"{number}.db").read_bytes()).hexdigest()
            assert (
                tmp_path / f"{number}.db.sha256"
            ).read_text() == f"{digest}  {number}.db\n" and digest in ran.lines[0]
        run.wait()
    for number in range(3):
        copy = tmp_path / f"of {number}"
        shutil.copytree(tmp_path / "a", copy, ignore=shutil.ignore_patterns("archive.db*"))
        shutil.copy(tmp_path / f"{number}.db", copy / "archive.db")
        assert (
            rows(copy, "pragma integrity_check") == [("ok",)] and rows(copy, "pragma foreign_key_check") == []
        )
        assert {re.sub(".*: ", "", f.sentence) for f in findings(copy)} <= {"run 'sohr-archive repair'"}
        repair(copy)
        assert findings(copy) == [] and dump(copy)["versions"] == dump(tmp_path / "a")["versions"]


def test_a_backup_that_cannot_be_written_says_so(folder: Path) -> None:
    """73, a sentence, and no file."""
    ran = sohr(folder, "backup", folder.parent / "nowhere" / "x.db")
    assert ran.status == 73 and len(ran.err.splitlines()) == 1 and "give another place" in ran.err
    assert not list(folder.parent.rglob("*.partial"))


def test_a_backup_to_a_full_disk_says_so(folder: Path, tiny: Callable[[int], Path]) -> None:
    """The copy before it stays."""
    disk = tiny(64)
    (disk / "x.db").write_bytes(b"SQLite format 3\0, the copy before")
    ran = sohr(folder, "backup", disk / "x.db")
    assert ran.status == 73 and "free the disk" in ran.err
    assert [path.name for path in disk.iterdir()] == ["x.db"] and (
        disk / "x.db"
    ).read_bytes() == b"SQLite format 3\0, the copy before"


def test_a_backup_never_replaces_the_archive(folder: Path) -> None:
    """Nor any file of it."""
    before = dump(folder)
    for name in ("archive.db", "warc/x.db", "archive.db-wal"):
        with (
            closing(open_readonly(folder)) as conn,
            pytest.raises(CannotWrite, match="a file of the archive itself"),
        ):
            backup(conn, folder / name, folder)
    assert dump(folder) == before


def test_a_backup_replaces_a_backup_and_nothing_else(folder: Path, tmp_path: Path) -> None:
    """A file of another kind stays as it is."""
    (tmp_path / "letter").write_text("Dear all")
    ran = sohr(folder, "backup", tmp_path / "letter")
    assert ran.status == 73 and "give another name" in ran.err and len(ran.err.splitlines()) == 1
    assert (tmp_path / "letter").read_text() == "Dear all"
    for _ in range(2):
        assert sohr(folder, "backup", tmp_path / "x.db").status == 0


@pytest.fixture
def tiny(tmp_path: Path):  # type: ignore[no-untyped-def]
    """Makes a file system of so many KiB; skipped where that is not allowed."""
    mounted: list[Path] = []

    def make(kib: int) -> Path:
        disk = tmp_path / "tiny"
        disk.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={kib}k", "tmpfs", str(disk)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no small file system here: {done.stderr.strip()}")
        mounted.append(disk)
        return disk

    yield make
    for disk in mounted:
        subprocess.run(["umount", str(disk)], check=False)


def test_years_of_manifests(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The end of a crawl and the page of a capture read a few of them, however many there are."""
    (tmp_path / "warc").mkdir()
    for day in range(10):
        file = tmp_path / "warc" / f"x-2026010{day}-{day + 1:06d}.warc.gz"
        for number in range(30):
            with open(file, "ab") as stream:
                stream.write(f"{day} {number}\n".encode())
            write_manifest(tmp_path, "crawl", f"2026-01-{day + 10}T10:00:00Z")
    assert len(manifests(tmp_path)) == 300
    reads: list[Path] = []
    whole = Path.read_bytes

    def counted(path: Path) -> bytes:
        reads.append(path)
        return whole(path)

    monkeypatch.setattr(Path, "read_bytes", counted)
    with open(file, "ab") as stream:
        stream.write(b"one more\n")
    assert write_manifest(tmp_path, "crawl", "2026-01-20T10:00:00Z")
    assert len(reads) < 5
    for serial, number in ((1, 1), (5, 121), (10, 271)):
        seal = find_seal(tmp_path, serial, 0)
        assert seal and seal.number == number
    assert len(reads) < 50
