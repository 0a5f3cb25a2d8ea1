"""The verdict on a crawl: a word, a sentence and an exit status (`archive.errors.EXIT_STATUSES`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import NamedTuple

from archive.errors import CANNOT_WRITE, INTERNAL, INTERRUPTED, OK, UNAVAILABLE, UNREADABLE
from archive.outcome import UNREADABLE as UNREADABLE_OUTCOMES
from archive.thresholds import FEW, SHARE
from crawler.extensions.guard import Guard
from crawler.extensions.results import FAILURES, REFUSED, name_editions

# Kinds of outcomes that the archive may hold: of posts that are not there, and of texts
GONE_KINDS, TEXT_KINDS = ("missing", "moved", "withheld"), ("textless", "updated")


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a crawl ended."""

    exit_status: int
    word: str  # healthy, interrupted, drifting, unavailable, broken, not written
    sentence: str


class _Share(NamedTuple):
    """How many of the requests had some outcomes."""

    number: int
    total: int
    words: tuple[str, ...]


def give_verdict(guard: Guard) -> Verdict:
    """The first that holds: archive not written, an error of ours, wrong clock, site unavailable, pages
    unreadable, an edition not listed, an archive that drifts, interrupted; else healthy."""
    if guard.failure is not None:
        return Verdict(guard.failure.status, "not written", str(guard.failure))
    if number := guard.counts["errors"] + guard.counts["broken"]:
        return Verdict(
            INTERNAL,
            "broken",
            f"{number} answers met an error of ours; the evidence is kept: please report it (see the log)",
        )
    if guard.drift.shorter_files:
        return Verdict(
            CANNOT_WRITE,
            "evidence is lacking",
            f"WARC files are shorter than they were: {', '.join(guard.drift.shorter_files)}; what came "
            "now is in a new file: restore them from a copy; if there is none, 'sohr-archive rebuild' "
            "indexes what is left",
        )
    if guard.stopped and guard.stopped[0] == "clock":
        return Verdict(CANNOT_WRITE, "wrong clock", guard.stopped[1])
    found = _judge_pages(guard)
    if found is None:
        return Verdict(OK, "healthy", guard.stopped[1] if guard.stopped else "")
    if found.exit_status == INTERRUPTED or found.sentence.startswith("edition"):
        return found
    return replace(found, sentence=name_editions(guard.editions, guard.drift) + found.sentence)


def _judge_pages(guard: Guard) -> Verdict | None:
    """The verdict on what the site answered; None if it answered well."""
    if guard.stopped and guard.stopped[0] == "unavailable":
        return Verdict(UNAVAILABLE, "unavailable", guard.stopped[1])
    if refused := _too_many(guard, REFUSED, 0.0):
        detail = guard.last_detail.get(refused.words[0])
        told = ", ".join(refused.words) + (f": {detail}" if detail else "")
        return Verdict(
            UNAVAILABLE,
            "unavailable",
            f"the site refused or did not answer {refused.number} of {refused.total} requests ({told}): "
            "see docs/when-refused.md",
        )
    if held := _held(guard, GONE_KINDS):
        return Verdict(UNAVAILABLE, "unavailable", held)
    if unlisted := _unlisted(guard, is_unread=False):
        return Verdict(
            UNAVAILABLE,
            "unavailable",
            f"the newest posts were not listed: {unlisted}; what else came is kept: see docs/when-refused.md",
        )
    if unread := _too_many(guard, UNREADABLE_OUTCOMES, guard.drift.usual_unread):
        why = "the site's layout may have changed, see docs/layouts.md"
        if unread.words == ("mismatch",):
            why = "they show another post than the one asked for, as a broken cache does; look in a browser"
        return Verdict(
            UNREADABLE,
            "drifting",
            f"{unread.number} of {unread.total} pages came and could not be read "
            f"({', '.join(unread.words)}); they are kept as evidence: {why}",
        )
    if unlisted := _unlisted(guard, is_unread=True):
        return Verdict(
            UNREADABLE,
            "drifting",
            f"the newest listing could not be read: {unlisted}; it is kept as evidence: the site's "
            "layout may have changed, see docs/layouts.md",
        )
    held = _held(guard, TEXT_KINDS)
    if sentence := held or "; ".join(one.sentence for one in guard.drift.findings):
        return Verdict(UNREADABLE, "drifting", sentence)
    if guard.interrupted:
        return Verdict(
            INTERRUPTED,
            "interrupted",
            "stopped by Ctrl-C; all that came is kept, and the same command goes on from here",
        )
    return None


def _unlisted(guard: Guard, *, is_unread: bool) -> str:
    """Why the newest listing of an edition was refused, or came and could not be read; or empty."""
    found = (
        result.failure
        for result in guard.editions.values()
        if result.failure and result.is_unread is is_unread
    )
    return next(found, "")


def _held(guard: Guard, kinds: tuple[str, ...]) -> str:
    """That outcomes of these kinds are held, of this crawl or of one before it; empty if none are."""
    if not guard.is_of_one_site:
        return ""  # a crawl of other sites
    found: Counter[str] = Counter()
    for held in guard.drift.held.values():
        found.update({kind: number for kind, number in held.items() if kind in kinds})
    if not found:
        return ""
    told = " and ".join(f"{number} {kind}" for kind, number in found.items())
    return (
        f"what looks found is not believed yet ({told}): too many posts at once, or the same as of any "
        "address; nothing is said of them: look at the site in a browser, then see 'sohr-archive held'"
    )


def _too_many(guard: Guard, words: frozenset[str], usual: float) -> _Share | None:
    """How many requests had these outcomes, if they are too many of all, or of those for articles."""
    every = guard.counts["pages"]
    bad = sum(guard.counts[word] for word in FAILURES)
    for counts, total in ((guard.counts, every), (guard.articles, guard.articles.total())):
        number = sum(counts[word] for word in words)
        is_share = number >= FEW.value and number / max(1, total) > SHARE.value + usual
        if number and (is_share or bad == every):
            return _Share(number, total, tuple(sorted(word for word in words if counts[word])))
    return None
