"""The site's page layouts by era: where the title and the text are, and what inside the text is not the article.

A layout is never edited in place once captures rest on it: a theme that changes gets a new entry. Which one reads a page is told by what the
page shows, never by its date. Three are named after the themes they are taken to be [A]; the selectors for the text are evidence [E], SITE.md.
The last, ``general``, knows only what nearly all WordPress themes share: it reads the layout that nobody has seen yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from selectolax.lexbor import LexborHTMLParser, LexborNode

from archive.sites.sohr.noise import in_furniture


@dataclass(frozen=True, slots=True)
class Layout:
    """One layout. Selectors are tried in order; the first that matches a place of its own (not inside noise) is taken."""

    name: str
    marks: tuple[tuple[bytes, str], ...]  # (word, CSS): any of them shows that the page is of this layout; empty: any page
    body: tuple[str, ...]
    title: tuple[str, ...]
    since: date | None = None
    until: date | None = None


_TITLES = ("h1.entry-title", "h1.wp-block-post-title", "h1.post-title", "h1.single-post-title", "h1[itemprop=headline]", "h1 [itemprop=headline]")

LAYOUTS = (
    Layout(
        "foxiz",
        marks=(
            (b"ruby-table-contents", ".ruby-table-contents"),
            (b"rbct", ".entry-content.rbct"),
            (b"s-title", ".s-title"),
            (b"s-ct", ".s-ct"),
            (b"/themes/foxiz", "link[href*='/themes/foxiz'], script[src*='/themes/foxiz']"),
        ),
        body=("div.entry-content",),
        title=("h1.s-title", *_TITLES),
        since=date(2025, 1, 1),
    ),
    Layout(
        "publisher",
        marks=(
            (b"single-post-content", ".single-post-content"),
            (b"bs-publisher", "body.bs-publisher"),
            (b"/themes/publisher", "link[href*='/themes/publisher'], script[src*='/themes/publisher']"),
        ),
        body=(".single-post-content .entry-content", ".entry-content.single-post-content", ".single-post-content"),
        title=("h1.single-post-title .post-title", "h1.single-post-title", ".single-post-title", "h1 .post-title", *_TITLES),
        since=date(2020, 3, 1),
        until=date(2024, 12, 31),
    ),
    Layout(
        "tielabs",
        marks=(
            (b"the-post", "#the-post"),
            (b"tie-", "#tie-body, #tie-wrapper"),
            (b"entry clearfix", ".entry.clearfix"),
            (b"post-listing", "article.post-listing .entry"),
            (b"/themes/jannah", "link[href*='/themes/jannah'], script[src*='/themes/jannah']"),
            (b"/themes/sahifa", "link[href*='/themes/sahifa'], script[src*='/themes/sahifa']"),
        ),
        body=("div.entry-content.entry", "div.entry-content", ".entry.clearfix", ".post-inner .entry", "#the-post .entry"),
        title=("h1.entry-title [itemprop=name]", "h1.name.post-title", *_TITLES),
        until=date(2020, 3, 31),
    ),
    Layout(
        "general",
        marks=(),
        body=(
            "article .entry-content",
            ".wp-block-post-content",
            "div.entry-content, section.entry-content",
            ".td-post-content",
            ".single-post-content",
            "article .post-content",
            "article .post-entry, article .article-content, article .article-body, article .single-content, article .post-body, article .entry",
            "[itemprop~=articleBody]",
            ".post-content, .post-entry, .article-content, .article-body, .single-content, .post-body, .entry-body, .the-content, .content-inner",
        ),
        title=(*_TITLES, "article h1", "main h1", "h1.title", ".entry-title, .post-title"),
    ),
)


def choose(tree: LexborHTMLParser, html: bytes) -> Layout:
    """The layout a page shows by its marks; `general` where none does. The selector decides; the word spares looking for it in most pages."""
    for layout in LAYOUTS:
        if not layout.marks or any(word in html and tree.css_first(mark) is not None for word, mark in layout.marks):
            return layout
    raise AssertionError("the last layout has no marks")


def find_body(tree: LexborHTMLParser, layout: Layout, scope: LexborNode | None) -> LexborNode | None:
    """The element that holds the article's text: inside ``scope`` where the page names its post, else the first outside furniture."""
    return next((node for node, _ in _find(tree, layout.body, scope, -1)), None)


def find_title(tree: LexborHTMLParser, layout: Layout, scope: LexborNode | None, body: LexborNode | None) -> tuple[LexborNode, str] | None:
    """The headline's element and the selector that found it: beside the text rather than in it, where an author may have set a heading of his own."""
    beside = next(_find(tree, layout.title, scope, body.mem_id if body is not None else -1), None)
    return beside or (next(_find(tree, layout.title, scope, -1), None) if body is not None else None)


def _find(tree: LexborHTMLParser, selectors: tuple[str, ...], scope: LexborNode | None, but: int) -> Iterator[tuple[LexborNode, str]]:
    for place in (scope, tree) if scope is not None else (tree,):
        for selector in selectors:
            for node in place.css(selector):
                if not in_furniture(node, scope if place is scope else None, but):
                    yield node, selector
