"""What the authority's messages are called on the manager's page, and what each means for the shop."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import lazy_gettext

from merchant_agent.terminal.web.words import Saying

_MESSAGES: Mapping[str, Saying] = {
    "broken_promise": Saying(
        title=lazy_gettext("A promise to a customer was not kept in time"),
        advice=lazy_gettext(
            "The customer opened a signed slip, and its record had not reached the authority by the deadline."
        ),
    ),
    "late": Saying(
        title=lazy_gettext("A record came late"),
        advice=lazy_gettext("The customer's record reached the authority after its deadline."),
    ),
    "conflict": Saying(
        title=lazy_gettext("Two signatures of this terminal contradict each other"),
        advice=lazy_gettext(
            "The customer's slip promises one record, and another one came for the same place. Both are kept."
        ),
    ),
    "disputed": Saying(
        title=lazy_gettext("A customer did not give an answer that stands in their name"),
        advice=lazy_gettext("The station called back, and the customer said so. The answer does not count."),
    ),
    "customer": Saying(
        title=lazy_gettext("A customer says that an answer was not theirs"),
        advice=lazy_gettext("The station looks into it. There is nothing to do for you yet."),
    ),
    "split_view": Saying(
        title=lazy_gettext("This terminal saw another log than the authority's"),
        advice=lazy_gettext("Both are kept as evidence, and the authority looks into it."),
    ),
    "silent": Saying(
        title=lazy_gettext("The authority heard nothing from this terminal in opening hours"),
        advice=lazy_gettext("Was it off, or without a network? Say why it was silent."),
    ),
}
_UNKNOWN = Saying(
    title=lazy_gettext("The authority has found something"),
    advice=lazy_gettext("Ask the authority what it is about."),
)


def message_saying(code: str) -> Saying:
    """The words for a message; general ones for a code that has none."""
    return _MESSAGES.get(code, _UNKNOWN)
