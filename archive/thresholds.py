"""The numbers that decide a crawl's verdict, each with its unit and the reason for it.

docs/operating.md shows this table; a test compares them.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

N = TypeVar("N", int, float)


class Threshold(NamedTuple, Generic[N]):
    """One number of the table."""

    name: str
    value: N
    unit: str
    reason: str


THRESHOLDS: tuple[Threshold[int] | Threshold[float], ...] = (
    FEW := Threshold("few", 3, "bad pages or articles",
        "one or two are chance; one is enough if no page at all was good"),
    SHARE := Threshold("share", 0.2, "of the pages asked for or read", "a theme or a block spoils more"),
    HOST_LAST := Threshold("host_last", 10, "requests to a host", "enough to see that listings alone answer"),
    HOST_FAILED := Threshold("host_failed", 5, "of them",
        "the host is down or refuses; a post that breaks its theme is one"),
    CLOCK_SECONDS := Threshold("clock_seconds", 3600, "seconds between the site's clock and ours",
        "servers keep time within seconds"),
    USUAL_CRAWLS := Threshold("usual_crawls", 200, "healthy crawls", "four days of a crawl every half hour"),
    USUAL_TEXTS := Threshold("usual_texts", 20, "texts of them", "fewer do not show what is usual"),
    TEXTS := Threshold("texts", 10, "new texts",
        "fewer have no average; crawls of the day before are added up to it"),
    LOST := Threshold("lost", 0.5, "of an article's text", "edits rarely remove so much of an article"),
    WITHOUT := Threshold("without", 0.5, "of new texts, above the usual share",
        "without a date or a title; some posts have none"),
    SHORTER := Threshold("shorter", 3, "times shorter than usual", "posts of one day differ twofold"),
    RHYTHM_DAYS := Threshold("rhythm_days", 60, "days before the newest post",
        "the rhythm changes in a year"),
    RHYTHM_POSTS := Threshold("rhythm_posts", 20, "posts in that time", "fewer have no rhythm"),
    SILENCE_TIMES := Threshold("silence_times", 3, "longest silences of that time",
        "longer than any holiday"),
    SILENCE_DAYS := Threshold("silence_days", 2, "days at least", "a holiday"),
    SAME_TEXT_WINDOW := Threshold("same_text_window", 12, "last new texts", "the new posts of a morning"),
    SAME_TEXT_ARTICLES := Threshold("same_text_articles", 3, "articles with one text",
        "two are a post that was published twice"),
    SAME_TEXT_LENGTH := Threshold("same_text_length", 200, "characters",
        "agencies repeat shorter texts; those must fill half of the window"),
    BULK_FEW := Threshold("bulk_few", 5, "looks of a day with one kind of outcome",
        "a person who deletes four posts is no outage"),
    BULK_SHARE := Threshold("bulk_share", 0.5, "of the looks of that day",
        "edits and deletions are a tenth of the looks of a day"),
    BULK_CRAWL := Threshold("bulk_crawl", 0.9, "of the looks of one crawl, or in a row, posts gone",
        "a site that breaks at noon answered well all morning"),
    PROOF_CRAWLS := Threshold("proof_crawls", 3, "crawls that found the same",
        "a held outcome is then written, if others answer"),
    PROOF_DAYS := Threshold("proof_days", 7, "days between them, at least", "longer than a broken week"),
    CONTROL_NEWEST := Threshold("control_newest", 5, "newest posts that must answer",
        "a site that publishes is up"),
    CONTROL_OTHERS := Threshold("control_others", 10, "other posts that must answer",
        "old posts are served too"),
    SHARED_BY := Threshold("shared_by", 3, "posts with the same new line or text",
        "two may be two parts of one story"),
    COUNTED := Threshold("counted", 5000, "last texts and changes",
        "a first crawl has 200,000, which take long"),
)  # fmt: skip


def threshold_table() -> str:
    """The table in Markdown, as docs/operating.md shows it."""
    rows = (f"| `{one.name}` | {one.value:,} | {one.unit} | {one.reason} |" for one in THRESHOLDS)
    return "\n".join(("| threshold | value | unit | reason |", "|---|---|---|---|", *rows))
