"""Appending: a transaction in which the chain's next records are built, signed, checked and stored.

A record is built on the newest one, signed, verified by the verifier's own code, and stored with
its disclosures, its slip and its projections. Where the wall clock was set since, a `clock` record
comes first.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import peewee

from merchant_agent.clock import Clock, Reading
from merchant_agent.domain.clock_steps import clock_step
from merchant_agent.domain.projections import project
from merchant_agent.errors import OnHoldError, StartError
from merchant_agent.evidence.bodies import Body, Kind
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.disclosure import make_disclosure, open_disclosure
from merchant_agent.evidence.fields import Anchor, Place, parse_at
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import ABOUT_NOTHING, About, Record, new_id
from merchant_agent.store.database import Database
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Writer
from merchant_agent.terminal.store.holds import Hold
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord
from merchant_agent.terminal.store.projections import apply
from merchant_agent.terminal.store.signer import Signer, copy_chain


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """A record that stands in the ledger once its transaction is committed; `leaf` has 32 bytes.

    `slip` are the octets of the promise to who said it, None where nobody said anything.
    """

    record: Record
    octets: bytes
    leaf: bytes
    slip: bytes | None

    @property
    def place(self) -> Place:
        """Where it stands."""
        return self.record.place

    @property
    def query_code(self) -> str:
        """The number that stands for it towards people."""
        return query_code(self.leaf)


# Customers may have their words erased, and words grow too old, also where a shop has closed.
_AFTER_THE_END = frozenset({Kind.ERASE, Kind.CLOCK})

_RECORD = ("epoch", "seq", "kind", "at", "octets", "link")
_DISCLOSURE = ("epoch", "seq", "name", "text")


class JournalWriter(Writer):
    """A write transaction that can also append to the chain; made by `Journal.write`."""

    def __init__(
        self, database: Database, handle: peewee.Database, *, clock: Clock, signer: Signer | None
    ) -> None:
        super().__init__(database, handle)
        self._clock = clock
        self.signer = signer
        self.hold: Hold | None = None
        self.chain: Chain | None = None
        self.before: Reading | None = None  # the clocks in the newest record
        self.anchor: Anchor | None = None  # the newest checkpoint that is kept
        self.appended: list[Appended] = []

    def begin(self, signer: Signer, anchor: Anchor | None) -> None:
        """Has what is appended from now on stand in the new chain of that signer's grant."""
        identity = signer.identity
        self.signer, self.hold, self.anchor = signer, None, anchor
        self.chain, self.before = Chain.begin(identity.grant_octets, identity.grant), None

    def append(
        self,
        kind: Kind,
        body: Body,
        *,
        id: str | None = None,  # noqa: A002  # the member's name
        about: About | None = None,
        disclosures: Mapping[str, str] | None = None,
    ) -> Appended:
        """Signs the next record, with a new id unless given, its slip, and applies what it projects.

        `disclosures` are its erasable members, value by name; those that are empty are left out.

        Raises:
            FormatError: no reader would take it: something is too long or not of its form.
            OnHoldError: nothing is signed until a hold ends; nothing of it was written.
            StartError: the terminal is not enrolled.
            StoreConflictError: its id is there already.
            StoreError: it could not be written; the transaction can only be rolled back.
            VerificationError: the verifier refused it; nothing of it was written.
        """
        reading = self._clock.read()
        step = None if self.before is None else clock_step(self.before, reading)
        if step is not None:
            self._sign(Kind.CLOCK, step, reading, new_id(reading.at), ABOUT_NOTHING, {})
        values = {name: value for name, value in (disclosures or {}).items() if value}
        return self._sign(kind, body, reading, id or new_id(reading.at), about or ABOUT_NOTHING, values)

    def _sign(  # noqa: PLR0913, PLR0917 -- a record has these parts
        self,
        kind: Kind,
        body: Body,
        reading: Reading,
        id: str,  # noqa: A002  # the member's name
        about: About,
        values: Mapping[str, str],
    ) -> Appended:
        if self.hold is not None and not (self.hold.reason == "ended" and kind in _AFTER_THE_END):
            raise OnHoldError(self.hold.reason)
        signer = self.signer
        if signer is None or self.chain is None:
            raise StartError("The terminal is not enrolled.")
        if signer.key is None or signer.slips is None:
            raise OnHoldError("key")
        texts = {name: make_disclosure(name, value) for name, value in values.items()}
        octets = append_record(
            self.chain,
            signer.key,
            kind,
            id,
            reading,
            about,
            body,
            texts.values(),
            anchor=_further(self.chain.anchor, self.anchor),
        )
        record, slip = self._enter(signer, octets, texts.values(), values)
        self.before = reading
        appended = Appended(record=record, octets=octets, leaf=leaf_hash(octets), slip=slip)
        self.appended.append(appended)
        return appended

    def take(self, octets: bytes, disclosures: Sequence[str]) -> Record:
        """Has a record of this chain stand here again that was signed before; its clocks are the newest.

        Raises:
            StartError: there is no chain.
            StoreError: it could not be written; the transaction can only be rolled back.
            VerificationError: it is not the next record of this chain; nothing of it was written.
        """
        if self.signer is None:
            raise StartError("The terminal is not enrolled.")
        opened = [open_disclosure(text) for text in disclosures]
        record, _ = self._enter(self.signer, octets, disclosures, {item.name: item.value for item in opened})
        self.before = Reading(at=parse_at(record.at), boot=record.boot, uptime_ms=record.uptime_ms)
        return record

    def _enter(
        self, signer: Signer, octets: bytes, disclosures: Iterable[str], values: Mapping[str, str]
    ) -> tuple[Record, bytes | None]:
        """Writes the chain's next record with all that is made of it; it and the slip over it."""
        if self.chain is None:
            raise StartError("The terminal is not enrolled.")
        texts = {open_disclosure(text).name: text for text in disclosures}
        # On a copy: what fails below leaves this transaction's chain where its rows are.
        chain = copy_chain(self.chain, signer)
        record = chain.accept(octets, texts.values())
        changes = project(record, values)
        place = (record.epoch, record.seq)
        row = (*place, record.kind.value, to_ms(parse_at(record.at)), octets, chain.head.link)
        self.copy_rows(LedgerRecord, _RECORD, [row])
        self.copy_rows(LedgerDisclosure, _DISCLOSURE, [(*place, *item) for item in texts.items()])
        apply(self, changes)
        slip = None
        if signer.slips is not None:
            slip = signer.slips.promise(self, record, leaf_hash(octets), values)
        self.chain = chain
        return record, slip


def _further(stated: Anchor | None, kept: Anchor | None) -> Anchor | None:
    """The kept checkpoint where it goes on from the one that the chain states, else None. Source: rule V7."""
    if kept is None or stated is None:
        return kept
    return kept if kept.size > stated.size and kept.time >= stated.time else None
