"""A crawl in full (WARC, extraction, versions, durable) beside bare Scrapy, the tutorial's way, news-please
and trafilatura's own crawler."""

from __future__ import annotations

import itertools
import shutil
import sqlite3
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.bench.measure import ROOT, Bench, Failed, Spent, alternate, over, ratio, run
from tests.bench.others import python_of
from tests.bench.site import Served, served

ARMS = Path(__file__).with_name("arms")
CONCURRENT = 16
# The first needs seconds for a dozen pages: rates are compared
SLOW_PAGES = {"news-please": 60, "trafilatura": 300}


def ours(site: Served, folder: Path) -> Callable[[], Spent]:
    """`scrapy crawl sohr` into a new archive. Raises Failed where an article is not held."""
    numbers = itertools.count()
    settings = {
        "DOWNLOAD_DELAY": 0,
        "CONCURRENT_REQUESTS": CONCURRENT,
        "CONCURRENT_REQUESTS_PER_DOMAIN": CONCURRENT,
        "ROBOTSTXT_OBEY": False,
    }

    def crawl() -> Spent:
        archive = folder / f"ours-{next(numbers)}"
        given = [
            part
            for name, value in ({"ARCHIVE_DIR": archive} | settings).items()
            for part in ("-s", f"{name}={value}")
        ]
        line = [
            Path(sys.executable).parent / "scrapy",
            "crawl",
            "sohr",
            "-a",
            f"site={site.url}",
            "-a",
            "edition=en",
            *given,
        ]
        spent = run(line, cwd=ROOT, units=site.pages, watch=True)
        with closing(sqlite3.connect(archive / "archive.db")) as db:
            held = db.execute("select count(*) from articles where state is not null").fetchone()[0]
        if held != site.articles:
            raise Failed(f"the archive holds {held} of {site.articles} articles")
        shutil.rmtree(archive)
        return spent

    return crawl


def theirs(name: str, site: Served, folder: Path) -> Callable[[], Spent]:
    """Bare Scrapy, or the tutorial's way."""

    def crawl() -> Spent:
        database = folder / "tutorial.db"
        database.unlink(missing_ok=True)
        line = [sys.executable, ARMS / "scrapy_spiders.py", name, f"{site.url}en/", database, site.pages]
        return run(line, cwd=folder, units=site.pages, watch=True)

    return crawl


def other(name: str, site: Served, folder: Path) -> Callable[[], Spent]:
    """A crawler in an environment of its own; fewer pages, for it is slow."""
    python = python_of(name)
    program = ARMS / f"{name.replace('-', '_')}_crawl.py"

    def crawl() -> Spent:
        beside = folder / name
        shutil.rmtree(beside, ignore_errors=True)
        beside.mkdir()
        spent = run(
            [python, program, f"{site.url}en/", beside, SLOW_PAGES[name], CONCURRENT], cwd=beside, watch=True
        )
        pages = int((beside / "pages").read_text())
        return Spent(spent.wall, spent.cpu, spent.busiest, spent.rss, pages)

    return crawl


def bench(turns: int, quick: bool) -> Bench:
    """All arms in turn; the slow ones without the quick bench."""
    facts: dict[str, object] = {}
    with served(300 if quick else 2000) as site, tempfile.TemporaryDirectory() as beside:
        folder = Path(beside)
        arms = {"ours": ours(site, folder), "bare Scrapy": theirs("bare", site, folder)}
        if not quick:
            arms["tutorial"] = theirs("tutorial", site, folder)
            for name in ("news-please", "trafilatura"):
                try:
                    arms[name] = other(name, site, folder)
                except Failed as error:
                    facts[name] = f"missing: {str(error).strip().splitlines()[-1][:150]}"
        spent = alternate(arms, turns)
        facts |= {"pages": site.pages, "server": site.server}
    targets = {"bare Scrapy": 0.8, "tutorial": 5.0, "news-please": 20.0, "trafilatura": None}
    ratios = []
    for name in list(arms)[1:]:
        ratios.append(
            ratio(
                f"ours / {name}, pages a second", over(spent, "ours", name, lambda s: s.rate), targets[name]
            )
        )
        ratios.append(
            ratio(
                f"ours / {name}, pages a second of CPU", over(spent, "ours", name, lambda s: s.units / s.cpu)
            )
        )
    ratios.append(
        ratio(
            "ours / bare Scrapy, pages a second of the busiest process",
            over(spent, "ours", "bare Scrapy", lambda s: s.units / s.busiest),
        )
    )
    for name, turns_of in spent.items():
        rates = sorted(s.rate for s in turns_of)
        facts[f"{name}, pages a second here"] = round(rates[len(rates) // 2], 1)
        facts[f"{name}, memory MB"] = round(max(s.rss for s in turns_of) / 2**20)
    return Bench("crawl", turns, ratios, facts)
