"""`sohr-archive head`"""

from __future__ import annotations

import click

from archive.cli.common import folder_of, json_option, write


@click.command()
@json_option()
@click.pass_context
def head(ctx: click.Context, as_json: bool) -> None:
    """Print the digest of the newest manifest, and below it what a timestamp covers, since when, and by whom.

    The digest stands for all the evidence. Save it elsewhere and give it to `verify --head` later. If the
    archive has signed packages, its public key follows.

    \b
    Examples:
      sohr-archive head
      sohr-archive verify --head "$(cat saved-digest)"
    """
    from archive.errors import NoArchive
    from archive.export.signature import public_part, read_key
    from archive.warc.manifests import newest_manifest
    from archive.warc.timestamps import newest_token

    folder = folder_of(ctx)
    newest, token = newest_manifest(folder), newest_token(folder)
    if not newest:
        raise NoArchive(
            f"there is no manifest in {folder}: finish a crawl, or name another folder with --archive"
        )
    text = newest.digest
    if token:
        text += f"\n{token.digest} was there at {token.at}, says {token.authority} ({token.name})"
    key = read_key(folder)
    public = public_part(key) if key else None
    text += f"\npublic key of packages: {public}" if public else ""
    dated = {"digest": token.digest, "at": token.at, "authority": token.authority} if token else None
    record = {"manifest": newest.number, "digest": newest.digest, "timestamp": dated, "public_key": public}
    write(record, text, as_json=as_json)
