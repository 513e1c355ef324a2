"""Sales become prompts: one signed prompt for each order of a till and business day.

Raises of every function that writes: `StartError` before the enrolment, `OutOfServiceError` once
the terminal has ended, `StoreError` where nothing could be stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, order_tag
from merchant_agent.errors import ConflictError, TransitionError
from merchant_agent.evidence.bodies import Kind, PromptBody, SaleForm
from merchant_agent.evidence.bodies import SaleSource as SignedSource
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.invitation import invitation_url, sign_invitation
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import new_id
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Reader
from merchant_agent.terminal.alarms import raise_alarm
from merchant_agent.terminal.collect.board import read_questions
from merchant_agent.terminal.collect.kept import KEPT_EPOCH
from merchant_agent.terminal.collect.lookup import PromptState, find_prompt, place_of, state_of
from merchant_agent.terminal.collect.reported import agrees, find_reported, find_sale
from merchant_agent.terminal.collect.screen import replaced_by
from merchant_agent.terminal.collect.signing import lapse, sign_or_keep, writing
from merchant_agent.terminal.collect.tills import Arrival, judge_arrival, learn
from merchant_agent.terminal.services import Terminal, central_address
from merchant_agent.terminal.store import models
from merchant_agent.terminal.store.appending import JournalWriter

ALARM_ORDER_AMOUNT = "order-amount"

_FORMS: Mapping[SaleKind, SaleForm] = {
    SaleKind.COUNTER: "counter",
    SaleKind.TABLE: "table",
    SaleKind.TAKEAWAY: "takeaway",
    SaleKind.DELIVERY: "delivery",
}
_SOURCES: Mapping[SaleSource, SignedSource] = {
    SaleSource.HTTP: "http",
    SaleSource.PRINTER: "printer",
    SaleSource.FOLDER: "folder",
    SaleSource.ODOO: "odoo",
    SaleSource.MANUAL: "manual",
}
_ORDER = ("till", "business_day", "order_no", "amount", "currency", "kind")
_SALE = ("prompt_id", *_ORDER, "invitation", "at", "invited_until")
_REPLACE = "UPDATE sale SET replaced_at = ? WHERE prompt_id = ?"


@dataclass(frozen=True, slots=True, kw_only=True)
class SaleTaken:
    """A sale's prompt as it stands, and the pass to answer it on a phone.

    `created` is False where it was there before; `place` is None while the prompt is kept unsigned;
    `invitation_url` is None then, and while nobody told where central is.
    """

    prompt_id: str
    place: Place | None
    state: PromptState
    created: bool
    invitation_url: str | None
    invitation_expires_at: datetime


def take_sale(terminal: Terminal, sale: Sale) -> SaleTaken | None:
    """The prompt of a sale, made unless the till reported the order before; None for a refund.

    The same order of the same till and business day, or with the same time of the till, is
    the same sale. A new one takes the place of the questions that nobody touched, see
    `replaced_by`; one out of a backlog, and one that only the receipt asks about, is not asked
    on tablets and replaces none.

    Raises:
        ConflictError: "order-amount", when the order was reported with another amount; an
            alarm tells the counter.
    """
    if sale.kind is SaleKind.REFUND:
        return None
    received_at = terminal.clock.now()
    with writing(terminal) as writer:
        arrival = judge_arrival(writer, sale, received_at, terminal.settings)
        known = find_reported(writer, sale, arrival)
        if known is None:
            taken = _taken(terminal, writer, _open(terminal, writer, sale, arrival), created=True)
        elif agrees(known, sale):
            taken = _taken(terminal, writer, known, created=False)
        else:
            taken = None
            detail = f"{sale.till}/{sale.order}" if sale.till else sale.order
            raise_alarm(writer, at=received_at, code=ALARM_ORDER_AMOUNT, detail=detail)
    if taken is None:
        raise ConflictError("order-amount", "this order was reported with another amount")
    if taken.created:
        terminal.touches.touch(taken.prompt_id)
    return taken


def sale_state(terminal: Terminal, prompt_id: str, *, till: str = "") -> SaleTaken:
    """How the prompt of a sale stands; for a till's own token, of that till's sales alone.

    Raises:
        NotFoundError: "prompt".
    """
    with terminal.store.read() as reader:
        return _taken(terminal, reader, find_sale(reader, prompt_id, till), created=False)


def withdraw_sale(terminal: Terminal, prompt_id: str, *, till: str = "") -> SaleTaken:
    """Ends the prompt of a sale that the till took back; once it is withdrawn, the same again.

    Raises:
        NotFoundError: "prompt".
        TransitionError: somebody is answering it, or it has ended in another way.
    """
    with writing(terminal) as writer:
        sale = find_sale(writer, prompt_id, till)
        prompt = find_prompt(writer, prompt_id)
        state = state_of(writer, prompt)
        if state in {PromptState.ASKED, PromptState.WAITING, PromptState.NOT_ASKED}:
            lapse(terminal, writer, prompt, "withdrawn")
        elif state is not PromptState.WITHDRAWN:
            raise TransitionError(state, "withdraw")
        return _taken(terminal, writer, sale, created=False)


def _open(terminal: Terminal, writer: JournalWriter, sale: Sale, arrival: Arrival) -> models.Sale:
    """A new prompt and its sale's row; the questions that it takes the place of are marked first."""
    journal, settings = terminal.journal, terminal.settings
    learn(writer, sale, arrival)
    asks = not arrival.late and journal.identity.grant.policy.ask == "tablet"
    if asks:
        _replace(terminal, writer, sale, arrival.received_at)
    prompt_id = new_id(arrival.received_at)
    tag = order_tag(journal.identity.tag_key, sale.till, arrival.day, sale.order)
    body = PromptBody(
        till=sale.till,
        source=_SOURCES[sale.source],
        sale=_FORMS[sale.kind],
        asks=asks,
        tag=encode_b64u(tag),
    )
    prompt = sign_or_keep(terminal, writer, Kind.PROMPT, body, item_id=prompt_id)
    issued_at, days = arrival.received_at, settings.invitation_days
    row = models.Sale(
        prompt_id=prompt_id,
        till=sale.till,
        business_day=arrival.day.isoformat(),
        order_no=sale.order,
        amount=None if sale.amount is None else str(sale.amount),
        currency=sale.currency,
        kind=sale.kind.value,
        at=sale.at,
        invitation=b""
        if prompt is None
        else sign_invitation(journal.key, prompt.place, issued_at, days, tag),
        invited_until=issued_at + timedelta(days=days),
    )
    writer.copy_rows(models.Sale, _SALE, [_values(row)])
    return row


