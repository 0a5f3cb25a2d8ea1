"""`sohr-archive import`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, write_json


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option("Write one JSON object for each file.")
@click.pass_context
def import_(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Add captures of posts from other WARC or WACZ FILES.

    The files can come from wget, Browsertrix, ArchiveWeb.page, Heritrix or Common Crawl. Captures are copied
    into the archive's own files and become versions at their capture time. Everything else in a file is
    counted and ignored. Importing a file twice changes nothing.

    \b
    Example:
      sohr-archive import crawl.wacz CC-MAIN-*.warc.gz
    """
    from tqdm import tqdm

    from archive.errors import ArchiveError
    from archive.writer.import_file import import_file

    worst = 0
    for file in files:
        try:
            with tqdm(unit=" records", desc=file.name, disable=not sys.stderr.isatty(), leave=False) as bar:
                # Called within this turn of the loop
                counts = import_file(folder_of(ctx), file, lambda number: (bar.update(number), None)[1])
        except ArchiveError as error:
            if len(files) == 1:
                raise
            click.echo(f"sohr-archive: {error}", err=True)
            worst = max(worst, error.exit_status)
            continue
        if as_json:
            write_json({"file": str(file), **dict(sorted(counts.items()))})
        else:
            text = ", ".join(f"{number} {word}" for word, number in sorted(counts.items()) if number)
            click.echo(f"{file.name}: {text or 'no captures'}")
    ctx.exit(worst)
