"""Accepting uploads: every signed batch gets a signed answer, and the same batch the same one again.

An upload is judged against the head as it was read and stored only if the head is still that
one. Two uploads at once, in threads or processes, are thereby taken one after the other.
"""

from __future__ import annotations

import functools
import logging
from dataclasses import replace

from merchant_agent.central.intake.judgement import judge
from merchant_agent.central.intake.recording import store_upload
from merchant_agent.central.intake.standing import Answered, Standing, find_answer, find_standing
from merchant_agent.central.intake.upload import Upload, open_upload, read_upload
from merchant_agent.central.intake.verdicts import Judgement
from merchant_agent.central.log.checkpoints import Published
from merchant_agent.central.services import Central
from merchant_agent.clock import format_at
from merchant_agent.errors import StoreConflictError, StoreLockedError
from merchant_agent.evidence.exchange import Ack
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.store.store import Writer

_log = logging.getLogger(__name__)

_ATTEMPTS = 8


def accept_upload(central: Central, issuer: str, body: bytes) -> Answered:
    """The answer to an upload sent to the issuer's address; durable when this returns.

    Raises:
        FormatError: the body is no upload; there is nobody to answer by signature.
        InvalidError: "batch-issuer" or "batch-signature": likewise.
        NotFoundError: "issuer".
        StoreError: nothing was stored; the terminal tries again.
    """
    raw = read_upload(issuer, body)
    # Signatures take by far the most time: they are checked before anything is locked.
    upload = open_upload(raw, functools.partial(central.issuers.find, central.store, issuer))
    newest = central.newest.find(central.store, central.clock)
    for _ in range(_ATTEMPTS):
        answered = _settle(central, upload, newest)
        if answered is not None:
            return replace(answered, checkpoint=None if newest is None else newest.octets)
    raise StoreLockedError(f"the chain of {issuer} moves faster than its uploads are judged")


def _settle(central: Central, upload: Upload, newest: Published | None) -> Answered | None:
    """Judges and stores in one transaction; None when the chain moved on meanwhile."""
    try:
        with central.store.write() as tx:
            return _judge_and_store(central, tx, upload, newest)
    except StoreConflictError:
        # The same batch twice at once: the other request's answer is this one's too.
        with central.store.read() as reader:
            answered = find_answer(reader, upload)
        if answered is None:
            raise
        return answered


def _judge_and_store(
    central: Central, tx: Writer, upload: Upload, newest: Published | None
) -> Answered | None:
    standing = find_standing(tx, upload)
    # Whatever is accepted makes a new nonce: a batch with the present one was not accepted before.
    judged = judge(standing, upload)
    if judged.outcome != "accepted":
        answered = find_answer(tx, upload)
        if answered is not None:
            return answered
    now = central.clock.now()
    ack = Ack(
        client_nonce=upload.batch.client_nonce,
        issuer=upload.granted.issuer,
        epoch=upload.granted.epoch,
        head=judged.head,
        now=format_at(now),
        nonce=_next_nonce(standing, judged),
        outcome=judged.outcome,
        answers=tuple(judged.answers),
        checkpoint=None if newest is None else newest.log_head,
    )
    octets = central.identity.sign_ack(ack)
    if not store_upload(tx, standing, upload, judged, ack, octets, now):
        return None
    if judged.conflict is not None:
        _log.warning(
            "frozen: %s, %s at seq %d", upload.granted.issuer, judged.conflict.kind, judged.conflict.seq
        )
    return Answered(outcome=ack.outcome, ack=octets)


def _next_nonce(standing: Standing, judged: Judgement) -> str:
    """A fresh one once something was taken up."""
    moved = judged.outcome == "accepted" or judged.head != standing.head
    return new_nonce() if moved else standing.nonce
