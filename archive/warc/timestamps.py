"""Timestamps (RFC 3161): a third party's word for when a manifest was there.

An authority signs the digest of a manifest together with its own clock's time. Its answer lies beside the
manifest as it came, ``manifests/000012.tsr``; that of a second authority is ``000012.2.tsr``. Each manifest
names the digest of the one before, so a token covers its manifest and all before it.
"""

from __future__ import annotations

import hashlib
import os
import warnings
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

from archive.clock import current_time, format_time
from archive.errors import USAGE, ArchiveError
from archive.folder import MANIFESTS, write_whole
from archive.warc.manifests import Manifest, list_seals, list_seals_for_page, newest_manifest

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from rfc3161_client.tsp import TimeStampResponse

ROOTS = (
    "ARCHIVE_TIMESTAMP_ROOTS"  # environment: a PEM file of certificates to trust besides the machine's own
)
MOST_AUTHORITIES = 2
SECONDS = 10.0  # for an answer; all are asked at once
_MOST_TRIED = 20  # tokens, for a good one
_MOST_BYTES = 1 << 20  # of an answer: one with three certificates has 6 KB
_UNREADABLE = "cannot be read as a timestamp: it was cut or altered"
_SUFFIX = ".tsr"


class BadRoots(ArchiveError):
    """Raised when the file of trusted certificates cannot be read, by `trusted_roots`."""

    exit_status = USAGE


@dataclass(frozen=True, slots=True)
class Token:
    """An authority's answer as it lies on disk. ``digest`` is of what it covers, SHA-256 in hexadecimal, and
    ``at`` its time; ``fault`` completes a sentence that begins with the token's name."""

    path: Path
    number: int  # of its manifest, by its name
    digest: str = ""
    at: str = ""
    authority: str = ""
    expires_at: str = ""  # when the certificate that signed it expires, or did
    fault: str | None = None

    @property
    def name(self) -> str:
        """Where it lies in the archive's folder."""
        return f"{MANIFESTS}/{self.path.name}"


class _Faulty(Exception):
    """Raised when a token proves nothing; its text is the fault."""


# -- reading


def tokens(folder: Path) -> list[Token]:
    """The tokens of an archive by the numbers of their manifests, each checked against the roots that this
    machine trusts. Raises BadRoots, OSError."""
    return [read_token(folder / MANIFESTS / name) for name in list_seals(folder, _SUFFIX)]


def find_token(folder: Path, manifest: Manifest) -> Token | None:
    """The first good token that covers a manifest: its own, or that of a later one. Raises as `tokens`."""
    names = list_seals_for_page(folder, _SUFFIX)
    return _first_good(folder, names[bisect_left(names, f"{manifest.number:06d}") :])


def newest_token(folder: Path) -> Token | None:
    """The newest good token. Raises as `tokens`."""
    return _first_good(folder, list_seals(folder, _SUFFIX)[::-1])


def _first_good(folder: Path, names: list[str]) -> Token | None:
    """Of the first few: where the authority's root is unknown none is good, and there may be thousands."""
    read = (read_token(folder / MANIFESTS / name) for name in names[:_MOST_TRIED])
    return next((token for token in read if not token.fault), None)


def read_token(path: Path) -> Token:
    """Read and check a token: its signature, the chain of certificates up to a trusted root, and that its
    manifest is the one beside it. Raises BadRoots, OSError."""
    token = Token(path, int(path.name[:6]))
    try:
        answer = _parse(path.read_bytes())
        covered = answer.tst_info.message_imprint.message
        signer, others = _certificates(answer)
        token = replace(
            token,
            digest=covered.hex(),
            at=format_time(answer.tst_info.gen_time),
            authority=_common_name(signer),
            expires_at=format_time(signer.not_valid_after_utc),
        )
        _check_digest(token)
        if not signer.not_valid_before_utc <= answer.tst_info.gen_time <= signer.not_valid_after_utc:
            raise _Faulty(f"was signed with a certificate that was not valid at the time, {token.at}")
        _check_signature(answer, covered, _root(signer, others))
        return token
    except _Faulty as fault:
        return replace(token, fault=str(fault))
    except (ValueError, IndexError):  # cryptography and the library read parts when they are asked for
        return replace(token, fault=_UNREADABLE)


