"""Which language a page speaks: Chinese unless the reader chose or prefers English."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from babel import Locale
from flask import Flask, Response, request
from flask_babel import Babel, get_locale

from merchant_agent.resources import translations_directory
from merchant_agent.web.parts import web_parts

LANGS = ("zh", "en")
_COOKIE = "lang"
_YEAR_S = 31_536_000


def register_locale(app: Flask) -> None:
    """Chooses a language for each request; `?lang=en` is remembered in a cookie."""
    app.config["BABEL_TRANSLATION_DIRECTORIES"] = str(translations_directory())
    app.config["BABEL_DEFAULT_LOCALE"] = "zh"
    Babel(app, locale_selector=choose_lang)
    app.after_request(_remember)
    app.add_template_filter(localtime)
    app.add_template_filter(wall_time)
    app.add_template_filter(money)
    app.context_processor(lambda: {"lang": current_lang(), "lang_url": lang_url})


def choose_lang() -> str:
    """`zh` or `en`: what the address asks for, what was chosen before, what the browser prefers."""
    for chosen in (request.args.get(_COOKIE), request.cookies.get(_COOKIE)):
        if chosen in LANGS:
            return chosen
    for tag, _quality in request.accept_languages:
        language = _language_of(tag)
        if language in LANGS:
            return language
    return LANGS[0]


def current_lang() -> str:
    """The language of the present request."""
    locale = get_locale()
    return str(locale.language) if locale is not None else LANGS[0]


def lang_url(lang: str) -> str:
    """The present page in another language."""
    arguments = {**request.args.to_dict(), _COOKIE: lang}
    return f"{request.path}?{urlencode(arguments)}"


def localtime(moment: datetime | None, form: str = "%Y-%m-%d %H:%M") -> str:
    """A moment in the installation's time zone; a dash where there is none."""
    return "—" if moment is None else moment.astimezone(web_parts().zone).strftime(form)


def wall_time(text: str) -> str:
    """A local time as records state it, `2026-05-20T11:58`, in the way that people write it."""
    return text.replace("T", " ")


def money(text: str) -> str:
    """An amount as records state it, `64.00 CNY`; in Chinese `64.00 元`."""
    number, _, currency = text.partition(" ")
    return f"{number} 元" if currency == "CNY" and current_lang() == "zh" else text


def _language_of(tag: str) -> str:
    # `negotiate_locale` alone finds nothing for zh-CN.
    try:
        return Locale.parse(tag, sep="-").language
    except (ValueError, LookupError):
        return ""


def _remember(response: Response) -> Response:
    chosen = request.args.get(_COOKIE)
    if chosen in LANGS and request.cookies.get(_COOKIE) != chosen:
        response.set_cookie(_COOKIE, chosen, max_age=_YEAR_S, samesite="Lax", secure=request.is_secure)
    return response
