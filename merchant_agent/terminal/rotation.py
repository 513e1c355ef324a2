"""The two planned ends of an epoch: another key for this terminal, and no terminal any more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from merchant_agent.errors import ConflictError, RequestError
from merchant_agent.evidence.bodies import EndBody, Kind, RotateBody
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.sweep import end_all
from merchant_agent.terminal.heads import Unknown, ask_head, judge_head
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.delivery import Delivery


def rotate(terminal: Terminal, reason: Literal["planned", "suspected"]) -> Identity:
    """Ends the epoch in force and begins the next one, under a new key; the new epoch.

    Raises:
        ConflictError: "on-hold", nothing is signed at the moment.
        RequestError: "central-unreachable" or "wrong-central", nothing was changed; "epoch-waiting", the
            epoch ended and the next one is not granted yet: the running program asks again by itself.
        SettingsError: a file that the settings name cannot be used.
        StartError: the terminal is not enrolled.
        StoreError: the database did not do it.
    """
    journal = terminal.journal
    _require_free(terminal)
    with _client(terminal) as client:
        _require_central(terminal, client)
        ended = journal.close_epoch(Kind.ROTATE, RotateBody(reason=reason), "epoch")
        Delivery(terminal, client).run()
    if journal.identity.epoch == ended.place.epoch:
        raise RequestError(
            "epoch-waiting", "The new key is not granted yet: the running terminal asks again."
        )
    return journal.identity


def end(terminal: Terminal, reason: Literal["closed", "replaced"]) -> bool:
    """Takes the terminal out of service for good; whether all that it recorded has arrived.

    Before the last record everything that was kept or begun is signed. What has not arrived is sent
    whenever the program runs.

    Raises:
        ConflictError: "on-hold", nothing is signed at the moment, or it has ended already.
        SettingsError: a file that the settings name cannot be used.
        StartError: the terminal is not enrolled.
        StoreError: the database did not do it.
    """
    _require_free(terminal)
    sign_kept(terminal)
    end_all(terminal)
    terminal.journal.close_epoch(Kind.END, EndBody(reason=reason), "ended")
    with _client(terminal) as client:
        delivery = Delivery(terminal, client)
        delivery.run()
        return delivery.is_all_delivered()


def _require_free(terminal: Terminal) -> None:
    held = terminal.journal.hold
    if held is not None:
        raise ConflictError("on-hold", f"Nothing is signed at the moment ({held}): see the counter's page.")


def _require_central(terminal: Terminal, client: Client) -> None:
    """An epoch is ended only where the next one can be had."""
    base = terminal.settings.central_url or terminal.journal.identity.central_url
    answer = ask_head(terminal, client, base)
    match answer:
        case Unknown(is_away=True, detail=detail):
            raise RequestError(
                "central-unreachable",
                f"Central cannot be reached at {base}: {detail}. Nothing was changed.",
            )
        case Unknown(detail=detail):
            raise RequestError(
                "wrong-central", f"What answers at {base} is not central: {detail}. Nothing was changed."
            )
        case head:
            hold = judge_head(terminal, head)
    if hold is not None:
        terminal.journal.put_on_hold(hold, "found before a rotation")
        _require_free(terminal)


@contextmanager
def _client(terminal: Terminal) -> Iterator[Client]:
    client = Client(proxy=terminal.settings.proxy, ca_file=terminal.settings.central_ca)
    try:
        yield client
    finally:
        client.close()
        client.release()
