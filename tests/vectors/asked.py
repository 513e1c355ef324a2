"""Vectors of what terminals ask for beside their batches, and of central's answers."""

from __future__ import annotations

from merchant_agent.evidence.epochs import (
    EpochRequest,
    HeadAnswer,
    sign_epoch_request,
    sign_head,
    sign_possession,
)
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.requests import Purpose, sign_request
from merchant_agent.evidence.stub import Stub, sign_stub
from tests.evidence.synthetic import (
    ACKNOWLEDGING,
    BOOT,
    START_TEXT,
    busy_shop,
    id_of,
    key_of,
    nonce_of,
)
from tests.vectors.forms import Vector, pinned_header, sign_raw

_SHOP = id_of("shop")
_NONCE = nonce_of("asked")
_WEAK = encode_b64u(b"\x01" + bytes(31))


def epoch_request() -> EpochRequest:
    """The shop asks for epoch 3."""
    shop = busy_shop()
    return EpochRequest(
        issuer=_SHOP,
        epoch=2,
        key=encode_b64u(key_of("shop 3").public),
        reason="restored",
        newest=Head(epoch=2, seq=shop.chain.seq, link=shop.chain.link),
        client_nonce=_NONCE,
        at=START_TEXT,
        boot=BOOT,
        uptime_ms=1000,
    )


def head_answer() -> HeadAnswer:
    """Central knows one record more than it took up."""
    shop = busy_shop()
    return HeadAnswer(
        client_nonce=_NONCE,
        issuer=_SHOP,
        epoch=2,
        head=Head(epoch=2, seq=shop.chain.seq - 1, link=link_of(shop.records[-2])),
        claimed=shop.chain.seq,
        newest_epoch=2,
        state="active",
        nonce=shop.nonce,
        now=START_TEXT,
    )


def stub() -> Stub:
    """The third record of the shop's first epoch."""
    return Stub(issuer=_SHOP, epoch=1, seq=2, link=link_of(busy_shop().records[2]), reason="too_large")


def epochs() -> Vector:
    key, new = key_of("shop 2"), key_of("shop 3")
    good = sign_epoch_request(key, epoch_request())
    payload = decode_jws(good, Typ.EPOCH).payload
    asked, own = (encode_b64u(owner.public).encode() for owner in (new, key))
    empty = payload.replace(b'"newest":{"epoch":2,"seq":3', b'"newest":{"epoch":2,"seq":-1')
    bad = {
        "an unknown reason": ("V1", payload.replace(b'"restored"', b'"bored"')),
        "the head of another epoch": ("V1", payload.replace(b'"newest":{"epoch":2', b'"newest":{"epoch":1')),
        "no head": ("V1", payload.replace(_object_of(payload, b"newest"), b"null")),
        "a head before the grant": ("V1", payload.replace(b'"seq":3', b'"seq":-2')),
        "no time": ("V1", payload.replace(START_TEXT.encode(), b"noon")),
        "a member missing": ("V1", payload.replace(b',"uptime_ms":1000', b"")),
        "members exchanged": (
            "V1",
            payload.replace(b'"epoch":2,"key"', b'"key"').replace(b',"reason"', b',"epoch":2,"reason"'),
        ),
        "a key of order 1": ("V3", payload.replace(asked, _WEAK.encode())),
        "the key that signs": ("V11", payload.replace(asked, own)),
        "another chain's": ("V11", payload.replace(_SHOP.encode(), id_of("other").encode(), 1)),
        "another epoch's": (
            "V11",
            payload.replace(b'"epoch":2,"key"', b'"epoch":1,"key"').replace(
                b'"newest":{"epoch":2', b'"newest":{"epoch":1'
            ),
        ),
    }
    header = pinned_header(Typ.EPOCH, _SHOP, 2)
    signed = {name: (rule, sign_raw(key, header, text)) for name, (rule, text) in bad.items()}
    signed["signed by the new key alone"] = ("V3", sign_raw(new, header, payload))
    signed["a batch"] = ("V2", busy_shop().batches[2])
    possession = sign_possession(new, good)
    return {
        "public": key.public.hex(),
        "good": [{"octets": good.decode()}, {"octets": sign_raw(key, header, empty).decode()}],
        "bad": _listed(signed),
        "possession": {"public": new.public.hex(), "octets": good.decode(), "signature": possession.hex()},
        "possession_bad": [
            {"name": "by the old key", "rule": "V3", "signature": sign_possession(key, good).hex()},
            {"name": "over no domain", "rule": "V3", "signature": new.sign(good).hex()},
            {
                "name": "over another request",
                "rule": "V3",
                "signature": sign_possession(new, good[:-1]).hex(),
            },
            {"name": "63 bytes", "rule": "V3", "signature": possession[:-1].hex()},
            {"name": "nothing", "rule": "V3", "signature": ""},
        ],
    }


