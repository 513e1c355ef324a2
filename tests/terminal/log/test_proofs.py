"""Proofs in a terminal's export that its records are in central's log, by a real central's own hashes."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from merchant_agent.evidence.archive import ExportZip, parse_proof_name
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.tiles import Tile
from merchant_agent.evidence.tlog_proof import verify_tlog_proof
from merchant_agent.evidence.trust import encode_trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from merchant_agent.terminal.export import Exported, export_terminal
from merchant_agent.terminal.log.fetching import TileSource
from merchant_agent.terminal.log.indices import Indices
from merchant_agent.terminal.log.tile_cache import TILES, FetchTile
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.log_indices import keep_indices
from merchant_agent.terminal.store.models import LogIndex
from merchant_agent.terminal.upload.outcome import Code
from merchant_agent.terminal.upload.uploader import Uploader
from tests.enrolled import ask, rate
from tests.programs import run_program
from tests.terminal.log.conftest import LoggedCentral, Shop


def _export(shop: Shop, out: Path, fetch_from: Callable[[str], FetchTile] | None = None) -> Exported:
    return export_terminal(shop.path, out, fetch_from)


def _online(shop: Shop) -> Callable[[str], FetchTile]:
    return lambda base: TileSource(shop.client, base)


def _verdict(shop: Shop, out: Path) -> Verdict:
    with ExportZip(out) as source:
        return verify_export(source, shop.trust)


def _proven(out: Path) -> list[tuple[int, int]]:
    with ExportZip(out) as source:
        return sorted(place for name in source.names() if (place := parse_proof_name(name)) is not None)


def _unlogged(verdict: Verdict) -> list[str]:
    return [finding.detail for finding in verdict.findings if finding.code == "unlogged"]


def _indices(shop: Shop) -> list[tuple[int, int]]:
    with shop.terminal.store.read() as reader:
        return reader.all(LogIndex.select(LogIndex.seq, LogIndex.number).order_by(LogIndex.seq).tuples())


@pytest.fixture
def busy(shop: Shop, central: LoggedCentral) -> Shop:
    """A shop of whose records the newest kept checkpoint has all but the last one."""
    central.publish(3)
    for others in (1, 300, 70_000):
        rate(shop.terminal.journal, ask(shop.terminal.journal))
        assert shop.upload().code is Code.ACCEPTED
        central.publish(others)
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    assert Indices(shop.terminal, shop.client).look(central.url) == 6
    return shop


def test_a_healthy_export_has_a_proof_for_each_slip_and_the_newest_record(busy: Shop, tmp_path: Path) -> None:
    out = tmp_path / "export.zip"
    found = _export(busy, out, _online(busy))
    assert (found.proofs, found.unproven, found.slips) == (3, 0, 3)
    assert _proven(out) == [(1, 1), (1, 3), (1, 5)]
    verdict = _verdict(busy, out)
    assert (verdict.trusted, verdict.violations, verdict.proofs) == (True, (), 3)
    assert _unlogged(verdict) == ["1 records not shown to be in the log"]


def test_each_proof_is_of_its_own_record_alone(busy: Shop, tmp_path: Path) -> None:
    out = tmp_path / "export.zip"
    _export(busy, out, _online(busy))
    with busy.terminal.store.read() as reader:
        leaves = {(one.epoch, one.seq): leaf_hash(one.octets) for one in read_ledger(reader)}
    with ExportZip(out) as source:
        for epoch, seq in _proven(out):
            octets = source.read(f"proofs/{epoch}-{seq}.tlog-proof")
            verify_tlog_proof(octets, leaves[epoch, seq], busy.trust.log_keys())


def test_kept_tiles_do_without_a_connection(busy: Shop, central: LoggedCentral, tmp_path: Path) -> None:
    assert _export(busy, tmp_path / "first.zip", _online(busy)).proofs == 3
    central.stop()
    again = _export(busy, tmp_path / "again.zip", _online(busy))
    assert (again.proofs, again.unproven) == (3, 0)
    alone = _export(busy, tmp_path / "alone.zip")
    assert (alone.proofs, alone.unproven) == (3, 0)


def test_without_tiles_and_a_connection_the_export_says_what_is_left_out(
    busy: Shop, central: LoggedCentral, tmp_path: Path
) -> None:
    central.stop()
    out = tmp_path / "export.zip"
    found = _export(busy, out, _online(busy))
    assert (found.records, found.proofs, found.unproven) == (7, 0, 3)
    assert not _verdict(busy, out).violations


def test_nobody_is_asked_again_after_a_request_without_an_answer(shop: Shop, central: LoggedCentral) -> None:
    source = TileSource(shop.client, central.url)
    central.stop()
    assert source(Tile(level=0, index=0, width=1)) is None
    central.start()
    assert source(Tile(level=0, index=0, width=1)) is None
    assert source.unreachable


def test_damaged_tiles_are_fetched_anew(busy: Shop, tmp_path: Path) -> None:
    _export(busy, tmp_path / "first.zip", _online(busy))
    chance = random.Random(1)  # noqa: S311 -- any place will do
    for path in (busy.path / TILES).rglob("*"):
        if path.is_file():
            octets = bytearray(path.read_bytes())
            octets[chance.randrange(len(octets))] ^= 1
            path.write_bytes(octets)
    damaged = _export(busy, tmp_path / "alone.zip")
    assert damaged.proofs + damaged.unproven == 3
    assert not _verdict(busy, tmp_path / "alone.zip").violations
    mended = _export(busy, tmp_path / "mended.zip", _online(busy))
    assert (mended.proofs, mended.unproven) == (3, 0)


def test_a_wrong_number_of_centrals_proves_nothing_and_is_not_exported(busy: Shop, tmp_path: Path) -> None:
    wrong = [(seq, number + 1) for seq, number in _indices(busy)]
    with busy.terminal.store.write() as writer:
        keep_indices(writer, 1, wrong)
    out = tmp_path / "export.zip"
    found = _export(busy, out, _online(busy))
    assert (found.proofs, found.unproven) == (0, 3)
    verdict = _verdict(busy, out)
    assert not verdict.violations
    assert _unlogged(verdict) == ["7 records not shown to be in the log"]


def test_tiles_of_another_history_prove_nothing(
    shop: Shop, central: LoggedCentral, liar: Callable[[], LoggedCentral], tmp_path: Path
) -> None:
    central.publish(4)
    rate(shop.terminal.journal, ask(shop.terminal.journal))
    shop.upload()
    second = liar()
    second.publish(300, what="other")
    second.stop()
    central.start()
    central.publish(300)
    ask(shop.terminal.journal)
    shop.upload()
    assert Indices(shop.terminal, shop.client).look(central.url) == 2
    central.stop()
    second.start()
    out = tmp_path / "export.zip"
    found = _export(shop, out, _online(shop))
    assert (found.proofs, found.unproven) == (0, 1)
    assert not _verdict(shop, out).violations
    second.stop()
    central.start()
    assert _export(shop, tmp_path / "again.zip", _online(shop)).proofs == 1


def test_numbers_are_asked_for_page_by_page_and_go_on_where_they_ended(
    shop: Shop, central: LoggedCentral
) -> None:
    central.publish(5)
    for _ in range(520):
        rate(shop.terminal.journal, ask(shop.terminal.journal))
    assert shop.upload().code is Code.ACCEPTED
    central.publish(5)
    assert Indices(shop.terminal, shop.client).look(central.url) == 1040
    before = _indices(shop)
    assert [seq for seq, _ in before] == list(range(1040))
    assert len({number for _, number in before}) == 1040
    ask(shop.terminal.journal)
    shop.upload()
    looking = Indices(shop.terminal, shop.client)
    assert looking.look(central.url) == 0, "not published yet"
    central.publish(0)
    assert looking.look(central.url) == 0, "asked a moment ago"
    shop.clock.advance(600)
    assert looking.look(central.url) == 1
    assert _indices(shop)[:1040] == before


def test_numbers_come_after_uploads_by_themselves(shop: Shop, central: LoggedCentral) -> None:
    indices = Indices(shop.terminal, shop.client)
    uploader = Uploader(shop.terminal, shop.client, indices=indices)
    ask(shop.terminal.journal)
    assert uploader.run_once().code is Code.ACCEPTED
    assert _indices(shop) == []
    central.publish(0)
    shop.clock.advance(600)
    ask(shop.terminal.journal)
    assert uploader.run_once().code is Code.ACCEPTED
    assert [seq for seq, _ in _indices(shop)] == [0]


def test_what_is_no_page_of_numbers_changes_nothing(shop: Shop, central: LoggedCentral) -> None:
    central.publish(3)
    ask(shop.terminal.journal)
    shop.upload()
    assert Indices(shop.terminal, shop.client).look(f"{central.url}/log") == 0
    central.stop()
    assert Indices(shop.terminal, shop.client).look(central.url) == 0
    assert _indices(shop) == []


def test_the_command_proves_what_it_can_and_says_the_rest_in_one_sentence(
    busy: Shop, central: LoggedCentral, tmp_path: Path
) -> None:
    data, first, second = str(busy.path), tmp_path / "first.zip", tmp_path / "second.zip"
    central.stop()
    offline = run_program("export", "--data", data, "--out", str(first))
    assert (offline.code, offline.out.count("0 proofs")) == (0, 1)
    assert offline.said.startswith("merchant-agent: 3 proofs that records are in central's log are left out")
    central.start()
    online = run_program("export", "--data", data, "--out", str(second))
    assert (online.code, online.said) == (0, "")
    assert "3 slips" in online.out
    assert "3 proofs" in online.out
    trust = tmp_path / "trust.json"
    trust.write_bytes(encode_trust(busy.trust))
    verified = run_program("verify", str(second), "--trust", str(trust))
    assert verified.code == 0, verified
    assert "V14 unlogged" in verified.out
    assert "1 records not shown to be in the log" in verified.out
