"""Reading an answer: every answer that a server can give, and what it is worth.

Delivered is what central signed for exactly this batch. A captive portal's 200, a forged
acknowledgement and a refusal that nobody signed prove nothing and change nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.exchange import Ack, Batch, open_ack
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import decode_with
from merchant_agent.terminal.upload.client import Answered, NoAnswer
from merchant_agent.terminal.upload.outcome import Code, Outcome, Signed
from merchant_agent.terminal.upload.retry_after import retry_after_s


class _Body(msgspec.Struct, frozen=True, kw_only=True):
    """The members that matter of the JSON that central answers with."""

    ack: str
    checkpoint: str | None = None


_BODY: msgspec.json.Decoder[_Body] = msgspec.json.Decoder(_Body)

# The statuses with which central gives its signed word, and what the word may then be.
_SIGNED_STATUSES: Mapping[int, frozenset[Code]] = {
    200: frozenset({Code.ACCEPTED}),
    201: frozenset({Code.ACCEPTED}),
    409: frozenset({Code.RESEND, Code.BEHIND}),
    422: frozenset({Code.REFUSED}),
    423: frozenset({Code.FROZEN, Code.REVOKED}),
}
_DELIVERED = frozenset({200, 201})
_SERVER_ERRORS = 500

# 511 is a captive portal that says so. Source: RFC 6585, section 6.
_UNSIGNED_STATUSES: Mapping[int, Code] = {
    401: Code.NOT_ADMITTED,
    403: Code.NOT_ADMITTED,
    404: Code.WRONG_SERVER,
    405: Code.WRONG_SERVER,
    407: Code.UNREACHABLE,
    408: Code.BUSY,
    413: Code.TOO_LARGE,
    425: Code.BUSY,
    429: Code.BUSY,
    511: Code.WRONG_SERVER,
}


def read_answer(
    answer: Answered | NoAnswer, batch: Batch, central_keys: Mapping[str, VerifyingKey]
) -> Outcome:
    """What the answer to this batch is worth; `central_keys` are those of its signer's grant, by kid."""
    if isinstance(answer, NoAnswer):
        return Outcome(code=Code.UNREACHABLE, detail=answer.detail)
    if answer.status in _SIGNED_STATUSES:
        return _read_signed(answer, batch, central_keys)
    code = _unsigned_code(answer.status)
    wait = retry_after_s(answer.headers) if code is Code.BUSY else None
    return Outcome(code=code, detail=f"HTTP {answer.status}", retry_after_s=wait)


def _unsigned_code(status: int) -> Code:
    if status in _UNSIGNED_STATUSES:
        return _UNSIGNED_STATUSES[status]
    if status // 100 == 3:  # noqa: PLR2004 -- a redirect of whatever kind
        return Code.WRONG_SERVER
    return Code.BUSY if status >= _SERVER_ERRORS else Code.UNTRUSTED


def _read_signed(answer: Answered, batch: Batch, central_keys: Mapping[str, VerifyingKey]) -> Outcome:
    if not answer.body and "content-length" not in answer.headers:
        # http.client takes a head that breaks off for a whole one.
        return Outcome(code=Code.UNREACHABLE, detail="the answer broke off")
    try:
        told = decode_with(_BODY, answer.body)
        octets = told.ack.encode("ascii")
    except (FormatError, UnicodeEncodeError):
        # A page with 200 is a captive portal's; a page with 409, 422 or 423 is anybody's.
        code = Code.WRONG_SERVER if answer.status in _DELIVERED else Code.UNTRUSTED
        return Outcome(code=code, detail=f"HTTP {answer.status} without an acknowledgement")
    try:
        ack = open_ack(octets, central_keys)
    except VerificationError as error:
        return Outcome(code=Code.UNTRUSTED, detail=f"HTTP {answer.status}: {error}")
    doubt = _doubt(ack, batch, answer.status)
    if doubt:
        return Outcome(code=Code.UNTRUSTED, detail=f"HTTP {answer.status}: {doubt}")
    note = None if told.checkpoint is None else told.checkpoint.encode()
    return Outcome(code=Code(ack.outcome), signed=Signed(ack=ack, octets=octets, note=note))


def _doubt(ack: Ack, batch: Batch, status: int) -> str:
    """Why a validly signed acknowledgement is not one of this batch; empty where it is."""
    if ack.client_nonce != batch.client_nonce:
        return "the acknowledgement is of another batch"
    if (ack.issuer, ack.epoch) != (batch.issuer, batch.epoch):
        return "the acknowledgement is of another chain"
    if Code(ack.outcome) not in _SIGNED_STATUSES[status]:
        return f"the acknowledgement says {ack.outcome}"
    if ack.outcome == "accepted" and ack.head.seq < batch.to:
        return f"accepted to {batch.to} with head {ack.head.seq}"
    if any(not batch.from_ <= answer.seq <= batch.to for answer in ack.answers):
        return "the acknowledgement answers records that were not sent"
    return ""
