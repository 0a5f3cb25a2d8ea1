"""`scrapy crawl sohr` from listing to archive: everything published is held as it was said, all evidence is
kept, and edits are told apart."""

from __future__ import annotations

import gzip
import http.client
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.crawling import (
    AGAIN,
    ANSWERS,
    Crawled,
    Record,
    Text,
    answered,
    archived,
    article_requests,
    asked,
    asked_again,
    assert_taken,
    changes,
    check_warcs,
    crawl,
    exchanges,
    expected_states,
    is_channel,
    is_listing,
    records,
    rows,
    running,
    states,
    truth,
    until,
    versions,
    warcs,
)
from tests.replica.posts import Post
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
    with Replica(posts=40, layout=request.param) as replica:
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
        ) == 10 and len(paths) == 1 + 8 + 80 + 4 + len(channels)

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
        assert told == [(n, "created") for n in range(1, 81)]


@dataclass
class Story:
    """A site's life with a crawl after each step: what was archived and what was asked."""

    replica: Replica
    folder: Path
    posts: dict[str, Post]
    moved_to: int = 0
    crawled: dict[str, Crawled] = field(default_factory=dict)
    archived: dict[str, dict[tuple[str, int], Text]] = field(default_factory=dict)
    states: dict[str, dict[tuple[str, int], str | None]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    asked: dict[str, list[str]] = field(default_factory=dict)

    def crawl(self, turn: str, *arguments: str) -> None:
        # What a crawl saw listed in the second in which the next one starts counts as seen by both
        time.sleep(1 - time.time() % 1)
        before = len(self.replica.log())
        self.crawled[turn] = crawl(self.replica, self.folder, *arguments)
        self.archived[turn], self.states[turn], self.versions[turn] = (
            archived(self.folder),
            states(self.folder),
            versions(self.folder),
        )
        self.asked[turn] = [path for path in asked(self.replica)[before:] if "/category/" not in path]

    def edit(self, name: str, **how: object) -> None:
        self.replica.call("edit", edition=self.posts[name].edition, post_id=self.posts[name].post_id, **how)

    def turn(self, knob: str, name: str, **how: object) -> None:
        self.replica.call(knob, edition=self.posts[name].edition, post_id=self.posts[name].post_id, **how)

    def changes(self, name: str) -> list[str]:
        return changes(self.folder, self.posts[name].edition, self.posts[name].post_id)

    def update(self, name: str) -> list[tuple[Any, ...]]:
        sql = """select severity, classes, stealth, figures from changes join articles using (article_id)
                 where edition = ? and post_id = ? and kind = 'updated' order by seq"""
        return rows(self.folder, sql, self.posts[name].edition, self.posts[name].post_id)


NAMES = (
    "honest",
    "silent",
    "title",
    "digit",
    "silent_digit",
    "space",
    "trash",
    "gone",
    "deleted",
    "moved",
    "aba",
    "obfuscated",
)


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Story]:
    with Replica(posts=40, seed=11) as replica:
        plain = {
            e: [
                p
                for p in replica.posts(e)
                if not p.odd and any(c.isdigit() for c in p.text_lines[0] + p.text_lines[-1])
            ]
            for e in EDITIONS
        }
        posts = {name: plain[EDITIONS[n % 2]][n // 2] for n, name in enumerate(NAMES)}
        life = Story(replica, tmp_path_factory.mktemp("story") / "archive", posts)
        life.crawl("first")
        life.crawl("again")
        life.crawl("all", "look=all")
        life.edit("honest", html="<p>The desk now says 5 dead.</p>", lines=["The desk now says 5 dead."])
        life.edit(
            "silent",
            html="<p>The desk now says 6 dead.</p>",
            lines=["The desk now says 6 dead."],
            silent=True,
        )
        life.edit("title", title="A headline of its own")
        life.edit("digit", digit=True)
        life.edit("silent_digit", digit=True, silent=True)
        life.edit("space", whitespace=True)
        life.edit("obfuscated", title=_starred(posts["obfuscated"].title))
        life.edit("aba", title="B")
        life.turn("trash", "trash")
        life.turn("gone", "gone")
        life.turn("delete", "deleted")
        life.moved_to = posts["moved"].post_id + 90_000
        life.turn("move", "moved", to=life.moved_to)
        life.crawl("edited", "look=all")
        life.turn("untrash", "trash")
        life.turn("untrash", "gone")
        life.edit("aba", title=posts["aba"].title)
        life.crawl("back", "look=all")
        yield life


def _starred(title: str) -> str:
    word = next(word for word in title.split() if len(word) > 4 and word.isalpha())
    return title.replace(word, word[:2] + "*" + word[2:], 1)


class TestLookingAgain:
    """An archived text stays. Another text makes a version, and a removed post is reported."""

    def test_all_crawls_are_healthy(self, story: Story) -> None:
        """Edits and disappearances are no failure."""
        assert {turn: crawled.status for turn, crawled in story.crawled.items()} == dict.fromkeys(
            story.crawled, 0
        )

    def test_a_second_crawl_asks_only_for_the_newest_listings(self, story: Story) -> None:
        """robots.txt, and of each edition a listing page and the feed; nothing is new, nothing is fetched."""
        assert story.asked["again"] == AGAIN
        assert story.versions["again"] == story.versions["first"] and story.crawled["again"].new == []

    def test_looking_at_everything_with_noise_on_adds_no_version(self, story: Story) -> None:
        """Counters, related posts, nonces, stamps and advertisements differ each time and make no version."""
        assert len(story.asked["all"]) == len(AGAIN) + 80 + 4
        assert (
            story.archived["all"] == story.archived["first"]
            and story.versions["all"] == story.versions["first"]
        )
        assert story.crawled["all"].new == []

    def test_edits_are_versions(self, story: Story) -> None:
        """Each edit of title or text is the article's second version, with exactly what the site says now."""
        expected = {
            name: (story.posts[name].edition, story.posts[name].post_id)
            for name in ("honest", "silent", "title", "digit", "silent_digit")
        }
        before, now = story.archived["first"], story.archived["edited"]
        changed = {key for key in now if key in before and now[key] != before[key]}
        assert changed == {
            *expected.values(),
            *((story.posts[n].edition, story.posts[n].post_id) for n in ("aba", "obfuscated")),
        }
        assert (
            now[expected["honest"]][1] == ("The desk now says 5 dead.",)
            and now[expected["title"]][0] == "A headline of its own"
        )
        assert {v["kind"] for v in story.crawled["edited"].new} == {"updated", "created"}
        assert len(story.crawled["edited"].new) == len(changed) + 1  # the moved post under its new id

    def test_stealth_is_an_edit_under_an_unchanged_date(self, story: Story) -> None:
        """Silent edits are stealth 1, honest ones 0."""
        found = {
            name: story.update(name)[0][2]
            for name in ("honest", "silent", "title", "digit", "silent_digit", "aba")
        }
        assert found == {"honest": 0, "silent": 1, "title": 0, "digit": 0, "silent_digit": 1, "aba": 0}

    def test_a_changed_figure_is_the_most_severe(self, story: Story) -> None:
        """One changed digit has severity 3 and class figures, with the figure before and after."""
        for name in ("digit", "silent_digit"):
            ((severity, classes, _, figures),) = story.update(name)
            assert severity == 3 and "figures" in classes and figures != "[]"

    def test_a_title_alone_is_an_edit(self, story: Story) -> None:
        """Class title; obfuscation of a word in it has a class of its own."""
        assert "title" in story.update("title")[0][1]
        assert "obfuscation" in story.update("obfuscated")[0][1]

    def test_white_space_is_no_edit(self, story: Story) -> None:
        """The text is respaced: no version; the site's modified date is a claim that changed."""
        assert story.update("space") == [] and story.changes("space") == ["created", "metadata"]

    def test_trashed_and_gone_posts_are_missing_at_once_and_keep_their_text(self, story: Story) -> None:
        """404 and 410: the post is missing, and its last text stays archived."""
        for name in ("trash", "gone", "deleted"):
            key = (story.posts[name].edition, story.posts[name].post_id)
            assert story.states["edited"][key] == "missing"
            assert story.archived["edited"][key] == story.archived["first"][key]
            assert story.changes(name)[:2] == ["created", "missing"]

    def test_what_comes_back_is_restored(self, story: Story) -> None:
        """Untrashed with the text it had: restored, live, no new version."""
        for name in ("trash", "gone"):
            key = (story.posts[name].edition, story.posts[name].post_id)
            assert story.states["back"][key] == "live"
            assert story.changes(name)[:3] == [
                "created",
                "missing",
                "restored",
            ] and "updated" not in story.changes(name)
        assert (
            story.states["back"][story.posts["deleted"].edition, story.posts["deleted"].post_id] == "missing"
        )

    def test_a_moved_post_is_followed(self, story: Story) -> None:
        """The old article is moved and says where to; the new one has the text."""
        old = (story.posts["moved"].edition, story.posts["moved"].post_id)
        new = (story.posts["moved"].edition, story.moved_to)
        assert story.states["edited"][old] == "moved" and story.states["edited"][new] == "live"
        assert story.archived["edited"][new] == story.archived["first"][old]
        assert story.changes("moved") == ["created", "moved"]
        sql = (
            "select n.post_id from articles o join articles n on n.article_id = o.moved_to where "
            "o.edition = ? and o.post_id = ?"
        )
        assert rows(story.folder, sql, *old) == [(story.moved_to,)]

    def test_a_b_a_is_three_versions(self, story: Story) -> None:
        """Going back to the first text is a third version, not the first again."""
        sql = (
            "select v.number, v.title from versions v join articles using (article_id) where edition = "
            "? and post_id = ? order by number"
        )
        title = story.posts["aba"].title
        assert rows(story.folder, sql, story.posts["aba"].edition, story.posts["aba"].post_id) == [
            (1, title),
            (2, "B"),
            (3, title),
        ]

    def test_at_the_end_the_archive_says_what_the_site_says(self, story: Story) -> None:
        """Whatever happened between."""
        assert {
            k: v for k, v in story.archived["back"].items() if story.states["back"][k] == "live"
        } == truth(story.replica)


@pytest.fixture(scope="module")
def evidence(story: Story) -> list[Record]:
    return records(story.folder)


class TestEvidence:
    """The WARC files hold every exchange of those crawls, as received."""

    def test_every_exchange_is_kept(self, story: Story, evidence: list[Record]) -> None:
        """Each request the site answered is a response with its query and status: robots.txt, listings,
        redirects, 404 and 410 too."""
        kept = exchanges(story.folder)
        assert kept == answered(story.replica)
        assert {status for _, status in kept} == {200, 301, 304, 404, 410}  # 304: a feed that had nothing new

    def test_each_response_stands_with_its_request_and_reason(self, evidence: list[Record]) -> None:
        """A request and a metadata record name each response, and stand before it."""
        responses = [record for record in evidence if record.kind in ANSWERS]
        requests = [record.beside for record in evidence if record.kind == "request"]
        reasons = [record.beside for record in evidence if record.kind == "metadata" and record.beside]
        assert requests == reasons == [record.record_id for record in responses]
        assert {record.uri for record in evidence if record.kind == "request"} == {
            record.uri for record in responses
        }

    def test_warcio_finds_all_digests_right(self, story: Story) -> None:
        """`warcio check`, and each record is a gzip member of its own that begins where the database says."""
        check_warcs(story.folder)
        (path,) = warcs(story.folder)
        raw = path.read_bytes()
        for offset, length, record_id in rows(story.folder, "select offset, length, record_id from captures"):
            block = gzip.decompress(raw[offset : offset + length])
            assert block.startswith(b"WARC/1.1\r\n") and record_id.encode() in block[:1000]

    def test_the_database_knows_each_exchange(self, story: Story) -> None:
        """One capture a response."""
        captures = rows(story.folder, "select url, status from captures")
        kept = Counter(
            (urlsplit(url)._replace(scheme="", netloc="").geturl(), status) for url, status in captures
        )
        assert kept == exchanges(story.folder)

    def test_the_beginning_and_end_of_each_crawl_are_evidence(self, evidence: list[Record]) -> None:
        """One event each, in the order of the crawls; a judgement stands before the end."""
        events = [r.body for r in evidence if r.kind == "metadata" and not r.beside]
        kinds = [
            next(kind for kind in (b"started", b"judged", b"finished") if b'"crawl-' + kind in body)
            for body in events
            if b'"crawl-' in body
        ]
        assert [kind for kind in kinds if kind != b"judged"] == [b"started", b"finished"] * 5
        assert all(kinds[n + 1] == b"finished" for n, kind in enumerate(kinds) if kind == b"judged")

    def test_a_warcinfo_says_which_software(self, evidence: list[Record]) -> None:
        """One for each run."""
        infos = [record for record in evidence if record.kind == "warcinfo"]
        assert len(infos) == 5 and all(
            b"sohr-archive/" in info.body and b"scrapy/" in info.body for info in infos
        )


@pytest.mark.real_process
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
        """``pages=2`` takes the newest twenty; a default run afterwards all the rest, each once; then nothing
        is left."""
        with Replica(posts=60) as replica:
            assert crawl(replica, tmp_path / "a", "pages=2").status == 0
            assert len(states(tmp_path / "a")) == 2 * 21  # the sticky post stands on top
            assert len(asked(replica, is_listing)) == 4
            assert crawl(replica, tmp_path / "a").status == 0
            assert_nothing_is_left(replica, tmp_path / "a")

    @pytest.mark.parametrize(("after", "count"), [(2, 3), (3, 5), (2, 25)])
    def test_posts_published_during_the_crawl_are_not_missed(
        self, tmp_path: Path, after: int, count: int
    ) -> None:
        """They push entries across pages: none is missed, none fetched twice, and the next run has all."""
        with Replica(posts=40) as replica:
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
        with Replica(posts=40, slow_ms=1500, only="^/en/page/3/") as replica:
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
        with Replica(posts=25, home_paging=False) as replica:
            assert crawl(replica, tmp_path / "a").status == 0
            assert_nothing_is_left(replica, tmp_path / "a")

    def test_a_walk_through_date_archives_that_was_cut_off_is_completed(self, tmp_path: Path) -> None:
        """As one through the home listing is."""
        with Replica(posts=40, home_paging=False) as replica:
            assert crawl(replica, tmp_path / "a", "pages=3").status == 0
            assert archived(tmp_path / "a").keys() < truth(replica).keys()
            assert crawl(replica, tmp_path / "a").status == 0
            assert_taken(replica, tmp_path / "a")

    def test_a_listing_without_times_leads_to_all(self, tmp_path: Path) -> None:
        """No ``<time>``: the days come from the articles."""
        with Replica(posts=25, listing_times=False) as replica:
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


# of +03:00
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
