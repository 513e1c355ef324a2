"""Batches and acknowledgements: what a terminal hands over and what central answers.

Source: PROTOCOL.md, "Upload".
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from msgspec import Meta, field

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import (
    Count,
    Epoch,
    Head,
    Id8,
    Label,
    LogHead,
    Octets16,
    Octets32,
    Seq,
    Wire,
    parse_at,
)
from merchant_agent.evidence.jws import Typ, decode_jws, sign_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_json, encode_b64u, encode_json

MAX_BATCH_RECORDS = 256

Outcome = Literal["accepted", "resend", "behind", "frozen", "refused", "revoked"]


class Newest(Wire, frozen=True, kw_only=True):
    """The terminal's newest record, which commits the whole unsent tail."""

    seq: Seq
    link: Octets32


class Batch(Wire, frozen=True, kw_only=True):
    """What the lines after it are: the records `from_` to `to` of a chain, both included.

    `from_` stands as `from` in JSON. `nonce` is central's, `client_nonce` the terminal's own;
    `checkpoint` is the newest one that the terminal verified, None before the first.
    `lines` is `digest_lines` of them: nobody on the way can put other lines behind a batch.
    """

    issuer: Id8
    epoch: Epoch
    from_: Seq = field(name="from")
    to: Seq
    newest: Newest
    lines: Octets32
    nonce: Octets16
    client_nonce: Octets16
    at: str
    boot: Id8
    uptime_ms: Count
    checkpoint: LogHead | None
    software: Label


class Answer(Wire, frozen=True, kw_only=True):
    """What became of a record that was not newly accepted; `rule` says why it was rejected.

    `stub`: central took its link up and has nothing else of it.
    """

    seq: Seq
    answer: Literal["duplicate", "rejected", "stub"]
    rule: Annotated[str, Meta(pattern=r"^V(1[0-6]|[1-9])\Z")] | None


class Ack(Wire, frozen=True, kw_only=True):
    """Central's answer to the batch with this `client_nonce`.

    `head` is central's own of that chain; `nonce` is what the next batch must carry; `checkpoint`
    is the newest one that central published, None before the first.
    """

    client_nonce: Octets16
    issuer: Id8
    epoch: Epoch
    head: Head
    now: str
    nonce: Octets16
    outcome: Outcome
    answers: Annotated[tuple[Answer, ...], Meta(max_length=MAX_BATCH_RECORDS)]
    checkpoint: LogHead | None


def sign_batch(key: SigningKey, batch: Batch, signer: int | None = None) -> bytes:
    """The batch's octets, signed by the key of the sender's epoch in force, `signer`.

    None: the epoch of the records themselves. Records of an epoch that is over travel under a later one.

    Raises:
        FormatError: no reader would take it.
        VerificationError: V15 where its range makes no sense, or `signer` is an earlier epoch.
    """
    payload = encode_json(batch)
    decode_batch(payload)
    signer = batch.epoch if signer is None else signer
    require_signer(batch, batch.issuer, signer)
    return sign_jws(key, Typ.BATCH, batch.issuer, signer, payload)


def open_batch(octets: bytes, key: VerifyingKey) -> Batch:
    """The batch, signed by the key of the sender's epoch that its header names.

    To find that key, ask `decode_kid(octets, Typ.BATCH)`; the records' own epoch is the batch's.

    Raises:
        VerificationError: V1, V2, V3; V15 where range or key id do not fit.
    """
    jws = decode_jws(octets, Typ.BATCH)
    verify_jws(jws, key)
    try:
        batch = decode_batch(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", f"batch: {error}") from error
    require_signer(batch, jws.issuer, jws.epoch)
    return batch


def sign_ack(key: SigningKey, issuer: str, epoch: int, ack: Ack) -> bytes:
    """The acknowledgement's octets, signed by central's acknowledging key `<issuer>.<epoch>`.

    Raises:
        FormatError: no reader would take it.
    """
    payload = encode_json(ack)
    decode_ack(payload)
    return sign_jws(key, Typ.ACK, issuer, epoch, payload)


def open_ack(octets: bytes, central_keys: Mapping[str, VerifyingKey]) -> Ack:
    """The acknowledgement, signed by one of the keys that the grant lists, given by kid.

    Raises:
        VerificationError: V1, V2, V3; V15 where the grant lists no such key.
    """
    jws = decode_jws(octets, Typ.ACK)
    key = central_keys.get(jws.kid)
    if key is None:
        raise VerificationError("V15", f"acknowledgement: the grant does not list {jws.kid}")
    verify_jws(jws, key)
    try:
        return decode_ack(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", f"acknowledgement: {error}") from error


def encode_upload(batch_octets: bytes, lines: Iterable[bytes]) -> bytes:
    """The body of an upload: the batch, then `encode_line` of each record, a line each."""
    return b"\n".join([batch_octets, *lines, b""])


def digest_lines(lines: Iterable[bytes]) -> str:
    r"""What a batch states of its record lines: SHA-256 over each with its `\n`, 43 characters."""
    covered = hashlib.sha256()
    for line in lines:
        covered.update(line)
        covered.update(b"\n")
    return encode_b64u(covered.digest())


def decode_upload(body: bytes) -> tuple[bytes, list[bytes]]:
    r"""The batch's octets and the record lines, none of them checked.

    Raises:
        FormatError: no closing `\n`, an empty line, no record, or more than 256.
    """
    batch, *lines = body.split(b"\n")
    if not lines or lines.pop() != b"" or not batch or not all(lines):
        raise FormatError("upload: not lines that each end in a newline")
    if not 1 <= len(lines) <= MAX_BATCH_RECORDS:
        raise FormatError(f"upload: {len(lines)} records")
    return batch, lines


def decode_batch(payload: bytes) -> Batch:
    """What a batch's payload states, whoever signed it.

    Raises:
        FormatError: not exactly as PROTOCOL.md has it.
        VerificationError: V15 where its range makes no sense.
    """
    batch = decode_json(payload, Batch)
    parse_at(batch.at)
    if not batch.from_ <= batch.to <= batch.newest.seq or batch.to - batch.from_ >= MAX_BATCH_RECORDS:
        raise VerificationError("V15", f"batch: from {batch.from_} to {batch.to} of {batch.newest.seq}")
    return batch


def require_signer(batch: Batch, issuer: str, epoch: int) -> None:
    """Returns when the epoch's key may sign the batch: the same issuer's, and no epoch before its records'.

    Raises:
        VerificationError: V15.
    """
    if batch.issuer != issuer or batch.epoch > epoch:
        raise VerificationError("V15", f"batch: of {batch.issuer}.{batch.epoch} signed as {issuer}.{epoch}")


def decode_ack(payload: bytes) -> Ack:
    """What an acknowledgement's payload states, whoever signed it.

    Raises:
        FormatError: not exactly as PROTOCOL.md has it.
    """
    ack = decode_json(payload, Ack)
    parse_at(ack.now)
    if ack.head.epoch != ack.epoch:
        raise FormatError("acknowledgement: the head of another epoch")
    for answer in ack.answers:
        if (answer.rule is None) != (answer.answer != "rejected"):
            raise FormatError("acknowledgement: a rule is stated exactly where a record was rejected")
    return ack
