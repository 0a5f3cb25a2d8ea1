"""`verify`, `rebuild`, `repair`, `backup`: the commands about the evidence and the index made from it."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, reading

WRONG = 1  # verify found something: not an error of the command, and not nothing


@click.command()
@click.option(
    "--head",
    metavar="DIGEST",
    help="The digest of the newest manifest, as you kept it elsewhere: proves that no manifest was removed.",
)
@click.option(
    "--deep", is_flag=True, help="Derive every row again from the evidence and compare: as long as a rebuild."
)
@json_option("Write one JSON object a finding.")
@click.pass_context
def verify(ctx: click.Context, head: str | None, deep: bool, as_json: bool) -> None:
    """Check evidence, database and manifests. Silent and 0 where all is as it was; else what is wrong, and 1.

    \b
    sohr-archive verify
    sohr-archive verify --deep --head 3f5a...
    """
    from archive.rebuild.verify import verify as run
    from archive.reports.status import number_of
    from archive.warc.manifests import manifests

    folder = folder_of(ctx)
    number = unadvised = 0
    bar = sys.stderr.isatty() and not as_json
    for finding in run(
        folder,
        head=head,
        deep=deep,
        progress=lambda what: click.echo(f"checking {what}", err=True) if bar else None,
    ):
        number += 1
        unadvised += "run 'sohr-archive" not in finding.sentence
        if as_json:
            click.echo(
                json.dumps(
                    {"kind": finding.kind, "thing": finding.thing, "sentence": finding.sentence},
                    ensure_ascii=False,
                )
            )
        else:
            click.echo(f"{finding.kind}: {finding.sentence}")
    if number:
        advice = (
            "keep all files as they are, and restore what is wrong from a copy"
            if unadvised
            else "the evidence is what it was; do as it says"
        )
        click.echo(f"{number_of(number, 'finding')}: {advice}", err=True)
        ctx.exit(WRONG)
    newest = manifests(folder)[-1:]
    if bar and newest:
        click.echo(
            f"all of it matches; the newest manifest's digest, to keep elsewhere: {newest[0].digest}",
            err=True,
        )


@click.command()
@click.option(
    "--extract",
    is_flag=True,
    help="Keep database and feed, and read every article again with today's extractor.",
)
@click.option(
    "--jobs",
    type=click.IntRange(1),
    default=os.cpu_count() or 1,
    show_default="all cores",
    help="Processes that read pages.",
)
@json_option()
@click.pass_context
def rebuild(ctx: click.Context, extract: bool, jobs: int, as_json: bool) -> None:
    """Make the database anew from the WARC files alone, without any network. The old one is replaced once the
    new one is whole.

    With --extract the feed goes on: texts that today's extractor reads otherwise are replaced and told as
    `reparsed`, never as edits; captures that could not be read, or were quarantined, come in where they can
    be read now.

    \b
    rm data/archive.db; sohr-archive rebuild
    sohr-archive rebuild --extract
    """
    from tqdm import tqdm

    from archive.rebuild.rebuild import rebuild as run
    from archive.rebuild.rebuild import reextract
    from archive.warc.writer import warc_files

    if extract:
        told = reextract(folder_of(ctx), jobs)
        sentence = f"{told['reparsed']} articles read otherwise than before, {told['mended']} captures came in, {told['unread']} still cannot be read"
        click.echo(json.dumps(told) if as_json else sentence)
        return

    size = sum(file.path.stat().st_size for file in warc_files(folder_of(ctx) / "warc"))
    with tqdm(
        total=size, unit="B", unit_scale=True, desc="rebuild", disable=not sys.stderr.isatty(), leave=False
    ) as bar:
        count = run(folder_of(ctx), lambda number: (bar.update(number), None)[1], jobs)
    click.echo(
        json.dumps({"records": count}) if as_json else f"the database is made anew from {count} records"
    )


@click.command()
@json_option()
@click.pass_context
def repair(ctx: click.Context, as_json: bool) -> None:
    """After a crash: cut a torn last record, index what the database lacks. A whole record is never touched.
    The next crawl does the same.

    After an upgrade: bring the tables up to date, with a copy of the database as it was beside it.

    \b
    sohr-archive repair
    """
    from archive.rebuild.rebuild import repair as run

    cut, count = run(folder_of(ctx))
    told = (
        f"{cut} bytes of a torn record cut, {count} records indexed" if cut or count else "nothing to repair"
    )
    click.echo(json.dumps({"bytes_cut": cut, "records_indexed": count}) if as_json else told)


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@json_option()
@click.pass_context
def backup(ctx: click.Context, file: Path, as_json: bool) -> None:
    """Copy the database to FILE, consistent also while a crawl writes, with its SHA-256 beside it. The WARC
    files need no command: copy them.

    An earlier copy at FILE is replaced once the new one is whole; a file of another kind never is.

    \b
    sohr-archive backup /mnt/backup/archive-2026-01-02.db
    """
    from archive.rebuild.rebuild import backup as run

    with reading(ctx) as conn:
        digest = run(conn, file, folder_of(ctx))
    click.echo(
        json.dumps({"file": str(file), "sha256": digest})
        if as_json
        else f"{file} is a whole copy; its SHA-256 is {digest}"
    )


@click.command()
@json_option()
@click.pass_context
def head(ctx: click.Context, as_json: bool) -> None:
    """Print the digest of the newest manifest, which stands for all the evidence: keep it elsewhere, for
    `verify --head`.

    \b
    sohr-archive head
    sohr-archive verify --head "$(cat head-as-i-kept-it)"
    """
    from archive.errors import NoArchive
    from archive.warc.manifests import manifests

    chain = manifests(folder_of(ctx))
    if not chain:
        raise NoArchive(
            f"there is no manifest in {folder_of(ctx)} yet: a finished crawl writes one, --archive or ARCHIVE_DIR names another folder"
        )
    newest = chain[-1]
    click.echo(json.dumps({"manifest": newest.number, "digest": newest.digest}) if as_json else newest.digest)


@click.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@json_option("Write one JSON object a file.")
@click.pass_context
def import_(ctx: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Take in captures of posts from WARC or WACZ FILES of others: wget, browsertrix, ArchiveWeb.page,
    Heritrix, Common Crawl.

    They are copied into the archive's own files and become versions at their capture time. Everything else in
    a file is passed over and counted. Taking a file in twice changes nothing.

    \b
    sohr-archive import crawl.wacz CC-MAIN-*.warc.gz
    """
    from tqdm import tqdm

    from archive.errors import ArchiveError
    from archive.writer.import_file import import_file

    worst = 0
    for file in files:
        try:
            with tqdm(unit=" records", desc=file.name, disable=not sys.stderr.isatty(), leave=False) as bar:
                # Called within this turn
                counts = import_file(folder_of(ctx), file, lambda number: (bar.update(number), None)[1])
        except ArchiveError as error:
            if len(files) == 1:
                raise
            click.echo(f"sohr-archive: {error}", err=True)
            worst = max(worst, error.exit_status)
            continue
        named = dict(sorted(counts.items()))
        told = ", ".join(f"{number} {word}" for word, number in named.items() if number) or "no captures"
        click.echo(json.dumps({"file": str(file), **named}) if as_json else f"{file.name}: {told}")
    ctx.exit(worst)


