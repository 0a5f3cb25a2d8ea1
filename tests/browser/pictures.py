"""`make pictures`: screenshots of the demo archive's pages. Without arguments, those that the README shows,
in docs/pictures/.

``--look FOLDER`` takes every kind of page, on a desk and on a phone, by day and by night, for somebody to
look at.
"""

from __future__ import annotations

import argparse
import shutil
import sqlite3
import tempfile
from contextlib import closing
from itertools import product
from pathlib import Path
from typing import Any

from tests.serving import serve

ROOT = Path(__file__).parents[2]
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
MOST = 150_000  # bytes of a picture in the repository
WIDTHS = {"desk": 1280, "phone": 390}
_EDITED = """select a.edition || '/' || a.post_id from changes c join articles a using (article_id)
    where c.kind = 'updated' and c.severity = 3 and a.edition = ? order by c.stealth desc, c.seq limit 1"""
_CAPTURE = """select 'capture/' || f.serial || '/' || c.offset from captures c join warc_files f using
              (warc_file_id)
    join articles a using (article_id) where a.edition || '/' || a.post_id = ? limit 1"""


def pages(database: Path) -> dict[str, str]:
    """Addresses below ``/-/sohr/`` by name."""
    with closing(sqlite3.connect(database)) as conn:
        english, arabic = (conn.execute(_EDITED, (edition,)).fetchone() for edition in ("en", "ar"))
        if english is None:
            raise SystemExit("There is no edit of a figure in demo-data/: make demo SERVE=0 makes it anew.")
        arabic = (
            arabic
            or conn.execute(
                "select edition || '/' || post_id from articles where edition = 'ar' and versions > 1"
            ).fetchone()
        )
        capture = conn.execute(_CAPTURE, english).fetchone()[0]
    named = {
        "article": english[0],
        "comparison": f"{english[0]}/diff/1/2",
        "comparison-inline": f"{english[0]}/diff/1/2?view=inline",
        "front": "",
        "search": "search?q=civilians",
        "search-arabic": "search?q=%D9%85%D8%AF%D9%86%D9%8A%D9%8A%D9%86&edition=ar",
        "arabic": arabic[0],
        "arabic-comparison": f"{arabic[0]}/diff/1/2",
        "changes": "changes",
        "missing": "missing",
        "coverage": "coverage",
        "crawls": "crawls",
        "capture": capture,
        "inert": f"{capture}/page",
    }
    return named | {f"{name}-in-arabic": f"ar/{address}" for name, address in named.items()}


def take(browser: Any, url: str, target: Path, *, width: int, scheme: str, height: int = 0) -> None:
    """One screenshot; whole, or of the first ``height`` pixels."""
    page = browser.new_page(
        viewport={"width": width, "height": height or 900}, color_scheme=scheme, device_scale_factor=1
    )
    page.goto(url)
    page.screenshot(path=str(target), full_page=not height)
    page.close()


def take_all(browser: Any, home: str, named: dict[str, str], folder: Path, only: str) -> None:
    """Every page, on a desk and on a phone, by day and by night; those whose name has ``only`` in it."""
    for (name, address), (device, width), scheme in product(named.items(), WIDTHS.items(), ("light", "dark")):
        if only in f"{name}-{device}-{scheme}":
            target = folder / f"{name}-{device}-{scheme}.png"
            take(browser, home + address, target, width=width, scheme=scheme)


def take_for_readme(browser: Any, home: str, named: dict[str, str], folder: Path) -> None:
    """Those that README shows. Raises SystemExit where one is too large for the repository."""
    for name in ("article", "comparison", "arabic-comparison-in-arabic"):
        target = folder / f"{name}.png"
        take(browser, home + named[name], target, width=1000, scheme="light", height=860)
        if (size := target.stat().st_size) > MOST:
            raise SystemExit(f"{target} has {size:,} bytes: {MOST:,} at most belong in the repository")


def main() -> None:
    """Take them."""
    from playwright.sync_api import sync_playwright

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--archive", type=Path, default=ROOT / "demo-data")
    parser.add_argument("--look", type=Path, help="every page, in a folder of your own")
    parser.add_argument("--only", default="", help="of those, the ones whose name has this in it")
    chosen = parser.parse_args()
    if not (chosen.archive / "archive.db").is_file():
        raise SystemExit("There is no demo archive yet: make demo SERVE=0")
    named = pages(chosen.archive / "archive.db")
    folder = chosen.look or ROOT / "docs" / "pictures"
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as beside,
        serve(Path(beside, "log"), "--archive", chosen.archive, "serve") as served,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"])
        home = f"{served.url}/-/sohr/"
        if chosen.look:
            take_all(browser, home, named, folder, chosen.only)
        else:
            take_for_readme(browser, home, named, folder)
        browser.close()


if __name__ == "__main__":
    main()