def _check_digest(token: Token) -> None:
    manifest = token.path.with_name(f"{token.number:06d}.json")
    if not manifest.exists():
        raise _Faulty(f"dates a manifest that is not there, of the digest {token.digest}: it was removed")
    if hashlib.sha256(manifest.read_bytes()).hexdigest() != token.digest:
        raise _Faulty(f"dates another file than {manifest.name}: one of the digest {token.digest}")


def _parse(raw: bytes) -> TimeStampResponse:
    from rfc3161_client import decode_timestamp_response

    try:
        answer = decode_timestamp_response(_sort_certificates(raw))
        status = answer.status
    except (ValueError, IndexError) as error:
        raise _Faulty(_UNREADABLE) from error
    if status not in (0, 1):
        raise _Faulty(f"is no timestamp: the authority refused with status {status}")
    return answer


def _sort_certificates(raw: bytes) -> bytes:
    """The same answer with its certificates in the order of DER.

    Authorities send them in any order, openssl reads any, and the library only this one. They are not part
    of what is signed. Raises ValueError, IndexError.
    """
    start, end = 0, len(raw)
    for number in (0, 1, 1, 0):  # answer, token, [0], signed data
        start, end = list(_elements(raw, start, end))[number][1:]
    for tag, begin, stop in _elements(raw, start, end):
        if tag == 0xA0:
            ends = [begin, *(end for _, _, end in _elements(raw, begin, stop))]
            return raw[:begin] + b"".join(sorted(raw[a:b] for a, b in pairwise(ends))) + raw[stop:]
    return raw


