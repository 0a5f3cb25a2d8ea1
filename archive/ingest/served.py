"""Where the site is served now, and how it spells its paths, as its redirects have shown."""

from __future__ import annotations

import json
from dataclasses import replace
from urllib.parse import urljoin

from archive.ingest.redirects import asked_on_the_way
from archive.ingest.seen import Seen
from archive.outcome import Served
from archive.sites.moves import find_served
from archive.sites.sohr.addresses import Site
from archive.store.rows import Store

SPELLED_BY = 3  # posts that show how all paths end; one or two are exceptions
LAST = 50  # answers of a crawl that are compared


def learnt_homes(store: Store) -> list[str]:
    """The further homes of the site that redirects or a person named, the last one last."""
    homes: list[str] = json.loads(store.about("other_homes") or "[]")
    return homes


def learnt_served(store: Store) -> Served | None:
    """Where the site is served now, if that is elsewhere."""
    homes = learnt_homes(store)
    return Served(homes[-1], store.about("paths_end_with_slash") != "0") if homes else None


def find_new_home(store: Store, site: Site, seen: Seen) -> Served | None:
    """Where a permanent redirect to the same page says that the site is served; None if it does not."""
    capture, location = seen.capture, seen.capture.header("location")
    homes = (site.home, *site.other_homes)
    served = find_served(capture.status, capture.url, location, homes) if location else None
    address = site.parse(capture.url)
    if served is None or address is None:
        return None
    if served.respell(address.url, site.home) in asked_on_the_way(capture):
        return None  # the page in another spelling, which leads back
    is_same_home = capture.url.startswith(served.home)
    if not is_same_home and _answers_here(store, seen):
        return None  # a post that is elsewhere, not the site
    known = learnt_served(store) or Served(site.home)
    if served.has_slash == known.has_slash or _is_spelling_of_all(store, seen, served, homes):
        return served
    return None if is_same_home else replace(served, has_slash=known.has_slash)


def _answers_here(store: Store, seen: Seen) -> bool:
    """Whether this crawl got a page from the host that it asked: then the site has not moved from there."""
    host = urljoin(seen.capture.url, "/")
    sql = """select 1 from captures where crawl_id = ? and status = 200 and channel in ('home', 'article')
             and substr(url, 1, ?) = ? limit 1"""
    return store.one(sql, store.crawls.find_id(seen.capture.crawl), len(host), host) is not None


def _is_spelling_of_all(store: Store, seen: Seen, served: Served, homes: tuple[str, ...]) -> bool:
    """Whether this crawl shows that all paths end as one redirect spells them: several posts lead there, and
    none answered as it was asked for."""
    crawl_id = store.crawls.find_id(seen.capture.crawl)
    sql = """select url, status, location from captures where crawl_id = ? and channel = 'article'
             and status in (200, 301, 308) order by capture_id desc limit ?"""
    leading = set()
    for url, status, location in store.query(sql, crawl_id, LAST):
        if status == 200 and "?" not in url and url.endswith("/") != served.has_slash:
            return False
        found = find_served(status, url, location or "", homes)
        if found is not None and found.has_slash == served.has_slash:
            leading.add(url)
    return len(leading) >= SPELLED_BY
