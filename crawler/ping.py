"""A word to a health check at the end of a crawl, so that somebody notices when crawls fail, or are no longer
started."""

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
    """Ask for a health check's address with a crawl's exit status; whether it answered well. Never raises: a
    crawl does not depend on it.

    ``{status}`` in the address stands for the exit status; without it the status is put behind the address as
    ``/0``, as healthchecks.io reads it. A crawl that found the archive held by another (75) is no news and
    not told.
    """
    if status == LOCKED:
        return False
    if not re.match(r"https?://", url):
        logger.warning("ARCHIVE_PING_URL is no web address: give one that begins with https://")
        return False
    address = url.replace("{status}", str(status)) if "{status}" in url else f"{url.rstrip('/')}/{status}"
    told: list[str | None] = []
    # A check that drips its answer is not waited for
    asking = Thread(target=lambda: told.append(_asked(address)), daemon=True)
    asking.start()
    asking.join(SECONDS)
    wrong = told[0] if told else f"did not answer within {SECONDS:g} seconds"
    if wrong:
        logger.warning("the health check %s", wrong)
    return wrong is None


def _asked(address: str) -> str | None:
    """What is wrong with the answer, its address aside, which is a secret; None: it answered well."""
    try:
        with urlopen(Request(address, headers={"User-Agent": "sohr-archive"}), timeout=SECONDS):  # noqa: S310  # http and https only, see above
            return None
    except HTTPError as error:
        return f"answered with status {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        return f"did not answer ({type(error).__name__})"
