"""The export: a ZIP of exact octets, one a line, that anyone can verify.

Source: PROTOCOL.md, "Export".
"""

from __future__ import annotations

import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import IO, Annotated, Literal, Protocol, Self

import msgspec
from msgspec import Meta

from merchant_agent.errors import FormatError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Epoch, Kid, Octets32, Seq, Wire
from merchant_agent.evidence.octets import decode_b64u, decode_with, encode_b64u, encode_json

RECORDS = "records.jws"
GRANTS = "grants.jws"
BATCHES = "batches.jws"
ACKS = "acks.jws"
DISCLOSURES = "disclosures.jsonl"
KEYS = "keys.jwks"
SLIPS = "slips.jsonl"
LOG_KEYS = "log.vkey"
README = "README.txt"
VERIFIER = "verify.py"

MAX_LINE_BYTES = 32_768
MAX_FILE_BYTES = 1 << 18
_MAX_KEYS = 4096
_MAX_KEYS_BYTES = 1 << 20
_BUFFER_BYTES = 1 << 18
# What `zipfile` raises over a file whose sizes, offsets, names or content are not as it says.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    OverflowError,
    RuntimeError,
    ValueError,
)
_COMPRESSIONS = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})


_CHECKPOINT = re.compile(r"checkpoints/(0|[1-9][0-9]{0,15})(?:-[1-9][0-9]{0,3})?\.note")
_PROOF = re.compile(r"proofs/([1-9][0-9]{0,4})-(0|[1-9][0-9]{0,9})\.tlog-proof")


class Source(Protocol):
    """Where a verifier reads an export from; each call reads the file anew."""

    def names(self) -> Iterable[str]:
        """The names of all files, each once, in any order."""

    def read(self, name: str) -> bytes:
        """A whole small file.

        Raises:
            FormatError: there is no such file, it cannot be read, or it has more than 256 KiB.
        """

    def lines(self, name: str) -> Iterator[bytes]:
        r"""The lines of a file without their `\n`.

        Raises:
            FormatError: there is no such file, or it cannot be read.
        """


class DisclosureLine(Wire, frozen=True, kw_only=True):
    """One line of `disclosures.jsonl`."""

    epoch: Epoch
    seq: Seq
    disclosure: str


class SlipLine(Wire, frozen=True, kw_only=True):
    """One line of `slips.jsonl`."""

    epoch: Epoch
    seq: Seq
    slip: str


class _Jwk(Wire, frozen=True, kw_only=True):
    """Source: RFC 8037, section 2."""

    kty: Literal["OKP"]
    crv: Literal["Ed25519"]
    kid: Kid
    x: Octets32


class _Jwks(Wire, frozen=True, kw_only=True):
    keys: Annotated[tuple[_Jwk, ...], Meta(max_length=_MAX_KEYS)]


_JWKS: msgspec.json.Decoder[_Jwks] = msgspec.json.Decoder(_Jwks)


