"""The manager's page on which a POS is connected: four ways, each with its test, a dry run, and what it saw last."""

from __future__ import annotations

import msgspec
from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response

from merchant_agent.domain.sales import TILL_MAX_CHARS
from merchant_agent.errors import InvalidError, NotFoundError
from merchant_agent.store.credentials import audit
from merchant_agent.store.store import Writer
from merchant_agent.terminal.devices import make_pos_token, revoke_pos_token
from merchant_agent.terminal.overview import known_tills
from merchant_agent.terminal.pos import tokens
from merchant_agent.terminal.pos.adjusting import (
    adjust,
    order_picks,
    title_picks,
    total_picks,
    understand_now,
)
from merchant_agent.terminal.pos.connections import Connections, source_of
from merchant_agent.terminal.pos.printer.patterns import WORD_MAX_CHARS, Patterns
from merchant_agent.terminal.pos.sightings import Sighting
from merchant_agent.terminal.pos.ways import (
    NAME_MAX_CHARS,
    PrinterDetails,
    Way,
    WayKind,
    add_way,
    change_way,
    find_way,
    list_ways,
    remove_way,
    switch_way,
)
from merchant_agent.terminal.pos.words import SORTS, load_patterns, load_words
from merchant_agent.terminal.services import Terminal
from merchant_agent.terminal.web import pos_words
from merchant_agent.terminal.web.address import reachable_roots
from merchant_agent.terminal.web.pos_api import STRANGERS
from merchant_agent.terminal.web.pos_forms import read_details, typed_fields, wrong_words
from merchant_agent.web.reading import read_field
from merchant_agent.web.sign_in import requires_role, signed_in

_PLACEHOLDER = "TOKEN"
_ENTRY = "way_entry"


def pos_setup(terminal: Terminal, connections: Connections, *, is_open: bool) -> Blueprint:  # noqa: C901 -- the page's buttons
    """`/manager/pos` and what its buttons do; `is_open` tells whether the network reaches this process."""
    blueprint = Blueprint("pos_setup", __name__, url_prefix="/manager/pos")
    desk = _Desk(terminal, connections, is_open=is_open)

    @blueprint.get("")
    @requires_role("manager")
    def page() -> str:
        return desk.overview()

    @blueprint.get("/tokens")
    @blueprint.get("/ways")
    @requires_role("manager")
    def chosen_language() -> Response:
        # Where a language is chosen on a page that a button made: what it showed once is not shown twice.
        return redirect(url_for("pos_setup.page"))

    @blueprint.post("/tokens")
    @requires_role("manager")
    def new_token() -> str:
        till = read_field("till", max_chars=TILL_MAX_CHARS)
        with desk.noting("pos-token", till) as writer:
            token = make_pos_token(writer, till, at=terminal.clock.now())
            made = tokens.list_terms(writer)[-1]
            tokens.set_dry_run(writer, made.id, dry_run=True)
        return desk.token_page(made.id, new_token=token)

    @blueprint.get("/tokens/<token_id>")
    @requires_role("manager")
    def token_page(token_id: str) -> str:
        return desk.token_page(token_id)

    @blueprint.get("/tokens/<token_id>/seen")
    @requires_role("manager")
    def token_seen(token_id: str) -> str:
        return desk.token_seen(token_id)

    @blueprint.get("/tokens/<token_id>/secret")
    @requires_role("manager")
    def chosen_language_beside_secret(token_id: str) -> Response:
        return redirect(url_for("pos_setup.token_page", token_id=token_id))

    @blueprint.post("/tokens/<token_id>/<deed>")
    @requires_role("manager")
    def change_token(token_id: str, deed: str) -> Response | str:
        return desk.change_token(token_id, deed)

    @blueprint.post("/ways")
    @requires_role("manager")
    def new_way() -> Response:
        try:
            number = desk.new_way()
        except InvalidError as error:
            flash(wrong_words(error), "error")
            session[_ENTRY] = typed_fields()
            return redirect(url_for("pos_setup.page", way=request.form.get("kind", "")))
        return redirect(url_for("pos_setup.way_page", number=number))

    @blueprint.get("/ways/<int:number>")
    @requires_role("manager")
    def way_page(number: int) -> str:
        return desk.way_page(number)

    @blueprint.get("/ways/<int:number>/seen")
    @requires_role("manager")
    def way_seen(number: int) -> str:
        return desk.way_seen(number)

    @blueprint.post("/ways/<int:number>/<deed>")
    @requires_role("manager")
    def change_way_(number: int, deed: str) -> Response:
        try:
            return desk.change_way(number, deed)
        except InvalidError as error:
            flash(wrong_words(error), "error")
            return redirect(url_for("pos_setup.way_page", number=number))

    return blueprint


