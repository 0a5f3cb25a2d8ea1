"""How fast an archive grows, and for how long its disk has room."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from archive.clock import format_time, parse_time
from archive.folder import WARC

MONTH = 30  # days
SHORTEST = 1.0  # days from which growth is measured; the first crawl of a site fills a disk quickly


@dataclass(frozen=True, slots=True)
class Room:
    """Bytes, and days. ``growth`` is of WARC files and database in a month, at the rate of the last ``over``
    days; it and ``days_left`` are None for an archive younger than a day, or one that does not grow."""

    free: int
    over: float
    growth: int | None
    days_left: int | None


def read_room(conn: sqlite3.Connection, folder: Path, now: str, database: int, warc: int) -> Room:
    """Read the room of an archive whose database and WARC files have these sizes, from the times at which the
    files were begun. The database grows in proportion to them."""
    free = shutil.disk_usage(folder).free
    first = conn.execute("select min(opened_at) from warc_files").fetchone()[0]
    age = (parse_time(now) - parse_time(first)) / timedelta(days=1) if first else 0.0
    over = min(float(MONTH), max(age, 0.0))  # a clock that was ahead dates files after now
    if over < SHORTEST or not warc:
        return Room(free, round(over, 1), None, None)
    since = format_time(parse_time(now) - timedelta(days=over))
    grown = 0
    for (name,) in conn.execute("select name from warc_files where opened_at >= ?", (since,)):
        paths = (folder / WARC / name, folder / WARC / f"{name}.open")
        grown += max((path.stat().st_size for path in paths if path.exists()), default=0)
    a_day = grown * (1 + database / warc) / over
    growth = round(a_day * MONTH) or None
    return Room(free, round(over, 1), growth, int(free / a_day) if growth else None)
