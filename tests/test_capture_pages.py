"""Pages of raw evidence: checked against their digests, nothing in them acts, no other file is read."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from datasette.app import Datasette

from archive.browse.inert import inert
from tests.reading import places, start, text_of

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too


async def test_evidence_is_checked_and_told(ds: Datasette, path: Path) -> None:
    """A capture's page has digest, place and headers, and says that the bytes are what they were."""
    place = places(path, 332481)[0]
    page = await text_of(ds, place)
    assert "The body in the WARC file has this digest." in page
    assert "<code>Content-Encoding</code>" in page
    assert f'sandbox="" referrerpolicy="no-referrer" loading="lazy" src="/-/sohr/{place}/page"' in page


async def test_a_page_that_means_harm_is_inert(ds: Datasette, path: Path) -> None:
    """Of a page full of scripts, handlers, frames, forms and refreshes its words are left, under a policy
    that lets nothing run or load."""
    response = await ds.client.get(f"/-/sohr/{places(path, 332300)[0]}/page")
    policy = response.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'unsafe-inline'")
    assert "allow" not in policy
    assert response.headers["x-content-type-options"] == "nosniff"
    page = response.text
    assert "civilians" in page
    assert "javascript:" not in page.replace("led to javascript:", "")
    assert not re.search(
        r"<(?:script|svg|iframe|object|embed|form|base|link|img|video|math|button|meta "
        r"http)|<[^>]*\s(?:on\w+|href|src|ping|srcdoc|style)=",
        page,
    )
    assert "http-equiv" not in page


ACTS = (
    "script, iframe, object, embed, form, button, input, select, svg, math, img, base, link, template, "
    "noscript, "
    "picture, source, video, audio, track, applet, param, frame, frameset, canvas, marquee, dialog"
)
STAYS = {"dir", "lang", "title", "start", "colspan", "rowspan", "scope", "datetime"}


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick=x>a<script>b</script>",
        "<svg><p><style><img src=x onerror=y></style>",
        (
            "<math><mtext><table><mglyph><style><!--</style><img title='--&gt;&lt;img src=1 "
            "onerror=alert(1)&gt;'>"
        ),
        "<noscript><p title='</noscript><img src=x onerror=y>'>",
        "<form><form><input formaction=javascript:x>",
        "<a href=java&#9;script:x>b</a>",
        "<template><img src=x onerror=y></template>",
        "<p title='\"><script>x</script>'>a",
        "<iframe srcdoc='<script>x</script>'></iframe><plaintext><script>x</script>",
        "",
        "\0",
        "<html dir=rtl lang='\"><script>'>",
        "<xmp><script>x</script></xmp>",
        "<textarea></textarea><script>x</script>",
        (
            "<svg><a xlink:href=javascript:x><text>b</text></a><animate onbegin=x attributeName=href "
            "values=javascript:x>"
        ),
        (
            "<svg><foreignObject><iframe src=x></iframe></foreignObject><set attributeName=onmouseover to=x>"
            "</svg>"
        ),
        (
            "<math><mi xlink:href='data:x,<script>x</script>'></mi><annotation-xml encoding=text/html>"
            "<script>x</script>"
        ),
        "<math></p><style><!--</style><img src/onerror=x>--></math>",
        "<svg></p><title><style></title><img src=x onerror=y></svg>",
        "<meta http-equiv=refresh content='0;url=javascript:x'><p>a<meta http-equiv=refresh content=0>",
        "<base href=//evil.example/><a href=page>a</a>",
        "<a href='JaVaScRiPt:x'>a</a><a href=' \x01javascript:x'>b</a><a href='java\nscript:x'>c</a>",
        (
            "<a href='&#106;avascript&colon;x'>a</a><a href='data:text/html,<script>x</script>'>b</a><a "
            "href=vbscript:x>c</a>"
        ),
        "<p style=\"background:url('//evil.example/')\">a<style>@import '//evil.example/'</style>",
        "<img srcset='//evil.example/ 2x'><picture><source srcset=//evil.example/><img src=x></picture>",
        (
            "<form action=//evil.example/><button formaction=javascript:x>a</button><input type=image src=x>"
            "</form>"
        ),
        "<video poster=//evil.example/ src=x onerror=y><track src=x></video><audio src=x>",
        "<table background=//evil.example/><td background=x>a</table><body background=x onload=y>",
        "<link rel=stylesheet href=//evil.example/><link rel=prefetch href=x>",
        "<object data=x><param name=a><embed src=x></object><applet code=x></applet>",
        (
            "<details open ontoggle=x><summary>a</summary>b</details><dialog open>c</dialog><marquee "
            "onstart=x>d</marquee>"
        ),
        "<p title='</style><script>x</script>'>a</p><!--><script>x</script>--><![CDATA[<script>x</script>]]>",
        "<a ping=//evil.example/ href=x target=_top>a</a><p id=x name=y class=z slot=w is=v>b",
        "<blockquote cite=javascript:x>a</blockquote><q cite=//evil.example/>b</q>",
        "<select><option onfocus=x><noscript></select><img src=x onerror=y>",
        "<title></title><script>x</script>",
        "<head><title>&lt;/title&gt;&lt;script&gt;x&lt;/script&gt;</title></head>",
    ],
)
def test_inert_twice_is_inert_once(html: str) -> None:
    """What browsers would make of the page again has nothing in it that acts."""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(inert(html))
    body = tree.body
    assert body is not None
    assert tree.css(ACTS) == []
    assert len(tree.css("style")) == 1 and len(tree.css("meta")) == 1
    assert all(set(node.attributes) <= STAYS for node in body.css("*"))


