"""The exceptions of this package, each with a code that users may meet.

A class says what its caller can do about it; facts are attributes; messages are
short English for the log. Pages choose their words by `code`, never by message.
"""

from __future__ import annotations

from typing import ClassVar


class MerchantAgentError(Exception):
    """Every error that this package raises on purpose."""

    code: ClassVar[str] = "error"


class SettingsError(MerchantAgentError):
    """A setting is unknown, unreadable or out of range; nothing was started."""

    code = "settings"


class StartError(MerchantAgentError):
    """The program cannot start here: folder in use, port busy, not enrolled."""

    code = "start"


class ForeignFileError(StartError):
    """A file in our place is another program's, or says so: its header is damaged."""


class OnHoldError(MerchantAgentError):
    """Nothing may be signed until the terminal's epoch is settled; nothing was signed.

    `reason` is the hold: "behind", "frozen", "restored", "key", "damage", "epoch" or "ended".
    """

    code = "on-hold"

    def __init__(self, reason: str) -> None:
        super().__init__(f"nothing is signed while on hold: {reason}")
        self.reason = reason


class OutOfServiceError(MerchantAgentError):
    """The terminal has ended: nobody will ever sign what it is told, so nothing of it was kept."""

    code = "out-of-service"


class FormatError(MerchantAgentError):
    """Bytes from outside do not have the one form that is specified (rule V1)."""

    code = "format"


class VerificationError(MerchantAgentError):
    """A rule of the evidence protocol is broken.

    `rule` is its name ("V1" .. "V16"); `seq` is the place in the chain, or None
    where the octets do not stand in a chain.
    """

    code = "verification"

    def __init__(self, rule: str, detail: str, *, seq: int | None = None) -> None:
        super().__init__(f"{rule} at seq {seq}: {detail}" if seq is not None else f"{rule}: {detail}")
        self.rule = rule
        self.detail = detail
        self.seq = seq


class StoreError(MerchantAgentError):
    """The database did not do what was asked; the transaction was rolled back."""

    code = "store"


class StoreCorruptError(StoreError):
    """The database file is damaged."""

    code = "store-corrupt"


class StoreFullError(StoreError):
    """The disk is full; nothing was saved."""

    code = "store-full"


class StoreConflictError(StoreError):
    """A row contradicts a constraint: it is there already, or a value is missing."""

    code = "store-conflict"


class StoreLockedError(StoreError):
    """Somebody else holds the database for longer than the busy timeout."""

    code = "store-locked"


class RequestError(MerchantAgentError):
    """A request cannot be carried out; nothing was changed.

    Subclasses fix the kind; `code` may be narrowed for one case, as
    `ConflictError("order-amount", "...")`.
    """

    code = "request"

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code  # type: ignore[misc]  # narrowed per instance on purpose
        self.detail = detail


class InvalidError(RequestError):
    """The input is understood and not acceptable: a value is missing or out of range."""

    code = "invalid"


class TooLargeError(RequestError):
    """The input is larger than the limit that its page states."""

    code = "too-large"


class NotFoundError(RequestError):
    """There is no such thing here."""

    code = "not-found"


class ConflictError(RequestError):
    """The input contradicts what is recorded already."""

    code = "conflict"


class TransitionError(ConflictError):
    """The thing is in a state in which this event cannot happen."""

    code = "transition"

    def __init__(self, state: str, event: str) -> None:
        super().__init__("transition", f"{event} is not possible when {state}")
        self.state = state
        self.event = event


class SignInError(RequestError):
    """Nobody is signed in, or the credential is wrong."""

    code = "sign-in"


class ForbiddenError(RequestError):
    """Signed in, and not allowed; or a request from a foreign page."""

    code = "forbidden"


class LockedOutError(RequestError):
    """Too many wrong attempts; `retry_after_s` seconds must pass first."""

    code = "locked-out"

    def __init__(self, retry_after_s: int) -> None:
        super().__init__("locked-out", f"locked out for {retry_after_s} s")
        self.retry_after_s = retry_after_s
