"""Write rows: captures, articles, versions, changes. `archive.ingest` decides what to write.

The database is an index of the WARC files: a row is written only after the record it points at is durable.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from sqlite_utils import Database
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from archive.errors import CannotWrite
from archive.folder import DATABASE
from archive.model import ArticleKey, Capture, Edition, Extract, Sighting
from archive.outcome import Held
from archive.store.claim_sets import pack
from archive.store.fields import PAGE_FIELDS
from archive.store.packing import digest, fold_for_search, pack_lines, pack_stated, restore_title
from archive.store.row_types import ArticleRow, VersionRow
from archive.store.schema import check_schema, create_schema
from archive.warc.files import WarcFile
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position

Row = sqlite3.Row
CLAIM_SETS = 1000  # kept in memory; a site's layout makes a few hundred
BUSY_MS = 10_000  # a reader holds the database for milliseconds; a backup for longer


def _is_busy(error: BaseException) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError)
        and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    )


class Store:
    """An archive's database, open for writing. Use it within `transaction`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._db = Database(str(self.path))
            self._conn: sqlite3.Connection = self._db.conn
            self._conn.row_factory = sqlite3.Row
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise _refused(self.path, error) from error
        self._crawls: dict[str, int] = {}
        self._files: dict[int, int] = {}
        self._terms: dict[tuple[str, str], int] = {}
        self._claim_sets: dict[str, int] = {}

    def _prepare(self) -> None:
        db = self._db
        is_new = not db.table_names()
        if not is_new:
            check_schema(self._conn, self.path)
        db.execute(f"pragma busy_timeout = {BUSY_MS}")
        # In a new database. Pages of 4,096 bytes left a twelfth empty, because few hold two articles
        db.execute("pragma page_size = 8192")
        db.enable_wal()
        # Rows that a power cut loses are read again from the WARC files
        db.execute("pragma synchronous = normal")
        db.execute("pragma foreign_keys = on")
        db.execute("pragma cache_size = -32000")
        if is_new:
            create_schema(self._conn)

    def close(self) -> None:
        """Write the write-ahead log into the database, and close it."""
        try:
            self._conn.execute("pragma optimize")
            self._conn.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError:
            pass  # a reader is at work, or the disk is full: the log stays, and nothing is lost
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write all that the block writes, or nothing. Raises CannotWrite."""
        busy = Retrying(
            retry=retry_if_exception(_is_busy),
            wait=wait_exponential_jitter(multiplier=0.1, max=2),
            stop=stop_after_delay(30),
            reraise=True,
        )
        try:
            busy(self._conn.execute, "begin immediate")
            try:
                yield
            except BaseException:
                self._conn.rollback()
                self._forget()
                raise
            busy(self._conn.commit)
        except sqlite3.OperationalError as error:
            self._forget()
            if self._conn.in_transaction:
                self._conn.rollback()
            raise _refused(self.path, error) from error

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """Undo what the block writes if it raises, and keep the transaction."""
        self._conn.execute("savepoint part")
        try:
            yield
        except BaseException:
            if self._conn.in_transaction:
                self._conn.execute("rollback to part")
                self._conn.execute("release part")
            self._forget()
            raise
        self._conn.execute("release part")

    def _forget(self) -> None:
        self._crawls.clear()
        self._files.clear()
        self._terms.clear()
        self._claim_sets.clear()

    def query(self, sql: str, *values: object) -> list[Row]:
        """The rows of a query."""
        return self._conn.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row of a query."""
        row: Row | None = self._conn.execute(sql, values).fetchone()
        return row

    def insert(self, table: str, **values: object) -> int:
        """Add a row; return its id."""
        columns, marks = ", ".join(f'"{c}"' for c in values), ", ".join("?" * len(values))
        cursor = self._conn.execute(
            f"insert into {table} ({columns}) values ({marks})", tuple(values.values())
        )
        return cursor.lastrowid or 0

    def update(self, table: str, key: str, identity: int, **values: object) -> None:
        """Set columns of a row."""
        columns = ", ".join(f'"{c}" = ?' for c in values)
        self._conn.execute(f"update {table} set {columns} where {key} = ?", (*values.values(), identity))

    # -- the archive, its crawls and files ------------------------------------------------------------

    def about(self, key: str) -> str | None:
        """A fact about the archive, such as its site or the epoch of its feed."""
        row = self.one("select value from about where key = ?", key)
        return row[0] if row else None

    def set_about(self, key: str, value: str) -> None:
        """Record a fact about the archive."""
        self._conn.execute(
            "insert into about values (?, ?) on conflict (key) do update set value = excluded.value",
            (key, value),
        )

    def crawl_id(self, name: str | None) -> int | None:
        """The id of a crawl, by its name."""
        if name is None:
            return None
        if name not in self._crawls and (row := self.one("select crawl_id from crawls where name = ?", name)):
            self._crawls[name] = row[0]
        return self._crawls.get(name)

    def start_crawl(self, name: str, kind: str, at: str, arguments: object, software: object) -> None:
        """Record that a crawl begins."""
        texts = (json.dumps(x, sort_keys=True, ensure_ascii=False) for x in (arguments, software))
        self._conn.execute(
            """insert into crawls (name, kind, started_at, arguments, software) values (?, ?, ?, ?, ?)
               on conflict (name) do nothing""",
            (name, kind, at, *texts),
        )

    def finish_crawl(
        self, name: str, at: str, reason: str, exit_status: int | None, verdict: str, counters: object
    ) -> None:
        """Record that a crawl ended. The exit status is None if nobody saw it."""
        self._conn.execute(
            """update crawls set finished_at = ?, finish_reason = ?, exit_status = ?, verdict = ?,
               counters = ? where name = ?""",
            (at, reason, exit_status, verdict, json.dumps(counters, sort_keys=True), name),
        )

    def _warc_file_id(self, serial: int) -> int:
        if serial not in self._files:
            row = self.one("select warc_file_id from warc_files where serial = ?", serial)
            if row is None:
                raise LookupError(f"WARC file {serial} is not registered")
            self._files[serial] = row[0]
        return self._files[serial]

    def register_files(self, files: Iterable[WarcFile], at: str) -> None:
        """Add WARC files that are not known yet."""
        for file in files:
            self._conn.execute(
                "insert into warc_files (serial, name, opened_at) values (?, ?, ?) on conflict do nothing",
                (file.serial, file.name, at),
            )

    def close_file(self, serial: int, at: str, size: int, sha256: str) -> None:
        """Record that a WARC file is complete."""
        self._conn.execute(
            "update warc_files set closed_at = ?, size = ?, sha256 = ? where serial = ?",
            (at, size, sha256, serial),
        )

    def indexed_to(self, serial: int) -> int | None:
        """How many bytes of a WARC file are indexed; None if the file is not registered."""
        row = self.one(
            """select max(coalesce(max(c.offset + c.length), 0), coalesce((select cast(value as integer)
               from about where key = 'indexed:' || f.serial), 0))
               from warc_files f left join captures c using (warc_file_id) where f.serial = ?""",
            serial,
        )
        return row[0] if row else None

    # -- captures and failures ------------------------------------------------------------------------

    def add_capture(self, capture: Capture, at: Position, look: str | None, payload_sha256: str) -> int:
        """Add an answer of the site. Its outcome is set later."""
        return self.insert(
            "captures",
            crawl_id=self.crawl_id(capture.crawl),
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
            warc_file_id=self._warc_file_id(at.serial),
            offset=at.offset,
            length=at.length,
            record_id=at.record_id,
            look=look,
            original_id=self._original_id(at),
            source=capture.source,
            service_url=capture.service_url,
        )

    def _original_id(self, at: Position) -> int | None:
        """The capture that a revisit refers to, which was indexed before it."""
        if at.original is None:
            return None
        query = "select capture_id from captures where warc_file_id = ? and offset = ?"
        row = self.one(query, self._warc_file_id(at.original.serial), at.original.offset)
        return int(row[0]) if row else None

    def has_capture(self, capture: Capture) -> bool:
        """Whether the same answer at the same time is indexed already."""
        digest = payload_sha256(capture.body)
        query = (
            "select 1 from captures where url = ? and captured_at = ? and payload_sha256 = ? and status = ?"
        )
        return self.one(query, capture.url, capture.captured_at, digest, capture.status) is not None

    def has_record(self, record_id: str) -> bool:
        """Whether a WARC record is indexed already."""
        return self.one("select 1 from captures where record_id = ?", record_id) is not None

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
        self.insert(
            "failures",
            capture_id=capture_id,
            crawl_id=self.crawl_id(crawl),
            article_id=article_id,
            url=url,
            reason=reason,
            detail=detail,
            at=at,
        )

    def drop_failure(self, capture_id: int) -> None:
        """Remove the failures of a capture that is read again."""
        self._conn.execute("delete from failures where capture_id = ?", (capture_id,))

    # -- articles -------------------------------------------------------------------------------------

    def articles(self, which: str, *values: object) -> list[ArticleRow]:
        """Rows of articles; ``which`` is what follows `from articles`, with further tables `using` a key."""
        rows = self.query(f"select articles.* from articles {which}", *values)
        return [cast(ArticleRow, dict(row)) for row in rows]

    def article(self, key: ArticleKey) -> ArticleRow | None:
        """The row of an article."""
        rows = self.articles("where source = ? and key = ?", key.source, key.key)
        return rows[0] if rows else None

    def article_at(self, url: str) -> ArticleRow | None:
        """The article an alias leads to."""
        rows = self.articles("join aliases using (article_id) where aliases.url = ?", url)
        return rows[0] if rows else None

    def add_article(self, key: ArticleKey, url: str, at: str, day: str | None) -> int:
        """Add an article that was sighted and is not captured yet; return its id."""
        return self.insert(
            "articles",
            source=key.source,
            key=key.key,
            edition=key.edition,
            post_id=key.post_id,
            url=url,
            day=day,
            first_sighted_at=at,
        )

    def alias(self, url: str, article_id: int | None, at: str) -> None:
        """Record that an address leads to an article; None: it is not known yet which."""
        self._conn.execute(
            """insert into aliases (url, article_id, first_seen_at) values (?, ?, ?)
               on conflict (url) do update set article_id = excluded.article_id
               where aliases.article_id is null""",
            (url, article_id, at),
        )

    def sighting(self, article_id: int, sighting: Sighting, at: str) -> None:
        """Record that a channel shows an article, and what it says of it."""
        claims = {
            name: getattr(sighting, name) for name in ("url", "day", "title", "published_at", "modified_at")
        }
        text = json.dumps(
            {k: v for k, v in claims.items() if v is not None}, ensure_ascii=False, sort_keys=True
        )
        count = """update sightings set last_seen_at = ?, times = times + 1
            where article_id = ? and channel = ? and claims = ?"""
        if self._conn.execute(count, (at, article_id, sighting.channel, text)).rowcount == 0:
            self.insert(
                "sightings",
                article_id=article_id,
                channel=sighting.channel,
                claims=text,
                first_seen_at=at,
                last_seen_at=at,
            )

    def set_terms(self, article_id: int, categories: Sequence[str], tags: Sequence[str]) -> None:
        """Replace the categories and tags of an article."""
        self._conn.execute("delete from article_terms where article_id = ?", (article_id,))
        for taxonomy, names in (("category", categories), ("tag", tags)):
            for name in names:
                if (taxonomy, name) not in self._terms:
                    self._conn.execute(
                        "insert into terms (taxonomy, name) values (?, ?) on conflict do nothing",
                        (taxonomy, name),
                    )
                    row = self.one(
                        "select term_id from terms where taxonomy = ? and name = ?", taxonomy, name
                    )
                    self._terms[taxonomy, name] = row[0] if row else 0
                term = self._terms[taxonomy, name]
                self._conn.execute(
                    "insert into article_terms values (?, ?) on conflict do nothing", (article_id, term)
                )

    def set_links(self, article_id: int, links: Sequence[tuple[str, str, ArticleKey | None]]) -> None:
        """Replace the links in an article's text; resolve those to posts that are known."""
        self._conn.execute("delete from links where article_id = ?", (article_id,))
        for position, (url, text, key) in enumerate(links, 1):
            target = self.article(key) if key else None
            self.insert(
                "links",
                article_id=article_id,
                position=position,
                url=url,
                text=text,
                target_id=target["article_id"] if target else None,
            )

    # -- versions and changes -------------------------------------------------------------------------

    def versions(self, which: str, *values: object) -> list[VersionRow]:
        """Rows of versions; ``which`` is what follows `from versions`."""
        rows = self.query(f"select versions.* from versions {which}", *values)
        return [cast(VersionRow, dict(row)) for row in rows]

    def version(self, version_id: int | None) -> VersionRow | None:
        """The row of a version."""
        rows = self.versions("where version_id = ?", version_id) if version_id else []
        return rows[0] if rows else None

    def add_version(
        self, article_id: int, number: int, extract: Extract, capture_id: int, captured_at: str
    ) -> VersionRow:
        """Add a version; return its row."""
        text = extract.text
        version_id = self.insert(
            "versions",
            article_id=article_id,
            number=number,
            title=extract.title,
            restored_title=restore_title(extract.title, text),
            text=text,
            lines=pack_lines(extract),
            **digest(extract.title, text),
            layout=extract.layout,
            extractor=extract.extractor,
            first_capture_id=capture_id,
            last_capture_id=capture_id,
            first_captured_at=captured_at,
            last_captured_at=captured_at,
            **pack_stated(extract),
            claim_set_id=self._claim_set(article_id, extract, extract.title),
        )
        row = self.version(version_id)
        assert row is not None  # just written
        return row

    def shift_versions(self, article_id: int, number: int) -> None:
        """Make room for an older version: raise this number and all above it by one."""
        rows = self.query(
            """select version_id, number from versions where article_id = ? and number >= ?
               order by number desc""",
            article_id,
            number,
        )
        for row in rows:
            self.update("versions", "version_id", row["version_id"], number=row["number"] + 1)

    def copy_version(self, version_id: int, **values: object) -> int:
        """Copy a version, with other values in some columns; return its id."""
        [row] = self.query("select * from versions where version_id = ?", version_id)
        # Without those that follow from others
        stored = (column["name"] for column in self.query("pragma table_info(versions)"))
        copied = {name: row[name] for name in stored if name != "version_id"}
        return self.insert("versions", **copied | values)

    def replace_text(self, version: VersionRow, extract: Extract) -> bool:
        """Replace a text with what this release reads; return whether title, text or lines differ."""
        text = extract.text
        values: dict[str, object] = {
            "title": extract.title,
            "restored_title": restore_title(extract.title, text),
            "text": text,
            "lines": pack_lines(extract),
            **digest(extract.title, text),
            "layout": extract.layout,
        }
        before: Mapping[str, object] = version
        changed = any(before[name] != value for name, value in values.items())
        self.update("versions", "version_id", version["version_id"], extractor=extract.extractor, **values)
        self.claims(version, extract, extract.title)
        return changed

    def claims(self, version: VersionRow, extract: Extract, title: str) -> None:
        """Replace what a version states with what its newest capture does. ``title`` is the version's own,
        which an equal one in other quotation marks does not replace."""
        claim_set_id = self._claim_set(version["article_id"], extract, title)
        self.update(
            "versions", "version_id", version["version_id"], **pack_stated(extract), claim_set_id=claim_set_id
        )

    def _claim_set(self, article_id: int, extract: Extract, title: str) -> int:
        """The id of the list of claims that a page makes."""
        article = self.one("select post_id from articles where article_id = ?", article_id)
        columns = {of.name: getattr(extract, of.name) for of in PAGE_FIELDS} | {"title": title}
        packed = pack(extract.claims, columns, article["post_id"] if article else None)
        if packed not in self._claim_sets:
            if len(self._claim_sets) == CLAIM_SETS:
                self._claim_sets.clear()
            self._conn.execute("insert into claim_sets (claims) values (?) on conflict do nothing", (packed,))
            row = self.one("select claim_set_id from claim_sets where claims = ?", packed)
            assert row is not None  # just written
            self._claim_sets[packed] = row[0]
        return self._claim_sets[packed]

    def index(self, article_id: int, old: VersionRow | None, new: VersionRow | None) -> None:
        """Put the newest version of an article into the search index, in place of another."""
        if old is not None:
            values = (article_id, *fold_for_search(old))
            self._conn.execute(
                "insert into search (search, rowid, title, text) values ('delete', ?, ?, ?)", values
            )
        if new is not None:
            values = (article_id, *fold_for_search(new))
            self._conn.execute("insert into search (rowid, title, text) values (?, ?, ?)", values)

    def change(self, article_id: int, kind: str, said_at: str, learnt_at: str, **values: Any) -> int:
        """Add a change to the feed; return its number."""
        if kind in ("updated", "backfilled"):
            values["same_as_version_id"] = self._same_as(article_id, values["version_id"])
        if kind == "retracted":
            values["version_id"] = self._newest_without(article_id, values["retracts"])
        row = self.one("select coalesce(max(seq), 0) + 1 from changes")
        epoch = int(self.about("epoch") or 1)
        texts = {
            name: json.dumps(values.pop(name), ensure_ascii=False)
            for name in ("classes", "figures", "details")
            if name in values
        }
        seq = row[0] if row else 1
        self.insert(
            "changes",
            seq=seq,
            epoch=epoch,
            article_id=article_id,
            kind=kind,
            said_at=said_at,
            learnt_at=learnt_at,
            **texts,
            **values,
        )
        return int(seq)

    def _newest_without(self, article_id: int, seq: int) -> int | None:
        """The newest version of an article once a change is taken back; the row and the search follow."""
        which = "join articles on newest_version_id = version_id where articles.article_id = ?"
        newest = next(iter(self.versions(which, article_id)), None)
        wrong = self.one("select kind, version_id from changes where seq = ?", seq)
        if newest is None:
            return None
        newest_id = newest["version_id"]
        if not wrong or wrong["version_id"] != newest_id or wrong["kind"] not in ("created", "updated"):
            return newest_id
        which = """where article_id = ? and number < ? and version_id not in
            (select version_id from retracted_versions) order by number desc limit 1"""
        before = next(iter(self.versions(which, article_id, newest["number"])), None)
        before_id = before["version_id"] if before else None
        self.update("articles", "article_id", article_id, newest_version_id=before_id)
        self.index(article_id, newest, before)
        return before_id

    def _same_as(self, article_id: int, version_id: int) -> int | None:
        """The first earlier version of the article with the same title and text."""
        row = self.one(
            """select e.version_id from versions v join versions e using (article_id, same_digest)
               where v.version_id = ? and e.article_id = ? and e.number < v.number order by e.number""",
            version_id,
            article_id,
        )
        return row[0] if row else None

    # -- posts of several pages -----------------------------------------------------------------------

    def add_part(self, capture_id: int, look: str, page: int, pages: int, extract: str) -> None:
        """Keep one page of a post until the others are there."""
        self._conn.execute(
            "insert into parts values (?, ?, ?, ?, ?) on conflict do nothing",
            (capture_id, look, page, pages, extract),
        )

    def parts(self, look: str) -> list[Row]:
        """The pages of a look, in order."""
        return self.query("select * from parts where look = ? order by page", look)

    def drop_parts(self, look: str) -> None:
        """Remove the pages of a look that is complete."""
        self._conn.execute("delete from parts where look = ?", (look,))

    # -- what a crawl must know -----------------------------------------------------------------------

    def held(self, row: ArticleRow, **more: Any) -> Held:
        """An article as a plan needs it."""
        key = ArticleKey(row["source"], row["key"])
        version = self.version(row["newest_version_id"])
        modified = version["modified_at"] if version else None
        return Held(
            row["url"],
            key,
            row["state"],
            modified_at=modified,
            next_look_at=row["next_look_at"],
            day=row["day"],
            last_captured_at=row["last_captured_at"],
            **more,
        )

    def cover_days(self, edition: Edition, days: Iterable[str], at: str) -> None:
        """Record that the date archives of these days were read to their end."""
        self._conn.executemany(
            "insert into coverage_days values (?, ?, ?) on conflict do nothing",
            [(edition, day, at) for day in days],
        )


def open_store(folder: Path) -> Store:
    """Open an archive's database for writing; make its folder if needed. Raises CannotWrite, NewerArchive,
    NoArchive."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"the folder {folder} cannot be made ({error.strerror}): give one that you may write to"
        ) from error
    return Store(folder / DATABASE)


def _refused(path: Path, error: sqlite3.Error) -> CannotWrite:
    name = getattr(error, "sqlite_errorname", "")
    todo = {
        "SQLITE_NOTADB": "the file is not a database: move it away and run 'sohr-archive rebuild'",
        "SQLITE_CORRUPT": "the file is damaged: move it away and run 'sohr-archive rebuild'",
        "SQLITE_FULL": "free some disk space and run the same command again",
        "SQLITE_IOERR": "free or repair the disk and run the same command again",
        "SQLITE_READONLY": "give it to a user who may write it",
        "SQLITE_CANTOPEN": "give it to a user who may write it",
        "SQLITE_BUSY": "another program keeps it locked: stop that program and run the same command again",
    }
    step = next(
        (text for code, text in todo.items() if name.startswith(code)),
        "repair it and run the same command again",
    )
    return CannotWrite(f"the database {path} cannot be written ({error}): {step}")
