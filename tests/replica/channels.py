"""Feeds, REST, sitemaps, robots.txt: the site's answers for machines, as WordPress gives them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from html import escape
from typing import Literal

from tests.replica.blocks import HOME
from tests.replica.chrome import Look
from tests.replica.posts import Post
from tests.replica.site import LOCAL
from tests.replica.words import CATEGORIES, SITE_NAME

PER_SITEMAP = 2000
HTML = "text/html"


@dataclass(frozen=True)
class Answer:
    """What the site says to one request, before gzip and bad days."""

    body: str = ""
    status: int = 200
    content_type: str = HTML
    headers: tuple[tuple[str, str], ...] = ()


def redirect(to: str, status: int = 301) -> Answer:
    """To another address."""
    return Answer("", status, HTML, (("Location", to), ("X-Redirect-By", "WordPress")))


def validators(
    modified: datetime, asked: Mapping[str, str], etag_of: str
) -> tuple[tuple[tuple[str, str], ...], bool]:
    """Last-Modified and ETag, and whether the visitor's copy is current. A weak ETag never is."""
    etag = f'"{hashlib.md5(etag_of.encode(), usedforsecurity=False).hexdigest()}"'
    current = asked.get("if-none-match") == etag
    if "if-none-match" not in asked and "if-modified-since" in asked:
        try:
            current = parsedate_to_datetime(asked["if-modified-since"]) >= modified.replace(microsecond=0)
        except (ValueError, TypeError):
            current = False
    return (("Last-Modified", format_datetime(modified, usegmt=True)), ("ETag", etag)), current


def feed(look: Look, kind: str, query: Mapping[str, str], asked: Mapping[str, str]) -> Answer | None:
    """RSS 2 (``rss2``) or Atom; None past the last page. ``orderby=modified`` makes an edit log of it."""
    order: Literal["published", "modified"] = (
        "modified" if query.get("orderby") == "modified" and look.settings.feed_by_edit else "published"
    )
    if kind == "atom" and not look.settings.feed_atom:
        return None
    page, size = max(1, _whole(query.get("paged"), 1)), look.settings.per_page
    ids = look.site.shown(look.edition, look.site.ids(look.edition, order), "feed")[
        (page - 1) * size : page * size
    ]
    posts = [post for i in ids if (post := look.site.post(look.edition, i))]
    newest = look.site.ids(look.edition, "modified")[:1]
    edited = post.modified if newest and (post := look.site.post(look.edition, newest[0])) else look.site.now
    headers, current = (
        validators(edited, asked, f"{edited}{kind}") if look.settings.feed_validators else ((), False)
    )
    if current:
        return Answer("", 304, "", headers)
    if not posts:
        return None
    if kind == "atom":
        entries = "".join(_atom_entry(look, post) for post in posts)
        body = (
            f'<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="{look.say("en-US", "ar")}"><title '
            f'type="text">{SITE_NAME[look.edition]}</title>'
            f"<updated>{_z(edited)}</updated><id>{look.home}feed/atom/</id>{entries}</feed>"
        )
    else:
        entries = "".join(_rss_item(look, post) for post in posts)
        spaces = (
            'xmlns:content="http://purl.org/rss/1.0/modules/content/" '
            'xmlns:dc="http://purl.org/dc/elements/1.1/" '
            'xmlns:atom="http://www.w3.org/2005/Atom"'
        )
        body = (
            f'<rss version="2.0" {spaces}><channel><title>{SITE_NAME[look.edition]}</title>'
            f"<link>{look.home}</link><lastBuildDate>"
            f"{format_datetime(edited)}</lastBuildDate>{entries}</channel></rss>"
        )
    return Answer(
        '<?xml version="1.0" encoding="UTF-8"?>\n' + body,
        200,
        "application/atom+xml" if kind == "atom" else "application/rss+xml",
        headers,
    )


