"""Answers from phones: by invitation about a sale, or from a poster about none.

They go into central's own chain for the merchant. An invitation is good for one rating, one
suggestion and one complaint, whatever became of its prompt on the tablet.

Source: PROTOCOL.md, "Invitation" and "Answers to a prompt".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from merchant_agent.central.own_chain import OwnRecord, append_own, own_issuer
from merchant_agent.central.revocations import is_in_force
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import InvitedAnswer, MerchantEntry, Release
from merchant_agent.central.visits import Said, find_record
from merchant_agent.domain.contacts import check_contact
from merchant_agent.domain.sales import ORDER_MAX_CHARS, format_amount, parse_time, read_amount
from merchant_agent.domain.text import check_line, check_paragraphs, half_width
from merchant_agent.errors import (
    ConflictError,
    FormatError,
    InvalidError,
    NotFoundError,
    StoreConflictError,
    VerificationError,
)
from merchant_agent.evidence.bodies import Body, ComplaintBody, Consent, Kind, RatingBody, SuggestionBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.invitation import (
    Invitation,
    decode_invitation,
    open_invitation,
    parse_invitation,
)
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.record import About, new_id
from merchant_agent.evidence.seal import seal_contact
from merchant_agent.store.store import Reader, Writer

COMMENT_MAX_CHARS = 1000
CONSENTS: tuple[Consent, ...] = ("authority", "shop")

Lang = Literal["zh", "en"]
_MAX_CODES = 16
_CURRENCY = "CNY"
# As on the tablet: clocks differ, and nothing that went wrong lies further ahead.
_LONGEST_AHEAD = timedelta(days=1)
_LOCAL_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A rating as the customer gave it."""

    level: int
    tags: tuple[str, ...] = ()
    comment: str = ""
    lang: Lang = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Grievance:
    """A complaint as the customer filled it in; each text may be empty, not all of it.

    `occurred_at` is local time, `2026-11-24T10:26`; `amount` is digits with at most two decimals, in CNY.
    `contact` is a telephone number, and `consents` say who may call it: both, or neither.
    """

    categories: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    comment: str = ""
    order: str = ""
    occurred_at: str = ""
    amount: str = ""
    contact: str = ""
    consents: tuple[Consent, ...] = ()
    lang: Lang = "zh"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Who asks: a merchant, about the sale of an invitation or about none."""

    merchant: MerchantEntry
    invitation: Invitation | None = None
    octets: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An answer that an invitation was used for; `said` is None until the next daily release."""

    place: Place
    at: datetime
    query_code: str
    said: Said | None


def read_invitation(central: Central, text: str) -> Asked:
    """The invitation in an address, whether or not it has ended.

    Raises:
        InvalidError: "invitation", when it is none, no terminal of ours signed it, or its key was revoked.
        NotFoundError: "merchant", when its merchant is not registered any more.
    """
    try:
        octets = parse_invitation(text)
        stated = decode_invitation(octets)
        granted = central.issuers.find(central.store, stated.place.issuer, stated.place.epoch)
        invitation = open_invitation(octets, granted.key)
    except (FormatError, NotFoundError, VerificationError) as error:
        raise InvalidError("invitation", str(error)) from error
    with central.store.read() as reader:
        if not is_in_force(reader, granted.merchant, invitation.place):
            raise InvalidError("invitation", "its key does not count for this place")
        entry = _merchant(reader, granted.merchant)
    return Asked(merchant=entry, invitation=invitation, octets=octets)


def read_poster(central: Central, merchant: str) -> Asked:
    """The poster of a merchant.

    Raises:
        NotFoundError: "merchant".
    """
    with central.store.read() as reader:
        return Asked(merchant=_merchant(reader, merchant))


def has_ended(central: Central, asked: Asked) -> bool:
    """Whether the invitation is not taken any more."""
    return asked.invitation is not None and central.clock.now().timestamp() >= asked.invitation.ends


