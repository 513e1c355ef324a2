"""What the judgement of an upload is made of; what becomes rows in the ledger or beside it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from merchant_agent.central.intake.upload import Line
from merchant_agent.errors import VerificationError
from merchant_agent.evidence.exchange import Answer, Outcome
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.record import Record, Totals
from merchant_agent.evidence.stub import Stub

STUB = "stub"


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A record that is taken up, with its disclosures as they travelled."""

    record: Record
    octets: bytes
    disclosures: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """A line that is set aside; `link`, `placed`, `vouched` and `rule` are as in the model `Quarantine`."""

    seq: int
    line: bytes
    link: str
    rule: str
    detail: str
    placed: bool
    vouched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradiction:
    """Two things that the issuer signed and that cannot both be true, about the place `seq`.

    `kind` is as in the model `Conflict`; `link` is what `received` has or names for the place. `held`
    is None where it is to be looked up: what stands at the place before for `prev`, the earlier batch
    for `newest`.
    """

    seq: int
    kind: Literal["fork", "prev", "newest"]
    link: str
    held: bytes | None
    received: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """An outcome and what is to be stored with it; head and totals are those after it.

    `recovered` are places among the accepted ones at which a rejected line stood until now;
    `repeated` are records that central has, with words that it may lack.
    """

    outcome: Outcome
    head: Head
    totals: Totals | None
    accepted: Sequence[Accepted] = ()
    recovered: Sequence[int] = ()
    repeated: Sequence[Accepted] = ()
    rejected: Sequence[Rejected] = ()
    answers: Sequence[Answer] = ()
    conflict: Contradiction | None = None


def rejected(seq: int, line: Line, error: VerificationError, link: str) -> Rejected:
    """A line that is set aside, with a place of its own only where the caller gives it one."""
    return Rejected(
        seq=seq,
        line=line.octets,
        link=link,
        rule=error.rule,
        detail=error.detail,
        placed=False,
        vouched=False,
    )


def stand_in(stub: Stub, line: Line) -> Rejected:
    """A stub, at its place until the record itself comes."""
    return Rejected(
        seq=stub.seq,
        line=line.record,
        link=stub.link,
        rule=STUB,
        detail=stub.reason,
        placed=True,
        vouched=True,
    )


def held_answer(seq: int, rule: str) -> Answer:
    """The answer about a place at which something stands that was set aside for that rule, or a stub."""
    return Answer(seq=seq, answer="stub", rule=None) if rule == STUB else rejected_answer(seq, rule)


def rejected_answer(seq: int, rule: str) -> Answer:
    """The answer about a record that is set aside."""
    return Answer(seq=seq, answer="rejected", rule=rule)
