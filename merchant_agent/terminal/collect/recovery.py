"""Signing what was kept, once the journal can sign again: first what happened, then everything in its order.

A kept row goes in the transaction that signs it, so that after a crash it is there once: signed,
or still kept. Source: PROTOCOL.md, "Epochs".
"""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Literal, cast

from msgspec.structs import replace

from merchant_agent.clock import format_at
from merchant_agent.domain.sales import order_tag
from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.bodies import (
    Body,
    Kind,
    LapseBody,
    OutageBody,
    OutageReason,
    PromptBody,
    RatingBody,
    RecoverBody,
)
from merchant_agent.evidence.fields import parse_at
from merchant_agent.evidence.invitation import sign_invitation
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import ABOUT_NOTHING, About
from merchant_agent.store.fields import to_ms
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader
from merchant_agent.terminal.alarms import raise_alarm
from merchant_agent.terminal.collect.kept import begin_outage, body_of, find_outage, is_any_kept
from merchant_agent.terminal.collect.lookup import place_of
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.appending import JournalWriter
from merchant_agent.terminal.store.ledger import newest_of
from merchant_agent.terminal.store.models import Kept, Outage, Prompt, Sale

_log = logging.getLogger(__name__)

UNSIGNABLE_ALARM = "kept-unsignable"

_TOGETHER = 200
_NEXT = Lookup(Kept, f"NOT refused ORDER BY number LIMIT {_TOGETHER}")
_PROMPT = Lookup(Prompt, "prompt_id = ?")
_SALE = Lookup(Sale, "prompt_id = ?")
_SIGNED = {
    Kind.PROMPT: "SELECT 1 FROM prompt WHERE prompt_id = ?",
    Kind.RATING: "SELECT 1 FROM rating WHERE rating_id = ?",
    Kind.SUGGESTION: "SELECT 1 FROM suggestion WHERE suggestion_id = ?",
    Kind.COMPLAINT: "SELECT 1 FROM complaint WHERE case_id = ?",
}
_INVITED = "UPDATE sale SET invitation = ?, invited_until = ? WHERE prompt_id = ?"
_FORGET = "DELETE FROM kept WHERE number = ?"
_REFUSE = "UPDATE kept SET refused = 1 WHERE number = ?"


def note_outage(terminal: Terminal) -> None:
    """Remembers since when nothing can be signed, where that is so; cheap where it is known.

    Raises:
        StoreError: it could not be written.
    """
    hold = terminal.journal.held
    if hold is None:
        return
    with terminal.store.read() as reader:
        if find_outage(reader) is not None:
            return
    with terminal.store.write() as writer:
        begin_outage(writer, hold.reason, hold.at)


def sign_kept(terminal: Terminal) -> int:
    """Signs all that was kept, with what tells of it before it, unless the journal is on hold; how many items.

    Raises:
        OnHoldError: a hold began meanwhile; the rest is kept.
        StoreError: the rest is kept, and is signed by the next call.
    """
    signed = 0
    if terminal.journal.hold is not None or not _is_due(terminal):
        return signed
    while True:
        with terminal.journal.write() as writer:
            outage = find_outage(writer)
            if outage is None or writer.hold is not None:
                return signed
            _tell(terminal, writer, outage)
            items = _NEXT.all(writer)
            signed += sum(_sign(terminal, writer, item) for item in items)
            if not is_any_kept(writer):
                writer.execute(Outage.delete())


def tell_outage(terminal: Terminal, writer: JournalWriter) -> None:
    """Signs what tells of the time without signatures, as the first thing after it.

    Raises:
        StoreError: it could not be written; the transaction can only be rolled back.
    """
    for kind, body in outage_records(terminal, writer):
        writer.append(kind, body)


def outage_records(terminal: Terminal, reader: Reader) -> tuple[tuple[Kind, Body], ...]:
    """What tells of the time without signatures, to be signed before anything else; nothing where there was none."""
    outage = find_outage(reader)
    if outage is None or outage.reason == "ended":
        return ()
    reason = cast("OutageReason", outage.reason)
    kept = len(reader.all(Kept.select(Kept.number).tuples()))
    since = format_at(outage.since.astimezone(terminal.clock.now().tzinfo))
    told = OutageBody(reason=reason, since=since, kept=kept)
    return ((Kind.OUTAGE, told), (Kind.RECOVER, RecoverBody(reason=reason)))


def _is_due(terminal: Terminal) -> bool:
    with terminal.store.read() as reader:
        return find_outage(reader) is not None


def _tell(terminal: Terminal, writer: JournalWriter, outage: Outage) -> None:
    """Once: whoever put the new epoch in force may have signed it already."""
    if outage.told:
        return
    last = newest_of(writer, Kind.OUTAGE)
    body = None if last is None else last.body
    is_told = isinstance(body, OutageBody) and to_ms(parse_at(body.since)) == to_ms(outage.since)
    for kind, told in () if is_told else outage_records(terminal, writer):
        writer.append(kind, told)
    writer.execute(Outage.update({Outage.told: True}))


def _sign(terminal: Terminal, writer: JournalWriter, item: Kept) -> bool:
    """Signs it in its row's place; whether that was so. What no reader would take stays, and is told of."""
    kind = Kind(item.kind)
    if kind in _SIGNED and writer.rows(_SIGNED[kind], item.item_id):
        # Signed before the ledger was lost, and taken back from central since.
        writer.rows(_FORGET, item.number)
        return False
    try:
        _append(terminal, writer, item, kind)
    except (FormatError, VerificationError) as error:
        _log.error("what was kept as %s cannot be signed: %s", item.item_id, error.code)
        raise_alarm(writer, at=terminal.clock.now(), code=UNSIGNABLE_ALARM)
        writer.rows(_REFUSE, item.number)
        return False
    writer.rows(_FORGET, item.number)
    return True


def _append(terminal: Terminal, writer: JournalWriter, item: Kept, kind: Kind) -> None:
    body = body_of(item)
    prompt = None if item.prompt_id is None else _PROMPT.first(writer, item.prompt_id)
    about = ABOUT_NOTHING
    if prompt is not None and not (isinstance(body, RatingBody) and prompt.outcome == "lapsed"):
        about = About(prompt=place_of(prompt, terminal.journal.identity.issuer), case=None)
    match body:
        case PromptBody():
            _sign_prompt(terminal, writer, item, body)
        case LapseBody() if prompt is None or prompt.outcome is not None:
            _log.info("the question %s ended otherwise, or is lost", item.prompt_id)
        case RatingBody():
            ended: Literal["recovered"] = "recovered"
            writer.append(
                kind, replace(body, ended=ended), id=item.item_id, about=about, disclosures=item.words
            )
        case _:
            writer.append(kind, body, id=item.item_id, about=about, disclosures=item.words)


def _sign_prompt(terminal: Terminal, writer: JournalWriter, item: Kept, body: PromptBody) -> None:
    """With the tag of the epoch in force, and an invitation for whoever asks after the sale again."""
    journal, days = terminal.journal, terminal.settings.invitation_days
    sale = _SALE.first(writer, item.item_id)
    if sale is None:
        writer.append(Kind.PROMPT, body, id=item.item_id)
        return
    day = date.fromisoformat(sale.business_day)
    tag = order_tag(journal.identity.tag_key, sale.till, day, sale.order_no)
    prompt = writer.append(Kind.PROMPT, replace(body, tag=encode_b64u(tag)), id=item.item_id)
    now = terminal.clock.now()
    invitation = sign_invitation(journal.key, prompt.place, now, days, tag)
    writer.rows(_INVITED, invitation, to_ms(now + timedelta(days=days)), item.item_id)
