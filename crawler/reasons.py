"""Why a request got no answer: the client's own words, and what a person can do."""

from __future__ import annotations

from OpenSSL.SSL import Error as TlsError
from scrapy.exceptions import IgnoreRequest
from service_identity.exceptions import VerificationError

_LOOK = "nothing is read from it: look at the site in a browser, then try again"


def describe_error(error: BaseException) -> str:
    """The names of the errors around the innermost ones, and the words of these."""
    if isinstance(error, IgnoreRequest):
        return str(error)  # a sentence of ours
    name = type(error).__name__
    inner = dict.fromkeys(describe_error(cause) for cause in _causes(error))
    text = "; ".join(inner) or str(error)
    return f"{name}: {text}" if text else name


def advise(error: BaseException) -> str:
    """What is wrong with a connection in plain words, and what to do."""
    first = error
    while causes := _causes(first):
        first = causes[0]
    if isinstance(first, VerificationError):
        return f"the certificate is another host's, so {_LOOK}"
    if not isinstance(first, TlsError):
        return "check the address and the network, then try again"
    if "certificate verify failed" in str(first):
        return (
            "the certificate has expired, or nobody whom this machine trusts has signed it, so "
            f"{_LOOK}; if the browser accepts it, look at this machine's clock and its list of authorities"
        )
    return f"site and client agree on no way to encrypt, so {_LOOK}"


def _causes(error: BaseException) -> list[BaseException]:
    reasons = [getattr(reason, "value", reason) for reason in getattr(error, "reasons", None) or ()]
    return [cause for cause in (*reasons, error.__cause__) if cause is not None and cause is not error]
