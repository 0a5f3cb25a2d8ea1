"""What a search finds: twelve kinds of query over invented posts, with their counts."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from archive.ingest import neighbours
from archive.read.find import BadQuery, Filters, count_matches, count_words, find, suggest
from archive.read.references import BadReference
from archive.read.search import found_words, parse_query, spans
from archive.sites.sohr.hidden_words import HIDDEN
from archive.store.rows import Store
from archive.store.schema import create_schema
from archive.text.fold import fold
from tests.archiving import Archive, capture, sohr

POSTS = {
    1: ("Landmine in Hama", "A landmine kills a shepherd near the village."),
    2: ("Landmines cleared", "Two landmines were found; no civilian was hurt."),
    3: ("Clashes in Idlib", "Civilians fled. 1,204 people reached the camp."),
    4: ("Report of the month", "The desk counts 1204 civilians and 12 children."),
    5: ("Airstrike on Daraa", "An air strike killed three children; a car bomb followed."),
    6: ("Market", "A bomb in a car was found."),
    7: ("مقتل 3 أشخاص في إدلب", "وثّق المرصد مقتل ثلاثة أشخاص."),
    8: ("قصف على حماة", "سقط قتلى وجرحى من المدنيين، وقتلوا في منازلهم."),
    9: ("انفجار لغم", "انفجر لغم أرضي، وألغام أخرى في القرية."),
    10: ("IS-IS cell", "An IS-IS cell was k*illed in the desert."),
}


@pytest.fixture(scope="module")
def conn() -> Iterator[sqlite3.Connection]:
    """An archive of these posts, a day each."""
    with closing(sqlite3.connect(":memory:")) as conn:
        create_schema(conn)
        conn.execute("pragma foreign_keys = off")
        for number, (title, text) in POSTS.items():
            edition = "en" if title.isascii() else "ar"
            conn.execute(
                "insert into articles (article_id, source, key, edition, post_id, url, state, day, "
                "newest_version_id,"
                " first_sighted_at) values (?1, ?2, ?1, ?2, ?1, 'http://x/' || ?1, 'live', ?3, ?1, ?3)",
                (number, edition, f"2026-01-{number:02}"),
            )
            folded = (fold(title, HIDDEN), fold(text, HIDDEN))
            conn.execute("insert into search (rowid, title, text) values (?, ?, ?)", (number, *folded))
        yield conn


@pytest.mark.parametrize(
    ("typed", "ids"),
    [
        ("landmines", {1, 2}),  # plural
        ("civilian", {2, 3, 4}),
        ("land*", {1, 2}),  # prefix
        ("landmine OR airstrike", {1, 2, 5}),
        ("landmine OR لغم", {1, 2, 9}),
        ("civilians -children", {2, 3}),  # minus
        ('civilians -"the desk"', {2, 3}),
        ("\u200f-children civilians", {2, 3}),  # copied from an Arabic page
        ("1204", {3, 4}),  # with and without separator
        ("1,204", {3, 4}),
        ("١٢٠٤", {3, 4}),
        ("قتل", {7, 8}),  # Arabic root
        ("ألغام", {9}),
        ("المدنيين", {8}),  # Arabic with article
        ("مدني", {8}),
        ("killed", {1, 5, 10}),  # obfuscated word, and its stem
        ("ISIS", {10}),
        ('"car bomb"', {5}),  # phrase
        ("car bomb", {5, 6}),
        ("landmine Damascus", set()),  # no hit
    ],
)
def test_queries_find_their_posts(conn: sqlite3.Connection, typed: str, ids: set[int]) -> None:
    """Each kind of query finds exactly the right posts, by relevance and by day, and says how many."""
    query = parse_query(typed)
    assert set(find(conn, query).ids) == ids
    assert find(conn, query, newest_first=True).ids == sorted(ids, reverse=True)
    assert count_matches(conn, query) == len(ids)


@pytest.mark.parametrize(("typed", "ids"), [("landmines", {2}), ("قتل", set()), ("1204", {3, 4})])
def test_exact_words(conn: sqlite3.Connection, typed: str, ids: set[int]) -> None:
    """For counting: only the words as typed."""
    assert set(find(conn, parse_query(typed, exact=True)).ids) == ids


@pytest.mark.parametrize(
    ("typed", "sentence"), [("*", "no letter"), ("()", "no letter"), ("-x", "leaves words")]
)
def test_a_search_without_words(conn: sqlite3.Connection, typed: str, sentence: str) -> None:
    """A sentence says why nothing is searched for."""
    with pytest.raises(BadQuery, match=sentence):
        find(conn, parse_query(typed))


def test_no_hit_says_what_would_have_found_something(conn: sqlite3.Connection) -> None:
    """Similar queries with their counts, and the count of each word."""
    query = parse_query("landmine Damascus")
    assert ("landmine", Filters(), 2) in suggest(conn, query)
    assert count_words(conn, query, Filters()) == [("landmine", 2), ("Damascus", 0)]
    assert ("landmine", Filters(), 2) in suggest(conn, parse_query("landmine"), Filters(edition="ar"))
    assert suggest(conn, parse_query("landmining", exact=True))[0] == ("landmining", Filters(), 2)


def test_filters(conn: sqlite3.Connection) -> None:
    """Edition and days, inclusive."""
    query = parse_query("landmine OR لغم")
    assert find(conn, query, Filters(edition="ar")).ids == [9]
    assert set(find(conn, query, Filters(until="2026-01-02")).ids) == {1, 2}
    assert find(conn, parse_query(""), Filters(since="2026-01-09")).ids == [10, 9]
    for day in ("2026-1-9", "2026-13-01", "2026-02-30", "yesterday", "٢٠٢٦"):
        with pytest.raises(BadReference, match="is not a date"):
            Filters(until=day)


def test_the_newest_article_is_in_a_block(conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where its block holds no other that is looked up."""
    for name, value in (("RANKED", 1), ("_BLOCK", 2), ("_SAMPLED", 5)):
        monkeypatch.setattr(f"archive.read.find.{name}", value)
    newest = max(POSTS)
    word = POSTS[newest][1].split()[0]
    assert newest in find(conn, parse_query(f"{word} OR landmine OR civilian"), Filters()).ids


