"""Which software made the evidence: for the warcinfo records and the crawl's row."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

PARTS = ("sohr-archive", "scrapy", "warcio", "selectolax", "trafilatura", "sqlite-utils")


def software() -> dict[str, str]:
    """The fields of a warcinfo record (ISO 28500): ``software`` in one line, what they are part of, which format they follow."""
    names = []
    for part in PARTS:
        try:
            names.append(f"{part}/{version(part)}")
        except PackageNotFoundError:
            names.append(f"{part}/unknown")
    return {
        "software": " ".join([*names, f"python/{platform.python_version()}"]),
        "isPartOf": "sohr-archive",
        "robots": "classic",
        "format": "WARC File Format 1.1",
    }
