"""Start-up: how long a command of ours takes to come up, beside the nearest command of the tool it is built
on; and a crawl that finds nothing new, most of which is the start of two processes."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.archiving import Archive, capture
from tests.bench.measure import Bench, alternate, over, ratio, run
from tests.replica.server import Replica

BIN = Path(sys.executable).parent
MOST = 2.0  # times as long
MOST_NOTHING_NEW = 1.4  # the same, of a crawl
NOTHING_NEW = "crawl that finds nothing new"


def bench(turns: int, quick: bool) -> Bench:
    """Each command several times a turn: one start is a fraction of a second."""
    with tempfile.TemporaryDirectory() as beside, Replica(posts=30, frozen=True) as replica:
        empty, folder = Path(beside, "empty"), Path(beside, "archive")
        run([BIN / "scrapy", "startproject", "empty", empty])
        with Archive(folder) as archive:
            archive.take(*(capture(n, "2026-01-02T00:00:00Z", f"{n} were wounded") for n in range(1, 21)))
        settings = (f"ARCHIVE_DIR={Path(beside, 'crawled')}", "DOWNLOAD_DELAY=0")
        crawl = [BIN / "scrapy", "crawl", "sohr", "-a", f"site={replica.url}"]
        crawl += [part for setting in settings for part in ("-s", setting)]
        for _ in range(3):  # until all walks through the site are complete
            run(crawl)
        arms = {
            NOTHING_NEW: lambda: run([*crawl, "-a", "look=none"]),
            "scrapy crawl sohr -h": lambda: run([BIN / "scrapy", "crawl", "sohr", "-h"]),
            "scrapy list": lambda: run([BIN / "scrapy", "list"], cwd=empty),
            "sohr-archive status": lambda: run([BIN / "sohr-archive", "--archive", folder, "status"]),
            "sqlite-utils --version": lambda: run([BIN / "sqlite-utils", "--version"]),
        }
        for arm in arms.values():
            arm()  # byte code and disk cache, once
        spent = alternate(arms, max(turns, 5 if quick else 15))
    ratios = []
    for ours, other, most in (
        ("scrapy crawl sohr -h", "scrapy list", MOST),
        ("sohr-archive status", "sqlite-utils --version", MOST),
        (NOTHING_NEW, "scrapy list", MOST_NOTHING_NEW),
    ):
        for what, of, target in (("CPU", lambda s: s.cpu, None), ("time", lambda s: s.wall, most)):
            ratios.append(
                ratio(
                    f"{ours} / {other}, {what}", over(spent, ours, other, of), target, higher_is_better=False
                )
            )
    return Bench("start-up", len(spent["scrapy list"]), ratios)
