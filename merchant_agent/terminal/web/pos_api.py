"""`/pos/v1/sales`: where a till reports its sales, asks after them and takes them back."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response, request

from merchant_agent.clock import format_at
from merchant_agent.errors import SignInError
from merchant_agent.terminal.collect.prompts import SaleTaken, sale_state, take_sale, withdraw_sale
from merchant_agent.terminal.devices import find_pos_token
from merchant_agent.terminal.pos.http import SaleMessage, read_sale
from merchant_agent.terminal.services import Terminal
from merchant_agent.web.answering import json_answer
from merchant_agent.web.reading import read_json

_SCHEME = "bearer"


def pos_api(terminal: Terminal) -> Blueprint:
    """The interface for tills; every request carries `Authorization: Bearer <token>`."""
    blueprint = Blueprint("pos_api", __name__, url_prefix="/pos/v1")

    @blueprint.post("/sales")
    def report() -> Response:
        till = _till_of_token(terminal)
        taken = take_sale(terminal, read_sale(read_json(SaleMessage), till))
        if taken is None:
            return json_answer({"prompt": None, "invitation": None}, HTTPStatus.ACCEPTED)
        return json_answer(_told(taken), HTTPStatus.CREATED if taken.created else HTTPStatus.OK)

    @blueprint.get("/sales/<prompt_id>")
    def ask(prompt_id: str) -> Response:
        till = _till_of_token(terminal)
        return json_answer(_told(sale_state(terminal, prompt_id, till=till)))

    @blueprint.delete("/sales/<prompt_id>")
    def withdraw(prompt_id: str) -> Response:
        till = _till_of_token(terminal)
        return json_answer(_told(withdraw_sale(terminal, prompt_id, till=till)))

    @blueprint.after_request
    def name_scheme(response: Response) -> Response:
        if response.status_code == HTTPStatus.UNAUTHORIZED:
            response.headers["WWW-Authenticate"] = "Bearer"
        return response

    return blueprint


def _till_of_token(terminal: Terminal) -> str:
    """The till whose token the request carries; empty for one that reports any till's sales.

    Raises:
        SignInError: "pos-token", when there is none in force.
    """
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == _SCHEME:
        with terminal.store.read() as reader:
            found = find_pos_token(reader, token.strip())
        if found is not None:
            return found.till
    raise SignInError("pos-token", "a token of this terminal's is expected: Authorization: Bearer ...")


def _told(taken: SaleTaken) -> dict[str, object]:
    # Null with the invitation while the prompt is kept unsigned.
    seq = None if taken.place is None else taken.place.seq
    invitation = {"url": taken.invitation_url, "expires_at": format_at(taken.invitation_expires_at)}
    return {
        "prompt": {"id": taken.prompt_id, "seq": seq, "state": taken.state},
        "invitation": invitation if taken.invitation_url else None,
    }
