"""Where a terminal's records stand in the log, told to that terminal alone."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from merchant_agent.central.app import create_app
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.requests import sign_request
from tests.central.log.looking import logged, newest, put
from tests.central.sender import Sender, enrol_sender

pytestmark = pytest.mark.usefixtures("sequencer")


def ask(
    central: Central, sender: Sender, *, epoch: object = 1, after: object = -1, header: str = ""
) -> TestResponse:
    detail = f"{epoch}.{after}"
    signed = header or sign_request(sender.key, "leaves", sender.issuer, 1, sender.nonce, detail)
    path = f"/api/v1/terminals/{sender.issuer}/leaves?epoch={epoch}&after={after}"
    return create_app(central).test_client().get(path, headers={"Authorization": signed})


def test_records_in_the_published_tree_are_told_with_their_numbers(
    central: Central, sender: Sender, sequencer: Sequencer
) -> None:
    put(central, 7)
    for level in (1, 2, 3):
        sender.rate(sender.ask(), level)
    sender.upload_all(central)
    sequencer.run()
    put(central, 5, begin=7)
    late = sender.ask()
    sender.upload_all(central, 6)
    told = ask(central, sender).get_json()
    assert [seq for seq, _ in told["leaves"]] == list(range(6))
    assert told["next"] == 5
    leaves = logged(central)
    assert [leaves[number] for _, number in told["leaves"]] == [
        leaf_hash(record.octets) for record in sender.sent[:6]
    ]
    sequencer.run()
    told = ask(central, sender, after=5).get_json()
    assert [seq for seq, _ in told["leaves"]] == [late.seq]
    assert told["leaves"][0][1] < newest(central).size
    assert ask(central, sender, after=late.seq).get_json() == {"leaves": [], "next": late.seq}


def test_a_page_has_a_thousand_at_most(central: Central, sender: Sender, sequencer: Sequencer) -> None:
    for _ in range(1003):
        sender.ask()
        if len(sender.sent) % 200 == 0:
            sender.upload_all(central, len(sender.sent) - 200)
    sender.upload_all(central, 1000)
    sequencer.run()
    first = ask(central, sender).get_json()
    assert (len(first["leaves"]), first["next"]) == (1000, 999)
    assert len(ask(central, sender, after=999).get_json()["leaves"]) == 3


def test_nothing_is_told_before_the_first_checkpoint_and_of_epochs_that_are_not(
    central: Central, sender: Sender
) -> None:
    sender.ask()
    sender.upload_all(central)
    assert ask(central, sender).get_json() == {"leaves": [], "next": -1}
    assert ask(central, sender, epoch=2).get_json() == {"leaves": [], "next": -1}


@pytest.mark.parametrize("attack", ["none", "other key", "other nonce", "other place", "other purpose"])
def test_nobody_else_is_told(central: Central, sender: Sender, attack: str) -> None:
    issuer, nonce = sender.issuer, sender.nonce
    header = {
        "none": "x",
        "other key": sign_request(SigningKey.generate(), "leaves", issuer, 1, nonce, "1.-1"),
        "other nonce": sign_request(sender.key, "leaves", issuer, 1, "A" * 22, "1.-1"),
        "other place": sign_request(sender.key, "leaves", issuer, 1, nonce, "1.7"),
        "other purpose": sign_request(sender.key, "records", issuer, 1, nonce, "1.-1"),
    }[attack]
    answer = ask(central, sender, header=header)
    assert (answer.status_code, answer.get_json()["code"]) == (401, "request-signature")


def test_one_terminal_is_not_told_of_another(central: Central, sender: Sender, merchant: str) -> None:
    other = enrol_sender(central, merchant)
    signed = sign_request(other.key, "leaves", other.issuer, 1, other.nonce, "1.-1")
    assert ask(central, sender, header=signed).status_code == 401


@pytest.mark.parametrize(
    ("epoch", "after"),
    [("0", -1), ("01", -1), (65_536, -1), (1, "-2"), (1, "00"), (1, "x"), (1, 4_294_967_296), ("", "")],
)
def test_a_place_is_written_in_its_one_form(
    central: Central, sender: Sender, epoch: object, after: object
) -> None:
    assert ask(central, sender, epoch=epoch, after=after).status_code == 422
