"""`healthy` of each edition, in `status` and in what a crawl records: not healthy while a part was not
read."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from archive.reports.gaps import COMPLETE, unexplained_gaps
from tests.archiving import well
from tests.bytewise import Site
from tests.crawling import Crawled, crawl, rows
from tests.replica.server import Replica

POSTS = 20
ONCE: dict[str, Any] = {"RETRY_TIMES": 0}


@pytest.fixture
def site() -> Iterator[Replica]:
    with Replica(posts=POSTS, per_page=5) as replica:
        yield replica


def health(folder: Path) -> dict[str, tuple[bool, str | None]]:
    """What status says of each edition."""
    told = json.loads(well(folder, "status", "--json"))
    return {one["edition"]: (one["healthy"], one["last_good_crawl"]) for one in told["editions"]}


def ended(folder: Path) -> str:
    """When the last crawl ended."""
    [(at,)] = rows(folder, "select finished_at from crawls order by crawl_id desc limit 1")
    return str(at)


def test_a_refused_edition_is_not_healthy_and_the_other_is(site: Replica, tmp_path: Path) -> None:
    """English answers with a challenge, Arabic is well: 69; status names the last good crawl of English."""
    folder = tmp_path / "a"
    assert crawl(site, folder, "look=none").status == 0
    first = ended(folder)
    assert health(folder) == {"en": (True, first), "ar": (True, first)}
    site.call("set", challenge=403, only="^/en/")
    done: Crawled = crawl(site, folder, "look=none", **ONCE)
    assert done.status == 69, done.stderr[-2000:]
    assert health(folder) == {"en": (False, first), "ar": (True, ended(folder))}
    text = well(folder, "status").decode()
    assert "  English: NOT HEALTHY, last good crawl: " in text and "  Arabic: healthy\n" in text
    site.call("set", challenge=0, only="")
    assert crawl(site, folder, "look=none").status == 0
    assert health(folder) == {"en": (True, ended(folder)), "ar": (True, ended(folder))}


def test_the_listing_of_the_other_edition_lists_nothing(tmp_path: Path) -> None:
    """A cache gives out the Arabic home page for the English one: English is not healthy, and no Arabic post
    becomes an English one."""
    with Site() as site:
        site.list_posts(101, 102)
        site.list_posts(501, 502, edition="ar")
        for post_id, edition in ((101, "en"), (102, "en"), (501, "ar"), (502, "ar")):
            site.put_post(post_id, f"The text of post {post_id} has some words.", edition=edition)
        assert crawl(site.url, tmp_path / "a", **ONCE).status == 0
        site.answers["/en/"] = site.answers["/"]
        done = crawl(site.url, tmp_path / "a", **ONCE)
        assert done.status != 0 and "edition en: " in done.stderr, done.stderr[-2000:]
        told = health(tmp_path / "a")
        assert not told["en"][0] and told["ar"][0]
        posts = "select edition, post_id from articles order by post_id"
        assert rows(tmp_path / "a", posts) == [("en", 101), ("en", 102), ("ar", 501), ("ar", 502)]


def test_articles_that_fail_beside_dead_date_archives(site: Replica, tmp_path: Path) -> None:
    """Most of the few articles fail, and many 404 of date archives do not hide it."""
    folder = tmp_path / "a"
    assert crawl(site, folder, "edition=en", "look=none").status == 0
    site.call("publish", edition="en", count=10)
    newest = sorted(post.post_id for post in site.posts("en"))[-10:]
    failing = "|".join(f"^/en/{post_id}/" for post_id in newest[:8])
    site.call("set", date_archives=False, fail_status=500, fail_next=1000, only=f"{failing}|p=")
    assert crawl(site, folder, "edition=en", "look=none", **ONCE).status == 69
    assert health(folder)["en"][0] is False


def test_a_crawl_of_single_posts_says_nothing_of_an_edition(site: Replica, tmp_path: Path) -> None:
    """Only a crawl that asks for the newest listing does."""
    folder, urls = tmp_path / "a", tmp_path / "urls.txt"
    assert crawl(site, folder, "edition=en", "look=none").status == 0
    before = health(folder)
    urls.write_text(f"{site.url}en/{site.posts('en')[0].post_id}/\n")
    assert crawl(site, folder, f"urls={urls}", "look=all").status == 0
    assert health(folder) == before and list(before) == ["en"]


def test_a_gap_needs_an_explanation(site: Replica, tmp_path: Path) -> None:
    """Explanations are an argument, a walk that continues in the next crawl, date archives that show each
    day, and a stopped crawl."""
    folder = tmp_path / "a"
    assert crawl(site, folder, "edition=en", "look=none", "pages=1").status == 0
    with closing(sqlite3.connect(folder / "archive.db")) as db:

        class Rows:
            def query(self, sql: str, *values: object) -> list[Any]:
                return db.execute(sql, values).fetchall()

        def gaps(reason: str = COMPLETE) -> dict[Any, list[str]]:
            return unexplained_gaps(Rows(), 1, reason)

        assert gaps() == {}  # pages=1
        db.execute("update crawls set arguments = json_set(arguments, '$.pages', null)")
        [(tail, first)] = db.execute(
            "select tail_day, (select min(day) from articles) from stretches where merged_into is null"
        )
        assert gaps() == {"en": [tail]} and gaps("budget") == gaps("shutdown") == {}
        db.execute(
            """insert into channels (edition, channel, scope, asked_at, next_page)
               values ('en', 'rest', 'walk', '9999-01-01T00:00:00Z', 3)"""
        )
        assert gaps() == {}
        db.execute("update channels set whole_at = asked_at")
        assert gaps() == {"en": [tail]}
        db.execute("delete from coverage_days")
        db.execute(
            """with recursive days(day) as (select ? union all select date(day, '+1 day') from days where day
               < ?)
               insert into coverage_days select 'en', day, '2026-01-01T00:00:00Z' from days""",
            (first, tail),
        )
        assert gaps() == {}
