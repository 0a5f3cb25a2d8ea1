"""Which hosts belong together. Pure; reads the public suffix list that tldextract brings, never the
network."""

from __future__ import annotations

import re
from functools import cache
from urllib.parse import urlsplit


def is_loopback_host(host: str) -> bool:
    """True for a name or an address of this machine. ``127.example.org`` is somebody else's."""
    host = host.strip("[]")
    return host in ("localhost", "::1") or re.fullmatch(r"127(?:\.[0-9]{1,3}){3}", host) is not None


def is_web_address(url: str) -> bool:
    """True for an http or https address that can be asked: with a host, and a port if any."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:  # no address in the brackets, or no number for a port
        return False


@cache
def registrable_domain(host: str) -> str:
    """The part of a host name that one owner registers: ``www.example.co.uk`` -> ``example.co.uk``.

    An IP address is its own; all names of this machine are one. An unknown suffix is taken to be one label.
    """
    host = host.rstrip(".").lower()
    if is_loopback_host(host):
        return "localhost"
    if ":" in host or re.fullmatch(r"[0-9.]+", host):
        return host
    return _suffixes()(host).top_domain_under_public_suffix or ".".join(host.split(".")[-2:])


@cache
def _suffixes():  # type: ignore[no-untyped-def]  # loaded where it is needed: 30 ms
    import tldextract

    return tldextract.TLDExtract(suffix_list_urls=(), cache_dir=None, include_psl_private_domains=True)
