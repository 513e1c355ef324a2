"""What an export cannot hide: each attack, or each thing to explain, is told under its rule."""

from __future__ import annotations

from datetime import timedelta

import pytest

from merchant_agent.clock import format_at
from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    LOG_KEYS,
    RECORDS,
    SLIPS,
    checkpoint_name,
    consistency_name,
    encode_slip_line,
    proof_name,
)
from merchant_agent.evidence.bodies import (
    ClockBody,
    Closure,
    DayCloseBody,
    HeartbeatBody,
    Kind,
    OutageBody,
    PromptBody,
    SettingsBody,
)
from merchant_agent.evidence.fields import Anchor, LogHead
from merchant_agent.evidence.slip import Slip, decode_slip, sign_slip
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from tests.evidence.logged import OPEN, START_S, GrownLog, LoggedShop, logged_shop, logged_trust
from tests.evidence.synthetic import COMPLAINT, PROMPT, START, Export, Shop, key_of, trust_of

HOUR_MS = 3_600_000
ALIVE = HeartbeatBody(waiting=0)


@pytest.fixture
def export() -> Export:
    return logged_shop().export()


def verified(export: Export, trust: Trust | None = None) -> Verdict:
    return verify_export(export, trust or logged_trust())


def rules(export: Export) -> dict[str, int]:
    return verified(export).counts


def found(shop: Shop) -> dict[str, str]:
    """Code and rule of what is to be explained; nothing is violated."""
    verdict = verify_export(shop.export(), logged_trust())
    assert not verdict.counts
    return {finding.code: finding.rule for finding in verdict.findings}


def edit(export: Export, name: str, line: int, new: bytes) -> Export:
    export.files[name][line] = new
    return export


# The log


def test_logged_export_is_trusted_and_leaves_nothing_to_explain(export: Export) -> None:
    verdict = verified(export)
    assert verdict.trusted
    assert not verdict.violations
    assert not verdict.findings
    assert (verdict.slips, verdict.checkpoints, verdict.proofs) == (2, 3, 3)


def test_hashes_alone_give_the_same_verdict(export: Export) -> None:
    verdict = verify_export(export, logged_trust(), signatures=False)
    assert not verdict.violations
    assert not verdict.findings


def test_anchor_without_its_checkpoint_is_unknown(export: Export) -> None:
    del export.files[checkpoint_name(5)]
    # Records of two more places carry it on; it is told once.
    assert rules(export) == {"V7": 1}


def test_anchor_of_another_root_is_unknown() -> None:
    shop = LoggedShop()
    shop.sale()
    anchor = shop.take_up()
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=Anchor(size=anchor.size, root="A" * 43, time=anchor.time))
    shop.upload()
    shop.take_up()
    assert rules(shop.export()) == {"V7": 1}


def test_anchor_with_another_time_is_unknown() -> None:
    shop = LoggedShop()
    shop.sale()
    anchor = shop.take_up()
    earlier = Anchor(size=anchor.size, root=anchor.root, time=anchor.time - 3600)
    shop.append(Kind.HEARTBEAT, ALIVE, anchor=earlier)
    shop.upload()
    shop.take_up()
    assert rules(shop.export()) == {"V7": 1}


def test_byte_of_a_checkpoint_changed_is_told_and_not_trusted(export: Export) -> None:
    name = checkpoint_name(11)
    edit(export, name, 2, b"A" + export.files[name][2][1:])
    verdict = verified(export)
    assert "V14" in verdict.counts
    assert not verdict.trusted


def test_checkpoints_that_are_not_connected_are_told(export: Export) -> None:
    del export.files[consistency_name(5, 8)]
    assert rules(export) == {"V14": 1}


def test_log_that_dropped_what_it_had_is_told(export: Export) -> None:
    forked = LoggedShop()
    for _ in range(4):
        forked.sale()
    forked.take_up()
    export.files[checkpoint_name(5)] = forked.log.checkpoints[5].split(b"\n")[:-1]
    assert {"V7", "V14"} <= set(rules(export))


