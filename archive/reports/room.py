"""How fast an archive grows, and for how long its disk has room."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from archive.clock import format_time, parse_time, read_day
from archive.folder import WARC
from archive.warc.files import warc_files

MONTH = 30  # days
SHORTEST = 2.0  # days from which growth is measured; the first crawl of a site fills a disk quickly


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes, and days. ``growth`` is of WARC files and database in a month, at the rate of the last ``over``
    days; it and ``days_left`` are None for an archive younger than two days, or one that does not grow."""

    free: int
    over: float
    growth: int | None
    days_left: int | None


def read_room(folder: Path, now: str, database: int, warc: int) -> Room:
    """Read the room of an archive whose database and WARC files have these sizes, from the days in the names
    of the files, which stay the same after a rebuild. The database grows in proportion to them."""
    free = shutil.disk_usage(folder).free
    files = [
        (day, file.path.stat().st_size)
        for file in warc_files(folder / WARC)
        if (day := read_day(f"{file.day[:4]}-{file.day[4:6]}-{file.day[6:]}"))
    ]
    first = min((day for day, _ in files), default=now[:10])
    age = (parse_time(now) - parse_time(f"{first}T00:00:00Z")) / timedelta(days=1)
    over = min(float(MONTH), max(age, 0.0))  # a clock that was ahead dates files after now
    if over < SHORTEST or not warc:
        return Room(free, round(over, 1), None, None)
    since = format_time(parse_time(now) - timedelta(days=over))[:10]
    a_day = sum(size for day, size in files if day >= since) * (1 + database / warc) / over
    growth = round(a_day * MONTH) or None
    return Room(free, round(over, 1), growth, int(free / a_day) if growth else None)
