"""robots.txt -> what it allows one visitor, as RFC 9309 reads it. Pure: text in, dataclass out."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote_to_bytes, urlsplit

NAME = "sohr-archive"  # the name by which robots.txt knows us
# Directives with the misspellings that the large search engines accept
_DIRECTIVE = re.compile(
    r"\s*(user[- ]?agent|dis+al+[oa]w|diasllow|allow|crawl-delay|sitemap)(?:\s*:|\s)(.*)",
    re.IGNORECASE,
)
_PRODUCT = re.compile(r"[A-Za-z_-]+|\*")
_ESCAPE = re.compile(r"%[0-9A-Fa-f]{2}")
_SECONDS = re.compile(r"\d{1,12}(?:\.\d{1,6})?")
_UNRESERVED = re.compile(r"[A-Za-z0-9._~-]")


@dataclass(slots=True)
class _Group:
    """The rules of one `User-agent` group."""

    rules: list[tuple[str, bool]] = field(default_factory=list)
    crawl_delay: float | None = None


@dataclass(frozen=True, slots=True)
class Robots:
    """What a robots.txt says to one visitor."""

    rules: tuple[tuple[str, bool], ...] = ()  # a normalised pattern, and whether it allows
    crawl_delay: float | None = None  # seconds between two requests
    sitemaps: tuple[str, ...] = ()  # addresses as written

    def allows(self, url: str) -> bool:
        """Return whether this address may be asked for. The longest rule decides; `Allow` wins a tie."""
        parts = urlsplit(url)
        path = _normalise((parts.path or "/") + (f"?{parts.query}" if "?" in url.partition("#")[0] else ""))
        if path == "/robots.txt":
            return True
        matches = (
            (len(pattern), is_allowed) for pattern, is_allowed in self.rules if _matches(pattern, path)
        )
        return max(matches, default=(0, True))[1]


NOTHING = Robots(rules=(("/", False),))  # for a robots.txt that cannot be read: ask for nothing


def parse_robots(text: str, name: str = NAME) -> Robots:
    """Read a robots.txt. The groups that name us are joined; those for `*` count only where no group does."""
    reading = _Reading()
    for line in re.split(r"[\r\n]+", text.lstrip("\ufeff")):
        if found := _DIRECTIVE.match(line.partition("#")[0]):
            reading.add(found[1].lower(), found[2].strip())
    group = reading.groups.get(name.lower()) or reading.groups.get("*") or _Group()
    return Robots(tuple(group.rules), group.crawl_delay, tuple(reading.sitemaps))


class _Reading:
    """What was read of a robots.txt so far."""

    def __init__(self) -> None:
        self.groups: dict[str, _Group] = {}  # by the product name in small letters
        self.sitemaps: list[str] = []
        self._open: list[_Group] = []  # the groups that the next rules belong to
        self._has_rules = False

    def add(self, directive: str, value: str) -> None:
        """Read one line."""
        if directive == "sitemap":
            self.sitemaps.append(value)
        elif directive.startswith("user"):
            product = _PRODUCT.match(value)
            group = self.groups.setdefault(product[0].lower() if product else "", _Group())
            self._open = [group] if self._has_rules else [*self._open, group]
            self._has_rules = False
        elif directive == "crawl-delay":
            self._set_delay(value)
        else:
            self._has_rules = True
            for group in self._open:
                group.rules += [(_normalise(value), directive == "allow")] if value else []

    def _set_delay(self, value: str) -> None:
        if seconds := _SECONDS.match(value):  # "10s" too
            for group in self._open:
                group.crawl_delay = float(seconds[0])


def _normalise(path: str) -> str:
    """One spelling: non-ASCII bytes as capital escapes, escapes of unreserved characters as the character."""

    def respell(escape: re.Match[str]) -> str:
        character = unquote_to_bytes(escape[0]).decode("latin-1")
        return character if _UNRESERVED.fullmatch(character) else escape[0].upper()

    return _ESCAPE.sub(respell, quote(path, safe="%!$&'()*+,;=:@/?[]~|\\^`{}\"<>"))


def _matches(pattern: str, path: str) -> bool:
    """Match from the path's start; ``*`` is any characters, a final ``$`` the end. In linear time."""
    is_anchored = pattern.endswith("$")
    first, *others = (pattern[:-1] if is_anchored else pattern).split("*")
    if not path.startswith(first):
        return False
    if not others:
        return not is_anchored or path == first
    at = len(first)
    *between, last = others
    for part in between:
        found = path.find(part, at)
        if found < 0:
            return False
        at = found + len(part)
    return len(path) - len(last) >= at and path.endswith(last) if is_anchored else path.find(last, at) >= 0
