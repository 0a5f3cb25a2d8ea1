"""Articles that all say the same: a cookie wall, a subscription wall, a cache that serves one page for all
addresses. Each is a page that reads well, and together they are no news of anybody. What looks so is kept as
evidence and makes no version until a person has looked.

A rule of what came before, so that a rebuild decides alike. It is slow to accuse: agencies repeat standard
sentences, and a statement is posted twice by mistake. The first two of a kind have made versions by then; a
text that was once recognised makes none any more.
"""

from __future__ import annotations

import json
from typing import Any, Protocol

from archive.text.normalise import same_sha256
from archive.thresholds import SAME_TEXT_ARTICLES, SAME_TEXT_LENGTH, SAME_TEXT_WINDOW

WINDOW, ALIKE, LONG = SAME_TEXT_WINDOW.value, SAME_TEXT_ARTICLES.value, SAME_TEXT_LENGTH.value
TRUSTED = "trusted"
_WINDOW_KEY, _MARK = "alike", "alike:"


class Facts(Protocol):
    """Where the rule keeps what it knows: `archive.store.rows.Store`."""

    def about(self, key: str) -> str | None:
        """A fact about the archive."""

    def set_about(self, key: str, value: str) -> None:
        """Write a fact down."""

    def query(self, sql: str, *values: object) -> list[Any]:
        """Rows of a question."""


def alike(facts: Facts, article_id: int, text: str, layout: str) -> str | None:
    """Why a text that would make a version is not trusted, as a sentence; None where nothing speaks against
    it. Takes note of the reading."""
    digest = same_sha256("", text)
    if (known := facts.about(_MARK + digest)) == TRUSTED:
        return None
    window = [
        (int(other), str(of))
        for other, of in json.loads(facts.about(_WINDOW_KEY) or "[]")
        if other != article_id
    ]
    window = [*window, (article_id, digest)][-WINDOW:]
    facts.set_about(_WINDOW_KEY, json.dumps(window, separators=(",", ":")))
    same = sum(of == digest for _, of in window)
    if known is None and (same < ALIKE or (len(text) < LONG and same * 2 < len(window))):
        return None
    if known is None:
        facts.set_about(_MARK + digest, layout)
    return said_by_many(layout)


def articles_with(facts: Facts, text: str) -> list[int]:
    """The articles of the last readings that said this text."""
    digest = same_sha256("", text)
    return [int(other) for other, of in json.loads(facts.about(_WINDOW_KEY) or "[]") if of == digest]


def said_by_many(layout: str) -> str:
    """The sentence that stands with such a capture."""
    return f"layout {layout} reads the same text on this page as on others"


def is_marked(facts: Facts, text: str) -> bool:
    """Whether a text was recognised as one that stands on many pages, and nobody has trusted it."""
    return facts.about(_MARK + same_sha256("", text)) not in (None, TRUSTED)


def is_trusted(facts: Facts, text: str) -> bool:
    """Whether a text was recognised as one that stands on many pages, and a person has trusted it."""
    return facts.about(_MARK + same_sha256("", text)) == TRUSTED


def trust(facts: Facts, layout: str) -> None:
    """A person has looked at what a layout read, and it is what the articles say."""
    for row in facts.query("select key from about where key like 'alike:%' and value = ?", layout):
        facts.set_about(row[0], TRUSTED)
