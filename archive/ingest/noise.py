"""Counts what sites do every day and what is no trouble: for `sohr-archive status`."""

from __future__ import annotations

from archive.model import Edition
from archive.store.rows import Store

STALE_COPY = "stale_copy"  # a cache answered a look with an older text
NEW_ADDRESS = "new_address"  # a look found the same links or images, with addresses made anew
FURNITURE = "furniture"  # two answers to a look showed lines that change with each request
DOUBTFUL = "doubtful"  # `general` read a text too short to check, and no channel supports it
BAD_ENTRY = "bad_entry"  # a feed has an entry without a readable address or time


def count_noise(store: Store, edition: Edition | None, at: str, kind: str) -> None:
    """Add one to the count of a kind on the day of an instant."""
    if edition is not None:
        store.query(
            """insert into noise_counts values (?, ?, ?, 1)
               on conflict do update set number = number + 1""",
            edition,
            at[:10],
            kind,
        )
