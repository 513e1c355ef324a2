"""What went wrong, as people and as programs read it: one table from error to status and words.

Programs get `application/problem+json` with the error's `code`; people get a page that says
what happened, what is safe and what to do.

Source: RFC 9457.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from http import HTTPStatus
from traceback import format_tb

from flask import Flask, Response, render_template, request
from flask_babel import LazyString, gettext, lazy_gettext
from werkzeug.exceptions import HTTPException

from merchant_agent.errors import (
    ConflictError,
    ForbiddenError,
    FormatError,
    InvalidError,
    LockedOutError,
    MerchantAgentError,
    NotFoundError,
    OnHoldError,
    OutOfServiceError,
    SignInError,
    StartError,
    StoreCorruptError,
    StoreFullError,
    StoreLockedError,
    TooLargeError,
)
from merchant_agent.evidence.octets import encode_json
from merchant_agent.web.parts import web_parts

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kind:
    """How one class of error is told: HTTP status, a title, and what to do."""

    status: int
    title: LazyString
    advice: LazyString
    retry_after_s: int | None = None


_INTERNAL = _Kind(
    status=500,
    title=lazy_gettext("Something went wrong here"),
    advice=lazy_gettext("What was saved before is safe. Please try again; if it stays, tell the operator."),
)

# A terminal replaces its damaged database within moments.
_CORRUPT = _Kind(
    status=503,
    title=lazy_gettext("The database has to be put right: this was not saved"),
    advice=lazy_gettext("Please try again in a moment; if it stays, tell the operator."),
    retry_after_s=1,
)

# What was caught here may quote a database, and so what a customer said: logged by its place, told to nobody.
_WITHOUT_WORDS = (_INTERNAL, _CORRUPT)

# The first class that fits decides; subclasses stand before their bases.
_KINDS: tuple[tuple[type[MerchantAgentError], _Kind], ...] = (
    (
        LockedOutError,
        _Kind(
            status=429,
            title=lazy_gettext("Too many attempts"),
            advice=lazy_gettext("Please wait a little before you try again."),
        ),
    ),
    (
        SignInError,
        _Kind(
            status=401,
            title=lazy_gettext("Please sign in"),
            advice=lazy_gettext("Nothing was changed. Sign in and try again."),
        ),
    ),
    (
        ForbiddenError,
        _Kind(
            status=403,
            title=lazy_gettext("Not allowed"),
            advice=lazy_gettext("Nothing was changed. Go back and try again from the page itself."),
        ),
    ),
    (
        NotFoundError,
        _Kind(
            status=404,
            title=lazy_gettext("Not found"),
            advice=lazy_gettext("Check the address, or begin at the front page."),
        ),
    ),
    (
        ConflictError,
        _Kind(
            status=409,
            title=lazy_gettext("This does not fit what is recorded already"),
            advice=lazy_gettext("Nothing was changed. Reload the page to see how things stand."),
        ),
    ),
    (
        TooLargeError,
        _Kind(
            status=413,
            title=lazy_gettext("Too large"),
            advice=lazy_gettext("Nothing was changed. Send less at once."),
        ),
    ),
    (
        InvalidError,
        _Kind(
            status=422,
            title=lazy_gettext("Something in the entry is not right"),
            advice=lazy_gettext("Nothing was changed. Go back and correct it."),
        ),
    ),
    (
        FormatError,
        _Kind(
            status=400,
            title=lazy_gettext("The request cannot be read"),
            advice=lazy_gettext("Nothing was changed."),
        ),
    ),
    (
        StoreFullError,
        _Kind(
            status=507,
            title=lazy_gettext("The disk is full: this was not saved"),
            advice=lazy_gettext("What was saved before is safe. Free some space and try again."),
        ),
    ),
    (
        StoreLockedError,
        _Kind(
            status=503,
            title=lazy_gettext("Busy at the moment: this was not saved"),
            advice=lazy_gettext("Please try again in a moment."),
            retry_after_s=1,
        ),
    ),
    (StoreCorruptError, _CORRUPT),
    (
        OnHoldError,
        _Kind(
            status=503,
            title=lazy_gettext("This terminal cannot sign at the moment"),
            advice=lazy_gettext(
                "What was saved before is safe. The counter's page says why, and what to do."
            ),
            retry_after_s=60,
        ),
    ),
    (
        OutOfServiceError,
        _Kind(
            status=410,
            title=lazy_gettext("This terminal was taken out of service"),
            advice=lazy_gettext(
                "It asks nobody any more. What it recorded is still sent; leave it on until nothing waits."
            ),
        ),
    ),
    (
        StartError,
        _Kind(
            status=503,
            title=lazy_gettext("This terminal is not set up yet"),
            advice=lazy_gettext("It must be enrolled at the authority first; its manager knows how."),
            retry_after_s=60,
        ),
    ),
)


def register_problems(app: Flask) -> None:
    """Answers every error of a view by its kind; the process goes on whatever a view raises."""
    app.register_error_handler(MerchantAgentError, _answer_error)
    app.register_error_handler(HTTPException, _answer_http)
    app.register_error_handler(Exception, _answer_unexpected)


def is_for_programs() -> bool:
    """Whether the present request's answer is for a program."""
    return request.path.startswith(web_parts().api_paths)


