"""Crawls in this process: the real spider, walk, guard, capture middleware, WARC files and ingest, against a
site in memory, by a clock of its own. Scrapy's engine and the network alone are left out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import unquote, urlsplit

from scrapy import Request
from scrapy.exceptions import IgnoreRequest
from scrapy.http import Response
from scrapy.settings import Settings
from scrapy.signalmanager import SignalManager
from twisted.python.failure import Failure

from archive.clock import Clock, now, use
from archive.model import Capture
from archive.outcome import Outcome
from archive.writer.messages import Ask, Happened, Judge, Judged, Open, Took
from archive.writer.server import Writer
from crawler.extensions.guard import Guard
from crawler.extensions.verdict import give_verdict
from crawler.middlewares.capture import CaptureMiddleware
from crawler.spiders.sohr import SohrSpider
from tests.replica.app import Front, Log
from tests.replica.channels import Answer
from tests.replica.site import ReplicaSite

HOME = "http://127.0.0.1:9/"
PAGE = re.compile(r"/en/\d+/(?:\d+/)?")  # an article of the English edition


@dataclass(frozen=True)
class Ended:
    """A crawl that has ended: when it began, its verdict, and the paths that it asked for."""

    at: datetime
    status: int
    word: str
    sentence: str
    asked: tuple[str, ...]

    @property
    def pages(self) -> int:
        """How many pages of articles it asked for."""
        return sum(PAGE.fullmatch(path) is not None for path in self.asked)


class NoAnswer(OSError):
    """Raised by a site in trouble when it does not answer."""


Trouble = Callable[[str, Answer], Answer]  # what the site makes of its answer to a path


class SimulatedSite:
    """A replica that answers in this process. ``trouble`` changes its answers."""

    def __init__(self, site: ReplicaSite) -> None:
        self.replica = site
        self.trouble: Trouble | None = None
        self.is_closed = False
        self._front = Front(site, Log())

    def answer(self, url: str, asked: dict[str, str]) -> Answer:
        """The answer to a request. Raises NoAnswer."""
        if self.is_closed:
            raise NoAnswer("connection refused")
        parts = urlsplit(url)
        made = self._front._bad_day() or self._front._routed(
            unquote(parts.path), parts.query, {"host": "127.0.0.1:9"} | asked
        )
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        return self.trouble(path, made) if self.trouble else made


class ArchiveHere:
    """`archive.writer.client.ArchiveProcess`, without a process: one writer for all crawls."""

    failure = None

    def __init__(self) -> None:
        self._writer: Writer | None = None
        self.opened = False

    @property
    def writer(self) -> Writer:
        """The writer, once a crawl has begun."""
        assert self._writer is not None
        return self._writer

    async def open(self, message: Open) -> None:
        """Open the archive at the first crawl; later ones only begin."""
        self.opened = True
        if self._writer is None:
            self._writer = Writer(message)
            return
        begun = {"event": "crawl-started", "name": message.name, "kind": message.kind, "at": now()}
        begun |= {"site": message.site, "extractor": "x"}
        await self.happened(begun | {"arguments": message.arguments, "software": message.software})

    async def capture(self, capture: Capture, look: str | None = None) -> asyncio.Future[Outcome]:
        """Keep an exchange; the future is its outcome."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        future.set_result(self.writer.work([Took(capture, look)])[0])
        return future

    async def happened(self, event: dict[str, Any]) -> None:
        """Keep an event."""
        self.writer.work([Happened(event)])

    async def ask(self, question: Callable[..., Any], /, *arguments: Any) -> Any:
        """Ask one of `archive.writer.messages.Questions`."""
        return self.writer.work([Ask(question.__name__, arguments)])[0]

    async def judge(self, crawl: str) -> Judged:
        """Judge the outcomes of looks that wait."""
        answer: Judged = self.writer.work([Judge(crawl)])[0]
        return answer

    async def close(self) -> None:
        """The next crawl goes on with the same writer."""


class Simulation:
    """A site, its archive and their clock."""

    def __init__(self, folder: Path, site: ReplicaSite, *arguments: str) -> None:
        self.site = SimulatedSite(site)
        self.archive = ArchiveHere()
        self.at = datetime.now(UTC)
        self.ahead = 0.0  # seconds that this machine's clock is ahead of the site's
        self._folder = folder
        self._arguments = dict(one.split("=", 1) for one in (f"site={HOME}", *arguments))
        self._asked: list[str] = []
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Let go of the archive."""
        self.archive.writer.close()
        self._loop.close()

    def set_time(self, at: datetime) -> None:
        """Set the site's clock and this machine's."""
        self.at = self.site.replica.now = at
        use(Clock("", (at - datetime.now(UTC)).total_seconds() + self.ahead))

    def crawl(self) -> Ended:
        """One run to its end."""
        return self._loop.run_until_complete(self._crawl())

    async def _crawl(self) -> Ended:
        self._asked = []
        settings = Settings()
        settings.setmodule("crawler.settings")
        settings.setdict({"ARCHIVE_DIR": str(self._folder), "CONCURRENT_REQUESTS_PER_DOMAIN": 1})
        crawler: Any = SimpleNamespace(settings=settings, signals=SignalManager())
        guard, capture = Guard(crawler), CaptureMiddleware(crawler)
        capture.archive = self.archive  # type: ignore[assignment]
        crawler.get_extension = lambda _: guard
        crawler.get_downloader_middleware = lambda _: capture
        crawler.engine = SimpleNamespace(
            spider=None,
            downloader=SimpleNamespace(slots={}),
            download_async=lambda request: self._download(capture, request),
        )
        spider = SohrSpider(**self._arguments)
        spider.crawler = crawler
        async for request in spider.start():
            await self._follow(capture, spider, request)
        await capture._closed(spider, guard.stopped[0] if guard.stopped else "finished")
        verdict = give_verdict(guard)
        return Ended(self.at, verdict.exit_status, verdict.word, verdict.sentence, tuple(self._asked))

    async def _follow(self, capture: CaptureMiddleware, spider: SohrSpider, request: Any) -> None:
        """Send a request, and all to which its answer leads; items lead nowhere."""
        if not isinstance(request, Request):
            return
        try:
            response = await self._download(capture, request)
        except (IgnoreRequest, NoAnswer) as error:
            failure = Failure(error)
            failure.request = request  # type: ignore[attr-defined]  # as Scrapy does
            await spider.unanswered(failure)
            return
        async for found in spider.parse_article(response):
            await self._follow(capture, spider, found)

    async def _download(self, capture: CaptureMiddleware, request: Request) -> Response:
        """One exchange, past the middleware nearest the wire. Raises IgnoreRequest, NoAnswer."""
        await capture.process_request(request)
        headers = {k.decode().lower(): v[0].decode("latin-1") for k, v in request.headers.items()}
        self._asked.append(request.url.removeprefix(HOME.rstrip("/")))
        try:
            made = self.site.answer(request.url, headers)
        except NoAnswer as error:
            await capture.process_exception(request, error)
            raise
        sent: dict[str, Any] = {"Date": format_datetime(self.at, usegmt=True)}
        if made.content_type:
            sent["Content-Type"] = f"{made.content_type}; charset=UTF-8"
        for name, value in made.headers:
            sent.setdefault(name, [])
            sent[name] = [*([sent[name]] if isinstance(sent[name], str) else sent[name]), value]
        response = Response(request.url, made.status, sent, made.body.encode(), request=request)
        found = await capture.process_response(request, response)
        return await self._download(capture, found) if isinstance(found, Request) else found
