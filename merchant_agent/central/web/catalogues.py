"""The words of codes in records: of the catalogue's version that each record names."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from merchant_agent.domain.catalogue import Catalogue, Words, load_catalogue
from merchant_agent.errors import InvalidError, SettingsError
from merchant_agent.resources import directory
from merchant_agent.web.locale import current_lang


def aspect_words(version: str, code: str) -> str:
    """A side of a visit; a code that no version here explains stands for itself, as below."""
    return _words(version, code, Catalogue.aspect)


def tag_words(version: str, code: str) -> str:
    """A reason."""
    return _words(version, code, Catalogue.tag)


def category_words(version: str, code: str) -> str:
    """A kind of problem."""
    return _words(version, code, Catalogue.category)


def remedy_words(version: str, code: str) -> str:
    """What the customer asks for."""
    return _words(version, code, Catalogue.remedy)


def _words(version: str, code: str, find: Callable[[Catalogue, str], Words]) -> str:
    catalogue = _catalogue(version)
    if catalogue is None:
        return code
    try:
        return find(catalogue, code).text(current_lang())
    except InvalidError:
        return code


@cache
def _catalogue(version: str) -> Catalogue | None:
    """One published version, which never changes; None for one that is not known here."""
    try:
        return load_catalogue(directory("config") / "catalogue", version)
    except SettingsError:
        return None
