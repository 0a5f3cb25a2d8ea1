"""Turn the tree of an article's body into lines: one for each block, in reading order, with its kind.

``<br>`` separates lines, inline elements join. Scripts, forms and what the caller calls noise are skipped,
not removed: the tree is never changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from archive.model import LineKind
from archive.text.wordlists import word_set

# Never text: `button` and `form` hold words for visitors, `svg` annotations, `object` and `video` fall-backs
SKIPPED = word_set(
    """
    script style noscript template iframe form svg button nav object embed video audio canvas map select
    textarea input dialog head title meta link datalist progress meter frameset noembed noframes
    -comment -doctype
    """
)
BLOCKS = word_set(
    """
    p div section article main header footer aside h1 h2 h3 h4 h5 h6 ul ol menu dir li dl dt dd blockquote pre
    figure figcaption table caption thead tbody tfoot tr td th address center fieldset legend details summary
    hgroup search body html hr listing xmp plaintext
    """
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_CAPTION_CLASSES = frozenset(("wp-caption-text", "gallery-caption", "wp-element-caption"))
_RUNS = re.compile(r"[ \t\n\r\f\v]+")  # NBSP and other spaces stay as written
_LAZY = ("data-src", "data-lazy-src", "data-original", "src")


@dataclass(slots=True)
class Raw:
    """A line before the edges are cut. ``linked``: all of it is anchor text; ``tag``: the block around it."""

    text: str
    kind: LineKind
    depth: int
    linked: bool
    tag: str


@dataclass(slots=True)
class Body:
    """What `read_lines` found."""

    lines: list[Raw] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # (href as written, anchor text)
    images: list[str] = field(default_factory=list)  # src as written


class _Context(NamedTuple):
    """What the blocks around a text make of it: kind, depth, the innermost tag, and the number of lists."""

    kind: LineKind = LineKind.PARAGRAPH
    depth: int = 0
    tag: str = ""
    lists: int = 0


def tidy(text: str) -> str:
    """White space as a page shows it: runs are one space, none at either end (NBSP included)."""
    if "  " not in text and text.isprintable():  # nearly every text
        return text.strip()
    return _RUNS.sub(" ", text).strip()


def is_visible(text: str) -> bool:
    """False for a text of white space, bidi marks and other characters without a shape (Word leaves such
    lines)."""
    return text[:1].isalnum() or any(
        not char.isspace() and unicodedata.category(char) not in ("Cf", "Cc", "Cn") for char in text
    )


def inline_text(node: LexborNode) -> str:
    """The text below a node as one line (a title, an author's name)."""
    found = read_lines(node, lambda _node: False, inline=True)
    return found.lines[0].text if found.lines else ""


def read_lines(root: LexborNode, is_noise: Callable[[LexborNode], bool], *, inline: bool = False) -> Body:
    """Walk the tree below ``root`` once, skipping elements that are noise. With ``inline`` all text is one
    line."""
    return _Walk(root, is_noise, inline).run()


class _Walk:
    """An iterative walk: a page may nest deeper than Python recurses."""

    def __init__(self, root: LexborNode, is_noise: Callable[[LexborNode], bool], inline: bool) -> None:
        self.root, self.is_noise, self.inline = root, is_noise, inline
        self.out = Body()
        self.pieces: list[str] = []
        self.linked = 0  # visible characters of the line that are anchor text
        self.context = _Context()
        self.anchor: tuple[str, list[str]] | None = None
        self.cells: list[str] | None = None  # of the table row being read
        self.row_depth = 0
        self.pre = 0

    def run(self) -> Body:
        parents: list[tuple[LexborNode, str, _Context]] = []
        node = self.root.first_child
        while True:
            if node is None:
                if not parents:
                    break
                node, tag, context = parents.pop()
                self.leave(tag)
                self.context = context
                node = node.next
                continue
            tag = node.tag or ""
            if tag == "-text":
                self.text(node.text_content or "")
            elif tag not in SKIPPED and not self.is_noise(node):
                before = self.context
                self.enter(node, tag)
                child = node.first_child
                if child is not None:
                    parents.append((node, tag, before))
                    node = child
                    continue
                self.leave(tag)
                self.context = before
            node = node.next
        self.flush()
        return self.out

    def text(self, text: str) -> None:
        if self.pre and self.cells is None and not self.inline and "\n" in text:
            first, *rest = text.split("\n")
            self.add(first)
            for line in rest:
                self.flush()
                self.add(line)
        else:
            self.add(text)

    def add(self, text: str) -> None:
        self.pieces.append(text)
        if self.anchor is not None:
            self.linked += len(text.strip())
            self.anchor[1].append(text)

    def break_line(self) -> None:
        if self.inline or self.cells is not None:
            self.add(" ")
        else:
            self.flush()

    def flush(self) -> None:
        if not self.pieces:
            return
        text = tidy("".join(self.pieces))
        if is_visible(text):
            whole = self.linked > 0 and self.linked >= sum(len(piece.strip()) for piece in self.pieces)
            self.out.lines.append(Raw(text, self.context.kind, self.context.depth, whole, self.context.tag))
        self.pieces.clear()
        self.linked = 0

    def enter(self, node: LexborNode, tag: str) -> None:
        if tag == "br":
            self.break_line()
        elif tag == "a":
            self.anchor = (node.attributes.get("href") or "", [])
        elif tag == "img":
            self.image(node)
        elif tag in BLOCKS:
            if tag == "tr" and self.cells is None and not self.inline and _is_row(node):
                self.break_line()
                self.context = _Context(LineKind.ROW, 0, tag, self.context.lists)
                self.cells, self.row_depth = [], 0
                return
            if self.cells is not None:
                self.row_depth += tag == "tr"
                self.add(" ")
                if tag in ("td", "th") and not self.row_depth:
                    self.pieces.clear()
                return
            self.break_line()
            self.context = self.inside(node, tag)
            self.pre += tag in ("pre", "listing", "xmp", "plaintext")

    def leave(self, tag: str) -> None:
        if tag == "a" and self.anchor is not None:
            href, pieces = self.anchor
            self.anchor = None
            if href:
                self.out.links.append((href, tidy("".join(pieces))))
        elif tag in BLOCKS and tag != "hr":
            if self.cells is not None:
                self.leave_in_row(tag, self.cells)
                return
            self.break_line()
            self.pre -= tag in ("pre", "listing", "xmp", "plaintext") and self.pre > 0

    def leave_in_row(self, tag: str, cells: list[str]) -> None:
        if tag == "tr" and not self.row_depth:
            text = "\t".join(cells).strip()
            self.cells = None
            self.pieces.clear()
            if is_visible(text):
                self.out.lines.append(Raw(text, LineKind.ROW, 0, False, tag))
            self.linked = 0
        elif tag == "tr":
            self.row_depth -= 1
            self.add(" ")
        elif tag in ("td", "th") and not self.row_depth:
            cells.append(tidy("".join(self.pieces)))
            self.pieces.clear()
        else:
            self.add(" ")

    def inside(self, node: LexborNode, tag: str) -> _Context:
        """What a block makes of its text; the innermost heading, list entry, quote or caption wins."""
        now = self.context
        if tag in _HEADINGS:
            return _Context(LineKind.HEADING, _HEADINGS[tag], tag, now.lists)
        if tag == "li":
            return _Context(LineKind.LIST, max(now.lists, 1), tag, now.lists)
        if tag in _LISTS:
            return _Context(now.kind, now.depth, tag, now.lists + 1)
        if tag == "blockquote":
            return _Context(LineKind.QUOTE, 0, tag, now.lists)
        if tag in ("figcaption", "caption") or not _CAPTION_CLASSES.isdisjoint(
            (node.attributes.get("class") or "").split()
        ):
            return _Context(LineKind.CAPTION, 0, tag, now.lists)
        return _Context(now.kind, now.depth, tag, now.lists)

    def image(self, node: LexborNode) -> None:
        attributes = node.attributes
        classes = (attributes.get("class") or "").split()
        if "emoji" in classes or "wp-smiley" in classes:
            self.add(attributes.get("alt") or "")  # a picture of a character
            return
        for name in _LAZY:
            address = (attributes.get(name) or "").strip()
            if address and not address.startswith("data:"):
                self.out.images.append(address)
                return


def _is_row(row: LexborNode) -> bool:
    """True for a row of data; False for a row that lays out a page (lists or several paragraphs in a
    cell)."""
    cells = [cell for cell in row.iter() if cell.tag in ("td", "th")]
    for cell in cells:
        if cell.css_first("li, h1, h2, h3, h4, h5, h6, blockquote") is not None:
            return False
        if len(cell.css("p")) > (1 if len(cells) == 1 else 2) or (
            len(cells) == 1 and cell.css_first("br") is not None
        ):
            return False
    return True
