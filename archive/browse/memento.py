"""Memento (RFC 7089): the captures of an address as a TimeMap, and the headers that date a shown capture.

Tools that know other web archives list and open the captures of ours.
"""

from __future__ import annotations

import sqlite3
from email.utils import format_datetime
from typing import Any

from datasette.utils.asgi import NotFound, Response

from archive.browse.context import Frame, open_frame, rows
from archive.clock import parse_time

_MOST = 10_000  # captures in one TimeMap: a look a day for 27 years
# Of an article all captures, whichever of its addresses was asked; of any other address its own
_SQL = """select f.serial, c.offset, c.captured_at from captures c join warc_files f using (warc_file_id)
where {} and c.status = 200 order by c.captured_at, f.serial, c.offset limit ?"""


async def timemap(datasette: Any, request: Any) -> Response:
    """``timemap/link/ADDRESS``: the captures of an address, oldest first."""
    frame = await open_frame(datasette, request)
    url = request.path.partition("/timemap/link/")[2]
    if "://" not in url:  # a server in front of us may have made one slash of two
        url = url.replace(":/", "://", 1)
    if request.query_string:
        url += f"?{request.query_string}"

    def ask(conn: sqlite3.Connection) -> list[dict[str, Any]]:
        for alias in rows(conn, "select article_id from aliases where url = ?", url):
            if alias["article_id"] is not None:
                return rows(conn, _SQL.format("c.article_id = ?"), alias["article_id"], _MOST)
        return rows(conn, _SQL.format("c.url = ?"), url, _MOST)

    found = await frame.ask(ask)
    if not found:
        raise NotFound(frame.language.text("not_found.page"))
    first, last = (http_date(row["captured_at"]) for row in (found[0], found[-1]))
    itself = f'<{_map_of(frame, url)}>; rel="self"; type="application/link-format"'
    lines = [f'<{url}>; rel="original"', f'{itself}; from="{first}"; until="{last}"']
    for row in found:
        address = frame.absolute(f"capture/{row['serial']}/{row['offset']}/page")
        lines.append(f'<{address}>; rel="memento"; datetime="{http_date(row["captured_at"])}"')
    return frame.text(",\n".join(lines) + "\n", "application/link-format")


def headers_of(frame: Frame, row: dict[str, Any]) -> dict[str, str]:
    """What dates a capture that is shown, and leads to the others of its address."""
    url = row["url"]
    links = (
        f'<{url}>; rel="original"',
        f'<{_map_of(frame, url)}>; rel="timemap"; type="application/link-format"',
    )
    return {"Memento-Datetime": http_date(row["captured_at"]), "Link": ", ".join(links)}


def http_date(at: str) -> str:
    """An instant as HTTP writes it."""
    return format_datetime(parse_time(at), usegmt=True)


def _map_of(frame: Frame, url: str) -> str:
    return frame.absolute("timemap/link/") + url