def _rss_item(look: Look, post: Post) -> str:
    content = (
        ""
        if look.settings.feed_excerpt
        else f"<content:encoded>{_cdata(rendered(look, post))}</content:encoded>"
    )
    categories = "".join(
        f"<category>{_cdata(name)}</category>"
        for name in (*(CATEGORIES[look.edition].get(c, c) for c in post.categories), *post.tags)
    )
    return (
        f"\n<item><title>{look.title(post)}</title><link>{look.link(post)}</link>"
        f"<dc:creator>{_cdata(post.author)}</dc:creator><pubDate>"
        f"{format_datetime(post.published)}</pubDate>"
        f'{categories}<guid isPermaLink="false">{look.home}?p={post.post_id}</guid>'
        f"<description>{_cdata(look.excerpt(post))}</description>"
        f"{content}</item>"
    )


def _atom_entry(look: Look, post: Post) -> str:
    content = (
        "" if look.settings.feed_excerpt else f'<content type="html">{_cdata(rendered(look, post))}</content>'
    )
    return (
        f"\n<entry><author><name>{escape(post.author)}</name></author><title "
        f'type="html">{_cdata(look.title(post))}</title><link rel="alternate" '
        f'type="text/html" href="{look.link(post)}" />'
        f"<id>{look.home}?p={post.post_id}</id><updated>{_z(post.modified)}</updated>"
        f"<published>{_z(post.published)}</published><summary "
        f'type="html">{_cdata(look.excerpt(post))}</summary>{content}</entry>'
    )


def rendered(look: Look, post: Post) -> str:
    """The text as feeds and REST carry it: all pages in one, nothing of a protected post."""
    return "" if post.password else "\n".join(post.pages).replace(HOME, look.base)


