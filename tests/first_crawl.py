"""A site and its archive after the first crawl: made once for a module, given to each test as it was then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.bytewise import Site
from tests.crawling import crawl
from tests.made_once import copy_archive


@dataclass
class FirstCrawl:
    """The first crawl of the English edition of a site."""

    site: Site
    folder: Path
    answers: dict[str, Any] = field(init=False)
    otherwise: Callable[[str], bytes] = field(init=False)

    def __post_init__(self) -> None:
        assert crawl(self.site.url, self.folder, "edition=en", RETRY_TIMES=0).status == 0
        self.answers, self.otherwise = dict(self.site.answers), self.site.otherwise

    def restore_site(self) -> Site:
        """The site, as it was at the crawl."""
        self.site.answers, self.site.otherwise = dict(self.answers), self.otherwise
        self.site.asked.clear()
        self.site.requests.clear()
        return self.site

    def copy_archive(self, folder: Path) -> Path:
        """A copy of the archive, to be crawled into."""
        return copy_archive(self.folder, folder)
