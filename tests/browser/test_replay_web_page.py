"""An exported WACZ opens in ReplayWeb.page, in a real browser: the words of both versions of an article, read
in the replayed page; also from archives whose captures were imported or backfilled. A package of `cite` is verified
there; after one changed byte it is not, where ReplayWeb.page looks.

``SOHR_REPLAYWEBPAGE`` names a folder with ReplayWeb.page's ui.js and sw.js (npm pack replaywebpage). Nothing
may leave this machine.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import struct
import threading
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from archive.clock import now, parse_time
from archive.warc.files import warc_files
from archive.warc.reader import read
from tests import archiving
from tests.archiving import Archive, capture, well
from tests.browser.making import FIRST, HOME, SECOND, TOLL, make
from tests.browser.watching import CHROMIUM, FLAGS
from tests.replica.server import ROOT
from tests.test_backfill_story import tell

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright here: pip install playwright")

pytestmark = pytest.mark.replaywebpage

EMBED = """<!DOCTYPE html><html><head><script src="/ui.js"></script></head><body style="height:100vh">
<replay-web-page source="/evidence.wacz" url="{url}" ts="{ts}" replayBase="/replay/" embed="replayonly"></replay-web-page></body></html>"""
# What stands at replayBase: ReplayWeb.page shows the frame as soon as its service worker is registered, and a
# worker that is not yet active leaves the request to the site. With its hash check on it always does
WAITING = """<!DOCTYPE html><script src="../ui.js"></script>
<script>navigator.serviceWorker.controller || navigator.serviceWorker.ready.then(() => location.reload())</script>
<body><replay-app-main></replay-app-main>"""


async def embedding(request: Request) -> HTMLResponse:
    """A page of somebody who shows the archive on their own site."""
    return HTMLResponse(EMBED.format(url=request.query_params["url"], ts=request.query_params["ts"]))


def embedding_site(folder: Path) -> Path:
    """The files of ReplayWeb.page as the site of somebody has them."""
    tool = Path(os.environ["SOHR_REPLAYWEBPAGE"])
    (folder / "replay").mkdir(parents=True)
    shutil.copy(tool / "ui.js", folder)
    shutil.copy(tool / "sw.js", folder / "replay")
    (folder / "replay" / "index.html").write_text(WAITING)
    return folder


def imported(crawled: Path, folder: Path) -> Path:
    """Another archive, whose captures come from a WARC file of the first."""
    with Archive(folder, HOME):
        pass
    well(crawled, "export", "--format", "warc", "--versions", "all", "-o", folder / "foreign.warc.gz")
    well(folder, "import", folder / "foreign.warc.gz")
    return folder


def backfilled(crawled: Path, folder: Path) -> Path:
    """A third, whose captures come from the Wayback Machine, each with an exchange of today."""
    with Archive(folder, HOME) as archive:
        stored = [one.capture for file in warc_files(crawled / "warc") for one in read(file) if one.capture]
        for capture in (one for one in stored if one.status == 200 and one.body):
            digits = "".join(sign for sign in capture.captured_at if sign.isdigit())
            asked = f"http://127.0.0.1:10/web/{digits}id_/{capture.url}"
            at = now()
            dated = ("Memento-Datetime", format_datetime(parse_time(capture.captured_at), usegmt=True))
            exchange = replace(
                capture,
                url=asked,
                headers=(*capture.headers, dated),
                captured_at=at,
                recorded_at=at,
                channel="wayback_capture",
            )
            archive.take(exchange)
            archive.take(
                replace(capture, recorded_at=at, channel="wayback", source="wayback", service_url=asked)
            )
        assert archive.writer.store.one("select 1 from captures where truncated is not null and size = 0")
    return folder


@pytest.fixture(scope="module", params=["crawled", "imported", "backfilled"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site that embeds the exported WACZ, served from loopback with ranges, as any web server does."""
    folder = tmp_path_factory.mktemp("replaywebpage")
    archive = make(folder / "archive").parent
    if request.param == "imported":
        archive = imported(archive, folder / "other")
    if request.param == "backfilled":
        archive = backfilled(archive, folder / "other")
    site = embedding_site(folder / "site")
    well(archive, "export", "--format", "wacz", "--versions", "all", "-o", site / "evidence.wacz")
    with serving(site) as url:
        yield url


