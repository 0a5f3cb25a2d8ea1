"""Pages of other sites, and a second opinion on ours: what trafilatura finds on a whole page, as lines.

Never with ``deduplicate=True``: it keeps state between calls, and the second reading of a page would be
empty. trafilatura is imported at the first page that needs it, for it takes half a second; nothing here reads
a clock, so that a rebuild decides the same.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from importlib.metadata import version
from typing import Any

from selectolax.lexbor import LexborHTMLParser, SelectolaxError

from archive.extract.page import EXTRACTOR, HEAVY, NO_PARSE
from archive.html.bounds import is_heavy, is_hostile
from archive.html.decode import Cut, TooLarge, Undecodable, decode_body, to_utf8
from archive.html.lines import Raw, inline_text, is_visible, tidy
from archive.model import APART, Capture, Claim, Extract, Kind, Line, LineKind, Unextractable
from archive.sites.addresses_elsewhere import clean, is_front
from archive.sites.sohr import boilerplate
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress import metadata, refusals
from archive.warc.gzip_members import payload_sha256

LAYOUT = "trafilatura"  # what stands in the place of a layout's name
MAX_PAGE = 4 * 2**20  # bytes in UTF-8; an article has a tenth of it
MAX_TAGS = 200_000  # a liveblog of a day has a tenth of it
# A page with more is read apart; 181 public news pages have 3,229 at most, and at the bound the worst shape
# found takes 0.3 s
HEAVY_TAGS = 4_000
# A challenge or an error page has fewer; an article behind the same network has more, and the same marks in
# its scripts
FEW_WORDS = 100
FEWEST_OF_ALL = 10  # words of a text; what trafilatura makes of a page without one is a menu or a notice
# Articles of the site that are read a second time: 15 ms each, so 0.15 ms a page; of 400 new posts a day
# four, of all looks eighty
ONE_IN = 100
DISAGREE = 0.4  # F1 of 4-word shingles; see docs/extraction.md for what the layouts' own pages score
CROSS_CHECK = "cross_check"  # reason of the failures that a disagreement is written down as
FEWEST = 30  # words: below this the overlap of two texts says little

_HTML = re.compile(rb"<\s*(?:!doctype\s+html|html|head|body|title|meta|div|p|article)\b", re.IGNORECASE)
_WORD = re.compile(r"\w+")
_KINDS = {"item": LineKind.LIST, "head": LineKind.HEADING, "quote": LineKind.QUOTE}
_BLOCKS = frozenset(
    ("p", "head", "item", "quote", "list", "table", "row", "cell", "code", "body", "main", "div", "fw", "ab")
)


@cache
def extractor() -> str:
    """Release of this reading: ours and trafilatura's, so that an upgrade of either is never taken for an
    edit."""
    return f"{EXTRACTOR}+trafilatura-{version('trafilatura')}"


def extract_general(capture: Capture, site: Site, *, apart: bool = False) -> Extract | Unextractable:
    """Read one page of another site. ``site`` is the archive's own: addresses of it are what the page may be
    a copy of.

    ``apart`` as for `archive.extract.page.extract`.
    """
    html = _document(capture, apart=apart)
    if isinstance(html, Unextractable):
        return html
    try:
        tree = LexborHTMLParser(html)
    except (SelectolaxError, ValueError) as error:
        return Unextractable("hostile", f"{NO_PARSE}: {error}")
    lines, found = read_lines(html.decode("utf-8", "replace"))
    text = "\n".join(line.text for line in lines)
    if len(_WORD.findall(text)) < FEW_WORDS:
        refused = refusals.by_text(capture, html[:65_536].decode("utf-8", "ignore"))
        if refused:
            return Unextractable(*refused)
    if is_front(clean(capture.url) or ""):
        return Unextractable("listing", "the front page of a site is no article")
    stated = metadata.read_head(capture, html, tree, site, None)
    title, origin = _title(tree, stated)
    links = [(url, words) for href, words in found if (url := metadata.absolute(href, capture.url))]
    kept = boilerplate.cut(lines, title, site, links)
    if kept.lines and _same(kept.lines[0].text, title):
        del kept.lines[0]
    if len(_WORD.findall(" ".join(line.text for line in kept.lines))) < FEWEST_OF_ALL:
        return Unextractable("layout", "no text of an article was found on this page", title or None)
    stated.claims.insert(0, Claim("title", title, origin))
    named = _post_named(kept.source_url, site)
    if named and all(site.parse(url) != named for url, _ in links):
        links.append((kept.source_url or "", ""))
    return Extract(
        title=title,
        lines=tuple(Line(line.text, line.kind, line.depth) for line in kept.lines),
        layout=LAYOUT,
        extractor=extractor(),
        canonical_url=stated.first("canonical_url"),
        published_at=stated.first("published_at"),
        modified_at=stated.first("modified_at"),
        day=stated.first("day"),
        author=stated.first("author") or stated.first("meta_author"),
        language=stated.first("language"),
        categories=stated.all("meta_category"),
        tags=stated.all("meta_tag"),
        links=tuple(dict.fromkeys(links)),
        source_outlet=kept.source_outlet,
        source_url=kept.source_url,
        is_syndicated=bool(kept.source_url or kept.source_outlet),
        notes=tuple(kept.notes),
        claims=tuple(stated.claims),
    )


def _document(capture: Capture, *, apart: bool) -> bytes | Unextractable:
    """The page in UTF-8, or why it is none that may be read."""
    known = refusals.by_status(capture)
    if known:
        return Unextractable(*known)
    if capture.truncated:
        return Unextractable("truncated", f"the body was cut ({capture.truncated})")
    try:
        html = to_utf8(capture, decode_body(capture, MAX_PAGE))
    except Cut as error:
        return Unextractable("truncated", str(error))
    except Undecodable as error:
        return Unextractable("hostile" if isinstance(error, TooLarge) else "not_html", str(error))
    if not _HTML.search(html[:16_384]):
        refused = refusals.by_text(capture, html[:65_536].decode("utf-8", "ignore"))
        kind = capture.header("content-type") or "nothing"
        return (
            Unextractable(*refused)
            if refused
            else Unextractable("not_html", f"the server calls it {kind}, {len(html)} bytes")
        )
    if not 200 <= capture.status < 300 or (capture.header("cf-mitigated") or "").lower() == "challenge":
        refused = refusals.by_text(capture, html[:65_536].decode("utf-8", "ignore"))
        return Unextractable(*(refused or ("error", f"status {capture.status}")))
    if not apart and is_heavy(html, HEAVY_TAGS):
        return Unextractable(APART, HEAVY)
    return hostile if (hostile := _unbearable(html)) else html


def _unbearable(html: bytes) -> Unextractable | None:
    tags = html.count(b"<")
    why = is_hostile(html) or (f"{tags:,} tags, more than {MAX_TAGS:,}" if tags > MAX_TAGS else None)
    return Unextractable("hostile", why) if why else None


def _post_named(url: str | None, site: Site) -> object:
    address = site.parse(url) if url else None
    return address if address is not None and address.kind in (Kind.ARTICLE, Kind.SLUG) else None


# ---- title


def _title(tree: LexborHTMLParser, stated: metadata.Stated) -> tuple[str, str]:
    """The headline and where it is stated: the page's ``h1`` that its own metadata confirms, else metadata,
    less the site's name."""
    headline = next((claim.value for claim in stated.claims if claim.origin == "json-ld:headline"), None)
    stating = [
        (stated.og_title, "meta:og:title"),
        (headline, "json-ld:headline"),
        (stated.site_title, "title"),
    ]
    headings = [text for node in tree.css("h1") if (text := inline_text(node))]
    confirmed = [
        text for text in headings if any(value and _plain(text) in _plain(value) for value, _ in stating)
    ]
    named = _plain(stated.site_name or "")
    confirmed = [text for text in confirmed if _plain(text) != named]
    if confirmed:
        return max(confirmed, key=len), "h1"
    for value, origin in stating:
        if value:
            return _without_site(value, named), origin
    return (headings[0], "h1") if len(headings) == 1 else ("", "h1")


