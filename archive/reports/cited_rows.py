"""Read a table of citations that somebody else made: CSV or JSON Lines with addresses, dates and figures."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
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
# Several addresses in a cell: "a;b", "a | b", "a b"; not within one, so only before an address
_BETWEEN = re.compile(r"\s*[;|,\s]\s*(?=https?://|sohr:|(?:en|ar):\d)")
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
    chosen: tuple[str, str | None, str | None] | None = None
    number = 0
    for number, record in enumerate(records, 1):  # how many there were
        if chosen is None or first == "{":  # lines may have other keys
            # a line longer than the header has its rest under None
            chosen = _choose([str(column or "") for column in record], columns, name)
        url, date, figure = (_cell(record.get(column)) if column else None for column in chosen)
        yield CitedRow(number, tuple(filter(None, _BETWEEN.split(url or ""))), date, figure)
    if not number:
        raise BadTable(f"{name} has a header and no rows: nothing to check")


def _decode(data: bytes, name: str) -> str:
    if len(data) > _MOST_BYTES:
        raise BadTable(f"{name} is larger than {_MOST_BYTES:,} bytes: split it")
    if data[:2] in (b"\xff\xfe", b"\xfe\xff"):  # a spreadsheet's "Unicode text"
        return data.decode("utf-16", "replace")
    if b"\0" in data or data[:4] in (b"PK\3\4", b"%PDF"):
        raise BadTable(f"{name} is no text (a spreadsheet?): save it as CSV in UTF-8")
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
            raise BadTable(f"line {number} of {name} is no object: write one object a line")
        yield record


def _csv(text: str, name: str) -> Iterator[dict[str, Any]]:
    header = text.split("\n", 1)[0]
    delimiter = max(",\t;", key=header.count)  # the first of them where there is none
    csv.field_size_limit(10_000_000)
    try:
        yield from csv.DictReader(io.StringIO(text), delimiter=delimiter, restval="")
    except csv.Error as error:
        raise BadTable(f"{name} is no CSV ({error}): save it again as CSV in UTF-8") from error


def _choose(names: list[str], columns: Columns, name: str) -> tuple[str, str | None, str | None]:
    known = {_plain(column): column for column in reversed(names)}
    found = []
    for asked, likely in ((columns.url, _URLS), (columns.date, _DATES), (columns.figure, _FIGURES)):
        if asked is not None and _plain(asked) not in known:
            raise BadTable(f"{name} has no column {asked!r}: it has {', '.join(filter(None, names))}")
        wanted = (_plain(one) for one in ((asked,) if asked else likely))
        found.append(next((known[one] for one in wanted if one in known), None))
    if found[0] is None:
        listed = ", ".join(column for column in names if column) or "none"
        raise BadTable(f"{name} has no column of addresses by name (it has {listed}): give --url-column NAME")
    return found[0], found[1], found[2]


def _plain(column: str) -> str:
    return re.sub(r"[\s_-]+", "_", column.strip().lower())


def _cell(value: Any) -> str | None:
    if isinstance(value, list):
        value = ";".join(map(str, value))
    return None if value is None or not str(value).strip() else str(value).strip()
