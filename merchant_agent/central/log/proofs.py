"""Proofs over the newest checkpoint: that a leaf is in the log, and that the log only grew.

Source: C2SP tlog-proof; RFC 6962, sections 2.1.1 and 2.1.2.
"""

from __future__ import annotations

from merchant_agent.central.log.checkpoints import Published, checkpoint_of, newest_checkpoint
from merchant_agent.central.log.tree import reading_nodes
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Grant, Record
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.merkle import prove_consistency, prove_inclusion
from merchant_agent.evidence.tlog_proof import encode_tlog_proof
from merchant_agent.store.store import Reader

# Not MIN(number): PostgreSQL may look for the smallest by walking the primary key.
_NUMBERS = "SELECT number FROM log_leaf WHERE leaf = ?"


def inclusion_proof(central: Central, leaf: bytes) -> bytes:
    """The file that proves the leaf hash to be in the log, over its newest checkpoint.

    Raises:
        NotFoundError: "log", before the first checkpoint; "leaf", while no checkpoint holds it.
        StoreCorruptError: a tile is missing or damaged.
    """
    with central.store.read() as reader:
        newest = _newest(reader)
        number = leaf_number(reader, leaf)
        if number is None or number >= newest.size:
            raise NotFoundError("leaf", "the log does not hold it yet")
        with reading_nodes(reader) as nodes:
            path = prove_inclusion(nodes, number, newest.size)
    return encode_tlog_proof(number, path, newest.octets)


def consistency_proof(central: Central, old: int) -> tuple[list[bytes], Published]:
    """What proves that the newest checkpoint, which comes with it, goes on from the one of size `old`.

    Raises:
        NotFoundError: "log", before the first checkpoint; "checkpoint", where none of that size was published.
        StoreCorruptError: a tile is missing or damaged.
    """
    with central.store.read() as reader:
        newest = _newest(reader)
        if checkpoint_of(reader, old) is None:
            raise NotFoundError("checkpoint", f"none of size {old} was published")
        with reading_nodes(reader) as nodes:
            return prove_consistency(nodes, old, newest.size), newest


def leaf_number(reader: Reader, leaf: bytes) -> int | None:
    """Where the leaf hash stands in the tree, published or not; None while it waits or is unknown."""
    return min((int(number) for (number,) in reader.rows(_NUMBERS, leaf)), default=None)


def leaf_at(reader: Reader, merchant: str, place: Place) -> bytes:
    """The leaf hash of the accepted record at that place.

    Raises:
        NotFoundError: "record".
    """
    query = Record.select(Record.octets).where(
        (Record.merchant == merchant)
        & (Record.issuer == place.issuer)
        & (Record.epoch == place.epoch)
        & (Record.seq == place.seq)
    )
    return _leaf(reader.scalar(query), "record")


def leaf_of_grant(reader: Reader, merchant: str, issuer: str, epoch: int) -> bytes:
    """The leaf hash of that epoch's grant.

    Raises:
        NotFoundError: "grant".
    """
    query = Grant.select(Grant.octets).where(
        (Grant.merchant == merchant) & (Grant.issuer == issuer) & (Grant.epoch == epoch)
    )
    return _leaf(reader.scalar(query), "grant")


def _leaf(octets: bytes | None, code: str) -> bytes:
    if octets is None:
        raise NotFoundError(code, f"there is no such {code}")
    return leaf_hash(bytes(octets))


def _newest(reader: Reader) -> Published:
    newest = newest_checkpoint(reader)
    if newest is None:
        raise NotFoundError("log", "no checkpoint was published yet")
    return newest
