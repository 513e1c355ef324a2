"""Slips: the promise over what a customer said, made in the transaction that signs it.

Source: PROTOCOL.md, "Slip".
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import NamedTuple

from merchant_agent.evidence.bodies import ComplaintBody, RatingBody, SuggestionBody
from merchant_agent.evidence.fields import parse_at
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.record import Record
from merchant_agent.evidence.slip import Slip as Promise
from merchant_agent.evidence.slip import decode_slip, open_slip, sign_slip
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.store.models import Slip

_SLIP = ("epoch", "seq", "octets", "prompt_epoch", "prompt_seq")
_BEFORE = (
    "SELECT octets FROM slip WHERE prompt_epoch = ? AND prompt_seq = ? ORDER BY epoch DESC, seq DESC LIMIT 1"
)
_AT = "SELECT octets FROM slip WHERE epoch = ? AND seq = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class SlipSigner:
    """An epoch's key and deadline; `verifying` checks what that key signed."""

    key: SigningKey
    verifying: VerifyingKey
    deadline_hours: int

    def promise(
        self, writer: Writer, record: Record, leaf: bytes, disclosed: Collection[str]
    ) -> bytes | None:
        """The slip over a record that was just signed, kept with it; None where nobody said anything.

        Its flags are those of the visit's slip before, and what this record adds; `disclosed` are
        the names of the record's erasable members.

        Raises:
            StoreError: it could not be written; the transaction can only be rolled back.
            VerificationError: the verifier refused it; nothing of it was written.
        """
        if not isinstance(record.body, RatingBody | SuggestionBody | ComplaintBody):
            return None
        visit = _visit_of(record)
        told = _told_before(writer, visit).and_by(record, has_contact="contact" in disclosed)
        slip = Promise(
            place=record.place,
            time=int(parse_at(record.at).timestamp()),
            level=told.level,
            complaint=told.complaint,
            contact=told.contact,
            suggestion=told.suggestion,
            deadline_hours=self.deadline_hours,
            leaf=leaf,
        )
        octets = sign_slip(self.key, slip)
        open_slip(octets, self.verifying)
        writer.copy_rows(Slip, _SLIP, [(record.epoch, record.seq, octets, *visit)])
        return octets


def slip_at(reader: Reader, epoch: int, seq: int) -> bytes | None:
    """The slip over the record that stands there."""
    rows = reader.rows(_AT, epoch, seq)
    return bytes(rows[0][0]) if rows else None


class _Told(NamedTuple):
    """What was left at a visit so far."""

    level: int = 0
    complaint: bool = False
    contact: bool = False
    suggestion: bool = False

    def and_by(self, record: Record, *, has_contact: bool) -> _Told:
        body = record.body
        return _Told(
            level=body.level if isinstance(body, RatingBody) else self.level,
            complaint=self.complaint or isinstance(body, ComplaintBody),
            contact=self.contact or has_contact,
            suggestion=self.suggestion or isinstance(body, SuggestionBody),
        )


def _visit_of(record: Record) -> tuple[int | None, int | None]:
    """The prompt's place; a record about no prompt of ours is a visit by itself."""
    prompt = record.about.prompt
    if prompt is None or prompt.issuer != record.issuer:
        return None, None
    return prompt.epoch, prompt.seq


def _told_before(reader: Reader, visit: tuple[int | None, int | None]) -> _Told:
    rows = [] if None in visit else reader.rows(_BEFORE, *visit)
    if not rows:
        return _Told()
    slip = decode_slip(bytes(rows[0][0]))
    return _Told(slip.level, slip.complaint, slip.contact, slip.suggestion)
