"""Read what a page states about itself, each statement with its origin.

Conflicting statements are all kept; the first is chosen. Orders: times: JSON-LD, ``meta article:*``,
``<time datetime>`` with an offset. author: JSON-LD, ``rel=author``, ``meta author``. post_id: body class,
shortlink, the article's id, canonical address. canonical_url: ``link rel=canonical``, ``og:url``. A time
without an offset is a day at most.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.clock import read_day, read_time
from archive.html.lines import inline_text, tidy
from archive.model import Address, Capture, Claim, Kind
from archive.sites.wordpress.json_ld import read_json_ld
from archive.sites.wordpress.noise import in_furniture
from archive.sites.wordpress.site import WordPressSite, day_of_scope
from archive.text.wordlists import word_set

_TAG = re.compile(r"<(meta|link)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)(?:>|\Z|[\"'])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"(?<![a-zA-Z:_-])([a-zA-Z:_-]++)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_BODY = re.compile(rb"<body[\s>]|</head\s*>", re.IGNORECASE)
_POST_CLASS = re.compile(r"(?:^|\s)(?:postid|page-id|attachmentid)-([1-9][0-9]{0,9})(?:\s|$)")
_SHORTLINK = re.compile(r"[?&]p=([1-9][0-9]{0,9})(?:&|$)")
_DAY = re.compile(r"((?:19|20)\d\d-\d\d-\d\d)(?:[T ]|$)")
_MODIFIED = frozenset(("updated", "modified", "updated-date"))  # classes of a <time>
_PUBLISHED = frozenset(("published", "entry-date", "post-published"))
_TERM_RELS = frozenset(("author", "tag", "category"))
_NO_AUTHOR = re.compile(
    r"^(?:view all|see all|all (?:posts|articles)|more (?:posts|articles)|posts by|read more|عرض (?:جميع|كل)|جميع (?:المقالات|المنشورات)|كل المقالات|المزيد من)\b|^https?:|^[\w.+-]+@",
    re.IGNORECASE,
)
# Boxes of themes that name where a post is from, and the line below a headline
_SOURCE_BOX = re.compile(r"(?:^|[\s_-])(?:source|via)(?:[_-]bar)?(?:$|\s)")
_DECKS = "h2.entry-sub-title, .post-subtitle, .s-tagline"
_BYLINES = ".author .fn, .vcard .fn, a.author-name, .author-name a, [itemprop=author] [itemprop=name], .wp-block-post-author__name"
_ARTICLE_TYPES = word_set(
    "article newsarticle blogposting reportagenewsarticle analysisnewsarticle opinionnewsarticle webpage report liveblogposting"
)


@dataclass(slots=True)
class Statements:
    """All that a page states, before one value for each field is chosen."""

    claims: list[Claim] = field(default_factory=list)
    _known: set[tuple[str, str, str]] = field(default_factory=set)
    body_classes: frozenset[str] = frozenset()
    site_title: str = ""  # content of <title>
    og_title: str | None = None
    site_name: str | None = None  # og:site_name

    def add(self, name: str, value: str | None, origin: str) -> None:
        """Add a statement, unless it is empty or known."""
        value = tidy(value or "")
        if value:
            known = len(self._known)
            self._known.add((name, value, origin))
            if len(self._known) > known:
                self.claims.append(Claim(name, value, origin))

    def first(self, name: str) -> str | None:
        """The chosen value of a field: claims are added in the order of trust."""
        return next((claim.value for claim in self.claims if claim.field == name), None)

    def all(self, name: str) -> tuple[str, ...]:
        """The different values of a field, in the page's order."""
        return tuple(dict.fromkeys(claim.value for claim in self.claims if claim.field == name))


def day_of(value: str) -> str | None:
    """The date at the beginning of a time, whatever its offset; None for a day that does not exist."""
    found = _DAY.match(value.strip())
    return read_day(found[1]) if found else None


