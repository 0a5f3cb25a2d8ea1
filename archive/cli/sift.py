"""`sohr-archive sift`"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from archive.cli.common import folder_of, home_of, json_option, keep_off_terminal, write_json

if TYPE_CHECKING:
    from archive.public_archives.sift_files import FileReport


@click.command()
@click.argument("files", nargs=-1)
@click.option(
    "-o", "--output", required=True, metavar="FILE", help="Where to write the records; - is standard output."
)
@click.option(
    "--from",
    "listed",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Read further names from FILE, one a line.",
)
@click.option("--site", metavar="URL", help="The site (default: the archive's, else the Observatory's).")
@click.option("--scheduler", metavar="ADDRESS", help="Work on the Dask cluster at tcp://HOST:8786.")
@click.option("--force", is_flag=True, help="Replace an existing file.")
@json_option("Write one JSON object for each file.")
@click.pass_context
def sift(
    ctx: click.Context,
    files: tuple[str, ...],
    output: str,
    listed: Path | None,
    site: str | None,
    scheduler: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Copy the site's records out of other people's WARC FILES.

    FILES are paths, http and https addresses, or - for standard input. Each record is copied byte for byte
    into one file, which 'sohr-archive import' reads. Damaged places are named, and the command ends with 65.
    A file that exists is replaced only with --force. docs/backfill.md says how to start a cluster.

    \b
    Examples:
      sohr-archive sift CC-NEWS-*.warc.gz -o sohr.warc.gz
      zstd -dc big.warc.zst | sohr-archive sift - -o sohr.warc.gz
      sohr-archive sift --from warc.paths -o sohr.warc.gz --scheduler tcp://10.0.0.5:8786
    """
    import sys

    from tqdm import tqdm

    from archive.errors import UNREADABLE
    from archive.export.files import destination
    from archive.public_archives.sift_files import STDIN, sift_here, sift_on_cluster
    from archive.rebuild.rebuild import recorded_site
    from archive.sites.sohr.addresses import HOME

    try:
        lines = listed.read_text("utf-8").splitlines() if listed else []
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"--from {listed} cannot be read as text: {error}", ctx) from error
    names = [*files, *(line.strip() for line in lines if line.strip())]
    if not names:
        raise click.UsageError("no files are named: give paths, addresses, or - for standard input", ctx)
    if scheduler and STDIN in names:
        raise click.UsageError("a cluster cannot read standard input: name files that its workers reach", ctx)
    known = recorded_site(folder_of(ctx))
    home = home_of(site, "--site", ctx) if site else known.home if known else HOME
    keep_off_terminal(ctx, output, "WARC")
    failed = False
    bar = tqdm(total=len(names), unit=" files", disable=not sys.stderr.isatty(), leave=False)
    with bar, destination(output, folder_of(ctx), replace=force) as out:
        if scheduler:
            reports = sift_on_cluster(names, home, out, scheduler, bar.update)
        else:
            reports = sift_here(names, home, out)
        for report in reports:
            bar.update(0 if scheduler else 1)
            failed |= bool(report.failure or report.sifted.damaged)
            _show(report, as_json=as_json, has_output=output != STDIN)
    if failed:
        ctx.exit(UNREADABLE)


def _show(report: FileReport, *, as_json: bool, has_output: bool) -> None:
    """Print what came of a file; on standard error where standard output has the records."""
    sifted = report.sifted
    if report.failure:
        click.echo(f"sohr-archive: {report.name} {report.failure}", err=True)
    if sifted.damaged:
        what = f"{sifted.damaged} damaged places, the first at byte {sifted.first_damage}"
        click.echo(f"damaged: {report.name}: {what}", err=True)
    if as_json and has_output:
        write_json({"file": report.name, **asdict(sifted), "failure": report.failure})
    else:
        line = f"{report.name}: {sifted.copied:,} of {sifted.records:,} records copied"
        click.echo(line, err=not has_output)
