"""`sohr-archive check`"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from archive.cli.common import json_option, opened, write_json
from archive.errors import FOUND, OK

if TYPE_CHECKING:
    from archive.reports.check import Checked


@click.command()
@click.argument("file", type=click.Path(allow_dash=True))
@click.option("--url-column", metavar="NAME", help="Column of the addresses.  [default: by its name]")
@click.option("--date-column", metavar="NAME", help="Column of the dates.  [default: by its name]")
@click.option("--figure-column", metavar="NAME", help="Column of the figures.  [default: by its name]")
@click.option("--csv", "as_csv", is_flag=True, help="Write a CSV with a line for each address.")
@json_option("Write one JSON object for each address.")
@click.pass_context
def check(
    ctx: click.Context,
    file: str,
    url_column: str | None,
    date_column: str | None,
    figure_column: str | None,
    as_csv: bool,
    as_json: bool,
) -> int:
    """Check the citations in FILE, a CSV or JSON Lines with addresses of posts.

    For each address: is the post archived, what did it say at the date of the row and what does it say now,
    was the cited figure changed or removed, silently or not, and which citation to use. A row may have a date
    (2024-01-31), a figure, and several addresses separated by ;. Archived addresses
    (web.archive.org/web/20240131120000/http://...) are read as their originals at that time. - reads
    standard input.

    Ends with 1 where a figure moved.

    \b
    Examples:
      sohr-archive check events.csv
      sohr-archive check events.csv --url-column source_link --csv > checked.csv
      sohr-archive check cited.jsonl --json
    """
    from dataclasses import asdict

    from archive.reports.check import MOVED, check_rows
    from archive.reports.cited_rows import Columns, read_rows, read_table

    if as_csv and as_json:
        raise click.UsageError("give --csv or --json, not both", ctx)
    columns = Columns(url_column, date_column, figure_column)
    rows = list(read_rows(read_table(file), "standard input" if file == "-" else file, columns))
    with opened(ctx) as archive:
        found = list(check_rows(archive, rows))
    if as_json:
        for one in found:
            write_json(asdict(one))
    elif as_csv:
        _write_csv(found)
    else:
        click.echo(_report(len(rows), found))
    return FOUND if any(one.result == MOVED for one in found) else OK


def _write_csv(found: list[Checked]) -> None:
    import csv
    from dataclasses import asdict, fields

    from archive.reports.check import Checked
    from archive.text.spreadsheet import guard_cell

    writer = csv.DictWriter(sys.stdout, [of.name for of in fields(Checked)], lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: guard_cell(cell) for name, cell in asdict(one).items()} for one in found)


def _report(rows: int, found: list[Checked]) -> str:
    """What needs a look, address by address, then how many of each result."""
    from collections import Counter

    from archive.reports.check import MOVED, RESULTS
    from archive.reports.terminal import number_of

    shown = sorted((one for one in found if one.result not in ("stands", "edited")), key=_rank)
    lines = [line for one in shown for line in (*_describe(one), "")]
    counted = Counter(one.result for one in found)
    lines.append(f"{number_of(rows, 'row')}, {number_of(len(found), 'address', 'addresses')}:")
    width = max((len(f"{number:,}") for number in counted.values()), default=1)
    lines += [f"{counted[name]:>{width},}  {name}: {RESULTS[name]}" for name in RESULTS if counted[name]]
    if counted[MOVED]:
        lines.append("Cite the version that you read: --csv and --json have the citation of each row.")
    return "\n".join(lines)


def _rank(one: Checked) -> tuple[int, int]:
    from archive.reports.check import RESULTS

    return [*RESULTS].index(one.result), one.row


def _describe(one: Checked) -> list[str]:
    from archive.read.diff import safe
    from archive.reports.check import MOVED, show_address

    gone = f", {one.state}" if one.state and one.state != "live" else ""
    lines = [f"row {one.row}: {one.result}{gone}  {safe(show_address(one.url))}"]
    if one.result == MOVED:
        how = {True: ", silently", False: "", None: ""}[one.silent]
        lines.append(
            f"  {one.cited} -> {one.figure_now or 'removed'}, {one.changed_at or 'time unknown'}{how}"
        )
    for name, sentence, citation in (
        ("then", one.sentence_then, one.then),
        ("now", one.sentence_now, one.now),
    ):
        if citation:
            lines.append(f"  {name}: {safe(sentence) if sentence else ''}  {citation}")
    return [*lines, *([f"  {one.note}"] if one.note else [])]
