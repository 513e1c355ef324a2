"""Officers: whom to call back, and what each call came to."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from merchant_agent.central.calls import Outcome, call_back
from merchant_agent.central.contacts import kept_of
from merchant_agent.central.matters import NOT_REACHED, find_matter, visit_rows
from merchant_agent.central.open_matters import list_matters
from merchant_agent.central.services import Central
from merchant_agent.central.web.findings import read_place
from merchant_agent.central.web.wording import call_words, reason_words, remark_words, slip_state_words
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.web.reading import read_page_number
from merchant_agent.web.sign_in import requires_role, signed_in

_OUTCOMES = ("confirmed", "corrected", "not_given", NOT_REACHED)


def call_pages(central: Central) -> Blueprint:
    """`/officer/calls`: the list, and a page for each matter."""
    pages = Blueprint("calls", __name__)

    @pages.get("/officer/calls")
    @requires_role("officer")
    def listed() -> str:
        is_open = request.args.get("which", "") != "settled"
        return render_template(
            "central/officer/calls.html",
            page=list_matters(central, is_open=is_open, page=read_page_number()),
            is_open=is_open,
            reason_words=reason_words,
        )

    @pages.get("/officer/calls/<merchant>/<issuer>/<int:epoch>/<int:seq>")
    @requires_role("officer")
    def matter(merchant: str, issuer: str, epoch: int, seq: int) -> str:
        with central.store.read() as reader:
            found = find_matter(reader, merchant, read_place(issuer, epoch, seq))
            rows = visit_rows(reader, found)
        return render_template(
            "central/officer/call.html",
            matter=found,
            rows=rows,
            kept=kept_of(central, rows),
            levels=LEVELS,
            call_words=call_words,
            remark_words=remark_words,
            slip_state_words=slip_state_words,
        )

    @pages.post("/officer/calls/<merchant>/<issuer>/<int:epoch>/<int:seq>")
    @requires_role("officer")
    def called(merchant: str, issuer: str, epoch: int, seq: int) -> Response:
        place = read_place(issuer, epoch, seq)
        outcome = request.form.get("outcome", "")
        if outcome not in _OUTCOMES:
            raise InvalidError("outcome", "one of four outcomes is expected")
        level = request.form.get("level", "")
        try:
            call_back(
                *(central, merchant, place, cast("Outcome", outcome)),
                level=int(level) if level in {str(each) for each in LEVELS} else None,
                who=signed_in().name,
            )
        except InvalidError:
            flash(gettext("Choose the level that the customer named; it must be another one."), "error")
        except ConflictError:
            flash(gettext("The station heard from the customer before; nothing was changed."), "error")
        else:
            flash(gettext("The call is recorded."), "done")
        address = url_for("calls.matter", merchant=merchant, issuer=issuer, epoch=epoch, seq=seq)
        return redirect(address, code=303)

    return pages
