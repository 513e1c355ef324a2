"""A frozen terminal from the fork to its new key, over HTTP; and what officers read and do about keys."""

from __future__ import annotations

import gzip

import pytest
from werkzeug.test import TestResponse

from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.store.models import Batch
from merchant_agent.errors import ForbiddenError
from merchant_agent.evidence.epochs import EpochReason, open_head
from merchant_agent.evidence.exchange import Ack, encode_upload, open_ack
from merchant_agent.evidence.grant import new_issuer_id, new_nonce
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import SigningKey, fingerprint
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.requests import sign_request
from tests.central.rows import count
from tests.central.sender import Sender
from tests.central.web.office import Office
from tests.central.web.test_intake_api import ask_for_grant, digest_of, problem


def page_of(sender: Sender) -> str:
    return f"/officer/merchants/{sender.grant.merchant}/terminals/{sender.issuer}/{sender.epoch}"


def upload(office: Office, sender: Sender, body: bytes) -> tuple[int, Ack]:
    packed = gzip.compress(body)
    headers = {
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
        "Content-Digest": digest_of(packed),
    }
    path = f"/api/v1/terminals/{sender.issuer}/records"
    answer = office.app.test_client().post(path, data=packed, headers=headers)
    assert answer.json is not None
    ack = open_ack(answer.json["ack"].encode(), sender.grant.central_keys())
    sender.nonce = ack.nonce
    return answer.status_code, ack


def ask(office: Office, sender: Sender, key: SigningKey, reason: EpochReason = "frozen") -> TestResponse:
    request, possession = sender.request_epoch(key, reason)
    body = {"request": request, "possession": possession}
    return office.app.test_client().post(f"/api/v1/terminals/{sender.issuer}/epochs", json=body)


def fork(office: Office) -> tuple[Sender, Sender]:
    """A terminal that was set back to before its last record and went on; and what it had been."""
    _, sender = office.open_shop()
    sender.sell(2)
    assert upload(office, sender, sender.body(0))[0] == 200
    back = sender.back_at(2)
    back.sell(1, level=1)
    assert upload(office, back, back.body(2))[0] == 423
    return sender, back


def test_frozen_terminal_goes_on_once_an_officer_resolved_it(office: Office) -> None:
    sender, back = fork(office)
    key = SigningKey.generate()
    for _ in range(2):
        waiting = ask(office, back, key)
        assert (waiting.status_code, waiting.json) == (202, {"state": "waiting"})
    office.staffed()
    assert "asks for another key and waits for you" in office.text("/officer")
    page = page_of(sender)
    answer = office.send(page, f"{page}/revoke", reason="备份恢复后又开了单", allow=fingerprint(key.public))
    assert (answer.status_code, answer.headers["Location"]) == (303, page)
    assert "It counts for records up to number 3" in office.text(page)
    assert upload(office, back, back.body(2))[0] == 423

    granted = ask(office, back, key)
    assert granted.status_code == 201
    assert granted.json is not None
    assert set(granted.json) == {"grant", "merchant", "trust", "central_url"}
    assert ask(office, back, key).status_code == 200
    after = Sender(granted.json["grant"].encode(), key, office.central)
    assert (after.epoch, after.grant.closes) == (2, sender.chain.head)
    after.sell(1)
    assert upload(office, after, after.body(0))[1].outcome == "accepted"
    assert problem(ask(office, sender, SigningKey.generate())) == (403, "epoch-replaced")


def test_frozen_terminal_goes_on_with_a_code(office: Office) -> None:
    sender, _ = fork(office)
    office.staffed()
    page = page_of(sender)
    office.send(page, f"{page}/revoke", reason="复制品", allow="")
    code = office.make_code(sender.grant.merchant)
    key = SigningKey.generate()
    enrolled = ask_for_grant(office.app.test_client(), code.replace("-", ""), key, continues=sender.grant.kid)
    assert enrolled.status_code == 201
    assert enrolled.json is not None
    after = Sender(enrolled.json["grant"].encode(), key, office.central)
    assert (after.issuer, after.epoch) == (sender.issuer, 2)


