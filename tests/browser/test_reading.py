"""A reader's way through the archive in a real browser: search, article, comparison, citation, raw evidence.
Needs Chromium and Playwright.

Nothing may leave this machine, nothing may run that is not ours (nothing but the keys), and axe-core
finds nothing. ``SOHR_SHOTS`` names a folder for screenshots to look at; ``SOHR_AXE`` the file
axe.min.js (npm install axe-core).
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from tests.browser.making import FIRST, make
from tests.browser.watching import Watched

sync_api = pytest.importorskip("playwright.sync_api", reason="no Playwright here: pip install playwright")

expect = sync_api.expect  # waits for what a page that is under way does not show yet
expect.set_options(timeout=20_000)

pytestmark = pytest.mark.browser

ROOT = Path(__file__).parents[2]
SERVE = "import sys; from archive.browse.serving import run; run(sys.argv[1], int(sys.argv[2]))"
AXE = (
    os.environ.get("SOHR_AXE", ""),
    ROOT / "node_modules/axe-core/axe.min.js",
    "/usr/share/javascript/axe-core/axe.min.js",
)
PAGES = {
    "front": "",
    "search": "search?q=civilians",
    "filters": "search?edition=en&state=live",
    "changes": "changes",
    "missing": "missing",
    "coverage": "coverage",
    "crawls": "crawls",
    "series": "series",
    "article": "en/332481",
    "arabic": "ar/700001",
    "harm": "en/332300",
    "sides": "en/332481/diff/1/2",
    "inline": "en/332481/diff/1/2?view=inline",
    "arabic-sides": "ar/700001/diff/1/2",
}
# The same in the other language, and where a text runs against its page
PAGES |= {f"{name}-in-arabic": f"ar/{address}" for name, address in PAGES.items()}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The archive, served as `sohr-archive serve` does; the address of its pages."""
    folder = tmp_path_factory.mktemp("browser")
    make(folder)
    with closing(socket.socket()) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    line = [sys.executable, "-c", SERVE, str(folder / "archive.db"), str(port)]
    with open(folder / "served.log", "wb") as log:
        served = subprocess.Popen(line, cwd=ROOT, stdout=log, stderr=log)
    try:
        url = f"http://127.0.0.1:{port}/-/sohr/"
        deadline = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                assert time.monotonic() < deadline and served.poll() is None, (
                    folder / "served.log"
                ).read_text()
                time.sleep(0.2)
        yield url
    finally:
        served.terminate()
        served.wait(30)


@pytest.fixture
def reader(chromium: Any, home: str) -> Iterator[Watched]:
    """A reader; at the end of each test it is checked where requests went."""
    watched = Watched(chromium, home, viewport={"width": 1280, "height": 900})
    yield watched
    watched.context.close()
    watched.check()


def as_it_stands(reader: Watched) -> tuple[str, str]:
    """Title and document of the page, from the browser itself: where no script may run, Playwright's own
    questions wait for ever."""
    ask = reader.context.new_cdp_session(reader.page)
    history = ask.send("Page.getNavigationHistory")
    root = ask.send("DOM.getDocument")["root"]["nodeId"]
    return history["entries"][history["currentIndex"]]["title"], ask.send(
        "DOM.getOuterHTML", {"nodeId": root}
    )["outerHTML"]


def test_from_a_search_to_the_raw_evidence(reader: Watched) -> None:
    """The analyst's way: a place, the post, what changed, how to cite it, the bytes that show it."""
    page = reader.go("")
    page.fill("#q", "Mayadin")
    page.keyboard.press("Enter")
    assert page.locator("mark").first.inner_text() == "Mayadin"
    page.click("text=Blast in Al-Mayadin leaves 31 dead")
    page.click("text=Compare the last two")
    was, now = page.locator(".half.was").first, page.locator(".half.now").first
    assert was.locator(".num bdi").inner_text() == "3"
    assert now.locator(".num bdi").inner_text() == "31"
    assert now.bounding_box()["y"] < 500, "figures are on the first screen"
    page.click("text=In one text")
    text = page.locator(".one").inner_text()
    assert "331" not in text and re.search(r"killed\s+3\b.*\b31\b", text, re.DOTALL)
    page.click(f"text=sohr:en:332481@{FIRST}")
    assert page.locator(".citation").inner_text() == f"sohr:en:332481@{FIRST}"
    page.click("text=Evidence of this version")
    expect(page.locator("text=The body in the WARC file has this digest.")).to_be_visible()
    frame = page.frame_locator("iframe.page")
    assert "the blast killed 3 civilians" in frame.locator("body").inner_text()


