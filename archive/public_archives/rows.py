"""Pages of an index: rows of captures, in the text and JSON forms of both services.

Wayback's rows are ``urlkey timestamp original mimetype statuscode digest length``; a resume key follows after
an empty line. Common Crawl's are a JSON object a line, by itself or after ``urlkey timestamp``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from archive.clock import format_time

_ADDRESS = re.compile(r"https?://[!-~\u00a1-\U0010ffff]+")
_WORD = re.compile("[^ \t\r]+")
_DIGITS = re.compile(r"[0-9]{1,15}")
_FIELDS = ("urlkey", "timestamp", "original", "mimetype", "statuscode", "digest", "length")
_LEAST = len(_FIELDS) - 1  # some rows lack the length
DATA = "crawl-data/"  # with which the name of each of Common Crawl's files begins


@dataclass(frozen=True, slots=True)
class IndexRow:
    """One capture as an index lists it. ``identity`` names it whatever the service's address: the 14 digits
    and the address of a memento, or file and bytes of a record."""

    identity: str
    url: str
    at: str  # UTC, when the site said it
    status: int | None  # None: a revisit, or not stated
    digest: str  # of the body, as the service has it; empty: not stated


@dataclass(frozen=True, slots=True)
class IndexPage:
    """An answer of an index. ``next_key`` asks for the rows after it; None: these were the last, or the
    service pages by number. ``unread`` counts lines that are no rows; ``is_cut``: the
    last line is the beginning of one."""

    rows: tuple[IndexRow, ...]
    next_key: str | None = None
    unread: int = 0
    is_cut: bool = False


def read_time14(digits: str) -> str | None:
    """An instant from 14 digits; None where there is none."""
    try:
        return format_time(datetime.strptime(digits, "%Y%m%d%H%M%S").replace(tzinfo=UTC))
    except ValueError:
        return None


def parse_wayback(body: bytes) -> IndexPage:
    """A page of Wayback's index, as text or as ``output=json``. A first row of names says what the others
    hold."""
    text = body.decode("utf-8", "replace").rstrip()
    lines = (
        list(_json_lines(text))
        if text.lstrip().startswith("[")
        else [_WORD.findall(x) for x in text.split("\n")]
    )
    key, names = None, _FIELDS
    if len(lines) > 1 and not lines[-2] and len(lines[-1]) < _LEAST:
        key, lines = unquote_plus("+".join(lines[-1])), lines[:-2]
    lines = [line for line in lines if line]
    if lines and {"timestamp", "original"} <= set(lines[0]):
        names, lines = tuple(lines[0]), lines[1:]
    rows = [_wayback_row(line, names) for line in lines]
    is_short = rows[-1:] == [None] or (len(lines) > 1 and len(lines[-1]) < len(lines[0]))
    return _page(rows, is_cut=is_short and not body.endswith(b"\n"), key=key)


def parse_commoncrawl(body: bytes) -> IndexPage:
    """A page of Common Crawl's index."""
    lines = [line for line in body.decode("utf-8", "replace").splitlines() if line.strip()]
    rows = [_commoncrawl_row(line) for line in lines]
    return _page(rows, is_cut=rows[-1:] == [None] and not body.endswith(b"\n"))


def _page(rows: list[IndexRow | None], *, is_cut: bool, key: str | None = None) -> IndexPage:
    found = tuple(row for row in rows if row)
    return IndexPage(found, key, len(rows) - len(found), is_cut)


def _json_lines(text: str) -> Iterator[list[str]]:
    try:
        lines = json.loads(text)
    except ValueError:
        lines = [["not JSON"]]
    for line in lines:
        yield [str(field) for field in line] if isinstance(line, list) else ["no list"]


def _wayback_row(line: list[str], names: tuple[str, ...]) -> IndexRow | None:
    given = dict(zip(names, line, strict=False))
    if not {"timestamp", "original", "statuscode", "digest"} <= set(given):
        return None
    return _row(f"{given['timestamp']}/{given['original']}", given["original"], given["timestamp"], given)


def _commoncrawl_row(line: str) -> IndexRow | None:
    try:
        given: dict[str, Any] = json.loads(line[line.index("{") :])
    except ValueError:
        return None
    stated = {name: str(given.get(name) or "") for name in ("status", "digest", "timestamp", "url")}
    before = line[: line.index("{")].split()
    stated["timestamp"] = stated["timestamp"] or (before[1] if len(before) > 1 else "")
    place = [str(given.get(name, "")) for name in ("filename", "offset", "length")]
    if not place[0].startswith(DATA) or not all(map(_DIGITS.fullmatch, place[1:])):
        return None
    stated["statuscode"] = stated["status"]
    first = int(place[1])
    identity = f"{place[0]}#bytes={first}-{first + int(place[2]) - 1}"
    return _row(identity, stated["url"], stated["timestamp"], stated)


def _row(identity: str, url: str, digits: str, given: dict[str, str]) -> IndexRow | None:
    at = read_time14(digits)
    if at is None or not _ADDRESS.fullmatch(url):
        return None
    status = given["statuscode"]
    digest = given["digest"].removeprefix("sha1:").upper()
    return IndexRow(
        identity,
        url,
        at,
        int(status) if re.fullmatch("[1-5][0-9][0-9]", status) else None,
        "" if digest == "-" else digest,
    )
