"""Officers: signing in and out, and all merchants with the state of their terminals."""

from __future__ import annotations

from datetime import timedelta
from typing import TypeVar

from flask import Blueprint, Response, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.codes import CodeState, list_codes
from merchant_agent.central.findings import list_findings
from merchant_agent.central.key_alarms import list_alarms
from merchant_agent.central.log.trouble import Trouble, find_trouble
from merchant_agent.central.open_matters import list_matters
from merchant_agent.central.overview import Page, list_merchants
from merchant_agent.central.services import Central
from merchant_agent.central.web.keys import reason_words
from merchant_agent.central.web.public import read_search
from merchant_agent.central.web.terminals import view_terminals
from merchant_agent.central.web.wording import trouble_words
from merchant_agent.errors import LockedOutError, SignInError
from merchant_agent.store.credentials import audit, has_account
from merchant_agent.web.problems import status_of
from merchant_agent.web.reading import read_page_number
from merchant_agent.web.sign_in import (
    MAX_SECRET_CHARS,
    current_account,
    is_admitted,
    next_page,
    remember,
    requires_role,
    sign_in_here,
    sign_out,
)

SIGN_IN_PATH = "/officer/sign-in"

_SECONDS_A_MINUTE = 60

T = TypeVar("T")


def officer_pages(central: Central) -> Blueprint:
    """The way in and the officers' first page."""
    pages = Blueprint("officers", __name__)

    @pages.get(SIGN_IN_PATH)
    def enter() -> AnyResponse | str:
        if is_admitted("officer"):
            return redirect(next_page(url_for("officers.home")))
        return _sign_in_page(central, name="", error="")

    @pages.post(SIGN_IN_PATH)
    def sign_in() -> AnyResponse:
        name = request.form.get("name", "").strip()
        secret = request.form.get("secret", "")
        try:
            token = sign_in_here(name, secret[: MAX_SECRET_CHARS + 1])
        except SignInError as error:
            words = gettext("The name or the password is wrong.")
            return Response(_sign_in_page(central, name=name, error=words), status=status_of(error))
        except LockedOutError as error:
            answer = Response(_sign_in_page(central, name=name, error=_locked_words(error)))
            answer.status_code = status_of(error)
            answer.headers["Retry-After"] = str(error.retry_after_s)
            return answer
        return remember(
            Response(status=303, headers={"Location": next_page(url_for("officers.home"))}), token
        )

    @pages.post("/officer/sign-out")
    def leave() -> Response:
        account = current_account()
        if account is not None:
            with central.store.write() as writer:
                audit(writer, at=central.clock.now(), who=account.name, what="signed-out")
        return sign_out(Response(status=303, headers={"Location": url_for("officers.enter")}))

    @pages.get("/officer")
    @requires_role("officer")
    def home() -> str:
        search = read_search()
        now, silent_after = central.clock.now(), timedelta(hours=central.settings.deadline_hours)
        page = list_merchants(central, page=read_page_number(), search=search)
        waiting = [code for code in list_codes(central) if code.state is CodeState.WAITING]
        trouble = find_trouble(central)
        return render_template(
            "central/officer/home.html",
            page=page,
            terminals={
                item.entry.id: view_terminals(item.terminals, now, silent_after) for item in page.items
            },
            search=search,
            waiting=waiting,
            alarms=list_alarms(central),
            key_reason=reason_words,
            trouble=trouble_words(trouble),
            calls=_counted(list_matters(central, is_open=True)),
            findings=_counted(list_findings(central)),
            not_begun=trouble is Trouble.NOT_SET,
        )

    return pages


def _sign_in_page(central: Central, *, name: str, error: str) -> str:
    with central.store.read() as reader:
        anybody = has_account(reader, "officer")
    return render_template(
        "central/officer/sign_in.html",
        name=name,
        error=error,
        next=next_page(url_for("officers.home")),
        anybody=anybody,
    )


def _counted(page: Page[T]) -> str:
    """How many wait, as `50+` where a page does not hold them all; empty for none."""
    if page.more:
        return f"{len(page.items)}+"
    return str(len(page.items)) if page.items else ""


def _locked_words(error: LockedOutError) -> str:
    minutes = -(-error.retry_after_s // _SECONDS_A_MINUTE)
    return str(gettext("Too many wrong passwords. Wait %(minutes)s min, then try again.", minutes=minutes))
