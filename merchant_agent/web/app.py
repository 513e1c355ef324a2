"""A Flask application as both programs have it: languages, problems, headers, CSRF tokens."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from flask import Flask
from flask_wtf import CSRFProtect
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter

from merchant_agent.errors import InvalidError, StartError
from merchant_agent.resources import directory, static_directory
from merchant_agent.web.locale import current_lang, register_locale
from merchant_agent.web.parts import WebParts, keep_parts, web_parts
from merchant_agent.web.problems import register_problems
from merchant_agent.web.security import register_security
from merchant_agent.web.sign_in import current_account

_SECRET_BYTES = 32


class _Number(IntegerConverter):
    """A number that any database and Python can hold; an address with a longer one has no page."""

    regex = "[0-9]{1,9}"


def make_app(parts: WebParts) -> Flask:
    """The application without any page of its own.

    Forms carry CSRF tokens. Blueprints whose requests are no forms are exempted by
    `exempt_from_csrf`: for them the check of the origin stands.
    """
    app = Flask(
        f"merchant_agent.{parts.name}",
        static_folder=str(static_directory()),
        static_url_path="/static",
        template_folder=str(directory("templates")),
    )
    app.config.update(
        SECRET_KEY=parts.secret,
        MAX_CONTENT_LENGTH=parts.max_body_bytes,
        SESSION_COOKIE_NAME=f"{parts.name}_form",
        SESSION_COOKIE_SAMESITE="Lax",
        WTF_CSRF_TIME_LIMIT=None,
        # Where a request comes from is checked for plain HTTP too, in `security`.
        WTF_CSRF_SSL_STRICT=False,
    )
    app.url_map.converters["int"] = _Number
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    keep_parts(app.extensions, parts)
    register_problems(app)
    register_security(app)
    register_locale(app)
    CSRFProtect(app)
    app.add_template_global(level_words)
    app.context_processor(lambda: {"account": current_account()})
    if parts.proxies:
        hops = parts.proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    return app


def exempt_from_csrf(app: Flask, *blueprints: str) -> None:
    """Takes blueprints, by name, out of the check of form tokens."""
    protect: CSRFProtect = app.extensions["csrf"]
    for name in blueprints:
        protect.exempt(app.blueprints[name])


def level_words(level: int) -> str:
    """A level as the face's words in the present language; the number where there is no such face."""
    try:
        return web_parts().catalogue.level(level).text(current_lang())
    except InvalidError:
        return str(level)


def load_secret(path: Path) -> bytes:
    """The 32 bytes in a file, made there (mode 0600) where they are missing.

    Raises:
        StartError: the file cannot be read or written.
    """
    try:
        if not path.exists():
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(_SECRET_BYTES))
        secret = path.read_bytes()
    except OSError as error:
        raise StartError(f"The file {path} cannot be used: {error.strerror}.") from error
    if len(secret) != _SECRET_BYTES:
        raise StartError(f"The file {path} is damaged; remove it to have a new one made.")
    return secret
