"""Comparison, search folding and plain headlines."""

from __future__ import annotations

import json
import time
import unicodedata
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from archive.sites.sohr.hidden_words import HIDDEN
from archive.text.deobfuscate import deobfuscate, plain_title
from archive.text.fold import fold
from archive.text.normalise import normalise, same_sha256, text_sha256
from tests.archiving import Archive, capture, well

BIDI = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
SPACES = " \t\n\r\u00a0\u2003\u3000"
MARKS = dict.fromkeys(map(ord, BIDI + SPACES))
_TRICKY = "aZ9٣قةأ*-.…“”‘’\"'«»é \u00a0\u200f\u0640\u0301\u064f"
some = st.text(st.one_of(st.sampled_from(_TRICKY), st.characters(exclude_categories=["Cs"])), max_size=60)
plain = st.text(st.sampled_from("abcXYZ0123456789.,:;-–*•()قتل٠١٢٣ةىأإ_/|"), max_size=40)


@given(some)
def test_normalise_is_idempotent(text: str) -> None:
    """What is normalised stays as it is."""
    assert normalise(normalise(text)) == normalise(text)


@given(some, st.text(st.sampled_from(BIDI + SPACES), max_size=5), st.integers(0, 60))
def test_white_space_and_direction_make_no_version(text: str, noise: str, at: int) -> None:
    """White space and bidi marks may come and go anywhere but beside a digit."""
    composed = unicodedata.normalize("NFD", text)
    assume(
        not (
            composed[:at].translate(MARKS).rstrip()[-1:].isdecimal()
            or composed[at:].translate(MARKS).lstrip()[:1].isdecimal()
        )
    )
    assert normalise(composed[:at] + noise + composed[at:]) == normalise(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3 1", "31"),
        ("killed 3\n1 wounded", "killed 31 wounded"),
        ("١ ٢", "١٢"),
        ("1\t23", "12\t3"),
        ("12, 130", "12,130"),
        ("3. 5", "3.5"),
        ("3\u200b1", "31"),
    ],
)
def test_white_space_that_parts_two_numbers_counts(one: str, other: str) -> None:
    """Two numbers are not one, whatever keeps them apart; how wide that is does not matter."""
    assert normalise(one) != normalise(other)
    assert normalise(one.replace(" ", " \u200f\xa0\n")) == normalise(one)


def test_a_figure_in_another_cell_is_another_version() -> None:
    """Cell edges beside a digit count, also at the end of a row."""
    texts = ("Aleppo\t5\t", "Aleppo\t\t5", "Aleppo\t5", "Aleppo\t5\t\n", "Aleppo\n\t5")
    assert len({normalise(text) for text in texts}) == 3


@given(some, st.sampled_from("\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffc"), st.integers(0, 60))
def test_characters_without_shape_make_no_version(text: str, noise: str, at: int) -> None:
    """They may appear anywhere but between two digits."""
    assume(not (text[:at][-1:].isdecimal() and text[at:][:1].isdecimal()))
    assume(not any(mark in text for mark in "\u00ad\u200b\u200c\u200d\u2060\ufeff\ufffc"))
    assert normalise(text[:at] + noise + text[at:]) == normalise(text)


@given(some)
def test_quotes_and_ellipsis_make_no_version(text: str) -> None:
    """Curly or straight, three dots or one character."""
    straight = text.translate({ord(c): '"' for c in "“”«»"} | {ord(c): "'" for c in "‘’"}).replace("…", "...")
    assert normalise(straight) == normalise(text)


@given(plain, plain)
def test_nothing_else_is_folded(one: str, other: str) -> None:
    """Two texts that differ in a letter, digit, case or sign are two versions; 3 and ٣ too."""
    composed, also = (unicodedata.normalize("NFC", text) for text in (one, other))
    assert (normalise(one) == normalise(other)) == (composed == also)


@given(st.text(st.characters(categories=["Nd"]), min_size=1, max_size=5))
def test_every_digit_counts(digits: str) -> None:
    """A changed digit always makes a version."""
    assert normalise(f"a {digits} b") != normalise(f"a {digits[:-1]} b")


def test_title_and_text_do_not_run_together() -> None:
    """A word that moves from the headline into the text is an edit."""
    assert same_sha256("a b", "c") == same_sha256("ab", " c") != same_sha256("a", "bc")
    assert text_sha256("a b") != text_sha256("ab")


