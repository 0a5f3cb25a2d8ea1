"""A circuit breaker a host: once so many of its last requests failed, with all their tries, it is left alone
until the next crawl. Pure.

It does not take a single good answer for health: where articles fail and listings come, each listing would
begin the count anew. A crawl is not worth a probe later on: the next run of the timer is one.
"""

from __future__ import annotations

from collections import Counter, deque

LAST = 10  # requests of a host that are remembered
FAILED = 5  # of them: it is down, or does not want us; a post that breaks its theme is one


class Breaker:
    """Counts what became of each host's last requests."""

    def __init__(self) -> None:
        self._last: dict[str, deque[str | None]] = {}

    def failed(self, host: str, word: str) -> str | None:
        """A request failed in such a way. What is wrong with the host in a few words, once it is too much;
        else None."""
        last = self._of(host)
        last.append(word)
        words = Counter(one for one in last if one)
        if words.total() < FAILED:
            return None
        return f"{words.total()} of its last {len(last)} answers were none ({', '.join(words)})"

    def answered(self, host: str) -> None:
        """A request got an answer, be it that there is no such page."""
        self._of(host).append(None)

    def _of(self, host: str) -> deque[str | None]:
        return self._last.setdefault(host, deque(maxlen=LAST))
