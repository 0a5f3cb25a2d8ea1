"""What speaks against an edit, before it is judged: an old copy from a cache, a line that many posts got, a
wall in the place of the text. Pure."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from archive.clock import format_time, parse_time, read_http_date
from archive.model import Capture, Extract, Text
from archive.text.normalise import same_sha256
from archive.thresholds import LOST, SHARED_BY

# Headers in which caches say that they answered from what they hold: X-Cache, CF-Cache-Status, Cache-Status,
# X-LiteSpeed-Cache and their like, and of WordPress.com and Batcache
_CACHE = re.compile(r"(?!.*cache-control$).*cache.*|server-timing|x-ac|x-nananana", re.IGNORECASE)
_HIT = re.compile(r"(?<![a-z])(?:hit|stale|updating)(?![a-z])", re.IGNORECASE)
_DIGITS = re.compile(r"\d+")
SAME_ADDITION = "same_addition"
# Marks of edits that come to many posts where a site was restored or imported anew, or shows teasers: back to
# an earlier text, to the title and text of some other post, to the beginning of the text
FORMER, REPLACED, CUT = "former", "replaced", "cut"
OF_MANY_TEXTS = frozenset((FORMER, REPLACED, CUT))  # posts that share one of these have not the same text
# An addition to many posts is accepted after a day; looks come up to an eighth early
ADDITION_TIME = timedelta(hours=21)


class Held(NamedTuple):
    """Of the newest version: the time of its last edit that its page states, when it was last seen, and the
    header ``Last-Modified`` that came with it."""

    modified_at: str | None
    seen_at: str
    last_modified: str | None = None


def is_stale_copy(capture: Capture, found: Extract, held: Held, *, is_former_text: bool) -> bool:
    """Whether a text that differs from the newest version is an old copy.

    ``Age``, ``Last-Modified`` or the page's modified time says so, or a cache answered with the text of an
    earlier version. A time that lay ahead when the site stated it says nothing: every edit is older.
    """
    if _is_older(found.modified_at, held.modified_at, held.seen_at):
        return True
    made_at = copied_at(capture)
    if made_at is not None and made_at < held.seen_at:
        return True
    dates = (read_http_date(text or "") for text in (capture.header("last-modified"), held.last_modified))
    stated, before = (format_time(date) if date else None for date in dates)
    if _is_older(stated, before, held.seen_at):
        return True
    return is_former_text and any(
        _CACHE.fullmatch(name) and _HIT.search(value) for name, value in capture.headers
    )


def _is_older(stated: str | None, before: str | None, seen_at: str) -> bool:
    """Whether a stated time is older than the one before, which was seen at an instant."""
    if not stated or not before or stated >= before:
        return False
    return before <= format_time(parse_time(seen_at) + timedelta(days=1))  # a local time called UTC is


def copied_at(capture: Capture) -> str | None:
    """When a cache got the answer from the site, by its ``Age``; None if it is no copy."""
    age = capture.header("age") or ""
    if not (age.isascii() and age.isdecimal() and len(age) < 10 and int(age)):
        return None
    return format_time(parse_time(capture.captured_at) - timedelta(seconds=int(age)))


def asks_past_caches(capture: Capture) -> bool:
    """Whether the request asked caches to let it through."""
    sent = {name.lower(): value.lower() for name, value in capture.request_headers}
    return "no-cache" in sent.get("cache-control", "")


def mask(text: str) -> str:
    """A text with each number as ``#``."""
    return _DIGITS.sub("#", text)


def describe_edit(before: Text, found: Extract | Text) -> dict[str, list[str]]:
    """The marks of an edit. Edits of several posts that share one are doubted.

    The whole text with its numbers masked; a title in place of another; each line of a pure addition; each
    line new in a text that lost most; that only its beginning is left; that title and text are those of some
    other post.
    """
    old, new = before.text.split("\n"), found.text.split("\n")
    missing, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
    whole = mask(found.text)
    # Posts that differ in their numbers alone may all be corrected: that is no wall
    marks = [] if whole == mask(before.text) else [f"text {same_sha256('', whole)}"]
    # A wall may name the post that it stands before
    lines = {mask(line.replace(name, "@")) for line in added for name in ("\n", found.title or "\n")}
    if before.title and before.title != found.title:
        beside = _beside(before.title, found.title)
        lines |= {mask(beside)} if beside else set()
        missing[before.title] += not beside
        marks += [] if beside else [f"title {found.title}"]
    if not +missing:
        marks += [f"line {line}" for line in sorted(lines)]
    elif len(found.text) < len(before.text) * LOST.value:
        marks += [f"wall {line}" for line in sorted(lines)]
        if before.text.startswith(found.text.rstrip(" .…[]")):
            marks.append(CUT)
    if _is_another(before.title, found.title) and _is_another(before.text, found.text):
        marks.append(REPLACED)
    return {"marks": marks}


def _beside(before: str, after: str) -> str:
    """What a title got in front of it or after it; empty for any other change."""
    head, part, tail = after.partition(before)
    return (head or tail) if part and not (head and tail) else ""


def _is_another(before: str, after: str) -> bool:
    """Whether a text shares less than half of its words with one that it replaces."""
    old, new = Counter(before.split()), Counter(after.split())
    return (old & new).total() < LOST.value * min(old.total(), new.total())


def find_shared(edits: Sequence[tuple[int, Iterable[str]]]) -> dict[int, str]:
    """Of edits (article and marks), those that share a mark with enough other articles, and that mark."""
    articles: dict[str, set[int]] = defaultdict(set)
    for article_id, marks in edits:
        for name in marks:
            articles[name].add(article_id)
    return {
        article_id: name
        for article_id, marks in edits
        for name in marks
        if len(articles[name]) >= SHARED_BY.value
    }
