"""`/pos/v1/sales`: where a till reports its sales, asks after them and takes them back."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.routing import BaseConverter

from merchant_agent.domain.sales import Sale, SaleKind
from merchant_agent.errors import InvalidError, MerchantAgentError, SignInError, TooLargeError
from merchant_agent.terminal.collect.prompts import SaleTaken, sale_state, take_sale, withdraw_sale
from merchant_agent.terminal.pos.http import (
    NOBODY_ASKED,
    BatchAnswer,
    BatchMessage,
    BatchResult,
    SaleAnswer,
    SaleMessage,
    read_sale,
    tell_sale,
)
from merchant_agent.terminal.pos.openapi import describe_pos_api
from merchant_agent.terminal.pos.rates import Rates
from merchant_agent.terminal.pos.sightings import Outcome, Sighting, Sightings
from merchant_agent.terminal.pos.signatures import HEADER, Signatures
from merchant_agent.terminal.pos.taking import amount_of
from merchant_agent.terminal.pos.tokens import Terms, find_terms
from merchant_agent.terminal.services import Terminal
from merchant_agent.web.answering import json_answer
from merchant_agent.web.problems import status_of
from merchant_agent.web.reading import MAX_JSON_BYTES, read_json

# What came without a token in force is kept under this name; the rest under the token's.
STRANGERS = "http"

_SCHEME = "bearer"
_BATCH_BYTES = 4 * MAX_JSON_BYTES
# A till that reports every sale twice a second for an hour is broken, and a feed of old sales is not.
_BURST, _A_SECOND = 2000, 200.0
_WRONG_BURST, _WRONG_A_SECOND = 30, 0.5


def pos_api(terminal: Terminal, sightings: Sightings) -> Blueprint:
    """The interface for tills; every request carries `Authorization: Bearer <token>`."""
    blueprint = Blueprint("pos_api", __name__, url_prefix="/pos/v1")
    blueprint.record(lambda state: state.app.url_map.converters.update(prompt=_PromptId))
    desk = _Desk(terminal, sightings)

    @blueprint.post("/sales")
    def report() -> Response:
        terms = desk.admit()
        with desk.telling(terms):
            sale = read_sale(read_json(SaleMessage), terms.till)
        answer, status = desk.take(terms, sale)
        return json_answer(msgspec.to_builtins(answer), status)

    @blueprint.post("/sales/batch")
    def report_batch() -> Response:
        terms = desk.admit(max_bytes=_BATCH_BYTES)
        with desk.telling(terms):
            batch = read_json(BatchMessage, max_bytes=_BATCH_BYTES)
        desk.count(terms, len(batch.sales))
        results = [desk.take_one(terms, sale) for sale in batch.sales]
        return json_answer(msgspec.to_builtins(BatchAnswer(results=results)))

    @blueprint.get("/sales/<prompt:prompt_id>")
    def ask(prompt_id: str) -> Response:
        terms = desk.admit()
        return _told(sale_state(terminal, prompt_id, till=terms.till))

    @blueprint.delete("/sales/<prompt:prompt_id>")
    def withdraw(prompt_id: str) -> Response:
        terms = desk.admit()
        return _told(withdraw_sale(terminal, prompt_id, till=terms.till))

    @blueprint.get("/openapi.json")
    def describe() -> Response:
        return json_answer(describe_pos_api())

    @blueprint.after_request
    def name_scheme(response: Response) -> Response:
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    return blueprint


class _PromptId(BaseConverter):
    """Anything that is no other path's name: what a path has not is answered with its own methods alone."""

    regex = "(?!batch$)[^/]+"


