"""Times as the archive writes them: UTC text with seconds, ``2026-01-02T00:00:00Z``. They sort as text."""

from __future__ import annotations

from datetime import UTC, datetime

_FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def now() -> str:
    """This instant."""
    return format_time(datetime.now(UTC))


def format_time(at: datetime) -> str:
    """The instant as text; ``at`` must know its offset, or ValueError."""
    if at.tzinfo is None:
        raise ValueError("a time without an offset is no instant")
    return at.astimezone(UTC).strftime(_FORMAT)


def parse_time(text: str) -> datetime:
    """Read a time of the archive. Raises ValueError for any other spelling."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)
