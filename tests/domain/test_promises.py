"""What shops may promise: the shipped kinds, and what a promise may state."""

from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent import resources
from merchant_agent.domain.merchants import Merchant
from merchant_agent.domain.promises import (
    MAX_PROMISES,
    Promise,
    PromiseKinds,
    decode_promise_kinds,
    load_promise_kinds,
)
from merchant_agent.errors import InvalidError, SettingsError

FOLDER = resources.directory("config") / "promises"
RETURN = Promise(code="no_reason_return", days=7, goods="未拆封的商品", terms="凭小票")
KIND = '[[kinds]]\ncode = "a"\nzh = "甲"\nen = "A"\ntakes = []\nneeds = []\n'


@pytest.fixture(scope="module")
def kinds() -> PromiseKinds:
    return load_promise_kinds(FOLDER)


def test_no_reason_return_states_days_and_goods_and_may_state_terms(kinds: PromiseKinds) -> None:
    kind = kinds.kind("no_reason_return")
    assert (kind.takes, kind.needs) == (("days", "goods", "terms"), ("days", "goods"))
    kinds.check(RETURN)
    kinds.check(Promise(code="no_reason_return", days=1, goods="x"))


def test_promises_are_said_in_both_languages_and_in_the_order_of_showing(kinds: PromiseKinds) -> None:
    said = kinds.say([Promise(code="clear_prices"), RETURN], "zh")
    assert [one.words for one in said] == ["7天无理由退换货", "明码标价，标多少收多少"]
    assert (said[0].goods, said[0].terms, said[1].goods) == ("未拆封的商品", "凭小票", "")
    assert kinds.say([RETURN], "en")[0].words == "No-reason return or exchange within 7 days"


def test_promise_of_a_later_version_is_left_out_and_harms_no_other(kinds: PromiseKinds) -> None:
    assert len(kinds.say([Promise(code="of_later"), RETURN], "zh")) == 1


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"code": "No Code"}, "promise"),
        ({"days": 0}, "promise-days"),
        ({"days": 91}, "promise-days"),
        ({"goods": "a\nb"}, "promise-goods"),
        ({"goods": "x" * 61}, "promise-goods"),
        ({"terms": "x" * 121}, "promise-terms"),
        ({"terms": "\u202egnp"}, "promise-terms"),
    ],
)
def test_wrong_detail_is_refused(fields: dict[str, str | int], code: str) -> None:
    with pytest.raises(InvalidError) as error:
        Promise(**{"code": "full_weight", **fields})  # type: ignore[arg-type]
    assert error.value.code == code


@pytest.mark.parametrize(
    ("promise", "code"),
    [
        (Promise(code="of_later"), "promise"),
        (Promise(code="no_reason_return", goods="x"), "promise-days"),
        (Promise(code="no_reason_return", days=7), "promise-goods"),
        (Promise(code="full_weight", days=7), "promise-days"),
        (Promise(code="no_fakes", goods="x"), "promise-terms"),
    ],
)
def test_promise_states_what_its_kind_needs_and_no_more(
    kinds: PromiseKinds, promise: Promise, code: str
) -> None:
    with pytest.raises(InvalidError) as error:
        kinds.check(promise)
    assert error.value.code == code


@pytest.mark.parametrize("count", [2, MAX_PROMISES + 1])
def test_merchant_promises_each_kind_once_and_not_too_much(count: int) -> None:
    codes = ["full_weight"] * 2 if count == 2 else [f"kind_{number}" for number in range(count)]
    with pytest.raises(InvalidError) as error:
        Merchant(
            name="x",
            credit_code="91510129MA6C0A0J4X",
            address="x",
            trade="other",
            promises=tuple(Promise(code=code) for code in codes),
        )
    assert error.value.code == "promise"


@pytest.mark.parametrize(
    "text",
    [
        "version = ",
        'version = "2026-1"\nunknown = 1\nkinds = []',
        f'version = "2026-1"\n{KIND}{KIND}',
        f'version = "2026-1"\n{KIND}'.replace("needs = []", 'needs = ["goods"]'),
        f'version = "2026-1"\n{KIND}'.replace("甲", "{days}天"),
        f'version = "2026-1"\n{KIND}'.replace("takes = []", 'takes = ["days"]'),
        f'version = "2026-1"\n{KIND}'.replace('code = "a"', 'code = "A b"'),
    ],
)
def test_inconsistent_kinds_are_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        decode_promise_kinds(text)


def test_newest_version_counts(tmp_path: Path) -> None:
    for version in ("2026-2", "2026-10"):
        (tmp_path / f"{version}.toml").write_text(f'version = "{version}"\n{KIND}', "utf-8")
    assert load_promise_kinds(tmp_path).version == "2026-10"


def test_later_version_that_drops_a_kind_is_refused(tmp_path: Path) -> None:
    other = KIND.replace('"a"', '"b"')
    (tmp_path / "2026-1.toml").write_text(f'version = "2026-1"\n{KIND}', "utf-8")
    (tmp_path / "2026-2.toml").write_text(f'version = "2026-2"\n{other}', "utf-8")
    with pytest.raises(SettingsError):
        load_promise_kinds(tmp_path)


@pytest.mark.parametrize("text", [None, f'version = "2026-2"\n{KIND}'])
def test_missing_or_misnamed_version_is_refused(tmp_path: Path, text: str | None) -> None:
    if text is not None:
        (tmp_path / "2026-1.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError):
        load_promise_kinds(tmp_path)
