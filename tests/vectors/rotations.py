"""Vectors of an export with several epochs, mixed in the exchange, and of edits of it."""

from __future__ import annotations

from merchant_agent.evidence.archive import ACKS, BATCHES, GRANTS, RECORDS
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import encode_trust
from tests.evidence.rotated import rotated_shop
from tests.evidence.synthetic import ROOT, id_of, key_of, nonce_of, trust_of
from tests.vectors.forms import Vector, pinned_header, sign_raw

_PRESENT, _LATE = 2, 3  # lines of the second epoch's first batch, and of the first epoch's last


def rotated() -> Vector:
    """As `exports`; in the good one the tail of the first epoch is handed over under the second key."""
    export = rotated_shop().export()
    return {
        "trust": encode_trust(trust_of()).decode(),
        "files": {name: [line.decode() for line in lines] for name, lines in export.files.items()},
        "findings": ["late", "stubbed"],
        "bad": [
            {
                "name": name,
                "rule": rule,
                "place": place,
                "file": named,
                "edits": [{"file": file, "line": line, "lines": [text.decode() for text in lines]}],
            }
            for name, rule, place, named, file, line, lines in (*_exchange(), *_grants())
        ],
    }


_Edit = tuple[str, str, Vector | None, str, str, int, list[bytes]]


def _exchange() -> list[_Edit]:
    batches = rotated_shop().batches
    present, late = (decode_jws(batches[line - 1], Typ.BATCH).payload for line in (_PRESENT, _LATE))
    first, second = key_of("shop 1"), key_of("shop 2")
    other_nonce = late.replace(nonce_of("shop answer 0").encode(), nonce_of("shop answer 1").encode())
    edits: list[tuple[str, str, int, bytes]] = [
        ("the key of the epoch before", "V15", _PRESENT, _batch(first, 1, present)),
        ("another key under the id of a later one", "V3", _LATE, _batch(first, 2, late)),
        ("a key that nobody granted", "V11", _LATE, _batch(key_of("shop 4"), 4, late)),
        ("the nonce of another epoch", "V15", _LATE, _batch(second, 2, other_nonce)),
        ("an epoch that nobody granted", "V11", _LATE, _batch(second, 9, late)),
        ("another shop's records", "V15", _LATE, _batch(second, 2, late.replace(_issuer(), _other()))),
    ]
    return [
        *((name, rule, None, BATCHES, BATCHES, line, [octets]) for name, rule, line, octets in edits),
        ("a late batch left out", "V15", None, ACKS, BATCHES, _LATE, []),
        ("a late record left out", "V15", _place(1, 3), BATCHES, RECORDS, 4, []),
    ]


def _grants() -> list[_Edit]:
    octets = rotated_shop().grants[1]
    payload = decode_jws(octets, Typ.GRANT).payload
    closes = payload[payload.index(b'"closes":{') :]
    earlier = closes.replace(b'"seq":1', b'"seq":0')
    beyond = closes.replace(b'"seq":1', b'"seq":4')
    other = closes.replace(b'"epoch":1', b'"epoch":2')
    key = encode_b64u(key_of("shop 2").public).encode(), encode_b64u(key_of("shop 1").public).encode()
    edits: list[tuple[str, Vector | None, bytes]] = [
        ("it closes at another record", _place(1, 0), payload.replace(closes, earlier)),
        ("it closes where no record stands", _place(1, 4), payload.replace(closes, beyond)),
        ("it closes another epoch", None, payload.replace(closes, other)),
        ("totals of the whole epoch", _place(1, 1), payload.replace(b'"lapses":0', b'"lapses":1')),
        ("the key of the epoch before, granted again", None, payload.replace(*key)),
        ("epoch 4 behind epoch 1", None, payload.replace(b'"epoch":2', b'"epoch":4', 1)),
    ]
    header = pinned_header(Typ.GRANT, id_of(ROOT), 1)
    return [
        (name, "V11", place, GRANTS, GRANTS, 2, [sign_raw(key_of(ROOT), header, text)])
        for name, place, text in edits
    ]


def _batch(key: SigningKey, epoch: int, payload: bytes) -> bytes:
    return sign_raw(key, pinned_header(Typ.BATCH, id_of("shop"), epoch), payload)


def _place(epoch: int, seq: int) -> Vector:
    return {"issuer": id_of("shop"), "epoch": epoch, "seq": seq}


def _issuer() -> bytes:
    return id_of("shop").encode()


def _other() -> bytes:
    return id_of("other").encode()
