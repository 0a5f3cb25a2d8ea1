"""`scrapy crawl sohr` with since and until: the days of the site's own archive."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.crawling import (
    archived,
    article_requests,
    assert_taken,
    crawl,
    expected_states,
    states,
    truth,
)
from tests.replica.server import Replica
from tests.replica.site import LOCAL
from tests.replica.words import EDITIONS

# The last and the first second of days in the site's time, UTC+3
MIDNIGHT = ("2026-01-10T20:59:59Z", "2026-01-10T21:00:00Z", "2026-01-13T20:59:59Z", "2026-01-13T21:00:00Z")


def _days(replica: Replica, since: str, last: str) -> dict[tuple[str, int], str]:
    """The posts of these days, both included, in the site's time."""
    days = {
        (e, p.post_id): f"{p.published.astimezone(LOCAL):%Y-%m-%d}"
        for e in EDITIONS
        for p in replica.posts(e)
    }
    return {key: day for key, day in days.items() if since <= day <= last}


@pytest.fixture(scope="module")
def dated() -> Iterator[Replica]:
    with Replica(posts=36) as replica:
        for at in MIDNIGHT:
            for edition in EDITIONS:
                replica.call(
                    "put",
                    edition=edition,
                    title=f"At {at}",
                    html="<p>One line.</p>",
                    lines=["One line."],
                    published=at,
                )
        yield replica


class TestDays:
    """``since`` and ``until`` take the days of the site's own archive, whole and no others."""

    @pytest.mark.parametrize(
        ("since", "last", "settings"),
        [
            ("2026-01-11", "2026-01-13", {}),
            ("2026-01-11", "2026-01-11", {"listing_times": False}),
            ("2026-01-03", "2026-01-29", {}),
            ("2025-12-20", "2026-01-13", {}),
            ("2026-01-11", "2026-01-13", {"date_archives": False}),
        ],
        ids=["three-days", "no-times", "most-of-a-month", "across-the-year", "no-date-archives"],
    )
    def test_exactly_those_days(
        self, dated: Replica, tmp_path: Path, since: str, last: str, settings: dict[str, object]
    ) -> None:
        """Every post of those days and no other, by date archives or, where those are off, by the home
        listing."""
        dated.call("set", **{"listing_times": True, "date_archives": True, **settings})
        dated.clear_log()
        assert crawl(dated, tmp_path / "a", f"since={since}", f"until={last}").status == 0
        expected = _days(dated, since, last)
        taken = {key for key, state in states(tmp_path / "a").items() if state is not None}
        assert taken == expected.keys() and len(expected) > 2
        assert {k: v for k, v in truth(dated).items() if k in expected} == archived(tmp_path / "a")
        assert set(article_requests(dated).values()) == {1}

    def test_one_end_may_be_open(self, dated: Replica, tmp_path: Path) -> None:
        """``since`` alone reaches to today, ``until`` alone back to the first post, though its days were
        listed before."""
        dated.call("set", listing_times=True, date_archives=True)
        assert crawl(dated, tmp_path / "a", "since=2026-01-14").status == 0
        assert {k for k, s in states(tmp_path / "a").items() if s} == _days(
            dated, "2026-01-14", "9999"
        ).keys()
        assert crawl(dated, tmp_path / "a", "until=2026-01-13").status == 0
        assert {k for k, s in states(tmp_path / "a").items() if s} == expected_states(dated).keys()

    def test_the_rest_comes_with_the_next_default_run(self, dated: Replica, tmp_path: Path) -> None:
        """Days in the middle, then everything: nothing is fetched twice."""
        dated.call("set", listing_times=True, date_archives=True)
        dated.clear_log()
        day = date(2026, 1, 12)
        assert crawl(dated, tmp_path / "a", f"since={day}", f"until={day + timedelta(days=3)}").status == 0
        assert crawl(dated, tmp_path / "a").status == 0
        assert_taken(dated, tmp_path / "a")
        assert set(article_requests(dated).values()) == {1}
