"""WordPress's REST interface -> Sightings. Pure: text, headers and address in, dataclasses out.

Four questions are put to ``/wp-json/wp/v2/posts``: what was edited since an instant (`edited_url`), all there
is by id (`walk_url`), whether up to 100 ids still say what they said (`look_url`), and which of up to 100 are
there (`ids_url`). ``*_gmt`` are UTC without saying so; ``date`` is in the site's own time, so its day is the
site's archive day.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Literal
from urllib.parse import parse_qsl, urlencode, urlsplit

from archive.clock import read_day, read_time
from archive.model import Address, ArticleKey, Edition, Kind, Listing, Sighting
from archive.sites.wordpress.contents import digest, plain_title
from archive.sites.wordpress.site import WordPressSite as Site

Question = Literal["edited", "walk", "look", "ids"]
AT_ONCE = 100  # posts a request: the most WordPress gives
MAX_ANSWER = 32 * 2**20  # characters; 100 posts whole are 300,000
_POSTS = "wp-json/wp/v2/posts"
_FIELDS = "id,link,date,date_gmt,modified_gmt"
_LIST = re.compile(r"\[\s*(?:\{|null\b)")
MAX_STARTS = 20  # places where a list may begin that are tried
_BARE = re.compile(r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}$")


@dataclass(frozen=True, slots=True)
class Asking:
    """What a REST address asks."""

    question: Question
    page: int = 1
    since: str | None = None  # of `edited`: the posts modified after this instant
    ids: tuple[int, ...] = ()  # of `look` and `ids`


@dataclass(frozen=True, slots=True)
class Posts:
    """An answer. ``protected`` are ids behind a password: nothing can be said of their text."""

    listing: Listing
    total: int | None  # X-WP-Total
    pages: int | None  # X-WP-TotalPages
    protected: frozenset[int] = frozenset()
    is_whole: bool = True  # each entry was read: an id that is not shown is not there


def edited_url(site: Site, edition: Edition, since: str | None, page: int = 1) -> str:
    """The posts modified after an instant, last edited first; without one, of all."""
    bound = {"modified_after": since} if since else {}
    return _url(
        site,
        edition,
        orderby="modified",
        order="desc",
        per_page=AT_ONCE,
        _fields=_FIELDS,
        **bound,
        **_page(page),
    )


def walk_url(site: Site, edition: Edition, page: int) -> str:
    """A page of all posts, by id."""
    return _url(site, edition, orderby="id", order="asc", per_page=AT_ONCE, _fields=_FIELDS, **_page(page))


def look_url(site: Site, edition: Edition, ids: Sequence[int]) -> str:
    """Posts with their text, by id. Raises ValueError for more than 100."""
    return _url(site, edition, include=_ids(ids), per_page=AT_ONCE, _fields=_FIELDS + ",title,content")


def ids_url(site: Site, edition: Edition, ids: Sequence[int]) -> str:
    """Those of the ids that are posts. Raises ValueError for more than 100."""
    return _url(site, edition, include=_ids(ids), per_page=AT_ONCE, _fields=_FIELDS)


def _ids(ids: Sequence[int]) -> str:
    if not 0 < len(ids) <= AT_ONCE:
        raise ValueError(f"{len(ids)} ids asked for, expected 1 to {AT_ONCE}")
    return ",".join(map(str, sorted(ids)))


def _url(site: Site, edition: Edition, **parameters: object) -> str:
    return f"{site.edition_home(edition)}{_POSTS}?{urlencode(parameters, safe=',:')}"


def _page(page: int) -> dict[str, int]:
    return {"page": page} if page > 1 else {}


def asking(address: Address, site: Site) -> Asking | None:
    """What an address asks; None for any other than ours."""
    if address.kind is not Kind.REST or address.edition is None:
        return None
    parts = urlsplit(address.url)
    if address.url.partition("?")[0] != site.edition_home(address.edition) + _POSTS:
        return None
    query = dict(parse_qsl(parts.query))
    page = int(query["page"]) if re.fullmatch(r"[1-9][0-9]{0,6}", query.get("page", "")) else 1
    if "include" in query:
        ids = tuple(
            int(part) for part in query["include"].split(",") if re.fullmatch(r"[1-9][0-9]{0,9}", part)
        )
        return (
            Asking("look" if "content" in query.get("_fields", "") else "ids", 1, None, ids)
            if ids and len(ids) <= AT_ONCE
            else None
        )
    match query.get("orderby"):
        case "modified":
            return Asking("edited", page, read_time(query.get("modified_after")))
        case "id":
            return Asking("walk", page)
    return None


def parse_posts(
    text: str, address: Address, site: Site, asked: Asking, total: str | None, pages: str | None
) -> Posts | None:
    """Read an answer; ``total`` and ``pages`` are its headers. None where it is no list of posts.

    An entry that is no post costs that entry. What stands before the JSON or after it is skipped.
    """
    found = read_json_list(text) if len(text) <= MAX_ANSWER else None
    if found is None or address.edition is None:
        return None
    posts = [post for post in found[:AT_ONCE] if _is_post(post)]
    if found and not posts:
        return None
    count = _whole(pages)
    has_next = asked.page < count if count is not None else None
    listing = Listing(
        "rest",
        asked.page,
        tuple(_sighting(post, address, address.edition, site) for post in posts),
        has_next,
        address.edition,
    )
    protected = frozenset(post["id"] for post in posts if _part(post, "content").get("protected"))
    return Posts(listing, _whole(total), count, protected, is_whole=len(posts) == len(found))


def read_json_list(text: str) -> list[Any] | None:
    """The list that a text holds; what stands before it (warnings of PHP) and after it is skipped.

    Halves of characters (lone surrogates), which no database stores, and NUL become U+FFFD.
    """
    stripped = text.strip("\ufeff \t\r\n")
    starts = [0, *(found.start() for found in islice(_LIST.finditer(stripped), MAX_STARTS))]
    if stripped.endswith("[]"):
        starts.append(len(stripped) - 2)
    for start in starts:
        try:
            found, _ = json.JSONDecoder().raw_decode(stripped, start)
        except (ValueError, RecursionError):
            continue
        if isinstance(found, dict) and found and all(map(str.isdecimal, found)):
            found = list(found.values())  # as PHP writes a list of which a plugin has removed entries
        if isinstance(found, list):
            return [make_storable(entry) for entry in found]
    return None


def make_storable(value: Any) -> Any:
    """JSON values with lone surrogates and NUL replaced by U+FFFD, at any depth."""
    match value:
        case str():
            value = value.replace("\0", "\ufffd")
            return (
                value
                if value.isascii()
                else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            )
        case list():
            return [make_storable(entry) for entry in value]
        case dict():
            return {make_storable(name): make_storable(entry) for name, entry in value.items()}
    return value


def _is_post(post: object) -> bool:
    return isinstance(post, dict) and type(post.get("id")) is int and 0 < post["id"] < 2**53


def _sighting(post: dict[str, Any], address: Address, edition: Edition, site: Site) -> Sighting:
    post_id: int = post["id"]
    link = site.parse(post["link"], address.url) if isinstance(post.get("link"), str) else None
    right = (
        link
        and link.edition == edition
        and (link.kind is Kind.SLUG or (link.kind is Kind.ARTICLE and link.post_id == post_id))
    )
    url = link.url if link and right else site.article_url(ArticleKey(edition, str(post_id)))
    title, content = (_part(post, name).get("rendered") for name in ("title", "content"))
    protected = bool(_part(post, "content").get("protected"))
    mark = (
        digest(title, content)
        if isinstance(title, str) and isinstance(content, str) and not protected
        else None
    )
    day = (
        read_day(post["date"])
        if isinstance(post.get("date"), str) and _BARE.match(post["date"]) and post["date"][0] != "0"
        else None
    )
    told = plain_title(title) if isinstance(title, str) else ""
    return Sighting(
        url,
        edition,
        post_id,
        "rest",
        day,
        told or None,
        _gmt(post.get("date_gmt")),
        _gmt(post.get("modified_gmt")),
        digest=mark,
    )


def _part(post: dict[str, Any], name: str) -> dict[str, Any]:
    part = post.get(name)
    return part if isinstance(part, dict) else {}


def _gmt(value: object) -> str | None:
    """A ``*_gmt`` as UTC text; None for the zeros of a post that was never published."""
    return read_time(f"{value}+00:00") if isinstance(value, str) and _BARE.match(value) else None


def _whole(text: str | None) -> int | None:
    return int(text) if text and re.fullmatch(r"\d{1,9}", text.strip()) else None
