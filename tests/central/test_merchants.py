"""The register of merchants: by form, and from files as spreadsheets write them."""

from __future__ import annotations

import csv
import io

import pytest

from merchant_agent.central.merchants import (
    MAX_FILE_BYTES,
    Imported,
    ImportRefusedError,
    MerchantInvalidError,
    add_merchant,
    change_merchant,
    find_merchant,
    import_merchants,
    promise_field,
    promises_of,
    read_merchant,
)
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.domain.merchants import Programme, check_character
from merchant_agent.domain.promises import Promise
from merchant_agent.errors import ConflictError, NotFoundError
from merchant_agent.store.credentials import AuditEntry
from tests.central.conftest import NOODLES
from tests.central.rows import count, rows

CHINESE = ["企业名称", "店名", "统一社会信用代码", "地址", "行业", "联系电话", "创建状态"]


def code(number: int) -> str:
    body = f"91310000MA3K{number:05d}"
    return body + check_character(body)


def line(number: int) -> list[str]:
    """A merchant under the Chinese headings."""
    return [
        f"第{number}有限公司",
        f"老王{number}",
        code(number),
        f"长街 {number} 号",
        "餐饮",
        "021-1234",
        "示范单位",
    ]


def table(*lines: list[str], headings: list[str] | None = None) -> str:
    file = io.StringIO()
    csv.writer(file).writerows([headings or CHINESE, *lines])
    return file.getvalue()


def refused(central: Central, octets: bytes) -> ImportRefusedError:
    with pytest.raises(ImportRefusedError) as error:
        import_merchants(central, octets, who="li.wei")
    assert count(central, MerchantEntry) == 0
    return error.value


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_file_is_taken_in_every_encoding_that_spreadsheets_write(central: Central, encoding: str) -> None:
    text = table(line(1), ["𠮷野家有限公司", "𠮷野家", code(2), "𠮷街", "餐饮", "", ""])
    imported = import_merchants(central, text.encode(encoding), who="li.wei")
    assert imported == Imported(added=2, changed=0, unchanged=0)
    entries = {entry.credit_code: entry for entry in rows(central, MerchantEntry)}
    assert (entries[code(1)].shop_name, entries[code(1)].trade) == ("老王1", "catering")
    assert entries[code(1)].programme == Programme.MODEL
    assert (entries[code(2)].name, entries[code(2)].programme) == ("𠮷野家有限公司", Programme.NONE)


def test_headings_stand_in_any_order_and_either_language(central: Central) -> None:
    text = table([code(1), "other", "n", "a"], headings=["credit_code", "行业", "名称", "address"])
    assert import_merchants(central, text.encode(), who="li.wei").added == 1


def test_a_known_merchant_is_changed_and_keeps_its_id(central: Central) -> None:
    import_merchants(central, table(line(1), line(2)).encode(), who="li.wei")
    ids = {entry.credit_code: entry.id for entry in rows(central, MerchantEntry)}
    moved = line(1)
    moved[3] = "新街 9 号"
    imported = import_merchants(central, table(moved, line(2), line(3)).encode(), who="li.wei")
    assert imported == Imported(added=1, changed=1, unchanged=1)
    entries = {entry.credit_code: entry for entry in rows(central, MerchantEntry)}
    assert (entries[code(1)].id, entries[code(1)].address) == (ids[code(1)], "新街 9 号")


def test_blank_lines_and_fields_over_several_lines_are_taken(central: Central) -> None:
    text = table(line(1)) + ",,,,,,\r\n\r\n" + table(line(2)).split("\r\n", 1)[1]
    assert import_merchants(central, text.encode(), who="li.wei").added == 2


def test_every_line_at_fault_is_named_with_its_fields(central: Central) -> None:
    wrong_code, no_name, twice = line(2), line(3), line(1)
    wrong_code[2] = code(2)[:-1] + ("0" if code(2)[-1] != "0" else "1")
    no_name[0], no_name[4] = " ", "飞行"
    error = refused(central, table(line(1), wrong_code, no_name, twice).encode())
    assert error.code == "import-lines"
    assert [(item.line, item.problem.field) for item in error.problems] == [
        (3, "credit_code"),
        (4, "name"),
        (4, "trade"),
        (5, "credit_code"),
    ]


@pytest.mark.parametrize("cells", [["只有一格"], [*line(1), "多出"]])
def test_a_line_with_other_cells_than_headings_is_named(central: Central, cells: list[str]) -> None:
    error = refused(central, table(line(1), cells).encode())
    assert [item.line for item in error.problems] == [3]


def test_an_open_quote_is_named(central: Central) -> None:
    assert refused(central, (table(line(1)) + '"open').encode()).code == "import-lines"


