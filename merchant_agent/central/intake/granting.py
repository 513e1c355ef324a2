"""Granting: a new issuer's first epoch, or an issuer's next one, and where its chain begins.

An issuer's newest epoch is locked before the next one is granted: of two that ask at once, one gets it.

Source: PROTOCOL.md, "Grant".
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from merchant_agent.central.log.waiting import GRANT_SEQ, Waiting, enqueue
from merchant_agent.central.services import Central
from merchant_agent.central.store.ledger import closing, newest_totals
from merchant_agent.central.store.models import ChainHead, Grant, Issuer
from merchant_agent.clock import format_at
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence import grant as evidence
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import leaf_hash, link_of
from merchant_agent.evidence.octets import decode_b64u, encode_b64u, encode_json
from merchant_agent.evidence.record import Totals
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader, Writer

_FIRST = 1
_NEWEST = "SELECT MAX(epoch) FROM chain_head WHERE merchant = ? AND issuer = ? AND role = 'terminal'"
# An update that changes nothing locks the row on PostgreSQL, and SQLite has one writer.
_LOCK = "UPDATE chain_head SET role = role WHERE merchant = ? AND issuer = ? AND epoch = ? RETURNING state"
_CLOSE = (
    "UPDATE chain_head SET closed_seq = seq WHERE merchant = ? AND issuer = ? AND epoch = ?"
    " RETURNING closed_seq"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class NewestEpoch:
    """An issuer's newest epoch, which nobody else can change until the transaction ends."""

    merchant: str
    issuer: str
    epoch: int
    state: str


def grant_terminal(central: Central, tx: Writer, merchant: str, key: bytes) -> bytes:
    """Makes the strong `key` a new terminal of the merchant; the grant's octets.

    Raises:
        StoreConflictError: the key was granted before.
    """
    totals = newest_totals(tx, merchant)
    return _grant(central, tx, merchant, evidence.new_issuer_id(), _FIRST, key, totals, None)


def grant_next(central: Central, tx: Writer, newest: NewestEpoch, key: bytes) -> bytes:
    """Makes the strong `key` that of the issuer's next epoch and closes the one before; the grant's octets.

    Raises:
        StoreConflictError: the key was granted before.
        StoreCorruptError: the epoch before has no grant.
    """
    closes, totals = closing(tx, newest.merchant, newest.issuer, newest.epoch)
    tx.rows(_CLOSE, newest.merchant, newest.issuer, newest.epoch)
    epoch = newest.epoch + 1
    return _grant(central, tx, newest.merchant, newest.issuer, epoch, key, totals, closes)


def lock_newest(tx: Writer, merchant: str, issuer: str) -> NewestEpoch | None:
    """The newest epoch of a terminal of the merchant, locked; None where it has no such terminal."""
    newest = _find_newest(tx, merchant, issuer)
    while newest is not None:
        [(state,)] = tx.rows(_LOCK, merchant, issuer, newest)
        # Whoever held the lock before may have granted the next one: then that is locked, too.
        later = _find_newest(tx, merchant, issuer)
        if later == newest:
            return NewestEpoch(merchant=merchant, issuer=issuer, epoch=newest, state=state)
        newest = later
    return None


def _find_newest(reader: Reader, merchant: str, issuer: str) -> int | None:
    epoch: int | None = reader.rows(_NEWEST, merchant, issuer)[0][0]
    return epoch


def _grant(  # noqa: PLR0913, PLR0917 -- a grant has these parts
    central: Central,
    tx: Writer,
    merchant: str,
    issuer: str,
    epoch: int,
    key: bytes,
    totals: Totals,
    closes: Head | None,
) -> bytes:
    now = central.clock.now()
    grant = evidence.Grant(
        issuer=issuer,
        epoch=epoch,
        merchant=merchant,
        role="terminal",
        key=encode_b64u(key),
        nonce=evidence.new_nonce(),
        totals=totals,
        deadline_hours=central.settings.deadline_hours,
        policy=evidence.Policy(ask="tablet"),
        sealing_key=central.identity.sealing_key,
        central=(central.identity.acknowledging_key,),
        closes=closes,
        at=format_at(now),
    )
    octets = central.identity.sign_grant(grant)
    store_grant(tx, grant, octets, now)
    return octets


def store_grant(tx: Writer, grant: evidence.Grant, octets: bytes, now: datetime) -> None:
    """Keeps a grant, has it logged, and begins its chain.

    Raises:
        StoreConflictError: its key was granted before, or its issuer has that epoch already.
    """
    place = {"merchant": grant.merchant, "issuer": grant.issuer, "epoch": grant.epoch}
    tx.execute(Issuer.insert(**place, key=decode_b64u(grant.key)))
    tx.execute(Grant.insert(**place, octets=octets, at=now))
    leaf = Waiting(
        merchant=grant.merchant,
        issuer=grant.issuer,
        epoch=grant.epoch,
        seq=GRANT_SEQ,
        leaf=leaf_hash(octets),
        kind="grant",
    )
    enqueue(tx, [leaf], to_ms(now))
    tx.execute(
        ChainHead.insert(
            **place,
            seq=-1,
            link=link_of(octets),
            totals=encode_json(grant.totals).decode(),
            nonce=grant.nonce,
            claimed_seq=-1,
            state="active",
            role=grant.role,
            granted_at=now,
        )
    )


def find_granted(reader: Reader, key: bytes) -> tuple[str, int] | None:
    """The issuer and epoch that have this key; None where it is nobody's."""
    row: Issuer | None = reader.first(Issuer.select().where(Issuer.key == key))
    return None if row is None else (row.issuer, row.epoch)


def find_grant(reader: Reader, issuer: str, epoch: int) -> bytes:
    """The octets of an epoch's grant.

    Raises:
        StoreCorruptError: there is none although the epoch is known.
    """
    query = Grant.select(Grant.octets).where((Grant.issuer == issuer) & (Grant.epoch == epoch))
    octets = reader.scalar(query)
    if octets is None:
        raise StoreCorruptError(f"the grant of {issuer}.{epoch} is missing")
    return bytes(octets)
