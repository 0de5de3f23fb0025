"""Which addresses are out there on the public internet, and which are somebody's own network, or ours.

From IANA's registers of special-purpose addresses (RFC 6890 and what updates it). For IPv6 it is the other way about:
public is what lies in 2000::/3 and is no tunnel, no documentation and no benchmark, because the rest is not in use.
"""

import ipaddress
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_NOT_4 = [
    IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/4", "240.0.0.0/4",
    )
]  # fmt: skip
_GLOBAL_6 = IPv6Network("2000::/3")
_NOT_6 = [IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")]


def read_address(text: str) -> Address | None:
    """The address that is written, or None; one with a zone (`fe80::1%eth0`) keeps its address."""
    try:
        return ipaddress.ip_address(text.partition("%")[0])
    except ValueError:
        return None


def is_public(address: Address) -> bool:
    """Whether anybody on the internet could reach it. IPv4 inside IPv6 is never public: there is no need for it."""
    if isinstance(address, IPv4Address):
        return not any(address in net for net in _NOT_4)
    return address in _GLOBAL_6 and not any(address in net for net in _NOT_6)


def is_inside(address: Address) -> bool:
    """Whether it is a private or this machine's own address that an operator may open; link-local never is."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        return False
    return (address.is_loopback or address.is_private) and not (
        address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
    )
