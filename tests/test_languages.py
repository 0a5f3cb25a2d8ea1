"""The reading pages in Arabic: every string comes from the catalogue, and every page leads to itself in the
other language. All posts are invented."""

from __future__ import annotations

import re
import sqlite3
import string
import tomllib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from datasette.app import Datasette
from jinja2 import Environment, nodes
from selectolax.lexbor import LexborHTMLParser

from archive import browse, outcome
from archive.browse import language
from archive.browse.language import ELSEWHERE, ENGLISH, LABELS, LANGUAGES, PLURALS, Language, choose_language
from archive.model import CHANGE_KINDS, CLASSES, GONE_STATES, REASONS, STATES
from archive.sites.wordpress.channels import CHANNELS
from tests.page import Page, words
from tests.reading import start

pytestmark = pytest.mark.pages  # on the newest alpha of Datasette 1.0 too
BROWSE = Path(browse.__file__).parent
TEMPLATES = sorted((BROWSE / "templates").glob("*.html"))
ARABIC = LANGUAGES["ar"]
FORMS = {"en": {"one", "other"}, "ar": {"zero", "one", "two", "few", "many", "other"}}
# Names of formats and programs, and what is written the same in every language
NAMES = {"csv", "json", "lines", "atom", "bibtex", "sha", "warc", "utc", "datasette", "http", "https"}
SHOWN = ("aria-label", "title", "placeholder", "alt", "data-of")  # attributes that a reader meets
PAGES = (
    "",
    "search?q=civilians",
    "search?q=-civilians",
    "search?q=nowhere%20civilians&edition=en&since=2025",
    "changes?view=all",
    "missing",
    "crawls",
    "coverage",
    "en/332481",
    "ar/700001",
    "en/332400",
    "en/332481/diff/1/2",
    "ar/700001/diff/1/2?view=inline",
    "nowhere",
    "en/1",
    "en/332481/diff/1/9",
)


def read(code: str) -> dict[str, Any]:
    """The catalogue of a language as its file has it."""
    tables = tomllib.loads((BROWSE / "languages" / f"{code}.toml").read_text(encoding="utf-8"))
    return {f"{section}.{key}": said for section, table in tables.items() for key, said in table.items()}


def parts(said: object) -> tuple[set[str], list[str]]:
    """What a string leaves to be filled in, and its elements."""
    text = " ".join(said.values()) if isinstance(said, dict) else str(said)
    names = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return names - {"n", "short_month", "month"}, sorted(set(re.findall(r"<(a|b|i|kbd)\b", text)))


# -- the catalogue -------------------------------------------------------------------------------------------


def test_arabic_has_every_string() -> None:
    """No key lacks Arabic, none is left over; what is filled in and what is a link is the same."""
    english, arabic = read("en"), read("ar")
    assert set(arabic) == set(english) | set(ELSEWHERE)
    for key, said in english.items():
        assert parts(said) == parts(arabic[key]), key
        assert isinstance(said, dict) == isinstance(arabic[key], dict), key
    assert all(LABELS["ar"].values()) and set(LABELS["ar"]) == set(LABELS["en"])
    letters = {key for key, said in arabic.items() if not re.search("[\u0621-\u064a]", str(said))}
    assert letters <= {"language.direction", "language.day", "language.month", "axis.version"} | {
        f"language.{form}" for form in ("long_day", "moment", "list")
    } | {"article.choice", "feed.entry", "feed.figure", "capture.digest", "front.without_text_state"}


@pytest.mark.parametrize("code", list(LANGUAGES))
def test_what_counts_has_every_form(code: str) -> None:
    """A string that counts has all plural forms of its language."""
    optional = {"zero"} if code == "en" else set()
    for key, said in read(code).items():
        if isinstance(said, dict):
            assert FORMS[code] <= set(said) <= FORMS[code] | optional, key


