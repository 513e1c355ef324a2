"""Claims about places: what grants, batches and acknowledgements say of records (V11, V15).

Source: PROTOCOL.md, "What a verifier does", step 3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import ACKS, BATCHES, GRANTS, Source
from merchant_agent.evidence.audit_grants import Grants
from merchant_agent.evidence.audit_order import in_epochs
from merchant_agent.evidence.exchange import decode_ack, decode_batch
from merchant_agent.evidence.fields import MAX_EPOCH, Head, Place
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import Totals
from merchant_agent.evidence.verdict import Report

T = TypeVar("T")

_NEVER = (MAX_EPOCH + 1, 0)


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody's word that this link, with these totals if stated, stands at this place."""

    head: Head
    rule: str
    file: str
    line: int
    totals: Totals | None = None


class Claims:
    """Claims in the order of their places, settled as the records pass by.

    `due` is the (epoch, seq) of the next one; compare it before calling. `met` is the newest seq
    of each epoch at which a claim's link stood.
    """

    def __init__(self, issuer: str, claims: Iterator[Claim], report: Report) -> None:
        self._issuer = issuer
        self._claims = claims
        self._report = report
        self._next: Claim | None = None
        self.due = _NEVER
        self.met: dict[int, int] = {}
        self._step()

    def settle(self, head: Head, totals: Totals | None) -> None:
        """Compares the claims about this place and refuses those about places that did not come."""
        place = (head.epoch, head.seq)
        while self._next is not None and self.due <= place:
            claim = self._next
            if self.due != place:
                self._refuse(claim, "no record stands there, or the claims are out of order")
            elif claim.head.link != head.link:
                self._refuse(claim, "another record stands there")
            else:
                self.met[head.epoch] = max(head.seq, self.met.get(head.epoch, -1))
                if claim.totals is not None and totals is not None and claim.totals != totals:
                    self._refuse(claim, "its totals do not go on from there")
            self._step()

    def finish(self) -> None:
        """Refuses the claims about places that never came."""
        while self._next is not None:
            self._refuse(self._next, "no record stands there")
            self._step()

    def _step(self) -> None:
        self._next = next(self._claims, None)
        self.due = _NEVER if self._next is None else (self._next.head.epoch, self._next.head.seq)

    def _refuse(self, claim: Claim, detail: str) -> None:
        place = Place(issuer=self._issuer, epoch=claim.head.epoch, seq=claim.head.seq)
        self._report.violation(claim.rule, detail, file=claim.file, line=claim.line, place=place)


def claims_of_grants(grants: Grants) -> Iterator[Claim]:
    """The heads that grants close, with the totals that they go on from."""
    for granted in grants.by_epoch.values():
        closes = granted.grant.closes
        if closes is not None and closes.seq >= 0:
            yield Claim(closes, "V11", GRANTS, granted.line, granted.grant.totals)


def claims_of_batches(source: Source, grants: Grants) -> Iterator[Claim]:
    """The newest record that each batch names."""
    for line, octets in in_epochs(source, BATCHES, len(grants.by_epoch)):
        batch = _read(octets, Typ.BATCH, decode_batch)
        if batch is not None:
            newest = Head(epoch=batch.epoch, seq=batch.newest.seq, link=batch.newest.link)
            yield Claim(newest, "V15", BATCHES, line)


def claims_of_acks(source: Source, grants: Grants, report: Report) -> Iterator[Claim]:
    """The heads that acknowledgements name; before the first record that is the grant's own link."""
    for line, octets in in_epochs(source, ACKS, len(grants.by_epoch)):
        ack = _read(octets, Typ.ACK, decode_ack)
        if ack is None:
            continue
        if ack.head.seq >= 0:
            yield Claim(ack.head, "V15", ACKS, line)
            continue
        granted = grants.by_epoch.get(ack.epoch)
        if granted is not None and granted.link not in {None, ack.head.link}:
            report.violation("V15", "its head is not the grant", file=ACKS, line=line)


def _read(octets: bytes, typ: Typ, decode: Callable[[bytes], T]) -> T | None:
    """What a payload states; what cannot be read is the exchange audit's to report."""
    try:
        return decode(decode_jws(octets, typ).payload)
    except (VerificationError, FormatError):
        return None
