"""The names of Scrapy that its documentation does not promise, used here and in no other module.

`tests/test_scrapy_internals.py` names the release they were read in. When it fails after an upgrade, read
Scrapy's own module again and mend the function below.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

from cryptography.hazmat.primitives.serialization import Encoding
from scrapy import Request, Spider
from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.crawler import Crawler, CrawlerProcess
from scrapy.exceptions import IgnoreRequest
from scrapy.utils.asyncio import call_later
from twisted.web._newclient import HTTPClientParser, ParseError


@contextmanager
def _short_stack() -> Iterator[None]:
    """While Scrapy's handler is imported it asks three times for the whole stack with its sources, to look at
    the module of one frame of it, which is then searched for by the files of all modules. That takes a
    quarter of the CPU of a crawl that finds nothing new."""

    def stack() -> list[tuple[FrameType | None]]:
        frame = sys._getframe(1)
        return [(frame,), (frame.f_back,)]

    def module_of(frame: FrameType) -> ModuleType | None:
        return sys.modules.get(frame.f_globals["__name__"])

    whole = inspect.stack, inspect.getmodule
    inspect.stack, inspect.getmodule = stack, module_of  # type: ignore[assignment]  # Scrapy has no hook
    try:
        yield
    finally:
        inspect.stack, inspect.getmodule = whole


with _short_stack():
    from scrapy.core.downloader import Downloader, Slot
    from scrapy.core.downloader.handlers.http11 import _ResponseReader

RELEASE = "2.19"
NAMES: dict[str, tuple[type, tuple[str, ...]]] = {
    "downloader": (Downloader, ("_get_slot", "_latercall", "get_slot_key")),
    "slot": (Slot, ("delay", "jitter", "latercall", "queue")),
    "process": (CrawlerProcess, ("_signal_shutdown",)),
    "command": (ScrapyCrawl, ("_create_crawler",)),
    "reader": (_ResponseReader, ("connectionMade",)),
    "parser": (HTTPClientParser, ("MAX_LENGTH", "lineLengthExceeded")),
}


def set_delay(crawler: Crawler, request: Request, seconds: float) -> None:
    """Let at least so many seconds pass between two requests to the host of this one."""
    _, slot = _downloader(crawler)._get_slot(request)
    slot.delay, slot.jitter = max(slot.delay, seconds), 0.0  # jitter would go below the delay
    request.meta["autothrottle_dont_adjust_delay"] = True  # AutoThrottle would lower it to DOWNLOAD_DELAY


def hold_host(crawler: Crawler, request: Request, seconds: float) -> None:
    """Send nothing more to the host of this request for so many seconds."""
    downloader = _downloader(crawler)
    _, slot = downloader._get_slot(request)
    if slot.latercall:
        slot.latercall.cancel()
    slot.latercall = call_later(seconds, downloader._latercall, slot)


def drop_waiting_requests(crawler: Crawler, reason: str) -> None:
    """Answer each request that has not left yet with IgnoreRequest."""
    for slot in _downloader(crawler).slots.values():
        if slot.latercall:
            slot.latercall.cancel()
            slot.latercall = None
        while slot.queue:
            _, waiting = slot.queue.popleft()
            waiting.errback(IgnoreRequest(reason))


def read_long_header_lines(limit: int) -> None:
    """Read header lines of up to so many bytes; say so where one is longer. Twisted stops at 16,384, and says
    no more than that the connection was closed."""

    def refuse(parser: HTTPClientParser, line: bytes) -> None:
        raise ParseError(f"a header line of more than {limit:,} bytes", line[:100])  # type: ignore[no-untyped-call]

    HTTPClientParser.MAX_LENGTH = limit
    HTTPClientParser.lineLengthExceeded = refuse  # type: ignore[method-assign,assignment]  # Twisted has no hook


def _downloader(crawler: Crawler) -> Downloader:
    assert crawler.engine is not None  # it runs when a request or a response is at hand
    return crawler.engine.downloader


def on_signal(process: CrawlerProcess, react: Callable[[int, Callable[[], None]], None]) -> None:
    """Call ``react`` with the number of a signal that ends the process, and what lets Scrapy handle it. After
    that Scrapy ends the process at the next signal."""
    shutdown = process._signal_shutdown

    def handle(signum: int, frame: Any) -> None:
        react(signum, lambda: shutdown(signum, frame))

    process._signal_shutdown = handle  # type: ignore[assignment,method-assign]  # Scrapy has no hook


def remember_crawlers(command: ScrapyCrawl) -> list[Crawler]:
    """Return a list that gets each crawler the command makes."""
    crawlers: list[Crawler] = []
    create = command._create_crawler

    def remember(name: type[Spider] | str) -> Crawler:
        crawlers.append(create(name))
        return crawlers[-1]

    command._create_crawler = remember  # type: ignore[assignment,method-assign]  # Scrapy has no hook
    return crawlers


def keep_chains() -> None:
    """Let ``response.certificate`` have ``tls``: the protocol, the cipher and the chain in PEM. Scrapy keeps
    the first certificate only."""
    made = _ResponseReader.connectionMade
    if made.__name__ == "keep":  # by an earlier crawl of this process
        return

    def keep(self: Any) -> None:
        made(self)
        if self._certificate is not None:
            connection = self.transport._producer.getHandle()
            chain = connection.get_peer_cert_chain() or []
            self._certificate.tls = {
                "protocol": connection.get_protocol_version_name(),
                "cipher": connection.get_cipher_name(),
                "certificates": [one.to_cryptography().public_bytes(Encoding.PEM).decode() for one in chain],
            }

    _ResponseReader.connectionMade = keep  # type: ignore[method-assign]  # Scrapy has no hook
