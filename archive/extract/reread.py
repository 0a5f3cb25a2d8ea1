"""Reads captures back from the WARC files, and what they say."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from archive.errors import DamagedWarc
from archive.extract.furniture import unpack as unpack_furniture
from archive.extract.furniture import without_furniture
from archive.extract.reader import Reader
from archive.model import ArticleKey, Capture, Claim, Extract, Line, LineKind, Unextractable
from archive.sites.sohr.addresses import HOME, Site
from archive.warc.reader import read_response

Row = sqlite3.Row
_OF_ROW = ("recorded_at", "requested_url", "via", "channel", "reason", "source", "service_url")
CHANGED_BETWEEN = "the post changed between two of its pages"


class Evidence:
    """The captures of an archive, by their rows."""

    def __init__(self, folder: Path, query: Callable[..., list[Row]], site: Site) -> None:
        self._warc = folder / "warc"
        self._query = query  # (sql, *values) -> rows
        self._reader = Reader(site, in_full=True)

    @classmethod
    def of(cls, conn: sqlite3.Connection, folder: Path) -> Evidence:
        """That of an archive opened for reading; rows are `sqlite3.Row`."""

        def query(sql: str, *values: object) -> list[Row]:
            return conn.execute(sql, values).fetchall()

        home = query("select value from about where key = 'home'")
        return cls(folder, query, Site(home[0][0] if home else HOME))

    def capture(self, row: Row) -> Capture:
        """The exchange of a row of `captures`, with the row's reasons for it. Raises DamagedWarc."""
        path = self.path(row)
        try:
            found = read_response(path, row["offset"])
        except OSError as error:
            raise DamagedWarc(path.name, f"cannot be read ({error.strerror})") from error
        crawls = self._query("select name from crawls where crawl_id = ?", row["crawl_id"])
        known = {name: row[name] for name in _OF_ROW}
        return replace(found, crawl=crawls[0]["name"] if crawls else None, **known)

    def path(self, row: Row) -> Path:
        """The WARC file with the record of a row of `captures`."""
        [file] = self._query("select name from warc_files where warc_file_id = ?", row["warc_file_id"])
        path = self._warc / str(file["name"])
        return path if path.exists() else path.with_name(path.name + ".open")

    def extract(
        self, capture_id: int, key: ArticleKey, ahead: Reader | None = None
    ) -> Extract | Unextractable:
        """What a capture says, with the later pages of its look and without what is known as furniture.

        ``ahead`` may have read it already.
        """
        [row] = self._query("select * from captures where capture_id = ?", capture_id)
        found = self._read_whole(row, key, ahead)
        furniture = unpack_furniture(row["furniture"])
        return without_furniture(found, furniture) if furniture and isinstance(found, Extract) else found

    def _read_whole(self, row: Row, key: ArticleKey, ahead: Reader | None) -> Extract | Unextractable:
        capture_id = row["capture_id"]
        found = (ahead.reread(capture_id, key) if ahead else None) or self.read_page(row, key)
        if not isinstance(found, Extract) or found.pages <= 1:
            return found
        pages = {found.page: found}
        for other in self._query(
            "select * from captures where look = ? order by capture_id", row["record_id"]
        ):
            more = self.read_page(other, key)
            if isinstance(more, Extract):
                pages.setdefault(more.page, more)
        if sorted(pages) != list(range(1, found.pages + 1)):
            return Unextractable("truncated", "not all pages of the post are archived")
        return join_pages([pages[n] for n in sorted(pages)])

    def read_page(self, row: Row, key: ArticleKey) -> Extract | Unextractable:
        """What the page of a row of `captures` says, by itself."""
        return self._reader.read(self.capture(row), key)


def join_pages(pages: list[Extract]) -> Extract | Unextractable:
    """A post in several pages as one text; everything else is as on its first page.

    Pages that state another title, modified time or number of pages are of two states of the post: together
    they say what the site never said. Where a page links only to the next one, it states one page more than
    the page before; a page without such links states no number.
    """
    numbers = [max(page.pages, page.page) for page in pages if page.pages > 1]
    if len({(page.title, page.modified_at) for page in pages}) > 1 or numbers != sorted(numbers):
        return Unextractable("truncated", CHANGED_BETWEEN, pages[0].title)
    return replace(
        pages[0],
        lines=tuple(line for page in pages for line in page.lines),
        links=tuple(link for page in pages for link in page.links),
        images=tuple(dict.fromkeys(image for page in pages for image in page.images)),
        notes=tuple(dict.fromkeys(note for page in pages for note in page.notes)),
    )


def pack(found: Extract) -> str:
    """An extract as JSON, to keep until the other pages of its look arrive."""
    return json.dumps(asdict(found))


def unpack(text: str) -> Extract:
    """The extract that `pack` wrote."""
    fields = json.loads(text)
    fields["lines"] = tuple(
        Line(line["text"], LineKind(line["kind"]), line["depth"]) for line in fields["lines"]
    )
    fields["claims"] = tuple(Claim(**claim) for claim in fields["claims"])
    fields["links"] = tuple((url, label) for url, label in fields["links"])
    whole: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in fields.items()}
    return Extract(**whole)
