"""An enrolled terminal whose central is a scripted server on loopback."""

from __future__ import annotations

import gzip
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

from merchant_agent.evidence.exchange import Answer, Batch, Outcome, decode_ack, decode_upload, open_batch
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.octets import decode_segment, encode_json, encode_segment
from merchant_agent.settings import TerminalSettings
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.services import Terminal, close_terminal, open_terminal
from merchant_agent.terminal.store.models import Quarantine, SentBatch, UploadState
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.enrolled import OfflineCentral, enrolled_journal
from tests.upstream import Reply, Request, Upstream


@dataclass(frozen=True, kw_only=True)
class Shop:
    """The terminal, its uploader, and the server that stands where central should."""

    terminal: Terminal
    uploader: Uploader
    client: Client
    upstream: Upstream
    central: OfflineCentral
    clock: ManualClock
    opened: list[Terminal]

    def restart(self) -> Shop:
        """The shop as after a power cut: nothing but the disk is left."""
        close_terminal(self.opened.pop())
        terminal = open_terminal(self.terminal.settings, self.clock)
        self.opened.append(terminal)
        return replace(self, terminal=terminal, uploader=Uploader(terminal, self.client, rng=rng()))

    def alarms(self) -> list[tuple[str, str]]:
        """Code and detail of the open alarms, oldest first."""
        with self.terminal.store.read() as reader:
            return [(alarm.code, alarm.detail) for alarm in reversed(open_alarms(reader))]

    def batch(self, request: Request) -> tuple[Batch, bytes, list[bytes]]:
        """The batch of a request, its octets, and the records' octets after it."""
        octets, lines = decode_upload(gzip.decompress(request.body))
        key = self.terminal.journal.identity.grant.verifying_key()
        return open_batch(octets, key), octets, [line.split(b"~")[0] for line in lines]

    def ack(
        self,
        request: Request,
        *,
        outcome: Outcome = "accepted",
        head: Head | None = None,
        answers: tuple[Answer, ...] = (),
    ) -> bytes:
        """What a true central would sign; its head is the last record that came, unless given."""
        batch, octets, records = self.batch(request)
        stand = head or Head(epoch=batch.epoch, seq=batch.to, link=link_of(records[-1]))
        return self.central.acknowledge(octets, head=stand, outcome=outcome, answers=answers)

    def accept(self, request: Request) -> Reply:
        """Central as it should be."""
        return signed(200, self.ack(request))

    def answer(
        self, outcome: Outcome, *, status: int, head: Head | None = None
    ) -> Callable[[Request], Reply]:
        """A step in which central signs another outcome."""
        return lambda request: signed(status, self.ack(request, outcome=outcome, head=head))

    @property
    def progress(self) -> UploadState:
        with self.terminal.store.read() as reader:
            row: UploadState | None = reader.first(UploadState.select())
        assert row is not None
        return row

    def rows(self, model: type[SentBatch | Quarantine]) -> list[Any]:
        with self.terminal.store.read() as reader:
            return reader.all(model.select())


def wait_for(claim: Callable[[], bool]) -> None:
    """Returns once the claim holds; another thread is about to make it so."""
    ends = time.monotonic() + 5
    while not claim():
        assert time.monotonic() < ends, "it did not come to be"


def rng() -> random.Random:
    """The same chance in every run."""
    return random.Random(7)  # noqa: S311 -- as said


def signed(status: int, ack: bytes) -> Reply:
    """An answer in central's form."""
    body = encode_json({"ack": ack.decode(), "checkpoint": None})
    return Reply(status=status, body=body, headers={"Content-Type": "application/json"})


def forged(ack: bytes, **changes: Any) -> bytes:
    """The acknowledgement with other members under the old signature."""
    head, payload, signature = ack.split(b".")
    changed = msgspec.structs.replace(decode_ack(decode_segment(payload)), **changes)
    return b".".join([head, encode_segment(encode_json(changed)), signature])


@pytest.fixture
def upstream() -> Iterator[Upstream]:
    with Upstream() as server:
        yield server


@pytest.fixture
def client() -> Iterator[Client]:
    client = Client(read_timeout_s=5, deadline_s=5)
    yield client
    client.close()
    client.release()


@pytest.fixture
def open_shop(
    tmp_path: Path, clock: ManualClock, upstream: Upstream, client: Client
) -> Iterator[Callable[..., Shop]]:
    """Opens the shop with settings of the test's own."""
    opened: list[Terminal] = []

    def open_it(**settings: Any) -> Shop:
        central = OfflineCentral()
        enrolled_journal(tmp_path / "terminal", clock, central).close()
        values: dict[str, Any] = {
            "central_url": upstream.url,
            "ballast_bytes": 0,
            "upload_gather_ms": 0,
        } | settings
        terminal = open_terminal(TerminalSettings(data=tmp_path / "terminal", **values), clock)
        opened.append(terminal)
        uploader = Uploader(terminal, client, rng=rng())
        return Shop(
            terminal=terminal,
            uploader=uploader,
            client=client,
            upstream=upstream,
            central=central,
            clock=clock,
            opened=opened,
        )

    yield open_it
    for terminal in opened:
        close_terminal(terminal)


@pytest.fixture
def shop(open_shop: Callable[..., Shop]) -> Shop:
    """A shop with the default settings and nothing in its ledger."""
    return open_shop()