def test_two_roots_for_one_size_are_a_split_view(export: Export) -> None:
    other = GrownLog()
    for number in range(8):
        other.append(b"%d" % number)
    other.publish(START_S)
    export.files[checkpoint_name(8, again=1)] = other.checkpoints[8].split(b"\n")[:-1]
    verdict = verified(export)
    assert verdict.counts == {"V14": 1}
    assert verdict.violations[0].file == checkpoint_name(8, again=1)


def test_checkpoint_under_another_size_is_told(export: Export) -> None:
    export.files[checkpoint_name(7)] = export.files[checkpoint_name(8)]
    assert "V14" in rules(export)


def test_proof_of_another_record_is_told(export: Export) -> None:
    export.files[proof_name(1, 9)] = export.files[proof_name(1, 3)]
    assert rules(export) == {"V14": 1}


def test_proof_of_a_place_without_a_record_is_told(export: Export) -> None:
    export.files[proof_name(1, 77)] = export.files[proof_name(1, 3)]
    assert rules(export) == {"V14": 1}


def test_proof_by_a_checkpoint_that_nothing_connects_is_told() -> None:
    shop = logged_shop()
    export = shop.export()
    shop.log.append(b"one more")
    shop.take_up()
    export.files[proof_name(1, 9)] = shop.log.prove(shop.records[9], 12).split(b"\n")[:-1]
    assert rules(export) == {"V14": 1}


def test_central_telling_this_shop_another_root_is_a_split_view() -> None:
    shop = logged_shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.seen = LogHead(size=8, root="A" * 43)
    shop.upload()
    shop.take_up()
    verdict = verified(shop.export())
    assert verdict.counts == {"V14": 1}
    assert verdict.violations[0].file == BATCHES


def test_home_made_log_is_not_trusted(export: Export) -> None:
    verdict = verified(export, trust_of())
    assert set(verdict.counts) == {"V14"}
    assert not verdict.trusted
    assert verdict.violations[0].file == LOG_KEYS


def test_log_without_any_key_vouches_for_nothing(export: Export) -> None:
    del export.files[LOG_KEYS]
    verdict = verify_export(export, None)
    assert set(verdict.counts) == {"V7", "V14"}


def test_record_that_the_log_does_not_hold_yet_is_found() -> None:
    shop = logged_shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.upload()
    export = logged_shop().export()
    export.files[RECORDS] = shop.records
    export.files[BATCHES], export.files[ACKS] = shop.batches, shop.acks
    verdict = verified(export)
    assert not verdict.counts
    assert [(finding.code, finding.rule) for finding in verdict.findings] == [("unlogged", "V14")]


# Slips


def resigned(octets: bytes, **changed: object) -> bytes:
    slip = decode_slip(octets)
    members = {name: getattr(slip, name) for name in Slip.__dataclass_fields__}
    return sign_slip(key_of("shop 1"), Slip(**(members | changed)))


def test_slip_of_a_deleted_record_is_told() -> None:
    shop = Shop()
    shop.rate(1, prompt=shop.sale())
    shop.slip(level=1)
    promised = shop.export()
    honest = Shop()
    honest.sale()
    promised.files[RECORDS] = honest.records
    assert verified(promised).counts == {"V12": 1}


def test_stored_5_for_pressed_1_contradicts_the_slip() -> None:
    shop = Shop()
    shop.rate(1, prompt=shop.sale())
    octets = shop.slip(level=1)
    other = Shop()
    other.rate(5, prompt=other.sale())
    other.slips.append((1, 1, octets))
    verdict = verified(other.export())
    assert verdict.counts == {"V12": 1}
    assert verdict.violations[0].detail == "another record stands there"


