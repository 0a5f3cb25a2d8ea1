"""`status` says how fast an archive grows and for how long its disk has room."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from archive.reports.room import Room, read_room
from tests.archiving import Archive, capture, sohr


@pytest.fixture
def conn() -> sqlite3.Connection:
    """An index of three WARC files, of January, February and yesterday."""
    found = sqlite3.connect(":memory:")
    found.execute("create table warc_files (name text, opened_at text)")
    days = ("2026-01-01", "2026-02-20", "2026-02-28")
    found.executemany("insert into warc_files values (?, ?)", [(d, f"{d}T00:00:00Z") for d in days])
    return found


def test_growth_is_of_the_last_month(conn: sqlite3.Connection, tmp_path: Path) -> None:
    """The files of 30 days, the newest still open, and the database in proportion; the first crawl, longer
    ago, does not count."""
    (tmp_path / "warc").mkdir()
    for name, length in (("2026-01-01", 70_000), ("2026-02-20", 20_000), ("2026-02-28.open", 10_000)):
        (tmp_path / "warc" / name).write_bytes(bytes(length))
    room = read_room(conn, tmp_path, "2026-03-01T00:00:00Z", 50_000, 100_000)
    assert (room.over, room.growth) == (30, 45_000)
    assert room.days_left == pytest.approx(room.free / 1_500, abs=1)


def test_a_young_archive_has_no_rate(conn: sqlite3.Connection, tmp_path: Path) -> None:
    """A first crawl fills a disk quickly and says nothing of a month; nor does an empty one."""
    conn.execute("delete from warc_files where name < '2026-02-28'")
    young = read_room(conn, tmp_path, "2026-02-28T12:00:00Z", 1, 1)
    assert young == Room(young.free, 0.5, None, None)
    conn.execute("delete from warc_files")
    assert read_room(conn, tmp_path, "2026-02-28T12:00:00Z", 1, 0).over == 0


def test_an_archive_that_stands_still(conn: sqlite3.Connection, tmp_path: Path) -> None:
    """No file for months, evidence that is not mounted, files dated after now: no rate, and no error."""
    for now in ("2026-09-01T00:00:00Z", "2026-03-01T00:00:00Z", "2025-12-01T00:00:00Z"):
        room = read_room(conn, tmp_path, now, 50_000, 100_000)
        assert (room.growth, room.days_left) == (None, None) and 0 <= room.over <= 30 and room.free > 0


def test_status_shows_it(tmp_path: Path) -> None:
    """Sizes, rate and days, as text and as JSON."""
    folder = tmp_path / "archive"
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-02T10:00:00Z", "A line of this post."))
    with closing(sqlite3.connect(folder / "archive.db")) as conn, conn:
        conn.execute("update warc_files set opened_at = strftime('%Y-%m-%dT%H:%M:%SZ', 'now', '-10 days')")
    told = json.loads(sohr(folder, "status", "--json").out)
    room = told["room"]
    assert room["over"] == 10 and room["free"] > 0
    assert room["growth"] == pytest.approx(3 * (told["database_size"] + told["warc_size"]), rel=0.01)
    [line] = [line for line in sohr(folder, "status").lines if "free on its disk" in line]
    assert line.endswith("a month (the rate of 10 days)") and f"{room['days_left']:,}"[:3] in line
