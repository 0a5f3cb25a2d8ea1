"""The addresses to ask the public archives for, and which capture an address asks for."""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode, urlsplit

from archive.model import Capture
from archive.public_archives.rows import DATA

# Channels of exchanges with a service: for a page of its index, and for a capture
INDEX, CAPTURE = "index", "capture"
SERVICES = ("commoncrawl", "wayback")
CHANNELS = {f"{service}_{kind}": (service, kind) for service in SERVICES for kind in (INDEX, CAPTURE)}
_MEMENTO = re.compile(r"/web/([0-9]{14})(?:[a-z]{2}_)?/(https?:/.*)", re.DOTALL)


def wayback_query(
    service: str, scope: str, since: str | None, until: str | None, limit: int, key: str
) -> str:
    """The address of a page of Wayback's index. ``scope`` is an address below which to list, without a
    scheme; days are inclusive. Always with a limit: without one there is no key (and no more than 150,000
    rows)."""
    asked = {"url": f"{scope}*", "limit": str(limit), "showResumeKey": "true"}
    asked |= {name: day.replace("-", "") for name, day in (("from", since), ("to", until)) if day}
    asked |= {"resumeKey": key} if key else {}
    return f"{service}cdx/search/cdx?{urlencode(asked, safe='*/:')}"


def memento_url(service: str, identity: str) -> str:
    """The address of a memento as it was stored, without the Archive's own links and scripts."""
    digits, _, url = identity.partition("/")
    return f"{service}web/{digits}id_/{quote(url, safe=_AS_IT_IS)}"


_AS_IT_IS = "!#$%&'()*+,/:;=?@[]~"  # of an address of an index: written as a browser would send it


def commoncrawl_query(service: str, crawl: str, scope: str, page: int) -> str:
    """The address of a page of the index of one crawl (``CC-MAIN-2016-07``). Pages count from 0; without a
    number only the first is answered."""
    asked = {"url": f"{scope}*", "output": "json", "page": str(page)}
    return f"{service}{crawl}-index?{urlencode(asked, safe='*/:')}"


def record_url(service: str, identity: str) -> tuple[str, str]:
    """The address of the file of a record, and the header Range."""
    name, _, span = identity.partition("#")
    return f"{service}{name}", span


def asked_of(exchange: Capture) -> str:
    """What an exchange asked a service for: its address, and the range of bytes if it had one."""
    span = next((value for name, value in exchange.request_headers if name.lower() == "range"), "")
    return f"{exchange.url}#{span}" if span else exchange.url


def identity_of(service_url: str) -> str | None:
    """Which row of an index an address asks for, whatever the service's address; None for other addresses."""
    if DATA in service_url and "#bytes=" in service_url:
        return service_url[service_url.index(DATA) :]
    found = _MEMENTO.search(service_url)
    return f"{found[1]}/{found[2]}" if found else None


def scopes(homes: tuple[str, ...], editions: tuple[str, ...]) -> list[str]:
    """Where to list a site: host and path of its homes, of the English edition alone below ``en/``."""
    below = "en/" if editions == ("en",) else ""
    found = (urlsplit(home) for home in homes)
    return list(dict.fromkeys(f"{home.netloc.removeprefix('www.')}{home.path}{below}" for home in found))
