"""Arguments and settings of `scrapy crawl sohr` that make no sense."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.crawling import (
    asked,
    crawl,
    run,
    sentence,
)
from tests.replica.server import Replica

POSTS = 14


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
