"""Evidence that is learnt late: the states of its article are derived anew, in the order of time.

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
from archive.store.connection import Row
from archive.store.row_types import ArticleRow

DATED_OTHERWISE = "dated_otherwise"  # why a change is retracted: evidence learnt later dates it otherwise
_TEXTS = ("new", "changed", "unchanged", "backfilled")
_MISSING = ("missing", "soft404")
_STATES = ("withheld", "protected", "empty", "moved")
_WORDS = ", ".join(f"'{word}'" for word in (*_TEXTS, *_MISSING, *_STATES))
# A look with a failure does not count, nor does one that a judgement took back
_EVIDENCE = f"""select c.capture_id, c.url, c.status, c.location, c.outcome,
    coalesce(f.captured_at, c.captured_at) as at
from captures c left join captures f on f.record_id = c.look
where c.article_id = ? and c.outcome in ({_WORDS})
    and not (c.outcome in ('missing', 'soft404') and exists (
        select 1 from failures x where x.capture_id = c.capture_id and x.reason = c.outcome))
    and not exists (select 1 from changes w join changes r on r.retracts = w.seq
        where w.capture_id = c.capture_id and json_extract(w.details, '$.state') is not null
        and json_extract(r.details, '$.reason') is not '{DATED_OTHERWISE}')
order by at, c.status, c.capture_id"""
_STATED = """select seq, kind, said_at, json_extract(details, '$.state[1]') as state from valid_changes
where article_id = ? and said_at >= ? and kind != 'created'
    and json_extract(details, '$.state') is not null"""
_UNCLAIMED = """select capture_id, captured_at, iif(status = 451, 'withheld', outcome) as outcome
from captures
where (article_id is null and outcome in ('missing', 'soft404') or outcome = 'blocked' and status = 451)
    and url in (select url from aliases where article_id = ?1 union select ?2 union select ?3)"""


def settle(articles: Articles, seen: Seen, article_id: int) -> None:
    """Let what was just recorded of an article take its place among what is known of later times."""
    if seen.capture.source == "live":
        return
    store = articles.store
    [article] = store.articles.select("where article_id = ?", article_id)
    claimed = _claim(articles, article)
    if article["state"] is None and article["newest_version_id"] is None:
        return
    evidence = store.query(_EVIDENCE, article_id)
    if claimed or any(row["at"] > seen.at for row in evidence):
        _derive(articles, seen, article, evidence, min([seen.at, *claimed]))


def _claim(articles: Articles, article: ArticleRow) -> list[str]:
    """Give an article the looks that found nothing at its addresses and were nobody's so far; their times."""
    store, key = articles.store, key_of(article)
    by_id = articles.site.id_url(key) if article["edition"] else article["url"]
    rows = store.query(_UNCLAIMED, article["article_id"], article["url"], by_id)
    for row in rows:
        store.captures.drop_failures(row["capture_id"])
        store.captures.update(row["capture_id"], article_id=article["article_id"], outcome=row["outcome"])
    return [row["captured_at"] for row in rows]


@dataclass
class _History:
    """The state of an article as its evidence is read in the order of time."""

    state: str | None = None
    missing_looks: int = 0
    missing_since: str | None = None
    moved_to: int | None = None
    changes: list[tuple[str, Row, str | None, str]] = field(default_factory=list)  # kind, row, before, after

    def read(self, row: Row, target: int | None) -> None:
        """What one look adds; `archive.ingest.articles` does the same for looks that come in order."""
        word = row["outcome"]
        if word in _MISSING:
            if self.state not in (None, "moved"):
                self.missing_looks += 1
                self.missing_since = self.missing_since or row["at"]
                self._become(self._gone(row["at"]), row, None)
            return
        if word == "withheld" and self.state is None:
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

    def _gone(self, at: str) -> str:
        is_final = self.state == "disappeared" or look_schedule.is_disappeared(
            self.missing_looks, self.missing_since or at, at
        )
        return "disappeared" if is_final else "missing"

    def _become(self, state: str, row: Row, kind: str | None, *, is_moved_on: bool = False) -> None:
        if self.state is not None and (state != self.state or is_moved_on):
            self.changes.append((kind or state, row, self.state, state))
        self.state = state


def _derive(articles: Articles, seen: Seen, article: ArticleRow, evidence: Iterable[Row], since: str) -> None:
    """Derive the states of an article from all its evidence; what ``since`` then changed goes to the feed."""
    store, article_id = articles.store, article["article_id"]
    history = _History()
    read = list[Row]()  # from the first that showed it
    for row in evidence:
        history.read(row, _find_target(articles, row))
        if history.state is not None:
            read.append(row)
    if not read:
        return
    first, last = read[0]["at"], read[-1]["at"]
    stated = {
        (row["kind"], row["said_at"], row["state"]): row["seq"]
        for row in store.query(_STATED, article_id, since)
    }
    for kind, row, before, state in history.changes:
        if row["at"] >= since and stated.pop((kind, row["at"], state), None) is None:
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
        look_schedule.missing_next_look(history.missing_looks, last, key)
        if is_gone
        else look_schedule.next_look(last, unchanged, key)
    )
    store.articles.update(
        article_id,
        state=history.state,
        missing_looks=history.missing_looks,
        missing_since=history.missing_since,
        moved_to=history.moved_to,
        first_captured_at=min(first, article["first_captured_at"] or first),
        last_captured_at=last,
        next_look_at=due if article["edition"] else None,
    )


def _find_target(articles: Articles, row: Row) -> int | None:
    """The article that a redirect leads to for good."""
    if row["outcome"] != "moved":
        return None
    address = articles.site.parse(urljoin(row["url"], row["location"] or ""))
    target = articles.store.articles.get(address.key) if address and address.key else None
    return target["article_id"] if target else None


def _find_version(articles: Articles, article: ArticleRow, at: str) -> int | None:
    """The version that an article had at an instant."""
    which = "where article_id = ? and first_captured_at <= ? order by number desc limit 1"
    rows = articles.store.versions.select(which, article["article_id"], at)
    return rows[0]["version_id"] if rows else None
