"""Opening central: one process on a folder, and keys that belong to their database."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path

import pytest

from merchant_agent.central.schedule import Schedule
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.central.store.models import Release
from merchant_agent.errors import SettingsError, StartError
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.settings import CentralSettings
from tests.central.conftest import Site
from tests.central.rows import count
from tests.clocks import ManualClock
from tests.postgres import PostgresCluster


def test_keys_stay_the_same(site: Site) -> None:
    first = site.open()
    trust = first.identity.trust()
    close_central(first)
    second = site.open()
    assert second.identity.trust() == trust
    close_central(second)


def test_a_second_process_is_refused_on_one_folder_and_let_in_on_a_server(
    site: Site, central: Central
) -> None:
    if site.is_postgres:
        second = site.open()
        assert second.identity.trust() == central.identity.trust()
        close_central(second)
    else:
        with pytest.raises(StartError):
            site.open()


def test_several_that_start_at_once_on_an_empty_server_agree_on_their_keys(
    postgres_cluster: PostgresCluster, tmp_path: Path, clock: ManualClock
) -> None:
    opened: list[Central] = []
    with postgres_cluster.database() as url:
        site = Site(settings=CentralSettings(data=tmp_path / "central", database=url), clock=clock)
        threads = [threading.Thread(target=lambda: opened.append(site.open())) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(opened) == len(threads)
        assert len({central.identity.root_kid for central in opened}) == 1
        assert len({central.identity.root.public for central in opened}) == 1
        for central in opened:
            close_central(central)


@pytest.mark.parametrize("lost", ["identity.json", "root.pem", "acknowledging.pem", "sealing.pem"])
def test_a_database_refuses_keys_that_are_not_its_own(site: Site, lost: str) -> None:
    close_central(site.open())
    (site.settings.data / "keys" / lost).unlink()
    with pytest.raises(StartError, match="not those of this database"):
        site.open()


def test_a_refused_start_leaves_the_folder_free(site: Site) -> None:
    close_central(site.open())
    keys = site.settings.data / "keys"
    shutil.copytree(keys, keys.with_name("kept"))
    (keys / "root.pem").unlink()
    with pytest.raises(StartError):
        site.open()
    (keys / "root.pem").unlink()
    shutil.copy(keys.with_name("kept") / "root.pem", keys)
    close_central(site.open())


def test_damaged_keys_are_told_in_one_sentence(site: Site) -> None:
    close_central(site.open())
    (site.settings.data / "keys" / "root.pem").write_bytes(b"rot")
    with pytest.raises(StartError) as error:
        site.open()
    assert "\n" not in str(error.value)


def test_a_server_that_is_not_there_is_told_in_one_sentence(tmp_path: Path, clock: ManualClock) -> None:
    settings = CentralSettings(data=tmp_path, database="postgresql://nobody@127.0.0.1:1/nothing")
    with pytest.raises(StartError) as error:
        open_central(settings, clock)
    assert "PostgreSQL" in str(error.value)


def test_keys_are_readable_by_their_owner_alone(site: Site, central: Central) -> None:
    keys = central.folder.keys
    assert {path.stat().st_mode & 0o777 for path in keys.glob("*.pem")} == {0o600}
    assert SigningKey.generate().public != central.identity.root.public
    assert site.settings.data.stat().st_mode & 0o777 == 0o700


def test_the_public_address_is_the_one_that_was_set(site: Site, central: Central) -> None:
    assert central.public_url == "http://127.0.0.1:8800"
    told = replace(site.settings, public_url="https://central.example.gov.cn")
    assert replace(central, settings=told).public_url == "https://central.example.gov.cn"
    everywhere = replace(site.settings, host="0.0.0.0")  # noqa: S104 -- nothing listens
    assert replace(central, settings=everywhere).public_url == "http://127.0.0.1:8800"


def test_an_address_that_nobody_knows_is_not_made_up(site: Site, central: Central) -> None:
    unknown = replace(central, settings=replace(site.settings, port=0))
    with pytest.raises(SettingsError, match="public_url"):
        assert unknown.public_url


def test_the_schedule_makes_releases(central: Central, merchant: str) -> None:
    assert merchant
    schedule = Schedule(central)
    schedule.tick()
    assert count(central, Release) == 1
    schedule.start()
    schedule.stop()
    assert count(central, Release) == 1
