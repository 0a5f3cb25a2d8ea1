"""Addresses of pages of other sites: reposts and press articles that somebody cited. Pure; the crawler reads
them too."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit, urlunsplit

from archive.model import ArticleKey

# Of captures of such pages: what is kept of another site without it (a redirect's end, robots.txt) is no
# article
CHANNEL = "page"
# The visitor's way here, on whatever site
_TRACKING = re.compile(r"^(?:fbclid|gclid|igshid|mc_[a-z]+|_ga|utm_\w+)(?:=|$)", re.IGNORECASE)
_LOOPBACK = re.compile(r"^(?:localhost|127\.[0-9.]+|\[?::1\]?)(?::|$)")
_PORTS = {"http": ":80", "https": ":443"}


def clean(url: str, base: str | None = None) -> str | None:
    """The one spelling of a page's address that is asked for: absolute, host in small letters, without
    fragment and tracking.

    None for what is no http address. Path and query stay as written: which of their parts matter is the other
    site's business.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        if parts.scheme not in _PORTS or not parts.hostname:
            return None
        _ = parts.port  # raises ValueError where it is no number
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS[parts.scheme])
    query = "&".join(part for part in parts.query.split("&") if part and not _TRACKING.match(part))
    return urlunsplit((parts.scheme, host, parts.path or "/", query, ""))


def host_of(url: str) -> str:
    """Host of a clean address, without ``www.``: the source of its article. A port that is not the scheme's
    own stays."""
    return urlsplit(url).netloc.removeprefix("www.")


def is_loopback(url: str) -> bool:
    """Whether a clean address is of this machine: invented pages, which never stand beside real ones."""
    return bool(_LOOPBACK.match(urlsplit(url).netloc))


def is_front(url: str) -> bool:
    """Whether a clean address is a site's front page, which is no article."""
    parts = urlsplit(url)
    return parts.path.strip("/") in ("", "index.php", "index.html", "en", "ar") and not parts.query


def identity(url: str, canonical: str | None) -> ArticleKey:
    """Which article a page at a clean address is: its canonical address, where that is of the same host and
    not merely its front page."""
    stated = clean(canonical, url) if canonical else None
    if stated is None or host_of(stated) != host_of(url) or (is_front(stated) and not is_front(url)):
        stated = url
    return ArticleKey(host_of(stated), stated)