@pytest.mark.parametrize(
    ("asked", "mark"), [("ادلب", "إدلب"), ("killed farmer", "k*illed"), ("ISIS", "IS-IS")]
)
def test_folded_words_are_found(reader: Watched, asked: str, mark: str) -> None:
    """Arabic in another spelling, and words with marks inside, are found and marked as the site wrote
    them."""
    page = reader.go(f"search?q={quote(asked)}")
    assert mark in page.locator("mark").all_inner_texts()


def test_arabic_runs_from_right_to_left(reader: Watched) -> None:
    """What the page says of direction is what the browser does."""
    page = reader.go("ar/700001/diff/1/2")
    direction = "nodes => nodes.map(node => getComputedStyle(node).direction)"
    assert set(page.locator(".diff .side p").evaluate_all(direction)) == {"rtl"}
    page = reader.go("ar/700001")
    assert page.locator("article.read").evaluate("node => getComputedStyle(node).direction") == "rtl"


def test_a_page_that_means_harm_does_nothing(reader: Watched) -> None:
    """Scripts, handlers, frames, forms, refreshes, preconnects, styles from elsewhere: nothing runs, nothing
    is asked for."""
    page = reader.go("en/332300")
    page.click("text=Evidence of this version")
    page.click("text=Open in a page of its own")
    page.wait_for_url("**/page")
    page.wait_for_timeout(800)
    assert page.url.endswith("/page")
    page.mouse.click(60, 60)
    title, html = as_it_stands(reader)
    assert title == "<script>alert(1)</script>"
    assert "civilians" in html
    assert not re.search(r"<(?:script|form|iframe|img|svg|link|base)\b|<[^>]*\s(?:href|src|on\w+)=", html)
    assert page.context.cookies() == []


def test_the_policy_alone_would_do(reader: Watched) -> None:
    """Even as it was sent, the page could do nothing under the policy it is served with."""
    from archive.browse.inert import POLICY
    from tests.browser.making import HARM, HEAD_HARM

    harm = f"<!DOCTYPE html><html><head><title>quiet</title>{HEAD_HARM}</head><body>{HARM}</body></html>"
    asked: list[str] = []
    page = reader.page

    def answer(route: Any) -> None:
        if route.request.url.endswith("/raw"):
            route.fulfill(
                status=200,
                headers={"Content-Security-Policy": POLICY, "Content-Type": "text/html"},
                body=harm,
            )
        else:
            asked.append(route.request.url)
            route.abort()

    page.route("**/*", answer)
    page.goto(reader.home + "raw")
    page.wait_for_timeout(800)
    assert as_it_stands(reader)[0] == "quiet"
    assert page.url.endswith("/raw")
    assert asked == []
    reader.said.clear()  # the browser tells what it refused
    reader.asked[:] = [url for url in reader.asked if not url.startswith("http://192.0.2.1/")]


def test_keyboard_alone(reader: Watched) -> None:
    """The first key leads past the head of the page; what has the focus can be seen."""
    page = reader.go("en/332481")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Tab")
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"


def focused(page: Any) -> str:
    """The words of what has the focus."""
    return str(page.evaluate("document.activeElement.innerText"))


@pytest.mark.parametrize("language", ["", "ar/"])
def test_keys_lead_to_the_gravest_edit_and_on(reader: Watched, language: str) -> None:
    """By keys alone: from the front page to the gravest edit of the week, along its changes, to the next
    changed figure."""
    page = reader.go(language)
    page.keyboard.press("n")
    assert focused(page) == "Blast in Al-Mayadin leaves 31 dead"
    page.keyboard.press("Enter")
    page.wait_for_url("**/en/332481/diff/1/2")
    for number in ("1", "2", "2"):  # at the last one it stays
        page.keyboard.press("n")
        assert page.evaluate("document.activeElement.id") == f"c{number}"
        assert page.locator(f"#c{number}").evaluate("node => node.getBoundingClientRect().top") >= 0
    page.keyboard.press("p")
    assert page.evaluate("document.activeElement.id") == "c1"
    page.goto(f"{reader.home}{language}ar/700001/diff/1/2")
    page.keyboard.press("f")
    page.wait_for_url("**/en/332481/diff/1/2")
    page.keyboard.press("s")
    page.wait_for_url("**/en/332481/diff/2/1")


def test_keys_on_an_arabic_keyboard(reader: Watched) -> None:
    """A key counts by its place too; the question mark lists the keys; a field takes letters."""
    page = reader.go("ar/changes")
    page.evaluate(
        "document.body.dispatchEvent(new KeyboardEvent('keydown', {key: 'ى', code: 'KeyN', bubbles: true}))"
    )
    assert page.evaluate("document.activeElement.closest('.log > li') !== null")
    assert page.locator("#keys-hint").is_visible()
    page.keyboard.press("?")
    assert page.locator("#keys").is_visible() and "التغيير التالي" in page.locator("#keys").inner_text()
    page.keyboard.press("Escape")
    page.keyboard.press("/")
    page.keyboard.type("npf?")
    assert page.locator("#q").input_value() == "npf?" and not page.locator("#keys").is_visible()


