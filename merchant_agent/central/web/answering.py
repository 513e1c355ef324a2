"""The forms with which phones rate, suggest and complain: read, refused in words, answered by a page.

The main way needs no script: each step is a plain form. Nothing about a person stands in an address.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.answers import (
    COMMENT_MAX_CHARS,
    CONSENTS,
    Asked,
    Grievance,
    Lang,
    Opinion,
    complain,
    find_given,
    rate,
    suggest,
)
from merchant_agent.central.own_chain import OwnRecord
from merchant_agent.central.services import Central
from merchant_agent.central.turns import Topic, take_turn
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.web.locale import current_lang


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the forms stand: who asks, the address that all of them begin with, and how often one may answer."""

    asked: Asked
    base: str
    topic: Topic

    @property
    def is_poster(self) -> bool:
        """Whether no sale is asked about."""
        return self.asked.invitation is None


def first_page(central: Central, place: Place) -> str:
    """The five faces, and the ways to the other forms."""
    with central.store.read() as reader:
        found = find_given(reader, place.asked)
    given = {kind.value: each for kind, each in found.items()}
    return _render(central, place, "first.html", given=given, rating=found.get(Kind.RATING))


def add_forms(pages: Blueprint, central: Central, root: str, place_of: Callable[[str], Place]) -> None:
    """The forms under `root`, an address with `<name>`; `place_of` says what a name stands for."""

    @pages.route(f"{root}/level", methods=["GET", "POST"])
    def level(name: str) -> AnyResponse | str:
        return _reasons(central, place_of(name))

    @pages.route(f"{root}/rating", methods=["GET", "POST"])
    def rating(name: str) -> AnyResponse | str:
        return _rating(central, place_of(name))

    @pages.route(f"{root}/suggest", methods=["GET", "POST"])
    def suggest(name: str) -> AnyResponse | str:
        return _suggestion(central, place_of(name))

    @pages.route(f"{root}/complain", methods=["GET", "POST"])
    def complain(name: str) -> AnyResponse | str:
        return _complaint(central, place_of(name))

    @pages.get(f"{root}/thanks/<any(rating, suggestion, complaint):kind>/<code>")
    def thanks(name: str, kind: str, code: str) -> str:
        return _render(central, place_of(name), "thanks.html", kind=kind, code=parse_query_code(code))


def _reasons(central: Central, place: Place) -> AnyResponse | str:
    """Reasons and words for the level that was tapped; nothing is signed yet."""
    level = _level()
    if level is None:
        # Reloaded, or in the other language.
        return redirect(place.base, code=303)
    return _render(central, place, "reasons.html", level=level, error=None)


def _rating(central: Central, place: Place) -> AnyResponse | str:
    level = _level()
    if level is None:
        return redirect(place.base, code=303)
    opinion = Opinion(
        level=level,
        tags=tuple(request.form.getlist("tag")),
        comment=request.form.get("comment", ""),
        lang=_lang(),
    )
    return _send(
        central,
        place,
        lambda: rate(central, place.asked, opinion),
        lambda error: _refused(central, place, "reasons.html", error, level=level),
    )


def _suggestion(central: Central, place: Place) -> AnyResponse | str:
    if request.method != "POST":
        return _render(central, place, "suggest.html", error=None)
    comment = request.form.get("comment", "")
    return _send(
        central,
        place,
        lambda: suggest(central, place.asked, comment, _lang()),
        lambda error: _refused(central, place, "suggest.html", error),
    )


def _complaint(central: Central, place: Place) -> AnyResponse | str:
    if request.method != "POST":
        return _render(central, place, "complain.html", error=None)
    form = request.form
    grievance = Grievance(
        categories=tuple(form.getlist("category")),
        remedies=tuple(form.getlist("remedy")),
        comment=form.get("comment", ""),
        order=form.get("order", ""),
        occurred_at=form.get("occurred_at", ""),
        amount=form.get("amount", ""),
        contact=form.get("contact", ""),
        consents=tuple(who for who in CONSENTS if who in form.getlist("consent")),
        lang=_lang(),
    )
    return _send(
        central,
        place,
        lambda: complain(central, place.asked, grievance),
        lambda error: _refused(central, place, "complain.html", error),
    )


def _send(
    central: Central,
    place: Place,
    sign: Callable[[], OwnRecord],
    again: Callable[[str], AnyResponse | str],
) -> AnyResponse | str:
    take_turn(central, place.topic, request.remote_addr or "")
    try:
        own = sign()
    except InvalidError as error:
        return again(_words(error))
    except ConflictError:
        # Sent twice, or too late: the first page says which.
        return redirect(place.base, code=303)
    return redirect(f"{place.base}/thanks/{own.record.kind.value}/{own.query_code}", code=303)


def _refused(central: Central, place: Place, name: str, error: str, **values: object) -> AnyResponse:
    return Response(_render(central, place, name, error=error, **values), status=422)


def _render(central: Central, place: Place, name: str, **values: object) -> str:
    catalogue, trade = central.catalogue, place.asked.merchant.trade
    return render_template(
        f"central/phone/{name}",
        place=place,
        merchant=place.asked.merchant,
        catalogue=catalogue,
        tags=catalogue.tags_for(trade),
        common=catalogue.common_categories(trade),
        others=catalogue.other_categories(trade),
        number=catalogue.trade(trade).number,
        max_comment=COMMENT_MAX_CHARS,
        **values,
    )


def _words(error: InvalidError) -> str:
    """What to correct."""
    words: dict[str, str] = {
        "comment": gettext("Please write a few words first, 1,000 characters at most."),
        "complaint": gettext("Choose what went wrong, or say it in your own words."),
        "amount": gettext("Enter the amount in digits, such as 64 or 64.50."),
        "contact": gettext("A phone number has 7 to 15 digits."),
        "consents": gettext("Please choose who may call you, or clear the number."),
        "occurred-at": gettext("Enter a date and a time of day."),
        "occurred-in-future": gettext("This time has not come yet."),
        "order": gettext("The order number is too long, or holds characters that cannot be shown."),
    }
    return words.get(error.code) or gettext("Something in the entry is not right. Please try once more.")


def _level() -> int | None:
    text = request.form.get("level", "")
    return int(text) if text in {str(level) for level in LEVELS} else None


def _lang() -> Lang:
    return "en" if current_lang() == "en" else "zh"
