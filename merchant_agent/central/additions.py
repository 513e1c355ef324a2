"""What customers added to complaints, for those who read many of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Addition, Complaint

_Told = tuple[str, int, int]


def additions_to(central: Central, rows: Sequence[Complaint]) -> Mapping[_Told, Sequence[Addition]]:
    """By issuer, epoch and seq of each complaint that has any, oldest first."""
    wanted = {(row.merchant, row.issuer, row.epoch, row.seq) for row in rows}
    near = Addition.merchant.in_(list({key[0] for key in wanted})) & Addition.to_seq.in_(
        list({key[3] for key in wanted})
    )
    found: dict[_Told, list[Addition]] = {}
    with central.store.read() as reader:
        for each in reader.all(Addition.select().where(near).order_by(Addition.seq)):
            told = (each.to_issuer, each.to_epoch, each.to_seq)
            if (each.merchant, *told) in wanted:
                found.setdefault(told, []).append(each)
    return found
