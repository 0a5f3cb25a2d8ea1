"""What the site's channels offer, as a person reads it: open or closed since when, how far each was walked,
and what each alone has shown."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from archive.model import EDITIONS, Edition

_ASKED = {
    "atom-modified": "Atom, by edit",
    "atom": "Atom",
    "rss": "RSS",
    "edited": "edits",
    "walk": "all posts",
    "look": "looks",
    "ids": "ids",
}


@dataclass(frozen=True, slots=True)
class ChannelReport:
    """One channel of an edition; of categories and sitemaps all together."""

    edition: Edition
    channel: str
    is_open: bool
    asked_at: str | None  # last
    offers: tuple[str, ...]  # what of it answers: forms of a feed, questions of REST
    closed: tuple[str, ...]  # what of it does not, and why
    asked: int  # parts of it that were asked for
    parts: int  # known: categories, sitemaps
    whole: int  # of them walked to the end
    total: int | None  # posts, by the site's own count
    sighted: int  # posts it showed
    alone: int  # posts that no other channel showed
    looks: int  # looks done by it without a page


def read_channels(conn: sqlite3.Connection) -> tuple[ChannelReport, ...]:
    """Each channel that was asked, or has shown something, by edition."""
    rows = conn.execute("select * from channels order by channel, scope").fetchall()
    shown = {
        (row["edition"], row["channel"]): (row["sighted"], row["alone"])
        for row in conn.execute(
            "select edition, channel, sum(sighted) as sighted, sum(alone) as alone from channel_coverage group by 1, 2"
        )
    }
    looks = {
        (row[0], row[1]): row[2]
        for row in conn.execute(
            "select edition, channel, sum(looks) from digests join articles using (article_id) where looks > 0 group by 1, 2"
        )
    }
    home = dict(
        conn.execute(
            "select edition, max(captured_at) from listing_pages join captures using (capture_id) where scope = 'home' group by 1"
        ).fetchall()
    )
    found = []
    for edition in EDITIONS:
        names = sorted(
            {row["channel"] for row in rows if row["edition"] == edition}
            | {name for of, name in shown if of == edition}
        )
        for name in names:
            own = [row for row in rows if (row["edition"], row["channel"]) == (edition, name)]
            asked = [row for row in own if row["asked_at"]]
            # Listings have no row of their own: they are always asked
            listed_at = home.get(edition) if name == "home" else None
            sighted, alone = shown.get((edition, name), (0, 0))
            found.append(
                ChannelReport(
                    edition,
                    name,
                    not asked
                    or any(row["is_open"] for row in asked if name != "rest" or row["scope"] == "edited"),
                    max((row["asked_at"] for row in asked), default=listed_at),
                    tuple(_ASKED.get(row["scope"], row["scope"]) for row in asked if row["is_open"]),
                    tuple(
                        f"{_ASKED.get(row['scope'], row['scope'])}: {row['detail']}"
                        for row in asked
                        if not row["is_open"]
                    ),
                    len(asked) or int(listed_at is not None),
                    len(own),
                    sum(row["whole_at"] is not None for row in own),
                    max((row["total"] for row in own if row["total"] is not None), default=None),
                    sighted,
                    alone,
                    looks.get((edition, name), 0),
                )
            )
    return tuple(found)


def lines(channels: Sequence[ChannelReport], name: dict[str, str]) -> Iterable[list[str]]:
    """A row each for a table, the head first."""
    yield ["Channels", "", "answers", "last asked (UTC)", "showed", "alone", "looks", "remarks"]
    for c in channels:
        at = c.asked_at.replace("T", " ").rstrip("Z") if c.asked_at else "-"
        answers = "-" if not c.asked else "yes" if c.is_open else "no"
        yield [
            f"  {name[c.edition]}",
            c.channel,
            answers,
            at,
            f"{c.sighted:,}",
            f"{c.alone:,}",
            f"{c.looks:,}",
            "; ".join(_remarks(c)) or "-",
        ]


def _remarks(channel: ChannelReport) -> Iterable[str]:
    if channel.channel in ("category", "sitemap"):
        if channel.parts:
            yield f"{channel.asked} of {channel.parts} asked" + (
                f", {channel.whole} walked whole" if channel.channel == "category" else ""
            )
    elif channel.channel in ("feed", "rest") and channel.offers:
        yield ", ".join(channel.offers)
    if channel.total is not None:
        yield f"the site counts {channel.total:,}"
    if channel.channel in ("feed", "rest", "date"):
        yield from (f"closed ({reason}), tried again after a week" for reason in channel.closed)
