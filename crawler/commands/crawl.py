"""`scrapy crawl` with a summary and an exit status (`archive.errors`); Scrapy's own always exits 0."""

from __future__ import annotations

import argparse
import gc
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError
from scrapy.settings import BaseSettings

from archive.clock import BadClock, Clock, for_site, use
from archive.errors import INTERNAL, exit_status_lines
from archive.log import BadLog, open_log, told
from archive.settings_file import ARGUMENTS, BadSettings, apply_settings, read_settings
from archive.sites import addresses_elsewhere
from archive.sites.hosts import is_web_address
from archive.sites.sohr.addresses import Site
from archive.warc.timestamps import stamp
from archive.writer.client import start_early
from crawler.arguments import Arguments, BadArgument, authorities, check_settings
from crawler.extensions.guard import guard_of
from crawler.extensions.results import list_counts
from crawler.extensions.verdict import give_verdict
from crawler.ping import ping
from crawler.scrapy_internals import on_signal, remember_crawlers
from crawler.settings import user_agent


class Command(ScrapyCrawl):
    """Crawl, report, and end with an exit status that says what happened."""

    default_settings: ClassVar[dict[str, Any]] = {"LOG_ENABLED": False}  # `open_log` writes the lines

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add ``--json`` to Scrapy's options."""
        super().add_options(parser)
        parser.add_argument("--json", action="store_true", help="write each line to standard error as JSON")

    def long_desc(self) -> str:
        """Shown by ``scrapy crawl -h``."""
        return (
            "Crawl a site into an archive. 'scrapy crawl sohr' takes the newest posts and goes on with what "
            "earlier runs left unfinished. Arguments, each with -a: site=URL, edition=en|ar|all, "
            "since=YYYY-MM-DD, until=YYYY-MM-DD, pages=N (listing pages an edition), urls=FILE, "
            "look=due|all|none, budget=N (requests in 24 hours; 0: no limit), sweep=FROM-TO (ids of an "
            "edition), moved_from=URL (the site's former address). 'scrapy crawl pages' takes cited pages of "
            "other sites into the same archive: urls=FILE, site=URL (the archive's), look=all|none. "
            "'scrapy crawl commoncrawl' and 'scrapy crawl wayback' take what public archives have of it: "
            "site, edition, since, until (days of capture), budget, only=index. "
            "Settings, each with -s or in the environment: ARCHIVE_DIR=DIR (the archive's folder; data/), "
            "ARCHIVE_CONTACT=TEXT (how the site can reach you), ARCHIVE_TIMESTAMPS=URLS (authorities that "
            "date the evidence), ARCHIVE_DAILY_REQUESTS=N (the budget where no other is given), "
            "ARCHIVE_LOG=FILE (the log). "
            "Exit status: " + "; ".join(exit_status_lines("crawl")) + "."
        )

    def process_options(self, args: list[str], opts: argparse.Namespace) -> None:
        """Read options and settings file, and start the archive process: it takes longer to get ready than
        Scrapy from here on. Raises UsageError."""
        super().process_options(args, opts)
        self._read_file(args, opts)
        if len(args) == 1:
            start_early()

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the arguments, crawl, report, and set the exit status."""
        assert self.settings is not None  # Scrapy sets it
        process: Any = self.crawler_process
        self._open_log(opts)
        known = process.spider_loader.list()
        if len(args) == 1 and args[0] not in known:
            raise UsageError(
                f"there is nothing to crawl of the name {args[0]}: give {', '.join(known)}",
                print_help=False,
            )
        if len(args) == 1:
            self._check(process.spider_loader.load(args[0]), opts)
            self.settings.set("ARCHIVE_PRIVATE_HOSTS", _named(self.settings, opts.spargs), priority="cmdline")
        if self.settings.getfloat("DOWNLOAD_DELAY") == 0:
            # It starts at seconds and ignores a delay of 0
            self.settings.set("AUTOTHROTTLE_ENABLED", False, priority="cmdline")
        if contact := self.settings["ARCHIVE_CONTACT"]:
            self.settings.set("USER_AGENT", user_agent(contact), priority="project")
        crawlers = remember_crawlers(self)

        signals = list[int]()
        on_signal(process, stopper_of(crawlers, signals))
        super().run(args, opts)
        self.exitcode = (
            self._report(crawlers[0]) if crawlers and not self.exitcode else self.exitcode or INTERNAL
        )
        if crawlers and not signals:  # who stops a crawl does not wait for an authority
            self._stamp()
        if url := os.environ.get("ARCHIVE_PING_URL"):
            ping(url, self.exitcode)
        gc.freeze()  # else Python looks for garbage among all modules once more before it ends

    def _read_file(self, args: list[str], opts: argparse.Namespace) -> None:
        """Take the settings and arguments of the archive's settings file, where neither the command line nor
        the environment gives them. Raises UsageError."""
        assert self.settings is not None
        folder = Path(self.settings["ARCHIVE_DIR"])
        try:
            for name, value in apply_settings(folder).items():
                self.settings.set(name, value, priority="project")  # below -s
            stated = read_settings(folder)
        except BadSettings as error:
            raise UsageError(str(error), print_help=False) from error
        for name in ARGUMENTS if args == ["sohr"] else ():
            if name in stated:
                opts.spargs.setdefault(name, stated[name])

    def _open_log(self, opts: argparse.Namespace) -> None:
        """Take the lines over from Scrapy. Raises UsageError."""
        settings = self.settings
        assert settings is not None
        level = logging.getLevelNamesMapping().get(str(settings["LOG_LEVEL"]), logging.INFO)
        is_stated = (settings.getpriority("LOG_LEVEL") or 0) > 20  # else the bar on a terminal says the rest
        if settings["LOG_FILE"] or opts.nolog:  # Scrapy's own
            level, is_stated = logging.CRITICAL + 1, True
        elif settings.getbool("LOG_ENABLED"):  # by --loglevel
            settings.set("LOG_ENABLED", False, priority="cmdline")
        folder, place = Path(settings["ARCHIVE_DIR"]), str(settings["ARCHIVE_LOG"] or "")
        on_terminal = level if is_stated else logging.WARNING
        try:
            open_log("crawl", place, folder, level, on_terminal, is_json=opts.json)
        except BadLog as error:
            raise UsageError(str(error), print_help=False) from error

    def _check(self, spider: Any, opts: argparse.Namespace) -> None:
        """Check settings and arguments, and set the clock. Raises UsageError."""
        assert self.settings is not None
        try:
            check_settings(self.settings, [name.partition("=")[0] for name in opts.set or ()])
            arguments = spider.read(opts.spargs)
            self._authorities = authorities(self.settings, arguments.site)
            use(_clock(str(self.settings["ARCHIVE_CLOCK"] or ""), arguments, spider.name))
        except (BadArgument, BadClock) as error:
            raise UsageError(str(error), print_help=False) from error

    def _stamp(self) -> None:
        """Have the evidence dated; what went wrong is said, and tried again by the next crawl."""
        assert self.settings is not None
        for problem in stamp(Path(self.settings["ARCHIVE_DIR"]), self._authorities):
            told.warning("%s", problem)

    def _report(self, crawler: Crawler) -> int:
        """Print what came of the crawl; return its exit status."""
        guard = guard_of(crawler)
        verdict = give_verdict(guard)
        counts = list_counts(guard.counts)
        summary = ", ".join(
            f"{number} {name}"
            for name, number in counts.items()
            if number or name in ("new", "changed", "unchanged", "gone")
        )
        facts = {"verdict": verdict.word, "exit_status": verdict.exit_status, "counts": counts}
        told.info("crawl %s: %s", verdict.word, summary, extra={"facts": facts})
        if verdict.sentence and not guard.is_reported:
            told.log(logging.ERROR if verdict.exit_status else logging.WARNING, "%s", verdict.sentence)
        return verdict.exit_status


def _named(settings: BaseSettings, given: dict[str, str]) -> list[str]:
    """The hosts that the user names, which may be on a private network. Raises UsageError for an address that
    is none."""
    stated = {name: given.get(name) for name in ("site", "moved_from")}
    given_here = [name for name in settings if (settings.getpriority(name) or 0) > 20]  # no defaults of ours
    stated |= {name: settings[name] for name in given_here if name.endswith("_URL")}
    stated.pop("ARCHIVE_PING_URL", None)  # asked by no crawl; a wrong one fails none
    hosts: list[str] = settings.getlist("ARCHIVE_PRIVATE_HOSTS")
    for name, url in stated.items():
        if is_web_address(str(url)):
            hosts.append(urlsplit(str(url)).hostname or "")
        elif url:
            raise UsageError(f"{name} is not a web address: correct it", print_help=False)
    return hosts


def _clock(stated: str, arguments: Arguments, spider: str) -> Clock:
    """The crawl's clock; another than the machine's only for sites on this machine. Raises BadClock."""
    site = Site(arguments.site)
    pages = (
        [addresses_elsewhere.clean(url) or url for url in arguments.urls or ()] if spider == "pages" else []
    )
    real = next((url for url in pages if not addresses_elsewhere.is_loopback(url)), site.home)
    return for_site(stated, real, is_loopback=site.is_loopback and real == site.home)


def stopper_of(crawlers: list[Crawler], signals: list[int]) -> Callable[[int, Callable[[], None]], None]:
    """What stops the crawls at a signal: at the first in good order, at the second at once. ``signals`` gets
    their numbers."""

    def stop(signum: int, shutdown: Callable[[], None]) -> None:
        signals.append(signum)
        for crawler in crawlers:
            guard_of(crawler).interrupted = signum == signal.SIGINT
        if len(signals) > 1:  # nothing under way is waited for
            shutdown()
            signal.raise_signal(signum)
        call_in_loop(lambda: None if all(guard_of(one).finish() for one in crawlers) else shutdown())

    return stop


def call_in_loop(function: Callable[[], object]) -> None:
    """Call a function in the event loop's thread, from a signal handler."""
    from twisted.internet import reactor  # installed by Scrapy by now, not at import

    reactor.callFromThread(function)
