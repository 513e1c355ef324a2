"""How vectors are written: octets as text where they are text, and bad JWS that no library of ours signs."""

from __future__ import annotations

from merchant_agent.evidence.jws import Typ, format_kid
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_segment

Vector = dict[str, object]


def octets_vector(octets: bytes) -> Vector:
    """`text`, or `hex` where the octets are no printable ASCII and UTF-8 text would hide the point."""
    text = octets.decode("utf-8", errors="replace")
    if text.encode() == octets and text.isprintable():
        return {"text": text}
    return {"hex": octets.hex()}


def read_octets(vector: Vector) -> bytes:
    """The octets of an `octets_vector`."""
    if "text" in vector:
        return str(vector["text"]).encode()
    return bytes.fromhex(str(vector["hex"]))


def pinned_header(typ: Typ, issuer: str, epoch: int) -> bytes:
    return f'{{"alg":"Ed25519","kid":"{format_kid(issuer, epoch)}","typ":"{typ.value}"}}'.encode()


def sign_raw(key: SigningKey, header: bytes, payload: bytes) -> bytes:
    """A JWS with whatever header and payload."""
    signed = encode_segment(header) + b"." + encode_segment(payload)
    return signed + b"." + encode_segment(key.sign(signed))
