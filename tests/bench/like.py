"""Pages like the site's: what a theme sends around a post (65 to 78 KB), in all its layouts and both
languages, with invented posts."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

from tests.replica import routes
from tests.replica.chrome import Look
from tests.replica.site import ReplicaSite
from tests.replica.words import EDITIONS
from tests.scoring import Marked, chrome_words

BASE = "https://www.syriahr.com"
LAYOUTS = ("tielabs", "publisher", "foxiz", "unknown")  # the last is a theme that no layout knows


def pages(posts: int = 12) -> list[Marked]:
    """So many pages of each layout and edition, with the text each has; always the same."""
    found = []
    for layout in LAYOUTS:
        site = ReplicaSite(posts=4 * posts, seed=8, layout=layout)
        for edition in EDITIONS:
            held = (post for post_id in site.ids(edition) if (post := site.post(edition, post_id)))
            whole = [post for post in held if post.lines and len(post.pages) == 1]
            for visit, post in enumerate(whole[:posts]):
                look = Look(site, edition, BASE, visit)
                url = look.link(post)
                path = unquote(urlsplit(url).path).strip("/").split("/")
                html = routes.answer(look, path[1:] if edition == "en" else path, True, {}, {}).body.encode()
                text = "\n".join(post.lines)
                found.append(
                    Marked(
                        f"{layout}-{edition}-{post.post_id}",
                        url,
                        html,
                        text,
                        chrome_words(html, text, post.title),
                    )
                )
    return found
