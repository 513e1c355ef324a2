"""Which address the command line prints for a tablet."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from merchant_agent.terminal.app import EVERYWHERE
from merchant_agent.terminal.web.address import lan_address
from merchant_agent.terminal.web.listening import root_of


@contextmanager
def _listening(host: str) -> Iterator[int]:
    """A port on which somebody listens."""
    with socket.create_server((host, 0)) as server:
        yield int(server.getsockname()[1])


@pytest.mark.parametrize(
    ("host", "root"),
    [
        ("127.0.0.1", "http://127.0.0.1:8700"),
        ("192.0.2.20", "http://192.0.2.20:8700"),
        ("shop.test", "http://shop.test:8700"),
        ("fd00::20", "http://[fd00::20]:8700"),
    ],
)
def test_an_address_that_the_settings_name_is_the_one(host: str, root: str) -> None:
    assert root_of(host, 8700) == root


def test_a_terminal_that_still_listens_on_this_machine_only_is_named_so() -> None:
    with _listening("127.0.0.1") as port:
        assert root_of(EVERYWHERE, port) == f"http://127.0.0.1:{port}"


def test_a_terminal_that_the_network_reaches_is_named_by_its_address_there() -> None:
    with _listening(EVERYWHERE) as port:
        assert root_of(EVERYWHERE, port) == f"http://{lan_address() or '127.0.0.1'}:{port}"


def test_a_terminal_that_does_not_run_is_named_as_it_will_be() -> None:
    with _listening("127.0.0.1") as port:
        pass
    assert root_of(EVERYWHERE, port) == f"http://{lan_address() or '127.0.0.1'}:{port}"
