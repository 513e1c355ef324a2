"""Going on under a new key: what a hold waits for, asked of central again and again until it is settled.

The new key is on disk before it is asked for and stays the same until it is granted, so that an
answer that was lost is given again. Source: PROTOCOL.md, "Asking for an epoch".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import timedelta

from merchant_agent.clock import format_at
from merchant_agent.errors import FormatError, OnHoldError, StoreError, VerificationError
from merchant_agent.evidence.bodies import Kind, RotateBody
from merchant_agent.evidence.epochs import (
    EpochReason,
    EpochRequest,
    sign_epoch_request,
    sign_possession,
)
from merchant_agent.evidence.fields import Head, parse_at
from merchant_agent.evidence.grant import new_nonce
from merchant_agent.evidence.jws import link_of
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.terminal.alarms import clear_alarms, raise_alarm
from merchant_agent.terminal.collect.recovery import note_outage, tell_outage
from merchant_agent.terminal.granted import is_waiting, problem_code, read_granted
from merchant_agent.terminal.heads import Unknown, ask_head, complete, lacking_epochs, take_back_lacking
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.store.holds import ALARMS, Reason
from merchant_agent.terminal.store.identity import Identity
from merchant_agent.terminal.store.ledger import newest_of
from merchant_agent.terminal.upload.client import Answered, Client, NoAnswer
from merchant_agent.terminal.upload.outcome import NOTHING, Code, Outcome
from merchant_agent.terminal.upload.progress import HOLDS, load_progress
from merchant_agent.terminal.upload.retry_after import retry_after_s

_log = logging.getLogger(__name__)

REFUSED_ALARM = "epoch-refused"

# While these last the ledger may lack what central has: it says nothing of its newest place.
UNSETTLED: frozenset[Reason] = frozenset({"behind", "restored", "damage"})

_REASONS: Mapping[Reason, EpochReason] = {
    "behind": "behind",
    "frozen": "frozen",
    "restored": "restored",
    "damage": "damaged",
    "epoch": "suspected",
}
_SERVER_ERRORS = 500
_FORBIDDEN = 403
_TOO_MANY = 429
_DAY = timedelta(days=1)


class Epochs:
    """Settles what is the matter with the epoch in force, over `client` and in its thread."""

    def __init__(self, terminal: Terminal, client: Client) -> None:
        self._terminal = terminal
        self._client = client
        self._completed = 0  # the epoch in force whose predecessors are as whole as they can be

    def settle(self, base: str) -> Outcome:
        """Does what the hold waits for, at the central of address `base`; `accepted` where something was settled.

        `nothing` where nothing is the matter, or somebody else has to act first.
        """
        if not self._terminal.journal.enrolled or not base:
            return NOTHING
        try:
            return self._settle(base)
        except OnHoldError:
            return NOTHING
        except StoreError as error:
            _log.warning("epochs: %s", error)
            return Outcome(code=Code.FAILED, detail=error.code)

    def _settle(self, base: str) -> Outcome:
        hold = self._terminal.journal.hold
        if hold is None:
            return self._look_after(base)
        self._remind(hold)
        match hold:
            case "ended":
                return NOTHING
            case "key":
                return self._find_key()
            case _:
                return self._go_on(base, hold)

    def _look_after(self, base: str) -> Outcome:
        """What was signed before a crash and not acted on; what earlier epochs lack; a key that served its time."""
        terminal = self._terminal
        identity = terminal.journal.identity
        with terminal.store.read() as reader:
            progress = load_progress(reader, identity.epoch)
        ended = None if progress is None else _ending(progress.state)
        if ended is not None:
            terminal.journal.put_on_hold(ended)
            return self._go_on(base, ended)
        missed = self._complete(base, identity.epoch)
        if missed is not None:
            return _outcome(missed)
        days = terminal.settings.rotate_days
        if not days or terminal.clock.now() < parse_at(identity.grant.at) + days * _DAY:
            return NOTHING
        head = ask_head(terminal, self._client, base)
        if isinstance(head, Unknown):
            return NOTHING
        terminal.journal.close_epoch(Kind.ROTATE, RotateBody(reason="planned"), "epoch")
        return Outcome(code=Code.ACCEPTED)

    def _complete(self, base: str, epoch: int) -> Unknown | None:
        """Once for each epoch in force and run of the program."""
        if self._completed == epoch:
            return None
        with self._terminal.store.read() as reader:
            lacking = lacking_epochs(reader)
        missed = complete(self._terminal, self._client, base, lacking) if lacking else None
        if missed is None:
            self._completed = epoch
        return missed

    def _remind(self, reason: Reason) -> None:
        """Whoever dismissed the alarm is told again."""
        with self._terminal.store.write() as writer:
            raise_alarm(writer, at=self._terminal.clock.now(), code=ALARMS[reason])

    def _find_key(self) -> Outcome:
        """Goes on in the same epoch where the key is back."""
        terminal = self._terminal
        if not terminal.journal.load_key():
            return NOTHING
        note_outage(terminal)
        terminal.journal.release(lambda writer: tell_outage(terminal, writer))
        return Outcome(code=Code.ACCEPTED)

    def _go_on(self, base: str, reason: Reason) -> Outcome:
        terminal = self._terminal
        if reason in UNSETTLED:
            answer = ask_head(terminal, self._client, base)
            if isinstance(answer, Unknown):
                return _outcome(answer)
            if answer.newest_epoch == answer.epoch:
                missed = take_back_lacking(terminal, self._client, base, answer)
                if missed is not None:
                    return _outcome(missed)
                if terminal.journal.hold == "ended":
                    return Outcome(code=Code.ACCEPTED)
        key = terminal.journal.enrolment_key()
        identity = terminal.journal.identity
        answered = self._ask(base, identity, key, self._reason(reason))
        if isinstance(answered, NoAnswer):
            return Outcome(code=Code.UNREACHABLE, detail=answered.detail)
        return self._take(identity, key, answered)

    def _reason(self, reason: Reason) -> EpochReason:
        """Why another epoch is asked for; a rotation says itself whether it was planned."""
        if reason == "epoch":
            with self._terminal.store.read() as reader:
                rotated = newest_of(reader, Kind.ROTATE)
            head = self._terminal.journal.head
            is_last = rotated is not None and head is not None
            if is_last and rotated and head and (rotated.epoch, rotated.seq) == (head.epoch, head.seq):
                return rotated.body.reason if isinstance(rotated.body, RotateBody) else "suspected"
        return _REASONS[reason]

    def _ask(
        self, base: str, identity: Identity, key: SigningKey, reason: EpochReason
    ) -> Answered | NoAnswer:
        terminal = self._terminal
        head, reading = terminal.journal.head, terminal.clock.read()
        begun = Head(epoch=identity.epoch, seq=-1, link=link_of(identity.grant_octets))
        request = EpochRequest(
            issuer=identity.issuer,
            epoch=identity.epoch,
            key=encode_b64u(key.public),
            reason=reason,
            newest=begun if head is None or head.epoch != identity.epoch else head,
            client_nonce=new_nonce(),
            at=format_at(reading.at),
            boot=reading.boot,
            uptime_ms=reading.uptime_ms,
        )
        octets = sign_epoch_request(terminal.journal.key, request)
        asked = {"request": octets.decode("ascii"), "possession": encode_b64u(sign_possession(key, octets))}
        url = f"{base}/api/v1/terminals/{identity.issuer}/epochs"
        return self._client.post(url, encode_json(asked), {"Content-Type": "application/json"})

    def _take(self, identity: Identity, key: SigningKey, answer: Answered) -> Outcome:
        """Puts the granted epoch in force; what nobody signed changes nothing but what the shop is told."""
        match answer.status:
            case 200 | 201:
                return self._begin(identity, key, answer)
            case 202 if is_waiting(answer):
                self._wait_for_officer()
                return NOTHING
            case status if status == _TOO_MANY or status >= _SERVER_ERRORS:
                detail, wait_s = f"epoch: HTTP {status}", retry_after_s(answer.headers)
                return Outcome(code=Code.BUSY, detail=detail, retry_after_s=wait_s)
            case status:
                return self._refused(status, problem_code(answer))

    def _begin(self, identity: Identity, key: SigningKey, answer: Answered) -> Outcome:
        terminal = self._terminal
        note_outage_unless_planned(terminal)
        try:
            granted = read_granted(answer)
            begun = terminal.journal.begin_epoch(
                key,
                granted.octets,
                granted.merchant,
                identity.trust,
                central_url=identity.central_url,
                public_url=granted.public_url,
                first=lambda writer: tell_outage(terminal, writer),
            )
        except (FormatError, VerificationError) as error:
            return Outcome(code=Code.UNTRUSTED, detail=f"epoch: {error}")
        _log.info("epoch %s is in force", begun.epoch)
        with terminal.store.write() as writer:
            clear_alarms(writer, at=terminal.clock.now(), code=REFUSED_ALARM)
        return Outcome(code=Code.ACCEPTED)

    def _wait_for_officer(self) -> None:
        """Central found two records for one place only now, or has said so before."""
        self._terminal.journal.put_on_hold("frozen", "an officer has to decide")

    def _refused(self, status: int, code: str) -> Outcome:
        """Told to the shop; asked again all the same, as nobody signs a refusal."""
        if not code:
            return Outcome(code=Code.WRONG_SERVER, detail=f"epoch: HTTP {status}")
        with self._terminal.store.write() as writer:
            raise_alarm(writer, at=self._terminal.clock.now(), code=REFUSED_ALARM, detail=code)
        return Outcome(code=Code.NOT_ADMITTED, detail=f"epoch: HTTP {status} {code}")


def note_outage_unless_planned(terminal: Terminal) -> None:
    """Remembers since when nothing could be signed; a rotation that went as it should was no outage.

    Raises:
        StoreError: it could not be written.
    """
    if terminal.journal.hold != "epoch":
        note_outage(terminal)


def _ending(state: str) -> Reason | None:
    return next((hold for code, hold in HOLDS.items() if code.value == state), None)


def _outcome(unknown: Unknown) -> Outcome:
    code = Code.UNREACHABLE if unknown.is_away else Code.UNTRUSTED
    return Outcome(code=code, detail=f"head: {unknown.detail}")
