"""`merchant-agent verify`: the verdict over an exported ZIP file."""

from __future__ import annotations

import sys
from pathlib import Path

import click
import msgspec

from merchant_agent.errors import FormatError
from merchant_agent.evidence.archive import ExportZip
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.trust import Trust, load_trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import OnProgress, verify_export

_VIOLATED = 1
_UNREADABLE = 2


class _Unreadable(click.ClickException):
    """The input cannot be read at all: nothing can be said about the rules."""

    exit_code = _UNREADABLE


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--trust", "trust_file", type=click.Path(path_type=Path), help="File that pins central's root key."
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
        with ExportZip(file) as source:
            verdict = verify_export(source, trust, signatures=not hashes_only, on_progress=_progress())
    except FormatError as error:
        raise _Unreadable(str(error)) from error
    except OSError as error:
        raise _Unreadable(f"{error.filename or file} cannot be read: {error.strerror or error}.") from error
    if as_json:
        click.echo(msgspec.json.encode(verdict))
    else:
        _print(verdict)
    raise click.exceptions.Exit(_VIOLATED if verdict.violations else 0)


def _progress() -> OnProgress | None:
    """One line that is written over, on a terminal alone."""
    if not sys.stderr.isatty():
        return None
    return lambda records: click.echo(f"\r{records:,} records\r", err=True, nl=False)


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
    kinds = f"records, {verdict.slips} slips, {verdict.checkpoints} checkpoints, {verdict.proofs} proofs"
    checked = f"{kinds}, signatures checked" if verdict.signatures else f"{kinds}, hashes only"
    outcome = "violations found" if verdict.violations else "no rule is violated"
    click.echo(f"{verdict.records} {checked}: {outcome}; trusted: {'yes' if verdict.trusted else 'no'}")


def _where(place: Place | None) -> str:
    return f"{place.issuer} epoch {place.epoch} seq {place.seq}" if place is not None else ""
