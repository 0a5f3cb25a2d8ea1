"""Where a site is: the address that the archive knows it by, and the one where it is served now."""

from __future__ import annotations

import logging

from archive.clock import now
from archive.outcome import Served
from archive.sites.moves import is_same_owner
from archive.sites.sohr.addresses import Site
from archive.writer.messages import Questions
from crawler.extensions.guard import Guard
from crawler.middlewares.capture import CaptureMiddleware

logger = logging.getLogger(__name__)


class SiteHome:
    """The site of one crawl. ``asked_for`` is the address given with ``-a site=``."""

    def __init__(self, asked_for: str) -> None:
        self._asked_for = asked_for
        self.site = Site(asked_for)
        self.served: Served | None = None  # where the site is served, if not at its home address

    async def find(self, capture: CaptureMiddleware) -> str:
        """Learn by which address the archive knows the site, which is returned, and where it is served."""
        home = await capture.archive.ask(Questions.home)
        self.served = await capture.archive.ask(Questions.served)
        if Site(home).name == Site(self._asked_for).name:
            return self._asked_for
        self.site, asked_for = Site(home), self._asked_for
        self._asked_for = home
        if self.served is None or Site(self.served.home).name != Site(asked_for).name:
            await self._record_move(Served(asked_for), capture)
        return home

    def respell(self, url: str, via: str | None = None) -> str:
        """Where to ask for a page, as the site is served now; as given if that address, ``via``, led here."""
        spelled = self.served.respell(url, self.site.home) if self.served else url
        return url if spelled == via else spelled

    async def follow(self, served: Served, capture: CaptureMiddleware, guard: Guard) -> bool:
        """Ask elsewhere from now on, as permanent redirects say; False where that is another owner's."""
        if served == self.served:
            return True
        if not is_same_owner(served.home, self.site.home) and served.home != self._asked_for:
            guard.stop(
                "unavailable",
                f"{self.site.home} has moved to {served.home}: to continue this archive there, run "
                f"scrapy crawl sohr -a site={served.home} -a moved_from={self.site.home}",
            )
            return False
        await self._record_move(served, capture)
        return True

    async def _record_move(self, served: Served, capture: CaptureMiddleware) -> None:
        old = self.served.home if self.served else self.site.home
        self.served = served
        logger.info("%s is served at %s now", old, served.home)
        event = {"event": "site-moved", "from": old, "to": served.home, "has_slash": served.has_slash}
        await capture.archive.happened(event | {"at": now(), "crawl": capture.crawl})
