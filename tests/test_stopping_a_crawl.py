"""A crawl that is told to stop is gone within ten seconds, whatever the site does and whatever it waits for;
all that came is kept."""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import (
    answered,
    archived,
    asked,
    assert_taken,
    crawl,
    exchanges,
    rows,
    running,
    truth,
    until,
)
from tests.replica.server import Replica

SOON = 10.0  # seconds
ARTICLES = r"^/en/\d+/"
# what the site does once articles are asked for, and what the crawl is told besides
TROUBLE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "a minute for each answer": ({"slow_ms": 60_000, "only": ARTICLES}, {}),
    "an answer that drips": ({"drip_ms": 2_000, "only": ARTICLES}, {}),
    "a wait before the next try": (
        {"fail_status": 503, "fail_every": 1, "only": ARTICLES},
        {"BACKOFF_SECONDS": 100},
    ),
    "a Retry-After in seconds": (
        {"fail_status": 429, "fail_every": 1, "retry_after": "200", "only": ARTICLES},
        {},
    ),
    "a Retry-After as a date": (
        {"fail_status": 503, "fail_every": 1, "retry_after": "date:200", "only": ARTICLES},
        {},
    ),
    "a Crawl-delay": ({"robots": "User-agent: *\nCrawl-delay: 60\n"}, {}),
    "a delay of our own": ({}, {"DOWNLOAD_DELAY": 60}),
}


@pytest.fixture
def site() -> Iterator[Replica]:
    """One for each test, because requests of an earlier stopped crawl may still be under way there."""
    with Replica(posts=15) as replica:
        yield replica


@pytest.mark.parametrize(
    ("number", "status", "verdict"),
    [(signal.SIGTERM, 0, "healthy"), (signal.SIGINT, 130, "interrupted")],
    ids=["term", "ctrl-c"],
)
@pytest.mark.parametrize("trouble", TROUBLE)
def test_within_ten_seconds(
    site: Replica, tmp_path: Path, trouble: str, number: int, status: int, verdict: str
) -> None:
    """One signal is enough. The crawl's row is written, and every answer of the site is archived, no more and
    no less."""
    folder, (settings, given) = tmp_path / "a", TROUBLE[trouble]
    site.call("set", **settings)
    with running(site, folder, "edition=en", **given) as run:
        until(lambda: "/robots.txt" in asked(site), "robots.txt")
        if "only" in settings:
            until(lambda: "/en/" in asked(site), "the first listing")
        time.sleep(1.5)  # by now an article is under way, or waited for
        begun = time.monotonic()
        run.signal(number)
        done = run.wait(40)
        took = time.monotonic() - begun
    assert done.status == status, done.stderr[-3000:]
    assert took < SOON and "Traceback" not in done.stderr
    assert rows(folder, "select exit_status, verdict, finished_at is not null from crawls") == [
        (status, verdict, 1)
    ]
    assert exchanges(folder) == answered(site)


def test_nothing_is_lost_and_a_page_nearly_there_is_kept(site: Replica, tmp_path: Path) -> None:
    """A request under way has three seconds to end; the next run takes the rest."""
    folder = tmp_path / "a"
    site.call("set", slow_ms=1_500, only=ARTICLES)
    with running(site, folder, "edition=en") as run:
        until(lambda: any(re.match(ARTICLES, path) for path in asked(site)), "an article")
        time.sleep(0.5)
        before = len(asked(site))
        run.signal(signal.SIGTERM)
        assert run.wait(20).status == 0
    assert len(asked(site)) == before + 1 and exchanges(folder) == answered(site)
    site.call("set", slow_ms=0, only="")
    assert crawl(site, folder).status == 0
    assert_taken(site, folder)


def test_a_rest_that_an_earlier_crawl_was_asked_for(site: Replica, tmp_path: Path) -> None:
    """It is waited out before the first request, and not by a crawl that is to stop."""
    folder = tmp_path / "a"
    site.call("set", fail_status=429, fail_next=1, retry_after="100", only="^/en/$")
    assert crawl(site, folder, "edition=en", BACKOFF_MAX_SECONDS=50).status == 69
    site.clear_log()
    with running(site, folder, "edition=en") as run:
        until(lambda: rows(folder, "select count(*) from crawls") == [(2,)], "the second crawl")
        time.sleep(1)
        begun = time.monotonic()
        run.signal(signal.SIGTERM)
        done = run.wait(20)
    assert done.status == 0 and time.monotonic() - begun < SOON
    assert asked(site) == []


@pytest.mark.real_process
def test_a_second_ctrl_c_is_faster(site: Replica, tmp_path: Path) -> None:
    """It does not wait for downloads. The archive is whole, and the next run continues."""
    folder = tmp_path / "a"
    site.call("set", slow_ms=60_000, only=ARTICLES)
    with running(site, folder, "edition=en") as run:
        until(lambda: "/en/" in asked(site), "the first listing")
        time.sleep(1.5)
        run.signal(signal.SIGINT)
        time.sleep(0.3)
        begun = time.monotonic()
        run.signal(signal.SIGINT)
        done = run.wait(20)
    assert done.status in (130, -signal.SIGINT) and time.monotonic() - begun < 2.5
    site.call("set", slow_ms=0, only="")
    assert crawl(site, folder).status == 0
    assert archived(folder) == truth(site)
