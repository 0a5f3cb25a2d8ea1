"""Answers what a crawl asks in order to plan: which articles are due, where walks broke off, which ids are
unknown."""

from __future__ import annotations

import heapq
from dataclasses import replace
from datetime import timedelta

from archive.clock import format_time, last_past_day, now, parse_time
from archive.extract.reread import Evidence
from archive.ingest import look_schedule
from archive.ingest.channels import Channels
from archive.ingest.served import learnt_served
from archive.model import FIRST_DAY, ArticleKey, Capture, Edition, Kind
from archive.outcome import REFUSALS, ChannelState, Gap, KnownPost, Served
from archive.public_archives.plan import choose, read_listed
from archive.reports.drift import Drift, judge_crawl
from archive.sites import addresses_elsewhere
from archive.sites.sohr.addresses import Site
from archive.store.connection import Row
from archive.store.row_types import ArticleRow
from archive.store.rows import Store
from archive.writer.messages import KnownPage, Questions, Span, WantedCapture

# An id without a post may get one: WordPress gives ids to drafts, and publishes them later
A_MONTH = timedelta(days=30)
# After it, a change that a channel showed and whose page never came is left to the next look
A_WEEK = timedelta(days=7)
STEP = 1000  # ids looked up at once
_WANTED = ("identity", "post", "edition", "url", "digest")  # columns
_REFUSED = ", ".join(f"'{word}'" for word in sorted(REFUSALS))


