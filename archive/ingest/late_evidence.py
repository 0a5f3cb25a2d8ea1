"""Evidence that is learnt late: the states of its article are derived anew, in the order of time, and what it
explains is read again.

A live crawl learns in the order of time, and its captures never come here. Rows of the feed stay: what was
missed is added with its own time, and what is dated otherwise now is retracted.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin

from archive.ingest import look_schedule
from archive.ingest.articles import Articles
from archive.ingest.seen import Seen, key_of
from archive.model import GONE_STATES
from archive.outcome import DISAGREEMENT, OTHER_LAYOUT
from archive.store.connection import Row
from archive.store.row_types import ArticleRow

DATED_OTHERWISE = "dated_otherwise"  # why a change is retracted: evidence learnt later dates it otherwise
_TEXTS = ("new", "changed", "unchanged", "backfilled")
_MISSING = ("missing", "soft404")
_STATES = ("withheld", "protected", "empty", "moved")
_UNREAD = ("quarantined", "layout", "mismatch", "hostile", "broken")
_WORDS = ", ".join(f"'{word}'" for word in (*_TEXTS, *_MISSING, *_STATES, *_UNREAD, "not_modified"))
# What a capture of no article turned out to be, if it says something once its article is known
EXPLAINABLE = frozenset({*_MISSING, *_UNREAD, "blocked", "redirect"})
# A look with a failure does not count, nor does one that a judgement took back
_EVIDENCE = f"""select c.capture_id, c.url, c.status, c.location,
    iif(c.outcome = 'blocked', 'withheld', c.outcome) as outcome,
    coalesce(f.captured_at, c.captured_at) as at
from captures c left join captures f on f.record_id = c.look
where c.article_id = ? and (c.outcome in ({_WORDS}) or c.outcome = 'blocked' and c.status = 451)
    and not (c.outcome in ('missing', 'soft404') and exists (
        select 1 from failures x where x.capture_id = c.capture_id and x.reason = c.outcome))
    and not exists (select 1 from changes w join changes r on r.retracts = w.seq
        where w.capture_id = c.capture_id and json_extract(w.details, '$.state') is not null
        and json_extract(r.details, '$.reason') is not '{DATED_OTHERWISE}')
order by at, c.status, c.capture_id"""
# A first state is told where it is not the usual one; `unreadable` says what this archive can read
_STATED = """select seq, iif(kind = 'created', 'metadata', kind) as kind, said_at,
    json_extract(details, '$.state[1]') as state from valid_changes