def status_of(error: MerchantAgentError) -> int:
    """The HTTP status that tells of an error."""
    return _kind_of(error).status


def _kind_of(error: MerchantAgentError) -> _Kind:
    return next((kind for type_, kind in _KINDS if isinstance(error, type_)), _INTERNAL)


def _answer_error(error: MerchantAgentError) -> Response:
    kind = _kind_of(error)
    if kind in _WITHOUT_WORDS:
        frames = "".join(format_tb(error.__traceback__))
        _log.error("%s %s failed: %s\n%s", request.method, request.endpoint, type(error).__name__, frames)
    else:
        _log.info("%s %s refused: %s", request.method, request.endpoint, error.code)
    detail = "" if kind in _WITHOUT_WORDS else str(error)
    response = _answer(kind, error.code, detail)
    wait_s = error.retry_after_s if isinstance(error, LockedOutError) else kind.retry_after_s
    if wait_s is not None:
        response.headers["Retry-After"] = str(wait_s)
    return response


def _answer_http(error: HTTPException) -> Response:
    """What Flask itself refuses: no such page, method, or size."""
    status = error.code or 500
    code = HTTPStatus(status).phrase.lower().replace(" ", "-").replace("'", "")
    kinds = {kind.status: kind for _, kind in _KINDS}
    generic = _Kind(
        status=status,
        title=lazy_gettext("The request cannot be answered"),
        advice=lazy_gettext("Nothing was changed."),
    )
    known = kinds.get(status, _INTERNAL if status == _INTERNAL.status else generic)
    response = _answer(known, code, error.description or "")
    for name, value in error.get_headers():
        if name.lower() in {"allow", "retry-after"}:
            response.headers[name] = value
    return response


def _answer_unexpected(error: Exception) -> Response:
    """A defect of ours: logged with its place, told without it."""
    _log.error("%s %s failed", request.method, request.endpoint, exc_info=error)
    return _answer(_INTERNAL, "internal", "")


def _answer(kind: _Kind, code: str, detail: str) -> Response:
    if is_for_programs():
        body = {
            "type": "about:blank",
            "title": str(kind.title),
            "status": kind.status,
            "code": code,
            "detail": detail,
        }
        return Response(encode_json(body), status=kind.status, content_type="application/problem+json")
    page = render_template(
        "shared/error.html",
        title=str(kind.title),
        advice=str(kind.advice),
        code=code,
        home=gettext("To the front page"),
    )
    return Response(page, status=kind.status, content_type="text/html; charset=utf-8")
