"""Reading pages: golden pages, pages nobody wrote, the seeds in every layout. Golden pages hold invented text
only."""

from __future__ import annotations

import gzip
import json
import os
import time
import zlib
from pathlib import Path
from typing import Any

import brotli  # type: ignore[import-untyped]  # has none
import pytest
from selectolax.lexbor import LexborDocumentOptions, LexborHTMLParser

from archive.extract import EXTRACTOR
from archive.extract.cross_check import GENERAL
from archive.extract.page import extract
from archive.extract.sandbox import read_apart
from archive.html.decode import MAX_BODY, Cut, Undecodable, decode_body, decode_text, to_utf8
from archive.model import APART, REASONS, Extract, Unextractable
from archive.sites.sohr import boilerplate, layouts
from archive.sites.sohr.layouts import LAYOUTS, Layout, choose_layout
from tests.golden_pages import CASES, GOLDEN, SITE, WRITE, as_json, capture, read_golden


@pytest.mark.parametrize("name", CASES)
def test_golden(name: str) -> None:
    """A page gives exactly the title, lines and stated fields of its case, each time it is read."""
    page, expected, key = read_golden(name)
    got = extract(page, SITE, key)
    shown = as_json(got, expected)
    if WRITE:
        (GOLDEN / name / "expected.json").write_text(json.dumps(shown, ensure_ascii=False, indent=1) + "\n")
    assert shown == expected
    assert extract(page, SITE, key) == got


def test_no_golden_is_missing() -> None:
    """Each case of cases.txt has its folder, and each folder its line there."""
    assert (GOLDEN / "cases.txt").read_text().split("\n")[:-1] == CASES
    assert len(CASES) >= 60


def test_every_layout_has_goldens_in_both_languages() -> None:
    """No layout without a golden page; the last is the one for unknown themes."""
    assert LAYOUTS[-1].name == GENERAL
    assert {(layout.name, lang) for layout in LAYOUTS for lang in ("en", "ar")} <= {
        (name.split("-")[0], name.split("-")[1]) for name in CASES
    }


@pytest.mark.parametrize("name", [name for name in CASES if not name.startswith("none-")])
def test_each_layout_reads_its_own_pages(name: str) -> None:
    """A page of a dated layout is not read by another one, not even by `general`."""
    page, _, _ = read_golden(name)
    html = to_utf8(page, decode_body(page))
    tree = LexborHTMLParser(html, options=LexborDocumentOptions.WO_EVENTS)
    assert choose_layout(tree, html).name == name.split("-")[0]


def test_a_new_layout_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry in `LAYOUTS` is all that a new layout needs, wherever its text stands."""
    entry = Layout(
        "made-up",
        body=("section.story-words",),
        title=("p.story-headline",),
        marks=(frozenset(("story-words",)),),
    )
    page = (
        '<!DOCTYPE html><html><body class="single postid-7"><p class="story-headline">Mine in Kafr Alyan</p>'
        '<section class="story-words"><p>A mine left 3 dead.</p></section>'
        '<article><div class="entry-content"><p>Words of another box.</p></div></article></body></html>'
    )
    monkeypatch.setattr(layouts, "LAYOUTS", (*LAYOUTS[:-1], entry, LAYOUTS[-1]))
    got = extract(capture(page.encode()), SITE)
    assert isinstance(got, Extract)
    assert (got.layout, got.title, got.text) == ("made-up", "Mine in Kafr Alyan", "A mine left 3 dead.")


def standing(got: Extract) -> list[str]:
    """Rules of boilerplate whose words stand in a text."""
    return [
        rule
        for rule, looks_like in boilerplate.RULES.items()
        if any(looks_like(line.text, got.title) for line in got.lines)
    ]


@pytest.mark.parametrize("lang", ["en", "ar"])
def test_every_rule_has_a_page_that_it_cuts_and_one_that_it_leaves(
    lang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No rule of boilerplate without its evidence in both languages, and none that takes the same words out
    of an article."""
    cutting: dict[str, list[str]] = {rule: [] for rule in boilerplate.RULES}
    leaving: dict[str, list[str]] = {rule: [] for rule in boilerplate.RULES}
    real, found = boilerplate.cut, list[boilerplate.Cut]()

    def watched(*given: Any) -> boilerplate.Cut:
        found.append(real(*given))
        return found[-1]

    monkeypatch.setattr(boilerplate, "cut", watched)
    for name in (name for name in CASES if name.split("-")[1] == lang):
        page, _, key = read_golden(name)
        found.clear()
        got = extract(page, SITE, key)
        for rule in (rule for one in found for rule in one.rules):
            cutting[rule].append(name)  # KeyError: a rule that RULES does not have
        for rule in standing(got) if isinstance(got, Extract) else ():
            leaving[rule].append(name)
    assert [rule for rule, names in cutting.items() if not names] == []
    assert [rule for rule, names in leaving.items() if not names] == []


