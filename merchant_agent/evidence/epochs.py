r"""Asking for another epoch, and asking how far central knows one.

A terminal whose key, database or past is no longer to be relied upon goes on under a new key. It
asks with the key of its newest epoch, and shows that it holds the new one by a second signature:

    "merchant-agent/epoch/v1\n" | the request's octets

Source: PROTOCOL.md, "Asking for an epoch" and "Central's head".
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import (
    Count,
    Epoch,
    Head,
    Id8,
    Octets16,
    Octets32,
    SeqOrNone,
    Wire,
    parse_at,
)
from merchant_agent.evidence.jws import Typ, decode_jws, sign_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_b64u, decode_json, encode_json

EpochReason = Literal["planned", "suspected", "restored", "damaged", "behind", "frozen"]
ChainState = Literal["active", "frozen", "closed", "revoked"]

_POSSESSION = b"merchant-agent/epoch/v1\n"
_SIGNATURE_BYTES = 64


class EpochRequest(Wire, frozen=True, kw_only=True):
    """A terminal asks that `key` sign its next epoch.

    `epoch` is its newest one, whose key signs the request; `newest` is that epoch's head as the
    terminal has it, seq -1 with the grant's link before its first record.
    """

    issuer: Id8
    epoch: Epoch
    key: Octets32
    reason: EpochReason
    newest: Head
    client_nonce: Octets16
    at: str
    boot: Id8
    uptime_ms: Count

    def verifying_key(self) -> VerifyingKey:
        """The key that is asked for.

        Raises:
            VerificationError: V3 where it is weak.
        """
        return _strong(self.key)


class HeadAnswer(Wire, frozen=True, kw_only=True):
    """How far central knows an epoch, told to whoever holds its key.

    `head` is what central took up; `claimed` the newest seq that a signed batch or request told of,
    -1 before the first; `nonce` what the epoch's next batch must carry. `state` is the epoch's:
    `closed` when a later one is in force.
    """

    client_nonce: Octets16
    issuer: Id8
    epoch: Epoch
    head: Head
    claimed: SeqOrNone
    newest_epoch: Epoch
    state: ChainState
    nonce: Octets16
    now: str


def sign_epoch_request(key: SigningKey, request: EpochRequest) -> bytes:
    """The request's octets, signed by the key of the epoch that it names.

    Raises:
        FormatError: no reader would take it.
        VerificationError: V3 where the new key is weak; V11 where it is the one that signs.
    """
    payload = encode_json(request)
    _require_other_key(decode_epoch_request(payload), key.public)
    return sign_jws(key, Typ.EPOCH, request.issuer, request.epoch, payload)


def open_epoch_request(octets: bytes, key: VerifyingKey) -> EpochRequest:
    """The request, signed by the key of the epoch that its header names.

    Raises:
        VerificationError: V1, V2, V3; V11 where it names another chain than its header, or asks
            for the key that signs it.
    """
    jws = decode_jws(octets, Typ.EPOCH)
    verify_jws(jws, key)
    try:
        request = decode_epoch_request(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", f"epoch request: {error}") from error
    if (request.issuer, request.epoch) != (jws.issuer, jws.epoch):
        raise VerificationError("V11", "epoch request: signed by the key of another chain")
    _require_other_key(request, key.octets)
    return request


def decode_epoch_request(payload: bytes) -> EpochRequest:
    """What a request's payload states, whoever signed it.

    Raises:
        FormatError: not exactly as PROTOCOL.md has it.
        VerificationError: V3 where the new key is weak.
    """
    request = decode_json(payload, EpochRequest)
    parse_at(request.at)
    if request.newest.epoch != request.epoch:
        raise FormatError("epoch request: the head of another epoch")
    request.verifying_key()
    return request


def sign_possession(new_key: SigningKey, octets: bytes) -> bytes:
    """The 64-byte signature by which the new key stands behind the request's octets."""
    return new_key.sign(_POSSESSION + octets)


def verify_possession(key: VerifyingKey, octets: bytes, signature: bytes) -> None:
    """Returns when the holder of the new key made this request.

    Raises:
        VerificationError: V3.
    """
    if len(signature) != _SIGNATURE_BYTES:
        raise VerificationError("V3", f"epoch request: a signature of {len(signature)} bytes")
    key.verify(signature, _POSSESSION + octets)


def sign_head(key: SigningKey, issuer: str, epoch: int, answer: HeadAnswer) -> bytes:
    """The answer's octets, signed by central's acknowledging key `<issuer>.<epoch>`.

    Raises:
        FormatError: no reader would take it.
    """
    payload = encode_json(answer)
    decode_head(payload)
    return sign_jws(key, Typ.HEAD, issuer, epoch, payload)


def open_head(octets: bytes, central_keys: Mapping[str, VerifyingKey]) -> HeadAnswer:
    """The answer, signed by one of the keys that the grant lists, given by kid.

    The caller compares `client_nonce`, `issuer` and `epoch` with what was asked.

    Raises:
        VerificationError: V1, V2, V3; V15 where the grant lists no such key.
    """
    jws = decode_jws(octets, Typ.HEAD)
    key = central_keys.get(jws.kid)
    if key is None:
        raise VerificationError("V15", f"head: the grant does not list {jws.kid}")
    verify_jws(jws, key)
    try:
        return decode_head(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", f"head: {error}") from error


def decode_head(payload: bytes) -> HeadAnswer:
    """What an answer's payload states, whoever signed it.

    Raises:
        FormatError: not exactly as PROTOCOL.md has it.
    """
    answer = decode_json(payload, HeadAnswer)
    parse_at(answer.now)
    if answer.head.epoch != answer.epoch:
        raise FormatError("head: of another epoch")
    if answer.newest_epoch < answer.epoch:
        raise FormatError("head: of an epoch later than the newest")
    return answer


def _require_other_key(request: EpochRequest, signer: bytes) -> None:
    if decode_b64u(request.key) == signer:
        raise VerificationError("V11", "epoch request: for the key that signs it")


def _strong(text: str) -> VerifyingKey:
    try:
        return VerifyingKey(decode_b64u(text, length=32))
    except FormatError as error:
        raise VerificationError("V3", str(error)) from error
