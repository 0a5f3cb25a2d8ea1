"""Exports of versions: a stable order, the same bytes for the same archive, flat memory, whole files or
none."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from archive.export.files import destination, is_file_to_be, permitted
from archive.export.package import check_package, facts, write_package
from archive.export.tables import write_csv, write_parquet
from archive.export.wacz import write_wacz
from archive.export.warc import Seen, write_warc
from archive.read.database import cite, json_line, snapshot
from archive.read.records import read_contents, read_records
from archive.read.selection import EVERYTHING, Selection, check, versions

Format = Literal["jsonl", "csv", "parquet", "text", "warc", "wacz"]
FORMATS: tuple[Format, ...] = ("jsonl", "csv", "parquet", "text", "warc", "wacz")


@dataclass(slots=True)
class Told:
    """What an export holds; counted while it is written."""

    versions: int = 0
    articles: int = 0


def export(
    conn: sqlite3.Connection,
    target: str,
    form: Format = "jsonl",
    selection: Selection = EVERYTHING,
    *,
    folder: Path,
    content: bool = False,
    force: bool = False,
    package: bool = True,
    progress: Callable[[], object] = lambda: None,
) -> Told:
    """Write an export to a file or to standard output (``-``), as the archive stands at this moment, and
    `datapackage.json` beside a file.

    ``content``: only what the site said (JSON Lines). ``progress`` is called once a version. Raises
    BadReference, NeedsPyarrow, CannotWrite, DamagedWarc; BrokenPipeError where the reader went away.
    """
    count = _Count(progress)
    with snapshot(conn):
        check(conn, selection)
        is_file = target != "-" and is_file_to_be(permitted(target, folder, replace=force))
        has_package = package and is_file and not content
        if has_package:
            check_package(Path(target).resolve().parent)
        with destination(target, folder, replace=force) as out:
            _write(conn, folder, out, form, selection, content, count)
        if has_package:
            counts = {"versions": count.told.versions, "articles": count.told.articles}
            write_package(conn, Path(target).resolve(), form, selection, counts, folder)
    return count.told


class _Count:
    """Counts what passes by."""

    def __init__(self, progress: Callable[[], object]) -> None:
        self.told = Told()
        self._progress = progress
        self._last: tuple[str, str] | None = None

    def seen(
        self, article: Mapping[str, Any] | sqlite3.Row, version: Mapping[str, Any] | sqlite3.Row
    ) -> None:
        """One version, or an article without text."""
        self.told.versions += version["number"] is not None
        self.told.articles += self._last != (article["source"], article["key"])
        self._last = (article["source"], article["key"])
        self._progress()

    def each(self, records: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Pass records on."""
        for record in records:
            self.seen(record, record)
            yield record


def _write(
    conn: sqlite3.Connection,
    folder: Path,
    out: IO[bytes],
    form: Format,
    selection: Selection,
    content: bool,
    count: _Count,
) -> None:
    if form == "wacz":
        write_wacz(conn, folder, selection, out, facts(conn), count.seen)
    elif form == "warc":
        for _ in write_warc(conn, folder, selection, out, count.seen):
            pass
    elif form == "csv":
        write_csv(count.each(read_records(conn, selection)), out)
    elif form == "parquet":
        write_parquet(count.each(read_records(conn, selection)), out, facts(conn))
    elif form == "text":
        write_text(conn, selection, out, count.seen)
    else:
        for record in count.each((read_contents if content else read_records)(conn, selection)):
            out.write(json_line(record))


def write_text(conn: sqlite3.Connection, selection: Selection, out: IO[bytes], seen: Seen) -> None:
    """One stream: of each version four named lines (citation, url, published, title), an empty line, the text
    as stored, a line with a form feed.

    No text holds a form feed (it counts as white space when a page is read), so the parts come apart again
    without doubt.
    """
    for article, version in versions(conn, selection):
        seen(article, version)
        citation = cite(article["source"], article["key"], version["first_captured_at"])
        published = version["published_at"] or ""
        head = (
            f"citation: {citation}",
            f"url: {article['url']}",
            f"published: {published}",
            f"title: {version['title']}",
        )
        out.write("\n".join((*head, "", version["text"], "\f", "")).encode())
