"""Makes the vectors: `python -m tests.vectors.make` writes the JSON files beside this one.

Everything in them follows from names, so that the same octets come out each time. Each file
has what a reader must take under `good` and what it must refuse, with the rule that it
breaks, under `bad`; PROTOCOL.md says what the octets are.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.vectors import asked, confided, histories, kinds, octets, promised, promises, rotations, statements
from tests.vectors.forms import Vector

FOLDER = Path(__file__).parent
MAKERS: dict[str, Callable[[], Vector]] = {
    "acks": statements.acks,
    "base64url": octets.base64url,
    "batches": statements.batches,
    "chains": histories.chains,
    "checkpoints": promises.checkpoints,
    "codes": statements.codes,
    "contacts": promises.contacts,
    "confided": confided.confided,
    "disclosures": statements.disclosures,
    "epochs": asked.epochs,
    "exports": histories.exports,
    "grants": statements.grants,
    "heads": asked.heads,
    "invitations": promises.invitations,
    "jws": octets.jws,
    "kinds": kinds.kinds,
    "logged": promised.logged,
    "proofs": promises.proofs,
    "keys": octets.keys,
    "records": octets.records,
    "requests": asked.requests,
    "rotated": rotations.rotated,
    "slips": promises.slips,
    "stubs": asked.stubs,
}


def render(name: str) -> str:
    """The file of that name."""
    return json.dumps(MAKERS[name](), ensure_ascii=True, indent=1) + "\n"


def main() -> None:
    """Writes all files."""
    for name in MAKERS:
        (FOLDER / f"{name}.json").write_text(render(name), encoding="ascii")


if __name__ == "__main__":
    main()
