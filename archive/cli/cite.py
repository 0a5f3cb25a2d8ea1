"""`sohr-archive cite`"""

from __future__ import annotations

import hashlib

import click

from archive.cli.common import json_option, opened, version_of, write_json


@click.command()
@click.argument("article")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--bibtex", is_flag=True, help="Write BibTeX for LaTeX.")
@json_option()
@click.pass_context
def cite(ctx: click.Context, article: str, number: int | None, bibtex: bool, as_json: bool) -> None:
    """Print a citation of one version of ARTICLE.

    The version is the one with NUMBER, or the one at the instant in a citation, or the newest. The evidence
    is read and its digests are checked.

    \b
    Examples:
      sohr-archive cite en:332481
      sohr-archive cite en:332481 1 --bibtex
      sohr-archive cite sohr:en:332481@2025-03-01T10:00:00Z --json
    """
    from archive.read.cite import Citation
    from archive.read.diff import safe

    if bibtex and as_json:
        raise click.UsageError("give --bibtex or --json, not both", ctx)
    with opened(ctx) as archive:
        version = version_of(archive, article, number)
        digest = hashlib.sha256(archive.evidence(version).body).hexdigest()
        cited = Citation.of(version, digest, archive.folder)
    if as_json:
        write_json(cited.as_record())
    else:
        click.echo(safe(cited.bibtex() if bibtex else cited.text()), nl=False)
