"""Nothing but the one spelling is read, of every type that is signed, by either verifier.

Each attack is signed by the right key wherever a signature can be made: what refuses it is its form.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence import verify_single
from merchant_agent.evidence.epochs import open_epoch_request, open_head, sign_epoch_request, sign_head
from merchant_agent.evidence.exchange import open_ack, open_batch
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.jws import Typ, decode_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import encode_b64u, encode_segment
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.stub import open_stub, sign_stub
from tests.evidence.synthetic import ACKNOWLEDGING, ROOT, busy_shop, id_of, key_of, trust_of
from tests.vectors.asked import epoch_request, head_answer, stub
from tests.vectors.forms import pinned_header, sign_raw

ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CENTRAL = {f"{id_of(ACKNOWLEDGING)}.1": VerifyingKey(key_of(ACKNOWLEDGING).public)}
SHOP_1, SHOP_2 = (VerifyingKey(key_of(f"shop {epoch}").public) for epoch in (1, 2))
SHOP = busy_shop()


@dataclass(frozen=True)
class Signed:
    """One thing that is signed, its owner's key, and the reader that it is made for."""

    typ: Typ
    octets: bytes
    key: SigningKey
    read: Callable[[bytes], object]

    @property
    def header(self) -> bytes:
        jws = decode_jws(self.octets, self.typ)
        return pinned_header(self.typ, jws.issuer, jws.epoch)

    @property
    def payload(self) -> bytes:
        return decode_jws(self.octets, self.typ).payload


