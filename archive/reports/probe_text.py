"""The report of a probe as text."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from urllib.parse import unquote

from archive.errors import OK, UNAVAILABLE, UNREADABLE
from archive.model import EDITIONS
from archive.outcome import REFUSALS
from archive.reports.probe import (
    CACHES,
    NOT_ASKED,
    NUMBER,
    OPEN,
    VALIDATORS,
    Answer,
    Probe,
    reason_of,
    reasons_of,
)
from archive.reports.terminal import columns, cut, duration, name_of, number_of

DAILY = 8000  # requests a day by default
PACE = 2  # seconds between two requests
CLOCKS_AGREE = 5  # seconds
_NEXT = {
    OK: "a crawl works: scrapy crawl sohr -a site={site}",
    UNREADABLE: "its posts or listings cannot be read yet: send report.json to the maintainers",
    UNAVAILABLE: "no crawl is possible now. Wait, say who you are, or ask the site: docs/when-refused.md",
}
NO_SITE = "check the address and the network, or look at the site in a browser, then try again"
_ROWS = (  # what stands in a row, its channel, and how its address ends
    ("newest posts", "home", r"^(?!.*/page/)"),
    ("older posts", "home", r"/page/"),
    ("posts of 2015", "date", "/2015/"),
    ("posts of 2021", "date", "/2021/"),
    ("this year's posts", "date", r"/date/(?!2015|2021)"),
    ("feed", "feed", ""),
    ("REST (wp-json)", "rest", ""),
    ("sitemap", "sitemap", ""),
)


def probe_lines(probe: Probe) -> Iterator[str]:
    """The report as text."""
    yield f"{probe.site}, probed at {probe.at} with {number_of(len(probe.answers), 'answer')}"
    yield ""
    yield f"VERDICT  {probe.verdict}"
    advice = _NEXT[probe.exit_status].format(site=probe.site) if probe.answers else NO_SITE
    yield f"         {advice} (the probe ends with {probe.exit_status})"
    if not probe.answers:
        return
    table = [[row[0], *_cells(probe, *row[1:])] for row in _ROWS]
    shut = [all(cell.startswith("no:") for cell in cells) for _, *cells in table]
    if closed := [row[0] for row, is_shut in zip(_ROWS, shut, strict=True) if is_shut and row[1] != "date"]:
        yield f"         open in neither edition: {', '.join(closed)}"
    yield ""
    yield columns([["Manners", ""], *([f"  {name}", text] for name, text in _manners(probe))])
    yield ""
    yield columns(
        [["What shows posts", *map(name_of, EDITIONS)], *([f"  {name}", *cells] for name, *cells in table)]
    )
    yield ""
    yield _posts(probe)
    yield ""
    yield "First crawl"
    yield from _cost(probe)
    yield ""
    yield "Answers, in order"
    for one in probe.answers:
        yield f"  {one.status} {one.outcome:<14} {one.bytes:>9,} B  {cut(unquote(one.url), 90)}"
    for url, reason in probe.unanswered:
        yield f"  no answer from {url}: {reason}"


def _manners(probe: Probe) -> Iterator[tuple[str, str]]:
    delay = f"asks for {probe.crawl_delay:g} s between requests" if probe.crawl_delay else "asks for no pause"
    names = f"names the sitemap {', '.join(probe.sitemaps)}" if probe.sitemaps else "names no sitemap"
    yield "robots.txt", f"{probe.robots}; {delay}; {names}"
    same = probe.served_at.rstrip("/") in probe.site
    yield "address", "as asked, no redirect" if same else f"REDIRECTS to {probe.served_at}"
    refused = Counter(reason_of(one) for one in probe.answers if one.outcome in REFUSALS)
    yield "refusals", "; ".join(f"{number} times: {why}" for why, number in refused.items()) or "none"
    seen = dict.fromkeys(
        f"{name}: {value[:40]}"
        for one in probe.answers
        for name in CACHES
        if (value := one.headers.get(name))
    )
    yield "server, caches", "; ".join(list(seen)[:6]) or "no cache seen"
    if probe.clock_seconds is not None:
        yield "clock", f"the site's {_clock_words(probe.clock_seconds)}"
    yield from _validators(probe, "articles state", "article")
    yield from _validators(probe, "feeds state", "feed")


def _validators(probe: Probe, label: str, channel: str) -> Iterator[tuple[str, str]]:
    some = [one for one in probe.answers if one.channel == channel and one.status == 200]
    stated = ", ".join(name for name in VALIDATORS if any(name in one.headers for one in some))
    if some:
        yield label, stated or "no ETag, no Last-Modified: each look costs the whole page"


def _clock_words(seconds: float) -> str:
    if abs(seconds) < CLOCKS_AGREE:
        return "agrees with this machine's"
    return f"is {duration(round(abs(seconds)))} {'ahead of' if seconds > 0 else 'behind'} this machine's"


def _cells(probe: Probe, channel: str, pattern: str) -> Iterator[str]:
    for edition in EDITIONS:
        own = [
            one
            for one in probe.answers
            if (one.edition, one.channel) == (edition, channel) and re.search(pattern, unquote(one.url))
        ]
        is_open = [one for one in own if one.outcome in OPEN]
        tried = [one for one in own if one.outcome != "redirect"]
        yield _cell(is_open[-1]) if is_open else f"no: {reason_of(tried[-1])}" if tried else NOT_ASKED


def _cell(answer: Answer) -> str:
    total = answer.headers.get(NUMBER)
    parts = [
        number_of(answer.posts, "post") if answer.posts is not None and not answer.sitemaps else "",
        f"names {number_of(answer.sitemaps, 'sitemap')}" if answer.sitemaps else "",
        f"counts {int(total):,} in this edition" if total and total.isdigit() else "",
        "dates edits" if answer.dates else "",
        answer.url.rpartition("/")[2] if answer.channel == "sitemap" else "",
    ]
    return "yes: " + ", ".join(part for part in parts if part)


def _posts(probe: Probe) -> str:
    """For each edition and era: how many posts were read, by which layout, and what they state."""
    articles = [one for one in probe.answers if one.channel == "article" and one.outcome != "redirect"]
    groups: dict[tuple[str, str], list[Answer]] = {}
    for one in articles:
        groups.setdefault((one.edition or "", _era(one)), []).append(one)
    head = [
        "Posts",
        "era",
        "read",
        "by layout",
        "cross-check",
        "pages with date",
        "with edit date",
        "not read",
    ]
    rows = [_posts_row(*group, groups[group]) for group in sorted(groups, reverse=True)]
    return columns([head, *rows]) if rows else "Posts\n  none was asked for"


def _posts_row(edition: str, era: str, own: Sequence[Answer]) -> list[str]:
    read = [one for one in own if one.is_read]
    of, doubtful = f" of {len(read)}", sum(one.disagreement is not None for one in read)
    return [
        f"  {name_of(edition)}",
        era,
        f"{len(read)} of {len(own)}",
        ", ".join(dict.fromkeys(one.layout or "" for one in read)) or "-",
        f"another text on {doubtful}{of}" if doubtful else "agrees" if read else "-",
        f"{sum(bool(one.published_at) for one in read)}{of}",
        f"{sum(bool(one.modified_at) for one in read)}{of}",
        reasons_of(one for one in own if one not in read) or "-",
    ]


def _era(answer: Answer) -> str:
    year = re.search(r"/date/(\d{4})", answer.found_in or "")
    return year[1] if year else "newest"


def _cost(probe: Probe) -> Iterator[str]:
    for one in probe.editions:
        count = f"about {number_of(one.posts, 'post')}, by {one.counted_by}" if one.posts else "not known"
        yield f"  {name_of(one.edition)}: {count}"
    if probe.exit_status == UNAVAILABLE:
        return
    if probe.requests is None:
        yield "  the cost is not known: no answer counts all posts. A crawl finds them by lists and"
        yield f"  days, at most {DAILY:,} requests a day; sohr-archive status shows how far it is"
        return
    days = -(-probe.requests // DAILY)
    limit = f"; {days:,} days at {DAILY:,} a day, unless -a budget=0 lifts that limit" if days > 1 else ""
    took = duration(PACE * probe.requests)
    yield f"  about {probe.requests:,} requests for posts, lists and days, {PACE} s each: {took}{limit}"
