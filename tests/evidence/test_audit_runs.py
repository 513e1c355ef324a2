"""Helpers make a verdict faster and never another one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from concurrent.futures import BrokenExecutor, Executor, Future, ThreadPoolExecutor

import pytest

from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    RECORDS,
    encode_disclosure_line,
)
from merchant_agent.evidence.audit_grants import Grants
from merchant_agent.evidence.audit_runs import run_ahead
from merchant_agent.evidence.verify import verify_export
from tests.evidence.synthetic import Export, Shop, disclosure_of, trust_of


def long_shop() -> Shop:
    """1,536 records in two epochs: three runs, of which one crosses the epochs."""
    shop = Shop()
    for number in range(700):
        shop.rate(1 + number % 5, f"评论 {number}" if number % 3 else None, prompt=shop.sale())
        if number == 520:
            shop.upload()
            shop.next_epoch()
        if number % 50 == 49:
            shop.upload()
    for number in range(34):
        shop.complain(f"投诉 {number}")
        shop.suggest(f"建议 {number}")
        shop.lapse(shop.sale())
    shop.upload()
    return shop


EXPORT = long_shop().export()


@pytest.fixture(scope="module")
def helpers() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def require_same(export: Export, helpers: Executor, *, signatures: bool = True) -> None:
    alone = verify_export(export, trust_of(), signatures=signatures)
    helped = verify_export(export, trust_of(), signatures=signatures, helpers=helpers)
    assert helped == alone


@pytest.mark.parametrize("signatures", [True, False])
def test_an_untouched_export_is_flawless_for_helpers_too(helpers: Executor, *, signatures: bool) -> None:
    verdict = verify_export(EXPORT, trust_of(), signatures=signatures, helpers=helpers)
    assert (verdict.records, verdict.violations, verdict.findings) == (1536, (), ())
    require_same(EXPORT, helpers, signatures=signatures)


@pytest.mark.parametrize("seed", range(40))
def test_a_verdict_over_tampered_lines_is_the_same(helpers: Executor, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- any place will do
    export = EXPORT.copy()
    for _ in range(chance.choice([1, 1, 3])):
        tamper(
            export.files[chance.choice([RECORDS, RECORDS, DISCLOSURES, DISCLOSURES, BATCHES, ACKS])], chance
        )
    require_same(export, helpers)


def tamper(lines: list[bytes], chance: random.Random) -> None:
    line = chance.choice([chance.randrange(len(lines)), min(511, len(lines) - 1), min(512, len(lines) - 1)])
    other = chance.randrange(len(lines))
    octets = lines[line]
    match chance.randrange(5):
        case 0:
            position = chance.randrange(len(octets))
            lines[line] = octets[:position] + bytes([octets[position] ^ 1]) + octets[position + 1 :]
        case 1:
            del lines[line]
        case 2:
            lines[line], lines[other] = lines[other], octets
        case 3:
            lines.insert(line, octets)
        case _:
            lines.insert(other, octets)


@pytest.mark.parametrize("line", [0, 511, 512, 1041, 1535])
def test_a_changed_signature_at_the_edge_of_a_run_is_found(helpers: Executor, line: int) -> None:
    export = EXPORT.copy()
    octets = export.files[RECORDS][line]
    export.files[RECORDS][line] = octets[:-4] + (b"AAAA" if octets[-4:] != b"AAAA" else b"EEEE")
    verdict = verify_export(export, trust_of(), helpers=helpers)
    assert [v.line for v in verdict.violations if v.rule == "V3"] == [line + 1]


def test_words_left_out_are_told_of_alike(helpers: Executor) -> None:
    export = EXPORT.copy()
    del export.files[DISCLOSURES][10:400]
    require_same(export, helpers)


def test_a_grant_that_closes_within_a_run_is_compared(helpers: Executor) -> None:
    export = EXPORT.copy()
    del export.files[RECORDS][1030:1042]
    verdict = verify_export(export, trust_of(), helpers=helpers)
    assert any(v.file == GRANTS for v in verdict.violations)
    require_same(export, helpers)


def test_broken_lines_of_disclosures_are_named_alike(helpers: Executor) -> None:
    export = EXPORT.copy()
    for line in (0, 200, 340, 341):
        export.files[DISCLOSURES].insert(line, b"{}")
    export.files[RECORDS].insert(400, b"no record")
    require_same(export, helpers, signatures=True)


def test_no_more_is_read_ahead_than_some_bytes(helpers: Executor) -> None:
    read = 0

    def lines() -> Iterator[bytes]:
        nonlocal read
        for _ in range(2000):
            read += 1
            yield b"x" * 32_000

    grants = Grants(trusted=False)
    first = next(run_ahead(lines(), grants, helpers, signatures=True))
    assert len(first.lines) * 32_000 <= 1 << 22
    assert read * 32_000 <= 10 << 21


def test_a_flood_of_disclosures_changes_nothing(helpers: Executor) -> None:
    export = EXPORT.copy()
    export.files[DISCLOSURES][1:1] = [encode_disclosure_line(1, 3, disclosure_of("comment", "x"))] * 5000
    require_same(export, helpers)


class Dead(Executor):
    """Helpers that died, before or after they were asked."""

    def __init__(self, *, late: bool) -> None:
        self._late = late

    def submit(self, _task: object, /, *_: object, **__: object) -> Future[object]:  # type: ignore[override]  # dead
        if not self._late:
            raise BrokenExecutor
        future: Future[object] = Future()
        future.set_exception(BrokenExecutor())
        return future


@pytest.mark.parametrize("late", [True, False])
def test_helpers_that_died_say_nothing(*, late: bool) -> None:
    require_same(EXPORT, Dead(late=late))
