"""Words that come after their record: whoever withheld them at first may still hand them over."""

from __future__ import annotations

import functools
import operator
from collections.abc import Mapping, Sequence

import peewee

from merchant_agent.central.intake.verdicts import Accepted
from merchant_agent.central.store.models import Complaint, Disclosure, Rating, Record, Reply, Suggestion
from merchant_agent.central.store.projections import ProjectionRows
from merchant_agent.domain.projections import project
from merchant_agent.errors import StoreCorruptError
from merchant_agent.evidence.disclosure import check_disclosures, open_disclosure
from merchant_agent.store.fields import to_ms
from merchant_agent.store.store import Writer
from merchant_agent.store.table import Table

_WITH_WORDS = (Rating, Suggestion, Complaint, Reply)


def add_words(tx: Writer, merchant: str, repeated: Sequence[Accepted]) -> None:
    """Stores what is missing of the disclosures of records that central has, and projects them again."""
    rows = ProjectionRows()
    for item in repeated:
        place = {
            "merchant": merchant,
            "issuer": item.record.issuer,
            "epoch": item.record.epoch,
            "seq": item.record.seq,
        }
        fresh = [{**place, "name": open_disclosure(text).name, "octets": text} for text in item.disclosures]
        if not fresh or tx.execute(Disclosure.insert_many(fresh).on_conflict_ignore()) == 0:
            continue
        for table in _WITH_WORDS:
            tx.execute(table.delete().where(_is_at(table, place)))
        kept = tx.all(Disclosure.select(Disclosure.octets).where(_is_at(Disclosure, place)).tuples())
        received: Record | None = tx.first(Record.select().where(_is_at(Record, place)))
        if received is None:
            raise StoreCorruptError(f"a record of merchant {merchant} is gone")
        disclosed = check_disclosures(item.record, [text for (text,) in kept])
        rows.add(merchant, to_ms(received.received_at), project(item.record, disclosed))
    tx.copy_tables(rows.take())


def _is_at(table: type[Table], place: Mapping[str, object]) -> peewee.Expression:
    conditions: list[peewee.Expression] = [getattr(table, name) == value for name, value in place.items()]
    return functools.reduce(operator.and_, conditions)
