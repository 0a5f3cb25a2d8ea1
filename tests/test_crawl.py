"""`scrapy crawl sohr` from listing to archive: everything published is held as it was said, and nothing is
missed."""

from __future__ import annotations

import http.client
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.crawling import (
    AGAIN,
    Crawled,
    archived,
    article_requests,
    asked,
    asked_again,
    assert_taken,
    crawl,
    expected_states,
    is_channel,
    is_listing,
    records,
    rows,
    running,
    states,
    truth,
    until,
)
from tests.replica.server import Replica
from tests.replica.site import LOCAL
from tests.replica.words import EDITIONS

READABLE = ("tielabs", "publisher", "foxiz", "unknown")


@dataclass(frozen=True)
class First:
    """A first crawl of a site with all noise on."""

    replica: Replica
    folder: Path
    crawled: Crawled
    log: list[dict[str, object]] = field(repr=False)


@pytest.fixture(
    scope="module",
    params=[
        *READABLE[:1],
        *(pytest.param(name, marks=pytest.mark.slow) for name in READABLE[1:3]),
        READABLE[3],
    ],
)
def first(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[First]:
    folder = tmp_path_factory.mktemp(request.param) / "archive"
    with Replica(posts=20, per_page=5, layout=request.param) as replica:
        crawled = crawl(replica, folder)
        assert crawled.status == 0, crawled.stderr
        yield First(replica, folder, crawled, replica.log())


class TestFirstCrawl:
    """A first crawl holds all the site says, in each of its layouts, whatever stands around the text."""

    def test_every_post_is_one_article(self, first: First) -> None:
        """Each published post of both editions is one article; protected and empty ones say so and have no
        version."""
        assert states(first.folder) == expected_states(first.replica)
        assert {"protected", "empty"} < set(states(first.folder).values())

    def test_titles_and_lines_are_the_sites(self, first: First) -> None:
        """Title and lines are what the post says: no counter, no related post, no advertisement; posts in
        three pages are one text."""
        expected = truth(first.replica)
        assert archived(first.folder) == expected
        paged = [post for e in EDITIONS for post in first.replica.posts(e) if len(post.pages) == 3]
        assert len(paged) == 2 and all(len(expected[post.edition, post.post_id][1]) >= 9 for post in paged)
        assert rows(first.folder, "select count(*), max(number) from versions") == [(len(expected), 1)]

    def test_exported_items_are_the_new_versions(self, first: First) -> None:
        """``-O new.jsonl`` lists each version of this crawl once, with its text."""
        items = {
            (v["edition"], v["post_id"]): (v["title"], tuple(v["text"].split("\n")))
            for v in first.crawled.new
        }
        assert items == truth(first.replica)
        assert len(first.crawled.new) == len(items)
        assert {(v["number"], v["kind"]) for v in first.crawled.new} == {(1, "created")}

    def test_dates_are_those_the_site_states(self, first: First) -> None:
        """Published and modified are the site's, in UTC; the day is the site's own."""
        expected = {
            (e, p.post_id): (
                f"{p.published:%Y-%m-%dT%H:%M:%SZ}",
                f"{p.modified:%Y-%m-%dT%H:%M:%SZ}",
                f"{p.published.astimezone(LOCAL):%Y-%m-%d}",
            )
            for e in EDITIONS
            for p in first.replica.posts(e)
            if p.lines
        }
        every = rows(
            first.folder, "select edition, post_id, published_at, modified_at, day from latest_versions"
        )
        assert {(edition, post_id): tuple(rest) for edition, post_id, *rest in every} == expected

    def test_each_page_is_asked_for_once(self, first: First) -> None:
        """One request a listing page and page of a post, one at a time, and robots.txt first."""
        paths = [str(entry["path"]) for entry in first.log]
        assert paths[0] == "/robots.txt" and max(Counter(paths).values()) == 1
        assert {entry["active"] for entry in first.log} == {1}
        assert len([path for path in paths if is_listing(path) and "/date/" not in path]) == 8
        channels = [path for path in paths if is_channel(path) or "/date/" in path]
        assert len(
            [path for path in channels if "/date/" not in path and "/category/" not in path]
        ) == 10 and len(paths) == 1 + 8 + 40 + 4 + len(channels)

    def test_the_crawl_is_told(self, first: First) -> None:
        """The crawl's row says when it ended, how, and what came of it."""
        sql = (
            "select exit_status, verdict, finish_reason, finished_at is not null, "
            "json_extract(counters, '$.new') from crawls"
        )
        assert rows(first.folder, sql) == [(0, "healthy", "finished", 1, len(truth(first.replica)))]
        assert first.crawled.told[-1].startswith("crawl healthy: ")

    def test_changes_are_numbered_without_a_gap(self, first: First) -> None:
        """One row a post in the feed: created."""
        told = rows(first.folder, "select seq, kind from changes order by seq")
        assert told == [(n, "created") for n in range(1, 41)]


def assert_nothing_is_left(replica: Replica, folder: Path) -> None:
    """All is archived, each post asked for once; another crawl asks for the newest alone."""
    assert_taken(replica, folder)
    assert set(article_requests(replica).values()) == {1}
    replica.clear_log()
    crawl(replica, folder)
    assert asked_again(replica) == AGAIN


def test_a_body_is_kept_as_it_came(tmp_path: Path) -> None:
    """Byte for byte, gzip as gzip, for each page of a site without noise."""
    with Replica(posts=12, frozen=True) as replica:
        assert crawl(replica, tmp_path / "a").status == 0
        responses = [record for record in records(tmp_path / "a") if record.kind == "response"]
        assert len(responses) > 26
        for record in responses:
            assert record.header("Content-Encoding") == "gzip" and record.body[:2] == b"\x1f\x8b"
            assert record.body == _raw(replica, record.path)


def _raw(replica: Replica, path: str) -> bytes:
    connection = http.client.HTTPConnection(urlsplit(replica.url).netloc, timeout=10)
    try:
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        return connection.getresponse().read()
    finally:
        connection.close()


def test_without_a_stated_modified_date_stealth_is_unknown(tmp_path: Path) -> None:
    """NULL: nothing is invented."""
    with Replica(posts=12, seo=False) as replica:
        assert crawl(replica, tmp_path / "a").status == 0
        post = next(p for p in replica.posts("en") if not p.odd)
        replica.call("edit", edition="en", post_id=post.post_id, title="Another headline", silent=True)
        assert crawl(replica, tmp_path / "a", "look=all").status == 0
    sql = (
        "select kind, stealth from changes join articles using (article_id) where post_id = ? and "
        "edition = 'en' order by seq"
    )
    assert rows(tmp_path / "a", sql, post.post_id) == [("created", None), ("updated", None)]


class TestCoverage:
    """Nothing is missed: however the listings are cut, paged or shifted."""

    def test_a_crawl_cut_off_by_pages_is_completed_by_the_next(self, tmp_path: Path) -> None:
        """``pages=2`` takes the newest ten; a default run afterwards all the rest, each once; then nothing
        is left."""
        with Replica(posts=30, per_page=5) as replica:
            assert crawl(replica, tmp_path / "a", "pages=2").status == 0
            assert len(states(tmp_path / "a")) == 2 * 11  # the sticky post stands on top
            assert len(asked(replica, is_listing)) == 4
            assert crawl(replica, tmp_path / "a").status == 0
            assert_nothing_is_left(replica, tmp_path / "a")

    @pytest.mark.parametrize(("after", "count"), [(2, 3), (3, 5), (2, 25)])
    def test_posts_published_during_the_crawl_are_not_missed(
        self, tmp_path: Path, after: int, count: int
    ) -> None:
        """They push entries across pages: none is missed, none fetched twice, and the next run has all."""
        with Replica(posts=20, per_page=5) as replica:
            before = expected_states(replica)
            replica.call("publish_during_crawl", edition="en", after=after, count=count)
            assert crawl(replica, tmp_path / "a").status == 0
            assert before.items() <= states(tmp_path / "a").items()
            assert crawl(replica, tmp_path / "a").status == 0
            assert len(expected_states(replica)) == len(before) + count
            assert_taken(replica, tmp_path / "a")
            assert set(article_requests(replica).values()) == {1}

    def test_posts_taken_away_during_the_crawl_hide_none(self, tmp_path: Path) -> None:
        """They pull entries to pages already walked: those are found all the same, by this run or the
        next."""
        with Replica(posts=20, per_page=5, slow_ms=1500, only="^/en/page/3/") as replica:
            with running(replica, tmp_path / "a", "edition=en") as run:
                until(lambda: "/en/page/2/" in asked(replica), "the second listing page")
                for post in replica.posts("en")[:3]:
                    replica.call("trash", edition="en", post_id=post.post_id)
                assert run.wait().status == 0
            replica.call("set", slow_ms=0)
            assert crawl(replica, tmp_path / "a", "edition=en").status == 0
            missed = {key for key in truth(replica) if key[0] == "en"} - archived(tmp_path / "a").keys()
            assert missed == set()

    def test_without_pages_of_the_home_listing_date_archives_lead_to_all(self, tmp_path: Path) -> None:
        """And a run afterwards asks for the newest listing only."""
        with Replica(posts=15, per_page=5, home_paging=False) as replica:
            assert crawl(replica, tmp_path / "a").status == 0
            assert_nothing_is_left(replica, tmp_path / "a")

    def test_a_walk_through_date_archives_that_was_cut_off_is_completed(self, tmp_path: Path) -> None:
        """As one through the home listing is."""
        with Replica(posts=20, per_page=5, home_paging=False) as replica:
            assert crawl(replica, tmp_path / "a", "pages=3").status == 0
            assert archived(tmp_path / "a").keys() < truth(replica).keys()
            assert crawl(replica, tmp_path / "a").status == 0
            assert_taken(replica, tmp_path / "a")

    def test_a_listing_without_times_leads_to_all(self, tmp_path: Path) -> None:
        """No ``<time>``: the days come from the articles."""
        with Replica(posts=15, per_page=5, listing_times=False) as replica:
            assert crawl(replica, tmp_path / "a").status == 0
            assert archived(tmp_path / "a") == truth(replica)
            days = {
                (e, p.post_id): f"{p.published.astimezone(LOCAL):%Y-%m-%d}"
                for e in EDITIONS
                for p in replica.posts(e)
                if p.lines
            }
            found = {
                (e, i): day
                for e, i, day in rows(tmp_path / "a", "select edition, post_id, day from articles")
            }
            assert days.items() <= found.items()
            replica.clear_log()
            crawl(replica, tmp_path / "a")
            assert asked_again(replica) == AGAIN
