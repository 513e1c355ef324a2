"""The manager's page: how yesterday went, the staff's PIN, and what leads to the other pages."""

from __future__ import annotations

from datetime import timedelta

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import format_date, gettext
from werkzeug.wrappers import Response

from merchant_agent.domain.sales import business_day
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError
from merchant_agent.terminal.accounts import has_pin, set_pin
from merchant_agent.terminal.devices import list_pos_tokens
from merchant_agent.terminal.erasure import erase, find_by_code
from merchant_agent.terminal.messages import count_open
from merchant_agent.terminal.overview import ratings_of_day
from merchant_agent.terminal.pos.ways import list_ways
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.web.new_code import held_saying, take_code
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

_MAX_CODE_CHARS = 40


def manager(terminal: Terminal, *, is_open: bool) -> Blueprint:
    """`/manager` and what its buttons do; `is_open` tells whether the network reaches this process."""
    blueprint = Blueprint("manager", __name__)

    @blueprint.get("/manager")
    @requires_role("manager")
    def page() -> str:
        return _page(terminal, is_open=is_open)

    @blueprint.post("/manager/pin")
    @requires_role("manager")
    def change_pin() -> Response:
        try:
            set_pin(terminal.store, terminal.clock, request.form.get("pin", ""), who=signed_in().name)
        except InvalidError:
            flash(gettext("A PIN has 6 to 12 digits and must not be easy to guess, such as 123456."), "error")
        else:
            flash(gettext("The staff's PIN is changed; they have to sign in again."), "done")
        return redirect(url_for("manager.page"))

    @blueprint.post("/manager/code")
    @requires_role("manager")
    def enter_code() -> Response:
        take_code(terminal, read_field("code", max_chars=_MAX_CODE_CHARS), who=signed_in().name)
        return redirect(url_for("manager.page"))

    @blueprint.post("/manager/erase")
    @requires_role("manager")
    def erase_words() -> Response:
        _erase_by_code(terminal, read_field("code", max_chars=_MAX_CODE_CHARS))
        return redirect(url_for("manager.page"))

    return blueprint


def _page(terminal: Terminal, *, is_open: bool) -> str:
    now, starts = terminal.clock.now(), terminal.settings.business_day_starts
    yesterday = business_day(now, starts) - timedelta(days=1)
    with terminal.store.read() as reader:
        is_pin_set = has_pin(reader)
        day = ratings_of_day(reader, yesterday, starts=starts, now=now)
        return render_template(
            "manager/page.html",
            connected=len(list_ways(reader)) + len(list_pos_tokens(reader)),
            is_pin_set=is_pin_set,
            opens_later=is_pin_set and not is_open and not terminal.settings.host,
            yesterday=format_date(yesterday, "full"),
            day=day,
            ratings=day.counted,
            levels=terminal.catalogue.levels,
            unexplained=count_open(terminal, reader),
            held=held_saying(terminal),
        )


def _erase_by_code(terminal: Terminal, code: str) -> None:
    try:
        erased = erase(terminal, find_by_code(terminal, code), who=signed_in().name)
    except InvalidError:
        flash(gettext("This query code is mistyped; nothing was erased."), "error")
    except (ConflictError, NotFoundError):
        flash(gettext("Nothing that could be erased has this query code."), "error")
    else:
        flash(gettext("The words of %(code)s are erased.", code=erased.query_code), "done")
