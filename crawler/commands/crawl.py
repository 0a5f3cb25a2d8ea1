"""`scrapy crawl` with an exit status that means something, and a summary. Scrapy's own says 0 whatever
happened (its issue 1241)."""

from __future__ import annotations

import argparse
import os
import signal
import sys
from typing import Any

from scrapy import Spider
from scrapy.commands.crawl import Command as ScrapyCrawl
from scrapy.crawler import Crawler
from scrapy.exceptions import UsageError

from archive.clock import BadClock, Clock, for_site, use
from archive.errors import INTERNAL, exit_status_lines
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site
from archive.writer.client import start_early
from crawler.arguments import Arguments, BadArgument, check_settings
from crawler.extensions.guard import counters, guard_of
from crawler.ping import ping
from crawler.settings import user_agent


class Command(ScrapyCrawl):
    """Crawl, say what came of it, and end with the status of README, Exit status."""

    def long_desc(self) -> str:
        """Shown by ``scrapy crawl -h``."""
        return (
            "Crawl a site into an archive. 'scrapy crawl sohr' takes the newest posts and goes on with what earlier runs left unfinished. "
            "Arguments, each with -a: site=URL, edition=en|ar|all, since=YYYY-MM-DD, until=YYYY-MM-DD, pages=N (listing pages an edition), "
            "urls=FILE, look=due|all|none, budget=N (requests in 24 hours; 0: no limit), sweep=FROM-TO (ids of an edition). "
            "'scrapy crawl pages' takes cited pages of other sites into the same archive: urls=FILE, site=URL (the archive's), look=all|none. "
            "Settings, each with -s or in the environment: ARCHIVE_DIR=DIR (the archive's folder; else data/), ARCHIVE_CONTACT=TEXT (how the site "
            "can reach you), ARCHIVE_DAILY_REQUESTS=N (the budget where no other is given). "
            "Exit status: " + "; ".join(exit_status_lines("crawl")) + "."
        )

    def run(self, args: list[str], opts: argparse.Namespace) -> None:
        """Check the arguments, crawl, tell, and set the exit status."""
        assert self.settings is not None  # Scrapy sets it
        process: Any = self.crawler_process
        known = process.spider_loader.list()
        if len(args) == 1 and args[0] not in known:
            raise UsageError(
                f"there is nothing to crawl of the name {args[0]}: give {' or '.join(reversed(known))}",
                print_help=False,
            )
        if len(args) == 1:
            try:
                check_settings(self.settings, [name.partition("=")[0] for name in opts.set or ()])
                arguments = (Arguments.read if args[0] == "sohr" else Arguments.read_pages)(opts.spargs)
                use(_clock(str(self.settings["ARCHIVE_CLOCK"] or ""), arguments, args[0]))
            except (BadArgument, BadClock) as error:
                raise UsageError(str(error), print_help=False) from error
            start_early()
        if self.settings.getfloat("DOWNLOAD_DELAY") == 0:
            # It starts at seconds and ignores a delay of 0
            self.settings.set("AUTOTHROTTLE_ENABLED", False, priority="cmdline")
        if contact := self.settings["ARCHIVE_CONTACT"]:
            self.settings.set("USER_AGENT", user_agent(contact), priority="project")
        if sys.stderr.isatty() and (self.settings.getpriority("LOG_LEVEL") or 0) <= 20:
            self.settings.set("LOG_LEVEL", "WARNING", priority="project")  # the bar says the rest
        crawlers: list[Crawler] = []
        create = self._create_crawler

        def remember(name: type[Spider] | str) -> Crawler:
            crawler = create(name)
            crawlers.append(crawler)
            return crawler

        def interrupted(signum: int, frame: Any) -> None:
            for crawler in crawlers:
                guard = guard_of(crawler)
                guard.interrupted = signum == signal.SIGINT
                process_loop_call(guard.close_down)
            shutdown(signum, frame)

        shutdown = process._signal_shutdown
        process._signal_shutdown = interrupted
        self._create_crawler = remember  # type: ignore[assignment]  # the one way to the crawler, and so to its guard
        super().run(args, opts)
        self.exitcode = (
            self._told(crawlers[0]) if crawlers and not self.exitcode else self.exitcode or INTERNAL
        )
        if url := os.environ.get("ARCHIVE_PING_URL"):
            ping(url, self.exitcode)

    def _told(self, crawler: Crawler) -> int:
        """Print what came of the crawl; its exit status."""
        guard = guard_of(crawler)
        verdict = guard.verdict()
        counts = counters(guard)
        told = ", ".join(
            f"{number} {name}"
            for name, number in counts.items()
            if number or name in ("new", "changed", "unchanged", "gone")
        )
        print(f"crawl {verdict.word}: {told}", file=sys.stderr)
        if verdict.sentence and not guard.told:
            print(f"sohr: {verdict.sentence}", file=sys.stderr)
        return verdict.exit_status


def _clock(stated: str, arguments: Arguments, spider: str) -> Clock:
    """The crawl's clock; a test's only where all that is asked is on this machine. Raises BadClock."""
    site = Site(arguments.site)
    pages = (
        [addresses_elsewhere.clean(url) or url for url in arguments.urls or ()] if spider == "pages" else []
    )
    real = next((url for url in pages if not addresses_elsewhere.is_loopback(url)), site.home)
    return for_site(stated, real, is_loopback=site.is_loopback and real == site.home)


def process_loop_call(function: Any) -> None:
    """Run something in the event loop's thread, from a signal handler."""
    from twisted.internet import reactor  # installed by Scrapy by now, not at import

    reactor.callFromThread(function)
