"""Where a terminal's own records stand in the log.

A terminal has its records, and the hashes of the log are public: with these numbers it makes its
proofs by itself, and has to believe nobody.
Source: PROTOCOL.md, "Leaves".
"""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.intake.asking import find_asker, find_heads, require_signed
from merchant_agent.central.log.checkpoints import newest_checkpoint
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import LogLeaf, Record
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.store.store import Reader

_MOST = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """Records of one epoch in their order, each by its seq and its leaf's number; `next` is the seq to ask after then."""

    leaves: tuple[tuple[int, int], ...]
    next: int


def find_leaves(central: Central, issuer: str, header: str, epoch: int, after: int) -> Leaves:
    """The next records of that epoch behind `after` that stand in the newest published tree, at most 1000.

    For the terminal alone that signed the request, with its newest epoch's key or an older one's.

    Raises:
        NotFoundError: "issuer".
        SignInError: "request-signature", when it is not signed by the terminal over its present nonce.
    """
    granted = find_asker(central, issuer, header)
    with central.store.read() as reader:
        row, _ = find_heads(reader, granted)
        require_signed(header, granted, "leaves", row.nonce, f"{epoch}.{after}")
        return _find(reader, granted.merchant, issuer, epoch, after)


def _find(reader: Reader, merchant: str, issuer: str, epoch: int, after: int) -> Leaves:
    newest = newest_checkpoint(reader)
    if newest is None:
        return Leaves(leaves=(), next=after)
    query = (
        Record.select(Record.seq, Record.octets)
        .where((Record.merchant == merchant) & (Record.issuer == issuer))
        .where((Record.epoch == epoch) & (Record.seq > after))
        .order_by(Record.seq)
        .limit(_MOST)
    )
    leaf_of = {int(seq): leaf_hash(bytes(octets)) for seq, octets in reader.all(query.tuples())}
    numbers = _numbers(reader, list(leaf_of.values()))
    found: list[tuple[int, int]] = []
    for seq, leaf in leaf_of.items():
        number = numbers.get(leaf, newest.size)
        if number >= newest.size:
            # The log takes records up in their order: what comes behind is not there yet.
            break
        found.append((seq, number))
    return Leaves(leaves=tuple(found), next=found[-1][0] if found else after)


def _numbers(reader: Reader, leaves: list[bytes]) -> dict[bytes, int]:
    """The number of each leaf hash that the tree holds, the smallest where it stands there twice."""
    numbers: dict[bytes, int] = {}
    query = LogLeaf.select(LogLeaf.leaf, LogLeaf.number).where(LogLeaf.leaf.in_(leaves))
    for leaf, number in reader.all(query.tuples()) if leaves else ():
        octets = bytes(leaf)
        numbers[octets] = min(int(number), numbers.get(octets, int(number)))
    return numbers
