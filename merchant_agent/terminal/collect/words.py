"""Suggestions and complaints: with or without a sale, whatever became of its prompt.

Each is signed once under the id that the tablet made for it; sent again, it is the same one.

Raises of both functions: `StartError` before the enrolment, `OutOfServiceError` once the
terminal has ended, `StoreError` where nothing could be stored.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from msgspec.structs import replace as replace_members

from merchant_agent.domain.catalogue import Catalogue
from merchant_agent.domain.contacts import check_contact
from merchant_agent.domain.grievances import check_amount, check_occurred_at, check_order
from merchant_agent.errors import ConflictError, InvalidError, NotFoundError
from merchant_agent.evidence.bodies import ComplaintBody, Consent, First, Kind, SuggestionBody
from merchant_agent.evidence.octets import decode_b64u, encode_b64u
from merchant_agent.evidence.seal import Confided, seal_complaint, seal_contact
from merchant_agent.store.store import Reader
from merchant_agent.terminal.collect.kept import body_of, find_kept
from merchant_agent.terminal.collect.said import (
    Thanks,
    check_claim,
    check_codes,
    check_comment,
    check_id,
    check_lang,
)
from merchant_agent.terminal.collect.screen import Tablet
from merchant_agent.terminal.collect.signing import find_or_lost, sign_or_keep, writing
from merchant_agent.terminal.collect.thanks import kept_again, thanks_again, thanks_for
from merchant_agent.terminal.erasure import erased_members
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.models import Complaint, Kept, Prompt, Suggestion

# The members of a complaint in clear, in the order of the projection's columns.
_CLEAR = ("comment", "order", "occurred_at", "amount")
# What cannot be compared: sealed again it is another one. The first one stands.
_SEALED = frozenset({"contact", "sealed"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A suggestion; `prompt_id` is None without a sale, `claim` as in `Answer`."""

    prompt_id: str | None
    comment: str
    lang: str = "zh"
    claim: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Grievance:
    """A complaint as the customer filled it in; each text may be empty, not all of it.

    `occurred_at` is RFC 3339, or the local time `2026-11-24T10:26`; `amount` is digits with
    at most two decimals, in CNY; `claim` as in `Answer`. `contact` is a telephone number, which only
    central may read, `consents` who may call it, and `notice` the version of what was said about it.
    `first` is who is to be told first; with "station" central alone can read any of it.
    """

    prompt_id: str | None
    categories: tuple[str, ...] = ()
    remedies: tuple[str, ...] = ()
    comment: str = ""
    order: str = ""
    occurred_at: str = ""
    amount: str = ""
    lang: str = "zh"
    claim: str | None = None
    contact: str = field(default="", repr=False)
    consents: tuple[Consent, ...] = ()
    notice: str | None = None
    first: First = "shop"


def suggest(terminal: Terminal, tablet: Tablet, suggestion_id: str, words: Words) -> Thanks:
    """The signed suggestion, or the kept one where nothing can be signed.

    Raises:
        InvalidError: "id", "comment" (empty or too long), "lang" or "claim".
        NotFoundError: "prompt", when the tablet's till has none of that id.
        ConflictError: "answer-id", when the id is of another suggestion.
    """
    check_id(suggestion_id)
    check_lang(words.lang)
    check_claim(words.claim)
    comment = check_comment(words.comment, min_chars=1)
    body = SuggestionBody(
        channel="tablet", lang=words.lang, catalogue=terminal.catalogue.version, claim=words.claim
    )
    with writing(terminal) as writer:
        prompt = _prompt(terminal, writer, tablet, words.prompt_id)
        row: Suggestion | None = writer.first(
            Suggestion.select().where(Suggestion.suggestion_id == suggestion_id)
        )
        if row is not None:
            is_gone = bool(erased_members(writer, row.epoch, row.seq))
            _require_same([row.comment, row.lang], [None if is_gone else comment, words.lang])
            return thanks_again(terminal, writer, row.epoch, row.seq, as_sent=True)
        said = {"comment": comment}
        kept = find_kept(writer, suggestion_id)
        if kept is not None:
            _require_kept(kept, body, said)
            return kept_again(terminal, as_sent=True)
        appended = sign_or_keep(
            terminal, writer, Kind.SUGGESTION, body, item_id=suggestion_id, prompt=prompt, words=said
        )
        return thanks_for(terminal, appended)


