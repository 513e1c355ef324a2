"""Whose an issuer's epoch is, and its key: facts that never change, so each is looked up once."""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.central.store.models import Issuer
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.keys import VerifyingKey
from merchant_agent.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """An issuer's epoch as it was granted; checking that a key is strong takes longer than a signature."""

    merchant: str
    issuer: str
    epoch: int
    key: VerifyingKey


class Issuers:
    """The granted epochs that were asked for, for all threads of this process."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, int], Granted] = {}

    def find(self, store: Store, issuer: str, epoch: int) -> Granted:
        """What was granted to that issuer for that epoch.

        Raises:
            NotFoundError: "issuer", when nothing was.
        """
        known = self._known.get((issuer, epoch))
        if known is not None:
            return known
        query = Issuer.select().where((Issuer.issuer == issuer) & (Issuer.epoch == epoch))
        with store.read() as reader:
            row: Issuer | None = reader.first(query)
        if row is None:
            raise NotFoundError("issuer", f"there is no grant for {issuer}.{epoch}")
        granted = Granted(merchant=row.merchant, issuer=issuer, epoch=epoch, key=VerifyingKey(bytes(row.key)))
        self._known[issuer, epoch] = granted
        return granted
