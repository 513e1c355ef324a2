"""Enrolment codes: made for one merchant, shown once, kept as hashes only.

A code on screen is good for minutes and for whoever types it. A code on a printed sheet is
good for days; the first key that comes with it only claims it, and an officer confirms that
the terminal behind the key is the shop's.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from merchant_agent.central.merchants import find_merchant
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Code, MerchantEntry
from merchant_agent.errors import FormatError, NotFoundError, TransitionError
from merchant_agent.evidence.enrolment import new_code
from merchant_agent.evidence.keys import fingerprint
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Reader, Writer

_LISTED = 200


class CodeKind(StrEnum):
    """Where a code is shown."""

    SCREEN = "screen"
    SHEET = "sheet"


class CodeState(StrEnum):
    """What can still become of a code; `WAITING` is for an officer to confirm or refuse."""

    READY = "ready"
    WAITING = "waiting"
    CONFIRMED = "confirmed"
    USED = "used"
    REFUSED = "refused"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewCode:
    """A code just made; `code` is shown now and never again. `id` is what lists know it by."""

    id: str
    code: str
    kind: CodeKind
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeEntry:
    """A code as officers see it.

    `fingerprint` is of the key that claimed it, 64 hex digits, as the terminal shows it too;
    `claimed_from` the network address that it came from. `issuer` is the terminal that it made.
    """

    id: str
    merchant: str
    shop_name: str
    kind: CodeKind
    state: CodeState
    made_at: datetime
    made_by: str
    expires_at: datetime
    claimed_at: datetime | None
    claimed_from: str
    fingerprint: str | None
    issuer: str | None


def make_code(central: Central, merchant: str, kind: CodeKind, *, who: str) -> NewCode:
    """A fresh code with which one terminal of the merchant can enrol.

    Raises:
        NotFoundError: "merchant".
    """
    now = central.clock.now()
    code = new_code()
    made = NewCode(
        id=encode_b64u(hash_code(code)), code=code, kind=kind, expires_at=now + _lifetime(central, kind)
    )
    with central.store.write() as tx:
        find_merchant(tx, merchant)
        tx.execute(
            Code.insert(
                code_hash=hash_code(code),
                merchant=merchant,
                kind=kind.value,
                made_at=now,
                made_by=who,
                expires_at=made.expires_at,
            )
        )
        audit(tx, at=now, who=who, what="code-made", detail=f"{merchant} {kind.value}")
    return made


def list_codes(central: Central, *, merchant: str | None = None) -> list[CodeEntry]:
    """The newest 200 codes, of one merchant if given; those that wait for an officer stand first."""
    query = Code.select().order_by(Code.made_at.desc()).limit(_LISTED)
    if merchant is not None:
        query = query.where(Code.merchant == merchant)
    now = central.clock.now()
    with central.store.read() as reader:
        entries = [_entry(reader, row, now) for row in reader.all(query)]
    return sorted(entries, key=lambda entry: entry.state is not CodeState.WAITING)


def confirm_code(central: Central, code_id: str, *, who: str) -> None:
    """Lets the key that claimed a sheet's code have its grant when it asks again.

    Raises:
        NotFoundError: "code".
        TransitionError: no key waits for it.
    """
    now = central.clock.now()
    with central.store.write() as tx:
        row = _lock(tx, code_id)
        state = code_state(row, now)
        if state is not CodeState.WAITING:
            raise TransitionError(state, "confirm")
        change_code(tx, row, {"confirmed_at": now, "confirmed_by": who})
        audit(tx, at=now, who=who, what="code-confirmed", detail=row.merchant)


def refuse_code(central: Central, code_id: str, *, who: str) -> None:
    """Makes a code worthless: one whose claim is not the shop's, or one that is not needed any more.

    Raises:
        NotFoundError: "code".
        TransitionError: it was used already, or refused.
    """
    now = central.clock.now()
    with central.store.write() as tx:
        row = _lock(tx, code_id)
        state = code_state(row, now)
        if state in {CodeState.USED, CodeState.REFUSED}:
            raise TransitionError(state, "refuse")
        change_code(tx, row, {"refused_at": now})
        audit(tx, at=now, who=who, what="code-refused", detail=row.merchant)


def hash_code(code: str) -> bytes:
    """What is kept of a code in its one form: 64 random bits need no slow hash."""
    return hashlib.sha256(code.encode("ascii")).digest()


def lock_code(tx: Writer, code_hash: bytes) -> Code | None:
    """The code of that hash, which nobody else can change until the transaction ends."""
    here = Code.code_hash == code_hash
    # An update that changes nothing locks the row on PostgreSQL, and SQLite knows no FOR UPDATE.
    tx.execute(Code.update({Code.merchant: Code.merchant}).where(here))
    row: Code | None = tx.first(Code.select().where(here))
    return row


def change_code(tx: Writer, row: Code, changed: Mapping[str, object]) -> None:
    """Writes changed columns of a locked code."""
    tx.execute(Code.update(dict(changed)).where(Code.code_hash == row.code_hash))


def code_state(row: Code, now: datetime) -> CodeState:
    """What can become of the code now. A sheet's claim in time outlives the sheet."""
    steps = (
        (row.used_at, CodeState.USED),
        (row.refused_at, CodeState.REFUSED),
        (row.confirmed_at, CodeState.CONFIRMED),
        (row.claimed_at, CodeState.WAITING),
    )
    for happened_at, state in steps:
        if happened_at:
            return state
    return CodeState.EXPIRED if row.expires_at <= now else CodeState.READY


def _lifetime(central: Central, kind: CodeKind) -> timedelta:
    if kind is CodeKind.SCREEN:
        return timedelta(minutes=central.settings.code_minutes)
    return timedelta(days=central.settings.sheet_days)


def _lock(tx: Writer, code_id: str) -> Code:
    try:
        code_hash = decode_b64u(code_id)
    except FormatError as error:
        raise NotFoundError("code", "there is no such code") from error
    row = lock_code(tx, code_hash)
    if row is None:
        raise NotFoundError("code", "there is no such code")
    return row


def _entry(reader: Reader, row: Code, now: datetime) -> CodeEntry:
    name = MerchantEntry.select(MerchantEntry.shop_name).where(MerchantEntry.id == row.merchant)
    return CodeEntry(
        id=encode_b64u(bytes(row.code_hash)),
        merchant=row.merchant,
        shop_name=reader.scalar(name) or "",
        kind=CodeKind(row.kind),
        state=code_state(row, now),
        made_at=row.made_at,
        made_by=row.made_by,
        expires_at=row.expires_at,
        claimed_at=row.claimed_at,
        claimed_from=row.claimed_from,
        fingerprint=None if row.claimed_key is None else fingerprint(bytes(row.claimed_key)),
        issuer=row.issuer,
    )
