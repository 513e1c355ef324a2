"""What a verifier tells of an attack: the rule, the place, and the line that it names."""

from __future__ import annotations

from dataclasses import dataclass

from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws, sign_jws
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Verdict
from merchant_agent.evidence.verify import verify_export
from tests.evidence.logged import logged_trust
from tests.evidence.synthetic import Export, Shop, id_of, key_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The first violation of a rule: where, and the octets that the export has in the named line."""

    seq: int | None
    file: str
    octets: bytes


def verdict_of(export: Export, trust: Trust | None = None) -> Verdict:
    """With the keys of the synthetic central pinned."""
    return verify_export(export, trust or logged_trust())


def told(export: Export, rule: str) -> Told:
    """The first violation of that rule."""
    violation = verdict_of(export).first_places[rule]
    return Told(
        seq=None if violation.place is None else violation.place.seq,
        file=violation.file,
        octets=export.files[violation.file][violation.line - 1],
    )


def found(shop: Shop) -> dict[str, tuple[str, int]]:
    """Rule and first seq of each thing to explain, where nothing is violated."""
    verdict = verdict_of(shop.export())
    assert not verdict.violations
    return {finding.code: (finding.rule, finding.place.seq) for finding in verdict.findings}


def signed_anew(octets: bytes, old: bytes, new: bytes, *, epoch: int = 1) -> bytes:
    """What the shop's own key makes of a record that it would rather have signed."""
    payload = decode_jws(octets, Typ.RECORD).payload
    assert old in payload
    return sign_jws(key_of(f"shop {epoch}"), Typ.RECORD, id_of("shop"), epoch, payload.replace(old, new))


def place_of(seq: int) -> Place:
    """In the first epoch of the synthetic shop."""
    return Place(issuer=id_of("shop"), epoch=1, seq=seq)
