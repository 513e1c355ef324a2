"""Epochs that follow each other, judged: late records travel under a later key, and nothing else does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from merchant_agent.evidence.archive import ACKS, BATCHES, GRANTS, RECORDS
from merchant_agent.evidence.exchange import sign_batch
from merchant_agent.evidence.jws import Typ, decode_jws, sign_jws
from merchant_agent.evidence.record import Totals
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from tests.evidence.rotated import Past, RotatedShop, rotated_shop
from tests.evidence.synthetic import Export, id_of, key_of, nonce_of, trust_of
from tests.evidence.test_verify_single import require_same


def judge(export: Export, folder: Path) -> Verdict:
    """The verdict, which the single file shares."""
    require_same(export, folder, trust_of())
    return verify_export(export, trust_of())


def rules(verdict: Verdict) -> set[str]:
    return {violation.rule for violation in verdict.violations}


def found(verdict: Verdict) -> dict[str, tuple[int, int]]:
    """Epoch and seq of the first place of each finding."""
    return {finding.code: (finding.place.epoch, finding.place.seq) for finding in verdict.findings}


def past_shop() -> tuple[RotatedShop, Past]:
    """A shop in its second epoch, two records of the first not yet handed over."""
    shop = RotatedShop()
    shop.rate(4, prompt=shop.sale())
    shop.upload()
    closes, totals = shop.chain.head, shop.chain.totals
    shop.lapse(shop.sale())
    return shop, shop.go_on(closes=closes, totals=totals)


def test_epochs_that_interleave_break_no_rule(tmp_path: Path) -> None:
    verdict = judge(rotated_shop().export(), tmp_path)
    assert verdict.trusted
    assert not verdict.violations
    assert found(verdict) == {"late": (1, 2), "stubbed": (1, 3)}


def test_records_of_two_epochs_in_turn_break_no_rule(tmp_path: Path) -> None:
    shop, past = past_shop()
    for _ in range(2):
        shop.sale()
        shop.upload()
        shop.hand_over(past)
        past = replace(past, nonce=nonce_of(f"shop answer {len(shop.acks) - 1}"))
    assert not judge(shop.export(), tmp_path).violations


def test_a_tail_that_a_late_batch_told_of_cannot_be_cut_off(tmp_path: Path) -> None:
    export = rotated_shop().export()
    del export.files[RECORDS][3]
    verdict = judge(export, tmp_path)
    assert "V15" in rules(verdict)
    assert (1, 3) in {(v.place.epoch, v.place.seq) for v in verdict.violations if v.place is not None}


def test_a_late_record_signed_anew_is_named(tmp_path: Path) -> None:
    export = rotated_shop().export()
    payload = decode_jws(export.files[RECORDS][3], Typ.RECORD).payload
    export.files[RECORDS][3] = sign_jws(
        key_of("shop 1"), Typ.RECORD, id_of("shop"), 1, payload.replace(b"declined", b"timed_out")
    )
    assert "V15" in rules(judge(export, tmp_path))


def test_an_earlier_key_hands_nothing_over_for_a_later_epoch(tmp_path: Path) -> None:
    shop, _ = past_shop()
    shop.sale()
    batch = shop.batch(0, 0)
    forged = sign_batch(shop.key, batch)
    payload = decode_jws(forged, Typ.BATCH).payload
    shop.batches.append(sign_jws(key_of("shop 1"), Typ.BATCH, id_of("shop"), 1, payload))
    shop.answer(batch, "accepted", shop.chain.head)
    assert "V15" in rules(judge(shop.export(), tmp_path))


def test_nobody_hands_over_under_a_key_that_was_not_granted(tmp_path: Path) -> None:
    shop, past = past_shop()
    shop.key = key_of("shop 3")
    shop.hand_over(past, signer=3)
    assert "V11" in rules(judge(shop.export(), tmp_path))


def test_another_key_under_the_id_of_the_present_one_hands_nothing_over(tmp_path: Path) -> None:
    shop, past = past_shop()
    shop.key = key_of("shop 1")
    shop.hand_over(past, signer=2)
    assert rules(judge(shop.export(), tmp_path)) == {"V3"}


def test_the_nonce_of_another_epoch_is_named(tmp_path: Path) -> None:
    shop, past = past_shop()
    shop.hand_over(past, nonce=shop.nonce)
    assert rules(judge(shop.export(), tmp_path)) == {"V15"}


def test_an_unanswered_late_batch_leaves_the_present_epoch_alone(tmp_path: Path) -> None:
    shop, past = past_shop()
    shop.hand_over(past)
    shop.acks.pop()
    shop.sale()
    shop.upload()
    assert not judge(shop.export(), tmp_path).violations


def test_a_late_batch_that_was_passed_over_is_named(tmp_path: Path) -> None:
    shop, past = past_shop()
    shop.hand_over(past)
    shop.acks.pop()
    shop.hand_over(past)
    assert rules(judge(shop.export(), tmp_path)) == {"V15"}


def test_what_central_says_of_a_revoked_key_is_told(tmp_path: Path) -> None:
    shop, past = past_shop()
    shop.hand_over(past, "revoked")
    verdict = judge(shop.export(), tmp_path)
    assert not verdict.violations
    assert found(verdict) == {"late": (1, 2), "unanswered": (1, 2), "revoked": (1, 2)}


def test_an_epoch_begun_before_the_ledger_was_whole_is_named(tmp_path: Path) -> None:
    """Central closes at its head; a terminal that was restored must take back what it lacks first."""
    shop = RotatedShop()
    shop.sale()
    shop.upload()
    shop.lapse(shop.sale())
    shop.upload()
    shop.go_on()
    del shop.records[1:3]
    shop.sale()
    shop.upload()
    assert {"V11", "V15"} <= rules(judge(shop.export(), tmp_path))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda shop: shop.go_on(totals=Totals.zero()),
        lambda shop: shop.go_on(closes=msgspec.structs.replace(shop.chain.head, link="A" * 43)),
        lambda shop: shop.go_on(closes=msgspec.structs.replace(shop.chain.head, epoch=2)),
        lambda shop: shop.go_on(closes=msgspec.structs.replace(shop.chain.head, seq=shop.chain.seq + 1)),
    ],
    ids=["other totals", "another record", "another epoch", "a record that never came"],
)
def test_a_grant_that_closes_something_else_is_named(
    spoil: Callable[[RotatedShop], object], tmp_path: Path
) -> None:
    shop = RotatedShop()
    shop.lapse(shop.sale())
    shop.upload()
    spoil(shop)
    shop.sale()
    shop.upload()
    assert "V11" in rules(judge(shop.export(), tmp_path))


@pytest.mark.parametrize("file", [GRANTS, BATCHES, ACKS])
def test_a_line_left_out_among_several_epochs_is_named(file: str, tmp_path: Path) -> None:
    """The answer to the last batch of an epoch may still be on its way: that alone is only told of."""
    for line in range(len(rotated_shop().export().files[file])):
        export = rotated_shop().export()
        del export.files[file][line]
        verdict = judge(export, tmp_path)
        assert verdict.violations or (file == ACKS and "unanswered" in found(verdict))