def rate(central: Central, asked: Asked, opinion: Opinion) -> OwnRecord:
    """The signed rating.

    Raises:
        InvalidError: "level", "tag" or "comment".
        ConflictError: "ended" or "answered", when the invitation has ended or was used to rate before.
    """
    catalogue = central.catalogue
    catalogue.level(opinion.level)
    _check_codes(opinion.tags, catalogue.tag, "tag")
    body = RatingBody(
        level=opinion.level,
        aspects=(),
        tags=opinion.tags,
        channel="phone",
        ended="done",
        dwell_ms=0,
        lang=opinion.lang,
        catalogue=catalogue.version,
        claim=None,
    )
    return _answer(central, asked, Kind.RATING, body, {"comment": _check_comment(opinion.comment)})


def suggest(central: Central, asked: Asked, comment: str, lang: Lang) -> OwnRecord:
    """The signed suggestion.

    Raises:
        InvalidError: "comment".
        ConflictError: as `rate`.
    """
    words = _check_comment(comment, min_chars=1)
    body = SuggestionBody(channel="phone", lang=lang, catalogue=central.catalogue.version, claim=None)
    return _answer(central, asked, Kind.SUGGESTION, body, {"comment": words})


def complain(central: Central, asked: Asked, grievance: Grievance) -> OwnRecord:
    """The signed complaint, which opens a case.

    Raises:
        InvalidError: "complaint" (neither a problem nor words), "category", "remedy", "comment", "order",
            "occurred-at", "occurred-in-future" (by more than a day), "amount", "contact" or "consents" (a number
            and who may call it go together).
        ConflictError: as `rate`.
    """
    contact = _check_calls(grievance)
    catalogue = central.catalogue
    _check_codes(grievance.categories, catalogue.category, "category")
    _check_codes(grievance.remedies, catalogue.remedy, "remedy")
    comment = _check_comment(grievance.comment)
    if not comment and not grievance.categories:
        raise InvalidError("complaint", "a problem or some words are expected")
    words = {
        "comment": comment,
        "order": check_line(half_width(grievance.order), code="order", max_chars=ORDER_MAX_CHARS),
        "occurred_at": _check_time(grievance.occurred_at.strip(), central.clock.now()),
        "amount": _check_amount(grievance.amount.strip()),
    }
    body = ComplaintBody(
        categories=grievance.categories,
        remedies=grievance.remedies,
        channel="phone",
        lang=grievance.lang,
        catalogue=catalogue.version,
        claim=None,
        consents=grievance.consents,
        notice=catalogue.notice.version,
    )
    return _answer(central, asked, Kind.COMPLAINT, body, words, contact)


def find_given(reader: Reader, asked: Asked) -> Mapping[Kind, Given]:
    """What the invitation was used for; what was said only once a daily release has passed over it."""
    if asked.invitation is None:
        return {}
    merchant = asked.merchant.id
    until = reader.scalar(
        Release.select(Release.until)
        .where(Release.merchant == merchant)
        .order_by(Release.day.desc())
        .limit(1)
    )
    rows: list[InvitedAnswer] = reader.all(
        InvitedAnswer.select().where(_of_prompt(asked.invitation, merchant))
    )
    return {Kind(row.kind): _given(reader, row, until) for row in rows}


def _answer(  # noqa: PLR0913, PLR0917 -- an answer has these parts
    central: Central, asked: Asked, kind: Kind, body: Body, words: Mapping[str, str], contact: str = ""
) -> OwnRecord:
    if has_ended(central, asked):
        raise ConflictError("ended", "the invitation has ended")
    merchant, invitation = asked.merchant.id, asked.invitation
    prompt = None if invitation is None else invitation.place
    try:
        with central.store.write() as tx:
            if invitation is not None:
                _require_unused(tx, invitation, merchant, kind)
            about, record_id = About(prompt=prompt, case=None), new_id(central.clock.now())
            sealed = _seal(central, tx, merchant, record_id, contact)
            own = append_own(
                central, tx, merchant, kind, body, id=record_id, about=about, disclosures={**words, **sealed}
            )
            if invitation is not None:
                _use(tx, asked.octets, invitation, merchant, own)
    except StoreConflictError as error:
        raise ConflictError("answered", "it was answered at the same moment") from error
    return own


