"""A shop that went on under new keys, while records of its first epoch were still on their way."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec

from merchant_agent.evidence.bodies import Kind, OutageBody, RecoverBody, RotateBody
from merchant_agent.evidence.exchange import Answer, Newest, Outcome, sign_batch
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.record import Totals
from tests.evidence.synthetic import START_TEXT, Shop, grant_of


@dataclass(frozen=True)
class Past:
    """An epoch that is over: its head as the shop has it, what central knows, and its nonce."""

    epoch: int
    head: Head
    known: int
    nonce: str


class RotatedShop(Shop):
    """Hands over the records of its earlier epochs under its present key."""

    def go_on(self, *, closes: Head | None = None, totals: Totals | None = None) -> Past:
        """Central closes the epoch, at its own head where none is given, and grants the next one."""
        past = Past(self.chain.epoch, self.chain.head, self.uploaded, self.nonce)
        assert self.chain.totals is not None
        self.open_epoch(
            msgspec.structs.replace(
                grant_of(self.name, epoch=past.epoch + 1),
                totals=self.chain.totals if totals is None else totals,
                closes=past.head if closes is None else closes,
            )
        )
        return past

    def hand_over(
        self,
        past: Past,
        outcome: Outcome = "accepted",
        *,
        answers: tuple[Answer, ...] = (),
        signer: int | None = None,
        nonce: str | None = None,
    ) -> None:
        """All of the past epoch that central lacks, in one batch under the present key."""
        batch = msgspec.structs.replace(
            self.batch(0, 0),
            epoch=past.epoch,
            from_=past.known + 1,
            to=past.head.seq,
            newest=Newest(seq=past.head.seq, link=past.head.link),
            nonce=past.nonce if nonce is None else nonce,
        )
        self.batches.append(sign_batch(self.key, batch, self.chain.epoch if signer is None else signer))
        present = self.nonce
        self.answer(batch, outcome, past.head if outcome == "accepted" else self._known(past), answers)
        self.nonce = present

    def _known(self, past: Past) -> Head:
        """Central's head; only the first epoch's records stand at their seq."""
        return Head(epoch=past.epoch, seq=past.known, link=link_of(self.records[past.known]))


def rotated_shop() -> RotatedShop:
    """Three epochs: a restored one whose tail came late, stubbed in part, and a planned change of keys."""
    shop = RotatedShop()
    shop.rate(4, "好", prompt=shop.sale())
    shop.upload()
    closes, totals = shop.chain.head, shop.chain.totals
    shop.lapse(shop.sale())
    past = shop.go_on(closes=closes, totals=totals)
    shop.append(Kind.OUTAGE, OutageBody(reason="restored", since=START_TEXT, kept=0))
    shop.append(Kind.RECOVER, RecoverBody(reason="restored"))
    shop.upload()
    shop.hand_over(past, answers=(Answer(seq=3, answer="stub", rule=None),))
    shop.rate(5, "很好", prompt=shop.sale())
    shop.append(Kind.ROTATE, RotateBody(reason="planned"))
    shop.upload()
    shop.go_on()
    shop.sale()
    shop.upload()
    return shop
