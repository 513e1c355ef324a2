"""What everybody may see: a query code's arrival, the shops, and their figures of the last release."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext

from merchant_agent.central.findings import broken_promises, unbound_ratings
from merchant_agent.central.log.trouble import find_trouble
from merchant_agent.central.merchants import find_merchant, promises_of
from merchant_agent.central.overview import (
    MerchantOverview,
    Page,
    find_by_query_code,
    list_merchants,
    public_figures,
)
from merchant_agent.central.services import Central
from merchant_agent.central.web.figures import Figures, draw
from merchant_agent.central.web.wording import band_words, programme_words
from merchant_agent.domain.merchants import Programme
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.note import format_vkey
from merchant_agent.evidence.query_code import parse_query_code
from merchant_agent.web.locale import current_lang
from merchant_agent.web.reading import read_page_number

_MAX_SEARCH_CHARS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shop:
    """A shop in the list; `figures` is None before its first release with a rating."""

    id: str
    shop_name: str
    address: str
    trade: str
    figures: Figures | None


def public_pages(central: Central) -> Blueprint:
    """The pages without a sign-in."""
    pages = Blueprint("public", __name__)

    @pages.get("/")
    def front() -> str:
        return render_template("central/front.html", anybody=bool(list_merchants(central).items))

    @pages.get("/check")
    def check() -> Response | str:
        typed = request.args.get("code", "")
        if not typed.strip():
            return render_template("central/check.html", state=None, typed="", error=None)
        try:
            found = find_by_query_code(central, typed)
        except InvalidError:
            error = gettext(
                "This is no query code: a character is wrong, missing or too much. "
                "Please compare it with what the tablet showed."
            )
            page = render_template("central/check.html", state=None, typed=typed, error=error)
            return Response(page, status=422)
        state = "received" if found else "unknown"
        code = parse_query_code(typed)
        return render_template("central/check.html", state=state, code=code, found=found, typed="")

    @pages.get("/merchants")
    def merchants() -> str:
        search = read_search()
        shown = list_merchants(central, page=read_page_number(), search=search)
        return render_template("central/merchants.html", page=_shops(central, shown), search=search)

    @pages.get("/log")
    def log() -> str:
        newest = central.newest.find(central.store, central.clock)
        return render_template(
            "central/log.html",
            newest=newest,
            published_at=None if newest is None else datetime.fromtimestamp(newest.time, UTC),
            is_still=find_trouble(central) is not None,
            keys=[format_vkey(key) for key in central.identity.log_keys],
        )

    @pages.get("/m/<merchant_id>")
    def merchant(merchant_id: str) -> str:
        with central.store.read() as reader:
            entry = find_merchant(reader, merchant_id)
            released = public_figures(central, merchant_id)
            broken = broken_promises(central, reader, merchant_id)
            unbound = unbound_ratings(reader, merchant_id, None if released is None else released.until)
        return render_template(
            "central/merchant.html",
            merchant=entry,
            trade=central.catalogue.trade(entry.trade).text(current_lang()),
            promises=central.promise_kinds.say(promises_of(entry), current_lang()),
            programme="" if entry.programme == Programme.NONE else programme_words(entry.programme),
            figures=draw(released),
            band="" if released is None else band_words(released.answer_band),
            unbound=unbound,
            released=released,
            broken=broken,
        )

    return pages


def read_search() -> str:
    """What `?q=` looks for, cut to what a name can be."""
    return request.args.get("q", "").strip()[:_MAX_SEARCH_CHARS]


def _shops(central: Central, shown: Page[MerchantOverview]) -> Page[_Shop]:
    with central.store.read():
        items = tuple(
            _Shop(
                id=item.entry.id,
                shop_name=item.entry.shop_name,
                address=item.entry.address,
                trade=central.catalogue.trade(item.entry.trade).text(current_lang()),
                figures=draw(public_figures(central, item.entry.id)),
            )
            for item in shown.items
        )
    return Page(items=items, number=shown.number, more=shown.more)
