"""Where a terminal's records stand in the log, as the terminal asks.

Source: PROTOCOL.md, "Leaves".
"""

from __future__ import annotations

import re

from flask import Blueprint, Response, request

from merchant_agent.central.leaves import find_leaves
from merchant_agent.central.services import Central
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ
from merchant_agent.evidence.octets import encode_json

_EPOCH = re.compile(r"[1-9][0-9]{0,4}")
_AFTER = re.compile(r"-1|0|[1-9][0-9]{0,9}")


def leaves_api(central: Central) -> Blueprint:
    """`/api/v1/terminals/<issuer>/leaves?epoch=&after=`: the leaves of the terminal's own records."""
    api = Blueprint("leaves_api", __name__, url_prefix="/api/v1")

    @api.get("/terminals/<issuer>/leaves")
    def leaves(issuer: str) -> Response:
        epoch = _number("epoch", _EPOCH, MAX_EPOCH)
        after = _number("after", _AFTER, MAX_SEQ)
        found = find_leaves(central, issuer, request.headers.get("Authorization", ""), epoch, after)
        told = {"leaves": found.leaves, "next": found.next}
        return Response(encode_json(told), content_type="application/json")

    return api


def _number(name: str, form: re.Pattern[str], most: int) -> int:
    """A number in its one form, since the signature covers it."""
    text = request.args.get(name, "")
    if form.fullmatch(text) is None or int(text) > most:
        raise InvalidError(name, "an epoch from 1, or a seq, -1 for all")
    return int(text)
