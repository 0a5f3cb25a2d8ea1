"""Articles that all say the same: a cookie wall, a subscription wall, a cache that serves one page for all.

Each reads well, and together they are no news of anybody. Such a text is kept as evidence and makes no
version until a person has looked. The rule follows from what came before, so a rebuild decides alike.

It is slow to accuse, for agencies repeat standard sentences and a statement is posted twice by mistake: the
first two new posts with such a text have versions by then. Those are retracted once the text is long, or
fills half of the window.
"""

from __future__ import annotations

import json

from archive.model import Extract, Text
from archive.store.rows import Store
from archive.text.normalise import same_sha256
from archive.thresholds import SAME_TEXT_ARTICLES, SAME_TEXT_LENGTH, SAME_TEXT_WINDOW

WINDOW, ALIKE, LONG = SAME_TEXT_WINDOW.value, SAME_TEXT_ARTICLES.value, SAME_TEXT_LENGTH.value
TRUSTED = "trusted"
_WINDOW_KEY, _MARK = "alike", "alike:"  # in the table `about`


def distrust_repeated(store: Store, article_id: int, text: str, layout: str) -> str | None:
    """Record this text; return why it is not trusted, or None."""
    digest = same_sha256("", text)
    if (known := store.about(_MARK + digest)) == TRUSTED:
        return None
    window = [(other, of) for other, of in _last_texts(store) if other != article_id]
    window = [*window, (article_id, digest)][-WINDOW:]
    store.set_about(_WINDOW_KEY, json.dumps(window, separators=(",", ":")))
    if known is None:
        same = sum(of == digest for _, of in window)
        if same < ALIKE or (len(text) < LONG and same * 2 < len(window)):
            return None
        store.set_about(_MARK + digest, layout)
    return describe_repeated(layout)


def articles_with(store: Store, text: str) -> list[int]:
    """The articles whose last reading had this text, if that is enough to take back what they said.

    A short text must fill half of a whole window: three short posts with one text are no proof of a wall.
    """
    digest = same_sha256("", text)
    found = [article_id for article_id, of in _last_texts(store) if of == digest]
    return found if len(text) >= LONG or len(found) * 2 >= WINDOW else []


def describe_repeated(layout: str) -> str:
    """The sentence that stands with such a capture."""
    return f"layout {layout} reads the same text on this page as on others"


def is_repeated(store: Store, text: str) -> bool:
    """Whether a text was recognised as one that stands on many pages, and nobody has trusted it."""
    return store.about(_MARK + same_sha256("", text)) not in (None, TRUSTED)


def is_trusted(store: Store, text: str) -> bool:
    """Whether a text was recognised as one that stands on many pages, and a person has trusted it."""
    return store.about(_MARK + same_sha256("", text)) == TRUSTED


def trust(store: Store, layout: str) -> None:
    """Trust what a layout read, as a person has decided."""
    for row in store.query("select key from about where key like 'alike:%' and value = ?", layout):
        store.set_about(row[0], TRUSTED)


def is_same(text: Text, found: Extract) -> bool:
    """Whether a page has this title and text."""
    return same_sha256(text.title, text.text) == same_sha256(found.title, found.text)


def _last_texts(store: Store) -> list[tuple[int, str]]:
    """Article and digest of the last readings that would make a version."""
    return [(int(article_id), str(of)) for article_id, of in json.loads(store.about(_WINDOW_KEY) or "[]")]
