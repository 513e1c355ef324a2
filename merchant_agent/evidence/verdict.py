"""What a verifier says: violations with rule and place, findings, and whom it trusted."""

from __future__ import annotations

import msgspec

from merchant_agent.evidence.fields import Head, Place

_KEPT_PER_RULE = 100


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A broken rule: where in the chain (None outside of it), and in which line of which file."""

    rule: str
    place: Place | None
    detail: str
    file: str
    line: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to explain that breaks no rule.

    `late`: records after their epoch was closed; `unanswered`: records that central did not
    acknowledge; `undisclosed`: records whose erasable members are not all in the export;
    `rejected`: what central did not take as it was sent (the first 100 places and rules);
    `behind`: central knows more records than were there; `refused`: batches it refused.
    """

    code: str
    place: Place | None
    detail: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of verifying an export.

    `trusted`: every grant is signed by a root key that was pinned beforehand.
    `signatures`: whether the records' signatures were verified, or their hashes alone.
    `violations` keeps the first 100 of each rule, `counts` has them all.
    `fingerprints`: SHA-256 in hex of every key that was used, by kid.
    `head`: where the newest epoch ends, and `acknowledged_at`, central's clock when it answered last,
    each None where there is none: to be compared with what central has, see `PROTOCOL.md`.
    """

    trusted: bool
    signatures: bool
    records: int
    violations: tuple[Violation, ...]
    counts: dict[str, int]
    findings: tuple[Finding, ...]
    fingerprints: dict[str, str]
    head: Head | None
    acknowledged_at: str | None

    @property
    def first_places(self) -> dict[str, Violation]:
        """The first violation of each broken rule."""
        first: dict[str, Violation] = {}
        for violation in self.violations:
            first.setdefault(violation.rule, violation)
        return first


class Report:
    """Collects what auditors see, in bounded memory."""

    def __init__(self) -> None:
        self.violations: list[Violation] = []
        self.counts: dict[str, int] = {}
        self.findings: list[Finding] = []

    def violation(self, rule: str, detail: str, *, file: str, line: int, place: Place | None = None) -> None:
        """Notes a broken rule."""
        count = self.counts[rule] = self.counts.get(rule, 0) + 1
        if count <= _KEPT_PER_RULE:
            self.violations.append(Violation(rule=rule, place=place, detail=detail, file=file, line=line))

    def finding(self, code: str, detail: str, place: Place | None = None) -> None:
        """Notes something to explain."""
        self.findings.append(Finding(code=code, place=place, detail=detail))
