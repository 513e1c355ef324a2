"""Under which address other machines of the shop reach this one."""

from __future__ import annotations

import io
import ipaddress
import socket
import struct
import sys
from contextlib import suppress
from urllib.parse import urlsplit

_ANYWHERE = ("192.0.2.1", 9)  # RFC 5737: for documentation; nothing is sent there
_ADDRESS_OF = 0x8915  # SIOCGIFADDR
# Networks inside of the machine, of containers and virtual machines.
_OF_NO_SHOP = ("lo", "docker", "br-", "veth", "virbr", "vmnet", "tun", "tap")


def lan_address() -> str | None:
    """This machine's address in the shop's network; None where it has none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_ANYWHERE)
            address = str(probe.getsockname()[0])
    except OSError:
        return None
    return None if ipaddress.ip_address(address).is_loopback else address


def lan_addresses() -> tuple[str, ...]:
    """This machine's addresses in all networks that it is in, the one of its way out first."""
    found = [lan_address(), *_addresses_of_interfaces(), *_addresses_of_name()]
    kept = dict.fromkeys(address for address in found if address is not None and _is_of_a_shop(address))
    return tuple(kept)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine as only it can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reachable_roots(url_root: str, *, open_to_network: bool) -> tuple[str, ...]:
    """The beginnings of addresses for tablets, the likeliest first, without a slash at the end.

    `url_root` is how the present page was reached. A page that was opened on this machine itself says
    nothing to a tablet: then the addresses in the shop's networks stand there. Over HTTPS only the
    name is told that the certificate is for.
    """
    parts, root = urlsplit(url_root), url_root.rstrip("/")
    here = parts.hostname or ""
    if not open_to_network or (parts.scheme == "https" and not is_loopback(here)):
        return (root,)
    port = f":{parts.port}" if parts.port else ""
    lan = [f"{parts.scheme}://{address}{port}" for address in lan_addresses()]
    told = lan if is_loopback(here) and lan else [root, *lan]
    return tuple(dict.fromkeys(told))


def _addresses_of_interfaces() -> list[str]:
    """The first address of each interface; none where the system is not asked in this way."""
    if sys.platform != "linux":
        return []
    import fcntl  # noqa: PLC0415 -- there is none on Windows

    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            if name.startswith(_OF_NO_SHOP):
                continue
            request = struct.pack("256s", name.encode())
            with suppress(OSError):
                found.append(socket.inet_ntoa(fcntl.ioctl(probe.fileno(), _ADDRESS_OF, request)[20:24]))
    return found


def _addresses_of_name() -> list[str]:
    """What this machine's own name stands for, which on Windows is every network that it is in."""
    try:
        return [str(info[4][0]) for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)]
    except OSError:
        return []


def _is_of_a_shop(address: str) -> bool:
    parsed = ipaddress.ip_address(address)
    return not (parsed.is_loopback or parsed.is_link_local or parsed.is_unspecified)


def qr_svg(text: str) -> str:
    """The text as a QR code: an SVG image that scales, by itself or inside a page."""
    # Seldom needed, and 1 MiB of a terminal that runs all day.
    import segno  # noqa: PLC0415 -- as said

    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image, kind="svg", xmldecl=False, nl=False, omitsize=True, border=2, dark="#12302f"
    )
    return image.getvalue().decode()
