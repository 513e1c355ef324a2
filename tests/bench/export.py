"""`merchant-agent export` of a long ledger with a proof for each slip, and the verification of its file."""

from __future__ import annotations

import tempfile
from collections import defaultdict
from itertools import islice
from pathlib import Path

from merchant_agent.clock import SystemClock
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.checkpoint import TreeHead, open_checkpoint, sign_checkpoint
from merchant_agent.evidence.jws import leaf_hash
from merchant_agent.evidence.merkle import HASH_BYTES, Frontier
from merchant_agent.evidence.record import About
from merchant_agent.evidence.tiles import HEIGHT, WIDTH, Tile, tile_path
from merchant_agent.evidence.trust import Trust, encode_trust
from merchant_agent.terminal.log.tile_cache import TILES
from merchant_agent.terminal.store.checkpoints import keep_checkpoint
from merchant_agent.terminal.store.ledger import read_ledger
from merchant_agent.terminal.store.log_indices import keep_indices
from tests.bench.child import Run, run
from tests.bench.report import Figure, Scale
from tests.bench.reviews import real_reviews
from tests.enrolled import EnrolledJournal, OfflineCentral, enrolled_journal
from tests.evidence.logged import COSIGNER, LOG, ORIGIN, START_S, logged_trust
from tests.evidence.synthetic import PROMPT, rating_of

_BAR_RECORDS = 300_000
_CHUNK = 500
_MAY_GROW = 1.2
# What a ZIP file's directory takes for a file in memory.
_PER_PROOF = 1024


class _LoggedCentral(OfflineCentral):
    """A central with the log of the tests."""

    @property
    def trust(self) -> Trust:
        return Trust(root=super().trust.root, log=logged_trust().log)


def measure(scale: Scale) -> list[Figure]:
    """Half prompts, half ratings with words and a slip each; central cannot be reached."""
    count = _BAR_RECORDS if scale.full else _BAR_RECORDS // 10
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as name:
        folder = Path(name)
        small = _measure(folder, "small", count // 10)
        large = _measure(folder, "large", count)
    proofs = count // 2
    figures = [
        Figure(
            what=f"export of {count:,} records without proofs",
            measured=f"{large[0].seconds:.1f} s, {large[0].peak_mib:.0f} MiB",
            reference=f"{small[0].peak_mib:.0f} MiB for {count // 10:,}",
            bar="flat",
            met=large[0].peak_mib < _MAY_GROW * small[0].peak_mib,
        )
    ]
    for what, few, many in (
        (f"the same with {proofs:,} proofs", small[1], large[1]),
        ("verification of that by hashes", small[2], large[2]),
    ):
        grown = (many.peak_mib - few.peak_mib) * 2**20 / (proofs - proofs // 10)
        figures.append(
            Figure(
                what=what,
                measured=f"{many.seconds:.1f} s, {many.peak_mib:.0f} MiB",
                reference=f"{few.peak_mib:.0f} MiB for {count // 10:,}; {grown:,.0f} bytes a proof",
                bar=f"at most {_PER_PROOF} bytes a proof",
                met=grown <= _PER_PROOF,
            )
        )
    return figures


def _measure(folder: Path, name: str, count: int) -> tuple[Run, Run, Run]:
    """An export before the log took anything up, one with proofs, and the verification of that."""
    data, trust = folder / name, folder / f"{name}.json"
    central = _LoggedCentral()
    trust.write_bytes(encode_trust(central.trust))
    with enrolled_journal(data, SystemClock(), central) as terminal:
        _fill(terminal, count)
    bare = run("export", "--data", str(data), "--out", str(folder / f"{name}-bare.zip"))
    with EnrolledJournal(data, SystemClock(), central) as terminal:
        _take_up(terminal, data / TILES)
    out = folder / f"{name}.zip"
    proven = run("export", "--data", str(data), "--out", str(out))
    return bare, proven, run("verify", str(out), "--trust", str(trust), "--hashes-only")


def _fill(terminal: EnrolledJournal, count: int) -> None:
    reviews = iter(real_reviews(count // 2))
    while chunk := list(islice(reviews, _CHUNK)):
        with terminal.journal.write() as writer:
            for review in chunk:
                prompt = writer.append(Kind.PROMPT, PROMPT)
                about = About(prompt=prompt.place, case=None)
                words = {"comment": review.comment}
                writer.append(Kind.RATING, rating_of(review.level), about=about, disclosures=words)


def _take_up(terminal: EnrolledJournal, folder: Path) -> None:
    """A log of these records alone: its checkpoint and numbers in the database, its tiles in the folder."""
    frontier = Frontier()
    tiles: dict[tuple[int, int], bytearray] = defaultdict(bytearray)
    with terminal.store.read() as reader:
        for entry in read_ledger(reader):
            for level, index, node in frontier.append(leaf_hash(entry.octets)):
                if level % HEIGHT == 0:
                    tiles[level // HEIGHT, index // WIDTH] += node
    for (level, index), octets in tiles.items():
        path = folder / tile_path(Tile(level=level, index=index, width=len(octets) // HASH_BYTES))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)
    head = TreeHead(origin=ORIGIN, size=frontier.size, root=frontier.root())
    note = sign_checkpoint(head, LOG, COSIGNER, START_S)
    with terminal.store.write() as writer:
        keep_checkpoint(writer, open_checkpoint(note, logged_trust().log_keys()), [])
        for begin in range(0, frontier.size, _CHUNK):
            seqs = range(begin, min(begin + _CHUNK, frontier.size))
            keep_indices(writer, 1, [(seq, seq) for seq in seqs])
