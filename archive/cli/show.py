"""`sohr-archive show`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, version_of, write_json

if TYPE_CHECKING:
    from archive.read.api import Article
    from archive.read.records import Version

_ARTICLE = [
    "source",
    "key",
    "edition",
    "post_id",
    "url",
    "state",
    "day",
    "first_captured_at",
    "last_captured_at",
    "aliases",
]
_VERSION = ["number", "citation", "first_captured_at", "last_captured_at", "title"]


@click.command()
@click.argument("article")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--text", "text_only", is_flag=True, help="Only the text, exactly as stored.")
@json_option()
@click.pass_context
def show(ctx: click.Context, article: str, number: int | None, text_only: bool, as_json: bool) -> None:
    """Show ARTICLE and one of its versions.

    ARTICLE is an edition and post id, a citation, or any address of the article. The version is the one with
    NUMBER, or the one at the instant in the citation, or the newest. Each line has its kind. Each field has
    the place on the page where the site states it.

    \b
    Examples:
      sohr-archive show en:332481
      sohr-archive show en:332481 1 --text
      sohr-archive show sohr:en:332481@2025-03-01T10:00:00Z --json
    """
    with opened(ctx) as archive:
        found = archive.find(article)
        # Protected, empty, or not captured yet
        is_bare = found.latest is None and not text_only and number is None
        version = None if is_bare else version_of(archive, article, number)
        if text_only and version is not None:
            sys.stdout.buffer.write((version.text + "\n").encode())
        elif as_json:
            write_json(_record(found, version))
        else:
            click.echo(_text(found, version))


def _record(article: Article, version: Version | None) -> dict[str, object]:
    record: dict[str, object] = {name: getattr(article, name) for name in _ARTICLE}
    record["versions"] = [{name: getattr(v, name) for name in _VERSION} for v in article.versions]
    record["version"] = None if version is None else article.record(version.number)
    return record


def _text(article: Article, version: Version | None) -> str:
    from archive.read.diff import safe
    from archive.reports.terminal import isolated, plain

    state = article.state or "sighted, not captured yet"
    lines = [f"{article.source}:{article.key}  {state}  {safe(article.url)}"]
    for v in article.versions:
        mark = "*" if version and v.number == version.number else " "
        lines.append(f"  {mark} {v.number}  {v.citation}  to {v.last_captured_at}")
    if version is None:
        return "\n".join(lines)
    lines += ["", isolated(plain(version.title)) if version.title else "(no title)"]
    if version.plain_title != version.title:
        lines.append(f"in plain letters: {isolated(plain(version.plain_title))}")
    claims = [
        f"{claim.field:>14}  {plain(claim.value)}  ({plain(claim.origin)})"
        for claim in version.claims
        if claim.field != "title"
    ]
    lines += ["", *claims, ""]
    kinds = [line.kind.value + (f" {line.depth}" if line.depth else "") for line in version.lines]
    width = max(map(len, kinds), default=0)
    lines += [f"{kind:>{width}} | {safe(line.text)}" for kind, line in zip(kinds, version.lines, strict=True)]
    return "\n".join(lines)
