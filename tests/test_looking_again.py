"""Crawls of a site whose posts are edited, moved and taken away: what is archived, and the evidence of it."""

from __future__ import annotations

import gzip
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
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
    asked,
    changes,
    check_warcs,
    crawl,
    exchanges,
    records,
    rows,
    states,
    truth,
    versions,
    warcs,
)
from tests.replica.posts import Post
from tests.replica.server import Replica
from tests.replica.words import EDITIONS


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
    with Replica(posts=24, per_page=6, seed=17) as replica:
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
        assert len(story.asked["all"]) == len(AGAIN) + 48 + 4
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
