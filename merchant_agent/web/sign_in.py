"""Signing in: secrets as argon2 hashes, lock-out after wrong attempts, sessions in cookies.

Source: OWASP Password Storage Cheat Sheet (argon2id, 19 MiB, two passes), light enough for a till.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, wraps
from typing import ParamSpec, TypeVar
from urllib.parse import urlencode

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from flask import Response, g, redirect, request

from merchant_agent.clock import Clock
from merchant_agent.errors import InvalidError, SignInError
from merchant_agent.store.credentials import (
    Account,
    audit,
    close_session,
    find_account,
    find_session,
    open_session,
    save_account,
)
from merchant_agent.store.store import Store, Writer
from merchant_agent.web.lockout import admit, note_right, note_wrong
from merchant_agent.web.origin import origin
from merchant_agent.web.parts import web_parts
from merchant_agent.web.problems import is_for_programs

MAX_SECRET_CHARS = 128
MIN_PASSWORD_CHARS = 10
MIN_PIN_DIGITS = 6

_TOKEN_BYTES = 32
# Who may enter pages of a role.
_ADMITTED = {
    "staff": frozenset({"staff", "manager"}),
    "manager": frozenset({"manager"}),
    "officer": frozenset({"officer"}),
}
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Who makes the present request."""

    name: str
    role: str


def check_pin(text: str) -> str:
    """A PIN of 6 to 12 digits.

    Raises:
        InvalidError: "pin".
    """
    if not (MIN_PIN_DIGITS <= len(text) <= 12 and text.isascii() and text.isdigit()):  # noqa: PLR2004 -- digits
        raise InvalidError("pin", "6 to 12 digits are expected")
    if len(set(text)) == 1 or text in "01234567890123" or text in "98765432109876":
        raise InvalidError("pin", "the digits are too easy to guess")
    return text


def check_password(text: str) -> str:
    """A password of 10 to 128 characters.

    Raises:
        InvalidError: "password".
    """
    if not MIN_PASSWORD_CHARS <= len(text) <= MAX_SECRET_CHARS:
        raise InvalidError("password", f"{MIN_PASSWORD_CHARS} to {MAX_SECRET_CHARS} characters are expected")
    return text


def set_secret(  # noqa: PLR0913 -- an account has these parts
    store: Store, clock: Clock, *, name: str, role: str, secret: str, who: str
) -> None:
    """Makes the account or gives it a new secret, which ends its sessions.

    Raises:
        StoreError: nothing was changed.
    """
    hashed = _HASHER.hash(secret)
    with store.write() as writer:
        save_account(writer, name=name, role=role, secret_hash=hashed)
        audit(writer, at=clock.now(), who=who, what="secret-set", detail=name)


def sign_in(  # noqa: PLR0913 -- an attempt has these parts
    store: Store, clock: Clock, *, name: str, secret: str, session_hours: int, remote: str
) -> str:
    """The token of a new session, to be kept by the browser alone; `remote` is its network address.

    Raises:
        SignInError: "wrong-secret", for an unknown name as for a wrong secret.
        LockedOutError: after 5 wrong attempts from that address, for 1 minute, and twice as long
            each time; and while too many come from everywhere, see `lockout`.
    """
    now = clock.now()
    with store.read() as reader:
        # PostgreSQL takes no NUL, and nobody's name has one.
        account = None if "\0" in name else find_account(reader, name)
    here = origin(remote)
    if account is not None:
        admit(store, account.name, here, now)
    matches = _matches(account.secret_hash if account is not None else _hash_of_nothing(), secret)
    if account is None:
        raise SignInError("wrong-secret", "the name or the secret is wrong")
    with store.write() as writer:
        if matches:
            note_right(writer, account.name, here, now)
            return _open(writer, account, now, timedelta(hours=session_hours))
        failed = note_wrong(writer, account.name, here, now)
        audit(writer, at=now, who=account.name, what="sign-in-failed", detail=str(failed))
    raise SignInError("wrong-secret", "the name or the secret is wrong")


