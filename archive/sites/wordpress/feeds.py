"""Feeds -> Sightings. Pure: text and address in, dataclasses out.

Atom by date of modification (``/feed/atom/?orderby=modified``) is an edit log with full text; plain Atom
still carries ``<updated>``; RSS has the date of publication alone. A feed whose entries are excerpts carries
no digest. XML from strangers: no entity is expanded, nothing is loaded, a document type is refused, and what
is broken is read as far as it goes.
"""

from __future__ import annotations

import html
import re
import sys
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Literal
from urllib.parse import parse_qsl, urlsplit

from archive.clock import read_time
from archive.model import Address, Kind, Listing, Sighting
from archive.sites.wordpress.contents import digest, plain_title
from archive.sites.wordpress.rest import make_storable
from archive.sites.wordpress.site import WordPressSite as Site

if TYPE_CHECKING:
    from lxml import etree

Form = Literal["atom-modified", "atom", "rss"]
FORMS: tuple[Form, ...] = ("atom-modified", "atom", "rss")  # the one that tells most first

MAX_FEED = 16 * 2**20  # characters; ten posts of the site are 60,000
MAX_ENTRIES = 1000  # WordPress shows 10 unless told otherwise
# The names that other vocabularies have in a feed; the second where the feed forgets to declare them
_CONTENT = ("{http://purl.org/rss/1.0/modules/content/}encoded", "content:encoded")
_DATE = ("{http://purl.org/dc/elements/1.1/}date", "dc:date")
_ROOT = re.compile(r"<(?:\w+:)?(?:feed|rss|RDF)\b")
# What stands before is a warning of PHP, or the like
_START = re.compile(rf"<\?xml\b[^<>]*\?>|(?={_ROOT.pattern})")
_DOCTYPE = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
# Entities of HTML that no feed declares: without them words would be glued
_ENTITY = re.compile(r"&(?!(?:amp|lt|gt|quot|apos);)[A-Za-z][A-Za-z0-9]{1,31};")
_REFERENCE = re.compile(r"&#(?:[xX]([0-9a-fA-F]{1,8})|([0-9]{1,9}));")
# XML 1.0, 2.2: what no document may hold
_NO_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_PATHS: dict[tuple[str, ...], Form] = {("feed",): "rss", ("feed", "rss2"): "rss", ("feed", "atom"): "atom"}


def form_of(address: Address, site: Site) -> tuple[Form, int] | None:
    """Which feed of the whole edition an address is, and which page of it; None for those of a post, a
    category, or of comments."""
    if (
        address.kind is not Kind.FEED
        or address.edition is None
        or not address.url.startswith(site.edition_home(address.edition))
    ):
        return None
    parts = urlsplit(address.url)
    query = dict(parse_qsl(parts.query))
    path = tuple(
        s for s in address.url[len(site.edition_home(address.edition)) :].partition("?")[0].split("/") if s
    )
    form = _PATHS.get(path) or (_PATHS.get(("feed", query["feed"])) if not path and "feed" in query else None)
    paged = query.get("paged", "1")
    if form is None or not re.fullmatch(r"[1-9][0-9]{0,6}", paged):
        return None
    return "atom-modified" if form == "atom" and query.get("orderby") == "modified" else form, int(paged)


def parse_feed(text: str, address: Address, site: Site, page: int = 1) -> Listing | None:
    """Read one page of a feed, in its order; None where the text is no feed. `Listing.has_next` is always
    None: a feed does not say.

    What stands before the XML or after it is skipped; a document type in its prolog is refused.
    """
    start, root_at = _START.search(text), _ROOT.search(text)
    if start is None or root_at is None or len(text) > MAX_FEED or _DOCTYPE.search(text[: root_at.start()]):
        return None
    from lxml import etree  # on first use: most answers are a 304

    parser = etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        huge_tree=False,
        recover=True,
        encoding="utf-8",
    )
    try:
        xml = _ENTITY.sub(_resolve, _without_bad_signs(text[start.end() :]))
        root = etree.fromstring(xml.strip().encode("utf-8"), parser)
    except (etree.XMLSyntaxError, ValueError):
        return None
    if root is None:
        return None
    own = (None, root.prefix)
    for node in root.iter("*"):  # whatever namespace they are in: sites misspell and forget it
        if node.prefix in own and node.tag.startswith("{"):
            with suppress(ValueError):  # a broken tag has no name
                node.tag = node.tag.partition("}")[2]
    read = {"feed": _atom, "rss": _rss, "RDF": _rss, "rdf:RDF": _rss}.get(root.tag)
    if read is None:
        return None
    unique: dict[object, Sighting] = {}
    is_partly_unread = False
    for sighting in read(root, address, site):
        if sighting is None:
            is_partly_unread = True
            continue
        unique.setdefault(sighting.post_id or sighting.url, sighting)
        if len(unique) >= MAX_ENTRIES:
            break
    return Listing("feed", page, tuple(unique.values()), None, address.edition, (), is_partly_unread)


