"""What became of an attempt to upload, as the shop and the retry have to know it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from merchant_agent.evidence.exchange import Ack


class Code(StrEnum):
    """Kinds of outcomes; the first six are central's signed word, nothing else is.

    `halved` is a batch that was too large and makes way for a smaller one; `too-large` is one
    record that was. `failed` is this machine's own fault, such as a full disk.
    """

    ACCEPTED = "accepted"
    RESEND = "resend"
    BEHIND = "behind"
    FROZEN = "frozen"
    REVOKED = "revoked"
    REFUSED = "refused"
    NOTHING = "nothing"
    UNREACHABLE = "unreachable"
    BUSY = "busy"
    NOT_ADMITTED = "not-admitted"
    WRONG_SERVER = "wrong-server"
    UNTRUSTED = "untrusted"
    TOO_LARGE = "too-large"
    HALVED = "halved"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Signed:
    """Central's acknowledgement, its signature verified, and the octets that prove it.

    `note` is the checkpoint that came beside it, which nobody has verified yet; None where none did.
    """

    ack: Ack
    octets: bytes
    note: bytes | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`signed` is there exactly for central's signed word; `detail` is for the log.

    `retry_after_s` is what the answer asked for, within 1 s and 6 h; None where it did not.
    """

    code: Code
    detail: str = ""
    signed: Signed | None = None
    retry_after_s: float | None = None


NOTHING = Outcome(code=Code.NOTHING)