@pytest.mark.parametrize(
    "changed",
    [
        {"level": 5},
        {"level": 0, "suggestion": True},
        {"suggestion": True},
        {"complaint": True},
        {"contact": True},
        {"deadline_hours": 25},
    ],
)
def test_slip_whose_word_is_not_that_of_its_visit_is_told(changed: dict[str, object]) -> None:
    shop = Shop()
    shop.rate(3, prompt=shop.sale())
    octets = resigned(shop.slip(level=3), **changed)
    shop.slips = [(1, 1, octets)]
    assert verified(shop.export()).counts == {"V12": 1}


def test_slip_of_the_second_record_of_a_visit_has_the_level_of_the_first() -> None:
    shop = logged_shop()
    shop.slips[1] = (1, 5, resigned(shop.slips[1][2], level=0))
    assert verified(shop.export()).counts == {"V12": 1}


def test_slip_without_a_prompt_speaks_of_its_record_alone() -> None:
    shop = Shop()
    shop.append(Kind.COMPLAINT, COMPLAINT)
    shop.slip(complaint=True)
    assert not verified(shop.export()).counts


def test_slip_over_a_prompt_promises_nothing() -> None:
    shop = Shop()
    shop.sale()
    shop.slip(level=3)
    assert verified(shop.export()).counts == {"V12": 1}


def test_slip_signed_by_a_stranger_is_told(export: Export) -> None:
    shop = logged_shop()
    forged = sign_slip(key_of("stranger"), decode_slip(shop.slips[0][2]))
    edit(export, SLIPS, 0, encode_slip_line(1, 3, forged))
    assert rules(export) == {"V12": 1}


def test_slip_in_the_line_of_another_place_is_told(export: Export) -> None:
    edit(export, SLIPS, 0, encode_slip_line(1, 2, logged_shop().slips[0][2]))
    assert rules(export) == {"V12": 1}


def test_slips_out_of_order_are_told(export: Export) -> None:
    export.files[SLIPS].reverse()
    assert rules(export) == {"V12": 1}


def test_slip_line_in_another_encoding_is_told(export: Export) -> None:
    edit(export, SLIPS, 0, export.files[SLIPS][0] + b" ")
    assert rules(export) == {"V1": 1}


def test_acknowledgement_after_the_deadline_is_found() -> None:
    shop = Shop()
    shop.rate(1, prompt=shop.sale())
    shop.slip(level=1)
    shop.now_ms += 25 * HOUR_MS
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.upload()
    assert found(shop) == {"deadline": "V12"}


# Clocks


def test_record_dated_before_its_anchor_is_found() -> None:
    shop = logged_shop()
    shop.ahead_ms = -HOUR_MS
    shop.append(Kind.CLOCK, ClockBody(wall_ms=1000 - HOUR_MS, boot_ms=1000))
    shop.upload()
    shop.take_up()
    assert found(shop) == {"time": "V8"}


def test_record_dated_after_its_acknowledgement_is_found() -> None:
    shop = Shop(ahead_ms=HOUR_MS)
    shop.sale()
    shop.upload()
    assert found(shop) == {"time": "V8"}


def test_record_dated_after_a_checkpoint_that_holds_it_is_found() -> None:
    shop = LoggedShop(ahead_ms=HOUR_MS)
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.take_up()
    assert found(shop) == {"time": "V8", "unanswered": "V15"}


@pytest.mark.parametrize("step_ms", [-HOUR_MS, -3000, 3000, HOUR_MS])
def test_clock_step_is_found_unless_a_clock_record_says_why(step_ms: int) -> None:
    silent, open_about_it = Shop(), Shop()
    for shop in (silent, open_about_it):
        shop.append(Kind.HEARTBEAT, ALIVE)
        shop.ahead_ms += step_ms
    open_about_it.append(Kind.CLOCK, ClockBody(wall_ms=1000 + step_ms, boot_ms=1000))
    for shop in (silent, open_about_it):
        shop.append(Kind.HEARTBEAT, ALIVE)
    assert "clock" in found(silent)
    assert "clock" not in found(open_about_it)


