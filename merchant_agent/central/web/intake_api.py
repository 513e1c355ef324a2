"""What terminals call: enrolment and uploads.

Refusals that no signature of ours can answer are problems in JSON; a terminal takes them for
a broken network and tries again.
Source: PROTOCOL.md, "Enrolment" and "Upload"; RFC 9530 for `Content-Digest`.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import zlib

import msgspec
from flask import Blueprint, Response, request
from werkzeug.exceptions import UnsupportedMediaType

from merchant_agent.central.intake.acceptance import accept_upload
from merchant_agent.central.intake.enrolment import enrol
from merchant_agent.central.services import Central
from merchant_agent.central.web.epochs_api import answer_enrolment
from merchant_agent.errors import FormatError, TooLargeError
from merchant_agent.evidence.exchange import Outcome
from merchant_agent.evidence.octets import encode_json
from merchant_agent.web.reading import read_body, read_json

_STATUS: dict[Outcome, int] = {
    "accepted": 200,
    "resend": 409,
    "behind": 409,
    "refused": 422,
    "frozen": 423,
    "revoked": 423,
}
_SHA_256 = re.compile(r"\s*sha-256\s*=\s*:([A-Za-z0-9+/=]{44}):\s*")
_GZIP = 16 + zlib.MAX_WBITS


class _Enrolment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The body of an enrolment."""

    code: str
    key: str
    signature: str
    continues: str | None = None


def intake_api(central: Central) -> Blueprint:
    """`/api/v1/enrolments` and `/api/v1/terminals/<issuer>/records`."""
    api = Blueprint("intake_api", __name__, url_prefix="/api/v1")

    @api.post("/enrolments")
    def enrolments() -> Response:
        asked = read_json(_Enrolment)
        answer = enrol(
            central,
            code=asked.code,
            key=asked.key,
            signature=asked.signature,
            remote=request.remote_addr or "",
            continues=asked.continues,
        )
        return answer_enrolment(central, answer)

    @api.post("/terminals/<issuer>/records")
    def records(issuer: str) -> Response:
        packed = read_body(max_bytes=central.settings.max_upload_bytes)
        check_digest(request.headers.get("Content-Digest", ""), packed)
        body = _unpacked(packed, max_bytes=central.settings.max_inflated_bytes)
        answered = accept_upload(central, issuer, body)
        note = answered.checkpoint
        told = {"ack": answered.ack.decode("ascii"), "checkpoint": None if note is None else note.decode()}
        return _json(told, _STATUS[answered.outcome])

    return api


def check_digest(header: str, body: bytes) -> None:
    """Returns when the header states the SHA-256 of these octets; other digests in it are passed over.

    Raises:
        FormatError: it states none, or another one.
    """
    stated = [match[1] for match in map(_SHA_256.fullmatch, header.split(",")) if match]
    if len(stated) != 1:
        raise FormatError("Content-Digest: one sha-256 is expected")
    try:
        digest = base64.b64decode(stated[0], validate=True)
    except binascii.Error as error:
        raise FormatError("Content-Digest: no base64") from error
    if digest != hashlib.sha256(body).digest():
        raise FormatError("Content-Digest: the body was changed on the way")


def inflate(packed: bytes, *, max_bytes: int) -> bytes:
    """What one gzip member holds; no more than `max_bytes` are ever unpacked.

    Raises:
        FormatError: no gzip, cut short, or something after it.
        TooLargeError: more than `max_bytes`.
    """
    unpacking = zlib.decompressobj(_GZIP)
    try:
        body = unpacking.decompress(packed, max_bytes + 1)
    except zlib.error as error:
        raise FormatError(f"gzip: {error}") from error
    if len(body) > max_bytes:
        raise TooLargeError("too-large", f"at most {max_bytes} bytes are taken, after decompression")
    if not unpacking.eof or unpacking.unused_data:
        raise FormatError("gzip: cut short, or followed by something else")
    return body


def _unpacked(packed: bytes, *, max_bytes: int) -> bytes:
    if request.mimetype != "application/x-ndjson":
        raise UnsupportedMediaType("lines are expected: Content-Type: application/x-ndjson")
    if request.headers.get("Content-Encoding") != "gzip":
        raise UnsupportedMediaType("Content-Encoding: gzip is expected")
    return inflate(packed, max_bytes=max_bytes)


def _json(value: object, status: int) -> Response:
    return Response(encode_json(value), status=status, content_type="application/json")
