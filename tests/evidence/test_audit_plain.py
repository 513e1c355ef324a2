"""Leaping over plain records changes no verdict, whatever else the export says of them."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from datetime import date, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from merchant_agent.evidence.archive import ACKS, BATCHES, DISCLOSURES, RECORDS, SLIPS, proof_name
from merchant_agent.evidence.audit_plain import Signer, Stops, look
from merchant_agent.evidence.bodies import (
    ClockBody,
    DayCloseBody,
    EraseBody,
    HeartbeatBody,
    Kind,
    PromptBody,
    StartBody,
)
from merchant_agent.evidence.fields import Anchor, Place, parse_at
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from tests.evidence.logged import OPEN, LoggedShop, logged_trust
from tests.evidence.synthetic import PROMPT, Export, id_of, key_of
from tests.evidence.test_audit_runs import tamper
from tests.evidence.test_verify_single import require_same as require_same_as_the_single_file

HOUR_MS = 3_600_000


def a_year(seed: int) -> LoggedShop:  # noqa: C901, PLR0912 -- one case for each thing that happens
    """A shop to which everything happens now and then, for better or worse."""
    chance = random.Random(seed)  # noqa: S311 -- any course of things will do
    shop = LoggedShop()
    shop.append(Kind.START, StartBody(software="merchant-agent 0.1.0", clean=True))
    day, anchor = date(2026, 5, 20), None
    prompts: list[Place] = []
    opened = 0
    for _ in range(chance.choice([300, 700])):
        if chance.random() < 0.7:
            prompts.append(shop.sale())
            opened += 1
            if chance.random() < 0.8:
                shop.rate(chance.randint(1, 5), chance.choice([None] * 9 + ["慢"]), prompt=prompts[-1])
        match chance.randrange(60):
            case 0:
                shop.append(Kind.SETTINGS, OPEN)
            case 1:
                day += timedelta(days=1)
                shop.append(Kind.DAY_CLOSE, DayCloseBody(day=day.isoformat(), prompts=opened, sales=None))
                opened = 0
            case 2:
                shop.now_ms += chance.choice([5, 60]) * HOUR_MS
            case 3:
                shop.ahead_ms += chance.choice([-HOUR_MS, HOUR_MS])
            case 4:
                shop.append(Kind.CLOCK, ClockBody(wall_ms=1000, boot_ms=1000))
            case 5 if prompts:
                shop.lapse(chance.choice(prompts))
            case 6 if prompts:
                shop.rate(1, prompt=chance.choice(prompts))
            case 7:
                shop.suggest("添把椅子")
                shop.slip(suggestion=True)
            case 8:
                shop.complain("冷")
            case 9:
                place = shop.suggest("擦")
                shop.append(Kind.ERASE, EraseBody(place=place, members=("comment",), reason="request"))
            case 10:
                shop.append(Kind.HEARTBEAT, HeartbeatBody(waiting=0), anchor=anchor)
            case 11:
                receipt = PromptBody(till="1", source="http", sale="counter", asks=False, tag=PROMPT.tag)
                prompts.append(shop.append(Kind.PROMPT, receipt))
                opened += 1
        if chance.random() < 0.03 or shop.chain.seq - shop.uploaded > 200:
            anchor = published(shop, anchor)
    published(shop, anchor)
    return shop


def published(shop: LoggedShop, before: Anchor | None) -> Anchor:
    """Uploads what is new, and has the log take it up."""
    if shop.chain.seq > shop.uploaded:
        shop.upload()
    anchor = shop.take_up()
    return anchor if before is None or anchor.size > before.size else before


@pytest.fixture(scope="module")
def helpers() -> Iterator[Executor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def require_same(export: Export, helpers: Executor, *, signatures: bool) -> Verdict:
    alone = verify_export(export, logged_trust(), signatures=signatures)
    assert verify_export(export, logged_trust(), signatures=signatures, helpers=helpers) == alone
    return alone


@pytest.mark.parametrize("signatures", [True, False])
@pytest.mark.parametrize("seed", range(6))
def test_everything_that_happens_is_told_alike(
    helpers: Executor, seed: int, tmp_path: Path, *, signatures: bool
) -> None:
    export = a_year(seed).export()
    verdict = require_same(export, helpers, signatures=signatures)
    assert {"clock", "time"} & {finding.code for finding in verdict.findings}
    require_same_as_the_single_file(export, tmp_path, logged_trust(), signatures=signatures)


EXPORT = a_year(7).export()


@pytest.mark.parametrize("seed", range(40))
def test_tampering_is_told_alike(helpers: Executor, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 -- any place will do
    export = EXPORT.copy()
    for _ in range(chance.choice([1, 2, 5])):
        tamper(export.files[chance.choice([RECORDS, RECORDS, DISCLOSURES, SLIPS, BATCHES, ACKS])], chance)
    require_same(export, helpers, signatures=chance.random() < 0.5)


@pytest.mark.parametrize("seq", [100, 511, 512, 513, 600])
def test_a_proof_in_the_middle_of_a_run_is_compared(helpers: Executor, seq: int) -> None:
    export = EXPORT.copy()
    proofs = [name for name in export.files if name.startswith("proofs/")]
    export.files[proof_name(1, seq)] = export.files[proofs[0]]
    verdict = require_same(export, helpers, signatures=False)
    assert "V14" in verdict.counts


def make(count: int, change: Callable[[LoggedShop, int], None] = lambda _shop, _number: None) -> list[bytes]:
    shop = LoggedShop()
    for number in range(count):
        change(shop, number)
        shop.sale()
    return shop.records


def read(lines: list[bytes]) -> list[int] | None:
    """The stops of a run; None where it is not plain."""
    signers = {1: Signer(key=key_of("shop 1").public, role="terminal")}
    plain = look(id_of("shop"), signers, b"\n".join(lines), signatures=True).open(len(lines))
    return None if plain is None else plain.stops


def test_a_plain_run_has_one_stop() -> None:
    assert read(make(20)) == [0]
    assert read(make(20)[7:]) == [0]


def test_a_gap_and_a_step_of_the_clock_are_stops() -> None:
    def change(shop: LoggedShop, number: int) -> None:
        shop.now_ms += 5 * HOUR_MS * (number == 4)
        shop.ahead_ms += HOUR_MS * (number == 9)

    assert read(make(12, change)) == [0, 4, 9]


@pytest.mark.parametrize("line", [1, 5, 11])
def test_a_run_with_anything_amiss_is_not_plain(line: int) -> None:
    lines = make(12)
    assert read([*lines[:line], *lines[line + 1 :]]) is None or line == 11
    assert read([*lines[:line], b"no record", *lines[line:]]) is None
    assert read([*lines[:line], lines[line][:-4] + b"AAAA", *lines[line + 1 :]]) is None
    assert read([*lines[:line], lines[line - 1], *lines[line:]]) is None


def test_two_records_in_one_line_are_none(helpers: Executor) -> None:
    lines = make(12)
    joined = [*lines[:5], b"\n".join(lines[5:7]), *lines[7:]]
    assert read(joined) is None
    export = EXPORT.copy()
    records = export.files[RECORDS]
    records[600:602] = [b"\n".join(records[600:602])]
    assert require_same(export, helpers, signatures=False).counts["V1"] == 1


@pytest.mark.parametrize(
    "at",
    [
        "2026-11-24T10:26:34.123+08:00",
        "2026-11-24T10:26:59.999+08:00",
        "2026-11-24T10:26:59.999+05:45",
        "0001-01-02T00:00:00.001-23:59",
        "9999-12-30T23:59:59.999+23:59",
    ],
)
def test_times_are_read_as_elsewhere(at: str) -> None:
    shop = LoggedShop()
    shop.sale()
    record = replace(decode_record(decode_jws(shop.records[0], Typ.RECORD).payload), at=at)
    assert Stops().see(record, 0).at_ms == round(1000 * parse_at(at).timestamp())
