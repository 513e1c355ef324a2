r"""Enrolment: a one-time code, and the proof that whoever sends it holds the key.

    signed: "merchant-agent/enrolment/v1\n" | the code, 13 characters | "\n" | public key 32 | "\n" | continues

`continues` is `<issuer>.<epoch>` of the newest epoch that the terminal had, nothing for a new one:
a terminal that lost its key goes on as the same issuer, with a code.

Source: PROTOCOL.md, "Enrolment".
"""

from __future__ import annotations

import secrets

from merchant_agent.errors import FormatError
from merchant_agent.evidence.crockford import read_values, values_of, write_values
from merchant_agent.evidence.fields import parse_kid
from merchant_agent.evidence.keys import SigningKey, VerifyingKey

_BITS = 64
_CHARACTERS = 13
_MAX_FIRST = 15
_DOMAIN = b"merchant-agent/enrolment/v1\n"


def new_code() -> str:
    """A fresh code: 64 random bits as 13 characters."""
    return write_values(values_of(secrets.randbits(_BITS), _CHARACTERS))


def parse_code(text: str) -> str:
    """The one form of a code as people type it: 13 capitals and digits without separators.

    Raises:
        FormatError: another length or character, or more than 64 bits.
    """
    values = read_values(text, _CHARACTERS)
    if values[0] > _MAX_FIRST:
        raise FormatError("code: more than 64 bits")
    return write_values(values)


def format_code(code: str) -> str:
    """A code as people read it best, grouped 4-4-5.

    Raises:
        FormatError: no code.
    """
    letters = parse_code(code)
    return f"{letters[:4]}-{letters[4:8]}-{letters[8:]}"


def sign_enrolment(key: SigningKey, code: str, continues: str | None = None) -> bytes:
    """The 64-byte signature by which a new key claims a code.

    `continues` is the id of the newest epoch that the terminal had, None for a new issuer.

    Raises:
        FormatError: code or `continues` are not in their one form.
    """
    return key.sign(_message(key.public, code, continues))


def verify_enrolment(public: bytes, code: str, signature: bytes, continues: str | None = None) -> None:
    """Returns when the holder of this key claimed this code, to continue that epoch's chain.

    Raises:
        FormatError: code or `continues` are not in their one form, or the key is no strong key of
            32 octets.
        VerificationError: V3 where the signature is not the key's.
    """
    VerifyingKey(public).verify(signature, _message(public, code, continues))


def _message(public: bytes, code: str, continues: str | None) -> bytes:
    if parse_code(code) != code:
        raise FormatError("code: not in its one form")
    if continues is not None:
        parse_kid(continues)
    return b"".join((_DOMAIN, code.encode("ascii"), b"\n", public, b"\n", (continues or "").encode("ascii")))
