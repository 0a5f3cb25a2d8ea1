"""One extractor over many pages, timed page by page beside trafilatura's default; run in an environment of
its own, so standard library only.

``worker.py NAME PAGES OUT``: PAGES is JSON, ``[{"name", "url", "path", "golden"}]``; OUT becomes ``{"texts",
"seconds", "base"}``, one entry a page.
"""

from __future__ import annotations

import importlib
import json
import logging
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

Read = Callable[[bytes, str], str]


def ours() -> Read:
    """This project's: the layouts for pages of the site, the general reader for all others."""
    from archive.extract.other_sites import extract_general
    from archive.extract.page import extract
    from archive.model import Capture, Extract
    from archive.sites.sohr.addresses import Site

    site = Site()

    def read(html: bytes, url: str) -> str:
        capture = Capture(url, 200, (("Content-Type", "text/html"),), html, "2026-01-02T00:00:00Z")
        # Heavy ones count too
        found = (
            extract(capture, site, apart=True)
            if site.parse(url)
            else extract_general(capture, site, apart=True)
        )
        return found.text if isinstance(found, Extract) else ""

    return read


def trafilatura(**options: Any) -> Read:
    """trafilatura with its own defaults but comments, and these options."""
    module = importlib.import_module("trafilatura")
    return lambda html, url: (
        module.extract(html.decode("utf-8", "replace"), include_comments=False, **options) or ""
    )


def readability() -> Read:
    """readability-lxml, its summary as text."""
    document = importlib.import_module("readability").Document
    parse = importlib.import_module("lxml.html").fromstring
    return lambda html, url: "\n".join(parse(document(html.decode("utf-8", "replace")).summary()).itertext())


def newspaper() -> Read:
    """newspaper4k."""
    module = importlib.import_module("newspaper")

    def read(html: bytes, url: str) -> str:
        article = module.Article(url, fetch_images=False)
        article.download(input_html=html.decode("utf-8", "replace"))
        article.parse()
        return str(article.text)

    return read


def resiliparse() -> Read:
    """resiliparse, main content only."""
    module = importlib.import_module("resiliparse.extract.html2text")
    return lambda html, url: str(
        module.extract_plain_text(html.decode("utf-8", "replace"), main_content=True)
    )


def newsplease() -> Read:
    """news-please."""
    module = importlib.import_module("newsplease")
    return lambda html, url: str(
        module.NewsPlease.from_html(html.decode("utf-8", "replace"), url=url, fetch_images=False).maintext
        or ""
    )


READERS: dict[str, Callable[[], Read]] = {
    "ours": ours,
    "trafilatura": trafilatura,
    "trafilatura-fast": lambda: trafilatura(fast=True),
    "trafilatura-precision": lambda: trafilatura(favor_precision=True),
    "readability-lxml": readability,
    "newspaper4k": newspaper,
    "resiliparse": resiliparse,
    "news-please": newsplease,
}


def main() -> None:
    """Read each page with both, one behind the other, so that a busy machine slows both alike."""
    logging.disable(logging.CRITICAL)
    name, pages, out = sys.argv[1:]
    read, base = READERS[name](), trafilatura()
    told: dict[str, list[Any]] = {"texts": [], "seconds": [], "base": []}
    entries = json.loads(Path(pages).read_text())
    for warm in entries[:2]:
        timed(read, warm)
        timed(base, warm)
    for entry in entries:
        told["base"].append(timed(base, entry)[1])
        text, seconds = timed(read, entry)
        told["texts"].append(text)
        told["seconds"].append(seconds)
    Path(out).write_text(json.dumps(told))


def timed(read: Read, entry: dict[str, str]) -> tuple[str, float]:
    """Text, "" where the extractor fails, and seconds of CPU."""
    html = Path(entry["path"]).read_bytes()
    start = time.process_time()
    try:
        text = read(html, entry["url"])
    except Exception:  # noqa: BLE001  # of whatever tool: a page it cannot read is a page without text
        text = ""
    return text, time.process_time() - start


if __name__ == "__main__":
    main()
