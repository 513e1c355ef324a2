"""What customers may say on a tablet, checked before any of it is kept."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from merchant_agent.domain.catalogue import Catalogue
from merchant_agent.domain.text import check_paragraphs
from merchant_agent.errors import FormatError, InvalidError
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import is_id

COMMENT_MAX_CHARS = 1000
MAX_CODES = 32
MAX_ASPECTS = 16
CLAIM_HASH_BYTES = 32
LANGUAGES = frozenset({"zh", "en"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a customer tapped and typed about a prompt so far; `level` is None once it was taken back.

    `aspects` are pairs of an aspect's code and the level given to it; `claim` is the hash of what the
    customer takes along, None where that is nothing.
    """

    prompt_id: str
    level: int | None
    aspects: tuple[tuple[str, int], ...] = ()
    tags: tuple[str, ...] = ()
    comment: str = ""
    lang: str = "zh"
    claim: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Thanks:
    """What was signed for a customer, or kept while nothing can be signed; it is on the disk.

    What is kept has neither a `place` nor a query code, which is empty, nor a slip: in its stead
    `page_url` is central's own page for this shop. `slip_url` is the slip's address without a claim;
    only what `claim` is the hash of may be written behind it. Both are None while nobody told where
    central is. `created` is False where it was there before; `as_sent` is False where it stands as an
    earlier touch had left it, and what was sent now came too late for it.
    """

    query_code: str
    place: Place | None
    slip_url: str | None
    page_url: str | None
    claim: str | None
    created: bool
    as_sent: bool


def check_answer(catalogue: Catalogue, answer: Answer) -> Answer:
    """The answer with its comment in the one form that is kept.

    Raises:
        InvalidError: "level", "aspect", "tag", "comment" or "lang".
    """
    if answer.level is not None:
        catalogue.level(answer.level)
    for _, level in answer.aspects:
        catalogue.level(level)
    check_codes([aspect for aspect, _ in answer.aspects], catalogue.aspect, "aspect", most=MAX_ASPECTS)
    check_codes(answer.tags, catalogue.tag, "tag")
    check_lang(answer.lang)
    check_claim(answer.claim)
    return replace(answer, comment=check_comment(answer.comment))


def check_codes(
    codes: Sequence[str], find: Callable[[str], object], kind: str, *, most: int = MAX_CODES
) -> None:
    """Returns when each code is in the catalogue, none stands twice and there are not too many.

    Raises:
        InvalidError: with `kind` as its code.
    """
    if len(codes) > most or len(set(codes)) != len(codes):
        raise InvalidError(kind, f"at most {most} different ones are expected")
    for code in codes:
        find(code)


def check_comment(text: str, *, min_chars: int = 0) -> str:
    """The words in the one form that is kept, 1,000 characters at most.

    Raises:
        InvalidError: "comment".
    """
    return check_paragraphs(text, code="comment", max_chars=COMMENT_MAX_CHARS, min_chars=min_chars)


def check_lang(lang: str) -> None:
    """Returns when it is a language of the tablet.

    Raises:
        InvalidError: "lang".
    """
    if lang not in LANGUAGES:
        raise InvalidError("lang", "zh or en is expected")


def check_claim(claim: str | None) -> None:
    """Returns when it is the hash of a claim, or None.

    Raises:
        InvalidError: "claim".
    """
    try:
        if claim is not None:
            decode_b64u(claim, length=CLAIM_HASH_BYTES)
    except FormatError as error:
        raise InvalidError("claim", "the hash of a claim is expected") from error


def check_id(text: str) -> None:
    """Returns when it is an id as tablets make them.

    Raises:
        InvalidError: "id".
    """
    if not is_id(text):
        raise InvalidError("id", "a UUIDv7 in lower case is expected")
