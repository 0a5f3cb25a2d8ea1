"""`backup` copies the database as of one instant, and replaces nothing but a backup."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive.errors import CannotWrite
from archive.read.database import open_readonly
from archive.rebuild.backup import backup
from archive.rebuild.rebuild import repair
from tests.archiving import dump, sohr
from tests.crawling import rows, running, until
from tests.damaging import findings
from tests.made_once import copy_archive
from tests.replica.server import Replica


@pytest.fixture
def folder(intact: Path, tmp_path: Path) -> Path:
    """The archive, to be damaged."""
    return copy_archive(intact, tmp_path / "archive")


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


def test_what_a_killed_backup_left_is_removed(folder: Path) -> None:
    """A day later, for it may be at work; at once if it had this process's number, as in a container."""
    names = [f".backup.db.{number}.partial" for number in ("1-journal", "2", os.getpid())]
    for name in names:
        (folder / name).write_bytes(b"half a database")
    os.utime(folder / names[0], (0, 0))
    with closing(open_readonly(folder)) as conn:
        backup(conn, folder / "backup.db", folder)
    assert [path.name for path in folder.glob(".*.partial*")] == [names[1]]


def test_a_backup_that_cannot_be_written_says_so(folder: Path) -> None:
    """73, a sentence, and no file."""
    ran = sohr(folder, "backup", folder.parent / "nowhere" / "x.db")
    assert ran.status == 73 and len(ran.err.splitlines()) == 1 and "make its folder first" in ran.err
    assert not list(folder.parent.rglob("*.partial"))


def test_a_backup_to_a_full_disk_says_so(
    folder: Path, tmp_path: Path, room: Callable[[Path, int], None]
) -> None:
    """The copy before it stays."""
    disk = tmp_path / "small"
    room(disk, 64)
    (disk / "x.db").write_bytes(b"SQLite format 3\0, the copy before")
    ran = sohr(folder, "backup", disk / "x.db")
    assert ran.status == 73 and "free some space" in ran.err
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
