"""The journal: the one way by which a record comes to stand in the ledger.

A transaction appends (see `appending`) together with whatever else its writer changes.
Writers that wait share one transaction, in which each has a savepoint. Memory follows the disk:
the head moves on, and writers and callbacks go on, once the commit is durable; after any failure
the chain is read again from the last stored record.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import peewee

from merchant_agent.clock import Clock, Reading
from merchant_agent.errors import OnHoldError, StartError, StoreError
from merchant_agent.evidence.bodies import Body, Kind
from merchant_agent.evidence.chain import Chain
from merchant_agent.evidence.fields import Anchor, Head
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.trust import Trust
from merchant_agent.store.database import Database
from merchant_agent.store.shared import Shared
from merchant_agent.store.store import Store
from merchant_agent.terminal.store.appending import Appended, JournalWriter
from merchant_agent.terminal.store.checkpoints import newest_anchor
from merchant_agent.terminal.store.comparing import Comparison, compare_place
from merchant_agent.terminal.store.gate import Gate, Turns
from merchant_agent.terminal.store.holds import Hold, Reason, end_hold, load_hold, save_hold
from merchant_agent.terminal.store.identity import (
    Identity,
    adopt_grants,
    enrolment_key,
    load_identity,
    load_identity_key,
    record_grant,
    settle_keys,
)
from merchant_agent.terminal.store.ledger import newest_record
from merchant_agent.terminal.store.mark import Mark
from merchant_agent.terminal.store.shop import Shop, save_shop
from merchant_agent.terminal.store.signer import Signer, make_signer, resume_chain

_log = logging.getLogger(__name__)


OnCommit = Callable[[tuple[Appended, ...]], None]

First = Callable[[JournalWriter], object]


class Journal:
    """The terminal's chain. `keys` is the folder of private keys; one `Journal` for a store.

    Where the key cannot be used, or the keys or the `mark` tell of more than the ledger has, the
    terminal is put on hold.

    Raises:
        StartError: the terminal is enrolled and its grant cannot be used.
        StoreCorruptError: the newest record is not what this terminal signed.
        StoreError: a hold could not be stored.
    """

    def __init__(self, store: Store, clock: Clock, keys: Path, mark: Mark | None = None) -> None:
        self._store = store
        self._clock = clock
        self._keys = keys
        self._mark = mark
        self._callbacks: list[OnCommit] = []
        self._gate = Gate()
        # Taken around every write here, outside the store's own lock; guards the nine below.
        self._turns = Turns()
        self._shared: Shared | None = None  # what stands in it is not durable yet
        self._newest: tuple[Chain | None, Reading | None] = None, None  # of what stands in it
        self._signer: Signer | None = None
        self._chain: Chain | None = None  # None where it must be read from the disk
        self._before: Reading | None = None  # of the chain's newest record; goes with `_chain`
        self._head: Head | None = None
        self._last: Reading | None = None  # of the newest committed record; goes with `_head`
        self._anchor: Anchor | None = None
        self._hold: Hold | None = None
        self._load()

    def _load(self) -> None:
        """Reads everything from the disk."""
        store, keys, mark = self._store, self._keys, self._mark
        is_older = adopt_grants(store, keys)
        with store.read() as reader:
            identity = load_identity(reader)
            self._hold = load_hold(reader)
            if identity is None:
                return
            self._signer = make_signer(identity, _usable_key(keys, identity))
            self._chain, self._before = resume_chain(reader, self._signer)
            self._head, self._last = self._chain.head, self._before
            self._anchor = newest_anchor(reader)
            marked = None if mark is None else mark.read(identity.issuer)
            # A mark of an epoch that is over says nothing: a crash kept it from following, or its disk is full.
            if marked is not None and marked.epoch >= identity.epoch:
                is_older |= compare_place(reader, marked.epoch, marked.seq, marked.link) != "known"
        if is_older and self._hold is None:
            self.put_on_hold("restored", "the ledger is older than the keys or the mark")
        if self._signer.key is None and self._hold is None:
            self.put_on_hold("key")
        self._end_if_said()
        if self._hold is None:
            settle_keys(keys, store)

    @property
    def is_mark_failing(self) -> bool:
        """Whether the mark could not be written at the last commit."""
        return self._mark is not None and self._mark.is_failing

    def _end_if_said(self) -> None:
        """What ended stays so, whatever put its database back: the chain's last record says it."""
        with self._store.read() as reader:
            newest = newest_record(reader, self.identity.epoch)
        if newest is not None and newest.kind == Kind.END:
            self.put_on_hold("ended")

    def close(self) -> None:
        """Gives back what is open beside the store."""
        if self._mark is not None:
            self._mark.close()

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
            OnHoldError: "key", it cannot be used.
            StartError: the terminal is not enrolled.
        """
        key = self._require_signer().key
        if key is None:
            raise OnHoldError("key")
        return key

    @property
    def hold(self) -> Reason | None:
        """Why nothing is signed; None while records may be appended."""
        return None if self._hold is None else self._hold.reason

    @property
    def held(self) -> Hold | None:
        """The hold that lasts, with its beginning; None while records may be appended."""
        return self._hold

    @property
    def head(self) -> Head | None:
        """The newest committed place; its `seq` is -1 before the first record; None before the enrolment."""
        return self._head

    @property
    def read_last(self) -> Reading | None:
        """The clocks as the newest committed record states them; None before the first of the epoch."""
        return self._last

    def take_anchor(self, anchor: Anchor) -> None:
        """Has every later record state this checkpoint, which was verified and is kept on disk."""
        with self._alone():
            self._anchor = anchor

    def change_shop(self, shop: Shop) -> None:
        """Has the identity in force say of the shop what central says of it now; nothing is signed.

        Raises:
            StartError: the terminal is not enrolled.
            StoreError: it was not stored, and nothing was changed.
        """
        with self._alone():
            signer = self._require_signer()
            with self._store.write() as writer:
                save_shop(writer, signer.identity.epoch, shop)
            self._signer = replace(signer, identity=replace(signer.identity, merchant=shop))

    def enrolment_key(self) -> SigningKey:
        """The key to enrol with, on disk before it is used; the same until it is granted.

        Raises:
            StartError: the folder of keys cannot be used.
        """
        with self._alone(), self._store.read() as reader:
            return enrolment_key(reader, self._keys)

    def enrol(  # noqa: PLR0913 -- an enrolment has these parts
        self,
        key: SigningKey,
        grant_octets: bytes,
        merchant: Shop,
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
        return self.begin_epoch(
            key, grant_octets, merchant, trust, central_url=central_url, public_url=public_url
        )

    def begin_epoch(  # noqa: PLR0913 -- as `enrol`
        self,
        key: SigningKey,
        grant_octets: bytes,
        merchant: Shop,
        trust: Trust,
        *,
        central_url: str = "",
        public_url: str = "",
        first: First | None = None,
    ) -> Identity:
        """Puts the granted epoch in force, ends the hold and has `first` append, in one transaction.

        The private keys of earlier epochs are deleted once it is durable.

        Raises:
            StoreError: nothing was stored; the same call may be made again.
            VerificationError: it is no grant of the trusted roots to this key, or of no later epoch
                (V11).
        """
        with self._transaction(self._bare_writer) as writer:
            identity = record_grant(
                writer, key, grant_octets, merchant, trust, central_url=central_url, public_url=public_url
            )
            signer = make_signer(identity, key)
            writer.begin(signer, self._anchor)
            end_hold(writer, self._clock.now())
            if first is not None:
                first(writer)
        settle_keys(self._keys, self._store)
        return identity

    def close_epoch(self, kind: Kind, body: Body, hold: Reason) -> Appended:
        """Signs the last record of the epoch in force and lets nothing follow it, in one transaction.

        Raises:
            OnHoldError: nothing is signed already.
            StartError: the terminal is not enrolled.
            StoreError: nothing was stored.
        """
        with self._transaction(self._make_writer) as writer:
            appended = writer.append(kind, body)
            writer.hold = Hold(reason=hold, detail="", at=self._clock.now())
            save_hold(writer, writer.hold)
        return appended

    def take_back(self, identity: Identity, records: Iterable[tuple[bytes, Sequence[str]]]) -> int:
        """Has records of that epoch stand in the ledger again, octets and disclosures; how many.

        They must follow its newest one here. The hold lasts; nobody is told as of a commit.

        Raises:
            StoreError: none of them was stored.
            VerificationError: one is not the next record of that chain; none of them was stored.
        """
        count = 0
        with self._transaction(self._bare_writer) as writer:
            in_force = self._signer
            is_in_force = in_force is not None and in_force.identity.epoch == identity.epoch
            writer.signer = in_force if is_in_force and in_force else make_signer(identity, None)
            writer.chain, writer.before = resume_chain(writer, writer.signer)
            for octets, disclosures in records:
                writer.take(octets, disclosures)
                count += 1
            writer.signer, writer.hold = in_force, self._hold
            if not is_in_force:
                writer.chain, writer.before = self._chain, self._before
        self._end_if_said()
        return count

    @contextmanager
    def replaced(self) -> Iterator[None]:
        """Has nobody write in the block, which puts another database in the store's place, and reads that.

        Raises:
            StartError: its grant cannot be used.
            StoreError: it cannot be read.
        """
        with self._alone():
            # Until the other one is read, its own hold is not known here.
            self._hold = Hold(reason="damage", detail="", at=self._clock.now())
            self._signer, self._chain = None, None
            yield
        self._load()

    def hold_back(self, timeout_s: float) -> None:
        """Has every write wait until `first` ends, but no longer than `timeout_s` from now."""
        self._gate.shut(timeout_s)

    @contextmanager
    def first(self) -> Iterator[None]:
        """What this thread writes in the block comes before what `hold_back` holds back."""
        self._gate.claim()
        try:
            yield
        finally:
            self._gate.open()

    def put_on_hold(self, reason: Reason, detail: str = "") -> None:
        """Lets nothing be signed from now on, over restarts too, and raises the hold's alarm.

        A hold that lasts already keeps its beginning; "ended" stays whatever comes.

        Raises:
            StoreError: it could not be stored; it lasts as long as this program runs.
        """
        with self._alone():
            before = self._hold
            if before is not None and before.reason in {"ended", reason}:
                return
            at = self._clock.now() if before is None else before.at
            self._hold = Hold(reason=reason, detail=detail, at=at)
            with self._store.write() as writer:
                save_hold(writer, self._hold)

    def release(self, first: First | None = None) -> None:
        """Ends the hold within the epoch in force and has `first` append, in one transaction.

        Raises:
            OnHoldError: "key", the key still cannot be used and there is something to sign.
            StoreError: nothing was stored; the hold lasts.
        """
        with self._transaction(self._free_writer) as writer:
            end_hold(writer, self._clock.now())
            if first is not None:
                first(writer)

    def load_key(self) -> bool:
        """Tries once more to read the key of the epoch in force; whether it can be used now.

        Raises:
            StartError: the terminal is not enrolled.
        """
        with self._alone():
            signer = self._require_signer()
            if signer.key is None:
                self._signer = signer = make_signer(signer.identity, _usable_key(self._keys, signer.identity))
        return signer.key is not None

    def compare(self, epoch: int, seq: int, link: str) -> Comparison:
        """What a place that somebody else remembers of this terminal says of this ledger.

        "known": the record stands here with that link; "ahead": it lies behind the newest record here;
        "other": something else stands there. Before the first record of an epoch `seq` is -1.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._store.read() as reader:
            return compare_place(reader, epoch, seq, link)

    def on_commit(self, callback: OnCommit) -> None:
        """Has `callback` called after each commit that appended, with what that appended in its order.

        It runs in the thread that wrote, outside all locks, so that of two commits the later one may
        be told first; it must return at once and never raise.
        """
        self._callbacks.append(callback)

    @contextmanager
    def write(self) -> Iterator[JournalWriter]:
        """Records may be appended, which are durable when the block ends without an error, else nothing of it.

        Several that wait for their turn share one transaction, and so one sync of the disk: what the
        block reads may be what one before it wrote, and a commit that fails fails all of them.
        Never inside a read or a write of the same thread. What must be written although the disk is
        full is written by `Store.write`, which may use the reserve.

        Raises:
            StoreError: nothing was stored.
            StoreCorruptError: the newest record is not what this terminal signed.
            StoreFullError: nothing but the disk's reserve is left; or nothing was stored.
        """
        self._store.require_outside()
        self._gate.wait()
        with self._sharing() as shared:
            with self._store.write_part(shared, self._make_writer) as writer:
                yield writer
            self._chain, self._before = self._newest = writer.chain, writer.before
        shared.wait()
        self._tell(writer)

    @contextmanager
    def _sharing(self) -> Iterator[Shared]:
        """This thread's turn in the transaction that others share; ends it unless another may follow."""
        with self._turns.turn():
            try:
                self._store.require_room()
                if self._shared is None:
                    self._shared, self._newest = self._store.share(), (None, None)
                yield self._shared
            except BaseException:
                self._chain = None
                raise
            finally:
                if self._shared is not None and not (self._turns.is_wanted and self._shared.takes_more):
                    self._end(self._shared)

    def _end(self, shared: Shared) -> None:
        """Commits what stands in the shared transaction; `wait` tells its writers how that went."""
        # Until it is durable memory has nothing: after a failure the disk is asked.
        chain, self._chain, self._shared = self._chain, None, None
        try:
            with suppress(StoreError):
                self._store.commit(shared)
                self._chain = chain
                self._move(*self._newest)
        finally:
            shared.settle()

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """This thread's turn, with nothing before it that is not durable."""
        with self._turns.turn():
            if self._shared is not None:
                self._end(self._shared)
            yield

    def _move(self, chain: Chain | None, before: Reading | None) -> None:
        """The newest committed record is this chain's newest."""
        if chain is None:
            return
        self._head, self._last = chain.head, before
        if self._mark is not None:
            self._mark.write(chain.issuer, self._head)

    def _tell(self, writer: JournalWriter) -> None:
        if writer.appended:
            for callback in self._callbacks:
                callback(tuple(writer.appended))

    @contextmanager
    def _transaction(
        self, make_writer: Callable[[Database, peewee.Database], JournalWriter]
    ) -> Iterator[JournalWriter]:
        self._store.require_outside()
        self._gate.wait()
        with self._alone():
            self._store.require_room()
            try:
                with self._store.write_as(make_writer) as writer:
                    yield writer
            except BaseException:
                # Whether a failed commit reached the disk, only the disk knows.
                self._chain = None
                raise
            self._signer, self._hold = writer.signer, writer.hold
            self._chain, self._before = writer.chain, writer.before
            self._move(writer.chain, writer.before)
        self._tell(writer)

    def _make_writer(self, database: Database, handle: peewee.Database) -> JournalWriter:
        writer = self._bare_writer(database, handle)
        writer.hold = self._hold
        if self._hold is None or self._hold.reason == "ended":
            self._resume(writer)
        return writer

    def _free_writer(self, database: Database, handle: peewee.Database) -> JournalWriter:
        """One that may append although a hold lasts: what ends it."""
        writer = self._bare_writer(database, handle)
        self._resume(writer)
        return writer

    def _bare_writer(self, database: Database, handle: peewee.Database) -> JournalWriter:
        return JournalWriter(database, handle, clock=self._clock, signer=self._signer)

    def _resume(self, writer: JournalWriter) -> None:
        if self._signer is not None:
            if self._chain is None:
                self._chain, self._before = resume_chain(writer, self._signer)
            writer.chain, writer.before, writer.anchor = self._chain, self._before, self._anchor

    def _require_signer(self) -> Signer:
        if self._signer is None:
            raise StartError("The terminal is not enrolled.")
        return self._signer


def _usable_key(keys: Path, identity: Identity) -> SigningKey | None:
    try:
        return load_identity_key(keys, identity)
    except StartError as error:
        _log.error("%s", error)
        return None
