"""Listings (home, date archives, categories) -> Sightings, in the page's order. Pure.

What rests on markup stands in the tables below. Where no entry is marked, headings that link to posts are
read, and on home also lists of links; a page without any is no listing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.clock import read_day, read_time
from archive.model import Address, ArticleKey, Kind, Listing, Sighting
from archive.sites.wordpress.site import WordPressSite as Site
from archive.sites.wordpress.site import day_of_scope

# Widgets, menus, footers, related boxes and the like, which link to posts too [A]
_NOT_THE_LIST = (
    "aside, nav, footer, header.site-header, .widget, .sidebar, #sidebar, "
    "[class*='related'], [class*='popular'], [class*='trending']"
)
# One entry each, most telling first [E: post_class() of WordPress; A: page builders]
_MOST_NESTED = 4  # entries in each other
_ENTRIES = (
    "article[id^='post-']",
    "[id^='post-'].type-post, li.post.type-post, div.post.type-post",
    "[data-pid]",
    "article",
)
_TITLES = ".entry-title a, .wp-block-post-title a"
_HEADLINES = "h1 a, h2 a, h3 a, h4 a, a[rel~='bookmark']"
_HEADINGS = "h1, h2, h3, h4"
FEW = 3  # marked entries on the first page of home: fewer may be the top story of a front page
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
    sightings = _read_posts(tree, address, site)
    return Listing(address.scope, address.page, sightings, has_next, address.edition, categories)


def _read_posts(tree: LexborHTMLParser, address: Address, site: Site) -> tuple[Sighting, ...]:
    """The posts of the page, by the most telling reading that finds any.

    On the first page of home a reading that finds more wins where the entries are few, or among its own.
    """
    entries = _read_entries(tree, address, site)
    marked = _unique(entries.values())
    if marked and not (address.scope == "home" and address.page == 1):
        return marked
    linked = _read_links(_heading_links(tree), entries, address, site)
    if address.scope == "home":
        links = (a for li in tree.css("li") for a in li.css("a"))
        linked = max(linked, _read_links(links, entries, address, site), key=len)
    is_more = len(linked) > len(marked)
    is_superset = {_identity(s) for s in marked} <= {_identity(s) for s in linked}
    return linked if is_more and (len(marked) < FEW or is_superset) else marked


def _read_entries(tree: LexborHTMLParser, address: Address, site: Site) -> dict[int, Sighting]:
    """The marked entries, by the node they stand in."""
    for selector in _ENTRIES:
        nodes = _without_deep(tree.css(selector))
        read = ((node.mem_id, _read_entry(node, address, site)) for node in nodes)
        if entries := {node: sighting for node, sighting in read if sighting}:
            return entries
    return {}


def _without_deep(nodes: Iterable[LexborNode]) -> Iterator[LexborNode]:
    """The entries but those far within others: each is searched for links, and so is each around it."""
    depths: dict[int, int] = {}
    for node in nodes:
        above = node.parent
        while above is not None and above.mem_id not in depths:
            above = above.parent
        depths[node.mem_id] = 1 + (depths[above.mem_id] if above is not None else 0)
        if depths[node.mem_id] <= _MOST_NESTED:
            yield node


def _read_links(
    anchors: Iterable[LexborNode], entries: dict[int, Sighting], address: Address, site: Site
) -> tuple[Sighting, ...]:
    """The posts of links, but those that the text of a marked entry links to."""
    found = ((_owner(anchor, entries), _read_link(anchor, address, site)) for anchor in anchors)
    return _unique(
        post for owner, post in found if post and (owner is None or _identity(owner) == _identity(post))
    )


def _owner(anchor: LexborNode, entries: dict[int, Sighting]) -> Sighting | None:
    """The entry that a link stands in: what its text links to is not on the list."""
    node = anchor.parent
    while node is not None:
        if node.mem_id in entries:
            return entries[node.mem_id]
        node = node.parent
    return None


def _identity(sighting: Sighting) -> object:
    return (sighting.edition, sighting.post_id) if sighting.post_id else sighting.url


def _unique(sightings: Iterable[Sighting]) -> tuple[Sighting, ...]:
    """Each post once, where it stands first."""
    unique: dict[object, Sighting] = {}
    for sighting in sightings:
        unique.setdefault(_identity(sighting), sighting)
    return tuple(unique.values())


def _heading_links(tree: LexborHTMLParser) -> Iterator[LexborNode]:
    """The links of headings: inside of them, or around them."""
    for heading in tree.css(_HEADINGS):
        inside = heading.css("a")
        yield from inside
        around = heading.parent
        for _ in range(2):
            if not inside and around is not None and around.tag == "a":
                yield around
            around = around.parent if around is not None else None


def _read_link(anchor: LexborNode, address: Address, site: Site) -> Sighting | None:
    found = _linked_post(anchor, address, site)
    title = anchor.text(strip=True) if found else ""
    return _sighting(found, address, title, None, None, None, False) if found and title else None


def _read_entry(node: LexborNode, address: Address, site: Site) -> Sighting | None:
    """The post of an entry; None where it links to none, or is a box around several."""
    classes = node.attributes.get("class") or ""
    post_id = _stated_id(node)
    anchor, found = _entry_link(node, post_id, address, site)
    if found is None and post_id and address.edition and anchor is None:
        if _is_of_another_edition(node, post_id, address, site):
            return None
        # A post without a title has a headline without a link; its id is enough
        found = Address(
            Kind.ARTICLE,
            site.article_url(ArticleKey(address.edition, str(post_id))),
            address.edition,
            post_id,
        )
    if found is None:
        return None
    if found.kind is Kind.SLUG and post_id and found.edition:
        found = Address(Kind.ARTICLE, found.url, found.edition, post_id)
    times = [
        (t.attributes.get("class") or "", t.attributes.get("datetime") or "")
        for t in node.css("time[datetime]")
    ]
    published = next((v for c, v in times if "published" in c), times[0][1] if times else None)
    modified = next((v for c, v in times if "updated" in c), None)
    title = anchor.text(strip=True) if anchor is not None else ""
    is_sticky = "sticky" in classes.split() and address.page == 1
    return _sighting(found, address, title, published, modified, _day_link(node, site), is_sticky)


def _stated_id(node: LexborNode) -> int | None:
    stated = (
        _POST_ID.search(node.attributes.get("class") or "")
        or _POST_ID.search(node.attributes.get("id") or "")
        or re.match(r"^([1-9][0-9]*)$", node.attributes.get("data-pid") or "")
    )
    return int(stated.group(1)) if stated else None


def _entry_link(
    node: LexborNode, post_id: int | None, address: Address, site: Site
) -> tuple[LexborNode | None, Address | None]:
    """The link to the entry's post: of its title, else of a heading, else any. No post if there are several.

    A heading inside a text may link to another post: the id that the entry states decides then.
    """
    for selector in (_TITLES, _HEADLINES, "a"):
        links = [(a, post) for a in node.css(selector) if (post := _linked_post(a, address, site))]
        posts = {post.post_id or post.url for _, post in links}
        if len(posts) == 1:
            return links[0]
        if posts and selector != _TITLES and post_id and node.css_first("article article") is None:
            return next((link for link in links if link[1].post_id in (post_id, None)), links[0])
        if posts:
            return links[0][0], None
    return None, None


def _inside_entry(node: LexborNode) -> bool:
    parent = node.parent
    while parent is not None:
        if parent.tag == "article":
            return True
        parent = parent.parent
    return False


def _is_of_another_edition(node: LexborNode, post_id: int, address: Address, site: Site) -> bool:
    """Whether an entry links to itself in another edition than the listing's: a cache gave out a wrong page."""
    links = (site.parse(a.attributes.get("href") or "", address.url) for a in node.css("a"))
    return any(to and to.post_id == post_id and to.edition != address.edition for to in links)


def _linked_post(anchor: LexborNode, address: Address, site: Site) -> Address | None:
    """The post of the listing's edition that a link leads to."""
    found = site.parse(anchor.attributes.get("href") or "", address.url)
    is_post = found and found.kind in (Kind.ARTICLE, Kind.SLUG) and found.page == 1
    return found if found and is_post and found.edition == address.edition else None


def _sighting(
    found: Address,
    listing: Address,
    title: str,
    published: str | None,
    modified: str | None,
    day_link: str | None,
    sticky: bool,
) -> Sighting:
    return Sighting(
        url=found.url,
        edition=found.edition,
        post_id=found.post_id,
        channel=listing.scope.split("/")[0],
        day=day_of_scope(listing.scope) or read_day(published) or day_link,
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
