"""Vectors of an export with slips and a log, and edits that contradict what was promised or logged."""

from __future__ import annotations

from collections.abc import Mapping

from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    LOG_KEYS,
    RECORDS,
    SLIPS,
    checkpoint_name,
    consistency_name,
    encode_slip_line,
    proof_name,
)
from merchant_agent.evidence.bodies import HeartbeatBody, Kind, PromptBody
from merchant_agent.evidence.slip import decode_slip, sign_slip
from merchant_agent.evidence.trust import encode_trust
from tests.evidence.logged import START_S, GrownLog, logged_shop, logged_trust
from tests.evidence.synthetic import Export, Shop, id_of, key_of
from tests.vectors.forms import Vector

_Files = Mapping[str, list[bytes] | None]


def logged() -> Vector:
    """`bad` replaces whole files of the good export, or leaves them out where they are null."""
    export = logged_shop().export()
    return {
        "trust": encode_trust(logged_trust()).decode(),
        "files": _texts(export.files),
        "bad": [
            {"name": name, "rule": rule, "place": place, "file": file, "files": _texts(files)}
            for name, rule, place, file, files in [
                *_bad_slips(export),
                *_bad_log(export),
                *_bad_answers(export),
            ]
        ],
    }


_Bad = tuple[str, str, Vector | None, str, _Files]


def _bad_slips(export: Export) -> list[_Bad]:
    shop = logged_shop()
    first = shop.slips[0][2]
    lines = export.files[SLIPS]
    better = Shop()
    better.sale()
    better.rate(5)
    forged = sign_slip(key_of("stranger"), decode_slip(first))
    cases: list[tuple[str, str, Vector, list[bytes]]] = [
        ("a slip of another record", "V12", _place(3), [_line(3, better.slip(level=5)), lines[1]]),
        ("a slip signed by a stranger", "V12", _place(3), [_line(3, forged), lines[1]]),
        ("a slip of a place without a record", "V12", _place(77), [*lines, _line(77, first)]),
        ("a slip in another place's line", "V12", _place(2), [_line(2, first), lines[1]]),
        ("slips exchanged", "V12", _place(3), [lines[1], lines[0]]),
        ("a slip twice", "V12", _place(3), [lines[0], lines[0], lines[1]]),
        ("a slip over half of it", "V1", _place(3), [_line(3, first[:60]), lines[1]]),
    ]
    return [
        (name, rule, place if rule == "V12" else None, SLIPS, {SLIPS: changed})
        for name, rule, place, changed in cases
    ]


def _bad_log(export: Export) -> list[_Bad]:
    files = export.files
    other = GrownLog()
    for number in range(8):
        other.append(b"leaf %d" % number)
    other.publish(START_S)
    split = other.checkpoints[8].split(b"\n")[:-1]
    note, again = checkpoint_name(8), checkpoint_name(8, again=1)
    proof = proof_name(1, 9)
    connection = consistency_name(5, 8)
    return [
        ("a checkpoint left out", "V7", _place(7), RECORDS, {note: None}),
        ("a checkpoint changed", "V14", None, note, {note: [*files[note][:1], b"9", *files[note][2:]]}),
        ("two roots for one size", "V14", None, again, {again: split}),
        ("a checkpoint of another history", "V14", None, connection, {note: split}),
        ("a consistency proof left out", "V14", None, connection, {connection: None}),
        ("a consistency proof changed", "V14", None, connection, {connection: files[connection][:-1]}),
        ("a proof of another record", "V14", _place(9), proof, {proof: files[proof_name(1, 3)]}),
        (
            "a proof of no record",
            "V14",
            _place(77),
            proof_name(1, 77),
            {proof_name(1, 77): files[proof]},
        ),
        ("a key of another log", "V14", None, LOG_KEYS, {LOG_KEYS: [b"central.example/log+00000000+AAAA"]}),
    ]


def _bad_answers(export: Export) -> list[_Bad]:
    """Other records than those that are logged: ratings of prompts that cannot have been answered."""
    nothing: dict[str, list[bytes] | None] = {
        name: None if name.startswith("proofs/") else []
        for name in (*export.files, SLIPS)
        if name.startswith("proofs/") or name in {SLIPS, BATCHES, ACKS, DISCLOSURES}
    }
    lapsed, receipt, other = Shop(), Shop(), Shop()
    prompt = lapsed.sale()
    lapsed.lapse(prompt)
    lapsed.rate(5, prompt=prompt)
    unasked = PromptBody(till="1", source="http", sale="counter", asks=False, tag=id_of("tag"))
    receipt.rate(5, prompt=receipt.append(Kind.PROMPT, unasked))
    other.rate(5, prompt=other.append(Kind.HEARTBEAT, HeartbeatBody(waiting=0)))
    shops = {
        "a rating after the lapse": lapsed,
        "a rating that only the receipt asked for": receipt,
        "a rating of no prompt": other,
    }
    return [
        (name, "V16", _place(shop.chain.seq), RECORDS, {**nothing, RECORDS: shop.records})
        for name, shop in shops.items()
    ]


def _line(seq: int, slip: bytes) -> bytes:
    return encode_slip_line(1, seq, slip)


def _place(seq: int) -> Vector:
    return {"issuer": id_of("shop"), "epoch": 1, "seq": seq}


def _texts(files: _Files) -> dict[str, list[str] | None]:
    return {
        name: None if lines is None else [line.decode() for line in lines] for name, lines in files.items()
    }
