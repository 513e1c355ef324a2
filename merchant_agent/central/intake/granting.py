"""Granting: a new issuer for a merchant, its first epoch, and where its chain begins.

Source: PROTOCOL.md, "Grant".
"""

from __future__ import annotations

from datetime import datetime

from merchant_agent.central.log.waiting import GRANT_SEQ, Waiting, enqueue
from merchant_agent.central.services import Central
from merchant_agent.central.store.ledger import newest_totals
from merchant_agent.central.store.models import ChainHead, Grant, Issuer
from merchant_agent.clock import format_at
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence import grant as evidence
from merchant_agent.evidence.jws import leaf_hash, link_of
from merchant_agent.evidence.octets import decode_b64u, encode_b64u, encode_json
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader, Writer

_EPOCH = 1


def grant_terminal(central: Central, tx: Writer, merchant: str, key: bytes) -> tuple[str, bytes]:
    """Makes the strong `key` a terminal of the merchant; its new issuer id and the grant's octets.

    Raises:
        StoreConflictError: the key was granted before.
    """
    now = central.clock.now()
    grant = evidence.Grant(
        issuer=evidence.new_issuer_id(),
        epoch=_EPOCH,
        merchant=merchant,
        role="terminal",
        key=encode_b64u(key),
        nonce=evidence.new_nonce(),
        totals=newest_totals(tx, merchant),
        deadline_hours=central.settings.deadline_hours,
        policy=evidence.Policy(ask="tablet"),
        sealing_key=central.identity.sealing_key,
        central=(central.identity.acknowledging_key,),
        closes=None,
        at=format_at(now),
    )
    octets = central.identity.sign_grant(grant)
    store_grant(tx, grant, octets, now)
    return grant.issuer, octets


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


def find_grant(reader: Reader, issuer: str) -> bytes:
    """The octets of an issuer's first grant.

    Raises:
        StoreCorruptError: there is none although the issuer is known.
    """
    query = Grant.select(Grant.octets).where((Grant.issuer == issuer) & (Grant.epoch == _EPOCH))
    octets = reader.scalar(query)
    if octets is None:
        raise StoreCorruptError(f"the grant of {issuer} is missing")
    return bytes(octets)
