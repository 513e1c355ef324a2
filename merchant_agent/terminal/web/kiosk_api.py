"""`/kiosk/api/...`: what a paired tablet asks and tells, in JSON.

Ids are the tablet's own, so that whatever got no answer can be sent again. Each answer's header
`Merchant-Agent-Head` says how far the chain reaches; the tablet keeps the furthest and sends it with
each look at the screen.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Literal

import msgspec
from flask import Blueprint, Response, request

from merchant_agent.clock import format_at
from merchant_agent.errors import SignInError
from merchant_agent.evidence.bodies import First
from merchant_agent.evidence.invitation import invitation_url
from merchant_agent.terminal.collect.answers import decline, finish, keep_draft
from merchant_agent.terminal.collect.said import Answer, Thanks
from merchant_agent.terminal.collect.screen import Held, Question, Screen, Tablet
from merchant_agent.terminal.collect.wake import LONGEST_WAIT_S, wait_for_screen
from merchant_agent.terminal.collect.words import Grievance, Words, complain, suggest
from merchant_agent.terminal.memory import Memory
from merchant_agent.terminal.printing import SlipPrinting
from merchant_agent.terminal.services import Terminal, central_address
from merchant_agent.terminal.web.kiosk import page_mark
from merchant_agent.terminal.web.pairing import current_tablet
from merchant_agent.web.answering import json_answer
from merchant_agent.web.reading import read_json


class AnswerMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What was tapped so far; `level` null once it was taken back, `claim` as in `Answer`."""

    prompt: str
    level: int | None
    aspects: dict[str, int] = {}
    tags: tuple[str, ...] = ()
    comment: str = ""
    lang: str
    claim: str | None = None

    def answer(self) -> Answer:
        """The same for the functions that keep and sign it."""
        return Answer(
            prompt_id=self.prompt,
            level=self.level,
            aspects=tuple(self.aspects.items()),
            tags=self.tags,
            comment=self.comment,
            lang=self.lang,
            claim=self.claim,
        )


