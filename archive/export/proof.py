"""A package that proves what a version of an article said, or an edit, to people who have nothing else of the
archive: a signed WACZ with a provenance sheet, manifests, timestamps, and the blocks that tie them to the
records.

It holds the first and last capture of the version and of the one before it, each with its request and
provenance, and the robots.txt of that time. Everything but the signature can be checked with unzip,
sha256sum and openssl; the sheet says how.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from archive.clock import now
from archive.errors import DamagedWarc
from archive.export.connections import read_tls
from archive.export.package import facts
from archive.export.signature import sign_digest
from archive.export.source import Source
from archive.export.wacz import write_wacz
from archive.read.database import cite, open_readonly, snapshot
from archive.warc.files import find_file
from archive.warc.manifests import BLOCK, Manifest, find_seal, list_blocks, manifests
from archive.warc.reader import read_response
from archive.warc.timestamps import Token, find_token

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

    from archive.read.records import Version

_SIDES = """select v.*, a.source, a.key, a.url from versions v join articles a using (article_id)
where a.source = ? and a.key = ? and number in (?, ?) order by number"""
_CAPTURES = """select distinct capture_id from captures where article_id = ? and status < 400 and (
    capture_id in (?, ?) or look in (select record_id from captures where capture_id in (?, ?)))"""
_ROBOTS = """select capture_id from captures where channel = 'robots' and captured_at <=
    (select captured_at from captures where capture_id = ?) order by captured_at desc limit 1"""
_ROW = """select c.*, f.serial, f.name as file, k.name as crawl, k.software, k.arguments,
    coalesce((select max(p.offset + p.length) from captures p
              where p.warc_file_id = c.warc_file_id and p.offset < c.offset), 0) as before
