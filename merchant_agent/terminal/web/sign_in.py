"""Signing in and out: the staff with a PIN, the manager with a password."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.errors import LockedOutError, SignInError
from merchant_agent.terminal.accounts import MANAGER, STAFF, has_password, has_pin
from merchant_agent.terminal.services import Terminal
from merchant_agent.web.sign_in import next_page, remember, sign_in_here, sign_out

PAGES = {STAFF: "/counter/sign-in", MANAGER: "/manager/sign-in"}


def sign_in(terminal: Terminal) -> Blueprint:
    """`/counter/sign-in`, `/manager/sign-in` and `/sign-out`."""
    blueprint = Blueprint("sign_in", __name__)

    @blueprint.route(PAGES[STAFF], methods=["GET", "POST"])
    def staff() -> AnyResponse:
        with terminal.store.read() as reader:
            is_set = has_pin(reader)
        hint = (
            ""
            if is_set
            else gettext("No PIN is set yet. Run on this machine: merchant-agent terminal set-pin")
        )
        return _page(STAFF, gettext("Counter"), gettext("PIN"), hint, is_pin=True)

    @blueprint.route(PAGES[MANAGER], methods=["GET", "POST"])
    def manager() -> AnyResponse:
        with terminal.store.read() as reader:
            is_set = has_password(reader)
        hint = (
            ""
            if is_set
            else gettext("No password is set yet. Run on this machine: merchant-agent terminal set-password")
        )
        return _page(MANAGER, gettext("Manager"), gettext("Password"), hint, is_pin=False)

    @blueprint.post("/sign-out")
    def leave() -> Response:
        answer = redirect("/counter")
        return sign_out(Response(answer.get_data(), status=answer.status_code, headers=answer.headers))

    return blueprint


def _page(name: str, heading: str, secret_label: str, hint: str, *, is_pin: bool) -> AnyResponse:
    """The form, or after a right secret the page that was asked for."""
    error, status = "", 200
    if request.method == "POST":
        try:
            token = sign_in_here(name, request.form.get("secret", ""))
        except LockedOutError as locked:
            error, status = _locked_words(locked), 429
        except SignInError:
            error, status = gettext("That was not right. After five wrong attempts there is a pause."), 401
        else:
            answer = redirect(next_page(f"/{'counter' if is_pin else 'manager'}"))
            return remember(
                Response(answer.get_data(), status=answer.status_code, headers=answer.headers), token
            )
    page = render_template(
        "counter/sign_in.html",
        heading=heading,
        hint=hint,
        with_name=False,
        secret_label=secret_label,
        is_pin=is_pin,
        error=error,
        next=request.values.get("next", ""),
    )
    return Response(page, status=status)


def _locked_words(locked: LockedOutError) -> str:
    minutes = -(-locked.retry_after_s // 60)
    return str(gettext("Too many wrong attempts. Please try again in %(minutes)s min.", minutes=minutes))
