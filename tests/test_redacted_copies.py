"""A public copy from which posts were taken out says nothing of them anywhere, or there is no copy."""

from __future__ import annotations

import json
import sqlite3
import unicodedata
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from archive.export.leaks import letters_of
from tests.archiving import HOME, Archive, capture, sohr
from tests.crawling import rows

TOWNS = ("Afrin", "Ariha", "Bosra", "Jisr", "Kobani", "Maskana", "Nawa", "Palmyra", "Salqin", "Tafas")
TITLES = [f"Relatives of {town} name {n} missing men" for n, town in enumerate(TOWNS[:9], 11)]
TITLES.append("أهالي الرقة يطالبون بكشف مصير المفقودين")
FIRST, SECOND = "2026-01-02T10:00:00Z", "2026-01-03T10:00:00Z"


def slug(title: str) -> str:
    """A title as WordPress writes it in an address."""
    return quote("-".join(title.lower().split()))


def links_to(titles: list[str]) -> str:
    """A line of another post whose addresses, alone, say titles."""
    found = (f'<a href="{HOME}en/{100 + n}/{slug(title)}/">{n}</a>' for n, title in enumerate(titles))
    return "Earlier reports about this region: " + ", ".join(found)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten posts, and one that links to them by addresses that say their titles, and later links otherwise."""
    path = tmp_path_factory.mktemp("redacted") / "archive"
    with Archive(path) as archive:
        for n, title in enumerate(TITLES):
            line = f"In {title} a witness describes at length what nobody else reports, number {n}."
            archive.take(capture(100 + n, FIRST, line, "A second line.", title=title))
        other = "The other post: what follows is of no importance."
        archive.take(capture(1, FIRST, other, links_to(TITLES), title="Other"))
        archive.take(capture(1, SECOND, other, links_to(TITLES[::-1]), title="Other"))
    return path


def copy(folder: Path, target: Path, *posts: int) -> tuple[int, str]:
    """Publish without the first version of these posts."""
    listed = target.with_suffix(".txt")
    listed.write_text("".join(f"sohr:en:{post}@{FIRST}\n" for post in posts))
    done = sohr(folder, "publish-copy", target, "--redact", listed)
    return done.status, done.err


def test_no_byte_says_a_title(folder: Path, tmp_path: Path) -> None:
    """Another post's links and changes said the titles of ten redacted posts; no byte of the copy does."""
    [(links,)] = rows(folder, "select group_concat(links) from versions where article_id in "
                      "(select article_id from articles where key = '1')")  # fmt: skip
    [(details,)] = rows(folder, "select group_concat(details) from changes")
    assert all(slug(title) in links for title in TITLES) and slug(TITLES[0]) in details
    target = tmp_path / "public.db"
    assert copy(folder, target, *range(100, 110)) == (0, "")
    stored = target.read_bytes()
    spaced = stored.decode("utf-8", "ignore")
    for title in TITLES:
        forms = (title, title.lower(), slug(title), json.dumps(title)[1:-1])
        assert not any(form.encode() in stored for form in forms), title
        assert letters_of(title) not in letters_of(spaced)
    assert b"what follows is of no importance" in stored


def test_a_post_that_quotes_it_stops_the_copy(folder: Path, tmp_path: Path) -> None:
    """Its text is evidence and is not mended: one sentence names its citation, and no file is left."""
    quoting = tmp_path / "quoting"
    with Archive(quoting) as archive:
        archive.take(capture(100, FIRST, "A line.", title=TITLES[0]))
        archive.take(capture(2, FIRST, f"As we said in “{TITLES[0].upper()}”.", title="Quoting"))
    target = tmp_path / "public.db"
    status, said = copy(quoting, target, 100)
    assert status == 1 and said.count("\n") == 1, said
    assert f"sohr:en:2@{FIRST} still says a title or line that was taken out" in said
    assert not list(tmp_path.glob("*.db*")) and not list(tmp_path.glob(".public*"))
    assert copy(quoting, target, 100, 2) == (0, "")


SPELLINGS: dict[str, Callable[[str], str]] = {
    "escaped": quote,
    "escaped twice": lambda slug: quote(quote(slug)),
    "escaped thrice": lambda slug: quote(quote(quote(slug))),
    "small letters": lambda slug: quote(slug).lower(),
    "capitals": lambda slug: quote(slug.upper()),
    "one word": lambda slug: quote(slug.replace("-", "")),
    "underscores": lambda slug: quote(slug.replace("-", "_")),
    "decomposed": lambda slug: quote(unicodedata.normalize("NFD", slug)),
    "full width": lambda slug: quote("".join(chr(ord(a) + 0xFEE0) if "!" <= a <= "~" else a for a in slug)),
    "stretched": lambda slug: quote(slug.replace("\u0627", "\u0627\u0640")),
    "vowel signs": lambda slug: quote(slug.replace("\u0644", "\u0644\u064e")),
    "JSON": lambda slug: json.dumps(slug)[1:-1],
    "HTML": lambda slug: "".join(f"&#{ord(a)};" for a in slug),
    "a search": lambda slug: "?s=" + quote(slug.replace("-", " ")),
}


