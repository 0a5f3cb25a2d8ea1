"""The database: the only module that writes SQL rows. It stores what `archive.ingest.path` decides and
answers what a crawl must know.

All of it is an index of the WARC files; a row is written only after the record it points at is durable.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from archive.clock import now
from archive.errors import CannotWrite
from archive.folder import DATABASE
from archive.model import ArticleKey, Capture, Edition, Extract, Sighting, Stated
from archive.outcome import Held
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.claim_sets import pack
from archive.store.fields import PAGE_FIELDS
from archive.store.line_kinds import encode_kinds
from archive.store.schema import check_schema, create_schema
from archive.text.deobfuscate import plain_title
from archive.text.fold import fold
from archive.text.normalise import same_sha256, text_sha256
from archive.warc.files import WarcFile
from archive.warc.gzip_members import payload_sha256
from archive.warc.reader import Position

Row = sqlite3.Row
CLAIM_SETS = 1000  # kept in memory; a site's layout makes a few hundred
FIRST_DAY = "2006-01-01"  # SOHR was founded in May 2006: no post is older
BUSY_MS = 10_000  # a reader holds the database for milliseconds; a backup for longer


def _is_busy(error: BaseException) -> bool:
    return (
        isinstance(error, sqlite3.OperationalError)
        and getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
    )


class Store:
    """One archive's database, open for writing. Use within `transaction`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._conn = sqlite3.connect(self.path)
            self._conn.row_factory = sqlite3.Row
            self._prepare()
        except sqlite3.DatabaseError as error:
            raise _refused(self.path, error) from error
        self._crawls: dict[str, int] = {}
        self._files: dict[int, int] = {}
        self._terms: dict[tuple[str, str], int] = {}
        self._claim_sets: dict[str, int] = {}

    def _prepare(self) -> None:
        db = self._conn
        is_new = db.execute("select 1 from sqlite_master").fetchone() is None
        if not is_new:
            check_schema(db, self.path)
        db.execute(f"pragma busy_timeout = {BUSY_MS}")
        # Of a new database: two articles share no page of 4096, so a twelfth of all was empty
        db.execute("pragma page_size = 8192")
        db.execute("pragma journal_mode = wal")
        # The WARC files are the archive: what a power cut takes here is read again from there
        db.execute("pragma synchronous = normal")
        db.execute("pragma foreign_keys = on")
        db.execute("pragma cache_size = -32000")
        if is_new:
            create_schema(db)

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go of it."""
        try:
            self._conn.execute("pragma optimize")
            self._conn.execute("pragma wal_checkpoint(truncate)")
        except sqlite3.OperationalError:
            pass  # a reader is at work, or the disk is full: the log stays, and is as good
        self._conn.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing, and at once the only writer. Raises CannotWrite."""
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
        """A part of a transaction that can fail alone."""
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
        """Rows of a question."""
        return self._conn.execute(sql, values).fetchall()

    def one(self, sql: str, *values: object) -> Row | None:
        """The first row of a question."""
        row: Row | None = self._conn.execute(sql, values).fetchone()
        return row

    def insert(self, table: str, **values: object) -> int:
        """Add one row; its row id."""
        columns, marks = ", ".join(f'"{c}"' for c in values), ", ".join("?" * len(values))
        cursor = self._conn.execute(
            f"insert into {table} ({columns}) values ({marks})", tuple(values.values())
        )
        return cursor.lastrowid or 0

    def update(self, table: str, key: str, identity: int, **values: object) -> None:
        """Set columns of one row."""
        columns = ", ".join(f'"{c}" = ?' for c in values)
        self._conn.execute(f"update {table} set {columns} where {key} = ?", (*values.values(), identity))

    # -- what the archive is
    # ------------------------------------------------------------------------------------------------------

    def about(self, key: str) -> str | None:
        """A fact about the archive: site, epoch."""
        row = self.one("select value from about where key = ?", key)
        return row[0] if row else None

    def set_about(self, key: str, value: str) -> None:
        """Write down a fact about the archive."""
        self._conn.execute(
            "insert into about values (?, ?) on conflict (key) do update set value = excluded.value",
            (key, value),
        )

    def forget_about(self, key: str) -> None:
        """Drop a fact that no longer holds."""
        self._conn.execute("delete from about where key = ?", (key,))

    def crawl_id(self, name: str | None) -> int | None:
        """The row of a crawl, by its name."""
        if name is None:
            return None
        if name not in self._crawls and (row := self.one("select crawl_id from crawls where name = ?", name)):
            self._crawls[name] = row[0]
        return self._crawls.get(name)

    def start_crawl(self, name: str, kind: str, at: str, arguments: object, software: object) -> None:
        """A crawl begins."""
        texts = (json.dumps(x, sort_keys=True, ensure_ascii=False) for x in (arguments, software))
        self._conn.execute(
            "insert into crawls (name, kind, started_at, arguments, software) values (?, ?, ?, ?, ?) on conflict (name) do nothing",
            (name, kind, at, *texts),
        )

    def finish_crawl(
        self, name: str, at: str, reason: str, exit_status: int | None, verdict: str, counters: object
    ) -> None:
        """A crawl ends. The exit status is None where nobody saw it."""
        self._conn.execute(
            "update crawls set finished_at = ?, finish_reason = ?, exit_status = ?, verdict = ?, counters = ? where name = ?",
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
        """Give WARC files their row."""
        for file in files:
            self._conn.execute(
                "insert into warc_files (serial, name, opened_at) values (?, ?, ?) on conflict do nothing",
                (file.serial, file.name, at),
            )

    def close_file(self, serial: int, at: str, size: int, sha256: str) -> None:
        """A WARC file is complete."""
        self._conn.execute(
            "update warc_files set closed_at = ?, size = ?, sha256 = ? where serial = ?",
            (at, size, sha256, serial),
        )

    def indexed_to(self, serial: int) -> int | None:
        """How far a WARC file is indexed: the end of the last record a row or a mark points at, in bytes.
        None: not registered."""
        row = self.one(
            """select max(coalesce(max(c.offset + c.length), 0), coalesce((select cast(value as integer) from about
               where key = 'indexed:' || f.serial), 0))
               from warc_files f left join captures c using (warc_file_id) where f.serial = ?""",
            serial,
        )
        return row[0] if row else None

    # -- captures and failures
    # ----------------------------------------------------------------------------------------------------

    def add_capture(self, capture: Capture, at: Position, look: str | None, payload_sha256: str) -> int:
        """The row of an exchange. Its outcome is set once it is known."""
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
        )

    def _original_id(self, at: Position) -> int | None:
        """The row of the response that a revisit refers to: written before it, so indexed before it."""
        if at.original is None:
            return None
        query = "select capture_id from captures where warc_file_id = ? and offset = ?"
        row = self.one(query, self._warc_file_id(at.original.serial), at.original.offset)
        return int(row[0]) if row else None

    def has_capture(self, capture: Capture) -> bool:
        """Whether the very same answer at the very same time is held already."""
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
        """Something that could not be read, or was not answered."""
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
        """A capture is read once more; it fails anew, or no longer."""
        self._conn.execute("delete from failures where capture_id = ?", (capture_id,))

    # -- articles
    # -----------------------------------------------------------------------------------------------------------------

    def article(self, key: ArticleKey) -> Row | None:
        """An article's row."""
        return self.one("select * from articles where source = ? and key = ?", key.source, key.key)

    def article_at(self, url: str) -> Row | None:
        """The article an alias leads to."""
        return self.one(
            "select articles.* from aliases join articles using (article_id) where aliases.url = ?", url
        )

    def add_article(self, key: ArticleKey, url: str, at: str, day: str | None) -> int:
        """A new article, sighted and not yet captured."""
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
        """An address leads to an article; None: it was met, and is still to be asked."""
        self._conn.execute(
            """insert into aliases (url, article_id, first_seen_at) values (?, ?, ?)
               on conflict (url) do update set article_id = excluded.article_id where aliases.article_id is null""",
            (url, article_id, at),
        )

    def sighting(self, article_id: int, sighting: Sighting, at: str) -> None:
        """A channel shows an article, with these claims."""
        claims = {
            name: getattr(sighting, name) for name in ("url", "day", "title", "published_at", "modified_at")
        }
        text = json.dumps(
            {k: v for k, v in claims.items() if v is not None}, ensure_ascii=False, sort_keys=True
        )
        seen_so = "update sightings set last_seen_at = ?, times = times + 1 where article_id = ? and channel = ? and claims = ?"
        if self._conn.execute(seen_so, (at, article_id, sighting.channel, text)).rowcount == 0:
            self.insert(
                "sightings",
                article_id=article_id,
                channel=sighting.channel,
                claims=text,
                first_seen_at=at,
                last_seen_at=at,
            )

    def set_terms(self, article_id: int, categories: Sequence[str], tags: Sequence[str]) -> None:
        """The terms an article has now."""
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
        """The links an article's text has now; those to posts the archive holds are resolved."""
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

    # -- versions and changes
    # -----------------------------------------------------------------------------------------------------

    def version(self, version_id: int | None) -> Row | None:
        """A version's row."""
        return self.one("select * from versions where version_id = ?", version_id) if version_id else None

    def add_version(
        self, article_id: int, number: int, extract: Extract, capture_id: int, captured_at: str
    ) -> Row:
        """A version's row."""
        text = extract.text
        version_id = self.insert(
            "versions",
            article_id=article_id,
            number=number,
            title=extract.title,
            restored_title=restored_title(extract.title, text),
            text=text,
            lines=encode_lines(extract),
            **digests_of(extract.title, text),
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
        """Make room for an older version: this number and all above it move up by one."""
        rows = self.query(
            "select version_id, number from versions where article_id = ? and number >= ? order by number desc",
            article_id,
            number,
        )
        for row in rows:
            self.update("versions", "version_id", row["version_id"], number=row["number"] + 1)

    def copy_version(self, version_id: int, **values: object) -> int:
        """The same text as another version of the article."""
        row = self.version(version_id)
        assert row is not None  # of a version that is held
        # Without those that follow from others
        stored = (column["name"] for column in self.query("pragma table_info(versions)"))
        copied = {name: row[name] for name in stored if name != "version_id"}
        return self.insert("versions", **copied | values)

    def replace_text(self, version: Row, extract: Extract) -> bool:
        """What today's extractor reads, in place of what an earlier one did; whether title, text or kinds of
        lines differ."""
        text = extract.text
        values: dict[str, object] = {
            "title": extract.title,
            "restored_title": restored_title(extract.title, text),
            "text": text,
            "lines": encode_lines(extract),
            **digests_of(extract.title, text),
            "layout": extract.layout,
        }
        changed = any(version[name] != value for name, value in values.items())
        self.update("versions", "version_id", version["version_id"], extractor=extract.extractor, **values)
        self.claims(version, extract, extract.title)
        return changed

    def claims(self, version: Row, extract: Extract, title: str) -> None:
        """The claims of a version's newest capture; ``title`` is the version's: an equal one in other
        quotation marks does not replace it."""
        claim_set_id = self._claim_set(version["article_id"], extract, title)
        self.update(
            "versions", "version_id", version["version_id"], **pack_stated(extract), claim_set_id=claim_set_id
        )

    def _claim_set(self, article_id: int, extract: Extract, title: str) -> int:
        """The row of the list of claims that a page makes, beside a version of that title."""
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

    def index(self, article_id: int, old: Row | None, new: Row) -> None:
        """Let the search find an article by its newest version."""
        if old is not None:
            values = (article_id, *searchable(old))
            self._conn.execute(
                "insert into search (search, rowid, title, text) values ('delete', ?, ?, ?)", values
            )
        self._conn.execute(
            "insert into search (rowid, title, text) values (?, ?, ?)", (article_id, *searchable(new))
        )

    def change(self, article_id: int, kind: str, said_at: str, learnt_at: str, **values: Any) -> int:
        """Tell the world: one row in the feed, numbered without a gap."""
        if kind in ("updated", "backfilled"):
            values["same_as_version_id"] = self._same_as(article_id, values["version_id"])
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

    def _same_as(self, article_id: int, version_id: int) -> int | None:
        """The first earlier version of the article with the same title and text."""
        row = self.one(
            """select e.version_id from versions v join versions e using (article_id, same_digest)
               where v.version_id = ? and e.article_id = ? and e.number < v.number order by e.number""",
            version_id,
            article_id,
        )
        return row[0] if row else None

    # -- parts of an article in several pages
    # -------------------------------------------------------------------------------------

    def add_part(self, capture_id: int, look: str, page: int, pages: int, extract: str) -> None:
        """One page of a look at an article in several pages."""
        self._conn.execute(
            "insert into parts values (?, ?, ?, ?, ?) on conflict do nothing",
            (capture_id, look, page, pages, extract),
        )

    def parts(self, look: str) -> list[Row]:
        """The pages held of a look, in order."""
        return self.query("select * from parts where look = ? order by page", look)

    def drop_parts(self, look: str) -> None:
        """A look is complete."""
        self._conn.execute("delete from parts where look = ?", (look,))

    # -- what a crawl must know
    # ---------------------------------------------------------------------------------------------------

    def held(self, row: Row, **more: Any) -> Held:
        """An article as a plan sees it."""
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
        """The date archive of these days was walked whole."""
        self._conn.executemany(
            "insert into coverage_days values (?, ?, ?) on conflict do nothing",
            [(edition, day, at) for day in days],
        )


def pack_stated(stated: Stated) -> dict[str, Any]:
    """What a page states beside title and text, as columns of `versions`."""
    return {of.name: of.pack(getattr(stated, of.name)) for of in PAGE_FIELDS}


def unpack_metadata(row: Mapping[str, Any] | Row) -> dict[str, Any]:
    """The fields of which a new value makes a `metadata` change, from columns of `versions`."""
    return {of.name: of.unpack(row[of.name]) for of in PAGE_FIELDS if of.is_metadata}


def encode_lines(extract: Extract) -> str:
    """The kind of each line of the text, as the column ``lines`` keeps it."""
    return encode_kinds((line.kind.value, line.depth) for line in extract.lines)


def digests_of(title: str, text: str) -> dict[str, bytes]:
    """The columns behind `versions.text_sha256` and `same_sha256`, which show them in hexadecimal."""
    return {
        "text_digest": bytes.fromhex(text_sha256(text)),
        "same_digest": bytes.fromhex(same_sha256(title, text)),
    }


def restored_title(title: str, text: str) -> str | None:
    """The headline without marks put inside words; None where it has none. `versions.plain_title` is this or
    the title."""
    plain = plain_title(title, HIDDEN, text)
    return None if plain == title else plain


def searchable(version: Row) -> tuple[str, str]:
    """Title and text as the search knows them: as published and without obfuscation, folded."""
    title, plain = version["title"], version["plain_title"]
    return fold(title if title == plain else f"{title}\n{plain}", HIDDEN), fold(version["text"], HIDDEN)


def open_store(folder: Path) -> Store:
    """Open an archive's database for writing, making the folder where there is none. Raises CannotWrite,
    NewerArchive, NoArchive."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CannotWrite(
            f"the archive's folder {folder} cannot be made ({error.strerror}): give one you may write to"
        ) from error
    return Store(folder / DATABASE)


def _refused(path: Path, error: sqlite3.Error) -> CannotWrite:
    name = getattr(error, "sqlite_errorname", "")
    todo = {
        "SQLITE_NOTADB": "the file is no database: move it away and run 'sohr-archive rebuild'",
        "SQLITE_CORRUPT": "the file is damaged: move it away and run 'sohr-archive rebuild'",
        "SQLITE_FULL": "free some disk space and run the same command again",
        "SQLITE_IOERR": "free or mend the disk and run the same command again",
        "SQLITE_READONLY": "give it to a user who may write it",
        "SQLITE_CANTOPEN": "give it to a user who may write it",
        "SQLITE_BUSY": "another program keeps it locked: stop that and run the same command again",
    }
    step = next(
        (text for code, text in todo.items() if name.startswith(code)),
        "mend it and run the same command again",
    )
    return CannotWrite(f"the database {path} cannot be written ({error}): {step}")


__all__ = ["Row", "Store", "digests_of", "now", "open_store", "pack_stated"]
