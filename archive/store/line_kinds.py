"""The column ``lines`` of a version: the kind of each line of its text, ``["paragraph", ["list", 1]]``, with
its depth where it has one."""

from __future__ import annotations

import json
from collections.abc import Iterable


def encode_kinds(kinds: Iterable[tuple[str, int]]) -> str:
    """Kind and depth of each line, as JSON."""
    return json.dumps([[name, depth] if depth else name for name, depth in kinds], separators=(",", ":"))


def decode_kinds(column: str) -> list[tuple[str, int]]:
    """Kind and depth of each line. Raises ValueError if the archive did not write the column."""
    kinds: list[tuple[str, int]] = []
    for kind in json.loads(column):
        match kind:
            case str():
                kinds.append((kind, 0))
            case [str(name), int(depth)]:
                kinds.append((name, depth))
            case _:
                raise ValueError(f"not the kind of a line: {kind!r}")
    return kinds
