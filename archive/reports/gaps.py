"""Gaps that a crawl left in the listings for no reason that explains them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

from archive.clock import days_between, last_past_day
from archive.model import FIRST_DAY, Edition

COMPLETE = "finished"  # Scrapy's reason for the end of a crawl that nothing stopped


class Rows(Protocol):
    """Where the numbers are: `archive.store.rows.Store`."""

    def query(self, sql: str, *values: object) -> list[Any]:
        """Rows of a question."""


def unexplained_gaps(rows: Rows, crawl_id: int, finish_reason: str) -> dict[Edition, list[str]]:
    """The archive days at which reading each edition's listing stopped, when a crawl is about to end.

    These are explained: a crawl that something stopped or whose arguments ask for a part, a walk of another
    channel that goes on in the next crawl, and days that the date archives show in full.
    """
    sql = "select arguments, started_at from crawls where crawl_id = ?"
    [(text, started_at)] = rows.query(sql, crawl_id)
    arguments = json.loads(text)
    names = ("urls", "sweep", "since", "until", "pages")
    if finish_reason != COMPLETE or any(arguments.get(name) is not None for name in names):
        return {}
    editions: list[Edition] = arguments.get("editions", [])
    return {edition: gaps for edition in editions if (gaps := list(_gaps(rows, edition, started_at)))}


def _gaps(rows: Rows, edition: Edition, started_at: str) -> Iterator[str]:
    stretches = rows.query(
        """select newest_day, tail_day, reached_end or tail_article_id is null as is_whole from stretches
           where edition = ? and merged_into is null""",
        edition,
    )
    going_on = """select 1 from channels where edition = ? and is_open and asked_at >= ?
                  and next_page is not null and whole_at is null limit 1"""
    if all(is_whole for _, _, is_whole in stretches) or rows.query(going_on, edition, started_at):
        return
    covered = {row[0] for row in rows.query("select day from coverage_days where edition = ?", edition)}
    if covered.issuperset(days_between(FIRST_DAY, last_past_day(started_at))):
        return  # the date archives were read to the end: no listing shows more
    [[first]] = rows.query("select min(day) from articles where edition = ?", edition)
    for newest_day, tail_day, is_whole in stretches:
        older = [day for day, _, _ in stretches if day and newest_day and day < newest_day]
        start = max(older, default=first)
        if not is_whole and not (tail_day and start and covered.issuperset(days_between(start, tail_day))):
            yield tail_day or "an unknown day"
