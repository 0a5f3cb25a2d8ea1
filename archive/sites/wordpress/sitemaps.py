"""Sitemaps -> the addresses of further sitemaps, or Sightings. Pure. They find what no listing shows any
more: 2,000 posts a request.

WordPress's own (``wp-sitemap.xml``, ``wp-sitemap-posts-post-N.xml``; ``lastmod`` from 6.5 on) and those of
SEO plugins (``post-sitemapN.xml``). Read by pattern, not by an XML parser: a sitemap is a list of addresses,
and no entity of a hostile one is ever expanded.
"""

from __future__ import annotations

import html
import re

from archive.clock import read_time
from archive.model import Address, Edition, Kind, Listing, Sighting
from archive.sites.wordpress.site import WordPressSite as Site

_ENTRY = re.compile(r"<(url|sitemap)\b[^>]*>(.*?)</\1\s*>", re.DOTALL)
_LOC = re.compile(r"<loc>\s*(?:<!\[CDATA\[)?\s*([^<\]]+?)\s*(?:\]\]>)?\s*</loc>")
_LASTMOD = re.compile(r"<lastmod>\s*([^<]+?)\s*</lastmod>")
# Of posts; not of pages, terms or authors
_POSTS = re.compile(r"(?:wp-sitemap-posts-post-[0-9]+|(?:^|/)post-sitemap[0-9]*)\.xml$")


def is_sitemap(text: str) -> bool:
    """Whether a text is a sitemap at all."""
    return "<urlset" in text[:2000] or "<sitemapindex" in text[:2000]


def parse_index(text: str, address: Address, site: Site) -> tuple[str, ...]:
    """The sitemaps of posts that an index names, of this site and edition, in its order."""
    found = []
    for kind, body in _ENTRY.findall(text):
        loc = _LOC.search(body)
        if kind == "sitemap" and loc:
            there = site.parse(html.unescape(loc.group(1)), address.url)
            if (
                there
                and there.kind is Kind.SITEMAP
                and there.edition == address.edition
                and _POSTS.search(there.url)
            ):
                found.append(there.url)
    return tuple(dict.fromkeys(found))


def parse_sitemap(text: str, address: Address, site: Site) -> Listing:
    """The posts a sitemap names. `Listing.scope` is ``sitemap``; its order says nothing."""
    sightings: dict[tuple[Edition | None, object], Sighting] = {}
    for kind, body in _ENTRY.findall(text):
        loc, lastmod = _LOC.search(body), _LASTMOD.search(body)
        found = site.parse(html.unescape(loc.group(1)), address.url) if kind == "url" and loc else None
        if (
            found
            and found.kind in (Kind.ARTICLE, Kind.SLUG)
            and found.edition == address.edition
            and found.page == 1
        ):
            modified = read_time(lastmod.group(1)) if lastmod else None
            sighting = Sighting(found.url, found.edition, found.post_id, "sitemap", modified_at=modified)
            sightings.setdefault((found.edition, found.post_id or found.url), sighting)
    return Listing("sitemap", 1, tuple(sightings.values()), False, address.edition)
