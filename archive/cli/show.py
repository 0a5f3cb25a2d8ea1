"""`sohr-archive show`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, version_of

if TYPE_CHECKING:
    from archive.read.api import Article
    from archive.read.records import Version


@click.command()
@click.argument("article")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--text", "text_only", is_flag=True, help="Only the text, exactly as stored.")
@json_option()
@click.pass_context
def show(ctx: click.Context, article: str, number: int | None, text_only: bool, as_json: bool) -> None:
    """Show ARTICLE and one of its versions: by NUMBER, by the instant of a citation, else the newest.

    An article is named by edition and post id, by a citation, or by any address that led to it. Each line of
    the text has its kind; each field the site stated has the place on the page where it stated it.

    \b
    Examples:
      sohr-archive show en:332481
      sohr-archive show en:332481 1 --text
      sohr-archive show sohr:en:332481@2025-03-01T10:00:00Z --json
    """
    from archive.read.database import json_line

    with opened(ctx) as archive:
        found = archive.find(article)
        # Protected, empty, or not captured yet
        is_bare = found.latest is None and not text_only and number is None
        version = None if is_bare else version_of(archive, article, number)
        if text_only and version is not None:
            sys.stdout.buffer.write((version.text + "\n").encode())
        elif as_json:
            sys.stdout.buffer.write(json_line(_record(found, version)))
        else:
            click.echo(_told(found, version))


def _record(article: Article, version: Version | None) -> dict[str, object]:
    names = (
        "source",
        "key",
        "edition",
        "post_id",
        "url",
        "state",
        "day",
        "first_captured_at",
        "last_captured_at",
    )
    record: dict[str, object] = {name: getattr(article, name) for name in names} | {
        "aliases": article.aliases
    }
    spans = [
        (v.number, v.citation, v.first_captured_at, v.last_captured_at, v.title) for v in article.versions
    ]
    record["versions"] = [
        dict(zip(("number", "citation", "first_captured_at", "last_captured_at", "title"), s, strict=True))
        for s in spans
    ]
    if version is None:
        return record | {"version": None}
    return record | {"version": article.record(version.number)}


def _told(article: Article, version: Version | None) -> str:
    from archive.read.diff import safe
    from archive.reports.status import isolated, plain

    state = article.state or "sighted, not captured yet"
    lines = [f"{article.source}:{article.key}  {state}  {safe(article.url)}"]
    lines += [
        f"  {'*' if v.number == (version.number if version else 0) else ' '} {v.number}  {v.citation}  to {v.last_captured_at}"
        for v in article.versions
    ]
    if version is None:
        return "\n".join(lines)
    lines += ["", isolated(plain(version.title)) if version.title else "(no title)"]
    if version.plain_title != version.title:
        lines.append(f"that is: {isolated(plain(version.plain_title))}")
    lines += ["", *_claims(version), ""]
    width = max((len(line.kind.value) + (2 if line.depth else 0) for line in version.lines), default=0)
    for line in version.lines:
        kind = line.kind.value + (f" {line.depth}" if line.depth else "")
        lines.append(f"{kind:>{width}} | {safe(line.text)}")
    return "\n".join(lines)


def _claims(version: Version) -> list[str]:
    from archive.reports.status import plain

    return [
        f"{claim.field:>14}  {plain(claim.value)}  ({plain(claim.origin)})"
        for claim in version.claims
        if claim.field != "title"
    ]
