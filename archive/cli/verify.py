"""`sohr-archive verify`"""

from __future__ import annotations

import re
import sys

import click

from archive.cli.common import folder_of, json_option, tell, write
from archive.errors import FOUND


@click.command()
@click.option(
    "--head",
    metavar="DIGEST",
    help="The newest manifest's digest, as you saved it elsewhere. Shows whether manifests were removed.",
)
@click.option("--deep", is_flag=True, help="Also rebuild every row from the evidence and compare. Slow.")
@json_option("Write one JSON object for each finding.")
@click.pass_context
def verify(ctx: click.Context, head: str | None, deep: bool, as_json: bool) -> None:
    """Check the evidence, the database, the manifests and their timestamps.

    Prints each problem and ends with 1; without problems it ends with 0. The last line, on standard error,
    says what was checked.

    \b
    Examples:
      sohr-archive verify
      sohr-archive verify --deep --head 3f5a...
    """
    from archive.rebuild.verify import Checked
    from archive.rebuild.verify import verify as run
    from archive.reports.terminal import number_of
    from archive.warc.manifests import newest_manifest
    from archive.warc.timestamps import newest_token

    folder = folder_of(ctx)
    advice: list[str] = []
    checked = Checked()
    show = sys.stderr.isatty() and not as_json

    def progress(what: str) -> None:
        if show:
            click.echo(f"checking {what}", err=True)

    if head is not None:
        head = (head.split() or [""])[0].lower()  # what `head` prints has the timestamp below it
        if not re.fullmatch("[0-9a-f]{64}", head):
            raise click.UsageError(
                f"--head {head!r} is not a digest: give the 64 characters that 'sohr-archive head' printed",
                ctx,
            )
    for finding in run(folder, head=head, deep=deep, progress=progress, checked=checked):
        advice.append(finding.advice)
        fields = ("kind", "thing", "offset", "advice", "sentence")
        record = {name: getattr(finding, name) for name in fields}
        write(record, f"{finding.kind}: {finding.sentence}", as_json=as_json)
    newest, token = newest_manifest(folder), newest_token(folder)
    if not advice and newest and token and token.number < newest.number:
        tell(f"no timestamp yet after manifest {token.number}, up to manifest {newest.number}")
    if show and newest and not advice:
        click.echo(f"keep this digest elsewhere: {newest.digest}", err=True)
    parts = (
        number_of(checked.files, "WARC file"),
        number_of(checked.records, "record"),
        number_of(checked.manifests, "manifest"),
        number_of(checked.tokens, "timestamp"),
        f"the database with {number_of(checked.versions, 'version')}",
    )
    again = ", and derived every row again" * deep
    tell(f"Checked {', '.join(parts)}{again}: {_verdict(advice)}.")
    if advice:
        ctx.exit(FOUND)


def _verdict(advice: list[str]) -> str:
    from archive.reports.terminal import number_of

    if not advice:
        return "everything matches"
    todo = "the evidence is unchanged; do what the findings say"
    if "restore" in advice:
        todo = "keep all files as they are, and restore what is wrong from a copy"
    return f"{number_of(len(advice), 'finding')}: {todo}"
