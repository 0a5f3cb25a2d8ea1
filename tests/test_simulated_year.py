"""A year of half-hourly crawls in this process, with a calendar of troubles. What the site breaks ends
non-zero within two crawls; what is only noise ends 0; the feed says what the site did, and nothing else."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest

from archive.clock import MACHINE, parse_time, use
from archive.ingest.look_schedule import LONGEST
from tests.crawling import rows
from tests.replica.channels import Answer, redirect
from tests.replica.site import ReplicaSite
from tests.simulating import HOME, PAGE, Ended, Simulation

HALF_HOUR = timedelta(minutes=30)
DAY = timedelta(days=1)
# Days in all, the day of the first trouble, and days from one to the next. The year takes ten minutes of CPU.
DAYS, FIRST, APART = (365, 20, 17) if os.environ.get("SOHR_YEAR") else (75, 12, 4)
POSTS = 20
BURST = 8  # new posts a crawl in the hours before a trouble, so that looks are due when it comes
NOTICED = 2  # crawls within which a trouble ends non-zero
OVER = 2 * DAY  # by then crawls are healthy again
BODY = '<div class="entry-content clearfix single-post-content">'
FEED = "/en/feed/atom/"


def on_articles(change: Callable[[Answer], Answer]) -> Callable[[str, Answer], Answer]:
    """Change the pages of posts that are there."""
    return lambda path, made: change(made) if PAGE.fullmatch(path) and made.status == 200 else made


def with_text(made: Answer, text: str) -> Answer:
    """A page whose article says something else, in the same layout."""
    head, _, rest = made.body.partition(BODY)
    return replace(made, body=f"{head}{BODY}{text}</div></div></article>{rest.partition('</article>')[2]}")


def with_line(made: Answer, line: str) -> Answer:
    """A page whose article begins with one more line."""
    return replace(made, body=made.body.replace(BODY, f"{BODY}{line}", 1))


WALL = '<p>This content is for members only.</p><form action="/wp-login.php"><p>Log in to read it.</p></form>'
FATAL = (
    "<br />\n<b>Fatal error</b>:  Uncaught Error: Call to undefined function get_field() in "
    "/srv/single.php:31"
)
WARNING = "<br />\n<b>Warning</b>:  Undefined array key 0 in <b>/srv/single.php</b> on line <b>31</b><br />\n"


@dataclass(frozen=True)
class Trouble:
    """What the site does for a day: settings, changed answers, no answer, or a machine whose clock is
    wrong."""

    name: str
    settings: dict[str, object] = field(default_factory=dict)
    answers: Callable[[str, Answer], Answer] | None = None
    is_closed: bool = False
    ahead: timedelta = timedelta(0)


# A: the site is not well, or the machine is not
BROKEN = (
    Trouble("challenge", {"challenge": 403}),
    Trouble("server error", {"fail_status": 503, "fail_every": 1}),
    Trouble("maintenance as 200", {"maintenance": 200}),
    Trouble("log-in wall", answers=on_articles(lambda made: with_text(made, WALL))),
    Trouble("mass 404", answers=on_articles(lambda made: replace(made, status=404))),
    Trouble("redirect to the log-in", answers=on_articles(lambda _: redirect(f"{HOME}wp-login.php", 302))),
    Trouble("redirect to the home page", answers=on_articles(lambda _: redirect(f"{HOME}en/", 301))),
    Trouble("theme of another kind", {"layout": "alien"}),
    Trouble("listing without entries", {"fake_listing": True}),
    Trouble("PHP error", answers=on_articles(lambda made: replace(made, body=FATAL))),
    Trouble("PHP warning in the text", answers=on_articles(lambda made: with_line(made, WARNING))),
    Trouble("clock", ahead=timedelta(days=30)),
    Trouble("silence", is_closed=True),
)
# B: to be counted, and no more
STALE, BAD_ENTRY = "old copies", "one bad feed entry"
NOISE = (STALE, BAD_ENTRY)


def noisy(random: Random) -> Callable[[str, Answer], Answer]:
    """Addresses made anew for each request: a protected e-mail address and a picture. They stand all year."""

    def change(made: Answer) -> Answer:
        key = random.randrange(1, 256)
        hidden = f"{key:02x}" + "".join(f"{ord(c) ^ key:02x}" for c in "desk@example.org")
        mail = (
            '<a href="/cdn-cgi/l/email-protection" class="__cf_email__" '
            f'data-cfemail="{hidden}">[email&#160;protected]</a>'
        )
        picture = f'<img src="/wp-content/uploads/map.png?ver={random.random()}" alt="" />'
        return with_line(made, f"<p>Write to {mail} {picture}</p>")

    return on_articles(change)


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
        self._noise = noisy(Random(7))
        self._old: dict[str, Answer] = {}  # pages that a cache has kept
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
        plain = Trouble("none", {"challenge": 0, "fail_status": 0, "fail_every": 0, "maintenance": 0})
        plain.settings.update(layout="publisher", fake_listing=False)
        trouble = next((one for one in BROKEN if one.name == name), plain)
        if name is not None:
            self.year.began[name] = self._simulation.at
        self._site.turn("set", **plain.settings | trouble.settings)
        self._simulation.ahead = trouble.ahead.total_seconds()
        self._simulation.set_time(self._simulation.at)
        self._simulation.site.is_closed = trouble.is_closed
        changes = [self._noise, *([trouble.answers] if trouble.answers else [])]
        if name == STALE:
            changes.append(self._stale())
        if name == BAD_ENTRY:
            changes.append(spoil_feed)

        def answer(path: str, made: Answer) -> Answer:
            for change in changes:
                made = change(path, made)
            return made

        self._simulation.site.trouble = answer

    def _stale(self) -> Callable[[str, Answer], Answer]:
        """A cache gives the pages of the newest posts as they were before an edit of this moment."""
        old = {}
        for post_id in self._site.ids("en")[:4]:
            path = f"/en/{post_id}/"
            old[path] = self._simulation.site.answer(HOME.rstrip("/") + path, {})
        first = next(i for i in self._site.ids("en")[:4] if self._is_plain(i))
        self._site.turn("edit", edition="en", post_id=first, digit=True)
        self.year.done[first, "updated"] = self._simulation.at

        def answer(path: str, made: Answer) -> Answer:
            if path not in old:
                return made
            return replace(old[path], headers=(*old[path].headers, ("Age", "90000"), ("X-Cache", "HIT")))

        return answer

    def _deeds(self, day: int, turn: int) -> None:
        """What the site truly does to single posts. All of them are some days old."""
        if turn != 20:
            return
        site, plain = self._site, [i for i in self._site.ids("en") if self._is_plain(i)]
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

    def _is_plain(self, post_id: int) -> bool:
        post = self._site.post("en", post_id)
        return bool(post and not post.odd and post.lines and len(post.pages) == 1 and not post.password)


def spoil_feed(path: str, made: Answer) -> Answer:
    """One entry whose time and address nobody can read."""
    if not path.startswith(FEED) or made.status != 200:
        return made
    head, entry, rest = made.body.partition("<entry>")
    rest = re.sub("<updated>[^<]*</updated>", "<updated>yesterday</updated>", rest, count=1)
    return replace(made, body=head + entry + re.sub('href="[^"]*"', 'href="http://[bad"', rest, count=1))


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """Played once for all tests."""
    try:
        yield Play(tmp_path_factory.mktemp("year") / "archive").run()
    finally:
        use(MACHINE)


pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600), pytest.mark.xdist_group("year")]


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
