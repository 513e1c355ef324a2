"""Reading requests: JSON bodies by a message type, form fields by their limits."""

from __future__ import annotations

from typing import TypeVar

import msgspec
from flask import request
from werkzeug.exceptions import RequestEntityTooLarge, UnsupportedMediaType

from merchant_agent.domain.text import check_line
from merchant_agent.errors import FormatError, InvalidError, TooLargeError

MAX_JSON_BYTES = 65_536

T = TypeVar("T")


def read_json(type_: type[T], *, max_bytes: int = MAX_JSON_BYTES) -> T:
    """The request's body as a value of `type_`.

    Raises:
        UnsupportedMediaType: it is not sent as JSON.
        TooLargeError: more than `max_bytes`.
        FormatError: no JSON.
        InvalidError: "request", with the member at fault.
    """
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("JSON is expected: Content-Type: application/json")
    octets = read_body(max_bytes=max_bytes)
    try:
        return msgspec.json.decode(octets, type=type_)
    except msgspec.ValidationError as error:
        raise InvalidError("request", str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise FormatError(f"no JSON: {error}") from error


def read_body(*, max_bytes: int) -> bytes:
    """The request's body as it was sent.

    Raises:
        TooLargeError: more than `max_bytes`.
    """
    request.max_content_length = max_bytes
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge as error:
        raise TooLargeError("too-large", f"at most {max_bytes} bytes are taken") from error


def read_field(name: str, *, max_chars: int, min_chars: int = 0) -> str:
    """A form field on one line, without blanks around it; empty when it is absent.

    Raises:
        InvalidError: with the field's name as code.
    """
    return check_line(request.form.get(name, ""), code=name, max_chars=max_chars, min_chars=min_chars)


def read_page_number() -> int:
    """The page of a list that `?page=` asks for, from 1 on; 1 for anything else."""
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isascii() and text.isdigit() and len(text) <= 6 else 1  # noqa: PLR2004 -- digits
