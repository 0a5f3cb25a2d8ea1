"""Copies made for the public by `sohr-archive publish-copy`: no search engine takes up names of the dead
unasked."""

from __future__ import annotations

from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse import archives
from archive.export.public_copy import KEY

TAG = (b"x-robots-tag", b"noindex, nofollow, noarchive")


async def is_published(datasette: Any) -> bool:
    """Whether one of the archives here is a published copy."""
    for database in archives.archives(datasette):
        found = await datasette.get_database(database).execute("select 1 from about where key = ?", (KEY,))
        if found.rows:
            return True
    return False


async def robots(datasette: Any) -> Response:
    """robots.txt: everything is closed where a published copy is served; else there is none, as in any
    Datasette."""
    if not await is_published(datasette):
        raise NotFound("There is no robots.txt here.")
    return Response.text("User-agent: *\nDisallow: /\n")
