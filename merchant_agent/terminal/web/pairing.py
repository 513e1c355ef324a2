"""How a browser becomes a tablet: a link that works once leaves a cookie that only `/kiosk` gets."""

from __future__ import annotations

from flask import Blueprint, Response, g, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.errors import NotFoundError, StoreError
from merchant_agent.store.credentials import audit
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.devices import find_tablet_seen, is_seen_lately, note_seen, pair, revoke_tablet
from merchant_agent.terminal.services import Terminal

COOKIE = "tablet"
# Not "/": no page but the tablet's ever sees it.
_COOKIE_PATH = "/kiosk"
# The longest that browsers keep a cookie; it is renewed whenever the page is opened.
_COOKIE_S = 400 * 86_400


def pairing(terminal: Terminal) -> Blueprint:
    """The page of a pairing link, and the note of when each tablet was last heard of."""
    blueprint = Blueprint("pairing", __name__)

    @blueprint.get("/kiosk/pair/<secret>")
    def use_link(secret: str) -> AnyResponse:
        before = current_tablet()
        now = terminal.clock.now()
        try:
            with terminal.store.write() as writer:
                token = pair(writer, secret, at=now)
                if before is not None:
                    revoke_tablet(writer, before.id, at=now)
                audit(writer, at=now, who="tablet", what="paired")
        except NotFoundError:
            # Opened again, by the tablet that used it: it is where it wanted to go.
            if before is not None:
                return redirect("/kiosk")
            return Response(render_template("kiosk/unpaired.html", link_failed=True), status=404)
        # What the tablet remembers of another terminal ends with this pairing, see memory.js.
        return keep_cookie(redirect("/kiosk#paired"), token)

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


def _note(terminal: Terminal, token: str) -> None:
    try:
        with terminal.store.write() as writer:
            note_seen(writer, token, at=terminal.clock.now())
    except StoreError:
        # A full disk must not take the question off the tablet.
        return
