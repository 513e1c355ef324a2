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
from dataclasses import dataclass

from merchant_agent.errors import StoreCorruptError, StoreError, VerificationError
from merchant_agent.evidence.exchange import MAX_BATCH_RECORDS, Batch, encode_upload, open_batch
from merchant_agent.store.store import Reader
from merchant_agent.terminal.alarms import DAMAGED_ALARM, raise_alarm
from merchant_agent.terminal.inbox import Inbox
from merchant_agent.terminal.log.witness import Witness
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.checkpoints import newest_kept
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.store.models import UploadState
from merchant_agent.terminal.upload.answers import read_answer
from merchant_agent.terminal.upload.batching import make_batch, next_span, record_lines, upload_body
from merchant_agent.terminal.upload.client import Client, NoAnswer
from merchant_agent.terminal.upload.outcome import NOTHING, Code, Outcome
from merchant_agent.terminal.upload.progress import (
    ENDING,
    apply_outcome,
    drop_batch,
    keep_batch,
    load_progress,
)

_log = logging.getLogger(__name__)

_MOST_RESENDS = 2
# Central could be reached, as far as anybody knows.
_REACHED = frozenset({Code.NOTHING, Code.ACCEPTED})
# Clocks of different machines are compared within minutes: an anchor a minute old says as much.
_LOOK_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _InFlight:
    """The batch to send and the body that carries it."""

    batch: Batch
    body: bytes


class Delivery:
    """Sends what waits of one terminal, over one client; remembers how much central takes at once.

    The inbox, if there is one, is looked into after each run.
    """

    def __init__(self, terminal: Terminal, client: Client, inbox: Inbox | None = None) -> None:
        self._terminal = terminal
        self._client = client
        self._inbox = inbox
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
            last, accepted = self._send_all()
            self._look(accepted)
            if self._inbox is not None and last.code in _REACHED and self._terminal.journal.enrolled:
                self._inbox.look(self._base(self._terminal.journal.identity))
        return last

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
                case Code.HALVED:
                    pass
                case _:
                    return outcome, accepted
            last = outcome
        return last, accepted

    def _send_next(self) -> Outcome:
        """Sends the batch that waits for its answer, or else the next one."""
        if not self._terminal.journal.enrolled:
            return NOTHING
        identity = self._terminal.journal.identity
        try:
            flight = self._prepare(identity)
            return NOTHING if flight is None else self._exchange(identity, flight)
        except StoreError as error:
            _log.warning("upload: %s", error.code)
            if isinstance(error, StoreCorruptError):
                self._tell_damage()
            return Outcome(code=Code.FAILED, detail=error.code)

    def _prepare(self, identity: Identity) -> _InFlight | None:
        """The batch in flight, kept before it is sent; None where nothing waits or may be sent."""
        terminal = self._terminal
        with terminal.store.read() as reader:
            progress = load_progress(reader)
            if progress is None or progress.epoch != identity.epoch or progress.state in ENDING:
                return None
            kept_flight = _in_flight(reader, identity, progress)
            if kept_flight is not None:
                return kept_flight
            head = terminal.journal.head
            span = (
                None
                if head is None
                else next_span(
                    reader,
                    head=head,
                    acked_seq=progress.acked_seq,
                    max_bytes=terminal.settings.upload_batch_bytes,
                    max_records=self._max_records,
                    min_records=self._min_records,
                )
            )
            if span is None:
                return None
            key, reading = terminal.journal.key, terminal.clock.read()
            kept = newest_kept(reader)
            lines = record_lines(reader, span.epoch, span.first, span.last)
            batch, octets = make_batch(
                key,
                identity.issuer,
                span,
                lines,
                nonce=progress.nonce,
                reading=reading,
                checkpoint=None if kept is None else kept.log_head,
            )
        with terminal.store.write() as writer:
            if progress.batch is not None:
                drop_batch(writer, progress.client_nonce)
            is_kept = keep_batch(writer, progress, batch, octets)
        return _InFlight(batch=batch, body=encode_upload(octets, lines)) if is_kept else None

    def _exchange(self, identity: Identity, flight: _InFlight) -> Outcome:
        base = self._base(identity)
        if not base:
            return Outcome(code=Code.UNREACHABLE, detail="no address of central is known")
        url = f"{base}/api/v1/terminals/{identity.issuer}/records"
        answer = self._client.post(url, *_packed(flight.body))
        if self._client.closed and isinstance(answer, NoAnswer):
            return Outcome(code=Code.UNREACHABLE, detail=answer.detail)
        return self._apply(flight.batch, read_answer(answer, flight.batch, identity.grant.central_keys()))

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

    def _apply(self, batch: Batch, outcome: Outcome) -> Outcome:
        """Carries the outcome out, and fits the size of the next batch to it."""
        count = batch.to - batch.from_ + 1
        with self._terminal.store.write() as writer:
            if outcome.code is Code.TOO_LARGE and count > 1:
                drop_batch(writer, batch.client_nonce)
                self._max_records, self._min_records = count // 2, 1
                return Outcome(code=Code.HALVED, detail=outcome.detail)
            outcome = apply_outcome(writer, batch, outcome, self._terminal.clock.now())
        if outcome.code is Code.ACCEPTED:
            # One more each time: what was too large once is not tried again and again.
            self._max_records = min(self._max_records + 1, self._terminal.settings.upload_batch_records)
            self._min_records = 1
        elif outcome.code is Code.RESEND and _stands_before(outcome, batch):
            # Its first record may be one that nobody signed, which only the `prev` behind it vouches for.
            self._min_records = min(2 * self._min_records, MAX_BATCH_RECORDS)
        return outcome

    def _tell_damage(self) -> None:
        try:
            with self._terminal.store.write() as writer:
                raise_alarm(writer, at=self._terminal.clock.now(), code=DAMAGED_ALARM)
        except StoreError as error:
            _log.warning("upload: no alarm could be raised: %s", error.code)


def _in_flight(reader: Reader, identity: Identity, progress: UploadState) -> _InFlight | None:
    """The batch that waits for its answer; None where there is none, or another must take its place.

    That is where words of its records were erased meanwhile, or where the disk gives it back changed.
    """
    if progress.batch is None:
        return None
    try:
        batch = open_batch(progress.batch, identity.grant.verifying_key())
    except VerificationError as error:
        _log.warning("upload: the batch in flight cannot be read and is made anew: %s", error)
        return None
    if batch.client_nonce != progress.client_nonce:
        _log.warning("upload: the batch in flight is not the one that was kept and is made anew")
        return None
    lines = record_lines(reader, batch.epoch, batch.from_, batch.to)
    body = upload_body(batch, progress.batch, lines)
    return None if body is None else _InFlight(batch=batch, body=body)


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
