"""A complaint that its customer keeps from the shop is readable for central alone, wherever it lies."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.evidence.bodies import ComplaintBody
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import new_id
from merchant_agent.evidence.seal import Confided, open_complaint
from merchant_agent.evidence.slip import decode_slip
from merchant_agent.store.backup import backup_into
from merchant_agent.terminal.collect.recovery import sign_kept
from merchant_agent.terminal.collect.words import Grievance, complain
from merchant_agent.terminal.erasure import erase
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.overview import latest_complaints
from merchant_agent.terminal.rebuild import rebuild
from merchant_agent.terminal.store.identity import load_identities
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.models import Complaint, Slip
from merchant_agent.web.logs import start_logging
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop
from tests.terminal.collect.test_kept import begin_epoch
from tests.terminal.test_contact import files_with
from tests.terminal.web.doors import Kiosk, make_app_of

SAID = {
    "comment": "少了二两，店员说不服去告",
    "order": "Q-7319",
    "occurred_at": "2026-05-20T11:07",
    "amount": "83.57",
    "contact": "13987654321",
}
CODES = ("unfair_competition", "apologise")
LOOKED_FOR = ("少了二两", "Q-7319", "2026-05-20T11:07", "83.57", "13987654321", *CODES, "authority")


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        root = logging.getLogger()
        before, level = root.handlers[:], root.level
        start_logging(shop.settings.data, "terminal", 1 << 20)
        root.setLevel(logging.DEBUG)
        yield shop
        for handler in root.handlers[:]:
            root.removeHandler(handler)
            handler.close()
        for handler in before:
            root.addHandler(handler)
        root.setLevel(level)


def grievance(**changed: object) -> Grievance:
    members: dict[str, object] = {
        "prompt_id": None,
        **SAID,
        "categories": CODES[:1],
        "remedies": CODES[1:],
        "consents": ("authority",),
        "notice": "2026-1",
        "first": "station",
    }
    return Grievance(**(members | changed))  # type: ignore[arg-type]


def sealed_of(shop: Shop) -> str:
    """The one member that the shop's one complaint has."""
    with shop.terminal.store.read() as reader:
        entries = [
            entry
            for identity in load_identities(reader)
            for entry in read_ledger(reader, epoch=identity.epoch)
            if entry.disclosures
        ]
    ((text,),) = (entry.disclosures for entry in entries)
    opened = open_disclosure(text)
    assert opened.name == "sealed"
    return opened.value


def opened_of(shop: Shop, complaint: str) -> Confided:
    issuer = shop.terminal.journal.identity.issuer
    return open_complaint(shop.central.sealing, issuer, complaint, decode_b64u(sealed_of(shop)))


def require_all(confided: Confided) -> None:
    assert confided == Confided(
        categories=CODES[:1],
        remedies=CODES[1:],
        **(SAID | {"amount": "83.57 CNY"}),
        consents=("authority",),
        notice="2026-1",
    )


def test_the_words_are_in_no_file_of_the_folder_and_central_opens_them(shop: Shop, tmp_path: Path) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    complaint = kiosk.new_id()
    body = {
        "prompt": None,
        **SAID,
        "categories": list(CODES[:1]),
        "remedies": list(CODES[1:]),
        "consents": ["authority"],
        "notice": "2026-1",
        "first": "station",
        "lang": "zh",
    }
    answers = [kiosk.post(f"complaints/{complaint}", body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [201, 200]
    backup_into(shop.terminal.store, shop.terminal.folder.backups, stem="terminal", keep=1)
    export_terminal(shop.settings.data, tmp_path / "out.zip")
    require_all(opened_of(shop, complaint))
    shop.restart()
    for looked_for in LOOKED_FOR:
        assert files_with(tmp_path, looked_for) == [], looked_for


def test_the_record_and_the_pages_show_only_that_there_is_one(shop: Shop) -> None:
    complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance())
    body = shop.records()[0].body
    assert isinstance(body, ComplaintBody)
    assert (body.categories, body.remedies, body.consents, body.notice) == ((), (), (), None)
    assert body.first == "station"
    with shop.terminal.store.read() as reader:
        assert latest_complaints(reader, most=10) == ()
        (row,) = reader.all(Complaint.select())
        (slip,) = reader.all(Slip.select())
    assert (row.first, row.categories, row.comment, row.order_no, row.amount) == (
        "station",
        [],
        None,
        None,
        None,
    )
    promise = decode_slip(bytes(slip.octets))
    assert (promise.complaint, promise.contact) == (True, False)


def test_the_length_of_what_is_sealed_tells_little(shop: Shop) -> None:
    complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance())
    assert len(decode_b64u(sealed_of(shop))) == 1072


def test_sent_again_it_is_the_same_and_for_the_shop_it_is_another(shop: Shop) -> None:
    complaint = new_id(shop.clock.now())
    complain(shop.terminal, shop.one, complaint, grievance())
    first = sealed_of(shop)
    assert not complain(shop.terminal, shop.one, complaint, grievance()).created
    assert sealed_of(shop) == first
    with pytest.raises(ConflictError):
        complain(shop.terminal, shop.one, complaint, grievance(first="shop"))
    assert shop.story() == ["complaint"]


def test_what_cannot_be_signed_is_sealed_all_the_same(shop: Shop, tmp_path: Path) -> None:
    shop.sell("001")
    shop.terminal.journal.put_on_hold("damage")
    complaint = new_id(shop.clock.now())
    for _ in range(2):
        complain(shop.terminal, shop.one, complaint, grievance())
    shop.terminal.store.checkpoint(truncate=True)
    for looked_for in LOOKED_FOR:
        assert files_with(tmp_path, looked_for) == [], looked_for
    begin_epoch(shop)
    assert sign_kept(shop.terminal) == 1
    require_all(opened_of(shop, complaint))
    assert not complain(shop.terminal, shop.one, complaint, grievance()).created


def test_rebuilding_and_erasing_keep_it_the_stations(shop: Shop) -> None:
    complaint = complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance())
    assert rebuild(shop.terminal.store).count == 0
    with shop.terminal.store.read() as reader:
        assert latest_complaints(reader, most=10) == ()
    assert complaint.place is not None
    assert erase(shop.terminal, complaint.place, who="test").members == ("sealed",)
    assert rebuild(shop.terminal.store).count == 0


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"contact": "12"}, "contact"),
        ({"consents": ()}, "consents"),
        ({"comment": "", "categories": ()}, "complaint"),
        ({"amount": "x"}, "amount"),
    ],
)
def test_what_is_sealed_is_checked_before(shop: Shop, changed: dict[str, object], code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance(**changed))
    assert caught.value.code == code
    assert shop.story() == []
