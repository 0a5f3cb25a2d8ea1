"""Bad input, refusing sites, archives that cannot be written: one sentence, the right exit status, and
nothing that was captured is lost."""

from __future__ import annotations

import resource
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from archive.store.schema import RELEASE
from tests.crawling import (
    Crawled,
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
    run,
    running,
    states,
    truth,
    until,
    versions,
)
from tests.replica.server import Replica

ONCE: dict[str, Any] = {"RETRY_TIMES": 1}
POSTS = 14


def sentence(crawled: Crawled, words: str) -> None:
    """The user reads once what happened, without a traceback."""
    said = [line for line in crawled.stderr.splitlines() if words in line and " INFO " not in line]
    assert len(said) == 1, crawled.stderr[-3000:]
    assert "Traceback" not in crawled.stderr


def verdicts(folder: Path) -> list[tuple[int | None, str | None]]:
    """Exit status and verdict of each crawl, as the archive has them."""
    return rows(folder, "select exit_status, verdict from crawls order by crawl_id")


class TestArguments:
    """What makes no sense ends with 2 before anything is asked or written."""

    @pytest.mark.parametrize(
        ("argument", "words"),
        [
            ("nonsense=1", "there is no argument -a nonsense="),
            ("edition=fr", "edition=fr is not known: give en, ar or all"),
            ("since=2024-02-30", "since=2024-02-30 is not a day"),
            ("until=yesterday", "until=yesterday is not a day"),
            ("pages=0", "pages=0 is not a number of listing pages"),
            ("look=maybe", "look=maybe is not known"),
            ("urls=/nowhere/urls.txt", "urls=/nowhere/urls.txt cannot be read"),
            ("site=nonsense", "site=nonsense is not the address of a site"),
        ],
    )
    def test_bad_value(self, site: Replica, tmp_path: Path, argument: str, words: str) -> None:
        """One sentence that says what would make sense."""
        done = crawl(site, tmp_path / "a", argument)
        assert done.status == 2
        sentence(done, words)
        assert asked(site) == [] and not (tmp_path / "a").exists()

    def test_a_login_in_the_address_of_the_site(self, site: Replica, tmp_path: Path) -> None:
        """It is refused, and nothing repeats the password."""
        done = crawl(site, tmp_path / "a", "site=https://me:sesame@www.syriahr.com/")
        assert done.status == 2 and "sesame" not in done.stderr
        sentence(done, "site= contains a login")
        assert not (tmp_path / "a").exists()

    @pytest.mark.parametrize(
        ("setting", "words"),
        [
            ({"ARCHIVE_DIRR": "x"}, "there is no setting -s ARCHIVE_DIRR="),
            ({"ARCHIVE_DAILY_REQUESTS": "many"}, "ARCHIVE_DAILY_REQUESTS=many is not a number of requests"),
            ({"ARCHIVE_READ_SECONDS": "0"}, "ARCHIVE_READ_SECONDS=0 is not a number of seconds"),
            ({"DOWNLOAD_DELAY": "slow"}, "DOWNLOAD_DELAY=slow is not a number of seconds"),
        ],
    )
    def test_bad_setting(self, site: Replica, tmp_path: Path, setting: dict[str, str], words: str) -> None:
        """As with an argument. A misspelt setting of this project's is refused."""
        done = crawl(site, tmp_path / "a", **setting)
        assert done.status == 2
        sentence(done, words)
        assert asked(site) == [] and not (tmp_path / "a").exists()

    def test_a_spider_nobody_knows(self) -> None:
        """Those there are, and no traceback."""
        done = run([sys.executable, "-m", "scrapy.cmdline", "crawl", "shor"])
        assert done.status == 2
        sentence(
            done, "there is nothing to crawl of the name shor: give commoncrawl, pages, probe, sohr, wayback"
        )

    def test_days_in_the_wrong_order(self, site: Replica, tmp_path: Path) -> None:
        """``since`` after ``until``."""
        done = crawl(site, tmp_path / "a", "since=2024-02-02", "until=2024-02-01")
        assert done.status == 2
        sentence(done, "since=2024-02-02 is after until=2024-02-01")

    def test_an_empty_list_of_addresses(self, site: Replica, tmp_path: Path) -> None:
        """A file with only a remark, and a word that is not an address."""
        (tmp_path / "urls.txt").write_text("# nothing\n\nword\n")
        done = crawl(site, tmp_path / "a", f"urls={tmp_path / 'urls.txt'}")
        assert done.status == 2
        sentence(done, "names no address")


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


