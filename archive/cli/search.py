"""`sohr-archive search`"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, write
from archive.model import EDITIONS

if TYPE_CHECKING:
    from archive.read.api import Archive, Hit

_AROUND = 70  # characters shown before and after the first match
_FIELDS = ["source", "key", "edition", "post_id", "url", "state", "citation", "number"]
_FIELDS += ["title", "plain_title", "text", "published_at"]


# Without -h, so that words such as -hospital can be typed
@click.command(context_settings={"ignore_unknown_options": True, "help_option_names": ["--help"]})
@click.argument("words", nargs=-1, required=True)
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option("--since", metavar="DAY", default="", help="Only posts of this day or later: 2024, 2024-01-31.")
@click.option("--until", metavar="DAY", default="", help="Only posts of this day or earlier.")
@click.option("--category", metavar="NAME", default="", help="Only this category, spelled as on the site.")
@click.option("--edited", type=click.Choice(["yes", "silently"]), help="Only edited posts.")
@click.option(
    "--severity",
    type=click.IntRange(1, 3),
    help="Only edits this severe or more; 3: a figure or its sentence.",
)
@click.option("--newest", is_flag=True, help="Newest first, instead of most relevant.")
@click.option("--exact", is_flag=True, help="Only the words as typed, no others of their stem.")
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
    ctx: click.Context,
    words: tuple[str, ...],
    edition: str | None,
    since: str,
    until: str,
    category: str,
    edited: str | None,
    severity: int | None,
    newest: bool,
    exact: bool,
    limit: int,
    as_json: bool,
) -> None:
    """Find articles whose newest version has all WORDS in its title or text.

    Searches both editions and also finds other words of the same stem: landmines finds landmine, قتل finds
    مقتل. Case, accents, Arabic vowel signs, forms of alef and marks inside words do not matter; 1204 finds
    1,204. The number of articles goes to standard error.

    \b
    "car bomb"       a phrase: put quotation marks inside the shell's quotes
    kill*            every word that begins so
    landmine OR لغم  one of the two
    -children        not this word
    ''               every post that the options allow

    \b
    Examples:
      sohr-archive search قتل
      sohr-archive search '"car bomb"' Aleppo -children
      sohr-archive search 'kill*' --edition en --since 2024 --json
    """
    from archive.read.find import Filters
    from archive.reports.terminal import number_of

    if words == ("-h",):
        click.echo(ctx.get_help())
        return
    for word in words:
        if word.startswith("--"):
            raise click.NoSuchOption(word, ctx=ctx)
    query = " ".join(words)
    filters = Filters(edition or "", since, until, category, edited=edited or "", severity=severity or 0)
    with opened(ctx) as archive:
        count = archive.count(query, filters=filters, exact=exact)
        for hit in archive.search(query, filters=filters, exact=exact, newest_first=newest, limit=limit):
            write(_record(hit), _text(hit), as_json=as_json)
        ranked = "" if newest else " (about the newest 50,000 are ranked)"
        for name in _posts_with_id(archive, query):
            click.echo(f"a post has this id: sohr-archive show {name}", err=True)
        total = f"more than 50,000 articles{ranked}" if count is None else number_of(count, "article")
        shown = f", {limit} shown; --limit shows more" if count is None or count > limit else ""
        others = [
            text
            + " without filters" * (kept != filters)
            + " without --exact" * (exact and text == query)
            + f" ({times})"
            for text, kept, times in (archive.suggest(query, filters) if count == 0 else [])
        ]
    click.echo(
        f"{total}{shown}" + (f"; these find something: {', '.join(others)}" if others else ""), err=True
    )


def _posts_with_id(archive: Archive, query: str) -> list[str]:
    from archive.read.references import NotArchived

    found = []
    for edition in EDITIONS if query.isascii() and query.isdigit() else ():
        with suppress(NotArchived):
            found.append(f"{edition}:{archive.article(edition, query).key}")
    return found


def _record(hit: Hit) -> dict[str, object]:
    fields = {name: getattr(hit.version, name) for name in _FIELDS}
    return fields | {"title_matches": hit.title_matches, "matches": hit.matches}


def _text(hit: Hit) -> str:
    from archive.reports.terminal import isolated, plain

    version = hit.version
    day = version.day or (version.published_at or version.first_captured_at)[:10]
    lines = [f"{version.source}:{version.key}  {day}  {isolated(plain(version.title))}"]
    if hit.matches:
        start, end = hit.matches[0]
        first, last = max(0, start - _AROUND), min(len(version.text), end + _AROUND)
        piece = isolated(plain(version.text[first:last]))
        lines.append(f"    {'…' * (first > 0)}{piece}{'…' * (last < len(version.text))}")
    return "\n".join(lines)
