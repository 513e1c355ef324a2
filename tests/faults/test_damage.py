"""Files really destroyed: nothing thanked is lost that can be read anywhere, nothing is there twice."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from merchant_agent.evidence.bodies import ComplaintBody, RatingBody
from merchant_agent.evidence.record import Record, new_id
from merchant_agent.store.integrity import integrity_problems
from merchant_agent.terminal.accounts import has_pin, set_pin
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.words import Grievance, complain
from merchant_agent.terminal.damage import heal
from merchant_agent.terminal.devices import find_tablet, list_tablets, make_pairing_link, pair
from merchant_agent.terminal.erasure import erase
from merchant_agent.terminal.rebuild import rebuild
from merchant_agent.terminal.schedule import check_quickly, duties_of
from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.terminal.store.ledger import Entry, read_ledger
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord, Slip
from merchant_agent.terminal.store.opening import DATABASE_NAME
from merchant_agent.terminal.upload.client import Client
from merchant_agent.terminal.upload.uploader import Uploader
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop, signed_place
from tests.terminal.collect.test_kept import all_records, begin_epoch

CUSTOMERS = 40
PAGE = 4096
SIGNATURE_CHARS = 86


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


def serve(shop: Shop, customers: int = CUSTOMERS, first: int = 0) -> set[str]:
    """Customers rate with words; the ids of what was thanked for."""
    thanked = set()
    for number in range(first, first + customers):
        answer_id = new_id(shop.clock.now())
        shop.done(
            shop.sell(f"{number:03}"), 1 + number % 5, answer_id=answer_id, comment=f"第{number}位说的话" * 20
        )
        thanked.add(answer_id)
        shop.clock.advance(1)
    return thanked


def copy_of_the_night(shop: Shop) -> None:
    """The nightly backup."""
    duties = duties_of(shop.terminal, Uploader(shop.terminal, Client()))
    next(duty for duty in duties if duty.name == "backup").run()


def database_of(shop: Shop) -> Path:
    return shop.settings.data / DATABASE_NAME


def destroy(shop: Shop, how: Callable[[Path], object]) -> None:
    """Ends the program, destroys its database, and starts it again."""
    close_terminal(shop.terminal)
    how(database_of(shop))
    shop.terminal = open_terminal(shop.settings, shop.clock)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def zero_header(path: Path) -> None:
    with path.open("rb+") as file:
        file.write(bytes(PAGE))


def another_program(path: Path) -> None:
    with path.open("rb+") as file:
        file.seek(68)
        file.write(b"else")


def ledger(shop: Shop) -> list[Entry]:
    with shop.terminal.store.read() as reader:
        return list(read_ledger(reader))


def ratings(records: list[Record]) -> list[str]:
    return [record.id for record in records if isinstance(record.body, RatingBody)]


def require_sound(shop: Shop, thanked: set[str]) -> None:
    """Lost 0, duplicates 0, the chain verifies, the pages are what the ledger says, the next customer is served."""
    assert shop.terminal.journal.hold == "damage"
    assert ("hold-damage", "") in shop.alarms()
    thanked = thanked | serve(shop, 1, first=900)
    begin_epoch(shop)
    sign_kept(shop.terminal)
    found = ratings(all_records(shop))
    assert len(found) == len(set(found))
    assert thanked <= set(found)
    assert integrity_problems(shop.terminal.store, quick=False) == []
    assert rebuild(shop.terminal.store).count == 0
    assert serve(shop, 1, first=901) <= set(ratings(all_records(shop)))


@pytest.mark.parametrize("how", [zero_header, another_program], ids=["header-zeroed", "application-id"])
def test_a_file_that_sqlite_refuses_gives_back_every_record_in_it(
    shop: Shop, how: Callable[[Path], object]
) -> None:
    thanked = serve(shop)
    destroy(shop, how)
    require_sound(shop, thanked)


@pytest.mark.parametrize("how", [zero, empty, Path.unlink], ids=["zeroed", "emptied", "deleted"])
def test_a_database_of_which_nothing_is_left_begins_with_the_nights_copy(
    shop: Shop, how: Callable[[Path], object]
) -> None:
    thanked = serve(shop)
    copy_of_the_night(shop)
    destroy(shop, how)
    require_sound(shop, thanked)


def test_without_any_copy_the_terminal_is_still_itself(shop: Shop) -> None:
    serve(shop, 3)
    issuer = shop.terminal.journal.identity.issuer
    destroy(shop, zero)
    assert shop.terminal.journal.identity.issuer == issuer
    require_sound(shop, set())


@pytest.mark.parametrize("seed", range(12))
def test_a_random_page_overwritten_loses_nothing_that_any_page_still_has(shop: Shop, seed: int) -> None:
    before = serve(shop)
    copy_of_the_night(shop)
    since = len(all_records(shop))
    later = serve(shop, 2, first=500)
    newest = [entry.octets for entry in ledger(shop)[since:]]
    chance = random.Random(seed)  # noqa: S311 -- no key
    lost: list[bytes] = []

    def overwrite(path: Path) -> None:
        page = chance.randrange(path.stat().st_size // PAGE)
        with path.open("rb+") as file:
            file.seek(page * PAGE)
            lost.append(file.read(PAGE))
            file.seek(page * PAGE)
            file.write(chance.randbytes(PAGE))

    destroy(shop, overwrite)
    check_quickly(shop.terminal)
    heal(shop.terminal)
    is_whole = not any(octets[-SIGNATURE_CHARS:] in lost[0] for octets in newest)
    thanked = before | later if is_whole else before
    if shop.terminal.journal.hold is None:
        # Neither SQLite nor the chain needs that page.
        assert thanked <= set(ratings(all_records(shop)))
    else:
        require_sound(shop, thanked)


def test_a_cut_write_ahead_log_is_an_older_state_that_nobody_goes_on_from(shop: Shop) -> None:
    serve(shop, 5)
    shop.terminal.store.checkpoint(truncate=True)
    serve(shop, 5, first=10)
    database = database_of(shop)
    living = shop.settings.data.parent / "crashed"
    shutil.copytree(shop.settings.data, living)
    mark = shop.settings.data.with_name(shop.settings.data.name + ".mark")
    shutil.copyfile(mark, living.with_name("crashed.mark"))
    wal = living / f"{database.name}-wal"
    with wal.open("rb+") as file:
        file.truncate(wal.stat().st_size // 2)
    with Shop(living, shop.clock) as crashed:
        assert crashed.terminal.journal.hold == "restored"
        before = len(all_records(crashed))
        serve(crashed, 1, first=30)
        assert len(all_records(crashed)) == before


def test_damage_that_is_met_while_customers_are_served_is_healed_in_place(shop: Shop) -> None:
    thanked = serve(shop)
    copy_of_the_night(shop)
    shop.terminal.store.checkpoint(truncate=True)
    path = database_of(shop)
    with path.open("rb+") as file:
        for page in range(2, path.stat().st_size // PAGE):
            file.seek(page * PAGE)
            file.write(b"\xa5" * PAGE)
    check_quickly(shop.terminal)
    assert heal(shop.terminal)
    require_sound(shop, thanked)


@pytest.mark.parametrize("how", [zero_header, another_program], ids=["header-zeroed", "application-id"])
def test_who_may_talk_to_the_terminal_and_what_was_said_survive(
    shop: Shop, how: Callable[[Path], object]
) -> None:
    with shop.terminal.store.write() as writer:
        link = make_pairing_link(writer, at=shop.clock.now())
        token = pair(writer, link, at=shop.clock.now())
    set_pin(shop.terminal.store, shop.clock, "271828", who="test")
    grievance = Grievance(prompt_id=None, categories=("measure",), comment="少了二两")
    complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance)
    destroy(shop, how)
    with shop.terminal.store.read() as reader:
        assert find_tablet(reader, token) is not None
        assert len(list_tablets(reader)) == 1
        assert has_pin(reader)
        assert len(reader.all(Slip.select())) == 1
    (complaint,) = all_records(shop)
    assert isinstance(complaint.body, ComplaintBody)
    (quarantined,) = (shop.settings.data / "quarantine").glob(f"*/{DATABASE_NAME}")
    assert quarantined.stat().st_size > 0


@pytest.mark.parametrize("how", [zero_header, another_program], ids=["header-zeroed", "application-id"])
def test_what_was_kept_unsigned_survives_another_damage(shop: Shop, how: Callable[[Path], object]) -> None:
    thanked = serve(shop, 5)
    destroy(shop, how)
    thanked |= serve(shop, 5, first=10)
    destroy(shop, how)
    require_sound(shop, thanked)


def test_words_that_were_erased_since_the_nights_copy_stay_erased(shop: Shop) -> None:
    thanks = shop.done(shop.sell(), 1, comment="请删掉我")
    copy_of_the_night(shop)
    erase(shop.terminal, signed_place(thanks), who="manager")
    destroy(shop, another_program)
    with shop.terminal.store.read() as reader:
        assert len(reader.all(LedgerRecord.select())) == 3
        assert reader.all(LedgerDisclosure.select()) == []
    assert rebuild(shop.terminal.store).count == 0


def test_a_crash_at_any_step_of_the_replacement_is_gone_on_from(shop: Shop) -> None:
    thanked = serve(shop)
    close_terminal(shop.terminal)
    path = database_of(shop)
    place = shop.settings.data / "quarantine" / "20260520T040000Z"
    zero_header(path)
    (shop.settings.data / "replacing").write_text(place.name)
    shop.terminal = open_terminal(shop.settings, shop.clock)
    assert (place / DATABASE_NAME).exists()
    assert thanked <= set(ratings(all_records(shop)))
    # The new database stands, and the marker is still there.
    close_terminal(shop.terminal)
    (shop.settings.data / "replacing").write_text(place.name)
    shop.terminal = open_terminal(shop.settings, shop.clock)
    assert not (shop.settings.data / "replacing").exists()
    # Half a new database was written when the lights went out.
    close_terminal(shop.terminal)
    path.unlink()
    (shop.settings.data / "salvaged.db").write_bytes(b"half")
    (shop.settings.data / "replacing").write_text(place.name)
    shop.terminal = open_terminal(shop.settings, shop.clock)
    require_sound(shop, thanked)
