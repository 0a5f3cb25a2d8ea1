"""The reading pages: what is held, and one article with its versions. Text of the site is escaped, and no script ever runs."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from datasette.utils.asgi import NotFound, Response
from markupsafe import Markup, escape

from archive.browse import ours

T = TypeVar("T")

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # following a link to the site does not tell it where the archive is read
    "X-Content-Type-Options": "nosniff",
}
_TABLES = ("articles", "versions", "changes", "aliases", "crawls")  # what the pages show: whoever may not see one of these sees no page
_NEWEST = 25  # rows of each list on the front page
_SEVERITIES = ("no change of substance", "words", "facts", "figures")
_STATES = {
    None: "sighted, not captured yet",
    "live": "on the site at the last look",
    "missing": "not found at the last look",
    "disappeared": "not found at several looks over days",
    "moved": "its address leads elsewhere",
    "protected": "behind a password",
    "empty": "without text",
    "unreadable": "captured, and no known layout reads it",
}


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of a text that belong together: entries of a list, rows of a table, or one line alone."""

    kind: str
    lines: tuple[tuple[int, str], ...]  # (depth, text)

    @property
    def rows(self) -> list[list[str]]:
        """Of a table, the cells."""
        return [text.split("\t") for _, text in self.lines]


def blocks(text: str, kinds: str) -> list[Block]:
    """A version's text as blocks; ``kinds`` is the column `lines`. Where the two do not fit, every line is a paragraph."""
    lines = text.split("\n") if text else []
    try:
        read = [(kind, 0) if isinstance(kind, str) else (str(kind[0]), int(kind[1])) for kind in json.loads(kinds)]
    except (ValueError, TypeError, IndexError, KeyError):
        read = []
    if len(read) != len(lines):
        read = [("paragraph", 0)] * len(lines)
    found: list[Block] = []
    for (kind, depth), line in zip(read, lines, strict=True):
        if found and found[-1].kind == kind and kind in ("list", "row"):
            found[-1] = Block(kind, (*found[-1].lines, (depth, line)))
        else:
            found.append(Block(kind, ((depth, line),)))
    return found


def is_rtl(edition: str | None, language: str | None) -> bool:
    """Whether a text runs from right to left: by the language the page states, else by its edition."""
    return language.lower().startswith(("ar", "fa", "he", "ku-arab")) if language else edition == "ar"


def article_path(datasette: Any, database: str, edition: str, post_id: int) -> str:
    """Address of a reading page."""
    first = next(iter(ours.archives(datasette)), database)
    return str(datasette.urls.path(f"/-/sohr/{edition}/{post_id}")) + ("" if database == first else f"?archive={database}")


async def front(datasette: Any, request: Any) -> Response:
    """What is held, the newest posts and changes, how crawls went."""
    database = await _database(datasette, request)
    held = await _read(datasette, database, _front)
    return await _page(datasette, request, database, "sohr_front.html", held)


async def article(datasette: Any, request: Any) -> Response:
    """One article: a version to read (``?version=``, else the newest), its versions, its history."""
    database = await _database(datasette, request)
    edition, post_id = request.url_vars["edition"], int(request.url_vars["post_id"])
    wanted = request.args.get("version") or ""
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    if wanted and number is None:
        raise NotFound(f"There is no version {wanted[:20]}.")
    found = await _read(datasette, database, lambda conn: _article(conn, edition, post_id, number))
    if found is None:
        raise NotFound(f"The archive does not hold {edition} {post_id}" + (f" in version {number}." if number else "."))
    return await _page(datasette, request, database, "sohr_article.html", found)


async def style(request: Any) -> Response:
    """The style sheets, at an address that does not depend on how the package was installed."""
    text = (Path(__file__).parent / "static" / f"{request.url_vars['name']}.css").read_text(encoding="utf-8")
    return Response(text, content_type="text/css; charset=utf-8", headers={"Cache-Control": "max-age=300", "X-Content-Type-Options": "nosniff"})


async def nothing() -> None:
    """Any other address below ours."""
    raise NotFound("There is no such page of the archive.")


async def _database(datasette: Any, request: Any) -> str:
    """The archive asked for (``?archive=``), else the first. Raises NotFound where there is none, Forbidden where the reader may not see it."""
    held = ours.archives(datasette) or await ours.find(datasette)
    database = request.args.get("archive") or next(iter(held), None)
    if database not in held:
        raise NotFound("There is no such archive here.")
    for table in _TABLES:
        await _allow(datasette, request, str(database), table)
    return str(database)


async def _allow(datasette: Any, request: Any, database: str, table: str) -> None:
    if hasattr(datasette, "ensure_permissions"):  # 0.65
        await datasette.ensure_permissions(request.actor, [("view-table", (database, table)), ("view-database", database), "view-instance"])
        return
    from datasette.resources import TableResource  # 1.0 only

    await datasette.ensure_permission(action="view-table", resource=TableResource(database=database, table=table), actor=request.actor)


async def _read(datasette: Any, database: str, ask: Callable[[sqlite3.Connection], T]) -> T:
    """Ask the database, in one of Datasette's own threads. Our questions are few and bounded: no time limit cuts them."""
    answer: T = await datasette.get_database(database).execute_fn(ask)
    return answer


