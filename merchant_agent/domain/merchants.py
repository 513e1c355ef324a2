"""A merchant as the authority registers it, and the check of its credit code.

统一社会信用代码: 18 characters of a 31-letter alphabet without I, O, S, V and Z; the last
one checks the others.

Source: GB 32100-2015, section 4 and appendix A.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from merchant_agent.domain.promises import Promise, require_once
from merchant_agent.domain.text import check_line
from merchant_agent.errors import InvalidError

NAME_MAX_CHARS = 120
ADDRESS_MAX_CHARS = 200
PHONE_MAX_CHARS = 32

_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_CREDIT_CODE = re.compile(f"[{_ALPHABET}]{{2}}[0-9]{{6}}[{_ALPHABET}]{{10}}")
_TRADE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_PHONE = re.compile(r"([0-9+(][0-9 ()+-]*)?")


class Programme(StrEnum):
    """The merchant's place in the 放心消费 programme."""

    NONE = "none"
    SITE = "site"
    MODEL = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class Merchant:
    """What identifies a shop on every page; checked, without blanks around any field.

    `name` is the registered one, `shop_name` the sign over the door (the registered
    one where it was left empty); `trade` is a code of the catalogue; `phone` may be empty.
    `promises` are what the shop promises its customers, each kind once.

    Raises:
        InvalidError: "name", "shop-name", "credit-code", "address", "trade", "phone" or "promise".
    """

    name: str
    shop_name: str = ""
    credit_code: str
    address: str
    trade: str
    phone: str = ""
    programme: Programme = Programme.NONE
    promises: tuple[Promise, ...] = ()

    def __post_init__(self) -> None:
        name = check_line(self.name, code="name", min_chars=1, max_chars=NAME_MAX_CHARS)
        shop_name = check_line(self.shop_name, code="shop-name", max_chars=NAME_MAX_CHARS)
        address = check_line(self.address, code="address", min_chars=1, max_chars=ADDRESS_MAX_CHARS)
        phone = check_line(self.phone, code="phone", max_chars=PHONE_MAX_CHARS)
        if not _PHONE.fullmatch(phone):
            raise InvalidError("phone", "digits, blanks and hyphens are expected")
        if not _TRADE.fullmatch(self.trade):
            raise InvalidError("trade", "a trade's code is expected")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "shop_name", shop_name or name)
        object.__setattr__(self, "credit_code", parse_credit_code(self.credit_code))
        object.__setattr__(self, "address", address)
        object.__setattr__(self, "phone", phone)
        object.__setattr__(self, "promises", require_once(self.promises))


def parse_credit_code(text: str) -> str:
    """The credit code in capitals and without blanks.

    Raises:
        InvalidError: "credit-code", when a character is wrong or the check does not fit.
    """
    code = re.sub(r"\s", "", text).upper()
    if not _CREDIT_CODE.fullmatch(code):
        raise InvalidError("credit-code", "18 characters of the credit code's alphabet are expected")
    if code[-1] != check_character(code[:-1]):
        raise InvalidError("credit-code", "the check character does not fit")
    return code


def check_character(body: str) -> str:
    """The 18th character for the first 17: their weighted sum and it are 0 modulo 31."""
    total = sum(_ALPHABET.index(char) * pow(3, place, 31) for place, char in enumerate(body))
    return _ALPHABET[-total % 31]
