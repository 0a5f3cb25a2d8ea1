"""`sohr-archive search`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened

if TYPE_CHECKING:
    from archive.read.api import Hit

AROUND = 70  # characters shown on both sides of the first match


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="At most so many articles.",
)
@json_option("Write one JSON object an article, with where the matches stand.")
@click.pass_context
def search(
    ctx: click.Context, words: tuple[str, ...], edition: str | None, limit: int, as_json: bool
) -> None:
    """Find articles whose newest version has all WORDS in its title or text, in both languages, the best
    first.

    Case, accents, Arabic vowel signs, forms of alef, and marks put inside words do not matter. Quote a phrase
    twice, once for the shell; a star at the end finds all that begins so. Nothing found: no output, exit
    status 0.

    \b
    Examples:
      sohr-archive search قتل
      sohr-archive search '"car bomb"' Aleppo
      sohr-archive search 'kill*' --edition en --json
    """
    from archive.read.database import json_line

    with opened(ctx) as archive:
        for hit in archive.search(" ".join(words), edition=edition, limit=limit):  # type: ignore[arg-type]  # click.Choice saw to it
            if as_json:
                sys.stdout.buffer.write(json_line(_record(hit)))
            else:
                click.echo(_told(hit))


def _record(hit: Hit) -> dict[str, object]:
    version = hit.version
    names = (
        "source",
        "key",
        "edition",
        "post_id",
        "url",
        "state",
        "citation",
        "number",
        "title",
        "plain_title",
        "text",
        "published_at",
    )
    return {name: getattr(version, name) for name in names} | {
        "title_matches": hit.title_matches,
        "matches": hit.matches,
    }


def _told(hit: Hit) -> str:
    from archive.reports.status import isolated, plain

    version = hit.version
    lines = [
        f"{version.source}:{version.key}  {(version.published_at or version.first_captured_at)[:10]}  {isolated(plain(version.title))}"
    ]
    if hit.matches:
        start, end = hit.matches[0]
        first, last = max(0, start - AROUND), min(len(version.text), end + AROUND)
        piece = plain(version.text[first:last])
        lines.append(f"    {'…' * (first > 0)}{isolated(piece)}{'…' * (last < len(version.text))}")
    return "\n".join(lines)
