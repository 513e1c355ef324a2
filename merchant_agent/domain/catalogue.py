"""What customers are asked and what they may answer: levels, reasons, problems, remedies.

One TOML file holds one version; each item has the code that is signed and its words in
both languages. A record names the version that it was answered under. A published file
is never changed: other codes are another version, beside it.
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from merchant_agent.errors import InvalidError, SettingsError

LEVELS = (5, 4, 3, 2, 1)
OTHER_TRADE = "other"
MAX_ASPECTS_PER_TRADE = 4

_CODE = re.compile(r"[a-z][a-z0-9_]{0,31}")
_VERSION = re.compile(r"([0-9]{4})-([1-9][0-9]{0,3})")


class Words(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same thing said in both languages."""

    zh: str
    en: str

    def text(self, lang: str) -> str:
        """The words in `lang`; anything that does not begin with `en` reads Chinese."""
        return self.en if lang.startswith("en") else self.zh


class Level(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One face, from 5 (very satisfied) to 1 (very dissatisfied)."""

    level: int

    @property
    def code(self) -> str:
        """The level as a code, as the other items have one."""
        return str(self.level)


class Aspect(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A side of a visit that can be judged by itself."""

    code: str


class Tag(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A reason in a few words. Its tone serves only to keep the lists balanced."""

    code: str
    aspect: str
    tone: Literal["praise", "remark"]


class Category(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A kind of problem in plain words; `official` is its name in the authority's lists."""

    code: str
    official: str


class Remedy(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer may ask for; the ones that are not `common` stand under "other"."""

    code: str
    official: str
    common: bool = False


class Notice(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is said before a contact is asked for: who keeps it, for what and how long.

    Complaints name its version; other words are another version.
    """

    version: str


class Trade(Words, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A line of business and which aspects, tags and problems fit it, by code and in order.

    `number` is what its customers call the number on the receipt.
    """

    code: str
    number: Words
    aspects: tuple[str, ...]
    tags: tuple[str, ...]
    categories: tuple[str, ...]


_Coded = TypeVar("_Coded", Aspect, Tag, Category, Remedy, Trade)


class Catalogue(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One version of all items, consistent in itself; every tuple is in the order of showing."""

    version: str
    notice: Notice
    levels: tuple[Level, ...]
    aspects: tuple[Aspect, ...]
    tags: tuple[Tag, ...]
    categories: tuple[Category, ...]
    remedies: tuple[Remedy, ...]
    trades: tuple[Trade, ...]

    def trade(self, code: str) -> Trade:
        """The trade of that code; "other" for one that this version does not know."""
        known = {trade.code: trade for trade in self.trades}
        return known.get(code, known[OTHER_TRADE])

    def aspects_for(self, trade: str) -> tuple[Aspect, ...]:
        """The overall aspect, then at most four of the trade."""
        return tuple(self.aspect(code) for code in ("overall", *self.trade(trade).aspects))

    def tags_for(self, trade: str) -> tuple[Tag, ...]:
        """The reasons offered in a trade, the same under every level."""
        return tuple(self.tag(code) for code in self.trade(trade).tags)

    def common_categories(self, trade: str) -> tuple[Category, ...]:
        """The problems that a complaint in this trade shows first."""
        return tuple(self.category(code) for code in self.trade(trade).categories)

    def other_categories(self, trade: str) -> tuple[Category, ...]:
        """All other problems."""
        common = self.trade(trade).categories
        return tuple(category for category in self.categories if category.code not in common)

    def level(self, level: int) -> Level:
        """The face of a level.

        Raises:
            InvalidError: "level", when it is not 1 to 5.
        """
        for item in self.levels:
            if item.level == level:
                return item
        raise InvalidError("level", "a level is a number from 1 to 5")

    def aspect(self, code: str) -> Aspect:
        """The aspect of that code; InvalidError "aspect" when there is none."""
        return _find(self.aspects, code, "aspect")

    def tag(self, code: str) -> Tag:
        """The tag of that code; InvalidError "tag" when there is none."""
        return _find(self.tags, code, "tag")

    def category(self, code: str) -> Category:
        """The problem category of that code; InvalidError "category" when there is none."""
        return _find(self.categories, code, "category")

    def remedy(self, code: str) -> Remedy:
        """The remedy of that code; InvalidError "remedy" when there is none."""
        return _find(self.remedies, code, "remedy")


def decode_catalogue(text: str) -> Catalogue:
    """The catalogue that a TOML text states, checked for consistency.

    Raises:
        SettingsError: unreadable, an unknown member, a code used twice or meaning nothing,
            or a trade whose reasons praise more often than they criticise, or less.
    """
    try:
        catalogue = msgspec.convert(tomllib.loads(text), Catalogue)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise SettingsError(f"the catalogue is unreadable: {error}") from error
    _check(catalogue)
    return catalogue


def load_catalogue(directory: Path, version: str | None = None) -> Catalogue:
    """One version of the catalogue from its folder; the newest unless one is named.

    Raises:
        SettingsError: there is no such file, or it is not consistent.
    """
    found = dict(versions(directory))
    wanted = next(reversed(found), None) if version is None else version
    if wanted is None or wanted not in found:
        raise SettingsError(f"there is no catalogue {version or ''} in {directory}")
    catalogue = decode_catalogue(found[wanted].read_text("utf-8"))
    _require(catalogue.version == wanted, f"{found[wanted].name} states version {catalogue.version}")
    return catalogue


def versions(directory: Path) -> tuple[tuple[str, Path], ...]:
    """The versions that lie in a folder, each with its file, oldest first."""
    found = [(path.stem, path) for path in directory.glob("*.toml") if _VERSION.fullmatch(path.stem)]
    return tuple(sorted(found, key=lambda one: _version_key(one[0])))


def _version_key(version: str) -> tuple[int, int]:
    year, _, number = version.partition("-")
    return int(year), int(number)


def _find(items: Sequence[_Coded], code: str, kind: str) -> _Coded:
    for item in items:
        if item.code == code:
            return item
    raise InvalidError(kind, f"the catalogue has no {kind} of that code")


def _check(catalogue: Catalogue) -> None:
    _require(_VERSION.fullmatch(catalogue.version) is not None, "a version is written 2026-1")
    _require(_VERSION.fullmatch(catalogue.notice.version) is not None, "a notice's version is written 2026-1")
    _require(tuple(item.level for item in catalogue.levels) == LEVELS, "the levels must be 5 to 1, in order")
    aspects = _check_codes("aspects", catalogue.aspects)
    tags = _check_codes("tags", catalogue.tags)
    categories = _check_codes("categories", catalogue.categories)
    _check_codes("remedies", catalogue.remedies)
    trades = _check_codes("trades", catalogue.trades)
    _require("overall" in aspects, "there is no aspect overall")
    _require(OTHER_TRADE in trades, "there is no trade other")
    _check_known("tags", (tag.aspect for tag in catalogue.tags), aspects)
    for trade in catalogue.trades:
        _require(len(trade.aspects) <= MAX_ASPECTS_PER_TRADE, f"{trade.code} has too many aspects")
        _check_known(trade.code, trade.aspects, aspects)
        _check_known(trade.code, trade.tags, tags)
        _check_known(trade.code, trade.categories, categories)
        tones = Counter(tag.tone for tag in catalogue.tags_for(trade.code))
        _require(tones["praise"] == tones["remark"], f"{trade.code} praises and criticises unevenly")


def _check_codes(kind: str, items: Sequence[_Coded]) -> frozenset[str]:
    codes = frozenset(item.code for item in items)
    _require(len(codes) == len(items), f"{kind} use a code twice")
    _require(all(_CODE.fullmatch(code) for code in codes), f"{kind} have a code of a wrong form")
    return codes


def _check_known(where: str, codes: Iterable[str], known: frozenset[str]) -> None:
    listed = list(codes)
    _require(known.issuperset(listed), f"{where} name unknown codes: {sorted(set(listed) - known)}")


def _require(condition: bool, otherwise: str) -> None:  # noqa: FBT001 - reads as an assertion
    if not condition:
        raise SettingsError(f"the catalogue is not consistent: {otherwise}")
