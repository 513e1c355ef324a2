"""The program that checks an export by itself, for whoever wants to read it before they run it."""

from __future__ import annotations

from flask import Blueprint, Response

from merchant_agent.central.services import Central
from merchant_agent.evidence.archive import VERIFIER, read_verifier

_AN_HOUR = "public, max-age=3600"


def verifier_file(_central: Central) -> Blueprint:
    """`/verify.py`: the same file as in every export."""
    pages = Blueprint("verifier_file", __name__)
    octets = read_verifier()

    @pages.get(f"/{VERIFIER}")
    def verifier() -> Response:
        answer = Response(octets, content_type="text/x-python; charset=utf-8")
        answer.headers["Cache-Control"] = _AN_HOUR
        return answer

    return pages