def test_reasons_are_known_words() -> None:
    """A page that gives no text says why in a word of the model."""
    for name in CASES:
        page, _, key = read_golden(name)
        got = extract(page, SITE, key)
        assert got.extractor == EXTRACTOR if isinstance(got, Extract) else got.reason in REASONS


# ---- the five seeds, read from a folder outside the project


def seeds() -> list[dict[str, Any]]:
    """The seeds, or none where SOHR_SEEDS names no folder that holds them."""
    folder = os.environ.get("SOHR_SEEDS")
    if not folder or not Path(folder, "expected.json").exists():
        return []
    return list(json.loads(Path(folder, "expected.json").read_text()))


@pytest.mark.parametrize("layout", [layout.name for layout in LAYOUTS])
def test_seeds_are_exact_in_every_layout(layout: str) -> None:
    """Title and lines of the five seeds come out exactly, whatever the layout, with their chrome around and
    below them."""
    found = seeds()
    if not found:
        pytest.skip("SOHR_SEEDS names no folder of seeds: set it to ../shared/seeds")
    template = (GOLDEN / f"{layout}-en-short" / "page.html").read_text()
    _, expected, _ = read_golden(f"{layout}-en-short")
    text = "".join(f"<p>{line[2]}</p>\n" for line in expected["lines"]).strip()
    assert text in template
    for seed in found:
        escaped = [
            line.replace("&", "&amp;").replace("<", "&lt;") for line in (*seed["lines"], *seed["chrome"])
        ]
        # what a page shows after the text stands below it here too: source and disclaimer, "You might also
        # like", the cookie sentence
        ordered = [line for line in escaped if "•" not in line or line.startswith("•")]
        tail = ordered[len(seed["lines"]) :]
        below = sorted(tail, key=lambda line: ("cookies" in line, line == "[Disclaimer]")) if tail else []
        top = [line for line in escaped if line not in ordered]
        body = "\n".join(
            f"<p>{line}</p>"
            for line in [
                *top,
                *ordered[: len(seed["lines"])],
                *(line for line in below if "Observatory" not in line),
            ]
        )
        page = template.replace(text, body).replace(expected["title"], seed["title"].replace("&", "&amp;"))
        got = extract(capture(page.encode(), expected["url"]), SITE)
        assert isinstance(got, Extract), got
        assert (got.title, [line.text for line in got.lines]) == (seed["title"], seed["lines"])
        assert seed["source_url"] in (None, got.source_url)


# ---- bytes

SHORT = (GOLDEN / "general-en-short" / "page.html").read_bytes()


@pytest.mark.parametrize(
    ("coding", "packed"),
    [
        ("gzip", gzip.compress(SHORT)),
        ("x-gzip", gzip.compress(SHORT[:100]) + gzip.compress(SHORT[100:])),
        ("deflate", zlib.compress(SHORT)),
        ("deflate", zlib.compress(SHORT)[2:-4]),
        ("br", brotli.compress(SHORT)),
        ("gzip", SHORT),
        ("br, gzip", gzip.compress(brotli.compress(SHORT))),
    ],
)
def test_content_encodings(coding: str, packed: bytes) -> None:
    """Every way of packing gives the same document."""
    assert decode_body(capture(packed, Content_Encoding=coding)) == SHORT


def test_a_body_of_very_many_members() -> None:
    """Twice as many members take about twice as long, whatever is in them: a small answer holds millions."""
    members = gzip.compress(b"") * 200_000 + gzip.compress(SHORT)
    assert decode_body(capture(gzip.compress(members), Content_Encoding="gzip")) == SHORT


