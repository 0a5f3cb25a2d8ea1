"""What public archives list of a site's posts, what is here of it, and what is left to ask for."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from archive.model import EDITIONS, Edition
from archive.outcome import MENDABLE
from archive.public_archives.plan import FETCHED, REFUSED, choose, read_listed
from archive.public_archives.queries import SERVICES
from archive.reports.terminal import columns, in_words

SECONDS = 1.0  # a request, with its answer: one at a time, as both services ask


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One service. ``listed`` are fetched, refused, to fetch, or left out because they repeat the capture
    before them; ``unreadable`` are the fetched ones that no layout reads. Days are those of capture."""

    service: str
    index_pages: int
    posts: int
    listed: int
    digests: int
    fetched: int
    refused: int
    unreadable: int
    to_fetch: int
    days: int
    first_day: str | None
    last_day: str | None

    @property
    def seconds(self) -> int:
        """How long the rest takes, about."""
        return round(self.to_fetch * SECONDS)


def read_backfill(
    conn: sqlite3.Connection,
    editions: Sequence[Edition] = EDITIONS,
    since: str | None = None,
    until: str | None = None,
    services: Sequence[str] = SERVICES,
) -> tuple[ServicePlan, ...]:
    """The services of which an index is known. ``since`` and ``until`` are days of capture, both included."""
    every = (_read_service(conn, service, editions, since, until) for service in services)
    return tuple(plan for plan in every if plan.index_pages)


def _read_service(
    conn: sqlite3.Connection, service: str, editions: Sequence[Edition], since: str | None, until: str | None
) -> ServicePlan:
    def query(sql: str, *values: object) -> sqlite3.Cursor:
        return conn.execute(sql, values)

    asked = (service, editions, since, until)
    posts, digests, days = set[str](), set[str](), set[str]()
    numbers = {FETCHED: 0, REFUSED: 0, None: 0}
    for row in read_listed(query, *asked):
        posts.add(row.post)
        digests.add(row.digest)
        days.add(row.at[:10])
        numbers[row.answer] += 1
    [(pages,)] = query("select count(*) from index_pages where service = ?", service)
    marks, places = ", ".join("?" * len(MENDABLE)), ", ".join("?" * len(editions))
    [(unreadable,)] = query(
        f"""select count(*) from listed_captures l join captures c on c.capture_id = l.capture_id
            where service = ? and edition in ({places}) and l.at >= ? and substr(l.at, 1, 10) <= ?
            and c.outcome in ({marks})""",
        *(service, *editions, since or "", until or "9999", *MENDABLE),
    )
    return ServicePlan(
        service,
        index_pages=pages,
        posts=len(posts),
        listed=sum(numbers.values()),
        digests=len(digests - {""}),
        fetched=numbers[FETCHED],
        refused=numbers[REFUSED],
        unreadable=unreadable,
        to_fetch=sum(1 for _ in choose(read_listed(query, *asked))),
        days=len(days),
        first_day=min(days, default=None),
        last_day=max(days, default=None),
    )


def render_backfill(plans: Sequence[ServicePlan]) -> str:
    """As text, a line for each service."""
    if not plans:
        return "No index of a public archive is known."
    heads = ["posts", "listed", "digests", "fetched", "refused", "unreadable", "to fetch", "days"]
    names = ("posts", "listed", "digests", "fetched", "refused", "unreadable", "to_fetch", "days")
    rows = [["Public archives", *heads, "captured", "takes"]]
    for plan in plans:
        numbers = [f"{getattr(plan, name):,}" for name in names]
        span = f"{plan.first_day} to {plan.last_day}" if plan.first_day else "-"
        takes = in_words(plan.seconds) if plan.to_fetch else "-"
        rows.append([f"  {plan.service}", *numbers, span, takes])
    return columns(rows, right=range(1, 9))
