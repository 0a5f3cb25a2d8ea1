"""A small archive that the real crawler made, for the tests of what reads one: edits, an awkward title, posts
that go and come."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.crawling import crawl
from tests.made_once import made_once
from tests.replica.server import Replica

POSTS = 12  # an edition
TITLE = 'Fighters kil*led, “two” in "Homs", \u202bعنوان\u202c =1+1'


@dataclass(frozen=True)
class Small:
    """Where it is, and which posts play a part."""

    folder: Path
    edited: int  # en: a digit changed
    titled: int  # en: its title is TITLE now
    gone: int  # en: missing
    arabic: int  # ar: edited twice


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """Three crawls of 24 posts."""
    return made_once(tmp_path_factory, "small", _make)


def _make(beside: Path) -> Small:
    folder = beside / "archive"
    with Replica(posts=POSTS) as site:
        assert crawl(site, folder).status == 0
        edited, titled, gone = [post.post_id for post in site.posts("en") if not post.odd and post.lines][:3]
        arabic = next(post.post_id for post in site.posts("ar") if not post.odd and post.lines)
        site.call("edit", edition="en", post_id=edited, digit=True)
        site.call("edit", edition="en", post_id=titled, title=TITLE)
        site.call("edit", edition="ar", post_id=arabic, digit=True)
        time.sleep(1)  # captures of one second would share a citation
        assert crawl(site, folder, "look=all").status == 0
        site.call("trash", edition="en", post_id=gone)
        site.call("edit", edition="ar", post_id=arabic, digit=True)
        time.sleep(1)  # captures of one second would share a citation
        assert crawl(site, folder, "look=all").status == 0
    return Small(folder, edited, titled, gone, arabic)
