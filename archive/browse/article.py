"""The page of an article: a version to read, its history, its evidence and the posts beside it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from datasette.utils.asgi import NotFound, Response
from markupsafe import Markup

from archive.browse import figures
from archive.browse.blocks import Block, blocks
from archive.browse.changes import shown as read_change
from archive.browse.citation import cite_row, has_evidence, write_json
from archive.browse.comparison import lines_of, marked, time_axis, what_changed
from archive.browse.context import Frame, listed, open_frame, rows, worded
from archive.compare.words import LinePair, side_by_side
from archive.read.diff import is_rtl
from archive.read.selection import read_articles, read_versions
from archive.store.claim_sets import unpack
from archive.store.fields import PAGE_FIELDS
from archive.store.row_types import ArticleRow

_SHOWN = 30  # the newest versions and changes; a page with ?history=all has all
_CAPTURES = 25  # the newest ones; the others are in their table
_BESIDE = 4  # posts of the same day, before and after
_VERSIONS = """select version_id, number, title, plain_title, first_captured_at, last_captured_at, captures,
    published_at, modified_at, language,
    version_id in (select version_id from retracted_versions) as is_retracted
    from versions where article_id = ? order by number"""
_CHANGES = """select c.seq, c.kind, c.severity, c.classes, c.figures, c.details, c.stealth, c.said_at,
    c.stale_copy, n.number as after, o.number as before, o.title as title_before, s.number as same_as,
    exists (select 1 from changes r where r.retracts = c.seq) as is_retracted
    from changes c left join versions s on s.version_id = c.same_as_version_id
    left join versions n on n.version_id = c.version_id left join versions o on o.version_id =
    c.previous_version_id
    where c.article_id = ? order by c.seq"""
_EVIDENCE = """select c.capture_id, c.captured_at, c.status, c.outcome, c.size, f.name as warc, f.serial,
               c.offset
    from captures c join warc_files f using (warc_file_id) where c.article_id = ? order by c.captured_at
    desc, c.capture_id desc limit ?"""
_SIGHTED = (
    "select channel, min(first_seen_at) as first, max(last_seen_at) as last, sum(times) as times from "
    "sightings where article_id = ? group by 1"
)
_NEXT = """select a.edition, a.post_id, v.title, v.plain_title, v.language from articles a join versions v on
           v.version_id = a.newest_version_id
    where a.edition = ? and a.post_id {} ? order by a.post_id {} limit 1"""
# The nearest on both sides in the order of sighting, chosen before their versions are read: a busy day has a
# hundred posts.
_NEAR = (
    "select article_id from articles where edition = ?1 and day = ?2 and newest_version_id is not null "
    "and article_id {} ?3 order by 1 {} limit ?4"
)
_SAME_DAY = f"""select a.edition, a.post_id, v.title, v.plain_title, v.published_at, v.language
    from articles a join versions v on v.version_id = a.newest_version_id
    where a.article_id in (select * from ({_NEAR.format("<", "desc")}) union all select * from
    ({_NEAR.format(">", "asc")}))
    order by v.published_at, a.post_id"""
# Stated fields that have a place of their own on the page; the others are listed
_PLACED: tuple[str, ...] = ("published_at", "modified_at", "author", "language", "canonical_url")
_PLACED += ("categories", "tags", "source_outlet", "source_url", "notes")


async def page(datasette: Any, request: Any) -> Response:
    """Show an article (``?version=``: that version, else the newest; ``?marks=no``: without marks;
    ``?history=all``: every version and change)."""
    frame = await open_frame(datasette, request)
    source, key = frame.article
    wanted = frame.argument("version", 20)
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    if wanted and number is None:
        raise NotFound(frame.language.text("not_found.version", version=wanted))
    found = await frame.ask(lambda conn: _read(conn, frame, source, key, number))
    if found is None:
        sentence = "not_found.article_version" if number else "not_found.article"
        raise NotFound(frame.language.text(sentence, source=source, key=key, version=number))
    return await frame.page("sohr_article.html", found)


async def go(datasette: Any, request: Any) -> Response:
    """Lead the form that chooses two versions to their comparison."""
    frame = await open_frame(datasette, request)
    _, key = frame.article
    given = request.url_vars
    row = {"edition": given.get("edition"), "post_id": given.get("post_id"), "key": key}
    view = frame.chosen("view", ("inline",))
    return Response.redirect(
        frame.read(row, f"/diff/{frame.number('from_', 1)}/{frame.number('to', 1)}", view=view)
    )


def _read(
    conn: sqlite3.Connection, frame: Frame, source: str, key: str, number: int | None
) -> dict[str, Any] | None:
    article = next(read_articles(conn, "where source = ? and key = ?", source, key), None)
    if article is None:
        return None
    article_id = article["article_id"]
    versions = rows(conn, _VERSIONS, article_id)
    rtl = is_rtl(article["edition"], versions[-1]["language"] if versions else None)
    shown = (
        next((v["version_id"] for v in versions if v["number"] == number), None)
        if number
        else article["newest_version_id"]
    )
    if number and shown is None:
        return None
    changes = [
        read_change(row) | {"figures": listed(row["figures"])} for row in rows(conn, _CHANGES, article_id)
    ]
    context: dict[str, Any] = _around(conn, article) | {
        "article": article,
        "versions": versions,
        "by_version": {row["after"]: row for row in changes if row["kind"] == "updated" and row["after"]},
        "version": None,
        "changes": changes,
        "most": max(len(versions), len(changes)) if frame.argument("history") == "all" else _SHOWN,
        "picture": figures.picture(
            frame.language,
            [row for row in versions if not row["is_retracted"]],
            [row for row in changes if not row["is_retracted"]],
            article["last_captured_at"] or "",
            rtl=rtl,
        ),
        "axis": time_axis(
            conn, frame, article | {"last_look": article["last_captured_at"]}, [number or 0], rtl=rtl
        )
        if len(versions) > 1
        else "",
    }
    if not shown:
        return context
    context |= _version(conn, frame, article, shown)
    if frame.argument("marks") != "no":
        _mark_change(conn, frame, context)
    return context


def _around(conn: sqlite3.Connection, article: ArticleRow) -> dict[str, Any]:
    """Where an article was captured, listed and moved to, and the posts beside it."""
    article_id, edition, post_id = article["article_id"], article["edition"], article["post_id"]
    moved = "select edition, post_id, key, url from articles where article_id = ?"
    aliases = rows(conn, "select url from aliases where article_id = ? order by alias_id", article_id)
    day = article["day"]
    return {
        "aliases": [alias["url"] for alias in aliases],
        "captures": rows(conn, _EVIDENCE, article_id, _CAPTURES),
        "sighted": rows(conn, _SIGHTED, article_id),
        "moved_to": next(iter(rows(conn, moved, article["moved_to"])), None),
        "before": next(iter(rows(conn, _NEXT.format("<", "desc"), edition, post_id)), None),
        "after": next(iter(rows(conn, _NEXT.format(">", "asc"), edition, post_id)), None),
        "same_day": rows(conn, _SAME_DAY, edition, day, article_id, _BESIDE) if day else [],
    }


@dataclass(frozen=True, slots=True)
class Note:
    """What a line of the text said in the version before."""

    before: Markup
    what: str  # a class of change


def _mark_change(conn: sqlite3.Connection, frame: Frame, context: dict[str, Any]) -> None:
    """Mark in the blocks of a version what changed since the version before, with the former words beside
    it."""
    version, article = context["version"], context["article"]
    sql = """select number, title, text from versions where article_id = ? and number < ?
        order by number desc limit 1"""
    previous = next(iter(rows(conn, sql, article["article_id"], version["number"])), None)
    change = context["by_version"].get(version["number"])
    if previous is None or change is None:
        return
    changed: dict[int, list[LinePair]] = {}  # by the line of the shown version at which they stand
    line = 1
    for pair in side_by_side(lines_of(previous["text"]), lines_of(version["text"])):
        line = pair.number_after or line
        if pair.op != "same":
            changed.setdefault(line, []).append(pair)
    context |= {
        "blocks": list(
            _marked_blocks(context["blocks"], changed, is_rtl(article["edition"], version["language"]))
        ),
        "marks": {
            "since": previous["number"],
            "title": previous["title"] if previous["title"] != version["title"] else "",
            "stealth": change["stealth"],
            "address": frame.read(article, f"/diff/{previous['number']}/{version['number']}"),
        },
    }


def _marked_blocks(blocks: Iterable[Block], changed: dict[int, list[LinePair]], rtl: bool) -> Iterator[Block]:
    first = 1
    for block in blocks:
        pairs = {n: changed.get(first + n, []) for n in range(len(block.lines))}
        first += len(block.lines)
        lines = list(block.lines)
        for n, (depth, _) in enumerate(block.lines):
            after = [pair.after for pair in pairs[n] if pair.after]
            if after and block.kind != "row":
                lines[n] = (depth, marked(after[0], rtl=rtl))
        notes = [
            Note(marked(pair.before, rtl=rtl), what_changed(pair))
            for some in pairs.values()
            for pair in some
            if pair.before
        ]
        yield replace(block, lines=tuple(lines), notes=tuple(notes))


def _version(conn: sqlite3.Connection, frame: Frame, article: ArticleRow, version_id: int) -> dict[str, Any]:
    [version] = read_versions(conn, "v.version_id = ?", version_id)
    columns: Mapping[str, Any] = version
    claims: dict[str, list[tuple[str, str]]] = {}
    for claim in unpack(version["claims"], version, article["post_id"]):
        claims.setdefault(claim.field, []).append((claim.value, claim.origin))
    return {
        "version": version,
        "blocks": blocks(version["text"], version["lines"]),
        **{name: worded(columns[name]) for name in ("categories", "tags", "notes")},
        "claims": claims,
        "stated": [
            (of.name, of.unpack(columns[of.name]))
            for of in PAGE_FIELDS
            if of.label and of.name not in _PLACED and columns[of.name] not in (None, "[]")
        ],
        "cited": (cited := cite_row(frame, article, version)),
        "cited_json": write_json(cited),
        "has_evidence": has_evidence(frame),
    }
