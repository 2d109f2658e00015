"""What may be asked of an address that somebody else wrote: public machines, over https, and nothing of ours.

The address of a platform that registers itself comes from whoever opened the page. Names are resolved once, every
address found is checked, and the connection goes to the very one that was checked: a name that answers differently
the second time (DNS rebinding) changes nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from urllib3.connection import HTTPConnection
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from ..errors import PlatformDelayed, PlatformRefused
from .claims import is_web_address

DEFAULT_PORTS = {"http": 80, "https": 443}
FIRST_FREE_PORT = 1024
"""Below it only web ports are asked: mail, shells and the like listen there."""
PRIVATE = "private address"
NAT64 = ipaddress.ip_network("64:ff9b::/96")
NOT_OURS_TO_ASK = [ipaddress.ip_network(network) for network in ("168.63.129.16/32", "192.88.99.0/24")]
"""Global by their number only: a cloud's own host service, relays."""
MOST_TRIED = 3
"""Addresses of a name that are tried: each may take the whole time limit."""

if TYPE_CHECKING:
    _Connection = HTTPConnection
else:
    _Connection = object


class AddressRefused(PlatformRefused):
    """An address that must not be asked. `what` says why, for the log."""


@dataclass(frozen=True)
class Outside:
    """The rules of one exchange. `private_host` is exempt: an administrator named it."""

    private_host: str = ""
    largest_answer: int = 256 * 1024

    def check(self, url: str) -> None:
        """Raise `AddressRefused` for an address that is not to be asked, whatever its name resolves to."""
        if not is_web_address(url):
            raise AddressRefused("not a web address")
        parts = urlsplit(url)
        try:
            port = parts.port or DEFAULT_PORTS[parts.scheme]
        except ValueError as error:
            raise AddressRefused("port") from error
        if parts.username is not None or parts.password is not None or parts.fragment:
            raise AddressRefused("user or fragment")
        if parts.scheme != "https" and not self._exempts(parts.hostname or ""):
            raise AddressRefused("not https")
        if port < FIRST_FREE_PORT and port not in DEFAULT_PORTS.values():
            raise AddressRefused("port")

    def resolve(self, url: str) -> None:
        """Raise for an address that is not to be asked, or that has no name server's answer; nothing is asked of it."""
        self.check(url)
        parts = urlsplit(url)
        self.find(parts.hostname or "", parts.port or DEFAULT_PORTS[parts.scheme])

    def find(self, host: str, port: int) -> list[str]:
        """The addresses to connect to, best first. Raises `AddressRefused` when any that the name has is not public."""
        try:
            found = [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
        except (OSError, UnicodeError) as error:
            raise PlatformDelayed("no such name") from error
        if not self._exempts(host) and not all(is_public(address) for address in found):
            raise AddressRefused(PRIVATE)
        return found[:MOST_TRIED]

    def _exempts(self, host: str) -> bool:
        return bool(self.private_host) and host.lower().rstrip(".") == self.private_host


def is_public(address: str) -> bool:
    """Whether an IP address is one of the public Internet: not ours, not this machine's, not a group's."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address):
        inner = parsed.ipv4_mapped or parsed.sixtofour or (parsed.teredo or (None, None))[1]
        if inner is None and parsed in NAT64:
            inner = ipaddress.IPv4Address(int(parsed) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(str(inner))
        if parsed.is_site_local:
            return False
    if any(parsed in network for network in NOT_OURS_TO_ASK):
        return False
    return parsed.is_global and not parsed.is_multicast and not parsed.is_reserved


class Checked(_Connection):
    """A connection that goes to the very address that was checked, if there are rules of `outside`; `Host` and the
    certificate keep the name.
    """

    def __init__(self, *args: Any, outside: Outside | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        self._outside = outside

    def _new_conn(self) -> socket.socket:
        if self._outside is None:
            return super()._new_conn()
        name = self._dns_host
        *first, last = self._outside.find(self.host, self.port)
        try:
            for self._dns_host in first:
                with suppress(NewConnectionError, ConnectTimeoutError):
                    return super()._new_conn()
            self._dns_host = last
            return super()._new_conn()
        finally:
            self._dns_host = name
