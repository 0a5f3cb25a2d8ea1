"""A crawl that asks many at a time: pages of listings ahead of need. What comes of it is the same; so is what
many processes read."""

from __future__ import annotations

import re
from pathlib import Path

from archive.extract.page import extract
from archive.extract.pool import ParallelReader, open_pool
from archive.model import ArticleKey
from archive.sites.sohr.addresses import Site
from tests.archiving import HOME, capture, check_rebuild
from tests.crawling import archived, crawl, rows, truth
from tests.damaging import kill_readers
from tests.replica.server import Replica

AT_ONCE = {"CONCURRENT_REQUESTS": 16, "CONCURRENT_REQUESTS_PER_DOMAIN": 16}


def test_a_fast_crawl_leaves_what_a_slow_one_would(tmp_path: Path) -> None:
    """All posts, listings in their order and hardly one too many; a rebuild derives the same rows."""
    folder, posts = tmp_path / "archive", 120
    with Replica(posts=posts) as replica:
        assert crawl(replica, folder, "edition=en", **AT_ONCE).status == 0
        assert archived(folder) == {key: text for key, text in truth(replica).items() if key[0] == "en"}
    asked = [
        url for (url,) in rows(folder, "select url from captures where channel = 'home' order by capture_id")
    ]
    pages = [int(found[1]) if (found := re.search(r"/page/([0-9]+)/", url)) else 1 for url in asked]
    assert pages == list(range(1, len(pages) + 1))
    assert len(pages) <= -(-posts // 10) + AT_ONCE["CONCURRENT_REQUESTS"] // 4 + 1
    check_rebuild(folder)


def test_a_reader_that_is_killed_costs_nothing() -> None:
    """The archive process reads the pages that it had given to the killed process, and continues without
    it."""
    site, key = Site(HOME), ArticleKey("en", "1")
    one, other = (
        capture(1, "2026-01-02T00:00:00Z", "A line of text."),
        capture(1, "2026-01-03T00:00:00Z", "Another line of text."),
    )
    with open_pool(1) as pool:
        ahead = ParallelReader(site, pool)
        ahead.start([one])
        assert ahead.read(one, key) == extract(one, site, key)
        kill_readers()
        ahead.start([other])
        assert ahead.read(other, key) == extract(other, site, key)
        ahead.start([one])
        assert ahead.read(one, key) == extract(one, site, key)
