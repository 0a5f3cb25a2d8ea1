"""Check what others cite: is the post archived, what did it say then and now, has the cited figure moved.

A figure moved if the version that was read at the date of the citation has it, and the newest one has another
in its place, or none. What is not known is said as such.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache, partial
from urllib.parse import unquote

from archive.compare.classes import Difference, Figure, compare
from archive.compare.sentences import Sentence, split_sentences
from archive.model import GONE_STATES, ArticleKey, Kind, Text
from archive.read.api import Archive, Article
from archive.read.records import Change, Version
from archive.read.references import (
    BadReference,
    NotArchived,
    Reference,
    parse_bound,
    parse_reference,
    strip_copied,
)
from archive.reports.cited_rows import CitedRow, read_day
from archive.sites.addresses_elsewhere import clean, identity
from archive.sites.sohr.addresses import HOME, Site

MOVED = "figure moved"
RESULTS = {  # in the order of the report
    MOVED: "the cited figure, or without one any figure, was changed or removed after the citation",
    "figure absent": "the cited figure stands in no archived version",
    "gone": "the post is gone from the site; the archive has what it said",
    "edited": "the text was edited and the cited figure stands; without one, no figure was changed",
    "stands": "the post says what it said",
    "no text": "the archive knows the post and has no text of it",
    "not archived": "a post that the archive does not have",
    "no post": "an address of the site that is no post: a listing, a feed, a file",
    "other site": "an address of another site that the archive does not have",
    "no original": "an archived address that does not name its original",
    "no address": "no address or citation in this row that can be read",
}
_SPECIAL = {"no original", "no address"}
# web.archive.org/web/20240131120000id_/http://..., archive.ph/20240131/http://..., arquivo.pt/wayback/...
_ARCHIVED = re.compile(
    r"https?://[^/?#]+/(?:[^?#]*?/)?(?:(?P<at>\d{4}(?:\d\d){0,5})(?:[a-z]{2}_)?\*?|\*|newest|oldest|o/\w+"
    r"|(?P<dotted>\d{4}\.\d\d\.\d\d-\d{6}))/(?P<url>(?:https?:/|www\.).+)",
    re.IGNORECASE,
)
_ARCHIVE_HOST = re.compile(
    r"https?://(?:(?:web\.|www\.)?archive\.(?:org|ph|is|today|li|vn|md|fo)|perma\.cc|ghostarchive\.org)/",
    re.IGNORECASE,
)
_NO_SCHEME = re.compile(r"[\w-]+(?:\.[\w-]+)+(?::\d+)?(?:/|$)")
_SCHEME = re.compile("^https?:", re.IGNORECASE)
_REMEMBERED = 1_000  # posts, since lists cite one post in many rows
_LATEST = "9999-12-31T23:59:59Z"


@dataclass(frozen=True, slots=True)
class Checked:
    """One address of a row. ``result`` is of `RESULTS`; ``state`` of the article. ``then`` is the version at
    the date of the citation, or the oldest; ``silent``: the site's modified time stayed; None: not stated."""

    row: int
    url: str
    result: str
    article: str | None = None
    state: str | None = None
    cited: str | None = None
    then: str | None = None
    now: str | None = None
    figure_now: str | None = None
    sentence_then: str | None = None
    sentence_now: str | None = None
    changed_at: str | None = None
    silent: bool | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class _Cited:
    """The date and the figure of a row, as far as they can be read."""

    until: str
    figure: str | None
    value: str | None
    note: str | None


class _Post:
    """An article with what rows that cite it ask again and again."""

    def __init__(self, article: Article, at: str | None) -> None:
        self.article, self.at = article, at  # ``at``: the instant of a citation
        self.versions = article.versions
        self._sentences: dict[str, dict[str, str]] = {}
        self._differences: dict[str, Difference] = {}

    @cached_property
    def changes(self) -> Sequence[Change]:
        return self.article.changes

    def sentence_with(self, version: Version, value: str | None) -> str | None:
        """The first sentence of a version with a number; None without one."""
        if value is None:
            return None
        if version.citation not in self._sentences:
            found: dict[str, str] = {}
            for sentence in split_sentences(f"{version.title}\n{version.text}"):
                for number in sentence.values:
                    found.setdefault(number, sentence.raw)
            self._sentences[version.citation] = found
        return self._sentences[version.citation].get(value)

    def difference(self, then: Version) -> Difference:
        """What the newest version has otherwise."""
        if then.citation not in self._differences:
            now = self.versions[-1]
            self._differences[then.citation] = compare(Text(then.title, then.text), Text(now.title, now.text))
        return self._differences[then.citation]