def _values(row: models.Sale) -> tuple[object, ...]:
    """The row as the database keeps it, in the order of `_SALE`."""
    times = (None if row.at is None else to_ms(row.at), to_ms(row.invited_until))
    sale = (row.till, row.business_day, row.order_no, row.amount, row.currency, row.kind)
    return (row.prompt_id, *sale, row.invitation, *times)


def _replace(terminal: Terminal, writer: JournalWriter, sale: Sale, at: datetime) -> None:
    """They lapse a moment later: a tap may be on its way that was made before any tablet showed this sale."""
    manual = sale.source is SaleSource.MANUAL
    for question in replaced_by(read_questions(writer), sale.till, manual=manual):
        # Before the commit: their moment begins now.
        terminal.touches.touch(question.prompt_id)
        writer.rows(_REPLACE, to_ms(at), question.prompt_id)


def _taken(terminal: Terminal, reader: Reader, sale: models.Sale, *, created: bool) -> SaleTaken:
    prompt = find_prompt(reader, sale.prompt_id)
    address, invitation = central_address(terminal), bytes(sale.invitation)
    is_signed = prompt.epoch != KEPT_EPOCH
    return SaleTaken(
        prompt_id=sale.prompt_id,
        place=place_of(prompt, terminal.journal.identity.issuer) if is_signed else None,
        state=state_of(reader, prompt),
        created=created,
        invitation_url=invitation_url(address, invitation) if address and invitation else None,
        invitation_expires_at=sale.invited_until.astimezone(terminal.clock.now().tzinfo),
    )
