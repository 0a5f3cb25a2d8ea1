"""Archives that a crawl cannot use: one sentence, the right exit status, and what they hold stays."""

from __future__ import annotations

import resource
import shutil
import sqlite3
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from archive.store.schema import RELEASE
from tests.crawling import (
    archived,
    asked,
    assert_taken,
    check_warcs,
    crawl,
    running,
    sentence,
    truth,
    until,
)
from tests.replica.server import Replica

POSTS = 14


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


def test_a_copy_of_an_archive_is_an_archive(site: Replica, tmp_path: Path) -> None:
    """Moved to another folder, it continues where it was."""
    assert crawl(site, tmp_path / "a", "pages=1").status == 0
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    assert crawl(site, tmp_path / "b").status == 0
    assert archived(tmp_path / "b") == truth(site)