def test_a_month_of_posts_with_their_count(reader: Watched) -> None:
    """By keys alone: the posts of a month that say a word, and how many they are."""
    page = reader.go("")
    page.keyboard.press("/")
    page.keyboard.type("civilians")
    page.keyboard.press("Enter")
    page.locator("a", has_text="March 2025").focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**since=2025-03*")
    expect(page.locator("h1")).to_have_text("3 posts")


def test_pages_work_without_script(chromium: Any, home: str) -> None:
    """Without script nothing is missing but the keys, and nobody is told of them."""
    watched = Watched(chromium, home, viewport={"width": 1280, "height": 900}, java_script_enabled=False)
    page = watched.go("en/332481/diff/1/2")
    page.click("a[href='#c2']")
    page.wait_for_url("**#c2")
    expect(page.locator("#keys-hint")).to_be_hidden()
    page.click("text=العربية")
    expect(page.locator("text=تغيّر رقمان")).to_be_visible()
    watched.context.close()
    watched.check()


@pytest.mark.parametrize("address", ["en/332481/diff/1/2", "en/332481", "ar/ar/700001/diff/1/2"])
def test_on_paper(reader: Watched, address: str) -> None:
    """A printed page has the texts, the citation with its address, and nothing to click."""
    page = reader.go(address)
    page.emulate_media(media="print")
    assert not page.locator("header.top").is_visible() and not page.locator(".walk, form").first.is_visible()
    printed = page.locator(".printed").all_inner_texts()
    assert printed[-1] == reader.home + address
    assert page.locator(".citation, .facts code").first.is_visible()


def violations(page: Any, axe: Path, *, of_ours: bool) -> list[tuple[str, str]]:
    """What axe-core finds: the rule, and the element. Of an archived page that is shown as it was, only what
    is serious."""
    page.add_script_tag(content=axe.read_text(encoding="utf-8"))
    return [
        (violation["id"], node["html"][:150])
        for violation in page.evaluate("axe.run()")["violations"]
        if of_ours or violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390])
def test_pages_fit_and_are_accessible(chromium: Any, home: str, scheme: str, width: int) -> None:
    """On a screen and on a phone, by day and by night: no page is wider than the screen, axe-core finds
    nothing."""
    axe = next((Path(place) for place in AXE if place and Path(place).is_file()), None)
    shots = os.environ.get("SOHR_SHOTS")
    watched = Watched(
        chromium, home, viewport={"width": width, "height": 900}, color_scheme=scheme, bypass_csp=True
    )
    found: list[tuple[str, str, str]] = []
    raw = watched.go(PAGES["article"]).locator("a.raw").get_attribute("href").partition("/-/sohr/")[2]
    for name, address in {**PAGES, "capture": raw, "inert": f"{raw}/page"}.items():
        page = watched.go(address)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, name
        if shots:
            page.screenshot(path=f"{shots}/{name}-{width}-{scheme}.png", full_page=True)
        if axe:
            found += [(name, *one) for one in violations(page, axe, of_ours=name != "inert")]
    watched.context.close()
    watched.check()
    assert found == []
    if not axe:
        pytest.skip(
            "no axe-core here: npm install axe-core, and name its axe.min.js in SOHR_AXE; all else passed"
        )


def test_datasettes_own_pages_work_under_their_policy(reader: Watched) -> None:
    """Tables, facets, the menu of a column and the SQL editor run their scripts; one that is put in does not."""
    page, root = reader.page, reader.home.partition("/-/")[0]
    for path in ("/archive", "/archive/articles?_facet=edition", "/archive/newest_versions", "/-/databases"):
        assert page.goto(root + path).status == 200
    page.goto(root + "/archive?sql=select+1+as+a")
    page.locator("#sql-format").first.click()
    assert page.evaluate("document.querySelector('.CodeMirror').CodeMirror.getValue()") == "select\n  1 as a"
    page.goto(root + "/archive/articles")
    page.locator("th[data-column=state] .dropdown-menu-icon").first.click()
    assert "Sort ascending" in page.locator(".dropdown-menu").first.inner_text()
    reader.check()
    page.evaluate(
        "const s = document.createElement('script'); s.textContent = 'window.put = 1'; document.body.append(s)"
    )
    assert page.evaluate("window.put") is None and "Content Security Policy" in reader.said.pop()
