"""Match the positions of two sequences: exactly if affordable, in bounded time always."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import chain

# Cells of one exact alignment (16 MB, about 10 ms); above it, items that occur once on both sides are anchors
MAX_CELLS = 1 << 27

Pairs = list[tuple[int, int]]
Gap = tuple[int, int, int, int]  # before[i0:i1] stands against after[j0:j1]


def gaps_of(pairs: Pairs, gap: Gap) -> Iterator[Gap]:
    """The gaps between matched positions; gaps empty on both sides are left out."""
    i, j, i1, j1 = gap[0], gap[2], gap[1], gap[3]
    for p, q in chain(pairs, ((i1, j1),)):
        if p > i or q > j:
            yield i, p, j, q
        i, j = p + 1, q + 1


def align(before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairs:
    """Matching positions, increasing on both sides: a longest common subsequence, or one between anchors.

    Anchors are items that occur once on both sides (patience diff). A stretch without anchors that is too
    large for the exact way stays unmatched, which bounds the cost; difflib is quadratic or worse there.
    """
    pairs: Pairs = []
    work: list[Gap] = [(0, len(before), 0, len(after))]
    while work:
        i0, i1, j0, j1 = work.pop()
        while i0 < i1 and j0 < j1 and before[i0] == after[j0]:
            pairs.append((i0, j0))
            i0, j0 = i0 + 1, j0 + 1
        while i0 < i1 and j0 < j1 and before[i1 - 1] == after[j1 - 1]:
            i1, j1 = i1 - 1, j1 - 1
            pairs.append((i1, j1))
        if i0 == i1 or j0 == j1:
            continue
        if (i1 - i0) * (j1 - j0) <= MAX_CELLS:
            pairs += ((i0 + i, j0 + j) for i, j in _exact(before[i0:i1], after[j0:j1]))
        elif anchors := [(i0 + i, j0 + j) for i, j in _anchors(before[i0:i1], after[j0:j1])]:
            pairs += anchors
            work += gaps_of(anchors, (i0, i1, j0, j1))
    return sorted(pairs)


def _exact(before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairs:
    """Longest common subsequence by bits of large integers (Hyyrö 2004): a few additions for each row."""
    places: dict[Hashable, int] = {}
    for j, token in enumerate(after):
        places[token] = places.get(token, 0) | 1 << j
    full = (1 << len(after)) - 1
    rows = [full]  # a zero bit at j: matching after[j] made the subsequence longer
    for token in before:
        v = rows[-1]
        u = v & places.get(token, 0)
        rows.append(((v + u) | (v - u)) & full)
    pairs: Pairs = []
    i, j = len(before), len(after)
    while i and j:
        if rows[i] >> (j - 1) & 1:
            j -= 1
        else:
            i -= 1
            if rows[i] >> (j - 1) & 1:
                j -= 1
                pairs.append((i, j))
    return pairs[::-1]


def _anchors(before: Sequence[Hashable], after: Sequence[Hashable]) -> Pairs:
    """Items that occur once on both sides: the longest run of them in the same order."""
    counts, others = Counter(before), Counter(after)
    place = {token: j for j, token in enumerate(after)}
    ends: list[int] = []  # smallest last position of a run of each length
    last: list[int] = []  # and which candidate that is
    candidates: list[tuple[int, int, int]] = []  # i, j, the candidate before it in its run
    for i, token in enumerate(before):
        if counts[token] == 1 and others[token] == 1:
            j = place[token]
            k = bisect_left(ends, j)
            candidates.append((i, j, last[k - 1] if k else -1))
            ends[k : k + 1], last[k : k + 1] = [j], [len(candidates) - 1]
    pairs: Pairs = []
    at = last[-1] if last else -1
    while at >= 0:
        i, j, at = candidates[at]
        pairs.append((i, j))
    return pairs[::-1]


def heaviest(n: int, m: int, weight: Callable[[int, int], float]) -> Pairs:
    """The pairs, increasing on both sides, with the largest sum of weights. A weight of 0 or less never
    pairs. n x m steps."""
    weights = [[weight(i, j) for j in range(m)] for i in range(n)]
    best = [[0.0] * (m + 1) for _ in range(n + 1)]
    for i in range(n - 1, -1, -1):
        for j in range(m - 1, -1, -1):
            paired = weights[i][j] + best[i + 1][j + 1] if weights[i][j] > 0 else 0.0
            best[i][j] = max(best[i + 1][j], best[i][j + 1], paired)
    pairs: Pairs = []
    i = j = 0
    while i < n and j < m:
        if weights[i][j] > 0 and best[i][j] == weights[i][j] + best[i + 1][j + 1]:
            pairs.append((i, j))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs
