"""The journal: the one way by which a record comes to stand in the ledger.

A record is built on the newest one, signed, verified by the verifier's own code, and
stored with its disclosures and projections in one transaction, together with whatever
else its writer changes. Where the wall clock was set since, a `clock` record comes first.
Memory follows the disk: the chain moves on once the commit is
durable, and after any failure it is read again from the last stored record.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import peewee

from merchant_agent.clock import Clock, Reading
from merchant_agent.domain.clock_steps import clock_step
from merchant_agent.domain.projections import project
from merchant_agent.errors import (
    FormatError,
    StartError,
    StoreCorruptError,
    VerificationError,
)
from merchant_agent.evidence.bodies import Body, Kind
from merchant_agent.evidence.chain import Chain, append_record
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Anchor, Head, Place, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash, link_of, verify_jws
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.query_code import query_code
from merchant_agent.evidence.record import ABOUT_NOTHING, About, Record, decode_record, new_id
from merchant_agent.evidence.trust import Trust
from merchant_agent.store.database import Database
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader, Store, Writer
from merchant_agent.terminal.store.checkpoints import newest_anchor
from merchant_agent.terminal.store.identity import (
    Identity,
    enrolment_key,
    load_identity,
    load_identity_key,
    record_grant,
)
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord
from merchant_agent.terminal.store.projections import apply
from merchant_agent.terminal.store.slips import SlipSigner


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Signer:
    """The epoch in force and its key; `verifying` checks what that key signed."""

    identity: Identity
    key: SigningKey
    verifying: VerifyingKey
    slips: SlipSigner


OnCommit = Callable[[tuple[Appended, ...]], None]

_RECORD = ("epoch", "seq", "kind", "at", "octets", "link")
_DISCLOSURE = ("epoch", "seq", "name", "text")


class JournalWriter(Writer):
    """A write transaction that can also append to the chain; made by `Journal.write`."""

    def __init__(
        self, database: Database, handle: peewee.Database, *, clock: Clock, signer: _Signer | None
    ) -> None:
        super().__init__(database, handle)
        self._clock = clock
        self._signer = signer
        self.chain: Chain | None = None
        self.before: Reading | None = None  # the clocks in the newest record
        self.anchor: Anchor | None = None  # the newest checkpoint that is kept
        self.appended: list[Appended] = []

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
        if self._signer is None or self.chain is None:
            raise StartError("The terminal is not enrolled.")
        texts = {name: make_disclosure(name, value) for name, value in values.items()}
        octets = append_record(
            self.chain,
            self._signer.key,
            kind,
            id,
            reading,
            about,
            body,
            texts.values(),
            anchor=_further(self.chain.anchor, self.anchor),
        )
        # On a copy: what fails below leaves this transaction's chain where its rows are.
        chain = _copy(self.chain, self._signer)
        record = chain.accept(octets, texts.values())
        changes = project(record, values)
        place = (record.epoch, record.seq)
        row = (*place, record.kind.value, to_ms(reading.at), octets, chain.head.link)
        self.copy_rows(LedgerRecord, _RECORD, [row])
        self.copy_rows(LedgerDisclosure, _DISCLOSURE, [(*place, *item) for item in texts.items()])
        apply(self, changes)
        leaf = leaf_hash(octets)
        slip = self._signer.slips.promise(self, record, leaf, values)
        self.chain, self.before = chain, reading
        appended = Appended(record=record, octets=octets, leaf=leaf, slip=slip)
        self.appended.append(appended)
        return appended


class Journal:
    """The terminal's chain. `keys` is the folder of private keys; one `Journal` for a store.

    Raises:
        StartError: the terminal is enrolled and its key or grant cannot be used.
        StoreCorruptError: the newest record is not what this terminal signed.
    """

    def __init__(self, store: Store, clock: Clock, keys: Path) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys
        self._callbacks: list[OnCommit] = []
        # Held around every write here, outside the store's own lock; guards the five below.
        self._lock = threading.Lock()
        self._signer: _Signer | None = None
        self._chain: Chain | None = None  # None where it must be read from the disk
        self._before: Reading | None = None  # of the chain's newest record; goes with `_chain`
        self._head: Head | None = None
        self._anchor: Anchor | None = None
        with store.read() as reader:
            identity = load_identity(reader)
            if identity is not None:
                self._signer = _signer(identity, load_identity_key(keys, identity))
                self._chain, self._before = _resume(reader, self._signer)
                self._head = self._chain.head
                self._anchor = newest_anchor(reader)

    @property
    def enrolled(self) -> bool:
        """Whether central has granted a key of this terminal's."""
        return self._signer is not None

    @property
    def identity(self) -> Identity:
        """The epoch in force.

        Raises:
            StartError: the terminal is not enrolled.
        """
        return self._require_signer().identity

    @property
    def key(self) -> SigningKey:
        """The key of the epoch in force.

        Raises:
            StartError: the terminal is not enrolled.
        """
        return self._require_signer().key

    @property
    def head(self) -> Head | None:
        """The newest committed place; its `seq` is -1 before the first record; None before the enrolment."""
        return self._head

    @property
    def read_last(self) -> Reading | None:
        """The clocks as the newest committed record states them; None before the first of the epoch."""
        return self._before

    def take_anchor(self, anchor: Anchor) -> None:
        """Has every later record state this checkpoint, which was verified and is kept on disk."""
        with self._lock:
            self._anchor = anchor

    def enrolment_key(self) -> SigningKey:
        """The key to enrol with, on disk before it is used; the same until it is granted.

        Raises:
            StartError: the folder of keys cannot be used.
        """
        with self._lock, self._store.read() as reader:
            return enrolment_key(reader, self._keys)

    def enrol(  # noqa: PLR0913 -- an enrolment has these parts
        self,
        key: SigningKey,
        grant_octets: bytes,
        merchant: Mapping[str, str],
        trust: Trust,
        *,
        central_url: str = "",
        public_url: str = "",
    ) -> Identity:
        """Begins the chain that central granted to `key`, which `enrolment_key` returned.

        Raises:
            StoreError: nothing was stored.
            VerificationError: it is no grant of the trusted roots to this key (V11).
        """
        with self._lock:
            with self._store.write() as writer:
                identity = record_grant(
                    writer,
                    key,
                    grant_octets,
                    merchant,
                    trust,
                    central_url=central_url,
                    public_url=public_url,
                )
            self._signer = _signer(identity, key)
            self._chain, self._before = Chain.begin(identity.grant_octets, identity.grant), None
            self._head = self._chain.head
        return identity

    def on_commit(self, callback: OnCommit) -> None:
        """Has `callback` called after each commit that appended, with what that appended in its order.

        It runs in the thread that wrote, outside all locks, so that of two commits the later one may
        be told first; it must return at once and never raise.
        """
        self._callbacks.append(callback)

    @contextmanager
    def write(self) -> Iterator[JournalWriter]:
        """One transaction in which records may be appended, durable when the block ends without an error.

        Never inside a read or a write of the same thread. What must be written although the disk is
        full is written by `Store.write`, which may use the reserve.

        Raises:
            StoreError: nothing was stored.
            StoreCorruptError: the newest record is not what this terminal signed.
            StoreFullError: nothing but the disk's reserve is left; or nothing was stored.
        """
        self._store.require_outside()
        with self._lock:
            self._store.require_room()
            try:
                with self._store.write_as(self._make_writer) as writer:
                    yield writer
            except BaseException:
                # Whether a failed commit reached the disk, only the disk knows.
                self._chain = None
                raise
            self._chain, self._before = writer.chain, writer.before
            if writer.chain is not None:
                self._head = writer.chain.head
        if writer.appended:
            for callback in self._callbacks:
                callback(tuple(writer.appended))

    def _make_writer(self, database: Database, handle: peewee.Database) -> JournalWriter:
        writer = JournalWriter(database, handle, clock=self._clock, signer=self._signer)
        if self._signer is not None:
            if self._chain is None:
                self._chain, self._before = _resume(writer, self._signer)
            writer.chain, writer.before, writer.anchor = self._chain, self._before, self._anchor
        return writer

    def _require_signer(self) -> _Signer:
        if self._signer is None:
            raise StartError("The terminal is not enrolled.")
        return self._signer


def _signer(identity: Identity, key: SigningKey) -> _Signer:
    verifying = identity.grant.verifying_key()
    slips = SlipSigner(key=key, verifying=verifying, deadline_hours=identity.grant.deadline_hours)
    return _Signer(identity=identity, key=key, verifying=verifying, slips=slips)


def _resume(reader: Reader, signer: _Signer) -> tuple[Chain, Reading | None]:
    """The chain at its newest stored record, whose signature and link are checked once more, and its clocks.

    Raises:
        StoreCorruptError: it is not what this terminal signed.
    """
    identity = signer.identity
    newest = newest_record(reader, identity.epoch)
    if newest is None:
        return Chain.begin(identity.grant_octets, identity.grant), None
    try:
        jws = decode_jws(newest.octets, Typ.RECORD)
        verify_jws(jws, signer.verifying)
        record = decode_record(jws.payload)
    except (FormatError, VerificationError) as error:
        raise StoreCorruptError(f"the newest record, seq {newest.seq}: {error}") from error
    link = link_of(newest.octets)
    place = Place(issuer=identity.issuer, epoch=newest.epoch, seq=newest.seq)
    if record.place != place or link != newest.link:
        raise StoreCorruptError(f"the newest record, seq {newest.seq}, stands at another place")
    head = Head(epoch=newest.epoch, seq=newest.seq, link=link)
    chain = Chain.resume(
        identity.issuer,
        identity.epoch,
        signer.verifying,
        head,
        record.totals,
        role=identity.grant.role,
        anchor=record.anchor,
    )
    return chain, Reading(at=parse_at(record.at), boot=record.boot, uptime_ms=record.uptime_ms)


def _further(stated: Anchor | None, kept: Anchor | None) -> Anchor | None:
    """The kept checkpoint where it goes on from the one that the chain states, else None. Source: rule V7."""
    if kept is None or stated is None:
        return kept
    return kept if kept.size > stated.size and kept.time >= stated.time else None


def _copy(chain: Chain, signer: _Signer) -> Chain:
    return Chain.resume(
        chain.issuer,
        chain.epoch,
        signer.verifying,
        chain.head,
        chain.totals,
        role=chain.role,
        anchor=chain.anchor,
    )