@click.command()
@click.option(
    "--confirm",
    metavar="LAYOUT",
    help="Trust this layout from now on: what it read otherwise comes in as versions.",
)
@json_option("Write one JSON object a layout.")
@click.pass_context
def layouts(ctx: click.Context, confirm: str | None, as_json: bool) -> None:
    """Show which layouts read the articles, and the quarantined readings that wait for your word, with their
    differences.

    A page that another layout reads, with another text than before, may be an edit or the doing of a new
    theme. Nobody is accused of an edit before you have looked.

    \b
    sohr-archive layouts
    sohr-archive layouts --confirm general
    """
    from archive.clock import now
    from archive.rebuild.rebuild import happened
    from archive.reports.layouts import read_layouts

    folder = folder_of(ctx)
    with reading(ctx) as conn:
        found = read_layouts(conn, folder)
    if confirm is not None:
        if confirm not in {layout.name for layout in found}:
            raise click.UsageError(
                f"no capture was read by a layout named {confirm}: known are {', '.join(sorted(x.name for x in found)) or 'none'}"
            )
        happened(folder, {"event": "layout-confirmed", "layout": confirm, "at": now()})
        click.echo(json.dumps({"confirmed": confirm}) if as_json else f"{confirm} is trusted from now on")
        return
    if not found and not as_json:
        click.echo("no article was read yet", err=True)
    for layout in found:
        click.echo(json.dumps(layout.as_record(), ensure_ascii=False) if as_json else layout.told())
