"""Vectors of what customers take along and what the log publishes: slips, invitations, contacts, checkpoints."""

from __future__ import annotations

from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.invitation import invitation_url, sign_invitation
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.note import cosign_note, join_note, sign_note
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.slip import claim_hash, slip_url
from tests.evidence.logged import COSIGNER, LOG, ORIGIN, START_S, VKEYS, logged_shop
from tests.evidence.synthetic import START, id_of, key_of, octets_of, uuid_of
from tests.vectors.forms import Vector

_SHOP = id_of("shop")
_SLIP_DOMAIN, _INVITATION_DOMAIN = b"merchant-agent/slip/v1\n", b"merchant-agent/invitation/v1\n"
_URL = "https://central.example"
# Sealing is different each time: this was sealed once, for the key of the name "sealing".
_SEALED = (
    "c4c31851ed94884d2076b65b44fcf90de9add1ead20f1d579de0638f3a7ec908d6b468fb12db2f1d89365bbc90ae291d"
    "7d058f33400f5991cfc557"
)


def shop_key() -> SigningKey:
    return key_of("shop 1")


def slips() -> Vector:
    shop = logged_shop()
    claim = octets_of("claim", 10)
    octets = shop.slips[0][2]
    bad = {
        "version 2": _resigned(octets, 0, b"\x02"),
        "epoch 0": _resigned(octets, 9, b"\x00\x00"),
        "level 6": _resigned(octets, 19, b"\x60"),
        "the fourth flag": _resigned(octets, 19, b"\x38"),
        "about nothing": _resigned(octets, 19, b"\x00"),
        "a contact alone": _resigned(octets, 19, b"\x02"),
        "a deadline of 0 hours": _resigned(octets, 20, b"\x00"),
        "another leaf under the signature": octets[:21] + bytes(32) + octets[53:],
        "another level under the signature": octets[:19] + b"\x50" + octets[20:],
        "the signature of a stranger": octets[:53] + key_of("stranger").sign(_SLIP_DOMAIN + octets[:53]),
        "signed as an invitation": octets[:53] + shop_key().sign(_INVITATION_DOMAIN + octets[:53]),
        "signed without its domain": octets[:53] + shop_key().sign(octets[:53]),
        "one byte short": octets[:-1],
        "one byte long": octets + b"\x00",
        "no octets": b"",
    }
    return {
        "public": shop_key().public.hex(),
        "good": [
            {
                "issuer": _SHOP,
                "epoch": 1,
                "seq": seq,
                "time": START_S + at_s,
                "level": 3,
                "complaint": False,
                "contact": False,
                "suggestion": suggestion,
                "deadline_hours": 24,
                "leaf": encode_b64u(leaf_hash(shop.records[seq])),
                "hex": shop.slips[number][2].hex(),
            }
            for number, (seq, at_s, suggestion) in enumerate([(3, 4, False), (5, 6, True)])
        ],
        "claim": {"hex": claim.hex(), "hash": claim_hash(claim), "url": slip_url(_URL, octets, claim)},
        "bad": [{"name": name, "rule": "V12", "hex": changed.hex()} for name, changed in bad.items()],
    }


def invitations() -> Vector:
    place = Place(issuer=_SHOP, epoch=1, seq=0)
    tag = octets_of("id tag", 8)
    octets = sign_invitation(shop_key(), place, START, 14, tag)
    body = octets[:28]
    bad = {
        "version 2": _resigned_invitation(b"\x02" + body[1:]),
        "epoch 0": _resigned_invitation(body[:9] + b"\x00\x00" + body[11:]),
        "no day": _resigned_invitation(body[:19] + b"\x00" + body[20:]),
        "another prompt under the signature": body[:14] + b"\x01" + octets[15:],
        "more days under the signature": body[:19] + b"\xff" + octets[20:],
        "the signature of a stranger": body + key_of("stranger").sign(_INVITATION_DOMAIN + body),
        "signed as a slip": body + shop_key().sign(_SLIP_DOMAIN + body),
        "one byte short": octets[:-1],
        "one byte long": octets + b"\x00",
        "no octets": b"",
    }
    return {
        "good": [
            {
                "public": shop_key().public.hex(),
                "issuer": _SHOP,
                "epoch": 1,
                "seq": 0,
                "time": START_S,
                "days": 14,
                "tag": encode_b64u(tag),
                "hex": octets.hex(),
                "url": invitation_url(_URL, octets),
            }
        ],
        "bad": [{"name": name, "rule": "V12", "hex": changed.hex()} for name, changed in bad.items()],
    }


