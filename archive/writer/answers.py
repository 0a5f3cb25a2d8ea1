"""What a crawl asks the archive in order to plan: which articles are due and how to ask for them, what is
open still, which ids are unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from archive.clock import format_time, parse_time
from archive.ingest import look_schedule
from archive.model import ArticleKey, Edition
from archive.outcome import REFUSALS, Held
from archive.sites.sohr.addresses import Site
from archive.store.rows import Row, Store

# An id without a post may get one: WordPress gives ids to drafts, and publishes them later
A_MONTH = timedelta(days=30)
# After which a change that a channel showed, and whose page never came, is left to the next look
A_WEEK = timedelta(days=7)
STEP = 1000  # ids looked up at once
_REFUSED = ", ".join(f"'{word}'" for word in sorted(REFUSALS))


class Questions:
    """Reads rows; writes none."""

    def __init__(self, store: Store, site: Site) -> None:
        self._store = store
        self._site = site

    def due(
        self, edition: Edition, before: str | None, after: tuple[str, int], limit: int
    ) -> list[tuple[tuple[str, int], Held]]:
        """Held articles to look at again, with the condition to ask their page under: not where the look ends
        a sweep, or the last one had one."""
        rows = self._store.due(edition, before, after, limit)
        return (
            rows if before is None else [(place, self._conditional(held, place[1])) for place, held in rows]
        )

    def _conditional(self, held: Held, article_id: int) -> Held:
        if not held.by_digest:  # no text to compare with, or the end of a sweep
            return held
        last = self._store.one(
            "select status, record_id from captures where article_id = ? order by capture_id desc limit 1",
            article_id,
        )
        if (
            last is None
            or last["status"] != 200
            or self._store.one("select 1 from captures where look = ? limit 1", last["record_id"])
        ):
            return held
        return replace(held, condition=self.condition(held.url))

    def condition(self, url: str) -> tuple[str, str] | None:
        """The header that asks for an answer only if it is another than the newest held; None where that had
        no validator.

        The date goes first: behind gzip WordPress's ETag is weak, and sending it back never gives 304.
        """
        row = self._store.one(
            "select etag, last_modified from captures where url = ? and status = 200 order by capture_id desc limit 1",
            url,
        )
        if row is None or not (row["last_modified"] or row["etag"]):
            return None
        return (
            ("If-Modified-Since", row["last_modified"])
            if row["last_modified"]
            else ("If-None-Match", row["etag"].removeprefix("W/"))
        )

    def unasked(self, edition: Edition, now: str) -> list[Held]:
        """Articles that a channel showed to be changed, and whose page did not come since."""
        rows = self._store.query(
            f"""select distinct a.* from digests d join articles a using (article_id) where a.edition = ? and d.changes > 0 and d.first_seen_at > ?
                and a.state is not null and not exists (select 1 from captures c where c.article_id = d.article_id
                and c.capture_id > d.first_capture_id and c.outcome not in ({_REFUSED})) order by a.article_id""",
            edition,
            format_time(parse_time(now) - A_WEEK),
        )
        return [self._store.held(row) for row in rows]

    def unresolved(self, after: int, limit: int, now: str) -> list[tuple[int, Held]]:
        """Addresses met whose article is not known; those that led nowhere are asked again as missing
        articles are: ever more rarely."""
        found: list[tuple[int, Held]] = []
        while len(found) < limit and (rows := self._store.unresolved(after, limit)):
            after = rows[-1][0]
            found += [(place, held) for place, held in rows if self._is_open(held.url, now)]
        return found[:limit]

    def _is_open(self, url: str, now: str) -> bool:
        sql = "select count(*), max(captured_at) from captures where url = ? and outcome in ('missing', 'soft404')"
        row = self._store.one(sql, url)
        return row is None or row[0] == 0 or look_schedule.missing_next_look(row[0], row[1], url) <= now

    def uncovered_days(self, edition: Edition, until: str) -> dict[str, int]:
        """Archive days up to one of which posts are known and that were not walked whole, with how many."""
        rows = self._store.query(
            """select day, count(*) from articles a where edition = ? and day <= ? and not exists
               (select 1 from coverage_days c where c.edition = a.edition and c.day = a.day) group by day""",
            edition,
            until,
        )
        return {row[0]: row[1] for row in rows}

    def unswept(self, edition: Edition, after: int, last: int, limit: int, now: str) -> list[Held]:
        """Ids behind one, up to another, that are not held and were not found empty within a month."""
        since = format_time(parse_time(now) - A_MONTH)
        found: list[Held] = []
        while after < last and len(found) < limit:
            end = min(last, after + STEP)
            held = {row[0] for row in self._known(edition, after, end, since)}
            keys = (
                ArticleKey(edition, str(post_id))
                for post_id in range(after + 1, end + 1)
                if post_id not in held
            )
            found += [Held(self._site.article_url(key), key) for key in keys]
            after = end
        return found[:limit]

    def _known(self, edition: Edition, after: int, end: int, since: str) -> list[Row]:
        return self._store.query(
            """select post_id from articles where edition = ?1 and post_id > ?2 and post_id <= ?3 and state is not null
               union select post_id from swept_ids where edition = ?1 and post_id > ?2 and post_id <= ?3 and asked_at > ?4""",
            edition,
            after,
            end,
            since,
        )
