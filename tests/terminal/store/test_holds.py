"""While a hold lasts nothing is signed, over restarts too; it ends with records that say so."""

from __future__ import annotations

import pytest

from merchant_agent.errors import OnHoldError, VerificationError
from merchant_agent.evidence.bodies import Kind, RecoverBody
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.terminal.alarms import open_alarms
from merchant_agent.terminal.store.appending import JournalWriter
from merchant_agent.terminal.store.identity import key_path, load_identities
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.models import UploadState
from tests.clocks import ManualClock
from tests.enrolled import EnrolledJournal, ask


def _alarms(terminal: EnrolledJournal) -> list[str]:
    with terminal.store.read() as reader:
        return [alarm.code for alarm in open_alarms(reader)]


def _recover(writer: JournalWriter) -> None:
    writer.append(Kind.RECOVER, RecoverBody(reason="restored"))


def _next_epoch(terminal: EnrolledJournal) -> tuple[SigningKey, bytes]:
    """The key of the next epoch and the grant for it."""
    identity = terminal.journal.identity
    key = terminal.journal.enrolment_key()
    grant = terminal.central.grant(
        key.public, issuer=identity.issuer, epoch=identity.epoch + 1, closes=terminal.journal.head
    )
    return key, grant


def test_nothing_is_signed_on_hold_and_the_next_start_knows_it(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    enrolled.journal.put_on_hold("restored")
    for _ in range(2):
        with pytest.raises(OnHoldError) as caught:
            ask(enrolled.journal)
        assert caught.value.reason == enrolled.journal.hold == "restored"
        assert _alarms(enrolled) == ["hold-restored"]
        enrolled.reopen()


def test_what_is_not_signed_can_be_stored_on_hold(enrolled: EnrolledJournal) -> None:
    enrolled.journal.put_on_hold("epoch")
    with enrolled.journal.write() as writer:
        writer.execute(UploadState.update(state_detail="kept"))
    with enrolled.store.read() as reader:
        assert reader.scalar(UploadState.select(UploadState.state_detail)) == "kept"


def test_a_hold_over_a_hold_keeps_its_beginning_and_has_one_alarm(
    enrolled: EnrolledJournal, clock: ManualClock
) -> None:
    began = clock.now()
    enrolled.journal.put_on_hold("behind")
    clock.advance(60)
    enrolled.journal.put_on_hold("frozen")
    assert enrolled.journal.held is not None
    assert (enrolled.journal.held.reason, enrolled.journal.held.at) == ("frozen", began)
    assert _alarms(enrolled) == ["hold-frozen"]


def test_nothing_brings_back_a_terminal_that_ended(enrolled: EnrolledJournal) -> None:
    enrolled.journal.put_on_hold("ended")
    enrolled.journal.put_on_hold("behind")
    assert enrolled.journal.hold == "ended"
    assert _alarms(enrolled) == ["hold-ended"]


def test_a_new_epoch_ends_the_hold_with_its_first_record(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    old = enrolled.journal.identity
    enrolled.journal.put_on_hold("restored")
    key, grant = _next_epoch(enrolled)
    enrolled.journal.begin_epoch(key, grant, old.merchant, old.trust, first=_recover)
    assert (enrolled.journal.hold, _alarms(enrolled)) == (None, [])
    ask(enrolled.journal)
    for _ in range(2):
        identity = enrolled.journal.identity
        chain = Chain.begin(identity.grant_octets, identity.grant)
        with enrolled.store.read() as reader:
            kinds = [chain.accept(entry.octets).kind for entry in read_ledger(reader, epoch=2)]
        assert kinds == [Kind.RECOVER, Kind.PROMPT]
        assert chain.head == enrolled.journal.head
        enrolled.reopen()


def test_the_old_key_is_deleted_once_the_new_epoch_is_in_force(enrolled: EnrolledJournal) -> None:
    old, path = enrolled.journal.identity, enrolled.folder.keys
    key, grant = _next_epoch(enrolled)
    with pytest.raises(VerificationError):
        enrolled.journal.begin_epoch(key, old.grant_octets, old.merchant, old.trust)
    assert len(list(path.glob("*.pem"))) == 2
    enrolled.journal.begin_epoch(key, grant, old.merchant, old.trust)
    assert list(path.glob("*.pem")) == [key_path(path, key.public)]
    with enrolled.store.read() as reader:
        assert [identity.epoch for identity in load_identities(reader)] == [1, 2]


def test_a_lost_key_does_not_stop_the_program(enrolled: EnrolledJournal) -> None:
    ask(enrolled.journal)
    head = enrolled.journal.head
    (path,) = enrolled.folder.keys.glob("*.pem")
    octets = path.read_bytes()
    path.unlink()
    enrolled.reopen()
    assert (enrolled.journal.hold, enrolled.journal.head) == ("key", head)
    with pytest.raises(OnHoldError):
        ask(enrolled.journal)
    with pytest.raises(OnHoldError):
        enrolled.journal.release(_recover)
    assert not enrolled.journal.load_key()
    path.write_bytes(octets)
    assert enrolled.journal.load_key()
    enrolled.journal.release(_recover)
    assert enrolled.journal.hold is None
    assert ask(enrolled.journal).record.seq == 2


def test_a_remembered_place_is_known_ahead_or_another(enrolled: EnrolledJournal) -> None:
    begun = enrolled.journal.head
    appended = [ask(enrolled.journal) for _ in range(2)]
    head = enrolled.journal.head
    assert begun is not None
    assert head is not None
    compare = enrolled.journal.compare
    assert compare(1, -1, begun.link) == "known"
    assert compare(1, head.seq, head.link) == "known"
    assert compare(1, head.seq + 1, head.link) == "ahead"
    assert compare(2, 0, head.link) == "ahead"
    assert compare(1, appended[0].record.seq, head.link) == "other"
    assert compare(1, -1, head.link) == "other"