def test_other_spellings(tmp_path: Path) -> None:
    """Links of other posts say the titles in any spelling, short titles too; a short title that another post
    has is no secret."""
    titles = [TITLES[0], TITLES[-1], "Déjà en Kobané la fermeture", "Kobani news", "مقتل شاب", "Daily toll"]
    slugs = ["-".join(title.lower().split()) for title in titles]
    with Archive(tmp_path / "a") as archive:
        archive.take(*(capture(100 + n, FIRST, f"Of {n}.", title=title) for n, title in enumerate(titles)))
        archive.take(capture(1, FIRST, "Another.", title=titles[-1]))
        for number, spell in enumerate(SPELLINGS.values(), 2):
            found = " ".join(f'<a href="https://x.example/{spell(slug)}">{slug[:1]}</a>' for slug in slugs)
            archive.take(capture(number, FIRST, f"Other {number} {found}", title="Other"))
    target = tmp_path / "public.db"
    assert copy(tmp_path / "a", target, *range(100, 106)) == (0, "")
    with closing(sqlite3.connect(target)) as conn:
        rows = conn.execute("select links from versions where links != '[]' order by article_id").fetchall()
    links = [[address for address, _ in json.loads(row)] for (row,) in rows]
    kept = [[address for address in of if address] for of in links]
    assert len(links) == len(SPELLINGS) and all(len(of) == len(titles) for of in links)
    assert {spelling: len(of) for spelling, of in zip(SPELLINGS, kept, strict=True)} == dict.fromkeys(
        SPELLINGS, 1
    )


def test_no_byte_has_a_rare_word(tmp_path: Path) -> None:
    """One invented word each in title, text, link, picture, author, category's and tag's address, heading,
    comment and canonical address: no value, index or free page of the copy has one, whole or as a stem."""
    places = (
        "title",
        "text",
        "link",
        "href",
        "alt",
        "src",
        "caption",
        "author",
        "tag",
        "descr",
        "slug",
        "about",
    )
    w = {name: f"qzx{name}wvings" for name in (*places, "comment", "heading")}
    arabic = "زقخطمفردة"
    body = f"""<!DOCTYPE html><html lang="en"><head><title>{w["title"]} - SOHR</title>
<meta name="description" content="{w["descr"]}"><link rel="canonical" href="{HOME}en/100/{w["slug"]}/">
<meta property="article:tag" content="{w["tag"]}">
<script type="application/ld+json">{{"@type":"NewsArticle","headline":"{w["about"]}",
"author":{{"@type":"Person","name":"{w["author"]}"}}}}</script></head>
<body class="single postid-100"><article class="post type-post" id="post-100">
<h1 class="entry-title">{w["title"]} {arabic}</h1><div class="entry-content"><h2>{w["heading"]}</h2>
<p>In all 31 {w["text"]} were killed. <a href="https://x.example/{w["href"]}">{w["link"]}</a></p>
<figure><img src="{HOME}{w["src"]}.jpg" alt="{w["alt"]}"><figcaption>{w["caption"]}</figcaption>
</figure><p>{arabic} أخرى في الريف.</p></div></article><p class="comment">{w["comment"]}</p></body></html>"""
    other = f'Other words. <a href="{HOME}en/100/{w["slug"]}/">As reported</a>'
    with Archive(tmp_path / "a") as archive:
        archive.take(capture(100, FIRST, body=body.encode()), capture(7, FIRST, other, title="Other"))
        archive.take(capture(100, SECOND, body=body.replace("31", "13").encode()))
    stored = (tmp_path / "a" / "archive.db").read_bytes()
    assert sum(word.encode() in stored for word in w.values()) >= 9 and arabic.encode() in stored
    target = tmp_path / "public.db"
    (tmp_path / "list.txt").write_text(f"sohr:en:100@{FIRST}\nsohr:en:100@{SECOND}\n")
    done = sohr(tmp_path / "a", "publish-copy", target, "--redact", tmp_path / "list.txt")
    assert done.status == 0, done.err
    found = target.read_bytes()
    assert b"Other words." in found and b"qzx" not in found and "زقخ".encode() not in found
