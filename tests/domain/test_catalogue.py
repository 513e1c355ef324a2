"""The shipped catalogue, and what is refused in another."""

from __future__ import annotations

from pathlib import Path

import pytest

from merchant_agent import resources
from merchant_agent.domain.catalogue import Catalogue, decode_catalogue, load_catalogue
from merchant_agent.errors import InvalidError, SettingsError

FOLDER = resources.directory("config") / "catalogue"


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(FOLDER)


@pytest.fixture(scope="module")
def text() -> str:
    return (FOLDER / "2026-1.toml").read_text("utf-8")


def test_file_states_the_version_that_its_name_says(catalogue: Catalogue) -> None:
    assert catalogue.version == "2026-1"


def test_five_levels_from_best_to_worst_in_both_languages(catalogue: Catalogue) -> None:
    assert [(level.level, level.zh) for level in catalogue.levels] == [
        (5, "非常满意"),
        (4, "满意"),
        (3, "基本满意"),
        (2, "不满意"),
        (1, "非常不满意"),
    ]
    assert [level.text("en-GB") for level in catalogue.levels][::4] == ["Very satisfied", "Very dissatisfied"]


def test_every_trade_praises_as_often_as_it_criticises(catalogue: Catalogue) -> None:
    for trade in catalogue.trades:
        tones = [tag.tone for tag in catalogue.tags_for(trade.code)]
        assert tones.count("praise") == tones.count("remark") > 0


def test_every_word_of_praise_has_its_counterpart_about_the_same_aspect(catalogue: Catalogue) -> None:
    for trade in catalogue.trades:
        aspects = {
            tone: sorted(t.aspect for t in catalogue.tags_for(trade.code) if t.tone == tone)
            for tone in ("praise", "remark")
        }
        assert aspects["praise"] == aspects["remark"], trade.code


def test_remedies_are_the_seven_requests_an_apology_and_others(catalogue: Catalogue) -> None:
    assert {remedy.official for remedy in catalogue.remedies} == {
        "修理", "重作", "更换", "退货", "补足商品数量", "退还货款和服务费用", "赔偿损失", "道歉", "其他",
    }  # fmt: skip
    assert [remedy.zh for remedy in catalogue.remedies if remedy.common] == [
        "退钱", "重做或换一份", "补足分量", "赔偿", "道歉",
    ]  # fmt: skip


def test_all_problem_categories_are_there_in_plain_words(catalogue: Catalogue) -> None:
    assert [category.official for category in catalogue.categories] == [
        "质量", "售后服务", "合同", "食品安全", "价格", "计量", "广告与虚假宣传", "不正当竞争", "商标与假冒",
        "安全", "人格尊严", "检验检测", "预付式消费", "个人信息", "未兑现承诺", "其他",
    ]  # fmt: skip
    assert catalogue.category("measure").zh == "缺斤少两"


def test_common_and_other_categories_together_are_all(catalogue: Catalogue) -> None:
    for trade in catalogue.trades:
        shown = catalogue.common_categories(trade.code) + catalogue.other_categories(trade.code)
        assert sorted(category.code for category in shown) == sorted(c.code for c in catalogue.categories)


def test_unknown_trade_is_treated_as_other(catalogue: Catalogue) -> None:
    assert catalogue.trade("spaceport").code == "other"
    assert catalogue.tags_for("spaceport") == catalogue.tags_for("other")


def test_at_most_four_aspects_besides_overall(catalogue: Catalogue) -> None:
    for trade in catalogue.trades:
        aspects = catalogue.aspects_for(trade.code)
        assert aspects[0].code == "overall"
        assert len(aspects) <= 5


@pytest.mark.parametrize("kind", ["aspect", "tag", "category", "remedy"])
def test_unknown_code_is_refused_by_its_kind(catalogue: Catalogue, kind: str) -> None:
    with pytest.raises(InvalidError) as caught:
        getattr(catalogue, kind)("nonsense")
    assert caught.value.code == kind


@pytest.mark.parametrize("level", [0, 6, -1])
def test_level_outside_one_to_five_is_refused(catalogue: Catalogue, level: int) -> None:
    with pytest.raises(InvalidError) as caught:
        catalogue.level(level)
    assert caught.value.code == "level"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param('version = "2026-1"', 'version = "spring"', id="version"),
        pytest.param("level = 5", "level = 4", id="level-twice"),
        pytest.param('code = "taste_plain"', 'code = "taste_good"', id="code-twice"),
        pytest.param('code = "taste_plain"', 'code = "taste plain"', id="code-form"),
        pytest.param('tone = "praise"', 'tone = "remark"', id="uneven"),
        pytest.param('tone = "praise"', 'tone = "shout"', id="tone"),
        pytest.param('aspect = "measure"', 'aspect = "height"', id="aspect"),
        pytest.param('en = "Tasty"', "", id="one-language"),
        pytest.param('en = "Tasty"', 'en = "Tasty"\nfr = "Bon"', id="unknown-member"),
        pytest.param('"taste_good", ', '"taste_goood", ', id="unknown-tag"),
        pytest.param('categories = ["food_safety"', 'categories = ["food"', id="unknown-category"),
        pytest.param('code = "overall"', 'code = "total"', id="no-overall"),
        pytest.param("[[levels]]", "[[levels", id="no-toml"),
        pytest.param(
            '"environment", "waiting"]', '"environment", "waiting", "price"]', id="too-many-aspects"
        ),
    ],
)
def test_inconsistent_catalogue_is_refused(text: str, old: str, new: str) -> None:
    assert old in text
    with pytest.raises(SettingsError):
        decode_catalogue(text.replace(old, new, 1))


def test_catalogue_without_the_trade_other_is_refused(text: str) -> None:
    head, _, tail = text.rpartition('code = "other"')
    with pytest.raises(SettingsError):
        decode_catalogue(f'{head}code = "another"{tail}')


def test_newest_version_is_loaded_unless_one_is_named(tmp_path: Path, text: str) -> None:
    for version in ("2026-9", "2026-10", "2025-12"):
        (tmp_path / f"{version}.toml").write_text(text.replace("2026-1", version, 2), "utf-8")
    (tmp_path / "notes.toml").write_text("x = 1", "utf-8")
    assert load_catalogue(tmp_path).version == "2026-10"
    assert load_catalogue(tmp_path, "2025-12").version == "2025-12"


def test_missing_version_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        load_catalogue(tmp_path)
    with pytest.raises(SettingsError):
        load_catalogue(FOLDER, "1999-1")


def test_file_name_and_version_must_agree(tmp_path: Path, text: str) -> None:
    (tmp_path / "2027-1.toml").write_text(text, "utf-8")
    with pytest.raises(SettingsError):
        load_catalogue(tmp_path)
