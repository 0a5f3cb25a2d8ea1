"""The changes that the archive found, for people and as files; and the articles that are not on the site."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from heapq import merge
from itertools import groupby, islice
from typing import Any

from datasette.utils.asgi import Response

from archive.browse.context import Frame, listed, open_frame, rows, worded
from archive.browse.figures import changed_figures
from archive.model import CHANGE_KINDS, GONE_STATES
from archive.read.search import parse_query

PAGE = 40
LOOKED = 20_000  # changes that are read for a page; the next page continues after them
COUNTED = 500  # changes that match are counted up to this
_MOST = 10_000  # lines of one response
_SQL = """select c.seq, c.kind, c.severity, c.classes, c.figures, c.details, c.stealth, c.said_at,
          c.learnt_at,
    a.source, a.key, a.edition, a.post_id, a.url, v.title, v.plain_title, v.language, v.first_captured_at,
    n.number as after, o.number as before, o.title as title_before, a.missing_looks, a.missing_since
    from changes c join articles a using (article_id) left join versions n on n.version_id = c.version_id
    left join versions o on o.version_id = c.previous_version_id
    left join versions v on v.version_id = coalesce(c.version_id, a.newest_version_id)
    where c.seq = ?"""
EDITS = ("updated", "metadata", "missing", "disappeared", "moved", "restored")  # not first captures
_GONE_PAGE = 50
_GONE = f"""select a.source, a.key, a.edition, a.post_id, a.url, a.state, a.missing_since, a.missing_looks,
            a.versions, a.last_captured_at, a.first_captured_at, v.title, v.plain_title, v.language, v.author,
            v.text, v.published_at, v.cited_at
    from articles a left join versions v on v.version_id = a.newest_version_id
    where a.state in ({", ".join(map(repr, GONE_STATES))}) {{}} order by a.missing_since desc,
    a.article_id desc limit ?3 offset ?1"""


def shown(row: dict[str, Any]) -> dict[str, Any]:
    """A change with its JSON columns read."""
    details = json.loads(row["details"] or "{}")
    about = details if isinstance(details, dict) else {}
    claims = about.items() if row["kind"] == "metadata" else ()
    return row | {
        "words": worded(row["classes"]),
        "changed": changed_figures(listed(row["figures"])),
        "about": about,
        # name, and the values before and after where they are known
        "claims": [(name, s if isinstance(s, list) and len(s) == 2 else None) for name, s in claims],
    }


def at_seqs(conn: sqlite3.Connection, seqs: list[int]) -> list[dict[str, Any]]:
    """Changes by their numbers, with all that a page shows."""
    return [shown(row) for seq in seqs for row in rows(conn, _SQL, seq)]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which changes, as an address states it. Empty fields allow all."""

    view: str = ""  # "": edits and disappearances; "first": first captures; "all"
    kind: str = ""
    severity: str = ""  # exactly this one, of an edit
    silent: str = ""
    edition: str = ""
    q: str = ""  # words in the article's newest version

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of change that are shown."""
        if self.kind:
            return (self.kind,)
        if self.severity or self.silent:
            return ("updated",)
        return {"first": ("created", "backfilled"), "all": CHANGE_KINDS}.get(self.view, EDITS)


def files_of(frame: Frame, name: str, given: dict[str, object]) -> list[tuple[str, str]]:
    """The addresses of a list as files, with its filters."""
    forms = (("CSV", "csv"), ("JSON Lines", "jsonl"), ("Atom", "atom"))
    return [(form, frame.to(f"{name}.{end}", **given)) for form, end in forms]


def read(frame: Frame) -> Asked:
    """The changes that an address asks for; values that make no sense are ignored."""
    # `view=edits` is the default by name: `changes.jsonl` without it is the whole feed
    return Asked(
        frame.chosen("view", ("first", "all")),
        frame.chosen("kind", CHANGE_KINDS),
        frame.chosen("severity", ("0", "1", "2", "3")),
        frame.chosen("silent", ("1",)),
        frame.chosen("edition", ("en", "ar")),
        frame.argument("q"),
    )


async def page(datasette: Any, request: Any) -> Response:
    """The changes, newest first (``?before=`` a number)."""
    frame = await open_frame(datasette, request)
    asked, before = read(frame), frame.number("before")

    def ask(conn: sqlite3.Connection) -> dict[str, Any]:
        seqs, last = select(conn, asked, before, PAGE)
        changes = at_seqs(conn, seqs)
        long_day = frame.language.long_day
        days = [(long_day(day), list(some)) for day, some in groupby(changes, lambda c: c["said_at"][:10])]
        return {"days": days, "last": last, "count": count(conn, asked)}

    context = await frame.ask(ask) | {"asked": asked, "before": before, "most": COUNTED}
    given = asdict(asked)
    older = frame.to("changes", **given, before=context["last"]) if context["last"] else None

    def to(**changed: str) -> str:
        return frame.to("changes", **given | changed)

    files = files_of(frame, "changes", given | {"view": asked.view or "edits"})
    return await frame.page("sohr_changes.html", context | {"older": older, "to_changes": to, "files": files})


def select(
    conn: sqlite3.Connection, asked: Asked, before: int = 0, limit: int = PAGE
) -> tuple[list[int], int | None]:
    """The numbers of the newest changes that match, and the number to continue before; None at the end.

    Reads along an index of the kind, severity or silence, at most `LOOKED` changes.
    """
    seqs: list[int] = []
    last = looked = 0
    for last, is_match in _look(conn, asked, before):
        looked += 1
        if is_match:
            seqs.append(last)
        if len(seqs) > limit:
            break
    more = seqs[limit - 1] if len(seqs) > limit else last if looked == LOOKED else None
    return seqs[:limit], more


def count(conn: sqlite3.Connection, asked: Asked) -> int | None:
    """How many changes match; None above `COUNTED`, or if that many were not looked at."""
    found = 0
    for looked, (_, is_match) in enumerate(_look(conn, asked, 0), 1):
        found += is_match
        if found > COUNTED or looked == LOOKED:
            return None
    return found


def _look(conn: sqlite3.Connection, asked: Asked, before: int) -> Iterator[tuple[int, bool]]:
    """The numbers of changes from the newest on, at most `LOOKED`, and whether each matches."""
    articles = _articles_of(conn, asked.q)
    for seq, article_id, edition, stealth, severity in islice(_along(conn, asked, before), LOOKED):
        yield (
            seq,
            (not asked.edition or edition == asked.edition)
            and (not asked.silent or stealth == 1)
            and (not asked.severity or severity == int(asked.severity))
            and (articles is None or article_id in articles),
        )


def _along(conn: sqlite3.Connection, asked: Asked, before: int) -> Iterator[tuple[Any, ...]]:
    if asked.silent:
        indexes = ["indexed by changes_silent_seq where c.stealth = 1 and c.kind = 'updated'"]
    elif asked.severity:
        severity = int(asked.severity)
        indexes = [f"indexed by changes_severity where c.kind = 'updated' and c.severity = {severity}"]
    else:
        indexes = [f"indexed by changes_kind where c.kind = '{kind}'" for kind in asked.kinds]
    edition = "(select edition from articles a where a.article_id = c.article_id)"
    is_valid = "not exists (select 1 from changes r where r.retracts = c.seq)"
    shows_retracted = asked.view == "all" or asked.kind == "retracted"
    sql = f"""select c.seq, c.article_id, {edition if asked.edition else "null"}, c.stealth, c.severity
        from changes c {{}} and c.seq < ? and {"true" if shows_retracted else is_valid}
        order by c.seq desc limit {LOOKED}"""
    cursors = [conn.execute(sql.format(index), (before or 2**62,)) for index in indexes]
    return merge(*cursors, key=lambda row: -int(row[0]))


def _articles_of(conn: sqlite3.Connection, typed: str) -> set[int] | None:
    """The articles with these words; None for all."""
    match = parse_query(typed).expression()
    if not match:
        return None
    return {row[0] for row in conn.execute("select rowid from search where search match ?", (match,))}


async def gone(datasette: Any, request: Any) -> Response:
    """Articles that are missing, disappeared, moved or withheld (``?page=``, ``state=``), and restored
    ones."""
    frame = await open_frame(datasette, request)
    number = max(1, frame.number("page", 1, 10_000))
    state = frame.chosen("state", GONE_STATES)
    context = await frame.ask(lambda conn: _gone(conn, state, number))
    context |= {"number": number, "state": state, "states_named": GONE_STATES}
    return await frame.page(
        "sohr_missing.html", context | {"files": files_of(frame, "missing", {"state": state})}
    )


def read_gone(conn: sqlite3.Connection, state: str, limit: int, start: int = 0) -> list[dict[str, Any]]:
    """The articles that are not on the site, or those in one state, by when they were first not found."""
    return rows(conn, _GONE.format("and a.state = ?2" if state else "and ?2 = ''"), start, state, limit)


def _gone(conn: sqlite3.Connection, state: str, number: int) -> dict[str, Any]:
    found = read_gone(conn, state, _GONE_PAGE + 1, _GONE_PAGE * (number - 1))
    back = [
        row[0]
        for row in conn.execute("select seq from changes where kind = 'restored' order by seq desc limit 100")
    ]
    return {
        "gone": found[:_GONE_PAGE],
        "is_more": len(found) > _GONE_PAGE,
        "restored": at_seqs(conn, back) if number == 1 else [],
    }