def heads() -> Vector:
    key = key_of(ACKNOWLEDGING)
    good = sign_head(key, id_of(ACKNOWLEDGING), 1, head_answer())
    payload = decode_jws(good, Typ.HEAD).payload
    more = {
        "nothing taken up": payload.replace(b'"seq":2', b'"seq":-1').replace(b'"claimed":3', b'"claimed":-1'),
        "a later epoch in force": payload.replace(
            b'"newest_epoch":2,"state":"active"', b'"newest_epoch":3,"state":"closed"'
        ),
    }
    bad = {
        "the head of another epoch": ("V1", payload.replace(b'"head":{"epoch":2', b'"head":{"epoch":1')),
        "an epoch later than the newest": ("V1", payload.replace(b'"newest_epoch":2', b'"newest_epoch":1')),
        "claimed -2": ("V1", payload.replace(b'"claimed":3', b'"claimed":-2')),
        "an unknown state": ("V1", payload.replace(b'"active"', b'"asleep"')),
        "no time": ("V1", payload.replace(START_TEXT.encode(), b"noon")),
        "a nonce of 15 bytes": ("V1", payload.replace(_NONCE.encode(), b"A" * 20)),
        "a member too many": ("V1", payload.replace(b',"now"', b',"x":1,"now"')),
    }
    header = pinned_header(Typ.HEAD, id_of(ACKNOWLEDGING), 1)
    signed = {name: (rule, sign_raw(key, header, text)) for name, (rule, text) in bad.items()}
    signed["signed by a stranger under that id"] = ("V3", sign_raw(key_of("stranger"), header, payload))
    signed["signed by a stranger"] = (
        "V15",
        sign_raw(key_of("stranger"), pinned_header(Typ.HEAD, id_of("stranger"), 1), payload),
    )
    signed["an acknowledgement"] = ("V2", busy_shop().acks[0])
    return {
        "keys": {f"{id_of(ACKNOWLEDGING)}.1": key.public.hex()},
        "good": [
            {"octets": good.decode()},
            *({"octets": sign_raw(key, header, text).decode(), "name": name} for name, text in more.items()),
        ],
        "bad": _listed(signed),
    }


def stubs() -> Vector:
    key, later = key_of("shop 1"), key_of("shop 2")
    good = sign_stub(key, stub())
    payload = decode_jws(good, Typ.STUB).payload
    bad = {
        "another reason": ("V1", payload.replace(b'"too_large"', b'"too_late"')),
        "no reason": ("V1", payload.replace(b',"reason":"too_large"', b"")),
        "seq -1": ("V1", payload.replace(b'"seq":2', b'"seq":-1')),
        "a link of 42 characters": ("V1", payload.replace(b'","reason"', b'A","reason"')),
        "another chain's": ("V15", payload.replace(_SHOP.encode(), id_of("other").encode())),
        "a later epoch's than its key": ("V15", payload.replace(b'"epoch":1', b'"epoch":2')),
    }
    header = pinned_header(Typ.STUB, _SHOP, 1)
    signed = {name: (rule, sign_raw(key, header, text)) for name, (rule, text) in bad.items()}
    signed["signed by another key"] = ("V3", sign_raw(later, header, payload))
    signed["a record"] = ("V2", busy_shop().records[2])
    return {
        "keys": {f"{_SHOP}.1": key.public.hex(), f"{_SHOP}.2": later.public.hex()},
        "good": [{"octets": good.decode()}, {"octets": sign_stub(later, stub(), 2).decode()}],
        "bad": _listed(signed),
    }


def requests() -> Vector:
    key = key_of("shop 1")
    details: dict[Purpose, str] = {
        "inbox": "-1",
        "records": "1.-1",
        "leaves": "1.0",
        "head": "",
    }
    good = [
        {
            "purpose": purpose,
            "issuer": _SHOP,
            "nonce": _NONCE,
            "detail": detail,
            "header": sign_request(key, purpose, _SHOP, 1, _NONCE, detail),
        }
        for purpose, detail in details.items()
    ]
    header = sign_request(key, "inbox", _SHOP, 1, _NONCE, "-1")
    bad = {
        "no scheme": ("V1", header.removeprefix("Merchant-Agent ")),
        "another scheme": ("V1", header.replace("Merchant-Agent", "Bearer")),
        "two spaces": ("V1", header.replace(" ", "  ")),
        "a space behind": ("V1", header + " "),
        "a line end behind": ("V1", header + "\n"),
        "epoch 0": ("V1", header.replace(" 1.", " 0.")),
        "epoch 65536": ("V1", header.replace(" 1.", " 65536.")),
        "a leading zero": ("V1", header.replace(" 1.", " 01.")),
        "a digit of another script": ("V1", header.replace(" 1.", " \u0661.")),
        "padding": ("V1", header + "=="),
        "no signature": ("V1", "Merchant-Agent 1."),
        "nothing": ("V1", ""),
        "another epoch": ("V3", header.replace(" 1.", " 2.")),
        "another purpose": ("V3", sign_request(key, "records", _SHOP, 1, _NONCE, "-1")),
        "another issuer": ("V3", sign_request(key, "inbox", id_of("other"), 1, _NONCE, "-1")),
        "another nonce": ("V3", sign_request(key, "inbox", _SHOP, 1, nonce_of("other"), "-1")),
        "another detail": ("V3", sign_request(key, "inbox", _SHOP, 1, _NONCE, "0")),
        "another key": ("V3", sign_request(key_of("shop 2"), "inbox", _SHOP, 1, _NONCE, "-1")),
    }
    return {
        "public": key.public.hex(),
        "good": good,
        "bad": [{"name": name, "rule": rule, "header": text} for name, (rule, text) in bad.items()],
    }


def _listed(bad: dict[str, tuple[str, bytes]]) -> list[Vector]:
    return [{"name": name, "rule": rule, "octets": octets.decode()} for name, (rule, octets) in bad.items()]


def _object_of(payload: bytes, member: bytes) -> bytes:
    start = payload.index(b'"%s":{' % member) + len(member) + 3
    return payload[start : payload.index(b"}", start) + 1]
