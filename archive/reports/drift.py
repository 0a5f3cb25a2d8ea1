"""Whether the answers of a crawl make sense beside those of earlier crawls: for its verdict.

A new theme may still be read, and wrongly: half of each text, no dates, one text on every page.
`archive.thresholds` has the numbers from which on that is the verdict.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from itertools import pairwise
from statistics import median
from typing import Any, Literal

from archive import thresholds
from archive.clock import format_time, parse_time
from archive.model import EDITIONS, Edition
from archive.outcome import SAME_TEXT
from archive.reports.gaps import Rows, unexplained_gaps
from archive.reports.troubles import Counts, count_held

Counters = dict[str, Any]
_DAY = timedelta(days=1)


Kind = Literal["emptied", "shrunk", "undated", "dateless", "titleless", "short", "same_text", "silent", "gap"]
_SENTENCES: dict[Kind, str] = {  # filled in with the fields of a `Finding`
    "emptied": "{number:.0f} of {of:.0f} articles have no text any more",
    "shrunk": "{number:.0f} of {of:.0f} articles have lost more than half of their text",
    "undated": "{number:.0f} of {of:.0f} articles state no date of publication any more",
    "dateless": "{number:.0%} of {of:.0f} new texts have no date of publication, where {usual:.0%} is usual",
    "titleless": "{number:.0%} of {of:.0f} new texts have no title, where {usual:.0%} is usual",
    "short": "{of:.0f} new texts have {number:.0f} characters on average, where {usual:.0f} are usual",
    "same_text": "{number:.0f} pages have the same text as others and are in quarantine",
    "silent": "no new post of the edition {edition} for {number:.1f} days; the longest silence: {usual:.1f}",
    "gap": "reading the listing of the edition {edition} stopped at {detail}; older posts may be unknown",
}
_LAYOUT = "the layout may have changed: compare a page with its text, see docs/layouts.md"
_ADVICE: dict[Kind, str] = {
    "gap": "run the crawl again later; if it stays, see 'sohr-archive audit --fix'",
    "same_text": "see 'sohr-archive layouts', which shows the text, and docs/layouts.md",
    "silent": "see the site in a browser: if it has newer posts, its listings changed (see docs/layouts.md)",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """Why a crawl is not healthy: ``number`` of ``of``, where ``usual`` is usual; of one ``edition`` or all.

    ``number`` is a count of articles, pages or gaps, a share (dateless, titleless), a length in characters
    (short) or a time in days (silent). ``detail`` has the days of gaps.
    """

    kind: Kind
    number: float
    of: float = 0
    usual: float = 0
    edition: Edition | None = None
    detail: str = ""

    @property
    def sentence(self) -> str:
        """What is wrong, and what to do."""
        return f"{_SENTENCES[self.kind].format(**asdict(self))}: {_ADVICE.get(self.kind, _LAYOUT)}"


@dataclass(frozen=True, slots=True)
class Drift:
    """What a crawl's answers add up to. ``counters`` are kept with the crawl, for later ones to compare."""

    counters: Counters = field(default_factory=dict)
    usual_unread: float = 0.0  # share of the pages that no layout read, in earlier crawls
    findings: tuple[Finding, ...] = ()
    shorter_files: tuple[str, ...] = ()  # WARC files that lack bytes they had, which no exit status told yet
    held: Counts = field(default_factory=dict)  # posts whose outcomes are held, of the editions of the crawl


def judge_crawl(rows: Rows, crawl: str, finish_reason: str, now: str) -> Drift:
    """Judge a crawl that is about to end, for a reason as Scrapy names it. Reads the database only."""
    sql = "select crawl_id, started_at, arguments from crawls where name = ?"
    [(crawl_id, started_at, arguments)] = rows.query(sql, crawl)
    numbers = _count_crawl(rows, crawl_id)
    earlier = [
        (row["started_at"], row["exit_status"], json.loads(row["counters"]))
        for row in rows.query(
            """select started_at, exit_status, counters from crawls
               where kind = 'crawl' and finished_at is not null and crawl_id < ?
               order by crawl_id desc limit ?""",
            crawl_id,
            thresholds.USUAL_CRAWLS.value,
        )
    ]
    day_before = format_time(parse_time(started_at) - _DAY)
    recent = [numbers]
    while earlier and earlier[0][0] >= day_before and _sum(recent, "texts") < thresholds.TEXTS.value:
        recent.append(earlier.pop(0)[2])
    usual = [counters for _, status, counters in earlier if status in (0, 130)]
    findings = [*_changed_articles(recent, usual), *_new_texts(recent, usual), *_same_text(numbers)]
    silent = (_silence(rows, crawl_id, edition, started_at, now) for edition in EDITIONS)
    findings += [finding for finding in silent if finding]
    for edition, days in unexplained_gaps(rows, crawl_id, finish_reason).items():
        findings.append(Finding("gap", len(days), edition=edition, detail=", ".join(days)))
    asked = json.loads(arguments).get("editions", ())
    held = {edition: kinds for edition, kinds in count_held(rows).items() if edition in asked}
    shorter = rows.query("select value from about where key = 'shorter_files'")
    files = (name for [text] in shorter for name, by in json.loads(text).items() if by == crawl)
    return Drift(numbers, _share(usual, "unread", "read"), tuple(findings), tuple(files), held)


