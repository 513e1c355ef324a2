"""What a till's token allows beyond being a token: a dry run, and secrets with which its requests are signed.

Secrets are kept as they are: whoever checks an HMAC must know its key. While one is changed two are taken.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.store.lookup import Lookup
from merchant_agent.store.store import Reader, Writer
from merchant_agent.terminal.devices import PosToken, find_pos_token, list_pos_tokens
from merchant_agent.terminal.store import models

_SECRET_BYTES = 32

_ROW = Lookup(models.PosToken, "revoked_at IS NULL AND lower(hex(substr(token_hash, 1, 8))) = ?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """A token in force; where it has `secrets`, newest first, each request must be signed with one of them."""

    id: str
    till: str
    dry_run: bool
    secrets: tuple[bytes, ...]


def find_terms(reader: Reader, token: str) -> Terms | None:
    """The terms of a token that a request carries, unless it is unknown or was revoked."""
    found = find_pos_token(reader, token)
    return None if found is None else _terms(reader, found)


def list_terms(reader: Reader) -> tuple[Terms, ...]:
    """Those of all tokens in force, oldest first."""
    return tuple(_terms(reader, token) for token in list_pos_tokens(reader))


def set_dry_run(writer: Writer, token_id: str, *, dry_run: bool) -> None:
    """Whether the token's sales are only shown.

    Raises:
        NotFoundError: "pos-token".
    """
    _update(writer, token_id, {"dry_run": int(dry_run)})


def make_secret(writer: Writer, token_id: str) -> str:
    """A new secret, shown this once; the one before is still taken until `end_former_secret`. 43 characters.

    Raises:
        NotFoundError: "pos-token".
    """
    secret = encode_b64u(secrets.token_bytes(_SECRET_BYTES))
    before = _find(writer, token_id).secret
    _update(writer, token_id, {"secret": secret.encode(), "former_secret": before})
    return secret


def end_former_secret(writer: Writer, token_id: str) -> None:
    """Takes the newest secret alone from now on.

    Raises:
        NotFoundError: "pos-token".
    """
    _update(writer, token_id, {"former_secret": None})


def forget_secrets(writer: Writer, token_id: str) -> None:
    """Takes requests without a signature again.

    Raises:
        NotFoundError: "pos-token".
    """
    _update(writer, token_id, {"secret": None, "former_secret": None})


def _find(reader: Reader, token_id: str) -> models.PosToken:
    row = _ROW.first(reader, token_id)
    if row is None:
        raise NotFoundError("pos-token", "no such POS token is in force")
    return row


def _update(writer: Writer, token_id: str, values: dict[str, object]) -> None:
    row = models.PosToken
    found = _find(writer, token_id)
    writer.execute(row.update(values).where(row.token_hash == found.token_hash))


def _terms(reader: Reader, token: PosToken) -> Terms:
    row = _find(reader, token.id)
    held = (row.secret, row.former_secret)
    return Terms(
        id=token.id,
        till=token.till,
        dry_run=bool(row.dry_run),
        secrets=tuple(bytes(secret) for secret in held if secret is not None),
    )
