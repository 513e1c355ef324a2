"""The two people of a shop who sign in: staff with a PIN, the manager with a password."""

from __future__ import annotations

from merchant_agent.clock import Clock
from merchant_agent.store.credentials import has_account
from merchant_agent.store.store import Reader, Store
from merchant_agent.web.sign_in import check_password, check_pin, set_secret

STAFF = "staff"
MANAGER = "manager"


def set_pin(store: Store, clock: Clock, pin: str, *, who: str) -> None:
    """Gives the staff this PIN and ends their sessions. From the next start on the network may enter.

    Raises:
        InvalidError: "pin".
        StoreError: nothing was changed.
    """
    set_secret(store, clock, name=STAFF, role=STAFF, secret=check_pin(pin), who=who)


def set_password(store: Store, clock: Clock, password: str, *, who: str) -> None:
    """Gives the manager this password and ends their sessions.

    Raises:
        InvalidError: "password".
        StoreError: nothing was changed.
    """
    set_secret(store, clock, name=MANAGER, role=MANAGER, secret=check_password(password), who=who)


def has_pin(reader: Reader) -> bool:
    """Whether the staff have a PIN."""
    return has_account(reader, STAFF)


def has_password(reader: Reader) -> bool:
    """Whether the manager has a password."""
    return has_account(reader, MANAGER)
