"""A terminal's request for its inbox, signed: what central says about a shop is first the shop's to read.

The signature is over central's present nonce for the chain, which a terminal knows from its last
acknowledgement, or its grant: it needs no clock.

Source: PROTOCOL.md, "Inbox".
"""

from __future__ import annotations

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.octets import decode_b64u, encode_b64u

_SCHEME = "Merchant-Agent "
_DOMAIN = "merchant-agent/inbox/v1\n"
_SIGNATURE_BYTES = 64


def sign_inbox(key: SigningKey, issuer: str, epoch: int, nonce: str, after: int) -> str:
    """The `Authorization` header of a request for what central said after its own seq `after`."""
    signature = key.sign(_message(issuer, epoch, nonce, after))
    return f"{_SCHEME}{epoch}.{encode_b64u(signature)}"


def epoch_of(header: str) -> int:
    """The epoch whose key the header says to be signed with.

    Raises:
        FormatError: it is no such header.
    """
    epoch, _, _ = header.removeprefix(_SCHEME).partition(".")
    if not header.startswith(_SCHEME) or not (epoch.isascii() and epoch.isdigit() and len(epoch) <= 5):  # noqa: PLR2004 -- digits
        raise FormatError("inbox: not signed")
    return int(epoch)


def verify_inbox(header: str, key: VerifyingKey, issuer: str, nonce: str, after: int) -> None:
    """Returns when the header is signed by this key over this request and nonce.

    Raises:
        VerificationError: V3.
    """
    try:
        epoch = epoch_of(header)
        signature = decode_b64u(header.partition(".")[2], length=_SIGNATURE_BYTES)
    except FormatError as error:
        raise VerificationError("V3", str(error)) from error
    key.verify(signature, _message(issuer, epoch, nonce, after))


def _message(issuer: str, epoch: int, nonce: str, after: int) -> bytes:
    return f"{_DOMAIN}{issuer}.{epoch}\n{nonce}\n{after}".encode("ascii")
