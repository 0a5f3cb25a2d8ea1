"""An exported WACZ opens in ReplayWeb.page, in a real browser: the words of both versions of an article, read
in the replayed page; also from an archive whose captures were imported.

``SOHR_REPLAYWEBPAGE`` names a folder with ReplayWeb.page's ui.js and sw.js (npm pack replaywebpage). Nothing
may leave this machine.
"""

from __future__ import annotations

import os
import shutil
import socket
import threading
from collections.abc import Iterator
from contextlib import closing
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

from tests.archiving import Archive, well
from tests.browser.making import FIRST, HOME, SECOND, TOLL, make
from tests.browser.test_reading import CHROMIUM, FLAGS

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright here: pip install playwright")

pytestmark = pytest.mark.replaywebpage

EMBED = """<!DOCTYPE html><html><head><script src="/ui.js"></script></head><body style="height:100vh">
<replay-web-page source="/evidence.wacz" url="{url}" ts="{ts}" replayBase="/replay/" embed="replayonly"></replay-web-page></body></html>"""


async def embedding(request: Request) -> HTMLResponse:
    """A page of somebody who shows the archive on their own site."""
    return HTMLResponse(EMBED.format(url=request.query_params["url"], ts=request.query_params["ts"]))


def imported(crawled: Path, folder: Path) -> Path:
    """Another archive, whose captures come from a WARC file of the first."""
    with Archive(folder, HOME):
        pass
    well(crawled, "export", "--format", "warc", "--versions", "all", "-o", folder / "foreign.warc.gz")
    well(folder, "import", folder / "foreign.warc.gz")
    return folder


@pytest.fixture(scope="module", params=["crawled", "imported"])
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A site that embeds the exported WACZ, served from loopback with ranges, as any web server does."""
    tool, folder = Path(os.environ["SOHR_REPLAYWEBPAGE"]), tmp_path_factory.mktemp("replaywebpage")
    archive = make(folder / "archive").parent
    if request.param == "imported":
        archive = imported(archive, folder / "other")
    (folder / "site" / "replay").mkdir(parents=True)
    shutil.copy(tool / "ui.js", folder / "site")
    shutil.copy(tool / "sw.js", folder / "site" / "replay")
    well(archive, "export", "--format", "wacz", "--versions", "all", "-o", folder / "site" / "evidence.wacz")
    with closing(socket.socket()) as listening:
        listening.bind(("127.0.0.1", 0))
        app = Starlette(
            routes=[Route("/embed", embedding), Mount("/", StaticFiles(directory=folder / "site"))]
        )
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


@pytest.mark.parametrize(("at", "dead"), [(FIRST, 3), (SECOND, 31)])
def test_both_versions_of_an_article_are_replayed(home: str, chromium: Any, at: str, dead: int) -> None:
    """At the time of each, what the site said then; and every request stays on this machine."""
    ts = "".join(sign for sign in at if sign.isdigit())
    context = chromium.new_context()
    asked: list[str] = []
    context.on("request", lambda request: asked.append(request.url))
    page = context.new_page()
    page.goto(f"{home}/embed?url={quote(f'{HOME}en/332481/')}&ts={ts}")
    replayed = page.frame_locator("replay-web-page iframe").frame_locator("iframe")
    text = replayed.locator("div.entry-content").inner_text(timeout=60_000)
    assert TOLL.format(dead) in text and TOLL.format(34 - dead) not in text
    assert replayed.locator("h1").inner_text() == f"Blast in Al-Mayadin leaves {dead} dead"
    assert {urlsplit(url).hostname for url in asked if url.startswith("http")} == {"127.0.0.1"}
    context.close()
