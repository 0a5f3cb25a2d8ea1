"""`sohr-archive export`"""

from __future__ import annotations

import sys
from pathlib import PurePath

import click

from archive.cli.common import folder_of, json_option, keep_off_terminal, reading
from archive.export.formats import FORMATS, TABLE_NAMES, format_lines, format_of
from archive.model import STATES


@click.command()
@click.option(
    "--what",
    type=click.Choice(TABLE_NAMES),
    default=TABLE_NAMES[0],
    show_default=True,
    help="Versions; each number that an edit changed; each figure; series of figures (these as tables).",
)
@click.option(
    "-o",
    "--output",
    "target",
    type=click.Path(allow_dash=True),
    default="-",
    show_default="standard output",
    metavar="FILE",
    help="Where to write; - is standard output.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(list(FORMATS)),
    show_default="by the ending of FILE; jsonl without one",
    help="How to write it.",
)
@click.option("--edition", type=click.Choice(["en", "ar"]), help="Only this edition.")
@click.option(
    "--since", metavar="DATE", help="Only posts published then or later: 2024-01-31, or an instant in UTC."
)
@click.option("--until", metavar="DATE", help="Only posts published then or earlier.")
@click.option("--category", metavar="NAME", help="Only posts in this category, spelled as on the site.")
@click.option("--state", type=click.Choice(STATES), help="Only articles in this state.")
@click.option(
    "--versions",
    "which",
    type=click.Choice(["all", "latest"]),
    default="all",
    show_default=True,
    help="All versions of each article, or the newest.",
)
@click.option("--changed", is_flag=True, help="Only articles with more than one version.")
@click.option("--retracted", is_flag=True, help="Also versions whose change proved wrong and was taken back.")
@click.option(
    "--content",
    is_flag=True,
    help="Only what the site said, without the times and number of our captures (JSON Lines).",
)
@click.option("--strip", is_flag=True, help="Leave our contact and the site's cookies out (warc, wacz).")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@click.option(
    "--package/--no-package", default=True, help="Write datapackage.json beside the file.  [default: yes]"
)
@json_option("Write the counts as JSON to standard output, or to standard error if the export goes there.")
@click.pass_context
def export(
    ctx: click.Context,
    what: str,
    target: str,
    form: str | None,
    edition: str | None,
    since: str | None,
    until: str | None,
    category: str | None,
    state: str | None,
    which: str,
    changed: bool,
    retracted: bool,
    content: bool,
    strip: bool,
    force: bool,
    package: bool,
    as_json: bool,
) -> None:
    """Write versions, figures or their changes to a file for pandas, DuckDB, a spreadsheet or a replay tool.

    The order is edition, post id, first capture. The same archive always gives the same bytes. A file appears
    when it is complete. The datapackage.json beside it describes each column and names the archive and the
    software.

    \b
    FORMATS

    The time of publication is the one the site gives, else the archive day, else the first capture. For
    figure-changes, --since and --until are the time of the edit.

    With --content, two archives of the same unchanged site are equal byte for byte, also after interrupted
    crawls. Articles without text (protected, empty) have a line too, with their state and without a number.

    \b
    Examples:
      sohr-archive export -o versions.jsonl
      sohr-archive export --since 2024-01-01 --until 2024-12-31 -o 2024.parquet
      sohr-archive export --versions latest --edition ar -o arabic.csv
      sohr-archive export --changed -o edited.wacz
      sohr-archive export --changed --strip -o to-publish.wacz
      sohr-archive export --what figure-changes -o figures.csv
      sohr-archive export --what series --edition en -o series.parquet
      sohr-archive export --content | sha256sum
    """
    from tqdm import tqdm

    from archive.export.source import CONTENTS, TABLES
    from archive.export.write import write_export
    from archive.read.database import json_line
    from archive.read.references import parse_bound
    from archive.read.selection import Selection, count

    form = form or format_of(target)
    if form is None:
        endings = ", ".join(one.ending for one in FORMATS.values())
        raise click.UsageError(
            f"{target} has an ending of no format: give --format, or one of {endings}", ctx
        )
    if target != "-" and format_of(target) not in (None, form) and PurePath(target).suffix:
        raise click.UsageError(
            f"{target} ends as {format_of(target)} does: name it *{FORMATS[form].ending}", ctx
        )
    if content and (form != "jsonl" or what != TABLE_NAMES[0]):
        raise click.UsageError("--content writes versions as JSON Lines: leave out --format and --what", ctx)
    if what != TABLE_NAMES[0] and not FORMATS[form].is_table:
        raise click.UsageError(
            f"--what {what} is a table, and {form} is not a format of tables: give csv, parquet or jsonl", ctx
        )
    if strip and form not in ("warc", "wacz"):
        raise click.UsageError(f"--strip is for warc and wacz: {form} has no contact and no cookies", ctx)
    if FORMATS[form].is_binary:
        keep_off_terminal(ctx, target, form)
    selection = Selection(
        edition=edition,  # type: ignore[arg-type]  # click.Choice checked it
        since=parse_bound(since) if since else None,
        until=parse_bound(until, is_end=True) if until else None,
        category=category,
        state=state,
        which="latest" if which == "latest" else "all",
        changed=changed,
        retracted=retracted,
    )
    show = sys.stderr.isatty() and target != "-" and not as_json
    with (
        reading(ctx) as conn,
        tqdm(
            total=count(conn, selection) if show and what == TABLE_NAMES[0] else None,
            unit=f" {what}",
            disable=not show,
            leave=False,
        ) as bar,
    ):
        written = write_export(
            conn,
            target,
            form,
            selection,
            folder=folder_of(ctx),
            table=CONTENTS if content else TABLES[what],
            force=force,
            strip=strip,
            package=package,
            progress=bar.update if show else lambda: None,
        )
    if as_json:
        numbers = {written.counted: written.number, "articles": written.articles}
        line = json_line({"output": target, "format": form, **numbers})
        (sys.stderr if target == "-" else sys.stdout).buffer.write(line)
    elif target != "-":
        counted = written.counted.replace("_", " ")
        click.echo(f"{written.number:,} {counted} of {written.articles:,} articles in {target}", err=True)


export.help = (export.help or "").replace("FORMATS", format_lines().replace("\n", "\n    "))
