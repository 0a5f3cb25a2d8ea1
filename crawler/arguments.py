"""The arguments and settings of a crawl, checked before anything else happens."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

from scrapy.settings import BaseSettings

from archive.model import EDITIONS, Edition
from archive.sites.addresses_elsewhere import is_loopback
from archive.sites.hosts import is_web_address
from archive.sites.sohr.addresses import HOME, Site
from archive.warc.timestamps import MOST_AUTHORITIES

MOST_IDS = 600_000  # of a sweep
SECONDS = (
    "ARCHIVE_CLOCK_SECONDS",
    "ARCHIVE_CRAWL_DELAY_MAX_SECONDS",
    "ARCHIVE_READ_SECONDS",
    "ARCHIVE_RETRY_AFTER_MAX_SECONDS",
    "BACKOFF_SECONDS",
    "BACKOFF_MAX_SECONDS",
    "COMMONCRAWL_INDEX_SECONDS",
    "COMMONCRAWL_CAPTURE_SECONDS",
    "WAYBACK_INDEX_SECONDS",
    "WAYBACK_CAPTURE_SECONDS",
    "DOWNLOAD_DELAY",
    "DOWNLOAD_TIMEOUT",
)
OURS = (
    "ARCHIVE_CLOCK",
    "ARCHIVE_CONTACT",
    "ARCHIVE_DAILY_REQUESTS",
    "ARCHIVE_DIR",
    "ARCHIVE_LOG",
    "ARCHIVE_PRIVATE_HOSTS",
    "ARCHIVE_TIMESTAMPS",
    *(name for name in SECONDS if name.startswith("ARCHIVE_")),
)
Look = Literal["due", "all", "none"]


class BadArgument(ValueError):
    """Raised when an argument makes no sense; the message says which one, and what to give."""


def check_settings(settings: BaseSettings, given: Sequence[str]) -> None:
    """Check the settings that a crawl would fail on later, or ignore. Raises BadArgument.

    ``given`` are the names on the command line: Scrapy ignores a misspelt one, such as ``ARCHIVE_DIRR``.
    """
    for name in given:
        if name.startswith("ARCHIVE_") and name not in OURS:
            raise BadArgument(f"there is no setting -s {name}=...: known are {', '.join(OURS)}")
    for name in SECONDS:
        try:
            seconds = settings.getfloat(name)
        except (TypeError, ValueError):
            seconds = math.nan
        if not (seconds >= 0 and math.isfinite(seconds)) or (name == "ARCHIVE_READ_SECONDS" and not seconds):
            raise BadArgument(f"{name}={settings[name]} is not a number of seconds: give one like 2 or 0.5")
    stated = str(settings["ARCHIVE_DAILY_REQUESTS"] or "")
    if stated and not re.fullmatch(r"\d{1,9}", stated):
        raise BadArgument(
            f"ARCHIVE_DAILY_REQUESTS={stated} is not a number of requests: give one, or 0 for no limit"
        )


def authorities(settings: BaseSettings, site: str) -> list[str]:
    """The timestamp authorities to ask after a crawl of a site: for one on this machine only such as are on
    it too. Raises BadArgument."""
    urls = str(settings["ARCHIVE_TIMESTAMPS"] or "").replace(",", " ").split()
    if len(urls) > MOST_AUTHORITIES or not all(map(is_web_address, urls)):
        raise BadArgument(
            f"ARCHIVE_TIMESTAMPS={settings['ARCHIVE_TIMESTAMPS']} is not one or two web addresses: "
            "give them as your timestamp authority names them, separated by a space"
        )
    return [url for url in urls if is_loopback(url) or not is_loopback(site)]


@dataclass(frozen=True, slots=True)
class Arguments:
    """What to crawl."""

    site: str = HOME
    editions: tuple[Edition, ...] = EDITIONS
    since: str | None = None  # the site's archive days, both included
    until: str | None = None
    pages: int | None = None  # listing pages an edition, at most
    urls: tuple[str, ...] | None = None
    look: Look = "due"
    budget: int | None = None  # requests in 24 hours, at most; 0: no limit; None: as the settings say
    sweep: tuple[int, int] | None = None  # ids to ask for one by one, both included
    moved_from: str | None = None  # the archive's address before the site moved to ``site``

    @classmethod
    def read(cls, given: dict[str, Any]) -> Arguments:
        """Read the ``-a name=value`` of the command line. Raises BadArgument."""
        known = {"edition" if f.name == "editions" else f.name for f in fields(cls)}
        for name in given:
            if name not in known:
                raise BadArgument(f"there is no argument -a {name}=...: known are {', '.join(sorted(known))}")
        since, until = _day("since", given.get("since")), _day("until", given.get("until"))
        if since and until and since > until:
            raise BadArgument(f"since={since} is after until={until}: swap them")
        return cls(
            _site(given.get("site", HOME)),
            _editions(given.get("edition", "all")),
            since,
            until,
            _pages(given.get("pages")),
            _urls(given.get("urls")),
            _look(given.get("look", "due")),
            _budget(given.get("budget")),
            _sweep(given.get("sweep"), given),
            _site(given["moved_from"]) if "moved_from" in given else None,
        )

    @classmethod
    def read_pages(cls, given: dict[str, Any]) -> Arguments:
        """Read those of ``scrapy crawl pages``. Raises BadArgument."""
        for name in given:
            if name not in ("site", "urls", "look"):
                raise BadArgument(f"there is no argument -a {name}=... of pages: known are look, site, urls")
        urls = _urls(given.get("urls"))
        if urls is None:
            raise BadArgument("urls=FILE is missing: name a text file with one address a line")
        look = _look(given.get("look", "none"))
        if look == "due":
            raise BadArgument("look=due makes no sense for pages, which are never due: give all or none")
        return cls(site=_site(given.get("site", HOME)), urls=urls, look=look)

    @classmethod
    def read_backfill(cls, given: dict[str, Any]) -> Arguments:
        """Read those of ``scrapy crawl wayback`` and ``commoncrawl``. Raises BadArgument."""
        known = ("budget", "edition", "only", "since", "site", "until")
        for name in given:
            if name not in known:
                raise BadArgument(f"there is no argument -a {name}=...: known are {', '.join(known)}")
        if given.get("only", "index") != "index":
            raise BadArgument(
                f"only={given['only']} is not known: give only=index, to list and fetch nothing"
            )
        return cls.read({name: value for name, value in given.items() if name != "only"})

    def as_record(self) -> dict[str, Any]:
        """As the archive keeps them: of a file of addresses their number."""
        record = asdict(self)
        record["urls"] = len(self.urls) if self.urls is not None else None
        return record


def _site(value: str) -> str:
    if "@" in value:  # the sentence must not show the password
        raise BadArgument(
            "site= contains a login (user:password@), which the archive would keep and show: leave it out"
        )
    try:
        return Site(value).home
    except ValueError:
        raise BadArgument(f"site={value} is not the address of a site: give one like {HOME}") from None


def _editions(value: str) -> tuple[Edition, ...]:
    if value == "all":
        return EDITIONS
    if value in EDITIONS:
        return (value,)
    raise BadArgument(f"edition={value} is not known: give en, ar or all")


def _day(name: str, value: str | None) -> str | None:
    if value is None:
        return None
    try:
        day = date.fromisoformat(value).isoformat()
    except ValueError:
        day = ""
    if day != value:  # fromisoformat reads 20240531 and weeks too; a day is written in one way here
        raise BadArgument(f"{name}={value} is not a day: write it like 2024-05-31")
    return day


def _pages(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"[1-9]\d{0,6}", str(value)):
        raise BadArgument(f"pages={value} is not a number of listing pages: give 1 or more")
    return int(value)


def _budget(value: str | None) -> int | None:
    if value is None:
        return None
    if not re.fullmatch(r"\d{1,9}", str(value)):
        raise BadArgument(f"budget={value} is not a number of requests a day: give one, or 0 for no limit")
    return int(value)


def _sweep(value: str | None, given: dict[str, Any]) -> tuple[int, int] | None:
    if value is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,9})-([1-9]\d{0,9})", str(value))
    if not found:
        raise BadArgument(f"sweep={value} is not a range of ids: write it like 330000-331000")
    first, last = int(found[1]), int(found[2])
    if first > last:
        raise BadArgument(f"sweep={value} ends before it begins: swap them")
    if last - first >= MOST_IDS:
        raise BadArgument(
            f"sweep={value} is {last - first + 1:,} ids: give at most {MOST_IDS:,} at once "
            "(at one request each that is a fortnight)"
        )
    if "edition" not in given:
        raise BadArgument(
            "sweep asks for the ids of one edition: say which with -a edition=en or edition=ar, "
            "or edition=all for both"
        )
    for name in ("since", "until", "pages", "urls"):
        if given.get(name) is not None:
            raise BadArgument(f"sweep and {name} are two ways to say what to ask for: give one of them")
    return first, last


def _look(value: str) -> Look:
    if value not in ("due", "all", "none"):
        raise BadArgument(f"look={value} is not known: give due, all or none")
    return value  # type: ignore[return-value]  # narrowed by the test


def _urls(value: str | None) -> tuple[str, ...] | None:
    if value is None:
        return None
    try:
        text = Path(value).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text in UTF-8"
        raise BadArgument(
            f"urls={value} cannot be read ({reason}): give a text file with one address a line"
        ) from None
    urls = tuple(
        dict.fromkeys(
            line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")
        )
    )
    if not any(url.startswith(("http://", "https://")) for url in urls):
        raise BadArgument(f"urls={value} names no address: write one a line, like {HOME}en/332481/")
    return urls
