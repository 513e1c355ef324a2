"""A contact is readable for central alone: not on the shop's disk, not in its logs, answers or exports."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.errors import InvalidError, VerificationError
from merchant_agent.evidence.bodies import ComplaintBody
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import new_id
from merchant_agent.evidence.seal import open_contact
from merchant_agent.evidence.slip import decode_slip
from merchant_agent.store.backup import backup_into
from merchant_agent.terminal.collect.words import Grievance, complain
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.models import Slip
from merchant_agent.web.logs import start_logging
from tests.clocks import ManualClock
from tests.terminal.collect.shop import Shop
from tests.terminal.web.doors import Kiosk, make_app_of

NUMBER = "13987654321"
NOTICE = "2026-1"


@pytest.fixture
def shop(tmp_path: Path, clock: ManualClock) -> Iterator[Shop]:
    with Shop(tmp_path / "terminal", clock) as shop:
        yield shop


@pytest.fixture
def logged(shop: Shop) -> Iterator[None]:
    """Everything is logged into the data folder, to the last detail."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    start_logging(shop.settings.data, "terminal", 1 << 20)
    root.setLevel(logging.DEBUG)
    yield
    for handler in root.handlers[:]:
        root.removeHandler(handler)
        handler.close()
    for handler in before:
        root.addHandler(handler)
    root.setLevel(level)


def grievance(**changed: object) -> Grievance:
    members: dict[str, object] = {
        "prompt_id": None,
        "comment": "少了二两",
        "contact": NUMBER,
        "consents": ("authority",),
        "notice": NOTICE,
    }
    return Grievance(**(members | changed))  # type: ignore[arg-type]


def sealed_of(shop: Shop, seq: int = 0) -> str:
    """The one disclosure `contact` of that record."""
    with shop.terminal.store.read() as reader:
        (entry,) = read_ledger(reader, first_seq=seq, last_seq=seq)
    (value,) = (item.value for text in entry.disclosures if (item := open_disclosure(text)).name == "contact")
    return value


def files_with(folder: Path, text: str) -> list[str]:
    found = [path for path in folder.rglob("*") if path.is_file() and text.encode() in path.read_bytes()]
    return sorted(str(path.relative_to(folder)) for path in found)


@pytest.mark.usefixtures("logged")
def test_the_number_is_nowhere_in_the_data_folder(shop: Shop, tmp_path: Path) -> None:
    kiosk = Kiosk.of(make_app_of(shop), shop)
    complaint = kiosk.new_id()
    body = {
        "prompt": None,
        "comment": "门口的秤不准",
        "lang": "zh",
        "contact": "139-8765 4321",
        "consents": ["authority", "shop"],
        "notice": NOTICE,
    }
    answers = [kiosk.post(f"complaints/{complaint}", body) for _ in range(2)]
    wrong: list[dict[str, object]] = [
        {"contact": f"{NUMBER}x"},
        {"consents": []},
        {"lang": "xx"},
        {"prompt": kiosk.new_id()},
    ]
    answers += [kiosk.post(f"complaints/{kiosk.new_id()}", body | changed) for changed in wrong]
    assert [answer.status_code for answer in answers] == [201, 200, 422, 422, 422, 404]
    backup_into(shop.terminal.store, shop.terminal.folder.backups, stem="terminal", keep=1)
    export_terminal(shop.settings.data, tmp_path / "out.zip")
    for looked_for in (NUMBER, "139-8765", "8765 4321"):
        assert not any(looked_for in answer.get_data(as_text=True) for answer in answers)
        assert files_with(tmp_path, looked_for) == []
    assert files_with(shop.settings.data, "门口的秤不准")
    shop.restart()
    assert files_with(tmp_path, NUMBER) == []


def test_central_opens_it_and_nobody_else_does(shop: Shop) -> None:
    complaint = new_id(shop.clock.now())
    complain(shop.terminal, shop.one, complaint, grievance())
    sealed = decode_b64u(sealed_of(shop))
    issuer = shop.terminal.journal.identity.issuer
    assert open_contact(shop.central.sealing, issuer, complaint, sealed) == NUMBER
    with pytest.raises(VerificationError):
        open_contact(shop.central.sealing, issuer, new_id(shop.clock.now()), sealed)
    body = shop.records()[0].body
    assert isinstance(body, ComplaintBody)
    assert (body.consents, body.notice) == (("authority",), NOTICE)
    with shop.terminal.store.read() as reader:
        (row,) = reader.all(Slip.select())
    assert decode_slip(bytes(row.octets)).contact


def test_a_complaint_sent_again_keeps_its_first_contact(shop: Shop) -> None:
    complaint = new_id(shop.clock.now())
    complain(shop.terminal, shop.one, complaint, grievance())
    first = sealed_of(shop)
    assert not complain(shop.terminal, shop.one, complaint, grievance(contact="", consents=())).created
    assert sealed_of(shop) == first
    assert shop.story() == ["complaint"]


def test_who_read_the_notice_and_left_no_number_is_recorded_so(shop: Shop) -> None:
    complain(shop.terminal, shop.one, new_id(shop.clock.now()), grievance(contact="", consents=()))
    body = shop.records()[0].body
    assert isinstance(body, ComplaintBody)
    assert (body.consents, body.notice) == ((), NOTICE)


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"contact": "12"}, "contact"),
        ({"contact": "110101199001011234567"}, "contact"),
        ({"contact": "someone@example.com"}, "contact"),
        ({"consents": ()}, "consents"),
        ({"consents": ("shop", "shop")}, "consents"),
        ({"contact": ""}, "consents"),
        ({"notice": None}, "notice"),
        ({"notice": "2025-9"}, "notice"),
    ],
)
def test_a_contact_needs_its_form_a_consent_and_the_notice(
    shop: Shop, changed: dict[str, object], code: str
) -> None:
    refused = grievance(**changed)
    with pytest.raises(InvalidError) as caught:
        complain(shop.terminal, shop.one, new_id(shop.clock.now()), refused)
    assert caught.value.code == code
    assert NUMBER not in f"{caught.value} {caught.value.detail} {refused!r}"
    assert shop.story() == []
