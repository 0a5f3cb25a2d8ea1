"""Rows of versions, and of the changes that report them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

from archive.model import Extract
from archive.store.claim_sets import pack
from archive.store.connection import Connection
from archive.store.fields import PAGE_FIELDS
from archive.store.packing import digest, fold_for_search, pack_lines, pack_stated, restore_title
from archive.store.row_types import VersionRow

CLAIM_SETS = 1000  # kept in memory; a site's layout makes a few hundred


class VersionRows:
    """The tables `versions`, `claim_sets` and `search`."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._claim_sets: dict[str, int] = conn.new_cache()

    def select(self, which: str, *values: object) -> list[VersionRow]:
        """Rows of versions; ``which`` is what follows `from versions`."""
        rows = self._conn.query(f"select versions.* from versions {which}", *values)
        return [cast(VersionRow, dict(row)) for row in rows]

    def get(self, version_id: int | None) -> VersionRow | None:
        """The row of a version."""
        return next(iter(self.select("where version_id = ?", version_id)), None) if version_id else None

    def add(
        self, article_id: int, number: int, extract: Extract, capture_id: int, captured_at: str
    ) -> VersionRow:
        """Add a version; return its row."""
        version_id = self._conn.insert(
            "versions",
            article_id=article_id,
            number=number,
            **_pack_text(extract),
            extractor=extract.extractor,
            first_capture_id=capture_id,
            last_capture_id=capture_id,
            first_captured_at=captured_at,
            last_captured_at=captured_at,
            **pack_stated(extract),
            claim_set_id=self._claim_set(article_id, extract, extract.title),
        )
        return self.select("where version_id = ?", version_id)[0]

    def update(self, version_id: int, **values: object) -> None:
        """Set columns of a version."""
        self._conn.update("versions", "version_id", version_id, **values)

    def shift_numbers(self, article_id: int, number: int) -> None:
        """Make room for an older version: raise this number and all above it by one."""
        for row in self.select(
            "where article_id = ? and number >= ? order by number desc", article_id, number
        ):
            self.update(row["version_id"], number=row["number"] + 1)

    def copy(self, version_id: int, **values: object) -> int:
        """Copy a version, with other values in some columns; return its id."""
        [row] = self._conn.query("select * from versions where version_id = ?", version_id)
        # Without those that follow from others
        stored = (column["name"] for column in self._conn.query("pragma table_info(versions)"))
        copied = {name: row[name] for name in stored if name != "version_id"}
        return self._conn.insert("versions", **copied | values)

    def replace_text(self, version: VersionRow, extract: Extract) -> bool:
        """Replace a text with what this release reads; return whether title, text or lines differ."""
        values, before = _pack_text(extract), cast(Mapping[str, object], version)
        changed = any(before[name] != value for name, value in values.items())
        version_id = version["version_id"]
        self.update(version_id, extractor=extract.extractor, **values)
        self.replace_stated(version, extract, extract.title)
        return changed

    def replace_stated(self, version: VersionRow, extract: Extract, title: str) -> None:
        """Replace what a version states with what its newest capture does. ``title`` is the version's own,
        which an equal one in other quotation marks does not replace."""
        claims = self._claim_set(version["article_id"], extract, title)
        values = {**pack_stated(extract), "claim_set_id": claims}
        self.update(version["version_id"], **values)

    def _claim_set(self, article_id: int, extract: Extract, title: str) -> int:
        """The id of the list of claims that a page makes."""
        [(post_id,)] = self._conn.query("select post_id from articles where article_id = ?", article_id)
        columns = {of.name: getattr(extract, of.name) for of in PAGE_FIELDS} | {"title": title}
        packed = pack(extract.claims, columns, post_id)
        if packed not in self._claim_sets:
            if len(self._claim_sets) == CLAIM_SETS:
                self._claim_sets.clear()
            self._conn.execute("insert into claim_sets (claims) values (?) on conflict do nothing", packed)
            find = "select claim_set_id from claim_sets where claims = ?"
            [(self._claim_sets[packed],)] = self._conn.query(find, packed)
        return self._claim_sets[packed]

    def index_newest(self, article_id: int, old: VersionRow | None, new: VersionRow | None) -> None:
        """Put the newest version of an article into the search index, in place of another."""
        if old is not None:
            remove = "insert into search (search, rowid, title, text) values ('delete', ?, ?, ?)"
            self._conn.execute_last(remove, article_id, *fold_for_search(old))
        if new is not None:
            add = "insert into search (rowid, title, text) values (?, ?, ?)"
            self._conn.execute_last(add, article_id, *fold_for_search(new))


