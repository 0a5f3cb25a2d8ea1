"""`sohr-archive head`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, write


@click.command()
@json_option()
@click.pass_context
def head(ctx: click.Context, as_json: bool) -> None:
    """Print the digest of the newest manifest.

    It stands for all the evidence. Save it elsewhere and give it to `verify --head` later.

    \b
    Examples:
      sohr-archive head
      sohr-archive verify --head "$(cat saved-digest)"
    """
    from archive.errors import NoArchive
    from archive.warc.manifests import manifests

    folder = folder_of(ctx)
    chain = manifests(folder)
    if not chain:
        raise NoArchive(
            f"there is no manifest in {folder}: finish a crawl, or name another folder with --archive"
        )
    newest = chain[-1]
    write({"manifest": newest.number, "digest": newest.digest}, newest.digest, as_json=as_json)
