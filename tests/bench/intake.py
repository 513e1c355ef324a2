"""Central's intake over HTTP, every signature checked: records a second by size of batch, on both databases."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep

import urllib3

from merchant_agent.demo.processes import Child, stop_all
from merchant_agent.demo.running import choose_port
from merchant_agent.settings import CentralSettings
from tests.bench.fleet import Sender, prepare
from tests.bench.rates import verifications_a_second
from tests.bench.report import Figure, Scale
from tests.bench.reviews import real_reviews
from tests.postgres import PostgresCluster

_START_TIMEOUT_S = 30.0
_FLEET = 64
# ODK Central's submissions a second on two cores, with one client and with 64.
_ODK = {1: 161, _FLEET: 326}
_ODK_TIMES = 3
_BAR_SHARE = 0.6


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Uploads of `batch` records by so many clients at once, to so many workers."""

    batch: int
    clients: int
    workers: int


_LOADS = (
    Load(batch=1, clients=1, workers=2),
    Load(batch=1, clients=_FLEET, workers=2),
    Load(batch=10, clients=1, workers=1),
    Load(batch=10, clients=4, workers=2),
    Load(batch=200, clients=2, workers=1),
    Load(batch=200, clients=4, workers=2),
)


def measure(scale: Scale) -> list[Figure]:
    """Prompts and ratings with their words, half and half."""
    seconds = 15.0 if scale.full else 4.0
    limit = verifications_a_second()
    figures = []
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder:
        for load in _LOADS:
            if load.workers == 1 or load.batch == 1:
                data = Path(folder, f"sqlite-{load.batch}-{load.clients}")
                figures.append(_figure("SQLite", load, _run(data, "", load, seconds, limit), limit))
        with PostgresCluster(durable=True) as cluster:
            for load in _LOADS:
                data = Path(folder, f"postgres-{load.batch}-{load.clients}")
                with cluster.database() as database:
                    rate = _run(data, database, load, seconds, limit)
                figures.append(_figure("PostgreSQL", load, rate, limit))
    return figures


def _run(data: Path, database: str, load: Load, seconds: float, limit: float) -> float:
    """Records a second."""
    port = choose_port(0, "--port")
    settings = CentralSettings(data=data, port=port, database=database)
    fleet = prepare(settings, load.clients)
    serving = _gunicorn(settings, load.workers) if database else _waitress(settings)
    with serving as url, ExitStack() as ends:
        senders = [Sender(url, code, fleet.trust) for code in fleet.codes]
        for sender in senders:
            ends.callback(sender.close)
            sender.sign(real_reviews(_enough(load, seconds, limit)))
        return _drive(senders, load.batch, seconds)


def _enough(load: Load, seconds: float, limit: float) -> int:
    """Customers of one client: as many records as cannot be checked in the time, by all cores together."""
    most = limit * seconds * (os.cpu_count() or 1) / load.clients
    return int(min(most, 3000 * seconds * load.batch / load.clients)) // 2 + load.batch


def _drive(senders: list[Sender], batch: int, seconds: float) -> float:
    """All senders at once, each as fast as it is answered."""
    counts = [0] * len(senders)
    failures: list[BaseException] = []
    together = threading.Barrier(len(senders) + 1)
    ends_at = [0.0]

    def work(number: int, sender: Sender) -> None:
        together.wait()
        try:
            while perf_counter() < ends_at[0] and sender.left:
                counts[number] += sender.send(batch)
        except (RuntimeError, OSError) as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=item, daemon=True) for item in enumerate(senders)]
    for thread in threads:
        thread.start()
    begun = perf_counter()
    ends_at[0] = begun + seconds
    together.wait()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(str(failures[0])) from failures[0]
    return sum(counts) / (perf_counter() - begun)


def _figure(database: str, load: Load, rate: float, limit: float) -> Figure:
    clients = f"{load.clients} client{'s' if load.clients > 1 else ''}"
    workers = f", {load.workers} worker{'s' if load.workers > 1 else ''}" if database == "PostgreSQL" else ""
    bar, met = "", None
    if database == "PostgreSQL" and load.batch == 1:
        wanted = _ODK_TIMES * _ODK[load.clients]
        bar, met = f"{_ODK_TIMES} x {_ODK[load.clients]} of ODK Central = {wanted}", rate >= wanted
    elif database == "PostgreSQL" and load.workers == 1 and load.batch > 100:
        bar, met = f"at least {_BAR_SHARE} of one core", rate / limit >= _BAR_SHARE
    return Figure(
        what=f"{database}, batches of {load.batch}, {clients}{workers}",
        measured=f"{rate:,.0f} records/s",
        reference=f"{rate / limit:.2f} of {limit:,.0f} Ed25519 verifications/s",
        bar=bar,
        met=met,
    )


@contextmanager
def _waitress(settings: CentralSettings) -> Iterator[str]:
    """`merchant-agent central run`, as for trying it out."""
    central = Child(
        name="central",
        arguments=["central", "run", "--data", str(settings.data), "--port", str(settings.port)],
        log=settings.data / "bench.out",
    )
    central.start()
    try:
        yield central.url
    finally:
        stop_all([central])


@contextmanager
def _gunicorn(settings: CentralSettings, workers: int) -> Iterator[str]:
    """Central as at a bureau, without the nginx in front."""
    url = f"http://127.0.0.1:{settings.port}"
    with (settings.data / "bench.out").open("ab") as log:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "gunicorn", "merchant_agent.central.app:wsgi()"),
                *("--bind", f"127.0.0.1:{settings.port}", "--worker-class", "gthread"),
                *("--workers", str(workers), "--threads", "32", "--keep-alive", "30"),
            ],
            env={
                **os.environ,
                "MERCHANT_AGENT_DATA": str(settings.data),
                "MERCHANT_AGENT_DATABASE": settings.database,
                "MERCHANT_AGENT_PORT": str(settings.port),
            },
            stdout=log,
            stderr=log,
        )
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    ends = perf_counter() + _START_TIMEOUT_S
    while perf_counter() < ends and process.poll() is None:
        try:
            if urllib3.request("GET", f"{url}/healthz", retries=False, timeout=5.0).status == 200:
                return
        except urllib3.exceptions.HTTPError:
            sleep(0.1)
    raise RuntimeError("gunicorn did not start")
