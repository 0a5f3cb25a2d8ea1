"""Marks that edits share: a line, a title or a text that many posts got at once, or an earlier text again."""

from __future__ import annotations

import json

from archive.clock import format_time, parse_time
from archive.ingest.bulk import WINDOW
from archive.ingest.doubts import FORMER, REPLACED, SAME_ADDITION, describe_edit, find_shared
from archive.ingest.pending import ANNOUNCED, Pending
from archive.ingest.seen import key_of
from archive.model import Text
from archive.store.connection import Row
from archive.store.rows import Store
from archive.text.normalise import same_sha256
from archive.thresholds import COUNTED


def find_shared_marks(store: Store, at: str) -> tuple[dict[str, str], dict[str, str]]:
    """Articles whose edits share a mark with those of other articles, and the mark; and records of edits that
    were written in the day before and share it: a wall comes to a few posts in each crawl."""
    rows = Pending(store).select("p.kind = 'updated'")
    edits = [(row["article_id"], _find_marks(store, row)) for row in rows]
    waiting = {row["article_id"]: str(key_of(row)) for row in rows if row["held_at"] is None}
    if not any(marks for article_id, marks in edits if article_id in waiting):
        return {}, {}
    written = [
        (
            row["record_id"],
            row["article_id"],
            [mark for mark in marks_of(store, row) if not mark.startswith("line ")],
        )
        for row in written_edits(store, "c.said_at >= ?", format_time(parse_time(at) - WINDOW))
    ]
    found = find_shared([*edits, *((article_id, marks) for _, article_id, marks in written)])
    shared = {waiting[article_id]: name for article_id, name in found.items() if article_id in waiting}
    names = set(shared.values())
    told = (
        (record_id, next((mark for mark in marks if mark in names), "")) for record_id, _, marks in written
    )
    return shared, {record_id: mark for record_id, mark in told if mark}


def written_edits(store: Store, condition: str, *values: object) -> list[Row]:
    """Edits that looks found, and that still stand."""
    return store.query(
        f"""select c.seq, c.article_id, c.capture_id, p.record_id, a.source, a.key, n.title, n.text,
            c.previous_version_id, {ANNOUNCED.format(p="p")} as is_announced,
            b.title as title_before, b.text as text_before from changes c join captures p using (capture_id)
            join versions n on n.version_id = c.version_id
            join versions b on b.version_id = c.previous_version_id
            join articles a on a.article_id = c.article_id and a.newest_version_id = c.version_id
            where {condition} and c.kind = 'updated' and c.severity > 0 and p.channel in ('article', 'sweep')
            and p.crawl_id is not null and not exists (select 1 from changes r where r.retracts = c.seq)
            order by c.seq desc limit ?""",
        *values,
        COUNTED.value,
    )


def marks_of(store: Store, row: Row) -> list[str]:
    """The marks of an edit that was written."""
    before, found = Text(row["title_before"], row["text_before"]), Text(row["title"], row["text"])
    marks = _without_rewritten(row, describe_edit(before, found)["marks"])
    if not row["is_announced"]:
        marks += _mark_former(store, row["previous_version_id"], same_sha256(found.title, found.text))
    return marks


def _find_marks(store: Store, row: Row) -> list[str]:
    """The marks of an edit that waits, or the one for which it is held."""
    details = json.loads(row["details"])
    if row["held_at"] is not None:
        return [*details.get("marks", ()), *([details["shared"]] if "shared" in details else [])]
    marks = _without_rewritten(row, details.get("marks", []))
    if "same" in details and "is_stale" not in details and not row["is_announced"]:
        marks += _mark_former(store, row["newest_version_id"], details["same"])
    return marks


def _without_rewritten(row: Row, marks: list[str]) -> list[str]:
    """The marks of an edit. One that a channel announced may rewrite title and text: an editor completes what
    was put up in haste."""
    return [mark for mark in marks if mark != REPLACED or not row["is_announced"]]


def _mark_former(store: Store, version_id: int, same: str) -> list[str]:
    """The mark of an edit back to a text before that of a version, unless that was an old copy or noise."""
    sql = """select 1 from versions b join versions v using (article_id) where b.version_id = ?
             and v.number < b.number and v.same_digest = ? and not exists (
                 select 1 from changes c where c.version_id = b.version_id and c.kind = 'updated'
                 and (c.stale_copy or exists (select 1 from json_each(c.classes) where value = ?)))"""
    return [FORMER] if store.one(sql, version_id, bytes.fromhex(same), SAME_ADDITION) else []
