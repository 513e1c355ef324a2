"""`merchant-agent verify` over a long export, with signatures and by hashes alone, as a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    KEYS,
    RECORDS,
    encode_jwks,
    write_export,
)
from merchant_agent.evidence.trust import encode_trust
from tests.bench.child import Run, run
from tests.bench.rates import verifications_a_second
from tests.bench.report import Figure, Scale
from tests.evidence.synthetic import Shop, trust_of

_BAR_RECORDS = 1_000_000
_BAR_SECONDS = 15.0
_BAR_SHARE = 0.8
# A tenth as many records may take hardly less memory.
_MAY_GROW = 1.2


def measure(scale: Scale) -> list[Figure]:
    """Half prompts, half ratings."""
    count = _BAR_RECORDS if scale.full else _BAR_RECORDS // 10
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as name:
        folder = Path(name)
        trust = folder / "trust.json"
        trust.write_bytes(encode_trust(trust_of()))
        small, large = folder / "small.zip", folder / "large.zip"
        _write(small, count // 10)
        _write(large, count)
        limit = verifications_a_second()
        hashes = _verify(large, trust, "--hashes-only")
        signatures = _verify(large, trust)
        little = _verify(small, trust, "--hashes-only")
    # The start of the process is in both runs, once.
    pace = (count - count // 10) / (hashes.seconds - little.seconds)
    would_take = hashes.seconds + (_BAR_RECORDS - count) / pace
    share = count / signatures.seconds / limit
    return [
        Figure(
            what=f"{count:,} records, chain and hashes",
            measured=f"{hashes.seconds:.1f} s, {pace:,.0f}/s",
            reference="" if scale.full else f"{would_take:.1f} s for {_BAR_RECORDS:,} at this rate",
            bar=f"{_BAR_RECORDS:,} in under {_BAR_SECONDS:.0f} s",
            met=would_take < _BAR_SECONDS,
        ),
        Figure(
            what=f"{count:,} records, every signature",
            measured=f"{signatures.seconds:.1f} s, {count / signatures.seconds:,.0f}/s",
            reference=f"{share:.2f} of {limit:,.0f} Ed25519 verifications/s",
            bar=f"over {_BAR_SHARE}",
            met=share > _BAR_SHARE,
        ),
        Figure(
            what=f"most memory, {count:,} records",
            measured=f"{hashes.peak_mib:.0f} MiB, {signatures.peak_mib:.0f} MiB with signatures",
            reference=f"{little.peak_mib:.0f} MiB for {count // 10:,}",
            bar="flat",
            met=max(hashes.peak_mib, signatures.peak_mib) < _MAY_GROW * little.peak_mib,
        ),
    ]


def _write(path: Path, count: int) -> None:
    """An export whose records are made while they are written: memory stays flat here, too."""
    shop = Shop()
    write_export(
        path,
        {
            RECORDS: _records(shop, count),
            GRANTS: shop.grants,
            BATCHES: [],
            ACKS: [],
            DISCLOSURES: [],
            KEYS: encode_jwks(shop.keys()).split(b"\n"),
        },
    )


def _records(shop: Shop, count: int) -> Iterator[bytes]:
    for number in range(count // 2):
        shop.rate(1 + number % 5, prompt=shop.sale())
        yield from shop.records
        shop.records.clear()


def _verify(file: Path, trust: Path, *flags: str) -> Run:
    return run("verify", str(file), "--trust", str(trust), *flags)
