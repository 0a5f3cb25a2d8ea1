"""How a look is asked for: a hundred articles in one request of REST, a condition at every second page; and
what an edit leads to."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.archiving import sohr
from tests.crawling import (
    article_requests,
    asked,
    changes,
    crawl,
    in_step,
    plain_posts,
    rows,
    states,
    versions,
)
from tests.replica.server import Replica

# By each of these clocks all looks are due that were last done by the one before
LOOKS = ("+1h", "+3h", "+7h", "+15h")


@pytest.fixture
def site() -> Iterator[Replica]:
    with Replica(posts=20) as replica:
        yield replica


class TestLooksByRest:
    """Where REST is open, one request looks at 100 articles. Only those that differ, or cannot be compared,
    cost a page."""

    def test_an_unchanged_article_costs_no_page(self, site: Replica, tmp_path: Path) -> None:
        """The first look compares with nothing and asks for pages; from then on one request does all that are
        due."""
        crawl(site, tmp_path / "a", "edition=en")
        count = versions(tmp_path / "a")
        for clock in LOOKS[:3]:
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock).status == 0
        assert len(asked(site, lambda path: "include=" in path)) == 1
        odd = {post.post_id for post in site.posts("en") if post.password or not post.lines}
        # Protected and empty ones have no text to compare
        assert {int(path.split("/")[2]) for path in article_requests(site)} == odd
        assert versions(tmp_path / "a") == count
        sql = """select channel, max(looks), max(unchanged_looks), max(captures) from digests join articles
                 using (article_id)
                 join versions using (article_id) group by 1 order by 1"""
        # The feed's 304 looks at nothing
        assert rows(tmp_path / "a", sql)[:2] == [("feed", 0, 3, 2), ("rest", 2, 3, 2)]

    def test_edits_are_found_by_the_digest_and_read_from_the_page(
        self, site: Replica, tmp_path: Path
    ) -> None:
        """A silent one, a title alone, an honest one: each is a version of the page, and the next look is
        quiet."""
        crawl(site, tmp_path / "a", "edition=en")
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[0])
        silent, title, honest = plain_posts(site, 3)
        in_step(site, "+2h")
        site.rewrite(silent.post_id, "The people counted there are six by now.", silent=True)
        site.call("edit", edition="en", post_id=title.post_id, title="Another", silent=True)
        site.rewrite(honest.post_id, "Now 5.")
        edited = {f"/en/{post.post_id}/" for post in (silent, title, honest)}
        for turn in (1, 2, 3):
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[turn]).status == 0
            pages = set(article_requests(site))
            # At 2 a digest that came after the page proves nothing
            assert {1: edited <= pages, 2: True, 3: edited.isdisjoint(pages)}[turn]
        assert [changes(tmp_path / "a", "en", post.post_id)[-1] for post in (silent, title, honest)] == [
            "updated"
        ] * 3
        stealth = (
            "select stealth from changes join articles using (article_id) where post_id = ? and kind = "
            "'updated'"
        )
        assert [rows(tmp_path / "a", stealth, post.post_id) for post in (silent, title, honest)] == [
            [(1,)],
            [(1,)],
            [(0,)],
        ]

    def test_what_rest_does_not_show_any_more_is_asked_for(self, site: Replica, tmp_path: Path) -> None:
        """A trashed post becomes missing. A post that only REST stopped showing stays live: the feed reports
        that once, and once more when REST shows it again."""
        crawl(site, tmp_path / "a", "edition=en")
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[0])
        trashed, hidden = plain_posts(site, 2)
        site.call("trash", edition="en", post_id=trashed.post_id)
        site.call("hide", edition="en", post_id=hidden.post_id, channels=["rest", "feed"])
        for clock in LOOKS[1:3]:
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock)
        found = states(tmp_path / "a")
        assert (found["en", trashed.post_id], found["en", hidden.post_id]) == ("missing", "live")
        told = (
            "select details from changes join articles using (article_id) where post_id = ? and kind = "
            "'metadata'"
        )
        assert rows(tmp_path / "a", told, hidden.post_id) == [('{"rest": ["listed", "absent"]}',)]
        site.call("hide", edition="en", post_id=hidden.post_id, channels=[])
        crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=LOOKS[3])
        assert rows(tmp_path / "a", told, hidden.post_id)[1:] == [('{"rest": ["absent", "listed"]}',)]
        # Made again from the evidence: the same digests and channels
        assert sohr(tmp_path / "a", "verify", "--deep").status == 0

    def test_a_count_that_is_not_ours_leads_to_another_walk(self, site: Replica, tmp_path: Path) -> None:
        """An old post comes back to REST without an edit. After a week the site's count differs from the
        archive's, and the walk by id finds the post."""
        crawl(site, tmp_path / "a", "edition=en")
        old = site.call(
            "put",
            edition="en",
            title="Old",
            html="<p>O.</p>",
            lines=["O."],
            published="2025-01-01T00:00:00Z",
            modified="2025-01-01T00:00:00Z",
        )
        site.call("hide", edition="en", post_id=old, channels=["home", "date", "category", "feed", "sitemap"])
        for clock, walks in (("+6d", 0), ("+8d", 1), ("+9d", 0), ("+16d", 1)):
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK=clock)
            assert len(asked(site, lambda path: "orderby=id" in path)) == walks
        assert states(tmp_path / "a")["en", old] == "live"  # type: ignore[index]  # it is a number

    def test_without_rest_pages_are_asked_for(self, tmp_path: Path) -> None:
        """The channel is closed, remembered, and tried again after a week; a full-text feed does the looks of
        what it shows."""
        with Replica(posts=30, rest=False, feed_validators=False) as site:
            crawl(site, tmp_path / "a", "edition=en")
            for clock in LOOKS[:2]:
                site.clear_log()
                assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock).status == 0
            assert not asked(site, lambda path: "/wp-json/" in path)
            assert len(article_requests(site)) >= 20
            assert rows(tmp_path / "a", "select is_open, status from channels where channel = 'rest'") == [
                (0, 401)
            ]
            ((looks,),) = rows(
                tmp_path / "a", "select count(*) from digests where channel = 'feed' and looks > 0"
            )
            assert looks >= 5
            crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK="+8d")
            assert len(asked(site, lambda path: "/wp-json/" in path)) == 1


