"""`sohr-archive export`"""

from __future__ import annotations

import sys

import click

from archive.cli.common import folder_of, json_option, reading

FORMATS = ("jsonl", "csv", "parquet", "text", "warc", "wacz")
STATES = ("live", "missing", "disappeared", "moved", "protected", "empty", "unreadable")


@click.command()
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(allow_dash=True),
    default="-",
    show_default="standard output",
    metavar="FILE",
    help="Where to; - is standard output.",
)
@click.option("--format", "form", type=click.Choice(FORMATS), default="jsonl", show_default=True)
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option(
    "--since", metavar="DATE", help="Only what was published then or later: 2024-01-31, or an instant (UTC)."
)
@click.option("--until", metavar="DATE", help="Only what was published then or earlier.")
@click.option(
    "--category", metavar="NAME", help="Only what the site files under this category, as it writes it."
)
@click.option("--state", type=click.Choice(STATES), help="Only articles in this state.")
@click.option(
    "--versions",
    "which",
    type=click.Choice(["all", "latest"]),
    default="all",
    show_default=True,
    help="Or each article's newest.",
)
@click.option("--changed", is_flag=True, help="Only articles of which more than one version is held.")
@click.option(
    "--content",
    is_flag=True,
    help="Only what the site said, not when, where or how often it was asked (JSON Lines).",
)
@click.option("--force", is_flag=True, help="Replace a file that is there already.")
@click.option(
    "--package/--no-package", default=True, help="Write datapackage.json beside the file.  [default: yes]"
)
@json_option(
    "Write the counts as JSON: to standard output, or to standard error where the export goes there."
)
@click.pass_context
def export(
    ctx: click.Context,
    target: str,
    form: str,
    edition: str | None,
    since: str | None,
    until: str | None,
    category: str | None,
    state: str | None,
    which: str,
    changed: bool,
    content: bool,
    force: bool,
    package: bool,
    as_json: bool,
) -> None:
    """Write the versions held, in a stable order: for pandas, DuckDB, a spreadsheet, a reader, a replay tool.

    The order is edition, post id, first capture; the same archive always gives the same bytes. A file appears
    whole or not at all. Beside it datapackage.json says what each column is, from which archive and by which
    software it was made.

    \b
    jsonl    one version a line, with its lines, links and claims
    csv      the same as a table; lists and objects are JSON
    parquet  the same with types (needs the extra: pip install 'sohr-archive[export]')
    text     one stream: a head, the text as stored, a form feed
    warc     the captures of these versions, byte for byte, each with its request
    wacz     the same with index and pages, for ReplayWeb.page

    A version counts as published when the site says so; else on its archive day; else when it was first
    captured. With --content two archives of the same unchanged site are equal byte for byte, whatever
    interrupted their crawls; articles without text (protected, empty) have a line too, with their state and
    no number.

    \b
    Examples:
      sohr-archive export -o versions.jsonl
      sohr-archive export --format parquet --since 2024-01-01 --until 2024-12-31 -o 2024.parquet
      sohr-archive export --versions latest --edition ar --format csv -o arabic.csv
      sohr-archive export --format wacz --changed -o edited.wacz
      sohr-archive export --content | sha256sum
    """
    from tqdm import tqdm

    from archive.export.versions import export as run
    from archive.read.database import json_line
    from archive.read.references import parse_bound
    from archive.read.selection import Selection, count

    if content and form != "jsonl":
        raise click.UsageError("--content is JSON Lines: leave --format out", ctx)
    selection = Selection(
        edition=edition,  # type: ignore[arg-type]  # click.Choice saw to it
        since=parse_bound(since) if since else None,
        until=parse_bound(until, is_end=True) if until else None,
        category=category,
        state=state,
        which="latest" if which == "latest" else "all",
        changed=changed,
    )
    show = sys.stderr.isatty() and target != "-" and not as_json
    with (
        reading(ctx) as conn,
        tqdm(
            total=count(conn, selection) if show else 0, unit=" versions", disable=not show, leave=False
        ) as bar,
    ):
        told = run(
            conn,
            target,
            form,  # type: ignore[arg-type]  # click.Choice saw to it
            selection,
            folder=folder_of(ctx),
            content=content,
            force=force,
            package=package,
            progress=bar.update if show else lambda: None,
        )
    if as_json:
        line = json_line(
            {"output": target, "format": form, "versions": told.versions, "articles": told.articles}
        )
        (sys.stderr if target == "-" else sys.stdout).buffer.write(line)
    elif target != "-":
        click.echo(f"{told.versions:,} versions of {told.articles:,} articles in {target}", err=True)
