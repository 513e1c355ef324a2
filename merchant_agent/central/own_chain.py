"""Central's own chains: for each merchant one issuer of central's, with what phones and central itself say.

A record is built on the head, signed, verified by the verifier's own code, and stored with its
disclosures, its projections and its leaf in the caller's transaction. The head's row is locked
first and moved by compare-and-swap, so that two processes can never sign for one place.

Source: PROTOCOL.md, "Grant" and "Kinds".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from merchant_agent.central.intake.granting import store_grant
from merchant_agent.central.intake.recording import record_rows
from merchant_agent.central.intake.verdicts import Accepted
from merchant_agent.central.log.checkpoints import newest_checkpoint
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.clock import Reading, format_at
from merchant_agent.errors import NotFoundError, StoreConflictError, StoreCorruptError
from merchant_agent.evidence import record as evidence
from merchant_agent.evidence.bodies import Body, Kind
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Anchor, Head, Place
from merchant_agent.evidence.grant import Grant, Policy, new_issuer_id, new_nonce
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import ABOUT_NOTHING, About, Totals, decode_record, new_id
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader, Writer

_FIRST_EPOCH = 1
# An update that changes nothing locks the row on PostgreSQL, and SQLite has one writer.
_LOCK_HEAD = (
    "UPDATE chain_head SET role = role WHERE merchant = ? AND role = 'central'"
    " RETURNING epoch, issuer, seq, link, totals"
)
_MOVE_HEAD = (
    "UPDATE chain_head SET seq = ?, link = ?, totals = ?, claimed_seq = ?, seen_at = ?, accepted_at = ?"
    " WHERE merchant = ? AND issuer = ? AND epoch = ? AND seq = ? AND link = ? RETURNING seq"
)
_NEWEST = "SELECT octets FROM record WHERE merchant = ? AND issuer = ? AND epoch = ? AND seq = ?"
_TOTALS: msgspec.json.Decoder[Totals] = msgspec.json.Decoder(Totals)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnRecord:
    """A record that stands in central's chain once the transaction is committed; `leaf` has 32 bytes."""

    record: evidence.Record
    octets: bytes
    leaf: bytes

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.record.place

    @property
    def query_code(self) -> str:
        """The number that stands for it towards people."""
        return query_code(self.leaf)


def append_own(  # noqa: PLR0913 -- a record has these parts
    central: Central,
    tx: Writer,
    merchant: str,
    kind: Kind,
    body: Body,
    *,
    id: str | None = None,  # noqa: A002 -- the member's name
    about: About = ABOUT_NOTHING,
    disclosures: Mapping[str, str] | None = None,
) -> OwnRecord:
    """Signs the next record of central's chain for the merchant; the first one begins the chain.

    `disclosures` are its erasable members, value by name; those that are empty are left out.

    Raises:
        FormatError: no reader would take it: something is too long or not of its form.
        NotFoundError: "merchant".
        StoreError: it could not be written; the transaction can only be rolled back.
        VerificationError: the verifier refused it; nothing of it was written.
    """
    chain, key = _resume(central, tx, merchant)
    before = chain.head
    values = {name: value for name, value in (disclosures or {}).items() if value}
    texts = {name: make_disclosure(name, value) for name, value in values.items()}
    reading = central.clock.read()
    octets = append_record(
        chain,
        key,
        kind,
        id or new_id(reading.at),
        reading,
        about,
        body,
        texts.values(),
        anchor=_further_anchor(tx, chain),
    )
    record = chain.accept(octets, texts.values())
    own = OwnRecord(record=record, octets=octets, leaf=leaf_hash(octets))
    _move_head(tx, merchant, before, chain, reading)
    accepted = Accepted(record=record, octets=octets, disclosures=list(texts.values()))
    tx.copy_tables(record_rows(merchant, [accepted], to_ms(reading.at)))
    return own


