"""`scrapy crawl pages`: pages of other sites that somebody cited: reposts, press articles."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from typing import Any, ClassVar

from scrapy.exceptions import IgnoreRequest
from twisted.python.failure import Failure

from archive.clock import now
from archive.outcome import KnownPost
from archive.sites import addresses_elsewhere
from archive.writer.client import ArchiveFailed, ArchiveProcess
from archive.writer.messages import Questions
from crawler.arguments import Arguments
from crawler.middlewares.capture import capture_of
from crawler.spiders.sohr import SohrSpider
from crawler.walk.wanted import Wanted

logger = logging.getLogger(__name__)


class PagesSpider(SohrSpider):
    """Fetches cited pages of other sites, each once; later looks at them only with ``look=all``.

    -a urls=FILE       the addresses, one a line
    -a site=URL        the site the archive is of (default https://www.syriahr.com/)
    -a look=all        look again at pages that are archived
    """

    name = "pages"
    channel: ClassVar[str] = addresses_elsewhere.CHANNEL
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Scrapy's is no ClassVar
        "ONE_SITE": False,  # a host that is down or refuses is left alone; the others are asked
    }

    @staticmethod
    def read(given: dict[str, Any]) -> Arguments:
        """The arguments. Raises BadArgument."""
        return Arguments.read_pages(given)

    async def _welcome(self, archive: ArchiveProcess) -> bool:
        """Always True: the rest that one host asks for, and the daily budget, are not for others."""
        if not self.settings["ARCHIVE_CONTACT"] and not self.site.is_loopback:
            logger.warning(
                "nobody can reach you: name a mail or web address in ARCHIVE_CONTACT "
                "(environment, or -s ARCHIVE_CONTACT=...)"
            )
        return True

    async def wanted(self, archive: ArchiveProcess) -> AsyncIterator[Wanted]:
        """The pages of the file that are not archived; with look=all those too."""
        urls = self.arguments.urls or ()
        known: list[KnownPost | None] = await archive.ask(Questions.lookup_pages, urls)
        for url, post in zip(urls, known, strict=True):
            if post is None:
                logger.warning(
                    "%s is not a page of another site and is skipped "
                    "(posts of %s: scrapy crawl sohr -a urls=FILE)",
                    url,
                    self.site.home,
                )
            elif post.state is None or self.arguments.look == "all":
                yield Wanted(post, "cited")

    async def unanswered(self, failure: Failure) -> None:
        """As for the site's own pages. That a host was not asked is recorded too: nothing else shows it."""
        await super().unanswered(failure)
        if not isinstance(failure.value, IgnoreRequest) or self.guard.closing.is_set():
            return
        capture = capture_of(self.crawler)
        url = failure.request.url  # type: ignore[attr-defined]  # Scrapy puts it there
        event = {
            "event": "not-asked",
            "url": url,
            "error": failure.getErrorMessage()[:500],
            "at": now(),
            "crawl": capture.crawl,
        }
        try:
            await capture.archive.happened(event)
        except ArchiveFailed as failed:
            self.guard.fail(failed)
