"""Central's log as a terminal sees it: kept, compared, stated; and what a second history comes to."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.exchange import decode_batch
from merchant_agent.evidence.fields import LogHead
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.terminal.log.witness import Look, Witness
from merchant_agent.terminal.store.models import Checkpoint, SentBatch, SplitView
from merchant_agent.terminal.upload.outcome import Code
from tests.central.log.looking import newest
from tests.enrolled import ask, rate
from tests.terminal.log.conftest import LoggedCentral, Shop


def _kept(shop: Shop) -> list[int]:
    with shop.terminal.store.read() as reader:
        return [row.size for row in reader.all(Checkpoint.select().order_by(Checkpoint.size))]


def _split_views(shop: Shop) -> list[SplitView]:
    with shop.terminal.store.read() as reader:
        return reader.all(SplitView.select().order_by(SplitView.number))


def _look(shop: Shop, central: LoggedCentral, note: bytes) -> Look:
    return Witness(shop.terminal, shop.client).look(note, central.url)


def test_a_checkpoint_is_kept_and_stated_by_every_later_record(shop: Shop, central: LoggedCentral) -> None:
    published = central.publish(3)
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    rate(shop.terminal.journal, ask(shop.terminal.journal))
    size = published.size
    assert (_kept(shop), shop.anchors()) == ([size], [None, size, size])
    anchor = shop.records()[-1].anchor
    assert anchor is not None
    assert (anchor.root, anchor.time) == (encode_b64u(published.root), published.time)


def test_each_further_checkpoint_is_proven_and_the_export_verifies(
    shop: Shop, central: LoggedCentral, tmp_path: Path
) -> None:
    sizes = []
    for others in (1, 6, 255, 1, 300, 70_000):
        sizes.append(central.publish(others).size)
        rate(shop.terminal.journal, ask(shop.terminal.journal))
        assert shop.upload().code is Code.ACCEPTED
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    assert (_kept(shop), shop.anchors()[-1], shop.alarms()) == (sizes, sizes[-1], [])
    verdict = shop.verdict(tmp_path / "export.zip")
    assert (verdict.trusted, list(verdict.violations), verdict.checkpoints) == (True, [], len(sizes))
    assert {finding.code for finding in verdict.findings} <= {"unlogged"}


def test_checkpoints_survive_a_restart(shop: Shop, central: LoggedCentral) -> None:
    first = central.publish(5).size
    ask(shop.terminal.journal)
    shop.upload()
    shop.restart()
    ask(shop.terminal.journal)
    second = central.publish(5).size
    assert shop.upload().code is Code.ACCEPTED
    shop.restart()
    ask(shop.terminal.journal)
    assert (_kept(shop), shop.anchors()) == ([first, second], [None, first, second])
    assert shop.uploader.status().log_size == second


def test_a_batch_names_the_newest_verified_checkpoint(shop: Shop, central: LoggedCentral) -> None:
    published = central.publish(4)
    for _ in range(2):
        ask(shop.terminal.journal)
        shop.upload()
    with shop.terminal.store.read() as reader:
        sent = reader.all(SentBatch.select().order_by(SentBatch.number))
    named = [decode_batch(decode_jws(row.octets, Typ.BATCH).payload).checkpoint for row in sent]
    assert named == [None, LogHead(size=published.size, root=encode_b64u(published.root))]


def test_an_older_checkpoint_changes_nothing(shop: Shop, central: LoggedCentral) -> None:
    older = central.publish(3)
    later = central.publish(3)
    ask(shop.terminal.journal)
    shop.upload()
    assert _look(shop, central, older.octets) is Look.OLDER
    assert _look(shop, central, later.octets) is Look.KNOWN
    assert (_kept(shop), shop.alarms()) == ([later.size], [])


def test_what_the_log_did_not_sign_is_not_believed(shop: Shop, central: LoggedCentral) -> None:
    published = central.publish(3)
    longer = b"\n%d\n" % (published.size + 1)
    assert _look(shop, central, published.octets.replace(b"\n%d\n" % published.size, longer)) is Look.FOREIGN
    assert _look(shop, central, b"<html>Please sign in</html>") is Look.FOREIGN
    assert (_kept(shop), shop.alarms()) == ([], [])


def test_a_second_root_for_one_size_is_a_split_view(
    shop: Shop, central: LoggedCentral, liar: Callable[[], LoggedCentral], tmp_path: Path
) -> None:
    central.publish(4)
    ask(shop.terminal.journal)
    shop.upload()
    second = liar()
    truth, lie = central.publish(5), second.publish(5, what="other")
    assert (truth.size, truth.root == lie.root) == (lie.size, False)
    second.stop()
    central.start()
    assert _look(shop, central, truth.octets) is Look.KEPT
    assert _look(shop, central, lie.octets) is Look.SPLIT_VIEW
    (evidence,) = _split_views(shop)
    assert (evidence.kept, evidence.shown) == (truth.octets, lie.octets)
    assert shop.alarms() == ["split-view"]
    assert shop.uploader.status().split_views == 1
    keys = shop.trust.log_keys()
    assert [open_checkpoint(note, keys).head.size for note in (evidence.kept, evidence.shown)] == [
        truth.size
    ] * 2
    verdict = shop.verdict(tmp_path / "export.zip")
    assert [violation.rule for violation in verdict.violations] == ["V14"]


def test_a_longer_second_history_is_refused_and_proven(
    shop: Shop, central: LoggedCentral, liar: Callable[[], LoggedCentral], tmp_path: Path
) -> None:
    central.publish(4)
    ask(shop.terminal.journal)
    shop.upload()
    second = liar()
    second.stop()
    central.start()
    truth = central.publish(5)
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    assert shop.uploader.status().log_size == truth.size
    central.stop()
    second.start()
    lie = second.publish(500, what="other")
    assert _look(shop, second, lie.octets) is Look.SPLIT_VIEW
    assert _look(shop, second, lie.octets) is Look.SPLIT_VIEW
    (evidence,) = _split_views(shop)
    assert (evidence.kept, evidence.shown) == (truth.octets, lie.octets)
    assert (shop.alarms(), _kept(shop)[-1]) == (["split-view"], truth.size)
    ask(shop.terminal.journal)
    assert shop.anchors()[-1] == truth.size
    assert {each.rule for each in shop.verdict(tmp_path / "export.zip").violations} == {"V14"}


def test_hashes_that_do_not_fit_prove_nothing(
    shop: Shop, central: LoggedCentral, liar: Callable[[], LoggedCentral]
) -> None:
    central.publish(4)
    ask(shop.terminal.journal)
    shop.upload()
    second = liar()
    second.publish(300, what="other")
    second.stop()
    truth = central.publish(300)
    central.stop()
    second.start()
    assert truth.size == newest(second.central).size
    assert _look(shop, second, truth.octets) is Look.UNPROVEN
    assert (shop.alarms(), _split_views(shop)) == (["log-unproven"], [])
    second.stop()
    central.start()
    assert _look(shop, central, truth.octets) is Look.KEPT
    assert shop.alarms() == []


def test_without_tiles_nothing_is_kept_and_nobody_is_blamed(shop: Shop, central: LoggedCentral) -> None:
    first = central.publish(4)
    ask(shop.terminal.journal)
    shop.upload()
    later = central.publish(40)
    central.stop()
    assert _look(shop, central, later.octets) is Look.UNREACHABLE
    assert (_kept(shop), shop.alarms()) == ([first.size], [])
