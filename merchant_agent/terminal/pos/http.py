"""A sale as a till reports it over HTTP: the messages both ways, and what they mean.

Strict: an unknown member, a number where a decimal string belongs, or a time without its
offset is refused, for a till's author to see while the till is being connected.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from merchant_agent.clock import format_at
from merchant_agent.domain.sales import Sale, SaleKind, SaleSource, parse_amount, parse_time
from merchant_agent.errors import ForbiddenError
from merchant_agent.terminal.collect.lookup import PromptState
from merchant_agent.terminal.collect.prompts import SaleTaken

MOST_IN_BATCH = 100


class SaleMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /pos/v1/sales`; `amount` is a decimal string, `at` RFC 3339."""

    order: str
    till: str
    kind: SaleKind = SaleKind.COUNTER
    amount: str | None = None
    currency: str = "CNY"
    at: str | None = None

    def sale(self, source: SaleSource) -> Sale:
        """The sale that it tells of.

        Raises:
            InvalidError: "order", "till", "amount", "currency" or "at".
        """
        return Sale(
            order=self.order,
            till=self.till,
            kind=self.kind,
            amount=None if self.amount is None else parse_amount(self.amount),
            currency=self.currency,
            at=None if self.at is None else parse_time(self.at),
            source=source,
        )


class BatchMessage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of `POST /pos/v1/sales/batch`; each of the sales is read and answered for itself."""

    sales: Annotated[list[msgspec.Raw], Meta(min_length=1, max_length=MOST_IN_BATCH)]


class PromptTold(msgspec.Struct, frozen=True, kw_only=True):
    """A prompt; `seq` is null while it is kept unsigned."""

    id: str
    seq: int | None
    state: PromptState


class InvitationTold(msgspec.Struct, frozen=True, kw_only=True):
    """What a POS prints as a QR code on its own receipt."""

    url: str
    expires_at: str


class SaleAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Both are null for a refund and in a dry run; the invitation also while nothing can be signed."""

    prompt: PromptTold | None
    invitation: InvitationTold | None


class ProblemTold(msgspec.Struct, frozen=True, kw_only=True):
    """RFC 9457, with the error's code."""

    type: str
    title: str
    status: int
    code: str
    detail: str


class BatchResult(msgspec.Struct, frozen=True, kw_only=True):
    """What one sale of a batch would have been answered; `code` and `detail` are of a problem."""

    status: int
    prompt: PromptTold | None = None
    invitation: InvitationTold | None = None
    code: str = ""
    detail: str = ""


class BatchAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The results in the order of the sales."""

    results: list[BatchResult]


NOBODY_ASKED = SaleAnswer(prompt=None, invitation=None)


def read_sale(message: SaleMessage, token_till: str) -> Sale:
    """The sale that a till reports with a token of `token_till`, which is empty for any till's.

    Raises:
        InvalidError: as `SaleMessage.sale`.
        ForbiddenError: "till", when the token is another till's.
    """
    sale = message.sale(SaleSource.HTTP)
    if token_till not in {"", sale.till}:
        raise ForbiddenError("till", "the token is another till's")
    return sale


def tell_sale(taken: SaleTaken) -> SaleAnswer:
    """What a till is told of a sale."""
    prompt = PromptTold(
        id=taken.prompt_id, seq=None if taken.place is None else taken.place.seq, state=taken.state
    )
    if not taken.invitation_url:
        return SaleAnswer(prompt=prompt, invitation=None)
    expires_at = format_at(taken.invitation_expires_at)
    return SaleAnswer(
        prompt=prompt, invitation=InvitationTold(url=taken.invitation_url, expires_at=expires_at)
    )
