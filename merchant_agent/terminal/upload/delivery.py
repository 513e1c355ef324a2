"""One run of uploads: batch by batch, one in flight, until nothing waits or something goes wrong.

A batch is kept before it is sent and sent again unchanged until it is answered: whether a
lost answer meant yes, central tells by giving it again.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import logging
import math
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from merchant_agent.errors import OnHoldError, StoreCorruptError, StoreError, VerificationError
from merchant_agent.evidence.exchange import MAX_BATCH_RECORDS, Batch, encode_upload, open_batch
from merchant_agent.evidence.jws import Typ, decode_kid
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.alarms import DAMAGED_ALARM, raise_alarm
from merchant_agent.terminal.epochs import UNSETTLED, Epochs
from merchant_agent.terminal.inbox import Inbox
from merchant_agent.terminal.log.indices import Indices
from merchant_agent.terminal.log.witness import Witness
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.checkpoints import newest_kept
from merchant_agent.terminal.store.identity import Identity, load_identities
from merchant_agent.terminal.store.models import UploadState
from merchant_agent.terminal.upload.answers import read_answer
from merchant_agent.terminal.upload.batching import make_batch, next_span, record_lines, upload_body
from merchant_agent.terminal.upload.client import Client, NoAnswer
from merchant_agent.terminal.upload.outcome import NOTHING, Code, Outcome
from merchant_agent.terminal.upload.progress import (
    HOLDS,
    apply_outcome,
    drop_batch,
    keep_batch,
    load_progress,
    open_progress,
)
from merchant_agent.terminal.upload.status import read_status
from merchant_agent.terminal.upload.stubs import make_stub, note_offered, take_off

_log = logging.getLogger(__name__)

_MOST_RESENDS = 2
# Central could be reached, as far as anybody knows.
_REACHED = frozenset({Code.NOTHING, Code.ACCEPTED})
# Nothing was in the way of asking for more.
_ANSWERED = _REACHED | frozenset(HOLDS) | {Code.RESEND}
# A rotation takes two: what is due is signed and sent, then the key is asked for.
_MOST_TURNS = 4
# Clocks of different machines are compared within minutes: an anchor a minute old says as much.
_LOOK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _InFlight:
    """The batch to send, the body that carries it, and the epoch whose key signed it.

    `is_whole` where its one record went as a stub before.
    """

    batch: Batch
    body: bytes
    signer: Identity
    is_whole: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """A batch that is to be kept before it is sent."""

    batch: Batch
    octets: bytes
    flight: _InFlight


class Delivery:
    """Sends what waits of one terminal, over one client; remembers how much central takes at once.

    After each run it looks into the inbox, and asks where records stand in the log, as far as these are given.
    """

    def __init__(
        self,
        terminal: Terminal,
        client: Client,
        inbox: Inbox | None = None,
        indices: Indices | None = None,
    ) -> None:
        self._terminal = terminal
        self._client = client
        self._epochs = Epochs(terminal, client)  # under _running
        self._inbox = inbox
        self._indices = indices
        self._running = threading.Lock()  # one batch in flight
        self._max_records = terminal.settings.upload_batch_records  # under _running
        self._witness = Witness(terminal, client)  # under _running
        self._next_look_mono = -math.inf  # under _running
        self._min_records = 1  # under _running

    def run(self) -> Outcome:
        """Sends until nothing waits, something goes wrong or the client is closed; the last outcome.

        `nothing` where nothing waited, the terminal is not enrolled, or only a new epoch helps.
        """
        with self._running:
            last, accepted = self._send_and_settle()
            self._look(accepted)
            if last.code in _REACHED and self._terminal.journal.enrolled:
                base = self._base(self._terminal.journal.identity)
                if self._inbox is not None:
                    self._inbox.look(base)
                if self._indices is not None:
                    self._indices.look(base)
        return last

    def is_all_delivered(self) -> bool:
        """Whether central has confirmed every record that may be sent.

        Raises:
            StoreError: the database cannot be read.
        """
        with self._terminal.store.read() as reader:
            return read_status(reader, retry_in_s=None).waiting == 0

    def _send_and_settle(self) -> tuple[Outcome, Outcome]:
        """`_send_all`, with what a hold waits for settled after it, as far as it can be."""
        last, accepted = self._send_all()
        for _ in range(_MOST_TURNS):
            if last.code not in _ANSWERED or not self._terminal.journal.enrolled or self._client.closed:
                break
            settled = self._epochs.settle(self._base(self._terminal.journal.identity))
            if settled.code is Code.NOTHING:
                break
            if settled.code is not Code.ACCEPTED:
                return settled, accepted
            last, taken = self._send_all()
            accepted = taken if taken.code is Code.ACCEPTED else accepted
        return last, accepted

    def _send_all(self) -> tuple[Outcome, Outcome]:
        """`run`, and the last outcome with which central took something up; `nothing` where it took none."""
        last, accepted, resends = NOTHING, NOTHING, 0
        while not self._client.closed:
            outcome = self._send_next()
            match outcome.code:
                case Code.NOTHING:
                    break
                case Code.ACCEPTED:
                    accepted, resends = outcome, 0
                case Code.RESEND if resends < _MOST_RESENDS:
                    resends += 1
                case Code.HALVED | Code.BEHIND | Code.FROZEN | Code.REVOKED:
                    pass  # what another epoch has to send goes on
                case _:
                    return outcome, accepted
            last = outcome
        return last, accepted

    def _send_next(self) -> Outcome:
        """Sends the batch that waits for its answer, or else the next one."""
        if not self._terminal.journal.enrolled:
            return NOTHING
        try:
            flight = self._prepare()
            return NOTHING if flight is None else self._exchange(flight)
        except OnHoldError:
            return NOTHING
        except StoreError as error:
            _log.warning("upload: %s", error.code)
            if isinstance(error, StoreCorruptError):
                self._tell_damage()
            return Outcome(code=Code.FAILED, detail=error.code)

    def _prepare(self) -> _InFlight | None:
        """The batch in flight, kept before it is sent; None where nothing waits or may be sent."""
        with self._terminal.store.read() as reader:
            identities = {identity.epoch: identity for identity in load_identities(reader)}
            for progress in open_progress(reader):
                kept_flight = _in_flight(reader, identities, progress)
                if kept_flight is not None:
                    # Told before any hold began; its answer is a link of the chain of nonces (V15).
                    return kept_flight
                if not self._may_send(progress.epoch):
                    continue
                made = self._make(reader, progress)
                if made is not None:
                    break
            else:
                return None
        with self._terminal.store.write() as writer:
            if progress.batch is not None:
                drop_batch(writer, progress.client_nonce)
            is_kept = keep_batch(writer, progress, made.batch, made.octets)
        return made.flight if is_kept else None

    def _may_send(self, epoch: int) -> bool:
        """Whether what this ledger has of the epoch is to be told, as far as anybody knows."""
        journal = self._terminal.journal
        return epoch != journal.identity.epoch or journal.hold not in UNSETTLED

    def _make(self, reader: Reader, progress: UploadState) -> _Made | None:
        """The next batch of that epoch, signed by the key in force."""
        terminal = self._terminal
        identity, head = terminal.journal.identity, terminal.journal.head
        span = next_span(
            reader,
            progress.epoch,
            head=head if head is not None and head.epoch == progress.epoch else None,
            acked_seq=progress.acked_seq,
            now=terminal.clock.now(),
            max_bytes=terminal.settings.upload_batch_bytes,
            max_records=self._max_records,
            min_records=self._min_records,
        )
        if span is None:
            return None
        kept = newest_kept(reader)
        lines = record_lines(reader, span.epoch, span.first, span.last, is_whole=span.is_whole)
        batch, octets = make_batch(
            terminal.journal.key,
            identity.epoch,
            identity.issuer,
            span,
            lines,
            nonce=progress.nonce,
            reading=terminal.clock.read(),
            checkpoint=None if kept is None else kept.log_head,
        )
        body = encode_upload(octets, lines)
        flight = _InFlight(batch=batch, body=body, signer=identity, is_whole=span.is_whole)
        return _Made(batch=batch, octets=octets, flight=flight)

    def _exchange(self, flight: _InFlight) -> Outcome:
        signer = flight.signer
        base = self._base(self._terminal.journal.identity)
        if not base:
            return Outcome(code=Code.UNREACHABLE, detail="no address of central is known")
        url = f"{base}/api/v1/terminals/{signer.issuer}/records"
        answer = self._client.post(url, *_packed(flight.body))
        if self._client.closed and isinstance(answer, NoAnswer):
            return Outcome(code=Code.UNREACHABLE, detail=answer.detail)
        return self._apply(flight, read_answer(answer, flight.batch, signer.grant.central_keys()))

    def _base(self, identity: Identity) -> str:
        return self._terminal.settings.central_url or identity.central_url

    def _look(self, outcome: Outcome) -> None:
        """Shows the witness what came beside central's word, if it is time to look again."""
        note = None if outcome.signed is None else outcome.signed.note
        now_mono = self._terminal.clock.mono()
        if note is None or self._client.closed or now_mono < self._next_look_mono:
            return
        self._next_look_mono = now_mono + _LOOK_EVERY_S
        try:
            self._witness.look(note, self._base(self._terminal.journal.identity))
        except StoreError as error:
            _log.warning("log: %s", error)

    def _apply(self, flight: _InFlight, outcome: Outcome) -> Outcome:
        """Carries the outcome out, and fits the size of the next batch to it."""
        batch, at = flight.batch, self._terminal.clock.now()
        with self._terminal.store.write() as writer:
            if outcome.code is Code.TOO_LARGE and self._make_smaller(writer, flight, at):
                drop_batch(writer, batch.client_nonce)
                return Outcome(code=Code.HALVED, detail=outcome.detail)
            outcome = apply_outcome(writer, batch, outcome, at)
            if flight.is_whole and outcome.code is Code.ACCEPTED:
                take_off(writer, batch, at)
        if outcome.code is Code.ACCEPTED:
            # One more each time: what was too large once is not tried again and again.
            self._max_records = min(self._max_records + 1, self._terminal.settings.upload_batch_records)
            self._min_records = 1
        elif outcome.code is Code.RESEND and _stands_before(outcome, batch):
            # Its first record may be one that nobody signed, which only the `prev` behind it vouches for.
            self._min_records = min(2 * self._min_records, MAX_BATCH_RECORDS)
        elif outcome.code in HOLDS and batch.epoch == self._terminal.journal.identity.epoch:
            self._terminal.journal.put_on_hold(HOLDS[outcome.code], outcome.detail)
        return outcome

    def _make_smaller(self, writer: Writer, flight: _InFlight, at: datetime) -> bool:
        """Whether something smaller goes in place of a batch that was too large: half of it, or a stub."""
        batch, journal = flight.batch, self._terminal.journal
        count = batch.to - batch.from_ + 1
        if count > 1:
            self._max_records, self._min_records = count // 2, 1
            return True
        if flight.is_whole:
            return note_offered(writer, batch)
        progress = load_progress(writer, batch.epoch)
        if progress is None or progress.state != Code.TOO_LARGE:
            return False  # anybody on the way can say 413 once
        return make_stub(writer, journal.key, journal.identity.epoch, batch, at)

    def _tell_damage(self) -> None:
        try:
            with self._terminal.store.write() as writer:
                raise_alarm(writer, at=self._terminal.clock.now(), code=DAMAGED_ALARM)
        except StoreError as error:
            _log.warning("upload: no alarm could be raised: %s", error.code)


