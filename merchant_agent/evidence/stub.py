"""Stubs: what travels in place of a record that is too large for the way to central.

A stub names the record by its link, so that the chain goes on behind it; the record stays in the
shop's ledger and exports.

Source: PROTOCOL.md, "Stubs".
"""

from __future__ import annotations

from typing import Literal

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import Epoch, Id8, Octets32, Seq, Wire
from merchant_agent.evidence.jws import Typ, decode_jws, decode_typ, sign_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_json, encode_json


class Stub(Wire, frozen=True, kw_only=True):
    """The record with this link stands at this place and does not come by itself."""

    issuer: Id8
    epoch: Epoch
    seq: Seq
    link: Octets32
    reason: Literal["too_large"]


def sign_stub(key: SigningKey, stub: Stub, signer: int | None = None) -> bytes:
    """The stub's octets, signed by the key of the sender's epoch `signer`; None: of the record's own.

    Raises:
        FormatError: no reader would take it.
        VerificationError: V15 where `signer` is an earlier epoch than the record's.
    """
    payload = encode_json(stub)
    decode_json(payload, Stub)
    signer = stub.epoch if signer is None else signer
    _require_signer(stub, stub.issuer, signer)
    return sign_jws(key, Typ.STUB, stub.issuer, signer, payload)


def is_stub(octets: bytes) -> bool:
    """Whether the line's header says that it is a stub, whatever follows it."""
    return decode_typ(octets) is Typ.STUB


def open_stub(octets: bytes, key: VerifyingKey) -> Stub:
    """The stub, signed by the key of the issuer's epoch that its header names.

    Raises:
        VerificationError: V1, V2, V3; V15 where the key is of another issuer, or of an epoch before
            the record's.
    """
    jws = decode_jws(octets, Typ.STUB)
    verify_jws(jws, key)
    try:
        stub = decode_json(jws.payload, Stub)
    except FormatError as error:
        raise VerificationError("V1", f"stub: {error}") from error
    _require_signer(stub, jws.issuer, jws.epoch)
    return stub


def _require_signer(stub: Stub, issuer: str, epoch: int) -> None:
    if stub.issuer != issuer or stub.epoch > epoch:
        raise VerificationError("V15", f"stub: of {stub.issuer}.{stub.epoch} signed as {issuer}.{epoch}")
