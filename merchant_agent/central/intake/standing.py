"""Where central stands with a chain, as far as an upload touches it; read in one snapshot."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import peewee

from merchant_agent.central.intake.upload import Upload
from merchant_agent.central.store.models import Batch, ChainHead, Issuer, Quarantine, Record
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.exchange import Outcome
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.evidence.octets import decode_json
from merchant_agent.evidence.record import Totals
from merchant_agent.store.store import Reader

FROZEN = "frozen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What an upload was answered: the acknowledgement's octets, and its outcome."""

    outcome: Outcome
    ack: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What central has for a place: an accepted record (`rule` is None), or a line that it rejected.

    `link` is what the next record names, where the issuer `vouched` for it.
    """

    octets: bytes
    link: str
    rule: str | None
    vouched: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A signed batch's word about the record at a place."""

    link: str
    octets: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A chain's state when it was read.

    `answered` is the answer that this very batch got before. `held` has the known places that
    the upload speaks of, `claims` what earlier batches said of places that it adds.
    """

    merchant: str
    issuer: str
    epoch: int
    key: VerifyingKey
    head: Head
    totals: Totals | None
    nonce: str
    claimed_seq: int
    frozen: bool
    answered: Answered | None
    held: Mapping[int, Held] = field(default_factory=dict)
    claims: Mapping[int, Sequence[Claim]] = field(default_factory=dict)


def find_standing(reader: Reader, upload: Upload) -> Standing:
    """The standing of the chain whose key the batch names.

    Raises:
        NotFoundError: "issuer", when no grant names that issuer and epoch.
    """
    row = reader.first(_query(upload))
    if row is None:
        raise NotFoundError("issuer", f"there is no grant for {upload.issuer}.{upload.epoch}")
    merchant, key, seq, link, totals, nonce, claimed_seq, state, ack, outcome = row
    head = Head(epoch=upload.epoch, seq=seq, link=link)
    touches = ack is None and upload.flaw is None
    return Standing(
        merchant=merchant,
        issuer=upload.issuer,
        epoch=upload.epoch,
        key=_key(bytes(key)),
        head=head,
        totals=None if totals is None else decode_json(totals.encode(), Totals),
        nonce=nonce,
        claimed_seq=claimed_seq,
        frozen=state == FROZEN,
        answered=None if ack is None else Answered(outcome=outcome, ack=bytes(ack)),
        held=_held(reader, merchant, upload, head) if touches else {},
        claims=_claims(reader, merchant, upload, head) if touches and claimed_seq > seq else {},
    )


def _query(upload: Upload) -> peewee.Query:
    """One row (merchant, key, the head's columns, and the answer to this batch or nulls), or none."""
    head = (
        (ChainHead.merchant == Issuer.merchant)
        & (ChainHead.issuer == Issuer.issuer)
        & (ChainHead.epoch == Issuer.epoch)
    )
    same = (
        (Batch.merchant == Issuer.merchant)
        & (Batch.issuer == Issuer.issuer)
        & (Batch.epoch == Issuer.epoch)
        & (Batch.digest == upload.digest)
    )
    return (
        Issuer.select(
            *(Issuer.merchant, Issuer.key, ChainHead.seq, ChainHead.link, ChainHead.totals),
            *(ChainHead.nonce, ChainHead.claimed_seq, ChainHead.state, Batch.ack, Batch.outcome),
        )
        .join(ChainHead, on=head)
        .switch(Issuer)
        .join(Batch, peewee.JOIN.LEFT_OUTER, on=same)
        .where((Issuer.issuer == upload.issuer) & (Issuer.epoch == upload.epoch))
        .tuples()
    )


def _held(reader: Reader, merchant: str, upload: Upload, head: Head) -> dict[int, Held]:
    """What stands at the known places that the lines repeat, and at the batch's newest."""
    batch = upload.batch
    held: dict[int, Held] = {}
    if batch.from_ <= head.seq:
        held.update(_places(reader, merchant, upload, batch.from_, min(batch.to, head.seq)))
    if batch.newest.seq <= head.seq and batch.newest.seq not in held:
        held.update(_places(reader, merchant, upload, batch.newest.seq, batch.newest.seq))
    return held


def _places(reader: Reader, merchant: str, upload: Upload, first: int, last: int) -> dict[int, Held]:
    records = Record.select(Record.seq, Record.octets).where(
        (Record.merchant == merchant)
        & (Record.issuer == upload.issuer)
        & (Record.epoch == upload.epoch)
        & Record.seq.between(first, last)
    )
    columns = (Quarantine.seq, Quarantine.line, Quarantine.link, Quarantine.rule, Quarantine.vouched)
    rejected = Quarantine.select(*columns).where(
        (Quarantine.merchant == merchant)
        & (Quarantine.issuer == upload.issuer)
        & (Quarantine.epoch == upload.epoch)
        & Quarantine.seq.between(first, last)
        & (Quarantine.placed == 1)
    )
    held = {
        seq: Held(octets=bytes(line), link=link, rule=rule, vouched=bool(vouched))
        for seq, line, link, rule, vouched in reader.all(rejected.tuples())
    }
    for seq, octets in reader.all(records.tuples()):
        held[seq] = Held(octets=bytes(octets), link=link_of(bytes(octets)), rule=None, vouched=True)
    return held


def _claims(reader: Reader, merchant: str, upload: Upload, head: Head) -> dict[int, list[Claim]]:
    query = Batch.select(Batch.newest_seq, Batch.newest_link, Batch.octets).where(
        (Batch.merchant == merchant)
        & (Batch.issuer == upload.issuer)
        & (Batch.epoch == upload.epoch)
        & Batch.newest_seq.between(head.seq + 1, upload.batch.to)
        & (Batch.outcome != "refused")
    )
    claims: dict[int, list[Claim]] = defaultdict(list)
    for seq, link, octets in reader.all(query.tuples()):
        claims[seq].append(Claim(link=link, octets=bytes(octets)))
    return claims


@lru_cache(maxsize=4096)
def _key(octets: bytes) -> VerifyingKey:
    """A granted key; checking that it is strong takes longer than a signature."""
    return VerifyingKey(octets)
