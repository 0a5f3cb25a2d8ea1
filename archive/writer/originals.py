"""Which record of the archive an answer repeats: asked before the answer is written."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from archive.errors import DamagedWarc
from archive.model import Capture
from archive.store.rows import Row, Store
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position
from archive.warc.revisits import SMALLEST, Bodies, Original

_ORIGINAL = """select f.serial, o.offset, o.record_id, o.url, o.captured_at, o.payload_sha256 from captures o join warc_files f using (warc_file_id)
where o.capture_id = ?"""
# In the words of the index `captures_original`, so that it is used.
_SAME = "select capture_id from captures where payload_sha256 = ? and original_id is null and size >= 1024 and truncated is null limit 3"
_STOOD_BY = """select coalesce(original_id, capture_id) as capture_id from captures
where url = ?1 and status = 200 and truncated is null and {} in (?2, 'W/' || ?2) order by captured_at desc, capture_id desc limit 1"""


class Originals:
    """Knows the responses that were written: those in the database, and those of the batch that is not there
    yet."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._bodies = Bodies(folder / "warc")
        self._store = store
        self._batch: dict[str, Original] = {}

    def of(self, capture: Capture) -> Original | None:
        """The response to refer to in place of writing this one whole: it is there, and its body is as it
        was."""
        if capture.status == 304:
            return next(self._readable(self._stood_by(capture)), None)
        if len(capture.body) < SMALLEST or capture.truncated:
            return None
        digest = payload_sha256(capture.body)
        if digest in self._batch:
            return self._batch[digest]
        return next(self._readable(self._store.query(_SAME, digest)), None)

    def wrote(self, capture: Capture, at: Position) -> None:
        """A response was written that later ones of its batch may repeat; on the disk it lies before them."""
        if (
            at.original is None
            and capture.status != 304
            and len(capture.body) >= SMALLEST
            and not capture.truncated
        ):
            digest = payload_sha256(capture.body)
            self._batch[digest] = Original(
                at.serial, at.offset, at.record_id, capture.url, capture.captured_at, digest
            )

    def indexed(self) -> None:
        """The batch is in the database."""
        self._batch.clear()

    def _stood_by(self, capture: Capture) -> list[Row]:
        """The newest answer of the address with the validator that was sent (If-None-Match goes before
        If-Modified-Since)."""
        sent = {name.lower(): value for name, value in capture.request_headers}
        for header, column in (("if-none-match", "etag"), ("if-modified-since", "last_modified")):
            if header in sent:
                return self._store.query(_STOOD_BY.format(column), capture.url, sent[header])
        return []

    def _readable(self, rows: list[Row]) -> Iterator[Original]:
        for row in rows:
            found = self._store.one(_ORIGINAL, row["capture_id"])
            assert found is not None  # foreign keys hold it
            original = Original(*found)
            try:
                self._bodies.body(original)
            except DamagedWarc:
                continue  # `verify` names it; nothing more is made to depend on it
            yield original
