"""Values of a version as its row has them."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from typing import Any

from archive.model import Extract, Stated
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.fields import PAGE_FIELDS
from archive.store.line_kinds import encode_kinds
from archive.text.deobfuscate import plain_title
from archive.text.fold import fold
from archive.text.normalise import same_sha256, text_sha256


def pack_stated(stated: Stated) -> dict[str, Any]:
    """What a page states beside title and text, as columns of `versions`."""
    return {of.name: of.pack(getattr(stated, of.name)) for of in PAGE_FIELDS}


def unpack_metadata(row: Mapping[str, Any] | sqlite3.Row) -> dict[str, Any]:
    """The fields whose new values make a `metadata` change, from columns of `versions`."""
    return {of.name: of.unpack(row[of.name]) for of in PAGE_FIELDS if of.is_metadata}


def pack_lines(extract: Extract) -> str:
    """The kind of each line of the text, as the column ``lines`` has it."""
    return encode_kinds((line.kind.value, line.depth) for line in extract.lines)


def digest(title: str, text: str) -> dict[str, bytes]:
    """The columns that `text_sha256` and `same_sha256` show in hexadecimal."""
    return {
        "text_digest": bytes.fromhex(text_sha256(text)),
        "same_digest": bytes.fromhex(same_sha256(title, text)),
    }


def restore_title(title: str, text: str) -> str | None:
    """The headline without marks inside words; None if it has none. `plain_title` shows this, else the
    title."""
    plain = plain_title(title, HIDDEN, text)
    return None if plain == title else plain


def fold_for_search(version: Mapping[str, Any] | sqlite3.Row) -> tuple[str, str]:
    """Title and text as the search index has them: folded, the title also without marks inside words."""
    title, plain = version["title"], version["plain_title"]
    return fold(title if title == plain else f"{title}\n{plain}", HIDDEN), fold(version["text"], HIDDEN)
