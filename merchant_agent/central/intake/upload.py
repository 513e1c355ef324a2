"""An upload as it came: its batch line and record lines, their signatures checked, nothing else believed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from merchant_agent.central.store.issuers import Granted
from merchant_agent.errors import FormatError, InvalidError, NotFoundError, VerificationError
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.exchange import (
    Batch,
    decode_batch,
    decode_upload,
    digest_lines,
    open_batch,
    require_signer,
)
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, decode_kid
from merchant_agent.evidence.octets import decode_json
from merchant_agent.evidence.stub import Stub, is_stub, open_stub

_NOWHERE = "A" * 43

FindEpoch = Callable[[int], Granted]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawUpload:
    """A body taken apart; `jws` is the batch's, and nobody has checked who signed it."""

    jws: Jws
    lines: Sequence[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A record's line, or a stub's: `signed` is what the issuer's key signed, or why it did not.

    A stub is of the upload's chain, wherever it stands in it.
    """

    octets: bytes
    record: bytes
    disclosures: Sequence[str]
    signed: Jws | Stub | VerificationError


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A batch that its issuer signed, and the lines that came with it.

    `granted` is the epoch of the records; a later one's key, of the epoch `signer`, may have signed the batch. `digest` is
    SHA-256 of the batch's octets. `flaw` says why the batch does not describe what
    came (V15); where it is None, the lines are those of `from` to `to`.
    """

    granted: Granted
    signer: int
    octets: bytes
    digest: bytes
    batch: Batch
    lines: Sequence[Line]
    flaw: str | None


def read_upload(issuer: str, body: bytes) -> RawUpload:
    """The parts of a body that was sent to the issuer's address.

    Raises:
        FormatError: no lines, or the first is no batch: there is nobody to answer by signature.
        InvalidError: "batch-issuer", when the batch is another issuer's.
    """
    octets, lines = decode_upload(body)
    try:
        jws = decode_jws(octets, Typ.BATCH)
    except VerificationError as error:
        raise FormatError(f"batch: {error}") from error
    if jws.issuer != issuer:
        raise InvalidError("batch-issuer", f"the batch is of {jws.kid}")
    return RawUpload(jws=jws, lines=lines)


def open_upload(raw: RawUpload, find: FindEpoch) -> Upload:
    """The upload, with every signature in it checked by the keys that `find` knows as granted.

    Raises:
        NotFoundError: "issuer", where an epoch was not granted.
        FormatError: the batch does not say what a batch says, or was signed over other lines: somebody
            on the way changed them, and the issuer is not to be blamed.
        InvalidError: "batch-signature", when the key did not sign the batch.
    """
    octets = raw.jws.octets
    signer = find(raw.jws.epoch)
    batch = decode_json(raw.jws.payload, Batch)
    flaw = _flaw(raw, batch)
    try:
        open_batch(octets, signer.key)
    except VerificationError as error:
        if error.rule != "V15":
            raise InvalidError("batch-signature", str(error)) from error
    if batch.lines != digest_lines(raw.lines):
        raise FormatError("the lines are not those that the batch was signed over")
    granted = find(batch.epoch) if _may_sign(raw.jws, batch) else signer
    # Only the key matters here: where the records stand is judged later.
    opener = Chain.resume(
        granted.issuer,
        granted.epoch,
        granted.key,
        Head(epoch=granted.epoch, seq=-1, link=_NOWHERE),
        None,
        role="terminal",
    )
    return Upload(
        granted=granted,
        signer=signer.epoch,
        octets=octets,
        digest=hashlib.sha256(octets).digest(),
        batch=batch,
        lines=[] if flaw else [_open_line(opener, find, line) for line in raw.lines],
        flaw=flaw,
    )


def _flaw(raw: RawUpload, batch: Batch) -> str | None:
    try:
        decode_batch(raw.jws.payload)
    except VerificationError as error:
        return error.detail
    if not _may_sign(raw.jws, batch):
        return f"a batch of {batch.issuer}.{batch.epoch} signed as {raw.jws.kid}"
    if batch.to - batch.from_ + 1 != len(raw.lines):
        return f"{len(raw.lines)} lines for {batch.from_} to {batch.to}"
    return None


def _may_sign(jws: Jws, batch: Batch) -> bool:
    try:
        require_signer(batch, jws.issuer, jws.epoch)
    except VerificationError:
        return False
    return True


def _open_line(opener: Chain, find: FindEpoch, line: bytes) -> Line:
    """The line taken apart; one that is not of its form gets a disclosure that breaks V10."""
    record, *parts = line.split(b"~")
    texts = [part.decode("latin-1") for part in parts]
    disclosures = texts[:-1] if texts and not texts[-1] else [*texts, ""]
    signed: Jws | Stub | VerificationError
    try:
        signed = _open_stub(opener, find, record) if is_stub(record) else opener.open(record)
    except VerificationError as error:
        signed = error
    return Line(octets=line, record=record, disclosures=disclosures, signed=signed)


def _open_stub(opener: Chain, find: FindEpoch, octets: bytes) -> Stub:
    issuer, epoch = decode_kid(octets, Typ.STUB)
    if issuer != opener.issuer:
        raise VerificationError("V2", f"the key id {issuer}.{epoch} is of another issuer")
    try:
        key = find(epoch).key
    except NotFoundError as error:
        raise VerificationError("V3", str(error)) from error
    stub = open_stub(octets, key)
    if stub.epoch != opener.epoch:
        raise VerificationError("V4", f"a stub of epoch {stub.epoch}", seq=stub.seq)
    return stub