def test_every_code_has_its_words() -> None:
    """States, kinds and classes of the tables are named, and each word for what is gone has its sentence."""
    outcomes = {word for name, word in vars(outcome).items() if name.isupper() and isinstance(word, str)} - {
        outcome.INVENTED
    }
    channels = {channel.name for channel in CHANNELS} | {"article", "robots", "import", outcome.INVENTED}
    for section, codes in (
        ("state", STATES),
        ("kind", CHANGE_KINDS),
        ("class", CLASSES),
        ("outcome", (*outcomes, *REASONS, "withheld", "backfilled", "cross_check")),
        ("channel", channels),
        ("look", ("new", "pending", "due", "gap", "retry", "modified")),
    ):
        assert {code for code in codes if f"{section}.{code}" not in ENGLISH.words} == set()
    for state in (*STATES, "restored"):
        assert ENGLISH(f"state_means.{state}").endswith(".") and ARABIC(f"state_means.{state}").endswith(".")
    for gone in GONE_STATES:
        assert ARABIC.name("state", gone) == ARABIC.name("kind", gone) or gone == "withheld"


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "لا منشورات"),
        (1, "منشور واحد"),
        (2, "منشوران"),
        (3, "3 منشورات"),
        (10, "10 منشورات"),
        (11, "11 منشوراً"),
        (99, "99 منشوراً"),
        (100, "100 منشور"),
        (101, "101 منشور"),
        (103, "103 منشورات"),
        (1_111, "1,111 منشوراً"),
    ],
)
def test_arabic_counts(count: int, said: str) -> None:
    """The noun follows its number."""
    assert ARABIC("search.posts", count) == said


def test_dates_in_both_languages() -> None:
    """Months as in Syria, Western digits as on the site."""
    assert ENGLISH.moment("2026-02-05T14:30:12Z") == "5 Feb 2026, 14:30"
    assert ARABIC.moment("2026-02-05T14:30:12Z") == "5 شباط 2026، 14:30"
    assert ARABIC.long_day("2026-01-31") == "السبت 31 كانون الثاني 2026"
    assert ENGLISH.day("first of May") == "first of May"  # as the site wrote it
    assert ARABIC.ago("2026-02-05T14:00:00Z", "2026-02-05T14:12:00Z") == "قبل 12 دقيقة"


@pytest.mark.parametrize(
    ("accepted", "code"),
    [
        ("", "en"),
        ("ar", "ar"),
        ("ar-SY,ar;q=0.9,en;q=0.8", "ar"),
        ("en-GB,en;q=0.9,ar;q=0.8", "en"),
        ("fr,ar;q=0.5", "ar"),
        ("fr,de", "en"),
        ("ar;q=0,en", "en"),
        ("ar;q=nonsense;,;;", "ar"),
    ],
)
def test_the_readers_language(accepted: str, code: str) -> None:
    """The language that a browser likes best."""
    assert choose_language(accepted) == code


# -- nothing outside the catalogue ---------------------------------------------------------------------------


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.stem)
def test_templates_have_no_words_of_their_own(template: Path) -> None:
    """Every visible word of a template comes from the catalogue, by a key that is there."""
    tree = Environment(autoescape=True).parse(template.read_text(encoding="utf-8"))
    html = "".join(
        part.data if isinstance(part, nodes.TemplateData) else "\0"
        for output in tree.find_all(nodes.Output)
        for part in output.nodes
    )
    shown = re.findall(rf'(?:{"|".join(SHOWN)})="([^"]*)"', html)
    text = re.sub(r"<[^>]*>", " ", html) + " ".join(shown)
    assert set(re.findall(r"[^\W\d_]{2,}", text.lower())) <= NAMES | {
        "sohr",
        "flush",
    }  # the citation; a class
    assert set(_said(tree)) - NAMES == set()
    for call in tree.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t":
            key = call.args[0]
            if isinstance(key, nodes.Const):
                assert key.value in ENGLISH.words, key.value


def _said(tree: nodes.Template) -> Iterator[str]:
    """Strings that an expression puts into a page as they are."""

    def walk(node: nodes.Node) -> Iterator[str]:
        if isinstance(node, nodes.Const) and isinstance(node.value, str):
            # Classes, directions and tags are in attributes; a sentence or a name has a capital or a space
            yield from re.findall(r"[A-Z]\w+|\w+ \w+", node.value)
        elif isinstance(node, (nodes.CondExpr, nodes.Or, nodes.Concat, nodes.Add, nodes.And)):
            for child in node.iter_child_nodes():
                yield from walk(child)

    for output in tree.find_all(nodes.Output):
        for part in output.nodes:
            yield from walk(part)


def blank_catalogue() -> dict[str, Any]:
    """The English catalogue with a sign instead of words; what is filled in stays."""

    def blank(key: str, said: object) -> object:
        if isinstance(said, list):
            return ["§" for _ in said]
        return "§" + "".join(f"{{{name}}}" for name in sorted(parts(said)[0]))

    found = {key: blank(key, said) for key, said in ENGLISH.words.items()}
    return found | {"language.direction": "ltr"}


def visible_words(html: str) -> set[str]:
    """The words that a reader meets, without addresses, citations and what is shown as written."""
    tree = LexborHTMLParser(html)
    tree.strip_tags(["pre", "script", "code"])
    assert tree.body is not None
    text = [tree.body.text(separator=" ")]
    text += [node.attributes.get(name) or "" for name in SHOWN for node in tree.css(f"[{name}]")]
    visible = re.sub(r"https?://\S+|\S*/-/sohr/\S*", " ", " ".join(text)).lower()
    return set(re.findall(r"[^\W\d_]{2,}", visible))


