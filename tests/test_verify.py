"""`verify` names what is wrong with an archive, and nothing else."""

from __future__ import annotations

import json
import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.errors import Locked
from archive.rebuild.rebuild import repair
from archive.rebuild.verify import Finding
from archive.warc.files import warc_files
from archive.warc.manifests import find_seal, manifests, write_manifest
from archive.warc.reader import read
from tests.archiving import Archive, capture, sohr
from tests.crawling import rows
from tests.damaging import files, findings, flip, tamper
from tests.made_once import copy_archive


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    """The archive, to be damaged."""
    return copy_archive(intact, tmp_path / "archive")


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