class TestArchive:
    """An archive that cannot be used is said before a single request goes to the site; what it holds
    stays."""

    def test_of_another_site(self, site: Replica, tmp_path: Path) -> None:
        """2: test data never stands beside real ones."""
        with Replica(posts=12) as other:
            assert crawl(other, tmp_path / "a", "pages=1").status == 0
        before = archived(tmp_path / "a")
        done = crawl(site, tmp_path / "a")
        assert done.status == 2
        sentence(done, "is an archive of 127.0.0.1:")
        assert asked(site) == [] and archived(tmp_path / "a") == before

    def test_locked_by_a_crawl(self, site: Replica, tmp_path: Path) -> None:
        """75 at once; the crawl that holds it is not disturbed."""
        # The first crawl must outlast the start of the second, on a busy machine too
        site.call("set", slow_ms=2000)
        with running(site, tmp_path / "a", "edition=en") as run:
            until(lambda: asked(site, lambda path: path == "/en/"), "the first listing")
            done = crawl(site, tmp_path / "a")
            assert done.status == 75 and not run.is_over
            sentence(done, "another crawl or command holds the archive")
            site.call("set", slow_ms=0)
            assert run.wait().status == 0
        assert asked(site).count("/robots.txt") == 1
        assert archived(tmp_path / "a").keys() == {key for key in truth(site) if key[0] == "en"}

    def test_of_a_newer_release(self, site: Replica, tmp_path: Path) -> None:
        """73, and nothing is touched."""
        assert crawl(site, tmp_path / "a", "pages=1").status == 0
        with closing(sqlite3.connect(tmp_path / "a" / "archive.db")) as db:
            db.execute(f"pragma user_version = {RELEASE + 1}")
            db.commit()
        site.clear_log()
        before = archived(tmp_path / "a")
        done = crawl(site, tmp_path / "a")
        assert done.status == 73
        sentence(done, "was written by a newer release of sohr-archive: upgrade this one")
        assert asked(site) == [] and archived(tmp_path / "a") == before

    @pytest.mark.parametrize("below", ["", "deeper/still"], ids=["a-file", "under-a-file"])
    def test_a_folder_that_cannot_be(self, site: Replica, tmp_path: Path, below: str) -> None:
        """73: a file stands where the folder should be."""
        (tmp_path / "file").write_text("here already")
        done = crawl(site, tmp_path / "file" / below)
        assert done.status == 73
        sentence(done, "cannot be made")
        assert asked(site) == [] and (tmp_path / "file").read_text() == "here already"

    def test_a_database_that_is_garbage(self, site: Replica, tmp_path: Path) -> None:
        """73: it is left as it is, and what to do is said."""
        (tmp_path / "a").mkdir()
        (tmp_path / "a" / "archive.db").write_bytes(b"no database " * 500)
        done = crawl(site, tmp_path / "a")
        assert done.status == 73
        sentence(done, "the file is not a database: move it away and run 'sohr-archive rebuild'")
        assert asked(site) == [] and (tmp_path / "a" / "archive.db").read_bytes() == b"no database " * 500

    def test_a_database_of_something_else(self, site: Replica, tmp_path: Path) -> None:
        """2: another folder is meant."""
        (tmp_path / "a").mkdir()
        with closing(sqlite3.connect(tmp_path / "a" / "archive.db")) as db:
            db.execute("create table letters (body text)")
            db.commit()
        done = crawl(site, tmp_path / "a")
        assert done.status == 2
        sentence(done, "is a database, but not an archive")
        assert asked(site) == []

    @pytest.mark.parametrize("most", [30_000, 300_000, 700_000])
    def test_a_full_disk(self, tmp_path: Path, most: int) -> None:
        """No file may grow past so many bytes: 73, and once there is room the same command ends as if nothing
        had been."""
        with Replica(posts=24) as site:
            done = crawl(site, tmp_path / "a", limit=_files_of_at_most(most))
            assert done.status == 73, done.stderr[-3000:]
            sentence(done, "cannot be written")
            assert crawl(site, tmp_path / "a").status == 0
            assert_taken(site, tmp_path / "a")
        check_warcs(tmp_path / "a")

    @pytest.mark.parametrize("full", ["warc", "all"])
    def test_a_disk_without_room(self, site: Replica, tmp_path: Path, full: str) -> None:
        """A real file system of a megabyte, for the evidence alone and for all: 73. With more room the same
        command continues."""
        folder = tmp_path / "a"
        mounted = folder / "warc" if full == "warc" else folder
        mounted.mkdir(parents=True)
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300k", "tmpfs", str(mounted)],
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            pytest.skip(f"no small file system can be made here: {done.stderr.strip()}")
        try:
            crawled = crawl(site, folder)
            assert crawled.status == 73, crawled.stderr[-3000:]
            sentence(crawled, "cannot be written")
            subprocess.run(["mount", "-o", "remount,size=64m", str(mounted)], check=True)
            assert crawl(site, folder).status == 0
            assert_taken(site, folder)
            check_warcs(folder)
        finally:
            subprocess.run(["umount", str(mounted)], check=False)


def _files_of_at_most(most: int) -> Callable[[], None]:
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


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


def test_a_copy_of_an_archive_is_an_archive(site: Replica, tmp_path: Path) -> None:
    """Moved to another folder, it continues where it was."""
    assert crawl(site, tmp_path / "a", "pages=1").status == 0
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert crawl(site, tmp_path / "b").status == 0
    assert archived(tmp_path / "b") == truth(site)
