"""`status` says how fast an archive grows and for how long its disk has room."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from archive.clock import current_time
from archive.rebuild.rebuild import rebuild
from archive.reports.room import Room, read_room
from tests.archiving import Archive, capture, sohr


def fill(folder: Path, *sizes: tuple[str, int]) -> Path:
    """WARC files of these days and sizes; the last is still open."""
    (folder / "warc").mkdir()
    for number, (day, size) in enumerate(sizes, 1):
        ending = ".open" * (number == len(sizes))
        path = folder / "warc" / f"x-{day.replace('-', '')}-{number:06d}.warc.gz{ending}"
        path.write_bytes(bytes(size))
    return folder


def test_growth_is_of_the_last_month(tmp_path: Path) -> None:
    """The files of 30 days, the newest still open, and the database in proportion; the first crawl, longer
    ago, does not count."""
    fill(tmp_path, ("2026-01-01", 70_000), ("2026-02-20", 20_000), ("2026-02-28", 10_000))
    room = read_room(tmp_path, "2026-03-01T00:00:00Z", 50_000, 100_000)
    assert (room.over, room.growth) == (30, 45_000)
    assert room.days_left == pytest.approx(room.free / 1_500, abs=1)


def test_a_young_archive_has_no_rate(tmp_path: Path) -> None:
    """A first crawl fills a disk quickly and says nothing of a month; nor does an empty one."""
    assert read_room(tmp_path, "2026-02-28T12:00:00Z", 1, 0).over <= 0.5
    fill(tmp_path, ("2026-02-28", 10_000))
    young = read_room(tmp_path, "2026-02-28T12:00:00Z", 1, 1)
    assert young == Room(young.free, 0.5, None, None)


def test_an_archive_that_stands_still(tmp_path: Path) -> None:
    """No file for months, files dated after now or on no day: no rate, and no error."""
    fill(tmp_path, ("2026-02-28", 10_000), ("2026-02-31", 10_000), ("9999-99-99", 10_000))
    for now in ("2026-09-01T00:00:00Z", "2025-12-01T00:00:00Z"):
        room = read_room(tmp_path, now, 50_000, 100_000)
        assert (room.growth, room.days_left) == (None, None) and 0 <= room.over <= 30 and room.free > 0


def test_status_shows_it(tmp_path: Path) -> None:
    """Sizes, rate and days, as text and as JSON; after a rebuild too, which begins no file."""
    folder = tmp_path / "archive"
    with Archive(folder) as archive:
        archive.take(capture(1, "2026-01-02T10:00:00Z", "A line of this post."))
    (path,) = (folder / "warc").iterdir()
    today = current_time().strftime("%Y%m%d")
    path.rename(path.with_name(path.name.replace(f"-{today}-", "-20260102-")))
    rebuild(folder)
    status = ["status", "--json"]
    told = json.loads(sohr(folder, *status, clock="2026-01-12T00:00:00Z").out)
    room = told["room"]
    assert room["over"] == 10 and room["free"] > 0
    assert room["growth"] == pytest.approx(3 * (told["database_size"] + told["warc_size"]), rel=0.01)
    ran = sohr(folder, "status", clock="2026-01-12T00:00:00Z")
    [line] = [line for line in ran.lines if "free on its disk" in line]
    assert line.endswith("a month (the rate of 10 days)") and f"{room['days_left']:,}"[:3] in line
