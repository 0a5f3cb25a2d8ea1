"""`sohr-archive import`"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive.cli.common import folder_of, json_option, write_json

if TYPE_CHECKING:
    from archive.warc.foreign import Report


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option("Write one JSON object for each file.")
@click.pass_context
def import_(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Add captures of posts from other WARC or WACZ FILES.

    The files can come from wget, Browsertrix, ArchiveWeb.page, Heritrix or Common Crawl. Captures are copied
    into the archive's own files and become versions at their capture time. Everything else in a file is
    counted and ignored; each damaged record is named, and the command ends with 65. Importing a file twice
    changes nothing.

    \b
    Example:
      sohr-archive import crawl.wacz CC-MAIN-*.warc.gz
    """
    from tqdm import tqdm

    from archive.errors import OK, UNREADABLE, ArchiveError
    from archive.reports.terminal import number_of
    from archive.writer.import_file import Importer

    worst = OK
    reports: list[tuple[Path, Report]] = []
    with tqdm(unit=" captures", disable=not sys.stderr.isatty(), leave=False) as bar:
        importer = Importer(folder_of(ctx), bar.update)
        for file in files:
            try:
                reports.append((file, importer.add(file)))
            except ArchiveError as error:
                if len(files) == 1:
                    raise
                click.echo(f"sohr-archive: {error}", err=True)
                worst = max(worst, error.exit_status)
        for file, report in reports:
            if report.counts["revisit"] and len(reports) > 1:
                importer.add_revisits(file, report)
    for file, report in reports:
        _show(file, report, importer.site.home, as_json)
    number = sum(len(report.lost) for _, report in reports)
    if number:
        click.echo(f"{number_of(number, 'damaged record')}: everything whole was imported", err=True)
    is_cut = any(report.failure for _, report in reports)
    if number or is_cut or (reports and not any(report.captures for _, report in reports)):
        worst = max(worst, UNREADABLE)
    ctx.exit(worst)


def _show(file: Path, report: Report, home: str, as_json: bool) -> None:
    """Print what came of a file for the archive of the site at ``home``; what is wrong, on standard error."""
    for lost in report.lost:
        click.echo(f"damaged: {lost}", err=True)
    if report.failure:
        click.echo(f"sohr-archive: {report.failure}", err=True)
    if not report.captures:
        click.echo(f"{file.name} has no post of {home} to import", err=True)
    if as_json:
        lost_places = [{"offset": lost.offset, "what": lost.what} for lost in report.lost]
        write_json({"file": str(file), **dict(sorted(report.counts.items())), "damage": lost_places})
    else:
        text = ", ".join(f"{number} {word}" for word, number in sorted(report.counts.items()) if number)
        click.echo(f"{file.name}: {text or 'no captures'}")
