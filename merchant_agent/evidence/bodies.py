"""The kinds of records, what each kind says, and who may sign it.

Members stand in the order in which they are written here.
Source: PROTOCOL.md, "Kinds" and "Bodies".
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, field

from merchant_agent.evidence.fields import (
    Code,
    Count,
    Epoch,
    Id8,
    Label,
    Level,
    Octets32,
    Place,
    Seq,
    Wire,
)
from merchant_agent.evidence.octets import MAX_INTEGER

Channel = Literal["tablet", "phone"]
SaleSource = Literal["http", "printer", "folder", "odoo", "manual"]
SaleForm = Literal["counter", "table", "takeaway", "delivery"]
LapseReason = Literal["declined", "timed_out", "next_sale", "withdrawn"]
Ended = Literal["done", "left", "idle", "recovered"]
Role = Literal["terminal", "central"]
Consent = Literal["authority", "shop"]
First = Literal["shop", "station"]
FindingCode = Literal["broken_promise", "conflict", "late", "disputed", "split_view", "silent"]
OutageReason = Literal["key", "epoch", "damage", "restored", "behind", "frozen"]
PaperSort = Literal["order", "total", "kitchen", "pre_bill", "reprint", "refund", "shift", "delivery"]
Codes = Annotated[tuple[Code, ...], Meta(max_length=32)]
Day = Annotated[str, Meta(pattern=r"^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])\Z")]
TimeOfDay = Annotated[str, Meta(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)\Z")]
Milliseconds = Annotated[int, Meta(ge=-MAX_INTEGER, le=MAX_INTEGER)]


class Kind(StrEnum):
    """What a record tells of."""

    PROMPT = "prompt"
    LAPSE = "lapse"
    RATING = "rating"
    SUGGESTION = "suggestion"
    COMPLAINT = "complaint"
    REPLY = "reply"
    START = "start"
    HEARTBEAT = "heartbeat"
    DAY_CLOSE = "day_close"
    CLOCK = "clock"
    SETTINGS = "settings"
    ROTATE = "rotate"
    OUTAGE = "outage"
    RECOVER = "recover"
    ERASE = "erase"
    END = "end"
    SUPERSEDE = "supersede"
    DISPUTE = "dispute"
    CONFIRM = "confirm"
    ADDITION = "addition"
    FINDING = "finding"
    REVOKE = "revoke"


class PromptBody(Wire, frozen=True, kw_only=True):
    """A sale for which a customer may be asked; `tag` hides (till, business day, order)."""

    till: Label
    source: SaleSource
    sale: SaleForm
    asks: bool
    tag: Id8


class LapseBody(Wire, frozen=True, kw_only=True):
    """A prompt that nobody answered on the tablet."""

    reason: LapseReason


class AspectLevel(Wire, frozen=True, kw_only=True):
    """The level given to one aspect of the visit."""

    aspect: Code
    level: Level


class RatingBody(Wire, frozen=True, kw_only=True):
    """A level from 1 (very dissatisfied) to 5 (very satisfied) and what went with it.

    `claim` is the hash of what the customer took along, None where that was nothing.
    """

    level: Level
    aspects: Annotated[tuple[AspectLevel, ...], Meta(max_length=16)]
    tags: Codes
    channel: Channel
    ended: Ended
    dwell_ms: Count
    lang: Code
    catalogue: Code
    claim: Octets32 | None


class SuggestionBody(Wire, frozen=True, kw_only=True):
    """A suggestion; its words are an erasable member."""

    channel: Channel
    lang: Code
    catalogue: Code
    claim: Octets32 | None


class ComplaintBody(Wire, frozen=True, kw_only=True):
    """What the complaint is about and what is asked for; its words are erasable members.

    `consents` say who may call the customer on the sealed contact; `notice` is the version of
    the privacy notice that was shown, None where no contact was asked for. `first` is who is to be
    told first: for "station" all of it is sealed as one member, and nothing of it stands here.
    """

    categories: Codes
    remedies: Codes
    channel: Channel
    lang: Code
    catalogue: Code
    claim: Octets32 | None
    consents: Annotated[tuple[Consent, ...], Meta(max_length=2)]
    notice: Code | None
    first: First


class ReplyBody(Wire, frozen=True, kw_only=True):
    """The shop explains what central's record at `to` says; its words are an erasable member."""

    to: Place