@pytest.mark.parametrize(
    "place",
    [
        "capture/1/1",
        "capture/99/0",
        "capture/1/99999999999999999",
        "capture/1/../../etc/passwd",
        "capture/1/x/page",
    ],
)
async def test_no_way_out_of_the_folder(ds: Datasette, place: str) -> None:
    """Only what a row of captures names is opened."""
    await text_of(ds, place, status=404)


@pytest.mark.parametrize(
    "name",
    [
        "../archive.db",
        "/etc/passwd",
        "..",
        "x/../../y-20250301-000001.warc.gz",
        "a\0b-20250301-000001.warc.gz",
    ],
)
async def test_a_forged_name_is_not_opened(path: Path, tmp_path: Path, name: str) -> None:
    """Not even a database made to lead elsewhere does."""
    shutil.copytree(path.parent / "warc", tmp_path / "warc")
    forged = tmp_path / "archive.db"
    shutil.copyfile(path, forged)
    with closing(sqlite3.connect(forged)) as conn:
        conn.execute("update warc_files set name = ? where serial = 1", (name,))
        conn.commit()
    ds = await start(forged)
    place = places(forged, 332300)[0]
    assert "so it is not opened" in await text_of(ds, place)
    await text_of(ds, f"{place}/page", status=404)


async def test_a_forged_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    """A WARC file that is a symbolic link is not served."""
    (tmp_path / "warc").mkdir()
    shutil.copyfile(path, tmp_path / "archive.db")
    for file in (path.parent / "warc").iterdir():
        (tmp_path / "warc" / file.name).symlink_to(file)
    ds = await start(tmp_path / "archive.db")
    assert "is not beside this database" in await text_of(ds, places(path, 332300)[0])


async def test_without_warc_files(path: Path, tmp_path: Path) -> None:
    """A database without its WARC files says so, and still shows where the bytes lie."""
    shutil.copyfile(path, tmp_path / "archive.db")
    ds = await start(tmp_path / "archive.db")
    place = places(path, 332481)[0]
    page = await text_of(ds, place)
    assert "syriahr.example-20250301-000001.warc.gz is not beside this database" in page
    await text_of(ds, f"{place}/page", status=404)


async def test_a_changed_byte_is_seen(path: Path, tmp_path: Path) -> None:
    """Evidence that is not what it was is not shown as if it were."""
    shutil.copytree(path.parent / "warc", tmp_path / "warc")
    shutil.copyfile(path, tmp_path / "archive.db")
    offset = int(places(path, 332300)[0].rpartition("/")[2])
    file = next((tmp_path / "warc").glob("*-000001.warc.gz*"))
    damaged = bytearray(file.read_bytes())
    damaged[offset + 400] ^= 0xFF
    file.write_bytes(damaged)
    ds = await start(tmp_path / "archive.db")
    assert "The record cannot be read" in await text_of(ds, places(path, 332300)[0])