class DoneMessage(AnswerMessage, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The end of an answer; `dwell_ms` is how long the customer took."""

    ended: Literal["done", "left", "idle"]
    dwell_ms: int


class SuggestionMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A suggestion, with or without a sale."""

    prompt: str | None
    comment: str
    lang: str
    claim: str | None = None


class ComplaintMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A complaint, with or without a sale; texts that were left empty are empty or absent."""

    prompt: str | None
    categories: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    comment: str = ""
    order: str = ""
    occurred_at: str = ""
    amount: str = ""
    lang: str
    claim: str | None = None
    contact: str = ""
    consents: tuple[Literal["authority", "shop"], ...] = ()
    notice: str | None = None
    first: First = "shop"


class PrintMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The slip of what this tablet just thanked for, to be printed in the customer's language."""

    query_code: str
    lang: Literal["zh", "en"]


def kiosk_api(terminal: Terminal, printing: SlipPrinting) -> Blueprint:
    """The interface of the tablet's page; every request carries the cookie of a paired tablet."""
    blueprint = Blueprint("kiosk_api", __name__, url_prefix="/kiosk/api")
    memory = Memory(terminal.journal, terminal.folder.keys)

    @blueprint.after_request
    def tell_head(response: Response) -> Response:
        if current_tablet() is not None:
            response.headers["Merchant-Agent-Head"] = memory.head()
        return response

    @blueprint.get("/screen")
    def screen() -> Response:
        tablet = _tablet()
        memory.hear(request.args.get("head", ""))
        version = request.args.get("version", "")
        return json_answer(_shown(terminal, wait_for_screen(terminal, tablet, version, LONGEST_WAIT_S)))

    @blueprint.put("/answers/<answer_id>")
    def keep(answer_id: str) -> Response:
        keep_draft(terminal, _tablet(), answer_id, read_json(AnswerMessage).answer())
        return json_answer({"kept": True})

    @blueprint.post("/answers/<answer_id>/done")
    def done(answer_id: str) -> Response:
        tablet, message = _tablet(), read_json(DoneMessage)
        thanks = finish(
            terminal,
            tablet,
            answer_id,
            message.answer(),
            ended=message.ended,
            dwell_ms=message.dwell_ms,
        )
        return _thank(thanks, prints=printing.offer(tablet, thanks))

    @blueprint.post("/prompts/<prompt_id>/decline")
    def not_this_time(prompt_id: str) -> Response:
        decline(terminal, _tablet(), prompt_id)
        return json_answer({})

    @blueprint.post("/suggestions/<suggestion_id>")
    def suggestion(suggestion_id: str) -> Response:
        tablet, message = _tablet(), read_json(SuggestionMessage)
        words = Words(
            prompt_id=message.prompt, comment=message.comment, lang=message.lang, claim=message.claim
        )
        thanks = suggest(terminal, tablet, suggestion_id, words)
        return _thank(thanks, prints=printing.offer(tablet, thanks))

    @blueprint.post("/complaints/<complaint_id>")
    def complaint(complaint_id: str) -> Response:
        tablet, message = _tablet(), read_json(ComplaintMessage)
        thanks = complain(terminal, tablet, complaint_id, _grievance(message))
        return _thank(thanks, prints=printing.offer(tablet, thanks))

    @blueprint.post("/prints")
    def print_slip() -> Response:
        tablet, message = _tablet(), read_json(PrintMessage)
        return json_answer({"printed": printing.print(tablet, message.query_code, message.lang)})

    return blueprint


def _tablet() -> Tablet:
    tablet = current_tablet()
    if tablet is None:
        raise SignInError("tablet", "this tablet is not paired")
    return tablet


def _grievance(message: ComplaintMessage) -> Grievance:
    return Grievance(
        prompt_id=message.prompt,
        categories=message.categories,
        remedies=message.remedies,
        comment=message.comment,
        order=message.order,
        occurred_at=message.occurred_at,
        amount=message.amount,
        lang=message.lang,
        claim=message.claim,
        contact=message.contact,
        consents=message.consents,
        notice=message.notice,
        first=message.first,
    )


def _shown(terminal: Terminal, screen: Screen) -> dict[str, object]:
    """The kind is "ended" once the terminal is out of service: a tablet says so to whoever stands there.

    `page` is what the tablet's page would be made of now.
    """
    has_ended = terminal.journal.hold == "ended"
    question = None if has_ended else screen.question
    return {
        "version": screen.version,
        "page": page_mark(terminal),
        "kind": "ended" if has_ended else screen.kind,
        "at": format_at(terminal.clock.now()),
        "question": None if question is None else _asked(terminal, question),
    }


def _asked(terminal: Terminal, question: Question) -> dict[str, object]:
    address = central_address(terminal)
    return {
        "prompt": question.prompt_id,
        "order": question.order,
        "till": question.till,
        "sale": question.sale,
        "manual": question.manual,
        "amount": question.amount,
        "at": format_at(question.at.astimezone(terminal.clock.now().tzinfo)),
        "invitation": invitation_url(address, question.invitation)
        if address and question.invitation
        else None,
        "held": None if question.held is None else _held(question.held),
    }


def _held(held: Held) -> dict[str, object]:
    return {
        "answer": held.answer_id,
        "level": held.level,
        "aspects": dict(held.aspects),
        "tags": held.tags,
        "comment": held.comment,
        "lang": held.lang,
    }


def _thank(thanks: Thanks, *, prints: bool) -> Response:
    """201 for what was signed now, 200 for what was signed before; without a query code it is kept unsigned.

    `prints` says that its slip can be printed.
    """
    status = HTTPStatus.CREATED if thanks.created else HTTPStatus.OK
    told: dict[str, object] = {
        "query_code": thanks.query_code or None,
        "slip": thanks.slip_url,
        "claim": thanks.claim,
        "page": thanks.page_url,
        "as_sent": thanks.as_sent,
        "prints": prints,
    }
    return json_answer(told, status)
