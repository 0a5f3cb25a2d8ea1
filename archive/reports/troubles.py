"""What is held back, and what is only noise: counted by edition."""

from __future__ import annotations

from archive.reports.gaps import Rows

Counts = dict[str, dict[str, int]]  # edition -> kind -> number


def count_held(rows: Rows) -> Counts:
    """Of how many posts outcomes of looks are held, by the kind of outcome."""
    return _by_edition(
        rows,
        """select edition, kind, count(distinct article_id)
           from pending_outcomes join articles using (article_id)
           where held_at is not null and edition is not null group by 1, 2 order by 1, 2""",
    )


def count_noise(rows: Rows, since: str) -> Counts:
    """What has been only noise since a day: `archive.ingest.noise` has the kinds."""
    sql = "select edition, kind, sum(number) from noise_counts where day >= ? group by 1, 2 order by 1, 2"
    return _by_edition(rows, sql, since)


def _by_edition(rows: Rows, sql: str, *values: object) -> Counts:
    counts: Counts = {}
    for edition, kind, number in rows.query(sql, *values):
        counts.setdefault(edition, {})[kind] = number
    return counts
