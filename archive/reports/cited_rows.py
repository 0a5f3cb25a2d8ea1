"""Read a table of citations that somebody else made: CSV or JSON Lines with addresses, dates and figures."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Any, ClassVar

from archive.errors import USAGE, ArchiveError

# Names of columns, the likeliest first; case, spaces and underscores do not matter
_URLS = (
    "url", "urls", "address", "addresses", "link", "links", "source_url", "source_urls",
    "article_url", "citation", "reference", "uri", "href", "source", "sources", "source_original",
    "الرابط", "رابط", "المصدر",
)  # fmt: skip
_DATES = (
    "cited_at",
    "accessed",
    "access_date",
    "accessed_at",
    "retrieved",
    "date",
    "event_date",
    "published",
    "day",
)
_FIGURES = (
    "figure", "cited_figure", "number", "toll", "value", "count", "killed", "deaths", "fatalities", "best",
    "العدد",
)  # fmt: skip
_LIKELY = (_URLS, _DATES, _FIGURES)
# Several addresses in a cell: "a;b", "a | b", "a b"; not within one, so only before an address
_BETWEEN = re.compile(r"\s*[;|,\s]\s*(?=https?://|sohr:|(?:en|ar):\d)")
_ADDRESS = re.compile(r"(?:https?://|sohr:|(?<!\w)(?:en|ar):\d)[^\s<>\"|]*", re.IGNORECASE)
_QUOTED = re.compile('"[^"]*"')
_SEP = re.compile(r"sep=(.)\s*\n")  # what Excel writes above a header
_MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
# Days whose parts cannot be taken for one another: 31 January 2024, Jan. 31, 2024, 2024/1/31, 20240131
_NTH = r"(\d{1,2})(?:st|nd|rd|th)?"
_NAMED_DAY = re.compile(rf"(?:{_NTH}[ -])?([a-z]{{3,9}})\.?,?[ -](?:{_NTH},? )?(\d{{4}})")
_YEAR_FIRST = re.compile(r"(\d{4})(?:([/.-])(\d{1,2})\2(\d{1,2})|(\d\d)(\d\d))(?:[ t]\d\d:\d\d\S*)?")
_YEAR_LAST = re.compile(r"(\d{1,2})([/.-])(\d{1,2})\2(\d{4})")
_MOST_BYTES = 200_000_000


class BadTable(ArchiveError):
    """Raised when a file of citations cannot be read, by `read_rows`."""

    exit_status: ClassVar[int] = USAGE


@dataclass(frozen=True, slots=True)
class CitedRow:
    """A row: its number (from 1, without the header), its addresses, and its date and figure as written."""

    row: int
    urls: tuple[str, ...]
    date: str | None
    figure: str | None


@dataclass(frozen=True, slots=True)
class Columns:
    """Names of columns; None: found by name."""

    url: str | None = None
    date: str | None = None
    figure: str | None = None


def read_table(name: str) -> bytes:
    """The bytes of a file, or of standard input (``-``). Raises BadTable."""
    try:
        return sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise BadTable(f"{name} cannot be read ({error.strerror}): give a CSV or JSON Lines file") from error


def read_rows(data: bytes, name: str, columns: Columns) -> Iterator[CitedRow]:
    """The rows of a CSV or JSON Lines file. Raises BadTable."""
    text = _decode(data, name)
    first = text.lstrip()[:1]
    if not first:
        raise BadTable(f"{name} is empty: give a CSV or JSON Lines file with a column of addresses")
    if first == "[":
        raise BadTable(f"{name} is one JSON array: write one object a line (JSON Lines), or CSV")
    records = _json_lines(text, name) if first == "{" else _csv(text, name)
    names: dict[str, None] = {}
    asked = (columns.url, columns.date, columns.figure)
    number, has_addresses = 0, False
    for number, record in enumerate(records, 1):  # lines of JSON may have other keys
        names |= dict.fromkeys(record)
        url, day, figure = (_find_column(tuple(record), *both) for both in zip(asked, _LIKELY, strict=True))
        has_addresses = has_addresses or url is not None
        cells = [_cell(record[column]) if column is not None else None for column in (url, day, figure)]
        yield CitedRow(number, _addresses(cells[0] or ""), *cells[1:])
    if not number:
        raise BadTable(f"{name} has a header and no rows: nothing to check")
    listed = ", ".join(filter(None, names)) or "none"
    for column in filter(None, asked):
        if _plain(column) not in map(_plain, names):
            raise BadTable(f"{name} has no column {column!r}: it has {listed}")
    if not has_addresses:
        raise BadTable(f"{name} has no column of addresses by name (it has {listed}): give --url-column NAME")


def read_day(text: str) -> str | None:
    """A day as 2024-01-31; None for what is no day, or could be two: 3/2/2024. Its time is left out."""
    text = "".join(str(unicodedata.decimal(c)) if c.isdecimal() else c for c in text.strip().lower())
    if match := _YEAR_FIRST.fullmatch(text):
        year, month, day = int(match[1]), int(match[3] or match[5]), int(match[4] or match[6])
    elif match := _YEAR_LAST.fullmatch(text):
        one, other, year = int(match[1]), int(match[3]), int(match[4])
        if one <= 12 and other <= 12 and one != other:
            return None
        day, month = max(one, other), min(one, other)
    elif (
        (match := _NAMED_DAY.fullmatch(text)) and match[2][:3] in _MONTHS and bool(match[1]) != bool(match[3])
    ):
        year, month, day = int(match[4]), _MONTHS.index(match[2][:3]) + 1, int(match[1] or match[3])
    else:
        return None
    try:
        return date(year, month, day).isoformat()
    except ValueError:
        return None


def _addresses(cell: str) -> tuple[str, ...]:
    """The addresses of a cell; one without a scheme stands alone."""
    found = [match[0] for part in _BETWEEN.split(cell) if (match := _ADDRESS.search(part))]
    return tuple(found) or tuple(filter(None, (cell,)))


def _decode(data: bytes, name: str) -> str:
    if len(data) > _MOST_BYTES:
        raise BadTable(f"{name} is larger than {_MOST_BYTES:,} bytes: split it")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # a spreadsheet's "Unicode text"
        return data.decode("utf-16", "replace")
    if b"\0" in data or data[:4] in (b"PK\3\4", b"%PDF"):
        raise BadTable(f"{name} is not a text file (a spreadsheet?): save it as CSV in UTF-8")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        return data.decode("cp1252" if max(data) < 0xC0 else "cp1256", "replace")  # addresses are ASCII


def _json_lines(text: str, name: str) -> Iterator[dict[str, Any]]:
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            record = json.loads(line)
        except ValueError:
            raise BadTable(f"line {number} of {name} is no JSON: write one object a line") from None
        if not isinstance(record, dict):
            raise BadTable(f"line {number} of {name} is not a JSON object: write one object a line")
        yield record


def _csv(text: str, name: str) -> Iterator[dict[str, Any]]:
    text = text if "\n" in text else text.replace("\r", "\n")  # of an old Macintosh
    if sep := _SEP.match(text):
        text = text[sep.end() :]
    text = text.lstrip("\r\n")
    header = _QUOTED.sub("", text[:100_000]).split("\n", 1)[0]
    delimiter = sep[1] if sep else max(",\t;|", key=header.count)  # the first of them where there is none
    csv.field_size_limit(10_000_000)
    try:
        rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        names = next(rows)
        if any(_ADDRESS.match(cell.strip()) for cell in names):  # a list without a header
            names = ["url" if _ADDRESS.match(cell.strip()) else "" for cell in names]
            rows = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        for cells in rows:
            record = dict.fromkeys(names, "")
            for column, cell in zip(names, cells, strict=False):  # a column may be there twice
                record[column] = f"{record[column]};{cell}".strip(";") if record[column] else cell
            if cells:
                yield record
    except csv.Error as error:
        raise BadTable(f"{name} is no CSV ({error}): save it again as CSV in UTF-8") from error


@lru_cache(256)
def _find_column(names: tuple[str, ...], asked: str | None, likely: tuple[str, ...]) -> str | None:
    known = {_plain(column): column for column in reversed(names)}
    return next((known[_plain(one)] for one in ((asked,) if asked else likely) if _plain(one) in known), None)


def _plain(column: str) -> str:
    return re.sub(r"[\s_-]+", "_", column.strip().lower())


def _cell(value: Any) -> str | None:
    if isinstance(value, dict):  # {"href": "https://..."}
        value = [*value.values()]
    if isinstance(value, list):
        value = ";".join(map(str, value))
    return None if value is None or not str(value).strip() else str(value).strip()