class ExportZip:
    """An export on disk; a context manager that closes its file.

    Raises:
        FormatError: the file is no ZIP, or two files in it have one name.
        OSError: it could not be opened.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("rb")
        try:
            self._zip = zipfile.ZipFile(self._file)
        except _DAMAGE as error:
            self._file.close()
            raise FormatError(f"export: no ZIP file that can be read: {error}") from error
        names = self._zip.namelist()
        if len(set(names)) != len(names):
            self._file.close()
            raise FormatError("export: two files of one name")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def size(self, name: str) -> int:
        """How many bytes a file says that it unpacks to; 0 where there is none."""
        return next((listed.file_size for listed in self._zip.infolist() if listed.filename == name), 0)

    def names(self) -> Iterable[str]:
        """The names of all files."""
        return self._zip.namelist()

    def read(self, name: str) -> bytes:
        """A whole small file.

        Raises:
            FormatError: no such file, damaged, or more than 256 KiB.
        """
        with self._open(name) as file:
            octets = file.read(MAX_FILE_BYTES + 1)
        if len(octets) > MAX_FILE_BYTES:
            raise FormatError(f"export: {name} is too long")
        return octets

    def lines(self, name: str) -> Iterator[bytes]:
        r"""The lines of a file without their `\n`, read as they are asked for.

        Raises:
            FormatError: no such file, damaged, or a line longer than 32 KiB.
        """
        with self._open(name) as file:
            yield from _split(file, name)

    @contextmanager
    def _open(self, name: str) -> Iterator[IO[bytes]]:
        """The file, whose damage is told as a `FormatError` inside the block."""
        try:
            listed = self._zip.getinfo(name)
            if listed.compress_type not in _COMPRESSIONS:
                raise FormatError(f"export: {name} is neither stored nor deflated")
            with self._zip.open(listed) as file:
                yield file
        except KeyError as error:
            raise FormatError(f"export: {name} is missing") from error
        except _DAMAGE as error:
            raise FormatError(f"export: {name} is damaged: {error}") from error


def _split(file: IO[bytes], name: str) -> Iterator[bytes]:
    rest = b""
    while chunk := file.read(_BUFFER_BYTES):
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            if len(line) >= MAX_LINE_BYTES:
                raise FormatError(f"export: a line of {name} is too long")
            yield line
        if len(rest) >= MAX_LINE_BYTES:
            raise FormatError(f"export: a line of {name} is too long")
    if rest:
        yield rest


def write_export(
    path: Path, files: Mapping[str, Iterable[bytes]], small: Iterable[tuple[str, bytes]] = ()
) -> None:
    """Writes a new ZIP with these files, given by their lines, and whole small ones behind them.

    Memory grows with the number of files alone.

    Raises:
        FileExistsError: there is a file already.
        OSError: it could not be written.
    """
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED, compresslevel=6) as archive:
        for name, lines in files.items():
            with (
                archive.open(name, "w", force_zip64=True) as raw,
                io.BufferedWriter(raw, _BUFFER_BYTES) as file,
            ):
                for line in lines:
                    file.write(line)
                    file.write(b"\n")
        for name, octets in small:
            archive.writestr(name, octets)


def read_verifier() -> bytes:
    """The program that checks an export by itself; `VERIFIER` in it, and served by central."""
    return Path(__file__).with_name("verify_single.py").read_bytes()


def encode_disclosure_line(epoch: int, seq: int, disclosure: str) -> bytes:
    """One line of `disclosures.jsonl`."""
    return encode_json(DisclosureLine(epoch=epoch, seq=seq, disclosure=disclosure))


def encode_slip_line(epoch: int, seq: int, slip: bytes) -> bytes:
    """One line of `slips.jsonl`; the slip's 117 octets stand at that place."""
    return encode_json(SlipLine(epoch=epoch, seq=seq, slip=encode_b64u(slip)))


def checkpoint_name(size: int, *, again: int = 0) -> str:
    """The file of a checkpoint; `again` counts further ones of a size that the export has already."""
    return f"checkpoints/{size}-{again}.note" if again else f"checkpoints/{size}.note"


def parse_checkpoint_name(name: str) -> int | None:
    """The size that the name of a checkpoint's file states; None where it is another file."""
    match = _CHECKPOINT.fullmatch(name)
    return int(match[1]) if match is not None else None


def consistency_name(old: int, new: int) -> str:
    """The file of the proof that a tree of `new` leaves begins with one of `old`."""
    return f"consistency/{old}-{new}"


def proof_name(epoch: int, seq: int) -> str:
    """The file of the proof that the record at this place is in the log."""
    return f"proofs/{epoch}-{seq}.tlog-proof"


def parse_proof_name(name: str) -> tuple[int, int] | None:
    """The epoch and seq that the name of a proof's file states; None where it is another file."""
    match = _PROOF.fullmatch(name)
    if match is None or int(match[1]) > MAX_EPOCH or int(match[2]) > MAX_SEQ:
        return None
    return int(match[1]), int(match[2])


def encode_jwks(keys: Mapping[str, bytes]) -> bytes:
    """`keys.jwks`: public keys of 32 octets by kid, each on a line of its own."""
    listed = (
        encode_json(_Jwk(kty="OKP", crv="Ed25519", kid=kid, x=encode_b64u(key))) for kid, key in keys.items()
    )
    return b'{"keys":[\n' + b",\n".join(listed) + b"\n]}"


def read_jwks(source: Source) -> dict[str, bytes]:
    """The public keys that an export states, by kid; nothing vouches for them.

    Raises:
        FormatError: not a key set of Ed25519 keys, one kid twice, or more than 1 MiB or 4096 keys.
    """
    octets = bytearray()
    for line in source.lines(KEYS):
        octets += line + b"\n"
        if len(octets) > _MAX_KEYS_BYTES:
            raise FormatError("keys: more than 1 MiB")
    listed = decode_with(_JWKS, bytes(octets)).keys
    keys = {key.kid: decode_b64u(key.x, length=32) for key in listed}
    if len(keys) != len(listed):
        raise FormatError("keys: one kid twice")
    return keys
