"""Reports the end of a crawl to a health check, which notices when crawls fail or are no longer started."""

from __future__ import annotations

import logging
import re
from http.client import HTTPException
from threading import Thread
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from archive.errors import LOCKED

logger = logging.getLogger(__name__)
SECONDS = 5.0  # at most: a stop takes less than ten


def ping(url: str, status: int) -> bool:
    """Report an exit status; return whether the check answered well. Never raises: it must not fail a crawl.

    ``{status}`` in the address stands for the exit status; without it ``/0`` is appended, as healthchecks.io
    reads it. That another crawl holds the archive (75) is not reported.
    """
    if status == LOCKED:
        return False
    if not re.match(r"https?://", url):
        logger.warning("ARCHIVE_PING_URL is not a web address: give one that begins with https://")
        return False
    address = url.replace("{status}", str(status)) if "{status}" in url else f"{url.rstrip('/')}/{status}"
    problems: list[str | None] = []
    # A check that drips its answer is not waited for
    asking = Thread(target=lambda: problems.append(_check(address)), daemon=True)
    asking.start()
    asking.join(SECONDS)
    wrong = problems[0] if problems else f"did not answer within {SECONDS:g} seconds"
    if wrong:
        logger.warning("the health check %s", wrong)
    return wrong is None


def _check(address: str) -> str | None:
    """What is wrong with the answer, without the address, which is a secret; None: nothing."""
    try:
        with urlopen(Request(address, headers={"User-Agent": "sohr-archive"}), timeout=SECONDS):  # noqa: S310  # http and https only, see above
            return None
    except HTTPError as error:
        return f"answered with status {error.code}"
    except (OSError, HTTPException, ValueError) as error:
        return f"did not answer ({type(error).__name__})"