def check_rows(archive: Archive, rows: Iterable[CitedRow]) -> Iterator[Checked]:
    """Each address of each row. Raises what `Archive.open` raises."""
    find = lru_cache(_REMEMBERED)(partial(_find_post, archive, _site(archive)))
    for row in rows:
        if not row.urls:
            yield Checked(row.row, "", "no address", cited=row.figure)
        for url in row.urls:
            yield _check_address(find, row, url)


def _site(archive: Archive) -> Site:
    site = Site(archive.site or HOME)
    for known in archive.rows("select value from about where key = 'other_homes'"):
        for home in json.loads(known[0]):
            site.add_home(home)
    return site


def _check_address(find: Callable[[str], _Post | str], row: CitedRow, written: str) -> Checked:
    url, at = _original(strip_copied(written))
    if url is None:
        return Checked(row.row, written, "no original", cited=row.figure)
    post = find(url)
    if isinstance(post, str):
        return Checked(row.row, written, post, cited=row.figure)
    return _judge(row, written, post, _read_citation(row, post.at or at))


def _find_post(archive: Archive, site: Site, url: str) -> _Post | str:
    """The article of an address, or else the result."""
    try:
        found = _find(archive, site, url)
    except NotArchived:
        return "not archived"
    except BadReference:
        return "no address"
    return found if isinstance(found, str) else _Post(*found)


def _original(url: str) -> tuple[str | None, str | None]:
    """The address that an archived address is of, with the instant in it; None for one that does not say."""
    at = None
    url = _SCHEME.sub(lambda match: match[0].lower(), url)
    for _ in range(3):  # an archived copy of an archived copy
        match = _ARCHIVED.match(url)
        if match is None:
            break
        url = re.sub(r"^(https?:)/(?!/)", r"\1//", match["url"])
        digits = re.sub("[.-]", "", match["at"] or match["dotted"] or "")
        if len(digits) >= 8:  # "2024" means any copy of that year
            at = at or digits
    if _ARCHIVE_HOST.match(url):
        return None, None
    if not url.startswith(("http://", "https://", "sohr:")) and _NO_SCHEME.match(url):
        url = "https://" + url
    return url, _instant(at) if at else None


def _instant(digits: str) -> str | None:
    """The end of the time that a timestamp names: 20240131 is the end of that day."""
    full = digits + "99991231235959"[len(digits) :]
    parts = [full[:4], *(full[n : n + 2] for n in range(4, 14, 2))]
    return "{}-{}-{}T{}:{}:{}Z".format(*parts)


def _find(archive: Archive, site: Site, url: str) -> tuple[Article, str | None] | str:
    """The article of an address, with the instant of a citation; else the result. Raises NotArchived,
    BadReference."""
    if not url.startswith(("http://", "https://")):
        reference = parse_reference(url)
        return archive.find(reference), reference.at
    address = site.parse(url)
    if address is None:
        cleaned = clean(url)
        if cleaned is None:
            return "no address"
        try:
            return archive.find(Reference(url=cleaned)), None
        except NotArchived:
            key = identity(cleaned, None)
            return next(_articles(archive, key), None) or "other site"
    if address.kind is Kind.EMBED:  # below a post
        return _find(archive, site, re.sub(r"/(?:embed|feed(?:/\w+)?)/?(?:[?#].*)?$", "/", url))
    if address.kind is Kind.ARTICLE and address.edition and address.post_id:
        return archive.article(address.edition, address.post_id), None
    if address.kind is Kind.SLUG:
        return archive.find(Reference(url=address.url)), None
    return "no post"


def _articles(archive: Archive, key: ArticleKey) -> Iterator[tuple[Article, None]]:
    try:
        yield archive.find(Reference(key.source, key.key)), None
    except (NotArchived, BadReference):
        return


