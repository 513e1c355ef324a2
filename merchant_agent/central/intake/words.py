"""The erasable members that came with a record: those that match are kept, whatever the others are.

A record stands by its own signature. Words that do not match it must not take it along: whoever
wants a rating gone would only have to send it with a rotten comment.
"""

from __future__ import annotations

from collections.abc import Sequence

from merchant_agent.errors import VerificationError
from merchant_agent.evidence.disclosure import check_disclosures
from merchant_agent.evidence.record import Record


def matching_disclosures(
    record: Record, disclosures: Sequence[str]
) -> tuple[Sequence[str], VerificationError | None]:
    """The disclosures that are the record's, in their order, and what was wrong with the first other one."""
    try:
        check_disclosures(record, disclosures)
    except VerificationError as error:
        first = error
    else:
        return disclosures, None
    matching: list[str] = []
    for text in disclosures:
        try:
            check_disclosures(record, [*matching, text])
        except VerificationError:
            continue
        matching.append(text)
    return matching, first