def complain(terminal: Terminal, tablet: Tablet, complaint_id: str, grievance: Grievance) -> Thanks:
    """The signed complaint, which opens a case under its id, or the kept one where nothing can be signed.

    Raises:
        InvalidError: "id", "complaint" (neither a problem nor words), "category", "remedy",
            "comment", "order", "occurred-at", "occurred-in-future" (by more than a day), "amount",
            "lang", "claim", "contact", "consents" (a contact that nobody may call, or none to call)
            or "notice".
        NotFoundError: "prompt", when the tablet's till has none of that id.
        ConflictError: "answer-id", when the id is of another complaint.
    """
    check_id(complaint_id)
    checked = _check_grievance(terminal.catalogue, grievance, terminal.clock.now())
    body, words = _told(terminal, complaint_id, checked)
    with writing(terminal) as writer:
        prompt = _prompt(terminal, writer, tablet, checked.prompt_id)
        row: Complaint | None = writer.first(Complaint.select().where(Complaint.case_id == complaint_id))
        if row is not None:
            gone = erased_members(writer, row.epoch, row.seq)
            stands = [row.first, *_lists(row), row.comment, row.order_no, row.occurred_at, row.amount]
            sent = [None if name in gone else words.get(name) or None for name in _CLEAR]
            _require_same(stands, [body.first, body.categories, body.remedies, *sent])
            return thanks_again(terminal, writer, row.epoch, row.seq, as_sent=True)
        kept = find_kept(writer, complaint_id)
        if kept is not None:
            _require_kept(kept, body, words)
            return kept_again(terminal, as_sent=True)
        appended = sign_or_keep(
            terminal, writer, Kind.COMPLAINT, body, item_id=complaint_id, prompt=prompt, words=words
        )
        return thanks_for(terminal, appended)


def _check_grievance(catalogue: Catalogue, grievance: Grievance, now: datetime) -> Grievance:
    """The complaint with every text in the one form that is kept; `now` is local."""
    check_codes(grievance.categories, catalogue.category, "category")
    check_codes(grievance.remedies, catalogue.remedy, "remedy")
    check_lang(grievance.lang)
    check_claim(grievance.claim)
    comment = check_comment(grievance.comment)
    if not comment and not grievance.categories:
        raise InvalidError("complaint", "a problem or some words are expected")
    return replace(
        grievance,
        contact=_check_calls(catalogue, grievance),
        comment=comment,
        order=check_order(grievance.order),
        occurred_at=check_occurred_at(grievance.occurred_at, now),
        amount=check_amount(grievance.amount),
    )


def _check_calls(catalogue: Catalogue, grievance: Grievance) -> str:
    """The number to call, with who may call it; empty where none was given."""
    contact = check_contact(grievance.contact)
    if len(set(grievance.consents)) != len(grievance.consents) or bool(contact) != bool(grievance.consents):
        raise InvalidError("consents", "a number and who may call it are expected together")
    if grievance.notice not in {None, catalogue.notice.version} or (contact and grievance.notice is None):
        raise InvalidError("notice", "the version of the notice in force is expected")
    return contact


def _seal(terminal: Terminal, complaint_id: str, contact: str) -> str:
    """The contact as it is kept; empty where there is none."""
    if not contact:
        return ""
    identity = terminal.journal.identity
    public = decode_b64u(identity.grant.sealing_key, length=32)
    return encode_b64u(seal_contact(public, identity.issuer, complaint_id, contact))


def _told(
    terminal: Terminal, complaint_id: str, grievance: Grievance
) -> tuple[ComplaintBody, Mapping[str, str]]:
    """What the record says, and its erasable members: all of it in one that is sealed, for the station alone."""
    body = ComplaintBody(
        categories=grievance.categories,
        remedies=grievance.remedies,
        channel="tablet",
        lang=grievance.lang,
        catalogue=terminal.catalogue.version,
        claim=grievance.claim,
        consents=grievance.consents,
        notice=grievance.notice,
        first=grievance.first,
    )
    if grievance.first == "shop":
        sealed = _seal(terminal, complaint_id, grievance.contact)
        return body, {**{name: getattr(grievance, name) for name in _CLEAR}, "contact": sealed}
    nothing = replace_members(body, categories=(), remedies=(), consents=(), notice=None)
    return nothing, {"sealed": _seal_all(terminal, complaint_id, grievance)}


def _seal_all(terminal: Terminal, complaint_id: str, grievance: Grievance) -> str:
    confided = Confided(
        categories=grievance.categories,
        remedies=grievance.remedies,
        comment=grievance.comment,
        order=grievance.order,
        occurred_at=grievance.occurred_at,
        amount=grievance.amount,
        contact=grievance.contact,
        consents=grievance.consents,
        notice=grievance.notice,
    )
    identity = terminal.journal.identity
    public = decode_b64u(identity.grant.sealing_key, length=32)
    return encode_b64u(seal_complaint(public, identity.issuer, complaint_id, confided))


def _prompt(terminal: Terminal, reader: Reader, tablet: Tablet, prompt_id: str | None) -> Prompt | None:
    if prompt_id is None:
        return None
    prompt = find_or_lost(terminal, reader, prompt_id, tablet.till)
    if not tablet.hears(prompt.till):
        raise NotFoundError("prompt", "there is no such prompt for this tablet")
    return prompt


def _lists(row: Complaint) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return tuple(row.categories), tuple(row.remedies)


def _require_same(stands: Sequence[object], sent: Sequence[object]) -> None:
    if stands != sent:
        raise ConflictError("answer-id", "the id is of other words that are signed already")


def _require_kept(kept: Kept, body: ComplaintBody | SuggestionBody, words: Mapping[str, str]) -> None:
    stands = {name: value for name, value in kept.words.items() if name not in _SEALED}
    sent = {name: value for name, value in words.items() if value and name not in _SEALED}
    _require_same([body_of(kept), stands], [body, sent])
