"""Write rows: captures, articles, versions, changes. `archive.ingest` decides what to write.

The database is an index of the WARC files: a row is written only after the record it points at is durable.
"""

from __future__ import annotations

from pathlib import Path

from archive.errors import CannotWrite, advice_after
from archive.folder import DATABASE
from archive.store.articles import ArticleRows
from archive.store.captures import CaptureRows, CrawlRows, FileRows
from archive.store.connection import Connection
from archive.store.versions import ChangeRows, VersionRows


class Store(Connection):
    """An archive's database, open for writing: one object for each subject. Use it within `transaction`."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.crawls, self.files = CrawlRows(self), FileRows(self)
        self.captures = CaptureRows(self, self.crawls, self.files)
        self.versions = VersionRows(self)
        self.articles = ArticleRows(self, self.versions)
        self.changes = ChangeRows(self, self.versions)


def open_store(folder: Path) -> Store:
    """Open an archive's database for writing; make its folder if needed. Raises CannotWrite, NewerArchive,
    NoArchive."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"the folder {folder} cannot be made ({error.strerror}): {advice_after(error)}"
        ) from error
    return Store(folder / DATABASE)
