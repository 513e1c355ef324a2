"""The log's sequencer: leaves taken into the tree, durable and published, on both databases."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path
from time import perf_counter

from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.proofs import inclusion_proof
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.log.waiting import Waiting, enqueue
from merchant_agent.central.services import Central, close_central, open_central
from merchant_agent.clock import SystemClock
from merchant_agent.evidence.merkle import Frontier
from merchant_agent.settings import CentralSettings
from tests.bench.report import Figure, Scale, in_ms, quantile
from tests.postgres import PostgresCluster

_TOGETHER = 20_000
_ROUNDS = 100
_PROOFS = 200
# One core's intake is under 10,000 records a second: the log must never be what holds it up.
_BAR_A_SECOND = 10_000
# Half of the second in which it has to be done.
_BAR_ROUND_S = 0.5


def measure(scale: Scale) -> list[Figure]:
    """A backlog taken up as fast as it goes, rounds as they come each second, and proofs out of the result."""
    count = 1_000_000 if scale.full else 100_000
    reference = f"{_hashes_only(count):,.0f} appends/s in memory"
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder:
        figures = _measure("SQLite", Path(folder), "", count, reference)
    with (
        tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder,
        PostgresCluster(durable=True) as cluster,
        cluster.database() as database,
    ):
        return figures + _measure("PostgreSQL", Path(folder), database, count, reference)


def _measure(name: str, folder: Path, database: str, count: int, reference: str) -> list[Figure]:
    settings = CentralSettings(
        data=folder / "central", database=database, checkpoint_lock=str(folder / "lock")
    )
    central = open_central(settings, SystemClock())
    try:
        begin_log(central, again=False)
        rate = count / _backlog(central, count)
        rounds = _rounds(central, count)
        proofs = _proofs(central, count)
    finally:
        close_central(central)
    p99 = quantile(rounds, 0.99)
    return [
        Figure(
            what=f"{name}, {count:,} waiting leaves: appends/s, published",
            measured=f"{rate:,.0f}",
            reference=reference,
            bar=f"at least {_BAR_A_SECOND:,}",
            met=rate >= _BAR_A_SECOND,
        ),
        Figure(
            what=f"{name}, a round of 100 leaves, p99",
            measured=in_ms(p99),
            reference=f"{in_ms(quantile(rounds, 0.5))} p50",
            bar=f"at most {in_ms(_BAR_ROUND_S)}",
            met=p99 <= _BAR_ROUND_S,
        ),
        Figure(what=f"{name}, an inclusion proof, p50", measured=in_ms(quantile(proofs, 0.5))),
    ]


def _backlog(central: Central, count: int) -> float:
    """Seconds until all of it is in a published checkpoint."""
    for begin in range(0, count, _TOGETHER):
        _put(central, range(begin, min(begin + _TOGETHER, count)))
    sequencer, left = Sequencer(central), count
    begun = perf_counter()
    while left:
        left -= sequencer.run().taken
    return perf_counter() - begun


def _rounds(central: Central, begin: int) -> list[float]:
    """Seconds of rounds that find a hundred leaves each."""
    sequencer, seconds = Sequencer(central), []
    for number in range(_ROUNDS):
        _put(central, range(begin + 100 * number, begin + 100 * (number + 1)))
        begun = perf_counter()
        sequencer.run()
        seconds.append(perf_counter() - begun)
    return seconds


def _proofs(central: Central, count: int) -> list[float]:
    seconds = []
    for number in range(0, count, count // _PROOFS):
        begun = perf_counter()
        inclusion_proof(central, _leaf(number))
        seconds.append(perf_counter() - begun)
    return seconds


def _put(central: Central, seqs: range) -> None:
    waiting = [
        Waiting(merchant="M", issuer="AAAAAAAAAAA", epoch=1, seq=seq, leaf=_leaf(seq), kind="record")
        for seq in seqs
    ]
    with central.store.write() as tx:
        # A moment of its own for each part, as uploads have.
        enqueue(tx, waiting, seqs.start)


def _leaf(seq: int) -> bytes:
    return hashlib.sha256(b"%d" % seq).digest()


def _hashes_only(count: int) -> float:
    leaves = [_leaf(seq) for seq in range(count)]
    frontier = Frontier()
    begun = perf_counter()
    for leaf in leaves:
        for _ in frontier.append(leaf):
            pass
    return count / (perf_counter() - begun)
