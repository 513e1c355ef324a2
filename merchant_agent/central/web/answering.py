"""The forms with which phones rate, suggest and complain: read, refused in words, answered by a page.

The main way needs no script: each step is a plain form. Nothing about a person stands in an address.
A complaint that was begun on the tablet comes to its form with the chosen codes behind `#`, which a script ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from flask import Blueprint, Response, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.answers import (
    Asked,
    Opinion,
    find_given,
    has_ended,
    rate,
    suggest,
)
from merchant_agent.central.complaints import Grievance, complain
from merchant_agent.central.enclosures import CONSENTS
from merchant_agent.central.merchants import promises_of
from merchant_agent.central.own_chain import OwnRecord
from merchant_agent.central.services import Central
from merchant_agent.central.turns import URGINGS, Topic, take_turn
from merchant_agent.central.urgings import WAYS, tell
from merchant_agent.central.web.cases import file_complaint
from merchant_agent.central.web.phrases import form_lang, form_values, what_to_correct
from merchant_agent.central.web.uploads import allow_photos, sent_photos
from merchant_agent.central.web.urgings import way_words
from merchant_agent.domain.catalogue import LEVELS
from merchant_agent.errors import ConflictError, InvalidError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.store.fields import from_ms
from merchant_agent.web.locale import current_lang, localtime


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
    """The five faces, the ways to the other forms, and what the shop promises."""
    with central.store.read() as reader:
        found = find_given(reader, place.asked)
    given = {kind.value: each for kind, each in found.items()}
    promises = central.promise_kinds.say(promises_of(place.asked.merchant), current_lang())
    rating = found.get(Kind.RATING)
    return _render(central, place, "first.html", given=given, rating=rating, promises=promises)


def add_forms(pages: Blueprint, central: Central, root: str, place_of: Callable[[str], Place]) -> None:
    """The forms under `root`, an address with `<name>`; `place_of` says what a name stands for."""
    allow_photos(pages, "complain")

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

    @pages.route(f"{root}/urged", methods=["GET", "POST"])
    def urged(name: str) -> AnyResponse | str:
        return _urging(central, place_of(name))

    @pages.get(f"{root}/told")
    def told(name: str) -> str:
        return _render(central, place_of(name), "told.html")

    @pages.get(f"{root}/thanks/<any(rating, suggestion):kind>/<code>")
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
        aspects=tuple(_aspects(central, place)),
        tags=tuple(request.form.getlist("tag")),
        comment=request.form.get("comment", ""),
        lang=form_lang(),
    )
    return _send(
        central,
        place,
        lambda: _thanked(place, rate(central, place.asked, opinion)),
        lambda error: _refused(central, place, "reasons.html", error, level=level),
    )


def _suggestion(central: Central, place: Place) -> AnyResponse | str:
    if request.method != "POST":
        if _is_used(central, place, Kind.SUGGESTION):
            return redirect(place.base, code=303)
        return _render(central, place, "suggest.html", error=None)
    comment = request.form.get("comment", "")
    return _send(
        central,
        place,
        lambda: _thanked(place, suggest(central, place.asked, comment, form_lang())),
        lambda error: _refused(central, place, "suggest.html", error),
    )


def _complaint(central: Central, place: Place) -> AnyResponse | str:
    if request.method != "POST":
        # Whoever goes back after sending finds no form with their words.
        if _is_used(central, place, Kind.COMPLAINT):
            return redirect(place.base, code=303)
        return _render(central, place, "complain.html", error=None, happened_at=_happened_at(place))
    return _send(
        central,
        place,
        lambda: file_complaint(complain(central, place.asked, _grievance())),
        lambda error: _refused(central, place, "complain.html", error),
    )


def _happened_at(place: Place) -> str:
    """When the sale of an invitation was, as its field has it; empty without a sale."""
    invitation = place.asked.invitation
    if invitation is None:
        return ""
    return localtime(from_ms(invitation.time * 1000), "%Y-%m-%dT%H:%M")


def _grievance() -> Grievance:
    form = request.form
    return Grievance(
        categories=tuple(form.getlist("category")),
        remedies=tuple(form.getlist("remedy")),
        comment=form.get("comment", ""),
        order=form.get("order", ""),
        occurred_at=form.get("occurred_at", ""),
        amount=form.get("amount", ""),
        contact=form.get("contact", ""),
        consents=tuple(who for who in CONSENTS if who in form.getlist("consent")),
        photos=sent_photos(),
        lang=form_lang(),
    )


def _is_used(central: Central, place: Place, kind: Kind) -> bool:
    """Whether the invitation has ended, or was used for this kind."""
    with central.store.read() as reader:
        return has_ended(central, place.asked) or kind in find_given(reader, place.asked)


def _urging(central: Central, place: Place) -> AnyResponse | str:
    if request.method != "POST":
        return _render(central, place, "urge.html", error=None, ways=WAYS, way_words=way_words)
    take_turn(central, URGINGS, request.remote_addr or "")
    try:
        tell(central, place.asked.merchant.id, request.form.getlist("way"), request.form.get("comment", ""))
    except InvalidError as error:
        words = what_to_correct(error)
        return _refused(central, place, "urge.html", words, ways=WAYS, way_words=way_words)
    return redirect(f"{place.base}/told", code=303)


def _send(
    central: Central,
    place: Place,
    sign: Callable[[], AnyResponse],
    again: Callable[[str], AnyResponse | str],
) -> AnyResponse | str:
    take_turn(central, place.topic, request.remote_addr or "")
    try:
        return sign()
    except InvalidError as error:
        return again(what_to_correct(error))
    except ConflictError:
        # Sent twice, or too late: the first page says which.
        return redirect(place.base, code=303)


def _thanked(place: Place, own: OwnRecord) -> AnyResponse:
    return redirect(f"{place.base}/thanks/{own.record.kind.value}/{own.query_code}", code=303)


def _refused(central: Central, place: Place, name: str, error: str, **values: object) -> AnyResponse:
    return Response(_render(central, place, name, error=error, **values), status=422)


def _render(central: Central, place: Place, name: str, **values: object) -> str:
    merchant = place.asked.merchant
    return render_template(
        f"central/phone/{name}",
        place=place,
        merchant=merchant,
        **form_values(central, merchant.trade),
        **values,
    )


def _aspects(central: Central, place: Place) -> Iterator[tuple[str, int]]:
    """The sides of the visit that were judged, in the order in which the trade's page has them."""
    for aspect in central.catalogue.aspects_for(place.asked.merchant.trade)[1:]:
        text = request.form.get(f"aspect-{aspect.code}", "")
        if text in {str(level) for level in LEVELS}:
            yield aspect.code, int(text)


def _level() -> int | None:
    text = request.form.get("level", "")
    return int(text) if text in {str(level) for level in LEVELS} else None
