"""Lines for places that central has: the same again, the true one at last, or two records for one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from merchant_agent.central.intake.standing import Held, Standing
from merchant_agent.central.intake.upload import Line, Upload
from merchant_agent.central.intake.verdicts import (
    Accepted,
    Contradiction,
    Rejected,
    held_answer,
    rejected,
    rejected_answer,
)
from merchant_agent.central.intake.words import matching_disclosures
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.exchange import Answer
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of
from merchant_agent.evidence.record import Record, decode_record, peek_record
from merchant_agent.evidence.stub import Stub


@dataclass(slots=True, kw_only=True)
class Known:
    """What those lines come to; with a conflict the comparison ended there.

    `recovered` and `repeated` are as in `Judgement`, the former with their records.
    """

    answers: list[Answer] = field(default_factory=list)
    recovered: list[Accepted] = field(default_factory=list)
    repeated: list[Accepted] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    conflict: Contradiction | None = None


def compare_known(standing: Standing, upload: Upload) -> Known:
    """Compares each line at a known place with what stands there."""
    known = Known()
    for seq, line in enumerate(upload.lines, upload.batch.from_):
        if seq > standing.head.seq:
            break
        _compare(standing, upload, seq, line, known)
        if known.conflict is not None:
            break
    return known


def _compare(standing: Standing, upload: Upload, seq: int, line: Line, known: Known) -> None:
    held = standing.held[seq]
    if held.rule is None and line.record == held.octets:
        _repeat(seq, line, known)
        return
    if isinstance(line.signed, Stub) and line.signed.seq == seq:
        _compare_stub(seq, line, line.signed.link, held, known)
        return
    if held.rule is not None:
        record = _recovered(standing, upload, seq, line)
        if record is not None:
            _take(record, line, known.recovered, known)
            return
        if _is_same(line, held):
            known.answers.append(held_answer(seq, held.rule))
            return
    error = _misplaced(upload, seq, line)
    if error is None:
        link = link_of(line.record)
        known.conflict = Contradiction(
            seq=seq, kind="fork", link=link, held=held.octets, received=line.record
        )
    else:
        # What central has there stays.
        known.answers.append(rejected_answer(seq, error.rule))
        known.rejected.append(rejected(seq, line, error, link_of(line.octets)))


def _compare_stub(seq: int, line: Line, link: str, held: Held, known: Known) -> None:
    """A stub says no more than what stands there already; with another link it contradicts it."""
    if held.vouched and held.link != link:
        known.conflict = Contradiction(
            seq=seq, kind="fork", link=link, held=held.octets, received=line.record
        )
    elif held.rule is None:
        known.answers.append(Answer(seq=seq, answer="duplicate", rule=None))
    else:
        known.answers.append(held_answer(seq, held.rule))


def _repeat(seq: int, line: Line, known: Known) -> None:
    """A duplicate; its words are looked at again, since they may have been withheld before."""
    known.answers.append(Answer(seq=seq, answer="duplicate", rule=None))
    if line.disclosures and isinstance(line.signed, Jws):
        _take(decode_record(line.signed.payload), line, known.repeated, known)


def _take(record: Record, line: Line, taken: list[Accepted], known: Known) -> None:
    words, error = matching_disclosures(record, line.disclosures)
    taken.append(Accepted(record=record, octets=line.record, disclosures=words))
    if error is not None:
        known.rejected.append(rejected(record.seq, line, error, link_of(line.octets)))


def _recovered(standing: Standing, upload: Upload, seq: int, line: Line) -> Record | None:
    """The record in whose place a rejected line stands, if this is it: the record after it names its link.

    One that was itself set aside, for what it says, is not recovered by being sent again.
    """
    held, before = standing.held[seq], standing.held.get(seq - 1)
    if not isinstance(line.signed, Jws) or not held.vouched or link_of(line.record) != held.link:
        return None
    if line.record == held.octets.partition(b"~")[0]:
        return None
    granted = upload.granted
    try:
        link = before.link if before is not None and before.vouched else peek_record(line.signed.payload).prev
        head = Head(epoch=granted.epoch, seq=seq - 1, link=link)
        said = None if before is None or before.rule is not None else _record_of(before)
        totals = standing.begins if seq == 0 else None if said is None else said.totals
        chain = Chain.resume(
            *(granted.issuer, granted.epoch, granted.key, head, totals),
            role="terminal",
            anchor=None if said is None else said.anchor,
        )
        record = chain.advance(line.signed)
    except (FormatError, VerificationError):
        return None
    return record if standing.knows(record.anchor) else None


def _record_of(held: Held) -> Record:
    """What was accepted there."""
    return decode_record(decode_jws(held.octets, Typ.RECORD).payload)


def _is_same(line: Line, held: Held) -> bool:
    """Whether it is the rejected line again, or may be, where nobody vouched for what stands there."""
    links = {link_of(line.record), link_of(line.octets)}
    return line.octets == held.octets or held.link in links or not held.vouched


def _misplaced(upload: Upload, seq: int, line: Line) -> VerificationError | None:
    """Why the line is no word of the issuer's about that place; None where it is."""
    if isinstance(line.signed, VerificationError):
        return line.signed
    if isinstance(line.signed, Stub):
        return VerificationError("V4", "it states another place")
    try:
        stated = peek_record(line.signed.payload)
    except FormatError as error:
        return VerificationError("V1", str(error))
    if (stated.issuer, stated.epoch, stated.seq) != (upload.granted.issuer, upload.granted.epoch, seq):
        return VerificationError("V4", "it states another place")
    return None
