"""A year of half-hourly crawls in this process, with a calendar of troubles. What the site breaks ends
non-zero within two crawls; what is only noise ends 0; the feed says what the site did, and nothing else."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest

from archive.clock import MACHINE, parse_time, use
from archive.ingest.look_schedule import LONGEST
from tests.crawling import rows
from tests.replica.site import ReplicaSite
from tests.simulating import Ended, Simulation
from tests.troubles import BROKEN, NOISE, Stage, is_plain

HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
# Days in all, the day of the first trouble, and days from one to the next. The year takes six minutes of CPU.
DAYS, FIRST, APART = (365, 20, 17) if os.environ.get("SOHR_YEAR") else (75, 12, 4)
POSTS = 20
BURST = 8  # new posts a crawl in the hours before a trouble, so that looks are due when it comes
NOTICED = 2  # crawls within which a trouble ends non-zero
OVER = 2 * DAY  # by then crawls are healthy again


@dataclass
class Year:
    """What came of it."""

    folder: Path
    crawls: list[Ended] = field(default_factory=list)
    began: dict[str, datetime] = field(default_factory=dict)  # trouble or noise -> when
    done: dict[tuple[int, str], datetime] = field(default_factory=dict)  # post and kind of change -> when
    asked: dict[str, list[bool]] = field(default_factory=dict)

    def during(self, name: str, after: timedelta = timedelta(0)) -> list[Ended]:
        """The crawls of a trouble's day, or of one so long after it."""
        start = self.began[name] + after
        return [one for one in self.crawls if start <= one.at < start + DAY]


class Play:
    """The calendar, played half-hour by half-hour."""

    def __init__(self, folder: Path, days: int = DAYS) -> None:
        self._start = datetime.now(UTC).replace(microsecond=0)
        self._site = ReplicaSite(POSTS, 7, self._start - timedelta(hours=2), "publisher", False, 300)
        self._site.turn("set", rest=False, sitemap=False)
        self._simulation = Simulation(folder, self._site, "edition=en")
        self._stage = Stage(self._simulation, self._site, Random(7))
        self.year = Year(folder)
        names = [*(one.name for one in BROKEN), *NOISE]
        self._calendar = {name: FIRST + APART * n for n, name in enumerate(names)}
        self._days = days

    def run(self) -> Year:
        """Play it."""
        try:
            for step in range(self._days * 48):
                self._simulation.set_time(self._start + step * HALF_HOUR)
                self._prepare(step)
                self.year.crawls.append(self._simulation.crawl())
        finally:
            self._simulation.close()
        return self.year

    def _prepare(self, step: int) -> None:
        day, turn = divmod(step, 48)
        self._deeds(day, turn)
        if turn == 0 and day % 3 == 1:
            self._site.turn("publish", edition="en")
        if turn in (44, 46) and day + 1 in self._calendar.values():
            self._site.turn("publish", edition="en", count=BURST)
        if turn == 0:
            names = [name for name, first in self._calendar.items() if first == day]
            self._begin(names[0] if names else None)

    def _begin(self, name: str | None) -> None:
        """Let the day's trouble begin, and that of the day before end."""
        if name is not None:
            self.year.began[name] = self._simulation.at
        edited = self._stage.begin(name)
        if edited is not None:
            self.year.done[edited, "updated"] = self._simulation.at

    def _deeds(self, day: int, turn: int) -> None:
        """What the site truly does to single posts. All of them are some days old."""
        if turn != 20:
            return
        site, plain = self._site, [i for i in self._site.ids("en") if is_plain(self._site, i)]
        deeds = self.year.done
        at = self._simulation.at
        if day == 8:
            edited, silent, gone, moved = plain[1:5]
            site.turn("edit", edition="en", post_id=edited, digit=True)
            site.turn("edit", edition="en", post_id=silent, digit=True, silent=True)
            site.turn("trash", edition="en", post_id=gone)
            site.turn("move", edition="en", post_id=moved, to=site._free("en"))
            deeds |= {(edited, "updated"): at, (silent, "updated"): at, (gone, "missing"): at}
            deeds |= {(gone, "disappeared"): at, (moved, "moved"): at}
            self._gone = gone
        if day == 14:
            site.turn("untrash", edition="en", post_id=self._gone)
            deeds |= {
                (self._gone, "restored"): at,
                (self._gone, "metadata"): at,
            }  # it is back with a new date


@pytest.fixture(scope="module")
def year() -> Iterator[Year]:
    """Played once for all tests; in memory where that can be, for durable writes take most of the time."""
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None  # noqa: S108  # a folder of its own in it
    with TemporaryDirectory(dir=memory) as folder:
        try:
            yield Play(Path(folder) / "archive").run()
        finally:
            use(MACHINE)