def _read_citation(row: CitedRow, at: str | None) -> _Cited:
    """An archived address and a citation name the instant that was read; else the row's date does."""
    notes = []
    until = at
    if until is None and row.date is not None:
        try:
            until = parse_bound(row.date, is_end=True)
        except BadReference:
            day = read_day(row.date)
            until = parse_bound(day, is_end=True) if day else None
        if until is None:
            notes.append(f"the date {row.date!r} is not read: write 2024-01-31")
    values = Sentence(row.figure).values if row.figure else []
    if row.figure and len(values) != 1:
        notes.append(f"the figure {row.figure!r} is not one number")
    value = values[0] if len(values) == 1 else None
    return _Cited(until or _LATEST, row.figure, value, "; ".join(notes) or None)


def _judge(row: CitedRow, url: str, post: _Post, cited: _Cited) -> Checked:
    article, versions = post.article, post.versions
    named = f"{article.source}:{article.key}"
    if not versions:
        state = article.state or "not captured yet"
        return Checked(row.row, url, "no text", named, state, cited.figure, note=cited.note)
    is_dated = cited.until != _LATEST
    earlier = [version for version in versions if version.first_captured_at <= cited.until]
    then = earlier[-1] if earlier and is_dated else versions[0]
    notes = [cited.note] if cited.note else []
    if is_dated and not earlier:
        notes.append("first captured after the citation: what it said then is not known")
    now = versions[-1]
    base, result, figure = _compare(post, then, cited.value)
    if result in ("stands", "edited") and article.state in GONE_STATES:
        result = "gone"
    change = _find_change(post, base, figure) if base is not now else None
    value_sentence = post.sentence_with(base, cited.value) if figure is None else figure.sentence_before
    return Checked(
        row=row.row,
        url=url,
        result=result,
        article=named,
        state=article.state,
        cited=cited.figure or (figure.before if figure else None),
        then=base.citation,
        now=now.citation,
        figure_now=figure.after if figure else None,
        sentence_then=value_sentence,
        sentence_now=figure.sentence_after if figure else post.sentence_with(now, cited.value),
        changed_at=change.said_at if change else None,
        silent=change.stealth if change else None,
        note="; ".join(notes) or None,
    )


def _compare(post: _Post, then: Version, value: str | None) -> tuple[Version, str, Figure | None]:
    """The version to cite, the result, and the figure that was changed or removed since."""
    now = post.versions[-1]
    if value is not None and not post.sentence_with(then, value):
        with_value = [version for version in post.versions if post.sentence_with(version, value)]
        if not with_value:
            return then, "figure absent", None
        then = with_value[-1] if now in with_value else with_value[0]
    if then is now:
        return then, "stands", None
    difference = post.difference(then)
    stands = value is not None and post.sentence_with(now, value) is not None
    for figure in difference.figures:
        if _is_moved(figure, value, stands=stands):
            return then, MOVED, figure
    if value is not None and not stands:
        return then, MOVED, None
    return then, "edited" if difference.classes else "stands", None


def _is_moved(figure: Figure, value: str | None, *, stands: bool) -> bool:
    """Whether a number was changed or removed; ``stands``: the cited value stands in another sentence."""
    before, after = (_value_of(written) for written in (figure.before, figure.after))
    if before is None or before == after or (value is not None and before != value):
        return False
    return after is not None or not stands


def _value_of(written: str | None) -> str | None:
    values = Sentence(written).values if written else []
    return values[0] if values else None


def _find_change(post: _Post, since: Version, figure: Figure | None) -> Change | None:
    """The first edit after a version that changed the figure; without one, the first edit after it."""
    later = {version.citation for version in post.versions[post.versions.index(since) + 1 :]}
    edits = [change for change in post.changes if change.kind == "updated" and change.citation in later]
    with_figure = (
        edit for edit in edits if figure and any(one.before == figure.before for one in edit.figures)
    )
    return next(with_figure, None) or next(iter(edits), None)


def show_address(url: str) -> str:
    """An address as a report shows it: Arabic slugs readable."""
    return unquote(url)
