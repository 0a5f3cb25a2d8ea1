"""`scrapy crawl sohr`: the callbacks. `crawler.walk` decides what to ask, the archive process what came."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
from collections.abc import AsyncIterator
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.exceptions import CloseSpider, IgnoreRequest
from scrapy.http import Response
from twisted.python.failure import Failure

from archive.clock import current_time, format_time, parse_time, read_retry_after
from archive.model import Edition
from archive.outcome import (
    DETOUR,
    HELD,
    INVENTED,
    MOVED,
    PART,
    REDIRECT,
    KnownPost,
    Outcome,
)
from archive.sites.sohr.addresses import Site
from archive.writer.client import ArchiveClosed, ArchiveFailed, ArchiveProcess
from archive.writer.messages import Questions
from crawler.arguments import Arguments
from crawler.extensions.guard import GRACE_SECONDS, guard_of
from crawler.listing_pages import HOPS, ListingPages
from crawler.middlewares.backoff import seconds_left
from crawler.middlewares.capture import Asked, asked, capture_of, edition_of, outcome
from crawler.reasons import describe_error
from crawler.site_home import SiteHome
from crawler.walk.walk import Walk
from crawler.walk.wanted import Run, Wanted

logger = logging.getLogger(__name__)
AHEAD = 64  # articles asked for before the walk through the listings waits: bounds the memory
BUDGET = 8000  # requests in 24 hours by default: less than a fifth of one in two seconds
RESTS = 50  # the last answers with a Retry-After that a crawl heeds at its start
LOOKS = 200  # articles after which the looks that wait are judged: minutes, at the pace of a guest
INVENTED_ID = 900_000_000  # no site has as many posts
LISTINGS = 4  # of so many requests at a time one may be for the next page of a listing


class SohrSpider(Spider):
    """Crawls the listings of SOHR's site, in English and Arabic, into an archive.

    -a site=URL        another site of the same kind (default https://www.syriahr.com/)
    -a edition=en|ar|all
    -a since=2024-05-01 -a until=2024-05-31   days of the site's own archive
    -a pages=N         at most N listing pages an edition
    -a urls=FILE       only these addresses, one a line
    -a look=due|all|none   which archived articles to look at again (default due)
    -a budget=N        requests in 24 hours, at most (default 8000; 0: no limit)
    -a sweep=FROM-TO   these ids of the edition, whatever shows them
    -a moved_from=URL  the site's former address, to continue its archive at the address of -a site
    """

    name = "sohr"
    channel: ClassVar[str] = "article"  # of what is asked for besides listings

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.arguments = self.read(given)
        self._home = SiteHome(self.arguments.site)
        self._asked: set[str] = set()
        self._room = asyncio.Semaphore(AHEAD)
        self._looks = 0  # since the last judgement
        self._under_way = 0  # requests for articles
        self._is_inventing: bool | None = None  # whether an invented address is under way; None: not asked
        self._all_answered = asyncio.Event()
        self.cited = self.arguments.urls or ()

    @property
    def site(self) -> Site:
        """The site, by the address that the archive knows it by."""
        return self._home.site

    @staticmethod
    def read(given: dict[str, Any]) -> Arguments:
        """The arguments. Raises BadArgument."""
        return Arguments.read(given)

    def wanted(self, archive: ArchiveProcess) -> AsyncIterator[Wanted]:
        """What to ask for, in order."""
        at_once = self.crawler.settings.getint("CONCURRENT_REQUESTS_PER_DOMAIN")
        guard = self.guard
        return Walk(
            Run(
                self.arguments,
                self._pages.fetch,
                archive.ask,
                guard.closing,
                self._wait_for_answers,
                guard.sitemaps,
                self._home.respell,
                at_once // LISTINGS,
            )
        ).wanted()

    async def start(self) -> AsyncIterator[Any]:
        """Open the archive, then ask for what the walk says, newest first."""
        self._capture = capture = capture_of(self.crawler)
        archive = capture.archive
        self.guard = guard_of(self.crawler)
        self.guard.before_close = self._finish_looks
        self._pages = ListingPages(self.crawler, self._home)
        try:
            await capture.open_archive(self.site.home, "crawl", self.arguments.as_record())
            self.arguments = replace(self.arguments, site=await self._home.find(capture))
            if not await self._welcome(archive):
                return
            async for wanted in self.wanted(archive):
                if self.guard.closing.is_set():
                    break
                if self._first_time(wanted.post):
                    await self._room.acquire()
                    name = str(wanted.post.key) if wanted.post.key else None
                    channel = "sweep" if wanted.reason == "sweep" else self.channel
                    yield self._request(
                        wanted.post.url,
                        Asked(channel, wanted.reason, wanted.via, name=name),
                        wanted.condition,
                    )
            await self._wait_for_answers()
            if self.guard.closing.is_set():
                return  # what waits is judged where the crawl is stopped
            for version in await capture.judge():
                yield asdict(version)
        except ArchiveClosed:
            return  # the crawl was stopped while the walk was on its way
        except ArchiveFailed as failure:
            self.guard.fail(failure)
            raise CloseSpider("archive_failed") from failure

    async def _welcome(self, archive: ArchiveProcess) -> bool:
        """Return whether the site may be visited now: no rest is asked for, and the budget is not used up."""
        settings = self.crawler.settings
        if not settings["ARCHIVE_CONTACT"] and not self.site.is_loopback:
            logger.warning(
                "the site cannot reach you: name a mail or web address in ARCHIVE_CONTACT "
                "(environment, or -s ARCHIVE_CONTACT=...)"
            )
        if not await self._rest(await archive.ask(Questions.rests_asked, RESTS)):
            return False
        budget = self.arguments.budget
        if budget is None:
            stated = str(settings["ARCHIVE_DAILY_REQUESTS"] or "")
            budget = int(stated) if stated.isdigit() else 0 if self.site.is_loopback else BUDGET
        if not budget:
            return True
        day_before = format_time(current_time() - timedelta(days=1))
        return self.guard.set_budget(budget, await archive.ask(Questions.asked_since, day_before))

    async def _rest(self, rests: list[tuple[str, str, float]]) -> bool:
        """Keep the longest rest that the site asked for; return whether it is over."""
        settings = self.crawler.settings
        longest = timedelta(seconds=settings.getfloat("ARCHIVE_RETRY_AFTER_MAX_SECONDS"))
        asked_at, value, left = "", "", 0.0
        for at, stated, ahead in rests:
            until = read_retry_after(stated, parse_time(at), ahead)
            if until and (seconds := seconds_left(min(until, parse_time(at) + longest)) or 0.0) > left:
                asked_at, value, left = at, stated, seconds
        if left > settings.getfloat("BACKOFF_MAX_SECONDS"):
            self.guard.stop(
                "unavailable",
                f"the site asked for rest at {asked_at} (Retry-After: {value}): "
                f"run the crawl again in {left:.0f} seconds",
            )
            return False
        return not left or await self.guard.sleep(left, "the site asked for rest")

    async def _finish_looks(self) -> None:
        """Before the crawl is stopped: what is under way ends, for seconds; then what waits is judged, and
        its versions become items."""
        await self._wait_for_answers(GRACE_SECONDS)
        assert self.crawler.engine is not None  # it runs while answers come
        for version in await self._capture.judge():
            await self.crawler.engine.scraper.start_itemproc_async(asdict(version), response=None)

    async def _wait_for_answers(self, seconds: float | None = None) -> None:
        """Wait until all articles asked for are answered; in a crawl that stops only if for ``seconds``."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._under_way and (seconds or not self.guard.closing.is_set()):
                    self._all_answered.clear()
                    await self._all_answered.wait()

    def _first_time(self, post: KnownPost) -> bool:
        """Return whether an article is met for the first time in this crawl, whatever its address."""
        name = str(post.key) if post.key else post.url
        known = name in self._asked
        self._asked.add(name)
        return not known

    def _request(self, url: str, why: Asked, condition: tuple[str, str] | None = None) -> Request:
        meta = {"asked": why, "dont_redirect": True}
        self._under_way += 1
        return Request(
            self._home.respell(url, why.via),
            callback=self.parse_article,
            errback=self.unanswered,
            dont_filter=True,
            priority=10 * bool(why.hops or why.look),
            meta=meta,
            headers=dict([condition]) if condition else None,
        )

    async def parse_article(self, response: Response) -> AsyncIterator[Any]:
        """The outcome of an article: further requests where it leads on, an item if it is a new version."""
        try:
            async for wanted in self._parse_article(response):
                yield wanted
        finally:
            self._count_answer()

    async def _parse_article(self, response: Response) -> AsyncIterator[Any]:
        assert response.request is not None  # it was one of ours
        why = asked(response.request)
        self._make_room(why)
        try:
            found = await outcome(response)
            if why.channel == INVENTED:
                self._is_inventing = False
                return
            served = found.served
            is_moved = served is not None and await self._home.follow(served, self._capture, self.guard)
        except ArchiveFailed as failure:
            self.guard.fail(failure)
            return
        edition = edition_of(why)
        if found.target is not None and why.hops < HOPS and (is_moved or self._follow(why, found.target)):
            # Another post's old address is no alias of it
            first = None if found.word in (MOVED, HELD) else why.requested_url or found.url
            yield self._request(
                found.target.url,
                Asked(why.channel, why.reason, found.url, first, why.look, why.hops + 1, why.name),
            )
        elif found.word not in (PART, MOVED):
            self._note_page(found, why)
        if found.is_doubted:  # once more, past the caches; a query string would be another page to them
            fresh = replace(why, hops=HOPS, name=None)
            yield self._request(found.url, fresh, ("Cache-Control", "no-cache"))
        for url in found.page_urls:
            yield self._request(url, Asked(why.channel, why.reason, found.url, None, found.look))
        if found.word == MOVED:
            self.guard.note(MOVED)
        if found.version is not None:
            yield asdict(found.version)
        if self._is_dead_end(found) and self._is_inventing is None:
            self._is_inventing = True
            yield self._request(self._invent(edition), Asked(INVENTED, via=found.url, hops=HOPS))
        self._looks += 1
        if self._looks >= LOOKS and not self._is_inventing:
            self._looks = 0
            for version in await self._capture.judge():
                yield asdict(version)

    def _note_page(self, found: Outcome, why: Asked) -> None:
        """Count the outcome of an article's page; a post that only leads on and on is not to be read."""
        is_endless = found.word == REDIRECT and why.hops == HOPS
        word, detail = (DETOUR, "one redirect after another") if is_endless else (found.word, found.detail)
        self.guard.note(word, detail, urlsplit(found.url).netloc, edition_of(why), is_article=True)

    def _is_dead_end(self, found: Outcome) -> bool:
        """Whether a post that was there leads to a page that is no article."""
        return found.word == HELD and found.target is None and 300 <= found.status < 400

    def _invent(self, edition: Edition | None) -> str:
        """An address that no post has."""
        number = str(INVENTED_ID + secrets.randbelow(INVENTED_ID // 10))
        slug = "" if edition == "en" else f"{secrets.token_hex(6)}/"
        return f"{self.site.edition_home(edition or 'en')}{slug}{number}/"

    def _count_answer(self) -> None:
        self._under_way -= 1
        if self._under_way == 0:
            self._all_answered.set()

    def _make_room(self, why: Asked) -> None:
        if why.hops == 0 and why.look is None:
            self._room.release()

    def _follow(self, why: Asked, target: KnownPost) -> bool:
        """Whether a redirect is followed: to the very article asked for, or to one that is not archived."""
        if target.key is not None and str(target.key) == why.name:
            return True
        return self._first_time(target) and (target.state is None or self.arguments.look == "all")

    async def unanswered(self, failure: Failure) -> None:
        """Count a request without an answer after all retries, or one that robots.txt forbids."""
        request: Request = failure.request  # type: ignore[attr-defined]  # Scrapy puts it there
        self._make_room(asked(request))
        self._count_answer()
        if asked(request).channel == INVENTED:
            self._is_inventing = False
        ours = isinstance(failure.value, IgnoreRequest)
        if not (ours and self.guard.closing.is_set()):
            word = "forbidden" if ours else "no_answer"
            assert failure.value is not None  # a Failure stands for an error
            detail = f"{request.url}: {describe_error(failure.value)}"
            host, edition = urlsplit(request.url).netloc, edition_of(asked(request))
            self.guard.note(word, detail, host, edition, is_article=True)