def _in_flight(reader: Reader, identities: Mapping[int, Identity], progress: UploadState) -> _InFlight | None:
    """The batch that waits for its answer; None where there is none, or another must take its place.

    That is where words of its records were erased meanwhile, or where the disk gives it back changed.
    """
    if progress.batch is None:
        return None
    try:
        signer = identities[decode_kid(progress.batch, Typ.BATCH)[1]]
        batch = open_batch(progress.batch, signer.grant.verifying_key())
    except (VerificationError, KeyError) as error:
        _log.warning("upload: the batch in flight cannot be read and is made anew: %s", error)
        return None
    if batch.client_nonce != progress.client_nonce:
        _log.warning("upload: the batch in flight is not the one that was kept and is made anew")
        return None
    for is_whole in (False, True):
        lines = record_lines(reader, batch.epoch, batch.from_, batch.to, is_whole=is_whole)
        body = upload_body(batch, progress.batch, lines)
        if body is not None:
            return _InFlight(batch=batch, body=body, signer=signer, is_whole=is_whole)
    return None


def _stands_before(outcome: Outcome, batch: Batch) -> bool:
    """Whether central's head does not reach even the batch's first record."""
    return outcome.signed is not None and outcome.signed.ack.head.seq < batch.from_


def _packed(body: bytes) -> tuple[bytes, dict[str, str]]:
    """The body as it travels, and the headers that describe it.

    Source: RFC 9530, section 2 (Content-Digest covers the octets as sent).
    """
    packed = gzip.compress(body, mtime=0)
    digest = base64.b64encode(hashlib.sha256(packed).digest()).decode("ascii")
    headers = {
        "Content-Type": "application/x-ndjson",
        "Content-Encoding": "gzip",
        "Content-Digest": f"sha-256=:{digest}:",
        "Accept": "application/json",
    }
    return packed, headers