def read_record(octets: bytes) -> object:
    jws = decode_jws(octets, Typ.RECORD)
    verify_jws(jws, SHOP_1)
    try:
        return decode_record(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", str(error)) from error


KINDS: Mapping[str, Signed] = {
    "record": Signed(Typ.RECORD, SHOP.records[1], key_of("shop 1"), read_record),
    "grant": Signed(
        Typ.GRANT, SHOP.grants[1], key_of(ROOT), lambda octets: open_grant(octets, trust_of().root_keys())
    ),
    "batch": Signed(Typ.BATCH, SHOP.batches[0], key_of("shop 1"), lambda octets: open_batch(octets, SHOP_1)),
    "ack": Signed(Typ.ACK, SHOP.acks[0], key_of(ACKNOWLEDGING), lambda octets: open_ack(octets, CENTRAL)),
    "epoch": Signed(
        Typ.EPOCH,
        sign_epoch_request(key_of("shop 2"), epoch_request()),
        key_of("shop 2"),
        lambda octets: open_epoch_request(octets, SHOP_2),
    ),
    "head": Signed(
        Typ.HEAD,
        sign_head(key_of(ACKNOWLEDGING), id_of(ACKNOWLEDGING), 1, head_answer()),
        key_of(ACKNOWLEDGING),
        lambda octets: open_head(octets, CENTRAL),
    ),
    "stub": Signed(
        Typ.STUB,
        sign_stub(key_of("shop 1"), stub()),
        key_of("shop 1"),
        lambda octets: open_stub(octets, SHOP_1),
    ),
}


IN_EXPORTS = frozenset({"record", "grant", "batch", "ack"})
UNKNOWN_KEY = {"grant": "V11", "ack": "V15", "head": "V15"}


def alone(name: str, octets: bytes) -> None:
    """The single file's reader of what exports hold; Broken where it refuses."""
    signed = KINDS[name]
    jws = verify_single.open_jws(octets, signed.typ.value)
    if jws.kid != decode_jws(signed.octets, signed.typ).kid and name in UNKNOWN_KEY:
        raise verify_single.Broken(UNKNOWN_KEY[name], "no known key")
    jws.require_signed(verify_single.Key(signed.key.public))
    try:
        match name:
            case "grant":
                verify_single.read_grant(jws.payload)
            case "batch":
                verify_single.require_own(jws, verify_single.read_batch(jws.payload))
            case "ack":
                verify_single.read_ack(jws.payload)
            case _:
                verify_single.read_record(jws.payload)
    except ValueError as error:
        raise verify_single.Broken("V1", str(error)) from error


def rule_of(name: str, octets: bytes) -> str | None:
    """The rule by which both verifiers refuse it alike; None where both read it."""
    rule = alone_rule = None
    try:
        KINDS[name].read(octets)
    except VerificationError as error:
        rule = error.rule
    if name not in IN_EXPORTS:
        return rule
    try:
        alone(name, octets)
    except verify_single.Broken as error:
        alone_rule = error.rule
    assert alone_rule == rule
    return rule


def first_epoch(payload: bytes) -> bytes:
    """The member `epoch` as it stands first, which every type has."""
    start = payload.index(b'"epoch":')
    return payload[start : payload.index(b",", start) + 1]


def with_epoch(number: bytes) -> Callable[[bytes], bytes]:
    return lambda payload: payload.replace(first_epoch(payload), b'"epoch":%s,' % number, 1)


def with_issuer(text: bytes) -> Callable[[bytes], bytes]:
    def change(payload: bytes) -> bytes:
        start = payload.index(b'"issuer":"') + len(b'"issuer":"')
        return payload[:start] + text + payload[start + 11 :]

    return change


PAYLOADS: Mapping[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "no object": lambda payload: b"[%s]" % payload,
    "a byte order mark": lambda payload: b"\xef\xbb\xbf" + payload,
    "UTF-16": lambda payload: payload.decode().encode("utf-16"),
    "a newline behind": lambda payload: payload + b"\n",
    "a newline before": lambda payload: b"\n" + payload,
    "a space within": lambda payload: payload.replace(b":", b": ", 1),
    "a second value": lambda payload: payload + payload,
    "a duplicate member": lambda payload: payload.replace(
        first_epoch(payload), first_epoch(payload) + first_epoch(payload), 1
    ),
    "a duplicate member at the end": lambda payload: payload[:-1] + b"," + first_epoch(payload)[:-1] + b"}",
    "a member too many": lambda payload: payload[:-1] + b',"x":null}',
    "a member missing": lambda payload: payload.replace(first_epoch(payload), b"", 1),
    "a float": with_epoch(b"1.0"),
    "1e0": with_epoch(b"1e0"),
    "1E+0": with_epoch(b"1E+0"),
    "NaN": with_epoch(b"NaN"),
    "Infinity": with_epoch(b"Infinity"),
    "2^53 + 1": with_epoch(b"9007199254740993"),
    "an integer of 400 digits": with_epoch(b"1" * 400),
    "a leading zero": with_epoch(b"01"),
    "minus zero": with_epoch(b"-0"),
    "a plus": with_epoch(b"+1"),
    "a string": with_epoch(b'"1"'),
    "true": with_epoch(b"true"),
    "null": with_epoch(b"null"),
    "an escaped letter": lambda payload: payload.replace(b'"epoch"', b'"\\u0065poch"', 1),
    "an escaped lone surrogate": with_issuer(b"\\ud800"),
    "a lone surrogate": with_issuer(b"\xed\xa0\x80"),
    "no UTF-8": with_issuer(b"\xff"),
    "an overlong form": with_issuer(b"\xc1\x81"),
    "a control character": with_issuer(b"\x00"),
    "trailing bits": with_issuer(b"AAAAAAAAAAB"),
    "padding": with_issuer(b"AAAAAAAAAAA="),
    "a newline in base64url": with_issuer(b"AAAAAAAAAAA\\n"),
    "a comment": lambda payload: payload + b"//",
    "brackets without end": lambda _: b"[" * 10_000,
    "16,385 bytes": lambda payload: payload + b" " * (16_385 - len(payload)),
}


@pytest.mark.parametrize("attack", PAYLOADS)
@pytest.mark.parametrize("name", KINDS)
def test_another_spelling_of_a_payload_is_refused_although_it_is_signed(name: str, attack: str) -> None:
    signed = KINDS[name]
    payload = PAYLOADS[attack](signed.payload)
    assert payload != signed.payload
    assert rule_of(name, sign_raw(signed.key, signed.header, payload)) == "V1"


HEADERS: Mapping[str, Callable[[bytes], bytes]] = {
    "alg none": lambda header: header.replace(b'"Ed25519"', b'"none"'),
    "alg EdDSA": lambda header: header.replace(b'"Ed25519"', b'"EdDSA"'),
    "alg in small letters": lambda header: header.replace(b'"Ed25519"', b'"ed25519"'),
    "alg ES256": lambda header: header.replace(b'"Ed25519"', b'"ES256"'),
    "no alg": lambda header: header.replace(b'"alg":"Ed25519",', b""),
    "crit": lambda header: header[:-1] + b',"crit":["b64"]}',
    "b64 false": lambda header: header[:-1] + b',"b64":false}',
    "b64 true": lambda header: header[:-1] + b',"b64":true}',
    "jwk": lambda header: header[:-1] + b',"jwk":{}}',
    "cty": lambda header: header[:-1] + b',"cty":"JWT"}',
    "one more member": lambda header: header[:-1] + b',"x":1}',
    "a duplicate member": lambda header: header[:-1] + b',"alg":"Ed25519"}',
    "a byte order mark": lambda header: b"\xef\xbb\xbf" + header,
    "a newline behind": lambda header: header + b"\n",
    "a space": lambda header: header.replace(b",", b", ", 1),
    "an escaped letter": lambda header: header.replace(b"alg", b"\\u0061lg"),
    "another order": lambda header: header.replace(b'"alg":"Ed25519",', b"")[:-1] + b',"alg":"Ed25519"}',
    "another version": lambda header: header.replace(b'1+jws"', b'2+jws"'),
    "typ JWT": lambda header: header[: header.index(b'"typ":')] + b'"typ":"JWT"}',
    "epoch 0": lambda header: header.replace(b'.1"', b'.0"').replace(b'.2"', b'.0"'),
    "epoch 01": lambda header: header.replace(b'.1"', b'.01"').replace(b'.2"', b'.02"'),
    "epoch 65536": lambda header: header.replace(b'.1"', b'.65536"').replace(b'.2"', b'.65536"'),
    "nothing": lambda _: b"",
    "null": lambda _: b"null",
}


@pytest.mark.parametrize("attack", HEADERS)
@pytest.mark.parametrize("name", KINDS)
def test_another_header_is_refused_although_it_is_signed(name: str, attack: str) -> None:
    signed = KINDS[name]
    header = HEADERS[attack](signed.header)
    assert header != signed.header
    assert rule_of(name, sign_raw(signed.key, header, signed.payload)) == "V2"


@pytest.mark.parametrize("name", KINDS)
def test_every_other_type_is_refused(name: str) -> None:
    signed = KINDS[name]
    for typ in Typ:
        if typ is not signed.typ:
            header = signed.header.replace(signed.typ.value.encode(), typ.value.encode())
            assert rule_of(name, sign_raw(signed.key, header, signed.payload)) == "V2"


@pytest.mark.parametrize("name", KINDS)
def test_hs256_with_the_public_key_as_its_secret_is_refused(name: str) -> None:
    signed = KINDS[name]
    header = signed.header.replace(b'"Ed25519"', b'"HS256"')
    message = encode_segment(header) + b"." + encode_segment(signed.payload)
    secret = hmac.new(signed.key.public, message, hashlib.sha256).digest()
    assert rule_of(name, message + b"." + encode_segment(secret)) == "V2"
    pinned = b".".join(signed.octets.split(b".")[:2])
    mac = hmac.new(signed.key.public, pinned, hashlib.sha256).digest()
    assert rule_of(name, pinned + b"." + encode_segment(mac)) == "V1"
    assert rule_of(name, pinned + b"." + encode_segment(mac + mac)) == "V3"


@pytest.mark.parametrize("name", KINDS)
def test_a_payload_that_is_not_encoded_is_refused(name: str) -> None:
    """`b64` false: the payload stands in the JWS as it is. Source: RFC 7797."""
    signed = KINDS[name]
    header = signed.header[:-1] + b',"b64":false,"crit":["b64"]}'
    message = encode_segment(header) + b"." + signed.payload.replace(b".", b"")
    assert rule_of(name, message + b"." + encode_segment(signed.key.sign(message))) == "V2"


@pytest.mark.parametrize("name", KINDS)
def test_no_signature_is_none(name: str) -> None:
    header, payload, _ = KINDS[name].octets.split(b".")
    assert rule_of(name, b".".join([header, payload, b""])) == "V1"
    assert rule_of(name, b".".join([header, payload])) == "V1"
    assert rule_of(name, b".".join([header, payload, encode_segment(bytes(64))])) == "V3"


@pytest.mark.parametrize("segment", range(3))
@pytest.mark.parametrize("name", KINDS)
def test_every_segment_has_one_spelling(name: str, segment: int) -> None:
    segments = KINDS[name].octets.split(b".")
    text = segments[segment]
    spellings = [text + b"=", text + b"==", text + b"\n", b"\n" + text, text[:9] + b"\n" + text[9:]]
    spellings += [
        b"\xef\xbb\xbf" + text,
        text[:9] + b" " + text[9:],
        text + b"A",
        text[:9] + b"+" + text[10:],
    ]
    over = len(text) % 4  # 0 where no bit can be left over
    if over:
        last = ALPHABET.index(text[-1])
        spellings += [
            text[:-1] + ALPHABET[last + more : last + more + 1] for more in range(1, {2: 16, 3: 4}[over])
        ]
    for spelling in spellings:
        octets = b".".join([*segments[:segment], spelling, *segments[segment + 1 :]])
        assert octets != KINDS[name].octets
        assert rule_of(name, octets) in {"V1", "V2", "V3"}


@pytest.mark.parametrize("name", KINDS)
def test_every_proper_prefix_is_refused(name: str) -> None:
    octets = KINDS[name].octets
    for length in range(len(octets)):
        assert rule_of(name, octets[:length]) in {"V1", "V2"}


@pytest.mark.parametrize("name", KINDS)
def test_every_changed_byte_is_refused(name: str) -> None:
    octets = KINDS[name].octets
    for position, old in enumerate(octets):
        for byte in {old ^ 1, old ^ 0x20, old ^ 0x80, ALPHABET[(ALPHABET.find(old) + 1) % 64]}:
            changed = octets[:position] + bytes([byte]) + octets[position + 1 :]
            # Another key id in a header that is still one names no known key.
            assert rule_of(name, changed) in {"V1", "V2", "V3", UNKNOWN_KEY.get(name, "V3")}


@pytest.mark.parametrize("name", KINDS)
@given(payload=st.binary(max_size=300))
def test_no_signed_payload_raises_anything_but_the_declared_error(name: str, payload: bytes) -> None:
    signed = KINDS[name]
    assert rule_of(name, sign_raw(signed.key, signed.header, payload)) == "V1"


@pytest.mark.parametrize("name", KINDS)
@given(data=st.data())
def test_no_change_of_a_signed_payload_raises_anything_but_the_declared_error(
    name: str, data: st.DataObject
) -> None:
    """What is changed is signed anew: it is read, or refused by a rule, by both verifiers alike."""
    signed = KINDS[name]
    payload = bytearray(signed.payload)
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(payload)))
        end = data.draw(st.integers(start, min(len(payload), start + 12)))
        payload[start:end] = data.draw(
            st.binary(max_size=12) | st.sampled_from([b"0", b"9", b'"', b"null", b"-1"])
        )
    octets = sign_raw(signed.key, signed.header, bytes(payload[:16_384]))
    assert rule_of(name, octets) in {None, "V1", "V3", "V11", "V15"}


def test_a_link_is_of_octets_and_of_no_spelling() -> None:
    """Two spellings that a lenient reader takes for one would have two links."""
    octets = KINDS["record"].octets
    assert encode_b64u(hashlib.sha256(octets).digest()) != encode_b64u(hashlib.sha256(octets + b"=").digest())
    assert rule_of("record", octets + b"=") == "V1"
