"""The counter's tablets: pairing one, pairing it again, giving it another till, ending it."""

from __future__ import annotations

import ipaddress
import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from markupsafe import Markup
from werkzeug.wrappers import Response

from merchant_agent.domain.sales import TILL_MAX_CHARS
from merchant_agent.errors import NotFoundError
from merchant_agent.store.credentials import audit
from merchant_agent.terminal.devices import (
    LINK_VALID_S,
    Paired,
    change_till,
    find_paired,
    list_tablets,
    revoke_tablet,
)
from merchant_agent.terminal.pairings import offer_pairing
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.web.address import lan_addresses, qr_svg, reachable_roots
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

_CONNECTED_S = 75
_MS_CHARS = 14


@dataclass(frozen=True, slots=True, kw_only=True)
class TabletSeen:
    """A paired tablet and whether it is there now.

    `lost` is the address under which it knows this terminal, where that is none of its addresses any
    more; else None.
    """

    paired: Paired
    is_connected: bool
    lost: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a tablet opens its pairing link in one network, and the QR code of that."""

    text: str
    qr: Markup


def tablets(terminal: Terminal, *, is_open: bool) -> Blueprint:
    """`/counter/links` and `/counter/tablets/…`; `is_open` tells whether the network reaches this process."""
    blueprint = Blueprint("tablets", __name__, url_prefix="/counter")

    @blueprint.get("/links")
    @requires_role("staff")
    def links() -> Response:
        # Where a language is chosen on the page below: it is remembered, the secret is not shown twice.
        return redirect(url_for("counter.page"))

    @blueprint.post("/links")
    @requires_role("staff")
    def new_link() -> str:
        return _offer(terminal, None, is_open=is_open)

    @blueprint.post("/tablets/<tablet_id>/again")
    @requires_role("staff")
    def again(tablet_id: str) -> str:
        with terminal.store.read() as reader:
            paired = find_paired(reader, tablet_id)
        if paired is None:
            raise NotFoundError("tablet", "no such tablet is paired")
        return _offer(terminal, paired, is_open=is_open)

    @blueprint.get("/links/arrived")
    @requires_role("staff")
    def arrived() -> str:
        return _arrived(terminal, request.args.get("since", ""))

    @blueprint.post("/tablets/<tablet_id>/till")
    @requires_role("staff")
    def till(tablet_id: str) -> Response:
        with terminal.store.write() as writer:
            change_till(writer, tablet_id, read_field("till", max_chars=TILL_MAX_CHARS))
            audit(writer, at=terminal.clock.now(), who=signed_in().name, what="tablet-till", detail=tablet_id)
        terminal.nudges.nudge(tablet_id)
        flash(gettext("From now on the tablet asks about that till."), "done")
        return redirect(url_for("counter.page"))

    @blueprint.post("/tablets/<tablet_id>/revoke")
    @requires_role("staff")
    def revoke(tablet_id: str) -> Response:
        now = terminal.clock.now()
        with terminal.store.write() as writer:
            revoke_tablet(writer, tablet_id, at=now)
            audit(writer, at=now, who=signed_in().name, what="tablet-revoked", detail=tablet_id)
        terminal.nudges.nudge(tablet_id)
        flash(gettext("The tablet is not paired any more."), "done")
        return redirect(url_for("counter.page"))

    return blueprint


def seen_tablets(paired: Iterable[Paired], now: datetime) -> list[TabletSeen]:
    """The tablets as the counter lists them."""
    own = frozenset(lan_addresses())
    return [
        TabletSeen(paired=tablet, is_connected=_is_there(tablet, now), lost=_lost(tablet, own, now))
        for tablet in paired
    ]


def _is_there(tablet: Paired, now: datetime) -> bool:
    return tablet.seen_at is not None and abs((now - tablet.seen_at).total_seconds()) < _CONNECTED_S


def _lost(tablet: Paired, own: frozenset[str], now: datetime) -> str | None:
    """The address that it looks for this terminal at, where it must be looking in vain."""
    if tablet.reached is None or not own or _is_there(tablet, now) or tablet.reached in own:
        return None
    try:
        address = ipaddress.ip_address(tablet.reached)
    except ValueError:
        # A name moves with the machine.
        return None
    return None if address.is_loopback else tablet.reached


def _offer(terminal: Terminal, paired: Paired | None, *, is_open: bool) -> str:
    """The page with the codes that pair a new tablet, or `paired` again."""
    now = terminal.clock.now()
    with terminal.store.write() as writer:
        till = read_field("till", max_chars=TILL_MAX_CHARS) if paired is None else paired.till
        offer = offer_pairing(writer, at=now, till=till, tablet_id=None if paired is None else paired.id)
        audit(writer, at=now, who=signed_in().name, what="pairing-link")
    roots = reachable_roots(request.url_root, open_to_network=is_open)
    return render_template(
        "counter/link.html",
        paired=paired,
        till=till,
        addresses=[_address(f"{root}/kiosk/pair/{offer.secret}?check") for root in roots],
        page=f"{roots[0]}/kiosk",
        digits=offer.digits,
        minutes=LINK_VALID_S // 60,
        minutes_left=LINK_VALID_S // 60,
        since=int(now.timestamp() * 1000),
        is_open=is_open,
        is_closed_by_settings=bool(terminal.settings.host) and not is_open,
    )


def _address(text: str) -> Address:
    return Address(text=text, qr=Markup(qr_svg(text)))  # noqa: S704 -- made here


def _arrived(terminal: Terminal, since: str) -> str:
    """What has become of the codes that were shown at `since`, in milliseconds."""
    is_time = since.isascii() and since.isdigit() and len(since) <= _MS_CHARS
    now = terminal.clock.now()
    started = datetime.fromtimestamp(int(since) / 1000, UTC) if is_time else now
    with terminal.store.read() as reader:
        found = [tablet for tablet in list_tablets(reader) if tablet.paired_at >= started]
    left_s = LINK_VALID_S - (now - started).total_seconds()
    return render_template("counter/arrived.html", tablets=found, minutes_left=max(0, math.ceil(left_s / 60)))
