"""Forgers on the way, and shops that put yesterday's disk back: what a terminal believes, and what gives it away."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from merchant_agent.central.store.models import Conflict
from merchant_agent.errors import OnHoldError, VerificationError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.epochs import HeadAnswer, decode_epoch_request, sign_head
from merchant_agent.evidence.exchange import Outcome
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u, encode_json
from merchant_agent.evidence.trust import encode_trust
from merchant_agent.terminal.beginning import Beginning
from merchant_agent.terminal.heads import Unknown, ask_head, judge_head
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.upload.outcome import Code
from tests.clocks import START, ManualClock
from tests.enrolled import OfflineCentral, ask
from tests.live_central import LiveCentral
from tests.terminal.station import Station
from tests.terminal.upload.conftest import Shop as Terminal
from tests.terminal.upload.conftest import forged, signed, wait_for
from tests.upstream import Reply, Request, Silence, Upstream

FOREIGN = encode_b64u(bytes(32))


@pytest.fixture
def live_central(tmp_path: Path, clock: ManualClock) -> Iterator[LiveCentral]:
    central = LiveCentral(tmp_path / "central", clock)
    central.start()
    yield central
    central.close()


@pytest.fixture
def station(tmp_path: Path, clock: ManualClock, live_central: LiveCentral) -> Iterator[Station]:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        yield station.enrol()


def _of_another_central(shop: Terminal, request: Request, outcome: Outcome, head: Head) -> bytes:
    """Signed, by a central that nobody granted anything from."""
    _, octets, _ = shop.batch(request)
    return OfflineCentral().acknowledge(octets, head=head, outcome=outcome)


def _of_another_batch(shop: Terminal, request: Request, outcome: Outcome, head: Head) -> bytes:
    """Central's own word, said of some other batch."""
    ack = shop.ack(request, outcome=outcome, head=head)
    return forged(ack, client_nonce=encode_b64u(bytes(16)))


def _changed(shop: Terminal, request: Request, outcome: Outcome, head: Head) -> bytes:
    """Central's `accepted` with other members under its signature."""
    return forged(shop.ack(request), outcome=outcome, head=head)


Forger = Callable[[Terminal, Request, Outcome, Head], bytes]


@pytest.mark.parametrize("forge", [_of_another_central, _of_another_batch, _changed])
@pytest.mark.parametrize(
    ("outcome", "status"), [("behind", 409), ("resend", 409), ("frozen", 423), ("revoked", 423)]
)
def test_a_forged_409_or_423_puts_nothing_on_hold_and_asks_for_no_epoch(
    shop: Terminal, outcome: Outcome, status: int, forge: Forger
) -> None:
    ask(shop.terminal.journal)
    before = shop.terminal.journal.identity
    ahead = Head(epoch=1, seq=9, link=FOREIGN)
    shop.upstream.script(
        lambda request: signed(status, forge(shop, request, outcome, ahead)),
        Reply(status=status, body=b'{"code":"frozen"}'),
        Reply(status=status),
    )
    for _ in range(3):
        assert shop.uploader.run_once().code is Code.UNTRUSTED
    assert (shop.terminal.journal.hold, shop.terminal.journal.identity) == (None, before)
    assert (shop.progress.acked_seq, shop.alarms()) == (-1, [])
    assert len(list(shop.terminal.folder.keys.glob("*.pem"))) == 1
    ask(shop.terminal.journal)
    shop.upstream.script(shop.accept, shop.accept)
    assert shop.uploader.run_once().code is Code.ACCEPTED
    bodies = [request.body for request in shop.upstream.requests[:4]]
    assert len(set(bodies)) == 1


