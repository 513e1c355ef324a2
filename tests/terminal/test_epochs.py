"""Going on under a new key, against a real central: whatever happened before, nothing acknowledged is lost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from merchant_agent.central.revocations import revoke
from merchant_agent.central.store.models import Disclosure, EpochAsked
from merchant_agent.domain.sales import Sale
from merchant_agent.errors import ConflictError, InvalidError, OnHoldError, RequestError
from merchant_agent.evidence.bodies import EndBody, Kind, RotateBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import new_id
from merchant_agent.evidence.stub import Stub, sign_stub
from merchant_agent.store.backup import backup_into
from merchant_agent.terminal.collect.answers import finish
from merchant_agent.terminal.collect.prompts import take_sale
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.said import Answer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.enrolment import Enrolled, enrol
from merchant_agent.terminal.erasure import erase
from merchant_agent.terminal.heads import ask_head, judge_head
from merchant_agent.terminal.restoring import list_backups, restore
from merchant_agent.terminal.rotation import end, rotate
from merchant_agent.terminal.store.models import LedgerDisclosure, Rating, SentBatch, Slip, Stubbed
from merchant_agent.terminal.store.opening import DATABASE_NAME
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.outcome import Code
from tests.clocks import ManualClock
from tests.enrolled import ask
from tests.live_central import LiveCentral
from tests.terminal.station import Station


@pytest.fixture
def station(tmp_path: Path, clock: ManualClock, live_central: LiveCentral) -> Iterator[Station]:
    with Station(tmp_path / "terminal", clock, live_central) as station:
        yield station.enrol()


def _state(station: Station) -> tuple[str | None, int]:
    return station.hold, station.epoch


def _issuer(octets: bytes) -> str:
    return decode_jws(octets, Typ.RECORD).issuer


def _kinds(station: Station, epoch: int) -> list[Kind]:
    return [record.kind for record in station.records(epoch)]


def _require_sound(station: Station) -> None:
    """All of the ledger stands at central, and a verifier finds no violation."""
    assert station.central.records() == station.octets()
    assert station.verdict().violations == ()


def _backup(station: Station) -> Path:
    return backup_into(station.terminal.store, station.terminal.folder.backups, stem="terminal", keep=7)


def _restore(station: Station, backup: Path) -> None:
    folder = station.terminal.folder
    station.close()
    with folder:
        restore(folder, backup, station.clock)
    station.open()


def _lose_database(station: Station) -> None:
    """Nothing of the present database can be read any more."""
    station.close()
    (station.path / DATABASE_NAME).write_bytes(b"")
    (station.path / f"{DATABASE_NAME}-wal").unlink(missing_ok=True)


def _reason(live_central: LiveCentral) -> list[tuple[str, str]]:
    with live_central.central.store.read() as reader:
        rows = reader.all(EpochAsked.select().order_by(EpochAsked.at))
    return [(row.reason, row.outcome) for row in rows]


def test_a_planned_rotation_ends_with_its_record_and_begins_without_an_outage(station: Station) -> None:
    station.serve(2)
    assert rotate(station.terminal, "planned").epoch == 2
    assert station.records(1)[-1].body == RotateBody(reason="planned")
    station.serve(1)
    station.send()
    assert _kinds(station, 2) == [Kind.PROMPT, Kind.RATING]
    assert _reason(station.central) == [("planned", "granted")]
    _require_sound(station)
    station.restart()
    station.serve(1)
    assert station.send().code is Code.ACCEPTED


def test_a_rotation_while_central_is_away_changes_nothing(station: Station) -> None:
    station.serve(1)
    station.central.stop()
    with pytest.raises(RequestError) as refused:
        rotate(station.terminal, "suspected")
    assert refused.value.code == "central-unreachable"
    assert _state(station) == (None, 1)
    assert _kinds(station, 1) == [Kind.PROMPT, Kind.RATING]
    station.central.start()


def test_a_key_that_served_its_days_is_replaced_by_itself(station: Station, clock: ManualClock) -> None:
    station.settings = {"rotate_days": 30}
    station.restart()
    station.serve(1)
    station.send()
    assert station.epoch == 1
    clock.advance(30 * 86_400)
    station.send()
    assert (station.epoch, station.hold) == (2, None)
    assert station.records(1)[-1].kind is Kind.ROTATE
    _require_sound(station)


def test_a_restored_backup_takes_back_what_central_has_and_goes_on_under_a_new_key(station: Station) -> None:
    station.serve(2)
    backup = _backup(station)
    station.serve(3)
    station.send()
    whole = station.octets()
    with station.terminal.store.read() as reader:
        slips = reader.all(Slip.select(Slip.octets).order_by(Slip.seq).tuples())
    _lose_database(station)
    _restore(station, backup)
    assert (station.hold, len(station.octets())) == ("restored", 4)
    with pytest.raises(OnHoldError):
        station.serve(1)
    assert station.send().code is Code.ACCEPTED
    assert _state(station) == (None, 2)
    assert station.octets()[: len(whole)] == whole
    assert _kinds(station, 2) == [Kind.OUTAGE, Kind.RECOVER]
    with station.terminal.store.read() as reader:
        assert reader.all(Slip.select(Slip.octets).order_by(Slip.seq).tuples()) == slips
        assert len(reader.all(Rating.select())) == 5
    station.serve(1)
    station.send()
    assert _reason(station.central) == [("restored", "granted")]
    _require_sound(station)


def test_a_backup_of_an_earlier_epoch_finds_the_later_ones_again(station: Station) -> None:
    station.serve(1)
    backup = _backup(station)
    station.serve(1)
    rotate(station.terminal, "planned")
    station.serve(2)
    station.send()
    whole = station.octets()
    _restore(station, backup)
    station.send()
    assert _state(station) == (None, 3)
    assert station.octets()[: len(whole)] == whole
    station.serve(1)
    station.send()
    _require_sound(station)


def test_what_only_the_database_before_a_restore_has_is_brought_over(station: Station) -> None:
    station.serve(1)
    station.send()
    backup = _backup(station)
    station.central.stop()
    station.serve(2, level=1)
    signed = station.octets()
    station.terminal.journal.put_on_hold("restored")
    shown = Tablet(id=new_id(station.clock.now()), till="")
    sale = take_sale(station.terminal, Sale(order="A1", till="1"))
    assert sale is not None
    answer_id, answer = new_id(station.clock.now()), Answer(prompt_id=sale.prompt_id, level=2)
    finish(station.terminal, shown, answer_id, answer, ended="done", dwell_ms=1)
    _restore(station, backup)
    assert station.octets() == signed
    station.central.start()
    station.send()
    assert _state(station) == (None, 2)
    sign_kept(station.terminal)
    assert [record.id for record in station.records(2)][-1] == answer_id
    station.send()
    _require_sound(station)


def test_words_that_were_erased_since_a_backup_stay_erased(station: Station) -> None:
    station.serve(1)
    backup = _backup(station)
    issuer = station.terminal.journal.identity.issuer
    erase(station.terminal, Place(issuer=issuer, epoch=1, seq=1), who="manager")
    _restore(station, backup)
    with station.terminal.store.read() as reader:
        assert reader.all(LedgerDisclosure.select()) == []
        assert [row.comment for row in reader.all(Rating.select())] == [None]


def test_a_backup_does_not_bring_back_a_terminal_that_ended(station: Station) -> None:
    station.serve(1)
    backup = _backup(station)
    assert end(station.terminal, "closed")
    _restore(station, backup)
    assert station.hold == "ended"
    _lose_database(station)
    _restore(station, backup)
    assert station.hold == "restored"
    station.send()
    assert _state(station) == ("ended", 1)
    _require_sound(station)


def test_a_record_that_central_has_only_a_stub_of_is_not_waited_for(station: Station) -> None:
    station.serve(1)
    backup = _backup(station)
    station.serve(2)
    journal = station.terminal.journal
    large = station.octets()[3]
    stub = Stub(issuer=journal.identity.issuer, epoch=1, seq=3, link=link_of(large), reason="too_large")
    with station.terminal.store.write() as writer:
        row = {"epoch": 1, "seq": 3, "stub": sign_stub(journal.key, stub, 1), "again_at": station.clock.now()}
        writer.execute(Stubbed.insert(row | {"again_at": station.clock.now() + timedelta(days=1)}))
    station.send()
    whole = station.octets()
    _lose_database(station)
    _restore(station, backup)
    station.send()
    assert _state(station) == (None, 2)
    assert station.octets()[:4] == [*whole[:3], station.octets()[3]]
    station.serve(1)
    assert station.send().code is Code.ACCEPTED
    assert station.send().code is Code.NOTHING


def test_words_that_central_gives_back_spoiled_keep_no_record_away(station: Station) -> None:
    station.serve(1)
    backup = _backup(station)
    station.serve(2)
    station.send()
    whole = station.octets()
    with station.central.central.store.write() as writer:
        assert writer.execute(Disclosure.update({Disclosure.octets: "no words"})) > 0
    _lose_database(station)
    _restore(station, backup)
    assert station.send().code is Code.ACCEPTED
    assert _state(station) == (None, 2)
    assert station.octets()[: len(whole)] == whole


def test_the_database_before_a_restore_is_kept_aside(station: Station) -> None:
    station.serve(1)
    backup = _backup(station)
    station.serve(1)
    folder = station.terminal.folder
    station.close()
    with folder:
        assert [found.path for found in list_backups(folder)] == [backup]
        done = restore(folder, backup, station.clock)
    assert (done.seq, done.brought, done.aside.is_file()) == (3, 2, True)
    station.open()
    assert station.hold == "restored"


def test_a_hold_outlasts_central_s_absence_and_ends_by_itself(station: Station) -> None:
    station.serve(1)
    station.send()
    _restore(station, _backup(station))
    station.central.stop()
    assert station.send().code is Code.UNREACHABLE
    station.restart()
    assert _state(station) == ("restored", 1)
    station.central.start()
    station.send()
    assert _state(station) == (None, 2)


def test_unsent_records_of_the_old_epoch_go_first_under_the_new_key(station: Station) -> None:
    station.serve(1)
    station.send()
    station.serve(2)
    station.terminal.journal.put_on_hold("damage")
    assert station.send().code is Code.ACCEPTED
    assert station.uploader.status().waiting == 0
    with station.terminal.store.read() as reader:
        sent = reader.all(SentBatch.select().order_by(SentBatch.number))
    assert len(sent) == 3
    assert _reason(station.central) == [("damaged", "granted")]
    _require_sound(station)


def test_the_answer_that_was_lost_is_given_again(station: Station) -> None:
    station.serve(1)
    station.send()
    journal = station.terminal.journal
    station.terminal.journal.put_on_hold("restored")
    key = journal.enrolment_key()
    station.send()
    assert journal.identity.grant.key != ""
    assert decode_b64u(journal.identity.grant.key) == key.public
    assert _reason(station.central) == [("restored", "granted")]


def test_a_frozen_terminal_waits_for_the_officer_and_goes_on_behind_the_revocation(
    station: Station, tmp_path: Path, live_central: LiveCentral
) -> None:
    station.serve(1)
    station.send()
    station.copy_disk(tmp_path / "then")
    station.serve(1, level=5)
    station.send()
    station.put_disk_back(tmp_path / "then", with_mark=True)
    station.serve(1, level=1)
    station.send()
    assert (station.hold, station.alarms()) == ("frozen", ["hold-frozen"])
    station.send()
    assert [outcome for _, outcome in _reason(live_central)] == ["waiting"]
    identity = station.terminal.journal.identity
    key = station.terminal.journal.enrolment_key().public
    revoke(
        live_central.central,
        identity.grant.merchant,
        identity.issuer,
        1,
        reason="备份恢复",
        who="li.wei",
        allow=key,
    )
    station.send()
    assert _state(station) == (None, 2)
    assert _kinds(station, 2) == [Kind.OUTAGE, Kind.RECOVER]
    station.serve(1)
    assert station.send().code is Code.ACCEPTED


def test_a_lost_key_goes_on_with_a_new_code(station: Station, live_central: LiveCentral) -> None:
    station.serve(2)
    station.close()
    for path in (station.path / "keys").glob("*.pem"):
        path.unlink()
    station.open()
    assert station.hold == "key"
    station.send()
    assert station.hold == "key"
    outcome = enrol(station.terminal, live_central.url, live_central.code())
    assert isinstance(outcome, Enrolled)
    assert _state(station) == (None, 2)
    assert station.send().code is Code.ACCEPTED
    _require_sound(station)


def test_a_key_that_is_found_again_goes_on_in_its_epoch(station: Station) -> None:
    station.serve(1)
    (path,) = (station.path / "keys").glob("*.pem")
    octets = path.read_bytes()
    path.unlink()
    station.restart()
    assert station.hold == "key"
    path.write_bytes(octets)
    station.send()
    assert _state(station) == (None, 1)
    assert _kinds(station, 1)[-2:] == [Kind.OUTAGE, Kind.RECOVER]
    _require_sound(station)


def test_a_lost_key_over_an_older_database_takes_back_what_central_has_under_the_new_one(
    station: Station, live_central: LiveCentral
) -> None:
    station.serve(1)
    station.send()
    backup = _backup(station)
    station.serve(300)
    station.send()
    before = station.octets()
    _lose_database(station)
    _restore(station, backup)
    for path in (station.path / "keys").glob("*.pem"):
        path.unlink()
    station.restart()
    enrol(station.terminal, live_central.url, live_central.code())
    assert _state(station) == (None, 2)
    assert len(station.octets()) < len(before)
    station.send()
    assert station.octets()[: len(before)] == before
    station.serve(1)
    station.send()
    _require_sound(station)


def test_nobody_enrols_a_sound_terminal_again(station: Station, live_central: LiveCentral) -> None:
    with pytest.raises(ConflictError):
        enrol(station.terminal, live_central.url, live_central.code())


def test_a_clone_that_asks_second_is_refused_and_says_so(station: Station, tmp_path: Path) -> None:
    station.serve(1)
    station.send()
    station.copy_disk(tmp_path / "then")
    rotate(station.terminal, "suspected")
    station.put_disk_back(tmp_path / "then", with_mark=True)
    station.terminal.journal.put_on_hold("restored")
    assert station.send().code is Code.NOT_ADMITTED
    assert sorted(station.alarms()) == ["epoch-refused", "hold-restored"]
    with pytest.raises(InvalidError) as refused:
        enrol(station.terminal, station.central.url, station.central.code())
    assert refused.value.code == "enrolment-continues"


def test_central_s_head_tells_of_a_rolled_back_folder(station: Station, tmp_path: Path) -> None:
    station.serve(1)
    station.send()
    station.copy_disk(tmp_path / "then")
    client = Client(deadline_s=5)
    answer = ask_head(station.terminal, client, station.central.url)
    assert judge_head(station.terminal, answer) is None  # type: ignore[arg-type]  # it answered
    station.serve(1)
    station.send()
    station.put_disk_back(tmp_path / "then", with_mark=True)
    answer = ask_head(station.terminal, client, station.central.url)
    assert judge_head(station.terminal, answer) == "restored"  # type: ignore[arg-type]  # it answered
    client.close()
    client.release()


def test_a_folder_that_was_copied_back_is_found_out_by_the_mark(station: Station, tmp_path: Path) -> None:
    station.copy_disk(tmp_path / "then")
    station.serve(2)
    station.central.stop()
    station.put_disk_back(tmp_path / "then", with_mark=False)
    assert (station.hold, station.alarms()) == ("restored", ["hold-restored"])
    station.central.start()


def test_the_end_is_the_last_record_and_nothing_follows(station: Station, live_central: LiveCentral) -> None:
    station.serve(1)
    assert end(station.terminal, "closed")
    assert station.records(1)[-1].body == EndBody(reason="closed")
    station.restart()
    assert station.hold == "ended"
    with pytest.raises(OnHoldError):
        ask(station.terminal.journal)
    station.send()
    assert station.hold == "ended"
    with pytest.raises(ConflictError):
        enrol(station.terminal, live_central.url, live_central.code())
    _require_sound(station)


def test_an_end_without_central_is_delivered_later(station: Station) -> None:
    station.central.stop()
    station.serve(1)
    assert not end(station.terminal, "replaced")
    station.central.start()
    assert station.send().code is Code.ACCEPTED
    _require_sound(station)


def test_a_revoked_old_epoch_does_not_stop_the_newer_one(station: Station, live_central: LiveCentral) -> None:
    station.serve(1)
    station.send()
    station.serve(1)
    late = station.octets()[2:]
    identity = station.terminal.journal.identity
    revoke(live_central.central, identity.grant.merchant, identity.issuer, 1, reason="x", who="li.wei")
    assert station.send().code is Code.NOT_ADMITTED
    assert _state(station) == ("epoch", 1)
    assert sorted(station.alarms()) == ["epoch-refused", "hold-epoch"]
    enrol(station.terminal, live_central.url, live_central.code())
    station.serve(1)
    assert station.send().code is Code.ACCEPTED
    taken = [octets for octets in live_central.records() if _issuer(octets) == identity.issuer]
    assert station.octets()[4:] == taken[2:]
    assert not set(late) & set(taken)
    assert station.uploader.status().state == "ready"