class StartBody(Wire, frozen=True, kw_only=True):
    """The program started; `clean` says whether it had been stopped in order."""

    software: Label
    clean: bool


class HeartbeatBody(Wire, frozen=True, kw_only=True):
    """The terminal was alive; `waiting` records were not acknowledged then."""

    waiting: Count


class DayCloseBody(Wire, frozen=True, kw_only=True):
    """A business day is over.

    `prompts` counts the prompts since the day close before, or since the issuer's first grant;
    `sales` is the till's own count, where it gives one.
    """

    day: Day
    prompts: Count
    sales: Count | None


class ClockBody(Wire, frozen=True, kw_only=True):
    """The wall clock moved otherwise than the boot clock since the record before.

    `wall_ms` is how far the one moved, `boot_ms` the other; None where the machine restarted.
    """

    wall_ms: Milliseconds
    boot_ms: Count | None


class Opening(Wire, frozen=True, kw_only=True):
    """Opening hours of one weekday, 1 (Monday) to 7; `to` before `from_` means past midnight."""

    weekday: Annotated[int, Meta(ge=1, le=7)]
    from_: TimeOfDay = field(name="from")
    to: TimeOfDay


class Closure(Wire, frozen=True, kw_only=True):
    """Days on which the shop is closed, both included."""

    first: Day
    last: Day


class ReceiptWord(Wire, frozen=True, kw_only=True):
    """A word of the shop's by which receipts are read; but for `order` and `total` it makes a paper no sale."""

    sort: PaperSort
    word: Annotated[str, Meta(min_length=1, max_length=24)]


class SettingsBody(Wire, frozen=True, kw_only=True):
    """When the shop is open, and by which words of its own it tells sales.

    Silence inside closures, or outside opening hours, is no finding.
    """

    opening: Annotated[tuple[Opening, ...], Meta(max_length=21)]
    closures: Annotated[tuple[Closure, ...], Meta(max_length=60)]
    words: Annotated[tuple[ReceiptWord, ...], Meta(max_length=128)]


class RotateBody(Wire, frozen=True, kw_only=True):
    """The last record of an epoch that ends as planned: another key is asked for."""

    reason: Literal["planned", "suspected"]


class OutageBody(Wire, frozen=True, kw_only=True):
    """From `since` on nothing could be signed; `kept` answers were kept unsigned."""

    reason: OutageReason
    since: str
    kept: Count


class RecoverBody(Wire, frozen=True, kw_only=True):
    """Signing goes on; the answers that were kept follow."""

    reason: OutageReason


class EraseBody(Wire, frozen=True, kw_only=True):
    """The erasable members of the record at `place` were deleted."""

    place: Place
    members: Annotated[Codes, Meta(min_length=1)]
    reason: Literal["request", "retention"]


class EndBody(Wire, frozen=True, kw_only=True):
    """The terminal is taken out of service."""

    reason: Literal["closed", "replaced"]


class SupersedeBody(Wire, frozen=True, kw_only=True):
    """The customer corrected the rating at `place`; an upward correction counts once `confirmed`."""

    place: Place
    level: Level
    confirmed: Literal["phone", "call_back"]


class DisputeBody(Wire, frozen=True, kw_only=True):
    """A customer says that they did not give the answer at `place`."""

    place: Place
    contested: bool


class ConfirmBody(Wire, frozen=True, kw_only=True):
    """How it was confirmed that the answer at `place` is the customer's."""

    place: Place
    by: Literal["counter", "phone", "call_back"]


class AdditionBody(Wire, frozen=True, kw_only=True):
    """The customer added to the complaint at `place`; words, photos and a contact are erasable members.

    `consents` and `notice` as in a complaint.
    """

    place: Place
    lang: Code
    consents: Annotated[tuple[Consent, ...], Meta(max_length=2)]
    notice: Code | None


