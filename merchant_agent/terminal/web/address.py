"""Under which address other machines of the shop reach this one."""

from __future__ import annotations

import io
import ipaddress
import socket
from urllib.parse import urlsplit

_ANYWHERE = ("192.0.2.1", 9)  # RFC 5737: for documentation; nothing is sent there


def lan_address() -> str | None:
    """This machine's address in the shop's network; None where it has none."""
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect(_ANYWHERE)
            address = str(probe.getsockname()[0])
    except OSError:
        return None
    return None if ipaddress.ip_address(address).is_loopback else address


def is_loopback(host: str) -> bool:
    """Whether the host is this machine as only it can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def reachable_root(url_root: str, *, open_to_network: bool) -> str:
    """The beginning of addresses for tablets, without a slash at the end.

    `url_root` is how the present page was reached. A page that was opened on this machine
    itself says nothing to a tablet: then the address in the shop's network stands there.
    """
    parts = urlsplit(url_root)
    here = parts.hostname or ""
    lan = lan_address() if open_to_network and is_loopback(here) else None
    if lan is None:
        return url_root.rstrip("/")
    return f"{parts.scheme}://{lan}:{parts.port}" if parts.port else f"{parts.scheme}://{lan}"


def qr_svg(text: str) -> str:
    """The text as a QR code: an SVG image that scales, by itself or inside a page."""
    # Seldom needed, and 1 MiB of a terminal that runs all day.
    import segno  # noqa: PLC0415 -- as said

    image = io.BytesIO()
    segno.make(text, error="m", micro=False).save(
        image, kind="svg", xmldecl=False, nl=False, omitsize=True, border=2, dark="#12302f"
    )
    return image.getvalue().decode()