from captures c join warc_files f using (warc_file_id) left join crawls k using (crawl_id)
where c.capture_id = ?"""
_EDIT = """select classes, severity, figures, stealth, stale_copy from changes c
where version_id = ? and previous_version_id = ? and kind = 'updated'"""
# Each line: what is checked, and the command
_CHECKS = """
unpack the package = unzip PACKAGE
each file has the hash that datapackage.json names = sha256sum FILE
datapackage.json has the hash in datapackage-digest.json = sha256sum datapackage.json
a text has its text_sha256 = sha256sum texts/version-1.txt
a token dates its manifest (root.pem: from the authority) = \
openssl ts -verify -data manifests/N.json -in manifests/N.tsr -CAfile root.pem
a manifest is the one that the next one names as "before" = sha256sum manifests/N.json
a manifest sealed the list of blocks, its "blocks" of that file = sha256sum blocks-N-FILE/list.sha256
the blocks are those of the list = cd blocks-N-FILE && sha256sum --ignore-missing -c list.sha256
a capture, with its request and provenance, is in its blocks = the "command" of the capture
its body, as it was received, has its payload_sha256 = its "body" | sha256sum; unpacked: its "page"
the signature is that of the archive's key ("sohr-archive head"), and the page as it was = https://replayweb.page/
"""


@dataclass(frozen=True, slots=True)
class _Proven:
    """A capture with what seals it. ``begin`` and ``end`` are bytes of its WARC file, request included."""

    row: sqlite3.Row
    begin: int
    end: int
    seal: Manifest | None
    token: Token | None


def write_proof(folder: Path, version: Version, out: IO[bytes], key: EllipticCurvePrivateKey | None) -> None:
    """Write the package of a version and, if there is one, of the edit that made it; signed if there is a
    ``key``. Raises DamagedWarc, NoArchive, OSError."""
    with closing(open_readonly(folder)) as conn, snapshot(conn):
        number = version.number
        sides = conn.execute(_SIDES, (version.source, version.key, number - 1, number)).fetchall()
        captures = [_prove(folder, row) for row in _rows(conn, sides)]
        files = dict(_texts(sides)) | dict(_blocks(folder, captures)) | dict(_seals(folder, captures))
        sheet = _sheet(conn, folder, sides, captures)
        files["provenance/sheet.json"] = (json.dumps(sheet, ensure_ascii=False, indent=1) + "\n").encode()
        files["provenance/sheet.html"] = _page(sheet).encode()
        source = Source(conn, folder, facts(conn) | {"title": f"What {version.url} said: {version.citation}"})
        places = [(proven.row["serial"], proven.row["offset"]) for proven in captures]

        created = now()

        def sign(digest: str) -> dict[str, Any]:
            return sign_digest(key, digest, source.facts["software"], created) if key else {}

        write_wacz(source, out, places, sorted(files.items()), created, sign)


def _rows(conn: sqlite3.Connection, sides: list[sqlite3.Row]) -> Iterator[sqlite3.Row]:
    """The captures to prove, by time: those of both sides, what they refer to, and robots.txt."""
    ids: set[int] = set()
    for side in sides:
        ends = (side["first_capture_id"], side["last_capture_id"])
        ids |= {one for (one,) in conn.execute(_CAPTURES, (side["article_id"], *ends, *ends))}
        ids |= {one for end in ends for (one,) in conn.execute(_ROBOTS, (end,))}
    rows = [conn.execute(_ROW, (one,)).fetchone() for one in ids]
    originals = {row["original_id"] for row in rows if row["original_id"]} - ids
    rows += [conn.execute(_ROW, (one,)).fetchone() for one in originals]
    yield from sorted(rows, key=lambda row: (row["captured_at"], row["serial"], row["offset"]))


def _prove(folder: Path, row: sqlite3.Row) -> _Proven:
    seal = find_seal(folder, row["serial"], row["offset"])
    token = find_token(folder, seal) if seal else None
    return _Proven(row, row["before"], row["offset"] + row["length"], seal, token)


def _texts(sides: list[sqlite3.Row]) -> Iterator[tuple[str, bytes]]:
    for side in sides:
        yield f"texts/version-{side['number']}.txt", side["text"].encode("utf-8", "surrogatepass")


def _place(proven: _Proven) -> tuple[str, int, range]:
    """The folder of a capture's blocks, where the first begins, and their numbers."""
    assert proven.seal is not None  # only sealed captures have blocks
    part = next(part for part in proven.seal.parts if part.start <= proven.row["offset"] < part.end)
    begin = max(proven.begin, part.start) - part.start
    numbers = range(begin // BLOCK, (proven.end - part.start - 1) // BLOCK + 1)
    return f"blocks-{proven.seal.number:06d}-{part.serial:06d}", part.start, numbers


def _blocks(folder: Path, captures: list[_Proven]) -> Iterator[tuple[str, bytes]]:
    """The sealed blocks that hold the captures, and the lists of all blocks of their parts. Raises
    DamagedWarc."""
    for proven in captures:
        if proven.seal is None:
            continue
        name, start, numbers = _place(proven)
        part = next(p for p in proven.seal.parts if p.serial == proven.row["serial"] and p.start == start)
        path = find_file(folder / "warc", part.serial)
        listed = list_blocks(path, part.start, part.end).encode() if path else b""
        if path is None or hashlib.sha256(listed).hexdigest() != part.blocks:
            raise DamagedWarc(part.name, "is not what its manifest sealed", proven.row["offset"])
        yield f"{name}/list.sha256", listed
        with open(path, "rb") as stream:
            for number in numbers:
                stream.seek(part.start + number * BLOCK)
                yield f"{name}/{number:05d}.bin", stream.read(min(BLOCK, part.end - stream.tell()))


def _seals(folder: Path, captures: list[_Proven]) -> Iterator[tuple[str, bytes]]:
    """The manifests from each seal up to its token, or to the newest if there is none, and the tokens."""
    spans = {(one.seal.number, one.token.number + 1 if one.token else 10**6) for one in captures if one.seal}
    for span in spans:
        for manifest in manifests(folder, range(*span)):
            yield manifest.name, manifest.path.read_bytes()
    for token in {one.token for one in captures if one.token}:
        yield token.name, token.path.read_bytes()


# -- the provenance sheet


def _sheet(
    conn: sqlite3.Connection, folder: Path, sides: list[sqlite3.Row], captures: list[_Proven]
) -> dict[str, Any]:
    stated = facts(conn)
    edit = None
    if len(sides) == 2:
        ids = (sides[1]["version_id"], sides[0]["version_id"])
        edit = next((_json_columns(row) for row in conn.execute(_EDIT, ids)), None)
    seals = sorted({one.seal.number: one for one in captures if one.seal}.items())
    return {
        "about": stated["description"],
        "archive_of": stated["site"],
        "made_with": stated["software"],
        "versions": [_version(side) for side in sides],
        "edit": edit,
        "captures": [_capture(folder, one) for one in captures],
        "seals": [_seal(one) for _, one in seals],
        "clocks": "Captures are dated by the clock of the machine that crawled, tokens by the authority's.",
        "how_to_check": dict(line.split(" = ", 1) for line in _CHECKS.strip().splitlines()),
    }


def _json_columns(row: sqlite3.Row) -> dict[str, Any]:
    return {
        name: json.loads(row[name]) if name in ("classes", "figures") else row[name]
        for name in row.keys()  # noqa: SIM118  # a Row is iterated by values
    }


def _version(side: sqlite3.Row) -> dict[str, Any]:
    names = (
        "number",
        "title",
        "published_at",
        "modified_at",
        "author",
        "first_captured_at",
        "last_captured_at",
    )
    return {
        "citation": cite(side["source"], side["key"], side["cited_at"]),
        "address": side["url"],
        **{name: side[name] for name in names},
        "text": side["text"],
        "text_sha256": side["text_sha256"],
        "file": f"texts/version-{side['number']}.txt",
    }


def _capture(folder: Path, proven: _Proven) -> dict[str, Any]:
    row = proven.row
    path = find_file(folder / "warc", row["serial"])
    if path is None:
        raise DamagedWarc(row["file"], "is not there", row["offset"], "restore that file from a copy")
    answer = read_response(path, row["offset"])
    software = json.loads(row["software"] or "{}")
    names = ("status", "captured_at", "recorded_at", "source", "service_url", "channel", "reason", "crawl")
    sheet: dict[str, Any] = {"address": row["url"], **{name: row[name] for name in names}}
    sheet |= {
        "date_of_the_server": answer.header("date"),
        "ip_address": answer.ip,
        **read_tls(folder, path, proven.begin, proven.end, row["record_id"]),
        "software": software.get("software"),
        "operator": software.get("operator"),
        "settings": json.loads(row["arguments"] or "{}"),
        "payload_sha256": row["payload_sha256"],
        "record_id": row["record_id"],
        "warc_file": row["file"],
        "offset": row["offset"],
        "length": row["length"],
        "sealed_by": proven.seal and proven.seal.name,
        "command": None,
        "body": None,
        "page": None,
    }
    if proven.seal:
        name, start, numbers = _place(proven)
        first = start + numbers[0] * BLOCK
        begin = max(proven.begin, start)
        blocks = " ".join(f"{name}/{number:05d}.bin" for number in numbers)
        sheet["command"] = (
            f"cat {blocks} | tail -c +{begin - first + 1} | head -c {proven.end - begin} | zcat"
        )
        if answer.body and row["original_id"] is None:  # else the body is that of another capture here
            size = len(answer.body)
            sheet["body"] = f"{sheet['command']} | tail -c {size + 4} | head -c {size}"
            is_packed = (answer.header("content-encoding") or "").strip().lower() in ("gzip", "x-gzip")
            sheet["page"] = sheet["body"] + (" | zcat" if is_packed else "")
    return sheet


def _seal(proven: _Proven) -> dict[str, Any]:
    assert proven.seal is not None  # of those that have one
    token = proven.token
    return {
        "manifest": proven.seal.name,
        "sha256": proven.seal.digest,
        "written_at": proven.seal.at,
        "before": proven.seal.before,
        "token": token and token.name,
        "covers": token and token.digest,
        "dated_at": token and token.at,
        "authority": token and token.authority,
    }


_STYLE = """body{max-width:60em;margin:auto;padding:1em;font:.9em/1.4 sans-serif}
h1{font-size:1.5em}h2{font-size:1.15em;margin:1em 0 .3em;break-after:avoid}p{margin:.3em 0}
table{border-collapse:collapse;width:100%;table-layout:fixed}th,td{border:1px solid #bbb;padding:.2em .5em;
text-align:start;vertical-align:top;overflow-wrap:anywhere}th:first-child{width:8em}p,li,code{overflow-wrap:anywhere}
li{break-inside:avoid;margin:.4em 0}.text{white-space:pre-line}.unknown,b{color:#555;font-weight:normal}
code,.digest{font:.85em monospace}@page{size:A4;margin:14mm}@media print{body{font-size:8.5pt;padding:0}}"""
_EMPTY: tuple[Any, ...] = (None, "", [], {})
_SIDE_ROWS = (
    "citation",
    "title",
    "author",
    "published_at",
    "modified_at",
    "first_captured_at",
    "last_captured_at",
)


def _page(sheet: dict[str, Any]) -> str:
    """The sheet for people, on two pages of paper, without scripts and without anything from elsewhere."""
    versions, captures = sheet["versions"], sheet["captures"]
    title = f"What {versions[-1]['address']} said"
    same = {name: one for name, one in captures[0].items() if all(other[name] == one for other in captures)}
    made = {name: sheet[name] for name in ("archive_of", "made_with")}
    parts = [
        f"<h1>{escape(title)}</h1><p>{_value(sheet['about'])} {_value(sheet['clocks'])}",
        f"The same, with every field apart, is in <code>sheet.json</code>. {_facts(made)}</p>",
        *([f"<h2>The edit</h2>{_edit(sheet['edit'])}"] if sheet["edit"] else []),
        f"<h2>The texts</h2>{_sides(versions)}",
        f"<h2>The captures</h2><p>Of all: {_facts(same)}</p><ol>",
        *(f"<li>{_capture_item({n: v for n, v in one.items() if n not in same})}</li>" for one in captures),
        "</ol><h2>What seals and dates them</h2><ol>",
        *(f"<li>{_facts(one)}</li>" for one in sheet["seals"]),
        "</ol><h2>How to check</h2><ol>",
        *(
            f"<li>{escape(what)}: <code>{escape(how)}</code></li>"
            for what, how in sheet["how_to_check"].items()
        ),
        "</ol>",
    ]
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_STYLE}</style>'
    body = "\n".join(parts)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head><body>{body}</body></html>\n'


