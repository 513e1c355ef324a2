"""The terminal's evidence as one ZIP file, which anybody can verify without this machine.

Source: PROTOCOL.md, "Export".
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import peewee

from merchant_agent.errors import StartError, StoreError
from merchant_agent.evidence.archive import (
    ACKS,
    BATCHES,
    DISCLOSURES,
    GRANTS,
    KEYS,
    LOG_KEYS,
    README,
    RECORDS,
    SLIPS,
    VERIFIER,
    checkpoint_name,
    consistency_name,
    encode_disclosure_line,
    encode_jwks,
    encode_slip_line,
    proof_name,
    read_verifier,
    write_export,
)
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.tiles import split_tile
from merchant_agent.evidence.tlog_proof import encode_hashes
from merchant_agent.store.folder import sync_file, sync_folder
from merchant_agent.store.store import Reader
from merchant_agent.terminal.log.proving import Prover
from merchant_agent.terminal.log.tile_cache import TILES, FetchTile, TileCache
from merchant_agent.terminal.store.checkpoints import newest_kept
from merchant_agent.terminal.store.identity import Identity, load_identities
from merchant_agent.terminal.store.log_indices import logged_records
from merchant_agent.terminal.store.models import (
    Checkpoint,
    LedgerDisclosure,
    LedgerRecord,
    SentBatch,
    Slip,
    SplitView,
)
from merchant_agent.terminal.store.opening import open_existing

_README = """\
这是一台评价终端的全部凭据，由 merchant-agent export 写出。
核验：merchant-agent verify 本文件.zip --trust 市场监管局公布的信任文件
没有安装时：python verify.py 本文件.zip --trust 信任文件，只需要 Python 3.11 和 cryptography。
verify.py 也在市场监管局的网站上：请用那里的一份，这里的一份由店家的机器写出。
凭据本身不证明自己：信任文件须另行取得。格式见 merchant_agent/evidence/PROTOCOL.md。
评论、订单号等文字在 disclosures.jsonl 中，属于个人信息，请妥善保管。

This is the whole evidence of one rating terminal, written by merchant-agent export.
Verify it: merchant-agent verify THIS_FILE.zip --trust TRUST_FILE_OF_THE_BUREAU
Where that is not installed: python verify.py THIS_FILE.zip --trust TRUST_FILE, with Python 3.11 and
cryptography alone. Take verify.py from the bureau's own site: the copy in here was written by the shop.
It does not vouch for itself: get the trust file by another way. The format is specified in
merchant_agent/evidence/PROTOCOL.md. What people wrote is in disclosures.jsonl and is personal.

