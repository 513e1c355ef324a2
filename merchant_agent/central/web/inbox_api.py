"""What terminals ask for about their own shop.

Source: PROTOCOL.md, "Inbox".
"""

from __future__ import annotations

from flask import Blueprint, Response, request

from merchant_agent.central.inbox import read_inbox
from merchant_agent.central.services import Central
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.octets import encode_json

_MAX_DIGITS = 10


def inbox_api(central: Central) -> Blueprint:
    """`/api/v1/terminals/<issuer>/inbox?after=`: records of central's own chain for the terminal's shop."""
    api = Blueprint("inbox_api", __name__, url_prefix="/api/v1")

    @api.get("/terminals/<issuer>/inbox")
    def inbox(issuer: str) -> Response:
        found = read_inbox(central, issuer, request.headers.get("Authorization", ""), _after())
        told = {
            "merchant": found.merchant,
            "grant": None if found.grant is None else found.grant.decode("ascii"),
            "records": [entry.decode("ascii") for entry in found.entries],
            "next": found.next,
            "last": found.last,
        }
        return Response(encode_json(told), content_type="application/json")

    return api


def _after() -> int:
    text = request.args.get("after", "-1")
    digits = text.removeprefix("-")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= _MAX_DIGITS):
        raise InvalidError("after", "a seq is expected, -1 for all")
    return max(int(text), -1)
