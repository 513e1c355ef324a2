"""Looking into central's tables, for tests."""

from __future__ import annotations

from typing import Any

import peewee

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import ChainHead, Record
from merchant_agent.store.table import Table


def rows(central: Central, table: type[Table]) -> list[Any]:
    """Every row of a table, by its key."""
    keys = table._meta.get_primary_keys()
    with central.store.read() as reader:
        return reader.all(table.select().order_by(*keys))


def count(central: Central, table: type[Table]) -> int:
    with central.store.read() as reader:
        return int(reader.scalar(table.select(peewee.fn.COUNT(peewee.SQL("*")))) or 0)


def head_of(central: Central, issuer: str, epoch: int = 1) -> ChainHead:
    here = (ChainHead.issuer == issuer) & (ChainHead.epoch == epoch)
    with central.store.read() as reader:
        found: ChainHead | None = reader.first(ChainHead.select().where(here))
    assert found is not None
    return found


def stored(central: Central, issuer: str) -> dict[int, bytes]:
    """The octets of every accepted record of an issuer, by seq."""
    with central.store.read() as reader:
        return {
            row.seq: bytes(row.octets) for row in reader.all(Record.select().where(Record.issuer == issuer))
        }


def execute(central: Central, query: peewee.Query) -> int:
    with central.store.write() as tx:
        return tx.execute(query)
