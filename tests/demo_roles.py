"""The posts that play a part in `make demo`, and what the site does to them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.replica.server import Replica
from tests.replica.words import Edition


@dataclass(frozen=True, slots=True)
class Cast:
    """The posts that play a part: (edition, post id)."""

    toll: tuple[Edition, int]
    silent: tuple[Edition, int]
    title: tuple[Edition, int]
    spaces: tuple[Edition, int]
    trashed: tuple[Edition, int]
    moved: tuple[Edition, int]


def cast(site: Replica) -> Cast:
    """Publish the post whose toll will rise, and choose the others among the plain posts of the first
    pages."""
    killed = (
        "Daraa province: an old shell exploded near the school of Tel Marjan at noon. The blast killed "
        "3 civilians and injured 12 others."
    )
    more = "The desk has counted 41 such incidents since the beginning of January."
    markup = f"<p>{killed}</p>\n<p>{more}</p>"
    toll = site.call(
        "put",
        edition="en",
        title="Shell explosion in Tel Marjan | Civilians killed",
        html=markup,
        lines=[killed, more],
    )
    assert isinstance(toll, int)
    english = [post.post_id for post in site.posts("en") if not post.odd and post.post_id != toll]
    arabic = [
        post.post_id
        for post in site.posts("ar")
        if not post.odd and any(c in "123456789" for c in "".join(post.text_lines))
    ]
    return Cast(
        ("en", toll),
        ("ar", arabic[2]),
        ("en", english[1]),
        ("en", english[3]),
        ("en", english[5]),
        ("ar", arabic[5]),
    )


def second_act(site: Replica, roles: Cast) -> list[str]:
    """What the site does between the first crawl and the second; told to the reader in these lines."""
    site.call("publish", edition="en", count=2)
    site.call("publish", edition="ar", count=1)
    _edit(site, roles.toll, replace=["killed 3 civilians", "killed 31 civilians"])
    _edit(site, roles.silent, digit=True, silent=True)
    title = next(post.title for post in site.posts(roles.title[0]) if post.post_id == roles.title[1])
    _edit(site, roles.title, title=f"{title} | Updated")
    _edit(site, roles.spaces, whitespace=True)
    site.call("trash", edition=roles.trashed[0], post_id=roles.trashed[1])
    edition, old = roles.moved
    new = max(post.post_id for post in site.posts(edition)) + 1
    site.call("move", edition=edition, post_id=old, to=new)
    return [
        "publishes 3 posts",
        f"corrects a toll from 3 to 31 in {name_of(roles.toll)}, and dates the edit",
        f"changes a figure in {name_of(roles.silent)} and does not date the edit",
        f"changes only the title of {name_of(roles.title)}",
        f"changes only white space in {name_of(roles.spaces)}",
        f"takes {name_of(roles.trashed)} away",
        f"moves {name_of(roles.moved)} to ar:{new}",
    ]


def _edit(site: Replica, post: tuple[Edition, int], **how: object) -> None:
    site.call("edit", edition=post[0], post_id=post[1], **how)


def name_of(post: tuple[Edition, int]) -> str:
    return f"{post[0]}:{post[1]}"
