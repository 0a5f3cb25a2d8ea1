"""Which articles and channels to ask for now, and why; when a walk through a listing goes on. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, timedelta

from archive.clock import format_time, parse_time
from archive.model import FIRST_DAY, Sighting
from archive.outcome import MOST_FAILURES, ChannelState, Gap, KnownPost, Outcome
from crawler.arguments import Look

# A little less than they say: a timer that fires once an hour or a day must not miss every other turn
HOURLY, DAILY, WEEKLY = timedelta(minutes=55), timedelta(hours=23), timedelta(days=7)
EVERY_RUN = timedelta(0)
OVERLAP = timedelta(seconds=2)
FEW = 2  # posts of a new site
FEW_POSTS = 100  # of a month: ten pages of a listing, one request each


def reason_to_ask(post: KnownPost, look: Look, sighting: Sighting | None = None) -> str | None:
    """Why to ask for an article now: ``new`` (first sighted), ``pending`` (sighted before), ``modified``."""
    if post.state is None:
        return "new" if post.is_new else None if post.rests else "pending"
    if look == "none":
        return None
    if post.differs:
        return "modified"
    if (
        sighting is None
        or sighting.modified_at is None
        or post.last_captured_at is None
        or sighting.modified_at == post.modified_at
    ):
        return None
    return "modified" if sighting.modified_at > post.last_captured_at else None


def is_due(last: tuple[str, int] | None, now: str) -> bool:
    """Whether an address that is asked once a day is asked now; one that was not there, after a week."""
    if last is None:
        return True
    at, status = last
    return parse_time(now) - parse_time(at) >= (DAILY if status == 200 else WEEKLY)


def channel_is_due(state: ChannelState | None, every: timedelta, now: str) -> bool:
    """Whether a channel is asked now: a closed one after a week, one that failed of late after a day."""
    if state is None or state.asked_at is None:
        return True
    closed = DAILY if state.failed >= MOST_FAILURES else WEEKLY
    return parse_time(now) - parse_time(state.asked_at) >= (every if state.is_open else closed)


def overlapped(newest: str) -> str:
    """From when on to read a log of edits: WordPress's bound is strict and its order has no second key."""
    return format_time(parse_time(newest) - OVERLAP)


def feed_goes_on(reasons: Sequence[str | None]) -> bool:
    """Whether to ask for the next page of a log of edits: if all of this one was news."""
    return bool(reasons) and all(reason in ("new", "modified") for reason in reasons)


def walk_is_due(state: ChannelState | None, now: str) -> bool:
    """Whether a walk through all of a channel goes on or begins; again a week after its end.

    That one ends at once if the site's count of posts is ours.
    """
    if state is None or state.next_page is not None or state.whole_at is None:
        return True
    return state.total is not None and parse_time(now) - parse_time(state.whole_at) >= WEEKLY


def next_category(states: Sequence[ChannelState], now: str) -> ChannelState | None:
    """The category to ask in this run: one that is due, never asked ones first; else one half walked."""
    due = sorted(
        (state for state in states if channel_is_due(state, DAILY, now)),
        key=lambda state: (state.asked_at or "", state.scope),
    )
    return next(iter(due), None) or next(
        (state for state in states if state.is_open and state.next_page is not None), None
    )


def shows_unknown(found: Outcome) -> bool:
    """Whether a page shows posts that the archive did not know, and may be followed by another."""
    return (
        found.listing is not None
        and found.listing.has_next is not False
        and any(post.is_new for post in found.posts)
    )


def day_scopes(days: Mapping[str, int]) -> Iterator[str]:
    """The date archives to walk for days and their known posts, newest first: whole months of a few pages."""
    months: dict[str, list[str]] = {}
    for day in sorted(days, reverse=True):
        months.setdefault(day[:7], []).append(day)
    for month, own in months.items():
        if len(own) > 1 and sum(days[day] for day in own) <= FEW_POSTS:
            yield f"date/{month.replace('-', '/')}"
        else:
            yield from (f"date/{day.replace('-', '/')}" for day in own)


def newest_goes_on(found: Outcome) -> bool:
    """Whether the walk goes on: until a whole page holds nothing that an earlier walk had not passed."""
    is_last = found.listing is not None and found.listing.has_next is False
    return not is_last and not all(h.in_stretch for h in found.posts)


def is_front_page(sizes: Sequence[int], *, others_show_all: bool) -> bool:
    """Whether home is no list of the newest posts, by how many posts its pages show (sticky ones aside).

    It has no second page, or one of another size that is not its last: a magazine's front page shows some
    posts, and after it ranks 11 and on. A site of two posts has no second page either.
    """
    if len(sizes) < 2:
        return sum(sizes) > FEW or not others_show_all
    return len(sizes) > 2 and sizes[0] != sizes[1] and not others_show_all


def is_before(found: Outcome, day: str) -> bool:
    """Whether all posts of a page whose day it states are older than a day."""
    days = [s.day for s in found.listing.sightings if s.day and not s.sticky] if found.listing else []
    return bool(days) and max(days) < day


def page_of(gap: Gap, per_page: int) -> int:
    """The page on which a gap's last known post stands now, or the one before it: to walk on from."""
    return max(1, (gap.position - 1) // max(1, per_page))


def in_days(sighting: Sighting, since: str | None, until: str | None) -> bool:
    """Whether a post is of the days asked for; True if the listing does not state its day."""
    return sighting.day is None or day_within(sighting.day, since, until)


def day_within(day: str, since: str | None, until: str | None) -> bool:
    """Whether a day lies in a span, both ends included; None leaves an end open."""
    return (since is None or day >= since) and (until is None or day <= until)


def date_scopes(since: str | None, until: str | None, today: str, covered: set[str]) -> Iterator[str]:
    """The date archives of a span of days, newest first: whole months if most of one is asked for, else days.

    Days in ``covered`` were walked whole before; what is sighted there is known.
    """
    first = date.fromisoformat(since) if since else date.fromisoformat(FIRST_DAY)
    last = min(
        date.fromisoformat(until) if until else date.max, date.fromisoformat(today) + timedelta(days=1)
    )
    month = last.replace(day=1)
    while month >= first.replace(day=1):
        after = (month + timedelta(days=32)).replace(day=1)
        days = [month + timedelta(days=n) for n in range((after - month).days)]
        wanted = [day for day in days if first <= day <= last and day.isoformat() not in covered]
        if len(wanted) > len(days) // 2 or (wanted and month == last.replace(day=1) and first <= month):
            yield f"date/{month:%Y/%m}"
        else:
            yield from (f"date/{day:%Y/%m/%d}" for day in reversed(wanted))
        month = (month - timedelta(days=1)).replace(day=1)
