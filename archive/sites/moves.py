"""Where a site is served now, as its permanent redirects say. Identity stays, the address changes. Pure."""

from __future__ import annotations

from urllib.parse import unquote, urljoin, urlsplit

from archive.outcome import Served
from archive.sites.hosts import registrable_domain

PERMANENT = (301, 308)


def find_served(status: int, asked: str, location: str, homes: tuple[str, ...]) -> Served | None:
    """How the site is served, as a permanent redirect to the same page says; None for any other redirect.

    ``homes`` are the addresses the site is known by. The target's path must end as the one asked for does.
    Never from https to http.
    """
    if status not in PERMANENT or "%" in location[:8]:
        return None
    target = urljoin(asked, location.strip()).partition("#")[0]
    old, new = urlsplit(asked), urlsplit(target)
    if (
        new.scheme not in ("http", "https")
        or not new.hostname
        or (old.scheme, new.scheme) == ("https", "http")
    ):
        return None
    if unquote(old.query) != unquote(new.query):
        return None
    base = max((urlsplit(home).path for home in homes if _is_below(asked, home)), key=len, default=None)
    if base is None or target == asked:
        return None
    rest, path = unquote(old.path[len(base) :]), unquote(new.path or "/")
    page = rest.rstrip("/")
    if not page:  # only of a page it is clear which part of the path is the home's
        return Served(f"{new.scheme}://{new.netloc}{new.path or '/'}") if path == base else None
    if not path.rstrip("/").endswith("/" + page):
        return None
    has_slash = path.endswith("/") or not rest.endswith("/")
    before = path.rstrip("/")[: -len(page)]
    return Served(f"{new.scheme}://{new.netloc}{before}", has_slash)


def is_same_owner(url: str, other: str) -> bool:
    """Whether two addresses are below one registrable domain."""
    hosts = (urlsplit(url).hostname or "", urlsplit(other).hostname or "")
    return registrable_domain(hosts[0]) == registrable_domain(hosts[1])


def _is_below(url: str, home: str) -> bool:
    parts, at = urlsplit(url), urlsplit(home)
    return parts.hostname == at.hostname and (parts.path or "/").startswith(at.path)