RESTORED = {
    "IS*IS": "ISIS", "ki*lled": "killed", "kil*led": "killed", "Dea*th": "Death", "De*ath": "Death", "Gu*nmen": "Gunmen",
    "assas*sinate": "assassinate", "assa*ssinations": "assassinations", "fata*lities": "fatalities", "wa*rplanes": "warplanes",
    "w*a*r": "war", "expl*odes": "explodes", "Mur*der": "Murder", "H*T*S": "HTS", "att*ack": "attack", "di*es": "dies",
    "Al-Fa*th": "Al-Fath", "IS-IS": "ISIS", "kil-led": "killed", "k-illed": "killed", "att-ack": "attack", "inju-red": "injured",
    "tar-gets": "targets", "anti-IS-IS": "anti-ISIS", "قـتـل": "قتل", "دا.عش": "داعش", "ق_ت_ل": "قتل", "مق\u200cتل": "مقتل",
}  # fmt: skip


@pytest.mark.parametrize(("hidden", "plain"), RESTORED.items())
def test_hidden_words_are_restored(hidden: str, plain: str) -> None:
    """All tricks of SITE.md, and the Arabic ones of reposts, with a map back."""
    title = f"Homs | {hidden} in 13-16 cases, 4*4"
    got, spans = deobfuscate(title, HIDDEN)
    assert got == f"Homs | {plain} in 13-16 cases, 4*4"
    (span,) = spans
    assert (got[span.start : span.end], title[span.original_start : span.original_end]) == (plain, hidden)


_FIRST = """
Al El Deir SDF Iranian Turkish regime government opposition US Israeli Russian ISIS HTS anti pro pre post non ex de re co self so well long
short high low mid cease check north south cross door family two three ten
"""
_SECOND = """
Raqqah Hol Bab Hasakah held backed led controlled affiliated ISIS war escalation election called known term range level fire point east west
border based made day year old storey named
"""
_OTHERS = """
13-16 4*4 3*5m 5* *bold* * 24-hour 1-2 A* air-strikes war-planes land-mine د.محمد ـــ أ.ب www.syriahr.com a.b_c e-mail x-ray
"""
_STAY = [f"{first}-{second}" for first in _FIRST.split() for second in _SECOND.split()] + _OTHERS.split()


@pytest.mark.parametrize(
    "body",
    [
        "",
        (
            "The regime held the war point, killed; email and xray and midlevel and Alhol and Alraqqah "
            "deescalation."
        ),
    ],
)
def test_ordinary_words_stay(body: str) -> None:
    """Not one of over 300 ordinary compounds, names, ranges and starred tokens is touched."""
    assert len(_STAY) > 300
    assert [word for word in _STAY if plain_title(word, HIDDEN, body) != word] == []


_REAL = """
re-arrest re-sign re-target co-operation cross-border by-election mid-air air-dropped air-drop anti-tank e-mail T-shirt on-going
counter-attack counter-attacks counter-terrorism suicide-bomb car-bomb rocket-propelled house-to-house war-torn death-toll dead-lock
ex-fighter ex-wife re-open cease-fire check-point land-mines blood-shed gun-point eye-witness eye-witnesses peace-keepers peace-keeping
earth-quake country-side grave-yard motor-cycle motor-bike ware-house farm-land out-post life-time wide-spread break-through tax-payer
free-lance jail-break prison-break web-site on-site rain-fall school-boy market-place child-hood brother-hood brother-in-law fore-front
after-math ground-water bread-winner by-stander passer-by tear-gas sub-district vice-president non-combatant pre-dawn multi-story
self-defense bomb-shell ship-wreck oil-field gas-field fire-fight Abu-Kamal Al-Bukamal Kafr-Takharim Kfar-Nabl Ain-Issa Ein-Issa Tel-Abyad
Tall-Tamr Ras-al-Ain Deir-Hafir Sere-Kaniye Jisr-al-Shughur Khan-Shaykhun Beit-Jinn Bir-Ajam Wadi-Barada Burj-Islam Jabal-Turkman Umm-Batna
Dar-Taizzah Ayn-al-Arab Hajar-al-Aswad Bab-al-Hawa Sayyida-Zaynab
"""
_COMPOUNDS = _REAL.split()


