"""What a verifier says: violations with rule and place, findings, and whom it trusted."""

from __future__ import annotations

from typing import Literal

import msgspec

from merchant_agent.evidence.fields import Head, Place

_KEPT_PER_RULE = 100

FindingCode = Literal[
    "late",
    "unanswered",
    "undisclosed",
    "unlogged",
    "time",
    "clock",
    "deadline",
    "silent",
    "day_close",
    "unended",
    "behind",
    "refused",
    "revoked",
    "stubbed",
]
# The rule that each belongs to, and what is told of `count` of them; in the order in which they are told.
_TOLD: dict[FindingCode, tuple[str, str]] = {
    "late": ("V11", "{count} records after the epoch was closed"),
    "unanswered": ("V15", "{count} records not acknowledged"),
    "undisclosed": ("V10", "{count} records with words erased or left out"),
    "unlogged": ("V14", "{count} records not shown to be in the log"),
    "time": ("V8", "{count} records with a time that the log or an acknowledgement contradicts"),
    "clock": ("V9", "{count} records whose wall clock moved otherwise than the boot clock"),
    "deadline": ("V12", "{count} slips whose record was acknowledged after the deadline"),
    "silent": ("V13", "{count} times without any record for over 4 hours of opening"),
    "day_close": ("V13", "{count} day closes missing, out of order or with another count"),
    "unended": ("V16", "{count} prompts without an answer or a lapse in time"),
    "behind": ("V15", "central knew more records than there were ({count} answers)"),
    "refused": ("V15", "central refused {count} batches"),
    "revoked": ("V11", "central says that the key was revoked ({count} answers)"),
    "stubbed": ("V15", "{count} records of which central has the link alone"),
}


class Violation(msgspec.Struct, frozen=True, kw_only=True):
    """A broken rule: where in the chain (None outside of it), and in which line of which file."""

    rule: str
    place: Place | None
    detail: str
    file: str
    line: int


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """Something to explain that breaks no rule: lateness, clocks, what is left out.

    One for each code and epoch; `place` is the first of them, `detail` says how many. PROTOCOL.md
    lists the codes. Of `rejected` there is one for each place and rule that central named, at most 100.
    """

    code: str
    rule: str
    place: Place
    detail: str


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """The result of verifying an export.

    `trusted`: every grant and checkpoint is signed by a key that was pinned beforehand.
    `signatures`: whether signatures of records and slips were verified, or their hashes alone.
    `records`, `slips`, `checkpoints` and `proofs` count what was read, good or bad.
    `violations` keeps the first 100 of each rule, `counts` has them all.
    `fingerprints`: SHA-256 in hex of every key that was used, by its id.
    `head`: where the newest epoch ends, and `acknowledged_at`, central's clock when it answered last,
    each None where there is none: to be compared with what central has, see `PROTOCOL.md`.
    """

    trusted: bool
    signatures: bool
    records: int
    slips: int
    checkpoints: int
    proofs: int
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
        self._found: dict[tuple[int, FindingCode], tuple[Place, int]] = {}
        self._rejected: list[Finding] = []

    def violation(self, rule: str, detail: str, *, file: str, line: int, place: Place | None = None) -> None:
        """Notes a broken rule."""
        count = self.counts[rule] = self.counts.get(rule, 0) + 1
        if count <= _KEPT_PER_RULE:
            self.violations.append(Violation(rule=rule, place=place, detail=detail, file=file, line=line))

    def found(self, code: FindingCode, place: Place, count: int = 1) -> None:
        """Notes so many things to explain; of each code and epoch the first place is kept."""
        first, before = self._found.get((place.epoch, code), (place, 0))
        self._found[place.epoch, code] = (first, before + count)

    def rejected(self, rule: str, place: Place) -> None:
        """Notes that central did not take what stands there as it was sent."""
        detail = f"central rejected what it was sent, by {rule}"
        self._rejected.append(Finding(code="rejected", rule=rule, place=place, detail=detail))

    def findings(self) -> tuple[Finding, ...]:
        """What was found, by epoch; then what central rejected."""
        found = tuple(
            Finding(code=code, rule=rule, place=place, detail=text.format(count=count))
            for epoch in sorted({epoch for epoch, _ in self._found})
            for code, (rule, text) in _TOLD.items()
            if (epoch, code) in self._found
            for place, count in [self._found[epoch, code]]
        )
        return (*found, *self._rejected)