class TestLooks:
    """How a look is asked for, and what an edit leads to."""

    def test_a_condition_at_every_second_look(self, tmp_path: Path) -> None:
        """304 is a look, and no proof: the next one is unconditional, and finds what was edited silently."""
        with Replica(posts=12, lastmod=True, rest=False, feed=False, gzip=True) as site:
            crawl(site, tmp_path / "a", "edition=en")
            (post,) = plain_posts(site, 1)
            site.rewrite(post.post_id, "The people counted there are six by now.", silent=True)
            path = f"/en/{post.post_id}/"
            for clock, status in (("+1h", 304), ("+3h", 200), ("+5h", 304)):
                site.clear_log()
                assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock).status == 0
                [entry] = [entry for entry in site.log() if entry["path"] == path]
                assert entry["status"] == status and set(entry["headers"]) & {
                    "if-none-match",
                    "if-modified-since",
                } == ({"if-modified-since"} if status == 304 else set())
            assert changes(tmp_path / "a", "en", post.post_id) == ["created", "updated"]

    def test_the_look_that_ends_a_sweep_is_a_page(self, tmp_path: Path) -> None:
        """Without a condition, though REST is open and the page has a validator; a look before it is
        REST's."""
        with Replica(posts=12, lastmod=True) as site:
            # First captured, then by condition, then compared: from now on REST does the looks
            for clock in ("+0s", "+1h", "+3h"):
                crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK=clock)
            last, before = plain_posts(site, 2)
            with closing(sqlite3.connect(tmp_path / "a" / "archive.db")) as db:
                db.execute("update articles set unchanged_looks = 14 where post_id = ?", (last.post_id,))
                db.execute("update articles set unchanged_looks = 13 where post_id = ?", (before.post_id,))
                db.commit()
            site.clear_log()
            assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+200d").status == 0
            found = {str(entry["path"]): entry for entry in site.log()}
            assert f"/en/{before.post_id}/" not in found
            assert found[f"/en/{last.post_id}/"]["status"] == 200
            [(due,)] = rows(
                tmp_path / "a", "select unchanged_looks from articles where post_id = ?", last.post_id
            )
            assert due == 15

    def test_neighbours_of_an_edit_are_due(self, tmp_path: Path) -> None:
        """Three on either side, of an edit of the text alone; their own edits bring none forward."""
        with Replica(posts=20, rest=False, feed=False) as site:
            crawl(site, tmp_path / "a", "edition=en")
            ids = sorted(post.post_id for post in site.posts("en") if post.lines and not post.password)
            place = 12
            # The second is found by the edit of the first: it promotes nobody
            for edited in (ids[place], ids[place + 3]):
                site.rewrite(edited, "Now 6 dead.")
            urls = tmp_path / "urls.txt"
            urls.write_text(f"{site.url}en/{ids[place]}/\n")
            crawl(site, tmp_path / "a", f"urls={urls}", "look=all", ARCHIVE_CLOCK="+2m")
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+4m")
            beside = [ids[place + n] for n in (-3, -2, -1, 1, 2, 3)]
            assert {path.split("/")[2] for path in article_requests(site)} == {str(i) for i in beside}
            site.clear_log()
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+6m")
            assert not article_requests(site)
            assert changes(tmp_path / "a", "en", ids[place + 3])[-1] == "updated"

    def test_an_address_that_led_nowhere_rests_longer_each_time(self, tmp_path: Path) -> None:
        """As a missing article does: after an hour, six hours, a day."""
        with Replica(posts=12) as site:
            urls = tmp_path / "urls.txt"
            urls.write_text(f"{site.url}en/2015/03/no-such-post/\n")
            crawl(site, tmp_path / "a", f"urls={urls}")
            crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+1m")
            with closing(sqlite3.connect(tmp_path / "a" / "archive.db")) as db:
                db.execute(
                    "insert into aliases (url, first_seen_at) values (?, '2026-01-01T00:00:00Z')",
                    (f"{site.url}en/2015/03/no-such-post/",),
                )
                db.commit()
            for clock, times in (("+30m", 0), ("+3h", 1), ("+5h", 0), ("+12h", 1)):
                site.clear_log()
                crawl(site, tmp_path / "a", "edition=en", "look=none", ARCHIVE_CLOCK=clock)
                assert len(asked(site, lambda path: "no-such-post" in path)) == times
