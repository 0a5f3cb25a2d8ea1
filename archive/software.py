"""Which software made the evidence: for the warcinfo records and the crawl's row."""

from __future__ import annotations

import os
from functools import cache

from archive.clock import clock

OPERATOR, HOSTNAME = "ARCHIVE_OPERATOR", "ARCHIVE_HOSTNAME"  # environment
PARTS = ("sohr-archive", "scrapy", "warcio", "selectolax", "trafilatura")


def software() -> dict[str, str]:
    """The fields of a warcinfo record (ISO 28500): ``software`` in one line, what they are part of, which
    format they follow.

    ``operator`` (a person or an organisation) and ``hostname`` are what `OPERATOR` and `HOSTNAME` say, and
    left out where those say nothing. A test's clock is said too: ``archive-clock`` as it was stated,
    ``archive-clock-ahead`` in seconds ahead of the machine's.
    """
    import platform  # on first use, as in `_named`

    given = {"operator": os.environ.get(OPERATOR, ""), "hostname": os.environ.get(HOSTNAME, "")}
    shifted = clock()
    stated = (
        {"archive-clock": shifted.stated, "archive-clock-ahead": f"{shifted.ahead:.3f}"}
        if shifted.stated
        else {}
    )
    return {
        "software": " ".join([*map(_named, PARTS), f"python/{platform.python_version()}"]),
        "isPartOf": "sohr-archive",
        "robots": "classic",
        "format": "WARC File Format 1.1",
        "conformsTo": "http://iipc.github.io/warc-specifications/specifications/warc-format/warc-1.1/",
        **{name: value for name, value in given.items() if value},
    } | stated


@cache  # it reads a file
def _named(part: str) -> str:
    # On first use: it loads what reads mails, CSV and archives, a tenth of the archive process's start
    from importlib.metadata import PackageNotFoundError, version

    try:
        return f"{part}/{version(part)}"
    except PackageNotFoundError:
        return f"{part}/unknown"
