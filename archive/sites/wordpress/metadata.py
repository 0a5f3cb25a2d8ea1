"""What a page states about itself, each statement with its origin; conflicting ones are all kept, and one is
chosen by a documented order.

Orders (first wins): times: JSON-LD, ``meta article:*``, ``<time datetime>`` with an offset. author: JSON-LD,
``rel=author``, ``meta author``. post_id: body class, shortlink, the article's id, canonical address.
canonical_url: ``link rel=canonical``, ``og:url``. A time without an offset is nobody's time zone and becomes
a day at most.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from html import unescape
from typing import Any
from urllib.parse import urljoin

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.clock import read_day, read_time
from archive.html.lines import inline_text, tidy
from archive.model import Address, Capture, Claim, Kind
from archive.sites.wordpress.noise import in_furniture
from archive.sites.wordpress.site import WordPressSite, day_of_scope
from archive.text.wordlists import word_set

_TAG = re.compile(r"<(meta|link)\b((?:[^>\"']|\"[^\"]*\"|'[^']*')*+)(?:>|\Z|[\"'])", re.IGNORECASE)
_ATTRIBUTE = re.compile(r"([a-zA-Z:_-]+)\s*=\s*(?:\"([^\"]*)\"|'([^']*)'|([^\s\"'>]+))")
_JSON_LD = re.compile(rb"<script[^>]{0,200}application/ld\+json[^>]{0,200}>", re.IGNORECASE)
_BODY = re.compile(rb"<body[\s>]|</head\s*>", re.IGNORECASE)
_END_SCRIPT = re.compile(rb"</script", re.IGNORECASE)
_POST_CLASS = re.compile(r"(?:^|\s)(?:postid|page-id|attachmentid)-([1-9][0-9]{0,9})(?:\s|$)")
_POST_ELEMENT = re.compile(r"^post-([1-9][0-9]{0,9})$")
_SHORTLINK = re.compile(r"[?&]p=([1-9][0-9]{0,9})(?:&|$)")
_DAY = re.compile(r"^((?:19|20)\d\d-(?:0[1-9]|1[0-2])-(?:0[1-9]|[12]\d|3[01]))(?:[T ]|$)")
_MODIFIED = frozenset(("updated", "modified", "updated-date"))  # classes of a <time>
_PUBLISHED = frozenset(("published", "entry-date"))
_BYLINES = ".author .fn, .vcard .fn, a.author-name, .author-name a, [itemprop=author] [itemprop=name], .wp-block-post-author__name"
_LIMIT = 1_000_000  # bytes in which JSON-LD is read;
_ARTICLE_TYPES = word_set(
    "article newsarticle blogposting reportagenewsarticle analysisnewsarticle opinionnewsarticle webpage report liveblogposting"
)


@dataclass(slots=True)
class Stated:
    """All that a page states, before one value a field is chosen."""

    claims: list[Claim] = field(default_factory=list)
    _known: set[tuple[str, str, str]] = field(default_factory=set)
    body_classes: frozenset[str] = frozenset()
    site_title: str = ""  # content of <title>
    og_title: str | None = None
    site_name: str | None = None  # og:site_name

    def add(self, name: str, value: str | None, origin: str) -> None:
        """Keep a statement; an empty one is none, a repeated one is one."""
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
        """All different values of a field, in the page's order."""
        return tuple(dict.fromkeys(claim.value for claim in self.claims if claim.field == name))


def day_of(value: str) -> str | None:
    """The site's own day: the date at the beginning of a machine-readable time, whatever its offset."""
    found = _DAY.match(value.strip())
    return read_day(found[1]) if found else None


def head_of(html: bytes) -> str:
    """The part of a page (UTF-8) that its ``<head>`` is: up to ``</head>`` or ``<body``, at most 256 KB."""
    end = html.find(b"</head>", 0, 262_144)
    if end < 0:
        found = _BODY.search(html, 0, 262_144)
        end = found.start() if found else 262_144
    return html[:end].decode("utf-8", "ignore")


