"""An upload as it came: its batch line and record lines, none of them believed yet."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from merchant_agent.errors import FormatError, InvalidError, VerificationError
from merchant_agent.evidence.exchange import Batch, decode_batch, decode_upload, open_batch
from merchant_agent.evidence.jws import Jws, Typ, decode_jws
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import decode_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A batch, by the chain that its key id names, and the lines that came with it.

    `digest` is SHA-256 of the batch's octets. `flaw` says why the batch does not describe what
    it is about (V15); None where it does: then the lines are its `from` to `to`.
    """

    issuer: str
    epoch: int
    octets: bytes
    digest: bytes
    batch: Batch
    lines: list[bytes]
    flaw: str | None

    def require_signed(self, key: VerifyingKey) -> None:
        """Returns when the key of its chain signed the batch, even a flawed one.

        Raises:
            InvalidError: "batch-signature".
        """
        try:
            open_batch(self.octets, key)
        except VerificationError as error:
            if error.rule != "V15":
                raise InvalidError("batch-signature", str(error)) from error


def read_upload(issuer: str, body: bytes) -> Upload:
    """The upload in a body, for the issuer whose address it was sent to.

    Raises:
        FormatError: no lines, or the batch line is no batch; nobody can be answered by signature.
        InvalidError: "batch-issuer", when the batch is another issuer's.
    """
    octets, lines = decode_upload(body)
    try:
        jws = decode_jws(octets, Typ.BATCH)
    except VerificationError as error:
        raise FormatError(f"batch: {error}") from error
    if jws.issuer != issuer:
        raise InvalidError("batch-issuer", f"the batch is of {jws.kid}")
    batch = decode_json(jws.payload, Batch)
    return Upload(
        issuer=jws.issuer,
        epoch=jws.epoch,
        octets=octets,
        digest=hashlib.sha256(octets).digest(),
        batch=batch,
        lines=lines,
        flaw=_flaw(jws, batch, len(lines)),
    )


def _flaw(jws: Jws, batch: Batch, lines: int) -> str | None:
    try:
        decode_batch(jws.payload)
    except VerificationError as error:
        return error.detail
    if (batch.issuer, batch.epoch) != (jws.issuer, jws.epoch):
        return f"a batch of {batch.issuer}.{batch.epoch} signed as {jws.kid}"
    if batch.to - batch.from_ + 1 != lines:
        return f"{lines} lines for {batch.from_} to {batch.to}"
    return None