def test_page_shows_both_sides_and_what_differs(office: Office) -> None:
    sender, back = fork(office)
    office.staffed()
    for lang, words in (("en", "signed two different records"), ("zh", "这台终端签了两份不同的")):
        page = office.get(page_of(sender), lang).get_data(as_text=True)
        assert words in page
        held = decode_record(decode_jws(sender.sent[2].octets, Typ.RECORD).payload)
        received = decode_record(decode_jws(back.sent[2].octets, Typ.RECORD).payload)
        for record in (held, received):
            assert record.id in page
        assert page.count('class="differs"') >= 2
        for link in (sender.sent[2].link, back.sent[2].link):
            assert link in page


def test_both_octets_can_be_taken_along(office: Office) -> None:
    sender, back = fork(office)
    office.staffed()
    for side, octets in (("held", sender.sent[2].octets), ("received", back.sent[2].octets)):
        answer = office.get(f"{page_of(sender)}/conflicts/0/{side}.jws")
        assert (answer.status_code, answer.data) == (200, octets)
        assert answer.headers["Content-Disposition"].startswith("attachment")
    assert office.get(f"{page_of(sender)}/conflicts/1/held.jws").status_code == 404
    assert office.get(f"{page_of(sender)}/conflicts/0/other.jws").status_code == 404


def test_pages_are_for_officers_alone(office: Office) -> None:
    sender, _ = fork(office)
    page = page_of(sender)
    for path in (page, f"{page}/conflicts/0/held.jws"):
        assert office.get(path).status_code == 302
    office.staffed()
    foreign = f"/officer/merchants/{office.register(2)}/terminals/{sender.issuer}/1"
    assert office.get(foreign).status_code == 404
    assert office.get(f"{page[:-1]}7").status_code == 404


def test_a_key_ends_with_a_reason_and_a_confirmation(office: Office) -> None:
    _, sender = office.open_shop()
    office.staffed()
    page = page_of(sender)
    text = office.text(page)
    assert "data-confirm=" in text
    assert office.send(page, f"{page}/revoke", reason=" ").status_code == 422
    assert "This key has ended" not in office.text(page)
    assert office.send(page, f"{page}/revoke", reason="店里丢了机器").status_code == 303
    text = office.text(page)
    assert "店里丢了机器" in text
    assert "It counts for no record." in text
    assert "Key ended by an officer" in office.text("/officer")


def test_officer_who_ends_a_key_is_told_what_would_be_lost(office: Office) -> None:
    _, sender = office.open_shop()
    sender.sell(2)
    sender.upload(office.central, sender.body(0, 1))
    office.staffed()
    assert "Records that were announced and have not come: 2." in office.text(page_of(sender))
    sender.upload(office.central, sender.body(2))
    assert "They would never count" not in office.text(page_of(sender))


def test_copy_is_shown_until_an_officer_looked_into_it(office: Office) -> None:
    _, sender = office.open_shop()
    sender.next_epoch("restored")
    with pytest.raises(ForbiddenError):
        ask_epoch(office.central, sender.issuer, *sender.request_epoch(SigningKey.generate(), "behind"))
    office.staffed()
    for path in ("/officer", f"/officer/merchants/{sender.grant.merchant}"):
        text = office.text(path)
        assert "a copy of it asked for a key: 1" in text
        assert "Restored from a backup" in text
    page = page_of(sender)
    assert "Refused: a copy" in office.text(page)
    assert office.send(page, f"{page}/settled").status_code == 303
    assert "Keys to look into" not in office.text("/officer")
    assert "looked into by wang.fang" in office.text(page)


def test_planned_change_is_nothing_to_look_into(office: Office) -> None:
    _, sender = office.open_shop()
    sender.next_epoch("planned")
    office.staffed()
    assert "Keys to look into" not in office.text("/officer")
    assert "Planned change" in office.text(page_of(sender))


def test_planned_change_that_leaves_records_out_is_something_to_look_into(office: Office) -> None:
    merchant, sender = office.open_shop()
    sender.sell(1)
    sender.next_epoch("planned")
    office.staffed()
    page = page_of(sender)
    for path in ("/officer", f"/officer/merchants/{merchant}", page):
        assert "2 announced and not sent" in office.text(path)
    assert "the terminal told of records that never came" in office.text(page)
    assert office.send(page, f"{page}/settled").status_code == 303
    assert "Keys to look into" not in office.text("/officer")
    assert "2 announced and not sent" in office.text(f"/officer/merchants/{merchant}")


