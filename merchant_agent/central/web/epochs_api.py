"""What terminals call to go on under another key, and to find their own past again.

Source: PROTOCOL.md, "Asking for an epoch" and "Central's head".
"""

from __future__ import annotations

import re

import msgspec
from flask import Blueprint, Response, request

from merchant_agent.central.intake.enrolment import Enrolled, Waiting
from merchant_agent.central.intake.epochs import ask_epoch
from merchant_agent.central.intake.heads import read_head, read_records
from merchant_agent.central.services import Central
from merchant_agent.errors import InvalidError
from merchant_agent.evidence.octets import encode_json
from merchant_agent.web.reading import read_json

_EPOCH = re.compile(r"[1-9][0-9]{0,4}", re.ASCII)
_AFTER = re.compile(r"-1|0|[1-9][0-9]{0,9}", re.ASCII)


class _Asked(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of a request for another epoch."""

    request: str
    possession: str


def epochs_api(central: Central) -> Blueprint:
    """`/api/v1/terminals/<issuer>/epochs`, `/head` and, to read, `/records`."""
    api = Blueprint("epochs_api", __name__, url_prefix="/api/v1/terminals/<issuer>")

    @api.post("/epochs")
    def epochs(issuer: str) -> Response:
        asked = read_json(_Asked)
        return answer_enrolment(central, ask_epoch(central, issuer, asked.request, asked.possession))

    @api.get("/head")
    def head(issuer: str) -> Response:
        octets = read_head(central, issuer, _authorization(), request.args.get("nonce", ""))
        return _json({"head": octets.decode("ascii")})

    @api.get("/records")
    def records(issuer: str) -> Response:
        epoch, after = _number("epoch", _EPOCH, ""), _number("after", _AFTER, "-1")
        taken = read_records(central, issuer, _authorization(), epoch, after)
        # A line that was set aside may hold any octets.
        lines = [line.decode("latin-1") for line in taken.lines]
        return _json({"records": lines, "next": taken.next})

    return api


def answer_enrolment(central: Central, answer: Enrolled | Waiting) -> Response:
    """The grant with what its terminal needs to know, or that it must wait."""
    if isinstance(answer, Waiting):
        return _json({"state": "waiting"}, 202)
    told = {
        "grant": answer.grant.decode("ascii"),
        "merchant": answer.merchant,
        "trust": central.identity.trust(),
        "central_url": central.public_url,
    }
    return _json(told, 201 if answer.created else 200)


def _authorization() -> str:
    return request.headers.get("Authorization", "")


def _number(name: str, form: re.Pattern[str], missing: str) -> int:
    text = request.args.get(name, missing)
    if form.fullmatch(text) is None:
        raise InvalidError(name, "a number is expected")
    return int(text)


def _json(value: object, status: int = 200) -> Response:
    return Response(encode_json(value), status=status, content_type="application/json")
