"""Two thousand posts: memory stays flat, and no exchange is missing from the evidence."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tests.crawling import command, environment, rows
from tests.replica.server import ROOT, Replica

MOST_RSS = 400 * 2**20  # bytes, summed over the processes of a crawl


@pytest.mark.slow
@pytest.mark.real_process
def test_two_thousand_posts_in_bounded_memory_with_all_evidence(tmp_path: Path) -> None:
    """The crawl's processes together stay under 400 MB, each request the site saw is a response in the WARC,
    and `warcio check` is clean."""
    folder = tmp_path / "archive"
    with Replica(posts=1000) as site:
        line = command(
            site, folder, CONCURRENT_REQUESTS=16, CONCURRENT_REQUESTS_PER_DOMAIN=16, LOG_LEVEL="WARNING"
        )
        with open(tmp_path / "log", "wb") as log:
            child = subprocess.Popen(line, cwd=ROOT, env=environment(), stdout=log, stderr=log)
        peak = 0
        while child.poll() is None:
            peak = max(peak, _memory(child.pid))
            try:
                child.wait(0.2)
            except subprocess.TimeoutExpired:
                continue
        assert child.returncode == 0, (tmp_path / "log").read_text()
        seen = sorted(entry["path"] for entry in site.log())
    assert 0 < peak < MOST_RSS
    assert rows(folder, "select count(*) from articles where state is not null") == [(2000,)]
    kept = sorted(url[len(site.url) - 1 :] for (url,) in rows(folder, "select url from captures"))
    assert kept == seen
    files = [str(path) for path in (folder / "warc").iterdir()]
    check = subprocess.run(
        [sys.executable, "-m", "warcio.cli", "check", *files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (check.returncode, check.stdout) == (0, "")


def _memory(pid: int) -> int:
    try:
        process = psutil.Process(pid)
        return sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
    except psutil.NoSuchProcess:
        return 0
