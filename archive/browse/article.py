"""One article: a version to read, its history, its evidence, its neighbours."""

from __future__ import annotations

import sqlite3
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse import figures
from archive.browse.blocks import blocks
from archive.browse.citation import cite_row, write_json
from archive.browse.context import Frame, listed, open_frame, rows, worded
from archive.browse.labels import STATED
from archive.read.selection import VERSION_ROWS
from archive.store.claim_sets import unpack
from archive.store.fields import PAGE_FIELDS

_CAPTURES = 25  # the newest ones; the others are in their table
_BESIDE = 4  # posts of the same day, before and after
_VERSIONS = """select version_id, number, title, plain_title, first_captured_at, last_captured_at, captures,
    published_at, modified_at, version_id in (select version_id from retracted_versions) as is_retracted
    from versions where article_id = ? order by number"""
_CHANGES = """select c.seq, c.kind, c.severity, c.classes, c.figures, c.details, c.stealth, c.said_at,
    c.stale_copy, n.number as after, o.number as before, s.number as same_as,
    exists (select 1 from changes r where r.retracts = c.seq) as is_retracted
    from changes c left join versions s on s.version_id = c.same_as_version_id
    left join versions n on n.version_id = c.version_id left join versions o on o.version_id = c.previous_version_id
    where c.article_id = ? order by c.seq"""
_EVIDENCE = """select c.capture_id, c.captured_at, c.status, c.outcome, c.size, f.name as warc, f.serial, c.offset
    from captures c join warc_files f using (warc_file_id) where c.article_id = ? order by c.captured_at desc, c.capture_id desc limit ?"""
_SIGHTED = "select channel, min(first_seen_at) as first, max(last_seen_at) as last, sum(times) as times from sightings where article_id = ? group by 1"
_NEXT = """select a.edition, a.post_id, v.title, v.plain_title, v.language from articles a join versions v on v.version_id = a.newest_version_id
    where a.edition = ? and a.post_id {} ? order by a.post_id {} limit 1"""
# The nearest on both sides in the order of sighting, chosen before their versions are read: a busy day has a
# hundred posts.
_NEAR = "select article_id from articles where edition = ?1 and day = ?2 and newest_version_id is not null and article_id {} ?3 order by 1 {} limit ?4"
_SAME_DAY = f"""select a.edition, a.post_id, v.title, v.plain_title, v.published_at, v.language
    from articles a join versions v on v.version_id = a.newest_version_id
    where a.article_id in (select * from ({_NEAR.format("<", "desc")}) union all select * from ({_NEAR.format(">", "asc")}))
    order by v.published_at, a.post_id"""
# Stated fields that have a place of their own on the page; the others are listed
_PLACED = frozenset(
    [
        "published_at",
        "modified_at",
        "author",
        "language",
        "canonical_url",
        "categories",
        "tags",
        "source_outlet",
        "source_url",
        "notes",
    ]
)


async def page(datasette: Any, request: Any) -> Response:
    """An article (``?version=``: that version; without it the newest)."""
    frame = await open_frame(datasette, request)
    source, key = frame.article
    wanted = frame.argument("version", 20)
    number = int(wanted) if wanted.isascii() and wanted.isdigit() and len(wanted) < 10 else None
    if wanted and number is None:
        raise NotFound(f"There is no version {wanted}.")
    found = await frame.ask(lambda conn: _read(conn, frame, source, key, number))
    if found is None:
        raise NotFound(
            f"The archive does not hold {source} {key}" + (f" in version {number}." if number else ".")
        )
    return await frame.page("sohr_article.html", found)


async def go(datasette: Any, request: Any) -> Response:
    """From a typed post id, or from the chooser of two versions, to the page meant."""
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
    found = rows(conn, "select * from articles where source = ? and key = ?", source, key)
    if not found:
        return None
    article = found[0]
    article_id = article["article_id"]
    versions = rows(conn, _VERSIONS, article_id)
    shown = (
        next((v["version_id"] for v in versions if v["number"] == number), None)
        if number
        else article["newest_version_id"]
    )
    if number and shown is None:
        return None
    changes = [
        row
        | {
            "words": worded(row["classes"]),
            "figures": listed(row["figures"]),
            "changed": figures.changed_figures(listed(row["figures"])),
        }
        for row in rows(conn, _CHANGES, article_id)
    ]
    moved = rows(
        conn, "select edition, post_id, key, url from articles where article_id = ?", article["moved_to"]
    )
    edition, post_id = article["edition"], article["post_id"]
    context: dict[str, Any] = {
        "article": article,
        "versions": versions,
        "by_version": {row["after"]: row for row in changes if row["kind"] == "updated" and row["after"]},
        "version": None,
        "changes": changes,
        "aliases": [
            a["url"]
            for a in rows(conn, "select url from aliases where article_id = ? order by alias_id", article_id)
        ],
        "captures": rows(conn, _EVIDENCE, article_id, _CAPTURES),
        "sighted": rows(conn, _SIGHTED, article_id),
        "moved_to": moved[0] if moved else None,
        "before": next(iter(rows(conn, _NEXT.format("<", "desc"), edition, post_id)), None),
        "after": next(iter(rows(conn, _NEXT.format(">", "asc"), edition, post_id)), None),
        "same_day": rows(conn, _SAME_DAY, edition, article["day"], article_id, _BESIDE)
        if article["day"]
        else [],
        "picture": figures.picture(
            [row for row in versions if not row["is_retracted"]],
            [row for row in changes if not row["is_retracted"]],
        ),
    }
    return context | (_version(conn, frame, article, shown) if shown else {})


def _version(
    conn: sqlite3.Connection, frame: Frame, article: dict[str, Any], version_id: int
) -> dict[str, Any]:
    version = rows(
        conn,
        f"{VERSION_ROWS} where v.version_id = ?",
        version_id,
    )[0]
    claims: dict[str, list[tuple[str, str]]] = {}
    for claim in unpack(version["claims"], version, article["post_id"]):
        claims.setdefault(STATED.get(claim.field, claim.field), []).append((claim.value, claim.origin))
    return {
        "version": version,
        "blocks": blocks(version["text"], version["lines"]),
        "categories": worded(version["categories"]),
        "tags": worded(version["tags"]),
        "notes": worded(version["notes"]),
        "claims": claims,
        "stated": [
            (of.label, of.unpack(version[of.name]))
            for of in PAGE_FIELDS
            if of.label and of.name not in _PLACED and version[of.name] not in (None, "[]")
        ],
        "cited": (cited := cite_row(frame, article, version)),
        "cited_json": write_json(cited),
    }
