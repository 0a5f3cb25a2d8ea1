"""The clock, and times as text. The archive writes an instant as UTC with seconds, ``2026-01-02T00:00:00Z``,
which sorts as text. All reading and writing of instants is here.

The clock is the machine's. Tests on loopback may set another with ``ARCHIVE_CLOCK`` (`Clock`), which then
dates evidence, looks and plans alike. Only the code that opens an archive sets it, with `use`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import ClassVar

from archive.errors import USAGE, ArchiveError

FIRST_YEAR = 1000  # the first whose text sorts with those after it
_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_SPELLED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_OFFSET = re.compile(r"([+-])(\d{1,6})([dhms])")
# As servers write it: also with a fraction, with a unit, or stated twice
_SECONDS = re.compile(r"\+?0*([0-9]+)(?:\.[0-9]*)?\s*(?:s|secs?|seconds?)?(?:\s*[,;].*)?", re.IGNORECASE)
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_MOST = timedelta(days=100 * 366)  # far from the ends of what a datetime holds, whatever is added to it


class BadClock(ArchiveError):
    """Raised when ``ARCHIVE_CLOCK`` is unreadable or set for a real site, by `Clock.of` and `for_site`."""

    exit_status: ClassVar[int] = USAGE


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock ``ahead`` seconds ahead of the machine's (negative: behind it). ``stated`` is the setting's
    text."""

    stated: str = ""
    ahead: float = 0.0

    @classmethod
    def of(cls, stated: str) -> Clock:
        """Read a setting: an offset (``+3d``, ``+36h``, ``-90m``, ``+5s``), or the instant that it is now
        (``2027-01-02T00:00:00Z``).

        An empty setting is the machine's clock. Raises BadClock for other spellings and beyond 100 years.
        """
        if not stated:
            return cls()
        try:
            if found := _OFFSET.fullmatch(stated):
                sign, number, unit = found.groups()
                ahead = timedelta(**{_UNITS[unit]: int(number)}) * (-1 if sign == "-" else 1)
            else:
                ahead = parse_time(stated) - datetime.now(UTC)
        except ValueError:
            ahead = timedelta.max
        if abs(ahead) > _MOST:
            raise BadClock(
                f"ARCHIVE_CLOCK={stated} cannot be read: give an offset like +3d, +36h or -90m, "
                "or an instant like 2027-01-02T00:00:00Z"
            )
        return cls(stated, ahead.total_seconds())


MACHINE = Clock()  # the machine's own
_clock = MACHINE


def for_site(stated: str, home: str, *, is_loopback: bool) -> Clock:
    """The clock for the archive of a site. Raises BadClock for any setting where the site is a real one:
    evidence carries the real time."""
    clock = Clock.of(stated)
    if stated and not is_loopback:
        raise BadClock(
            f"ARCHIVE_CLOCK={stated} is for tests against a site on this machine, and {home} is a real one: "
            "unset ARCHIVE_CLOCK"
        )
    return clock


def use(clock: Clock) -> None:
    """Set this process's clock."""
    global _clock
    _clock = clock


def clock() -> Clock:
    """This process's clock."""
    return _clock


def current_time() -> datetime:
    """This instant by the archive's clock, in UTC."""
    return datetime.now(UTC) + timedelta(seconds=_clock.ahead)


def now() -> str:
    """This instant by the archive's clock, as the archive writes times."""
    return format_time(current_time())


def format_time(at: datetime) -> str:
    """Write an instant as ``2026-01-02T00:00:00Z``. Raises ValueError without an offset and before 1000.

    Years below 1000 have fewer than four digits in ``strftime``, and would not sort as text.
    """
    if at.tzinfo is None:
        raise ValueError("a time without an offset is no instant")
    at = at.astimezone(UTC)
    if at.year < FIRST_YEAR:
        raise ValueError(f"the year {at.year} is before {FIRST_YEAR}")
    return at.strftime(_FORMAT)


def parse_time(text: str) -> datetime:
    """Read a time of the archive. Raises ValueError for any other spelling, and before the year 1000."""
    if not _SPELLED.fullmatch(text) or text < f"{FIRST_YEAR}":
        raise ValueError(f"{text!r} is not a time of the archive: write it as 2026-01-02T00:00:00Z")
    return datetime.fromisoformat(text)


def last_past_day(at: str) -> str:
    """The last day that is over at an instant, whatever the time zone of the site."""
    return (parse_time(at) - timedelta(days=2)).date().isoformat()


def days_between(first: str, last: str) -> Iterator[str]:
    """All days from the first to the last, both included, as ``2026-01-02``."""
    day, end = date.fromisoformat(first), date.fromisoformat(last)
    while day <= end:
        yield day.isoformat()
        day += timedelta(days=1)


def read_time(text: str | None) -> str | None:
    """Read a time that a page, a feed or a header states: ISO 8601 or RFC 5322, with an offset.

    None where the text names no instant: no offset, no such day, before the year 1000.
    """
    text = (text or "").strip()
    for read in (datetime.fromisoformat, _read_mail_date):
        try:
            return format_time(read(text))
        except (ValueError, TypeError, OverflowError, IndexError):
            continue
    return None


def _read_mail_date(text: str) -> datetime:
    from email.utils import parsedate_to_datetime  # on first use: it imports sockets

    return parsedate_to_datetime(text)


def read_day(text: str | None) -> str | None:
    """The day that a text begins with, ``2026-01-02``. None where there is no such day, as on 30 February."""
    try:
        return date.fromisoformat((text or "")[:10]).isoformat()
    except ValueError:
        return None


def read_http_date(text: str) -> datetime | None:
    """Read an HTTP date in any of its three forms, as UTC whatever the machine's time zone (RFC 9110,
    5.6.7)."""
    try:
        at = _read_mail_date(text.strip())
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)  # asctime states no zone
    except (ValueError, TypeError, OverflowError, IndexError):
        return None


def read_retry_after(value: str | None, answered_at: datetime, ahead: float = 0.0) -> datetime | None:
    """Until when a site asks to be left alone: seconds, or an HTTP date (RFC 9110, 10.2.3). None: unreadable.

    ``answered_at`` is by the clock of the crawl that got the answer; that clock was ``ahead`` seconds ahead
    of the machine's, and so of the dates the site writes.
    """
    value = (value or "").strip()[:100]  # a header may be longer than any pattern should search
    if stated := _SECONDS.fullmatch(value):
        seconds = timedelta(seconds=int(stated[1])) if len(stated[1]) <= 12 else _MOST
        return answered_at + min(seconds, _MOST)
    date = read_time(value)  # also ISO 8601
    at = parse_time(date) if date else read_http_date(value)
    return min(at, answered_at + _MOST) + timedelta(seconds=ahead) if at else None
