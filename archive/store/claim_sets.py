"""Pack the claims of a page, so that pages of one layout share a row of `claim_sets`.

A page makes about twenty-four claims, and nearly all repeat a column of its version. Written out, they take
as much room as its text. Packed, a claim is ``[field, origin]`` if its value is that of the column,
``[field, place, origin]`` if it stands at that place of the column's list, else ``[field, value, origin]``.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from archive.model import Claim

# The column that repeats a claim; of `day` the day of that time
_COLUMN = {
    name: name for name in ("title", "published_at", "modified_at", "author", "language", "canonical_url")
} | {"day": "published_at", "meta_author": "author"}
_LIST = {"category": "categories", "meta_category": "categories", "tag": "tags", "meta_tag": "tags"}


def pack(claims: Iterable[Claim], version: Any, post_id: int | None) -> str:
    """The claims of a version as JSON. ``version`` has its columns by name, lists as JSON or as sequences."""
    values = _values(version, post_id)
    packed: list[list[Any]] = []
    for field, value, origin in ((claim.field, claim.value, claim.origin) for claim in claims):
        column: Any = values.get(field)
        if field in _LIST and value in column:
            packed.append([field, column.index(value), origin])
        else:
            packed.append([field, origin] if column == value else [field, value, origin])
    return json.dumps(packed, ensure_ascii=False, separators=(",", ":"))


def unpack(packed: str | None, version: Any, post_id: int | None) -> list[Claim]:
    """The claims that `pack` was given; a public copy has lost those of columns that it emptied."""
    values = _values(version, post_id)
    claims = []
    for field, *value, origin in _read(packed or "[]"):
        said = value[0] if value else values[field]
        if said is not None:
            claims.append(Claim(field, values[field][said] if isinstance(said, int) else said, origin))
    return claims


def _values(version: Any, post_id: int | None) -> dict[str, Any]:
    values = {field: version[column] for field, column in _COLUMN.items()}
    values |= {"day": values["day"] and values["day"][:10], "post_id": post_id and str(post_id)}
    lists = {column: version[column] for column in ("categories", "tags")}
    read = {column: _read(value) if isinstance(value, str) else value for column, value in lists.items()}
    return values | {field: read[column] for field, column in _LIST.items()}


@lru_cache(256)  # nearly all versions share a few lists
def _read(column: str) -> list[Any]:
    return json.loads(column)  # type: ignore[no-any-return]  # JSON of the archive's own
