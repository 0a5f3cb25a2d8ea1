"""A word to a health check at the end of a crawl, so that somebody notices when crawls fail, or are no longer started."""

from __future__ import annotations

import logging
import re
from http.client import HTTPException
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from archive.errors import LOCKED

logger = logging.getLogger(__name__)
SECONDS = 5.0  # at most, whatever the check does: a stop is to be over in ten


def ping(url: str, status: int) -> bool:
    """Ask for a health check's address with a crawl's exit status; whether it answered well. Never raises: a crawl does not depend on it.

    ``{status}`` in the address stands for the exit status; without it the status is put behind the address as ``/0``, as healthchecks.io
    reads it. A crawl that found the archive held by another (75) is no news and not told.
    """
    if status == LOCKED:
        return False
    if not re.match(r"https?://", url):
        logger.warning("ARCHIVE_PING_URL is no web address: give one that begins with https://")
        return False
    address = url.replace("{status}", str(status)) if "{status}" in url else f"{url.rstrip('/')}/{status}"
    told: list[bool] = []
    asking = Thread(target=lambda: told.append(_asked(address)), daemon=True)  # a check that drips its answer is not waited for
    asking.start()
    asking.join(SECONDS)
    if asking.is_alive():
        logger.warning("the health check did not answer within %g seconds", SECONDS)
    return told == [True]


def _asked(address: str) -> bool:
    try:
        with urlopen(Request(address, headers={"User-Agent": "sohr-archive"}), timeout=SECONDS):  # noqa: S310  # http and https only, see above
            return True
    except HTTPError as error:
        logger.warning("the health check answered with status %d", error.code)  # its address is a secret: not in the log
    except (OSError, HTTPException, ValueError) as error:
        logger.warning("the health check did not answer (%s)", type(error).__name__)
    return False