BADLY_BOUNDED = """select seq, kind, unchanged_until, said_at from changes c where unchanged_until >= said_at
    or (kind in ('updated', 'missing', 'moved') and exists (
        select 1 from captures p where p.article_id = c.article_id and p.outcome in ('unchanged', 'changed')
        and p.captured_at > c.unchanged_until and p.captured_at < c.said_at))"""


pytestmark = [pytest.mark.slow, pytest.mark.timeout(14_400)]


@pytest.mark.parametrize("name", [one.name for one in BROKEN])
def test_a_broken_site_ends_non_zero_within_two_crawls(year: Year, name: str) -> None:
    """And not only then. A crawl that asks for no article cannot know that articles are broken."""
    crawls = year.during(name)
    assert any(one.status for one in crawls[:NOTICED]), [(one.status, one.pages) for one in crawls[:8]]
    assert sum(one.status != 0 for one in crawls) > NOTICED


@pytest.mark.parametrize("name", [one.name for one in BROKEN])
def test_two_days_later_crawls_are_healthy(year: Year, name: str) -> None:
    """Nothing of it is left."""
    later = year.during(name, DAY + OVER)
    assert {one.status for one in later} == {0}, [(one.status, one.sentence) for one in later if one.status][
        :3
    ]


@pytest.mark.parametrize("name", NOISE)
def test_noise_ends_with_0(year: Year, name: str) -> None:
    """Noise is no reason for an alarm."""
    assert {one.status for one in year.during(name)} == {0}, [one for one in year.during(name) if one.status][
        :3
    ]


def test_every_other_crawl_is_healthy(year: Year) -> None:
    """Outside the days of the troubles, and the two after them."""
    busy = [(year.began[one.name], year.began[one.name] + DAY + OVER) for one in BROKEN]
    wrong = [one for one in year.crawls if one.status and not any(a <= one.at < b for a, b in busy)]
    assert wrong == []


def test_no_false_change_survives(year: Year) -> None:
    """Nothing is said to be gone, moved or edited in a figure but what the site did; addresses made anew
    change nothing."""
    sql = """select post_id, kind, severity, said_at from changes c join articles using (article_id)
             where kind in ('missing', 'disappeared', 'moved', 'restored', 'metadata', 'updated')
             and (severity = 3 or kind not in ('updated')) and retracts is null
             and not exists (select 1 from changes r where r.retracts = c.seq) order by seq"""
    said = [row for row in rows(year.folder, sql) if (row[0], row[1]) not in year.done]
    assert said == []


def test_each_change_lies_between_two_captures(year: Year) -> None:
    """`unchanged_until` is before `said_at`, and no capture between the two had the text as before."""
    assert rows(year.folder, BADLY_BOUNDED) == []


def test_each_true_change_is_found_in_time(year: Year) -> None:
    """Within a sweep of all archived posts."""
    late = {}
    for (post_id, kind), at in year.done.items():
        sql = (
            "select said_at from changes join articles using (article_id) where post_id = ? and kind = "
            "? order by seq"
        )
        found = [parse_time(said) for (said,) in rows(year.folder, sql, post_id, kind)]
        within = next((one - at for one in found if one >= at), None)
        if within is None or within > LONGEST + DAY:
            late[post_id, kind] = within
    assert late == {}


def test_old_copies_change_nothing_that_matters(year: Year) -> None:
    """What is made of them has no severity."""
    [(most,)] = rows(year.folder, "select max(severity) from changes where stale_copy")
    assert most in (None, 0)


def test_no_channel_that_works_stays_closed(tmp_path: Path) -> None:
    """With REST and sitemaps: half a day of trouble closes channels, and two days later all are open."""
    start = datetime.now(UTC).replace(microsecond=0)
    site = ReplicaSite(POSTS, 7, start - timedelta(hours=2), "publisher", False, 300)
    simulation = Simulation(tmp_path / "archive", site, "edition=en")
    stage = Stage(simulation, site, Random(7))
    closed = "select channel, scope, detail from channels where edition = 'en' and not is_open"
    at, were_closed = start, False
    try:
        for name in ("challenge", "server error", "maintenance as 200", "silence"):
            for turn in range(12 + 48):
                at += 2 * HALF_HOUR
                simulation.set_time(at)
                if turn in (0, 12):
                    stage.begin(name if turn == 0 else None)
                if turn % 12 == 6:  # so that looks are due
                    site.turn("publish", edition="en", count=2)
                ended = simulation.crawl()
                were_closed |= turn == 11 and bool(rows(tmp_path / "archive", closed))
            assert ended.status == 0 and rows(tmp_path / "archive", closed) == []
        open_ones = {
            name for (name,) in rows(tmp_path / "archive", "select channel from channels where is_open")
        }
        assert were_closed and {"feed", "rest", "sitemap", "date", "category"} <= open_ones
    finally:
        simulation.close()
        use(MACHINE)