async def test_modules_have_no_words_of_their_own(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a catalogue of signs instead of words, no word is left on a page but those of the archive."""
    monkeypatch.setitem(LANGUAGES, "ar", Language("ar", blank_catalogue()))
    with closing(sqlite3.connect(path)) as conn:
        stored = "\n".join(line for line in conn.iterdump() if line.startswith("INSERT"))
        places = [place for (place,) in conn.execute("select 'capture/1/' || offset from captures limit 2")]
    known = set(re.findall(r"[^\W\d_]+", stored.lower())) | NAMES | {"english"}
    known |= {"nowhere", "or"}  # asked for
    datasette = await start(path)
    for address in (*PAGES, *places):
        response = await datasette.client.get(f"/-/sohr/ar/{address}")
        assert response.status_code in (200, 404), address
        assert visible_words(response.text) - known == set(), address


# -- pages ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", PAGES)
async def test_a_page_in_arabic(ds: Datasette, address: str) -> None:
    """The page runs from right to left, has no English word of the software, and keeps the switch."""
    response = await ds.client.get(f"/-/sohr/ar/{address}")
    page = Page(response.text)
    html = page.tree.root
    assert html is not None and (html.attributes["lang"], html.attributes["dir"]) == ("ar", "rtl")
    assert page.link("English") == f"/-/sohr/{address or 'en/'}"
    english = await ds.client.get(page.link("English"))
    assert english.status_code == response.status_code
    back = Page(english.text).link("العربية")
    assert Page((await ds.client.get(back)).text).text == page.text
    for node in page.tree.css(", ".join(f"[{name}]" for name in SHOWN) + ", title"):
        shown = [node.attributes.get(name) or "" for name in SHOWN]
        assert "<" not in "".join(shown).replace("<script>", ""), address
    inside = [link for link in page.addresses if link.startswith("/-/sohr/")]
    ours = ("/-/sohr/ar/", "/-/sohr/datasette")
    assert {link for link in inside if not link.startswith(ours)} <= {page.link("English")}


async def test_an_arabic_comparison(ds: Datasette) -> None:
    """What changed is said in Arabic; post texts keep their own language and direction, citations theirs."""
    page = Page((await ds.client.get("/-/sohr/ar/en/332481/diff/1/2")).text)
    assert "تغيّر رقمان" in page.text and "تعديل غير معلن" in page.text
    [text] = page.tree.css(".diff")
    assert text.attributes["dir"] == "ltr" and "the blast killed 3 civilians" in words(text)
    assert {code.attributes.get("dir") for code in page.role("code")} == {"ltr"}
    assert "مقارنة النسخة 1 بالنسخة 2 من أصل 2" in page.text


async def test_only_the_front_page_asks_the_browser(ds: Datasette) -> None:
    """The front page without a language leads to the reader's; all other addresses mean what they say."""
    arabic = {"Accept-Language": "ar,en;q=0.5"}
    for door in ("/", "/-/sohr/"):
        answer = await ds.client.get(door, headers=arabic)
        assert (answer.status_code, answer.headers["location"]) == (302, "/-/sohr/ar/")
        assert answer.headers["vary"].startswith("Accept-Language")
        answer = await ds.client.get(door)
        assert answer.status_code == 200 and answer.headers["vary"].startswith("Accept-Language")
    for address in ("en/", "changes", "en/332481"):
        answer = await ds.client.get(f"/-/sohr/{address}", headers=arabic)
        assert answer.status_code == 200 and '<html lang="en" dir="ltr">' in answer.text
        assert Page(answer.text).link("SOHR archive") == "/-/sohr/en/"


async def test_feeds_in_arabic(ds: Datasette) -> None:
    """A feed that is followed from an Arabic page is in Arabic, and its entries lead to Arabic pages."""
    text = (await ds.client.get("/-/sohr/ar/changes.atom")).text
    assert "<title>أرشيف المرصد السوري: التغييرات</title>" in text
    assert 'href="http://localhost/-/sohr/ar/changes.atom"' in text
    assert "رقم معدَّل" in text and "http://localhost/-/sohr/ar/en/332481/diff/1/2" in text


def test_plural_rules_are_of_the_languages() -> None:
    """Each language has a rule, and no rule is without a catalogue."""
    files = {path.stem for path in (BROWSE / "languages").glob("*.toml")}
    assert files == set(PLURALS) == set(language.LANGUAGES)
