"""Which answer an address gets, on a good day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import quote

from tests.replica import channels, layouts
from tests.replica.channels import HTML, Answer, redirect
from tests.replica.chrome import Look
from tests.replica.posts import Post
from tests.replica.site import LOCAL

_FEEDS = {"": "rss2", "rss2": "rss2", "rss": "rss2", "atom": "atom"}


def answer(
    look: Look, segments: list[str], slash: bool, query: Mapping[str, str], asked: Mapping[str, str]
) -> Answer:
    """The answer to a path below the edition's home. ``slash``: it ends with one. ``asked``: request headers,
    names small."""
    channel = _channel(look, segments, query, asked)
    if channel:
        return channel
    if not segments and _number(query.get("p")):
        return _shortlink(look, _number(query.get("p")), query)
    if not slash:
        home = not segments and look.edition == "ar"
        return missing(look) if home else redirect(_path(look, segments))
    rest, page = segments, 1
    if len(segments) >= 2 and segments[-2] == "page":
        rest, page = segments[:-2], _number(segments[-1])
    return _listing(look, rest, page) or _post(look, segments, asked)


def _channel(
    look: Look, segments: list[str], query: Mapping[str, str], asked: Mapping[str, str]
) -> Answer | None:
    """robots.txt, REST, a sitemap or a feed; None for pages."""
    first = segments[0] if segments else ""
    if segments == ["robots.txt"] and look.edition == "ar":
        return channels.robots(look)
    if first == "wp-json":
        return channels.rest(look, segments[1:], query)
    if segments and segments[-1].endswith(".xml"):
        offered = look.settings.sitemap and len(segments) == 1
        return (channels.sitemap(look, first) if offered else None) or missing(look)
    if (first == "feed" and len(segments) <= 2) or (
        not segments and "feed" in query and not _number(query.get("p"))
    ):
        kind = _FEEDS.get("".join(segments[1:]) if segments else query["feed"])
        return (channels.feed(look, kind, query, asked) if kind and look.settings.feed else None) or missing(
            look
        )
    return None


def _path(look: Look, segments: list[str]) -> str:
    return look.home + "".join(quote(s) + "/" for s in segments)


def missing(look: Look, status: int = 404) -> Answer:
    """What is not there: the theme's 404, or what the settings make of it."""
    if look.settings.redirect_missing:
        return redirect(look.home, 302)
    return Answer(layouts.missing(look), 200 if look.settings.soft404 else status)


def _listing(look: Look, segments: list[str], page: int) -> Answer | None:
    """Home, a date archive, a category or a tag; None where the segments name no listing."""
    site, edition, settings = look.site, look.edition, look.settings
    found = _listed(look, segments, page)
    if found is None:
        return None
    ids, heading, offered = found
    stuck = site.sticky(edition) if not segments and page == 1 else []
    size = settings.per_page
    ids = site.shown(edition, ids, segments[0] if segments else "home")
    here = ids[(page - 1) * size : page * size] if page > 0 else []
    if not offered or (not here and (segments or page != 1)):
        return missing(look)
    shown = [*stuck, *(i for i in here if i not in stuck)]
    path = _path(look, segments)
    before = None if page == 1 else path if page == 2 else f"{path}page/{page - 1}/"
    after = f"{path}page/{page + 1}/" if len(ids) > page * size else None
    posts = [post for i in shown if (post := site.post(edition, i))]
    made = Answer(layouts.listing(look, heading, posts, before, after, stuck))
    site.listed(edition)
    return made


def _listed(look: Look, segments: list[str], page: int) -> tuple[list[int], str, bool] | None:
    """Ids, heading, and whether the site offers it; None where the segments name no listing."""
    site, edition, settings = look.site, look.edition, look.settings
    if not segments:
        return site.ids(edition), "", settings.home_paging or page == 1
    kind, *names = segments
    if kind == "date" and 1 <= len(names) <= 3:
        span = _span(names)
        return site.between(edition, *span) if span else [], "/".join(names), settings.date_archives
    if kind == "category" and names:
        return site.under(edition, "category", "/".join(names)), names[-1], settings.categories
    if kind == "tag" and len(names) == 1:
        return site.under(edition, "tag", names[0]), names[0], settings.categories
    return None