def _elements(raw: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The elements of DER between two offsets: tag, and where the content begins and ends."""
    while start < end:
        length, at = raw[start + 1], start + 2
        if length & 0x80:
            size = length & 0x7F
            length, at = int.from_bytes(raw[at : at + size], "big"), at + size
        yield raw[start], at, at + length
        start = at + length


def _certificates(answer: TimeStampResponse) -> tuple[Certificate, list[Certificate]]:
    """The certificate that signed, and the others that came with it."""
    from cryptography.x509 import load_der_x509_certificate

    try:
        sent = [load_der_x509_certificate(one) for one in sorted(answer.signed_data.certificates)]
        (signer,) = answer.signed_data.signer_infos
    except ValueError as error:
        raise _Faulty(_UNREADABLE) from error
    mine = [one for one in sent if (one.issuer, one.serial_number) == (signer.issuer, signer.serial_number)]
    if not mine:
        raise _Faulty("lacks the certificate of the authority that signed it")
    return mine[0], [one for one in sent if one != mine[0]]


def _root(signer: Certificate, others: list[Certificate]) -> Certificate:
    """The trusted root under which a certificate stands."""
    trusted = trusted_roots()
    at, steps = signer, 0
    while steps <= len(others):
        for root in trusted.get(at.issuer.public_bytes(), ()):
            if root == at or _is_issued_by(at, root):
                return root
        above = [one for one in others if one.subject == at.issuer and _is_issued_by(at, one)]
        if not above:
            raise _Faulty(f"has a broken chain: the certificate of {at.issuer.rfc4514_string()} is missing")
        if above[0] == at or above[0].subject == above[0].issuer:
            break
        at, steps = above[0], steps + 1
    name = at.issuer.rfc4514_string()
    raise _Faulty(
        f"has an unknown root: {name} is not trusted here; get its certificate and name it in {ROOTS}"
    )


def _is_issued_by(one: Certificate, issuer: Certificate) -> bool:
    from cryptography.exceptions import InvalidSignature

    try:
        one.verify_directly_issued_by(issuer)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def _check_signature(answer: TimeStampResponse, covered: bytes, root: Certificate) -> None:
    from rfc3161_client import VerificationError, VerifierBuilder

    try:
        VerifierBuilder(roots=[root]).build().verify(answer, covered)
    except (VerificationError, ValueError) as error:
        raise _Faulty(
            "does not match its signature, or a certificate was not valid when it signed"
        ) from error


def _common_name(certificate: Certificate) -> str:
    from cryptography.x509 import NameOID

    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else certificate.subject.rfc4514_string()


@cache
def trusted_roots() -> dict[bytes, list[Certificate]]:
    """Certificates that this machine trusts, by name: its own store, and the file that `ROOTS` names. Raises
    BadRoots."""
    import ssl

    from cryptography.x509 import load_der_x509_certificate, load_pem_x509_certificates

    found = []
    for raw in ssl.create_default_context().get_ca_certs(binary_form=True):
        with suppress(ValueError), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about old roots, which nobody here can renew
            found.append(load_der_x509_certificate(raw))
    if given := os.environ.get(ROOTS):
        try:
            found += load_pem_x509_certificates(Path(given).read_bytes())
        except (OSError, ValueError) as error:
            raise BadRoots(f"{ROOTS}={given} cannot be read as certificates in PEM ({error})") from error
    roots: dict[bytes, list[Certificate]] = {}
    for one in found:
        roots.setdefault(one.subject.public_bytes(), []).append(one)
    return roots


def has_expired(token: Token) -> bool:
    """Whether the certificate that signed it has expired since, by the archive's clock."""
    return token.expires_at < format_time(current_time())


# -- asking


def stamp(folder: Path, authorities: Sequence[str]) -> list[str]:
    """Ask authorities (http or https) to date the newest manifest, and keep what they answer; return what
    went wrong, as sentences.

    A manifest that has its tokens is not sent again; one that could not be dated is covered by the next that
    is. Waits `SECONDS` at most.
    """
    from threading import Thread

    newest = newest_manifest(folder)
    if newest is None or newest.fault:
        return []
    problems: list[str] = []
    threads = []
    for number, url in enumerate(authorities[:MOST_AUTHORITIES], 1):
        target = newest.path.with_suffix(".tsr" if number == 1 else f".{number}.tsr")
        if not target.exists():
            asking = Thread(target=_ask, args=(url, newest, target, problems), daemon=True)
            asking.start()
            threads.append((url, asking))
    for url, asking in threads:  # one that drips its answer is not waited for
        asking.join(SECONDS)
        if asking.is_alive():
            problems.append(f"{url} did not answer within {SECONDS:g} seconds")
    return [
        f"{newest.name} has no timestamp yet: {problem}; the next crawl asks again" for problem in problems
    ]


def _ask(url: str, manifest: Manifest, target: Path, problems: list[str]) -> None:
    from http.client import HTTPException
    from urllib.request import Request, urlopen

    from rfc3161_client import HashAlgorithm, TimestampRequestBuilder

    builder = TimestampRequestBuilder(data=manifest.path.read_bytes(), hash_algorithm=HashAlgorithm.SHA256)
    asked = builder.build()
    headers = {"Content-Type": "application/timestamp-query", "User-Agent": "sohr-archive"}
    try:
        with urlopen(Request(url, asked.as_bytes(), headers), timeout=SECONDS) as answer:  # noqa: S310  # http and https only, checked with the settings
            raw = answer.read(_MOST_BYTES)
        said = _parse(raw).tst_info
        if said.nonce != asked.nonce:
            raise _Faulty("answers another request: the nonce is not ours")
        if said.message_imprint.message.hex() != manifest.digest:
            raise _Faulty("dates something else than was sent")
        write_whole(target, raw)
    except _Faulty as fault:
        problems.append(f"the answer of {url} {fault}")
    except (OSError, HTTPException, ValueError) as error:
        is_late = isinstance(getattr(error, "reason", error), TimeoutError)
        why = f"within {SECONDS:g} seconds" if is_late else f"({error})"
        problems.append(f"{url} did not answer {why}")
