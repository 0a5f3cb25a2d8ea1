"""The change feed: each change once, in order, as it was when the archive learnt it.

A line never changes: `_replaced` restores fields that later captures corrected. Only a new release of the
extractor changes lines, and starts a new epoch.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from typing import Any

from archive.model import GONE_STATES
from archive.read.database import about, cite
from archive.store.fields import FEED_FIELDS, Origin

_STATED = tuple(of for of in FEED_FIELDS if of.origin is Origin.PAGE)
_SQL = f"""
select c.seq, c.epoch, c.kind, a.source, a.key, a.edition, a.post_id, a.url, c.classes, c.severity, c.figures,
       c.stealth, c.stale_copy, c.same_as_version_id, c.retracts, c.details, c.said_at, c.unchanged_until,
       c.learnt_at,
       c.article_id, c.version_id, c.previous_version_id, {", ".join(f"v.{of.name}" for of in FEED_FIELDS)},
       v.first_captured_at
from changes c join articles a using (article_id) left join versions v on v.version_id = c.version_id
where c.seq > ? and (? is null or c.learnt_at >= ?) order by c.seq limit ?
"""
# When the feed first reported each version of an article; an import of older history may have moved it since
_REPORTED = """
select version_id, min(said_at) as at, min(seq) as seq from changes
where article_id = ? and seq <= ? and kind in ('created', 'updated', 'backfilled') and version_id is not null
group by version_id
"""


def newest_seq(conn: sqlite3.Connection) -> int:
    """The number of the newest change; 0 if there is none."""
    return int(conn.execute("select coalesce(max(seq), 0) from changes").fetchone()[0])


def epoch(conn: sqlite3.Connection) -> int:
    """The epoch of the feed: a new one begins when another release of the extractor rebuilds the archive."""
    return int(about(conn, "epoch") or 1)


def changes(
    conn: sqlite3.Connection, after: int = 0, limit: int | None = None, since: str | None = None
) -> Iterator[dict[str, Any]]:
    """The changes after a number, in order, ready for JSON. Applied one after another from 0 they give the
    present state.

    ``since``: only what the archive learnt then or later (UTC, as it writes times).
    """
    for row in conn.execute(_SQL, (after, since, since, -1 if limit is None else limit)):
        yield _record(conn, row)


def _record(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    plain = ("seq", "epoch", "kind", "retracts", "source", "key", "edition", "post_id", "url")
    record: dict[str, Any] = {name: row[name] for name in plain}
    record["state"] = _state(conn, row)
    record |= {
        "classes": json.loads(row["classes"]),
        "severity": row["severity"],
        "figures": json.loads(row["figures"]),
    }
    record["stealth"] = None if row["stealth"] is None else bool(row["stealth"])
    record["stale_copy"] = bool(row["stale_copy"])
    record["same_as_version"] = None
    record |= {
        "details": json.loads(row["details"]),
        "said_at": row["said_at"],
        "unchanged_until": row["unchanged_until"],
        "learnt_at": row["learnt_at"],
    }
    if row["version_id"] is None:
        return record | dict.fromkeys(("number", "citation", "previous", *(of.name for of in FEED_FIELDS)))
    record |= _place(conn, row)
    return record | {of.name: of.record(row[of.name]) for of in FEED_FIELDS} | _replaced(conn, row)


def _place(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    """The version's number and citation among those reported by then, and the citation of the version before
    it."""
    reported = {
        version: (at, seq) for version, at, seq in conn.execute(_REPORTED, (row["article_id"], row["seq"]))
    }
    at = reported.setdefault(row["version_id"], (row["first_captured_at"], row["seq"]))
    before, same = reported.get(row["previous_version_id"]), reported.get(row["same_as_version_id"])
    cited = (row["source"], row["key"])
    sql = "select version_id, substr(cited_at, 21) from versions where article_id = ?"
    tags = dict(conn.execute(sql, (row["article_id"],)).fetchall())  # where two are of one second
    return {
        "same_as_version": sum(other <= same for other in reported.values()) if same else None,
        "number": sum(other <= at for other in reported.values()),
        "citation": cite(*cited, at[0] + tags[row["version_id"]]),
        "previous": cite(*cited, before[0] + tags[row["previous_version_id"]]) if before else None,
    }


def _replaced(conn: sqlite3.Connection, row: sqlite3.Row) -> dict[str, Any]:
    """What the version stated at the time of this change, where that was replaced since: the row keeps the
    newest statements, later `metadata` changes say what they replaced."""
    replaced: dict[str, Any] = {}
    later = """select details from changes
        where article_id = ? and version_id = ? and seq > ? and kind = 'metadata' order by seq desc"""
    for (text,) in conn.execute(later, (row["article_id"], row["version_id"], row["seq"])):
        details = json.loads(text)
        replaced |= {of.name: of.record(details[of.name][0]) for of in _STATED if of.name in details}
    return replaced


def _state(conn: sqlite3.Connection, row: sqlite3.Row) -> str | None:
    """The article's state after a change."""
    states = (_new_state(r["kind"], json.loads(r["details"])) for r in _back(conn, row))
    return next((state for state in states if state), None)


def _back(conn: sqlite3.Connection, row: sqlite3.Row) -> Iterator[sqlite3.Row]:
    """A change and those of its article before it."""
    yield row
    sql = "select kind, details from changes where article_id = ? and seq < ? order by seq desc"
    yield from conn.execute(sql, (row["article_id"], row["seq"]))


def _new_state(kind: str, details: dict[str, Any]) -> str | None:
    """The state that a change gave its article; None if it left it."""
    if kind in GONE_STATES:
        return kind
    if kind == "restored":
        return "live"
    if isinstance(state := details.get("state"), list):
        return str(state[1])
    return "live" if kind in ("created", "updated") else None
