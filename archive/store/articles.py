"""Rows of articles, and what belongs to them: addresses, sightings, terms, links."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, cast

from archive.model import ArticleKey, Sighting
from archive.outcome import KnownPost
from archive.store.connection import Connection
from archive.store.row_types import ArticleRow
from archive.store.versions import VersionRows


class ArticleRows:
    """The tables `articles`, `aliases`, `sightings`, `terms`, `article_terms` and `links`."""

    def __init__(self, conn: Connection, versions: VersionRows) -> None:
        self._conn = conn
        self._versions = versions
        self._terms: dict[tuple[str, str], int] = conn.new_cache()

    def select(self, which: str, *values: object) -> list[ArticleRow]:
        """Rows of articles; ``which`` is what follows `from articles`, with further tables `using` a key."""
        rows = self._conn.query(f"select articles.* from articles {which}", *values)
        return [cast(ArticleRow, dict(row)) for row in rows]

    def get(self, key: ArticleKey) -> ArticleRow | None:
        """The row of an article."""
        return next(iter(self.select("where source = ? and key = ?", key.source, key.key)), None)

    def get_at(self, url: str) -> ArticleRow | None:
        """The article an alias leads to."""
        return next(iter(self.select("join aliases using (article_id) where aliases.url = ?", url)), None)

    def add(self, key: ArticleKey, url: str, at: str, day: str | None) -> ArticleRow:
        """Add an article that was sighted and is not captured yet."""
        named = {"source": key.source, "key": key.key, "edition": key.edition, "post_id": key.post_id}
        article_id = self._conn.insert("articles", **named, url=url, day=day, first_sighted_at=at)
        return self.select("where article_id = ?", article_id)[0]

    def update(self, article_id: int, **values: object) -> None:
        """Set columns of an article."""
        self._conn.update("articles", "article_id", article_id, **values)

    def add_alias(self, url: str, article_id: int | None, at: str) -> None:
        """Record that an address leads to an article; None: it is not known yet which."""
        self._conn.execute(
            """insert into aliases (url, article_id, first_seen_at) values (?, ?, ?)
               on conflict (url) do update set first_seen_at = min(first_seen_at, excluded.first_seen_at),
               article_id = coalesce(excluded.article_id, article_id) where article_id is null
               or excluded.first_seen_at < first_seen_at""",
            url,
            article_id,
            at,
        )

    def add_sighting(self, article_id: int, sighting: Sighting, at: str) -> None:
        """Record that a channel shows an article, and what it says of it."""
        names = ("url", "day", "title", "published_at", "modified_at")
        stated = {name: value for name in names if (value := getattr(sighting, name)) is not None}
        claims = json.dumps(stated, ensure_ascii=False, sort_keys=True)
        count = """update sightings set last_seen_at = ?, times = times + 1
            where article_id = ? and channel = ? and claims = ?"""
        if self._conn.execute(count, at, article_id, sighting.channel, claims) == 0:
            shown = {"article_id": article_id, "channel": sighting.channel, "claims": claims}
            self._conn.insert("sightings", **shown, first_seen_at=at, last_seen_at=at)

    def set_terms(self, article_id: int, categories: Sequence[str], tags: Sequence[str]) -> None:
        """Replace the categories and tags of an article."""
        self._conn.execute("delete from article_terms where article_id = ?", article_id)
        for term in [("category", name) for name in categories] + [("tag", name) for name in tags]:
            if term not in self._terms:
                add = "insert into terms (taxonomy, name) values (?, ?) on conflict do nothing"
                self._conn.execute(add, *term)
                find = "select term_id from terms where taxonomy = ? and name = ?"
                [(self._terms[term],)] = self._conn.query(find, *term)
            link = "insert into article_terms values (?, ?) on conflict do nothing"
            self._conn.execute(link, article_id, self._terms[term])

    def set_links(self, article_id: int, links: Sequence[tuple[str, str, ArticleKey | None]]) -> None:
        """Replace the links in an article's text; resolve those to posts that are known."""
        self._conn.execute("delete from links where article_id = ?", article_id)
        for position, (url, text, key) in enumerate(links, 1):
            target = self.get(key) if key else None
            link = {"article_id": article_id, "position": position, "url": url, "text": text}
            self._conn.insert("links", **link, target_id=target["article_id"] if target else None)

    def describe(self, row: ArticleRow, **more: Any) -> KnownPost:
        """An article as a plan needs it."""
        version = self._versions.get(row["newest_version_id"])
        return KnownPost(
            row["url"],
            ArticleKey(row["source"], row["key"]),
            row["state"],
            modified_at=version["modified_at"] if version else None,
            day=row["day"],
            last_captured_at=row["last_captured_at"],
            **more,
        )
