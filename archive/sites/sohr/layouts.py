"""The site's page layouts by era: where the title and the text stand.

To add a layout, add an entry here and its golden pages. An entry is never edited once captures rest on it: a
changed theme gets a new one. The page decides which layout reads it, never its date. The themes' names are
assumed, the selectors are from real pages. The last entry, ``general``, holds what nearly all WordPress
themes share.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.sites.wordpress.noise import in_furniture, in_named_box


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout. Selectors are tried in order; matches in furniture are skipped.

    A page is of this layout if the element of its text, or one around it, has all names of a mark (classes,
    and ids with ``#``), if ``inside`` matches in the text, or if its head loads files of one of the
    ``themes``.
    """

    name: str
    body: tuple[str, ...]
    title: tuple[str, ...]
    marks: tuple[frozenset[str], ...] = ()
    inside: str | None = None
    themes: frozenset[str] = frozenset()
    since: date | None = None
    until: date | None = None


_TITLES = (
    "h1.entry-title",
    "h1.wp-block-post-title",
    "h1.post-title",
    "h1.single-post-title",
    "h1[itemprop=headline]",
    "h1 [itemprop=headline]",
)

LAYOUTS = (
    Layout(
        "foxiz",
        body=("div.entry-content",),
        title=("h1.s-title", *_TITLES),
        marks=(frozenset(("entry-content", "rbct")), frozenset(("s-ct",)), frozenset(("s-ct-wrap",))),
        inside=".ruby-table-contents",
        themes=frozenset(("foxiz", "foxiz-child")),
        since=date(2025, 1, 1),
    ),
    Layout(
        "publisher",
        body=(
            ".single-post-content .entry-content",
            ".entry-content.single-post-content",
            ".single-post-content",
        ),
        title=(
            "h1.single-post-title .post-title",
            "h1.single-post-title",
            ".single-post-title",
            "h1 .post-title",
            *_TITLES,
        ),
        marks=(frozenset(("single-post-content",)), frozenset(("bs-publisher",))),
        themes=frozenset(("publisher", "publisher-child")),
        since=date(2020, 3, 1),
        until=date(2024, 12, 31),
    ),
    Layout(
        "tielabs",
        body=(
            "div.entry-content.entry",
            "div.entry-content",
            ".entry.clearfix",
            ".post-inner .entry",
            "#the-post .entry",
        ),
        title=("h1.entry-title [itemprop=name]", "h1.name.post-title", *_TITLES),
        marks=(
            frozenset(("entry", "clearfix")),
            frozenset(("#the-post",)),
            frozenset(("#tie-wrapper",)),
            frozenset(("#tie-body",)),
        ),
        themes=frozenset(("jannah", "jannah-child", "sahifa", "sahifa-child")),
        until=date(2020, 3, 31),
    ),
    Layout(
        "general",
        body=(
            "article .entry-content",
            ".wp-block-post-content",
            "div.entry-content, section.entry-content",
            ".td-post-content",
            ".single-post-content",
            "article .post-content",
            "article .post-entry, article .article-content, article .article-body, article .single-content, article .post-body, article .entry",
            "[itemprop~=articleBody]",
            ".et_pb_post_content, .elementor-widget-theme-post-content, .brxe-post-content",
            ".fl-module-fl-post-content .fl-module-content, .tdb_single_content .tdb-block-inner",
            ".amp-wp-article-content, .artl-cnt, .brz-wp-post-content, .ct-inner-content",
            "[data-elementor-type=wp-post], #brx-content .brxe-text, .oxy-stock-content-styles",
            ".post-content, .post-entry, .article-content, .article-body, .single-content, .post-body, .entry-body, .the-content, .content-inner",
            "main .page-content",
        ),
        title=(*_TITLES, "article h1", "main h1", "h1.title", ".entry-title, .post-title"),
    ),
)


