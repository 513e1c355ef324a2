"""Which address a tablet is told, and the QR code that tells it."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

import pytest

from merchant_agent.terminal.web.address import (
    is_loopback,
    lan_address,
    lan_addresses,
    qr_svg,
    reachable_roots,
)


def test_the_address_in_the_shops_network_is_no_loopback() -> None:
    address = lan_address()
    assert address is None or not ipaddress.ip_address(address).is_loopback


@pytest.mark.parametrize(
    "root", ["http://192.168.1.20:8700/", "http://shop.test:8700/", "https://shop.example/"]
)
def test_whoever_came_over_the_network_shows_the_way_that_they_came(root: str) -> None:
    assert reachable_roots(root, open_to_network=True)[0] == root.rstrip("/")


@pytest.mark.parametrize("root", ["http://127.0.0.1:8700/", "http://localhost:8700/", "http://[::1]:8700/"])
def test_this_machines_own_name_is_not_told_to_tablets(root: str) -> None:
    told = reachable_roots(root, open_to_network=True)
    assert urlsplit(told[0]).hostname == (lan_address() or urlsplit(root).hostname)
    assert {urlsplit(each).port for each in told} == {8700}


def test_a_machine_in_several_networks_tells_of_each_once() -> None:
    addresses = lan_addresses()
    assert len(set(addresses)) == len(addresses)
    assert not [address for address in addresses if is_loopback(address) or address.startswith("169.254.")]
    told = reachable_roots("http://127.0.0.1:8700/", open_to_network=True)
    assert addresses == () or told == tuple(f"http://{address}:8700" for address in addresses)


def test_a_name_with_a_certificate_is_the_only_one_that_is_told() -> None:
    assert reachable_roots("https://shop.example/", open_to_network=True) == ("https://shop.example",)


def test_a_program_that_only_this_machine_reaches_promises_nothing_else() -> None:
    assert reachable_roots("http://127.0.0.1:8700/", open_to_network=False) == ("http://127.0.0.1:8700",)


def test_a_qr_code_stands_by_itself_and_scales() -> None:
    image = qr_svg("http://192.168.1.20:8700/kiosk/pair/0123456789ab")
    assert image.startswith('<svg xmlns="http://www.w3.org/2000/svg"')
    assert "viewBox" in image
    assert " width=" not in image.split(">", 1)[0]
