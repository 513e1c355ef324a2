"""`merchant-agent verify`: the verdict over an exported ZIP file."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import RECORDS, ExportZip, Source
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.trust import Trust, load_trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export

_VIOLATED = 1
_UNREADABLE = 2
_LONG_BYTES = 4 << 20
_LINES_A_STEP = 1000


class _Watched:
    """A source that moves a progress bar as its records are read."""

    def __init__(self, source: Source, progress: Progress, task: TaskID) -> None:
        self._source = source
        self._progress = progress
        self._task = task

    def names(self) -> Iterable[str]:
        """The names of the source; see `Source`."""
        return self._source.names()

    def read(self, name: str) -> bytes:
        """A small file of the source; see `Source`."""
        return self._source.read(name)

    def lines(self, name: str) -> Iterator[bytes]:
        """The lines of the source; see `Source`."""
        lines = self._source.lines(name)
        return self._counted(lines) if name == RECORDS else lines

    def _counted(self, lines: Iterator[bytes]) -> Iterator[bytes]:
        done = 0
        for number, line in enumerate(lines, 1):
            done += len(line) + 1
            if number % _LINES_A_STEP == 0:
                self._progress.update(self._task, completed=done)
            yield line


class _Unreadable(click.ClickException):
    """The input cannot be read at all: nothing can be said about the rules."""

    exit_code = _UNREADABLE


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust",
    "trust_file",
    type=click.Path(path_type=Path),
    help="File that pins central's root key and the log's.",
)
@click.option("--hashes-only", is_flag=True, help="Leave the records' signatures out; many times faster.")
@click.option("--json", "as_json", is_flag=True, help="The whole verdict as one JSON object.")
def verify(file: Path, trust_file: Path | None, *, hashes_only: bool, as_json: bool) -> None:
    """Check an exported ZIP file against every rule.

    Exit codes: 0 no rule is violated (findings are listed); 1 a rule is violated, each with its first
    place; 2 a file cannot be read.
    """
    try:
        trust = _read_trust(trust_file)
        with ExportZip(file) as export, _watched(export) as source, _helpers(export) as helpers:
            verdict = verify_export(source, trust, signatures=not hashes_only, helpers=helpers)
    except FormatError as error:
        raise _Unreadable(str(error)) from error
    except OSError as error:
        raise _Unreadable(f"{error.filename or file} cannot be read: {error.strerror or error}.") from error
    if as_json:
        click.echo(msgspec.json.encode(verdict))
    else:
        _print(verdict)
    raise click.exceptions.Exit(_VIOLATED if verdict.violations else 0)


@contextmanager
def _watched(export: ExportZip) -> Iterator[Source]:
    """The export, with a progress bar where somebody waits for a long one at a terminal."""
    size = export.size(RECORDS)
    if size < _LONG_BYTES or not sys.stderr.isatty():
        yield export
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        yield _Watched(export, progress, progress.add_task("Checking records", total=size))


@contextmanager
def _helpers(export: ExportZip) -> Iterator[Executor | None]:
    """A process for each core, where a long export is worth starting them."""
    count = os.cpu_count() or 1
    if count == 1 or export.size(RECORDS) < _LONG_BYTES:
        yield None
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(count, context, signal.signal, (signal.SIGINT, signal.SIG_IGN)) as helpers:
        yield helpers


def _read_trust(path: Path | None) -> Trust | None:
    return load_trust(path.read_bytes()) if path is not None else None


def _print(verdict: Verdict) -> None:
    for rule, violation in verdict.first_places.items():
        more = verdict.counts[rule] - 1
        also = f" (and {more} more)" if more else ""
        where = _where(violation.place) or f"{violation.file} line {violation.line}"
        click.echo(f"VIOLATED {rule} at {where}: {violation.detail}{also}")
    for finding in verdict.findings:
        click.echo(f"finding {finding.rule} {finding.code} at {_where(finding.place)}: {finding.detail}")
    if not verdict.trusted:
        click.echo("not trusted: not every grant and checkpoint is by a pinned key (--trust). Keys used:")
        for kid, fingerprint in verdict.fingerprints.items():
            click.echo(f"  {kid}  SHA-256 {fingerprint}")
    if verdict.head is not None:
        head, at = verdict.head, verdict.acknowledged_at or "never"
        click.echo(f"head: epoch {head.epoch} seq {head.seq} link {head.link}; last acknowledged: {at}")
        click.echo(
            "  compare with central: what was cut off at the end together with its answers leaves no trace here"
        )
    beside = {"slips": verdict.slips, "checkpoints": verdict.checkpoints, "proofs": verdict.proofs}
    read = ", ".join(["records", *(f"{count} {name}" for name, count in beside.items() if count)])
    checked = f"{read}, signatures checked" if verdict.signatures else f"{read}, hashes only"
    outcome = "violations found" if verdict.violations else "no rule is violated"
    click.echo(f"{verdict.records} {checked}: {outcome}; trusted: {'yes' if verdict.trusted else 'no'}")


def _where(place: Place | None) -> str:
    return f"{place.issuer} epoch {place.epoch} seq {place.seq}" if place is not None else ""
