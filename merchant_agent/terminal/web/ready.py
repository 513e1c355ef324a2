"""`/kiosk/ready`: after pairing, a checklist for whoever sets the tablet up, and a try whether it wakes.

The try goes the way of a sale, from the terminal to a long poll of the tablet, but makes no record.
"""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.errors import SignInError
from merchant_agent.terminal.collect.nudges import Nudges
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.wake import LONGEST_WAIT_S
from merchant_agent.terminal.devices import find_paired, note_tried
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.web.pairing import current_tablet
from merchant_agent.web.answering import json_answer


def ready(terminal: Terminal) -> Blueprint:
    """`/kiosk/ready` and what its script asks for."""
    blueprint = Blueprint("ready", __name__, url_prefix="/kiosk/ready")
    wakes = Nudges(terminal.bell)

    @blueprint.get("")
    def page() -> AnyResponse | str:
        tablet = current_tablet()
        with terminal.store.read() as reader:
            paired = None if tablet is None else find_paired(reader, tablet.id)
        if paired is None:
            return redirect("/kiosk")
        return render_template("kiosk/ready.html", paired=paired, levels=terminal.catalogue.levels)

    @blueprint.get("/wakes")
    def wait() -> AnyResponse:
        tablet = _tablet()
        after = request.args.get("after", "")
        count = _wait(terminal, wakes, tablet, after)
        return json_answer({"wakes": str(count)})

    @blueprint.post("/wakes")
    def wake() -> AnyResponse:
        wakes.nudge(_tablet().id)
        return json_answer({})

    @blueprint.post("/tried")
    def tried() -> AnyResponse:
        now, tablet = terminal.clock.now(), _tablet()
        with terminal.store.write() as writer:
            note_tried(writer, tablet.id, at=now)
        return json_answer({})

    return blueprint


def _wait(terminal: Terminal, wakes: Nudges, tablet: Tablet, after: str) -> int:
    """How often it was woken, as soon as that is another number than `after`, or after the longest wait."""
    ends = terminal.clock.mono() + LONGEST_WAIT_S
    while True:
        rings, count = terminal.bell.rings, wakes.count(tablet.id)
        left_s = ends - terminal.clock.mono()
        if str(count) != after or left_s <= 0 or not terminal.bell.wait(rings, left_s):
            return count


def _tablet() -> Tablet:
    tablet = current_tablet()
    if tablet is None:
        raise SignInError("tablet", "this tablet is not paired")
    return tablet
