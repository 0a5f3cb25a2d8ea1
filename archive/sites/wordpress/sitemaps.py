"""Sitemaps -> the addresses of further sitemaps, or Sightings. Pure. They show what no listing does any more.

WordPress's own (``wp-sitemap.xml``) and those of SEO plugins, with or without a prefix for each name. Read by
pattern, in linear time, not by an XML parser: a sitemap is a list of addresses, and no entity is expanded.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

from archive.clock import read_time
from archive.model import Address, Edition, Kind, Listing, Sighting
from archive.sites.wordpress.site import WordPressSite as Site

INDEX = "wp-sitemap.xml"  # WordPress's own
# Of Yoast, Rank Math, All in One SEO, SEOPress and others, tried in this order where robots.txt names none
INDEXES = (INDEX, "sitemap_index.xml", "sitemap.xml", "sitemaps.xml")
MAX_INDEX = 1000  # sitemaps that one index may name
MAX_DEPTH = 3  # an index of an index of an index
_TAG = re.compile(
    r"<(/?)(?:[A-Za-z][\w.-]{0,40}:)?(urlset|sitemapindex|url|sitemap|loc|lastmod)\b[^>]{0,500}>"
)
_CDATA = re.compile(r"^\s*<!\[CDATA\[(.*?)\]\]>\s*$", re.DOTALL)
MAX_VALUE = 4000  # characters of an address or a time
# Of posts, in the names of the plugins; not of pages, terms, authors, images or news
_POSTS = re.compile(
    r"(?:^|/)(?:wp-sitemap-posts-post-\d+|(?:posts?|post-type-post|post_type-post)[-_]sitemap\d*(?:-\d+)?"
    r"|sitemap-(?:pt-post|posttype-post|posts?)(?:[-.]p?\d+)*(?:-\d{4}-\d{2})?|sitemap-posts?\d*)\.xml(?:\.gz)?$"
)
_OTHERS = re.compile(
    r"(?:page|category|tag|author|user|image|video|news|attachment|product|taxonom|archive|misc|local|format)s?[-_.\d]",
    re.IGNORECASE,
)


def is_sitemap(text: str) -> bool:
    """Whether a text is a sitemap at all, whatever stands before it or is its prefix."""
    found = _TAG.search(text[:20_000])
    return _is_list(text) or (found is not None and found[2] in ("urlset", "sitemapindex"))


def _is_list(text: str) -> bool:
    """Whether a text is an address a line, as sitemaps.org allows it, and nothing else in its first lines."""
    lines = text[:20_000].splitlines()[:10]
    return bool(lines) and all(re.fullmatch(r"\ufeff?https?://[^\s<>]+\s*", line) for line in lines)


def parse_index(text: str, address: Address, site: Site) -> tuple[str, ...]:
    """The sitemaps that an index names and that may hold posts, of this site and edition, in its order.

    Those named as of posts; where it names none so, all that are not named as of something else.
    """
    found = []
    for loc, _ in _read_entries(text, "sitemap"):
        there = site.parse(html.unescape(loc), address.url)
        if there and there.kind is Kind.SITEMAP and there.edition == address.edition:
            found.append(there.url)
    names = [url for url in dict.fromkeys(found) if url != address.url][:MAX_INDEX]
    posts = [url for url in names if _POSTS.search(url)]
    indexes = [url for url in names if re.search(r"index[^/]*$", url)]
    return tuple(posts + indexes or [url for url in names if not _OTHERS.search(url.rpartition("/")[2])])


def parse_sitemap(text: str, address: Address, site: Site) -> Listing:
    """The posts a sitemap names. `Listing.scope` is ``sitemap``; its order says nothing."""
    sightings: dict[tuple[Edition | None, object], Sighting] = {}
    for loc, lastmod in _read_entries(text, "url"):
        found = site.parse(html.unescape(loc), address.url)
        is_post = found and found.kind in (Kind.ARTICLE, Kind.SLUG) and found.page == 1
        if found and is_post and found.edition == address.edition:
            modified = read_time(lastmod)
            sighting = Sighting(found.url, found.edition, found.post_id, "sitemap", modified_at=modified)
            sightings.setdefault((found.edition, found.post_id or found.url), sighting)
    return Listing("sitemap", 1, tuple(sightings.values()), False, address.edition)


def _read_entries(text: str, kind: str) -> Iterator[tuple[str, str]]:
    """Address and time of each entry that is closed; an address or a time that is not stated is empty."""
    if _is_list(text):
        yield from ((line.strip("\ufeff \t"), "") for line in text.splitlines() if kind == "url")
        return
    entry: dict[str, str] | None = None
    name, start = "", 0
    for tag in _TAG.finditer(text):
        is_end, found = bool(tag[1]), tag[2]
        if found == kind:
            if is_end and entry and entry.get("loc"):
                yield entry["loc"], entry.get("lastmod", "")
            entry = None if is_end else {}
        elif entry is not None and is_end and found == name and tag.start() - start <= MAX_VALUE:
            value = text[start : tag.start()]
            cdata = _CDATA.match(value)
            entry.setdefault(name, (cdata[1] if cdata else value).strip())
        name, start = ("", 0) if is_end else (found, tag.end())
