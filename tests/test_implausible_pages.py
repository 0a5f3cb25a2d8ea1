"""Pages that read well and make no sense: one text on all of them, texts cut short, dates gone, no news for
too long. 65, and no false version."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from archive.ingest.same_text import ALIKE, LONG, WINDOW
from archive.reports.drift import Drift, Finding
from archive.thresholds import RHYTHM_POSTS, SILENCE_TIMES, TEXTS
from archive.writer.messages import Happened
from tests.archiving import Archive, capture, page, sohr, told, well
from tests.crawling import Crawled, archived, changes, crawl, in_step, rows, truth, versions
from tests.replica.server import Replica

WALL = (
    "To read on, prove that you are a reader of ours: leave your address, choose a password, confirm the "
    "letter that we send. " * 2
)
POSTS = 30
AT = "2026-03-01T{:02}:00:00Z"


@pytest.fixture
def site() -> Iterator[Replica]:
    with Replica(posts=22, days=20) as replica:
        yield replica


def plain(site: Replica) -> list[int]:
    """Posts of the English edition with a text of one page and nothing odd about them, and no table: that
    cannot be put back as paragraphs."""
    return [
        post.post_id
        for post in site.posts("en")
        if not post.odd and len(post.pages) == 1 and post.lines and "\t" not in "".join(post.lines)
    ]


def walled(site: Replica, ids: list[int], text: str = WALL.strip()) -> None:
    """Each of the posts says the same."""
    for post_id in ids:
        site.rewrite(post_id, text, silent=True)


def drifting(done: Crawled, words: str) -> None:
    """65, with a sentence that says what, and what to do."""
    assert done.status == 65, done.stderr[-3000:]
    [sentence] = [line for line in done.told if words in line]
    assert "see" in sentence and "Traceback" not in done.stderr


class TestOneTextOnManyPages:
    """A wall before the pages, a cache that serves one page for all."""

    def test_in_mid_life(self, site: Replica, tmp_path: Path) -> None:
        """It makes no version, in this crawl or a later one; the articles' texts stay."""
        folder, ids = tmp_path / "a", plain(site)
        assert crawl(site, folder, "edition=en").status == 0
        before, count = archived(folder), versions(folder)
        walled(site, ids)
        drifting(crawl(site, folder, "edition=en", "look=all"), "came and could not be read")
        assert versions(folder) == count and archived(folder) == before
        assert rows(folder, "select count(*) from captures where outcome = 'quarantined'") == [(len(ids),)]
        drifting(crawl(site, folder, "edition=en", "look=all"), "came and could not be read")
        assert versions(folder) == count
        shown = well(folder, "layouts").decode()
        assert f"{2 * len(ids)} captures in quarantine" in shown and "prove that you are a reader" in shown

        # Nothing has been mended
        assert sohr(folder, "rebuild", "--extract").status == 0 and versions(folder) == count
        for post_id in ids:
            _, lines = before["en", post_id]
            site.rewrite(post_id, *lines, silent=True)
        assert crawl(site, folder, "edition=en", "look=all").status == 0
        assert archived(folder) == {key: text for key, text in truth(site).items() if key[0] == "en"}
        # Nor do they slip in late
        assert sohr(folder, "rebuild", "--extract").status == 0 and versions(folder) == count
        every = told(folder)
        assert (
            sohr(folder, "rebuild").status == 0
            and told(folder) == every
            and sohr(folder, "verify", "--deep").status == 0
        )

    def test_from_the_start(self, site: Replica, tmp_path: Path) -> None:
        """New posts alike, of whatever length, are waited with, asked for again a day later and not with
        every crawl."""
        text = "Log in to read."
        walled(site, ids := [post.post_id for post in site.posts("en") if post.lines], text)
        drifting(crawl(site, tmp_path / "a", "edition=en"), "could not be read")
        assert versions(tmp_path / "a") <= ALIKE
        site.clear_log()
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+1h")
        assert sum(entry["path"] in {f"/en/{post_id}/" for post_id in ids} for entry in site.log()) <= ALIKE
        site.clear_log()
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+25h")
        assert (
            sum(entry["path"] in {f"/en/{post_id}/" for post_id in ids} for entry in site.log())
            >= len(ids) - ALIKE
        )

    def test_a_person_may_trust_it(self, site: Replica, tmp_path: Path) -> None:
        """`layouts --confirm`: then it is what the articles say, now and later."""
        folder, ids = tmp_path / "a", plain(site)
        assert crawl(site, folder, "edition=en").status == 0
        count = versions(folder)
        walled(site, ids[:8])
        drifting(crawl(site, folder, "edition=en", "look=all"), "came and could not be read")
        assert sohr(folder, "layouts", "--confirm", "publisher").status == 0
        assert versions(folder) == count + 8 and changes(folder, "en", ids[5])[-1] == "updated"
        walled(site, ids[8:12])
        assert crawl(site, folder, "edition=en", "look=all").status == 0 and versions(folder) == count + 12

    def test_what_agencies_repeat_is_no_wall(self, tmp_path: Path) -> None:
        """A statement posted twice, a standard sentence under a third of the posts, a line that comes back
        each day: all are versions."""
        with Archive(tmp_path / "a") as archive:
            texts = [
                f"Field sources reported shelling of village {n}; material damage, no information on "
                "casualties."
                for n in range(40)
            ]
            for n in range(0, 40, 3):
                texts[n] = "No casualties have been reported so far."
            texts[10] = texts[11] = WALL
            texts[38] = WALL
            taken = archive.take(
                *(capture(n + 1, AT.format(1), text, title=f"Village {n}") for n, text in enumerate(texts))
            )
        assert {outcome.word for outcome in taken} == {"new"}

    def test_how_many_it_takes(self, tmp_path: Path) -> None:
        """Of a long text the third within a window; of a short one half of it; never one article by
        itself."""
        assert len(WALL) > LONG
        with Archive(tmp_path / "a") as archive:

            def words(texts: list[str], first: int) -> list[str]:
                return [
                    one.word
                    for one in archive.take(
                        *(capture(first + n, AT.format(2), text) for n, text in enumerate(texts))
                    )
                ]

            other = [f"Something else happened in place {n}." for n in range(100)]
            assert words([WALL, *other[: WINDOW - 2], WALL, WALL], 1)[-2:] == ["new", "new"]
            assert words([*other[20 : 20 + WINDOW - 3], WALL], 101)[-1] == "quarantined"
            short = ["Short."] * (WINDOW // 2)
            assert words([*other[40 : 40 + WINDOW], *short], 201)[-2:] == ["new", "quarantined"]
            flapping = [capture(301, AT.format(3 + n), ["A", "B"][n % 2] * 300) for n in range(6)]
            assert {one.word for one in archive.take(*flapping)} == {"new", "changed"}


class TestUnlikeBefore:
    """The archive's own crawls are the measure."""

    def test_texts_cut_short(self, site: Replica, tmp_path: Path) -> None:
        """A share of the articles lost more than half of their text."""
        folder = tmp_path / "a"
        assert crawl(site, folder, "edition=en").status == 0
        for post_id in plain(site):
            line = (
                next(post for post in site.posts("en") if post.post_id == post_id).lines[0][:20]
                + f" {post_id}"
            )
            site.rewrite(post_id, line, silent=True)
        count = versions(folder)
        drifting(crawl(site, folder, "edition=en", "look=all"), "updated): too many posts at once")
        assert rows(folder, "select verdict from crawls")[-1] == ("drifting",) and versions(folder) == count

    def test_no_text_any_more(self, site: Replica, tmp_path: Path) -> None:
        """The frame came, the text did not: no version, and not silently."""
        folder = tmp_path / "a"
        assert crawl(site, folder, "edition=en").status == 0
        count = versions(folder)
        for post_id in plain(site):
            site.call("edit", edition="en", post_id=post_id, html="<p> </p>", lines=[], silent=True)
        drifting(crawl(site, folder, "edition=en", "look=all"), "textless): too many posts at once")
        assert versions(folder) == count

    def test_no_dates_any_more(self, tmp_path: Path) -> None:
        """New posts state no time of publication, where all did; what is usual is what healthy crawls of this
        archive brought."""

        def judged(first: int, number: int, *, dated: bool, at: str) -> tuple[Finding, ...]:
            stated = f'<meta property="article:published_time" content="{at}">'
            bodies = [page(f"Post {n}", f"Text {n}.", post_id=n) for n in range(first, first + number)]
            bodies = [
                body.replace(b"</head>", stated.encode() + b"</head>") if dated else body for body in bodies
            ]
            with Archive(tmp_path / "a") as archive:
                archive.take(
                    *(capture(first + n, at, body=body, crawl=archive.name) for n, body in enumerate(bodies))
                )
                found: Drift = archive.writer.answers.drift(archive.name, "finished")
                ended = {
                    "event": "crawl-finished",
                    "name": archive.name,
                    "at": at,
                    "reason": "finished",
                    "verdict": "healthy",
                }
                archive.writer.work(
                    [Happened(ended | {"exit_status": 65 * bool(found.findings), "counters": found.counters})]
                )
            return found.findings

        assert judged(1, 30, dated=False, at=AT.format(1)) == ()  # nothing is usual yet
        assert judged(101, 60, dated=True, at=AT.format(2)) == ()
        # Too few to tell, with those of the day before
        assert judged(201, TEXTS.value - 1, dated=False, at=AT.format(3)) == ()
        [finding] = judged(301, 3 * TEXTS.value, dated=False, at=AT.format(4))
        assert (finding.kind, finding.number, finding.of) == ("dateless", 1.0, 3 * TEXTS.value)
        assert "have no date of publication, where 39% is usual" in finding.sentence
        assert judged(401, 3 * TEXTS.value, dated=True, at=AT.format(5)) == ()

    def test_a_normal_life_trips_nothing(self, site: Replica, tmp_path: Path) -> None:
        """Edits of all kinds, posts that come, go and lose their text: healthy, crawl after crawl."""
        folder, ids = tmp_path / "a", plain(site)
        # One text in four posts would be a wall's
        for turn, left in enumerate(("Taken down.", "The family asks for rest.", "See below.", "Corrected.")):
            assert crawl(site, folder, "edition=en", "look=all").status == 0
            site.call("publish", edition="en", count=3)
            site.call("edit", edition="en", post_id=ids[turn], digit=True)
            site.rewrite(ids[turn + 5], left)
            site.call("trash", edition="en", post_id=ids[turn + 10])


def test_no_news_for_unusually_long(tmp_path: Path) -> None:
    """Three times the longest silence that the archive knows of, two days at least; a new post ends it."""
    folder = tmp_path / "a"
    with Replica(posts=POSTS, days=20, until=datetime.now(UTC)) as site:
        assert crawl(site, folder, "look=none").status == 0
        times = sorted(post.published for post in site.posts("en"))
        longest = max(later - earlier for earlier, later in pairwise(times))
        assert len(times) > RHYTHM_POSTS.value and longest > timedelta(days=1)
        hours = int(SILENCE_TIMES.value * longest / timedelta(hours=1)) - 3
        assert crawl(site, folder, "edition=en", "look=none", ARCHIVE_CLOCK=f"+{hours}h").status == 0
        late = f"+{hours + 6}h"
        drifting(
            crawl(site, folder, "edition=en", "look=none", ARCHIVE_CLOCK=late),
            "no new post of the edition en for",
        )
        in_step(site, late)
        site.call("publish", edition="en")
        assert crawl(site, folder, "edition=en", "look=none", ARCHIVE_CLOCK=late).status == 0


def test_an_archive_without_a_rhythm_is_patient(tmp_path: Path) -> None:
    """A handful of posts tell no rhythm."""
    with Replica(posts=RHYTHM_POSTS.value - 5) as few:
        assert crawl(few, tmp_path / "a").status == 0
        assert crawl(few, tmp_path / "a", "look=none", ARCHIVE_CLOCK="+900d").status == 0
