"""Answers from phones: by invitation about a sale, or from a poster about none.

They go into central's own chain for the merchant. An invitation is good for one rating, one
suggestion and one complaint, whatever became of its prompt on the tablet.

Source: PROTOCOL.md, "Invitation" and "Answers to a prompt".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from merchant_agent.central.enclosures import NOTHING, Enclosed, append_with
from merchant_agent.central.own_chain import OwnRecord
from merchant_agent.central.revocations import is_in_force
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import InvitedAnswer, MerchantEntry, Release
from merchant_agent.central.visits import Said, find_record
from merchant_agent.domain.text import check_paragraphs
from merchant_agent.errors import (
    ConflictError,
    FormatError,
    InvalidError,
    NotFoundError,
    StoreConflictError,
    VerificationError,
)
from merchant_agent.evidence.bodies import AspectLevel, Body, Kind, RatingBody, SuggestionBody
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.invitation import (
    Invitation,
    decode_invitation,
    open_invitation,
    parse_invitation,
)
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.record import About
from merchant_agent.store.store import Reader, Writer

COMMENT_MAX_CHARS = 1000

Lang = Literal["zh", "en"]
_MAX_CODES = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Opinion:
    """A rating as the customer gave it; `aspects` are pairs of code and level."""

    level: int
    aspects: tuple[tuple[str, int], ...] = ()
    tags: tuple[str, ...] = ()
    comment: str = ""
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
        InvalidError: "level", "aspect", "tag" or "comment".
        ConflictError: "ended" or "answered", when the invitation has ended or was used to rate before.
    """
    catalogue = central.catalogue
    for level in (opinion.level, *(level for _, level in opinion.aspects)):
        catalogue.level(level)
    check_codes([aspect for aspect, _ in opinion.aspects], catalogue.aspect, "aspect")
    check_codes(opinion.tags, catalogue.tag, "tag")
    body = RatingBody(
        level=opinion.level,
        aspects=tuple(AspectLevel(aspect=aspect, level=level) for aspect, level in opinion.aspects),
        tags=opinion.tags,
        channel="phone",
        ended="done",
        dwell_ms=0,
        lang=opinion.lang,
        catalogue=catalogue.version,
        claim=None,
    )
    return append_answer(central, asked, Kind.RATING, body, {"comment": check_comment(opinion.comment)})


def suggest(central: Central, asked: Asked, comment: str, lang: Lang) -> OwnRecord:
    """The signed suggestion.

    Raises:
        InvalidError: "comment".
        ConflictError: as `rate`.
    """
    words = check_comment(comment, min_chars=1)
    body = SuggestionBody(channel="phone", lang=lang, catalogue=central.catalogue.version, claim=None)
    return append_answer(central, asked, Kind.SUGGESTION, body, {"comment": words})


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


def append_answer(  # noqa: PLR0913, PLR0917 -- an answer has these parts
    central: Central,
    asked: Asked,
    kind: Kind,
    body: Body,
    words: Mapping[str, str],
    enclosed: Enclosed = NOTHING,
) -> OwnRecord:
    """The signed answer; an invitation is then used for this kind.

    Raises:
        ConflictError: "ended" or "answered".
    """
    if has_ended(central, asked):
        raise ConflictError("ended", "the invitation has ended")
    merchant, invitation = asked.merchant.id, asked.invitation
    about = About(prompt=None if invitation is None else invitation.place, case=None)
    try:
        with central.store.write() as tx:
            if invitation is not None:
                _require_unused(tx, invitation, merchant, kind)
            own = append_with(central, tx, merchant, kind, body, about, words, enclosed)
            if invitation is not None:
                _use(tx, asked.octets, invitation, merchant, own)
    except StoreConflictError as error:
        raise ConflictError("answered", "it was answered at the same moment") from error
    return own


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


def check_codes(codes: Sequence[str], find: Callable[[str], object], kind: str) -> None:
    """Returns when `find` knows all codes and none stands twice.

    Raises:
        InvalidError: with `kind` as code.
    """
    if len(codes) > _MAX_CODES or len(set(codes)) != len(codes):
        raise InvalidError(kind, f"at most {_MAX_CODES} different ones are expected")
    for code in codes:
        find(code)


def check_comment(text: str, *, min_chars: int = 0) -> str:
    """A comment as it is kept.

    Raises:
        InvalidError: "comment".
    """
    return check_paragraphs(text, code="comment", max_chars=COMMENT_MAX_CHARS, min_chars=min_chars)