def head_of(html: bytes) -> str:
    """The head of a page (UTF-8): up to ``</head>`` or ``<body``, at most 256 KB."""
    end = html.find(b"</head>", 0, 262_144)
    if end < 0:
        found = _BODY.search(html, 0, 262_144)
        end = found.start() if found else 262_144
    return html[:end].decode("utf-8", "ignore")


def read_head(
    capture: Capture, html: bytes, tree: LexborHTMLParser, site: WordPressSite, here: Address | None
) -> Statements:
    """Read meta tags, links, JSON-LD, the body's class and the headers."""
    out = Statements()
    metas, links = _tags(head_of(html))
    _read_addresses(capture, metas, links, tree, site, here, out)
    _read_json_ld(html, lambda url: _is_other(url, capture.url, site, out), out)
    for name, value in metas:
        match name:
            case "article:published_time":
                out.add("published_at", read_time(value), "meta:article:published_time")
                out.add("day", day_of(value), "meta:article:published_time")
            case "article:modified_time":
                out.add("modified_at", read_time(value), "meta:article:modified_time")
            case "author":
                out.add("meta_author", value, "meta:author")
            case "article:author" if not value.startswith(("http:", "https:")):
                out.add("meta_author", value, "meta:article:author")
            case "article:section":
                out.add("meta_category", value, "meta:article:section")
            case "article:tag":
                out.add("meta_tag", value, "meta:article:tag")
            case "og:title":
                out.og_title = out.og_title or tidy(value)
                out.add("title", value, "meta:og:title")
            case "og:site_name":
                out.site_name = out.site_name or tidy(value)
            case _:
                pass
    root = tree.root
    if root is not None:
        out.add("language", root.attributes.get("lang") or root.attributes.get("xml:lang"), "html:lang")
    title = tree.css_first("title")
    out.site_title = tidy(title.text()) if title is not None else ""
    return out


def _read_addresses(
    capture: Capture,
    metas: list[tuple[str, str]],
    links: list[tuple[str, str]],
    tree: LexborHTMLParser,
    site: WordPressSite,
    here: Address | None,
    out: Statements,
) -> None:
    body = tree.body
    classes = (body.attributes.get("class") or "") if body is not None else ""
    out.body_classes = frozenset(classes.split())
    found = _POST_CLASS.search(classes)
    if found:
        out.add("post_id", found[1], "body:class")
    header = next(
        (value for name, value in capture.headers if name.lower() == "link" and "shortlink" in value), ""
    )
    shown = re.search(r"<([^<>]*)>\s*;[^,]*shortlink", header)
    shortlinks = [(href, "link:shortlink") for rel, href in links if rel == "shortlink"] + (
        [(shown[1], "header:link:shortlink")] if shown else []
    )
    for href, origin in shortlinks:
        found = _SHORTLINK.search(href)
        out.add("post_id", found[1] if found else None, origin)
    canonicals = [(href, "link:canonical") for rel, href in links if rel == "canonical"]
    for href, origin in canonicals + [(value, "meta:og:url") for name, value in metas if name == "og:url"]:
        address = absolute(href, capture.url)
        out.add("canonical_url", address, origin)
        read = here if address == capture.url else site.parse(address) if address else None
        if read is not None and read.kind is Kind.ARTICLE:
            out.add("post_id", str(read.post_id), origin)