def _span(parts: list[str]) -> tuple[datetime, datetime] | None:
    numbers = [_number(part) for part in parts]
    try:
        start = datetime(*[*numbers, 1, 1][:3], tzinfo=LOCAL)  # type: ignore[misc, arg-type]  # three whole numbers
    except ValueError:
        return None
    if len(parts) == 3:
        return start, start + timedelta(days=1)
    if len(parts) == 2:
        return start, (start + timedelta(days=31)).replace(day=1)
    return start, start.replace(year=start.year + 1)


def _shortlink(look: Look, post_id: int, query: Mapping[str, str]) -> Answer:
    post = look.site.post(look.edition, _moved(look, post_id))
    if post is None:
        return _not_there(look, post_id)
    page = _number(query.get("page"))
    return redirect(look.link(post) + (f"{page}/" if page > 1 else ""))


def _post(look: Look, segments: list[str], asked: Mapping[str, str]) -> Answer:
    """A post by its address, in any of its shapes."""
    if _is_dated(segments):
        dated = look.site.by_slug(look.edition, segments[-1])
        local = f"{dated.published.astimezone(LOCAL):%Y/%m/%d}" if dated else ""
        if dated and local.startswith("/".join(segments[:-1])):
            return redirect(look.link(dated))
        return missing(look)
    slug, numbers = (segments[0], segments[1:]) if look.edition == "ar" else ("", segments)
    post_id = _number(numbers[0]) if numbers else 0
    if not post_id or len(numbers) > 2:
        return missing(look)
    below = numbers[1] if len(numbers) == 2 else ""
    if post_id != _moved(look, post_id):
        return _shortlink(look, post_id, {})
    post = look.site.post(look.edition, post_id)
    if post is None:
        return _not_there(look, post_id)
    if slug and slug != post.slug:
        return redirect(look.link(post) + (f"{below}/" if below else ""))
    if below in ("embed", "feed"):
        return _beside(look, post, below)
    number = _number(below) if below else 1
    if below and (number < 2 or number > len(post.pages)):
        return redirect(look.link(post))
    return _article(look, post, number, asked)


def _is_dated(segments: list[str]) -> bool:
    """Whether this is an address of the kind /2026/01/slug/ or /2026/01/02/slug/."""
    *numbers, slug = segments or [""]
    if len(numbers) not in (2, 3) or [len(number) for number in numbers[:2]] != [4, 2]:
        return False
    return all(_number(number) for number in numbers) and not _number(slug)


def _beside(look: Look, post: Post, kind: str) -> Answer:
    """What WordPress offers beside each post: its embed and the feed of its comments."""
    if kind == "embed":
        return Answer(
            f'<!DOCTYPE html><html><head><title>{look.title(post)}</title><meta name="robots" '
            'content="noindex" /></head><body class="wp-embed">'
            f'<p class="wp-embed-heading"><a href="{look.link(post)}">{look.title(post)}</a></p><div '
            'class="wp-embed-excerpt"><p>'
            f"{look.excerpt(post)}</p></div></body></html>"
        )
    return Answer(
        '<?xml version="1.0" encoding="UTF-8"?>\n<rss version="2.0"><channel><title>Comments on: '
        f"{look.title(post)}</title><link>"
        f"{look.link(post)}</link></channel></rss>",
        200,
        "application/rss+xml",
    )


def _article(look: Look, post: Post, number: int, asked: Mapping[str, str]) -> Answer:
    headers: tuple[tuple[str, str], ...] = (
        ("Link", f'<{look.home}wp-json/>; rel="https://api.w.org/"'),
        (
            "Link",
            (
                f'<{look.home}wp-json/wp/v2/posts/{post.post_id}>; rel="alternate"; title="JSON"; '
                'type="application/json"'
            ),
        ),
        ("Link", f"<{look.home}?p={post.post_id}>; rel=shortlink"),
    )
    if look.settings.lastmod:
        stated, current = channels.validators(post.modified, asked, f"{post.modified}{post.post_id}")
        headers += stated
        if current:
            return Answer("", 304, "", headers)
    return Answer(layouts.article(look, post, number), 200, HTML, headers)


def _not_there(look: Look, post_id: int) -> Answer:
    if look.site.state(look.edition, post_id) == "gone":
        return Answer("<!DOCTYPE html><title>Gone</title><h1>Gone</h1>", 410)
    return missing(look)


def _moved(look: Look, post_id: int) -> int:
    return look.site.moves.get((look.edition, post_id), post_id)


def _number(text: str | None) -> int:
    return int(text) if text and text.isascii() and text.isdecimal() and len(text) < 11 else 0
