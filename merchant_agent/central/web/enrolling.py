"""A merchant as officers see it: its terminals, and the codes with which new ones enrol."""

from __future__ import annotations

from datetime import timedelta

import segno
from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from merchant_agent.central.codes import (
    CodeKind,
    NewCode,
    confirm_code,
    list_codes,
    make_code,
    refuse_code,
)
from merchant_agent.central.key_alarms import list_alarms
from merchant_agent.central.merchants import promises_of
from merchant_agent.central.overview import merchant_overview
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.central.web.keys import reason_words
from merchant_agent.central.web.terminals import view_terminals
from merchant_agent.central.web.wording import code_kind_words, code_state_words, programme_words
from merchant_agent.evidence.enrolment import format_code
from merchant_agent.web.locale import current_lang
from merchant_agent.web.sign_in import requires_role, signed_in


def enrolling_pages(central: Central) -> Blueprint:
    """The merchant's page and what is done on it."""
    pages = Blueprint("enrolling", __name__)

    @pages.get("/officer/merchants/<merchant_id>")
    @requires_role("officer")
    def merchant(merchant_id: str) -> str:
        found = merchant_overview(central, merchant_id)
        silent_after = timedelta(hours=central.settings.deadline_hours)
        return render_template(
            "central/officer/merchant.html",
            merchant=found.entry,
            trade=central.catalogue.trade(found.entry.trade).text(current_lang()),
            promises=central.promise_kinds.say(promises_of(found.entry), current_lang()),
            programme=programme_words(found.entry.programme),
            terminals=view_terminals(found.terminals, central.clock.now(), silent_after),
            alarms=list_alarms(central, merchant_id),
            key_reason=reason_words,
            codes=list_codes(central, merchant=merchant_id),
            code_kind_words=code_kind_words,
            code_state_words=code_state_words,
            code_minutes=central.settings.code_minutes,
            sheet_days=central.settings.sheet_days,
        )

    @pages.post("/officer/merchants/<merchant_id>/code")
    @requires_role("officer")
    def code(merchant_id: str) -> str:
        return _show_code(central, merchant_id, CodeKind.SCREEN)

    @pages.post("/officer/merchants/<merchant_id>/sheet")
    @requires_role("officer")
    def sheet(merchant_id: str) -> str:
        return _show_code(central, merchant_id, CodeKind.SHEET)

    @pages.post("/officer/merchants/<merchant_id>/codes/<code_id>/confirm")
    @requires_role("officer")
    def confirm(merchant_id: str, code_id: str) -> Response:
        confirm_code(central, code_id, who=signed_in().name)
        flash(gettext("Confirmed. The terminal gets its permission when it next asks."), "done")
        return redirect(url_for("enrolling.merchant", merchant_id=merchant_id), code=303)

    @pages.post("/officer/merchants/<merchant_id>/codes/<code_id>/refuse")
    @requires_role("officer")
    def refuse(merchant_id: str, code_id: str) -> Response:
        refuse_code(central, code_id, who=signed_in().name)
        flash(gettext("The code is withdrawn: nobody can enrol with it any more."), "done")
        return redirect(url_for("enrolling.merchant", merchant_id=merchant_id), code=303)

    return pages


def _show_code(central: Central, merchant_id: str, kind: CodeKind) -> str:
    """The one page that ever shows the code; asking for it again makes another code."""
    made = make_code(central, merchant_id, kind, who=signed_in().name)
    entry = merchant_overview(central, merchant_id).entry
    if kind is CodeKind.SCREEN:
        return _code_page(central, "code.html", entry, made, qr=None)
    return _code_page(central, "sheet.html", entry, made, qr=_qr(made.code))


def _code_page(central: Central, name: str, entry: MerchantEntry, made: NewCode, *, qr: Markup | None) -> str:
    return render_template(
        f"central/officer/{name}",
        merchant=entry,
        code=format_code(made.code),
        expires_at=made.expires_at,
        central_url=central.public_url,
        qr=qr,
    )


def _qr(text: str) -> Markup:
    """The text as an SVG image, hidden from readers that hear the text itself."""
    drawn = segno.make(text, error="m").svg_inline(
        scale=1, border=2, omitsize=True, svgclass="qr-code", lineclass=None
    )
    return Markup(drawn)  # noqa: S704 -- segno draws squares alone
