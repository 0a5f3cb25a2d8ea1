"""Which software made the evidence: for the warcinfo records and the crawl's row."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from archive.clock import clock

PARTS = ("sohr-archive", "scrapy", "warcio", "selectolax", "trafilatura")


def software() -> dict[str, str]:
    """The fields of a warcinfo record (ISO 28500): ``software`` in one line, what they are part of, which
    format they follow.

    A test's clock is said too: ``archive-clock`` as it was stated, ``archive-clock-ahead`` in seconds ahead
    of the machine's.
    """
    names = []
    for part in PARTS:
        try:
            names.append(f"{part}/{version(part)}")
        except PackageNotFoundError:
            names.append(f"{part}/unknown")
    shifted = clock()
    stated = (
        {"archive-clock": shifted.stated, "archive-clock-ahead": f"{shifted.ahead:.3f}"}
        if shifted.stated
        else {}
    )
    return {
        "software": " ".join([*names, f"python/{platform.python_version()}"]),
        "isPartOf": "sohr-archive",
        "robots": "classic",
        "format": "WARC File Format 1.1",
    } | stated
