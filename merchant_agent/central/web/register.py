"""The register of merchants: one by one in a form, many from a CSV file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from werkzeug.wrappers import Response as AnyResponse

from merchant_agent.central.merchants import (
    ImportRefusedError,
    MerchantInvalidError,
    add_merchant,
    change_merchant,
    find_merchant,
    import_merchants,
    promise_field,
    promises_of,
    read_merchant,
)
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import MerchantEntry
from merchant_agent.central.web.wording import field_words, problem_words, programme_words, refusal_words
from merchant_agent.domain.merchants import Merchant, Programme
from merchant_agent.domain.promises import GOODS_MAX_CHARS, MAX_DAYS, TERMS_MAX_CHARS, PromiseKind
from merchant_agent.errors import ConflictError
from merchant_agent.web.locale import current_lang
from merchant_agent.web.sign_in import requires_role, signed_in

MAX_PROBLEMS_SHOWN = 200

_FIELDS = tuple(field.name for field in fields(Merchant) if field.name != "promises")
_SAMPLE = (
    "名称,店名,统一社会信用代码,地址,行业,联系电话,创建状态\r\n"
    "示例餐饮有限公司,北街小馆,91510129MA6C0A0J4X,晋原街道北街18号,餐饮,028-88200000,创建点位\r\n"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Line:
    """What to correct in one field of a line."""

    line: int
    field: str
    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Detail:
    """A field of a promise in the form; `kind` is "days", "goods" or "terms"."""

    kind: str
    name: str
    label: str
    needed: bool
    max_chars: int


@dataclass(frozen=True, slots=True, kw_only=True)
class _Offered:
    """A promise that the form offers: the name of its box, its words, and its details."""

    name: str
    words: str
    details: tuple[_Detail, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Refused:
    """A file that was not taken, with at most 200 of its problems; `left_out` counts the others."""

    words: str
    problems: tuple[_Line, ...]
    left_out: int


def register_pages(central: Central) -> Blueprint:
    """The merchant form and the import."""
    pages = Blueprint("register", __name__)

    @pages.get("/officer/merchants/new")
    @requires_role("officer")
    def new() -> str:
        return _form(central, entered={"programme": Programme.NONE.value}, errors={}, merchant_id=None)

    @pages.post("/officer/merchants/new")
    @requires_role("officer")
    def add() -> AnyResponse:
        return _save(central, None)

    @pages.get("/officer/merchants/<merchant_id>/edit")
    @requires_role("officer")
    def edit(merchant_id: str) -> str:
        with central.store.read() as reader:
            entry = find_merchant(reader, merchant_id)
        entered = {name: str(getattr(entry, name)) for name in _FIELDS} | _entered_promises(entry)
        return _form(central, entered=entered, errors={}, merchant_id=merchant_id)

    @pages.post("/officer/merchants/<merchant_id>/edit")
    @requires_role("officer")
    def change(merchant_id: str) -> AnyResponse:
        return _save(central, merchant_id)

    @pages.get("/officer/import")
    @requires_role("officer")
    def choose_file() -> str:
        return _import_page(central, None)

    @pages.post("/officer/import")
    @requires_role("officer")
    def take_file() -> AnyResponse:
        try:
            imported = import_merchants(central, _sent_file(), who=signed_in().name)
        except ImportRefusedError as error:
            return Response(_import_page(central, error), status=422)
        flash(
            gettext(
                "Imported: %(added)s new, %(changed)s brought up to date, %(unchanged)s as they were.",
                added=imported.added,
                changed=imported.changed,
                unchanged=imported.unchanged,
            ),
            "done",
        )
        return redirect(url_for("officers.home"), code=303)

    @pages.get("/officer/import/sample.csv")
    @requires_role("officer")
    def sample() -> Response:
        # With a BOM: spreadsheets take a file without one for the system's old encoding.
        answer = Response(_SAMPLE.encode("utf-8-sig"), content_type="text/csv; charset=utf-8")
        answer.headers["Content-Disposition"] = 'attachment; filename="merchants.csv"'
        return answer

    return pages


def _save(central: Central, merchant_id: str | None) -> AnyResponse:
    """Adds or changes a merchant; the form again where it does not fit."""
    entered = request.form.to_dict()
    who = signed_in().name
    try:
        merchant = read_merchant(entered, central.catalogue, central.promise_kinds)
        if merchant_id is None:
            merchant_id = add_merchant(central, merchant, who=who)
        else:
            change_merchant(central, merchant_id, merchant, who=who)
    except MerchantInvalidError as error:
        errors = {problem.field: problem_words(problem) for problem in error.problems}
        return Response(_form(central, entered=entered, errors=errors, merchant_id=merchant_id), status=422)
    except ConflictError as error:
        errors = {"credit_code": gettext("A merchant with this credit code is registered already.")}
        page = _form(central, entered=entered, errors=errors, merchant_id=merchant_id)
        return Response(page, status=409 if error.code == "credit-code" else 422)
    flash(gettext("Saved: %(shop)s", shop=merchant.shop_name), "done")
    return redirect(url_for("enrolling.merchant", merchant_id=merchant_id), code=303)


def _form(
    central: Central, *, entered: Mapping[str, str], errors: Mapping[str, str], merchant_id: str | None
) -> str:
    back = url_for("officers.home")
    if merchant_id is not None:
        back = url_for("enrolling.merchant", merchant_id=merchant_id)
    return render_template(
        "central/officer/merchant_form.html",
        heading=gettext("Add a merchant") if merchant_id is None else gettext("Change a merchant"),
        entered=entered,
        errors=errors,
        trades=central.catalogue.trades,
        offered=[_offered(kind) for kind in central.promise_kinds.kinds],
        programmes=[(programme.value, programme_words(programme.value)) for programme in Programme],
        back=back,
    )


def _entered_promises(entry: MerchantEntry) -> dict[str, str]:
    """What a merchant promises, as the form's fields would state it."""
    entered: dict[str, str] = {}
    for promise in promises_of(entry):
        entered[promise_field(promise.code)] = "1"
        entered[promise_field(promise.code, "days")] = str(promise.days or "")
        entered[promise_field(promise.code, "goods")] = promise.goods
        entered[promise_field(promise.code, "terms")] = promise.terms
    return entered