class _Desk:
    """What the page's buttons do."""

    def __init__(self, terminal: Terminal, connections: Connections, *, is_open: bool) -> None:
        self._terminal = terminal
        self._connections = connections
        self._is_open = is_open

    def noting(self, what: str, detail: str) -> _Noting:
        """A transaction that also keeps who did it."""
        return _Noting(self._terminal, what, detail)

    def overview(self) -> str:
        """Everything that is connected, and the four ways."""
        with self._terminal.store.read() as reader:
            ways, terms = list_ways(reader), tokens.list_terms(reader)
            tills = known_tills(reader)
        return render_template(
            "manager/pos.html",
            ways=[(way, self._connections.state(way)) for way in ways],
            tokens=[(one, self._newest(one.id)) for one in terms],
            tills=tills,
            chosen=request.args.get("way", ""),
            entry=session.pop(_ENTRY, {}),
            words=pos_words,
        )

    def token_page(self, token_id: str, *, new_token: str = "", new_secret: str = "") -> str:
        """A till's token: the line to copy, and what came with it."""
        with self._terminal.store.read() as reader:
            terms = next((one for one in tokens.list_terms(reader) if one.id == token_id), None)
        if terms is None:
            raise NotFoundError("pos-token", "no such POS token is in force")
        return render_template(
            "manager/pos_token.html",
            token=terms,
            shown=new_token or _PLACEHOLDER,
            new_token=new_token,
            new_secret=new_secret,
            root=reachable_roots(request.url_root, open_to_network=self._is_open)[0],
            is_open=self._is_open,
            sightings=self._seen(token_id, STRANGERS),
            words=pos_words,
        )

    def change_token(self, token_id: str, deed: str) -> Response | str:
        """Dry run, secrets and the end of a token.

        Raises:
            NotFoundError: "pos-token", or "deed".
        """
        secret = ""
        with self.noting(f"pos-token-{deed}", token_id) as writer:
            match deed:
                case "dry-run":
                    tokens.set_dry_run(writer, token_id, dry_run=request.form.get("on") == "1")
                case "secret":
                    secret = tokens.make_secret(writer, token_id)
                case "end-former":
                    tokens.end_former_secret(writer, token_id)
                case "unsigned":
                    tokens.forget_secrets(writer, token_id)
                case "revoke":
                    revoke_pos_token(writer, token_id, at=self._terminal.clock.now())
                case _:
                    raise NotFoundError("deed", "there is no such button")
        if secret:
            return self.token_page(token_id, new_secret=secret)
        if deed == "revoke":
            return redirect(url_for("pos_setup.page"))
        return redirect(url_for("pos_setup.token_page", token_id=token_id))

    def new_way(self) -> int:
        """Sets up what the form says, as a dry run; its number.

        Raises:
            InvalidError: as `add_way` and the details.
            NotFoundError: "way", there is no such kind.
        """
        kind, details = request.form.get("kind", ""), read_details()
        name = read_field("name", max_chars=NAME_MAX_CHARS) or pos_words.kind_words(WayKind(kind))
        with self.noting("pos-way", kind) as writer:
            number = add_way(writer, name=name, till=request.form.get("till", ""), details=details)
        self._connections.apply()
        return number

    def way_page(self, number: int) -> str:
        """One way: how it stands, what it saw, and how its papers are read."""
        with self._terminal.store.read() as reader:
            way = find_way(reader, number)
            patterns, kept = load_patterns(reader), load_words(reader)
        sightings = self._connections.sightings.of(source_of(number))
        at = request.args.get("paper", "0")
        chosen = sightings[int(at)] if at.isdecimal() and int(at) < len(sightings) else None
        return render_template(
            "manager/pos_way.html",
            way=way,
            state=self._connections.state(way),
            sightings=sightings,
            words=pos_words,
            kept=kept,
            sorts=SORTS,
            paper=None if chosen is None or not chosen.lines else self._paper(chosen, way, patterns),
            paper_at=at,
        )

    def way_seen(self, number: int) -> str:
        """The part of a way's page that brings itself up to date."""
        with self._terminal.store.read() as reader:
            way = find_way(reader, number)
        sightings = self._connections.sightings.of(source_of(number))
        return render_template("manager/pos_seen.html", way=way, sightings=sightings, words=pos_words)

    def token_seen(self, token_id: str) -> str:
        """The part of a token's page that brings itself up to date."""
        return render_template(
            "manager/pos_seen.html", sightings=self._seen(token_id, STRANGERS), words=pos_words
        )

    def change_way(self, number: int, deed: str) -> Response:
        """Tests, switches and words of a way.

        Raises:
            InvalidError: as `adjust` and `change_way`.
            NotFoundError: "way", or "deed".
        """
        with self._terminal.store.read() as reader:
            way = find_way(reader, number)
        match deed:
            case "check":
                self._check(way)
            case "print":
                self._print(way)
            case "word" | "forget-word":
                self._adjust(adds=deed == "word")
            case "change" | "switch" | "dry-run" | "images" | "remove":
                self._set(way, deed)
            case _:
                raise NotFoundError("deed", "there is no such button")
        if deed == "remove":
            return redirect(url_for("pos_setup.page"))
        paper = request.form.get("paper")
        return redirect(url_for("pos_setup.way_page", number=number, paper=paper))

    def _set(self, way: Way, deed: str) -> None:
        is_on = request.form.get("on") == "1"
        with self.noting(f"pos-way-{deed}", way.name) as writer:
            match deed:
                case "switch":
                    switch_way(writer, way.number, enabled=is_on)
                case "dry-run":
                    switch_way(writer, way.number, dry_run=is_on)
                case "remove":
                    remove_way(writer, way.number)
                case "images" if isinstance(way.details, PrinterDetails):
                    details = msgspec.structs.replace(way.details, images=is_on)
                    change_way(writer, way.number, name=way.name, till=way.till, details=details)
                case _:
                    till = read_field("till", max_chars=TILL_MAX_CHARS)
                    name = read_field("name", max_chars=NAME_MAX_CHARS) or way.name
                    change_way(writer, way.number, name=name, till=till, details=read_details(way.details))
        self._connections.apply()
        if deed == "remove":
            self._connections.sightings.forget(source_of(way.number))

    def _check(self, way: Way) -> None:
        state = self._connections.check(way)
        words = pos_words.state_words(state)
        if state.is_good:
            flash(gettext("Tested just now: %(state)s.", state=words), "done")
        else:
            advice = pos_words.advice_words(way.kind, state)
            flash(gettext("Tested just now: %(state)s. %(advice)s", state=words, advice=advice), "error")

    def _print(self, way: Way) -> None:
        try:
            self._connections.printer(way.number).print_test()
        except OSError:
            flash(gettext("The test page could not be printed: the printer is off, or busy."), "error")
        else:
            flash(
                gettext("The test page is with the printer. Is it on paper? Then the printer is connected."),
                "done",
            )

    def _adjust(self, *, adds: bool) -> None:
        word = read_field("word", max_chars=WORD_MAX_CHARS)
        sort = request.form.get("sort", "")
        adjust(self._terminal, sort, word, adds=adds)
        self._connections.apply()
        flash(gettext("From now on receipts are read so. The change is signed."), "done")

    def _paper(self, seen: Sighting, way: Way, patterns: Patterns) -> dict[str, object]:
        """A paper with what can be picked on it, and how it would be understood now."""
        lines = seen.lines[1:] if way.kind is WayKind.FOLDER else seen.lines
        return {
            "seen": seen,
            "lines": lines,
            "job": understand_now(self._terminal, lines, patterns),
            "orders": order_picks(lines),
            "totals": total_picks(lines),
            "titles": title_picks(lines),
        }

    def _newest(self, source: str) -> Sighting | None:
        return next(iter(self._connections.sightings.of(source)), None)

    def _seen(self, source: str, also: str) -> tuple[Sighting, ...]:
        seen = (*self._connections.sightings.of(source), *self._connections.sightings.of(also))
        return tuple(sorted(seen, key=lambda one: one.at, reverse=True))[:20]


class _Noting:
    """A write transaction whose deed is kept under the manager's name."""

    def __init__(self, terminal: Terminal, what: str, detail: str) -> None:
        self._terminal = terminal
        self._deed = (what, detail)
        self._writing = terminal.store.write()

    def __enter__(self) -> Writer:
        writer = self._writing.__enter__()
        what, detail = self._deed
        audit(writer, at=self._terminal.clock.now(), who=signed_in().name, what=what, detail=detail)
        return writer

    def __exit__(self, *error: object) -> bool | None:
        return self._writing.__exit__(*error)  # type: ignore[arg-type]
