"""The telephone number that a customer may leave with a complaint."""

from __future__ import annotations

import re

from merchant_agent.domain.text import half_width
from merchant_agent.errors import InvalidError

CONTACT_MAX_CHARS = 24

_BETWEEN_DIGITS = re.compile(r"[ ()-]")
_TELEPHONE = re.compile(r"\+?[0-9]{7,15}", re.ASCII)


def check_contact(text: str) -> str:
    """A telephone number without what people write between its digits; empty where none was given.

    Raises:
        InvalidError: "contact"; its words never hold what was typed.
    """
    number = _BETWEEN_DIGITS.sub("", half_width(text))
    if number and (len(text) > CONTACT_MAX_CHARS or _TELEPHONE.fullmatch(number) is None):
        raise InvalidError("contact", "a telephone number of 7 to 15 digits is expected")
    return number