def _edit(edit: dict[str, Any]) -> str:
    """What changed: each figure with its sentences, then the rest."""
    figures = (
        f"<li>{_value(one['before'])} → {_value(one['after'])}<br>{_value(one['sentence_before'])}<br>"
        f"{_value(one['sentence_after'])}</li>"
        for one in edit["figures"]
    )
    rest = {name: value for name, value in edit.items() if name != "figures"}
    return f"<ul>{''.join(figures)}</ul><p>{_facts(rest)}</p>"


def _sides(versions: list[dict[str, Any]]) -> str:
    """The versions side by side."""

    def row(name: str, kind: str) -> str:
        cells = (f'<td dir="auto" class="{kind}">{_value(one[name])}</td>' for one in versions)
        return f"<tr><th>{_label(name)}</th>{''.join(cells)}</tr>"

    rows = [row(name, "") for name in _SIDE_ROWS]
    return (
        f"<table>{''.join(rows)}{row('text', 'text')}{row('text_sha256', 'digest')}{row('file', '')}</table>"
    )


def _capture_item(fields: dict[str, Any]) -> str:
    """What is a capture's own: its facts, and the commands that show its record and its page."""
    commands = {name: fields.pop(name, None) for name in ("command", "body", "page")}
    shown = commands["page"] or commands["command"]
    return _facts(fields) + (f"<br><code>{escape(shown)}</code>" if shown else "")


def _facts(fields: dict[str, Any]) -> str:
    """Names and values in one paragraph; what is unknown is named at its end."""
    known = [
        f"<b>{_label(name)}:</b> {_value(value)}" for name, value in fields.items() if value not in _EMPTY
    ]
    empty = [_label(name).lower() for name, value in fields.items() if value in _EMPTY]
    return " · ".join(known + [f'<span class="unknown">unknown: {", ".join(empty)}</span>'] * bool(empty))


def _label(name: str) -> str:
    return escape(name.replace("_", " ").capitalize())


def _value(value: Any) -> str:
    if value in _EMPTY:
        return '<span class="unknown">unknown</span>'
    if isinstance(value, dict):
        shown = {name: one for name, one in value.items() if name != "pem"}
        return "; ".join(f"{escape(name)} {_value(one)}" for name, one in shown.items())
    if isinstance(value, list):
        return ", ".join(map(_value, value))
    return f"<bdi>{escape(str(value))}</bdi>"