def _resolve(entity: re.Match[str]) -> str:
    """The signs of an entity of HTML; an unknown one as it is. ``&LT;`` is one too, and no markup."""
    signs = html.unescape(entity[0])
    return entity[0] if signs == entity[0] else html.escape(signs, quote=False)


def _without_bad_signs(text: str) -> str:
    """A text without the signs that no XML may hold, also as references: a title cut within an emoji ends in
    half of one. Two halves that belong together are one sign."""

    def resolve(reference: re.Match[str]) -> str:
        code = int(reference[1], 16) if reference[1] else int(reference[2])
        sign = chr(code) if code <= sys.maxunicode else ""
        return sign if not sign or _NO_XML.match(sign) else reference[0]

    return _NO_XML.sub("", make_storable(_REFERENCE.sub(resolve, text)))


def in_order_of_edits(listing: Listing) -> bool:
    """Whether a feed stands in the order of edits, newest first: where not, the site ignores ``orderby``."""
    times = [sighting.modified_at for sighting in listing.sightings]
    return all(times) and times == sorted(times, key=str, reverse=True)


def _atom(root: etree._Element, address: Address, site: Site) -> Iterator[Sighting | None]:
    """The entries of Atom; None for one without a readable address, and for an unreadable time."""
    for entry in root.iterfind("entry"):
        links = [
            link.get("href") or ""
            for link in entry.iterfind("link")
            if link.get("rel", "alternate") == "alternate"
        ]
        title, content = entry.find("title"), entry.find("content")
        stated = [_text(entry.find(name)) for name in ("published", "updated")]
        published, modified = map(read_time, stated)
        if any(text.strip() and read_time(text) is None for text in stated):
            yield None
        names = [*links, _text(entry.find("id"))]
        yield from _sighting(names, title, content, published, modified, address, site)


def _rss(root: etree._Element, address: Address, site: Site) -> Iterator[Sighting | None]:
    """The items of RSS 2.0, and of 1.0, where they stand beside the channel."""
    for item in root.iterfind("channel/item" if root.tag == "rss" else "item"):
        names = [_text(item.find("link")), _text(item.find("guid"))]
        content, date = (_find(item, *names) for names in (_CONTENT, ("pubDate", *_DATE)))
        published = read_time(_text(date))
        yield from _sighting(names, item.find("title"), content, published, None, address, site)


def _find(item: etree._Element, *names: str) -> etree._Element | None:
    return next((child for name in names for child in item if child.tag == name), None)


def _sighting(
    names: list[str],
    title: etree._Element | None,
    content: etree._Element | None,
    published: str | None,
    modified: str | None,
    address: Address,
    site: Site,
) -> Iterator[Sighting | None]:
    """The post an entry names by its link or its id; nothing where that is no post of this edition, None
    where no address can be read."""
    found = [site.parse(name.strip(), address.url) for name in names if name.strip()]
    posts = [
        a
        for a in found
        if a and a.kind in (Kind.ARTICLE, Kind.SLUG) and a.edition == address.edition and a.page == 1
    ]
    if not posts:
        if not any(found):
            yield None
        return
    post_id = next((post.post_id for post in posts if post.post_id), None)
    told, body = _text(title), _text(content)
    mark = digest(told, body) if body.strip() else None
    yield Sighting(
        posts[0].url,
        address.edition,
        post_id,
        "feed",
        None,
        plain_title(told) or None,
        published,
        modified,
        digest=mark,
    )


def _text(node: etree._Element | None) -> str:
    """All text of an element; of Atom's ``type="xhtml"`` its markup."""
    if node is None:
        return ""
    if len(node):
        from lxml import etree

        markup = (etree.tostring(child, encoding="unicode") for child in node)
        return html.escape(node.text or "", quote=False) + "".join(markup)
    return node.text or ""
