"""A signed, durable append against the same rows through plain peewee, one after the other on one disk."""

from __future__ import annotations

import tempfile
from pathlib import Path
from time import perf_counter
from typing import Self

import apsw
from playhouse.apsw_ext import APSWDatabase

from merchant_agent.clock import SystemClock
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import new_issuer_id
from merchant_agent.evidence.keys import SigningKey, VerifyingKey
from merchant_agent.evidence.slip import Slip, open_slip, sign_slip
from merchant_agent.store.folder import DataFolder
from merchant_agent.terminal.store.appending import Appended
from merchant_agent.terminal.store.models import LedgerDisclosure, LedgerRecord, Prompt, Rating
from merchant_agent.terminal.store.opening import DATABASE_NAME, open_store
from tests.bench.report import Figure, Scale, in_ms, quantile
from tests.bench.reviews import real_reviews
from tests.enrolled import EnrolledJournal, ask, enrolled_journal, rate

_MAY_ADD_S = 0.0005
_SYNCS_OF = 200


def measure(scale: Scale) -> list[Figure]:
    """Ratings with their words, each in a transaction of its own that ends their prompt."""
    count = 10_000 if scale.full else 2_000
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder:
        signed, plain = _time_both(Path(folder), count)
    with tempfile.TemporaryDirectory(prefix="merchant-agent-bench-") as folder:
        signed_syncs, plain_syncs = _count_syncs(Path(folder))
    slips = _time_slips(count)
    added = quantile(signed, 0.99) - quantile(plain, 0.99)
    return [
        Figure(
            what=f"signed append of {count:,} ratings with their slips, p50",
            measured=in_ms(quantile(signed, 0.5)),
            reference=f"{in_ms(quantile(plain, 0.5))} same rows, peewee, FULL",
        ),
        Figure(
            what="the same, p99",
            measured=in_ms(quantile(signed, 0.99)),
            reference=f"{in_ms(quantile(plain, 0.99))} same rows, peewee, FULL",
            bar=f"at most {in_ms(_MAY_ADD_S)} more; it is {added * 1000:+.2f} ms",
            met=added <= _MAY_ADD_S,
        ),
        Figure(
            what="of that a slip, signed and checked, p50",
            measured=in_ms(quantile(slips, 0.5)),
            reference=f"p99 {in_ms(quantile(slips, 0.99))}",
            bar=f"at most {in_ms(_MAY_ADD_S)}",
            met=quantile(slips, 0.5) <= _MAY_ADD_S,
        ),
        Figure(
            what="fsyncs an append",
            measured=f"{signed_syncs / _SYNCS_OF:.2f}",
            reference=f"{plain_syncs / _SYNCS_OF:.2f} same rows, peewee, FULL",
            bar="no more",
            met=signed_syncs <= plain_syncs,
        ),
    ]


def _time_both(folder: Path, count: int) -> tuple[list[float], list[float]]:
    """Seconds of each append, and of each copy of its rows; in turn, so that the disk treats both alike."""
    signed, plain = [], []
    with enrolled_journal(folder / "signed", SystemClock()) as terminal, _Plain(folder / "plain") as copy:
        for review in real_reviews(count):
            prompt = ask(terminal.journal)
            copy.take(terminal, prompt)
            begun = perf_counter()
            rating = rate(terminal.journal, prompt, level=review.level, comment=review.comment)
            signed.append(perf_counter() - begun)
            plain.append(copy.take(terminal, rating))
    return signed, plain


def _time_slips(count: int) -> list[float]:
    """Seconds of each slip by itself."""
    key = SigningKey.generate()
    verifying = VerifyingKey(key.public)
    place = Place(issuer=new_issuer_id(), epoch=1, seq=0)
    seconds = []
    for number in range(count):
        slip = Slip(
            place=place,
            time=number,
            level=5,
            complaint=False,
            contact=False,
            suggestion=False,
            deadline_hours=24,
            leaf=bytes(32),
        )
        begun = perf_counter()
        open_slip(sign_slip(key, slip), verifying)
        seconds.append(perf_counter() - begun)
    return seconds


def _count_syncs(folder: Path) -> tuple[int, int]:
    """Calls of xSync for the appends, and for the copies of their rows."""
    counting = _CountingVfs()
    try:
        syncs = [0, 0]
        with enrolled_journal(folder / "signed", SystemClock()) as terminal, _Plain(folder / "plain") as copy:
            for _ in range(_SYNCS_OF):
                prompt = ask(terminal.journal)
                copy.take(terminal, prompt)
                counting.syncs = 0
                rating = rate(terminal.journal, prompt, comment="味道不错")
                syncs[0] += counting.syncs
                counting.syncs = 0
                copy.take(terminal, rating)
                syncs[1] += counting.syncs
    finally:
        counting.unregister()
    return syncs[0], syncs[1]


class _Plain:
    """A second terminal's database, written by peewee alone: WAL, synchronous=FULL, no locks, no checks."""

    def __init__(self, path: Path) -> None:
        folder = DataFolder(path)
        open_store(folder, ballast_bytes=0, keep_backups=1).close()
        pragmas = {"journal_mode": "WAL", "synchronous": "FULL"}
        self._database = APSWDatabase(str(folder.path / DATABASE_NAME), pragmas=pragmas)

    def take(self, terminal: EnrolledJournal, appended: Appended) -> float:
        """Writes the rows that stand at this place in the other one; the seconds that it took."""
        here = {"epoch": appended.place.epoch, "seq": appended.place.seq}
        with terminal.store.read() as reader:
            rows = [
                (model, row)
                for model in (LedgerRecord, LedgerDisclosure, Prompt, Rating)
                for row in reader.all(model.select().filter(**here).dicts())
            ]
        begun = perf_counter()
        with self._database.atomic():
            for model, row in rows:
                model.insert(row).execute(self._database)
            if appended.record.about.prompt is not None:
                self._end(appended)
        return perf_counter() - begun

    def _end(self, appended: Appended) -> None:
        at = appended.record.about.prompt
        assert at is not None
        here = (Prompt.epoch == at.epoch) & (Prompt.seq == at.seq)
        ended = Prompt.update(outcome="rated", ended_at=appended.record.uptime_ms)
        ended.where(here).execute(self._database)

    def __enter__(self) -> Self:
        self._database.connect()
        return self

    def __exit__(self, *_: object) -> None:
        self._database.close()


class _CountingVfs(apsw.VFS):
    """SQLite's own way to the disk, with a count of what it syncs, for databases opened meanwhile."""

    def __init__(self) -> None:
        self.syncs = 0
        self.base = apsw.vfs_names()[0]
        super().__init__("counting", self.base, makedefault=True)

    def xOpen(self, name: apsw.URIFilename | str | None, flags: list[int]) -> _CountingFile:  # noqa: N802
        return _CountingFile(self, name, flags)


class _CountingFile(apsw.VFSFile):
    def __init__(self, counting: _CountingVfs, name: apsw.URIFilename | str | None, flags: list[int]) -> None:
        super().__init__(counting.base, name, flags)
        self._counting = counting

    def xSync(self, flags: int) -> None:  # noqa: N802
        self._counting.syncs += 1
        super().xSync(flags)
