"""The interface that terminals call, over HTTP: what is answered by signature, and what by a problem."""

from __future__ import annotations

import base64
import gzip
import hashlib
import zlib
from collections.abc import Mapping

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from merchant_agent.central.app import create_app
from merchant_agent.central.codes import CodeKind, confirm_code, list_codes, make_code
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Batch, Issuer, Record
from merchant_agent.central.web.intake_api import check_digest, inflate
from merchant_agent.errors import FormatError, TooLargeError
from merchant_agent.evidence.enrolment import new_code, sign_enrolment
from merchant_agent.evidence.exchange import encode_upload, open_ack
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.trust import load_trust
from tests.central.rows import count
from tests.central.sender import Sender

_PACKED = gzip.compress(b"x", mtime=0)


@pytest.fixture
def client(central: Central) -> FlaskClient:
    return create_app(central).test_client()


def digest_of(body: bytes) -> str:
    return f"sha-256=:{base64.b64encode(hashlib.sha256(body).digest()).decode()}:"


def send(
    client: FlaskClient, issuer: str, packed: bytes, headers: Mapping[str, str | None] | None = None
) -> TestResponse:
    """An upload's request; `headers` replace the right ones, None leaves one out."""
    right: dict[str, str | None] = {
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
        "Content-Digest": digest_of(packed),
    }
    sent = {name: value for name, value in (right | dict(headers or {})).items() if value is not None}
    return client.post(f"/api/v1/terminals/{issuer}/records", data=packed, headers=sent)


def ask_for_grant(
    client: FlaskClient, code: str, key: SigningKey, *, continues: str | None = None
) -> TestResponse:
    signature = encode_b64u(sign_enrolment(key, code, continues))
    body = {"code": code, "key": encode_b64u(key.public), "signature": signature, "continues": continues}
    return client.post("/api/v1/enrolments", json=body)


def problem(response: TestResponse) -> tuple[int, str]:
    assert response.mimetype == "application/problem+json"
    assert response.json is not None
    assert response.json["status"] == response.status_code
    return response.status_code, response.json["code"]


def test_a_terminal_enrols_and_uploads(central: Central, merchant: str, client: FlaskClient) -> None:
    made = make_code(central, merchant, CodeKind.SCREEN, who="li.wei")
    key = SigningKey.generate()
    answer = ask_for_grant(client, made.code, key)
    assert answer.status_code == 201
    told = answer.json
    assert told is not None
    assert set(told) == {"grant", "merchant", "trust", "central_url"}
    assert set(told["merchant"]) == {
        *("id", "name", "shop_name", "credit_code", "address", "trade", "phone", "promises"),
    }
    assert told["central_url"] == central.public_url
    trust = load_trust(encode_json(told["trust"]))
    grant = open_grant(told["grant"].encode(), trust.root_keys())
    assert ask_for_grant(client, made.code, key).status_code == 200

    sender = Sender(told["grant"].encode(), key, central)
    sender.sell(2)
    answer = send(client, grant.issuer, gzip.compress(sender.body(0)))
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    assert answer.json is not None
    assert answer.json["checkpoint"] is None
    ack = open_ack(answer.json["ack"].encode(), grant.central_keys())
    assert (ack.outcome, ack.head) == ("accepted", sender.chain.head)
    assert count(central, Record) == 4


def test_a_sheet_is_told_to_wait(central: Central, merchant: str, client: FlaskClient) -> None:
    made = make_code(central, merchant, CodeKind.SHEET, who="li.wei")
    key = SigningKey.generate()
    answer = ask_for_grant(client, made.code, key)
    assert (answer.status_code, answer.json) == (202, {"state": "waiting"})
    confirm_code(central, list_codes(central)[0].id, who="li.wei")
    assert ask_for_grant(client, made.code, key).status_code == 201


def test_refused_enrolments_are_problems_with_a_code(
    central: Central, merchant: str, client: FlaskClient
) -> None:
    key = SigningKey.generate()
    assert problem(ask_for_grant(client, new_code(), key)) == (404, "enrolment-code")
    made = make_code(central, merchant, CodeKind.SCREEN, who="li.wei")
    body = {"code": made.code, "key": encode_b64u(bytes(32)), "signature": encode_b64u(bytes(64))}
    assert problem(client.post("/api/v1/enrolments", json=body)) == (422, "enrolment-key")
    body["key"] = encode_b64u(key.public)
    assert problem(client.post("/api/v1/enrolments", json=body)) == (422, "enrolment-signature")
    for _ in range(9):
        ask_for_grant(client, new_code(), key)
    limited = ask_for_grant(client, made.code, key)
    assert problem(limited) == (429, "rate-limited")
    assert int(limited.headers["Retry-After"]) > 0
    assert count(central, Issuer) == 0


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"", 400), (b"{", 400), (b"[]", 422), (b'{"code":1,"key":"","signature":""}', 422), (b"\xff", 400)],
)
def test_an_enrolment_that_is_no_json_is_a_problem(client: FlaskClient, body: bytes, expected: int) -> None:
    answer = client.post("/api/v1/enrolments", data=body, content_type="application/json")
    assert problem(answer)[0] == expected


