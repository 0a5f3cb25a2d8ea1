"""news-please's recursive crawler over one site until it has kept so many articles. ``news_please_crawl.py
URL FOLDER PAGES CONCURRENT``."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

SECONDS = 300  # it is stopped then, with what it has
CHANGES = {
    "default = SitemapCrawler": "default = RecursiveCrawler",
    "number_of_parallel_crawlers = 5": "number_of_parallel_crawlers = 1",
    "number_of_parallel_daemons = 10": "number_of_parallel_daemons = 0",
    # without the second, its list of hosts has one with a port in it, and Scrapy filters all links
    "ROBOTSTXT_OBEY=True": (
        "ROBOTSTXT_OBEY=False\n"
        "DOWNLOADER_MIDDLEWARES = {{'scrapy.downloadermiddlewares.offsite.OffsiteMiddleware': None}}"
    ),
    "CONCURRENT_REQUESTS_PER_DOMAIN=4": "CONCURRENT_REQUESTS_PER_DOMAIN={concurrent}",
    "CONCURRENT_REQUESTS=16": "CONCURRENT_REQUESTS={concurrent}",
    "~/news-please-repo/": "{folder}/repo/",
}


def main() -> None:
    """Write its configuration, let it run, count the articles it has kept, stop it."""
    start, folder, most, concurrent = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    own = Path(
        sys.prefix,
        "lib",
        f"python{sys.version_info[0]}.{sys.version_info[1]}",
        "site-packages",
        "newsplease",
        "config",
        "config.cfg",
    )
    told = own.read_text(encoding="utf-8")
    for before, after in CHANGES.items():
        told, times = re.subn(re.escape(before), after.format(concurrent=concurrent, folder=folder), told)
        if not times:
            sys.exit(f"its configuration has no {before!r} any more")
    (folder / "config").mkdir()
    (folder / "config" / "config.cfg").write_text(told, encoding="utf-8")
    (folder / "config" / "sitelist.hjson").write_text(
        f'{{"base_urls": [{{"url": "{start}", "crawler": "RecursiveCrawler"}}]}}', encoding="utf-8"
    )
    line = [str(Path(sys.prefix, "bin", "news-please")), "-c", str(folder / "config")]
    begun = time.monotonic()
    log = folder / "log"
    with log.open("wb") as told_to:
        child = subprocess.Popen(
            line, start_new_session=True, stdin=subprocess.DEVNULL, stdout=told_to, stderr=told_to
        )
    kept = 0
    while child.poll() is None and kept < most and time.monotonic() - begun < SECONDS:
        time.sleep(0.2)
        # Its files are named by the second: two of one second are one
        kept = log.read_bytes().count(b"Saving JSON to")
    if child.poll() is None:
        os.killpg(child.pid, signal.SIGINT)
        try:
            child.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    (folder / "pages").write_text(str(kept))


if __name__ == "__main__":
    main()