def contacts() -> Vector:
    return {
        "private": octets_of("sealing", 32).hex(),
        "good": [{"issuer": _SHOP, "id": uuid_of(9), "text": "13800138000", "hex": _SEALED}],
        "bad": [
            {"name": name, "rule": "V10", "issuer": issuer, "id": record_id, "hex": sealed}
            for name, issuer, record_id, sealed in [
                ("of another issuer", id_of("other"), uuid_of(9), _SEALED),
                ("of another record", _SHOP, uuid_of(10), _SEALED),
                ("another byte", _SHOP, uuid_of(9), _SEALED[:-2] + ("01" if _SEALED[-2:] != "01" else "02")),
                ("an encapsulated key of small order", _SHOP, uuid_of(9), "00" * 32 + _SEALED[64:]),
                ("no text", _SHOP, uuid_of(9), _SEALED[:96]),
                ("no octets", _SHOP, uuid_of(9), ""),
            ]
        ],
    }


def checkpoints() -> Vector:
    log = logged_shop().log
    octets = log.checkpoints[8]
    text = octets.decode().partition("\n\n")[0] + "\n"
    signed, cosigned = sign_note(text, ORIGIN, LOG), cosign_note(text, ORIGIN, COSIGNER, START_S)
    grown = text.replace("\n8\n", "\n9\n")
    bad = {
        "a size under the signature": octets.replace(b"\n8\n", b"\n9\n"),
        "no cosignature": join_note(text, [signed]).encode(),
        "no signature of the log": join_note(text, [cosigned]).encode(),
        "the cosignature of another tree": join_note(
            text, [signed, cosign_note(grown, ORIGIN, COSIGNER, START_S)]
        ).encode(),
        "signed by a stranger": join_note(
            text, [sign_note(text, ORIGIN, key_of("stranger")), cosigned]
        ).encode(),
        "in the name of another": join_note(
            text, [sign_note(text, "other.example/log", LOG), cosigned]
        ).encode(),
        "an extension line": _renoted(text + "more\n"),
        "a size with a leading zero": _renoted(text.replace("\n8\n", "\n08\n")),
        "no root": _renoted("\n".join(text.split("\n")[:2]) + "\n"),
        "a root of 31 bytes": _renoted("\n".join([*text.split("\n")[:2], "A" * 42, ""])),
        "a line end missing": octets[:-1],
        "a carriage return": octets.replace(b"\n", b"\r\n"),
        "no octets": b"",
    }
    return {
        "vkeys": list(VKEYS),
        "good": [{"text": log.checkpoints[size].decode(), "size": size} for size in sorted(log.checkpoints)],
        "bad": [
            {"name": name, "rule": "V14", "text": changed.decode(errors="replace")}
            for name, changed in bad.items()
        ],
    }


def proofs() -> Vector:
    """Proofs that a leaf is in the log, and that the log only grew."""
    shop = logged_shop()
    octets = shop.log.prove(shop.records[3], 11)
    lines = octets.split(b"\n")
    size = {kept: shop.log.checkpoints[kept] for kept in (5, 8, 11)}
    leaf = encode_b64u(leaf_hash(shop.records[3]))
    bad = {
        "another index": octets.replace(b"index 4", b"index 5"),
        "an index beyond the log": octets.replace(b"index 4", b"index 11"),
        "an index with a leading zero": octets.replace(b"index 4", b"index 04"),
        "a hash left out": b"\n".join([*lines[:2], *lines[3:]]),
        "two hashes exchanged": b"\n".join([*lines[:2], lines[3], lines[2], *lines[4:]]),
        "a hash too many": b"\n".join([*lines[:3], lines[2], *lines[3:]]),
        "an older checkpoint": octets.partition(b"\n\n")[0] + b"\n\n" + size[8],
        "another version": octets.replace(b"proof@v1", b"proof@v2"),
        "an extra line": octets.replace(b"\nindex", b"\nextra AAAA\nindex"),
        "no checkpoint": octets.partition(b"\n\n")[0] + b"\n",
    }
    roots = {kept: note.split(b"\n")[2].decode() for kept, note in size.items()}
    path = [line.decode() for line in shop.log.connect(5, 11)]
    return {
        "vkeys": list(VKEYS),
        "leaf": leaf,
        "good": [{"text": octets.decode()}],
        "bad": [{"name": name, "rule": "V14", "text": text.decode()} for name, text in bad.items()],
        "consistency": {"old": 5, "old_root": roots[5], "new": 11, "new_root": roots[11], "path": path},
        "consistency_bad": [path[:-1], path[1:], [*path, path[0]], path[::-1], []],
    }


def _resigned(octets: bytes, offset: int, new: bytes) -> bytes:
    body = octets[:offset] + new + octets[offset + len(new) : 53]
    return body + shop_key().sign(_SLIP_DOMAIN + body)


def _resigned_invitation(body: bytes) -> bytes:
    return body + shop_key().sign(_INVITATION_DOMAIN + body)


def _renoted(text: str) -> bytes:
    lines = (sign_note(text, ORIGIN, LOG), cosign_note(text, ORIGIN, COSIGNER, START_S))
    return join_note(text, lines).encode()