def _grant_answer(central: OfflineCentral, shop: Terminal, request: Request, *, epoch: int = 2) -> Reply:
    """What that central answers to a request for an epoch."""
    asked = decode_epoch_request(
        decode_jws(msgspec.json.decode(request.body)["request"].encode(), Typ.EPOCH).payload
    )
    grant = central.grant(decode_b64u(asked.key), issuer=asked.issuer, epoch=epoch, closes=asked.newest)
    body = {
        "grant": grant.decode(),
        "merchant": msgspec.to_builtins(shop.central.merchant),
        "trust": msgspec.json.decode(encode_trust(central.trust)),
        "central_url": "",
    }
    return Reply(status=201, body=encode_json(body))


def test_a_grant_of_a_home_made_central_begins_no_epoch(shop: Terminal) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(shop.accept)
    shop.uploader.run_once()
    shop.terminal.journal.put_on_hold("frozen")
    shop.upstream.script(
        lambda request: _grant_answer(OfflineCentral(), shop, request),
        lambda request: _grant_answer(shop.central, shop, request, epoch=1),
        Reply(status=201, body=b"{}"),
        Reply(status=200, body=b"<html>"),
    )
    for _ in range(4):
        assert shop.uploader.run_once().code is Code.UNTRUSTED
    assert (shop.terminal.journal.hold, shop.terminal.journal.identity.epoch) == ("frozen", 1)
    shop.upstream.script(lambda request: _grant_answer(shop.central, shop, request))
    shop.upstream.script_rest(Reply(status=503))
    shop.uploader.run_once()
    assert (shop.terminal.journal.hold, shop.terminal.journal.identity.epoch) == (None, 2)
    asked = {msgspec.json.decode(request.body)["possession"] for request in shop.upstream.requests[1:6]}
    keys = list(shop.terminal.folder.keys.glob("*.pem"))
    assert len(asked) == 5
    assert len(keys) == 1


def test_a_forged_refusal_of_an_epoch_is_an_alarm_and_is_asked_again(shop: Terminal) -> None:
    shop.terminal.journal.put_on_hold("frozen")
    refusal = Reply(status=403, body=b'{"code":"epoch-replaced"}')
    shop.upstream.script(refusal, lambda request: _grant_answer(shop.central, shop, request))
    shop.upstream.script_rest(Reply(status=503))
    assert shop.uploader.run_once().code is Code.NOT_ADMITTED
    assert ("epoch-refused", "epoch-replaced") in shop.alarms()
    shop.uploader.run_once()
    assert (shop.terminal.journal.hold, shop.alarms()) == (None, [])


def _head_of(shop: Terminal, request: Request, key: SigningKey, *, own_nonce: bool) -> Reply:
    """A head that is far ahead of the shop's."""
    nonce = request.path.rpartition("=")[2] if own_nonce else encode_b64u(bytes(16))
    answer = HeadAnswer(
        client_nonce=nonce,
        issuer=shop.terminal.journal.identity.issuer,
        epoch=1,
        head=Head(epoch=1, seq=9, link=FOREIGN),
        claimed=9,
        newest_epoch=1,
        state="active",
        nonce=encode_b64u(bytes(16)),
        now=START.isoformat(timespec="milliseconds"),
    )
    octets = sign_head(key, shop.central.issuer, 2, answer)
    return Reply(status=200, body=encode_json({"head": octets.decode()}))


def test_a_forged_or_replayed_head_is_not_believed(shop: Terminal) -> None:
    thief = SigningKey.generate()
    shop.upstream.script(
        lambda request: _head_of(shop, request, thief, own_nonce=True),
        lambda request: _head_of(shop, request, shop.central.ack, own_nonce=False),
        Reply(status=409),
        lambda request: _head_of(shop, request, shop.central.ack, own_nonce=True),
    )
    answers = [ask_head(shop.terminal, shop.client, shop.upstream.url) for _ in range(4)]
    assert [isinstance(answer, Unknown) for answer in answers] == [True, True, True, False]


