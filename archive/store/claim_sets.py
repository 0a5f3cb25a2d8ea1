"""Claims as the database keeps them: what a page states about itself, and where, without saying again what
the columns of its version say.

An article of the site makes some twenty-five claims, nearly all of which repeat its columns: written out,
they took more room than its text. Here a claim is ``[field, origin]`` where its value is that of the column,
``[field, place, origin]`` where it is that place in the column's list, and ``[field, value, origin]`` where
it says something else. Pages of one layout so make the same list, which is kept once (table `claim_sets`).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any

from archive.model import Claim

# The column that a claim's value is compared with; of `day` the day of that time. That of `post_id` is the
# article's.
_COLUMN = {
    "title": "title",
    "published_at": "published_at",
    "modified_at": "modified_at",
    "day": "published_at",
    "author": "author",
    "meta_author": "author",
    "language": "language",
    "canonical_url": "canonical_url",
}
_LIST = {"category": "categories", "meta_category": "categories", "tag": "tags", "meta_tag": "tags"}
_DAY = len("2026-01-02")


def pack(claims: Iterable[Claim], version: Mapping[str, Any], post_id: int | None) -> str:
    """The claims of a version, as JSON. ``version`` has its columns by name, the lists as JSON or as
    sequences."""
    own, lists = _own(version, post_id), _lists(version)
    packed: list[list[Any]] = []
    for claim in claims:
        if own.get(claim.field) == claim.value:
            packed.append([claim.field, claim.origin])
        elif claim.value in (named := lists.get(claim.field, ())):
            packed.append([claim.field, named.index(claim.value), claim.origin])
        else:
            packed.append([claim.field, claim.value, claim.origin])
    return json.dumps(packed, ensure_ascii=False, separators=(",", ":"))


def unpack(packed: str | None, version: Any, post_id: int | None) -> list[Claim]:
    """The claims again, from what `pack` made and the row of the version; what a copy for the public took out
    of a column is no claim any more."""
    if packed is None:
        return []
    own, lists = _own(version, post_id), _lists(version)
    claims: list[Claim] = []
    for field, *value, origin in _read(packed):
        match value:
            case [] if own[field] is not None:
                claims.append(Claim(field, own[field], origin))
            case [int(place)]:
                claims.append(Claim(field, lists[field][place], origin))
            case [str(said)]:
                claims.append(Claim(field, said, origin))
    return claims


def _own(version: Any, post_id: int | None) -> dict[str, Any]:
    given = {field: version[column] for field, column in _COLUMN.items()}
    return given | {
        "day": given["day"] and given["day"][:_DAY],
        "post_id": None if post_id is None else str(post_id),
    }


def _lists(version: Any) -> dict[str, Any]:
    given = {column: version[column] for column in ("categories", "tags")}
    read = {column: _read_list(value) if isinstance(value, str) else value for column, value in given.items()}
    return {field: read[column] for field, column in _LIST.items()}


@lru_cache(256)  # the same few lists for nearly all versions
def _read(packed: str) -> list[list[Any]]:
    return json.loads(packed)  # type: ignore[no-any-return]  # as `pack` made it


@lru_cache(256)
def _read_list(column: str) -> list[str]:
    return json.loads(column)  # type: ignore[no-any-return]  # a column of JSON lists
