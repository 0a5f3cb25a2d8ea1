"""What each channel of the site offers: open or closed, when last asked, how many posts it showed."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from archive.model import EDITIONS, Edition


@dataclass(frozen=True, slots=True)
class ClosedScope:
    """A way to ask a channel that does not answer, and what it answered instead."""

    scope: str
    detail: str


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """One channel of an edition; all categories together, and all sitemaps."""

    edition: Edition
    channel: str
    is_open: bool
    asked_at: str | None  # last
    offers: tuple[str, ...]  # scopes that answer: forms of a feed, questions of REST
    closed: tuple[ClosedScope, ...]
    asked: int  # parts of it that were asked for
    parts: int  # known: categories, sitemaps
    whole: int  # parts read to the end
    total: int | None  # posts, by the site's own count
    sighted: int  # posts it showed
    alone: int  # posts that no other channel showed
    looks: int  # looks done by it without a page


def read_channels(conn: sqlite3.Connection) -> tuple[ChannelReport, ...]:
    """Each channel that was asked or has shown a post, by edition."""
    known: dict[tuple[str, str], list[sqlite3.Row]] = {}
    for row in conn.execute("select * from channels order by channel, scope"):
        known.setdefault((row["edition"], row["channel"]), []).append(row)
    sql = "select edition, channel, sum(sighted), sum(alone) from channel_coverage group by 1, 2"
    shown = {(row[0], row[1]): (row[2], row[3]) for row in conn.execute(sql)}
    sql = """select edition, channel, sum(looks) from digests join articles using (article_id)
             where looks > 0 group by 1, 2"""
    looks = {(row[0], row[1]): row[2] for row in conn.execute(sql)}
    sql = """select edition, max(captured_at) from listing_pages join captures using (capture_id)
             where scope = 'home' group by 1"""
    # Listings have no row in `channels`: they are always asked
    listed_at = {(edition, "home"): at for edition, at in conn.execute(sql)}
    return tuple(
        _report(edition, name, known.get(at, ()), listed_at.get(at), shown.get(at, (0, 0)), looks.get(at, 0))
        for edition in EDITIONS
        for at in sorted({*known, *shown})
        if (name := at[1]) and at[0] == edition
    )


def _report(
    edition: Edition,
    channel: str,
    rows: Sequence[sqlite3.Row],
    listed_at: str | None,
    shown: tuple[int, int],
    looks: int,
) -> ChannelReport:
    asked = [row for row in rows if row["asked_at"]]
    # REST counts as open while it lists edits
    is_open = any(row["is_open"] for row in asked if channel != "rest" or row["scope"] == "edited")
    return ChannelReport(
        edition,
        channel,
        is_open=is_open or not asked,
        asked_at=max((row["asked_at"] for row in asked), default=listed_at),
        offers=tuple(row["scope"] for row in asked if row["is_open"]),
        closed=tuple(ClosedScope(row["scope"], row["detail"]) for row in asked if not row["is_open"]),
        asked=len(asked) or int(listed_at is not None),
        parts=len(rows),
        whole=sum(row["whole_at"] is not None for row in rows),
        total=max((row["total"] for row in rows if row["total"] is not None), default=None),
        sighted=shown[0],
        alone=shown[1],
        looks=looks,
    )
