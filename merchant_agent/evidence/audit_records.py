"""Auditing records: the chain of every epoch (V1 to V6, V10), going on after each violation.

Batches, acknowledgements and grants that name a place and its link are compared on the way
(V15, V11), all read side by side, so that memory stays flat.
Source: PROTOCOL.md, "What a verifier does", step 2.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    MAX_LINE_BYTES,
    RECORDS,
    DisclosureLine,
    Source,
)
from merchant_agent.evidence.audit_grants import Granted, Grants
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.exchange import decode_ack, decode_batch
from merchant_agent.evidence.fields import Head, Place
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of, verify_jws
from merchant_agent.evidence.octets import decode_json
from merchant_agent.evidence.record import Peek, Totals, peek_record
from merchant_agent.evidence.verdict import Report

T = TypeVar("T")

_UNKNOWN_LINK = "A" * 43


@dataclass(frozen=True, slots=True)
class _Claim:
    """Somebody's word that this link stands at this place."""

    head: Head
    rule: str
    file: str
    line: int
    totals: Totals | None = None


class _Claims:
    """Claims in the order of their places, compared as the records pass by."""

    def __init__(self, issuer: str, claims: Iterator[_Claim], report: Report) -> None:
        self._issuer = issuer
        self._claims = claims
        self._report = report
        self._next = next(claims, None)

    def compare(self, head: Head, totals: Totals | None) -> None:
        """Settles the claims about this place and refuses those about places that did not come."""
        while self._next is not None and (self._next.head.epoch, self._next.head.seq) <= (
            head.epoch,
            head.seq,
        ):
            claim = self._next
            if (claim.head.epoch, claim.head.seq) != (head.epoch, head.seq):
                self._refuse(claim, "no record stands there, or the claims are out of order")
            elif claim.head.link != head.link:
                self._refuse(claim, "another record stands there")
            elif claim.totals is not None and totals is not None and claim.totals != totals:
                self._refuse(claim, "its totals do not go on from there")
            self._next = next(self._claims, None)

    def finish(self) -> None:
        """Refuses the claims about places that never came."""
        while self._next is not None:
            self._refuse(self._next, "no record stands there")
            self._next = next(self._claims, None)

    def _refuse(self, claim: _Claim, detail: str) -> None:
        place = Place(issuer=self._issuer, epoch=claim.head.epoch, seq=claim.head.seq)
        self._report.violation(claim.rule, detail, file=claim.file, line=claim.line, place=place)


class _Disclosures:
    """Disclosures in the order of their places, handed out as the records pass by."""

    def __init__(self, issuer: str, source: Source, report: Report) -> None:
        self._issuer = issuer
        self._report = report
        self._lines = self._decode(source)
        self._next = next(self._lines, None)

    def take(self, epoch: int, seq: int) -> list[str]:
        """Those of this place; those of places that did not come are refused."""
        taken: list[str] = []
        while self._next is not None and self._next[0] <= (epoch, seq):
            (place, line, text) = self._next
            if place == (epoch, seq):
                taken.append(text)
            else:
                self._refuse(place, line)
            self._next = next(self._lines, None)
        return taken

    def finish(self) -> None:
        """Refuses those of places that never came."""
        while self._next is not None:
            self._refuse(self._next[0], self._next[1])
            self._next = next(self._lines, None)

    def _refuse(self, place: tuple[int, int], line: int) -> None:
        self._report.violation(
            "V10",
            "no record stands there, or the disclosures are out of order",
            file=DISCLOSURES,
            line=line,
            place=Place(issuer=self._issuer, epoch=place[0], seq=place[1]),
        )

    def _decode(self, source: Source) -> Iterator[tuple[tuple[int, int], int, str]]:
        for line, octets in enumerate(source.lines(DISCLOSURES), 1):
            try:
                stated = decode_json(octets, DisclosureLine, max_bytes=MAX_LINE_BYTES)
            except FormatError as error:
                self._report.violation("V1", str(error), file=DISCLOSURES, line=line)
            else:
                yield (stated.epoch, stated.seq), line, stated.disclosure


