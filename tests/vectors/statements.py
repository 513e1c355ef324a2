"""Vectors of what is said around records: grants, batches, acknowledgements, disclosures, codes."""

from __future__ import annotations

from merchant_agent.evidence.enrolment import format_code, sign_enrolment
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.query_code import query_code
from tests.evidence.synthetic import (
    ACKNOWLEDGING,
    ROOT,
    busy_shop,
    disclosure_of,
    id_of,
    key_of,
    nonce_of,
)
from tests.vectors.forms import Vector, pinned_header, sign_raw

_SHOP = id_of("shop")
_COMPLAINT = 8


def grants() -> Vector:
    shop = busy_shop()
    payload = decode_jws(shop.grants[1], Typ.GRANT).payload
    key = encode_b64u(key_of("shop 2").public).encode()
    acknowledging = encode_b64u(key_of(ACKNOWLEDGING).public).encode()
    neutral = encode_b64u(b"\x01" + bytes(31)).encode()
    bad = {
        "no key of central": ("V1", payload.replace(_central_of(payload), b"[]")),
        "a deadline of 0 hours": ("V1", payload.replace(b'"deadline_hours":24', b'"deadline_hours":0')),
        "nobody asks": ("V1", payload.replace(b'"ask":"tablet"', b'"ask":"nobody"')),
        "a nonce of 15 bytes": ("V1", payload.replace(nonce_of("shop 2").encode(), b"A" * 20)),
        "a member missing": ("V1", payload.replace(b'"policy":{"ask":"tablet"},', b"")),
        "a granted key of order 1": ("V3", payload.replace(key, neutral)),
        "a key of central of order 1": ("V3", payload.replace(acknowledging, neutral)),
    }
    header = pinned_header(Typ.GRANT, id_of(ROOT), 1)
    stranger = pinned_header(Typ.GRANT, id_of("stranger"), 1)
    signed: dict[str, tuple[str, bytes]] = {
        name: (rule, sign_raw(key_of(ROOT), header, text)) for name, (rule, text) in bad.items()
    }
    signed["signed by a stranger under the root's id"] = ("V3", sign_raw(key_of("stranger"), header, payload))
    signed["signed by a stranger"] = ("V11", sign_raw(key_of("stranger"), stranger, payload))
    return {
        "root": {f"{id_of(ROOT)}.1": key_of(ROOT).public.hex()},
        "good": [{"octets": octets.decode()} for octets in shop.grants],
        "bad": _listed(signed),
    }


def batches() -> Vector:
    shop = busy_shop()
    payload = decode_jws(shop.batches[1], Typ.BATCH).payload
    bad = {
        "from beyond to": ("V15", payload.replace(b'"from":6', b'"from":10')),
        "to beyond the newest": ("V15", payload.replace(b'"to":9', b'"to":10')),
        "257 records": (
            "V15",
            payload.replace(b'"from":6,"to":9,"newest":{"seq":9', b'"from":0,"to":256,"newest":{"seq":256'),
        ),
        "another chain's": ("V15", payload.replace(_SHOP.encode(), id_of("other").encode())),
        "another epoch's": ("V15", payload.replace(b'"epoch":1', b'"epoch":2')),
        "a checkpoint": ("V1", payload.replace(b'"checkpoint":null', b'"checkpoint":1')),
        "a time without offset": ("V1", payload.replace(b"+08:00", b"")),
        "a nonce with bits left over": (
            "V1",
            payload.replace(nonce_of("shop batch 1").encode(), b"A" * 21 + b"B"),
        ),
        "members exchanged": ("V1", payload.replace(b'"from":6,"to":9', b'"to":9,"from":6')),
    }
    header = pinned_header(Typ.BATCH, _SHOP, 1)
    signed = {name: (rule, sign_raw(shop_key(), header, text)) for name, (rule, text) in bad.items()}
    signed["signed by another key"] = ("V3", sign_raw(key_of("stranger"), header, payload))
    signed["a record"] = ("V2", shop.records[0])
    later = sign_raw(key_of("shop 2"), pinned_header(Typ.BATCH, _SHOP, 2), payload)
    signed["an epoch's key under a later one's id"] = (
        "V3",
        sign_raw(shop_key(), pinned_header(Typ.BATCH, _SHOP, 2), payload),
    )
    return {
        "keys": {f"{_SHOP}.1": shop_key().public.hex(), f"{_SHOP}.2": key_of("shop 2").public.hex()},
        "good": [{"octets": octets.decode()} for octets in (*shop.batches[:2], later)],
        "bad": _listed(signed),
    }


