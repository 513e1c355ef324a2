"""Auditing grants: who may sign what, and whether epochs continue (rule V11).

Source: PROTOCOL.md, "What a verifier does", step 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from merchant_agent.errors import FormatError, VerificationError
from merchant_agent.evidence.archive import GRANTS, KEYS, Source, read_jwks
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.grant import Grant, decode_grant
from merchant_agent.evidence.jws import Jws, Typ, decode_jws, link_of, verify_jws
from merchant_agent.evidence.keys import VerifyingKey, fingerprint
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.trust import Trust
from merchant_agent.evidence.verdict import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Granted:
    """A grant as the records under it need it; `link` is None where its signature failed.

    `root` is the key that it was checked with, by its id; empty where there was none.
    """

    grant: Grant
    line: int
    link: str | None
    key: VerifyingKey
    central: Mapping[str, VerifyingKey]
    root: Mapping[str, VerifyingKey]


@dataclass(slots=True, kw_only=True)
class Grants:
    """The grants of one issuer by epoch with their keys, and whether a pinned root key signed them all."""

    trusted: bool
    by_epoch: dict[int, Granted] = field(default_factory=dict)
    keys: set[str] = field(default_factory=set)
    fingerprints: dict[str, str] = field(default_factory=dict)

    @property
    def issuer(self) -> str | None:
        """Whose export this is; None where no grant could be read."""
        return next((granted.grant.issuer for granted in self.by_epoch.values()), None)


def audit_grants(source: Source, trust: Trust | None, report: Report) -> Grants:
    """The grants of an export; without trust its own `keys.jwks` has the root keys.

    Raises:
        FormatError: the export cannot be read.
    """
    stated = _stated_keys(source, report)
    pinned = trust.root_keys() if trust is not None else None
    grants = Grants(trusted=pinned is not None)
    before: Granted | None = None
    for line, octets in enumerate(source.lines(GRANTS), 1):
        granted = _open(line, octets, pinned, stated, grants, report)
        if granted is None:
            continue
        for detail in _breaks(before, granted, grants):
            report.violation("V11", detail, file=GRANTS, line=line)
        if granted.grant.epoch not in grants.by_epoch and grants.issuer in {None, granted.grant.issuer}:
            before = granted
            _enter(granted, grants)
    if not grants.by_epoch:
        grants.trusted = False
        report.violation("V11", "there is no grant that can be read", file=GRANTS, line=0)
    _compare_stated(stated, grants, report)
    return grants


def _enter(granted: Granted, grants: Grants) -> None:
    """Makes it the grant of its epoch."""
    grant = granted.grant
    grants.by_epoch[grant.epoch] = granted
    grants.keys.add(grant.key)
    for kid, used in (*granted.root.items(), (grant.kid, granted.key), *granted.central.items()):
        grants.fingerprints[kid] = fingerprint(used.octets)


def _open(  # noqa: PLR0913, PLR0917 -- two sources of keys, two places to report to
    line: int,
    octets: bytes,
    pinned: Mapping[str, VerifyingKey] | None,
    stated: Mapping[str, VerifyingKey],
    grants: Grants,
    report: Report,
) -> Granted | None:
    try:
        jws = decode_jws(octets, Typ.GRANT)
        key = _root_key(jws, line, pinned, stated, grants, report)
        link = link_of(octets) if _is_signed(jws, key, line, grants, report) else None
        grant = decode_grant(jws.payload)
    except (VerificationError, FormatError) as error:
        grants.trusted = False
        rule = error.rule if isinstance(error, VerificationError) else "V1"
        report.violation(rule, str(error), file=GRANTS, line=line)
        return None
    return Granted(
        grant=grant,
        line=line,
        link=link,
        key=grant.verifying_key(),
        central=grant.central_keys(),
        root={} if key is None else {jws.kid: key},
    )


def _root_key(  # noqa: PLR0913, PLR0917 -- as `_open`
    jws: Jws,
    line: int,
    pinned: Mapping[str, VerifyingKey] | None,
    stated: Mapping[str, VerifyingKey],
    grants: Grants,
    report: Report,
) -> VerifyingKey | None:
    """The pinned key, else the one that the export states for itself."""
    own = stated.get(jws.kid)
    if pinned is None:
        if own is None:
            report.violation("V11", f"the root key {jws.kid} is not among the keys", file=GRANTS, line=line)
        return own
    key = pinned.get(jws.kid)
    if key is not None and (own is None or own.octets == key.octets):
        return key
    grants.trusted = False
    report.violation("V11", f"signed by {jws.kid}, which is no trusted root key", file=GRANTS, line=line)
    return own


def _is_signed(jws: Jws, key: VerifyingKey | None, line: int, grants: Grants, report: Report) -> bool:
    if key is None:
        return True
    try:
        verify_jws(jws, key)
    except VerificationError as error:
        grants.trusted = False
        report.violation(error.rule, error.detail, file=GRANTS, line=line)
        return False
    return True


def _breaks(before: Granted | None, granted: Granted, grants: Grants) -> list[str]:
    """How a grant does not continue the one before it."""
    grant = granted.grant
    if before is None:
        return [] if grant.epoch == 1 and grant.closes is None else ["the first grant is not of epoch 1"]
    last = before.grant
    closes = grant.closes
    details = []
    if (grant.issuer, grant.merchant) != (last.issuer, last.merchant):
        details.append("another issuer or merchant than in the grant before")
    if grant.epoch != last.epoch + 1:
        details.append(f"epoch {grant.epoch} follows epoch {last.epoch}")
    if grant.key in grants.keys:
        details.append("a key that was granted before")
    if closes is None or closes.epoch != last.epoch:
        details.append("it does not close the epoch before")
    elif closes.seq < 0 and before.link is not None:
        if closes.link != before.link:
            details.append("it closes another grant than the one before")
        if grant.totals != last.totals:
            details.append("its totals do not go on from the epoch before")
    return details


def _stated_keys(source: Source, report: Report) -> dict[str, VerifyingKey]:
    keys: dict[str, VerifyingKey] = {}
    for kid, octets in read_jwks(source).items():
        try:
            keys[kid] = VerifyingKey(octets)
        except FormatError as error:
            report.violation("V3", f"{kid}: {error}", file=KEYS, line=1)
    return keys


def _compare_stated(stated: Mapping[str, VerifyingKey], grants: Grants, report: Report) -> None:
    for granted in grants.by_epoch.values():
        place = Place(issuer=granted.grant.issuer, epoch=granted.grant.epoch, seq=0)
        for kid, key in ((granted.grant.kid, granted.key), *granted.central.items()):
            if kid not in stated or stated[kid].octets != key.octets:
                detail = f"{kid} is not the key {encode_b64u(key.octets)} of the grant"
                report.violation("V11", detail, file=KEYS, line=1, place=place)
