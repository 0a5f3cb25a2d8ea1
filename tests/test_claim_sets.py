"""What a version's row does not say twice is told again whole: claims and kinds of lines survive being kept
short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.model import Claim
from archive.store.claim_sets import pack, unpack
from archive.store.line_kinds import decode_kinds, encode_kinds
from tests.archiving import Archive, capture, page, well

FIELDS = (
    "title",
    "published_at",
    "modified_at",
    "day",
    "author",
    "meta_author",
    "language",
    "canonical_url",
    "post_id",
    "category",
    "tag",
    "meta_tag",
)
SAID = ("", "0", "1", "7", "2026-01-02", "2026-01-02T00:00:00Z", "News", "أخبار", "title", '["title","h1"]')
TEXTS = st.sampled_from(SAID) | st.text(max_size=5)
VERSIONS = st.fixed_dictionaries(
    {
        name: st.none() | TEXTS
        for name in ("published_at", "modified_at", "author", "language", "canonical_url")
    }
    | {
        "title": TEXTS,
        "categories": st.lists(TEXTS, max_size=3).map(json.dumps),
        "tags": st.lists(TEXTS, max_size=3).map(json.dumps),
    }
)
CLAIMS = st.lists(
    st.builds(Claim, st.sampled_from(FIELDS), TEXTS, st.sampled_from(("h1", "json-ld:headline", "rel:tag"))),
    max_size=12,
)


@given(CLAIMS, VERSIONS, st.none() | st.integers(0, 9))
def test_claims_are_told_again_as_they_were(
    claims: list[Claim], version: dict[str, Any], post_id: int | None
) -> None:
    """Conflicting ones too, in their order, whatever the columns say."""
    assert unpack(pack(claims, version, post_id), version, post_id) == claims


def test_posts_that_claim_alike_share_a_list() -> None:
    """What each says of itself stands in its columns; only a claim that differs from them is written out."""
    versions = [
        {
            "title": f"Post {n}",
            "published_at": f"2026-01-0{n}T10:00:00Z",
            "modified_at": None,
            "author": "Desk",
            "language": "en",
            "canonical_url": f"https://example.org/en/{n}/",
            "categories": f'["News {n}"]',
            "tags": "[]",
        }
        for n in (1, 2)
    ]
    lists = {
        pack(
            [
                Claim("title", f"Post {n}", "h1"),
                Claim("day", f"2026-01-0{n}", "json-ld:datePublished"),
                Claim("post_id", str(n), "body:class"),
                Claim("category", f"News {n}", "rel:category"),
                Claim("modified_at", "2030-01-01T00:00:00Z", "meta:article:modified_time"),
            ],
            version,
            n,
        )
        for n, version in enumerate(versions, 1)
    }
    assert [json.loads(kept) for kept in lists] == [
        [
            ["title", "h1"],
            ["day", "json-ld:datePublished"],
            ["post_id", "body:class"],
            ["category", 0, "rel:category"],
            ["modified_at", "2030-01-01T00:00:00Z", "meta:article:modified_time"],
        ]
    ]


@given(
    st.lists(
        st.tuples(st.sampled_from(("paragraph", "list", "heading", "row")), st.integers(0, 3)), max_size=30
    )
)
def test_kinds_of_lines_are_told_again_as_they_were(kinds: list[tuple[str, int]]) -> None:
    """Each line has its kind, and its depth where it has one."""
    assert decode_kinds(encode_kinds(kinds)) == kinds


@pytest.mark.parametrize("column", ['[["list"]]', "[null]", "[1]", "[[1,2]]", "{", '[["list",1,2]]'])
def test_a_column_that_is_none_of_ours_is_refused(column: str) -> None:
    """Whoever wrote into the database beside us hears of it."""
    with pytest.raises(ValueError):
        decode_kinds(column)


def test_a_claim_is_told_as_the_page_made_it(tmp_path: Path) -> None:
    """Also where an equal title in other quotation marks came with other metadata: the version keeps its own,
    the claim is the page's."""
    first, second = "Syria’s war", "Syria's war"
    with Archive(tmp_path / "a") as archive:
        archive.take(capture(1, "2026-01-02T10:00:00Z", "Text.", title=first))
        body = page(second, "Text.").replace(b"</head>", b'<meta name="author" content="Desk Two"></head>')
        [outcome] = archive.take(capture(1, "2026-01-03T10:00:00Z", body=body))
    assert outcome.word == "unchanged"
    [record] = [json.loads(line) for line in well(tmp_path / "a", "export").splitlines()]
    assert record["title"] == first and record["author"] == "Desk Two"
    assert [claim["value"] for claim in record["claims"] if claim["field"] == "title"] == [second]
