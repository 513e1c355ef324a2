"""The shop's explanation of what became of a slip's promise: for its holder at once, for others once it is public."""

from __future__ import annotations

from merchant_agent.central.findings import Explanation, findings_of_leaf
from merchant_agent.central.services import Central
from merchant_agent.central.slips import OpenedSlip
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.store.store import Reader


def find_explanation(
    central: Central, reader: Reader, opened: OpenedSlip, *, is_holder: bool
) -> Explanation | None:
    """The first one; None where there is none, or none that this reader may know yet."""
    now, leaf = central.clock.now(), encode_b64u(opened.slip.leaf)
    found = findings_of_leaf(central, reader, opened.row.merchant, leaf)
    told = [one.explanation for one in found if one.explanation and (is_holder or one.public_at <= now)]
    return min(told, key=lambda explanation: explanation.at, default=None)
