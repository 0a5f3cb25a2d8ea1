"""Exports of versions: a stable order, the same bytes for the same archive, flat memory, whole files or none."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from archive.errors import CannotWrite
from archive.model import Edition
from archive.reading import cite, json_line, snapshot

Which = Literal["all", "latest"]
# One question for the articles, one for the versions of each: SQLite would copy every text to sort them in one.
_ARTICLES = """
select a.article_id, a.source, a.key, a.edition, a.post_id, a.url, a.state, a.day, a.newest_version_id, m.source as to_source, m.key as to_key
from articles a left join articles m on m.article_id = a.moved_to
where ? is null or a.edition = ? order by a.source, cast(a.key as integer), a.key
"""
_VERSIONS = """
select v.*, c.record_id, c.offset, f.name as warc_file from versions v
left join captures c on c.capture_id = v.first_capture_id left join warc_files f using (warc_file_id)
where v.article_id = ? and (? is null or v.version_id = ?) order by v.first_captured_at, v.number
"""
_SAID = ("published_at", "modified_at", "author", "language", "canonical_url")
_LISTS = ("categories", "tags", "links", "images")
_OUTLET = ("source_outlet", "source_url")


@dataclass(frozen=True, slots=True)
class Told:
    """What an export holds."""

    versions: int
    articles: int


def export_jsonl(
    conn: sqlite3.Connection, target: str, *, content: bool = False, edition: Edition | None = None, which: Which = "all", keep: Path | None = None
) -> Told:
    """Write an export to a file (replaced at once when all is there) or to standard output (``-``), as the archive stands at this moment.

    ``keep``: the archive's folder, which an export never overwrites. Raises CannotWrite; BrokenPipeError where the reader went away.
    """
    versions = articles = 0
    last = None
    records = contents if content else entries
    with snapshot(conn), destination(target, keep) as out:
        for record in records(conn, edition, which):
            out.write(json_line(record))
            versions += record["number"] is not None
            articles += last != (record["source"], record["key"])
            last = (record["source"], record["key"])
    return Told(versions, articles)


def entries(conn: sqlite3.Connection, edition: Edition | None = None, which: Which = "all") -> Iterator[dict[str, Any]]:
    """Every version with what is known of it, ready for JSON, by source, post id as a number, and first capture."""
    for article, version in _pairs(conn, edition, which):
        if version is None:
            continue
        record = {name: article[name] for name in ("source", "key", "edition", "post_id", "url", "state", "day")}
        record |= {name: version[name] for name in ("number", "title", "plain_title", "text")}
        record["lines"] = lines_of(version)
        record |= {name: version[name] for name in ("text_sha256", *_SAID)}
        record |= {name: json.loads(version[name]) for name in _LISTS}
        record |= {name: version[name] for name in _OUTLET} | {"is_syndicated": bool(version["is_syndicated"])}
        record |= {"notes": json.loads(version["notes"]), "is_latest": version["version_id"] == article["newest_version_id"]}
        record |= {name: version[name] for name in ("first_captured_at", "last_captured_at", "captures", "layout", "extractor")}
        record["citation"] = cite(article["source"], article["key"], version["first_captured_at"])
        record["evidence"] = {name: version[name] for name in ("warc_file", "offset", "record_id")}
        yield record


def contents(conn: sqlite3.Connection, edition: Edition | None = None, which: Which = "all") -> Iterator[dict[str, Any]]:
    """What the site said, not when, where or how often it was asked: two archives of the same frozen site give the same records.

    Articles without text (protected, empty, unreadable) are one record without number, title and lines; articles that were never captured are
    none. ``missing`` stands for ``disappeared`` too, and terms are sorted: how often we looked, and which capture came first, is not content.
    """
    for article, version in _pairs(conn, edition, which):
        if article["state"] is None:
            continue
        state = "missing" if article["state"] == "disappeared" else article["state"]
        record: dict[str, Any] = {name: article[name] for name in ("source", "key", "edition", "post_id")}
        record |= {"state": state, "moved_to": f"{article['to_source']}:{article['to_key']}" if article["to_source"] else None}
        if version is None:
            yield record | {"number": None, "title": None, "lines": None}
            continue
        record |= {"number": version["number"], "title": version["title"], "lines": lines_of(version), "text_sha256": version["text_sha256"]}
        record |= {name: version[name] for name in _SAID}
        lists = {name: json.loads(version[name]) for name in _LISTS}
        record |= lists | {name: sorted(lists[name]) for name in ("categories", "tags")}
        yield record | {name: version[name] for name in _OUTLET} | {"is_syndicated": bool(version["is_syndicated"])}


def _pairs(conn: sqlite3.Connection, edition: Edition | None, which: Which) -> Iterator[tuple[sqlite3.Row, sqlite3.Row | None]]:
    for article in conn.execute(_ARTICLES, (edition, edition)):
        newest = article["newest_version_id"]
        if newest is None:
            yield article, None
            continue
        wanted = newest if which == "latest" else None
        for version in conn.execute(_VERSIONS, (article["article_id"], wanted, wanted)):
            yield article, version


def lines_of(version: sqlite3.Row) -> list[dict[str, Any]]:
    """A version's lines with their kind, and their depth where they have one: its columns ``text`` and ``lines`` put together."""
    kinds = json.loads(version["lines"])
    texts = version["text"].split("\n") if kinds else []
    lines = []
    for text, kind in zip(texts, kinds, strict=True):
        name, depth = kind if isinstance(kind, list) else (kind, 0)
        lines.append({"text": text, "kind": name} | ({"depth": depth} if depth else {}))
    return lines


# -- where it goes --------------------------------------------------------------------------------------------------------------------


@contextmanager
def destination(target: str, keep: Path | None = None) -> Iterator[IO[bytes]]:
    """Standard output for ``-``; a device or a pipe as it is; else a file that appears, or is replaced, whole, when all is written.

    Raises CannotWrite, also for the archive's own files in the folder ``keep``.
    """
    if target == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(target).resolve()
    if path.is_dir():
        raise CannotWrite(f"{target} is a folder: give the name of a file in it")
    if keep is not None and _is_kept(path, keep.resolve()):
        raise CannotWrite(f"{target} is a file of the archive itself: give another name")
    with _sentence(target):
        if path.exists() and not stat.S_ISREG(path.stat().st_mode):
            with open(path, "wb") as out:
                yield out
            return
        with _replacing(path) as out:
            yield out


def _is_kept(path: Path, folder: Path) -> bool:
    inside = any(folder / room in path.parents for room in ("warc", "manifests"))
    return inside or (path.parent == folder and path.name.startswith(("archive.", "consumers.")))


@contextmanager
def _replacing(path: Path) -> Iterator[IO[bytes]]:
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    try:
        with open(handle, "wb") as out:
            yield out
            out.flush()
            _share(handle)
            os.fsync(handle)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _share(handle: int) -> None:
    """Give a temporary file, made for its owner alone, the permissions of any new file."""
    mask = os.umask(0)
    os.umask(mask)
    os.fchmod(handle, 0o666 & ~mask)


@contextmanager
def _sentence(target: str) -> Iterator[None]:
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise CannotWrite(f"{target} cannot be written ({error.strerror}): free some space or give another name; what was there still is") from error


__all__ = ["Told", "contents", "destination", "entries", "export_jsonl", "lines_of"]
