"""Officers: findings about shops, with what each shop says and the evidence behind it."""

from __future__ import annotations

from typing import cast

from flask import Blueprint, Response, render_template, request

from merchant_agent.central.evidence import proof_file, record_file
from merchant_agent.central.findings import Which, list_findings
from merchant_agent.central.services import Central
from merchant_agent.central.web.wording import finding_words
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.fields import MAX_EPOCH, MAX_SEQ, Place
from merchant_agent.web.reading import read_page_number
from merchant_agent.web.sign_in import requires_role

_WHICH = ("open", "settled", "all")


def finding_pages(central: Central) -> Blueprint:
    """`/officer/findings`, and the files that prove a record: itself, and that it is in the log."""
    pages = Blueprint("findings", __name__)

    @pages.get("/officer/findings")
    @requires_role("officer")
    def listed() -> str:
        wanted = request.args.get("which", "")
        which = cast("Which", wanted if wanted in _WHICH else "open")
        return render_template(
            "central/officer/findings.html",
            page=list_findings(central, which=which, page=read_page_number()),
            which=which,
            now=central.clock.now(),
            finding_words=finding_words,
        )

    @pages.get("/officer/evidence/<merchant>/<issuer>/<int:epoch>/<int:seq>/record")
    @requires_role("officer")
    def record(merchant: str, issuer: str, epoch: int, seq: int) -> Response:
        name, octets = record_file(central, merchant, read_place(issuer, epoch, seq))
        return _file(octets, f"{name}.jws", "application/jose")

    @pages.get("/officer/evidence/<merchant>/<issuer>/<int:epoch>/<int:seq>/proof")
    @requires_role("officer")
    def proof(merchant: str, issuer: str, epoch: int, seq: int) -> Response:
        name, octets = proof_file(central, merchant, read_place(issuer, epoch, seq))
        return _file(octets, f"{name}.tlog-proof", "text/plain")

    return pages


def read_place(issuer: str, epoch: int, seq: int) -> Place:
    """The place in an address.

    Raises:
        NotFoundError: "record": no place has such numbers.
    """
    if not (1 <= epoch <= MAX_EPOCH and seq <= MAX_SEQ):
        raise NotFoundError("record", "there is no such place")
    return Place(issuer=issuer, epoch=epoch, seq=seq)


def _file(octets: bytes, name: str, content_type: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(octets, content_type=content_type, headers=headers)