def test_clock_record_that_says_something_else_is_found() -> None:
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.ahead_ms += HOUR_MS
    shop.append(Kind.CLOCK, ClockBody(wall_ms=1000, boot_ms=1000))
    assert found(shop)["clock"] == "V9"


def test_boot_clock_that_goes_back_is_found() -> None:
    shop = Shop(now_ms=HOUR_MS)
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.now_ms -= 5000
    shop.ahead_ms += 5000
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert found(shop)["clock"] == "V9"


def test_200_parts_in_a_million_and_a_restart_are_no_step() -> None:
    shop = Shop()
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.now_ms += 3 * HOUR_MS
    shop.ahead_ms += 2000 + 2100
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.boot = "BBBBBBBBBBA"
    shop.ahead_ms += 60_000
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert "clock" not in found(shop)


# Presence


def asked(settings: SettingsBody = OPEN) -> Shop:
    """A shop that signed its hours at noon on a Wednesday."""
    shop = Shop()
    shop.append(Kind.SETTINGS, settings)
    return shop


def test_five_hours_of_silence_in_opening_hours_are_found() -> None:
    shop = asked()
    shop.now_ms += 5 * HOUR_MS
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert found(shop)["silent"] == "V13"


@pytest.mark.parametrize(
    ("settings", "hours"),
    [
        (
            SettingsBody(
                opening=OPEN.opening, closures=(Closure(first="2026-05-20", last="2026-06-20"),), words=()
            ),
            700,
        ),
        (SettingsBody(opening=OPEN.opening[:2], closures=(), words=()), 100),
        (SettingsBody(opening=(), closures=(), words=()), 5000),
        (OPEN, 4),
    ],
    ids=["closed", "on other weekdays", "never open", "four hours"],
)
def test_silence_that_was_announced_is_not_found(settings: SettingsBody, hours: int) -> None:
    shop = asked(settings)
    shop.now_ms += hours * HOUR_MS
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert "silent" not in found(shop)


@pytest.mark.parametrize("year", [1, 9999])
def test_edges_of_the_calendar_are_no_silence(year: int) -> None:
    shop = asked()
    edge = START.replace(year=year, month=1 if year == 1 else 12, day=1 if year == 1 else 31, hour=9)
    shop.now_ms += 60_000
    shop.ahead_ms = (edge - START) // timedelta(milliseconds=1)
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.now_ms += 10 * HOUR_MS
    shop.append(Kind.HEARTBEAT, ALIVE)
    shop.upload()
    assert "silent" not in found(shop)


def test_night_is_no_silence() -> None:
    shop = asked()
    for hours in (4, 4, 12):
        shop.now_ms += hours * HOUR_MS
        shop.append(Kind.HEARTBEAT, ALIVE)
    assert "silent" not in found(shop)


def test_clock_that_jumped_is_no_silence() -> None:
    shop = asked()
    shop.ahead_ms += 9 * HOUR_MS
    shop.append(Kind.CLOCK, ClockBody(wall_ms=1000 + 9 * HOUR_MS, boot_ms=1000))
    assert "silent" not in found(shop)


@pytest.mark.parametrize(
    "body",
    [
        DayCloseBody(day="2026-05-20", prompts=0, sales=None),
        DayCloseBody(day="2026-05-20", prompts=1, sales=2),
        DayCloseBody(day="2026-05-18", prompts=1, sales=None),
    ],
    ids=["fewer prompts", "more sales", "an earlier day"],
)
def test_day_close_that_does_not_fit_is_found(body: DayCloseBody) -> None:
    shop = asked()
    shop.append(Kind.DAY_CLOSE, DayCloseBody(day="2026-05-19", prompts=0, sales=0))
    shop.lapse(shop.sale())
    shop.append(Kind.DAY_CLOSE, body)
    assert found(shop)["day_close"] == "V13"