def test_zstd_where_it_is_installed() -> None:
    """zstd is read where a module for it is installed."""
    zstd = pytest.importorskip("backports.zstd")
    skipped = b"\x5a\x2a\x4d\x18\x03\0\0\0abc"
    frames = [zstd.compress(part) for part in (SHORT[:100], b"", SHORT[100:])]
    for packed in (zstd.compress(SHORT), skipped.join(frames), b"".join(frames) + b"\n"):
        assert decode_body(capture(packed, Content_Encoding="zstd")) == SHORT
    for cut in (b"".join(frames)[:-3], frames[0] + frames[2][:5] + b"garbage", frames[0] + skipped[:6]):
        with pytest.raises(Cut):
            decode_body(capture(cut, Content_Encoding="zstd"))


@pytest.mark.parametrize("rest", [b"\x1f\x8b", gzip.compress(SHORT)[:-9], b"\x1f\x8bgarbage" * 9])
def test_a_page_whose_second_member_is_damaged(rest: bytes) -> None:
    """Its first member ends after a closed element, and is no whole page: it makes no version."""
    half = SHORT[: SHORT.rindex(b"</div>") + 6]
    got = extract(
        capture(gzip.compress(half) + rest, Content_Encoding="gzip", Content_Type="text/html"), SITE
    )
    assert isinstance(got, Unextractable) and got.reason == "truncated"


@pytest.mark.parametrize(
    ("coding", "pack"), [("gzip", gzip.compress), ("br", brotli.compress), ("deflate", zlib.compress)]
)
def test_cut_and_damaged_bodies(coding: str, pack: Any) -> None:
    """A stream that ends early is truncated, one that is garbage or a bomb is refused; neither is ever an
    article."""
    packed = pack(SHORT)
    with pytest.raises(Cut):
        decode_body(capture(packed[: len(packed) // 2], Content_Encoding=coding))
    got = extract(capture(packed[: len(packed) // 2], Content_Encoding=coding), SITE)
    assert isinstance(got, Unextractable) and got.reason == "truncated"
    with pytest.raises(Undecodable):
        decode_body(capture(b"\x1f\x8b" + b"garbage" * 9, Content_Encoding=coding))
    bomb = pack(b"a" * (MAX_BODY + 1))
    got = extract(capture(bomb, Content_Encoding=coding), SITE)
    assert isinstance(got, Unextractable) and got.reason == "hostile"


@pytest.mark.parametrize("label", ["base64", "utf-7", "unicode_escape", "no-such", "utf-16", "zip"])
def test_a_charset_that_is_none_is_ignored(label: str) -> None:
    """A page cannot choose a Python codec that is not a charset of the web."""
    assert "Kafr Alyan" in decode_text(capture(SHORT, Content_Type=f"text/html; charset={label}"))


def test_half_broken_utf8_stays_utf8() -> None:
    """A few bad bytes do not turn the rest into another alphabet."""
    body = "<html><p>قضى ثلاثة أشخاص في السوق</p>".encode() + b"\xff\xd9"
    assert "ثلاثة" in decode_text(capture(body, Content_Type="text/html"))


# ---- pages from hell


@pytest.mark.parametrize(
    "body",
    [
        "<div>" * 100_000,
        "<div><!--</div>-->" * 50_000,
        '<div title="</div>">' * 50_000,
        "".join(f"<p><b id={n}>" for n in range(20_000)),
        "<a " + " ".join(f"a{n}=1" for n in range(50_000)) + ">",
        "<table>" + "<tr><td>" * 20_000,
        "&lt;" * 500_000,
        '<a "' * 100_000,
        "<meta " * 50_000,
        "<script type=application/ld+json>" * 20_000,
        '<script type="application/ld+json">' + "[" * 200_000 + "</script>",
        "<svg><script>" * 30_000,
        "<body " * 30_000,
        "x*" * 100_000,
    ],
    ids=lambda body: body[:24],
)
def test_hostile_pages_end_quickly(body: str) -> None:
    """Depth bombs and their like are an outcome, within a second or two."""
    page = SHORT.decode().replace("<p>A mortar", body + "<p>A mortar")
    start = time.process_time()
    got = extract(capture(page.encode()), SITE)
    assert time.process_time() - start < 3
    if isinstance(got, Unextractable) and got.reason == APART:  # in a process of its own, within its bounds
        got = read_apart(capture(page.encode()), SITE, None)
        assert isinstance(got, Extract) or (got is not None and got.reason in ("hostile", "empty"))
    assert isinstance(got, Extract) or got.reason in REASONS
