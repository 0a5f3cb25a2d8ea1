"""The table in docs/server.md: each row names a test that exists; two of them are here."""

from __future__ import annotations

import re
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crawling import archived, asked, crawl, running, truth, until
from tests.replica.server import ROOT, Replica


@pytest.fixture
def site() -> Iterator[Replica]:
    """A small site."""
    with Replica(posts=3) as replica:
        yield replica


def test_each_row_names_a_test() -> None:
    """What the table says is tested there."""
    page = (ROOT / "docs" / "server.md").read_text()
    named = re.findall(r"^\|.*`(test_\w+)::(test_\w+)` \|$", page, re.MULTILINE)
    assert len(named) >= 8
    for module, name in named:
        assert f"def {name}(" in (ROOT / "tests" / f"{module}.py").read_text(), name


def test_a_machine_that_sleeps(site: Replica, tmp_path: Path) -> None:
    """A crawl that stood still for a while goes on and misses nothing."""
    site.call("set", slow_ms=100)
    with running(site, tmp_path / "a", "edition=en") as run:
        until(lambda: "/en/" in asked(site), "the first listing")
        run.signal(signal.SIGSTOP)
        time.sleep(3)
        assert not run.is_over
        run.signal(signal.SIGCONT)
        done = run.wait(60)
    assert done.status == 0, done.stderr[-3000:]
    assert archived(tmp_path / "a").keys() == {key for key in truth(site) if key[0] == "en"}


def test_a_disk_that_becomes_read_only(site: Replica, tmp_path: Path) -> None:
    """73, nothing is lost, and the same command continues when it can write again."""
    folder = tmp_path / "a"
    folder.mkdir()
    line = ["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)]
    if subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("no file system can be mounted here")
    try:
        assert crawl(site, folder, "edition=en", "pages=1").status == 0
        subprocess.run(["mount", "-o", "remount,ro", str(folder)], check=True)
        done = crawl(site, folder)
        assert done.status == 73 and "Traceback" not in done.stderr, done.stderr[-3000:]
        subprocess.run(["mount", "-o", "remount,rw", str(folder)], check=True)
        assert crawl(site, folder).status == 0
        assert archived(folder) == truth(site)
    finally:
        subprocess.run(["umount", str(folder)], check=False)
