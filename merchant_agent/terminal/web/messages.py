"""The manager's page of what the authority says about the shop, and the form to explain it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from merchant_agent.domain.findings import MAX_EXPLANATION_CHARS
from merchant_agent.errors import ConflictError, InvalidError, OnHoldError
from merchant_agent.terminal.messages import explain, list_messages
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.web.message_words import message_saying
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

# A line break counts as two characters on its way.
_MOST_SENT = 2 * MAX_EXPLANATION_CHARS
_ENTRY = "explanation"


def messages(terminal: Terminal) -> Blueprint:
    """`/manager/messages` and what its forms do."""
    blueprint = Blueprint("messages", __name__)

    @blueprint.get("/manager/messages")
    @requires_role("manager")
    def page() -> str:
        with terminal.store.read() as reader:
            listed = list_messages(terminal, reader)
        return render_template(
            "manager/messages.html",
            messages=[(message, message_saying(message.code)) for message in listed],
            most=MAX_EXPLANATION_CHARS,
            now=terminal.clock.now(),
            entry=session.pop(_ENTRY, {}),
        )

    @blueprint.post("/manager/messages/<int:seq>/explanation")
    @requires_role("manager")
    def explanation(seq: int) -> Response:
        text = read_field("text", max_chars=_MOST_SENT)
        try:
            explain(terminal, seq, text, who=signed_in().name)
        except InvalidError:
            flash(
                gettext("An explanation has 1 to %(most)s characters.", most=MAX_EXPLANATION_CHARS), "error"
            )
            session[_ENTRY] = {"seq": seq, "text": text}
        except ConflictError:
            flash(gettext("It was explained before; nothing was changed."), "error")
        except OnHoldError:
            flash(gettext("Nothing can be signed at the moment. Please try again later."), "error")
            session[_ENTRY] = {"seq": seq, "text": text}
        else:
            flash(gettext("Your explanation is signed and on its way to the authority."), "done")
        return redirect(url_for("messages.page"), code=303)

    return blueprint
