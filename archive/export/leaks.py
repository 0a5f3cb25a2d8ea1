"""What a redacted copy must not say any more: finds it in every value and in all bytes of the file, and takes
it out where it stands beside the texts of other articles.

Texts are compared as their letters and digits alone, without accents, so that an address made from a title, a
title in another case, a decomposed or an escaped one are found too.
"""

from __future__ import annotations

import html
import json
import re
import sqlite3
import unicodedata
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from archive.read.database import cite

SHORTEST_TITLE = 12  # letters and digits; shorter ones ("Damascus") stand in the texts of many posts
SHORTEST_LINE = 40  # the same; shorter lines are formulas
CHUNK = 1 << 22  # bytes of the file searched at a time

_ESCAPED = re.compile(r"\\u([0-9a-fA-F]{4})")
_OTHER = re.compile(r"[\W_\u0640]+")  # marks are no letters; the tatweel only stretches a word
_BETWEEN = re.compile(r"[/?&=#\"]")  # parts of an address, strings of JSON
MOST_ESCAPES = 3  # of an address in an address in an address
_TEXTS = ("title", "restored_title", "text")  # of a version: evidence, never changed here
_SHADOW = "search"  # the index's own tables: words without their order


def letters_of(text: str) -> str:
    """A text's letters and digits in small letters, with JSON, HTML and address escapes resolved."""
    if "\\u" in text:
        text = _ESCAPED.sub(lambda found: chr(int(found[1], 16)), text)
    for _ in range(MOST_ESCAPES):
        before = text
        if "&" in text:
            text = html.unescape(text)
        if "%" in text:
            text = unquote(text, errors="ignore")
        if text == before:
            break
    return _OTHER.sub("", unicodedata.normalize("NFKD", text).casefold())


def read_removed(conn: sqlite3.Connection, versions: Iterable[int]) -> tuple[list[str], set[str]]:
    """What no row may say after these versions are taken out, as `letters_of` writes it: their titles, and
    lines that no other article has. What another version of the same article says too stays there. Then their
    short titles of several words, which no part of an address may be, unless another article has that title.
    """
    marks = ",".join(map(str, sorted(versions)))
    select = "select article_id, title, plain_title, text from versions where version_id"
    taken = conn.execute(f"{select} in ({marks})").fetchall()
    removed, short = _sorted_titles(title for _, *both, _ in taken for title in both)
    lines = {one for row in taken for one in _long_lines(row[3])} - removed
    own = {row[0] for row in taken}
    for article_id, title, plain, text in conn.execute(f"{select} not in ({marks})"):
        lines.difference_update(_long_lines(text) if lines else ())
        short.discard(letters_of(title) if short else "")
        if article_id in own:
            said = letters_of(f"{title}\n{plain}\n{text}")
            removed = {one for one in removed if one not in said}
            lines = {one for one in lines if one not in said}
    return sorted(removed | lines), short


def _sorted_titles(titles: Iterable[str]) -> tuple[set[str], set[str]]:
    """Titles as `letters_of` writes them: the long ones, and the short ones of several words."""
    letters = {letters_of(title): title for title in titles}
    long = {one for one in letters if len(one) >= SHORTEST_TITLE}
    return long, {one for one in letters.keys() - long if one and " " in letters[one].strip()}


def _long_lines(text: str) -> set[str]:
    """The lines of a text, as `letters_of` writes them, that are long enough to be its own."""
    lines = (letters_of(line) for line in text.split("\n") if len(line) >= SHORTEST_LINE)
    return {line for line in lines if len(line) >= SHORTEST_LINE}


class Search:
    """Finds any of the removed texts."""

    def __init__(self, removed: Iterable[str], short: Iterable[str] = ()) -> None:
        self._removed, self._short = list(removed), frozenset(short)
        self._longest = max(map(len, self._removed), default=0)

    def has(self, text: str) -> bool:
        """Whether a text says one of them."""
        letters = letters_of(text)
        return any(one in letters for one in self._removed)

    def is_beside(self, value: str) -> bool:
        """Whether a value beside the texts says one, or a part of it is a short one."""
        parts = _BETWEEN.split(value) if self._short else ()
        return self.has(value) or any(letters_of(part) in self._short for part in parts)

    def prune(self, value: Any) -> Any:
        """A JSON value, in which each string that says one of them is empty."""
        if isinstance(value, str):
            return "" if self.is_beside(value) else value
        if isinstance(value, list):
            return [self.prune(one) for one in value]
        if isinstance(value, dict):
            return {key: self.prune(one) for key, one in value.items() if not self.is_beside(key)}
        return value

    def find_in_file(self, path: Path) -> bool:
        """Whether the bytes of a file say one of them, as UTF-8."""
        carried = b""
        with path.open("rb") as file:
            while chunk := file.read(CHUNK):
                if self.has((carried + chunk).decode("utf-8", "ignore")):
                    return True
                carried = chunk[-21 * self._longest :]  # a letter escaped three times takes up to 21 bytes
        return False


def _columns(conn: sqlite3.Connection) -> Iterator[tuple[str, str]]:
    """Each column of text: its table and name."""
    sql = """select t.name, c.name from pragma_table_list t join pragma_table_xinfo(t.name) c
             where t.type = 'table' and t.schema = 'main' and t.name not glob 'sqlite_*' and not t.wr
             and c.type = 'TEXT' and c.hidden = 0 order by 1, c.cid"""
    for table, column in conn.execute(sql).fetchall():
        if not table.startswith(_SHADOW):
            yield table, column


def mend(conn: sqlite3.Connection, search: Search) -> None:
    """Take the removed texts out of all columns beside the texts of versions: details and figures of changes,
    links, claims, addresses. A JSON value loses the strings that say them; any other value is replaced by
    ``redacted:`` and the row's number."""
    for table, column in _columns(conn):
        if table == "versions" and column in _TEXTS:
            continue
        rows = conn.execute(f'select rowid, "{column}" from "{table}" where "{column}" != \'\'')
        found = [(rowid, value) for rowid, value in rows if search.is_beside(value)]
        if table == "claim_sets":
            for rowid, _ in found:
                conn.execute("update versions set claim_set_id = null where claim_set_id = ?", (rowid,))
                conn.execute("delete from claim_sets where claim_set_id = ?", (rowid,))
            continue
        for rowid, value in found:
            try:
                parsed = json.loads(value)
            except ValueError:
                parsed = None
            is_json = isinstance(parsed, list | dict)
            kept = json.dumps(search.prune(parsed), ensure_ascii=False) if is_json else f"redacted:{rowid}"
            conn.execute(f'update "{table}" set "{column}" = ? where rowid = ?', (kept, rowid))


def find_leak(conn: sqlite3.Connection, search: Search) -> str | None:
    """Where a value still says what was removed: the citation of a version, or a table and column; None:
    nowhere."""
    sql = """select a.source, a.key, v.first_captured_at, v.title, v.plain_title, v.text
             from versions v join articles a using (article_id)"""
    for source, key, at, *texts in conn.execute(sql):
        if search.has("\n".join(texts)):
            return cite(source, key, at)
    for table, column in _columns(conn):
        if (table, column) not in (("versions", name) for name in _TEXTS):
            for (value,) in conn.execute(f'select "{column}" from "{table}" where "{column}" != \'\''):
                if search.is_beside(value):
                    return f"the column {column} of {table}"
    return None
