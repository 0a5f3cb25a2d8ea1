"""A site that asks for time gets it: no request before the instant it stated, by this crawl or the next; and
none beyond the day's budget."""

from __future__ import annotations

import time
from datetime import datetime
from pathlib import Path

import pytest

from archive.thresholds import HOST_FAILED, HOST_LAST
from crawler.extensions.guard import Breaker
from tests.crawling import archived, asked, crawl, exchanges, rows, truth
from tests.replica.server import Replica

POSTS, PER_PAGE = 9, 5


def waits(site: Replica, status: int) -> list[float]:
    """Seconds from each answer of a status to the next request, whatever that was for."""
    log = site.log()
    times = [datetime.fromisoformat(str(entry["at"])) for entry in log]
    return [
        (times[n + 1] - times[n]).total_seconds()
        for n, entry in enumerate(log[:-1])
        if entry["status"] == status
    ]


@pytest.mark.parametrize("stated", ["37", "date:37"])
@pytest.mark.slow
def test_thirty_seven_seconds(site: Replica, tmp_path: Path, stated: str) -> None:
    """429, in seconds and as a date: the whole crawl waits, and takes everything afterwards."""
    site.call("set", fail_status=429, fail_next=1, retry_after=stated, only=r"^/en/\d+/")
    assert crawl(site, tmp_path / "a").status == 0
    [wait] = waits(site, 429)
    assert 36 <= wait <= 60  # a date has no fractions of a second
    assert archived(tmp_path / "a") == truth(site)


@pytest.mark.parametrize("stated", ["2", "date:3"])
def test_a_storm(site: Replica, tmp_path: Path, stated: str) -> None:
    """Eight requests in a row are refused with 503, each with its own time of rest: each is kept."""
    site.call("set", fail_status=503, fail_next=8, retry_after=stated, only=r"^/en/")
    assert crawl(site, tmp_path / "a", "edition=en", RETRY_TIMES=8).status == 0
    every = waits(site, 503)
    assert len(every) == 8 and min(every) >= 1.9
    assert archived(tmp_path / "a") == {key: text for key, text in truth(site).items() if key[0] == "en"}


def test_by_whatever_refusal(site: Replica, tmp_path: Path) -> None:
    """403 is not asked again, and its Retry-After holds for everything else."""
    site.call("set", fail_status=403, fail_next=1, retry_after="3", only=r"^/en/\d+/")
    assert crawl(site, tmp_path / "a", "edition=en").status == 0
    assert [wait >= 2.9 for wait in waits(site, 403)] == [True]


@pytest.mark.parametrize("stated", ["7200", "date:7200"])
@pytest.mark.parametrize("where", [r"^/en/page/2/", "^/robots.txt"], ids=["listing", "robots"])
def test_past_the_end_of_the_crawl(site: Replica, tmp_path: Path, stated: str, where: str) -> None:
    """Two hours end the crawl with 69. The next ones ask for nothing, not even robots.txt, until they are
    over."""
    folder = tmp_path / "a"
    site.call("set", fail_status=503, fail_next=1, retry_after=stated, only=where)
    done = crawl(site, folder)
    assert done.status == 69 and done.seconds < 60, done.stderr[-2000:]
    assert site.log()[-1]["status"] == 503 and sum(exchanges(folder).values()) == len(asked(site))
    site.clear_log()
    for clock in ("", "+100m"):
        done = crawl(site, folder, ARCHIVE_CLOCK=clock)
        assert done.status == 69 and "asked for rest" in done.stderr and asked(site) == []
    assert rows(folder, "select exit_status, verdict from crawls") == [(69, "unavailable")] * 3
    assert crawl(site, folder, ARCHIVE_CLOCK="+125m").status == 0
    assert archived(folder) == truth(site)