def test_days_that_nobody_closed_are_found() -> None:
    shop = asked()
    shop.lapse(shop.sale())
    for _ in range(13):
        shop.now_ms += 4 * HOUR_MS
        shop.append(Kind.HEARTBEAT, ALIVE)
    shop.lapse(shop.sale())
    assert found(shop)["day_close"] == "V13"


# Prompts and their answers


def test_prompt_that_nobody_ended_is_found() -> None:
    shop = Shop()
    shop.sale()
    shop.now_ms += HOUR_MS
    shop.append(Kind.HEARTBEAT, ALIVE)
    assert found(shop)["unended"] == "V16"


def test_lapse_that_comes_too_late_is_found() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.now_ms += HOUR_MS
    shop.lapse(prompt)
    assert found(shop)["unended"] == "V16"


def outage(shop: Shop, hours: int, *, since_ms: int) -> None:
    """So many hours in which nothing could be signed, said to have begun then."""
    shop.now_ms += hours * HOUR_MS
    since = format_at(START + timedelta(milliseconds=since_ms))
    shop.append(Kind.OUTAGE, OutageBody(reason="key", since=since, kept=1))


def test_time_in_which_nothing_could_be_signed_is_not_held_against_a_prompt() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.now_ms += 60_000
    outage(shop, 7, since_ms=shop.now_ms)
    shop.now_ms += 60_000
    shop.lapse(prompt)
    assert "unended" not in found(shop)


def test_time_before_and_after_an_outage_counts_together() -> None:
    for before_ms, after_ms in ((11 * 60_000, 0), (0, 11 * 60_000), (6 * 60_000, 6 * 60_000)):
        shop = Shop()
        prompt = shop.sale()
        shop.now_ms += before_ms
        outage(shop, 7, since_ms=shop.now_ms)
        shop.now_ms += after_ms
        shop.lapse(prompt)
        assert found(shop)["unended"] == "V16"


def test_outage_that_claims_time_in_which_records_were_signed_excuses_nothing_there() -> None:
    shop = Shop()
    began_ms = shop.now_ms
    prompt = shop.sale()
    for _ in range(4):
        shop.now_ms += 5 * 60_000
        shop.append(Kind.HEARTBEAT, ALIVE)
    outage(shop, 1, since_ms=began_ms)
    shop.lapse(prompt)
    assert found(shop)["unended"] == "V16"


def test_late_answer_and_a_prompt_of_the_receipt_alone_are_in_order() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.append(Kind.PROMPT, receipt_only())
    shop.now_ms += HOUR_MS
    shop.rate(5, prompt=prompt)
    assert "unended" not in found(shop)


def receipt_only() -> PromptBody:
    return PromptBody(till=PROMPT.till, source=PROMPT.source, sale=PROMPT.sale, asks=False, tag=PROMPT.tag)


def test_rating_after_its_own_lapse_is_a_violation() -> None:
    shop = Shop()
    prompt = shop.sale()
    shop.lapse(prompt)
    shop.rate(5, prompt=prompt)
    assert rules(shop.export()) == {"V16": 1}


def test_rating_of_a_prompt_that_only_the_receipt_asks_is_a_violation() -> None:
    shop = Shop()
    shop.rate(5, prompt=shop.append(Kind.PROMPT, receipt_only()))
    assert rules(shop.export()) == {"V16": 1}


def test_rating_of_what_is_no_prompt_is_a_violation() -> None:
    shop = Shop()
    shop.rate(5, prompt=shop.append(Kind.HEARTBEAT, ALIVE))
    assert rules(shop.export()) == {"V16": 1}


def test_what_is_about_a_forgotten_prompt_is_not_judged() -> None:
    shop = Shop()
    first = shop.sale()
    shop.lapse(first)
    for _ in range(4200):
        shop.append(Kind.PROMPT, receipt_only())
    shop.rate(5, prompt=first)
    shop.slip(level=5)
    assert not rules(shop.export())