def acks() -> Vector:
    shop = busy_shop()
    payload = decode_jws(shop.acks[0], Typ.ACK).payload

    def answered(text: bytes) -> bytes:
        return payload.replace(b'"answers":[]', b'"answers":[%s]' % text)

    good = {
        "a duplicate": answered(b'{"seq":0,"answer":"duplicate","rule":null}'),
        "a stub": answered(b'{"seq":0,"answer":"stub","rule":null}'),
        "one rejected": answered(b'{"seq":0,"answer":"rejected","rule":"V10"}'),
        "frozen": payload.replace(b'"accepted"', b'"frozen"'),
        "revoked": payload.replace(b'"accepted"', b'"revoked"'),
    }
    bad = {
        "the head of another epoch": ("V1", payload.replace(b'"head":{"epoch":1', b'"head":{"epoch":2')),
        "a duplicate with a rule": ("V1", answered(b'{"seq":0,"answer":"duplicate","rule":"V6"}')),
        "a stub with a rule": ("V1", answered(b'{"seq":0,"answer":"stub","rule":"V6"}')),
        "rejected without a rule": ("V1", answered(b'{"seq":0,"answer":"rejected","rule":null}')),
        "a rule that does not exist": ("V1", answered(b'{"seq":0,"answer":"rejected","rule":"V17"}')),
        "an unknown outcome": ("V1", payload.replace(b'"accepted"', b'"maybe"')),
    }
    header = pinned_header(Typ.ACK, id_of(ACKNOWLEDGING), 1)
    key = key_of(ACKNOWLEDGING)
    signed = {name: (rule, sign_raw(key, header, text)) for name, (rule, text) in bad.items()}
    signed["signed by a stranger under that id"] = ("V3", sign_raw(key_of("stranger"), header, payload))
    signed["signed by a stranger"] = (
        "V15",
        sign_raw(key_of("stranger"), pinned_header(Typ.ACK, id_of("stranger"), 1), payload),
    )
    return {
        "keys": {f"{id_of(ACKNOWLEDGING)}.1": key.public.hex()},
        "good": [
            {"octets": shop.acks[0].decode()},
            *({"octets": sign_raw(key, header, text).decode(), "name": name} for name, text in good.items()),
        ],
        "bad": _listed(signed),
    }


def disclosures() -> Vector:
    shop = busy_shop()
    own = [text for epoch, seq, text in shop.disclosures if (epoch, seq) == (1, _COMPLAINT)]
    comment, order, amount = own
    short = encode_b64u(b'["AAAAAAAAAAAAAAAAAAAA","comment","x"]')
    bad = {
        "not of this record": [disclosure_of("comment", "something else")],
        "one of them twice": [comment, comment],
        "a member that the kind does not have": [disclosure_of("photo", "138")],
        "a salt of 15 bytes": [short],
        "a space in the JSON": [encode_b64u(decode_b64u(comment).replace(b",", b", "))],
        "four members": [encode_b64u(decode_b64u(comment)[:-1] + b',"x"]')],
        "no JSON": [encode_b64u(b"comment")],
        "padding": [f"{comment}="],
    }
    return {
        "record": shop.records[_COMPLAINT].decode(),
        "good": [
            {"disclosures": own, "values": {"comment": "少找了钱", "order": "A-17", "amount": "64.00 CNY"}},
            {"disclosures": [order], "values": {"order": "A-17"}},
            {"disclosures": [amount, comment], "values": {"amount": "64.00 CNY", "comment": "少找了钱"}},
            {"disclosures": [], "values": {}},
        ],
        "bad": [{"name": name, "rule": "V10", "disclosures": texts} for name, texts in bad.items()],
    }


def codes() -> Vector:
    shop = busy_shop()
    leaves = [*(leaf_hash(octets) for octets in shop.records[:3]), bytes(32), b"\xff" * 32]
    code = "2BFD5ECPBNCYG"
    key = key_of("shop 1")
    written = query_code(leaves[0])
    return {
        "query": [{"leaf": encode_b64u(leaf), "code": query_code(leaf)} for leaf in leaves],
        "query_read": [
            {"text": text, "code": written}
            for text in (written.lower(), written.replace("-", " "), f"  {written.replace('-', '')}\n")
        ],
        "query_bad": ["", written[:-1], f"{written}0", "UUUU-UUUU-UUU", _mistyped(written)],
        "enrolment": [
            {
                "code": code,
                "read": [code, code.lower(), format_code(code), " 2bfd 5ecp bncyg "],
                "public": key.public.hex(),
                "continues": continues,
                "signature": encode_b64u(sign_enrolment(key, code, continues)),
            }
            for continues in (None, f"{_SHOP}.3")
        ],
        "enrolment_bad": ["", code[:-1], f"{code}0", f"U{code[1:]}", f"G{code[1:]}"],
    }


def shop_key() -> SigningKey:
    return key_of("shop 1")


def _listed(bad: dict[str, tuple[str, bytes]]) -> list[Vector]:
    return [{"name": name, "rule": rule, "octets": octets.decode()} for name, (rule, octets) in bad.items()]


def _central_of(payload: bytes) -> bytes:
    start = payload.index(b'"central":') + len(b'"central":')
    return payload[start : payload.index(b"]", start) + 1]


def _mistyped(code: str) -> str:
    """The code with its first character replaced by another."""
    return ("1" if code[0] == "0" else "0") + code[1:]
