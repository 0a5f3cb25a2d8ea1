"""Judges the outcomes of looks together, so that trouble of the site in bulk accuses nobody.

A look that finds a post changed, missing, moved or without text waits (`archive.ingest.pending`) for the
record ``crawl-judged``. `judge` decides what that record says: outcomes are written with the times of
their captures, or held. Held outcomes are written when they are proven, or when a person accepts them. A
rebuild follows the records.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

from archive.clock import format_time, parse_time
from archive.extract.furniture import SOON
from archive.extract.reader import Reader
from archive.ingest import look_schedule
from archive.ingest.bulk import OLDER, STATES, WINDOW, find_all_bulk, places
from archive.ingest.doubts import (
    OF_MANY_TEXTS,
)
from archive.ingest.path import Ingest
from archive.ingest.pending import MISSING, UPDATED
from archive.ingest.proof import (
    call_control_group,
    find_under_other_number,
    is_addition,
    is_over,
    is_proven,
)
from archive.ingest.seen import Seen, key_of
from archive.ingest.shared_marks import find_shared_marks, marks_of, written_edits
from archive.model import Extract, Unextractable
from archive.outcome import HELD, INVENTED, Outcome
from archive.store.connection import Row
from archive.text.normalise import same_sha256

WATCHED = 3  # posts of each kind that are looked at more often: they show when the trouble is over


def judge(ingest: Ingest, crawl: str, at: str) -> dict[str, Any] | None:
    """The record that judges what waits; None if nothing does."""
    store = ingest.store
    waiting = _find_uncompared(ingest, at)
    pending = store.query("select article_id from pending_outcomes where held_at is null")
    if all(row["article_id"] in waiting for row in pending):
        return None
    shared, withdrawn = find_shared_marks(ingest.store, at)
    proven, held = [], []
    believed: dict[str, Counter[str]] = defaultdict(Counter)
    for row in ingest.pending.select("p.held_at is null"):
        earlier = _held_rows(ingest, row, shared.get(str(key_of(row))))
        if earlier and is_proven(store, row, earlier, at):
            proven.append([str(key_of(row)), row["kind"]])
            for place in places(row):
                believed[place][row["kind"]] += 1
        elif earlier:
            held.append((row, earlier[0]["captured_at"]))
    [(started_at,)] = store.query("select started_at from crawls where name = ?", crawl)
    bulk, day = find_all_bulk(store, started_at, at, believed), format_time(parse_time(at) - WINDOW)
    invented = _find_invented(ingest, crawl)
    over = (
        [str(key_of(row)), row["kind"]] for row, since in held if since <= day and is_over(store, row, bulk)
    )
    return {
        "event": "crawl-judged",
        "crawl": crawl,
        "at": at,
        "held": sorted(bulk),
        "shared": shared,
        "withdrawn": withdrawn,
        "invented": invented,
        "proven": proven,
        "over": [[name, kind] for name, kind in over if name not in invented],
        "waiting": sorted(waiting.values()),
    }


def _find_uncompared(ingest: Ingest, at: str) -> dict[int, str]:
    """Articles that were just asked for once more, without an answer yet: their outcomes wait on."""
    rows = ingest.store.query(
        """select distinct a.* from pending_outcomes p join captures c using (capture_id)
           join articles a on a.article_id = p.article_id
           where p.held_at is null and json_extract(p.details, '$.is_doubted') and c.captured_at >= ?
           and not exists (select 1 from captures l where l.url = c.url and l.capture_id > c.capture_id)
           and not exists (select 1 from failures f where f.url = c.url and f.reason = 'no_answer'
                           and f.at >= c.captured_at)""",
        format_time(parse_time(at) - SOON),
    )
    return {row["article_id"]: str(key_of(row)) for row in rows}


def _find_invented(ingest: Ingest, crawl: str) -> list[str]:
    """Posts that lead where an address leads that no post has: the site may send everything there."""
    asked = ingest.store.query(
        """select location from captures join crawls using (crawl_id)
           where name = ? and channel = ? and outcome = 'missing' and location is not null""",
        crawl,
        INVENTED,
    )
    places = {_place(row["location"]) for row in asked}
    rows = ingest.pending.select("p.held_at is null and p.kind = 'missing' and c.location is not null")
    return [str(key_of(row)) for row in rows if _place(row["location"]) in places]


def _place(location: str) -> str:
    """Where a redirect leads, whatever it searches for there."""
    return location.partition("?")[0].rstrip("/")


def apply_judgement(ingest: Ingest, event: dict[str, Any]) -> list[Outcome]:
    """Write or hold what waits, as the record says; the outcomes."""
    at, held = event["at"], {(place, kind) for place, kind in event["held"]}
    proven = {(key, kind) for key, kind in event["proven"]}
    outcomes = []
    watched: Counter[str] = Counter()
    for row in ingest.pending.select("p.held_at is null"):
        if str(key_of(row)) in event["waiting"]:
            continue
        is_proven = (str(key_of(row)), row["kind"]) in proven
        shared = event["shared"].get(str(key_of(row))) if row["kind"] == UPDATED else None
        earlier = _held_rows(ingest, row, shared)
        if [str(key_of(row)), row["kind"]] in event["over"]:
            earlier = _forget(ingest, earlier)
        is_bulk = _is_one_of_many(row, held, event["invented"])
        if not is_proven and (earlier or is_bulk or shared):
            _hold(ingest, row, at, shared, is_watched=watched[row["kind"]] < WATCHED)
            watched[row["kind"]] += 1
            outcomes.append(Outcome(HELD, row["url"], row["status"], key_of(row)))
            continue
        outcomes += [_write(ingest, one, at) for one in earlier]
        outcomes.append(_write(ingest, row, None))
    for place, kind in sorted(held):
        _retract(ingest, place, kind, at)
    withdrawn = [
        (edit, mark)
        for record_id, mark in event["withdrawn"].items()
        for edit in written_edits(ingest.store, "p.record_id = ?", record_id)
    ]
    for edit, mark in sorted(withdrawn, key=lambda one: int(one[0]["seq"])):
        _withdraw(ingest, edit, mark, at)
    if held:
        call_control_group(ingest.store, at)
    return outcomes


def _forget(ingest: Ingest, held: list[Row]) -> list[Row]:
    """Forget what is held; what is left of it: nothing."""
    for row in held:
        ingest.pending.drop(row["capture_id"])
    return []


def _is_one_of_many(row: Row, held: set[tuple[str, str]], invented: list[str]) -> bool:
    """Whether an outcome came to too many posts, or leads where any address leads."""
    if row["kind"] == MISSING and str(key_of(row)) in invented:
        return True
    kind = OLDER if "is_stale" in json.loads(row["details"]) else row["kind"]
    return any((place, kind) in held for place in places(row)) and not _is_expected(row)


def _is_expected(row: Row) -> bool:
    """Whether a channel announced the edit, or the text is that of the newest version again: then it is no
    trouble of the site."""
    return bool(row["kind"] == UPDATED and (row["is_announced"] or "same" not in json.loads(row["details"])))


def accept_held(ingest: Ingest, crawl: str, at: str) -> list[Outcome]:
    """A person accepts what was held of a crawl: it is written now."""
    rows = ingest.pending.select("p.held_at is not null and k.name = ?", crawl)
    return [_write(ingest, row, at) for row in rows]


def _held_rows(ingest: Ingest, row: Row, shared: str | None) -> list[Row]:
    """What is held of an article and says the same as another outcome of it: an edit has the same text, or
    the mark that it shares with those of other articles."""
    condition = "p.held_at is not null and p.article_id = ? and p.kind = ?"
    rows = ingest.pending.select(condition, row["article_id"], row["kind"])
    if row["kind"] != UPDATED:
        return rows
    same = json.loads(row["details"]).get("same")
    held = [(one, json.loads(one["details"])) for one in rows]
    return [
        one
        for one, details in held
        if (same and details.get("same") == same)
        or (shared and shared not in OF_MANY_TEXTS and details.get("shared") == shared)
    ]


def _hold(ingest: Ingest, row: Row, at: str, shared: str | None, *, is_watched: bool) -> None:
    """Keep an outcome back, and look again in a day, or sooner if the post is one of those that show when the
    trouble is over. ``shared`` is the mark that other edits have too."""
    wait = look_schedule.UNREAD_LOOK
    if is_watched:
        first = next((one["captured_at"] for one in _held_rows(ingest, row, shared)), at)
        wait = look_schedule.watched_wait(first, at)
    again = look_schedule.unread_next_look(at, str(key_of(row)), wait)
    details = json.dumps(
        json.loads(row["details"]) | ({"shared": shared} if shared else {}), ensure_ascii=False
    )
    ingest.store.update("pending_outcomes", "capture_id", row["capture_id"], held_at=at, details=details)
    ingest.store.articles.update(row["article_id"], next_look_at=again)


def _write(ingest: Ingest, row: Row, learnt_at: str | None) -> Outcome:
    """Write what a look found, at its capture time."""
    capture = replace(ingest.evidence.capture(row), source="live")  # the row's source is that of the article
    sql = "select 1 from captures where article_id = ? and capture_id > ? limit 1"
    is_last = ingest.store.one(sql, row["article_id"], row["capture_id"]) is None
    seen = Seen(
        capture,
        row["capture_id"],
        is_judged=True,
        is_last=is_last,
        is_addition=is_addition(row),
        judged_at=learnt_at,
    )
    # What was held of the article as something else is not so
    sql = """delete from pending_outcomes where capture_id = ?
             or (article_id = ? and kind != ? and held_at not null)"""
    ingest.store.query(sql, row["capture_id"], row["article_id"], row["kind"])
    return ingest.record_safely(seen, lambda: _write_kind(ingest, seen, row))


def _write_kind(ingest: Ingest, seen: Seen, row: Row) -> Outcome:
    key, details = key_of(row), json.loads(row["details"])
    article = ingest.articles.ensure(key, seen)
    match row["kind"]:
        case "missing":
            # Held for a week: that its text was deleted would be untrue
            if seen.judged_at and (other := find_under_other_number(ingest.store, article)):
                return ingest.articles.mark_moved(seen, article, other, reason="same_text")
            return ingest.articles.mark_missing(seen, article, details["reason"], details["detail"])
        case "withheld":
            return ingest.articles.mark_withheld(seen, article, details["detail"])
        case "moved":
            [target] = ingest.store.articles.select("where article_id = ?", details["to"])
            return ingest.articles.mark_moved(seen, article, target)
        case "textless":
            why = Unextractable(details["reason"], details["detail"])
            return ingest.articles.record_textless(seen, key, why)
    found = ingest.evidence.extract(seen.capture_id, key, Reader(ingest.site))
    if isinstance(found, Extract):
        return ingest.versions.record_text(seen, key, found)
    return seen.fail(ingest.store, found.reason, found.detail, article)


def _retract(ingest: Ingest, place: str, kind: str, at: str) -> None:
    """Take back what was said of single posts before the trouble showed in bulk, and hold it too. ``place``
    is an edition, or empty for all."""
    since = format_time(parse_time(at) - WINDOW)
    states = STATES.get(kind, ())
    marks = ", ".join("?" * len(states))
    rows = ingest.store.query(
        f"""select c.*, a.source, a.key, a.newest_version_id, a.moved_to,
            json_extract(c.details, '$.state[0]') as before,
            json_extract(c.details, '$.state[1]') as after from changes c join articles a using (article_id)
            join captures p using (capture_id) where c.said_at >= ? and p.channel = 'article'
            and ? in ('', a.edition) and a.state in ({marks})
            and json_extract(c.details, '$.state[1]') = a.state
            and json_extract(c.details, '$.state[0]') is not null
            and not exists (select 1 from changes r where r.retracts = c.seq) order by c.seq""",
        since,
        place,
        *states,
    )
    for row in rows:
        details = {"state": [row["after"], row["before"]], "reason": "the same answer came for many posts"}
        ingest.store.changes.add(
            row["article_id"],
            "retracted",
            at,
            at,
            capture_id=row["capture_id"],
            version_id=row["newest_version_id"],
            retracts=row["seq"],
            details=details,
        )
        ingest.store.articles.update(
            row["article_id"],
            state=row["before"],
            missing_looks=0,
            missing_since=None,
            moved_to=None,
            next_look_at=look_schedule.unread_next_look(at, str(key_of(row))),
        )
        told = json.loads(row["details"])
        reason = told.get("reason", row["after"])
        kept: dict[str, Any] = {
            "reason": reason,
            "detail": f"status {told['status']}" if "status" in told else reason,
            "to": row["moved_to"],
        }
        ingest.pending.add(row["capture_id"], row["article_id"], kind, kept, at)


def _withdraw(ingest: Ingest, edit: Row, mark: str, at: str) -> None:
    """Take back an edit that many posts turn out to have, and hold it."""
    article_id = edit["article_id"]
    details = {"reason": "the same text came to many posts"}
    ids = {"capture_id": edit["capture_id"], "retracts": edit["seq"], "details": details}
    ingest.store.changes.add(article_id, "retracted", at, at, **ids)
    ingest.articles.restate(article_id)
    again = look_schedule.unread_next_look(at, str(key_of(edit)))
    ingest.store.update("articles", "article_id", article_id, next_look_at=again)
    same = same_sha256(edit["title"], edit["text"])
    kept = {"marks": marks_of(ingest.store, edit), "same": same, "shared": mark}
    ingest.pending.add(edit["capture_id"], article_id, UPDATED, kept, at)
