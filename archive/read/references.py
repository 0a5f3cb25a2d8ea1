"""How people and programs name an article, a version, an instant: ``en:332481``, an address,
``sohr:en:332481@2025-03-01T10:00:00Z``. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import ClassVar

from archive.clock import format_time, parse_time
from archive.errors import USAGE, ArchiveError
from archive.model import EDITIONS

# `2024-01-01`, `2024-01-01T00:00:00Z`, or Python's own; a datetime knows its offset
Instant = str | date | datetime
_OF_ANOTHER_SITE = re.compile(r"(\S+?):(https?://.+)")  # host, maybe with a port, and address
_TAG = re.compile(r"[0-9a-f]{8}")  # of the second of two versions of one second
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_PERIOD = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")
_SPACE = " \t\r\n\f\v\u00a0\u200e\u200f"
_QUOTES = "\"'“”«»‹›<>"


class NotArchived(ArchiveError):
    """Raised when the archive does not have what is asked for: no such article, version, or instant."""

    exit_status: ClassVar[int] = USAGE


class BadReference(ArchiveError):
    """Raised when a reference, a date or a name cannot be understood."""

    exit_status: ClassVar[int] = USAGE


@dataclass(frozen=True, slots=True)
class Reference:
    """An article, and maybe an instant; ``url`` where an address was given instead of source and key."""

    source: str = ""
    key: str = ""
    at: str | None = None  # as `versions.cited_at`
    url: str | None = None


def strip_copied(text: str) -> str:
    """A reference without what a copy takes along: quotation marks, brackets, the full stop of a sentence."""
    return text.lstrip(f"{_SPACE}{_QUOTES}([").rstrip(f"{_SPACE}{_QUOTES})].,;…؛،")


def parse_reference(text: str) -> Reference:
    """Read a reference, as it was copied. Raises BadReference, which says what one looks like."""
    text = strip_copied(text)
    if text.startswith(("http://", "https://")):
        return Reference(url=text)
    rest = text.removeprefix("sohr:")
    elsewhere = _OF_ANOTHER_SITE.fullmatch(rest)
    source, key = elsewhere.groups() if elsewhere else rest.partition(":")[::2]
    if not source or not key:
        raise BadReference(
            f"{text!r} does not name an article: give en:332481, its address, or a citation such as "
            "sohr:en:332481@2025-03-01T10:00:00Z"
        )
    at = None
    if "@" in key:
        before, _, after = key.rpartition("@")
        try:
            instant, tilde, tag = after.partition("~")
            if bool(tilde) != bool(_TAG.fullmatch(tag)):
                raise ValueError(tag)
            key, at = before, format_time(parse_time(instant)) + tilde + tag
        except ValueError:
            if source in EDITIONS:
                raise BadReference(
                    f"{after!r} in {text!r} is not an instant: write it as 2025-03-01T10:00:00Z"
                ) from None
    if source in EDITIONS and not (key.isascii() and key.isdigit()):
        raise BadReference(f"{key!r} in {text!r} is not a post id: it is a whole number")
    if source not in EDITIONS and not elsewhere and "." not in source and source != "localhost":
        raise BadReference(f"{source!r} in {text!r} is not an edition: give {' or '.join(EDITIONS)}")
    return Reference(source, (key.lstrip("0") or "0") if source in EDITIONS else key, at)


def parse_period(text: str) -> str:
    """A year, month or day as the archive compares them; "" for none. Raises BadReference."""
    if text:
        try:
            if not _PERIOD.fullmatch(text):
                raise ValueError(text)
            date.fromisoformat(text + "-01-01"[len(text) - 4 :] if len(text) < 10 else text)
        except ValueError:
            raise BadReference(f"{text!r} is not a date: write 2024, 2024-01 or 2024-01-31") from None
    return text


def parse_bound(value: Instant, *, is_end: bool = False) -> str:
    """A bound as the archive writes times. A day means its first second, with ``is_end`` its last. Raises
    BadReference."""
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise BadReference(
                f"{value.isoformat()} has no offset, so it is not an instant: add one, such as datetime.UTC"
            )
        return format_time(value.astimezone(UTC))
    text = value.isoformat() if isinstance(value, date) else value.strip()
    try:
        if _DAY.fullmatch(text):
            return date.fromisoformat(text).isoformat() + ("T23:59:59Z" if is_end else "T00:00:00Z")
        return format_time(parse_time(text))
    except ValueError:
        raise BadReference(
            f"{text!r} is not a date: write 2024-01-31, or 2024-01-31T12:00:00Z for an instant (UTC)"
        ) from None
