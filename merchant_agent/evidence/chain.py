"""The chain: octets in, trusted records out, and no way to call it out of order.

Source: PROTOCOL.md, "Chain" and rules V1 to V7 and V10.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from merchant_agent.clock import Reading, format_at
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.bodies import (
    BODY_TYPES,
    CHANNELS,
    SIGNERS,
    Body,
    ComplaintBody,
    Kind,
    RatingBody,
    Role,
    SuggestionBody,
)
from merchant_agent.evidence.disclosure import check_disclosures, digest
from merchant_agent.evidence.fields import Anchor, Head
from merchant_agent.evidence.grant import Grant
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of, sign_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.record import (
    SD_ALG,
    About,
    Peek,
    Record,
    Totals,
    decode_record,
    encode_record,
    peek_record,
)

__all__ = ["Chain", "Head", "append_record", "is_skippable"]

_FOREIGN: dict[Role, frozenset[type[Body]]] = {
    role: frozenset(BODY_TYPES[kind] for kind in Kind if role not in SIGNERS[kind]) for role in CHANNELS
}
_SPOKEN = (RatingBody, SuggestionBody, ComplaintBody)
_SKIPPABLE = frozenset({"V1", "V6", "V7", "V10"})


class Chain:
    """One issuer's epoch, verified record by record; not safe for several threads.

    `seq` and `link` are its head's; `totals` is None after `skip`, until the next accepted record
    states them anew. `anchor` is the newest one that a record stated, as far as this class saw them.
    """

    __slots__ = ("_key", "anchor", "epoch", "issuer", "link", "role", "seq", "totals")

    def __init__(  # noqa: PLR0913 -- a chain has these parts
        self,
        issuer: str,
        epoch: int,
        key: VerifyingKey,
        head: Head,
        totals: Totals | None,
        *,
        role: Role,
        anchor: Anchor | None = None,
    ) -> None:
        self.issuer = issuer
        self.epoch = epoch
        self.role = role
        self.totals = totals
        self.anchor = anchor
        self._key = key
        self.seq = head.seq
        self.link = head.link

    @classmethod
    def begin(cls, grant_octets: bytes, grant: Grant) -> Self:
        """The empty chain of a grant that `open_grant` made of these octets."""
        head = Head(epoch=grant.epoch, seq=-1, link=link_of(grant_octets))
        return cls(grant.issuer, grant.epoch, grant.verifying_key(), head, grant.totals, role=grant.role)

    @classmethod
    def resume(  # noqa: PLR0913 -- as the constructor
        cls,
        issuer: str,
        epoch: int,
        key: VerifyingKey,
        head: Head,
        totals: Totals | None,
        *,
        role: Role,
        anchor: Anchor | None = None,
    ) -> Self:
        """The chain at a head that was verified before; `totals` and `anchor` as this class had them then.

        Without an `anchor` the next record may state any.
        """
        return cls(issuer, epoch, key, head, totals, role=role, anchor=anchor)

    @property
    def head(self) -> Head:
        """The newest accepted or skipped place."""
        return Head(epoch=self.epoch, seq=self.seq, link=self.link)

    def accept(self, octets: bytes, disclosures: Iterable[str] = ()) -> Record:
        """The record, which is from now on the head.

        Raises:
            VerificationError: the first broken rule of V1 to V7 and V10; nothing has changed.
                See `is_skippable`.
        """
        return self.advance(self.open(octets), disclosures)

    def open(self, octets: bytes) -> Jws:
        """The signed parts of what this chain's key signed as a record, wherever it stands.

        Raises:
            VerificationError: V1, V2 or V3.
        """
        jws = decode_jws(octets, Typ.RECORD)
        if jws.issuer != self.issuer or jws.epoch != self.epoch:
            raise VerificationError("V2", f"the key id {jws.kid} is of another chain")
        verify_jws(jws, self._key)
        return jws

    def advance(self, jws: Jws, disclosures: Iterable[str] = ()) -> Record:
        """`accept` for what `open` of this chain returned.

        Raises:
            VerificationError: V1, V4, V5, V6, V7 or V10; nothing has changed.
        """
        try:
            record = decode_record(jws.payload)
        except FormatError as error:
            self._require_place(_peek(jws.payload))
            raise VerificationError("V1", str(error), seq=self.seq + 1) from error
        self._require_place(record)
        _require_signer(self.role, record)
        if self.totals is not None and record.totals != self.totals.after(record.kind, record.body):
            raise VerificationError("V6", "the totals do not add up", seq=record.seq)
        if record.anchor != self.anchor:
            _require_growth(self.anchor, record)
        check_disclosures(record, disclosures)
        self.leap(record, jws.octets)
        return record

    def leap(self, record: Record, octets: bytes) -> None:
        """Goes on behind a record of these octets that another of this class accepted, as all those before it."""
        self.anchor = record.anchor
        self.seq = record.seq
        self.link = link_of(octets)
        self.totals = record.totals

    def skip(self, link: str) -> None:
        """Goes on past a record of which only the link is kept.

        For one that `accept` refused with an error for which `is_skippable` holds.
        """
        self.seq += 1
        self.link = link
        self.totals = None

    def _require_place(self, peek: Peek | Record) -> None:
        if peek.issuer != self.issuer or peek.epoch != self.epoch:
            raise VerificationError("V4", "it claims a place in another chain", seq=peek.seq)
        if peek.seq != self.seq + 1:
            raise VerificationError("V4", f"seq {peek.seq} where {self.seq + 1} comes next", seq=peek.seq)
        if peek.prev != self.link:
            raise VerificationError("V5", "prev is not the link of the record before", seq=peek.seq)


def _peek(payload: bytes) -> Peek:
    try:
        return peek_record(payload)
    except FormatError as error:
        raise VerificationError("V1", str(error)) from error


def is_skippable(error: VerificationError) -> bool:
    """Whether the refused record is the issuer's own word for exactly the next place.

    Then signature, place and link hold, and only what it says there is wrong (V1, V6, V7, V10):
    keep its link and `skip` it. Otherwise the chain cannot go on past it.
    """
    return error.seq is not None and error.rule in _SKIPPABLE


def _require_signer(role: Role, record: Record) -> None:
    body = record.body
    if type(body) in _FOREIGN[role]:
        raise VerificationError("V1", f"a {record.kind} is not signed by a {role}", seq=record.seq)
    if isinstance(body, _SPOKEN) and body.channel != CHANNELS[role]:
        raise VerificationError("V1", f"not the channel of a {role}", seq=record.seq)


def _require_growth(before: Anchor | None, record: Record) -> None:
    """Source: PROTOCOL.md, rule V7."""
    anchor = record.anchor
    if before is None:
        return
    if anchor is None or anchor.size <= before.size or anchor.time < before.time:
        raise VerificationError("V7", "its anchor does not go on from the one before", seq=record.seq)


def append_record(  # noqa: PLR0913, PLR0917 -- a record has these parts
    chain: Chain,
    key: SigningKey,
    kind: Kind,
    id: str,  # noqa: A002 -- the member's name
    reading: Reading,
    about: About,
    body: Body,
    disclosures: Iterable[str] = (),
    *,
    anchor: Anchor | None = None,
) -> bytes:
    """The octets of the chain's next record, signed; the caller has the chain accept them.

    Without an `anchor` that of the record before stands; a further one has more leaves.

    Raises:
        FormatError: no reader would take it.
        VerificationError: V6 where the chain's totals are unknown.
    """
    if chain.totals is None:
        raise VerificationError("V6", "the totals are unknown after a skipped record", seq=chain.seq)
    record = Record(
        issuer=chain.issuer,
        epoch=chain.epoch,
        seq=chain.seq + 1,
        prev=chain.link,
        kind=kind,
        id=id,
        at=format_at(reading.at),
        boot=reading.boot,
        uptime_ms=reading.uptime_ms,
        anchor=chain.anchor if anchor is None else anchor,
        totals=chain.totals.after(kind, body),
        about=about,
        body=body,
        sd=tuple(sorted(digest(text) for text in disclosures)),
        sd_alg=SD_ALG,
    )
    return sign_jws(key, Typ.RECORD, chain.issuer, chain.epoch, encode_record(record))
