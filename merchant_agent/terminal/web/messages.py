"""The manager's page of what the authority says about the shop, and the form to explain it."""

from __future__ import annotations

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.domain.findings import MAX_EXPLANATION_CHARS
from merchant_agent.errors import ConflictError, InvalidError, OnHoldError
from merchant_agent.terminal.messages import explain, list_messages
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.web.message_words import message_saying
from merchant_agent.web.problems import status_of
from merchant_agent.web.sign_in import requires_role, signed_in


def messages(terminal: Terminal) -> Blueprint:
    """`/manager/messages` and what its forms do."""
    blueprint = Blueprint("messages", __name__)

    @blueprint.get("/manager/messages")
    @requires_role("manager")
    def page() -> str:
        return _page(terminal)

    @blueprint.get("/manager/messages/<int:seq>/explanation")
    @requires_role("manager")
    def refused(seq: int) -> AnyResponse:
        # Where a language is chosen on the page that shows what is wrong.
        return redirect(url_for("messages.page", _anchor=f"m{seq}"))

    @blueprint.post("/manager/messages/<int:seq>/explanation")
    @requires_role("manager")
    def explanation(seq: int) -> AnyResponse | tuple[str, int]:
        text = request.form.get("text", "")
        try:
            explain(terminal, seq, text, who=signed_in().name)
        except InvalidError as error:
            words = gettext("An explanation has 1 to %(most)s characters.", most=MAX_EXPLANATION_CHARS)
            return _page(terminal, seq=seq, text=text, wrong=words), status_of(error)
        except OnHoldError as error:
            words = gettext("Nothing can be signed at the moment. Please try again later.")
            return _page(terminal, seq=seq, text=text, wrong=words), status_of(error)
        except ConflictError:
            flash(gettext("It was explained before; nothing was changed."), "error")
        else:
            flash(gettext("Your explanation is signed and on its way to the authority."), "done")
        return redirect(url_for("messages.page"), code=303)

    return blueprint


def _page(terminal: Terminal, *, seq: int = -1, text: str = "", wrong: str = "") -> str:
    """With what was typed for the finding at `seq` and why it was not signed."""
    with terminal.store.read() as reader:
        listed = list_messages(terminal, reader)
    return render_template(
        "manager/messages.html",
        messages=[(message, message_saying(message.code)) for message in listed],
        most=MAX_EXPLANATION_CHARS,
        now=terminal.clock.now(),
        typed_for=seq,
        typed=text,
        wrong=wrong,
    )
