"""Both languages are complete."""

from __future__ import annotations

import re

from tests.translations import PO, committed, compiled, extracted, identifiers

# Names and codes that read the same in both languages.
SAME_IN_BOTH = {"English", "POS", "CSV"}
_CHINESE = re.compile(r"[\u4e00-\u9fff]")


def test_catalogue_holds_exactly_the_texts_in_use() -> None:
    assert identifiers(committed()) == identifiers(extracted())


def test_no_entry_is_empty_or_fuzzy() -> None:
    bad = [m.id for m in committed() if m.id and (m.fuzzy or not m.string or not all(m.string))]
    assert bad == []


def test_chinese_texts_are_chinese_and_english_texts_are_english() -> None:
    for message in committed():
        if not message.id:
            continue
        english = message.id if isinstance(message.id, str) else message.id[0]
        chinese = message.string if isinstance(message.string, str) else (message.string or ("",))[0]
        if english in SAME_IN_BOTH:
            continue
        assert not _CHINESE.search(english), english
        assert _CHINESE.search(chinese) or not re.search("[A-Za-z]{2}", re.sub(r"%\(\w+\)s", "", chinese)), (
            chinese
        )


def test_placeholders_agree() -> None:
    for message in committed():
        if not message.id or not isinstance(message.id, str):
            continue
        assert sorted(re.findall(r"%\(\w+\)\w", message.id)) == sorted(
            re.findall(r"%\(\w+\)\w", str(message.string))
        )


def test_compiled_catalogue_is_of_this_text() -> None:
    assert PO.with_suffix(".mo").read_bytes() == compiled(committed())
