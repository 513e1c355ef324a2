"""Who is counted where attempts are: a network address, or the network that one host can roam in."""

from __future__ import annotations

import ipaddress

_IPV6_NETWORK_BITS = 64


def origin(remote: str) -> str:
    """Who is counted: an IPv4 address, or the /64 network that one IPv6 host can roam in."""
    try:
        address = ipaddress.ip_address(remote)
    except ValueError:
        return remote
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped or ipaddress.IPv6Network((address, _IPV6_NETWORK_BITS), strict=False))
    return str(address)