def _without_site(title: str, named: str) -> str:
    for mark in (" • ", " – ", " — ", " | ", " - ", " » "):
        before, found, after = title.rpartition(mark)
        if found and named and _plain(after) == named:
            return tidy(before)
    return title


def _plain(text: str) -> str:
    return re.sub(r"\W+", " ", text).strip().casefold()


def _same(text: str, title: str) -> bool:
    return bool(title) and _plain(text) == _plain(title)


# ---- text


def read_lines(html: str) -> tuple[list[Raw], list[tuple[str, str]]]:
    """The main text of a page as lines, and the links in it, as trafilatura finds them with its settings for
    precision."""
    from trafilatura import bare_extraction  # lazy: see the module's docstring

    document: Any = bare_extraction(
        html,
        favor_precision=True,
        include_comments=False,
        include_tables=True,
        include_links=True,
        include_formatting=True,
        deduplicate=False,
        with_metadata=False,
    )
    walk = _Walk()
    if document is not None and document.body is not None:
        walk.element(document.body, LineKind.PARAGRAPH, 0, "p")
        walk.flush(LineKind.PARAGRAPH, 0, "p")
    return walk.lines, walk.links


class _Walk:
    """trafilatura's small tree -> lines: each block, and each part of one between line breaks, is a line."""

    def __init__(self) -> None:
        self.lines: list[Raw] = []
        self.links: list[tuple[str, str]] = []
        self._pieces: list[str] = []
        self._linked = 0

    def element(self, node: Any, kind: LineKind, depth: int, tag: str) -> None:
        """One element with all that is in it; what stands around it is of ``kind``."""
        name = node.tag if isinstance(node.tag, str) else ""
        if name == "lb":
            self.flush(kind, depth, tag)
        elif name == "row":
            self.flush(kind, depth, tag)
            self._row(node)
        elif name == "ref":
            words = tidy("".join(node.itertext()))
            if target := node.get("target"):
                self.links.append((target, words))
            self._pieces.append("".join(node.itertext()))
            self._linked += len(words)
        elif name and name != "graphic":
            block = name in _BLOCKS
            inner = (kind, depth, tag)
            if block:
                self.flush(kind, depth, tag)
                inner = self._inside(node, name, kind, depth)
            self._text(node.text, block=block)
            for child in node:
                self.element(child, *inner)
                self._text(child.tail, block=block)
            if block:
                self.flush(*inner)

    def _inside(self, node: Any, name: str, kind: LineKind, depth: int) -> tuple[LineKind, int, str]:
        if name == "list":
            return kind, depth + 1 if kind is LineKind.LIST else 1, name
        if name == "head":
            level = (node.get("rend") or "")[1:]
            return LineKind.HEADING, int(level) if level.isdigit() else 2, name
        if name == "item":
            return LineKind.LIST, max(depth, 1), name
        if name == "quote":
            return LineKind.QUOTE, 0, name
        return kind, depth if kind in (LineKind.LIST, LineKind.HEADING) else 0, name

    def _text(self, text: str | None, *, block: bool) -> None:
        if text:
            self._pieces.append(text)

    def _row(self, row: Any) -> None:
        cells = [tidy(" ".join(cell.itertext())) for cell in row]
        text = "\t".join(cells).strip()
        self.links += [
            (ref.get("target"), tidy("".join(ref.itertext()))) for ref in row.iter("ref") if ref.get("target")
        ]
        if is_visible(text):
            self.lines.append(Raw(text, LineKind.ROW, 0, False, "tr"))

    def flush(self, kind: LineKind, depth: int, tag: str) -> None:
        """End the line."""
        whole = sum(len(piece.strip()) for piece in self._pieces)
        text = tidy("".join(self._pieces))
        if is_visible(text):
            self.lines.append(Raw(text, kind, depth, 0 < whole <= self._linked, tag))
        self._pieces.clear()
        self._linked = 0