def read_beside(
    scope: LexborNode | None,
    body: LexborNode | None,
    capture: Capture,
    site: WordPressSite,
    out: Statements,
) -> None:
    """Read times, author, terms and source in the element around headline and text, but not in the text and
    in furniture."""
    if scope is None:
        return
    inside = body.mem_id if body is not None else -1

    def find(selector: str) -> Iterator[LexborNode]:
        return (node for node in scope.css(selector) if not in_furniture(node, scope, inside, footers=False))

    for node in find("time[datetime]"):
        _read_time(node, out)
    for node in scope.css("a[href]"):
        attributes = node.attributes
        href = attributes.get("href") or ""
        rel = (attributes.get("rel") or "").lower().split()
        if _TERM_RELS.isdisjoint(rel) and not _is_term(href):
            _read_source(node, href, site, out)
        elif not in_furniture(node, scope, inside, footers=False):
            _read_term(node, rel, capture, site, out)
    if out.first("author") is None:
        for node in find(_BYLINES):
            _add_author(inline_text(node), "class:author", out)
    for node in find(_DECKS):
        out.add("deck", inline_text(node), "class:deck")


def _read_source(node: LexborNode, href: str, site: WordPressSite, out: Statements) -> None:
    """Read a link to another site in a box that names the source."""
    if href.startswith("http") and not href.startswith(site.home) and _is_in_source_box(node):
        out.add("source_url", href if site.parse(href) is None else None, "class:source")
        out.add("source_outlet", inline_text(node), "class:source")


def _is_in_source_box(anchor: LexborNode) -> bool:
    above = anchor.parent
    for _ in range(3):
        if above is not None and _SOURCE_BOX.search(above.attributes.get("class") or ""):
            return True
        above = above.parent if above is not None else None
    return False


def _read_time(node: LexborNode, out: Statements) -> None:
    value = node.attributes.get("datetime") or ""
    classes = (node.attributes.get("class") or "").split()
    origin = "time." + ".".join(classes) if classes else "time"
    modified = not _MODIFIED.isdisjoint(classes)
    # The theme Publisher calls its first time "post-published updated", and its second one too
    if not _PUBLISHED.isdisjoint(classes) and out.first("published_at") is None:
        modified = False
    elif not _PUBLISHED.isdisjoint(classes):
        modified = modified and any(claim.origin == origin for claim in out.claims)
    out.add("modified_at" if modified else "published_at", read_time(value), origin)
    if not modified:
        out.add("day", day_of(value), origin)


def _add_author(name: str, origin: str, out: Statements) -> None:
    """Add an author, unless the text is that of a link ("View all posts by ...") or an address."""
    if not _NO_AUTHOR.match(name):
        out.add("author", name, origin)


def _is_term(href: str) -> bool:
    return "/date/" in href or "/category/" in href or "/tag/" in href or "/author/" in href


def _read_term(
    node: LexborNode, rel: list[str], capture: Capture, site: WordPressSite, out: Statements
) -> None:
    href = node.attributes.get("href") or ""
    name = inline_text(node)
    if "/date/" in href and "tag" not in rel:
        read = site.parse(href, capture.url)
        out.add("day", day_of_scope(read.scope) if read is not None else None, "link:date-archive")
    elif "category" in rel or ("tag" in rel and "/category/" in href):
        out.add("category", name, "rel:category")
    elif "tag" in rel:
        out.add("tag", name, "rel:tag")
    elif "author" in rel or "/author/" in href:
        _add_author(name, "rel:author" if "author" in rel else "link:author-archive", out)


_PLAIN = re.compile(r"https?://[\w.-]+/(?!cdn-cgi)[\w./%~+-]*", re.ASCII)


def absolute(href: str, base: str) -> str | None:
    """An absolute address; None if it is no http address (``mailto:``, ``#top``, ``javascript:``)."""
    href = href.strip()
    if _PLAIN.fullmatch(href):  # nearly every one
        return href
    if not href or href.startswith("#") or "/cdn-cgi/l/email-protection" in href:
        return None
    try:
        found = urljoin(base, href)
    except ValueError:
        return None
    return found if found.startswith(("http://", "https://")) else None


