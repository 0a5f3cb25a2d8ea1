"""trafilatura downloading in threads and extracting, as its documentation shows. ``trafilatura_crawl.py URL
FOLDER PAGES THREADS``.

Its own way from link to link (`focused_crawler`) passes by addresses without a domain name, as loopback's
are; so the listings are read by pattern here, which costs less than its own reading would.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from trafilatura import bare_extraction
from trafilatura.downloads import buffered_downloads, fetch_url
from trafilatura.settings import DEFAULT_CONFIG


def main() -> None:
    """Take listings until there are links enough, then the pages; no delays. Each text becomes a file."""
    start, folder, most, threads = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    # Its own setting: the site of the bench is on loopback
    DEFAULT_CONFIG["DEFAULT"]["SSRF_PROTECTION"] = "off"
    wanted: dict[str, None] = {}
    page = 0
    while len(wanted) < most:
        page += 1
        html = fetch_url(start if page == 1 else f"{start}page/{page}/")
        if not html:
            sys.exit(f"page {page} of the listing did not come")
        wanted |= dict.fromkeys(re.findall(re.escape(start) + r"[0-9]+/", html))
    done = page
    for url, html in buffered_downloads(list(wanted)[:most], threads):
        found = bare_extraction(html, url=url, with_metadata=True) if html else None
        if found:
            (folder / f"{url.rstrip('/').rpartition('/')[2]}.txt").write_text(f"{found.title}\n{found.text}")
            done += 1
    (folder / "pages").write_text(str(done))


if __name__ == "__main__":
    main()