class Answers(Questions):
    """Reads rows; writes none. What each method answers is said in `Questions`."""

    def __init__(self, store: Store, site: Site, channels: Channels, evidence: Evidence) -> None:
        self._evidence = evidence
        self._store = store
        self._site = site
        self._channels = channels

    def home(self) -> str:
        return self._site.home

    def served(self) -> Served | None:
        return learnt_served(self._store)

    def channels(self, edition: Edition) -> list[ChannelState]:
        return self._channels.states(edition)

    def condition(self, url: str) -> tuple[str, str] | None:
        # The date goes first: behind gzip WordPress's ETag is weak, and sending it back never gives 304
        row = self._store.one(
            """select etag, last_modified from captures where url = ? and status = 200
               order by capture_id desc limit 1""",
            url,
        )
        if row is None or not (row["last_modified"] or row["etag"]):
            return None
        if row["last_modified"]:
            return "If-Modified-Since", row["last_modified"]
        return "If-None-Match", row["etag"].removeprefix("W/")

    def unasked(self, edition: Edition) -> list[KnownPost]:
        # The few digests first: + keeps SQLite from reading all articles of the edition instead
        rows = self._store.articles.select(
            f"""where +edition = ? and state is not null and article_id in (
                select article_id from digests d where d.changes > 0 and d.first_seen_at > ?
                and not exists (select 1 from captures c where c.article_id = d.article_id
                and c.capture_id > d.first_capture_id and c.outcome not in ({_REFUSED})))
                order by article_id""",
            edition,
            format_time(parse_time(now()) - A_WEEK),
        )
        return [self._store.articles.describe(row) for row in rows]

    def uncovered_days(self, edition: Edition, until: str) -> dict[str, int]:
        rows = self._store.query(
            """select day, count(*) from articles a where edition = ? and day <= ? and not exists
               (select 1 from coverage_days c where c.edition = a.edition and c.day = a.day) group by day""",
            edition,
            until,
        )
        return {row[0]: row[1] for row in rows}

    def unswept(self, edition: Edition, after: int, last: int, limit: int) -> list[tuple[int, KnownPost]]:
        since = format_time(parse_time(now()) - A_MONTH)
        found: list[tuple[int, KnownPost]] = []
        while after < last and len(found) < limit:
            end = min(last, after + STEP)
            known = {row[0] for row in self._known_ids(edition, after, end, since)}
            for post_id in sorted(set(range(after + 1, end + 1)) - known):
                key = ArticleKey(edition, str(post_id))
                found.append((post_id, KnownPost(self._site.article_url(key), key)))
            after = end
        return found[:limit]

    def _known_ids(self, edition: Edition, after: int, end: int, since: str) -> list[Row]:
        span = "edition = ?1 and post_id > ?2 and post_id <= ?3"
        return self._store.query(
            f"""select post_id from articles where {span} and state is not null
                union select post_id from swept_ids where {span} and asked_at > ?4""",
            edition,
            after,
            end,
            since,
        )

    def uncaptured(self, edition: Edition, after: int, limit: int) -> list[tuple[int, KnownPost]]:
        rows = self._store.articles.select(
            """where edition = ? and state is null and article_id > ?
               and coalesce(next_look_at, '') <= ? order by article_id limit ?""",
            edition,
            after,
            now(),
            limit,
        )
        return [(row["article_id"], self._store.articles.describe(row)) for row in rows]

    def unresolved(self, after: int, limit: int) -> list[tuple[int, KnownPost]]:
        found: list[tuple[int, KnownPost]] = []
        sql = """select alias_id, url from aliases where article_id is null and alias_id > ?
                 order by alias_id limit ?"""
        while len(found) < limit and (rows := self._store.query(sql, after, limit)):
            after = rows[-1]["alias_id"]
            found += [
                (row["alias_id"], KnownPost(row["url"], None)) for row in rows if self._may_ask(row["url"])
            ]
        return found[:limit]

    def _may_ask(self, url: str) -> bool:
        sql = """select count(*), max(captured_at) from captures
                 where url = ? and outcome in ('missing', 'soft404')"""
        row = self._store.one(sql, url)
        return row is None or row[0] == 0 or look_schedule.missing_next_look(row[0], row[1], url) <= now()

    def due(
        self, edition: Edition, before: str | None, after: tuple[str, int], limit: int
    ) -> list[tuple[tuple[str, int], KnownPost]]:
        rows = self._store.articles.select(
            """where edition = ? and state is not null
               and (? is null or next_look_at <= ?) and (coalesce(next_look_at, ''), article_id) > (?, ?)
               order by coalesce(next_look_at, ''), article_id limit ?""",
            edition,
            before,
            before,
            *after,
            limit,
        )
        return [
            ((row["next_look_at"] or "", row["article_id"]), self._planned(row, is_due=before is not None))
            for row in rows
        ]

    def _planned(self, row: ArticleRow, *, is_due: bool) -> KnownPost:
        """An article to look at. Its page may be asked under a condition, except to end a sweep, after a look
        that had a condition, and while an outcome is on hold, which only its page proves."""
        sql = "select 1 from pending_outcomes where article_id = ?"
        is_held = self._store.one(sql, row["article_id"]) is not None
        may_use_digest = (
            is_due and not is_held and look_schedule.by_digest(row["state"], row["unchanged_looks"])
        )
        post = self._store.articles.describe(row, by_digest=may_use_digest)
        if not may_use_digest:
            return post
        last = self._store.one(
            "select status, record_id from captures where article_id = ? order by capture_id desc limit 1",
            row["article_id"],
        )
        is_whole = last is not None and last["status"] == 200
        in_pages = "select 1 from captures where look = ? limit 1"
        if not is_whole or self._store.one(in_pages, last["record_id"] if last else None):
            return post
        return replace(post, condition=self.condition(post.url))

    def gaps(self, edition: Edition) -> list[Gap]:
        rows = self._store.query(
            """select s.*, (select count(*) from articles a where a.stretch_id = s.stretch_id) as posts
               from stretches s where edition = ? and merged_into is null and tail_article_id is not null
               order by newest_day desc, stretch_id desc""",
            edition,
        )
        found, position = [], 0
        for row in rows:
            position += row["posts"]
            if not row["reached_end"] and not self._is_covered_before(edition, row["tail_day"]):
                found.append(Gap(edition, position, row["tail_day"]))
        return found

    def _is_covered_before(self, edition: Edition, day: str | None) -> bool:
        """Whether the date archives of all days up to one, from the first possible one, were walked whole."""
        day = day or last_past_day(now())
        row = self._store.one(
            """select count(*), julianday(?) - julianday(?) + 1 from coverage_days
               where edition = ? and day between ? and ?""",
            day,
            FIRST_DAY,
            edition,
            FIRST_DAY,
            day,
        )
        return row is not None and row[0] >= row[1]

    def asked_since(self, at: str) -> int:
        # Cited pages of other sites, their robots.txt, and public archives are not asked of this site
        row = self._store.one(
            """select (select count(*) from captures join crawls using (crawl_id)
                       where captured_at >= ?1 and kind = 'crawl' and coalesce(channel, '') != 'page'
                       and (coalesce(channel, '') != 'robots' or instr(url, ?2)))
                + (select count(*) from failures join crawls using (crawl_id)
                   where kind = 'crawl' and reason = 'no_answer' and at >= ?1 and instr(url, ?2))""",
            at,
            self._site.name,
        )
        return int(row[0]) if row else 0

    def asked_of_archives(self, at: str) -> int:
        row = self._store.one(
            """select (select count(*) from captures join crawls using (crawl_id)
                       where captured_at >= ?1 and kind = 'backfill' and source = 'live')
                + (select count(*) from failures join crawls using (crawl_id)
                   where kind = 'backfill' and reason = 'no_answer' and at >= ?1)""",
            at,
        )
        return int(row[0]) if row else 0

    def index_page(self, url: str) -> KnownPage | None:
        sql = """select asked_at, next_key, rows, is_absent, payload_sha256
                 from index_pages i join captures using (capture_id) where i.url = ?"""
        row = self._store.one(sql, url)
        return KnownPage(row[0], row[1], row[2], bool(row[3]), row[4]) if row else None

    def wanted_captures(
        self, service: str, days: Span, after: tuple[str, int], limit: int
    ) -> list[WantedCapture]:
        rows = read_listed(self._store.each, service, days.editions, days.since, days.until)
        later = ((row.at, row.listed_id) for row in choose(rows) if (row.at, row.listed_id) > after)
        found = (
            self._store.one("select * from listed_captures where listed_id = ?", listed_id)
            for _, listed_id in heapq.nsmallest(limit, later)
        )
        return [
            WantedCapture((row["at"], row["listed_id"]), *(row[name] for name in _WANTED))
            for row in found
            if row
        ]

    def originals(self, url: str) -> list[Capture]:
        rows = self._store.query(
            """select * from captures where url = ? and source != 'live' and size > 0
               order by captured_at desc limit 20""",
            url,
        )
        return [self._evidence.capture(row) for row in rows]

    def rests_asked(self, limit: int) -> list[tuple[str, str, float]]:
        rows = self._store.query(
            """select captured_at, retry_after,
               coalesce(cast(json_extract(software, '$."archive-clock-ahead"') as real), 0.0) from captures
               join crawls using (crawl_id) where kind = 'crawl' and retry_after is not null
               and coalesce(channel, '') != 'page' and instr(url, ?) order by capture_id desc limit ?""",
            self._site.name,
            limit,
        )
        return [(row[0], row[1], row[2]) for row in rows]

    def drift(self, crawl: str, finish_reason: str) -> Drift:
        return judge_crawl(self._store, crawl, finish_reason, now())

    def last_asked(self, url: str) -> tuple[str, int] | None:
        sql = "select captured_at, status from captures where url = ? order by captured_at desc limit 1"
        row = self._store.one(sql, url)
        return (row[0], row[1]) if row else None

    def covered_days(self, edition: Edition, since: str, until: str) -> set[str]:
        sql = "select day from coverage_days where edition = ? and day between ? and ?"
        return {row[0] for row in self._store.query(sql, edition, since, until)}

    def lookup(self, urls: tuple[str, ...]) -> list[KnownPost | None]:
        return [self._look_up(url) for url in urls]

    def _look_up(self, url: str) -> KnownPost | None:
        address = self._site.parse(url)
        if address is None or address.kind not in (Kind.ARTICLE, Kind.SLUG):
            return None
        key = address.key
        row = self._store.articles.get(key) if key else self._store.articles.get_at(address.url)
        if row:
            return self._store.articles.describe(row)
        return KnownPost(self._site.article_url(key) if key and address.page > 1 else address.url, key)

    def lookup_pages(self, urls: tuple[str, ...]) -> list[KnownPost | None]:
        return [self._look_up_page(url) for url in urls]

    def _look_up_page(self, url: str) -> KnownPost | None:
        page = addresses_elsewhere.clean(url)
        if page is None or self._site.parse(page) is not None:
            return None
        if addresses_elsewhere.is_loopback(page) and not self._site.is_loopback:
            return None
        row = self._store.articles.get_at(page)
        return replace(self._store.articles.describe(row), url=page) if row else KnownPost(page, None)
