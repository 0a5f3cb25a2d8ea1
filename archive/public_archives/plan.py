"""Which rows of an index to ask for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

# Statuses that say something of a post. Others are trouble of that day, and prove nothing
_TELLING = {None, 200, 301, 302, 303, 307, 308, 404, 410, 451}
FETCHED, REFUSED = "fetched", "refused"


@dataclass(frozen=True, slots=True)
class Listed:
    """A row of an index as the archive keeps it. ``answer``: `FETCHED` once its capture is here, `REFUSED` if
    the service will not give it; None: not asked, or in vain for the moment."""

    listed_id: int
    post: str  # the article and its page, or an address that names no article
    at: str
    status: int | None
    digest: str
    answer: str | None = None


def choose(rows: Iterable[Listed]) -> Iterator[Listed]:
    """The rows to ask for, of rows in order of post and time.

    A row is left out only if the row before it, of the same post, has the same digest: of a text that came
    back (A-B-A) all three are taken. Rows that the service refuses count as not listed.
    """
    before: Listed | None = None
    for row in rows:
        if row.status not in _TELLING or row.answer == REFUSED:
            continue
        if row.answer is None and not _is_repeated(before, row):
            yield row
        before = row


def _is_repeated(before: Listed | None, row: Listed) -> bool:
    if before is None or before.post != row.post or not row.digest or before.digest != row.digest:
        return False
    # A revisit states no status; the bodies of redirects are often empty, and so alike
    return before.status == row.status or None in (before.status, row.status)


def read_listed(
    query: Callable[..., Iterable[Any]],
    service: str,
    editions: Sequence[str],
    since: str | None = None,
    until: str | None = None,
) -> Iterator[Listed]:
    """The listed captures of a service, in order of post and time; days of capture are inclusive. ``query``
    runs SQL and returns rows."""
    marks = ", ".join("?" * len(editions))
    rows = query(
        f"""select listed_id, post, at, status, digest, answer from listed_captures
            where service = ? and edition in ({marks}) and at >= ? and substr(at, 1, 10) <= ?
            order by post, at, listed_id""",
        *(service, *editions, since or "", until or "9999"),
    )
    return (Listed(*row) for row in rows)
