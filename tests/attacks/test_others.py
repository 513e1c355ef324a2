"""Home-made centrals, weak keys, codes that are worth nothing, clones, and answers that nobody signed."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from merchant_agent.central.codes import CodeKind, make_code
from merchant_agent.central.intake.enrolment import enrol
from merchant_agent.central.log.beginning import begin_log
from merchant_agent.central.log.lock import LogStoppedError, Stop
from merchant_agent.central.log.sequencer import Sequencer
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Conflict, Issuer
from merchant_agent.errors import InvalidError, NotFoundError, VerificationError
from merchant_agent.evidence.archive import GRANTS, KEYS, checkpoint_name
from merchant_agent.evidence.checkpoint import TreeHead, open_checkpoint, sign_checkpoint
from merchant_agent.evidence.exchange import Outcome, open_ack
from merchant_agent.evidence.fields import Head
from merchant_agent.evidence.grant import open_grant
from merchant_agent.evidence.jws import Typ, decode_jws, sign_jws
from merchant_agent.evidence.keys import SigningKey
from merchant_agent.evidence.note import parse_vkey
from merchant_agent.evidence.octets import encode_b64u, encode_json
from merchant_agent.evidence.verify import verify_export
from merchant_agent.terminal.store.models import SentBatch
from merchant_agent.terminal.upload.outcome import Code
from tests.attacks.telling import told, verdict_of
from tests.central.log.looking import newest, put
from tests.central.log.test_lock import back_up, restore
from tests.central.rows import count, rows
from tests.central.sender import Sender, enrol_sender, enrol_with
from tests.clocks import ManualClock
from tests.enrolled import ask
from tests.evidence.logged import COSIGNER, LOG, ORIGIN, START_S, VKEYS, logged_shop
from tests.evidence.synthetic import ROOT, Shop, busy_shop, grant_of, id_of, key_of, trust_of
from tests.terminal.upload.conftest import Shop as Terminal
from tests.terminal.upload.conftest import forged, signed
from tests.upstream import Reply, Request

# Of order 8: whoever holds "its" private key can disown every signature.
WEAK_KEY = bytes.fromhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")


def test_export_with_a_home_made_central_is_of_no_pinned_key() -> None:
    shop = Shop(root="home-made")
    shop.rate(5, prompt=shop.sale())
    shop.upload()
    export = shop.export()
    named = told(export, "V11")
    assert (named.file, named.octets) == (GRANTS, shop.grants[0])
    assert not verdict_of(export).trusted
    with pytest.raises(VerificationError, match="V11"):
        open_grant(named.octets, trust_of().root_keys())
    alone = verify_export(export, None)
    assert not alone.violations
    assert not alone.trusted


def test_weak_key_in_a_grant_could_disown_everything() -> None:
    weak = replace(grant_of("shop"), key=encode_b64u(WEAK_KEY))
    octets = sign_jws(key_of(ROOT), Typ.GRANT, id_of(ROOT), 1, encode_json(weak))
    export = busy_shop().export()
    export.files[GRANTS][0] = octets
    assert told(export, "V3").octets == octets
    with pytest.raises(VerificationError, match="V3"):
        open_grant(octets, trust_of().root_keys())


def test_weak_key_in_the_set_of_keys_is_told() -> None:
    export = busy_shop().export()
    export.files[KEYS][1] = export.files[KEYS][1].replace(
        encode_b64u(key_of(ROOT).public).encode(), encode_b64u(WEAK_KEY).encode()
    )
    assert told(export, "V3").file == KEYS


def test_key_granted_twice_would_sign_two_epochs() -> None:
    shop = Shop()
    shop.sale()
    shop.upload()
    again = grant_of("shop", epoch=2, totals=shop.chain.totals, closes=shop.chain.head)
    octets = sign_jws(
        key_of(ROOT), Typ.GRANT, id_of(ROOT), 1, encode_json(replace(again, key=grant_of("shop").key))
    )
    export = shop.export()
    export.files[GRANTS].append(octets)
    assert told(export, "V11").octets == octets
    assert decode_jws(export.files[GRANTS][0], Typ.GRANT).payload.count(grant_of("shop").key.encode()) == 1


def test_weak_and_reused_keys_are_not_enrolled(central: Central, merchant: str) -> None:
    code = make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code
    with pytest.raises(InvalidError) as weak:
        enrol(central, code=code, key=encode_b64u(WEAK_KEY), signature="A" * 86, remote="192.0.2.1")
    assert weak.value.code == "enrolment-key"
    key = SigningKey.generate()
    enrol_sender(central, merchant, key)
    with pytest.raises(InvalidError) as reused:
        enrol_with(central, code, key)
    assert reused.value.code == "enrolment-key"
    assert count(central, Issuer) == 1


def test_reused_and_expired_codes_enrol_nobody(central: Central, merchant: str, clock: ManualClock) -> None:
    used, old = (make_code(central, merchant, CodeKind.SCREEN, who="li.wei").code for _ in range(2))
    enrol_with(central, used, SigningKey.generate())
    clock.advance(central.settings.code_minutes * 60)
    for code in (used, old):
        with pytest.raises(NotFoundError) as refused:
            enrol_with(central, code, SigningKey.generate())
        assert refused.value.code == "enrolment-code"
    assert count(central, Issuer) == 1


def test_two_clones_alternating_leave_two_signatures_for_one_place(central: Central, sender: Sender) -> None:
    sender.sell(1)
    sender.upload_all(central)
    clone = sender.back_at(2)
    sender.sell(1)
    assert sender.upload_all(central, first=2).outcome == "accepted"
    clone.nonce = sender.nonce
    clone.sell(1)
    assert clone.upload_all(central, first=2).outcome == "frozen"
    [conflict] = rows(central, Conflict)
    assert (bytes(conflict.held), bytes(conflict.received)) == (sender.sent[2].octets, clone.sent[2].octets)
    for octets in (bytes(conflict.held), bytes(conflict.received)):
        assert sender.chain.open(octets).issuer == sender.issuer
    with pytest.raises(VerificationError, match="V4"):
        sender.chain.accept(bytes(conflict.received))


@pytest.mark.parametrize(("outcome", "status"), [("behind", 409), ("frozen", 423)])
def test_forged_409_and_423_stop_no_upload(shop: Terminal, outcome: Outcome, status: int) -> None:
    """Somebody on the way tells the terminal to stop; nothing moves, and the same octets go again."""
    ask(shop.terminal.journal)
    ahead = Head(epoch=1, seq=9, link=encode_b64u(bytes(32)))
    kept: list[bytes] = []

    def forge(request: Request) -> Reply:
        kept.append(forged(shop.ack(request), outcome=outcome, head=ahead))
        return signed(status, kept[0])

    shop.upstream.script(forge, shop.accept)
    assert shop.uploader.run_once().code is Code.UNTRUSTED
    assert shop.progress.state not in {"behind", "frozen"}
    assert shop.progress.acked_seq == -1
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert (shop.progress.state, shop.progress.acked_seq) == ("ready", 0)
    first, again = shop.upstream.requests
    assert first.body == again.body
    with pytest.raises(VerificationError, match="V3"):
        open_ack(kept[0], shop.terminal.journal.identity.grant.central_keys())
    [sent] = shop.rows(SentBatch)
    assert sent.ack is not None


@pytest.mark.parametrize("status", [409, 423])
def test_unsigned_409_and_423_stop_no_upload(shop: Terminal, status: int) -> None:
    ask(shop.terminal.journal)
    shop.upstream.script(Reply(status=status, body=b"{}"), shop.accept)
    shop.uploader.run_once()
    assert shop.progress.state not in {"behind", "frozen"}
    assert shop.uploader.run_once().code is Code.ACCEPTED
    assert (shop.progress.state, shop.progress.acked_seq) == ("ready", 0)


def test_split_view_of_central_is_two_roots_under_one_key() -> None:
    shop = logged_shop()
    export = shop.export()
    size = max(shop.log.checkpoints)
    other = sign_checkpoint(TreeHead(origin=ORIGIN, size=size, root=bytes(32)), LOG, COSIGNER, START_S)
    name = checkpoint_name(size, again=1)
    export.files[name] = other.split(b"\n")[:-1]
    assert told(export, "V14").file == name
    keys = [parse_vkey(text) for text in VKEYS]
    roots = {open_checkpoint(octets, keys).head.root for octets in (shop.log.checkpoints[size], other)}
    assert len(roots) == 2


def test_central_restored_from_yesterday_does_not_sign_over_its_lock(
    central: Central, tmp_path: Path
) -> None:
    begin_log(central, again=False)
    sequencer = Sequencer(central)
    put(central, 3)
    sequencer.run()
    yesterday = back_up(central)
    put(central, 2, begin=3)
    sequencer.run()
    published, held = newest(central), (tmp_path / "lock").read_bytes()
    restore(central, yesterday)
    put(central, 2, begin=3, what="another leaf")
    with pytest.raises(LogStoppedError) as stopped:
        sequencer.run()
    assert stopped.value.stop is Stop.BEHIND
    assert (tmp_path / "lock").read_bytes() == held
    assert newest(central).size < published.size
    assert open_checkpoint(published.octets, central.identity.log_keys).head.size == published.size
