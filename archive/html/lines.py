"""Turn the tree of an article's body into lines: one for each block, in reading order, with its kind.

``<br>`` separates lines, inline elements join. Scripts, forms and what the caller calls noise are skipped,
not removed: the tree is never changed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from selectolax.lexbor import LexborNode

from archive.html.attributes import COUNTERS, find_amount, has_elements, is_pixel, unprotect
from archive.html.tables import Row, Table, is_row
from archive.model import LineKind
from archive.text.wordlists import word_set

# Never text: `button` and `form` hold words for visitors, `svg` annotations, `object` and `video` fall-backs
SKIPPED = word_set(
    """
    script style noscript template iframe form svg button nav object embed video audio canvas map select
    textarea input dialog head title meta link datalist progress meter frameset noembed noframes
    amp-ad amp-analytics amp-audio amp-auto-ads amp-consent amp-embed amp-iframe amp-next-page amp-sidebar
    amp-social-share amp-sticky-ad amp-user-notification amp-video
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
_PREFORMATTED = frozenset(("pre", "listing", "xmp", "plaintext"))
_STRUCK = frozenset(("s", "strike", "del", "rt"))
_BOXES = frozenset(("div", "section", "aside", "article", "figure", "ul", "ol", "li"))
# Nothing is shown in their place
_UNSEEN = frozenset(("script", "style", "noscript", "template", "-comment", "-doctype", "meta", "link"))
_BLOCK_STYLE = re.compile(r"display\s*:\s*(?:block|flex|grid|table|list-item)\b", re.IGNORECASE)
_SCRIPTS = {
    "sup": str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"),
    "sub": str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"),
}
_BUTTON = re.compile(r"(?:^|[\s_-])(?:button|btn)(?:$|[\s_-])")
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_LISTS = frozenset(("ul", "ol", "menu", "dir"))
_CAPTION_CLASSES = frozenset(("wp-caption-text", "gallery-caption", "wp-element-caption"))
_RUNS = re.compile(r"[ \t\n\r\f\v]+")  # NBSP and other spaces stay as written
_LAZY = ("data-src", "data-lazy-src", "data-original", "src")

Attributes = Mapping[str, str | None]
IsNoise = Callable[[LexborNode, str, Attributes], bool]  # of an element, its tag and attributes


@dataclass(slots=True)
class Raw:
    """A line before the edges are cut."""

    text: str
    kind: LineKind
    depth: int
    linked: bool  # all of it is anchor text
    tag: str  # the block around it
    bare: bool = False  # that block has no attributes, and nothing inside it is marked up
    hrefs: tuple[str, ...] = ()  # of its links, as written
    anchor: str = ""  # the text of its last link
    plain: int = 0  # visible characters outside of links, if it has any
    boxes: tuple[int, ...] = ()  # the two innermost containers around it, below the root
    is_beside_form: bool = False  # one of them holds a form too
    is_within: bool = False  # a caller knows that it leads to a place in the page

    @property
    def href(self) -> str:
        """Where all links of the line lead; "" if it has none, or several."""
        return self.hrefs[0] if len(self.hrefs) == 1 else ""


@dataclass(slots=True)
class Body:
    """What `read_lines` found."""

    lines: list[Raw] = field(default_factory=list)
    links: list[tuple[str, str]] = field(default_factory=list)  # (href as written, anchor text)
    images: list[tuple[str, str]] = field(default_factory=list)  # src and href of the link around it, or ""
    skipped: list[LexborNode] = field(default_factory=list)  # elements that are noise


class _Context(NamedTuple):
    """What the blocks around a text make of it: kind, depth, the innermost tag, and the number of lists."""

    kind: LineKind = LineKind.PARAGRAPH
    depth: int = 0
    tag: str = ""
    lists: int = 0
    bare: bool = True
    boxes: tuple[int, ...] = ()


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
    found = read_lines(node, inline=True)
    return found.lines[0].text if found.lines else ""


def read_lines(root: LexborNode, is_noise: IsNoise | None = None, *, inline: bool = False) -> Body:
    """Walk the tree below ``root`` once, skipping elements that are noise. With ``inline`` all text is one
    line."""
    return _Walk(root, is_noise, inline).run()


