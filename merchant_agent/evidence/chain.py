"""The chain: octets in, trusted records out, and no way to call it out of order.

Source: PROTOCOL.md, "Chain" and rules V1 to V6 and V10.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Self

from merchant_agent.clock import Reading, format_at
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.disclosure import check_disclosures, digest
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import Grant
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of, sign_jws, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.record import (
    SD_ALG,
    About,
    Body,
    Kind,
    Record,
    Totals,
    decode_record,
    encode_record,
    peek_record,
)

__all__ = ["Chain", "Head", "append_record", "is_skippable"]

_SKIPPABLE = frozenset({"V1", "V6", "V10"})


class Chain:
    """One issuer's epoch, verified record by record; not safe for several threads.

    `seq` and `link` are its head's; `totals` is None after `skip`, until the next accepted record states them anew.
    """

    __slots__ = ("_key", "epoch", "issuer", "link", "seq", "totals")

    def __init__(self, issuer: str, epoch: int, key: VerifyingKey, head: Head, totals: Totals | None) -> None:
        self.issuer = issuer
        self.epoch = epoch
        self.totals = totals
        self._key = key
        self.seq = head.seq
        self.link = head.link

    @classmethod
    def begin(cls, grant_octets: bytes, grant: Grant) -> Self:
        """The empty chain of a grant that `open_grant` made of these octets."""
        head = Head(epoch=grant.epoch, seq=-1, link=link_of(grant_octets))
        return cls(grant.issuer, grant.epoch, grant.verifying_key(), head, grant.totals)

    @classmethod
    def resume(cls, issuer: str, epoch: int, key: VerifyingKey, head: Head, totals: Totals | None) -> Self:
        """The chain at a head that was verified before; `totals` as this class had them then."""
        return cls(issuer, epoch, key, head, totals)

    @property
    def head(self) -> Head:
        """The newest accepted or skipped place."""
        return Head(epoch=self.epoch, seq=self.seq, link=self.link)

    def accept(self, octets: bytes, disclosures: Iterable[str] = ()) -> Record:
        """The record, which is from now on the head.

        Raises:
            VerificationError: the first broken rule of V1 to V6 and V10; nothing has changed.
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
            VerificationError: V1, V4, V5, V6 or V10; nothing has changed.
        """
        self._require_place(jws.payload)
        try:
            record = decode_record(jws.payload)
        except FormatError as error:
            raise VerificationError("V1", str(error), seq=self.seq + 1) from error
        if self.totals is not None and record.totals != self.totals.after(record.kind, record.body):
            raise VerificationError("V6", "the totals do not add up", seq=record.seq)
        check_disclosures(record, disclosures)
        self.seq = record.seq
        self.link = link_of(jws.octets)
        self.totals = record.totals
        return record

    def skip(self, link: str) -> None:
        """Goes on past a record of which only the link is kept.

        For one that `accept` refused with an error for which `is_skippable` holds.
        """
        self.seq += 1
        self.link = link
        self.totals = None

    def _require_place(self, payload: bytes) -> None:
        place = f'{{"issuer":"{self.issuer}","epoch":{self.epoch},"seq":{self.seq + 1},"prev":"{self.link}",'
        if payload.startswith(place.encode()):
            return
        try:
            peek = peek_record(payload)
        except FormatError as error:
            raise VerificationError("V1", str(error)) from error
        if peek.issuer != self.issuer or peek.epoch != self.epoch:
            raise VerificationError("V4", "it claims a place in another chain", seq=peek.seq)
        if peek.seq != self.seq + 1:
            raise VerificationError("V4", f"seq {peek.seq} where {self.seq + 1} comes next", seq=peek.seq)
        if peek.prev != self.link:
            raise VerificationError("V5", "prev is not the link of the record before", seq=peek.seq)


def is_skippable(error: VerificationError) -> bool:
    """Whether the refused record is the issuer's own word for exactly the next place.

    Then signature, place and link hold, and only what it says there is wrong (V1, V6, V10):
    keep its link and `skip` it. Otherwise the chain cannot go on past it.
    """
    return error.seq is not None and error.rule in _SKIPPABLE


def append_record(  # noqa: PLR0913, PLR0917 -- a record has these parts
    chain: Chain,
    key: SigningKey,
    kind: Kind,
    id: str,  # noqa: A002 -- the member's name
    reading: Reading,
    about: About,
    body: Body,
    disclosures: Iterable[str] = (),
) -> bytes:
    """The octets of the chain's next record, signed; the caller has the chain accept them.

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
        anchor=None,
        totals=chain.totals.after(kind, body),
        about=about,
        body=body,
        sd=tuple(sorted(digest(text) for text in disclosures)),
        sd_alg=SD_ALG,
    )
    return sign_jws(key, Typ.RECORD, chain.issuer, chain.epoch, encode_record(record))