@pytest.mark.parametrize(
    "body", ["", " ".join(word.replace("-", "") for word in _COMPOUNDS)], ids=["alone", "joined-in-the-body"]
)
def test_compounds_and_names_stay(body: str) -> None:
    """Nor real compounds and place names, even where the article's own text writes each of them in one
    word."""
    assert [word for word in _COMPOUNDS if plain_title(word, HIDDEN, body) != word] == []


def test_the_body_teaches_words() -> None:
    """A word that the list does not have is joined where the article's own text has it plain, and left where
    the text hyphenates it too."""
    assert plain_title("Fac-tion enters town", HIDDEN, "The faction entered.") == "Faction enters town"
    assert plain_title("Fac-tion enters town", HIDDEN, "The fac-tion, the faction.") == "Fac-tion enters town"
    assert plain_title("Fac-tion enters town", HIDDEN) == "Fac-tion enters town"


@given(some, some)
def test_spans_lead_back(title: str, body: str) -> None:
    """Outside the spans nothing changes, and the spans stand in order in both texts."""
    plain, spans = deobfuscate(title, HIDDEN, body)
    here = there = 0
    for span in spans:
        assert plain[here : span.start] == title[there : span.original_start]
        here, there = span.end, span.original_end
    assert plain[here:] == title[there:]
    assert (
        deobfuscate(plain, HIDDEN, body)[0] == plain
        or "*" in title
        or "-" in title
        or "." in title
        or "_" in title
        or "\u0640" in title
    )


@given(some)
def test_fold_is_idempotent(text: str) -> None:
    """What is folded stays as it is, so that a query may be folded twice."""
    assert fold(fold(text, HIDDEN), HIDDEN) == fold(text, HIDDEN)


@pytest.mark.parametrize(
    ("asked", "written"),
    [
        ("killed", "kil-led"), ("ISIS", "IS*IS"), ("قتل", "قُتِلَ"), ("الامن", "الأمن"), ("امن", "الأمن"), ("الأمن", "والأمن"), ("23", "٢٣"),
        ("23", "۲۳"), ("مدرسه", "مدرسة"), ("علي", "على"), ("cafe", "Café"), ("don't", "don’t"), ("شي", "شيء"),
        ("مسؤول", "مسوول"), ("قتل", "قـــتل"), ("km2", "km²"), ("مدنيين", "للمدنيين"),
    ],
)  # fmt: skip
def test_search_finds(asked: str, written: str) -> None:
    """Both sides are folded alike."""
    assert fold(asked, HIDDEN) == fold(written, HIDDEN)


def test_fold_keeps_what_differs() -> None:
    """Folding is for finding, not for melting: other numbers and words stay apart."""
    assert fold("قتل 23", HIDDEN) != fold("قتل 24", HIDDEN)
    assert fold("الله", HIDDEN) == "الله"
    assert fold("Al-Raqqah", HIDDEN) == "al-raqqah"


@pytest.mark.parametrize(
    "word", ["a-" * 20_000 + "a", "قت-" * 20_000 + "ل", "a*" * 20_000 + "b", "ab.cd-" * 20_000, "ال" * 20_000]
)
def test_a_word_of_many_parts_takes_no_time(word: str) -> None:
    """What a hostile or broken page puts into one word is folded in a moment, in a headline and in a text."""
    start = time.process_time()
    fold(word, HIDDEN)
    plain_title(word, HIDDEN, word)
    assert time.process_time() - start < 2


@pytest.mark.parametrize(
    ("asked", "found"),
    [("killed", 1), ("ISIS", 2), ("isis", 2), ("قتل", 3), ("الامن", 4), ("23", 5), ("أمن", 4), ("Raqqah", 0)],
)
def test_search_finds_through_tricks_and_spelling(tricked: Path, asked: str, found: int) -> None:
    """The command finds a word however the site hid or spelled it, and nothing else."""
    hits = [json.loads(line) for line in well(tricked, "search", asked, "--json").splitlines()]
    assert [hit["post_id"] for hit in hits] == ([found] if found else [])


@pytest.fixture(scope="module")
def tricked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five posts, each with one word as the site writes it."""
    folder = tmp_path_factory.mktemp("tricked") / "archive"
    said = ("Two people kil-led", "IS*IS left the town", "قُتِلَ شخصان", "الأمن في المدينة", "العدد ٢٣")
    with Archive(folder) as archive:
        archive.take(
            *(
                capture(number, "2026-01-02T00:00:00Z", f"A line of text about {number}.", title=title)
                for number, title in enumerate(said, 1)
            )
        )
    return folder
