"""`sohr-archive serve`"""

from __future__ import annotations

import errno
import socket
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

import click

from archive.cli.common import folder_of, json_option, write_json
from archive.errors import USAGE, ArchiveError


class NoDatasette(ArchiveError):
    """Raised when Datasette is not installed, by `serve`."""

    exit_status = USAGE


class CannotListen(ArchiveError):
    """Raised when the port is in use or the address is not of this machine, by `serve`."""

    exit_status = USAGE


@click.command()
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8001, show_default=True, help="Port; 0: any free port."
)
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen at. The default is open to this machine only.",
)
@click.option("--no-sql", is_flag=True, help="Take no SQL from visitors; stored queries stay.")
@click.option("--open", "open_browser", is_flag=True, help="Open a browser.")
@click.argument("database", type=click.Path(path_type=Path, dir_okay=False), required=False)
@json_option("First write the address as one JSON object to standard output.")
@click.pass_context
def serve(
    ctx: click.Context,
    port: int,
    host: str,
    no_sql: bool,
    open_browser: bool,
    database: Path | None,
    as_json: bool,
) -> None:
    """Show an archive in a browser, with Datasette.

    DATABASE is a copy made by publish-copy. Without it, the archive in --archive is shown. A crawl may run
    meanwhile.

    \b
    Examples:
      sohr-archive serve
      sohr-archive serve --port 8080
      sohr-archive serve public.db --no-sql
    """
    path = database or folder_of(ctx) / "archive.db"
    _check(path)
    try:
        from archive.browse.serving import run
    except ImportError as error:
        raise NoDatasette("Datasette is not installed: pip install 'sohr-archive[browse]'") from error
    port = _free_port(host, port)
    url = f"http://{host}:{port}/"
    if as_json:
        write_json({"url": url})
        sys.stdout.flush()
    click.echo(f"Read the archive at {url} (Ctrl-C to stop)", err=True)
    run(path, port, host, open_browser=open_browser, takes_sql=not no_sql)


def _free_port(host: str, port: int) -> int:
    """Return the port, or any free port for 0. Tried here, because Datasette reports it only in its log.
    Raises CannotListen."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with closing(socket.create_server((host, port), family=family)) as trial:
            return int(trial.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            reason = (
                f"port {port} of {host} is in use: name another with --port, or --port 0 for any free one"
            )
        elif error.errno == errno.EACCES:
            reason = f"you may not use port {port} of {host}: name one above 1023 with --port"
        else:
            why = (error.strerror or str(error)).partition(" (")[0]
            reason = f"cannot listen at {host} ({why}): name an address of this machine with --host"
        raise CannotListen(reason) from error


def _check(path: Path) -> None:
    """Raises what `archive.read.database` raises when there is no archive to show."""
    from archive.read.database import check, open_readonly, translate_sqlite_errors

    if path.name == "archive.db":
        open_readonly(path.parent).close()
        return
    if not path.is_file():
        raise NoDatasette(f"there is no {path}: make it with 'sohr-archive publish-copy {path}'")
    with (
        translate_sqlite_errors(path),
        closing(sqlite3.connect(f"file:{path.absolute()}?mode=ro", uri=True)) as conn,
    ):
        check(conn, path)
