"""What a site can expect of us, judged by its own log; and what people are told."""

from __future__ import annotations

from datetime import datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import pairwise
from pathlib import Path
from threading import Thread

import pytest

from tests.crawling import command, crawl, environment, run
from tests.replica.server import Replica

POSTS, PER_PAGE = 7, 5


def apart(site: Replica) -> list[float]:
    """Seconds between the beginnings of requests, robots.txt first."""
    times = sorted(datetime.fromisoformat(str(entry["at"])) for entry in site.log())
    return [(later - earlier).total_seconds() for earlier, later in pairwise(times)]


def test_a_crawl_delay_is_kept_to_the_end(site: Replica, tmp_path: Path) -> None:
    """Neither AutoThrottle nor jitter goes below it, however quick the answers are."""
    site.call("set", robots="User-agent: *\nCrawl-delay: 2\n")
    given = {"DOWNLOAD_DELAY": 0.1, "AUTOTHROTTLE_START_DELAY": 0.1}
    assert crawl(site, tmp_path / "a", "edition=en", "budget=9", **given).status == 0
    assert len(apart(site)) == 8 and min(apart(site)) >= 1.9


def test_the_delay_is_kept_on_the_average(site: Replica, tmp_path: Path) -> None:
    """One request in so many seconds, give or take the jitter of 0.3; one at a time."""
    assert (
        crawl(
            site, tmp_path / "a", "edition=en", "budget=12", DOWNLOAD_DELAY=0.6, AUTOTHROTTLE_START_DELAY=0.6
        ).status
        == 0
    )
    assert min(apart(site)) >= 0.6 * 0.7 - 0.1 and sum(apart(site)) >= 0.9 * 0.6 * len(apart(site))
    assert len({round(one, 1) for one in apart(site)}) > 1  # not with the beat of a machine
    assert {entry["active"] for entry in site.log()} == {1}


@pytest.mark.parametrize(("contact", "times"), [("", 1), ("me@example.org", 0)])
def test_a_real_site_without_a_contact_is_warned_of_once(tmp_path: Path, contact: str, times: int) -> None:
    """One warning says how to give a contact. (Nobody answers at this name; that ends with 69.)"""
    done = crawl(
        "http://no-such-host.invalid/",
        tmp_path / "a",
        RETRY_TIMES=0,
        **({"ARCHIVE_CONTACT": contact} if contact else {}),
    )
    assert done.status == 69
    assert (
        sum("name a mail or web address in ARCHIVE_CONTACT" in line for line in done.stderr.splitlines())
        == times
    )


@pytest.mark.real_process
def test_who_asks_is_said(site: Replica, tmp_path: Path) -> None:
    """The project and the contact stand in the User-Agent of every request, robots.txt's too."""
    assert crawl(site, tmp_path / "a", "pages=1", "edition=en", ARCHIVE_CONTACT="me@example.org").status == 0
    agents = {str(entry["user_agent"]) for entry in site.log()}
    assert (
        len(agents) == 1
        and agents.pop().startswith("sohr-archive/")
        and "me@example.org" in str(site.log()[0]["user_agent"])
    )


@pytest.mark.parametrize(
    ("settings", "status"), [({}, 0), ({"challenge": 403}, 69), ({"layout": "alien"}, 65)]
)
def test_a_crawl_tells_its_health_check(
    site: Replica, tmp_path: Path, settings: dict[str, object], status: int
) -> None:
    """With the exit status, once, at its end."""
    told: list[str] = []

    class Check(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            told.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Nothing."""

    site.call("set", **settings)
    with HTTPServer(("127.0.0.1", 0), Check) as check:
        Thread(target=check.serve_forever, daemon=True).start()
        line = command(site, tmp_path / "a", "pages=1", "edition=en", RETRY_TIMES=1)
        done = run(line, environment() | {"ARCHIVE_PING_URL": f"http://127.0.0.1:{check.server_port}/secret"})
        check.shutdown()
    assert done.status == status and told == [f"/secret/{status}"]
