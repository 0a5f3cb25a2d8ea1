"""Cut what stands at the edges of a text and is not the article, by rules.

The same words inside the article stay: "Related Articles" between two paragraphs is the site's own text.
Sources and disclaimers become notes and metadata; counters and the like are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from archive.html.lines import Raw, tidy
from archive.model import LineKind
from archive.sites.sohr.addresses import Site
from archive.sites.wordpress.boxes import drop_boxes, is_notice

SITE_NAMES = frozenset(
    (
        "the syrian observatory for human rights",
        "syrian observatory for human rights",
        "sohr",
        "المرصد السوري لحقوق الإنسان",
        "المرصد السورى لحقوق الإنسان",
        "المرصد السوري لحقوق الانسان",
    )
)
# Headings of lists of other articles, as whole lines; case and a closing colon do not matter
_RELATED = frozenset(
    (
        *(
            "you might also like",
            "you may also like",
            "you may like",
            "related articles",
            "related posts",
            "related news",
            "related stories",
        ),
        *(
            "related topics",
            "related",
            "read also",
            "also read",
            "more from author",
            "recommended for you",
            "more stories",
            "more news",
            "see also",
        ),
        *(
            "latest news",
            "مقالات ذات صلة",
            "أخبار ذات صلة",
            "اخبار ذات صلة",
            "مواضيع ذات صلة",
            "مواضيع متعلقة",
            "ذات صلة",
        ),
        *(
            "قد يعجبك أيضا",
            "قد يعجبك أيضًا",
            "قد يعجبك أيضاً",
            "قد يعجبك ايضا",
            "اقرأ أيضا",
            "اقرأ أيضًا",
            "اقرأ أيضاً",
            "اقرا ايضا",
        ),
        *(
            "شاهد أيضا",
            "شاهد أيضًا",
            "شاهد أيضاً",
            "المزيد من الأخبار",
            "المزيد من المقالات",
            "آخر الأخبار",
            "اخر الاخبار",
        ),
    )
)
_LATEST = frozenset(("latest news", "آخر الأخبار", "اخر الاخبار"))
_COOKIES = re.compile(
    r"^this website uses cookies to improve your experience\b.*$|^(?:accept|read more|accept read more)$"
    r"|^(?:نستخدم|يستخدم هذا الموقع) (?:ملفات تعريف الارتباط|الكوكيز)\b.*$",
    re.IGNORECASE,
)
_COOKIE_BUTTONS = re.compile(r"^(?:accept|read more|accept read more|قبول|اقرأ المزيد)$", re.IGNORECASE)
_NUMBER = re.compile(r"^[0-9٠-٩۰-۹]{1,3}(?:[,.٬][0-9٠-٩۰-۹]{3})*$|^[0-9٠-٩۰-۹]+(?:[.,٫][0-9]+)?[KkMm]?$")
_DISCLAIMER = re.compile(r"^\[?(?:disclaimer|إخلاء مسؤولية|اخلاء مسؤولية)\]?:?$", re.IGNORECASE)
_OPINION = re.compile(
    r"^[*(\[\s]*(?:disclaimer\s*:\s*)?(?:the\s+)?(?:opinions?|views?|statements?|content|articles?|material)\b.{0,200}?"
    r"\b(?:do(?:es)? not (?:necessarily )?(?:reflect|represent|express)|don[’']t (?:necessarily )?(?:reflect|represent)|are (?:solely )?those of the author)\b"
    r"|^[*(\[\s]*(?:إن\s+)?(?:المقالات?|الآراء|الاراء|المواد|ما ينشر|جميع الآراء|هذا المقال|هذه المادة)\b.{0,200}?"
    r"(?:لا (?:ت|ي)عبر|لا (?:ت|ي)مثل|(?:ت|ي)عبر(?:ون)? عن (?:رأي|آراء|وجهة)|عن وجهة نظر)",
    re.IGNORECASE | re.DOTALL,
)
_SOURCE = re.compile(
    r"^[*(\[\s]*(?:source|sources|via|المصدر|المصادر|نقلا عن|نقلاً عن)\s*[:：]\s*(.+?)[\])\s]*$",
    re.IGNORECASE | re.DOTALL,
)
_MARK = re.compile(r"^\s*[•|–—-]\s*")
_ADDRESS = re.compile(r"https?://[^\s<>\"'\])]+")
_OUTLET = re.compile(r"^(?P<title>.+?)\s+[–—|-]\s+(?P<outlet>[^–—|]{2,60})$")


@dataclass(slots=True)
class Cut:
    """The lines that are left, and what the edges said."""

    lines: list[Raw]
    notes: list[str] = field(default_factory=list)
    source_outlet: str | None = None
    source_url: str | None = None
    is_syndicated: bool = False
    teasers: list[Raw] = field(default_factory=list)  # links to other posts
    rules: list[str] = field(default_factory=list)  # those of `RULES` that cut something


def cut(
    lines: list[Raw],
    title: str,
    site: Site,
    links: list[tuple[str, str]],
    is_other_post: Callable[[str], bool] = lambda _href: False,
    is_listing: Callable[[str], bool] = lambda _href: False,
) -> Cut:
    """Cut both edges. ``links`` are the absolute links of the text: a "Source:" line may be one."""
    out = Cut(list(lines))
    _cut_tail(out, site, links)
    count = len(out.lines)
    out.lines, out.teasers = drop_boxes(out.lines, is_other_post, is_listing, title)
    if len(out.lines) < count:
        _cut_tail(out, site, links)
    _cut_head(out, title)
    out.notes[:0] = [line.text for line in out.teasers]
    return out


# ---- the top


def _cut_head(out: Cut, title: str) -> None:
    while len(out.lines) > 1 and (rule := _above(out.lines[0], out.lines[1], title)):
        out.rules.append(rule)
        del out.lines[0]


def _above(line: Raw, following: Raw, title: str) -> str | None:
    """The rule that cuts a first line, or None."""
    plain = _plain(line.text)
    if plain in SITE_NAMES:
        return "site name"
    if plain in _LATEST and line.kind in (LineKind.PARAGRAPH, LineKind.HEADING):
        return "latest news"
    if title and plain.startswith(_plain(title)):
        rest = line.text[len(title) :]
        # An author may begin with the words of the headline: only a heading is the headline again
        if not rest.strip():
            return "headline again" if line.kind is LineKind.HEADING and line.depth == 1 else None
        return "headline and site name" if _names_site(rest) else None
    if is_notice(line):
        return "notice"
    return "counter" if _is_counter(line, following) else None


def _names_site(rest: str) -> bool:
    return bool(_MARK.match(rest)) and _plain(_MARK.sub("", rest)) in SITE_NAMES


def _is_counter(line: Raw, following: Raw) -> bool:
    """True for a number alone above the text: it counts views or shares (seen on 7 of 11 Arabic posts).

    A toll that an author set in large figures is marked up, or the next line continues it (in lower case, or
    as a label of a few words).
    """
    if line.kind is not LineKind.PARAGRAPH or not line.bare or not _NUMBER.match(line.text):
        return False
    return not (following.text[:1].islower() or (line.tag == "p" and len(following.text) < 40))


# ---- the end


def _cut_tail(out: Cut, site: Site, links: list[tuple[str, str]]) -> None:
    lines = out.lines
    found = True
    while found and lines:
        found = _cut_cookies(out) or _cut_related(out) or _cut_statement(out, site, links) or _cut_notice(out)


def _cut_notice(out: Cut) -> bool:
    if len(out.lines) == 1 or not is_notice(out.lines[-1]):
        return False
    out.lines.pop()
    out.rules.append("notice")
    return True


def _cut_cookies(out: Cut) -> bool:
    lines = out.lines
    for back in range(1, min(4, len(lines)) + 1):
        if _COOKIES.match(lines[-back].text) and not _COOKIE_BUTTONS.match(lines[-back].text):
            if all(_COOKIE_BUTTONS.match(line.text) for line in lines[len(lines) - back + 1 :]):
                del lines[-back:]
                out.rules.append("cookies")
                return True
            return False
        if not _COOKIE_BUTTONS.match(lines[-back].text):
            return False
    return False


def _cut_related(out: Cut) -> bool:
    """Cut a heading such as "You might also like" and the links below it at the end of the text."""
    lines = out.lines
    for index in range(len(lines) - 1, max(-1, len(lines) - 40), -1):
        if _plain(lines[index].text) in _RELATED and lines[index].kind in (
            LineKind.PARAGRAPH,
            LineKind.HEADING,
        ):
            below = lines[index + 1 :]
            if all(
                line.linked or (i and below[i - 1].linked and _is_teaser(line.text))
                for i, line in enumerate(below)
            ):
                del lines[index:]
                out.rules.append("related")
                return True
            return False
    return False


def _is_teaser(text: str) -> bool:
    """True for the beginning of another article, or its date, below its linked headline."""
    return text.endswith(("…", "...", "[…]", "[...]")) or (
        len(text) < 30 and bool(re.search(r"\d{4}|ago$|^منذ ", text))
    )


def _cut_statement(out: Cut, site: Site, links: list[tuple[str, str]]) -> bool:
    """Cut a last line that states the source or whose opinion the text is; keep it as a note."""
    line = out.lines[-1]
    if line.kind is LineKind.ROW or len(line.text) > 600:
        return False
    rule = _opinion_rule(line.text) or _cut_source(out, site, links)
    if rule:
        out.notes.insert(0, line.text)
        out.rules.append(rule)
        out.lines.pop()
    return bool(rule)


def is_statement(note: str) -> bool:
    """True for a note about the article (its source, whose opinion it is); False for a link to another
    post."""
    return bool(_SOURCE.match(note) or _DISCLAIMER.match(note) or _OPINION.match(note))


def _opinion_rule(text: str) -> str | None:
    """The rule for a disclaimer; a line with figures says more than that."""
    if re.search(r"\d", text):
        return None
    return "disclaimer" if _DISCLAIMER.match(text) else "opinion" if _OPINION.match(text) else None


def _cut_source(out: Cut, site: Site, links: list[tuple[str, str]]) -> str | None:
    """Read a "Source:" line that names an outlet or an address."""
    named = _SOURCE.match(out.lines[-1].text)
    if not named or len(out.lines) == 1:
        return None
    value = tidy(named[1])
    address = _ADDRESS.search(value)
    url = next((href for href, words in links if words and words in value), None)
    if address:
        url = address[0].rstrip(".,;")
    outlet = _OUTLET.match(_ADDRESS.sub("", value).strip())
    short = len(value) <= 60 and not re.search(r"[0-9٠-٩]", value)
    if not (url or outlet or short):
        return None  # a sentence that begins with the word
    out.source_url = out.source_url or url
    own = _is_own(url, site) or _plain(value) in SITE_NAMES
    name = outlet["outlet"] if outlet else (value if short and not address else None)
    out.source_outlet = out.source_outlet or (tidy(name) if name and not own else None)
    out.is_syndicated = out.is_syndicated or not own
    return "source"


def _is_own(url: str | None, site: Site) -> bool:
    if url is None:
        return False
    try:
        return (urlsplit(url).hostname or "").removeprefix("www.") == (
            urlsplit(site.home).hostname or ""
        ).removeprefix("www.")
    except ValueError:
        return False


def _plain(text: str) -> str:
    """A heading for comparison: without case, runs of white space and a closing colon."""
    return tidy(text).rstrip(" :：").casefold()


# Each rule, and what its lines look like. Inside an article, or without what else the rule requires, such a
# line stays; tests have a page of both kinds for each rule in both languages
RULES: dict[str, Callable[[str, str], bool]] = {
    "site name": lambda text, title: _plain(text) in SITE_NAMES,
    "latest news": lambda text, title: _plain(text) in _LATEST,
    "headline again": lambda text, title: bool(title) and _plain(text) == _plain(title),
    "headline and site name": lambda text, title: (
        bool(title) and text.startswith(title) and _names_site(text[len(title) :])
    ),
    "counter": lambda text, title: bool(_NUMBER.match(text)),
    "notice": lambda text, title: is_notice(Raw(text, LineKind.PARAGRAPH, 0, False, "p")),
    "cookies": lambda text, title: bool(_COOKIES.match(text)),
    "related": lambda text, title: _plain(text) in _RELATED,
    "disclaimer": lambda text, title: bool(_DISCLAIMER.match(text)),
    "opinion": lambda text, title: bool(_OPINION.match(text)),
    "source": lambda text, title: bool(_SOURCE.match(text)),
}
