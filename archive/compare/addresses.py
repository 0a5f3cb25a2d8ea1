"""Compare addresses without what a server makes anew for each request."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl, urlsplit

from archive.text.wordlists import word_set

# Parameters of nonces, signatures, sessions and cache busters, in lower case
_MADE_ANEW = word_set(
    """
    nonce _wpnonce token auth sig sign signature hmac hash expires expiry exp policy key-pair-id credential
    se sp sv sr st skoid sktid skt ske sks skv spr srt ss googleaccessid awsaccesskeyid session sessionid sid
    phpsessid jsessionid cb cachebuster cache_bust cachebust nocache no_cache bust rnd rand random r ts _ t
    time timestamp ver version rev cacheid etag __cf_chl_tk gclid fbclid msclkid _ga si
    """
)
_PREFIXES = ("x-amz-", "x-goog-", "x-oss-", "utm_", "__cf_")
# Parameters that name a thing, however random it looks
_NAMES = word_set("id v p q s u url list fbid story_fbid post page_id post_id file doc video")
_RANDOM = re.compile(
    r"(?=[^\d]*\d)(?=[^A-Za-z]*[A-Za-z])[\w.~-]{16,}=*|[0-9a-f]{12,}|(?:1[4-9]|2[01])\d{8}(?:\d{3})?"
)
_PICTURE = re.compile(r"\.(?:jpe?g|png|gif|webp|avif|svg|bmp|ico)$", re.IGNORECASE)


# The same picture in another size, format or place: those of WordPress, Cloudflare, Photon and their like
_SIZE = re.compile(r"-(?:\d{2,5}x\d{2,5}|scaled)(?=\.\w+$)")
_CONVERTED = re.compile(r"(?<=\.jpg|\.png|\.gif)\.(?:webp|avif)$|(?<=\.jpeg)\.(?:webp|avif)$", re.IGNORECASE)
_OPTIONS = re.compile(r"^/cdn-cgi/image/[^/]*/")
_PHOTON = re.compile(r"i\d\.wp\.com")
_PROXIED = re.compile(r"/https?:/{1,2}([^/]+)(/.*)")
_ESCAPE = re.compile(r"%[0-9a-fA-F]{2}")


def address_key(url: str) -> str:
    """The part of an address that stays the same from request to request. A picture has one in each size and
    at each server that packs it; http and https are one."""
    try:
        parts = urlsplit(_ESCAPE.sub(lambda escape: escape[0].upper(), url))
    except ValueError:
        return url
    if _PICTURE.search(parts.path):
        return _picture_key(parts.netloc, parts.path)
    query = [
        f"{name}={value}"
        for name, value in parse_qsl(parts.query, keep_blank_values=True)
        if not _is_made_anew(name.lower(), value)
    ]
    return parts._replace(scheme="", query="&".join(query)).geturl()


def _picture_key(host: str, path: str) -> str:
    if _PHOTON.fullmatch(host):
        host, _, path = path.lstrip("/").partition("/")
        path = f"/{path}"
    elif found := _PROXIED.search(path):
        host, path = found[1], found[2]
    path = _SIZE.sub("", _CONVERTED.sub("", _OPTIONS.sub("/", path)))
    return f"//{host.removeprefix('www.')}{path}"


def _is_made_anew(name: str, value: str) -> bool:
    if name in _MADE_ANEW or name.startswith(_PREFIXES):
        return True
    if not value:  # ?1732814400
        return _RANDOM.fullmatch(name) is not None
    return name not in _NAMES and _RANDOM.fullmatch(value) is not None
