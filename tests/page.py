"""A page as a reader sees it: tests look for text, links, headings and tables, not for markup."""

from __future__ import annotations

import re
from functools import cached_property

from selectolax.lexbor import LexborHTMLParser, LexborNode

_ROLES = {
    "heading": "h1, h2, h3, h4, h5, h6",
    "link": "a[href]",
    "button": "button",
    "row": "tr",
    "item": "li",
    "picture": 'svg[role="img"]',
    "article": "article",
    "field": "input, select, textarea",
    "removed": "del",
    "added": "ins",
    "mark": "mark",
    "code": "code",
}


def words(node: LexborNode) -> str:
    """The text of an element, white space as a reader sees it. Words of neighbouring blocks stay apart."""
    parts = []
    for inner in node.traverse(include_text=True):
        if inner.tag == "-text":
            parts.append(inner.text(deep=False) or "")
        elif inner.tag in ("p", "li", "td", "th", "tr", "h1", "h2", "h3", "dt", "dd", "div", "br", "time"):
            parts.append(" ")
    return re.sub(r"\s+", " ", "".join(parts)).strip()


class Page:
    """An HTML page; `role` finds its elements, `text` is everything that it says."""

    def __init__(self, html: str) -> None:
        self.html = html
        self.tree = LexborHTMLParser(html)

    @cached_property
    def text(self) -> str:
        """All words of the page."""
        assert self.tree.body is not None
        return words(self.tree.body)

    def role(self, role: str, text: str = "", within: str = "") -> list[LexborNode]:
        """Elements of a role whose words contain a text."""
        selector = ", ".join(f"{within} {one}" for one in _ROLES[role].split(", "))
        return [node for node in self.tree.css(selector) if text in words(node)]

    def texts(self, role: str, within: str = "") -> list[str]:
        """The words of all elements of a role."""
        return [words(node) for node in self.role(role, within=within)]

    def link(self, text: str) -> str:
        """The address of the first link with these words."""
        links = self.role("link", text)
        assert links, f"no link says {text!r}: {self.texts('link')}"
        return links[0].attributes["href"] or ""

    @property
    def addresses(self) -> list[str]:
        """The addresses of all links."""
        return [node.attributes["href"] or "" for node in self.role("link")]

    @property
    def rows(self) -> list[list[str]]:
        """The cells of all table rows."""
        return [[words(cell) for cell in row.css("th, td")] for row in self.role("row")]
