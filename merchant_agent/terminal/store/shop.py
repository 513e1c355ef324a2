"""What central says of the shop: who it is, and what it promises its customers.

It comes with every grant and with every look into the inbox. Nobody signs it: pages, slips and
printed codes show it, and nothing that is signed rests on it.

Source: PROTOCOL.md, "The merchant".
"""

from __future__ import annotations

import msgspec

from merchant_agent.domain.merchants import Merchant
from merchant_agent.domain.promises import Promise
from merchant_agent.errors import FormatError, InvalidError
from merchant_agent.store.store import Writer
from merchant_agent.terminal.store.models import Epoch


class Shop(msgspec.Struct, frozen=True, kw_only=True):
    """The shop as it is registered; each text as `Merchant` checks it. `id` is central's id of the merchant."""

    id: str
    name: str
    shop_name: str
    credit_code: str
    address: str
    trade: str
    phone: str
    promises: tuple[Promise, ...]


def read_shop(told: object) -> Shop:
    """The shop that a decoded JSON object states; members of later versions are passed over.

    Raises:
        FormatError: one is missing, or is not acceptable at central either.
    """
    try:
        shop = msgspec.convert(told, Shop)
        _check(shop)
    except msgspec.ValidationError as error:
        raise FormatError(f"merchant: {error}") from error
    except InvalidError as error:
        raise FormatError(f"merchant: {error.code}: {error.detail}") from error
    return shop


def save_shop(writer: Writer, epoch: int, shop: Shop) -> None:
    """Puts another shop's details into the epoch's row."""
    writer.execute(Epoch.update(merchant=msgspec.to_builtins(shop)).where(Epoch.epoch == epoch))


def _check(shop: Shop) -> None:
    """What central would not register is shown by no page here."""
    Merchant(
        name=shop.name,
        shop_name=shop.shop_name,
        credit_code=shop.credit_code,
        address=shop.address,
        trade=shop.trade,
        phone=shop.phone,
        promises=shop.promises,
    )
