"""What a crawl gets: the outcomes of pages, of all and of each edition."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from archive.model import Edition
from archive.outcome import REFUSALS, UNREADABLE
from archive.reports.drift import Drift
from archive.thresholds import FEW, SHARE

_NO_FAILURE = frozenset(
    [
        "new",
        "changed",
        "unchanged",
        "protected",
        "empty",
        "listing",
        "sitemap",
        "missing",
        "soft404",
        "redirect",
        "not_modified",
        "moved",
        "withheld",
        "held",
        "pages",
        "errors",
        "requests",
    ]
)
REFUSED = REFUSALS | {"no_answer", "forbidden"}
FAILURES = REFUSED | UNREADABLE


@dataclass(slots=True)
class EditionResult:
    """What a crawl got of one edition."""

    listed: bool = False  # its newest posts were listed
    failure: str = ""  # why they were not
    is_unread: bool = False  # the listing came and could not be read
    refused: int = 0
    unreadable: int = 0
    pages: int = 0

    def count(self, word: str) -> None:
        """Count the outcome of a page of this edition."""
        self.pages += 1
        self.refused += word in REFUSED
        self.unreadable += word in UNREADABLE

    @property
    def is_healthy(self) -> bool:
        """Whether its newest posts were listed, if they were asked for, and few pages failed."""
        bad = self.refused + self.unreadable
        is_bad = bad and (bad == self.pages or (bad >= FEW.value and bad / self.pages > SHARE.value))
        return not self.failure and not is_bad


def list_counts(counts: Counter[str]) -> dict[str, int]:
    """The counts of a crawl as its row keeps them."""
    return {
        "requests": counts["requests"],
        "pages": counts["pages"],
        "new": counts["new"],
        "changed": counts["changed"],
        "unchanged": counts["unchanged"],
        "textless": counts["protected"] + counts["empty"],
        "gone": sum(counts[word] for word in ("missing", "soft404", "moved", "withheld")),
        "moved": counts["moved"],
        "failed": sum(number for word, number in counts.items() if word not in _NO_FAILURE),
        "errors": counts["errors"],
    }


def list_editions(editions: Mapping[Edition, EditionResult], drift: Drift) -> dict[str, dict[str, Any]]:
    """The results of the editions as the crawl's row keeps them."""
    return {
        edition: {
            "listed": result.listed,
            "refused": result.refused,
            "unreadable": result.unreadable,
            "healthy": result.is_healthy
            and not any(finding.edition in (None, edition) for finding in drift.findings)
            and edition not in drift.held,
        }
        for edition, result in editions.items()
    }


def name_editions(editions: Mapping[Edition, EditionResult], drift: Drift) -> str:
    """The editions that are not well, or all where no one is to blame; as the beginning of a sentence."""
    results = list_editions(editions, drift)
    names = [name for name, result in results.items() if not result["healthy"]] or list(results)
    return f"edition{'s' * (len(names) > 1)} {' and '.join(names)}: " if names else ""
