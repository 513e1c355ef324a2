"""Auditing the exchange: batches, nonces and acknowledgements in step (V15), and what central says in them.

Source: PROTOCOL.md, "What a verifier does", step 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from merchant_agent.errors import VerificationError
from merchant_agent.evidence.archive import ACKS, BATCHES, Source
from merchant_agent.evidence.audit_grants import Granted, Grants
from merchant_agent.evidence.audit_log import Log
from merchant_agent.evidence.exchange import Ack, Batch, open_ack, open_batch
from merchant_agent.evidence.fields import MAX_SEQ, Place
from merchant_agent.evidence.jws import Typ, decode_kid, format_kid
from merchant_agent.evidence.verdict import Report

_SPLIT = "a split view: another root than the log has for that size"
_KEPT_REJECTED = 100


@dataclass(slots=True)
class _Epoch:
    """Where the exchange about an epoch's records stands; `nonce` is None where it is not known."""

    nonce: str | None
    unanswered: int | None = None
    acknowledged: int = -1
    frozen: bool = False


class ExchangeAudit:
    """Walks batches and acknowledgements side by side, each read once.

    `acknowledged_at` is central's clock in the newest acknowledgement; None where there is none.
    """

    def __init__(self, source: Source, grants: Grants, log: Log, report: Report) -> None:
        self._source = source
        self._log = log
        self._grants = grants
        self._report = report
        self._epochs = {epoch: _Epoch(granted.grant.nonce) for epoch, granted in grants.by_epoch.items()}
        self._acks: Iterator[tuple[int, bytes]] = enumerate(source.lines(ACKS), 1)
        self._ack = next(self._acks, None)
        self._rejected: set[tuple[int, int, str]] = set()
        self.acknowledged_at: str | None = None

    def run(self) -> None:
        """Reports every broken rule.

        Raises:
            FormatError: the export cannot be read.
        """
        for line, octets in enumerate(self._source.lines(BATCHES), 1):
            try:
                signer = self._granted(*decode_kid(octets, Typ.BATCH))
            except VerificationError as error:
                self._violation(error.rule, error.detail, BATCHES, line)
                self._ack = next(self._acks, None)
            else:
                self._batch(line, octets, signer)
        while self._ack is not None:
            self._violation("V15", "it answers no batch of this export", ACKS, self._ack[0])
            self._ack = next(self._acks, None)

    def last_acknowledged(self, epoch: int) -> int:
        """The newest seq that an acknowledgement named as central's head; -1 before."""
        return self._epochs[epoch].acknowledged

    def _granted(self, issuer: str, epoch: int) -> Granted:
        granted = self._grants.by_epoch.get(epoch)
        if granted is None or granted.grant.issuer != issuer:
            raise VerificationError("V11", f"there is no grant for {format_kid(issuer, epoch)}")
        return granted

    def _batch(self, line: int, octets: bytes, signer: Granted) -> None:
        batch: Batch | None = None
        epoch = self._epochs[signer.grant.epoch]
        try:
            opened = open_batch(octets, signer.key)
            epoch = self._epochs[self._granted(opened.issuer, opened.epoch).grant.epoch]
            batch = opened
        except VerificationError as error:
            self._violation(error.rule, error.detail, BATCHES, line)
        if epoch.unanswered is not None:
            self._violation("V15", f"line {epoch.unanswered} was not answered before it", BATCHES, line)
            epoch.nonce = epoch.unanswered = None
        if batch is not None and batch.checkpoint is not None and self._log.contradicts(batch.checkpoint):
            self._violation("V14", _SPLIT, BATCHES, line, batch)
        if batch is not None and epoch.nonce not in {None, batch.nonce}:
            self._violation("V15", "not the nonce of the acknowledgement before", BATCHES, line, batch)
        self._answer(line, batch, signer, epoch)

    def _answer(self, line: int, batch: Batch | None, signer: Granted, epoch: _Epoch) -> None:
        """Takes the next acknowledgement when it is this batch's; one that is broken counts as its own."""
        epoch.unanswered = line
        epoch.nonce = None
        if self._ack is None:
            return
        ack_line, octets = self._ack
        try:
            ack = open_ack(octets, signer.central)
        except VerificationError as error:
            self._violation(error.rule, error.detail, ACKS, ack_line)
        else:
            if batch is not None and ack.client_nonce != batch.client_nonce:
                return
            if ack.checkpoint is not None and self._log.contradicts(ack.checkpoint):
                self._violation("V14", _SPLIT, ACKS, ack_line, batch)
            self._compare(ack_line, batch, ack)
            self.acknowledged_at = ack.now
            told = epoch if batch is not None else self._epochs.get(ack.epoch, epoch)
            told.nonce = ack.nonce
            self._take(ack_line, batch, ack, told)
        epoch.unanswered = None
        self._ack = next(self._acks, None)

    def _take(self, line: int, batch: Batch | None, ack: Ack, epoch: _Epoch) -> None:
        """Notes what central says of this chain: how far it has it, and what it holds against it."""
        if self._epochs.get(ack.epoch) is not epoch or ack.issuer != self._grants.issuer:
            return
        epoch.acknowledged = max(epoch.acknowledged, ack.head.seq)
        after = min(ack.head.seq + 1, MAX_SEQ)
        match ack.outcome:
            case "frozen" if not epoch.frozen:
                epoch.frozen = True
                place = Place(issuer=ack.issuer, epoch=ack.epoch, seq=after)
                detail = "central froze the chain: two things were signed that cannot both be true"
                self._report.violation("V4", detail, file=ACKS, line=line, place=place)
            case "behind":
                seq = after if batch is None else min(batch.newest.seq + 1, MAX_SEQ)
                self._report.found("behind", Place(issuer=ack.issuer, epoch=ack.epoch, seq=seq))
            case "refused" | "revoked":
                self._report.found(ack.outcome, Place(issuer=ack.issuer, epoch=ack.epoch, seq=after))
            case _:
                pass
        for answer in ack.answers:
            if answer.answer == "stub":
                self._report.found("stubbed", Place(issuer=ack.issuer, epoch=ack.epoch, seq=answer.seq))
        self._note_rejected(ack)

    def _note_rejected(self, ack: Ack) -> None:
        for answer in ack.answers:
            rejected = (ack.epoch, answer.seq, answer.rule or "")
            if answer.rule is None or rejected in self._rejected or len(self._rejected) == _KEPT_REJECTED:
                continue
            self._rejected.add(rejected)
            place = Place(issuer=ack.issuer, epoch=ack.epoch, seq=answer.seq)
            self._report.rejected(answer.rule, place)

    def _compare(self, line: int, batch: Batch | None, ack: Ack) -> None:
        if batch is None:
            return
        if (ack.issuer, ack.epoch) != (batch.issuer, batch.epoch):
            self._violation("V15", "it names another chain than its batch", ACKS, line, batch)
        elif ack.outcome == "accepted" and ack.head.seq < batch.to:
            self._violation("V15", f"accepted to {batch.to} with head {ack.head.seq}", ACKS, line, batch)

    def _violation(self, rule: str, detail: str, file: str, line: int, batch: Batch | None = None) -> None:
        place = None if batch is None else Place(issuer=batch.issuer, epoch=batch.epoch, seq=batch.newest.seq)
        self._report.violation(rule, detail, file=file, line=line, place=place)
