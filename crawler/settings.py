"""What differs from Scrapy 2.19's defaults, each with its reason: a guest that keeps evidence."""

from __future__ import annotations

import os
from importlib.metadata import PackageNotFoundError, version

from scrapy.settings import default_settings

from archive.log import open_closed_streams
from archive.sites.robots import NAME
from archive.thresholds import CLOCK_SECONDS

open_closed_streams()  # Scrapy reads the settings before it opens anything

try:
    RELEASE = version("sohr-archive")
except PackageNotFoundError:
    RELEASE = "0"


def user_agent(contact: str) -> str:
    """How the crawl names itself: the project, and whom the site can ask."""
    return f"sohr-archive/{RELEASE} (research archive{'; ' + contact if contact else ''})"


BOT_NAME = "sohr-archive"  # as in the User-Agent
SPIDER_MODULES = ["crawler.spiders"]  # where `scrapy crawl` finds sohr and pages
NEWSPIDER_MODULE = "crawler.spiders"  # Scrapy asks for it
COMMANDS_MODULE = "crawler.commands"  # our `scrapy crawl`, whose exit status says what happened

# -- the archive
ARCHIVE_DIR = os.environ.get("ARCHIVE_DIR") or "data"  # default: beside the source, ignored by Git
ARCHIVE_CONTACT = os.environ.get("ARCHIVE_CONTACT", "")  # a mail or web address: the site can ask who we are
ARCHIVE_TIMESTAMPS = os.environ.get("ARCHIVE_TIMESTAMPS", "")  # authorities to ask: they learn when we crawl
ARCHIVE_CLOCK = os.environ.get("ARCHIVE_CLOCK", "")  # tests on this machine: another time (archive.clock)
ARCHIVE_READ_SECONDS = 30  # for a page of more than a megabyte or 10,000 tags; others take milliseconds

# -- manners
USER_AGENT = user_agent(ARCHIVE_CONTACT)  # default Scrapy's own: the site can see who asks
ROBOTSTXT_OBEY = True  # we are guests
ROBOTSTXT_USER_AGENT = NAME  # without the release: the group in robots.txt that is ours
DOWNLOAD_DELAY = 2  # seconds; WordPress answers an article in 32 ms of CPU: one visitor it does not notice
DOWNLOAD_DELAY_JITTER = 0.3  # default 0.5; the average stays, the minimum is higher
CONCURRENT_REQUESTS = 2  # default 16; one for the site, one for robots.txt; bounds how long a stop takes
CONCURRENT_REQUESTS_PER_DOMAIN = 1  # default 8; one request at a time
CONCURRENT_ITEMS = 1  # default 100, which starts a hundred tasks an answer: a third of the crawl's CPU
AUTOTHROTTLE_ENABLED = True  # slower where the site is slow; `crawl` switches it off without a delay
AUTOTHROTTLE_START_DELAY = 2  # default 5; as DOWNLOAD_DELAY
AUTOTHROTTLE_MAX_DELAY = 60  # as Scrapy's: a site that takes a minute is down
SCHEDULER_MEMORY_QUEUE = "scrapy.squeues.FifoMemoryQueue"  # default last in, first out; newest posts first
COOKIES_ENABLED = False  # every look is a first visit: no page depends on what we saw before
ARCHIVE_DAILY_REQUESTS = os.environ.get("ARCHIVE_DAILY_REQUESTS", "")  # empty: 8000, on loopback no limit

# -- evidence
DOWNLOAD_VERIFY_CERTIFICATES = True  # default False; else a page is no evidence of whose it is
DOWNLOAD_FAIL_ON_DATALOSS = False  # default True; a body that was cut is kept, marked, and asked for again
DOWNLOAD_MAXSIZE = 32 * 2**20  # default 1 GB; the largest answers, a hundred posts by REST, have 300 KB
DOWNLOAD_WARNSIZE = 8 * 2**20  # default 32 MB; as above
DOWNLOAD_TIMEOUT = 60  # default 180; a server in trouble answers within a minute or not at all
DEFAULT_REQUEST_HEADERS = {  # as browsers send them, so that caches keep no copy for us alone
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Accept-Language": "en,ar;q=0.9",
    "Accept-Encoding": "gzip",  # replay tools read no brotli and no zstd
}
HTTPERROR_ALLOW_ALL = True  # default False; a 404 is an answer
METAREFRESH_ENABLED = False  # default True; a page that refreshes elsewhere is that page
COMPRESSION_ENABLED = False  # default True; bodies are kept as received, the archive process unpacks them
ARCHIVE_CLOCK_SECONDS = CLOCK_SECONDS.value  # the site's Date further from our clock ends the crawl; 0: never
_UNUSED = (  # of Scrapy's components; it loads a module also where EXTENSIONS gives None: 0.3 s of each crawl
    "scrapy.downloadermiddlewares.cookies.CookiesMiddleware",  # COOKIES_ENABLED
    "scrapy.downloadermiddlewares.httpcache.HttpCacheMiddleware",  # the archive is the memory
    "scrapy.downloadermiddlewares.httpcompression.HttpCompressionMiddleware",  # COMPRESSION_ENABLED
    "scrapy.downloadermiddlewares.redirect.MetaRefreshMiddleware",  # METAREFRESH_ENABLED
    "scrapy.downloadermiddlewares.retry.RetryMiddleware",  # does not wait and ignores Retry-After
    "scrapy.downloadermiddlewares.robotstxt.RobotsTxtMiddleware",  # reads an unreachable one as consent
    "scrapy.extensions.logstats.LogStats",  # crawler.extensions.progress says more
    "scrapy.extensions.remote_control.RemoteControl",  # REMOTE_CONTROL_ENABLED
    "scrapy.extensions.telnet.TelnetConsole",  # TELNETCONSOLE_ENABLED
)


