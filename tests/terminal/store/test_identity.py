from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent.errors import OnHoldError, StartError
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.terminal.store.identity import key_path, load_identities, load_identity
from merchant_agent.terminal.store.models import Epoch, UploadState
from tests.clocks import ManualClock
from tests.enrolled import EnrolledJournal, OfflineCentral


@pytest.fixture
def fresh(tmp_path: Path, clock: ManualClock) -> EnrolledJournal:
    """A terminal that was not enrolled yet."""
    return EnrolledJournal(tmp_path / "fresh", clock, OfflineCentral())


def _pems(terminal: EnrolledJournal) -> list[Path]:
    return sorted(terminal.folder.keys.glob("*.pem"))


def test_the_key_of_an_unanswered_enrolment_is_used_again(fresh: EnrolledJournal) -> None:
    key = fresh.journal.enrolment_key()
    assert fresh.journal.enrolment_key().public == key.public
    fresh.reopen()
    assert fresh.journal.enrolment_key().public == key.public
    assert _pems(fresh) == [key_path(fresh.folder.keys, key.public)]
    fresh.close()


def test_a_granted_key_is_not_used_for_the_next_epoch(fresh: EnrolledJournal) -> None:
    fresh.begin_epoch()
    granted = fresh.journal.key.public
    key = fresh.journal.enrolment_key()
    assert key.public != granted
    assert fresh.journal.enrolment_key().public == key.public
    assert len(_pems(fresh)) == 2
    fresh.close()


def test_a_key_file_that_a_crash_cut_short_is_passed_over(fresh: EnrolledJournal) -> None:
    part = fresh.folder.keys / "0000000000000000.pem"
    part.write_bytes(SigningKey.generate().pem()[:40])
    key = fresh.journal.enrolment_key()
    assert fresh.journal.enrolment_key().public == key.public
    fresh.begin_epoch()
    fresh.reopen()
    assert fresh.journal.key.public == key.public
    fresh.close()


def test_an_enrolment_is_what_central_said(fresh: EnrolledJournal) -> None:
    key = fresh.journal.enrolment_key()
    octets = fresh.central.grant(key.public, issuer=new_issuer_id())
    told = fresh.journal.enrol(
        key,
        octets,
        fresh.central.merchant,
        fresh.central.trust,
        central_url="https://central.example",
        public_url="https://p.example",
    )
    fresh.reopen()
    assert fresh.journal.identity == told
    assert told.merchant == fresh.central.merchant
    assert (told.central_url, told.public_url) == ("https://central.example", "https://p.example")
    assert len(told.tag_key) == 32
    with fresh.store.read() as reader:
        state = reader.first(UploadState.select())
        assert load_identities(reader) == (told,)
    assert state is not None
    assert (state.epoch, state.acked_seq, state.acked_link) == (1, -1, link_of(octets))
    assert state.nonce == told.grant.nonce
    fresh.close()


def test_before_the_enrolment_there_is_no_identity(fresh: EnrolledJournal) -> None:
    with fresh.store.read() as reader:
        assert load_identity(reader) is None
        assert load_identities(reader) == ()
    fresh.close()


def test_a_lost_or_foreign_key_signs_nothing_and_does_not_stop_the_program(enrolled: EnrolledJournal) -> None:
    path = key_path(enrolled.folder.keys, enrolled.journal.key.public)
    pem = path.read_bytes()
    foreign = SigningKey.generate()
    for octets in (None, foreign.pem(), b""):
        path.unlink(missing_ok=True)
        if octets is not None:
            path.write_bytes(octets)
        enrolled.reopen()
        assert enrolled.journal.hold == "key"
        with pytest.raises(OnHoldError):
            _ = enrolled.journal.key
    assert enrolled.journal.enrolment_key().public != foreign.public
    path.write_bytes(pem)
    enrolled.reopen()
    assert enrolled.journal.key.public is not None


def test_a_tampered_grant_is_told_at_the_start(enrolled: EnrolledJournal) -> None:
    octets = enrolled.journal.identity.grant_octets
    with enrolled.store.write() as writer:
        writer.execute(Epoch.update(grant=octets[:-4] + b"AAAA"))
    with pytest.raises(StartError):
        enrolled.reopen()


def test_a_grant_with_the_trust_of_others_is_told_at_the_start(enrolled: EnrolledJournal) -> None:
    with enrolled.store.write() as writer:
        writer.execute(Epoch.update(trust='{"root":[],"log":[]}'))
    with pytest.raises(StartError):
        enrolled.reopen()


@pytest.mark.parametrize("octets", [b"", b"{}", b"\0" * 300])
def test_a_kept_grant_that_was_spoiled_is_written_anew(enrolled: EnrolledJournal, octets: bytes) -> None:
    (kept,) = enrolled.folder.keys.glob("*.grant")
    whole = kept.read_bytes()
    kept.write_bytes(octets)
    enrolled.reopen()
    assert enrolled.journal.hold is None
    assert kept.read_bytes() == whole


def test_an_old_key_that_is_put_back_is_deleted_and_asked_for_nothing(enrolled: EnrolledJournal) -> None:
    (old,) = _pems(enrolled)
    octets, issuer = old.read_bytes(), enrolled.journal.identity.issuer
    key = enrolled.journal.enrolment_key()
    grant = enrolled.central.grant(key.public, issuer=issuer, epoch=2)
    identity = enrolled.journal.identity
    enrolled.journal.begin_epoch(key, grant, identity.merchant, identity.trust)
    old.write_bytes(octets)
    assert key_path(enrolled.folder.keys, enrolled.journal.enrolment_key().public) != old
    enrolled.reopen()
    assert (enrolled.journal.hold, enrolled.journal.key.public) == (None, key.public)
    assert not old.exists()


def test_a_kept_grant_of_another_terminal_changes_nothing(
    enrolled: EnrolledJournal, tmp_path: Path, clock: ManualClock
) -> None:
    before = enrolled.journal.identity
    other = EnrolledJournal(tmp_path / "other", clock, OfflineCentral())
    other.begin_epoch()
    other.begin_epoch(epoch=2, issuer=other.journal.identity.issuer)
    for kept in other.folder.keys.glob("*.grant"):
        (enrolled.folder.keys / kept.name).write_bytes(kept.read_bytes())
    other.close()
    enrolled.reopen()
    assert (enrolled.journal.hold, enrolled.journal.identity) == (None, before)