def _count_crawl(rows: Rows, crawl_id: int) -> Counters:
    """Count a crawl's pages read and not read, its new texts, and the articles that lost something."""
    sql = "select outcome, count(*) from captures where crawl_id = ? group by outcome"
    outcomes = dict(rows.query(sql, crawl_id))
    texts = rows.query(
        """select length(v.text), v.published_at is null, v.title = ''
           from captures c join articles a on a.article_id = c.article_id
           join versions v on v.article_id = c.article_id and v.first_capture_id = c.capture_id
           where c.crawl_id = ? and a.edition is not null order by c.capture_id desc limit ?""",
        crawl_id,
        thresholds.COUNTED.value,
    )
    [(emptied, shrunk, undated)] = rows.query(
        """select coalesce(sum(json_extract(details, '$.state[1]') = 'empty'), 0),
           coalesce(sum(c.kind = 'updated' and length(new.text) < length(old.text) * ?), 0),
           coalesce(sum(c.kind = 'metadata' and json_extract(details, '$.published_at[0]') is not null
           and json_extract(details, '$.published_at[1]') is null), 0)
           from (select * from changes order by seq desc limit ?) c join captures using (capture_id)
           left join versions new using (version_id)
           left join versions old on old.version_id = c.previous_version_id where crawl_id = ?""",
        thresholds.LOST.value,
        thresholds.COUNTED.value,
        crawl_id,
    )
    sql = "select count(*) from failures where crawl_id = ? and reason = ?"
    [[same_text]] = rows.query(sql, crawl_id, SAME_TEXT)
    read, unread = (
        sum(outcomes.get(word, 0) for word in words)
        for words in (
            ("new", "changed", "unchanged", "empty"),
            ("layout", "not_html", "hostile", "mismatch", "quarantined"),
        )
    )
    return {
        "read": read,
        "unread": unread,
        "texts": len(texts),
        "chars": int(median(row[0] for row in texts)) if texts else 0,
        "dateless": sum(row[1] for row in texts),
        "titleless": sum(row[2] for row in texts),
        "emptied": emptied,
        "shrunk": shrunk,
        "undated": undated,
        "alike": same_text,
    }


def _sum(crawls: Sequence[Counters], name: str) -> int:
    return sum(int(one.get(name, 0)) for one in crawls)


def _share(crawls: Sequence[Counters], name: str, rest: str) -> float:
    """The share of ``name`` in ``name`` and ``rest``; 0 if there is none."""
    part = _sum(crawls, name)
    return part / (part + _sum(crawls, rest)) if part else 0.0


def _changed_articles(recent: Sequence[Counters], usual: Sequence[Counters]) -> Iterable[Finding]:
    """Articles that lost their text, half of it, or their date: more than usual."""
    read, usually_read = _sum(recent[:1], "read"), max(1, _sum(usual, "read"))
    kinds: tuple[Kind, ...] = ("emptied", "shrunk", "undated")
    for kind in kinds:
        number, usual_share = _sum(recent[:1], kind), _sum(usual, kind) / usually_read
        if number >= thresholds.FEW.value and number / max(1, read) > thresholds.SHARE.value + usual_share:
            yield Finding(kind, number, read, usual_share)


def _new_texts(recent: Sequence[Counters], usual: Sequence[Counters]) -> Iterable[Finding]:
    """New texts without a date or title, or short: more than usual."""
    texts, usual_texts = _sum(recent, "texts"), _sum(usual, "texts")
    if texts < thresholds.TEXTS.value or usual_texts < thresholds.USUAL_TEXTS.value:
        return
    kinds: tuple[Kind, ...] = ("dateless", "titleless")
    for kind in kinds:
        share, usual_share = _sum(recent, kind) / texts, _sum(usual, kind) / usual_texts
        if share > usual_share + thresholds.WITHOUT.value:
            yield Finding(kind, share, texts, usual_share)
    length, usual_length = (
        sum(one.get("chars", 0) * one.get("texts", 0) for one in crawls) / number
        for crawls, number in ((recent, texts), (usual, usual_texts))
    )
    if length * thresholds.SHORTER.value < usual_length:
        yield Finding("short", length, texts, usual_length)


def _same_text(numbers: Counters) -> Iterable[Finding]:
    """One text on many pages."""
    number, texts = numbers["alike"], numbers["texts"]
    if number and number / (number + texts) > thresholds.SHARE.value:
        yield Finding("same_text", number, number + texts)


def _silence(rows: Rows, crawl_id: int, edition: Edition, started_at: str, now: str) -> Finding | None:
    """No post for far longer than ever, although the edition's newest listing was read."""
    sql = """select 1 from listing_pages
             where crawl_id = ? and edition = ? and scope = 'home' and page = 1 limit 1"""
    [[sighted]] = rows.query("select max(first_sighted_at) from articles where edition = ?", edition)
    if not rows.query(sql, crawl_id, edition) or sighted is None or sighted >= started_at:
        return None
    least = _DAY * thresholds.SILENCE_DAYS.value
    if parse_time(now) - parse_time(sighted) < least:
        return None
    times = rows.query(
        """select coalesce(published_at, day || 'T00:00:00Z') as stated_at from articles a
           left join versions on version_id = newest_version_id
           where a.edition = ? and stated_at <= ? order by stated_at""",
        edition,
        now,  # a site may state a day to come
    )
    newest = parse_time(times[-1][0]) if times else parse_time(sighted)
    posts = [
        at for row in times if (at := parse_time(row[0])) >= newest - _DAY * thresholds.RHYTHM_DAYS.value
    ]
    if len(posts) < thresholds.RHYTHM_POSTS.value:
        return None
    silence = parse_time(now) - max(newest, parse_time(sighted))
    longest = max(later - earlier for earlier, later in pairwise(posts))
    if silence <= max(least, longest * thresholds.SILENCE_TIMES.value):
        return None
    return Finding("silent", silence / _DAY, usual=longest / _DAY, edition=edition)
