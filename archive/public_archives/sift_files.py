"""Sift files, pipes and downloads, here or on a Dask cluster. The result is the same, byte for byte."""

from __future__ import annotations

import http.client
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar
from urllib.parse import urlsplit

from archive.errors import UNAVAILABLE, USAGE, ArchiveError
from archive.sites.robots import NAME
from archive.sites.sohr.addresses import Site
from archive.warc.sift import NotWarc, Sifted, sift

STDIN = "-"
TRIES = 5  # of a download that breaks off, at one place
RETRIES = 3  # of a task, on another worker if there is one
SECONDS = 60  # without a byte, after which a download is broken


class NoCluster(ArchiveError):
    """Raised when the Dask scheduler cannot be reached, by `sift_on_cluster`."""

    exit_status: ClassVar[int] = UNAVAILABLE


class NeedsDask(ArchiveError):
    """Raised when Dask is not installed, by `sift_on_cluster`."""

    exit_status: ClassVar[int] = USAGE


@dataclass(frozen=True, slots=True)
class FileReport:
    """What came of one file: ``failure`` says why it was not read to its end."""

    name: str
    sifted: Sifted
    failure: str | None = None


class _Download:
    """A download that goes on where it broke off. Raises OSError where that fails."""

    def __init__(self, url: str) -> None:
        self._url, self._at = url, 0
        self._answer: http.client.HTTPResponse | None = None

    def read(self, size: int) -> bytes:
        """Up to ``size`` bytes; empty at the end."""
        for tries in range(TRIES):
            try:
                self._answer = self._answer or self._open()
                piece = self._answer.read(size)
                if not piece and self._answer.length:
                    raise OSError("the connection was closed")
                self._at += len(piece)
                return piece
            except urllib.error.HTTPError as error:
                if error.code < 500 and error.code != 429:
                    raise
            except (OSError, http.client.HTTPException):
                pass
            self.close()
            time.sleep(2**tries / 4)
        raise OSError(f"the download breaks off at byte {self._at}")

    def _open(self) -> http.client.HTTPResponse:
        headers = {"User-Agent": NAME} | ({"Range": f"bytes={self._at}-"} if self._at else {})
        request = urllib.request.Request(self._url, headers=headers)  # noqa: S310  # http and https alone
        answer: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=SECONDS)  # noqa: S310
        if self._at and answer.status != 206:
            raise OSError("the server does not continue a download")
        return answer

    def close(self) -> None:
        """Close the connection."""
        if self._answer:
            self._answer.close()
        self._answer = None


def sift_file(name: str, home: str, out: Callable[[bytes], object]) -> FileReport:
    """Give the records of the site at ``home`` in a file, a download or standard input to ``out``."""
    sifted = Sifted()
    try:
        with _open(name) as stream:
            sift(stream, _wanted(home), out, sifted)
    except NotWarc as error:
        return FileReport(name, sifted, f"is {error.what}")
    except OSError as error:
        return FileReport(name, sifted, f"cannot be read ({error.strerror or error})")
    return FileReport(name, sifted)


def _open(name: str) -> Any:
    if name == STDIN:
        return nullcontext(sys.stdin.buffer)
    if _is_address(name):
        return closing(_Download(name))
    return open(name, "rb")


def _is_address(name: str) -> bool:
    return urlsplit(name).scheme in ("http", "https")


def _wanted(home: str) -> Callable[[bytes], bool]:
    site = Site(home)
    host = site.name.partition("/")[0].encode()

    def is_wanted(address: bytes) -> bool:
        return host in address.lower() and site.parse(address.decode("utf-8", "replace")) is not None

    return is_wanted


def sift_here(names: Sequence[str], home: str, out: IO[bytes]) -> Iterator[FileReport]:
    """Sift one file after the other."""
    for name in names:
        yield sift_file(name, home, out.write)


def _task(name: str, home: str) -> tuple[list[bytes], FileReport]:
    """What a worker does. A file that cannot be read raises OSError: another worker may reach it."""
    found: list[bytes] = []
    report = sift_file(name, home, found.append)
    if report.failure and not report.failure.startswith("is "):
        raise OSError(report.failure)
    return found, report


def sift_on_cluster(
    names: Sequence[str], home: str, out: IO[bytes], scheduler: str, done: Callable[[int], object]
) -> Iterator[FileReport]:
    """The same on a Dask cluster: one task a file, results in the order of the names. ``done`` is called with
    1 after each file. Raises NeedsDask, NoCluster."""
    try:
        from distributed import Client
    except ImportError as error:
        raise NeedsDask("a scheduler needs Dask: pip install 'sohr-archive[dask]'") from error
    try:
        connect: Any = Client  # it has no types
        client = connect(scheduler, timeout=10, set_as_default=False)
    except OSError as error:
        raise NoCluster(
            f"no Dask scheduler answers at {scheduler}: start one with 'dask scheduler' and give its address"
        ) from error
    with client:
        places = [name if _is_address(name) else str(Path(name).absolute()) for name in names]
        futures = [client.submit(_task, place, home, retries=RETRIES, pure=False) for place in places]
        for future in futures:
            future.add_done_callback(lambda _: done(1))
        for number, name in enumerate(names):
            try:
                found, report = futures[number].result()
            except OSError as error:
                yield FileReport(name, Sifted(), str(error))
                continue
            out.writelines(found)
            futures[number].release()
            yield FileReport(name, report.sifted, report.failure)