def rest(look: Look, segments: list[str], query: Mapping[str, str]) -> Answer:
    """``/wp-json/...``: the index, ``wp/v2/posts`` and ``wp/v2/posts/ID``."""
    if not look.settings.rest:
        return _json(_problem("rest_not_logged_in", "You are not currently logged in.", 401), 401)
    if segments == []:
        return _json(
            {
                "name": SITE_NAME[look.edition],
                "home": look.home.rstrip("/"),
                "namespaces": ["wp/v2"],
                "routes": {"/wp/v2/posts": {}},
            }
        )
    if segments[:3] != ["wp", "v2", "posts"] or len(segments) > 4:
        return _json(
            _problem("rest_no_route", "No route was found matching the URL and request method.", 404), 404
        )
    only = [name for name in query.get("_fields", "").split(",") if name]
    if len(segments) == 4:
        post = look.site.post(look.edition, _whole(segments[3], 0))
        if post:
            return _json(_chosen(_rest_post(look, post), only))
        if look.site.state(look.edition, _whole(segments[3], 0)) == "trash":
            return _json(_problem("rest_forbidden", "Sorry, you are not allowed to do that.", 401), 401)
        return _json(_problem("rest_post_invalid_id", "Invalid post ID.", 404), 404)
    try:
        ids = _selected(look, query)
    except ValueError as error:
        return _json(_problem("rest_invalid_param", f"Invalid parameter(s): {error}", 400), 400)
    size, page = _whole(query.get("per_page"), 10), _whole(query.get("page"), 1)
    if not 1 <= size <= 100 or page < 1:
        return _json(_problem("rest_invalid_param", "Invalid parameter(s): per_page", 400), 400)
    total = -(-len(ids) // size)
    if page > max(total, 1):
        return _json(
            _problem(
                "rest_post_invalid_page_number",
                "The page number requested is larger than the number of pages available.",
                400,
            ),
            400,
        )
    posts = [post for i in ids[(page - 1) * size : page * size] if (post := look.site.post(look.edition, i))]
    answer = _json([_chosen(_rest_post(look, post), only) for post in posts])
    return Answer(
        answer.body,
        200,
        answer.content_type,
        (("X-WP-Total", str(len(ids))), ("X-WP-TotalPages", str(total))),
    )


def _selected(look: Look, query: Mapping[str, str]) -> list[int]:
    """Ids that match, in order. Raises ValueError naming the parameter that is wrong."""
    order = {"date": "published", "modified": "modified", "id": "id"}.get(query.get("orderby", "date"))
    if order is None or query.get("order", "desc") not in ("asc", "desc"):
        raise ValueError("orderby")
    every = look.site.ids(look.edition, order)  # type: ignore[arg-type]  # one of the three, by the table above
    ids = look.site.shown(look.edition, every, "rest")
    if (query.get("order", "desc") == "asc") != (order == "id"):
        ids = ids[::-1]
    if "include" in query:
        wanted = {_whole(i, 0) for i in query["include"].split(",")}
        ids = [i for i in ids if i in wanted]
    for name in ("after", "before", "modified_after", "modified_before"):
        if name in query:
            ids = _bounded(look, ids, name, query[name])
    return ids


def _bounded(look: Look, ids: list[int], name: str, value: str) -> list[int]:
    """Ids published or modified after or before an instant. Raises ValueError naming the parameter."""
    if "T" not in value:
        raise ValueError(name)
    bound = datetime.fromisoformat(value)
    bound = bound if bound.tzinfo else bound.replace(tzinfo=LOCAL)
    at = look.site.modified_at if name.startswith("modified") else look.site.published_at
    if name.endswith("after"):
        return [i for i in ids if at(look.edition, i) > bound]
    return [i for i in ids if at(look.edition, i) < bound]


def _rest_post(look: Look, post: Post) -> dict[str, object]:
    names = list(CATEGORIES[look.edition])
    return {
        "id": post.post_id,
        "date": _bare(post.published.astimezone(LOCAL)),
        "date_gmt": _bare(post.published),
        "guid": {"rendered": f"{look.home}?p={post.post_id}"},
        "modified": _bare(post.modified.astimezone(LOCAL)),
        "modified_gmt": _bare(post.modified),
        "slug": post.slug,
        "status": "publish",
        "type": "post",
        "link": look.link(post),
        "title": {"rendered": look.title(post)},
        "content": {"rendered": rendered(look, post), "protected": bool(post.password)},
        "excerpt": {"rendered": f"<p>{look.excerpt(post)}</p>\n", "protected": bool(post.password)},
        "author": 1,
        "sticky": post.sticky,
        "categories": [names.index(path) + 2 for path in post.categories if path in names],
        "tags": [],
    }


def _chosen(post: dict[str, object], only: list[str]) -> dict[str, object]:
    return {name: value for name, value in post.items() if not only or name in only}


def sitemap(look: Look, name: str) -> Answer | None:
    """``wp-sitemap.xml`` and its parts, by id; None for one that is not there."""
    ids = look.site.shown(look.edition, look.site.ids(look.edition, "id"), "sitemap")
    top = '<?xml version="1.0" encoding="UTF-8"?>\n'
    space = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    if name == "wp-sitemap.xml":
        parts = "".join(
            f"<sitemap><loc>{look.home}wp-sitemap-posts-post-{n + 1}.xml</loc></sitemap>"
            for n in range(-(-len(ids) // PER_SITEMAP))
        )
        return Answer(f"{top}<sitemapindex {space}>{parts}</sitemapindex>", 200, "application/xml")
    number = _whole(name.removeprefix("wp-sitemap-posts-post-").removesuffix(".xml"), 0)
    here = ids[(number - 1) * PER_SITEMAP : number * PER_SITEMAP] if number > 0 else []
    posts = (post for i in here if (post := look.site.post(look.edition, i)))
    urls = "".join(
        f"<url><loc>{look.link(p)}</loc>"
        f"{f'<lastmod>{_z(p.modified)}</lastmod>' if look.settings.sitemap_lastmod else ''}</url>\n"
        for p in posts
    )
    return Answer(f"{top}<urlset {space}>{urls}</urlset>", 200, "application/xml") if here else None


def robots(look: Look) -> Answer:
    """robots.txt, WordPress's own unless the setting has another."""
    own = (
        "User-agent: *\nDisallow: /wp-admin/\nAllow: /wp-admin/admin-ajax.php\n\nSitemap: "
        f"{look.base}/wp-sitemap.xml\n"
    )
    return Answer(look.settings.robots or own, look.settings.robots_status, "text/plain")


def _json(value: object, status: int = 200) -> Answer:
    return Answer(json.dumps(value), status, "application/json")


def _problem(code: str, message: str, status: int) -> dict[str, object]:
    return {"code": code, "message": message, "data": {"status": status}}


def _cdata(text: str) -> str:
    return f"<![CDATA[{text}]]>"


def _z(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _bare(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S")


def _whole(text: str | None, otherwise: int) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() else otherwise