def sign_in_here(name: str, secret: str) -> str:
    """`sign_in` at the application that handles the present request."""
    parts = web_parts()
    return sign_in(
        parts.store,
        parts.clock,
        name=name,
        secret=secret,
        session_hours=parts.session_hours,
        remote=request.remote_addr or "",
    )


def remember(response: Response, token: str) -> Response:
    """Gives the browser its session."""
    parts = web_parts()
    response.set_cookie(
        _cookie_name(),
        token,
        max_age=parts.session_hours * 3600,
        httponly=True,
        samesite="Lax",
        secure=request.is_secure,
    )
    return response


def sign_out(response: Response) -> Response:
    """Ends the present session, at both ends."""
    token = request.cookies.get(_cookie_name())
    if token:
        with web_parts().store.write() as writer:
            close_session(writer, _digest(token))
    response.delete_cookie(_cookie_name())
    return response


def current_account() -> SignedIn | None:
    """Who is signed in in the present request; None for nobody."""
    if "signed_in" not in g:
        g.signed_in = _look_up()
    found: SignedIn | None = g.signed_in
    return found


def signed_in() -> SignedIn:
    """Who is signed in, on a page that nobody else enters.

    Raises:
        SignInError: nobody is.
    """
    account = current_account()
    if account is None:
        raise SignInError("sign-in", "nobody is signed in")
    return account


def is_admitted(role: str) -> bool:
    """Whether the present request may enter pages of `role`."""
    account = current_account()
    return account is not None and account.role in _ADMITTED[role]


def require_role(role: str) -> Response | None:
    """None when the request may enter pages of `role`; else the way to the page to sign in on.

    Raises:
        SignInError: a program asks, or something was to be changed.
    """
    if is_admitted(role):
        return None
    if is_for_programs() or request.method not in {"GET", "HEAD"}:
        raise SignInError("sign-in", f"{role} must sign in first")
    page = web_parts().sign_in_pages[role]
    target = request.full_path if request.query_string else request.path
    answer = redirect(f"{page}?{urlencode({'next': target})}")
    return Response(answer.get_data(), status=answer.status_code, headers=answer.headers)


def requires_role(role: str) -> Callable[[Callable[P, R]], Callable[P, R | Response]]:
    """Lets a view answer only to `role`; others are sent to sign in."""

    def decorate(view: Callable[P, R]) -> Callable[P, R | Response]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R | Response:
            refused = require_role(role)
            return view(*args, **kwargs) if refused is None else refused

        return guarded

    return decorate


def next_page(default: str) -> str:
    """Where to go after signing in: `?next=` where it is a path of ours, else `default`."""
    target = request.values.get("next", "")
    is_ours = target.startswith("/") and not target.startswith(("//", "/\\")) and "\\" not in target
    return target if is_ours and target.isprintable() else default


def _open(writer: Writer, account: Account, now: datetime, lasts: timedelta) -> str:
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    open_session(writer, token_hash=_digest(token), account=account, created_at=now, expires_at=now + lasts)
    audit(writer, at=now, who=account.name, what="signed-in")
    return token


def _look_up() -> SignedIn | None:
    token = request.cookies.get(_cookie_name())
    if not token:
        return None
    parts = web_parts()
    with parts.store.read() as reader:
        session = find_session(reader, _digest(token), parts.clock.now())
    return None if session is None else SignedIn(name=session.account, role=session.role)


def _matches(secret_hash: str, secret: str) -> bool:
    try:
        return _HASHER.verify(secret_hash, secret[: MAX_SECRET_CHARS + 1])
    except (VerificationError, InvalidHashError):
        return False


@cache
def _hash_of_nothing() -> str:
    """Makes an unknown name take as long as a known one."""
    return _HASHER.hash(secrets.token_hex())


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _cookie_name() -> str:
    return f"{web_parts().name}_session"