@contextmanager
def serving(site: Path) -> Iterator[str]:
    """A folder as a web site on loopback, and beside it pages that embed what it holds."""
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        files = Mount("/", StaticFiles(directory=site, html=True))
        app = Starlette(routes=[Route("/embed", embedding), files])
        server = uvicorn.Server(uvicorn.Config(app, log_level="warning"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        server.should_exit = True
        thread.join(20)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """The browser."""
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(FLAGS))
        yield browser
        browser.close()


def replay(page: Any, home: str, url: str, at: str) -> Any:
    """The replayed page inside the page that embeds it."""
    page.goto(f"{home}/embed?url={quote(url)}&ts={''.join(sign for sign in at if sign.isdigit())}")
    return page.frame_locator("replay-web-page iframe").frame_locator("iframe")


@pytest.mark.parametrize(("at", "dead"), [(FIRST, 3), (SECOND, 31)])
def test_both_versions_of_an_article_are_replayed(home: str, chromium: Any, at: str, dead: int) -> None:
    """At the time of each, what the site said then; and every request stays on this machine."""
    context = chromium.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    replayed = replay(page, home, f"{HOME}en/332481/", at)
    text = replayed.locator("div.entry-content").inner_text(timeout=60_000)
    assert TOLL.format(dead) in text and TOLL.format(34 - dead) not in text
    assert replayed.locator("h1").inner_text() == f"Blast in Al-Mayadin leaves {dead} dead"
    assert {urlsplit(url).hostname for url in asked if url.startswith("http")} == {"127.0.0.1"}
    context.close()


def test_the_years_of_a_backfill_are_listed_and_replayed(chromium: Any, tmp_path: Path) -> None:
    """The story of a backfill: each page is listed with the time of its capture, and the list leads to what
    the site said before and after the edit of 2016."""
    story, site = tell(tmp_path / "archive", 12, 60), embedding_site(tmp_path / "site")
    well(story.folder, "export", "--format", "wacz", "--versions", "all", "-o", site / "evidence.wacz")
    with zipfile.ZipFile(site / "evidence.wacz") as package:
        _, *lines = package.read("pages/pages.jsonl").splitlines()
    pages = [(one["url"], datetime.fromisoformat(one["ts"])) for one in map(json.loads, lines)]
    years = {at.year for _, at in pages}
    assert years >= set(range(2015, 2025)) and max(years) > 2025
    (site / "index.html").write_text(re.sub('url=.* ts="[^"]*"', "", EMBED).replace("replayonly", "default"))
    context = chromium.new_context(timezone_id="UTC", locale="en-GB")
    page = context.new_page()
    with serving(site) as home:
        for at, text in [one for one in story.told[story.edited] if one[0][:4] == "2016"]:
            page.goto("about:blank")
            page.goto(f"{home}/index.html")
            outer = page.frame_locator("replay-web-page iframe")
            entries = outer.locator("wr-page-entry")
            entries.nth(len(pages) - 1).wait_for(state="attached", timeout=60_000)
            listed = entries.evaluate_all("""every => every.map((one) =>
                ['p.has-text-dark', '.is-inline-date'].map((p) => one.shadowRoot.querySelector(p).textContent.trim()))""")
            assert sorted(map(tuple, listed)) == sorted(
                (url, f"{at:%d/%m/%Y, %H:%M:%S}") for url, at in pages
            )
            day = f"{datetime.fromisoformat(at):%d/%m/%Y}"
            entry = entries.filter(has_text=f"/en/{story.edited}/").filter(has_text=day)
            entry.locator("a").first.click()
            shown = outer.frame_locator("iframe").locator("body").inner_text(timeout=60_000)
            assert set(text.splitlines()) <= set(shown.splitlines()), at
            # Also beside the address: a button where the viewer knows of more captures, plain text where not
            outer.locator("#datetime button, #datetime:not(:has(button))").filter(has_text=day).wait_for()
    context.close()


# With its hash check on, which is off where a page does not ask for it: everything is loaded by the service worker
CHECKING = EMBED.replace(
    'embed="replayonly"', 'embed="replay-with-info" noWebWorker swName="sw.js?serveIndex=1&useHashCheck=1&"'
)
# What ReplayWeb.page keeps of the signature of the collection that is open
SIGNATURE = """async () => {
    const [{ name }] = (await indexedDB.databases()).filter((one) => one.name.startsWith('db:'));
    const done = (asked) => new Promise((take) => { asked.onsuccess = () => take(asked.result); });
    const store = (await done(indexedDB.open(name))).transaction('verification').objectStore('verification');
    return [await done(store.get('signature')), await done(store.get('publicKey'))];
}"""
WHOLE, LOST, BROKEN = "3 hashes verified", "Archived Page Not Found", "Unexpected Loading Error"


@dataclass(frozen=True)
class Change:
    """A byte of a package: the row of the table in the docs, where it lies, and what ReplayWeb.page says."""

    what: str
    file: str
    after: bytes  # the byte is the one after these, or with none of them in the middle
    says: str
    is_signed: bool = True


CHANGES = (
    Change("nothing", "", b"", WHOLE),
    Change("`datapackage.json`", "datapackage.json", b'"hash": "sha256:', "2 hashes verified, 1 invalid"),
    Change("`pages/pages.jsonl`", "pages/pages.jsonl", b"", BROKEN),
    Change("the record of the page that is shown", "archive/data.warc.gz", b"", LOST),
    Change(
        "the hash that is signed", "datapackage-digest.json", b'"hash": "sha256:', "2 hashes verified", False
    ),
    Change("the signature", "datapackage-digest.json", b'"signature": "', WHOLE, False),
    Change("`provenance/`, `texts/`, `blocks-...`, `manifests/`", "provenance/sheet.json", b"", WHOLE),
)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package of an edit, beside the archive it is of."""
    folder = tmp_path_factory.mktemp("package")
    for dead, day in ((3, "2026-01-02"), (31, "2026-01-03")):
        with Archive(folder / "a") as archive:
            archive.take(capture(1, f"{day}T10:00:00Z", f"The blast killed {dead} civilians.", "And more."))
    well(folder / "a", "cite", "en:1", 2, "--package", folder / "evidence.wacz")
    return folder / "evidence.wacz"


def changed(package: Path, change: Change) -> bytes:
    """The package with one other byte."""
    raw = bytearray(package.read_bytes())
    if change.file:
        with zipfile.ZipFile(package) as archive:
            info = archive.getinfo(change.file)
        name, extra = struct.unpack_from("<HH", raw, info.header_offset + 26)
        start = info.header_offset + 30 + name + extra
        end = start + info.compress_size
        if change.file.endswith(".gz"):  # the last member
            start = raw.rindex(b"\x1f\x8b\x08", start, end)
        at = raw.index(change.after, start, end) + len(change.after) if change.after else (start + end) // 2
        raw[at] = ord("b") if raw[at] == ord("a") else ord("a")  # also in hexadecimal and base64
    return bytes(raw)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.what)
def test_a_package_is_verified(chromium: Any, package: Path, tmp_path: Path, change: Change) -> None:
    """What the visitor reads of it, whole and after one changed byte."""
    site = embedding_site(tmp_path / "site")
    (site / "evidence.wacz").write_bytes(changed(package, change))
    (site / "index.html").write_text(CHECKING.format(url=f"{archiving.HOME}en/1/", ts="20260103100000"))
    context = chromium.new_context()
    page = context.new_page()
    with serving(site) as home:
        page.goto(f"{home}/index.html")
        outer = page.frame_locator("replay-web-page iframe")
        if change.says == BROKEN:
            outer.get_by_text(BROKEN).wait_for(timeout=60_000)
            return
        words = LOST if change.says == LOST else "killed 31 civilians"
        outer.frame_locator("iframe").get_by_text(words).wait_for(timeout=60_000)
        frame = next(frame for frame in page.frames if "/replay/?" in frame.url)
        frame.locator("button.embed-info").click()
        told = frame.locator(".embed-info-drop-statscontainer").inner_text()
        signature, key = frame.evaluate(SIGNATURE)
    context.close()
    assert told.partition("Validation:")[2].split("\n")[2] == (WHOLE if change.says == LOST else change.says)
    assert (signature or {}).get("matched", False) is change.is_signed
    if not change.file:
        assert key["expected"] == json.loads(well(package.parent / "a", "head", "--json"))["public_key"]


def test_the_sheet_fits_two_pages(chromium: Any, package: Path, tmp_path: Path) -> None:
    """For people with paper: both texts are side by side, and nothing is fetched."""
    with zipfile.ZipFile(package) as archive:
        archive.extract("provenance/sheet.html", tmp_path)
    page = chromium.new_page()
    page.goto(f"file://{tmp_path}/provenance/sheet.html")
    one, two = page.locator("td.text").all()
    assert one.bounding_box()["y"] == two.bounding_box()["y"] and "31 civilians" in two.inner_text()
    assert 1 <= len(re.findall(rb"/Type\s*/Page\b", page.pdf(format="A4"))) <= 2
    page.close()


def test_the_table_is_the_one_in_the_docs() -> None:
    """Each changed byte, and what is said of it."""
    text = (ROOT / "docs" / "packages.md").read_text()
    for change in CHANGES:
        assert f"| {change.what} | `{change.says}` |" in text
