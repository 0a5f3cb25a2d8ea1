"""What a crawl is doing, for people: a bar on a terminal, ever rarer lines elsewhere, a summary at the
end."""

from __future__ import annotations

import asyncio
import logging
import sys
import time
from typing import Self

from scrapy import Spider, signals
from scrapy.crawler import Crawler

from crawler.extensions.guard import Guard, guard_of
from crawler.extensions.results import list_counts

logger = logging.getLogger(__name__)
BAR_SECONDS, LINE_SECONDS = 0.5, 60.0
RARER = 3  # each line waits so many times longer: a first crawl of days writes eight
NAMES = (("new", "new"), ("changed", "changed"), ("unchanged", "unchanged"), ("gone", "gone"))


class Progress:
    """Shows the guard's counts while the crawl runs."""

    def __init__(self, crawler: Crawler) -> None:
        self._crawler = crawler
        self._on_terminal = sys.stderr.isatty() and crawler.settings.getbool("PROGRESS_BAR", True)
        self._task: asyncio.Task[None] | None = None
        crawler.signals.connect(self._opened, signal=signals.spider_opened)
        crawler.signals.connect(self._closed, signal=signals.spider_closed)

    @classmethod
    def from_crawler(cls, crawler: Crawler) -> Self:
        """Called by Scrapy."""
        return cls(crawler)

    def _opened(self, spider: Spider) -> None:
        self._task = asyncio.ensure_future(self._bar() if self._on_terminal else self._lines())

    def _closed(self, spider: Spider) -> None:
        if self._task:
            self._task.cancel()

    async def _bar(self) -> None:
        guard = guard_of(self._crawler)
        from tqdm import tqdm  # on first use: timers have no terminal

        with tqdm(
            desc="crawl", unit=" pages", dynamic_ncols=True, leave=False, file=sys.stderr, mininterval=0
        ) as bar:
            while True:
                bar.n = guard.counts["pages"]
                bar.set_postfix_str(f"{counted(guard)} | {guard.waiting or guard.where}"[:100], refresh=True)
                await asyncio.sleep(BAR_SECONDS)

    async def _lines(self) -> None:
        guard = guard_of(self._crawler)
        began, before, wait = time.monotonic(), 0, LINE_SECONDS
        while True:
            await asyncio.sleep(wait)
            pages = guard.counts["pages"]
            rate = (pages - before) / wait * 60
            before, wait = pages, wait * RARER
            at = f"waiting: {guard.waiting}" if guard.waiting else guard.where
            logger.info(
                "%d pages in %d min, %.0f a minute: %s; at %s",
                pages,
                (time.monotonic() - began) / 60,
                rate,
                counted(guard),
                at,
            )


def counted(guard: Guard) -> str:
    """``12 new, 3 changed, 40 unchanged, 1 gone`` and what went wrong, if anything did."""
    counts = list_counts(guard.counts)
    text = ", ".join(f"{counts[name]} {label}" for name, label in NAMES)
    return text + (f", {counts['failed']} failed" if counts["failed"] else "")
