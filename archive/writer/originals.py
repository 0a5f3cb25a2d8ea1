"""Find the response that an answer repeats, before the answer is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive.errors import DamagedWarc
from archive.folder import WARC
from archive.model import Capture
from archive.store.connection import Row
from archive.store.rows import Store
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position
from archive.warc.revisits import SMALLEST, Bodies, Original

_ORIGINAL = """select f.serial, o.offset, o.record_id, o.url, o.captured_at, o.payload_sha256
from captures o join warc_files f using (warc_file_id) where o.capture_id = ?"""
# In the words of the index `captures_original`, so that SQLite uses it.
_SAME_BODY = """select capture_id from captures
where payload_sha256 = ? and original_id is null and size >= 1024 and truncated is null limit 3"""
_VALIDATED = """select coalesce(original_id, capture_id) as capture_id from captures
where url = ?1 and status = 200 and truncated is null and {} in (?2, 'W/' || ?2)
order by captured_at desc, capture_id desc limit 1"""


class Originals:
    """The responses in the database, and those of the batch that is not there yet."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._bodies = Bodies(folder / WARC)
        self._store = store
        self._batch: dict[str, Original] = {}  # by the digest of the body

    def find(self, capture: Capture) -> Original | None:
        """The response to refer to instead of writing this one whole. Its body is read and right."""
        if capture.status == 304:
            return next(self._readable(self._validated(capture)), None)
        if not _may_repeat(capture):
            return None
        digest = payload_sha256(capture.body)
        if digest in self._batch:
            return self._batch[digest]
        return next(self._readable(self._store.query(_SAME_BODY, digest)), None)

    def add(self, capture: Capture, at: Position) -> None:
        """Add a response of this batch that later ones may repeat."""
        if at.original is None and capture.status != 304 and _may_repeat(capture):
            digest = payload_sha256(capture.body)
            self._batch[digest] = Original(
                at.serial, at.offset, at.record_id, capture.url, capture.captured_at, digest
            )

    def clear_batch(self) -> None:
        """Forget the batch: it is in the database."""
        self._batch.clear()

    def _validated(self, capture: Capture) -> list[Row]:
        """The newest answer of the address with the validator that was sent; If-None-Match counts first."""
        sent = {name.lower(): value for name, value in capture.request_headers}
        for header, column in (("if-none-match", "etag"), ("if-modified-since", "last_modified")):
            if header in sent:
                return self._store.query(_VALIDATED.format(column), capture.url, sent[header])
        return []

    def _readable(self, rows: list[Row]) -> Iterator[Original]:
        for row in rows:
            found = self._store.one(_ORIGINAL, row["capture_id"])
            assert found is not None  # foreign keys hold it
            original = Original(*found)
            try:
                self._bodies.body(original)
            except DamagedWarc:
                continue  # `verify` names it; nothing more may depend on it
            yield original


def _may_repeat(capture: Capture) -> bool:
    return len(capture.body) >= SMALLEST and not capture.truncated