def read_head(
    capture: Capture, html: bytes, tree: LexborHTMLParser, site: WordPressSite, here: Address | None
) -> Stated:
    """Everything but what stands beside the text: meta tags, links, JSON-LD, body class, headers."""
    out = Stated()
    metas, links = _tags(head_of(html))
    for value in _json_ld(html):
        _read_json_ld(value, out)
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
    _read_addresses(capture, metas, links, tree, site, here, out)
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
    out: Stated,
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
    shown = re.search(r"<([^>]*)>\s*;[^,]*shortlink", header)
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
    scope: LexborNode | None, body: LexborNode | None, capture: Capture, site: WordPressSite, out: Stated
) -> None:
    """What stands beside the text, in the element that holds headline and text: times, author, terms. Related
    posts inside it are passed by."""
    if scope is None:
        return
    inside = body.mem_id if body is not None else -1
    for node in scope.css("time[datetime]"):
        value = (node.attributes.get("datetime") or "").strip()
        classes = (node.attributes.get("class") or "").split()
        if not value or in_furniture(node, scope, inside, footers=False):
            continue
        modified = not _MODIFIED.isdisjoint(classes) and _PUBLISHED.isdisjoint(classes)
        origin = "time." + ".".join(classes) if classes else "time"
        out.add("modified_at" if modified else "published_at", read_time(value), origin)
        if not modified:
            out.add("day", day_of(value), origin)
    for node in scope.css("a[href]"):
        attributes = node.attributes
        rel = (attributes.get("rel") or "").lower().split()
        telling = (
            "author" in rel or "tag" in rel or "category" in rel or _is_term(attributes.get("href") or "")
        )
        if telling and not in_furniture(node, scope, inside, footers=False):
            _read_term(node, rel, capture, site, out)
    if out.first("author") is None:
        for node in scope.css(_BYLINES):
            if not in_furniture(node, scope, inside, footers=False):
                out.add("author", inline_text(node), "class:author")


def _is_term(href: str) -> bool:
    return "/date/" in href or "/category/" in href or "/tag/" in href or "/author/" in href


def _read_term(node: LexborNode, rel: list[str], capture: Capture, site: WordPressSite, out: Stated) -> None:
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
        out.add("author", name, "rel:author" if "author" in rel else "link:author-archive")


def absolute(href: str, base: str) -> str | None:
    """An address made absolute; None for what is no http address (``mailto:``, ``#top``, ``javascript:``)."""
    href = href.strip()
    if not href or href.startswith("#"):
        return None
    try:
        found = urljoin(base, href)
    except ValueError:
        return None
    return found if found.startswith(("http://", "https://")) else None


def _tags(head: str) -> tuple[list[tuple[str, str]], list[tuple[str, str]]]:
    """(name, content) of the meta tags and (rel, href) of the links of a head. By pattern: three times as
    fast as the tree, and order is kept."""
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


def _json_ld(html: bytes) -> Iterator[Any]:
    if b"ld+json" not in html:
        return
    position = 0
    while opened := _JSON_LD.search(html, position, _LIMIT):
        closed = _END_SCRIPT.search(html, opened.end(), _LIMIT)
        if closed is None:
            return
        position = closed.end()
        try:
            yield json.loads(
                html[opened.end() : closed.start()].decode("utf-8", "replace").strip(), strict=False
            )
        except (ValueError, RecursionError):
            continue


def _read_json_ld(value: Any, out: Stated) -> None:
    entries: list[Any] = value if isinstance(value, list) else [value]
    graphs = [
        _listed(entry["@graph"]) if "@graph" in entry else [entry]
        for entry in entries
        if isinstance(entry, dict)
    ]
    flat = [entry for graph in graphs for entry in graph if isinstance(entry, dict)]
    # an article's own statements before those of the page around it
    flat.sort(key=lambda entry: "webpage" in _types(entry))
    for entry in flat:
        if _types(entry).isdisjoint(_ARTICLE_TYPES):
            continue
        for key, name in (("datePublished", "published_at"), ("dateModified", "modified_at")):
            if isinstance(entry.get(key), str):
                out.add(name, read_time(entry[key]), f"json-ld:{key}")
                if name == "published_at":
                    out.add("day", day_of(entry[key]), f"json-ld:{key}")
        out.add("title", _string(entry.get("headline")), "json-ld:headline")
        for author in _listed(entry.get("author")):
            out.add(
                "author",
                _string(author.get("name") if isinstance(author, dict) else author),
                "json-ld:author",
            )
        for section in _listed(entry.get("articleSection")):
            out.add("meta_category", _string(section), "json-ld:articleSection")
        keywords = entry.get("keywords")
        for word in keywords.split(",") if isinstance(keywords, str) else _listed(keywords):
            out.add("meta_tag", _string(word), "json-ld:keywords")


def _types(entry: dict[str, Any]) -> frozenset[str]:
    return frozenset(kind.lower() for kind in _listed(entry.get("@type")) if isinstance(kind, str))


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


def _string(value: Any) -> str | None:
    return unescape(value) if isinstance(value, str) else None
