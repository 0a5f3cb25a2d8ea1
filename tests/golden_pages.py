"""Pages with what must be read from them, from `tests/golden/`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from archive.model import ArticleKey, Capture, Extract, Kind, Unextractable
from archive.sites.sohr.addresses import Site

GOLDEN = Path(__file__).parent / "golden"
SITE = Site()
CASES = sorted(folder.name for folder in GOLDEN.iterdir() if folder.is_dir())
WRITE = os.environ.get("SOHR_GOLDEN_WRITE") == "1"  # rewrites expected.json; never set in CI


def capture(
    body: bytes, url: str = "https://www.syriahr.com/en/350100/", status: int = 200, **headers: str
) -> Capture:
    """A capture as the crawler hands it over."""
    given = tuple((name.replace("_", "-"), value) for name, value in headers.items()) or (
        ("Content-Type", "text/html; charset=UTF-8"),
    )
    return Capture(url, status, given, body, "2026-01-02T00:00:00Z")


def read_golden(name: str) -> tuple[Capture, dict[str, Any], ArticleKey | None]:
    """A case: its page as a capture, what is expected, and the article that the address promises."""
    folder = GOLDEN / name
    expected = json.loads((folder / "expected.json").read_text())
    headers = tuple(expected["headers"].items())
    page = Capture(
        expected["url"],
        expected["status"],
        headers,
        (folder / "page.html").read_bytes(),
        "2026-01-02T00:00:00Z",
    )
    address = SITE.parse(page.url)
    key = (
        ArticleKey(address.edition, str(address.post_id))
        if address and address.kind is Kind.ARTICLE and address.edition
        else None
    )
    return page, expected, key


def as_json(got: Extract | Unextractable, wanted: dict[str, Any]) -> dict[str, Any]:
    """The result in the shape of expected.json, with the fields that the case states."""
    out = {name: wanted[name] for name in ("url", "status", "headers")}
    if isinstance(got, Unextractable):
        return out | {
            "reason": got.reason,
            "title": got.title if "title" in wanted and wanted["title"] is not None else None,
        }
    fields = {name: getattr(got, name) for name in wanted if name not in (*out, "lines", "reason")} | {
        "title": got.title,
        "layout": got.layout,
    }
    stated: dict[str, Any] = json.loads(json.dumps(fields))
    return out | stated | {"lines": [[line.kind.value, line.depth, line.text] for line in got.lines]}