@pytest.mark.parametrize(
    ("filters", "ids"), [(Filters(), {4, 5, 6}), (Filters(until="2026-01-04"), {2, 3, 4})]
)
def test_of_many_matches_the_newest_are_ranked(
    conn: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch, filters: Filters, ids: set[int]
) -> None:
    """Blocks of ids are taken, the newest first, until enough articles match; the others are left out."""
    for name, value in (("RANKED", 2), ("_BLOCK", 2), ("_SAMPLED", 1)):
        monkeypatch.setattr(f"archive.read.find.{name}", value)
    matches = find(conn, parse_query("landmine OR civilian OR bomb"), filters)
    assert (set(matches.ids), matches.count, matches.is_cut) == (ids, None, True)


def test_marks_stand_around_every_form() -> None:
    """A match is marked whatever form of the word it is, and the words that matched are listed."""
    text = "Landmines, a landmine and 1,204 men."
    terms = parse_query("landmine 1204").terms
    assert [text[a:b] for a, b in spans(text, terms)] == ["Landmines", "landmine", "1,204"]
    assert found_words([text], terms) == ["landmines", "landmine", "1,204"]


def test_an_error_of_ours_leaves_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page whose reading ends in an error of ours takes no other page's words along, and leaves none: the
    next article gets its number."""
    end_promotion = neighbours.end_promotion

    def fail_once(store: Store, article_id: int) -> None:
        monkeypatch.setattr(neighbours, "end_promotion", end_promotion)
        raise ZeroDivisionError

    with Archive(tmp_path) as archive:
        one = archive.take(capture(1, "2026-01-02T00:00:00Z", "one lantern"))
        monkeypatch.setattr(neighbours, "end_promotion", fail_once)
        kettle, wheel = (
            capture(2, "2026-01-02T00:00:00Z", "a kettle"),
            capture(3, "2026-01-02T00:00:00Z", "a wheel"),
        )
        outcomes = [*one, *archive.take(kettle, wheel)]
    assert [outcome.word for outcome in outcomes] == ["new", "broken", "new"]
    found = [sohr(tmp_path, "search", word, "--json").lines for word in ("lantern", "kettle", "wheel")]
    assert [[json.loads(line)["post_id"] for line in lines] for lines in found] == [[1], [], [3]]
