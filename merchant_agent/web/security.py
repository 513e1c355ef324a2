"""What every answer tells the browser, and which requests are refused as coming from elsewhere.

Over plain HTTP on a shop's network browsers send no `Sec-Fetch-Site`, so `Origin` decides there.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, request

from merchant_agent.errors import ForbiddenError, NotFoundError

_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # Not no-referrer: with that, browsers send `Origin: null` with our own forms.
    "Referrer-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
}


def register_security(app: Flask) -> None:
    """Checks addresses and where unsafe requests come from, and adds the headers to every answer."""
    app.before_request(refuse_nul)
    app.before_request(refuse_foreign)
    app.after_request(_add_headers)


def refuse_nul() -> None:
    """Returns when the address holds no NUL: PostgreSQL takes none, and nothing is called by one.

    Raises:
        NotFoundError: "address".
    """
    stated = (text for name, values in request.args.lists() for text in (name, *values))
    if "\0" in request.path or any("\0" in text for text in stated):
        raise NotFoundError("address", "nothing stands at an address with a NUL")


def refuse_foreign() -> None:
    """Returns when the request is safe, from our own page, or from no browser.

    Raises:
        ForbiddenError: "origin", when a page of another origin made it.
    """
    if request.method in _SAFE_METHODS or _is_own():
        return
    raise ForbiddenError("origin", "the request comes from another page than ours")


def _is_own() -> bool:
    origin = request.headers.get("Origin")
    if origin is not None:
        return urlsplit(origin).netloc.lower() == request.host.lower()
    fetched_from = request.headers.get("Sec-Fetch-Site")
    if fetched_from is not None:
        return fetched_from in {"same-origin", "none"}
    referer = request.headers.get("Referer")
    if referer is not None:
        return urlsplit(referer).netloc.lower() == request.host.lower()
    # A program, not a browser: it carries no cookies that somebody else's page could use.
    return not request.cookies


def _add_headers(response: Response) -> Response:
    for name, value in _HEADERS.items():
        response.headers.setdefault(name, value)
    if request.endpoint == "static":
        # Checked again each time, by its tag: after an update no page runs an old script.
        response.headers["Cache-Control"] = "no-cache"
    else:
        response.headers.setdefault("Cache-Control", "no-store")
    return response
