"""What differs from Scrapy 2.19's defaults, each with its reason. Its defaults are made for gathering data;
ours is a guest that keeps evidence."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

from archive.thresholds import CLOCK_SECONDS

try:
    RELEASE = version("sohr-archive")
except PackageNotFoundError:
    RELEASE = "0"


def user_agent(contact: str) -> str:
    """How the crawl names itself: the project, and whom the site can ask."""
    return f"sohr-archive/{RELEASE} (research archive{'; ' + contact if contact else ''})"


BOT_NAME = "sohr-archive"
SPIDER_MODULES = ["crawler.spiders"]
NEWSPIDER_MODULE = "crawler.spiders"
# `scrapy crawl` whose exit status says what happened; Scrapy's own says 0
COMMANDS_MODULE = "crawler.commands"

# -- the archive
ARCHIVE_DIR = os.environ.get("ARCHIVE_DIR") or "data"
# A mail or web address, so that the site can reach whoever runs this
ARCHIVE_CONTACT = os.environ.get("ARCHIVE_CONTACT", "")

# Tests against a site on this machine only: another clock (archive.clock)
ARCHIVE_CLOCK = os.environ.get("ARCHIVE_CLOCK", "")

# -- manners
USER_AGENT = user_agent(ARCHIVE_CONTACT)
ROBOTSTXT_OBEY = True
ROBOTSTXT_USER_AGENT = "sohr-archive"
# Seconds; WordPress answers an article in 32 ms of its CPU: one visitor it does not notice
DOWNLOAD_DELAY = 2
DOWNLOAD_DELAY_JITTER = 0.3
CONCURRENT_REQUESTS = 2  # also bounds how long a clean stop takes
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # one request at a time
# Default 100, which starts a hundred tasks for each response: a third of the crawl's CPU; ours gives an item
# at most
CONCURRENT_ITEMS = 1
# Slower still where the site is slow; switched off where DOWNLOAD_DELAY is 0 (crawler.commands.crawl)
AUTOTHROTTLE_ENABLED = True
AUTOTHROTTLE_START_DELAY = 2
AUTOTHROTTLE_MAX_DELAY = 60
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"  # newest posts first, in the order of the listings
COOKIES_ENABLED = False  # every look is a first visit: nothing on a page depends on what we saw before

# Reading a page of more than a megabyte or 10,000 tags is stopped after this; others take milliseconds
ARCHIVE_READ_SECONDS = 30
# In 24 hours, looks and all; empty: 8000, and no limit on loopback
ARCHIVE_DAILY_REQUESTS = os.environ.get("ARCHIVE_DAILY_REQUESTS", "")

# -- evidence
DOWNLOAD_VERIFY_CERTIFICATES = True  # else a page is no evidence of whose it is
DOWNLOAD_FAIL_ON_DATALOSS = False  # a body that was cut is kept, marked, and asked for again
DOWNLOAD_MAXSIZE = 32 * 2**20
DOWNLOAD_WARNSIZE = 8 * 2**20
DOWNLOAD_TIMEOUT = 60
DEFAULT_REQUEST_HEADERS = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en,ar;q=0.9",
    "Accept-Encoding": "gzip",  # replay tools read no brotli and no zstd
}
HTTPERROR_ALLOW_ALL = True  # a 404 is an answer
METAREFRESH_ENABLED = False  # a page that refreshes elsewhere is that page
COMPRESSION_ENABLED = (
    # Bodies go to the archive as they came, which unpacks and reads them; nothing here does
    # (crawler.middlewares.robots for itself)
    False
)
DOWNLOADER_MIDDLEWARES = {
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware": None,
    "crawler.middlewares.robots.RobotsMiddleware": 100,
    # Retries at once and does not know Retry-After
    "scrapy.downloadermiddlewares.retry.RetryMiddleware": None,
    "crawler.middlewares.backoff.BackoffMiddleware": 550,
    # Nearest the wire: everything received passes here, robots.txt too
    "crawler.middlewares.capture.CaptureMiddleware": 1000,
}
EXTENSIONS = {
    "crawler.extensions.guard.Guard": 10,
    "crawler.extensions.progress.Progress": 20,
    "scrapy.extensions.logstats.LogStats": None,  # crawler.extensions.progress says more
    # Off below; even so its web server is loaded, a tenth of a second
    "scrapy.extensions.remote_control.RemoteControl": None,
    "scrapy.extensions.telnet.TelnetConsole": None,  # the same
}
RETRY_TIMES = 3
RETRY_HTTP_CODES = [408, 429, 500, 502, 503, 504, 522, 524]
BACKOFF_SECONDS = 2.0  # the first wait; each further one about twice as long
# A Retry-After of years is a mistake of the site: after a day one request asks again
ARCHIVE_RETRY_AFTER_MAX_SECONDS = 86_400
# The same for Crawl-delay: one request an hour finds out whether it still stands
ARCHIVE_CRAWL_DELAY_MAX_SECONDS = 3600
# The site's Date and this machine's clock further apart end the crawl; 0 does not compare them
ARCHIVE_CLOCK_SECONDS = CLOCK_SECONDS.value
BACKOFF_MAX_SECONDS = 300.0  # a longer Retry-After ends the crawl; the next one comes later anyway

# -- safety
DOWNLOAD_HANDLERS = {
    "http": "crawler.download.StoppableHandler",  # a slow server does not hold up a stop
    "https": "crawler.download.StoppableHandler",
    **dict.fromkeys(("file", "data", "ftp", "s3")),  # only what the site may answer to
}
DNS_RESOLVER = "scrapy.resolver.CachingHostnameResolver"  # the default finds no hosts that have IPv6 only
REMOTE_CONTROL_ENABLED = False  # a port that runs code has no place beside an archive
TELNETCONSOLE_ENABLED = False
MEMUSAGE_LIMIT_MB = 1024

# -- for people
LOG_LEVEL = "INFO"
LOG_FORMAT = "%(asctime)s %(levelname)s %(message)s"
LOG_DATEFORMAT = "%Y-%m-%d %H:%M:%S"
LOG_VERSIONS: list[str] = []
FEED_EXPORT_ENCODING = "utf-8"
