"""What a terminal signed that cannot both be true, taken apart so that people can compare it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

import peewee

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Conflict
from merchant_agent.errors import FormatError, NotFoundError, VerificationError
from merchant_agent.evidence.jws import Typ, decode_jws, decode_typ, link_of
from merchant_agent.store.store import Reader

_SHOWN = 10
_MAX_VALUE_CHARS = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One member of both sides by its name, nested ones with dots; None where a side has none."""

    name: str
    held: str | None
    received: str | None

    @property
    def differs(self) -> bool:
        """Whether the two sides say something else."""
        return self.held != self.received


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One of the two: its octets without disclosures, what its header says it is, and its link."""

    octets: bytes
    typ: Typ | None
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Contradicting:
    """A contradiction as officers see it: `number` counts those of its epoch from 0, the oldest first.

    `kind` is as in the model `Conflict`.
    """

    number: int
    seq: int
    kind: str
    at: datetime
    held: Side
    received: Side
    members: tuple[Member, ...]


def find_conflicts(reader: Reader, merchant: str, issuer: str, epoch: int) -> list[Contradicting]:
    """The first ten contradictions of an epoch."""
    rows: list[Conflict] = reader.all(_query(merchant, issuer, epoch).limit(_SHOWN))
    return [_taken_apart(number, row) for number, row in enumerate(rows)]


def find_octets(  # noqa: PLR0913 -- a contradiction's place, and a side of it
    central: Central, merchant: str, issuer: str, epoch: int, number: int, *, held: bool
) -> bytes:
    """What central had, or what contradicted it, exactly as it was signed.

    Raises:
        NotFoundError: "conflict".
    """
    with central.store.read() as reader:
        row: Conflict | None = reader.first(_query(merchant, issuer, epoch).offset(number))
    if row is None:
        raise NotFoundError("conflict", "there is no such contradiction")
    return _without_words(bytes(row.held if held else row.received))


def _query(merchant: str, issuer: str, epoch: int) -> peewee.ModelSelect[Conflict]:
    here = (Conflict.merchant == merchant) & (Conflict.issuer == issuer) & (Conflict.epoch == epoch)
    return Conflict.select().where(here).order_by(Conflict.received_at, Conflict.batch_digest)


def _taken_apart(number: int, row: Conflict) -> Contradicting:
    held, received = _without_words(bytes(row.held)), _without_words(bytes(row.received))
    return Contradicting(
        number=number,
        seq=row.seq,
        kind=row.kind,
        at=row.received_at,
        held=_side(held),
        received=_side(received),
        members=_members(held, received),
    )


def _without_words(line: bytes) -> bytes:
    """What was signed: a line that was set aside has its disclosures behind it."""
    return line.partition(b"~")[0]


def _side(octets: bytes) -> Side:
    return Side(octets=octets, typ=decode_typ(octets), link=link_of(octets))


def _members(held: bytes, received: bytes) -> tuple[Member, ...]:
    left, right = dict(_flat(held)), dict(_flat(received))
    names = [*left, *(name for name in right if name not in left)]
    return tuple(Member(name=name, held=left.get(name), received=right.get(name)) for name in names)


def _flat(octets: bytes) -> Iterator[tuple[str, str]]:
    """The payload's members as text, nested ones by a name with dots; nothing of what cannot be read."""
    typ = decode_typ(octets)
    if typ is None:
        return
    try:
        payload = json.loads(decode_jws(octets, typ).payload)
    except (FormatError, VerificationError, ValueError, RecursionError):
        return
    if isinstance(payload, dict):
        yield from _walk("", payload)


def _walk(prefix: str, members: dict[str, object]) -> Iterator[tuple[str, str]]:
    for name, value in members.items():
        if isinstance(value, dict):
            yield from _walk(f"{prefix}{name}.", value)
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            yield f"{prefix}{name}", text[:_MAX_VALUE_CHARS]
