"""Whether what a crawl brought makes sense beside what the archive's own crawls brought before: for the
verdict (`crawler.extensions.guard`).

A theme that changes may still be read, and wrongly: half of each text, no dates, one text on every page. Each
number alone is weather; the thresholds below say from when on they are a verdict (docs/operating.md, Watching
it).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Protocol

from archive.clock import format_time, parse_time
from archive.model import EDITIONS, Edition
from archive.outcome import SAME_TEXT

SHARE = 0.2  # of the pages that were read, above what is usual: fewer are weather
FEW = 3  # below so many there is no share to speak of
TEXTS = 10  # new texts that make an average; crawls of the day before are added until there are so many
USUAL_TEXTS = 20  # that must have come before, for there to be something usual
USUAL_CRAWLS = 200  # well ended, the last ones: four days of half hours
SHORTER = 3  # times, by the median; posts of one day differ twofold
MOST_DATELESS = 0.5  # above what is usual; likewise for titles
HALF = 0.5  # of its former text: an article that lost more is counted
DO = "the layout may have changed, compare a page with its text, see docs/layouts.md"
LATEST = 5000  # texts and changes of a crawl that are counted, the last ones: a first crawl has 200,000

RHYTHM = timedelta(days=60)  # before the newest post
RHYTHM_POSTS = 20  # in that time, or no rhythm is known
SILENCE_TIMES = 3  # the longest silence of that time
SILENCE = timedelta(days=2)  # at least: a holiday


class Rows(Protocol):
    """Where the numbers are: `archive.store.rows.Store`."""

    def query(self, sql: str, *values: object) -> list[Any]:
        """Rows of a question."""


@dataclass(frozen=True, slots=True)
class Drift:
    """What a crawl's answers add up to. ``counters`` are kept with the crawl, for later ones to compare
    with."""

    counters: dict[str, int] = field(default_factory=dict)
    usual_unread: float = 0.0  # share of pages that no layout read, in the crawls before
    sentences: tuple[str, ...] = ()  # what makes no sense, and what to do


def drift(rows: Rows, crawl: str, now: str) -> Drift:
    """Judge a crawl that is about to end. Reads the database only."""
    [(crawl_id, started_at)] = rows.query("select crawl_id, started_at from crawls where name = ?", crawl)
    numbers = _numbers(rows, crawl_id)
    before = [
        (row["started_at"], row["exit_status"], json.loads(row["counters"]))
        for row in rows.query(
            """select started_at, exit_status, counters from crawls where kind = 'crawl' and finished_at is not null and crawl_id < ?
               order by crawl_id desc limit ?""",
            crawl_id,
            USUAL_CRAWLS,
        )
    ]
    day = format_time(parse_time(started_at) - timedelta(days=1))
    recent = [numbers]
    while before and before[0][0] >= day and sum(one.get("texts", 0) for one in recent) < TEXTS:
        recent.append(before.pop(0)[2])
    usual = [counters for _, status, counters in before if status in (0, 130)]
    sentences = [*_unlike(recent, usual), *_alike(numbers)]
    sentences += [
        sentence for edition in EDITIONS if (sentence := _silent(rows, crawl_id, edition, started_at, now))
    ]
    return Drift(numbers, _share(usual, "unread", "read"), tuple(sentences))


def _numbers(rows: Rows, crawl_id: int) -> dict[str, int]:
    """What is counted of a crawl: pages read and not read, the new texts, and what became of held ones."""
    outcomes = dict(
        map(
            tuple,
            rows.query(
                "select outcome, count(*) from captures where crawl_id = ? group by outcome", crawl_id
            ),
        )
    )
    texts = rows.query(
        """select length(v.text), v.published_at is null, v.title = '' from captures c join articles a on a.article_id = c.article_id
           join versions v on v.article_id = c.article_id and v.first_capture_id = c.capture_id
           where c.crawl_id = ? and a.edition is not null order by c.capture_id desc limit ?""",
        crawl_id,
        LATEST,
    )
    [changed] = rows.query(
        """select coalesce(sum(json_extract(details, '$.state[1]') = 'empty'), 0),
           coalesce(sum(c.kind = 'updated' and length(new.text) < length(old.text) * ?), 0),
           coalesce(sum(c.kind = 'metadata' and json_extract(details, '$.published_at[0]') is not null
           and json_extract(details, '$.published_at[1]') is null), 0)
           from (select * from changes order by seq desc limit ?) c join captures using (capture_id)
           left join versions new using (version_id) left join versions old on old.version_id = c.previous_version_id where crawl_id = ?""",
        HALF,
        LATEST,
        crawl_id,
    )
    sql = "select count(*) from failures where crawl_id = ? and reason = ?"
    [[alike]] = rows.query(sql, crawl_id, SAME_TEXT)
    return {
        "read": sum(outcomes.get(word, 0) for word in ("new", "changed", "unchanged", "empty")),
        "unread": sum(
            outcomes.get(word, 0) for word in ("layout", "not_html", "hostile", "mismatch", "quarantined")
        ),
        "texts": len(texts),
        "chars": int(median(row[0] for row in texts)) if texts else 0,
        "dateless": sum(row[1] for row in texts),
        "titleless": sum(row[2] for row in texts),
        "emptied": changed[0],
        "shrunk": changed[1],
        "undated": changed[2],
        "alike": alike,
    }


def _sum(counters: Sequence[dict[str, int]], name: str) -> int:
    return sum(int(one.get(name, 0)) for one in counters)


def _share(counters: Sequence[dict[str, int]], name: str, beside: str) -> float:
    """Of ``name`` in what was read at all; 0 where nothing was."""
    part, rest = _sum(counters, name), _sum(counters, beside)
    return part / (part + rest) if part else 0.0


def _unlike(recent: Sequence[dict[str, int]], usual: Sequence[dict[str, int]]) -> list[str]:
    """In what the last texts are unlike those before."""
    found = []
    read, before = _sum(recent, "read"), _sum(usual, "read")
    for name, words in (
        ("emptied", "have no text any more"),
        ("shrunk", "have lost more than half of their text"),
        ("undated", "state no date of publication any more"),
    ):
        number = _sum(recent[:1], name)
        if number >= FEW and number / max(1, _sum(recent[:1], "read")) > SHARE + _sum(usual, name) / max(
            1, before
        ):
            found.append(f"{number} of {read} articles {words}: {DO}")
    texts, texts_before = _sum(recent, "texts"), _sum(usual, "texts")
    if texts < TEXTS or texts_before < USUAL_TEXTS:
        return found
    for name, words in (("dateless", "date of publication"), ("titleless", "title")):
        share, share_before = _sum(recent, name) / texts, _sum(usual, name) / texts_before
        if share > share_before + MOST_DATELESS:
            found.append(
                f"{share:.0%} of {texts} new texts have no {words}, where {share_before:.0%} is usual: {DO}"
            )
    chars = sum(one.get("chars", 0) * one.get("texts", 0) for one in recent) / texts
    chars_before = sum(one.get("chars", 0) * one.get("texts", 0) for one in usual) / texts_before
    if chars * SHORTER < chars_before:
        found.append(f"new texts are {chars:.0f} characters long, where {chars_before:.0f} are usual: {DO}")
    return found


def _alike(numbers: dict[str, int]) -> list[str]:
    """One text on many pages: what was quarantined, and the first two, beside all new texts of the crawl."""
    alike = numbers["alike"]
    if not alike or alike / (alike + numbers["texts"]) <= SHARE:
        return []
    told = f"{alike} pages more read the same text as others before and are in quarantine"
    return [f"{told}: see 'sohr-archive layouts', which shows it, and docs/layouts.md"]


def _silent(rows: Rows, crawl_id: int, edition: Edition, started_at: str, now: str) -> str | None:
    """No post for far longer than ever, though the edition's newest listing was read."""
    listed = rows.query(
        "select 1 from listing_pages where crawl_id = ? and edition = ? and scope = 'home' and page = 1 limit 1",
        crawl_id,
        edition,
    )
    [[sighted]] = rows.query("select max(first_sighted_at) from articles where edition = ?", edition)
    if (
        not listed
        or sighted is None
        or sighted >= started_at
        or parse_time(now) - parse_time(sighted) < SILENCE
    ):
        return None
    times = rows.query(
        """select coalesce(published_at, day || 'T00:00:00Z') as said from articles a
           left join versions on version_id = newest_version_id where a.edition = ? and said <= ? order by said""",
        edition,
        now,  # a site may state a day to come
    )
    if not times:
        return None
    newest = parse_time(times[-1][0])
    posts = [at for row in times if (at := parse_time(row[0])) >= newest - RHYTHM]
    silence = parse_time(now) - max(newest, parse_time(sighted))
    if len(posts) < RHYTHM_POSTS:
        return None
    longest = max(later - earlier for earlier, later in pairwise(posts))
    if silence <= max(SILENCE, longest * SILENCE_TIMES):
        return None
    return (
        f"no new post of the edition {edition} for {silence / timedelta(days=1):.1f} days, where {longest / timedelta(days=1):.1f} was the longest "
        "silence: look at the site in a browser; if it has newer posts, its listings have changed, see docs/layouts.md"
    )
