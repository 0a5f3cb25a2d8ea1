"""The archive's own key, and the signature of a WACZ (WACZ Signing and Verification 0.1.0, anonymous form).

A signature shows that two packages come from one archive, and that nothing in one was changed since. Whose
archive that is, and when it signed, it does not show: the key must be known from elsewhere (`sohr-archive
head`), the time from a timestamp.
"""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING, Any

from archive.errors import CannotWrite

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

KEY = "archive.key"
_HALF = 48  # bytes of r and of s


def read_key(folder: Path) -> EllipticCurvePrivateKey | None:
    """The archive's key; None if it has none. Raises CannotWrite."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        return load_pem_private_key((folder / KEY).read_bytes(), None)  # type: ignore[return-value]  # ours
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError) as error:
        raise CannotWrite(
            f"the key {folder / KEY} cannot be read ({error}): restore it, or move it away"
        ) from error


def make_key(folder: Path) -> EllipticCurvePrivateKey:
    """The archive's key, made where there is none, for its owner only. Raises CannotWrite."""
    from cryptography.hazmat.primitives.asymmetric.ec import SECP384R1, generate_private_key
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    if (key := read_key(folder)) is not None:
        return key
    key = generate_private_key(SECP384R1())
    raw = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    try:
        with open(os.open(folder / KEY, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(raw)
    except OSError as error:
        raise CannotWrite(f"the key {folder / KEY} cannot be written ({error.strerror})") from error
    return key


def public_part(key: EllipticCurvePrivateKey) -> str:
    """The public key as base64, as a signed package has it."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return b64encode(key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()


def sign_digest(key: EllipticCurvePrivateKey, digest: str, software: str, created: str) -> dict[str, Any]:
    """What ``datapackage-digest.json`` says besides path and hash. ``digest`` begins with ``sha256:``,
    ``created`` is what the package says too.

    ``signatureDer`` is the same signature as openssl reads it; the standard's own has r and s side by side.
    """
    from cryptography.hazmat.primitives.asymmetric.ec import ECDSA
    from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
    from cryptography.hazmat.primitives.hashes import SHA256

    signature = key.sign(digest.encode(), ECDSA(SHA256()))
    plain = b"".join(number.to_bytes(_HALF, "big") for number in decode_dss_signature(signature))
    signed = {
        "hash": digest,
        "signature": b64encode(plain).decode(),
        "publicKey": public_part(key),
        "created": created,
        "software": software,
        "version": "0.1.0",
    }
    return {"signedData": signed, "signatureDer": b64encode(signature).decode()}
