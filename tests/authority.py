"""A timestamp authority on this machine: `openssl ts` behind HTTP, with certificates of its own."""

from __future__ import annotations

import subprocess
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

_CONFIG = """[tsa]
default_tsa = t
[t]
serial = {folder}/serial
signer_cert = {folder}/signer.pem
certs = {folder}/chain.pem
signer_key = {folder}/signer.key
signer_digest = sha256
default_policy = 1.2.3.4.1
other_policies = 1.2.3.4.2
digests = sha256
accuracy = secs:1
ess_cert_id_alg = sha256
"""


class Authority:
    """An authority in a folder. ``alter`` changes each answer before it is sent; ``chain`` names which
    certificates it sends besides its own, in which order; ``days`` how long its own is valid from yesterday
    on."""

    def __init__(
        self, folder: Path, chain: tuple[str, ...] = ("between", "root"), days: int = 30, name: str = "Test"
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.root, self.name = folder, folder / "root.pem", f"{name} Authority"
        self.alter: Callable[[bytes], bytes] = lambda answer: answer
        self.asked: list[bytes] = []
        root_key, root = _certificate(f"{name} Root", None, 9999)
        between_key, between = _certificate(f"{name} Between", (root_key, root), 9999)
        key, signer = _certificate(self.name, (between_key, between), days, is_authority=False)
        pems = {name: one.public_bytes(Encoding.PEM) for name, one in (("root", root), ("between", between))}
        self.root.write_bytes(pems["root"])
        (folder / "between.pem").write_bytes(pems["between"])
        (folder / "chain.pem").write_bytes(b"".join(pems[one] for one in chain))
        (folder / "signer.pem").write_bytes(signer.public_bytes(Encoding.PEM))
        (folder / "signer.key").write_bytes(
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        )
        (folder / "serial").write_text("01")
        (folder / "tsa.cnf").write_text(_CONFIG.format(folder=folder))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def sign(self, query: bytes) -> bytes:
        """The answer to a query."""
        (self.folder / "query").write_bytes(query)
        line = ["openssl", "ts", "-reply", "-config", self.folder / "tsa.cnf", "-queryfile"]
        out = self.folder / "answer"
        subprocess.run([*line, self.folder / "query", "-out", out], check=True, capture_output=True)
        return out.read_bytes()

    def stamp(self, path: Path) -> bytes:
        """A token for a file, without asking over HTTP."""
        line = ["openssl", "ts", "-query", "-data", path, "-sha256", "-cert"]
        return self.sign(subprocess.run(line, check=True, capture_output=True).stdout)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        authority = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                query = self.rfile.read(int(self.headers["Content-Length"]))
                authority.asked.append(query)
                answer = authority.alter(authority.sign(query))
                self.send_response(200)
                self.send_header("Content-Type", "application/timestamp-reply")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                pass

        return Handler


def wait_and(answer: bytes, seconds: float) -> bytes:
    """The same answer, late."""
    time.sleep(seconds)
    return answer


def _certificate(
    name: str,
    issuer: tuple[ec.EllipticCurvePrivateKey, x509.Certificate] | None,
    days: int,
    *,
    is_authority: bool = True,
) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    start = datetime.now(UTC) - timedelta(days=1)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[1].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(start + timedelta(days=days, hours=1))
    )
    if is_authority:
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    else:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
        builder = builder.add_extension(usage, critical=True)
    return key, builder.sign(issuer[0] if issuer else key, hashes.SHA256())
