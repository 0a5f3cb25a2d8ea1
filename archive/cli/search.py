"""`sohr-archive search`"""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, write_json

if TYPE_CHECKING:
    from archive.read.api import Hit

_AROUND = 70  # characters shown before and after the first match
_FIELDS = [
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
]


@click.command()
@click.argument("words", nargs=-1, required=True)
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option(
    "--limit",
    type=click.IntRange(min=1),
    default=20,
    show_default=True,
    metavar="N",
    help="At most N articles.",
)
@json_option("Write one JSON object for each article, with the places of the matches.")
@click.pass_context
def search(
    ctx: click.Context, words: tuple[str, ...], edition: str | None, limit: int, as_json: bool
) -> None:
    """Find articles whose newest version has all WORDS in its title or text.

    Searches both editions; the best matches come first. Case, accents, Arabic vowel signs, forms of alef and
    marks inside words do not matter. For a phrase, put quotation marks inside the shell's quotes. A star at
    the end of a word matches every word that begins like it. Without a match there is no output and the exit
    status is 0.

    \b
    Examples:
      sohr-archive search قتل
      sohr-archive search '"car bomb"' Aleppo
      sohr-archive search 'kill*' --edition en --json
    """
    with opened(ctx) as archive:
        for hit in archive.search(" ".join(words), edition=edition, limit=limit):  # type: ignore[arg-type]  # a Choice
            if as_json:
                write_json(_record(hit))
            else:
                click.echo(_text(hit))


def _record(hit: Hit) -> dict[str, object]:
    fields = {name: getattr(hit.version, name) for name in _FIELDS}
    return fields | {"title_matches": hit.title_matches, "matches": hit.matches}


def _text(hit: Hit) -> str:
    from archive.reports.terminal import isolated, plain

    version = hit.version
    day = (version.published_at or version.first_captured_at)[:10]
    lines = [f"{version.source}:{version.key}  {day}  {isolated(plain(version.title))}"]
    if hit.matches:
        start, end = hit.matches[0]
        first, last = max(0, start - _AROUND), min(len(version.text), end + _AROUND)
        piece = isolated(plain(version.text[first:last]))
        lines.append(f"    {'…' * (first > 0)}{piece}{'…' * (last < len(version.text))}")
    return "\n".join(lines)