def test_every_outcome_has_its_status(client: FlaskClient, sender: Sender) -> None:
    def upload(sender: Sender, body: bytes) -> int:
        answer = send(client, sender.issuer, gzip.compress(body))
        assert answer.json is not None
        sender.nonce = open_ack(answer.json["ack"].encode(), sender.grant.central_keys()).nonce
        return answer.status_code

    sender.sell(2)
    assert upload(sender, sender.body(2)) == 409
    assert upload(sender, sender.body(0)) == 200
    back = sender.back_at(2)
    assert upload(back, back.body(0)) == 409
    alone = sender.lines(0, 0)
    assert upload(sender, encode_upload(sender.batch(0, 3, lines=alone), alone)) == 422
    back.sell(1)
    assert upload(back, back.body(2)) == 423


def test_a_batch_at_an_address_that_is_not_its_issuers_is_a_problem(
    client: FlaskClient, sender: Sender
) -> None:
    sender.ask()
    answer = send(client, "AAAAAAAAAAA", gzip.compress(sender.body(0)))
    assert problem(answer) == (422, "batch-issuer")


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"Content-Digest": None}, 400),
        ({"Content-Digest": "sha-256=:AAAA:"}, 400),
        ({"Content-Digest": digest_of(b"another body")}, 400),
        ({"Content-Digest": "md5=:AAAA:"}, 400),
        ({"Content-Encoding": None}, 415),
        ({"Content-Encoding": "br"}, 415),
        ({"Content-Type": "application/json"}, 415),
        ({"Content-Type": None}, 415),
    ],
)
def test_a_request_of_another_form_is_a_problem_and_changes_nothing(
    central: Central, client: FlaskClient, sender: Sender, headers: dict[str, str | None], expected: int
) -> None:
    sender.ask()
    answer = send(client, sender.issuer, gzip.compress(sender.body(0)), headers)
    assert problem(answer)[0] == expected
    assert (count(central, Record), count(central, Batch)) == (0, 0)


def test_every_changed_byte_on_the_way_is_noticed(
    central: Central, client: FlaskClient, sender: Sender
) -> None:
    sender.ask()
    packed = gzip.compress(sender.body(0))
    for place in range(0, len(packed), 41):
        spoilt = bytearray(packed)
        spoilt[place] ^= 1
        answer = send(client, sender.issuer, bytes(spoilt), {"Content-Digest": digest_of(packed)})
        assert problem(answer)[0] == 400
    assert count(central, Batch) == 0


@pytest.mark.parametrize("packed", [b"", b"no gzip", _PACKED[:-1], _PACKED * 2])
def test_what_is_no_gzip_is_a_problem(client: FlaskClient, sender: Sender, packed: bytes) -> None:
    assert problem(send(client, sender.issuer, packed))[0] == 400


def test_a_bomb_is_not_unpacked(client: FlaskClient, sender: Sender, central: Central) -> None:
    bomb = gzip.compress(bytes(central.settings.max_inflated_bytes + 1))
    assert len(bomb) < 20_000
    assert problem(send(client, sender.issuer, bomb)) == (413, "too-large")


def test_a_bomb_in_a_bomb_costs_no_memory() -> None:
    packer = zlib.compressobj(9, wbits=31)
    bomb = b"".join(packer.compress(bytes(1 << 20)) for _ in range(64)) + packer.flush()
    with pytest.raises(TooLargeError):
        inflate(bomb, max_bytes=1000)
    assert inflate(gzip.compress(bytes(1000)), max_bytes=1000) == bytes(1000)


def test_a_body_over_the_limit_is_a_problem(client: FlaskClient, sender: Sender, central: Central) -> None:
    answer = send(client, sender.issuer, bytes(central.settings.max_upload_bytes + 1))
    assert problem(answer) == (413, "too-large")


def test_other_digests_beside_ours_are_passed_over() -> None:
    check_digest(f"sha-512=:{'A' * 86}==:, {digest_of(b'x')}", b"x")
    for header in (
        "",
        "sha-256",
        "sha-256=::",
        f"{digest_of(b'x')}, {digest_of(b'x')}",
        digest_of(b"x")[:-1],
    ):
        with pytest.raises(FormatError):
            check_digest(header, b"x")


def test_a_foreign_page_cannot_enrol_or_upload(client: FlaskClient, sender: Sender) -> None:
    sender.ask()
    answer = send(client, sender.issuer, gzip.compress(sender.body(0)), {"Origin": "https://evil.example"})
    assert problem(answer) == (403, "origin")


def test_only_posts_are_taken(client: FlaskClient, sender: Sender) -> None:
    assert problem(client.get("/api/v1/enrolments"))[0] == 405
    assert problem(client.put(f"/api/v1/terminals/{sender.issuer}/records"))[0] == 405
