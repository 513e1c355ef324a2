"""Lines for places that central has: the same again, or two records for one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from merchant_agent.central.intake.standing import Held, Standing
from merchant_agent.central.intake.upload import Line, Upload
from merchant_agent.central.intake.verdicts import Contradiction, Rejected, rejected_answer
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.exchange import Answer
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.record import peek_record


@dataclass(slots=True, kw_only=True)
class Known:
    """What those lines come to; with a conflict the comparison ended there."""

    answers: list[Answer] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    conflict: Contradiction | None = None


def compare_known(standing: Standing, upload: Upload) -> Known:
    """Compares each line at a known place with what stands there."""
    known = Known()
    for seq, line in enumerate(upload.lines, upload.batch.from_):
        if seq > standing.head.seq:
            break
        _compare(upload, seq, line, standing.held[seq], known)
        if known.conflict is not None:
            break
    return known


def _compare(upload: Upload, seq: int, line: Line, held: Held, known: Known) -> None:
    if held.rule is None and line.record == held.octets:
        known.answers.append(Answer(seq=seq, answer="duplicate", rule=None))
        return
    if held.rule is not None and _is_same(line, held):
        known.answers.append(rejected_answer(seq, held.rule))
        return
    error = _misplaced(upload, seq, line)
    if error is None:
        known.conflict = Contradiction(seq=seq, kind="fork", held=held.octets, received=line.record)
    else:
        _set_aside(seq, line, error, known)


def _is_same(line: Line, held: Held) -> bool:
    """Whether it is the rejected line again, or may be, where nobody vouched for what stands there."""
    return line.octets == held.octets or link_of(line.record) == held.link or not held.vouched


def _misplaced(upload: Upload, seq: int, line: Line) -> VerificationError | None:
    """Why the line is no word of the issuer's about that place; None where it is."""
    if isinstance(line.signed, VerificationError):
        return line.signed
    try:
        stated = peek_record(line.signed.payload)
    except FormatError as error:
        return VerificationError("V1", str(error))
    if (stated.issuer, stated.epoch, stated.seq) != (upload.granted.issuer, upload.granted.epoch, seq):
        return VerificationError("V4", "it states another place")
    return None


def _set_aside(seq: int, line: Line, error: VerificationError, known: Known) -> None:
    """What central has there stays."""
    known.answers.append(rejected_answer(seq, error.rule))
    known.rejected.append(
        Rejected(
            seq=seq,
            line=line.octets,
            link=link_of(line.octets),
            rule=error.rule,
            detail=error.detail,
            placed=False,
            vouched=False,
        )
    )