@pytest.mark.parametrize(
    ("octets", "expected"),
    [
        (b"", "import-headings"),
        (b"\xff\xfe\x00", "import-encoding"),
        (table().encode(), "import-empty"),
        (table(headings=[*CHINESE, "心情"]).encode(), "import-headings"),
        (table(headings=[*CHINESE, "名称"]).encode(), "import-headings"),
        (table(headings=CHINESE[:2]).encode(), "import-headings"),
        (bytes(MAX_FILE_BYTES + 1), "import-too-large"),
    ],
)
def test_a_file_of_another_form_is_refused(central: Central, octets: bytes, expected: str) -> None:
    assert refused(central, octets).code == expected


def test_a_form_names_every_field_at_fault(central: Central) -> None:
    with pytest.raises(MerchantInvalidError) as error:
        read_merchant({"name": "", "credit_code": "x", "trade": "other"}, central.catalogue)
    assert [problem.field for problem in error.value.problems] == ["name", "credit_code", "address"]


def test_two_merchants_cannot_share_a_credit_code(central: Central) -> None:
    add_merchant(central, NOODLES, who="li.wei")
    with pytest.raises(ConflictError) as error:
        add_merchant(central, NOODLES, who="li.wei")
    assert error.value.code == "credit-code"
    other = read_merchant(
        dict(zip(["name", "credit_code", "address", "trade"], ["n", code(1), "a", "other"], strict=True)),
        central.catalogue,
    )
    with pytest.raises(ConflictError):
        change_merchant(central, add_merchant(central, other, who="li.wei"), NOODLES, who="li.wei")
    assert count(central, MerchantEntry) == 2


def test_a_merchant_is_changed(central: Central, merchant: str) -> None:
    moved = read_merchant(
        {"name": "新名", "credit_code": NOODLES.credit_code, "address": "新街", "trade": "餐饮"},
        central.catalogue,
    )
    change_merchant(central, merchant, moved, who="wang.fang")
    with central.store.read() as reader:
        assert find_merchant(reader, merchant).name == "新名"
    assert [(row.who, row.what) for row in rows(central, AuditEntry)][-1] == ("wang.fang", "merchant-changed")


RETURN = Promise(code="no_reason_return", days=7, goods="未拆封的商品", terms="凭小票")


def promising(**promised: str) -> dict[str, str]:
    """What the form sends of the noodle shop with the returns' box ticked, `promised` being its details."""
    entered = {"name": "n", "credit_code": NOODLES.credit_code, "address": "a", "trade": "other"}
    details = {promise_field(RETURN.code, detail): text for detail, text in promised.items()}
    return {**entered, promise_field(RETURN.code): "1", **details}


def test_a_promise_is_kept_as_the_form_states_it_and_removed_with_its_tick(
    central: Central, merchant: str
) -> None:
    entered = promising(days=" ７ ", goods="未拆封的商品", terms="凭小票")
    made = read_merchant(entered, central.catalogue, central.promise_kinds)
    assert made.promises == (RETURN,)
    change_merchant(central, merchant, made, who="wang.fang")
    with central.store.read() as reader:
        assert promises_of(find_merchant(reader, merchant)) == (RETURN,)
    del entered[promise_field(RETURN.code)]
    change_merchant(
        central,
        merchant,
        read_merchant(entered, central.catalogue, central.promise_kinds),
        who="wang.fang",
    )
    with central.store.read() as reader:
        assert promises_of(find_merchant(reader, merchant)) == ()


@pytest.mark.parametrize(
    ("promised", "detail"),
    [
        ({"goods": "x"}, "days"),
        ({"days": "91", "goods": "x"}, "days"),
        ({"days": "seven", "goods": "x"}, "days"),
        ({"days": "7" * 400, "goods": "x"}, "days"),
        ({"days": "7"}, "goods"),
        ({"days": "7", "goods": "x" * 61}, "goods"),
        ({"days": "7", "goods": "x", "terms": "x" * 121}, "terms"),
    ],
)
def test_a_promise_that_does_not_fit_is_named_by_its_field(
    central: Central, promised: dict[str, str], detail: str
) -> None:
    with pytest.raises(MerchantInvalidError) as error:
        read_merchant(promising(**promised), central.catalogue, central.promise_kinds)
    problems = [(problem.field, problem.code) for problem in error.value.problems]
    assert problems == [(promise_field(RETURN.code, detail), f"promise-{detail}")]


def test_a_file_leaves_promises_as_they_are(central: Central) -> None:
    import_merchants(central, table(line(1)).encode(), who="li.wei")
    entry = rows(central, MerchantEntry)[0]
    promised = read_merchant(
        {**promising(days="7", goods="x"), "credit_code": entry.credit_code},
        central.catalogue,
        central.promise_kinds,
    )
    change_merchant(central, entry.id, promised, who="li.wei")
    changed = import_merchants(central, table(line(1)).encode(), who="li.wei")
    assert changed == Imported(added=0, changed=1, unchanged=0)
    assert import_merchants(central, table(line(1)).encode(), who="li.wei").unchanged == 1
    assert promises_of(rows(central, MerchantEntry)[0]) == promised.promises


def test_an_unknown_merchant_cannot_be_changed(central: Central) -> None:
    with pytest.raises(NotFoundError):
        change_merchant(central, "nobody", NOODLES, who="li.wei")
