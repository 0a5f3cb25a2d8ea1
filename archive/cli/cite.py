"""`sohr-archive cite`"""

from __future__ import annotations

import hashlib

import click

from archive.cli.common import json_option, keep_off_terminal, opened, version_of, write_json


@click.command()
@click.argument("article")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--bibtex", is_flag=True, help="Write BibTeX for LaTeX.")
@click.option(
    "--package",
    metavar="OUT.wacz",
    help="Also write the evidence of this version, and of the one before it, as a signed package.",
)
@click.option("--force", is_flag=True, help="Replace the package if it exists.")
@json_option()
@click.pass_context
def cite(
    ctx: click.Context,
    article: str,
    number: int | None,
    bibtex: bool,
    package: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Print a citation of one version of ARTICLE.

    The version is the one with NUMBER, or the one at the instant in a citation, or the newest. The evidence
    is read and its digests are checked.

    A package holds what somebody needs who has nothing else: captures with their requests, manifests,
    timestamps and a provenance sheet. It is signed with the archive's key, archive.key, which the first
    package makes.

    \b
    Examples:
      sohr-archive cite en:332481
      sohr-archive cite en:332481 1 --bibtex
      sohr-archive cite sohr:en:332481@2025-03-01T10:00:00Z --json
      sohr-archive cite en:332481 2 --package edit.wacz
    """
    from archive.export.files import destination
    from archive.export.proof import write_proof
    from archive.export.signature import make_key
    from archive.read.cite import Citation
    from archive.read.diff import safe

    if bibtex and as_json:
        raise click.UsageError("give --bibtex or --json, not both", ctx)
    keep_off_terminal(ctx, package, "a package")
    with opened(ctx) as archive:
        version = version_of(archive, article, number)
        digest = hashlib.sha256(archive.evidence(version).body).hexdigest()
        cited = Citation.of(version, digest, archive.folder)
        if package:
            with destination(package, archive.folder, replace=force) as out:
                write_proof(archive.folder, version, out, make_key(archive.folder))
    if as_json:
        write_json(cited.as_record())
    else:
        click.echo(safe(cited.bibtex() if bibtex else cited.text()), nl=False)
