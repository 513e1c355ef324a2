"""The log over HTTP: what everybody may read of it, and nothing that was not published."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from werkzeug.test import TestResponse

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.evidence.checkpoint import open_checkpoint
from merchant_agent.evidence.tiles import tile_path, tiles_of
from merchant_agent.settings import CentralSettings
from tests.central.log.looking import put, root_over, tick
from tests.central.web.office import Office
from tests.clocks import ManualClock


@pytest.fixture
def central(tmp_path: Path, clock: ManualClock) -> Iterator[Central]:
    settings = CentralSettings(data=tmp_path / "central", checkpoint_lock=str(tmp_path / "lock"))
    opened = open_central(settings, clock)
    yield opened
    close_central(opened)


@pytest.fixture
def office(central: Central, clock: ManualClock) -> Office:
    return Office(central, clock)


@pytest.fixture
def sequencer(central: Central) -> Sequencer:
    begin_log(central, again=False)
    return Sequencer(central)


def require_problem(answer: TestResponse, code: str) -> None:
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")
    assert answer.get_json()["code"] == code


def test_the_newest_checkpoint_is_a_note_of_text(
    central: Central, sequencer: Sequencer, office: Office
) -> None:
    leaves = put(central, 3)
    sequencer.run()
    answer = office.get("/log/checkpoint")
    assert answer.content_type == "text/plain; charset=utf-8"
    assert answer.headers["Cache-Control"] == "public, max-age=1"
    head = open_checkpoint(answer.get_data(), central.identity.log_keys).head
    assert (head.size, head.root) == (3, root_over(leaves))


def test_a_newer_checkpoint_of_another_process_is_told_within_a_second(
    central: Central, sequencer: Sequencer, office: Office
) -> None:
    old = office.get("/log/checkpoint").get_data()
    known = central.newest._known
    put(central, 3)
    sequencer.run()
    central.newest._known = known
    assert office.get("/log/checkpoint").get_data() == old
    tick(central)
    assert office.get("/log/checkpoint").get_data() != old


def test_before_the_first_there_is_no_checkpoint(office: Office) -> None:
    require_problem(office.get("/log/checkpoint"), "log")
    require_problem(office.get("/log/tile/0/000.p/1"), "tile")


def test_tiles_are_the_published_hashes_for_ever(
    central: Central, sequencer: Sequencer, office: Office
) -> None:
    leaves = put(central, 300)
    sequencer.run()
    found = {tile_path(tile): office.get(f"/log/tile/{tile_path(tile)}") for tile in tiles_of(300)}
    assert sorted(found) == ["0/000", "0/001.p/44", "1/000.p/1"]
    for answer in found.values():
        assert (answer.status_code, answer.content_type) == (200, "application/octet-stream")
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert found["0/000"].get_data() + found["0/001.p/44"].get_data() == b"".join(leaves)
    assert found["1/000.p/1"].get_data() == root_over(leaves[:256])


def test_a_tile_is_partial_only_at_a_size_that_was_published(
    central: Central, sequencer: Sequencer, office: Office
) -> None:
    leaves: list[bytes] = []
    for size in (5, 9, 256 * 2 + 3):
        leaves += put(central, size - len(leaves), begin=len(leaves))
        tick(central)
        sequencer.run()
    served = [width for width in range(1, 256) if office.get(f"/log/tile/0/000.p/{width}").status_code == 200]
    assert served == [5, 9]
    assert office.get("/log/tile/0/000.p/5").get_data() == b"".join(leaves[:5])
    assert office.get("/log/tile/1/000.p/2").status_code == 200
    require_problem(office.get("/log/tile/1/000.p/1"), "tile")


def test_what_is_taken_up_and_not_published_is_not_served(
    central: Central, sequencer: Sequencer, office: Office
) -> None:
    put(central, 256)
    sequencer.take_up()
    for path in ("0/000", "0/000.p/255", "1/000.p/1"):
        require_problem(office.get(f"/log/tile/{path}"), "tile")
    sequencer.publish()
    assert office.get("/log/tile/0/000").status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        *("0/0", "0/000.p/0", "0/000.p/256", "0/000.p/05", "00/000", "8/000", "0/x000/000", "0/001", "0/-01"),
        *("7/999", "7/x999/x999/x999/x999/x999/999", "entries/000", "0/000/", "0/000.p", "0/٠٠٠"),
    ],
)
def test_other_paths_are_no_tiles(central: Central, sequencer: Sequencer, office: Office, path: str) -> None:
    put(central, 256)
    sequencer.run()
    require_problem(office.get(f"/log/tile/{path}"), "tile")


def test_records_are_not_public(sequencer: Sequencer, office: Office) -> None:
    assert sequencer
    answer = office.get("/log/entries/000")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


def test_officers_and_watchers_are_told_when_the_log_stands_still(
    central: Central, sequencer: Sequencer, office: Office, tmp_path: Path
) -> None:
    assert sequencer
    office.staffed()
    words = "The log stands still"
    assert words not in office.get("/officer").get_data(as_text=True)
    assert office.get("/healthz").get_json()["log"] == "ok"
    (tmp_path / "lock").unlink()
    assert words in office.get("/officer").get_data(as_text=True)
    assert office.get("/healthz").get_json()["log"] == "missing"
    assert central


def test_metrics_tell_how_far_the_log_is(sequencer: Sequencer, office: Office) -> None:
    sequencer.run()
    lines = office.get("/metrics").get_data(as_text=True).splitlines()
    for told in ("log_size 0", "log_checkpoint_age_seconds 0.0", "log_waiting 0"):
        assert f"merchant_agent_central_{told}" in lines
    assert not [line for line in lines if line.startswith("merchant_agent_central_log_trouble{")]
