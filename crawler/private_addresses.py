"""No request reaches this machine or a private network, wherever a link, a redirect or a name leads.

The address is checked when the connection is made, so a name cannot lead elsewhere than it was checked for.
"""

from __future__ import annotations

import ipaddress
import socket
import unicodedata
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from scrapy import Request
from scrapy.crawler import Crawler
from scrapy.exceptions import IgnoreRequest
from scrapy.resolver import CachingHostnameResolver
from twisted.internet.base import ReactorBase
from twisted.internet.interfaces import IHostResolution

from archive.sites.hosts import is_loopback_host, registrable_domain

# Networks whose last 32 bits are an IPv4 address: mapped, compatible, translated, NAT64 (RFC 4291, 2765)
_WITH_IPV4 = [
    ipaddress.ip_network(one) for one in ("::ffff:0:0/96", "::/96", "::ffff:0:0:0/96", "64:ff9b::/96")
]
_UNICAST = ipaddress.ip_network("2000::/3")  # all that IANA has given out
_DOCUMENTATION = ipaddress.ip_network("3fff::/20")  # Python 3.11 does not know it yet
_DOTS = str.maketrans(dict.fromkeys("\u3002\uff0e\uff61", "."))  # read as dots in host names (UTS 46)
_INSIDE = (
    "localhost",
    "localdomain",
    "local",
    "internal",
    "home.arpa",
    "lan",
    "home",
    "corp",
)  # no public domains


def is_public(address: str) -> bool:
    """True for an IP address of the public internet, as IANA's registries say (``ipaddress``)."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.sixtofour or (ip.teredo and ip.teredo[1])
        if any(ip in network for network in _WITH_IPV4):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if not inner and (ip not in _UNICAST or ip in _DOCUMENTATION):
            return False
        ip = inner or ip
    return ip.is_global and not ip.is_multicast


def is_public_name(host: str) -> bool:
    """False for a name of this machine or of a private network, and for a private address in any notation:
    127.1, 0x7f.1, 2130706433. Other names are not looked up."""
    host = (
        unicodedata.normalize("NFKC", host.strip("[]").translate(_DOTS)).partition("%")[0].rstrip(".").lower()
    )
    try:
        return is_public(host if ":" in host else socket.inet_ntoa(socket.inet_aton(host)))
    except (OSError, ValueError):  # it is no address
        return "." in host and not host.endswith(tuple(f".{name}" for name in _INSIDE))


class _PublicAddresses:
    """Passes the addresses on that may be connected to, and remembers the others (IResolutionReceiver)."""

    def __init__(self, receiver: Any, host: str, refused: dict[str, str]) -> None:
        self._receiver, self._host, self._refused = receiver, host, refused
        self.resolutionBegan = receiver.resolutionBegan
        self.resolutionComplete = receiver.resolutionComplete

    def addressResolved(self, address: Any) -> None:
        if is_public(address.host):
            self._receiver.addressResolved(address)
        else:
            self._refused[self._host] = address.host


def _last_labels(host: str) -> list[str]:
    return host.rstrip(".").lower().split(".")[-2:]


class PrivateHost(IgnoreRequest):
    """Raised when a host is on a private network, by the download handler."""


class PublicResolver(CachingHostnameResolver):
    """Scrapy's resolver, which finds private addresses only for the hosts that the user names."""

    named: ClassVar[set[str]] = set()  # hosts; one reactor, and so one resolver, a process
    proxies: ClassVar[set[tuple[str, int]]] = set()  # hosts and ports of the user's, for nothing else
    refused: ClassVar[dict[str, str]] = {}  # by host: the private address it led to

    @classmethod
    def from_crawler(cls, crawler: Crawler, reactor: ReactorBase) -> Self:
        """Called by Scrapy."""
        hosts = crawler.settings.getlist("ARCHIVE_PRIVATE_HOSTS")
        cls.named = {host for host in hosts if host}
        return super().from_crawler(crawler, reactor)

    def resolveHostName(  # type: ignore[override]  # the rest is passed on as it is
        self,
        receiver: Any,
        host: str,
        portNumber: int = 0,  # noqa: N803  # Twisted's name
        *more: Any,
        **named: Any,
    ) -> IHostResolution:
        """The addresses of a host, without those that may not be connected to."""
        if (
            not self._is_named(host.strip("[]"))
            and (host.strip("[]").lower(), portNumber) not in self.proxies
        ):
            receiver = _PublicAddresses(receiver, host, self.refused)
        return super().resolveHostName(receiver, host, portNumber, *more, **named)

    @classmethod
    def _is_named(cls, host: str) -> bool:
        """Whether the user names a host of the same owner."""
        if is_loopback_host(host):
            return any(map(is_loopback_host, cls.named))
        # Others have other owners: the public suffix list takes long to load
        near = [named for named in cls.named if _last_labels(named) == _last_labels(host)]
        return any(registrable_domain(named) == registrable_domain(host) for named in near)

    @classmethod
    def reason_to_refuse(cls, request: Request, *, has_failed: bool) -> str | None:
        """Why a request must be refused, or was if it has failed, as a sentence; None if it may be sent.

        A proxy, whose address is the user's own, looks names up: then the name is checked.
        """
        host, port = _host_and_port(request.url)
        if proxy := request.meta.get("proxy"):
            cls.proxies.add(_host_and_port(str(proxy)))
            is_refused = not is_public_name(host)
        else:
            is_refused = host in cls.refused if has_failed else (host, port) in cls.proxies
        if not is_refused or cls._is_named(host):
            return None
        return (
            f"{host} leads to {cls.refused.get(host, 'an address')} of this machine or of a private network, "
            f"which is not asked (if you want it: -s ARCHIVE_PRIVATE_HOSTS={host})"
        )


def _host_and_port(url: str) -> tuple[str, int]:
    parts = urlsplit(url)
    return (parts.hostname or "").strip("[]"), parts.port or (443 if parts.scheme == "https" else 80)
