"""When to look at an article again, and when a missing one counts as disappeared. Pure: the clock is an
argument.

Most edits show in no listing, so every article is looked at again, often while it is young, rarely when it is
old, and never not at all. The crawler's daily budget decides how many of the due looks a day sees; this
module only says what is due.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from hashlib import sha256

from archive.clock import format_time, parse_time

FIRST_LOOK = timedelta(minutes=30)  # one turn of the timer; corrections of tolls come within the hour
# 14 looks in the first year; growth by 1.2 would make 45: 18,000 requests a day at 400 new posts a day
GROWTH = 2
# One sweep of everything archived: 200,000 articles are then 1,100 looks a day of a budget of 8,000
LONGEST = timedelta(days=180)
# Looks come up to an eighth early, never late: the first one so falls due before the next half-hourly run and
# not just after it, and articles of one day of a first crawl are spread over 22 days of the sweep.
JITTER = 1 / 8

# Measured from the look before: noticed again within the day, then over the days that the quorum asks for.
MISSING_LOOKS = (
    timedelta(hours=1),  # a deployment, a cache, a database that restarts
    timedelta(hours=6),  # a morning's maintenance
    timedelta(days=1),
    timedelta(days=2),  # the fifth look is 3 days and 7 hours after the first: past the quorum
    timedelta(days=7),
    timedelta(days=30),
    timedelta(days=90),
)
UNREAD_LOOK = timedelta(days=1)  # after a page that could not be read
# After an error page or a challenge: the next articles that are due get their turn
REFUSED_LOOK = timedelta(hours=1)
QUORUM_LOOKS = 3  # sites flap; one 404 is a rumour, two may be one outage
QUORUM_TIME = timedelta(days=3)  # longer than a week-end outage

# What the archive's times can hold; a wrong clock must not stop a crawl
_LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def next_look(captured_at: str, unchanged_looks: int, key: str) -> str:
    """When the article is due again: 30 minutes after its capture, twice as far with every look that found
    it unchanged, at most 180 days.

    ``captured_at`` is the newest capture, UTC text; ``unchanged_looks`` counts the looks since the text last
    changed (0 after a first capture or a change); ``key`` is the article's (``en:332481``) and spreads
    looks: the same key and count always give the same time. May lie in the past, for imported captures: due
    now. Raises ValueError for a negative count or another spelling of the time.
    """
    if unchanged_looks < 0:
        raise ValueError(f"unchanged_looks is {unchanged_looks}, expected 0 or more")
    # Far past LONGEST, far below what a timedelta holds when compared as seconds
    doublings = min(unchanged_looks, 64)
    seconds = min(FIRST_LOOK.total_seconds() * GROWTH**doublings, LONGEST.total_seconds())
    return _later(captured_at, seconds * (1 - JITTER * _share(key, unchanged_looks)))


def is_sweep(unchanged_looks: int) -> bool:
    """Whether the look that is due after so many unchanged ones closes a sweep: it came at the longest
    distance, and must be a page of its own."""
    return bool(FIRST_LOOK.total_seconds() * GROWTH ** min(unchanged_looks, 64) >= LONGEST.total_seconds())


def by_digest(state: str | None, unchanged_looks: int) -> bool:
    """Whether a channel that carries the text may do the look that is due: the article is there with its
    text, and no sweep ends."""
    return state == "live" and not is_sweep(unchanged_looks)


def missing_next_look(missing_looks: int, now: str, key: str = "") -> str:
    """When to look again for an article that the last ``missing_looks`` looks (1 or more) did not find: 1
    hour, 6 hours, 1 day, 2 days, 7, 30, 90 and then every 180 days after ``now``, the last of those looks.

    With a ``key`` up to an eighth later, so that a whole section that went at once does not come back in one
    run; never earlier, or the fifth look would fall short of the quorum. Raises ValueError for a count below
    1.
    """
    if missing_looks < 1:
        raise ValueError(f"missing_looks is {missing_looks}, expected 1 or more")
    wait = MISSING_LOOKS[missing_looks - 1] if missing_looks <= len(MISSING_LOOKS) else LONGEST
    return _later(now, wait.total_seconds() * (1 + JITTER * _share(key, missing_looks) if key else 1))


def unread_next_look(now: str, key: str, wait: timedelta = UNREAD_LOOK) -> str:
    """When to look again for an article that a look brought no text of: ``wait`` after ``now``, up to an
    eighth earlier.

    Not sooner, or a new theme would have every due article asked for with every run; what came can be read
    again without asking.
    """
    return _later(now, wait.total_seconds() * (1 - JITTER * _share(key, 0)))


def watched_wait(since: str, now: str) -> timedelta:
    """How long after ``now`` to look again whether a trouble that began at ``since`` is over: an hour at
    first, a quarter of the time that it has lasted, at most a day."""
    return min(max(REFUSED_LOOK, (parse_time(now) - parse_time(since)) / 4), UNREAD_LOOK)


def refused_next_try(crawls: int, now: str, key: str) -> str | None:
    """When to ask again for a post that was never captured and that ``crawls`` crawls got nothing but errors
    for: None, with the next crawl, for the first; then 1 hour after ``now``, 2, 4, up to a day. Posts that
    break the site so do not keep the crawls from all others.
    """
    if crawls < 2:
        return None
    wait = min(REFUSED_LOOK * GROWTH ** (min(crawls, 16) - 2), UNREAD_LOOK)
    return unread_next_look(now, key, wait)


def is_disappeared(missing_looks: int, missing_since: str, now: str) -> bool:
    """Whether a missing article counts as disappeared: at least 3 looks in a row over at least 3 days found
    nothing.

    ``missing_since`` is the time of the first of those looks, ``now`` that of the last; both UTC text.
    """
    return missing_looks >= QUORUM_LOOKS and parse_time(now) - parse_time(missing_since) >= QUORUM_TIME


def _share(key: str, turn: int) -> float:
    """From 0 up to 1, fixed for a key and turn; another each turn, so that two articles do not fall together
    for ever."""
    return int.from_bytes(sha256(f"{key} {turn}".encode()).digest()[:8]) / 2**64


def _later(at: str, seconds: float) -> str:
    start = parse_time(at)
    return format_time(start + min(timedelta(seconds=int(seconds)), _LAST - start))