def test_a_short_rest_does_not_cut_a_longer_one(site: Replica, tmp_path: Path) -> None:
    """Two hours stay two hours, though a later answer speaks of seconds."""
    folder = tmp_path / "a"
    site.call("set", fail_status=429, fail_next=1, retry_after="7200", only="^/en/$")
    assert crawl(site, folder, "edition=en").status == 69
    site.call("set", fail_status=429, fail_next=1, retry_after="1", only="^/en/$")
    # As if the machine's clock had been wrong
    assert crawl(site, folder, "edition=en", ARCHIVE_CLOCK="-3h").status in (0, 69)
    site.clear_log()
    assert crawl(site, folder, "edition=en").status == 69 and asked(site) == []


@pytest.mark.parametrize("budget", [1, 7, 20])
def test_the_budget_is_never_exceeded(site: Replica, tmp_path: Path, budget: int) -> None:
    """Not by one, retries and time-outs included; what is left undone the next day does."""
    site.call("set", fail_status=503, fail_every=4, only=r"^/en/\d+/")
    for day in range(2):
        site.clear_log()
        assert crawl(site, tmp_path / "a", f"budget={budget}", ARCHIVE_CLOCK=f"+{25 * day}h").status == 0
        assert len(asked(site)) == budget
    site.call("set", fail_status=0, only="")
    assert crawl(site, tmp_path / "a", "budget=0", ARCHIVE_CLOCK="+50h").status == 0
    assert archived(tmp_path / "a") == truth(site)


def test_no_answer_costs_the_budget_too(site: Replica, tmp_path: Path) -> None:
    """A request that times out was one."""
    site.call("set", slow_ms=4_000, only=r"^/en/\d+/")
    done = crawl(site, tmp_path / "a", "edition=en", "budget=5", DOWNLOAD_TIMEOUT=1, RETRY_TIMES=1)
    assert done.status in (0, 69)
    assert (
        sum(exchanges(tmp_path / "a").values())
        + rows(tmp_path / "a", "select count(*) from failures where reason = 'no_answer'")[0][0]
        == 5
    )
    site.call("set", slow_ms=0)
    time.sleep(4.5)  # what timed out is written down there once it ends
    site.clear_log()
    assert crawl(site, tmp_path / "a", "edition=en", "budget=5").status == 0 and asked(site) == []


def test_the_breaker() -> None:
    """Half of a host's last requests; a good answer between does not make it forget, good ones for long do;
    hosts do not answer for each other."""
    breaker = Breaker()
    for _ in range(HOST_FAILED.value - 1):
        assert breaker.add("a", "error") is None
        breaker.add("a")
        assert breaker.add("b", "no_answer") is None
    told = breaker.add("a", "challenge")
    assert (
        told
        == f"{HOST_FAILED.value} of its last {2 * HOST_FAILED.value - 1} answers failed (error, challenge)"
    )
    for _ in range(HOST_LAST.value):
        breaker.add("a")
    assert breaker.add("a", "error") is None


def test_posts_that_always_fail_do_not_keep_the_others_out(site: Replica, tmp_path: Path) -> None:
    """The six newest posts break the site. The breaker ends two crawls; then they rest, and all others are
    taken."""
    broken = sorted(post_id for edition, post_id in truth(site) if edition == "en")[-6:]
    site.call("set", fail_status=500, fail_every=1, only=rf"^/en/({'|'.join(map(str, broken))})/")
    clocks = ("+0s", "+30m", "+60m")
    statuses = [
        crawl(site, tmp_path / "a", "edition=en", RETRY_TIMES=1, ARCHIVE_CLOCK=clock).status
        for clock in clocks
    ]
    assert statuses == [69, 69, 0]
    expected = {key: text for key, text in truth(site).items() if key[0] == "en" and key[1] not in broken}
    assert archived(tmp_path / "a") == expected
    site.call("set", fail_every=0)
    assert crawl(site, tmp_path / "a", "edition=en", ARCHIVE_CLOCK="+5h").status == 0
    assert len(archived(tmp_path / "a")) == len(expected) + len(broken)
