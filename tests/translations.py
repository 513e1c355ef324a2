"""The message catalogue against the texts in code and templates.

`python -m tests.translations` brings messages.po up to date: new texts appear empty, texts that are
gone are dropped, and messages.mo is compiled. The tests refuse what is empty, fuzzy or out of date.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parents[1]
PO = ROOT / "merchant_agent/translations/zh/LC_MESSAGES/messages.po"
_METHODS = [("merchant_agent/**.py", "python"), ("templates/**.html", "jinja2")]
_KEYWORDS = {**DEFAULT_KEYWORDS, "lazy_gettext": None, "_l": None}


def extracted() -> Catalog:
    """Every text for people that stands in code and templates, without places."""
    catalog = Catalog(locale="zh")
    for top in ("merchant_agent", "templates"):
        methods = [(pattern.removeprefix(f"{top}/"), method) for pattern, method in _METHODS]
        for _, _, message, _, context in extract_from_dir(str(ROOT / top), methods, keywords=_KEYWORDS):
            catalog.add(message, context=context)
    return catalog


def committed() -> Catalog:
    """The catalogue as it stands."""
    with PO.open("rb") as file:
        return read_po(file, locale="zh")


def compiled(catalog: Catalog) -> bytes:
    """The .mo of a catalogue."""
    buffer = io.BytesIO()
    write_mo(buffer, catalog)
    return buffer.getvalue()


def _key(message_id: str | tuple[str, ...] | list[str]) -> str:
    return message_id if isinstance(message_id, str) else message_id[0]


def identifiers(catalog: Catalog) -> set[str]:
    """The texts' English forms."""
    return {_key(message.id) for message in catalog if message.id}


def main() -> int:
    """Updates the catalogue; 1 when a text still needs its translation."""
    old, wanted = committed(), extracted()
    translated = {_key(message.id): message.string for message in old if message.id}
    fresh = Catalog(locale="zh", project="merchant_agent", copyright_holder="The merchant_agent authors")
    fresh.mime_headers = old.mime_headers
    for message in wanted:
        if message.id:
            fresh.add(message.id, translated.get(_key(message.id), ""), flags=message.flags)
    with PO.open("wb") as file:
        write_po(file, fresh, sort_output=True, no_location=True, width=100)
    PO.with_suffix(".mo").write_bytes(compiled(committed()))
    missing = [_key(message.id) for message in committed() if message.id and not message.string]
    for text in missing:
        sys.stderr.write(f"no translation: {text}\n")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