def own_issuer(central: Central, tx: Writer, merchant: str) -> str:
    """Central's issuer for the merchant, whose chain nobody else can move until the transaction ends.

    Raises:
        NotFoundError: "merchant".
    """
    return _locked_head(central, tx, merchant)[1]


def _locked_head(central: Central, tx: Writer, merchant: str) -> tuple[int, str, int, str, str]:
    """Epoch, issuer, seq, link and totals of the chain's head."""
    rows = tx.rows(_LOCK_HEAD, merchant)
    if not rows:
        _begin(central, tx, merchant)
        rows = tx.rows(_LOCK_HEAD, merchant)
    epoch, issuer, seq, link, totals = max(rows)
    return epoch, issuer, seq, link, totals


def _resume(central: Central, tx: Writer, merchant: str) -> tuple[Chain, SigningKey]:
    """The merchant's chain at its head, which nobody else can move until the transaction ends."""
    epoch, issuer, seq, link, totals = _locked_head(central, tx, merchant)
    key = central.identity.chain_key(issuer, epoch)
    chain = Chain.resume(
        issuer,
        epoch,
        VerifyingKey(key.public),
        Head(epoch=epoch, seq=seq, link=link),
        _TOTALS.decode(totals),
        role="central",
        anchor=_anchor_at(tx, merchant, issuer, epoch, seq),
    )
    return chain, key


def _begin(central: Central, tx: Writer, merchant: str) -> None:
    """Grants central an issuer for the merchant, unless somebody else has just done so."""
    same = MerchantEntry.update({MerchantEntry.id: MerchantEntry.id}).where(MerchantEntry.id == merchant)
    if tx.execute(same) == 0:
        raise NotFoundError("merchant", "there is no such merchant")
    if tx.rows(_LOCK_HEAD, merchant):
        return
    now = central.clock.now()
    issuer = new_issuer_id()
    grant = Grant(
        issuer=issuer,
        epoch=_FIRST_EPOCH,
        merchant=merchant,
        role="central",
        key=encode_b64u(central.identity.chain_key(issuer, _FIRST_EPOCH).public),
        nonce=new_nonce(),
        totals=Totals.zero(),
        deadline_hours=central.settings.deadline_hours,
        policy=Policy(ask="receipt"),
        sealing_key=central.identity.sealing_key,
        central=(central.identity.acknowledging_key,),
        closes=None,
        at=format_at(now),
    )
    store_grant(tx, grant, central.identity.sign_grant(grant), now)


def _anchor_at(reader: Reader, merchant: str, issuer: str, epoch: int, seq: int) -> Anchor | None:
    """What the record at the head is anchored to; None before the first record."""
    if seq < 0:
        return None
    rows = reader.rows(_NEWEST, merchant, issuer, epoch, seq)
    if not rows:
        raise StoreCorruptError(f"the record {seq} of {issuer}.{epoch} is missing")
    return decode_record(decode_jws(bytes(rows[0][0]), Typ.RECORD).payload).anchor


def _further_anchor(reader: Reader, chain: Chain) -> Anchor | None:
    """The newest checkpoint, where the chain can go on to it."""
    newest = newest_checkpoint(reader)
    if newest is None or newest.size == 0:
        return None
    before = chain.anchor
    if before is not None and (newest.size <= before.size or newest.time < before.time):
        return None
    return Anchor(size=newest.size, root=encode_b64u(newest.root), time=newest.time)


def _move_head(tx: Writer, merchant: str, before: Head, chain: Chain, reading: Reading) -> None:
    now_ms = to_ms(reading.at)
    head = chain.head
    totals = encode_json(chain.totals).decode()
    after = (head.seq, head.link, totals, head.seq, now_ms, now_ms)
    where = (merchant, chain.issuer, chain.epoch, before.seq, before.link)
    if not tx.rows(_MOVE_HEAD, *after, *where):
        raise StoreConflictError(f"the chain {chain.issuer} moved while it was locked")
