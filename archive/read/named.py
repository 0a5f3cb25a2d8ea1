"""Which article is named where words to search for could stand: by a citation, `en:332481` or an address."""

from __future__ import annotations

import json
import re
import sqlite3

from archive.model import Kind
from archive.read.database import about
from archive.read.references import BadReference, parse_reference, strip_copied
from archive.sites.addresses_elsewhere import clean
from archive.sites.sohr.addresses import HOME, Site

_ADDRESS = re.compile(r"(?:(https?:)?//)?([^\s/:]+\.[^\s/]+/\S*)", re.IGNORECASE)


def find_named(conn: sqlite3.Connection, typed: str) -> tuple[int, str | None] | None:
    """The article_id that a citation or address names, and the instant of a citation; None if it is neither,
    or the archive does not have the article."""
    typed = strip_copied(typed)
    if address := _ADDRESS.fullmatch(typed):
        found = find_address(conn, f"{(address[1] or 'https:').lower()}//{address[2]}")
        return None if found is None else (found, None)
    try:
        reference = parse_reference(typed)
    except BadReference:
        return None
    sql = "select article_id from articles where source = ? and key = ?"
    row = conn.execute(sql, (reference.source, reference.key)).fetchone()
    return None if row is None else (row[0], reference.at)


def find_address(conn: sqlite3.Connection, url: str) -> int | None:
    """The article_id that an address leads to: one that was met, or another spelling of a post's (without
    ``www.`` or the last slash, with a tracking parameter, by `?p=`)."""
    url = url.encode(errors="replace").decode()  # a terminal may pass bytes that are no text
    row = conn.execute("select article_id from aliases where url in (?, ?)", (url, clean(url))).fetchone()
    if row is None or row[0] is None:
        site = Site(about(conn, "home") or HOME)
        for home in json.loads(about(conn, "other_homes") or "[]"):
            site.add_home(home)
        address = site.parse(url)
        if address is None or address.kind is not Kind.ARTICLE:
            return None
        sql = "select article_id from articles where edition = ? and post_id = ?"
        row = conn.execute(sql, (address.edition, address.post_id)).fetchone()
    return None if row is None else int(row[0])
