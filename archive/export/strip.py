"""Takes what names people out of a WARC record: our contact and operator, and the site's cookies."""

from __future__ import annotations

import gzip
import hashlib
import re

_LEFT_OUT = {  # kind of record -> header or field lines that are left out
    b"warcinfo": (b"operator", b"hostname", b"http-header-user-agent", b"http-header-from"),
    b"request": (b"user-agent", b"from", b"cookie", b"authorization"),
    b"response": (b"set-cookie", b"set-cookie2"),
    b"revisit": (b"set-cookie", b"set-cookie2"),
}
NOTE = b"stripped: contact, operator and cookies are left out\r\n"  # in the warcinfo record


def strip_member(member: bytes) -> bytes:
    """A record, one gzip member, without them; its digest and length follow. The digest of what the site said
    (``WARC-Payload-Digest``) stays, because no body changes."""
    raw = gzip.decompress(member)
    head, _, rest = raw.partition(b"\r\n\r\n")
    kind, length = _field(head, b"WARC-Type"), int(_field(head, b"Content-Length"))
    names = _LEFT_OUT.get(kind)
    if not names:
        return member
    top, end, body = rest[:length].partition(b"\r\n\r\n")
    kept = b"\r\n".join(
        line for line in top.split(b"\r\n") if line.partition(b":")[0].strip().lower() not in names
    )
    block = kept + end + body
    if kind == b"warcinfo":
        block = block.rstrip(b"\r\n") + b"\r\n" + NOTE
    digest = b"sha256:" + hashlib.sha256(block).hexdigest().encode()
    head = re.sub(rb"(?mi)^(WARC-Block-Digest: )[^\r\n]*", rb"\g<1>" + digest, head)
    head = re.sub(rb"(?mi)^(Content-Length: )[^\r\n]*", rb"\g<1>" + str(len(block)).encode(), head)
    return gzip.compress(head + b"\r\n\r\n" + block + b"\r\n\r\n", mtime=0)


def _field(head: bytes, name: bytes) -> bytes:
    found = re.search(rb"(?mi)^" + name + rb":[ \t]*([^\r\n]*)", head)
    return found[1].strip() if found else b"0"
