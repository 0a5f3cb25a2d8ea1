"""`scrapy crawl probe`: at most 30 requests that show what a site offers; `sohr-archive probe` reports
them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import chain, islice, zip_longest
from typing import Any

from archive.clock import now
from archive.model import Edition
from archive.outcome import Outcome
from archive.sites.wordpress import rest
from archive.sites.wordpress.channels import news_channels
from archive.sites.wordpress.sitemaps import INDEXES
from archive.writer.client import ArchiveProcess
from crawler.arguments import Arguments, BadArgument
from crawler.spiders.sohr import SohrSpider
from crawler.walk.wanted import Wanted

REQUESTS = 30
POSTS = 3  # of each edition and era
ERAS = ("2015", "2021")  # years of the two layouts before today's, in the date archives


class ProbeSpider(SohrSpider):
    """Asks each channel of both editions once, then for three posts of each edition and era.

    -a site=URL        the site to probe (default https://www.syriahr.com/)
    """

    name = "probe"
    # A challenge that is asked for four times is no other
    custom_settings = {"RETRY_TIMES": 1}  # noqa: RUF012  # as Scrapy declares it

    @staticmethod
    def read(given: dict[str, Any]) -> Arguments:
        """The arguments. Raises BadArgument."""
        if set(given) - {"site"}:
            raise BadArgument("probe has one argument: -a site=URL")
        return Arguments.read({**given, "look": "none", "budget": REQUESTS})

    async def wanted(self, archive: ArchiveProcess) -> AsyncIterator[Wanted]:
        """The posts to read, after the channels were asked."""
        eras: list[tuple[bool, int, list[Wanted]]] = []  # the years first, the editions in turn
        for edition in self.arguments.editions:
            for number, urls in enumerate(self._channels(edition)):
                found = await self._ask_first(urls, edition)
                if found and found.posts:
                    fresh = [post for post in found.posts if post.state is None]
                    posts = [Wanted(post, "new", found.url) for post in fresh[:POSTS]]
                    eras.append((urls[0][1] != "date", number, posts))
        in_turn = zip_longest(*(posts for *_, posts in sorted(eras, key=lambda era: era[:2])))
        every = (wanted for wanted in chain.from_iterable(in_turn) if wanted is not None)
        for wanted in islice(every, max(0, REQUESTS - 1 - self.guard.counts["requests"])):
            yield wanted

    def _channels(self, edition: Edition) -> Iterator[list[tuple[str, str]]]:
        """For each channel the addresses to try until one answers, with the channel's name."""
        site = self.site
        yield [(site.listing_url(edition, "home"), "home")]
        yield [(site.listing_url(edition, "home", 2), "home")]
        for year in (*ERAS, now()[:4]):
            yield [(site.listing_url(edition, f"date/{year}"), "date")]
        yield [(channel.page_url(site, edition, 1), channel.name) for channel in news_channels()]
        yield [(rest.walk_url(site, edition, 1), "rest")]
        yield [(site.edition_home(edition) + name, "sitemap") for name in INDEXES[:2]]

    async def _ask_first(self, urls: list[tuple[str, str]], edition: Edition) -> Outcome | None:
        found = None
        for url, channel in urls:
            if self.guard.closing.is_set():
                return None
            found = await self._pages.fetch(url, channel, edition)
            if found is not None and (found.listing is not None or found.page_urls):
                return found
        return found
