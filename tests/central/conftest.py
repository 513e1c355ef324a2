"""A central on each of the two databases, with a merchant and an enrolled terminal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from merchant_agent.central.merchants import add_merchant
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.central.store.opening import open_store
from merchant_agent.domain.merchants import Merchant
from merchant_agent.settings import CentralSettings
from merchant_agent.store.folder import DataFolder
from tests.central.sender import Sender, enrol_sender
from tests.clocks import ManualClock
from tests.postgres import PostgresCluster

NOODLES = Merchant(
    name="示例餐饮有限公司",
    shop_name="示例面馆",
    credit_code="91310000MA1K000006",
    address="示例路 1 号",
    trade="catering",
    phone="021-00000000",
)


@dataclass(frozen=True, kw_only=True)
class Site:
    """Where a central keeps what it has, so that it can be opened again, or twice."""

    settings: CentralSettings
    clock: ManualClock

    def open(self) -> Central:
        return open_central(self.settings, self.clock)

    @property
    def is_postgres(self) -> bool:
        return bool(self.settings.database)


@pytest.fixture(scope="session")
def postgres_template(
    postgres_cluster: PostgresCluster, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """A database that central made and wrote nothing into: to copy it is faster than to make it again."""
    with postgres_cluster.database() as url:
        open_store(DataFolder(tmp_path_factory.mktemp("template")), url=url).close()
        yield url


@pytest.fixture
def postgres_url(postgres_cluster: PostgresCluster, postgres_template: str) -> Iterator[str]:
    """A fresh database of the test's own, as central makes it."""
    with postgres_cluster.database(like=postgres_template) as url:
        yield url


@pytest.fixture(params=["sqlite", "postgres"])
def site(request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock) -> Site:
    """A fresh folder, and a fresh database of either kind."""
    url = request.getfixturevalue("postgres_url") if request.param == "postgres" else ""
    return Site(settings=CentralSettings(data=tmp_path / "central", database=url), clock=clock)


@pytest.fixture
def central(site: Site) -> Iterator[Central]:
    """A running central without merchants."""
    opened = site.open()
    yield opened
    close_central(opened)


@pytest.fixture
def merchant(central: Central) -> str:
    """The id of a registered noodle shop."""
    return add_merchant(central, NOODLES, who="officer")


@pytest.fixture
def sender(central: Central, merchant: str) -> Sender:
    """The noodle shop's terminal."""
    return enrol_sender(central, merchant)
