"""Scrapy as people use it: `bare` downloads and follows links, `tutorial` extracts in the callback and
inserts a row an item."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from typing import Any

from scrapy import Request, Spider
from scrapy.crawler import CrawlerProcess
from scrapy.http import Response


class Bare(Spider):
    """Downloads the pages and follows the links of listings; keeps nothing."""

    name = "bare"

    def parse(self, response: Response) -> Iterator[Request]:
        """A listing: its posts, and the next page."""
        yield from response.follow_all(css="article h2 a, article h3 a, .p-url", callback=self.article)
        yield from response.follow_all(
            css="a.next, .nav-links a.next, .pagination a.next, a[rel=next]", callback=self.parse
        )

    def article(self, response: Response) -> Iterator[dict[str, Any]]:
        """A post: nothing is done with it."""
        yield from ()


class Tutorial(Bare):
    """trafilatura in the callback, SQLite in the pipeline."""

    name = "tutorial"

    def article(self, response: Response) -> Iterator[dict[str, Any]]:
        """A post, read."""
        import trafilatura

        found = trafilatura.bare_extraction(response.text, url=response.url, with_metadata=True)
        if found:
            yield {
                "url": response.url,
                "title": found.title,
                "date": found.date,
                "author": found.author,
                "text": found.text,
            }


class Rows:
    """One insert and one commit an item, as tutorials have it."""

    def open_spider(self) -> None:
        """Make the table."""
        self.db = sqlite3.connect(sys.argv[3])
        self.db.execute(
            "create table if not exists articles "
            "(url text primary key, title text, date text, author text, text text)"
        )

    def process_item(self, item: dict[str, Any]) -> dict[str, Any]:
        """Insert."""
        self.db.execute("insert or replace into articles values (:url, :title, :date, :author, :text)", item)
        self.db.commit()
        return item

    def close_spider(self) -> None:
        """End."""
        self.db.close()


def main() -> None:
    """``scrapy_spiders.py bare|tutorial URL [DATABASE]``: crawl, and fail where a page is missing."""
    spider = {"bare": Bare, "tutorial": Tutorial}[sys.argv[1]]
    settings: dict[str, Any] = {
        "CONCURRENT_REQUESTS": 16,
        "CONCURRENT_REQUESTS_PER_DOMAIN": 16,
        "ROBOTSTXT_OBEY": False,
        "LOG_LEVEL": "INFO",
        "COOKIES_ENABLED": False,
        "TELNETCONSOLE_ENABLED": False,
        "REMOTE_CONTROL_ENABLED": False,
        "DEFAULT_REQUEST_HEADERS": {"Accept": "text/html", "Accept-Encoding": "gzip"},
        "ITEM_PIPELINES": {Rows: 300} if spider is Tutorial else {},
    }
    process = CrawlerProcess(settings)
    crawler = process.create_crawler(spider)
    process.crawl(crawler, start_urls=[sys.argv[2]])
    process.start()
    stats = crawler.stats.get_stats()
    print("pages", stats.get("response_received_count"), "items", stats.get("item_scraped_count"))
    sys.exit(stats.get("response_received_count") != int(sys.argv[4]))


if __name__ == "__main__":
    main()
