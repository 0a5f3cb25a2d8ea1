"""`sohr-archive serve`"""

from __future__ import annotations

import errno
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option
from archive.errors import USAGE, ArchiveError


class NoDatasette(ArchiveError):
    """Raised when Datasette is not installed, by `serve`."""

    exit_status = USAGE


class CannotListen(ArchiveError):
    """Raised when the port is taken, or the address is not this machine's, by `serve`."""

    exit_status = USAGE


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0: any free one."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. Others than this machine's show the archive to others.",
)
@click.option("--open", "open_browser", is_flag=True, help="Open a browser.")
@click.argument("database", type=click.Path(path_type=Path, dir_okay=False), required=False)
@json_option("Write the address as one JSON object to standard output, then serve.")
@click.pass_context
def serve(
    ctx: click.Context, port: int, host: str, open_browser: bool, database: Path | None, as_json: bool
) -> None:
    """Show an archive in a browser, with Datasette; also while a crawl writes to it.

    DATABASE is a copy made by publish-copy; without it, the archive that --archive names.

    \b
    Examples:
      sohr-archive serve
      sohr-archive serve --port 8080
      sohr-archive serve public.db
    """
    from archive.read.database import json_line

    path = database or folder_of(ctx) / "archive.db"
    _check(path)
    try:
        from archive.browse.serving import run
    except ImportError as error:
        raise NoDatasette("Datasette is not installed: pip install 'sohr-archive[browse]'") from error
    port = _free_port(host, port)
    url = f"http://{host}:{port}/-/sohr/"
    if as_json:
        sys.stdout.buffer.write(json_line({"url": url}))
        sys.stdout.flush()
    click.echo(f"The archive is read at {url} (Ctrl-C ends it)", err=True)
    run(path, port, host, open_browser=open_browser)


def _free_port(host: str, port: int) -> int:
    """The port, or any for 0, if nobody listens there: tried here, for Datasette would tell it in its log
    alone. Raises CannotListen."""
    try:
        with closing(
            socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
        ) as trial:
            return int(trial.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise CannotListen(
                f"port {port} of {host} is in use: name another with --port, or --port 0 for any free one"
            ) from error
        if error.errno == errno.EACCES:
            raise CannotListen(
                f"port {port} of {host} is not for you to use: name one above 1023 with --port"
            ) from error
        raise CannotListen(
            f"nothing can listen at {host} ({(error.strerror or str(error)).partition(' (')[0]}): name another --host, an address of this machine"
        ) from error


def _check(path: Path) -> None:
    """Raises what `archive.read.database` raises where there is no archive to show."""
    from archive.read.database import check, open_readonly, told

    if path.name == "archive.db":
        open_readonly(path.parent).close()
        return
    if not path.is_file():
        raise NoDatasette(f"there is no {path}: 'sohr-archive publish-copy {path}' makes one")
    with told(path), closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as conn:
        check(conn, path, "make it anew with 'sohr-archive publish-copy'")
