"""Addresses of pages of other sites: reposts and press articles."""

from __future__ import annotations

import re
from urllib.parse import quote, unquote_to_bytes, urljoin, urlsplit, urlunsplit

from archive.model import ArticleKey

# The channel of captures of such articles; other captures of other sites (robots.txt) have none
CHANNEL = "page"
# Parameters that track the visitor
_TRACKING = re.compile(r"^(?:fbclid|gclid|igshid|mc_[a-z]+|_ga|utm_\w+)(?:=|$)", re.IGNORECASE)
_LOOPBACK = re.compile(r"^(?:localhost|127\.[0-9.]+|\[?::1\]?)(?::|$)")
_PORTS = {"http": ":80", "https": ":443"}


def clean(url: str, base: str | None = None) -> str | None:
    """One spelling of a page's address: absolute, host in lower case, without fragment and tracking; None if
    it is no http address. Path and query stay as written.
    """
    try:
        parts = urlsplit(urljoin(base, url.strip()) if base else url.strip())
        if parts.scheme not in _PORTS or not parts.hostname:
            return None
        _ = parts.port  # raises ValueError if it is no number
    except ValueError:
        return None
    host = parts.netloc.rpartition("@")[2].lower().removesuffix(_PORTS[parts.scheme])
    query = "&".join(part for part in parts.query.split("&") if part and not _TRACKING.match(part))
    return urlunsplit((parts.scheme, host, parts.path or "/", query, ""))


def host_of(url: str) -> str:
    """Host of a clean address without ``www.``, with a port that is not the scheme's: the article's
    source."""
    return urlsplit(url).netloc.removeprefix("www.")


def is_loopback(url: str) -> bool:
    """True for an address on this machine: its pages are invented."""
    return bool(_LOOPBACK.match(urlsplit(url).netloc))


def is_front(url: str) -> bool:
    """True for a site's front page, which is no article."""
    parts = urlsplit(url)
    return parts.path.strip("/") in ("", "index.php", "index.html", "en", "ar") and not parts.query


def identity(url: str, canonical: str | None) -> ArticleKey:
    """The article of a page at a clean address: its canonical address if that is of the same host and no
    front page."""
    stated = clean(canonical, url) if canonical else None
    if stated is None or host_of(stated) != host_of(url) or (is_front(stated) and not is_front(url)):
        stated = url
    parts = urlsplit(stated)
    return ArticleKey(host_of(stated), parts._replace(path=_plain_path(parts.path)).geturl())


def _plain_path(path: str) -> str:
    """One spelling of a path: without dot segments, percent-encoding in capitals and only where it is
    needed."""
    path = urlsplit(urljoin("http://host/", path)).path if "/." in path else path
    return "/".join(quote(unquote_to_bytes(segment), safe="!$&'()*+,;=:@-._~") for segment in path.split("/"))