# ---- a second opinion


def is_sampled(capture: Capture) -> bool:
    """Whether a page of the site is read a second time: decided by its bytes, so that a rebuild decides
    alike."""
    return int(payload_sha256(capture.body)[:8], 16) % ONE_IN == 0


def second_opinion(capture: Capture, found: Extract) -> str | None:
    """`cross_check` of a page that is sampled."""
    return cross_check(capture, found) if is_sampled(capture) else None


def cross_check(capture: Capture, found: Extract) -> str | None:
    """A sentence where trafilatura reads a very different text on the whole page: a sign that a layout
    drifts, and never a text."""
    if len(_WORD.findall(found.text)) < FEWEST:
        return None
    html = _document(capture, apart=False)  # a heavy page is none for a sample
    if isinstance(html, Unextractable):
        return None
    lines, _ = read_lines(html.decode("utf-8", "replace"))
    other = "\n".join(line.text for line in lines)
    if len(_WORD.findall(other)) < FEWEST:
        return None  # it found nothing to speak of: short posts are often beyond it
    score = overlap(found.text, other)
    if score >= DISAGREE:
        return None
    return f"layout {found.layout} and trafilatura agree on {score:.0%} of the text ({len(found.text)} and {len(other)} characters)"


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """The multiset of 4 words in a row; of all words where there are fewer."""
    words = _WORD.findall(text)
    return Counter(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3))) if words else Counter()


def overlap(one: str, other: str) -> float:
    """F1 of the 4-word shingles of two texts, from 0 to 1."""
    a, b = shingles(one), shingles(other)
    common = (a & b).total()
    return 2 * common / (a.total() + b.total()) if common else 0.0
