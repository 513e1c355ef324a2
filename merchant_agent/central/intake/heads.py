"""What a terminal asks to find its own past again: how far central knows an epoch, and its records.

Source: PROTOCOL.md, "Central's head" and "Signed requests".
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

import peewee

from merchant_agent.central.intake.asking import find_asker, find_heads, require_in_force, require_signed
from merchant_agent.central.intake.standing import ACTIVE, REVOKED
from merchant_agent.central.intake.verdicts import STUB
from merchant_agent.central.services import Central
from merchant_agent.central.store.erasures import erased_members
from merchant_agent.central.store.models import Disclosure, Quarantine, Record
from merchant_agent.clock import format_at
from merchant_agent.errors import ForbiddenError
from merchant_agent.evidence.disclosure import encode_line
from merchant_agent.evidence.epochs import ChainState, HeadAnswer
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.store.store import Reader

_MOST_LINES = 256
_MOST_BYTES = 262_144


@dataclass(frozen=True, slots=True, kw_only=True)
class TakenUp:
    """The next lines of an epoch in their order, each as it came, without what was erased since.

    A record that never came as it was signed is left out, or a stub stands in for it. `next` is the seq
    to ask after then; the same as was asked where there is nothing more.
    """

    lines: tuple[bytes, ...]
    next: int


def read_head(central: Central, issuer: str, header: str, client_nonce: str) -> bytes:
    """The signed answer how far central knows the epoch whose key signed the request.

    Raises:
        NotFoundError: "issuer".
        SignInError: "request-signature".
    """
    granted = find_asker(central, issuer, header)
    with central.store.read() as reader:
        row, newest_epoch = find_heads(reader, granted)
    require_signed(header, granted, "head", client_nonce, "")
    answer = HeadAnswer(
        client_nonce=client_nonce,
        issuer=issuer,
        epoch=granted.epoch,
        head=Head(epoch=granted.epoch, seq=row.seq, link=row.link),
        claimed=row.claimed_seq,
        newest_epoch=newest_epoch,
        state=_state(row.state, is_newest=granted.epoch == newest_epoch),
        nonce=row.nonce,
        now=format_at(central.clock.now()),
    )
    return central.identity.sign_head(answer)


def read_records(central: Central, issuer: str, header: str, epoch: int, after: int) -> TakenUp:
    """What central has of an epoch behind its seq `after`, for the holder of the issuer's newest key.

    At most 256 lines and 256 KiB, but one at least.

    Raises:
        NotFoundError: "issuer".
        SignInError: "request-signature", when it is not signed over the asker's present nonce.
        ForbiddenError: "epoch-replaced", when the asker's epoch is not the newest; "revoked".
    """
    granted = find_asker(central, issuer, header)
    with central.store.read() as reader:
        row, newest_epoch = find_heads(reader, granted)
        require_signed(header, granted, "records", row.nonce, f"{epoch}.{after}")
        if granted.epoch != newest_epoch:
            raise ForbiddenError("epoch-replaced", "a later epoch of this issuer was granted")
        require_in_force(row)
        lines = _lines(reader, granted.merchant, issuer, epoch, after)
    taken: list[bytes] = []
    size = 0
    for seq, line in lines:
        size += len(line)
        if taken and size > _MOST_BYTES:
            break
        taken.append(line)
        after = seq
    return TakenUp(lines=tuple(taken), next=after)


def _state(kept: str, *, is_newest: bool) -> ChainState:
    if kept == ACTIVE:
        return "active" if is_newest else "closed"
    return "revoked" if kept == REVOKED else "frozen"


def _lines(reader: Reader, merchant: str, issuer: str, epoch: int, after: int) -> list[tuple[int, bytes]]:
    """Each line with its seq, in order; no more than one answer holds.

    What the shop erased of a complaint is still here, for officers, and is not handed back to it.
    """
    place = (merchant, issuer, epoch, after)
    records = reader.all(
        Record.select(Record.seq, Record.octets)
        .where(_behind(Record, place))
        .order_by(Record.seq)
        .limit(_MOST_LINES)
        .tuples()
    )
    words: defaultdict[int, list[str]] = defaultdict(list)
    last = records[-1][0] if records else after
    said = _behind(Disclosure, place) & (Disclosure.seq <= last)
    columns = (Disclosure.seq, Disclosure.name, Disclosure.octets)
    aside = _aside(reader, place)
    furthest = max([last, *(seq for seq, _ in aside)])
    erased = erased_members(reader, merchant, (issuer, epoch), after + 1, furthest)
    for seq, name, text in reader.all(
        Disclosure.select(*columns).where(said).order_by(Disclosure.name).tuples()
    ):
        if name not in erased.get(seq, ()):
            words[seq].append(text)
    lines = [(seq, encode_line(bytes(octets), words[seq])) for seq, octets in records]
    lines += [(seq, line.partition(b"~")[0] + b"~" if seq in erased else line) for seq, line in aside]
    return sorted(lines)[:_MOST_LINES]


def _aside(reader: Reader, place: tuple[str, str, int, int]) -> list[tuple[int, bytes]]:
    """What the issuer signed for its place although central could not accept it."""
    stood = (Quarantine.placed == 1) & (Quarantine.vouched == 1)
    query = Quarantine.select().where(_behind(Quarantine, place) & stood).order_by(Quarantine.seq)
    rows: list[Quarantine] = reader.all(query.limit(_MOST_LINES))
    return [
        (row.seq, bytes(row.line))
        for row in rows
        if row.rule == STUB or link_of(bytes(row.line).partition(b"~")[0]) == row.link
    ]


def _behind(
    table: type[Record | Disclosure | Quarantine], place: tuple[str, str, int, int]
) -> peewee.Expression:
    merchant, issuer, epoch, after = place
    return (
        (table.merchant == merchant) & (table.issuer == issuer) & (table.epoch == epoch) & (table.seq > after)
    )
