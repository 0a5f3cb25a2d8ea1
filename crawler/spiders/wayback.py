"""`scrapy crawl wayback`: captures of the site's posts from the Internet Archive's Wayback Machine."""

from __future__ import annotations

from typing import Any, ClassVar
from urllib.parse import urljoin

from archive.clock import parse_time
from archive.model import Capture
from archive.public_archives.captures import ELSEWHERE, NotServed, read_memento
from archive.public_archives.queries import CAPTURE, identity_of, memento_url, scopes, wayback_query
from archive.public_archives.rows import read_time14
from archive.writer.messages import WantedCapture
from crawler.spiders.public_archives import PublicArchiveSpider, logger

NEAR = 24 * 3600  # seconds: a memento further away is listed itself, and no answer to what was asked
MOST_EMPTY = 100  # pages without rows, one after the other: the index has no end
MOST_LIMITS = 4  # of one query: where keys repeat, another limit gives other keys


class WaybackSpider(PublicArchiveSpider):
    """Lists what the Wayback Machine has of the site's posts, and takes it, oldest first.

    -a site=URL        the site the archive is of (default https://www.syriahr.com/)
    -a edition=en|ar|all
    -a since=2015-01-01 -a until=2019-12-31   days of capture
    -a budget=N        requests in 24 hours, at most (default: no limit)
    -a only=index      list, and fetch nothing
    """

    name = service = "wayback"
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Scrapy's is no ClassVar
        **PublicArchiveSpider.custom_settings,
        # Its 429 has no Retry-After: a minute without any request is what it asks for
        "BACKOFF_SECONDS": 60,
    }

    def services(self) -> tuple[str, ...]:
        """The settings that name the service's addresses."""
        return ("WAYBACK_URL",)

    @property
    def _home(self) -> str:
        return str(self.crawler.settings["WAYBACK_URL"])

    async def list_captures(self) -> bool:
        """Follow the resume keys of each scope to their end."""
        homes = (self.site.home, *self.site.other_homes)
        answers = [await self._list(scope) for scope in scopes(homes, self.arguments.editions)]
        return all(answers)

    async def _list(self, scope: str) -> bool:
        limit, key, limits = self.crawler.settings.getint("WAYBACK_ROWS"), "", 1
        since, until = self.arguments.since, self.arguments.until
        seen, empty = {key}, 0
        while not self.guard.closing.is_set():
            url = wayback_query(self._home, scope, since, until, limit, key)
            page = await self.ask_index(url)
            if page is None:
                return False
            if page.next_key is None:
                return True
            empty = 0 if page.rows else empty + 1
            if empty == MOST_EMPTY:
                logger.error("the index gives keys and no rows: %s", url)
                return False
            if page.next_key in seen:
                if limits == MOST_LIMITS:
                    logger.error("the index repeats its keys, and gives no more: %s", url)
                    return False
                limits, limit = limits + 1, limit * 2 + 1
                seen = {key}
            else:
                key = page.next_key
                seen.add(key)
        return False

    async def fetch(self, wanted: WantedCapture) -> Capture | NotServed | None:
        """The memento; one redirect to the same capture by another address, or to one nearby, is followed."""
        url = memento_url(self._home, wanted.identity)
        for hops in range(2):
            # As it was stored, not packed once more
            answered = await self.ask(url, CAPTURE, {"Accept-Encoding": "identity"})
            if answered is None:
                return None
            found = read_memento(answered[0])
            if not (isinstance(found, NotServed) and found.reason == ELSEWHERE and hops == 0):
                return found
            url = urljoin(url, found.to or "")
            if not url.startswith(self._home) or not _is_near(wanted.identity, url):
                return found
        return None


def _is_near(identity: str, url: str) -> bool:
    wanted, got = (read_time14(one.partition("/")[0]) for one in (identity, identity_of(url) or ""))
    if wanted is None or got is None:
        return False
    return abs((parse_time(got) - parse_time(wanted)).total_seconds()) <= NEAR
