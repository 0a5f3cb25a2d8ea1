"""When an article is due again, and when a missing one counts as disappeared."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.clock import format_time, parse_time
from archive.ingest.look_schedule import (
    JITTER,
    LONGEST,
    by_digest,
    is_disappeared,
    is_sweep,
    missing_next_look,
    next_look,
)

T0 = "2026-01-02T00:00:00Z"
KEYS = st.builds("{}:{}".format, st.sampled_from(["en", "ar"]), st.integers(1, 400_000))


def after(**spans: float) -> str:
    return format_time(parse_time(T0) + timedelta(**spans))


def wait(unchanged_looks: int, key: str = "en:332481") -> timedelta:
    return parse_time(next_look(T0, unchanged_looks, key)) - parse_time(T0)


@given(KEYS)
def test_fourteen_looks_in_the_first_year(key: str) -> None:
    """An article that never changes is looked at 14 times in its first year, whatever its key."""
    at, looks = next_look(T0, 0, key), 0
    while at <= after(days=365):
        looks += 1
        at = next_look(at, looks, key)
    assert looks == 14


@given(KEYS, st.integers(0, 10_000))
def test_looks_double_and_never_stop(key: str, unchanged_looks: int) -> None:
    """30 minutes, an hour, two hours, ... at most 180 days; up to an eighth early, never late, never in the
    past."""
    planned = min(timedelta(minutes=30) * 2 ** min(unchanged_looks, 20), LONGEST)
    assert planned * (1 - JITTER) - timedelta(seconds=1) <= wait(unchanged_looks, key) <= planned


def test_the_first_look_is_due_in_the_next_half_hourly_run() -> None:
    """What a run captured at its start is due when the next one starts, not one later."""
    assert timedelta(minutes=26) <= wait(0) <= timedelta(minutes=30)


def test_the_same_article_is_due_at_the_same_time() -> None:
    """A rebuild plans as the crawl did; two articles captured together do not stay together."""
    assert next_look(T0, 5, "en:1") == next_look(T0, 5, "en:1")
    assert len({next_look(T0, 13, f"en:{n}") for n in range(1000)}) > 990


def test_one_day_of_a_first_crawl_is_spread() -> None:
    """1,000 articles captured in one second come back over weeks of the sweep: no tenth of the span holds
    more than a fifth of them."""
    days = sorted(wait(20, f"en:{n}") / timedelta(days=1) for n in range(1000))
    assert days[-1] - days[0] > 21
    tenths = [int((day - 157.5) / 2.25) for day in days]
    assert max(tenths.count(tenth) for tenth in set(tenths)) < 200


def test_an_imported_capture_is_due_now() -> None:
    """A page captured years ago and never since is due in the past, that is now."""
    assert next_look("2015-03-01T10:00:00Z", 0, "en:12052") < T0


@given(st.integers(0, 10**9))
def test_a_wrong_clock_stops_nothing(looks: int) -> None:
    """A capture dated at the end of time is planned for the end of time."""
    assert next_look("9999-12-31T00:00:00Z", looks, "en:1") <= "9999-12-31T23:59:59Z"
    assert missing_next_look(looks + 1, "9999-12-31T23:30:00Z") == "9999-12-31T23:59:59Z"


def test_counts_that_cannot_be() -> None:
    """A negative count of looks, or a missing article that nobody looked for, is an error of the caller."""
    with pytest.raises(ValueError, match="unchanged_looks is -1"):
        next_look(T0, -1, "en:1")
    with pytest.raises(ValueError, match="missing_looks is 0"):
        missing_next_look(0, T0)


def test_looks_at_a_missing_article() -> None:
    """An hour, six hours, one day and two days after the look before, then rarely, but always again."""
    waits = [
        (parse_time(missing_next_look(n, T0)) - parse_time(T0)) / timedelta(hours=1)
        for n in (1, 2, 3, 4, 5, 6, 7, 8, 1000)
    ]
    assert waits == [1, 6, 24, 48, 7 * 24, 30 * 24, 90 * 24, 180 * 24, 180 * 24]


@given(KEYS)
def test_gone_for_good_is_disappeared_at_the_fifth_look(key: str) -> None:
    """On the planned looks the quorum is reached at the fifth, 3 days and 7 hours after the first (up to an
    eighth later), not before."""
    at, verdicts = T0, []
    for looks in range(1, 6):
        verdicts.append(is_disappeared(looks, T0, at))
        at = missing_next_look(looks, at, key)
    assert verdicts == [False, False, False, False, True]


@pytest.mark.parametrize(
    ("looks", "now", "expected"),
    [
        (3, after(days=3), True),
        (2, after(days=30), False),
        (30, after(days=3, seconds=-1), False),
        (3, after(days=400), True),
    ],
)
def test_the_quorum(looks: int, now: str, expected: bool) -> None:
    """Three looks and three days, both: many looks in one outage are no proof, nor are two a month apart."""
    assert is_disappeared(looks, T0, now) is expected


@given(st.integers(0, 10**9))
def test_a_sweep_ends_at_the_longest_distance(looks: int) -> None:
    """From the fifteenth look on each one closes a sweep, and is done by no digest; before, by one of a live
    article alone."""
    assert is_sweep(looks) == (looks >= 14) == (wait(looks) > LONGEST * (1 - 2 * JITTER) and looks > 13)
    assert (
        by_digest("live", looks) == (looks < 14)
        and not by_digest("missing", looks)
        and not by_digest(None, looks)
    )