class FindingBody(Wire, frozen=True, kw_only=True):
    """Something about a shop to explain.

    `place` and `leaf` are what it is about; `due_at` is when a promise was to be kept.
    """

    code: FindingCode
    place: Place | None
    leaf: Octets32 | None
    due_at: str | None


class RevokeBody(Wire, frozen=True, kw_only=True):
    """The key of an issuer's epoch counts for records up to `through` alone; None: for none."""

    issuer: Id8
    epoch: Epoch
    through: Seq | None


Body = (
    PromptBody
    | LapseBody
    | RatingBody
    | SuggestionBody
    | ComplaintBody
    | ReplyBody
    | StartBody
    | HeartbeatBody
    | DayCloseBody
    | ClockBody
    | SettingsBody
    | RotateBody
    | OutageBody
    | RecoverBody
    | EraseBody
    | EndBody
    | SupersedeBody
    | DisputeBody
    | ConfirmBody
    | AdditionBody
    | FindingBody
    | RevokeBody
)

BODY_TYPES: dict[Kind, type[Body]] = {
    Kind.PROMPT: PromptBody,
    Kind.LAPSE: LapseBody,
    Kind.RATING: RatingBody,
    Kind.SUGGESTION: SuggestionBody,
    Kind.COMPLAINT: ComplaintBody,
    Kind.REPLY: ReplyBody,
    Kind.START: StartBody,
    Kind.HEARTBEAT: HeartbeatBody,
    Kind.DAY_CLOSE: DayCloseBody,
    Kind.CLOCK: ClockBody,
    Kind.SETTINGS: SettingsBody,
    Kind.ROTATE: RotateBody,
    Kind.OUTAGE: OutageBody,
    Kind.RECOVER: RecoverBody,
    Kind.ERASE: EraseBody,
    Kind.END: EndBody,
    Kind.SUPERSEDE: SupersedeBody,
    Kind.DISPUTE: DisputeBody,
    Kind.CONFIRM: ConfirmBody,
    Kind.ADDITION: AdditionBody,
    Kind.FINDING: FindingBody,
    Kind.REVOKE: RevokeBody,
}
BOTH: frozenset[Role] = frozenset({"terminal", "central"})
_ALONE: dict[Kind, Role] = {
    Kind.PROMPT: "terminal",
    Kind.LAPSE: "terminal",
    Kind.REPLY: "terminal",
    Kind.START: "terminal",
    Kind.HEARTBEAT: "terminal",
    Kind.DAY_CLOSE: "terminal",
    Kind.CLOCK: "terminal",
    Kind.SETTINGS: "terminal",
    Kind.ROTATE: "terminal",
    Kind.OUTAGE: "terminal",
    Kind.RECOVER: "terminal",
    Kind.END: "terminal",
    Kind.SUPERSEDE: "central",
    Kind.DISPUTE: "central",
    Kind.CONFIRM: "central",
    Kind.ADDITION: "central",
    Kind.FINDING: "central",
    Kind.REVOKE: "central",
}
SIGNERS: dict[Kind, frozenset[Role]] = {
    kind: frozenset({_ALONE[kind]}) if kind in _ALONE else BOTH for kind in Kind
}
CHANNELS: dict[Role, Channel] = {"terminal": "tablet", "central": "phone"}
ERASABLE: dict[Kind, frozenset[str]] = {kind: frozenset() for kind in Kind} | {
    Kind.RATING: frozenset({"comment"}),
    Kind.SUGGESTION: frozenset({"comment"}),
    Kind.COMPLAINT: frozenset({"comment", "contact", "photos", "order", "occurred_at", "amount"}),
    Kind.ADDITION: frozenset({"comment", "contact", "photos"}),
    Kind.REPLY: frozenset({"comment"}),
}
SEALED = frozenset({"sealed"})


def erasable_of(kind: Kind, body: Body) -> frozenset[str]:
    """The names of the erasable members that a record of this kind with this body may have."""
    return SEALED if isinstance(body, ComplaintBody) and body.first == "station" else ERASABLE[kind]
