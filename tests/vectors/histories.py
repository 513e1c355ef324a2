"""Vectors of whole histories: chains record by record, and exports with every kind of tampering."""

from __future__ import annotations

import msgspec

from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    KEYS,
    RECORDS,
    encode_disclosure_line,
)
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Typ, decode_jws, link_of
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import encode_trust
from tests.evidence.synthetic import (
    ROOT,
    Export,
    Shop,
    busy_shop,
    disclosure_of,
    id_of,
    key_of,
    trust_of,
)
from tests.vectors.forms import Vector, pinned_header, sign_raw

_SHOP = id_of("shop").encode()
_Edit = dict[str, object]
_Bad = tuple[str, str, Vector | None, list[_Edit]]


def chains() -> Vector:
    shop = busy_shop()
    records = shop.records[:5]
    first = decode_jws(records[0], Typ.RECORD).payload
    second = decode_jws(records[1], Typ.RECORD).payload
    bad = {
        "a record left out": ("V4", 2, [records[0], records[2]]),
        "the first record left out": ("V4", 1, [records[1]]),
        "a record twice": ("V4", 0, [records[0], records[0]]),
        "an earlier record again": ("V4", 0, [records[0], records[1], records[0]]),
        "a record of another issuer": ("V4", 0, [_signed(first.replace(_SHOP, id_of("other").encode()))]),
        "a record of another epoch": ("V4", 0, [_signed(first.replace(b'"epoch":1', b'"epoch":2'))]),
        "a chain prepared without the grant": ("V5", 0, [_signed(_with_prev(first, "A" * 43))]),
        "a record that follows another": ("V5", 1, [records[0], _signed(_with_prev(second, "A" * 43))]),
        "a rating that is not counted": (
            "V6",
            1,
            [records[0], _signed(second.replace(b'"ratings":[0,0,1,0,0]', b'"ratings":[0,0,0,0,0]'))],
        ),
        "a rating that counts as a better one": (
            "V6",
            1,
            [records[0], _signed(second.replace(b'"ratings":[0,0,1,0,0]', b'"ratings":[0,0,0,0,1]'))],
        ),
        "a kind that is not known": ("V1", 0, [_signed(first.replace(b'"prompt"', b'"praise"', 1))]),
        "a place that cannot be read": ("V1", None, [_signed(b"{}")]),
        "the key of another epoch": ("V2", None, [_signed(first, epoch=2)]),
        "the signature of another key": ("V3", None, [_signed(first, by="stranger")]),
    }
    return {
        "root": {f"{id_of(ROOT)}.1": key_of(ROOT).public.hex()},
        "grant": shop.grants[0].decode(),
        "good": [octets.decode() for octets in records],
        "head": msgspec.to_builtins(Head(epoch=1, seq=4, link=link_of(records[4]))),
        "bad": [
            {"name": name, "rule": rule, "seq": seq, "records": [octets.decode() for octets in lines]}
            for name, (rule, seq, lines) in bad.items()
        ],
    }


def exports() -> Vector:
    """One good export, and edits of it: `line` (from 1) of `file` is replaced by `lines`."""
    export = busy_shop().export()
    return {
        "trust": encode_trust(trust_of()).decode(),
        "files": {name: [line.decode() for line in lines] for name, lines in export.files.items()},
        "bad": [
            {"name": name, "rule": rule, "place": place, "file": _named_file(name, edits), "edits": edits}
            for name, rule, place, edits in [
                *_bad_records(export),
                *_bad_disclosures(export),
                *_bad_exchange(export),
                *_bad_grants(export),
            ]
        ],
    }


def _bad_records(export: Export) -> list[_Bad]:
    records = export.files[RECORDS]
    payload = decode_jws(records[4], Typ.RECORD).payload
    foreign = Shop("other shop")
    foreign.sale()
    return [
        ("a byte of a record changed", "V3", _place(1, 4), [_edit(RECORDS, 5, _other_byte(records[4], 400))]),
        ("a byte of a header changed", "V2", _place(1, 4), [_edit(RECORDS, 5, _other_byte(records[4], 4))]),
        (
            "a dot of a record changed",
            "V1",
            _place(1, 4),
            [_edit(RECORDS, 5, records[4].replace(b".", b"A", 1))],
        ),
        (
            "the last record's signature changed",
            "V3",
            _place(2, 3),
            [_edit(RECORDS, 14, _other_byte(records[13], -5))],
        ),
        ("a record left out", "V4", _place(1, 4), [_edit(RECORDS, 5)]),
        ("the first record left out", "V4", _place(1, 0), [_edit(RECORDS, 1)]),
        ("the last record left out", "V15", _place(2, 3), [_edit(RECORDS, 14)]),
        ("the last record of an epoch left out", "V11", _place(1, 9), [_edit(RECORDS, 10)]),
        (
            "two records exchanged",
            "V4",
            _place(1, 4),
            [_edit(RECORDS, 5, records[5]), _edit(RECORDS, 6, records[4])],
        ),
        ("a record twice", "V4", _place(1, 4), [_edit(RECORDS, 5, records[4], records[4])]),
        ("an epoch that comes again", "V4", _place(1, 4), [_edit(RECORDS, 14, records[13], records[4])]),
        (
            "a record signed anew",
            "V5",
            _place(1, 5),
            [_edit(RECORDS, 5, _signed(payload.replace(b":true", b":false")))],
        ),
        (
            "a record of another shop",
            "V11",
            {"issuer": id_of("other shop"), "epoch": 1, "seq": 0},
            [_edit(RECORDS, 14, records[13], foreign.records[0])],
        ),
        ("an empty line", "V1", _place(1, 4), [_edit(RECORDS, 5, b"", records[4])]),
    ]