class RecordAudit:
    """Walks the records of an export once, each epoch's chain by its grant."""

    def __init__(self, source: Source, grants: Grants, report: Report, *, signatures: bool) -> None:
        self._source = source
        self._grants = grants
        self._report = report
        self._signatures = signatures
        self._issuer = grants.issuer or ""
        self._chains: dict[int, Chain] = {}
        self._lost: set[int] = set()
        self._epoch = min(grants.by_epoch)
        self._chain = self._begin(grants.by_epoch[self._epoch])
        self._claims = [
            _Claims(self._issuer, claims, report)
            for claims in (_closed(grants), _batches(source), _acks(source, grants, report))
        ]
        self._disclosures = _Disclosures(self._issuer, source, report)
        self._line = 0

    def run(self) -> int:
        """Reports every broken rule; returns how many lines were read.

        Raises:
            FormatError: the export cannot be read.
        """
        for octets in self._source.lines(RECORDS):
            self._line += 1
            self._record(octets)
            head = self._chain.head
            for claims in self._claims:
                claims.compare(head, self._chain.totals)
        for claims in self._claims:
            claims.finish()
        self._disclosures.finish()
        return self._line

    def head_seq(self, epoch: int) -> int:
        """The newest seq that was read of an epoch; -1 where none was."""
        chain = self._chains.get(epoch)
        return -1 if chain is None else chain.head.seq

    def _begin(self, granted: Granted) -> Chain:
        grant = granted.grant
        head = Head(epoch=grant.epoch, seq=-1, link=granted.link or _UNKNOWN_LINK)
        if granted.link is None:
            self._lost.add(grant.epoch)
        chain = Chain(grant.issuer, grant.epoch, granted.key, head, grant.totals)
        self._chains[grant.epoch] = chain
        return chain

    def _record(self, octets: bytes) -> None:
        """Verifies one line; where its own word is of no use, it has the place that comes next."""
        try:
            jws = decode_jws(octets, Typ.RECORD)
            peek = _peek(jws)
            if not self._enter(jws, peek):
                return
            if self._signatures:
                verify_jws(jws, self._grants.by_epoch[self._epoch].key)
        except VerificationError as error:
            self._violation(error.rule, error.detail, self._chain.head.seq + 1)
            self._pass_over(octets, is_signed=False)
            return
        if peek is None or (peek.issuer, peek.epoch) != (self._issuer, self._epoch):
            rule, detail = (
                ("V1", "no place can be read") if peek is None else ("V4", "a place in another chain")
            )
            self._violation(rule, detail, self._chain.head.seq + 1)
            self._pass_over(octets, is_signed=True)
            return
        self._align(peek)
        try:
            self._chain.advance(jws, self._disclosures.take(self._epoch, peek.seq))
        except VerificationError as error:
            self._violation(error.rule, error.detail, peek.seq)
            self._chain.skip(link_of(octets))

    def _enter(self, jws: Jws, peek: Peek | None) -> bool:
        """Turns to the chain that header and payload both name; False where nothing grants it.

        Raises:
            VerificationError: V2 where they name different chains.
        """
        if (jws.issuer, jws.epoch) == (self._issuer, self._epoch):
            return True
        if peek is None or (peek.issuer, peek.epoch) != (jws.issuer, jws.epoch):
            raise VerificationError("V2", f"the key id {jws.kid} is of another chain")
        place = Place(issuer=peek.issuer, epoch=peek.epoch, seq=peek.seq)
        granted = self._grants.by_epoch.get(jws.epoch)
        if granted is None or jws.issuer != self._issuer:
            detail = f"there is no grant for {jws.kid}"
            self._report.violation("V11", detail, file=RECORDS, line=self._line, place=place)
            return False
        if jws.epoch < self._epoch:
            detail = f"epoch {jws.epoch} comes again"
            self._report.violation("V4", detail, file=RECORDS, line=self._line, place=place)
        self._epoch = jws.epoch
        self._chain = self._chains.get(jws.epoch) or self._begin(granted)
        return True

    def _align(self, peek: Peek) -> None:
        """Names what keeps the record from being the next, and makes it the next all the same."""
        head = self._chain.head
        totals = self._chain.totals
        if peek.seq != head.seq + 1:
            self._violation(
                "V4", f"seq {peek.seq} where {head.seq + 1} comes next", min(peek.seq, head.seq + 1)
            )
            totals = None
        elif peek.prev == head.link:
            self._lost.discard(self._epoch)
            return
        elif self._epoch not in self._lost:
            self._violation("V5", "prev is not the link of the record before", peek.seq)
        self._lost.discard(self._epoch)
        key = self._grants.by_epoch[self._epoch].key
        aligned = Head(epoch=self._epoch, seq=peek.seq - 1, link=peek.prev)
        self._chain = Chain.resume(self._issuer, self._epoch, key, aligned, totals)
        self._chains[self._epoch] = self._chain

    def _pass_over(self, octets: bytes, *, is_signed: bool) -> None:
        """Gives the line the next place; what was not signed has no link that the next could name."""
        self._disclosures.take(self._epoch, self._chain.head.seq + 1)
        self._chain.skip(link_of(octets))
        if not is_signed:
            self._lost.add(self._epoch)

    def _violation(self, rule: str, detail: str, seq: int) -> None:
        place = Place(issuer=self._issuer, epoch=self._epoch, seq=seq)
        self._report.violation(rule, detail, file=RECORDS, line=self._line, place=place)


def _peek(jws: Jws) -> Peek | None:
    try:
        return peek_record(jws.payload)
    except FormatError:
        return None


def _closed(grants: Grants) -> Iterator[_Claim]:
    for granted in grants.by_epoch.values():
        closes = granted.grant.closes
        if closes is not None and closes.seq >= 0:
            yield _Claim(closes, "V11", GRANTS, granted.line, granted.grant.totals)


def _batches(source: Source) -> Iterator[_Claim]:
    for line, octets in enumerate(source.lines(BATCHES), 1):
        batch = _read(octets, Typ.BATCH, decode_batch)
        if batch is not None:
            newest = Head(epoch=batch.epoch, seq=batch.newest.seq, link=batch.newest.link)
            yield _Claim(newest, "V15", BATCHES, line)


def _acks(source: Source, grants: Grants, report: Report) -> Iterator[_Claim]:
    """A head before the first record is the grant's own link."""
    for line, octets in enumerate(source.lines(ACKS), 1):
        ack = _read(octets, Typ.ACK, decode_ack)
        if ack is None:
            continue
        if ack.head.seq >= 0:
            yield _Claim(ack.head, "V15", ACKS, line)
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