def _used(components: dict[str, int]) -> dict[str, int]:
    return {name: order for name, order in components.items() if name not in _UNUSED}


DOWNLOADER_MIDDLEWARES_BASE = _used(default_settings.DOWNLOADER_MIDDLEWARES_BASE)  # as said above
EXTENSIONS_BASE = _used(default_settings.EXTENSIONS_BASE)  # the same
DOWNLOADER_MIDDLEWARES = {  # from the engine to the wire
    "crawler.middlewares.robots.RobotsMiddleware": 100,
    "crawler.middlewares.backoff.BackoffMiddleware": 550,
    "crawler.middlewares.pace.PaceMiddleware": 900,  # of public archives; below the retries, which wait too
    "crawler.middlewares.capture.CaptureMiddleware": 1000,  # nearest the wire: everything passes here
}
EXTENSIONS = {  # the guard first: the others read its counts
    "crawler.extensions.guard.Guard": 10,
    "crawler.extensions.progress.Progress": 20,
}

# -- retries
RETRY_TIMES = 3  # default 2; a restart of PHP or nginx takes seconds
RETRY_HTTP_CODES = [408, 429, 500, 502, 503, 504, 522, 524]  # what passes; Cloudflare's 522, 524 too
BACKOFF_SECONDS = 2.0  # the first wait; each further one is about twice as long
BACKOFF_MAX_SECONDS = 300.0  # a longer Retry-After ends the crawl; the next one comes later anyway
ARCHIVE_RETRY_AFTER_MAX_SECONDS = 86_400  # a Retry-After of years is a mistake: after a day one request asks
ARCHIVE_CRAWL_DELAY_MAX_SECONDS = 3600  # the same: a request an hour shows whether it still holds

# -- safety
DOWNLOAD_HANDLERS = {  # only what the site may answer to
    "http": "crawler.download.StoppableHandler",  # a slow server does not hold up a stop
    "https": "crawler.download.StoppableHandler",
    **dict.fromkeys(("file", "data", "ftp", "s3")),
}
TWISTED_DNS_RESOLVER = "crawler.private_addresses.PublicResolver"  # default: no hosts that have IPv6 only
ARCHIVE_PRIVATE_HOSTS = os.environ.get("ARCHIVE_PRIVATE_HOSTS", "")  # hosts of your own network, with commas
REMOTE_CONTROL_ENABLED = False  # default True; a port that runs code has no place beside an archive
TELNETCONSOLE_ENABLED = False  # the same
MEMUSAGE_LIMIT_MB = 1024  # default no limit; a crawl needs 150: more is a leak, and the next run goes on

# -- public archives (docs/backfill.md): the services, or mirrors; each with a slash at its end
WAYBACK_URL = "https://web.archive.org/"  # the service; a mirror or a test names another
COMMONCRAWL_INDEX_URL = "https://index.commoncrawl.org/"  # the same
COMMONCRAWL_DATA_URL = "https://data.commoncrawl.org/"  # the same
WAYBACK_INDEX_SECONDS = 2.6  # between requests: the service blocks at 30 a minute; 24 leave room
WAYBACK_CAPTURE_SECONDS = 0.13  # 480 a minute at most; it blocks at 600
COMMONCRAWL_INDEX_SECONDS = 1.0  # as its own client waits
COMMONCRAWL_CAPTURE_SECONDS = 0.55  # the same
WAYBACK_ROWS = 10_000  # of its index an answer: 1.5 MB; the service gives 150,000 at most

# -- for people
LOG_LEVEL = "INFO"  # default DEBUG, a line for each request; `crawl` writes the lines itself (archive.log)
ARCHIVE_LOG = os.environ.get("ARCHIVE_LOG", "")  # a file that is rotated; empty: standard error alone
FEED_EXPORT_ENCODING = "utf-8"  # default escapes in JSON: Arabic would be unreadable
