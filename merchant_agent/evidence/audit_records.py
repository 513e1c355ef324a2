"""Auditing records: the chain of every epoch (V1 to V7, V10, V16), going on after each violation.

What batches, acknowledgements and grants (V15, V11), slips (V12) and the log (V14) say of places
is compared on the way, all read side by side, so that memory stays flat.
Source: PROTOCOL.md, "What a verifier does", step 3.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from concurrent.futures import Executor
from contextlib import suppress

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import DISCLOSURES, RECORDS, Source
from merchant_agent.evidence.audit_claims import (
    Claims,
    claims_of_acks,
    claims_of_batches,
    claims_of_grants,
)
from merchant_agent.evidence.audit_disclosures import Disclosures
from merchant_agent.evidence.audit_erasures import Erasures
from merchant_agent.evidence.audit_grants import Granted, Grants
from merchant_agent.evidence.audit_log import Log
from merchant_agent.evidence.audit_plain import Plain
from merchant_agent.evidence.audit_runs import Run, run_ahead
from merchant_agent.evidence.audit_watch import Watch
from merchant_agent.evidence.chain import Chain, is_skippable
from merchant_agent.evidence.fields import Head, Place
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, decode_kid, link_of, verify_jws
from merchant_agent.evidence.octets import decode_segment
from merchant_agent.evidence.record import Peek, Record, decode_record, peek_record
from merchant_agent.evidence.verdict import Report

_UNKNOWN_LINK = "A" * 43
# A leap decodes a record by itself, too.
_WORTH_A_LEAP = 3
_PLAYED_AT_ONCE = 16


class RecordAudit:
    """Walks the records of an export once, each epoch's chain by its grant.

    `helpers` look at runs of records ahead; `signatures=False` leaves out the records' signatures.
    """

    def __init__(  # noqa: PLR0913 -- an audit compares these
        self,
        source: Source,
        grants: Grants,
        log: Log,
        report: Report,
        helpers: Executor | None,
        *,
        signatures: bool,
    ) -> None:
        self._source = source
        self._grants = grants
        self._report = report
        self._helpers = helpers
        self._signatures = signatures
        self._issuer = grants.issuer or ""
        self._chains: dict[int, Chain] = {}
        self._lost: set[int] = set()
        self._erasures = Erasures(self._issuer)
        self._epoch = min(grants.by_epoch)
        self._chain = self._begin(grants.by_epoch[self._epoch])
        self._acks = Claims(self._issuer, claims_of_acks(source, grants, report), report)
        self._claims = (
            Claims(self._issuer, claims_of_grants(grants), report),
            Claims(self._issuer, claims_of_batches(source, grants), report),
            self._acks,
        )
        self._disclosures = Disclosures(self._issuer, source, report)
        self._accepted: Record | None = None
        self._line = 0
        self.watch = Watch(source, grants, log, report, signatures=signatures)

    def run(self) -> int:
        """Reports every broken rule; returns how many lines were read. See `verify_export`.

        Raises:
            FormatError: the export cannot be read.
        """
        lines = self._source.lines(RECORDS)
        if self._helpers is None:
            self._walk(lines, vouched=False)
        else:
            for run in run_ahead(lines, self._grants, self._helpers, signatures=self._signatures):
                self._take_run(run)
        for claims in self._claims:
            claims.finish()
        self._disclosures.finish()
        self.watch.finish()
        return self._line

    def head_seq(self, epoch: int) -> int:
        """The newest seq that was read of an epoch; -1 where none was."""
        chain = self._chains.get(epoch)
        return -1 if chain is None else chain.seq

    def newest_head(self) -> Head | None:
        """Where the last epoch that was granted ends; None where not even its grant has a link."""
        granted = self._grants.by_epoch[max(self._grants.by_epoch)]
        epoch = granted.grant.epoch
        if epoch in self._chains and self._chains[epoch].seq >= 0:
            return self._chains[epoch].head
        return None if granted.link is None else Head(epoch=epoch, seq=-1, link=granted.link)

    def last_acknowledged(self, epoch: int) -> int:
        """The newest seq of which an acknowledgement names the link that stands there; -1 before."""
        return self._acks.met.get(epoch, -1)

    def undisclosed(self, epoch: int) -> tuple[int, int]:
        """The first seq of an epoch whose missing members no `erase` tells of, and how many such records it has."""
        return self._erasures.unexplained(epoch)

    def _settle(self, octets: bytes) -> None:
        """Compares what others say of the place that the line has got."""
        epoch, seq = self._epoch, self._chain.seq
        place = (epoch, seq)
        for claims in self._claims:
            if claims.due <= place:
                claims.settle(self._chain.head, self._chain.totals)
        watch = self.watch
        if watch.proofs.due <= place or watch.slips.due <= place:
            watch.settle(epoch, seq, octets, self._accepted)

    def _begin(self, granted: Granted) -> Chain:
        grant = granted.grant
        head = Head(epoch=grant.epoch, seq=-1, link=granted.link or _UNKNOWN_LINK)
        if granted.link is None:
            self._lost.add(grant.epoch)
        chain = Chain(grant.issuer, grant.epoch, granted.key, head, grant.totals, role=grant.role)
        self._chains[grant.epoch] = chain
        return chain

    def _walk(self, lines: Iterable[bytes], *, vouched: bool) -> None:
        """Takes in lines; a helper has `vouched` for the signatures that they need."""
        check = self._signatures and not vouched
        for octets in lines:
            self._play(octets, check=check)

    def _play(self, octets: bytes, *, check: bool) -> bool:
        """Takes in one line; whether it is a record that its chain accepted."""
        self._line += 1
        self._accepted = None
        self._record(octets, check=check)
        self._settle(octets)
        return self._accepted is not None

    def _take_run(self, run: Run) -> None:
        """Takes in a run of lines, leaping over the records of a plain one as far as nothing is said of them."""
        word = run.word()
        plain = word.open(len(run.lines))
        taken = 0 if plain is None else self._walk_plain(plain, run.lines)
        self._walk(run.lines[taken:], vouched=word.vouched)

    def _walk_plain(self, plain: Plain, lines: list[bytes]) -> int:
        """Takes in a plain run; returns how many lines, since what is refused may change what a helper took for granted."""
        here = 0
        while here < len(lines):
            end = self._next_stop(plain, here)
            if end - here >= _WORTH_A_LEAP and self._leap(plain, lines, here, end):
                here = end
                continue
            for octets in lines[here : min(max(end, here + 1), here + _PLAYED_AT_ONCE)]:
                here += 1
                if not self._play(octets, check=False):
                    return here
        return here

    def _next_stop(self, plain: Plain, here: int) -> int:
        """The offset, from `here` on, of the next record of which more is said than that its chain goes on."""
        stop = bisect_left(plain.stops, here)
        end = plain.stops[stop] if stop < len(plain.stops) else len(plain.said)
        place = (plain.epoch, plain.seq + here)
        for due in (*(claims.due for claims in self._claims), self._disclosures.due, *self.watch.due):
            if due <= place:
                return here
            if due[0] == plain.epoch:
                end = min(end, due[1] - plain.seq)
        return end if end == here else min(end, self.watch.bounded_to(*place) - plain.seq + 1)

    def _leap(self, plain: Plain, lines: list[bytes], here: int, end: int) -> bool:
        """Goes on behind these records, unless their times ask for more."""
        said = plain.said[here:end]
        if not self.watch.may_leap(plain.epoch, said):
            return False
        octets = lines[end - 1]
        record = decode_record(decode_jws(octets, Typ.RECORD).payload)
        self.watch.leap(record, said, self._line + 1)
        self._chain.leap(record, octets)
        self._line += len(said)
        return True

    def _record(self, octets: bytes, *, check: bool) -> None:
        """Verifies one line; where its own word is of no use, it has the place that comes next."""
        try:
            jws = decode_jws(octets, Typ.RECORD)
            if (jws.epoch != self._epoch or jws.issuer != self._issuer) and not self._enter(jws):
                return
            if check:
                verify_jws(jws, self._grants.by_epoch[self._epoch].key)
        except VerificationError as error:
            self._guess_epoch(octets)
            self._violation(error.rule, error.detail, self._chain.seq + 1)
            self._pass_over(octets, is_signed=False)
            return
        try:
            self._advance(jws)
        except VerificationError as error:
            if is_skippable(error):
                self._refuse(jws, error)
            else:
                self._advance_slowly(jws)

    def _advance(self, jws: Jws) -> None:
        record = self._chain.advance(jws, self._disclosures.take(self._epoch, self._chain.seq + 1))
        self._accepted = record
        self.watch.see(record, self._line)
        self._lost.discard(self._epoch)
        self._erasures.see(record, self._disclosures.given)

    def _advance_slowly(self, jws: Jws) -> None:
        """Takes in a signed record that is not simply the next one, and names each thing amiss."""
        peek = _peek(jws)
        if peek is None or (peek.issuer, peek.epoch) != (self._issuer, self._epoch):
            rule = "V1" if peek is None else "V4"
            self._violation(rule, "it states no place in this chain", self._chain.seq + 1)
            self._pass_over(jws.octets, is_signed=True)
            return
        self._align(peek)
        try:
            self._advance(jws)
        except VerificationError as error:
            self._refuse(jws, error)

    def _refuse(self, jws: Jws, error: VerificationError) -> None:
        """Leaves out what a record says at its place, and goes on by its link."""
        seq = self._chain.seq + 1
        if error.rule == "V10":
            place = Place(issuer=self._issuer, epoch=self._epoch, seq=seq)
            self._report.violation(
                "V10", error.detail, file=DISCLOSURES, line=self._disclosures.line, place=place
            )
        else:
            self._violation(error.rule, error.detail, seq)
        self._disclosures.drop(self._epoch, seq)
        self._chain.skip(link_of(jws.octets))
        self._lost.discard(self._epoch)
        self.watch.pass_over(self._epoch, seq)

    def _enter(self, jws: Jws) -> bool:
        """Turns to the chain that header and payload both name; False where nothing grants it.

        Raises:
            VerificationError: V2 where they name different chains.
        """
        peek = _peek(jws)
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
        self._turn_to(granted)
        return True

    def _guess_epoch(self, octets: bytes) -> None:
        """Turns to the granted epoch that a broken line names in header or payload, if it names not this one."""
        named = _named_chains(octets)
        if (self._issuer, self._epoch) in named:
            return
        for issuer, epoch in named:
            granted = self._grants.by_epoch.get(epoch)
            if granted is not None and issuer == self._issuer and epoch > self._epoch:
                self._turn_to(granted)

    def _turn_to(self, granted: Granted) -> None:
        self._epoch = granted.grant.epoch
        self._chain = self._chains.get(self._epoch) or self._begin(granted)

    def _align(self, peek: Peek) -> None:
        """Names what keeps the record from being the next, and makes it the next all the same."""
        expected = self._chain.seq + 1
        totals = self._chain.totals
        if peek.seq != expected:
            self._violation("V4", f"seq {peek.seq} where {expected} comes next", min(peek.seq, expected))
            totals = None
        elif peek.prev == self._chain.link:
            return
        elif self._epoch not in self._lost:
            self._violation("V5", "prev is not the link of the record before", peek.seq)
        self._lost.discard(self._epoch)
        granted = self._grants.by_epoch[self._epoch]
        self.watch.pass_over(self._epoch, peek.seq - 1)
        aligned = Head(epoch=self._epoch, seq=peek.seq - 1, link=peek.prev)
        self._chain = Chain.resume(
            self._issuer,
            self._epoch,
            granted.key,
            aligned,
            totals,
            role=granted.grant.role,
            anchor=self._chain.anchor,
        )
        self._chains[self._epoch] = self._chain

    def _pass_over(self, octets: bytes, *, is_signed: bool) -> None:
        """Gives the line the next place; what was not signed has no link that the next could name."""
        self._disclosures.drop(self._epoch, self._chain.seq + 1)
        self._chain.skip(link_of(octets))
        self.watch.pass_over(self._epoch, self._chain.seq)
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


def _named_chains(octets: bytes) -> list[tuple[str, int]]:
    """Issuer and epoch that the header states, and those that the payload states, as far as they can be read."""
    named = []
    with suppress(VerificationError):
        named.append(decode_kid(octets, Typ.RECORD))
    with suppress(FormatError, IndexError):
        peek = peek_record(decode_segment(octets.split(b".")[1]))
        named.append((peek.issuer, peek.epoch))
    return named