where article_id = ? and said_at >= ? and json_extract(details, '$.state[1]') != 'unreadable'"""
_PROMISED = """select capture_id, captured_at from captures
where promised in (select url from aliases where article_id = ?1 union select ?2)"""
_IN_QUARANTINE = f"""select c.capture_id, captured_at from captures c join failures f using (capture_id)
where c.article_id = ? and outcome = 'quarantined' and f.reason in ('{OTHER_LAYOUT}', '{DISAGREEMENT}')"""


def find_explained(articles: Articles, article_id: int, *, is_new_text: bool) -> list[int]:
    """Captures that say more now that an article is known: those at its addresses that were nobody's, and
    those whose text was not trusted if it has a new one, which may be the same. In the order of time."""
    store = articles.store
    [article] = store.articles.select("where article_id = ?", article_id)
    rows = store.query(_PROMISED, article_id, str(key_of(article)))
    rows += store.query(_IN_QUARANTINE, article_id) if is_new_text else []
    return [
        row["capture_id"] for row in sorted(rows, key=lambda row: (row["captured_at"], row["capture_id"]))
    ]


def settle(articles: Articles, seen: Seen, article_id: int) -> None:
    """Let what was just recorded of an article take its place among what is known of later times."""
    store = articles.store
    [article] = store.articles.select("where article_id = ?", article_id)
    if article["state"] is None:
        return
    evidence = store.query(_EVIDENCE, article_id)
    if any(row["at"] > seen.at for row in evidence):
        _derive(articles, seen, article, evidence)


@dataclass
class _History:
    """The state of an article as its evidence is read in the order of time."""

    state: str | None = None
    has_text: bool = False
    first: str | None = None
    last: str | None = None
    missing_looks: int = 0
    missing_since: str | None = None
    moved_to: int | None = None
    changes: list[tuple[str, Row, str | None, str]] = field(default_factory=list)  # kind, row, before, after

    def read(self, row: Row, target: int | None) -> None:
        """What one look adds; `archive.ingest.articles` does the same for looks that come in order."""
        word = row["outcome"]
        if self.state is None and word in (*_MISSING, "withheld", "moved", "not_modified"):
            return
        if word in _UNREAD:
            if self.state is None:
                self.state, self.first, self.last = "unreadable", row["at"], row["at"]
            return
        self.first, self.last = self.first or row["at"], row["at"]
        if word == "not_modified":
            return
        if word in _MISSING:
            if self.state != "moved":
                self.missing_looks += 1
                self.missing_since = self.missing_since or row["at"]
                self._become(self._gone(row["at"]), row, None)
            return
        self.missing_looks, self.missing_since = 0, None
        state = "live" if word in _TEXTS else word
        kind = "metadata"
        if state == "moved":
            kind = "moved"
        elif state == "live" and self.state in GONE_STATES:
            kind = "restored"
        is_moved_on = state == "moved" and target != self.moved_to
        self.moved_to = target if state == "moved" else None
        self._become(state, row, kind, is_moved_on=is_moved_on)
        self.has_text |= state == "live"

    def _gone(self, at: str) -> str:
        is_final = self.state == "disappeared" or look_schedule.is_disappeared(
            self.missing_looks, self.missing_since or at, at
        )
        return "disappeared" if is_final else "missing"

    def _become(self, state: str, row: Row, kind: str | None, *, is_moved_on: bool = False) -> None:
        is_told = self.has_text or state != "live"  # a first text is told as such
        if is_told and (state != self.state or is_moved_on):
            self.changes.append((kind or state, row, self.state, state))
        self.state = state


def _derive(articles: Articles, seen: Seen, article: ArticleRow, evidence: Iterable[Row]) -> None:
    """Derive the states of an article from all its evidence; what changed since ``seen`` goes to the feed."""
    store, article_id = articles.store, article["article_id"]
    history = _History()
    for row in evidence:
        history.read(row, _find_target(articles, article, row))
    if history.last is None:
        return
    stated = {
        (row["kind"], row["said_at"], row["state"]): row["seq"]
        for row in store.query(_STATED, article_id, seen.at)
    }
    for kind, row, before, state in history.changes:
        if row["at"] >= seen.at and stated.pop((kind, row["at"], state), None) is None:
            details: dict[str, Any] = {"state": [before, state]}
            if row["outcome"] in _MISSING or state == "withheld":
                details |= {"status": row["status"]}
            ids = {"capture_id": row["capture_id"], "version_id": _find_version(articles, article, row["at"])}
            store.changes.add(article_id, kind, row["at"], seen.learnt_at, details=details, **ids)
    for seq in stated.values():
        details = {"reason": DATED_OTHERWISE}
        store.changes.add(article_id, "retracted", seen.at, seen.learnt_at, retracts=seq, details=details)
    is_gone = history.state in ("missing", "disappeared")
    key, unchanged = str(key_of(article)), article["unchanged_looks"]
    due = (
        look_schedule.missing_next_look(history.missing_looks, history.last, key)
        if is_gone
        else look_schedule.next_look(history.last, unchanged, key)
    )
    store.articles.update(
        article_id,
        state=history.state,
        missing_looks=history.missing_looks,
        missing_since=history.missing_since,
        moved_to=history.moved_to,
        first_captured_at=history.first,
        last_captured_at=history.last,
        next_look_at=due if article["edition"] else None,
    )


def _find_target(articles: Articles, article: ArticleRow, row: Row) -> int | None:
    """The article that a redirect leads to for good, or that has the text of one that is gone."""
    if row["outcome"] != "moved":
        return None
    if row["location"] is None:
        return article["moved_to"]
    address = articles.site.parse(urljoin(row["url"], row["location"] or ""))
    target = articles.store.articles.get(address.key) if address and address.key else None
    return target["article_id"] if target else None


def _find_version(articles: Articles, article: ArticleRow, at: str) -> int | None:
    """The version that an article had at an instant."""
    which = "where article_id = ? and first_captured_at <= ? order by number desc limit 1"
    rows = articles.store.versions.select(which, article["article_id"], at)
    return rows[0]["version_id"] if rows else None
