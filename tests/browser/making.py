"""A small archive made the true way, from WARC records by ingest, with pages that mean harm. All posts are
invented."""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from html import escape
from pathlib import Path

from archive.ingest.path import Ingest
from archive.model import Capture
from archive.rebuild.recover import recover
from archive.sites.sohr.addresses import Site
from archive.store.rows import open_store
from archive.warc.writer import Appender

HOME = "https://www.syriahr.example/"
FIRST, SECOND, THIRD = "2025-03-01T10:00:00Z", "2025-03-03T08:00:00Z", "2025-03-05T09:30:00Z"
TOLL = "Deir Ezzor: the blast killed {} civilians in the market of Al-Mayadin."
ARABIC = "وثّق المرصد السوري مقتل {} أشخاص في مدينة إدلب، بينهم طفلة."
# What a page could try, all at once. Each would show in the address bar, the title, the console or the
# network.
HARM = """<script>document.title='owned';fetch('http://192.0.2.1/script')</script><img src="http://192.0.2.1/img" onerror="document.title='owned'">
<svg onload="document.title='owned'"><script>document.title='owned'</script><image href="http://192.0.2.1/svg"/></svg>
<a href="javascript:document.title='owned'" id="bait">a link</a> <a href="https://192.0.2.1/out" ping="http://192.0.2.1/ping">another</a>
<iframe src="http://192.0.2.1/frame" srcdoc="<script>top.document.title='owned'</script>"></iframe><object data="http://192.0.2.1/object"></object>
<form action="http://192.0.2.1/form"><button formaction="javascript:document.title='owned'" autofocus onfocus="document.title='owned'">
go</button></form>
<p style="background:url(http://192.0.2.1/style)" onmouseover="document.title='owned'">hover</p>
<math href="javascript:document.title='owned'">m</math>
<details open ontoggle="document.title='owned'"><summary>s</summary></details><video src="http://192.0.2.1/video" autoplay></video>"""
HEAD_HARM = """<meta http-equiv="refresh" content="0;url=http://192.0.2.1/refresh"><base href="http://192.0.2.1/"><link rel="preconnect" href="http://192.0.2.1/">
<link rel="stylesheet" href="http://192.0.2.1/css"><link rel="prefetch" href="http://192.0.2.1/prefetch"><style>@import url(http://192.0.2.1/import);</style>"""


def page(
    edition: str,
    post_id: int,
    title: str,
    lines: tuple[str, ...],
    *,
    head: str = "",
    more: str = "",
    modified: str | None = None,
) -> str:
    """A page of the site in a layout that the archive reads."""
    url = address(edition, post_id)
    stated = f'<meta property="article:modified_time" content="{modified}">' if modified else ""
    text = "".join(f"<p>{escape(line)}</p>" for line in lines)
    return f"""<!DOCTYPE html><html dir="{"rtl" if edition == "ar" else "ltr"}" lang="{"ar" if edition == "ar" else "en-US"}">
<head><meta charset="UTF-8">
<title>{escape(title)}</title><link rel="canonical" href="{url}"><link rel="shortlink" href="{HOME}{"en/" if edition == "en" else ""}?p={post_id}">
<meta property="article:published_time" content="2025-03-01T09:00:00+00:00">{stated}{head}</head>
<body class="post-template-default single single-post postid-{post_id} single-format-standard"><main id="main"><article id="post-{post_id}"
class="post-{post_id} post hentry"><header class="entry-header"><h1 class="single-post-title">{escape(title)}</h1></header>
<div class="entry-content single-post-content">{text}</div>
<footer class="entry-footer"><a href="{HOME}en/category/news/" rel="category tag">News</a></footer></article></main>{more}</body></html>"""


def address(edition: str, post_id: int) -> str:
    """Where a post stands."""
    return f"{HOME}en/{post_id}/" if edition == "en" else f"{HOME}%D8%AE%D8%A8%D8%B1/{post_id}/"


def capture(edition: str, post_id: int, at: str, html: str, status: int = 200) -> Capture:
    """An answer of the site, packed as it sends them."""
    headers = (("Content-Type", "text/html; charset=UTF-8"), ("Content-Encoding", "gzip"))
    body = gzip.compress(html.encode(), mtime=0)
    return Capture(
        address(edition, post_id), status, headers, body, at, channel="article", reason="new", crawl="crawl-1"
    )


def captures() -> list[Capture]:
    """A toll that rises silently, an Arabic one, an obfuscated word, a page that means harm, one that goes
    away."""
    modified = "2025-03-01T09:00:00+00:00"
    found = []
    for number, at in ((3, FIRST), (31, SECOND)):
        lines = (
            TOLL.format(number),
            "The desk is looking into it.",
            *(f"Line {n} of the report stays as it is." for n in range(8)),
        )
        found.append(
            capture(
                "en",
                332481,
                at,
                page("en", 332481, f"Blast in Al-Mayadin leaves {number} dead", lines, modified=modified),
            )
        )
        found.append(
            capture(
                "ar",
                700001,
                at,
                page(
                    "ar",
                    700001,
                    "مقتل أشخاص في إدلب",
                    (ARABIC.format(number + 1), "ولا تزال المنطقة تشهد توتراً."),
                ),
            )
        )
    found.append(
        capture(
            "en",
            332500,
            FIRST,
            page("en", 332500, "IS-IS gunmen k*illed a farmer", ("A farmer was k*illed near Al-Tanf.",)),
        )
    )
    harm = page(
        "en",
        332300,
        "<script>alert(1)</script>",
        ("A text with <img src=x onerror=alert(2)> in it, and civilians.",),
        head=HEAD_HARM,
        more=HARM,
    )
    found.append(capture("en", 332300, FIRST, harm))
    found.append(
        capture(
            "en",
            332400,
            FIRST,
            page("en", 332400, "A post that went away", ("It was here, with civilians.",)),
        )
    )
    found.append(capture("en", 332400, THIRD, "<html><body>Not found</body></html>", 404))
    return found


def make(folder: Path, more: Iterable[Capture] = ()) -> Path:
    """The archive in a folder, with more captures; its database."""
    warc = Appender(folder / "warc", "syriahr.example")
    begun = {
        "event": "crawl-started",
        "site": HOME,
        "extractor": "1",
        "name": "crawl-1",
        "kind": "crawl",
        "at": FIRST,
        "arguments": {},
        "software": {},
    }
    warc.append_event(FIRST, begun)
    for one in sorted([*captures(), *more], key=lambda one: one.captured_at):
        warc.append_exchange(one)
    judged = {
        "event": "crawl-judged",
        "crawl": "crawl-1",
        "at": THIRD,
        "held": [],
        "shared": {},
        "proven": [],
        "over": [],
        "waiting": [],
        "invented": [],
        "withdrawn": {},
    }
    warc.append_event(THIRD, judged)
    counters = {"requests": 8, "new": 5, "changed": 2, "unchanged": 0, "gone": 1, "failed": 0}
    ended = {
        "event": "crawl-finished",
        "name": "crawl-1",
        "at": THIRD,
        "reason": "finished",
        "exit_status": 0,
        "verdict": "healthy",
    }
    warc.append_event(THIRD, ended | {"counters": counters})
    warc.close()
    store = open_store(folder)
    recover(folder, store, Ingest(store, Site(HOME), folder))
    store.close()
    return folder / "archive.db"