def _bad_disclosures(export: Export) -> list[_Bad]:
    lines = export.files[DISCLOSURES]
    other = encode_disclosure_line(1, 1, disclosure_of("comment", "all well"))
    stray = encode_disclosure_line(1, 2, disclosure_of("comment", "all well"))
    return [
        ("words exchanged for others", "V10", _place(1, 1), [_edit(DISCLOSURES, 1, other)]),
        ("words added", "V10", _place(1, 2), [_edit(DISCLOSURES, 1, lines[0], stray)]),
        ("words twice", "V10", _place(1, 1), [_edit(DISCLOSURES, 1, lines[0], lines[0])]),
        ("words bad and then good", "V10", _place(1, 1), [_edit(DISCLOSURES, 1, other, lines[0])]),
        (
            "words of other records exchanged",
            "V10",
            _place(1, 1),
            [_edit(DISCLOSURES, 1, lines[1]), _edit(DISCLOSURES, 2, lines[0])],
        ),
        (
            "words of no record",
            "V10",
            _place(2, 9),
            [
                _edit(
                    DISCLOSURES,
                    len(lines),
                    lines[-1],
                    encode_disclosure_line(2, 9, disclosure_of("comment", "x")),
                )
            ],
        ),
        ("a space in a line", "V1", None, [_edit(DISCLOSURES, 1, lines[0].replace(b",", b", ", 1))]),
    ]


def _bad_exchange(export: Export) -> list[_Bad]:
    batches, acks = export.files[BATCHES], export.files[ACKS]
    return [
        ("a byte of a batch changed", "V3", None, [_edit(BATCHES, 1, _other_byte(batches[0], 300))]),
        ("a byte of an acknowledgement changed", "V3", None, [_edit(ACKS, 1, _other_byte(acks[0], 300))]),
        ("a batch left out", "V15", None, [_edit(BATCHES, 1)]),
        ("an acknowledgement left out", "V15", None, [_edit(ACKS, 1)]),
        (
            "two batches exchanged",
            "V15",
            None,
            [_edit(BATCHES, 1, batches[1]), _edit(BATCHES, 2, batches[0])],
        ),
        ("two acknowledgements exchanged", "V15", None, [_edit(ACKS, 1, acks[1]), _edit(ACKS, 2, acks[0])]),
        ("a batch twice", "V15", None, [_edit(BATCHES, 1, batches[0], batches[0])]),
    ]


def _bad_grants(export: Export) -> list[_Bad]:
    grants = export.files[GRANTS]
    payload = decode_jws(grants[1], Typ.GRANT).payload
    closing = payload.index(b'"closes":')
    keys = export.files[KEYS]
    home_made = Shop(root="home-made root")
    return [
        ("a byte of a grant changed", "V3", None, [_edit(GRANTS, 2, _other_byte(grants[1], 300))]),
        ("a grant left out", "V11", _place(2, 0), [_edit(GRANTS, 2)]),
        ("the first grant left out", "V11", None, [_edit(GRANTS, 1)]),
        ("a home-made root key", "V11", None, [_edit(GRANTS, 1, home_made.grants[0])]),
        (
            "a grant with other totals",
            "V11",
            _place(1, 9),
            [_edit(GRANTS, 2, _granted(payload.replace(b'"complaints":1', b'"complaints":0')))],
        ),
        (
            "a grant that closes nothing",
            "V11",
            None,
            [
                _edit(
                    GRANTS,
                    2,
                    _granted(
                        payload[:closing] + b'"closes":null' + payload[payload.index(b"}", closing) + 1 :]
                    ),
                )
            ],
        ),
        (
            "the key of the epoch before",
            "V11",
            None,
            [
                _edit(
                    GRANTS,
                    2,
                    _granted(
                        payload.replace(
                            encode_b64u(key_of("shop 2").public).encode(),
                            encode_b64u(key_of("shop 1").public).encode(),
                        )
                    ),
                )
            ],
        ),
        (
            "another key in the key set",
            "V11",
            _place(1, 0),
            [
                _edit(
                    KEYS,
                    4,
                    keys[3].replace(
                        encode_b64u(key_of("shop 1").public).encode(),
                        encode_b64u(key_of("other").public).encode(),
                    ),
                )
            ],
        ),
    ]


def _edit(file: str, line: int, *lines: bytes) -> _Edit:
    return {"file": file, "line": line, "lines": [text.decode() for text in lines]}


def _named_file(name: str, edits: list[_Edit]) -> object:
    """The file in which the violation is named: the edited one, unless it lacks a line that another asks for."""
    return {
        "an acknowledgement left out": BATCHES,
        "a grant left out": RECORDS,
        "the last record left out": BATCHES,
        "the last record of an epoch left out": GRANTS,
    }.get(name, edits[0]["file"])


def _place(epoch: int, seq: int) -> Vector:
    return {"issuer": id_of("shop"), "epoch": epoch, "seq": seq}


def _other_byte(octets: bytes, index: int) -> bytes:
    """The octets with one byte replaced by another of base64url."""
    changed = bytearray(octets)
    changed[index] = ord("A") if changed[index] != ord("A") else ord("E")
    return bytes(changed)


def _granted(payload: bytes) -> bytes:
    return sign_raw(key_of(ROOT), pinned_header(Typ.GRANT, id_of(ROOT), 1), payload)


def _signed(payload: bytes, *, by: str = "shop 1", epoch: int = 1) -> bytes:
    return sign_raw(key_of(by), pinned_header(Typ.RECORD, id_of("shop"), epoch), payload)


def _with_prev(payload: bytes, link: str) -> bytes:
    start = payload.index(b'"prev":"') + len(b'"prev":"')
    return payload[:start] + link.encode() + payload[start + 43 :]