def _offered(kind: PromiseKind) -> _Offered:
    labels = {"days": gettext("Days"), "goods": gettext("Goods it covers"), "terms": gettext("Terms")}
    most = {"days": len(str(MAX_DAYS)), "goods": GOODS_MAX_CHARS, "terms": TERMS_MAX_CHARS}
    details = tuple(
        _Detail(
            kind=detail,
            name=promise_field(kind.code, detail),
            label=labels[detail],
            needed=detail in kind.needs,
            max_chars=most[detail],
        )
        for detail in kind.takes
    )
    words = kind.text(current_lang()).replace("{days}", "N")
    return _Offered(name=promise_field(kind.code), words=words, details=details)


def _sent_file() -> bytes:
    """The file of the form.

    Raises:
        ImportRefusedError: "import-missing".
    """
    file = request.files.get("file")
    if file is None or not file.filename:
        raise ImportRefusedError("import-missing", "no file was chosen")
    # Large files are on disk until they are closed.
    with file.stream as stream:
        return stream.read()


def _import_page(central: Central, error: ImportRefusedError | None) -> str:
    return render_template(
        "central/officer/import.html",
        trades=central.catalogue.trades,
        refused=None if error is None else _refused(error),
    )


def _refused(error: ImportRefusedError) -> _Refused:
    problems = tuple(
        _Line(line=found.line, field=field_words(found.problem.field), words=problem_words(found.problem))
        for found in error.problems[:MAX_PROBLEMS_SHOWN]
    )
    left_out = len(error.problems) - len(problems)
    return _Refused(words=refusal_words(error), problems=problems, left_out=left_out)