async def _page(datasette: Any, request: Any, database: str, template: str, context: dict[str, Any]) -> Response:
    archives = ours.archives(datasette)
    here = "" if database == next(iter(archives)) else f"?archive={database}"
    context |= {
        "database": database,
        "site": archives[database],
        "home": datasette.urls.path("/-/sohr/") + here,
        "style": datasette.urls.path("/-/sohr/pages.css"),
        "tables": datasette.urls.database(database),
        "search": datasette.urls.query(database, "search_both"),
        "table": lambda name: datasette.urls.table(database, name),
        "read": lambda edition, post_id: article_path(datasette, database, edition, post_id),
        "link": _link,
        "rtl": is_rtl,
        "states": _STATES,
        "severities": _SEVERITIES,
    }
    return Response.html(await datasette.render_template(template, context, request=request), headers=dict(_HEADERS))


def _link(url: str) -> Markup:
    """An address as a link, where it is one of the web's."""
    try:
        is_web = urlsplit(url).scheme in ("http", "https")
    except ValueError:  # what the site linked to is not always an address
        is_web = False
    if is_web:
        return Markup('<a href="{0}" rel="noreferrer">{0}</a>').format(url)
    return escape(url)


def _rows(conn: sqlite3.Connection, sql: str, *values: object) -> list[dict[str, Any]]:
    cursor = conn.execute(sql, values)
    names = [column[0] for column in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor]


def _words(value: str) -> list[str]:
    """A JSON array of words; anything else has none."""
    try:
        words = json.loads(value)
    except (ValueError, TypeError):
        return []
    return [str(word) for word in words] if isinstance(words, list) else []


def _changes(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"words": _words(row["classes"])} for row in rows]


def _front(conn: sqlite3.Connection) -> dict[str, Any]:
    editions: dict[str, dict[str, int]] = {}
    held_now = "select coalesce(edition, 'other') as edition, state, count(*) as articles, sum(versions) as versions from articles group by 1, 2"
    for row in _rows(conn, held_now):
        held = editions.setdefault(row["edition"], {"articles": 0, "held": 0, "versions": 0, "gone": 0})
        held["articles"] += row["articles"]
        held["versions"] += row["versions"]
        held["held"] += row["articles"] if row["state"] is not None else 0
        held["gone"] += row["articles"] if row["state"] in ("missing", "disappeared") else 0
    # from the versions' index on published_at, so that the newest come without reading all
    newest = """select a.edition, a.post_id, v.title, v.plain_title, v.published_at, a.state, v.number, v.language
        from versions v join articles a on a.article_id = v.article_id and a.newest_version_id = v.version_id
        where v.published_at is not null and a.edition is not null order by v.published_at desc limit ?"""
    changes = """select c.seq, c.kind, c.severity, c.classes, c.stealth, c.said_at, a.edition, a.post_id, v.title, v.plain_title, v.language
        from changes c join articles a using (article_id) left join versions v on v.version_id = coalesce(c.version_id, a.newest_version_id)
        where c.kind not in ('created', 'reparsed', 'backfilled') and a.edition is not null order by c.seq desc limit ?"""
    return {
        "editions": editions,
        "newest": _rows(conn, newest, _NEWEST),
        "changes": _changes(_rows(conn, changes, _NEWEST)),
        "crawls": _rows(conn, "select * from crawl_health order by started_at desc limit 5"),
    }


def _article(conn: sqlite3.Connection, edition: str, post_id: int, number: int | None) -> dict[str, Any] | None:
    found = _rows(conn, "select * from articles where source = ? and key = ?", edition, str(post_id))
    if not found:
        return None
    row = found[0]
    versions = _rows(
        conn,
        """select version_id, number, title, plain_title, first_captured_at, last_captured_at, captures, modified_at, text_sha256
           from versions where article_id = ? order by number""",
        row["article_id"],
    )
    shown = next((v["version_id"] for v in versions if v["number"] == number), None) if number else row["newest_version_id"]
    if number and shown is None:
        return None
    version = _rows(conn, "select * from versions where version_id = ?", shown)
    changes = """select c.seq, c.kind, c.severity, c.classes, c.figures, c.stealth, c.said_at, n.number as after, o.number as before
        from changes c left join versions n on n.version_id = c.version_id left join versions o on o.version_id = c.previous_version_id
        where c.article_id = ? order by c.seq"""
    moved = _rows(conn, "select edition, post_id, url from articles where article_id = ?", row["moved_to"])
    captures = """select c.captured_at, c.status, c.outcome, f.name as warc, c.offset from captures c join warc_files f using (warc_file_id)
        where c.article_id = ? order by c.captured_at desc limit ?"""
    context: dict[str, Any] = {
        "article": row,
        "versions": versions,
        "version": version[0] if version else None,
        "changes": _changes(_rows(conn, changes, row["article_id"])),
        "aliases": [a["url"] for a in _rows(conn, "select url from aliases where article_id = ? order by alias_id", row["article_id"])],
        "captures": _rows(conn, captures, row["article_id"], _NEWEST),
        "moved_to": moved[0] if moved else None,
    }
    if version:
        shown_version = version[0]
        context |= {
            "blocks": blocks(shown_version["text"], shown_version["lines"]),
            "categories": _words(shown_version["categories"]),
            "tags": _words(shown_version["tags"]),
            "citation": f"sohr:{edition}:{post_id}@{shown_version['first_captured_at']}",
        }
    return context
