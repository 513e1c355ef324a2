"""Lines for new places: the chain goes on record by record, and past what can be set aside.

A record that only says something wrong (V1, V6, V7) stands by the issuer's own signature: its link
is known. One whose words do not match (V10) is taken up without them. A line without that signature
has a link only by the word of the record
after it, or of a batch; where nobody tells it yet, the chain stays before such lines.
"""

from __future__ import annotations

from dataclasses import replace

from merchant_agent.central.intake.known import Known
from merchant_agent.central.intake.standing import Standing
from merchant_agent.central.intake.upload import Line, Upload
from merchant_agent.central.intake.verdicts import (
    STUB,
    Accepted,
    Contradiction,
    Judgement,
    Rejected,
    held_answer,
    rejected,
    rejected_answer,
    stand_in,
)
from merchant_agent.central.intake.words import matching_disclosures
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.chain import Chain, is_skippable
from merchant_agent.evidence.fields import Anchor, Head
from merchant_agent.evidence.jws import Jws, link_of
from merchant_agent.evidence.record import Peek, Totals, peek_record
from merchant_agent.evidence.stub import Stub


class UntrueBatchError(Exception):
    """The lines are not what the signed batch says of them; nothing of the upload is to be taken up."""


class Advance:
    """One walk over the new lines of an upload; `known` are the lines before them."""

    def __init__(self, standing: Standing, upload: Upload, known: Known) -> None:
        self._standing = standing
        self._upload = upload
        self._chain = self._chain_at(standing.head, standing.totals, standing.anchor)
        self._accepted: list[Accepted] = []
        self._rejected = known.rejected
        self._answers = known.answers
        self._recovered = known.recovered
        self._repeated = known.repeated
        self._conflict: Contradiction | None = None
        # Unsigned lines just passed over, of which no link is known yet, and what stood before them.
        self._lost: list[Rejected] = []
        self._sure: tuple[Head, Totals | None] = (standing.head, standing.totals)

    def run(self) -> Judgement:
        """Walks to the end, or to the first contradiction.

        Raises:
            UntrueBatchError: a signed record stands in another one's line, or the newest is another one.
        """
        begin = self._standing.head.seq + 1 - self._upload.batch.from_
        for line in self._upload.lines[begin:]:
            match line.signed:
                case VerificationError() as error:
                    self._pass_over(line, error)
                case Stub() as stub:
                    self._stand_in(line, stub)
                case jws:
                    self._take(line, jws)
            if self._conflict is not None:
                break
        else:
            self._require_newest()
        return self._judgement()

    def _take(self, line: Line, jws: Jws) -> None:
        if self._lost:
            self._find_again(jws)
        if self._contradicts_claim(jws.octets, link_of(jws.octets)):
            return
        head, totals, anchor = self._chain.head, self._chain.totals, self._chain.anchor
        try:
            record = self._chain.advance(jws)
            if not self._standing.knows(record.anchor):
                self._chain = self._chain_at(head, totals, anchor)
                raise VerificationError("V7", "its anchor was never published", seq=record.seq)  # noqa: TRY301 -- one way out
        except VerificationError as error:
            self._set_aside(line, jws, error)
            return
        words, mismatch = matching_disclosures(record, line.disclosures)
        self._accepted.append(Accepted(record=record, octets=jws.octets, disclosures=words))
        if mismatch is not None:
            self._answers.append(rejected_answer(record.seq, mismatch.rule))
            self._rejected.append(rejected(record.seq, line, mismatch, link_of(line.octets)))

    def _stand_in(self, line: Line, stub: Stub) -> None:
        """Goes on past a record that does not come, by the issuer's own word for its link."""
        seq = self._chain.seq + 1
        if stub.seq != seq:
            raise UntrueBatchError(f"a stub of seq {stub.seq} in the line of {seq}")
        if self._contradicts_claim(line.record, stub.link):
            return
        self._settle_lost(None)
        self._answers.append(held_answer(seq, STUB))
        self._rejected.append(stand_in(stub, line))
        self._chain.skip(stub.link)

    def _set_aside(self, line: Line, jws: Jws, error: VerificationError) -> None:
        """Goes on past what the issuer signed and the chain refuses, where that is possible."""
        seq = self._chain.seq + 1
        if error.rule == "V5":
            link = link_of(jws.octets)
            self._conflict = Contradiction(seq=seq, kind="prev", link=link, held=None, received=jws.octets)
            return
        stated = self._stated_here(jws)
        if stated is not None and not is_skippable(error):
            raise UntrueBatchError(f"seq {stated.seq} in the line of {seq}")
        # Without a place in this chain it has that of its line.
        link = link_of(jws.octets)
        self._settle_lost(None)
        self._answers.append(rejected_answer(seq, error.rule))
        self._rejected.append(replace(rejected(seq, line, error, link), placed=True, vouched=True))
        self._chain.skip(link)

    def _pass_over(self, line: Line, error: VerificationError) -> None:
        """Goes on past a line that the issuer did not sign."""
        if not self._lost:
            self._sure = (self._chain.head, self._chain.totals)
        seq = self._chain.seq + 1
        self._answers.append(rejected_answer(seq, error.rule))
        own = link_of(line.octets)
        self._lost.append(rejected(seq, line, error, own))
        claimed = self._claimed_link(seq)
        self._chain.skip(claimed or own)
        if claimed is not None:
            self._settle_lost(claimed)

    def _find_again(self, jws: Jws) -> None:
        """Takes up the chain where a signed record says that it follows what was passed over."""
        stated = self._stated_here(jws)
        if stated is not None and stated.seq == self._chain.seq + 1:
            before = Head(epoch=self._chain.epoch, seq=self._chain.seq, link=stated.prev)
            self._chain = self._chain_at(before, None, self._chain.anchor)
            self._settle_lost(stated.prev)

    def _settle_lost(self, link: str | None) -> None:
        """The lines that were passed over have their places; `link` is the last one's, where it is known."""
        placed = [replace(lost, placed=True) for lost in self._lost]
        if placed and link is not None:
            placed[-1] = replace(placed[-1], link=link, vouched=True)
        self._rejected.extend(placed)
        self._lost.clear()

    def _contradicts_claim(self, octets: bytes, link: str) -> bool:
        """Whether an earlier batch committed to another record at this place."""
        seq = self._chain.seq + 1
        claims = self._standing.claims.get(seq)
        if not claims or all(claimed == link for claimed in claims):
            return False
        self._conflict = Contradiction(seq=seq, kind="newest", link=link, held=None, received=octets)
        return True

    def _claimed_link(self, seq: int) -> str | None:
        """What a signed batch said of that place."""
        newest = self._upload.batch.newest
        if newest.seq == seq:
            return newest.link
        return next(iter(self._standing.claims.get(seq, ())), None)

    def _require_newest(self) -> None:
        newest = self._upload.batch.newest
        if not self._lost and newest.seq == self._chain.seq and newest.link != self._chain.link:
            raise UntrueBatchError(f"seq {newest.seq} is not the record that the batch names")

    def _stated_here(self, jws: Jws) -> Peek | None:
        """The place that it states, if that is one of this chain."""
        try:
            stated = peek_record(jws.payload)
        except FormatError:
            return None
        return stated if (stated.issuer, stated.epoch) == (self._chain.issuer, self._chain.epoch) else None

    def _chain_at(self, head: Head, totals: Totals | None, anchor: Anchor | None) -> Chain:
        granted = self._upload.granted
        return Chain.resume(
            granted.issuer, granted.epoch, granted.key, head, totals, role="terminal", anchor=anchor
        )

    def _judgement(self) -> Judgement:
        self._rejected.extend(self._lost)
        at_end = (self._chain.head, self._chain.totals)
        head, totals = self._sure if self._lost else at_end
        return Judgement(
            outcome="frozen" if self._conflict else "resend" if self._lost else "accepted",
            head=head,
            totals=totals,
            accepted=[*self._recovered, *self._accepted],
            recovered=[item.record.seq for item in self._recovered],
            repeated=self._repeated,
            rejected=self._rejected,
            answers=self._answers,
            conflict=self._conflict,
        )
