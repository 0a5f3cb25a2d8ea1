"""Check a layout: compare its text with the one that trafilatura finds on the whole page."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from archive.model import Capture, Extract, Unextractable
from archive.warc.gzip_members import payload_sha256

ONE_IN = 100  # pages that are checked: 15 ms each, so 0.15 ms a page
DISAGREE = 0.4  # F1 of 4-word shingles; docs/extraction.md says what the layouts' own pages score
CROSS_CHECK = "cross_check"  # reason of the failures that record a disagreement
FEWEST_SURE = 60  # words of a text that a disagreement refuses: of 226 shorter posts ten would wait
FEWEST_WORDS = 30  # the overlap of shorter texts says little
GENERAL = "general"  # the layout for unknown themes
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Check:
    """What a record says of the second opinion on a page: how it disagrees, or None if it agrees."""

    drift: str | None


def is_sampled(capture: Capture) -> bool:
    """True for one page in `ONE_IN`. Decided by its bytes, so a rebuild decides alike."""
    return int(payload_sha256(capture.body)[:8], 16) % ONE_IN == 0


def is_to_be_checked(found: Extract) -> bool:
    """True for a text that `general` read: without agreement it may be a teaser or a box."""
    return found.layout == GENERAL and len(_WORD.findall(found.text)) >= FEWEST_WORDS


def is_sure(found: Extract) -> bool:
    """True for a text long enough that a disagreement refuses it."""
    return len(_WORD.findall(found.text)) >= FEWEST_SURE


def is_beyond_checking(found: Extract) -> bool:
    """True for a text that `general` read and that is too short for a second opinion."""
    return found.layout == GENERAL and not is_to_be_checked(found)


def cross_check(capture: Capture, found: Extract) -> str | None:
    """A sentence if trafilatura finds a very different text; None if they agree or it cannot be checked."""
    if len(_WORD.findall(found.text)) < FEWEST_WORDS:
        return None
    from archive.extract.document import open_document  # on first use, as in `Reader.read`
    from archive.extract.other_sites import BOUNDS, find_main_text

    html = open_document(capture, BOUNDS, apart=False)
    if isinstance(html, Unextractable):
        return None
    lines, _ = find_main_text(html)
    other = "\n".join(line.text for line in lines)
    if len(_WORD.findall(other)) < FEWEST_WORDS:
        return None  # short posts are often beyond it
    score = overlap(found.text, other)
    if score >= DISAGREE:
        return None
    sizes = f"{len(found.text)} and {len(other)} characters"
    return f"layout {found.layout} and trafilatura agree on {score:.0%} of the text ({sizes})"


def shingles(text: str) -> Counter[tuple[str, ...]]:
    """The multiset of 4 words in a row, or of all words if there are fewer."""
    words = _WORD.findall(text)
    return Counter(tuple(words[at : at + 4]) for at in range(max(1, len(words) - 3))) if words else Counter()


def overlap(one: str, other: str) -> float:
    """F1 of the 4-word shingles of two texts, from 0 to 1."""
    a, b = shingles(one), shingles(other)
    common = (a & b).total()
    return 2 * common / (a.total() + b.total()) if common else 0.0
