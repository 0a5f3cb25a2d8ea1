"""A crawl that is stopped ends soon, with its row written, and can be gone on with."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import pytest

from tests.crawling import (
    assert_taken,
    crawl,
    rows,
    running,
    until,
)
from tests.replica.server import Replica

POSTS, PER_PAGE = 8, 5


class TestSignals:
    """A crawl that is stopped ends soon, with its row written, and can be gone on with."""

    @pytest.mark.parametrize("requests", [1, 3, 25])
    @pytest.mark.parametrize(
        ("number", "status", "verdict"),
        [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 0, "healthy")],
        ids=["ctrl-c", "term"],
    )
    def test_once(
        self, site: Replica, tmp_path: Path, number: int, status: int, verdict: str, requests: int
    ) -> None:
        """Ctrl-C is 130, SIGTERM 0; within ten seconds; all that came is kept, and the next run takes the
        rest."""
        site.call("set", slow_ms=30)
        with running(site, tmp_path / "a") as run:
            until(lambda: site.count() >= requests, f"{requests} requests")
            begun = time.monotonic()
            run.signal(number)
            done = run.wait(30)
        assert done.status == status, done.stderr[-3000:]
        assert time.monotonic() - begun < 10 and "Traceback" not in done.stderr
        assert rows(tmp_path / "a", "select exit_status, verdict, finished_at is not null from crawls") == [
            (status, verdict, 1)
        ]
        site.call("set", slow_ms=0)
        assert crawl(site, tmp_path / "a").status == 0
        assert_taken(site, tmp_path / "a")

    def test_while_waiting_for_the_site(self, site: Replica, tmp_path: Path) -> None:
        """A Retry-After is not waited out by a crawl that is stopped."""
        site.call("set", fail_status=429, fail_next=1, retry_after="100", only="^/en/page/2/")
        with running(site, tmp_path / "a", "edition=en") as run:
            until(lambda: any(entry["status"] == 429 for entry in site.log()), "the refusal")
            time.sleep(0.5)
            run.signal(signal.SIGTERM)
            done = run.wait(15)
        assert done.status == 0, done.stderr[-3000:]
        assert rows(tmp_path / "a", "select finished_at is not null from crawls") == [(1,)]

    @pytest.mark.parametrize("requests", [1, 25])
    def test_twice(self, site: Replica, tmp_path: Path, requests: int) -> None:
        """A second Ctrl-C ends it fast, whatever the site does; the archive is whole, and the next run goes
        on."""
        site.call("set", slow_ms=30)
        with running(site, tmp_path / "a", DOWNLOAD_TIMEOUT=60) as run:
            until(lambda: site.count() >= requests, f"{requests} requests")
            site.call("set", slow_ms=20_000)
            time.sleep(0.2)
            begun = time.monotonic()
            run.signal(signal.SIGINT)
            time.sleep(0.3)
            run.signal(signal.SIGINT)
            done = run.wait(15)
        assert done.status in (130, -signal.SIGINT) and time.monotonic() - begun < 8
        site.call("set", slow_ms=0)
        assert crawl(site, tmp_path / "a").status == 0
        assert_taken(site, tmp_path / "a")
