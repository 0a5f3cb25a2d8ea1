"""Listings (home, date archives, categories) -> Sightings, in the page's order. Pure: text in, dataclasses
out.

What rests on markup stands in the three tables below; when the site changes its theme, a line is added there.
Where no known mark is met, headings that link to posts are taken, outside of what is clearly not the list; a
page without any is no listing and is reported as such.
"""

from __future__ import annotations

import re

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.clock import read_time
from archive.model import Address, ArticleKey, Kind, Listing, Sighting
from archive.sites.wordpress.site import WordPressSite as Site
from archive.sites.wordpress.site import day_of_scope

# Chrome that also links to posts in headings: widgets, menus, footers, related boxes, sliders of "featured"
# posts [A].
_NOT_THE_LIST = "aside, nav, footer, header.site-header, .widget, .sidebar, #sidebar, [class*='related'], [class*='popular'], [class*='trending']"
# One entry each, most telling first [E: post_class() of WordPress on nearly all themes; A: the page builders'
# own].
_ENTRIES = (
    "article[id^='post-']",
    "[id^='post-'].type-post, li.post.type-post, div.post.type-post",
    "[data-pid]",
    "article",
)
_HEADLINES = ".entry-title a, .wp-block-post-title a, h1 a, h2 a, h3 a, h4 a, a[rel~='bookmark']"
MAX_CATEGORIES = 100  # of a page: a site has dozens
_POST_ID = re.compile(r"(?:^|\s)post-([1-9][0-9]*)(?:\s|$)")


def parse_listing(html: str, address: Address, site: Site) -> Listing:
    """Read one page of a listing; `Listing.sightings` is empty where the page shows no post."""
    tree = LexborHTMLParser(html)
    has_next = _has_next(tree, address, site)
    categories = _categories(tree, address, site)
    for node in tree.css(_NOT_THE_LIST):
        if node.tag not in ("body", "html", "main", "article") and not _inside_entry(node):
            node.decompose()
    sightings: list[Sighting] = []
    for selector in _ENTRIES:
        sightings = [s for s in (_entry(node, address, site) for node in tree.css(selector)) if s]
        if sightings:
            break
    if not sightings:
        links = (_linked(a, address, site) for a in tree.css("h1 a, h2 a, h3 a, h4 a"))
        sightings = [
            _sighting(found, address, a.text(strip=True), None, None, None, False)
            for a, found in links
            if found
        ]
    unique: dict[object, Sighting] = {}
    for sighting in sightings:
        unique.setdefault(
            (sighting.edition, sighting.post_id) if sighting.post_id else sighting.url, sighting
        )
    return Listing(address.scope, address.page, tuple(unique.values()), has_next, address.edition, categories)


def _entry(node: LexborNode, address: Address, site: Site) -> Sighting | None:
    links = [_linked(a, address, site) for a in node.css(_HEADLINES)] or [
        _linked(a, address, site) for a in node.css("a")
    ]
    anchor, found = next(((a, f) for a, f in links if f), (None, None))
    classes = node.attributes.get("class") or ""
    stated = (
        _POST_ID.search(classes)
        or _POST_ID.search(node.attributes.get("id") or "")
        or re.match(r"^([1-9][0-9]*)$", node.attributes.get("data-pid") or "")
    )
    if found is None and stated and address.edition:
        # An untitled post has a headline without a link; its id is enough.
        key = ArticleKey(address.edition, stated.group(1))
        found = Address(Kind.ARTICLE, site.article_url(key), address.edition, int(key.key))
    if found is None:
        return None
    if found.kind is Kind.SLUG and stated and found.edition:
        found = Address(Kind.ARTICLE, found.url, found.edition, int(stated.group(1)))
    times = [
        (t.attributes.get("class") or "", t.attributes.get("datetime") or "")
        for t in node.css("time[datetime]")
    ]
    published = next((v for c, v in times if "published" in c), times[0][1] if times else None)
    modified = next((v for c, v in times if "updated" in c), None)
    title = anchor.text(strip=True) if anchor is not None else ""
    return _sighting(
        found,
        address,
        title,
        published,
        modified,
        _day_link(node, site),
        "sticky" in classes.split() and address.page == 1,
    )


def _inside_entry(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == "article":
            return True
        parent = parent.parent
    return False


def _linked(anchor: LexborNode, address: Address, site: Site) -> tuple[LexborNode, Address | None]:
    found = site.parse(anchor.attributes.get("href") or "", address.url)
    right = (
        found
        and found.kind in (Kind.ARTICLE, Kind.SLUG)
        and found.edition == address.edition
        and found.page == 1
    )
    return anchor, found if right else None


def _sighting(
    found: Address,
    listing: Address,
    title: str,
    published: str | None,
    modified: str | None,
    day_link: str | None,
    sticky: bool,
) -> Sighting:
    day = published[:10] if published and re.match(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}", published) else None
    return Sighting(
        url=found.url,
        edition=found.edition,
        post_id=found.post_id,
        channel=listing.scope.split("/")[0],
        day=day_of_scope(listing.scope) or day or day_link,
        title=title or None,
        published_at=read_time(published),
        modified_at=read_time(modified),
        sticky=sticky,
    )


def _day_link(node: LexborNode, site: Site) -> str | None:
    for anchor in node.css("a[href*='/20'], a[href*='/date/']"):
        found = site.parse(anchor.attributes.get("href") or "", site.home)
        if found and found.kind is Kind.LISTING and (day := day_of_scope(found.scope)):
            return day
    return None


def _has_next(tree: LexborHTMLParser, address: Address, site: Site) -> bool | None:
    pages = set()
    for anchor in tree.css("a[href*='page'], link[rel='next']"):
        found = site.parse(anchor.attributes.get("href") or "", address.url)
        if (
            found
            and found.kind is Kind.LISTING
            and (found.edition, found.scope) == (address.edition, address.scope)
        ):
            pages.add(found.page)
    if any(page > address.page for page in pages):
        return True
    return False if pages - {address.page} else None


def _categories(tree: LexborHTMLParser, address: Address, site: Site) -> tuple[str, ...]:
    """The categories of this edition that a page links to: from its menu, and below its entries."""
    found = (
        site.parse(a.attributes.get("href") or "", address.url) for a in tree.css("a[href*='/category/']")
    )
    scopes = (
        f.scope
        for f in found
        if f and f.kind is Kind.LISTING and f.edition == address.edition and f.scope.startswith("category/")
    )
    return tuple(dict.fromkeys(scopes))[:MAX_CATEGORIES]
