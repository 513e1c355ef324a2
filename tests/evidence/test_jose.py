"""What is signed here, as `jose` reads it: a public JOSE library of another language (npm, version 6).

It knows `alg` `Ed25519` of RFC 9864, and nothing of this project.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from merchant_agent.evidence.archive import ACKS, BATCHES, GRANTS, RECORDS
from merchant_agent.evidence.jws import Typ, decode_jws
from merchant_agent.evidence.octets import encode_b64u
from tests.evidence.logged import logged_shop
from tests.evidence.synthetic import ACKNOWLEDGING, ROOT, Shop, busy_shop, id_of, key_of, octets_of

FILES = Path(__file__).with_name("jose")
TYPES = {RECORDS: Typ.RECORD, GRANTS: Typ.GRANT, BATCHES: Typ.BATCH, ACKS: Typ.ACK}
# Whose key a name of the synthetic shop stands for.
NAMES = {f"{id_of(name)}.1": name for name in (ROOT, ACKNOWLEDGING)} | {
    f"{id_of('shop')}.{epoch}": f"shop {epoch}" for epoch in (1, 2)
}


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The checker beside the library, whose hash the lock file pins."""
    folder = tmp_path_factory.mktemp("jose") / "checker"
    shutil.copytree(FILES, folder)
    install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    subprocess.run(install, cwd=folder, check=True, capture_output=True)
    return folder / "check.mjs"


def ask(program: Path, tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    lines = "".join(json.dumps(task) + "\n" for task in tasks)
    done = subprocess.run(["node", str(program)], input=lines, capture_output=True, text=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def public_jwk(name: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": encode_b64u(key_of(name).public)}


def everything(shop: Shop) -> list[tuple[Typ, bytes]]:
    files = shop.export().files
    return [(typ, octets) for name, typ in TYPES.items() for octets in files[name]]


def task_of(typ: Typ, octets: bytes) -> dict[str, Any]:
    return {"jws": octets.decode(), "jwk": public_jwk(NAMES[decode_jws(octets, typ).kid])}


@pytest.mark.parametrize("shop", [busy_shop(), logged_shop()], ids=["busy", "logged"])
def test_all_that_is_signed_verifies_with_jose(program: Path, shop: Shop) -> None:
    signed = everything(shop)
    answers = ask(program, [task_of(typ, octets) for typ, octets in signed])
    for (typ, octets), answer in zip(signed, answers, strict=True):
        jws = decode_jws(octets, typ)
        assert answer == {
            "payload": encode_b64u(jws.payload),
            "header": {"alg": "Ed25519", "kid": jws.kid, "typ": typ.value},
        }


def test_jose_refuses_what_was_changed_or_signed_by_another_key(program: Path) -> None:
    record = busy_shop().records[3].decode()
    header, payload, signature = record.split(".")
    other = "A" if payload[40] != "A" else "B"
    tasks = [
        {"jws": f"{header}.{payload[:40]}{other}{payload[41:]}.{signature}", "jwk": public_jwk("shop 1")},
        {"jws": record, "jwk": public_jwk("shop 2")},
    ]
    assert ask(program, tasks) == [{"error": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED"}] * 2


def test_jose_signs_the_same_octets(program: Path) -> None:
    signed = everything(busy_shop())
    tasks = []
    for typ, octets in signed:
        jws = decode_jws(octets, typ)
        name = NAMES[jws.kid]
        private = {**public_jwk(name), "d": encode_b64u(octets_of(f"key {name}", 32))}
        header = {"alg": "Ed25519", "kid": jws.kid, "typ": typ.value}
        tasks.append({"payload": encode_b64u(jws.payload), "header": header, "jwk": private})
    assert [answer["jws"].encode() for answer in ask(program, tasks)] == [octets for _, octets in signed]
