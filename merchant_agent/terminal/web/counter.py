"""The counter: what staff need while they serve, and nothing of what a customer just answered."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from merchant_agent.domain.sales import TILL_MAX_CHARS, Sale, SaleSource, business_day, read_amount
from merchant_agent.domain.text import half_width
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.store.credentials import audit
from merchant_agent.terminal.accounts import has_pin
from merchant_agent.terminal.alarms import dismiss_alarm, open_alarms
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.prompts import SaleTaken, take_sale
from merchant_agent.terminal.devices import Paired, list_tablets
from merchant_agent.terminal.overview import (
    Complaint,
    known_tills,
    latest_complaints,
    latest_sales,
    latest_suggestions,
)
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.upload.uploader import Uploader
from merchant_agent.terminal.web.tablets import seen_tablets
from merchant_agent.terminal.web.words import alarm_saying, sale_words, upload_words
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

_MOST_SALES = 6
_MOST_WORDS = 10
# A tablet's page asks again every 20 s at least.
_SHOWS_S = 30.0
_ENTRY = "sale_entry"
_AMOUNT_CHARS = 11
_ORDER_CHARS = 64


def counter(terminal: Terminal, uploader: Uploader, *, is_open: bool) -> Blueprint:
    """`/counter` and what its buttons do; `is_open` tells whether the network reaches this process."""
    blueprint = Blueprint("counter", __name__)

    @blueprint.get("/")
    def front() -> Response:
        return redirect(url_for("counter.page"))

    @blueprint.get("/counter")
    @requires_role("staff")
    def page() -> str:
        with terminal.store.read() as reader:
            is_pin_set = has_pin(reader)
        return render_template(
            "counter/page.html",
            entry=session.pop(_ENTRY, {}),
            opens_later=is_pin_set and not is_open and not terminal.settings.host,
            **_state(terminal, uploader),
        )

    @blueprint.get("/counter/state")
    @requires_role("staff")
    def state() -> str:
        return render_template("counter/state.html", **_state(terminal, uploader))

    @blueprint.post("/counter/sales")
    @requires_role("staff")
    def new_sale() -> Response:
        _report(terminal)
        return redirect(url_for("counter.page"))

    @blueprint.post("/counter/alarms/<int:number>/dismiss")
    @requires_role("staff")
    def dismiss(number: int) -> Response:
        now = terminal.clock.now()
        with terminal.store.write() as writer:
            dismiss_alarm(writer, number, at=now)
            audit(writer, at=now, who=signed_in().name, what="alarm-dismissed", detail=str(number))
        return redirect(url_for("counter.page"))

    return blueprint


def _state(terminal: Terminal, uploader: Uploader) -> dict[str, object]:
    """What the parts of the page show that change by themselves."""
    now = terminal.clock.now()
    upload = uploader.status()
    with terminal.store.read() as reader:
        tablets = list_tablets(reader)
        sales = latest_sales(reader, most=_MOST_SALES)
        tills = known_tills(reader)
        complaints = latest_complaints(reader, most=_MOST_WORDS)
        suggestions = latest_suggestions(reader, most=_MOST_WORDS)
        alarms = open_alarms(reader)
    shown = _shown(terminal, tablets)
    return {
        "tablets": seen_tablets(tablets, now),
        "sales": [(sale, sale_words(sale.state, is_shown=sale.prompt_id in shown)) for sale in sales],
        "tills": tills,
        "complaints": complaints,
        "complaints_today": _count_today(terminal, complaints),
        "most_words": _MOST_WORDS,
        "suggestions": suggestions,
        "alarms": [(alarm, alarm_saying(alarm.code)) for alarm in alarms],
        "upload": upload,
        "upload_words": upload_words(upload.state),
        "catalogue": terminal.catalogue,
    }


def _count_today(terminal: Terminal, complaints: Sequence[Complaint]) -> int:
    """How many are of the present business day."""
    starts = terminal.settings.business_day_starts
    zone, today = ZoneInfo(terminal.settings.zone), business_day(terminal.clock.now(), starts)
    return sum(business_day(complaint.at.astimezone(zone), starts) == today for complaint in complaints)


def _shown(terminal: Terminal, tablets: Iterable[Paired]) -> frozenset[str]:
    """The prompts that paired tablets show which are there now; never inside a read of the caller's."""
    ids = {tablet.id for tablet in tablets}
    return terminal.board.shown(ids, terminal.clock.mono() - _SHOWS_S)


def _report(terminal: Terminal) -> None:
    """Takes the sale that staff typed in and tells them how it stands; what was refused can be corrected."""
    try:
        amount = read_field("amount", max_chars=_AMOUNT_CHARS)
        sale = Sale(
            order=half_width(read_field("order", max_chars=_ORDER_CHARS)),
            till=read_field("till", max_chars=TILL_MAX_CHARS),
            amount=read_amount(amount) if amount else None,
            source=SaleSource.MANUAL,
        )
        taken = take_sale(terminal, sale)
    except InvalidError as error:
        flash(_invalid_words(error), "error")
        _keep_entry(error.code)
        return
    except ConflictError:
        flash(
            gettext("This order was reported before with another amount; the first report counts."), "error"
        )
        _keep_entry("amount")
        return
    flash(_taken_words(terminal, sale.order, taken), "done")


def _keep_entry(wrong: str) -> None:
    """Keeps what was typed for the form's next showing; `wrong` names the field to correct."""
    typed = {name: request.form.get(name, "")[:_ORDER_CHARS] for name in ("order", "amount", "till")}
    session[_ENTRY] = {**typed, "wrong": wrong}


def _taken_words(terminal: Terminal, order: str, taken: SaleTaken | None) -> str:
    """What has become of the sale; the same order may have been reported a moment ago by a second click."""
    if taken is None:
        return str(gettext("This order was reported before; nothing was changed."))
    match taken.state:
        case PromptState.ASKED:
            words = _asked_words(terminal, order, taken)
        case PromptState.WAITING:
            words = gettext("Order %(order)s waits until the question before it is over.", order=order)
        case PromptState.ANSWERING:
            words = gettext("A customer is answering about order %(order)s.", order=order)
        case PromptState.NOT_ASKED:
            words = gettext("Order %(order)s is saved; only its receipt asks.", order=order)
        case _:
            words = gettext("This order was reported before; nothing was changed.")
    return str(words)


def _asked_words(terminal: Terminal, order: str, taken: SaleTaken) -> str:
    with terminal.store.read() as reader:
        tablets = list_tablets(reader)
    if taken.prompt_id not in _shown(terminal, tablets):
        return str(gettext("Order %(order)s waits for a tablet; none shows it at the moment.", order=order))
    if taken.created:
        return str(gettext("The tablet asks about order %(order)s.", order=order))
    return str(gettext("Order %(order)s was entered already; the tablet shows it.", order=order))


def _invalid_words(error: InvalidError) -> str:
    if error.code == "amount":
        return str(gettext("An amount is written like 64 or 64.50."))
    if error.code == "order":
        return str(gettext("An order number has 1 to 64 characters."))
    return str(gettext("A till's name has at most 32 characters."))
