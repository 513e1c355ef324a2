"""A log that shows two histories, and proofs that prove something else: what contradicts them, each time."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from merchant_agent.errors import VerificationError
from merchant_agent.evidence.archive import ExportZip, checkpoint_name, proof_name
from merchant_agent.evidence.checkpoint import TreeHead, open_checkpoint, sign_checkpoint
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.jws import Typ, decode_jws, leaf_hash
from merchant_agent.evidence.merkle import Frontier
from merchant_agent.evidence.note import parse_vkey
from merchant_agent.evidence.octets import decode_b64u
from merchant_agent.evidence.record import decode_record
from merchant_agent.evidence.tlog_proof import (
    decode_tlog_proof,
    encode_tlog_proof,
    verify_tlog_proof,
)
from merchant_agent.evidence.verify import verify_export
from merchant_agent.terminal.export import export_terminal
from merchant_agent.terminal.log.witness import Look, Witness
from merchant_agent.terminal.store.models import SplitView
from merchant_agent.terminal.upload.outcome import Code
from tests.attacks.telling import place_of, verdict_of
from tests.enrolled import ask, rate
from tests.evidence.logged import COSIGNER, LOG, ORIGIN, START_S, VKEYS, LoggedShop, logged_shop
from tests.evidence.synthetic import Export, key_of
from tests.terminal.log.conftest import LoggedCentral, Shop, central, liar, shop

__all__ = ["central", "liar", "shop"]

RATING, SUGGESTION = 3, 5
KEYS = tuple(parse_vkey(text) for text in VKEYS)


def test_split_view_is_refused_by_the_terminal_and_stays_in_its_export(
    shop: Shop,
    central: LoggedCentral,
    liar: Callable[[], LoggedCentral],
    tmp_path: Path,
) -> None:
    central.publish(4)
    rate(shop.terminal.journal, ask(shop.terminal.journal))
    assert shop.upload().code is Code.ACCEPTED
    second = liar()
    second.stop()
    central.start()
    truth = central.publish(5)
    ask(shop.terminal.journal)
    assert shop.upload().code is Code.ACCEPTED
    central.stop()
    second.start()
    lie = second.publish(5, what="other")
    assert Witness(shop.terminal, shop.client).look(lie.octets, second.url) is Look.SPLIT_VIEW
    assert shop.alarms() == ["split-view"]
    ask(shop.terminal.journal)
    anchor = shop.records()[-1].anchor
    assert anchor is not None
    assert decode_b64u(anchor.root) == truth.root
    with shop.terminal.store.read() as reader:
        (pair,) = reader.all(SplitView.select())
    roots = {open_checkpoint(note, shop.trust.log_keys()).head.root for note in (pair.kept, pair.shown)}
    assert roots == {truth.root, lie.root}
    out = tmp_path / "export.zip"
    export_terminal(shop.path, out)
    with ExportZip(out) as source:
        violation = verify_export(source, shop.trust).first_places["V14"]
        assert source.read(violation.file) == lie.octets


def test_proof_of_another_record_does_not_lead_from_this_one() -> None:
    shop = logged_shop()
    export = shop.export()
    name, other = proof_name(1, RATING), proof_name(1, SUGGESTION)
    export.files[name] = export.files[other]
    require(export, name, place_of(RATING))
    proof = _octets(export, other)
    keys = (leaf_hash(shop.records[RATING]), leaf_hash(shop.records[SUGGESTION]))
    verify_tlog_proof(proof, keys[1], KEYS)
    with pytest.raises(VerificationError, match="V14"):
        verify_tlog_proof(proof, keys[0], KEYS)


def test_proof_with_another_number_does_not_lead_to_the_root() -> None:
    shop = logged_shop()
    export = shop.export()
    name = proof_name(1, RATING)
    proof = decode_tlog_proof(_octets(export, name))
    moved = encode_tlog_proof(proof.index + 1, proof.path, proof.checkpoint)
    export.files[name] = _lines(moved)
    require(export, name, place_of(RATING))
    verify_tlog_proof(
        encode_tlog_proof(proof.index, proof.path, proof.checkpoint), leaf_hash(shop.records[RATING]), KEYS
    )


@pytest.mark.parametrize("who", ["a shop", "another origin"])
def test_proof_against_a_checkpoint_of_another_log_is_of_no_pinned_key(who: str) -> None:
    """A log that has this record alone proves it, to whoever believes that log."""
    shop = logged_shop()
    export = shop.export()
    log, origin = (key_of("shop's own log"), ORIGIN) if who == "a shop" else (LOG, "another.example/log")
    frontier, leaf = Frontier(), leaf_hash(shop.records[RATING])
    assert len(list(frontier.append(leaf))) == 1
    head = TreeHead(origin=origin, size=1, root=frontier.root())
    note = sign_checkpoint(head, log, COSIGNER, START_S)
    name = proof_name(1, RATING)
    export.files[name] = _lines(encode_tlog_proof(0, [], note))
    require(export, name, place_of(RATING))
    with pytest.raises(VerificationError, match="V14"):
        open_checkpoint(note, KEYS)


def test_checkpoint_of_another_log_among_the_exports_own_is_told() -> None:
    export = logged_shop().export()
    head = TreeHead(origin=ORIGIN, size=7, root=bytes(32))
    note = sign_checkpoint(head, key_of("shop's own log"), COSIGNER, START_S)
    name = checkpoint_name(7)
    export.files[name] = _lines(note)
    require(export, name, None)
    assert not verdict_of(export).trusted
    with pytest.raises(VerificationError, match="V14"):
        open_checkpoint(note, KEYS)


def test_anchor_of_a_log_that_nobody_published_is_told() -> None:
    shop = logged_shop()
    export = shop.export()
    sizes = sorted(shop.log.checkpoints)
    del export.files[checkpoint_name(sizes[0])]
    violation = verdict_of(export).first_places["V7"]
    assert violation.place is not None
    stated = _anchored(shop, violation.place)
    assert stated == sizes[0]


def require(export: Export, file: str, place: Place | None) -> None:
    """V14 is told of this file and place, first."""
    violation = verdict_of(export).first_places["V14"]
    assert (violation.file, violation.place) == (file, place)


def _anchored(shop: LoggedShop, place: Place) -> int | None:
    anchor = decode_record(decode_jws(shop.records[place.seq], Typ.RECORD).payload).anchor
    return None if anchor is None else anchor.size


def _octets(export: Export, name: str) -> bytes:
    return export.read(name)


def _lines(octets: bytes) -> list[bytes]:
    return octets.split(b"\n")[:-1]