class _Desk:
    """Lets tills in and takes their sales, and shows the manager what came of it."""

    def __init__(self, terminal: Terminal, sightings: Sightings) -> None:
        self._terminal = terminal
        self._sightings = sightings
        self._signatures = Signatures()
        self._rates = Rates(terminal.clock, burst=_BURST, a_second=_A_SECOND)
        self._wrong = Rates(terminal.clock, burst=_WRONG_BURST, a_second=_WRONG_A_SECOND)

    def admit(self, *, max_bytes: int = MAX_JSON_BYTES) -> Terms:
        """The terms of the token that the request carries.

        Raises:
            SignInError: "pos-token", when there is none in force; as `Signatures.verify`.
            LockedOutError: too many requests, or too many wrong tokens from there.
        """
        scheme, _, token = request.headers.get("Authorization", "").partition(" ")
        terms = None
        if scheme.lower() == _SCHEME:
            with self._terminal.store.read() as reader:
                terms = find_terms(reader, token.strip())
        if terms is None:
            self._show(STRANGERS, Outcome.REFUSED, why="pos-token")
            self._wrong.take(request.remote_addr or "")
            raise SignInError(
                "pos-token", "a token of this terminal's is expected: Authorization: Bearer ..."
            )
        self.count(terms, 1)
        if terms.secrets:
            with self.telling(terms):
                self._verify(terms, max_bytes)
        return terms

    def count(self, terms: Terms, count: int) -> None:
        """Counts so many sales of the till.

        Raises:
            LockedOutError: too many.
        """
        with self.telling(terms):
            self._rates.take(terms.id, count)

    def take(self, terms: Terms, sale: Sale) -> tuple[SaleAnswer, HTTPStatus]:
        """What the till is told of its sale.

        Raises:
            MerchantAgentError: as `take_sale`.
        """
        if sale.kind is SaleKind.REFUND or terms.dry_run:
            outcome = Outcome.NO_SALE if sale.kind is SaleKind.REFUND else Outcome.DRY_RUN
            self._show_sale(terms, sale, outcome)
            return NOBODY_ASKED, HTTPStatus.ACCEPTED
        with self.telling(terms, sale):
            taken = take_sale(self._terminal, sale)
        if taken is None:
            return NOBODY_ASKED, HTTPStatus.ACCEPTED
        self._show_sale(terms, sale, Outcome.ASKED if taken.created else Outcome.KNOWN)
        return tell_sale(taken), HTTPStatus.CREATED if taken.created else HTTPStatus.OK

    def take_one(self, terms: Terms, octets: msgspec.Raw) -> BatchResult:
        """What one sale of a batch is answered."""
        try:
            with self.telling(terms):
                sale = read_sale(_decode(octets), terms.till)
            answer, status = self.take(terms, sale)
        except MerchantAgentError as error:
            return BatchResult(status=status_of(error), code=error.code, detail=str(error))
        return BatchResult(status=status, prompt=answer.prompt, invitation=answer.invitation)

    @contextmanager
    def telling(self, terms: Terms, sale: Sale | None = None) -> Iterator[None]:
        """Shows the manager why something was refused."""
        try:
            yield
        except MerchantAgentError as error:
            if sale is None:
                self._show(terms.id, Outcome.REFUSED, why=error.code, lines=(str(error),))
            else:
                self._show_sale(terms, sale, Outcome.REFUSED, why=error.code)
            raise

    def _verify(self, terms: Terms, max_bytes: int) -> None:
        body = _keep_body(max_bytes)
        self._signatures.verify(
            terms.secrets,
            terms.id,
            request.headers.get(HEADER, ""),
            now=self._terminal.clock.now(),
            method=request.method,
            path=request.path,
            body=body,
        )

    def _show_sale(self, terms: Terms, sale: Sale, outcome: Outcome, *, why: str = "") -> None:
        self._show(terms.id, outcome, order=sale.order, amount=amount_of(sale), why=why)

    def _show(  # noqa: PLR0913 -- the parts of a sighting
        self,
        source: str,
        outcome: Outcome,
        *,
        order: str = "",
        amount: str = "",
        why: str = "",
        lines: tuple[str, ...] = (),
    ) -> None:
        at = self._terminal.clock.now()
        self._sightings.add(
            source, Sighting(at=at, outcome=outcome, order=order, amount=amount, why=why, lines=lines)
        )


def _keep_body(max_bytes: int) -> bytes:
    """The body as it was sent, which can be read again."""
    request.max_content_length = max_bytes
    try:
        return request.get_data(cache=True)
    except RequestEntityTooLarge as error:
        raise TooLargeError("too-large", f"at most {max_bytes} bytes are taken") from error


def _decode(octets: msgspec.Raw) -> SaleMessage:
    try:
        return msgspec.json.decode(octets, type=SaleMessage)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidError("request", str(error)) from error


def _told(taken: SaleTaken) -> Response:
    return json_answer(msgspec.to_builtins(tell_sale(taken)))
