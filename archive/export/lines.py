"""Exports line by line: JSON Lines, and one stream of text."""

from __future__ import annotations

from typing import IO

from archive.export.source import Source
from archive.read.database import cite, json_line
from archive.read.selection import versions


def write_json_lines(source: Source, out: IO[bytes]) -> None:
    """One record a line, in UTF-8."""
    for record in source.records():
        out.write(json_line(record))


def write_text(source: Source, out: IO[bytes]) -> None:
    """For each version four named lines (citation, url, published, title), an empty line, the text as stored,
    and a line with a form feed.

    A form feed is white space when a page is read, so no text contains one.
    """
    for article, version in versions(source.conn, source.selection):
        source.count(article["source"], article["key"])
        head = (
            f"citation: {cite(article['source'], article['key'], version['cited_at'])}",
            f"url: {article['url']}",
            f"published: {version['published_at'] or ''}",
            f"title: {version['title']}",
        )
        out.write("\n".join((*head, "", version["text"], "\f", "")).encode())