def _seal(central: Central, tx: Writer, merchant: str, record_id: str, contact: str) -> dict[str, str]:
    """The contact as it is kept: only who has central's sealing key can read it."""
    if not contact:
        return {}
    public = decode_b64u(central.identity.sealing_key)
    sealed = seal_contact(public, own_issuer(central, tx, merchant), record_id, contact)
    return {"contact": encode_b64u(sealed)}


def _check_calls(grievance: Grievance) -> str:
    contact = check_contact(grievance.contact)
    if len(set(grievance.consents)) != len(grievance.consents) or bool(contact) != bool(grievance.consents):
        raise InvalidError("consents", "a number and who may call it are expected together")
    return contact


def _require_unused(reader: Reader, invitation: Invitation, merchant: str, kind: Kind) -> None:
    used = _of_prompt(invitation, merchant) & (InvitedAnswer.kind == kind.value)
    if reader.first(InvitedAnswer.select().where(used)) is not None:
        raise ConflictError("answered", "the prompt was answered by invitation before")


def _use(tx: Writer, octets: bytes, invitation: Invitation, merchant: str, own: OwnRecord) -> None:
    prompt, place = invitation.place, own.place
    tx.execute(
        InvitedAnswer.insert(
            merchant=merchant,
            issuer=prompt.issuer,
            epoch=prompt.epoch,
            seq=prompt.seq,
            kind=own.record.kind.value,
            invitation=octets,
            tag=encode_b64u(invitation.tag),
            own_issuer=place.issuer,
            own_epoch=place.epoch,
            own_seq=place.seq,
            answered_at=_received_at(own),
        )
    )


def _received_at(own: OwnRecord) -> datetime:
    return datetime.fromisoformat(own.record.at)


def _given(reader: Reader, row: InvitedAnswer, until: datetime | None) -> Given:
    place = Place(issuer=row.own_issuer, epoch=row.own_epoch, seq=row.own_seq)
    said = find_record(reader, row.merchant, place)
    if said is None:
        raise NotFoundError("record", "the answer is not here")
    is_released = until is not None and row.answered_at < until
    return Given(
        place=place, at=row.answered_at, query_code=said.query_code, said=said if is_released else None
    )


def _of_prompt(invitation: Invitation, merchant: str) -> object:
    prompt = invitation.place
    return (
        (InvitedAnswer.merchant == merchant)
        & (InvitedAnswer.issuer == prompt.issuer)
        & (InvitedAnswer.epoch == prompt.epoch)
        & (InvitedAnswer.seq == prompt.seq)
    )


def _merchant(reader: Reader, merchant: str) -> MerchantEntry:
    entry: MerchantEntry | None = reader.first(MerchantEntry.select().where(MerchantEntry.id == merchant))
    if entry is None:
        raise NotFoundError("merchant", "there is no such merchant")
    return entry


def _check_codes(codes: Sequence[str], find: Callable[[str], object], kind: str) -> None:
    if len(codes) > _MAX_CODES or len(set(codes)) != len(codes):
        raise InvalidError(kind, f"at most {_MAX_CODES} different ones are expected")
    for code in codes:
        find(code)


def _check_comment(text: str, *, min_chars: int = 0) -> str:
    return check_paragraphs(text, code="comment", max_chars=COMMENT_MAX_CHARS, min_chars=min_chars)


def _check_time(text: str, now: datetime) -> str:
    """The time as it was given; a local one is of `now`'s zone."""
    if not text:
        return ""
    try:
        is_local = _LOCAL_TIME.fullmatch(text)
        at = datetime.fromisoformat(text).replace(tzinfo=now.tzinfo) if is_local else parse_time(text)
    except (ValueError, InvalidError) as error:
        raise InvalidError("occurred-at", "a date and time of day are expected") from error
    if at > now + _LONGEST_AHEAD:
        raise InvalidError("occurred-in-future", "a time that has come is expected")
    return text


def _check_amount(text: str) -> str:
    return format_amount(read_amount(text), _CURRENCY) if text else ""
