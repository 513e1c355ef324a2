"""How a browser becomes a tablet: a link or six digits leave a cookie that only `/kiosk` gets."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.domain.text import half_width
from merchant_agent.errors import LockedOutError, NotFoundError, StoreError
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Writer
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.devices import (
    find_tablet,
    find_tablet_seen,
    is_seen_lately,
    note_seen,
    pair,
    revoke_tablet,
)
from merchant_agent.terminal.pairings import DIGITS, guess_digits, is_void
from merchant_agent.terminal.services import Terminal
from merchant_agent.web.lockout import admit, note_right, note_wrong

COOKIE = "tablet"
# Not "/": no page but the tablet's ever sees it.
_COOKIE_PATH = "/kiosk"
# The longest that browsers keep a cookie; it is renewed whenever the page is opened.
_COOKIE_S = 400 * 86_400
_DIGITS_CHARS = 16
# What guesses are counted under, beside the names of accounts.
_GUESSES = "pairing"


def pairing(terminal: Terminal, on_paired: Callable[[], object]) -> Blueprint:
    """The page of a pairing link, that of the six digits, and the note of when each tablet was last heard of.

    `on_paired` is called once another tablet is there, which will wait on a thread of its own.
    """
    blueprint = Blueprint("pairing", __name__)

    @blueprint.get("/kiosk/pair")
    def ask() -> Response:
        return unpaired_page(HTTPStatus.OK)

    @blueprint.post("/kiosk/pair")
    def use_digits() -> AnyResponse:
        try:
            token = _guess(terminal, half_width(request.form.get("code", "")[:_DIGITS_CHARS]))
        except LockedOutError as locked:
            return unpaired_page(HTTPStatus.TOO_MANY_REQUESTS, _wait_words(locked))
        except NotFoundError:
            return unpaired_page(HTTPStatus.NOT_FOUND, _wrong_words(terminal))
        if token is None:
            return unpaired_page(HTTPStatus.NOT_FOUND, _wrong_words(terminal))
        on_paired()
        return keep_cookie(redirect("/kiosk/ready#paired"), token)

    @blueprint.get("/kiosk/pair/<secret>")
    def use_link(secret: str) -> AnyResponse:
        answer = _use_link(terminal, secret)
        on_paired()
        return answer

    @blueprint.before_app_request
    def see() -> None:
        token = request.cookies.get(COOKIE)
        if not token or not request.path.startswith("/kiosk"):
            return
        with terminal.store.read() as reader:
            tablet, seen_at = find_tablet_seen(reader, token)
        g.tablet = tablet
        if tablet is not None and not is_seen_lately(seen_at, at=terminal.clock.now()):
            _note(terminal, token)

    return blueprint


def current_tablet() -> Tablet | None:
    """The paired tablet that makes the present request, as it stood when the request came; below `/kiosk`."""
    tablet: Tablet | None = g.get("tablet")
    return tablet


def keep_cookie(response: AnyResponse, token: str) -> AnyResponse:
    """Leaves the tablet its token for as long as browsers keep anything."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=_COOKIE_S,
        path=_COOKIE_PATH,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response


def unpaired_page(status: HTTPStatus, error: str = "") -> Response:
    """The digits to pair this browser with, and why the last ones did not."""
    return Response(render_template("kiosk/unpaired.html", error=error, digits=DIGITS), status=status)


def _use_link(terminal: Terminal, secret: str) -> AnyResponse:
    try:
        with terminal.store.write() as writer:
            token = pair(writer, secret, at=terminal.clock.now())
            _replace(terminal, writer, token)
    except NotFoundError:
        # Opened again, by the tablet that used it: it is where it wanted to go.
        if current_tablet() is not None:
            return redirect("/kiosk")
        words = gettext(
            "This pairing link was used already, or its time is over. Please make a new one on the counter page."
        )
        return unpaired_page(HTTPStatus.NOT_FOUND, words)
    # What the tablet remembers of another terminal ends with this pairing, see memory.js.
    target = "/kiosk/ready#paired" if "check" in request.args else "/kiosk#paired"
    return keep_cookie(redirect(target), token)


def _guess(terminal: Terminal, digits: str) -> str | None:
    """The token of the tablet that these digits pair; None where they are wrong.

    Raises:
        LockedOutError: too many wrong ones from this address, or from all.
        NotFoundError: "pairing-link", when the tablet was revoked meanwhile.
    """
    now, origin = terminal.clock.now(), request.remote_addr or ""
    admit(terminal.store, _GUESSES, origin, now)
    with terminal.store.write() as writer:
        token = guess_digits(writer, "".join(digits.split()), at=now)
        if token is None:
            note_wrong(writer, _GUESSES, origin, now)
        else:
            note_right(writer, _GUESSES, origin, now)
            _replace(terminal, writer, token)
    return token


def _replace(terminal: Terminal, writer: Writer, token: str) -> None:
    """A browser that is paired anew is one tablet: another that it was before ends."""
    now, before, paired = terminal.clock.now(), current_tablet(), find_tablet(writer, token)
    if before is not None and (paired is None or before.id != paired.id):
        revoke_tablet(writer, before.id, at=now)
    audit(writer, at=now, who="tablet", what="paired")


def _wrong_words(terminal: Terminal) -> str:
    with terminal.store.read() as reader:
        void = is_void(reader, at=terminal.clock.now())
    if void:
        return str(
            gettext(
                "This code is void after five wrong entries. Please have a new one made on the counter page."
            )
        )
    return str(
        gettext("This is not the code, or its five minutes are over. Please look at the counter page.")
    )


def _wait_words(locked: LockedOutError) -> str:
    return str(
        gettext(
            "Too many wrong entries. Please wait %(seconds)s seconds, then enter a new code.",
            seconds=locked.retry_after_s,
        )
    )


def _note(terminal: Terminal, token: str) -> None:
    try:
        with terminal.store.write() as writer:
            now, reached = terminal.clock.now(), urlsplit(request.host_url).hostname
            note_seen(writer, token, at=now, address=request.remote_addr, reached=reached)
    except StoreError:
        # A full disk must not take the question off the tablet.
        return
