"""`sohr-archive init`"""

from __future__ import annotations

from pathlib import Path

import click

from archive.cli.common import json_option, write


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--contact", default="", metavar="TEXT", help="Your e-mail or web address.")
@json_option()
def init(folder: Path, contact: str, as_json: bool) -> None:
    """Make the folder of a new archive, with a commented settings file.

    The file is settings.toml in DIR. Every crawl and command that is given this folder reads it. A file that
    is there is not changed.

    \b
    Examples:
      sohr-archive init /srv/sohr --contact you@example.org
      ARCHIVE_DIR=/srv/sohr scrapy crawl sohr
    """
    import json

    from archive.errors import CannotWrite
    from archive.folder import write_whole
    from archive.settings_file import SETTINGS, TEMPLATE

    path = folder / SETTINGS
    if path.exists():
        raise CannotWrite(f"{path} exists: edit it")
    stated = f"contact = {json.dumps(contact, ensure_ascii=False)}"  # TOML and JSON escape alike
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, TEMPLATE.format(contact=stated if contact else '#contact = "you@example.org"'))
    path.chmod(0o600)  # it may name secrets
    text = f"{path}: read and edit it, then crawl: ARCHIVE_DIR={folder} scrapy crawl sohr"
    write({"folder": str(folder), "settings": str(path)}, text, as_json=as_json)
