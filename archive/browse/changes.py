"""What the archive noticed: the stream of changes for people and as JSON Lines; what is not where it was."""

from __future__ import annotations

import sqlite3
from typing import Any

from datasette.utils.asgi import Response

from archive.browse.context import listed, open_frame, rows, worded
from archive.browse.figures import changed_figures
from archive.browse.labels import KINDS
from archive.read import feed
from archive.read.database import json_line

PAGE = 40
LOOKED = 20_000  # changes that are looked at for a page; the next page goes on behind them
_MOST = 10_000  # lines of one answer
_SQL = """select c.seq, c.kind, c.severity, c.classes, c.figures, c.details, c.stealth, c.said_at, c.learnt_at, a.source, a.key, a.edition, a.post_id,
    a.url, v.title, v.plain_title, v.language, n.number as after, o.number as before
    from changes c join articles a using (article_id) left join versions n on n.version_id = c.version_id
    left join versions o on o.version_id = c.previous_version_id left join versions v on v.version_id = coalesce(c.version_id, a.newest_version_id)
    where c.seq = ?"""
STATES = ("missing", "disappeared", "moved")
_GONE_PAGE = 50
_GONE = f"""select a.source, a.key, a.edition, a.post_id, a.url, a.state, a.missing_since, a.missing_looks, a.last_captured_at, v.title,
    v.plain_title, v.language
    from articles a left join versions v on v.version_id = a.newest_version_id
    where a.state in ('missing', 'disappeared', 'moved') {{}} order by a.missing_since desc, a.article_id desc limit {_GONE_PAGE + 1} offset ?1"""


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A change with its columns read."""
    return row | {"words": worded(row["classes"]), "changed": changed_figures(listed(row["figures"]))}


def at_seqs(conn: sqlite3.Connection, seqs: list[int]) -> list[dict[str, Any]]:
    """Changes with what a page says of them."""
    return [shown(row) for seq in seqs for row in rows(conn, _SQL, seq)]


async def page(datasette: Any, request: Any) -> Response:
    """The changes, newest first (``?before=`` a seq; ``kind``, ``severity``, ``edition``, ``silent``)."""
    frame = await open_frame(datasette, request)
    asked = {
        "kind": frame.chosen("kind", tuple(KINDS)),
        "severity": frame.chosen("severity", ("0", "1", "2", "3")),
        "edition": frame.chosen("edition", ("en", "ar")),
        "silent": frame.chosen("silent", ("1",)),
    }
    before = frame.number("before")
    context = await frame.ask(lambda conn: _stream(conn, asked, before))
    older = frame.to("changes", **asked, before=context["last"]) if context["last"] else None
    return await frame.page(
        "sohr_changes.html", context | {"asked": asked, "older": older, "is_first_page": not before}
    )


def _stream(conn: sqlite3.Connection, asked: dict[str, str], before: int) -> dict[str, Any]:
    # along one index, and at most so many; what else was asked is looked at row by row
    if asked["silent"]:
        along = "indexed by changes_silent_seq where c.stealth = 1"
    elif asked["severity"]:
        along = (
            f"indexed by changes_severity where c.kind = 'updated' and c.severity = {int(asked['severity'])}"
        )
    elif asked["kind"]:
        along = f"indexed by changes_kind where c.kind = '{asked['kind']}'"
    else:
        along = "where true"
    edition = (
        "(select edition from articles a where a.article_id = c.article_id)" if asked["edition"] else "null"
    )
    sql = f"select c.seq, c.kind, c.severity, {edition} from changes c {along} and c.seq < ? order by c.seq desc limit ?"
    cursor = conn.execute(sql, (before or 2**62, LOOKED))
    seqs: list[int] = []
    last = looked = 0
    for last, kind, severity, of in cursor:
        looked += 1
        is_meant = (kind == asked["kind"] or not asked["kind"]) and (
            of == asked["edition"] or not asked["edition"]
        )
        if is_meant and (not asked["severity"] or (kind == "updated" and severity == int(asked["severity"]))):
            seqs.append(last)
        if len(seqs) > PAGE:
            break
    older = seqs[PAGE - 1] if len(seqs) > PAGE else last if looked == LOOKED else None
    return {"changes": at_seqs(conn, seqs[:PAGE]), "last": older, "newest_seq": feed.newest_seq(conn)}


async def lines(datasette: Any, request: Any) -> Response:
    """``changes.jsonl?after=&limit=``: the feed, a line a change, as `sohr-archive changes` writes it."""
    frame = await open_frame(datasette, request)
    after, limit = frame.number("after"), min(frame.number("limit", 1000), _MOST)

    def ask(conn: sqlite3.Connection) -> bytes:
        before, conn.row_factory = conn.row_factory, sqlite3.Row
        try:
            return b"".join(json_line(record) for record in feed.changes(conn, after, limit))
        finally:
            conn.row_factory = before

    return frame.text(
        (await frame.ask(ask)).decode(), "application/x-ndjson", Access_Control_Allow_Origin="*"
    )


async def gone(datasette: Any, request: Any) -> Response:
    """What is missing, disappeared or moved (``?page=``, ``state=``), and what came back."""
    frame = await open_frame(datasette, request)
    number = max(1, frame.number("page", 1, 10_000))
    state = frame.chosen("state", STATES)
    context = await frame.ask(lambda conn: _gone(conn, state, number))
    return await frame.page(
        "sohr_missing.html", context | {"number": number, "state": state, "states_named": STATES}
    )


def _gone(conn: sqlite3.Connection, state: str, number: int) -> dict[str, Any]:
    found = rows(
        conn, _GONE.format("and a.state = ?2" if state else "and ?2 = ''"), _GONE_PAGE * (number - 1), state
    )
    back = [
        row[0]
        for row in conn.execute("select seq from changes where kind = 'restored' order by seq desc limit 100")
    ]
    return {
        "gone": found[:_GONE_PAGE],
        "is_more": len(found) > _GONE_PAGE,
        "restored": at_seqs(conn, back) if number == 1 else [],
    }
