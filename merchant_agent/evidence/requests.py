r"""A terminal's requests that carry no batch, signed: an `Authorization` header over one line of detail.

    Authorization: Merchant-Agent <epoch>.<base64url of 64 bytes>
    signed: "merchant-agent/<purpose>/v1\n" | <issuer>.<epoch> "\n" | nonce "\n" | detail

The nonce is the one that central expects in that epoch's next batch, which a terminal knows from
its last acknowledgement, or its grant: a till with a dead clock gets in. For `head` alone it is the
asker's own, who may have lost central's; central's signed answer repeats it.

Source: PROTOCOL.md, "Signed requests".
"""

from __future__ import annotations

import re
from typing import Literal

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.fields import MAX_EPOCH, parse_kid
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u

Purpose = Literal["inbox", "records", "leaves", "head"]

MAX_DETAIL = 200
_SIGNATURE_BYTES = 64
_HEADER = re.compile(r"Merchant-Agent ([1-9][0-9]{0,4})\.([A-Za-z0-9_-]{86})")
_NONCE = re.compile(r"[A-Za-z0-9_-]{21}[AQgw]")
_DETAIL = re.compile(rf"[!-~]{{0,{MAX_DETAIL}}}")


def sign_request(  # noqa: PLR0913, PLR0917 -- what a request is signed over
    key: SigningKey, purpose: Purpose, issuer: str, epoch: int, nonce: str, detail: str
) -> str:
    """The `Authorization` header of a request for `purpose`, signed by the epoch's key.

    `detail` is what is asked for, as PROTOCOL.md has it for each purpose: at most 200 characters
    of printable ASCII without spaces.

    Raises:
        FormatError: issuer, epoch, nonce or detail are none.
    """
    signature = key.sign(_message(purpose, issuer, epoch, nonce, detail))
    return f"Merchant-Agent {epoch}.{encode_b64u(signature)}"


def epoch_of(header: str) -> int:
    """The epoch whose key the header says to be signed with.

    Raises:
        FormatError: it is no such header.
    """
    return _parse(header)[0]


def verify_request(  # noqa: PLR0913, PLR0917 -- as `sign_request`
    header: str, key: VerifyingKey, purpose: Purpose, issuer: str, nonce: str, detail: str
) -> None:
    """Returns when the header is signed by this key over exactly this request.

    Raises:
        VerificationError: V1 where header or request are of another form; V3.
    """
    try:
        epoch, signature = _parse(header)
        message = _message(purpose, issuer, epoch, nonce, detail)
    except FormatError as error:
        raise VerificationError("V1", str(error)) from error
    key.verify(signature, message)


def _parse(header: str) -> tuple[int, bytes]:
    match = _HEADER.fullmatch(header)
    if match is None or int(match[1]) > MAX_EPOCH:
        raise FormatError("request: not signed")
    return int(match[1]), decode_b64u(match[2], length=_SIGNATURE_BYTES)


def _message(purpose: Purpose, issuer: str, epoch: int, nonce: str, detail: str) -> bytes:
    """Every part but the last has a fixed alphabet without line ends, so that no two requests are one text."""
    chain = f"{issuer}.{epoch}"
    parse_kid(chain)
    if _NONCE.fullmatch(nonce) is None or _DETAIL.fullmatch(detail) is None:
        raise FormatError("request: no nonce, or no detail")
    return f"merchant-agent/{purpose}/v1\n{chain}\n{nonce}\n{detail}".encode("ascii")
