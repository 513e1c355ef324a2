"""Lines for places that central has: the same again, or two records for one place."""

from __future__ import annotations

from dataclasses import dataclass, field

from merchant_agent.central.intake.standing import Held, Standing
from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.intake.verdicts import Contradiction, Rejected, rejected_answer, split_line
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.exchange import Answer
from merchant_agent.evidence.jws import Typ, decode_jws, link_of, verify_jws
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
        _compare(standing, seq, line, known)
        if known.conflict is not None:
            break
    return known


def _compare(standing: Standing, seq: int, line: bytes, known: Known) -> None:
    octets, _ = split_line(line)
    held = standing.held[seq]
    if held.rule is None and octets == held.octets:
        known.answers.append(Answer(seq=seq, answer="duplicate", rule=None))
    elif held.rule is not None and _is_same(octets, line, held):
        known.answers.append(rejected_answer(seq, held.rule))
    else:
        try:
            _require_signed_for(standing, seq, octets)
        except VerificationError as error:
            _set_aside(seq, line, error, known)
        else:
            known.conflict = Contradiction(seq=seq, kind="fork", held=held.octets, received=octets)


def _is_same(octets: bytes, line: bytes, held: Held) -> bool:
    """Whether it is the rejected line again, or may be, where nobody vouched for what stands there."""
    return line == held.octets or link_of(octets) == held.link or not held.vouched


def _require_signed_for(standing: Standing, seq: int, octets: bytes) -> None:
    """Returns when the issuer's signature puts these octets at that place.

    Raises:
        VerificationError: V1 to V4.
    """
    jws = decode_jws(octets, Typ.RECORD)
    if (jws.issuer, jws.epoch) != (standing.issuer, standing.epoch):
        raise VerificationError("V2", f"the key id {jws.kid} is of another chain")
    verify_jws(jws, standing.key)
    try:
        stated = peek_record(jws.payload)
    except FormatError as error:
        raise VerificationError("V1", str(error)) from error
    if (stated.issuer, stated.epoch, stated.seq) != (standing.issuer, standing.epoch, seq):
        raise VerificationError("V4", "it states another place")


def _set_aside(seq: int, line: bytes, error: VerificationError, known: Known) -> None:
    """What central has there stays; the line is no word of the issuer's against it."""
    known.answers.append(rejected_answer(seq, error.rule))
    known.rejected.append(
        Rejected(
            seq=seq,
            line=line,
            link=link_of(line),
            rule=error.rule,
            detail=error.detail,
            placed=False,
            vouched=False,
        )
    )
