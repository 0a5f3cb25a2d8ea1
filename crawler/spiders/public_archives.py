"""What `scrapy crawl commoncrawl` and `scrapy crawl wayback` share: list, then take what is listed, oldest
first, one request at a time. What was listed and taken is in the archive, so that each run goes on from
there."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import timedelta
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scrapy import Request, Spider
from scrapy.exceptions import CloseSpider, IgnoreRequest

from archive.clock import current_time, format_time, now, parse_time
from archive.model import Capture
from archive.outcome import PART, SERVED, UNREADABLE, Outcome
from archive.public_archives.captures import EXCLUDED, NotServed
from archive.public_archives.queries import CAPTURE, INDEX, identity_of
from archive.sites.hosts import is_loopback_host
from archive.sites.sohr.addresses import Site
from archive.writer.client import ArchiveClosed, ArchiveFailed
from archive.writer.messages import KnownPage, Questions, Span, WantedCapture
from crawler.arguments import Arguments
from crawler.extensions.guard import guard_of
from crawler.middlewares.capture import Asked, capture_of, outcome
from crawler.middlewares.pace import Pace

logger = logging.getLogger(__name__)
CRAWLS = "crawls"  # kind of the request for the list of Common Crawl's crawls
AT_ONCE = 1000  # listed captures that the archive is asked for at a time
INDEX_DAYS = timedelta(days=30)  # after which an index is asked again: both grow about once a month
LOOK = timedelta(hours=1)  # pages of one post, captured within this, belong to one look


class PublicArchiveSpider(Spider):
    """Base of the two. ``service`` is the word in the archive's rows."""

    service: ClassVar[str]
    final_statuses: ClassVar[tuple[int, ...]] = ()  # that end the run
    judges_drift = False
    custom_settings: ClassVar[dict[str, Any]] = {  # type: ignore[misc]  # Scrapy's is no ClassVar
        "ROBOTSTXT_OBEY": False,  # these addresses are made for programs; the services state their own limits
        "DOWNLOAD_DELAY": 0,  # PaceMiddleware waits, by kind of request
        "AUTOTHROTTLE_ENABLED": False,  # the same
    }

    def __init__(self, **given: Any) -> None:
        super().__init__()
        self.arguments = self.read(given)
        self.site = Site(self.arguments.site)
        self._only_index = "only" in given
        self._asked: set[str] = set()  # identities
        self._looks: dict[str, tuple[str, str]] = {}  # by post: time and look of its first page

    @staticmethod
    def read(given: dict[str, Any]) -> Arguments:
        """The arguments. Raises BadArgument."""
        return Arguments.read_backfill(given)

    # -- what the services do in their own ways

    def services(self) -> tuple[str, ...]:
        """The settings that name the service's addresses."""
        raise NotImplementedError

    async def list_captures(self) -> bool:
        """Ask the index for all that is not known. Return whether it answered in full."""
        raise NotImplementedError

    async def fetch(self, wanted: WantedCapture) -> Capture | NotServed | None:
        """Ask for a capture; None without an answer."""
        raise NotImplementedError

    # -- the run

    async def start(self) -> AsyncIterator[Any]:
        """Open the archive, list, take."""
        capture = capture_of(self.crawler)
        self._archive, self.guard, settings = capture.archive, guard_of(self.crawler), self.crawler.settings
        if not self._are_services_allowed():
            return
        self._paces = {
            kind: Pace(settings.getfloat(f"{self.service}_{kind}_seconds".upper()), self.final_statuses)
            for kind in (INDEX, CAPTURE)
        }
        self._paces[CRAWLS] = self._paces[INDEX]
        try:
            asked = self.arguments.as_record() | {"service": self.service, "only_index": self._only_index}
            await capture.open_archive(self.site.home, "backfill", asked)
            self.site = Site(await self._archive.ask(Questions.home))
            if not await self._has_budget():
                return
            is_whole = await self.list_captures()
            if self.guard.closing.is_set():
                return
            if not self._only_index:
                async for version in self._take_all():
                    yield version
            if not is_whole and not self.guard.closing.is_set():
                self.guard.stop(
                    "unavailable",
                    f"the index of {self.service} was not listed in full, and captures may be missing: "
                    "run the same command again, it goes on from here",
                )
        except ArchiveClosed:
            return
        except ArchiveFailed as failure:
            self.guard.fail(failure)
            raise CloseSpider("archive_failed") from failure

    def _are_services_allowed(self) -> bool:
        """A site on this machine is a test: it asks nobody else's service."""
        for name in self.services():
            url = str(self.crawler.settings[name])
            if self.site.is_loopback and not is_loopback_host(urlsplit(url).hostname or ""):
                self.guard.stop(
                    "unavailable",
                    f"{self.site.home} is on this machine and {url} is not: give another service "
                    f"(-s {name}=http://127.0.0.1:PORT/)",
                )
                return False
        return True

    async def _has_budget(self) -> bool:
        if not self.arguments.budget:
            return True
        day_before = format_time(current_time() - timedelta(days=1))
        used = await self._archive.ask(Questions.asked_of_archives, day_before)
        return self.guard.set_budget(self.arguments.budget, used)

    async def _take_all(self) -> AsyncIterator[Any]:
        """Take what is listed and not here, oldest first. Repeat, for what a refused row stood for."""
        span = Span(self.arguments.editions, self.arguments.since, self.arguments.until)
        is_new = True
        while is_new:
            after, is_new = ("", 0), False
            while batch := await self._archive.ask(
                Questions.wanted_captures, self.service, span, after, AT_ONCE
            ):
                after = batch[-1].place
                for wanted in batch:
                    if self.guard.closing.is_set():
                        return
                    if wanted.identity in self._asked:
                        continue
                    self._asked.add(wanted.identity)
                    is_new = True
                    self.guard.where = f"{self.service} {wanted.place[0][:10]}"
                    found = await self._take(wanted)
                    if found is not None and found.version is not None:
                        yield asdict(found.version)

    async def _take(self, wanted: WantedCapture) -> Outcome | None:
        """One capture: ask the service, then hand over what the site said. None where there is none."""
        found = await self.fetch(wanted)
        if isinstance(found, Capture):
            if found.captured_at > now() or self.site.parse(found.url) is None:
                found = NotServed("broken", f"{found.service_url} is of another site or of the future")
            elif self._is_new(found, wanted):
                return await self._hand_over(found, wanted)
            else:
                return None
        if found is not None:
            if found.reason == EXCLUDED:
                self.guard.stop("unavailable", f"{found.detail}: it has nothing that can be fetched")
            host = urlsplit(str(self.crawler.settings[self.services()[-1]])).netloc
            self.guard.note(found.reason if not found.is_final else "refused", found.detail, host)
        return None

    def _is_new(self, found: Capture, wanted: WantedCapture) -> bool:
        """Return whether a capture was not taken in this run: a redirect may lead to one that is listed."""
        identity = identity_of(found.service_url or "") or wanted.identity
        is_new = identity == wanted.identity or identity not in self._asked
        self._asked.add(identity)
        return is_new

    async def _hand_over(self, found: Capture, wanted: WantedCapture) -> Outcome:
        post, _, page = wanted.post.rpartition(" ")
        at, look = self._looks.get(post, ("", ""))
        is_later = page != "1" and at and abs(parse_time(at) - parse_time(found.captured_at)) <= LOOK
        got = await (await self._archive.capture(found, look if is_later else None))
        if got.word == PART and page == "1" and got.look:
            self._looks[post] = (found.captured_at, got.look)
        # A theme of 2015 that no layout reads is no sign of drift: it is kept and counted
        self.guard.note("unread" if got.word in UNREADABLE else got.word, got.detail)
        return got

    # -- asking

    async def ask(
        self, url: str, kind: str, headers: dict[str, str] | None = None
    ) -> tuple[Capture, Outcome] | None:
        """One exchange, durable, and what the archive made of it; None without an answer."""
        assert self.crawler.engine is not None  # it has called `start`
        meta = {
            "asked": Asked(f"{self.service}_{kind}"),
            "dont_redirect": True,
            "dont_obey_robotstxt": True,
            "pace": self._paces[kind],
        }
        request = Request(url, meta=meta, dont_filter=True, headers=headers)
        try:
            response = await self.crawler.engine.download_async(request)
        except IgnoreRequest:
            return None
        except ArchiveFailed:
            raise
        except Exception as error:  # noqa: BLE001  # no answer, of whatever kind: kept by CaptureMiddleware
            self.guard.note("no_answer", f"{url[:200]}: {error}", urlsplit(url).netloc)
            return None
        return response.meta["capture"], await outcome(response)

    async def ask_index(self, url: str, *, grows: bool = True) -> KnownPage | None:
        """A page of the index: as it was, or asked for. None where the service gives none.

        The last page of an index that ``grows`` is asked for again after a month.
        """
        known = await self._archive.ask(Questions.index_page, url)
        if known and (
            not grows or known.next_key or current_time() - parse_time(known.asked_at) < INDEX_DAYS
        ):
            return known
        answered = await self.ask(url, INDEX)
        if answered is None:
            return None
        exchange, got = answered
        if got.word != SERVED:
            self.guard.note(got.word, got.detail, urlsplit(url).netloc)
            return None
        return await self._archive.ask(Questions.index_page, exchange.url)
