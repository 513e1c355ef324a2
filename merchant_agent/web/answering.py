"""Answers to programs."""

from __future__ import annotations

from http import HTTPStatus

import msgspec
from flask import Response


def json_answer(body: dict[str, object], status: HTTPStatus = HTTPStatus.OK) -> Response:
    """The body as JSON."""
    return Response(msgspec.json.encode(body), status=status, content_type="application/json")
