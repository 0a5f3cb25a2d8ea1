"""The kinds of a version's lines as its column ``lines`` keeps them: ``["paragraph", 12, ["list", 1],
"row"]``, where a number says how many lines the kind behind it covers. A kind is its name, or name and depth
where there is one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import groupby

Kinds = list[tuple[str, int]]


def encode_kinds(kinds: Iterable[tuple[str, int]]) -> str:
    """Kind and depth of each line, as JSON."""
    told: list[object] = []
    for (name, depth), run in groupby(kinds):
        count = sum(1 for _ in run)
        told += ([count] if count > 1 else []) + [[name, depth] if depth else name]
    return json.dumps(told, separators=(",", ":"))


def decode_kinds(column: str) -> Kinds:
    """Kind and depth of each line again. Raises ValueError where the column is none of ours."""
    kinds: Kinds = []
    count = 1
    for told in json.loads(column):
        match told:
            case int():
                count = told
                continue
            case str():
                kinds += [(told, 0)] * count
            case [str(name), int(depth)]:
                kinds += [(name, depth)] * count
            case _:
                raise ValueError(f"no kind of a line: {told!r}")
        count = 1
    return kinds