@cache
def _texts(layouts: tuple[Layout, ...]) -> str:
    """A selector of all elements that may be the text of a layout, but for the last: by one class of each."""
    last = [selector.split()[-1] for layout in layouts[:-1] for selector in layout.body]
    named = (re.search(r"\.[\w-]+", compound) for compound in last)
    return ", ".join(
        dict.fromkeys(found[0] if found else compound for found, compound in zip(named, last, strict=True))
    )


def choose_layout(tree: LexborHTMLParser, html: bytes) -> Layout:
    """The layout whose marks the page shows; `general` if it shows none. Only names around texts are read."""
    texts = [node for node in tree.css(_texts(LAYOUTS)) if not in_furniture(node)][:3]
    around = [names for node in texts for names in _names_around(node)]
    head = html[: max(html.find(b"</head>"), 0)]
    themes = {part.partition(b"/")[0].decode("ascii", "replace") for part in head.split(b"/themes/")[1:]}
    for layout in LAYOUTS[:-1]:
        if (
            any(mark <= names for mark in layout.marks for names in around)
            or not themes.isdisjoint(layout.themes)
            or (layout.inside and any(node.css_first(layout.inside) is not None for node in texts))
        ):
            return layout
    return LAYOUTS[-1]


def _names_around(node: LexborNode) -> Iterator[frozenset[str]]:
    """Classes and id of an element and of each one around it."""
    above: LexborNode | None = node
    while above is not None and above.tag not in ("html", "-document"):
        attributes = above.attributes
        names = (attributes.get("class") or "").split()
        if identity := attributes.get("id"):
            names.append(f"#{identity}")
        if names:
            yield frozenset(names)
        above = above.parent


def find_body(tree: LexborHTMLParser, layout: Layout, scope: LexborNode | None) -> LexborNode | None:
    """The element of the article's text: in ``scope`` (the post's element) first, never in furniture.

    `general` also takes the one ``article`` or ``main`` whose children are paragraphs, else the one block in
    these.
    """
    found, selector = next(_find(tree, layout.body, scope, -1), (None, ""))
    if found is not None and scope is not None:
        found = _find_longest(found, selector, scope)
    if found is not None or layout is not LAYOUTS[-1]:
        return found
    for selector in ("article, main", ":is(article, main) :is(div, section)"):
        nodes = (node for node in tree.css(selector) if _has_paragraphs(node))
        places = [node for node in nodes if not in_furniture(node) and not in_named_box(node)]
        if places:
            return places[0] if len(places) == 1 else None
    return None


def _find_longest(found: LexborNode, selector: str, scope: LexborNode) -> LexborNode:
    """Of the elements in the post's own that a selector finds, the one with the longest text: a theme may
    have a deck in such an element too. One of another post or in a box is not taken."""
    nodes = [node for node in scope.css(selector) if node.parent is not None]
    if len(nodes) < 2 or not any(node.mem_id == found.mem_id for node in nodes):
        return found
    around = found.parent.mem_id if found.parent is not None else 0
    beside = [node for node in nodes if node.parent is not None and node.parent.mem_id == around]
    return max(beside, key=lambda node: len(node.text().strip()), default=found)


def _has_paragraphs(node: LexborNode) -> bool:
    return sum(child.tag == "p" and len(child.text().split()) > 3 for child in node.iter()) > 1


def find_titles(
    tree: LexborHTMLParser, layout: Layout, scope: LexborNode | None, body: LexborNode | None
) -> Iterator[tuple[LexborNode, str]]:
    """Elements that may be the headline, with their selectors: beside the text first, then in it, then any
    h1."""
    yield from _find(tree, layout.title, scope, body.mem_id if body is not None else -1)
    if body is not None:
        yield from _find(tree, layout.title, scope, -1)
    yield from _find(tree, ("h1",), scope, body.mem_id if body is not None else -1)


def _find(
    tree: LexborHTMLParser, selectors: tuple[str, ...], scope: LexborNode | None, but: int
) -> Iterator[tuple[LexborNode, str]]:
    for place in (scope, tree) if scope is not None else (tree,):
        for selector in selectors:
            for node in place.css(selector):
                if not in_furniture(node, scope if place is scope else None, but):
                    yield node, selector
