"""Central as a web application, and the way in for a server that runs several workers of it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import Flask, request
from flask_babel import gettext

from merchant_agent.central.merchants import MAX_FILE_BYTES
from merchant_agent.central.schedule import Schedule
from merchant_agent.central.services import Central, address_of, open_central
from merchant_agent.central.web.calls import call_pages
from merchant_agent.central.web.cases import case_pages
from merchant_agent.central.web.catalogues import aspect_words, category_words, remedy_words, tag_words
from merchant_agent.central.web.enrolling import enrolling_pages
from merchant_agent.central.web.epochs_api import epochs_api
from merchant_agent.central.web.findings import finding_pages
from merchant_agent.central.web.health import health
from merchant_agent.central.web.inbox_api import inbox_api
from merchant_agent.central.web.intake_api import intake_api
from merchant_agent.central.web.invitations import invitation_pages
from merchant_agent.central.web.keys import key_pages
from merchant_agent.central.web.leaves import leaves_api
from merchant_agent.central.web.log import log_api
from merchant_agent.central.web.officers import SIGN_IN_PATH, officer_pages
from merchant_agent.central.web.posters import poster_pages
from merchant_agent.central.web.private import private_pages
from merchant_agent.central.web.public import public_pages
from merchant_agent.central.web.register import register_pages
from merchant_agent.central.web.slips import slip_pages
from merchant_agent.central.web.urgings import urging_pages
from merchant_agent.central.web.verifier import verifier_file
from merchant_agent.central.web.voices import voice_pages
from merchant_agent.central.web.wording import channel_words
from merchant_agent.clock import SystemClock
from merchant_agent.errors import MerchantAgentError, SettingsError
from merchant_agent.settings import ENVIRONMENT_PREFIX, CentralSettings, load
from merchant_agent.web.app import exempt_from_csrf, load_secret, make_app
from merchant_agent.web.parts import WebParts

_FORM_BYTES = 65_536
_API_PATHS = ("/api/", "/healthz", "/metrics", "/log/")
# gunicorn stops as a whole on this code, instead of starting a failing worker again for ever.
_APP_LOAD_ERROR = 4


def create_app(central: Central) -> Flask:
    """The pages and interfaces of an opened central."""
    settings = central.settings
    # Of several workers that start at once one makes the secret and the others read it.
    with central.store.database.alone():
        secret = load_secret(central.folder.keys / "forms.key")
    app = make_app(
        WebParts(
            name="central",
            store=central.store,
            clock=central.clock,
            zone=ZoneInfo(settings.zone),
            catalogue=central.catalogue,
            secret=secret,
            api_paths=_API_PATHS,
            sign_in_pages={"officer": SIGN_IN_PATH},
            session_hours=settings.session_hours,
            max_body_bytes=max(settings.max_upload_bytes, MAX_FILE_BYTES) + _FORM_BYTES,
            proxies=settings.proxies,
        )
    )
    pages = (public_pages, health, officer_pages, register_pages, enrolling_pages, voice_pages, private_pages)
    duties = (call_pages, finding_pages, key_pages, urging_pages)
    phones = (slip_pages, invitation_pages, poster_pages, case_pages)
    for blueprint in (
        *pages,
        *duties,
        *phones,
        intake_api,
        epochs_api,
        inbox_api,
        leaves_api,
        log_api,
        verifier_file,
    ):
        app.register_blueprint(blueprint(central))
    exempt_from_csrf(app, "intake_api", "epochs_api")
    app.add_template_filter(grouped)
    for words in (aspect_words, tag_words, category_words, remedy_words, channel_words):
        app.add_template_global(words)
    app.add_template_global(page_url)
    app.context_processor(
        lambda: {
            "authority": settings.authority or gettext("Market supervision bureau"),
            "deadline_hours": settings.deadline_hours,
        }
    )
    return app


def wsgi() -> Flask:
    """Central for one worker of gunicorn: `gunicorn 'merchant_agent.central.app:wsgi()'`.

    Settings come from the environment and the settings file; `MERCHANT_AGENT_DATA` names the
    data folder, which all workers share. More than one worker needs a PostgreSQL database.

    Raises:
        SystemExit: it cannot start; the reason is told in one sentence on standard error.
    """
    try:
        settings = _settings_from_environment()
        if not settings.public_url:
            sys.stderr.write(
                f"merchant-agent: public_url is not set: people are told {address_of(settings)}\n"
            )
        central = open_central(settings, SystemClock(ZoneInfo(settings.zone)))
        app = create_app(central)
    except MerchantAgentError as error:
        sys.stderr.write(f"merchant-agent: {error}\n")
        raise SystemExit(_APP_LOAD_ERROR) from error
    Schedule(central).start()
    return app


def grouped(text: str, size: int = 4) -> str:
    """A long number in groups, as people read it."""
    return " ".join(text[start : start + size] for start in range(0, len(text), size))


def page_url(number: int) -> str:
    """The present list at another page."""
    return f"{request.path}?{urlencode({**request.args.to_dict(), 'page': number})}"


def _settings_from_environment() -> CentralSettings:
    data = os.environ.get(f"{ENVIRONMENT_PREFIX}DATA", "")
    if not data:
        raise SettingsError(f"Set {ENVIRONMENT_PREFIX}DATA to central's data folder.")
    return load(CentralSettings, Path(data)).settings