def _pack_text(extract: Extract) -> dict[str, Any]:
    """Title and text as columns of `versions`, with what follows from them."""
    title, text = extract.title, extract.text
    return {
        "title": title,
        "restored_title": restore_title(title, text),
        "text": text,
        "lines": pack_lines(extract),
        **digest(title, text),
        "layout": extract.layout,
    }


# Outcomes of captures that had an article's text, and of those that found it gone or without one
_THERE = "'new', 'changed', 'unchanged', 'backfilled'"
_GONE = "'missing', 'soft404', 'moved', 'withheld', 'protected', 'empty'"


class ChangeRows:
    """The table `changes`, which is the feed."""

    def __init__(self, conn: Connection, versions: VersionRows) -> None:
        self._conn = conn
        self._versions = versions

    def add(self, article_id: int, kind: str, said_at: str, learnt_at: str, **values: Any) -> int:
        """Add a change to the feed; return its number."""
        if kind in ("updated", "backfilled"):
            values["same_as_version_id"] = self._same_as(article_id, values["version_id"])
        if kind == "retracted":
            values["version_id"] = self._newest_without(article_id, values["retracts"])
        for name in {"classes", "figures", "details"} & values.keys():
            values[name] = json.dumps(values[name], ensure_ascii=False)
        [(seq,)] = self._conn.query("select coalesce(max(seq), 0) + 1 from changes")
        values |= {"epoch": int(self._conn.about("epoch") or 1), "said_at": said_at, "learnt_at": learnt_at}
        if kind not in ("created", "backfilled", "reparsed", "retracted"):
            is_back = kind == "restored" or '"live"]' in values.get("details", "")
            values["unchanged_until"] = self._last_seen(article_id, _GONE if is_back else _THERE, said_at)
        return self._conn.insert("changes", seq=seq, article_id=article_id, kind=kind, **values)

    def _last_seen(self, article_id: int, outcomes: str, before: str) -> str | None:
        """When a capture last had one of the outcomes."""
        sql = f"""select max(captured_at) from captures
                  where article_id = ? and captured_at < ? and outcome in ({outcomes})"""
        [(at,)] = self._conn.query(sql, article_id, before)
        return str(at) if at else None

    def _newest_without(self, article_id: int, seq: int) -> int | None:
        """The newest version of an article once a change is taken back; the row and the search follow."""
        which = "join articles on newest_version_id = version_id where articles.article_id = ?"
        newest = next(iter(self._versions.select(which, article_id)), None)
        if newest is None:
            return None
        wrong = self._conn.one("select kind, version_id from changes where seq = ?", seq)
        newest_id = newest["version_id"]
        if not wrong or wrong["version_id"] != newest_id or wrong["kind"] not in ("created", "updated"):
            return newest_id
        which = """where article_id = ? and number < ? and version_id not in
            (select version_id from retracted_versions) order by number desc limit 1"""
        before = next(iter(self._versions.select(which, article_id, newest["number"])), None)
        before_id = before["version_id"] if before else None
        self._conn.update("articles", "article_id", article_id, newest_version_id=before_id)
        self._versions.index_newest(article_id, newest, before)
        return before_id

    def _same_as(self, article_id: int, version_id: int) -> int | None:
        """The first earlier version of the article with the same title and text."""
        row = self._conn.one(
            """select e.version_id from versions v join versions e using (article_id, same_digest)
               where v.version_id = ? and e.article_id = ? and e.number < v.number order by e.number""",
            version_id,
            article_id,
        )
        return row[0] if row else None
