"""A small application over a real SQLite store: one page, one form, one interface, three roles."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest
from flask import Blueprint, Flask, Response, flash, redirect, render_template, request

from merchant_agent.domain.catalogue import load_catalogue
from merchant_agent.errors import MerchantAgentError
from merchant_agent.resources import directory
from merchant_agent.store.credentials import CREDENTIAL_MODELS
from merchant_agent.store.database import open_sqlite
from merchant_agent.store.migrations import create_tables
from merchant_agent.store.store import Store
from merchant_agent.web.app import exempt_from_csrf, make_app
from merchant_agent.web.parts import WebParts
from merchant_agent.web.reading import read_field, read_json, read_page_number
from merchant_agent.web.sign_in import next_page, remember, requires_role, sign_in_here, sign_out, signed_in
from tests.clocks import SHANGHAI, ManualClock


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """What the test interface takes."""

    number: str


@dataclass
class Site:
    """The application, its store and its clock; `failure` is raised by `/fails`."""

    app: Flask
    store: Store
    clock: ManualClock
    failure: Exception | None = None


def _pages(site: Site) -> Blueprint:
    pages = Blueprint("pages", __name__)

    @pages.get("/")
    def front() -> str:
        flash("hello", "info")
        return render_template("base.html")

    @pages.get("/fails")
    def fails() -> str:
        assert site.failure is not None
        raise site.failure

    @pages.post("/form")
    def form() -> str:
        return read_field("word", max_chars=10)

    @pages.get("/number")
    def number() -> str:
        return str(read_page_number())

    @pages.route("/sign-in", methods=["GET", "POST"])
    def enter() -> Response | str:
        if request.method == "GET":
            return render_template("shared/sign_in.html", heading="Sign in", secret_label="Secret", next="")
        token = sign_in_here(request.form["name"], request.form["secret"])
        return remember(Response(status=303, headers={"Location": next_page("/")}), token)

    @pages.post("/sign-out")
    def leave() -> Response:
        return sign_out(Response("gone"))

    for role in ("staff", "manager", "officer"):
        view = requires_role(role)(lambda: signed_in().name)
        pages.add_url_rule(f"/{role}", endpoint=role, view_func=view, methods=["GET", "POST"])
    return pages


def _interface(site: Site) -> Blueprint:
    interface = Blueprint("interface", __name__)

    @interface.get("/api/fails")
    def api_fails() -> str:
        assert site.failure is not None
        raise site.failure

    @interface.post("/api/orders")
    def order() -> str:
        return read_json(Order, max_bytes=100).number

    @interface.get("/api/staff")
    @requires_role("staff")
    def staff() -> Response:
        return Response(redirect("/").location)

    return interface


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    clock = ManualClock()
    store = Store(open_sqlite(tmp_path / "web.db", application_id=77))
    with store.database.alone() as handle:
        create_tables(handle, CREDENTIAL_MODELS)
    parts = WebParts(
        name="tried",
        store=store,
        clock=clock,
        zone=SHANGHAI,
        catalogue=load_catalogue(directory("config") / "catalogue"),
        secret=b"s" * 32,
        api_paths=("/api/",),
        sign_in_pages=dict.fromkeys(("staff", "manager", "officer"), "/sign-in"),
    )
    site = Site(app=make_app(parts), store=store, clock=clock)
    site.app.register_blueprint(_pages(site))
    site.app.register_blueprint(_interface(site))
    exempt_from_csrf(site.app, "interface")
    yield site
    store.close()


def every_error() -> list[type[MerchantAgentError]]:
    """All classes of the tree."""
    found: list[type[MerchantAgentError]] = []
    waiting: list[type[MerchantAgentError]] = [MerchantAgentError]
    while waiting:
        found.append(waiting.pop())
        waiting += found[-1].__subclasses__()
    return found