def _tags(head: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(name, content) of the meta tags and (rel, href) of the links of a head. A pattern is three times as
    fast as the tree."""
    metas: list[tuple[str, str]] = []
    links: list[tuple[str, str]] = []
    for tag, inside in _TAG.findall(head):
        if tag[0] in "lL" and "canonical" not in inside and "shortlink" not in inside:
            continue
        got = {key.lower(): unescape(a or b or c) for key, a, b, c in _ATTRIBUTE.findall(inside)}
        if tag[0] in "mM":
            name = got.get("property") or got.get("name") or ""
            if name and "content" in got:
                metas.append((name.lower(), got["content"]))
        else:
            links.extend(
                (rel, got.get("href", ""))
                for rel in got.get("rel", "").lower().split()
                if rel in ("canonical", "shortlink")
            )
    return metas, links


def _read_json_ld(html: bytes, is_other: Callable[[str], bool], out: Statements) -> None:
    entries = [entry for value in read_json_ld(html) for entry in _flatten(value)]
    by_id = {entry["@id"]: entry for entry in entries if isinstance(entry.get("@id"), str)}
    # An article's own statements come before those of the page around it
    entries.sort(key=lambda entry: "webpage" in _types(entry))
    for entry in entries:
        if not _types(entry).isdisjoint(_ARTICLE_TYPES) and not _is_of_another(entry, is_other):
            _read_entry(entry, by_id, out)


def _flatten(value: Any) -> Iterator[dict[str, Any]]:
    for entry in _listed(value):
        if isinstance(entry, dict):
            yield from (part for part in _listed(entry.get("@graph", entry)) if isinstance(part, dict))


def _is_of_another(entry: dict[str, Any], is_other: Callable[[str], bool]) -> bool:
    """True if an entry names other posts only."""
    pages = (entry, *_listed(entry.get("mainEntityOfPage")))
    parts = (page if isinstance(page, dict) else {"url": page} for page in pages)
    named = [part.get(name) for part in parts for name in ("url", "@id")]
    verdicts = [is_other(url) for url in named if isinstance(url, str) and url.startswith(("http", "/"))]
    return bool(verdicts) and all(verdicts)


def _is_other(url: str, base: str, site: WordPressSite, out: Statements) -> bool:
    """True for the address of another post of the site than the page states."""
    found = site.parse(url, base)
    if found is None or found.kind not in (Kind.ARTICLE, Kind.SLUG):
        return False
    own = out.first("post_id")
    if found.post_id is not None and own is not None:
        return str(found.post_id) != own
    own_urls = [site.parse(address) for address in (base, out.first("canonical_url")) if address]
    return all(address is not None and address.url != found.url for address in own_urls)


def _read_entry(entry: dict[str, Any], by_id: dict[str, dict[str, Any]], out: Statements) -> None:
    for key, name in (("datePublished", "published_at"), ("dateModified", "modified_at")):
        if isinstance(value := entry.get(key), str):
            out.add(name, read_time(value), f"json-ld:{key}")
            if name == "published_at":
                out.add("day", day_of(value), f"json-ld:{key}")
    out.add("title", _string(entry.get("headline")), "json-ld:headline")
    for author in _listed(entry.get("author")):
        if isinstance(author, dict):
            author = author.get("name") or by_id.get(str(author.get("@id")), {}).get("name")
        _add_author(_string(author) or "", "json-ld:author", out)
    for section in _listed(entry.get("articleSection")):
        for name in (_string(section) or "").split(","):
            out.add("meta_category", name, "json-ld:articleSection")
    keywords = entry.get("keywords")
    for word in keywords.split(",") if isinstance(keywords, str) else _listed(keywords):
        out.add("meta_tag", _string(word), "json-ld:keywords")


def _types(entry: dict[str, Any]) -> frozenset[str]:
    """The types of an entry in lower case, without the address of their vocabulary."""
    kinds = (kind for kind in _listed(entry.get("@type")) if isinstance(kind, str))
    return frozenset(re.split(r"[/#:]", kind)[-1].lower() for kind in kinds)


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _string(value: Any) -> str | None:
    return unescape(value) if isinstance(value, str) else None
