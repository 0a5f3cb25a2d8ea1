"""Sites that refuse, are away or cannot be read: one sentence, the right exit status, and nothing that was
captured is lost."""

from __future__ import annotations

import socket
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.crawling import (
    answered,
    archived,
    article_requests,
    asked,
    assert_taken,
    check_warcs,
    crawl,
    exchanges,
    records,
    rows,
    sentence,
    states,
    truth,
    versions,
)
from tests.replica.server import Replica

ONCE: dict[str, Any] = {"RETRY_TIMES": 1}
POSTS, PER_PAGE = 8, 5


def verdicts(folder: Path) -> list[tuple[int | None, str | None]]:
    """Exit status and verdict of each crawl, as the archive has them."""
    return rows(folder, "select exit_status, verdict from crawls order by crawl_id")


class TestUnavailable:
    """A site that is not there, or does not want us, ends the crawl with 69; nothing is asked for against its
    will."""

    @pytest.mark.parametrize("address", ["refused", "unknown name", "no tls"])
    def test_unreachable(self, site: Replica, tmp_path: Path, address: str) -> None:
        """A refused connection, an unknown name, TLS where there is none: the message says what to check,
        without a traceback."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            closed = f"http://127.0.0.1:{free.getsockname()[1]}/"
        url = {
            "refused": closed,
            "unknown name": "http://no-such-host.invalid/",
            "no tls": site.url.replace("http:", "https:"),
        }[address]
        done = crawl(url, tmp_path / "a", **ONCE)
        assert done.status == 69, done.stderr[-3000:]
        sentence(done, "cannot be fetched")
        assert verdicts(tmp_path / "a") == [(69, "unavailable")]
        assert rows(tmp_path / "a", "select count(*) > 0 from failures where reason = 'no_answer'") == [(1,)]

    def test_a_host_that_does_not_answer(self, tmp_path: Path) -> None:
        """It takes connections and says nothing: the time-out is kept as evidence."""
        with socket.socket() as mute:
            mute.bind(("127.0.0.1", 0))
            mute.listen(50)
            done = crawl(
                f"http://127.0.0.1:{mute.getsockname()[1]}/", tmp_path / "a", DOWNLOAD_TIMEOUT=1, **ONCE
            )
        assert done.status == 69, done.stderr[-3000:]
        sentence(done, "cannot be fetched")

    @pytest.mark.parametrize("status", [429, 500, 503])
    def test_robots_txt_in_trouble_means_stay_away(self, site: Replica, tmp_path: Path, status: int) -> None:
        """RFC 9309: an unreachable robots.txt disallows everything."""
        site.call("set", robots_status=status)
        done = crawl(site, tmp_path / "a", **ONCE)
        assert done.status == 69, done.stderr[-3000:]
        sentence(done, f"answers with status {status}, so the site must not be visited now")
        assert set(asked(site)) == {"/robots.txt"} and len(asked(site)) == 2
        assert verdicts(tmp_path / "a") == [(69, "unavailable")]

    def test_a_cut_robots_txt_means_stay_away(self, site: Replica, tmp_path: Path) -> None:
        """The lines after the cut may have forbidden everything. The answer is kept as evidence, and nothing
        else is asked."""
        site.call(
            "set",
            robots="User-agent: *\nDisallow: /wp-admin/\n\nUser-agent: sohr-archive\nDisallow: /\n",
            truncate=0.5,
            only="^/robots",
        )
        done = crawl(site, tmp_path / "a", **ONCE)
        assert done.status == 69, done.stderr[-3000:]
        sentence(done, "was cut on its way, so what it forbids is not known")
        assert set(asked(site)) == {"/robots.txt"} and len(asked(site)) == 2
        assert verdicts(tmp_path / "a") == [(69, "unavailable")]

    def test_a_robots_txt_whose_label_lies_is_read(self, site: Replica, tmp_path: Path) -> None:
        """Its body is plain, whatever its Content-Encoding says."""
        site.call("set", robots="User-agent: *\nDisallow: /\n", coding="x-unheard-of", only="^/robots")
        done = crawl(site, tmp_path / "a", **ONCE)
        assert done.status == 69, done.stderr[-3000:]
        sentence(done, "Forbidden by robots.txt")
        assert set(asked(site)) == {"/robots.txt"}
        assert verdicts(tmp_path / "a") == [(69, "unavailable")]

    def test_robots_txt_that_forbids_everything(self, site: Replica, tmp_path: Path) -> None:
        """It is obeyed, and said."""
        site.call("set", robots="User-agent: *\nDisallow: /\n")
        done = crawl(site, tmp_path / "a")
        assert done.status == 69
        sentence(done, "Forbidden by robots.txt")
        assert asked(site) == ["/robots.txt"]

    @pytest.mark.parametrize(
        ("settings", "words"),
        [
            ({"challenge": 200}, "challenge"),
            ({"challenge": 403}, "challenge"),
            ({"challenge": 403, "only": "^/(?!robots)"}, "challenge"),
            ({"maintenance": 200}, "maintenance"),
            ({"maintenance": 503}, "asks for 600 seconds of rest"),
            ({"fail_status": 503, "fail_every": 1}, "status 503, so the site must not be visited now"),
            ({"fail_status": 503, "fail_every": 1, "only": "^/(?!robots)"}, "error: status 503"),
            ({"fail_status": 403, "fail_every": 1, "only": "^/(?!robots)"}, "blocked"),
        ],
        ids=[
            "challenge-200",
            "challenge-403",
            "challenge-but-robots",
            "maintenance-200",
            "maintenance-503",
            "all-503",
            "503-but-robots",
            "403",
        ],
    )
    def test_refused(self, site: Replica, tmp_path: Path, settings: dict[str, object], words: str) -> None:
        """Few requests, all of them kept; no article, no version."""
        site.call("set", **settings)
        done = crawl(site, tmp_path / "a", within=60, **ONCE)
        assert done.status == 69, done.stderr[-3000:]
        sentence(done, words)
        assert len(asked(site)) <= 6
        assert states(tmp_path / "a") == {} and versions(tmp_path / "a") == 0
        assert exchanges(tmp_path / "a") == answered(site)
        assert verdicts(tmp_path / "a") == [(69, "unavailable")]

    @pytest.mark.parametrize("status", [200, 403])
    def test_refused_in_mid_life(self, site: Replica, tmp_path: Path, status: int) -> None:
        """Archived texts stay and nothing counts as missing. When the site is back, the same command
        continues."""
        assert crawl(site, tmp_path / "a", "edition=en").status == 0
        before, known = archived(tmp_path / "a"), states(tmp_path / "a")
        site.clear_log()
        site.call("set", challenge=status, only=r"^/en/\d+/")
        done = crawl(site, tmp_path / "a", "look=all", "edition=en", **ONCE)
        assert done.status == 69
        sentence(done, "is left alone, 5 of its last")
        # No storm: each once, and those under way without any delay
        assert max(article_requests(site).values()) == 1 and sum(article_requests(site).values()) <= 12
        assert versions(tmp_path / "a") == len(before)
        assert archived(tmp_path / "a") == before and states(tmp_path / "a") == known
        site.call("set", challenge=0, only="")
        assert crawl(site, tmp_path / "a").status == 0
        assert archived(tmp_path / "a") == truth(site)

    def test_a_site_that_breaks_down_is_left_alone(self, site: Replica, tmp_path: Path) -> None:
        """Articles answer 503 for good, listings come well: after five of them, each with its tries, the
        crawl stops; the next one takes them."""
        site.call("set", fail_status=503, fail_every=1, only=r"^/en/\d+/")
        done = crawl(site, tmp_path / "a", "edition=en", **ONCE)
        assert done.status == 69
        sentence(done, "is left alone, 5 of its last")
        assert 10 <= sum(article_requests(site).values()) <= 14  # two more may be under way
        site.call("set", fail_status=0, only="")
        assert crawl(site, tmp_path / "a").status == 0
        assert_taken(site, tmp_path / "a")

    def test_a_home_that_is_not_there(self, site: Replica, tmp_path: Path) -> None:
        """No listing at the address given: not a healthy crawl of nothing."""
        done = crawl(site.url + "not/here/", tmp_path / "a")
        assert done.status in (65, 69), done.stderr[-3000:]


class TestRetries:
    """What fails for the moment is asked again, not before the site allows it."""

    @pytest.mark.parametrize("wait", ["3", "date:4"])
    def test_retry_after_is_honoured(self, site: Replica, tmp_path: Path, wait: str) -> None:
        """429 with seconds, or a date: no request at all before that instant, then everything is taken."""
        site.call("set", fail_status=429, fail_next=1, retry_after=wait, only="^/en/page/2/")
        assert crawl(site, tmp_path / "a").status == 0
        log = site.log()
        refused = next(n for n, entry in enumerate(log) if entry["status"] == 429)
        times = [datetime.fromisoformat(str(entry["at"])) for entry in log]
        assert (times[refused + 1] - times[refused]).total_seconds() >= 2.9
        assert_taken(site, tmp_path / "a")
        assert ("/en/page/2/", 429) in exchanges(tmp_path / "a")

    def test_a_longer_retry_after_than_we_wait_ends_the_crawl(self, site: Replica, tmp_path: Path) -> None:
        """69 at once; what was taken before is kept, and nothing is asked afterwards."""
        site.call("set", fail_status=429, fail_next=1, retry_after="310", only="^/en/page/2/")
        done = crawl(site, tmp_path / "a", within=100, BACKOFF_MAX_SECONDS=300)
        assert done.status == 69
        sentence(done, "asks for 310 seconds of rest (status 429)")
        assert [entry["status"] for entry in site.log()][-1] == 429
        assert exchanges(tmp_path / "a") == answered(site)
        assert crawl(site, tmp_path / "a", ARCHIVE_CLOCK="+311s").status == 0
        assert archived(tmp_path / "a") == truth(site)

    def test_a_single_failure_costs_one_request(self, site: Replica, tmp_path: Path) -> None:
        """Each seventh request is answered with 503: everything comes all the same."""
        site.call("set", fail_status=503, fail_every=7, only="^/(?!robots)")
        assert crawl(site, tmp_path / "a").status == 0
        assert archived(tmp_path / "a") == truth(site)
        assert exchanges(tmp_path / "a") == answered(site)

    def test_a_cut_page_never_makes_a_version(self, site: Replica, tmp_path: Path) -> None:
        """Articles come cut, with every try: kept, marked, no text; once they come whole the next run has
        them."""
        site.call("set", truncate=0.6, only=r"^/en/\d+/")
        file = tmp_path / "urls.txt"
        posts = [post for post in site.posts("en") if post.lines and len(post.pages) == 1][:3]
        file.write_text("\n".join(f"{site.url}en/{post.post_id}/" for post in posts))
        done = crawl(site, tmp_path / "a", f"urls={file}", **ONCE)
        assert done.status == 69, done.stderr[-3000:]
        assert versions(tmp_path / "a") == 0
        assert article_requests(site) == {f"/en/{post.post_id}/": 2 for post in posts}
        cut = [
            r
            for r in records(tmp_path / "a")
            if r.kind == "response" and r.headers.get("WARC-Truncated") == "disconnect"
        ]
        assert len(cut) == 6
        check_warcs(tmp_path / "a")
        site.call("set", truncate=0.0)
        assert crawl(site, tmp_path / "a", f"urls={file}").status == 0
        assert (
            set(archived(tmp_path / "a")) == {("en", post.post_id) for post in posts}
            and archived(tmp_path / "a").items() <= truth(site).items()
        )

    def test_a_held_text_survives_cut_pages(self, site: Replica, tmp_path: Path) -> None:
        """A look that gets half a page does not count: no version, no disappearance."""
        assert crawl(site, tmp_path / "a", "edition=en").status == 0
        before, known = archived(tmp_path / "a"), states(tmp_path / "a")
        site.call("set", truncate=0.5, only=r"^/en/\d+/")
        crawl(site, tmp_path / "a", "edition=en", "look=all", RETRY_TIMES=0)
        assert (
            archived(tmp_path / "a") == before
            and states(tmp_path / "a") == known
            and versions(tmp_path / "a") == len(before)
        )

    @pytest.mark.parametrize("only", ["", "^/(?!robots)"], ids=["everything", "but-robots"])
    def test_a_site_that_sends_only_cut_pages_is_not_healthy(
        self, site: Replica, tmp_path: Path, only: str
    ) -> None:
        """No listing was whole, so the crawl does not count as one that found nothing new."""
        site.call("set", truncate=0.5, only=only)
        done = crawl(site, tmp_path / "a", **ONCE)
        assert done.status == 69, done.stderr[-3000:]


class TestUnreadable:
    """Pages that come and cannot be read end the crawl with 65: the evidence is kept, no version is made."""

    @pytest.mark.parametrize(
        "settings", [{"fake_listing": True}, {"layout": "alien"}], ids=["fake-listing", "alien-theme"]
    )
    def test_no_listing(self, site: Replica, tmp_path: Path, settings: dict[str, object]) -> None:
        """A page without entries, a theme nobody knows. Posts that other channels show are fetched."""
        site.call("set", **settings)
        done = crawl(site, tmp_path / "a")
        assert done.status == 65
        sentence(done, "could not be read")
        assert archived(tmp_path / "a") == (truth(site) if "fake_listing" in settings else {})
        assert exchanges(tmp_path / "a") == answered(site)
        assert verdicts(tmp_path / "a") == [(65, "drifting")]

    def test_articles_in_an_alien_theme(self, site: Replica, tmp_path: Path) -> None:
        """A theme that changes in mid-life costs no text and makes none."""
        assert crawl(site, tmp_path / "a", "edition=en").status == 0
        before = archived(tmp_path / "a")
        site.call("set", layout="alien")
        done = crawl(site, tmp_path / "a", "edition=en", "look=all")
        assert done.status == 65
        sentence(done, "could not be read")
        assert archived(tmp_path / "a") == before and versions(tmp_path / "a") == len(before)
        assert set(states(tmp_path / "a").values()) <= {"live", "protected", "empty"}
