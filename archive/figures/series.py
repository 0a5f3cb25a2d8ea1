"""Ask for figures and for series of them. A series is a figure over posts: the same heading and the same
sentence but for its counts; its points are of the newest versions."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any

_ID = re.compile(r"[0-9a-f]{16}")
_FIGURE = "select * from figure_rows where version_id = ? and line = ? and start = ?"
# A subquery, for SQLite would first read all figures for a join with them
_LIST = """
select s.* from series s indexed by series_length
where s.points >= :least and (:source is null or s.source = :source) and (not :falls or s.falls)
    and (coalesce(:unit, :place, :since) is null or exists (
         select 1 from figures f where f.version_id = s.version_id and f.line = s.line and f.start = s.start
         and (:unit is null or f.unit = :unit) and (:place is null or f.place = :place)
         and (:since is null or instr(f.since, :since))))
    and (:article is null or s.series in (select series from figures
         join versions using (version_id) where article_id = :article))
order by s.points desc, s.series desc limit :limit offset :offset
"""
# `series_points` of one series, by its number: the view has it as text. The index has the newest rows first
_POINTS = """
select r.* from (select version_id, line, start from figures where series = ?
                 order by version_id desc limit ?) f
    cross join figure_rows r on r.version_id = f.version_id and r.line = f.line and r.start = f.start
where r.is_latest or not ? order by r.at, cast(r.key as integer), r.key, r.number
"""


@dataclass(frozen=True, slots=True)
class CitedFigure:
    """A figure of a version with its sentence, as in the view `figure_rows`: docs/tables-of-figures.md."""

    source: str
    key: str
    edition: str | None
    post_id: int | None
    number: int
    published_at: str | None
    at: str
    line: int
    start: int
    end: int
    written: str
    value: float
    value_to: float | None
    approx: str | None
    unit: str | None
    unit_start: int | None
    unit_end: int | None
    since: str | None
    place: str | None
    sentence: str
    heading: str | None
    series: str
    is_latest: bool
    citation: str


@dataclass(frozen=True, slots=True)
class Series:
    """A figure over posts. ``falls``: points lower than the one before; ``last``: the newest point."""

    series: str
    source: str
    points: int
    falls: int
    first_at: str
    last_at: str
    lowest: float
    highest: float
    last: CitedFigure


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which series: ``since`` is a part of their date, ``article_id`` an article with a point of theirs."""

    source: str | None = None
    unit: str | None = None
    place: str | None = None
    since: str | None = None
    falls: bool = False
    least: int = 2  # points
    article_id: int | None = None


ANY = Wanted()
_NAMES = tuple(field.name for field in fields(CitedFigure))


def record(row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """A row of `figure_rows` as a record: whole numbers without a decimal point."""
    found = {name: row[name] for name in _NAMES}
    for name in ("value", "value_to"):
        if found[name] is not None and float(found[name]).is_integer():
            found[name] = int(found[name])
    return found | {"is_latest": bool(found["is_latest"])}


def list_series(
    conn: sqlite3.Connection, wanted: Wanted = ANY, limit: int = -1, offset: int = 0
) -> Iterator[Series]:
    """The series that are wanted, those with the most points first."""
    asked = {
        "source": wanted.source, "unit": wanted.unit, "place": wanted.place, "since": wanted.since,
        "falls": wanted.falls, "least": wanted.least, "article": wanted.article_id,
        "limit": limit, "offset": offset,
    }  # fmt: skip
    for row in conn.execute(_LIST, asked).fetchall():
        yield _make(conn, row)


def find_series(conn: sqlite3.Connection, name: str) -> Series | None:
    """The series of this name, 16 hexadecimal digits; None if there is none."""
    number = parse_series(name)
    row = conn.execute("select * from series where series = ?", (number,)).fetchone()
    return _make(conn, row) if row else None


def points_of(
    conn: sqlite3.Connection, name: str, *, every: bool = False, newest: int = -1
) -> list[CitedFigure]:
    """The points of a series by time; ``every``: also those of versions that were edited since; ``newest``:
    of so many versions at most, those the archive read last."""
    rows = conn.execute(_POINTS, (parse_series(name), newest, not every)).fetchall()
    return [CitedFigure(**record(row)) for row in rows]


def parse_series(name: str) -> int | None:
    """The number of a series in the tables; None for what is no name of one."""
    if not _ID.fullmatch(name):
        return None
    return int.from_bytes(bytes.fromhex(name), signed=True)


def _make(conn: sqlite3.Connection, row: sqlite3.Row) -> Series:
    last = conn.execute(_FIGURE, (row["version_id"], row["line"], row["start"])).fetchone()
    own = ("source", "points", "falls", "first_at", "last_at", "lowest", "highest")
    cited = CitedFigure(**record(last))
    return Series(series=cited.series, last=cited, **{name: row[name] for name in own})
