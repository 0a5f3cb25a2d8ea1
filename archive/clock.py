"""Times as the archive writes them: UTC text with seconds, ``2026-01-02T00:00:00Z``. They sort as text. And
the clock they are read from.

That clock is the machine's, but for tests on loopback: there ``ARCHIVE_CLOCK`` sets another (`Clock`), which
then dates the evidence, the looks and the plan alike. Who opens an archive decides with `use`; nothing else
in a process may.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from archive.errors import USAGE, ArchiveError

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"
_SPELLED = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")
_OFFSET = re.compile(r"([+-])(\d{1,6})([dhms])")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_MOST = timedelta(days=100 * 366)  # far from the ends of what a datetime holds, whatever is added to it


class BadClock(ArchiveError):
    """Raised when ``ARCHIVE_CLOCK`` cannot be read, or stands beside an archive of a real site, by `Clock.of`
    and `for_site`."""

    exit_status: ClassVar[int] = USAGE


@dataclass(frozen=True, slots=True)
class Clock:
    """A clock that runs beside the machine's: so many seconds ahead of it, behind it where negative.
    ``stated`` is how it was asked for."""

    stated: str = ""
    ahead: float = 0.0

    @classmethod
    def of(cls, stated: str) -> Clock:
        """An offset (``+3d``, ``+36h``, ``-90m``, ``+5s``), or an instant (``2027-01-02T00:00:00Z``) from
        which time runs on from now.

        Nothing stated is the machine's own clock. Raises BadClock for any other spelling, and beyond 100
        years.
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
                f"ARCHIVE_CLOCK={stated} is no clock: give an offset like +3d, +36h or -90m, or an instant like 2027-01-02T00:00:00Z"
            )
        return cls(stated, ahead.total_seconds())


MACHINE = Clock()  # the machine's own
_clock = MACHINE


def for_site(stated: str, home: str, *, is_loopback: bool) -> Clock:
    """The clock for the archive of a site. Raises BadClock; also for a real site, whose evidence must tell
    the real time."""
    clock = Clock.of(stated)
    if stated and not is_loopback:
        raise BadClock(
            f"ARCHIVE_CLOCK={stated} is for tests against a site on this machine, and {home} is a real one: unset ARCHIVE_CLOCK"
        )
    return clock


def use(clock: Clock) -> None:
    """Set this process's clock."""
    global _clock
    _clock = clock


def clock() -> Clock:
    """This process's clock."""
    return _clock


def instant() -> datetime:
    """This instant by the archive's clock, in UTC."""
    return datetime.now(UTC) + timedelta(seconds=_clock.ahead)


def now() -> str:
    """This instant by the archive's clock."""
    return format_time(instant())


def format_time(at: datetime) -> str:
    """The instant as text; ``at`` must know its offset, or ValueError."""
    if at.tzinfo is None:
        raise ValueError("a time without an offset is no instant")
    return at.astimezone(UTC).strftime(_FORMAT)


def parse_time(text: str) -> datetime:
    """Read a time of the archive. Raises ValueError for any other spelling."""
    if not _SPELLED.fullmatch(text):
        raise ValueError(f"{text!r} is no time of the archive: 2026-01-02T00:00:00Z")
    return datetime.fromisoformat(text)
