"""Rows of the evidence: crawls, WARC files, captures, failures."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable

from archive.model import Capture
from archive.store.connection import Connection
from archive.warc.files import WarcFile
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position


class CrawlRows:
    """The table `crawls`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._ids: dict[str, int] = conn.new_cache()

    def find_id(self, name: str | None) -> int | None:
        """The id of a crawl, by its name."""
        if name is None:
            return None
        find = "select crawl_id from crawls where name = ?"
        if name not in self._ids and (row := self._conn.one(find, name)):
            self._ids[name] = row[0]
        return self._ids.get(name)

    def start(self, name: str, kind: str, at: str, arguments: object, software: object) -> None:
        """Record that a crawl begins."""
        texts = (json.dumps(x, sort_keys=True, ensure_ascii=False) for x in (arguments, software))
        self._conn.execute(
            """insert into crawls (name, kind, started_at, arguments, software) values (?, ?, ?, ?, ?)
               on conflict (name) do nothing""",
            *(name, kind, at, *texts),
        )

    def finish(
        self, name: str, at: str, reason: str, exit_status: int | None, verdict: str, counters: object
    ) -> None:
        """Record that a crawl ended. The exit status is None if nobody saw it."""
        self._conn.execute(
            """update crawls set finished_at = ?, finish_reason = ?, exit_status = ?, verdict = ?,
               counters = ? where name = ?""",
            *(at, reason, exit_status, verdict, json.dumps(counters, sort_keys=True), name),
        )


class FileRows:
    """The table `warc_files`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._ids: dict[int, int] = conn.new_cache()

    def get_id(self, serial: int) -> int:
        """The id of a registered WARC file. Raises LookupError."""
        if serial not in self._ids:
            row = self._conn.one("select warc_file_id from warc_files where serial = ?", serial)
            if row is None:
                raise LookupError(f"WARC file {serial} is not registered")
            self._ids[serial] = row[0]
        return self._ids[serial]

    def register(self, files: Iterable[WarcFile], at: str) -> None:
        """Add WARC files that are not known yet."""
        add = "insert into warc_files (serial, name, opened_at) values (?, ?, ?) on conflict do nothing"
        for file in files:
            self._conn.execute(add, file.serial, file.name, at)

    def close(self, serial: int, at: str, size: int, sha256: str) -> None:
        """Record that a WARC file is complete."""
        self._conn.update("warc_files", "serial", serial, closed_at=at, size=size, sha256=sha256)

    def indexed_to(self, serial: int) -> int | None:
        """How many bytes of a WARC file are indexed; None if the file is not registered."""
        row = self._conn.one(
            """select max(coalesce(max(c.offset + c.length), 0), coalesce((select cast(value as integer)
               from about where key = 'indexed:' || f.serial), 0))
               from warc_files f left join captures c using (warc_file_id) where f.serial = ?""",
            serial,
        )
        return row[0] if row else None


class CaptureRows:
    """The tables `captures`, `failures` and `parts`."""

    def __init__(self, conn: Connection, crawls: CrawlRows, files: FileRows) -> None:
        self._conn = conn
        self._crawls = crawls
        self._files = files

    def add(self, capture: Capture, at: Position, look: str | None, payload_sha256: str) -> int:
        """Add an answer of the site; return its id. Its outcome is set later."""
        return self._conn.insert(
            "captures",
            crawl_id=self._crawls.find_id(capture.crawl),
            url=capture.url,
            requested_url=capture.requested_url,
            status=capture.status,
            captured_at=capture.captured_at,
            recorded_at=capture.recorded_at or capture.captured_at,
            via=capture.via,
            channel=capture.channel,
            reason=capture.reason,
            outcome="received",
            content_type=capture.header("content-type"),
            etag=capture.header("etag"),
            last_modified=capture.header("last-modified"),
            location=capture.header("location"),
            retry_after=capture.header("retry-after"),
            payload_sha256=payload_sha256,
            size=len(capture.body),
            truncated=capture.truncated,
            warc_file_id=self._files.get_id(at.serial),
            offset=at.offset,
            length=at.length,
            record_id=at.record_id,
            look=look,
            original_id=self._original_id(at),
            source=capture.source,
            service_url=capture.service_url,
        )

    def update(self, capture_id: int, **values: object) -> None:
        """Set columns of a capture."""
        self._conn.update("captures", "capture_id", capture_id, **values)

    def _original_id(self, at: Position) -> int | None:
        """The capture that a revisit refers to, which was indexed before it."""
        if at.original is None:
            return None
        query = "select capture_id from captures where warc_file_id = ? and offset = ?"
        row = self._conn.one(query, self._files.get_id(at.original.serial), at.original.offset)
        return int(row[0]) if row else None

    def has(self, capture: Capture) -> bool:
        """Whether the same answer at the same time is indexed already."""
        find = (
            "select 1 from captures where url = ? and captured_at = ? and payload_sha256 = ? and status = ?"
        )
        digest = payload_sha256(capture.body)
        return self._conn.one(find, capture.url, capture.captured_at, digest, capture.status) is not None

    def has_record(self, record_id: str) -> bool:
        """Whether a WARC record is indexed already."""
        return self._conn.one("select 1 from captures where record_id = ?", record_id) is not None

    def add_failure(
        self,
        url: str,
        reason: str,
        detail: str,
        at: str,
        capture_id: int | None,
        crawl: str | None,
        article_id: int | None,
    ) -> None:
        """Record what could not be read or was not answered."""
        ids = {"capture_id": capture_id, "article_id": article_id}
        ids["crawl_id"] = self._crawls.find_id(crawl)
        self._conn.insert("failures", **ids, url=url, reason=reason, detail=detail, at=at)

    def drop_failures(self, capture_id: int) -> None:
        """Remove the failures of a capture that is read again."""
        self._conn.execute("delete from failures where capture_id = ?", capture_id)

    def add_part(self, capture_id: int, look: str, page: int, pages: int, extract: str) -> None:
        """Keep one page of a post until the others are there."""
        add = "insert into parts values (?, ?, ?, ?, ?) on conflict do nothing"
        self._conn.execute(add, capture_id, look, page, pages, extract)

    def parts(self, look: str) -> list[sqlite3.Row]:
        """The pages of a look, in order."""
        return self._conn.query("select * from parts where look = ? order by page", look)

    def drop_parts(self, look: str) -> None:
        """Remove the pages of a look that is complete."""
        self._conn.execute("delete from parts where look = ?", look)