records.jws        signed records, oldest first, one a line
disclosures.jsonl  words that belong to records, as far as they were not erased
slips.jsonl        promises that customers were given over records, without what opens them
grants.jws         central's permissions to sign, one for each epoch
batches.jws        what was uploaded, oldest first
acks.jws           central's signed answers to these batches
keys.jwks          the public keys that all this is signed with
log.vkey           the verifier keys of central's log
checkpoints/       what this terminal saw of that log: its size and root, signed
consistency/       proofs that each of them goes on from the one before
proofs/            proofs that records stand in that log: the newest of each epoch, and those of slips
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What the file has: `records` with `disclosures` and `slips` beside them, `batches` of which `acks` were answered.

    `proofs` show that records are in the log; `unproven` could not be made, since central was not to be
    reached or its hashes do not lead to the log's root.
    """

    issuer: str
    records: int
    disclosures: int
    slips: int
    batches: int
    acks: int
    proofs: int
    unproven: int


def export_terminal(data: Path, out: Path, fetch_from: Callable[[str], FetchTile] | None = None) -> Exported:
    """Writes the evidence in the data folder to the new file `out`, durable and whole on return.

    One snapshot; works while the terminal runs. Memory grows by half a kilobyte for each proof and with
    nothing else. The file has mode 0600: it holds what people wrote. `fetch_from` has the central of an
    address give the log's tiles that the data folder has not kept; without it those must do.

    Raises:
        StartError: `out` is there already, there is no terminal's database, the terminal is not
            enrolled, or another version wrote it.
        StoreError: the database cannot be read, or `out` could not be written.
    """
    if out.exists():
        raise StartError(f"{out} is there already.")
    store = open_existing(data, read_only=True)
    try:
        with store.read() as reader:
            return _export(reader, data, out, fetch_from or _from_nobody)
    except OSError as error:
        raise StoreError(f"{out} could not be written: {error.strerror}.") from error
    finally:
        store.close()


def _from_nobody(_base: str) -> FetchTile:
    return lambda _tile: None


def _export(reader: Reader, data: Path, out: Path, fetch_from: Callable[[str], FetchTile]) -> Exported:
    identities = load_identities(reader)
    if not identities:
        raise StartError(f"The terminal in {data} is not enrolled.")
    fetch = fetch_from(identities[-1].central_url)
    files = _Files(reader, identities, _prover(reader, data / TILES, fetch))
    # Beside `out`, so that the finished file takes its name in one step.
    with tempfile.TemporaryDirectory(prefix=".merchant-agent-", dir=out.parent) as folder:
        draft = Path(folder, "export.zip")
        write_export(draft, files.all(), files.proofs())
        draft.chmod(0o600)
        sync_file(draft)
        draft.rename(out)
    sync_folder(out.parent)
    return files.exported()


def _prover(reader: Reader, folder: Path, fetch: FetchTile) -> Prover | None:
    """What proves records to be in the log; None before its first checkpoint."""
    kept = newest_kept(reader)
    return None if kept is None else Prover(kept, TileCache(folder, kept.size, fetch))


class _Files:
    """The lines of every file, counted as they are read."""

    def __init__(self, reader: Reader, identities: tuple[Identity, ...], prover: Prover | None) -> None:
        self._reader = reader
        self._identities = identities
        self._prover = prover
        self._counts: dict[str, int] = {}

    def all(self) -> dict[str, Iterable[bytes]]:
        """Every file's lines by its name."""
        kept, split = self._checkpoints(), self._split_views()
        record = LedgerRecord.select(LedgerRecord.octets).order_by(LedgerRecord.epoch, LedgerRecord.seq)
        batch = SentBatch.select(SentBatch.octets).order_by(SentBatch.number)
        ack = (
            SentBatch.select(SentBatch.ack)
            .where(SentBatch.ack.is_null(is_null=False))
            .order_by(SentBatch.number)
        )
        return {
            README: _README.encode().splitlines(),
            VERIFIER: read_verifier().splitlines(),
            KEYS: [encode_jwks(_keys(self._identities))],
            GRANTS: [identity.grant_octets for identity in self._identities],
            RECORDS: self._octets(RECORDS, record),
            DISCLOSURES: self._disclosures(),
            SLIPS: self._slips(),
            BATCHES: self._octets(BATCHES, batch),
            ACKS: self._octets(ACKS, ack),
            **({LOG_KEYS: _log_keys(self._identities)} if kept else {}),
            **kept,
            **split,
        }

    def _checkpoints(self) -> dict[str, Iterable[bytes]]:
        """The kept checkpoints, and how each goes on from the one before."""
        files: dict[str, Iterable[bytes]] = {}
        before = 0
        for (size,) in self._reader.all(
            Checkpoint.select(Checkpoint.size).order_by(Checkpoint.size).tuples()
        ):
            files[checkpoint_name(size)] = self._note(size)
            if before:
                files[consistency_name(before, size)] = self._proof(size)
            before = size
        return files

    def _note(self, size: int) -> Iterator[bytes]:
        octets = self._reader.scalar(Checkpoint.select(Checkpoint.octets).where(Checkpoint.size == size))
        yield from bytes(octets or b"").splitlines()

    def _proof(self, size: int) -> Iterator[bytes]:
        proof = self._reader.scalar(Checkpoint.select(Checkpoint.proof).where(Checkpoint.size == size))
        yield from encode_hashes(split_tile(bytes(proof or b"")))

    def _split_views(self) -> dict[str, Iterable[bytes]]:
        """The checkpoints that contradict the kept ones; nothing leads to them."""
        sizes = self._reader.all(Checkpoint.select(Checkpoint.size).tuples())
        again = dict.fromkeys((size for (size,) in sizes), 1)
        files: dict[str, Iterable[bytes]] = {}
        for size, octets in self._reader.all(
            SplitView.select(SplitView.shown_size, SplitView.shown).order_by(SplitView.number).tuples()
        ):
            files[checkpoint_name(size, again=again.get(size, 0))] = bytes(octets).splitlines()
            again[size] = again.get(size, 0) + 1
        return files

    def proofs(self) -> Iterator[tuple[str, bytes]]:
        """The files that prove records to be in the log, made as they are asked for."""
        if self._prover is None:
            return
        for logged in logged_records(self._reader, self._prover.size):
            proof = self._prover.prove(logged.octets, logged.number)
            if proof is not None:
                yield proof_name(logged.epoch, logged.seq), proof

    def exported(self) -> Exported:
        """How many lines were read, and proofs made."""
        return Exported(
            issuer=self._identities[-1].issuer,
            records=self._counts[RECORDS],
            disclosures=self._counts[DISCLOSURES],
            slips=self._counts[SLIPS],
            batches=self._counts[BATCHES],
            acks=self._counts[ACKS],
            proofs=0 if self._prover is None else self._prover.made,
            unproven=0 if self._prover is None else self._prover.failed,
        )

    def _octets(self, name: str, query: peewee.BaseQuery) -> Iterator[bytes]:
        self._counts[name] = 0
        for (octets,) in self._reader.iterate(query.tuples()):
            self._counts[name] += 1
            yield octets

    def _disclosures(self) -> Iterator[bytes]:
        place = (LedgerDisclosure.epoch, LedgerDisclosure.seq)
        query = LedgerDisclosure.select(*place, LedgerDisclosure.text).order_by(*place, LedgerDisclosure.name)
        self._counts[DISCLOSURES] = 0
        for epoch, seq, text in self._reader.iterate(query.tuples()):
            self._counts[DISCLOSURES] += 1
            yield encode_disclosure_line(epoch, seq, text)

    def _slips(self) -> Iterator[bytes]:
        query = Slip.select(Slip.epoch, Slip.seq, Slip.octets).order_by(Slip.epoch, Slip.seq)
        self._counts[SLIPS] = 0
        for epoch, seq, octets in self._reader.iterate(query.tuples()):
            self._counts[SLIPS] += 1
            yield encode_slip_line(epoch, seq, bytes(octets))


def _log_keys(identities: tuple[Identity, ...]) -> list[bytes]:
    """The log's verifier keys, each once."""
    keys = (text for identity in identities for text in identity.trust.log)
    return [text.encode() for text in dict.fromkeys(keys)]


def _keys(identities: tuple[Identity, ...]) -> dict[str, bytes]:
    """The public keys of roots, epochs and central's acknowledgements, by kid."""
    keys: dict[str, bytes] = {}
    for identity in identities:
        named = [(root.kid, root.key) for root in identity.trust.root]
        named += [(central.kid, central.key) for central in identity.grant.central]
        keys |= {kid: decode_b64u(key, length=32) for kid, key in named}
        keys[identity.grant.kid] = decode_b64u(identity.grant.key, length=32)
    return keys