def test_record_that_never_came_itself_is_marked_in_red(office: Office) -> None:
    merchant, sender = office.open_shop()
    sender.sell(1)
    lines = [sender.stub(0), *sender.lines(1, 1)]
    sender.upload(office.central, encode_upload(sender.batch(0, 1, lines=lines), lines))
    office.staffed()
    mark = '<span class="pill pill-alert">1 too large to come</span>'
    assert mark in office.text("/officer")
    assert mark in office.text(f"/officer/merchants/{merchant}")


def test_late_records_behind_and_stubs_are_marked(office: Office) -> None:
    merchant, sender = office.open_shop()
    sender.sell(2)
    sender.upload_all(office.central)
    back = sender.back_at(2)
    assert back.upload_all(office.central).outcome == "behind"
    office.staffed()
    assert "Behind: it has fewer records than came here" in office.text("/officer")
    sender.sell(1)
    after = sender.next_epoch("behind")
    sender.upload(office.central, sender.body(4, by=after))
    text = office.text(f"/officer/merchants/{merchant}")
    assert "2 came late" in text
    assert "Behind: it has fewer" not in text
    sender.sell(1)
    sender.upload(office.central, sender.body(6))
    assert "Its last upload was refused" in office.text(f"/officer/merchants/{merchant}")


def test_terminal_asks_for_head_and_records_over_http(office: Office) -> None:
    _, sender = office.open_shop()
    sender.sell(1)
    sender.upload_all(office.central)
    base = f"/api/v1/terminals/{sender.issuer}"
    nonce = new_nonce()
    signed = sign_request(sender.key, "head", sender.issuer, 1, nonce, "")
    answer = office.browser.get(f"{base}/head?nonce={nonce}", headers={"Authorization": signed})
    assert answer.json is not None
    head = open_head(answer.json["head"].encode(), sender.grant.central_keys())
    assert head.head == sender.chain.head
    signed = sign_request(sender.key, "records", sender.issuer, 1, head.nonce, "1.-1")
    path = f"{base}/records?epoch=1&after=-1"
    told = office.browser.get(path, headers={"Authorization": signed}).json
    assert told == {"records": [line.decode() for line in sender.lines(0, 1)], "next": 1}
    assert problem(office.browser.get(path)) == (401, "request-signature")
    assert problem(office.browser.get(f"{base}/records?epoch=x"))[0] == 422
    assert problem(office.browser.get(f"{base}/records?epoch=1&after=-2"))[0] == 422
    assert problem(office.browser.get(f"{base}/head"))[0] == 401
    unknown = f"/api/v1/terminals/{new_issuer_id()}/head?nonce={nonce}"
    assert problem(office.browser.get(unknown, headers={"Authorization": signed})) == (404, "issuer")


def test_requests_for_an_epoch_that_are_none_are_problems(office: Office) -> None:
    _, sender = office.open_shop()
    path = f"/api/v1/terminals/{sender.issuer}/epochs"
    request, possession = sender.request_epoch(SigningKey.generate())
    bodies: list[object] = [{}, {"request": request}, {"request": 1, "possession": ""}, []]
    for body in bodies:
        assert problem(office.browser.post(path, json=body))[0] == 422
    wrong = {"request": request, "possession": encode_b64u(bytes(64))}
    assert problem(office.browser.post(path, json=wrong)) == (422, "epoch-signature")
    right = {"request": request, "possession": possession}
    assert problem(office.browser.post(path, json=right, headers={"Origin": "https://evil.example"})) == (
        403,
        "origin",
    )
    assert problem(office.browser.get(path))[0] == 405
    assert count(office.central, Batch) == 0
    assert office.browser.post(path, json=right).status_code == 201


@pytest.mark.parametrize("number", ["0", "70000", "9" * 30])
def test_numbers_that_no_epoch_and_no_contradiction_has_are_not_found(office: Office, number: str) -> None:
    sender, _ = fork(office)
    office.staffed()
    page = page_of(sender)
    away = f"{page.rpartition('/')[0]}/{number}"
    assert office.get(away).status_code == 404
    for deed in ("revoke", "allow", "settled"):
        assert office.send(page, f"{away}/{deed}", reason="x").status_code == 404
    assert office.get(f"{page}/conflicts/0/held.jws").status_code == 200
    assert office.get(f"{page}/conflicts/{number}1/held.jws").status_code == 404
