"""An independent reading of WordPress's own HTML (REST's ``content.rendered``), for comparison: nothing of
the archive's is used here."""

from __future__ import annotations

import re
from html.parser import HTMLParser

BLOCKS = {
    "p",
    "div",
    "li",
    "ul",
    "ol",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "tr",
    "table",
    "tbody",
    "thead",
    "figure",
    "figcaption",
    "blockquote",
    "br",
    "hr",
    "pre",
    "section",
    "article",
}
SILENT = {"script", "style"}


class _Lines(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = []
        self.here = ""
        self.cells = 0
        self.silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in SILENT:
            self.silent += 1
        if tag in ("td", "th"):
            if self.cells:
                self.here += "\t"
            self.cells += 1
        elif tag in BLOCKS:
            self.flush()
        if tag == "tr":
            self.cells = 0

    def handle_endtag(self, tag: str) -> None:
        if tag in SILENT:
            self.silent -= 1
        if tag in BLOCKS:
            self.flush()

    def handle_data(self, data: str) -> None:
        if not self.silent:
            self.here += re.sub(r"[ \r\n\t\f]+", " ", data)

    def flush(self) -> None:
        line = re.sub(r" *\t *", "\t", re.sub(r" +", " ", self.here)).strip(" \t\n\xa0")
        self.here = ""
        if line:
            self.lines.append(line)


def lines_of(html: str) -> list[str]:
    """The lines of a piece of WordPress HTML, white space at their ends aside."""
    parser = _Lines()
    parser.feed(html)
    parser.close()
    parser.flush()
    return parser.lines


def title_of(html: str) -> str:
    """A rendered title as text."""
    return " ".join(lines_of(html))