class _Walk:
    """An iterative walk: a page may nest deeper than Python recurses."""

    def __init__(self, root: LexborNode, is_noise: IsNoise | None, inline: bool) -> None:
        self.root, self.is_noise, self.inline = root, is_noise, inline
        self.out = Body()
        self.pieces: list[str] = []
        self.linked = 0  # visible characters of the line that are anchor text
        self.hrefs: dict[str, None] = {}  # of the line
        self.anchor_text = ""  # of the last link of the line
        self.is_marked = False  # the line has inline elements
        self.context = _Context()
        self.anchor: tuple[str, list[str]] | None = None
        self.row: Row | None = None  # being read
        self.tables: list[Table] = []
        self.pre = 0
        self.script: dict[int, int] | None = None  # of sup and sub
        self.has_protected = not inline and root.css_first("[data-cfemail]") is not None  # e-mail addresses
        self.has_counters = not inline and root.css_first(COUNTERS) is not None
        self.splits: Callable[[str], bool] | None = None  # characters that must not join here
        self.forms: set[int] = set()  # containers with a form

    def run(self) -> Body:
        parents: list[tuple[LexborNode, str, _Context]] = []
        node = self.root.first_child
        while True:
            if node is None:
                if not parents:
                    break
                node, tag, context = parents.pop()
                self.leave(node, tag)
                self.context = context
                node = node.next
                continue
            tag = node.tag or ""
            if tag == "-text":
                self.text(node.text_content or "")
            elif (attributes := self.attributes_to_read(node, tag)) is not None:
                before = self.context
                self.enter(node, tag, attributes)
                child = self.child_to_read(node, attributes)
                if child is not None:
                    parents.append((node, tag, before))
                    node = child
                    continue
                self.leave(node, tag)
                self.context = before
            node = node.next
        self.flush()
        if self.forms:
            for line in self.out.lines:
                line.is_beside_form = not self.forms.isdisjoint(line.boxes)
        return self.out

    def attributes_to_read(self, node: LexborNode, tag: str) -> Attributes | None:
        """The attributes of an element; None if it is skipped."""
        if tag in SKIPPED and not (tag == "button" and self.is_heading_of_accordion(node)):
            if tag not in _UNSEEN:
                self.splits = self.splits or str.isdecimal
            if tag == "form":
                self.forms.update(self.context.boxes)
            return None
        attributes = node.attributes
        if attributes and self.is_noise and self.is_noise(node, tag, attributes):
            self.out.skipped.append(node)
            self.splits = self.splits or str.isdecimal
            return None
        if self.has_protected and (hidden := attributes.get("data-cfemail")):
            self.add(unprotect(hidden) or node.text())
            return None
        return attributes

    def child_to_read(self, node: LexborNode, attributes: Attributes) -> LexborNode | None:
        """The first child; None if an attribute says what the element shows."""
        if self.has_counters and (amount := find_amount(node, attributes)):
            self.add(amount)
            return node.first_child if has_elements(node) else None
        return node.first_child

    def is_heading_of_accordion(self, button: LexborNode) -> bool:
        names = button.attributes.get("class") or ""
        return self.context.kind is LineKind.HEADING or "accordion" in names.casefold()

    def text(self, text: str) -> None:
        if self.pre and self.row is None and not self.inline and "\n" in text:
            first, *rest = text.split("\n")
            self.add(first)
            for line in rest:
                self.flush()
                self.add(line)
        else:
            self.add(text)

    def add(self, text: str) -> None:
        if self.splits is not None and text:
            last = self.pieces[-1][-1:] if self.pieces else ""
            if last and self.splits(last) and self.splits(text[0]):
                if self.script is not None:
                    text = text.translate(self.script)  # 10<sup>2</sup> is not 102
                else:
                    self.pieces.append(" ")
            self.splits = None
        self.pieces.append(text)
        if self.anchor is not None:
            self.anchor[1].append(text)
            if visible := len(text.strip()):
                self.linked += visible
                self.hrefs[self.anchor[0]] = None
                self.anchor_text = "".join(self.anchor[1])

    def break_line(self) -> None:
        if self.inline or self.row is not None:
            self.add(" ")
        elif self.pieces:
            self.flush()

    def flush(self) -> None:
        if not self.pieces:
            return
        whole = "".join(self.pieces)  # mostly white space between two blocks
        text = "" if whole.isspace() else tidy(whole)
        if text and is_visible(text):
            now = self.context
            line = Raw(text, now.kind, now.depth, False, now.tag, now.bare and not self.is_marked)
            line.boxes = now.boxes
            if self.linked:
                line.plain = max(0, sum(len(piece.strip()) for piece in self.pieces) - self.linked)
                line.linked = not line.plain
                line.hrefs, line.anchor = tuple(self.hrefs), tidy(self.anchor_text)
            self.out.lines.append(line)
        self.start_line()

    def start_line(self) -> None:
        self.pieces.clear()
        self.is_marked = False
        if self.linked:
            self.linked = 0
            self.hrefs.clear()
        if self.anchor is not None and self.anchor[1]:
            self.out.links.append((self.anchor[0], tidy("".join(self.anchor[1]))))
            self.anchor = (self.anchor[0], [])

    def enter(self, node: LexborNode, tag: str, attributes: Attributes) -> None:
        if tag in BLOCKS:
            if self.row is not None or tag in ("tr", "table"):
                self.enter_table(node, tag, attributes)
            else:
                self.break_line()
                self.context = self.inside(node, tag, attributes)
                self.pre += tag in _PREFORMATTED
        elif tag == "br":
            self.break_line()
        elif tag == "a":
            self.anchor = (attributes.get("href") or "", [])
            if _BUTTON.search(attributes.get("class") or ""):
                self.splits = str.isalnum
        elif tag == "img":
            self.image(attributes)
        else:
            self.is_marked = True
            if attributes and _BLOCK_STYLE.search(attributes.get("style") or ""):
                self.break_line()
            self.split_inline(tag)

    def split_inline(self, tag: str) -> None:
        """Keep what is raised, lowered or struck out from joining the numbers beside it."""
        if tag in _SCRIPTS:
            self.script = None if self.script is not None else _SCRIPTS[tag]
            self.splits = str.isdecimal
        elif tag in _STRUCK:
            self.splits = str.isalnum if tag == "del" else str.isdecimal

    def enter_table(self, node: LexborNode, tag: str, attributes: Attributes) -> None:
        if self.row is not None:
            self.row.depth += tag == "tr"
            self.add(" ")
            if tag in ("td", "th") and not self.row.depth:
                self.row.start_cell()
                self.pieces.clear()
            return
        self.break_line()
        if tag == "tr" and not self.inline and is_row(node):
            self.context = _Context(LineKind.ROW, 0, tag, self.context.lists, boxes=self.context.boxes)
            self.row = Row(self.tables[-1] if self.tables else Table())
            return
        if tag == "table":
            self.tables.append(Table())
        self.context = self.inside(node, tag, attributes)

    def leave(self, node: LexborNode, tag: str) -> None:
        if tag in BLOCKS:
            if self.row is not None:
                self.leave_in_row(node, tag, self.row)
            elif tag != "hr":
                self.break_line()
                if self.tables:
                    self.leave_table(tag, self.tables[-1])
                if self.pre and tag in _PREFORMATTED:
                    self.pre -= 1
        elif tag != "a":
            self.split_inline(tag)
        elif self.anchor is not None:
            href, pieces = self.anchor
            self.anchor = None
            if href and (pieces or not self.out.links or self.out.links[-1][0] != href):
                self.out.links.append((href, tidy("".join(pieces))))

    def leave_table(self, tag: str, table: Table) -> None:
        if tag == "tr":
            table.end_row()
        elif tag in ("thead", "tbody", "tfoot"):
            table.spans.clear()
        elif tag == "table":
            self.tables.pop()

    def leave_in_row(self, node: LexborNode, tag: str, row: Row) -> None:
        if tag == "tr" and not row.depth:
            text = row.text()
            row.table.end_row()
            self.row = None
            self.pieces.clear()
            if is_visible(text):
                self.out.lines.append(Raw(text, LineKind.ROW, 0, False, tag, hrefs=tuple(self.hrefs)))
            self.start_line()
        elif tag == "tr":
            row.depth -= 1
            self.add(" ")
        elif tag in ("td", "th") and not row.depth:
            row.end_cell(tidy("".join(self.pieces)), node.attributes)
            self.pieces.clear()
        else:
            self.add(" ")

    def inside(self, node: LexborNode, tag: str, attributes: Attributes) -> _Context:
        """What a block makes of its text; the innermost heading, list entry, quote or caption wins."""
        now = self.context
        boxes = (*now.boxes[-1:], node.mem_id) if tag in _BOXES else now.boxes
        if tag in _HEADINGS:
            return _Context(LineKind.HEADING, _HEADINGS[tag], tag, now.lists, True, boxes)
        if tag == "li":
            return _Context(LineKind.LIST, max(now.lists, 1), tag, now.lists, True, boxes)
        if tag in _LISTS:
            return _Context(now.kind, now.depth, tag, now.lists + 1, True, boxes)
        if tag == "blockquote":
            return _Context(LineKind.QUOTE, 0, tag, now.lists, True, boxes)
        names = attributes.get("class") or ""
        if tag in ("figcaption", "caption") or not _CAPTION_CLASSES.isdisjoint(names.split()):
            return _Context(LineKind.CAPTION, 0, tag, now.lists, True, boxes)
        return _Context(now.kind, now.depth, tag, now.lists, not attributes, boxes)

    def image(self, attributes: Attributes) -> None:
        classes = (attributes.get("class") or "").split()
        if "emoji" in classes or "wp-smiley" in classes:
            self.add(attributes.get("alt") or "")  # a picture of a character
            return
        if is_pixel(attributes):
            return
        self.splits = self.splits or str.isdecimal
        for name in _LAZY:
            address = (attributes.get(name) or "").strip()
            if address and not address.startswith("data:"):
                self.out.images.append((address, self.anchor[0] if self.anchor else ""))
                return