def test_a_snapshot_that_is_restored_and_diverges_is_two_records_for_one_place(
    station: Station, tmp_path: Path, live_central: LiveCentral
) -> None:
    """The shop keeps a snapshot, sees an answer that it does not like, and goes on from the snapshot."""
    station.serve(1)
    station.send()
    station.copy_disk(tmp_path / "then")
    station.serve(1, level=1)
    station.send()
    disliked = station.octets()[3]
    station.put_disk_back(tmp_path / "then", with_mark=True)
    station.serve(1, level=5)
    station.send()
    with live_central.central.store.read() as reader:
        [conflict] = reader.all(Conflict.select())
    held, received = bytes(conflict.held), bytes(conflict.received)
    assert (conflict.kind, conflict.seq) == ("fork", 2)
    assert received in station.octets()
    assert disliked in live_central.records()
    identity = station.terminal.journal.identity
    chain = Chain.begin(identity.grant_octets, identity.grant)
    with station.terminal.store.read() as reader:
        for entry in read_ledger(reader, last_seq=1):
            chain.accept(entry.octets)
    assert chain.open(held).issuer == chain.open(received).issuer == identity.issuer
    chain.accept(held)
    with pytest.raises(VerificationError, match="V4"):
        chain.accept(received)
    assert station.hold == "frozen"
    assert "V4" in {violation.rule for violation in station.verdict().violations}


def test_a_folder_that_is_copied_back_signs_nothing_because_of_its_mark(
    station: Station, tmp_path: Path, live_central: LiveCentral
) -> None:
    station.copy_disk(tmp_path / "then")
    station.serve(1, level=1)
    station.send()
    live_central.stop()
    station.put_disk_back(tmp_path / "then", with_mark=False)
    assert (station.hold, station.octets()) == ("restored", [])
    with pytest.raises(OnHoldError):
        station.serve(1, level=5)
    live_central.start()
    station.send()
    assert (station.hold, station.epoch) == (None, 2)
    assert station.octets() == live_central.records()
    assert [record.kind for record in station.records(1)] == [Kind.PROMPT, Kind.RATING]


def test_a_disk_that_is_put_back_with_its_mark_signs_nothing_because_of_central(
    station: Station, tmp_path: Path
) -> None:
    station.serve(1)
    station.copy_disk(tmp_path / "then")
    station.serve(1, level=1)
    station.send()
    station.put_disk_back(tmp_path / "then", with_mark=True)
    beginning = Beginning(station.terminal)
    beginning.start()
    wait_for(lambda: station.hold == "restored")
    beginning.stop()
    assert len(station.octets()) == 2


def test_a_tail_that_was_only_promised_is_missed_by_central(shop: Terminal) -> None:
    """A batch told of a newest record that never came: whoever has it no more has lost it, or hides it."""
    ask(shop.terminal.journal)
    head = shop.terminal.journal.head
    assert head is not None
    answer = HeadAnswer(
        client_nonce=encode_b64u(bytes(16)),
        issuer=shop.terminal.journal.identity.issuer,
        epoch=1,
        head=head,
        claimed=head.seq,
        newest_epoch=1,
        state="active",
        nonce=encode_b64u(bytes(16)),
        now=START.isoformat(timespec="milliseconds"),
    )
    assert judge_head(shop.terminal, answer) is None
    promised = msgspec.structs.replace(answer, claimed=head.seq + 1)
    assert judge_head(shop.terminal, promised) == "restored"


def test_the_start_waits_for_central_no_longer_than_two_seconds(station: Station) -> None:
    """Whatever takes central's connections says nothing; the start stands first, and the sale behind it."""
    with Upstream() as silent:
        silent.script_rest(Silence())
        station.settings = {"central_url": silent.url}
        station.restart()
        beginning = Beginning(station.terminal)
        beginning.start()
        began = time.monotonic()
        ask(station.terminal.journal)
        assert time.monotonic() - began < 2.5
        beginning.stop()
    assert [record.kind for record in station.records(1)] == [Kind.START, Kind.PROMPT]
