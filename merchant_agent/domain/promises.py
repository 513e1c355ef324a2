"""What a shop may promise its customers, and a promise that one made.

One TOML file holds one version of the kinds, with their words in both languages. Promising is
voluntary and binds once it was done; so no later version takes a kind away.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec

from merchant_agent.domain.catalogue import Words, versions
from merchant_agent.domain.text import check_line
from merchant_agent.errors import InvalidError, SettingsError

MAX_DAYS = 90
GOODS_MAX_CHARS = 60
TERMS_MAX_CHARS = 120
MAX_PROMISES = 20

Detail = Literal["days", "goods", "terms"]

_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_DAYS = "{days}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promise:
    """One promise of a shop's, checked; what its kind does not take is None or empty.

    Raises:
        InvalidError: "promise" for the code, "promise-days", "promise-goods" or "promise-terms".
    """

    code: str
    days: int | None = None
    goods: str = ""
    terms: str = ""

    def __post_init__(self) -> None:
        if not _CODE.fullmatch(self.code):
            raise InvalidError("promise", "a promise's code is expected")
        if self.days is not None and not 1 <= self.days <= MAX_DAYS:
            raise InvalidError("promise-days", f"1 to {MAX_DAYS} days are expected")
        goods = check_line(self.goods, code="promise-goods", max_chars=GOODS_MAX_CHARS)
        terms = check_line(self.terms, code="promise-terms", max_chars=TERMS_MAX_CHARS)
        object.__setattr__(self, "goods", goods)
        object.__setattr__(self, "terms", terms)


@dataclass(frozen=True, slots=True, kw_only=True)
class SaidPromise:
    """A promise in words, for people; `goods` and `terms` as the shop wrote them, or empty."""

    words: str
    goods: str
    terms: str


class PromiseKind(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What may be promised; `takes` are the details that it may state, `needs` those that it must."""

    code: str
    takes: tuple[Detail, ...]
    needs: tuple[Detail, ...]


class PromiseKinds(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of all kinds, in the order of showing."""

    version: str
    kinds: tuple[PromiseKind, ...]

    def kind(self, code: str) -> PromiseKind:
        """The kind of that code.

        Raises:
            InvalidError: "promise", when there is none.
        """
        for kind in self.kinds:
            if kind.code == code:
                return kind
        raise InvalidError("promise", "there is no such promise")

    def check(self, promise: Promise) -> None:
        """Returns when the promise states what its kind needs, and nothing that it does not take.

        Raises:
            InvalidError: "promise", "promise-days", "promise-goods" or "promise-terms".
        """
        kind = self.kind(promise.code)
        stated: dict[Detail, bool] = {
            "days": promise.days is not None,
            "goods": bool(promise.goods),
            "terms": bool(promise.terms),
        }
        for detail, is_stated in stated.items():
            if is_stated and detail not in kind.takes:
                raise InvalidError(f"promise-{detail}", f"{kind.code} takes no {detail}")
            if not is_stated and detail in kind.needs:
                raise InvalidError(f"promise-{detail}", f"{kind.code} needs {detail}")

    def say(self, promises: Iterable[Promise], lang: str) -> tuple[SaidPromise, ...]:
        """The promises in words, in the order of showing; one that this version does not know is left out."""
        made = {promise.code: promise for promise in promises}
        return tuple(_say(kind, made[kind.code], lang) for kind in self.kinds if kind.code in made)


def require_once(promises: Iterable[Promise]) -> tuple[Promise, ...]:
    """The promises, when there are not too many and no kind comes twice.

    Raises:
        InvalidError: "promise".
    """
    listed = tuple(promises)
    if len(listed) > MAX_PROMISES or len({promise.code for promise in listed}) != len(listed):
        raise InvalidError("promise", f"at most {MAX_PROMISES} promises are expected, each kind once")
    return listed


def decode_promise_kinds(text: str) -> PromiseKinds:
    """The kinds that a TOML text states, checked for consistency.

    Raises:
        SettingsError: unreadable, an unknown member, a code used twice, a detail that is needed and
            not taken, or words with a gap for days that need not be stated.
    """
    try:
        kinds = msgspec.convert(tomllib.loads(text), PromiseKinds)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"the promises are unreadable: {error}") from error
    if len({kind.code for kind in kinds.kinds}) != len(kinds.kinds) or len(kinds.kinds) > MAX_PROMISES:
        raise SettingsError(f"the promises are not consistent: more than {MAX_PROMISES}, or a code twice")
    for kind in kinds.kinds:
        _check(kind)
    return kinds


def load_promise_kinds(directory: Path) -> PromiseKinds:
    """The newest version of the kinds from its folder.

    Raises:
        SettingsError: there is none, it is not consistent, or it lacks a kind of an older one.
    """
    found = {version: decode_promise_kinds(path.read_text("utf-8")) for version, path in versions(directory)}
    if not found:
        raise SettingsError(f"there are no promises in {directory}")
    newest = list(found.values())[-1]
    known = {kind.code for kind in newest.kinds}
    for version, kinds in found.items():
        if kinds.version != version:
            raise SettingsError(f"{version}.toml states version {kinds.version}")
        lost = sorted({kind.code for kind in kinds.kinds} - known)
        if lost:
            raise SettingsError(f"the promises of version {newest.version} lack {lost} of version {version}")
    return newest


def _say(kind: PromiseKind, promise: Promise, lang: str) -> SaidPromise:
    days = "" if promise.days is None else str(promise.days)
    words = kind.text(lang).replace(_DAYS, days)
    return SaidPromise(words=words, goods=promise.goods, terms=promise.terms)


def _check(kind: PromiseKind) -> None:
    has_gap = {_DAYS in kind.zh, _DAYS in kind.en}
    if not _CODE.fullmatch(kind.code):
        raise SettingsError(f"the promises are not consistent: {kind.code} is no code")
    if not set(kind.needs) <= set(kind.takes):
        raise SettingsError(f"the promises are not consistent: {kind.code} needs what it does not take")
    if has_gap != {"days" in kind.needs} or ("days" in kind.takes) != ("days" in kind.needs):
        raise SettingsError(f"the promises are not consistent: the days of {kind.code}")
