"""The tablet's page: every screen in both languages at once, so that it needs no network to switch."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, render_template, request
from flask_babel import force_locale
from markupsafe import Markup

from merchant_agent import __version__
from merchant_agent.evidence.octets import encode_json
from merchant_agent.terminal.collect.said import COMMENT_MAX_CHARS
from merchant_agent.terminal.collect.thanks import shop_page
from merchant_agent.terminal.services import Terminal, central_address
from merchant_agent.terminal.web.pairing import COOKIE, current_tablet, keep_cookie, unpaired_page
from merchant_agent.web.locale import LANGS

_LICENCE_GROUP = 4
_MOST_PROMISES = 3


def kiosk(terminal: Terminal) -> Blueprint:
    """`/kiosk`."""
    blueprint = Blueprint("kiosk", __name__)

    @blueprint.get("/kiosk")
    def page() -> Response:
        if current_tablet() is None:
            return unpaired_page(HTTPStatus.UNAUTHORIZED)
        shop = terminal.journal.identity.merchant
        answer = Response(
            render_template(
                "kiosk/page.html",
                shop=shop,
                config={**_config(terminal), "page": page_mark(terminal)},
                screens_by_lang={lang: _screens(terminal, lang) for lang in LANGS},
            )
        )
        keep_cookie(answer, request.cookies[COOKIE])
        return answer

    return blueprint


def page_mark(terminal: Terminal) -> str:
    """What the page is made of, in short: a tablet that rests loads its page anew once this is another."""
    identity = terminal.journal.identity
    made_of = [identity.merchant, _config(terminal), central_address(terminal), __version__]
    return hashlib.sha256(encode_json(made_of)).hexdigest()[:16]


def _config(terminal: Terminal) -> dict[str, Any]:
    """What the page's scripts need to know; `lang` is what every customer begins with.

    `poster` is where a phone goes on without a sale, None while nobody told where central is.
    """
    settings = terminal.settings
    return {
        "lang": LANGS[0],
        "poster": shop_page(terminal),
        "idle_rating_s": settings.idle_rating_s,
        "idle_complaint_s": settings.idle_complaint_s,
        "thanks_rating_s": settings.thanks_rating_s,
        "thanks_complaint_s": settings.thanks_complaint_s,
    }


def _screens(terminal: Terminal, lang: str) -> Markup:
    """All screens in one language, whatever the language of the request."""
    catalogue, shop = terminal.catalogue, terminal.journal.identity.merchant
    trade = shop.trade
    with force_locale(lang):
        page = render_template(
            "kiosk/screens.html",
            lang=lang,
            shop=shop,
            licence=_grouped(shop.credit_code),
            promises=terminal.promise_kinds.say(shop.promises, lang)[:_MOST_PROMISES],
            trade=catalogue.trade(trade),
            levels=catalogue.levels,
            aspects=catalogue.aspects_for(trade)[1:],
            tags=catalogue.tags_for(trade),
            common_categories=catalogue.common_categories(trade),
            other_categories=catalogue.other_categories(trade),
            common_remedies=[remedy for remedy in catalogue.remedies if remedy.common],
            other_remedies=[remedy for remedy in catalogue.remedies if not remedy.common],
            max_comment=COMMENT_MAX_CHARS,
            notice=catalogue.notice,
            central=_check_address(terminal),
            invitation_days=terminal.settings.invitation_days,
        )
    # Rendered by a template, which escaped what it was given.
    return Markup(page)  # noqa: S704


def _check_address(terminal: Terminal) -> str:
    """Where people enter a query code, as they type it; empty while nobody told where central is."""
    address = central_address(terminal)
    return f"{urlsplit(address).netloc}{urlsplit(address).path}/check" if address else ""


def _grouped(code: str) -> str:
    """A credit code as people read it out, in groups of four."""
    return " ".join(code[at : at + _LICENCE_GROUP] for at in range(0, len(code), _LICENCE_GROUP))
