"""The officers' pages: who gets in, what they show, what they change."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from werkzeug.test import TestResponse

from merchant_agent.central.codes import CodeState, list_codes
from merchant_agent.central.intake.enrolment import Enrolled, Waiting
from merchant_agent.central.overview import list_merchants
from merchant_agent.central.store.models import ChainHead
from merchant_agent.central.web.terminals import view_terminals
from merchant_agent.errors import NotFoundError
from merchant_agent.evidence.bodies import EndBody, Kind
from merchant_agent.evidence.enrolment import parse_code
from merchant_agent.evidence.keys import SigningKey, fingerprint
from merchant_agent.store.credentials import AuditEntry
from tests.central.sender import enrol_with
from tests.central.web.office import OFFICER, ORIGIN, SCRIPT, Office, credit_code

LANGS = ("zh", "en")
PAGES = (
    *(
        "/officer",
        "/officer/complaints",
        "/officer/ratings",
        "/officer/ratings?level=1",
        "/officer/suggestions",
    ),
    *("/officer/merchants/new", "/officer/import"),
)
MERCHANT_PAGES = ("", "/edit")
FORM = {
    "name": "示例餐饮有限公司",
    "shop_name": "北街小馆",
    "credit_code": credit_code(1),
    "address": "晋原街道北街18号",
    "trade": "catering",
    "phone": "028-88200000",
    "programme": "site",
}


def _pages(merchant: str) -> tuple[str, ...]:
    return (*PAGES, *(f"/officer/merchants/{merchant}{page}" for page in MERCHANT_PAGES))


def _audited(office: Office) -> list[tuple[str, str]]:
    with office.central.store.read() as reader:
        entries = reader.all(AuditEntry.select().order_by(AuditEntry.number))
    return [(entry.who, entry.what) for entry in entries]


def _count(office: Office) -> int:
    return len(list_merchants(office.central).items)


def _import(office: Office, octets: bytes) -> TestResponse:
    return office.send("/officer/import", "/officer/import", file=(io.BytesIO(octets), "merchants.csv"))


def _set_head(office: Office, **changed: object) -> None:
    columns = {getattr(ChainHead, name): value for name, value in changed.items()}
    with office.central.store.write() as tx:
        tx.execute(ChainHead.update(columns))


# ---------------------------------------------------------------- signing in


def test_stranger_is_sent_to_sign_in_from_every_page(office: Office) -> None:
    merchant = office.register()
    for page in (*_pages(merchant), "/officer/import/sample.csv"):
        answer = office.get(page)
        assert answer.status_code == 302, page
        assert answer.location.startswith("/officer/sign-in?next=")


def test_stranger_changes_nothing(office: Office) -> None:
    merchant = office.register()
    here = f"/officer/merchants/{merchant}"
    for action in (
        f"{here}/edit",
        f"{here}/code",
        f"{here}/sheet",
        "/officer/merchants/new",
        "/officer/import",
    ):
        assert office.send("/officer/sign-in", action, **FORM).status_code == 401, action
    assert list_codes(office.central) == []
    assert _count(office) == 1


def test_right_password_leads_to_the_page_that_was_asked_for(office: Office) -> None:
    office.hire()
    assert office.enter(target="/officer/complaints").location == "/officer/complaints"
    assert OFFICER in office.text("/officer/complaints")
    assert office.get("/officer/sign-in").location == "/officer"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example/", "/\\evil.example"])
def test_sign_in_leads_nowhere_else(office: Office, target: str) -> None:
    office.hire()
    assert office.enter(target=target).location == "/officer"


def test_wrong_password_and_unknown_name_read_the_same(office: Office) -> None:
    office.hire()
    wrong = office.enter(secret="wrong wrong wrong")
    unknown = office.enter(name="nobody")
    assert (wrong.status_code, unknown.status_code) == (401, 401)
    for answer in (wrong, unknown):
        assert "The name or the password is wrong." in answer.get_data(as_text=True)
    assert f'value="{OFFICER}"' in wrong.get_data(as_text=True)
    assert office.get("/officer").status_code == 302


def test_five_wrong_passwords_lock_even_the_right_one_out_for_a_while(office: Office) -> None:
    office.hire()
    for _ in range(5):
        office.enter(secret="wrong wrong wrong")
    locked = office.enter()
    assert locked.status_code == 429
    assert locked.headers["Retry-After"] == "60"
    assert "Wait 1 min" in locked.get_data(as_text=True)
    office.clock.advance(61)
    assert office.enter().status_code == 303


def test_session_ends_after_twelve_hours(office: Office) -> None:
    office.staffed()
    office.clock.advance(12 * 3600 - 1)
    assert office.get("/officer").status_code == 200
    office.clock.advance(1)
    assert office.get("/officer").status_code == 302


def test_signing_out_ends_the_session_at_both_ends(office: Office) -> None:
    office.staffed()
    stolen = office.browser.get_cookie("central_session")
    assert stolen is not None
    assert office.send("/officer", "/officer/sign-out").location == "/officer/sign-in"
    assert office.get("/officer").status_code == 302
    office.browser.set_cookie("central_session", stolen.value)
    assert office.get("/officer").status_code == 302


def test_cookie_is_kept_from_scripts(office: Office) -> None:
    office.hire()
    cookies = office.enter().headers.getlist("Set-Cookie")
    session = next(cookie for cookie in cookies if cookie.startswith("central_session="))
    assert "HttpOnly" in session
    assert "SameSite=Lax" in session


def test_what_officers_do_is_written_down(office: Office) -> None:
    office.staffed()
    office.send("/officer/merchants/new", "/officer/merchants/new", **FORM)
    office.make_code(list_merchants(office.central).items[0].entry.id)
    office.send("/officer", "/officer/sign-out")
    office.enter(secret="wrong wrong wrong")
    done = [what for who, what in _audited(office) if who == OFFICER]
    assert done == ["signed-in", "merchant-added", "code-made", "signed-out", "sign-in-failed"]


@pytest.mark.parametrize("role", ["staff", "manager"])
def test_other_roles_are_no_officers(office: Office, role: str) -> None:
    office.hire(role=role)
    office.enter()
    assert office.get("/officer").status_code == 302


def test_form_of_a_foreign_page_is_refused(office: Office) -> None:
    office.staffed()
    form = {"csrf_token": office.token("/officer/merchants/new"), **FORM}
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Referer": "http://evil.example/x"},
    ):
        assert office.browser.post("/officer/merchants/new", data=form, headers=headers).status_code == 403
    assert _count(office) == 0


def test_form_without_its_token_is_refused(office: Office) -> None:
    office.staffed()
    assert office.browser.post("/officer/merchants/new", data=FORM, headers=ORIGIN).status_code == 400
    assert _count(office) == 0


def test_first_visit_says_how_to_register_an_officer(office: Office) -> None:
    assert "add-officer" in office.text("/officer/sign-in")
    office.hire()
    assert "add-officer" not in office.text("/officer/sign-in")


# ---------------------------------------------------------------- pages


@pytest.mark.parametrize("lang", LANGS)
def test_every_page_renders_in_both_languages_empty_and_busy(office: Office, lang: str) -> None:
    assert 'class="card narrow"' in office.text("/officer/sign-in", lang)
    office.staffed()
    for page in PAGES:
        office.text(page, lang)
    merchant, sender = office.open_shop()
    sender.rate(sender.ask(), 2, comment="慢")
    sender.suggest("添把椅子")
    sender.complain(comment="少找了钱", amount="64.00 CNY", order="A-17")
    sender.upload_all(office.central)
    enrol_with(office.central, parse_code(office.make_code(merchant, "sheet")), SigningKey.generate())
    here = f"/officer/merchants/{merchant}"
    pages = [office.text(page, lang) for page in _pages(merchant)]
    pages += [office.send(here, f"{here}/{kind}", lang).get_data(as_text=True) for kind in ("code", "sheet")]
    for page in pages:
        assert f'<html lang="{"zh-CN" if lang == "zh" else "en"}"' in page
        assert "style=" not in page
        assert not re.search(r"<script(?![^>]* src=)", page)


def test_empty_home_teaches_how_to_begin(office: Office) -> None:
    assert "Begin with the merchants" in office.staffed().text("/officer")


def test_home_shows_each_terminal_with_its_state(office: Office) -> None:
    office.staffed()
    office.register(2, shop_name="李记包子铺")
    _, sender = office.open_shop()
    sender.sell(3)
    sender.upload_all(office.central)
    page = office.text("/officer")
    assert sender.issuer in page
    assert "In order" in page
    assert "No terminal yet" in page
    _set_head(office, state="frozen", clock_ms=4_200_000, seen_at=office.clock.now() - timedelta(hours=25))
    page = office.text("/officer")
    for words in ("Frozen", "Clock off by +70 min", "Silent"):
        assert words in page
    assert "In order" not in page


@pytest.mark.parametrize(
    ("clock_ms", "lang", "told"),
    [
        *((0, "en", "0 s"), (-20, "en", "0 s"), (-60, "en", "-0.1 s"), (4_200_000, "en", "+70 min")),
        *((0, "zh", "0 秒"), (180_000, "zh", "+3 分钟"), (-86_400_000, "zh", "-24 小时")),
        (259_200_000, "zh", "+3 天"),
    ],
)
def test_clock_is_told_in_the_readers_language_and_without_a_zero_below_zero(
    office: Office, clock_ms: int, lang: str, told: str
) -> None:
    office.open_shop()
    _set_head(office, clock_ms=clock_ms)
    states = list_merchants(office.central).items[0].terminals
    with office.app.test_request_context(f"/?lang={lang}"):
        (view,) = view_terminals(states, office.clock.now(), timedelta(hours=24))
    assert view.clock == told


def test_terminal_that_signed_its_end_is_out_of_service_and_never_silent(office: Office) -> None:
    office.staffed()
    merchant, sender = office.open_shop()
    sender.sell(1)
    sender.append(Kind.END, EndBody(reason="closed"))
    sender.upload_all(office.central)
    _set_head(office, seen_at=office.clock.now() - timedelta(hours=25))
    page = office.text(f"/officer/merchants/{merchant}")
    assert "Out of service" in page
    assert "Silent" not in page


def test_quarantine_and_announced_records_are_shown(office: Office) -> None:
    office.staffed()
    merchant, sender = office.open_shop()
    sender.sell(1)
    sender.keep(sender.forge(b'{"no":"record"}'))
    sender.upload_all(office.central)
    _set_head(office, claimed_seq=9)
    page = office.text(f"/officer/merchants/{merchant}")
    assert "1 rejected" in page
    assert "7 on the way" in page


def test_older_epoch_is_no_cause_for_alarm(office: Office) -> None:
    office.open_shop()
    state = list_merchants(office.central).items[0].terminals[0]
    now = office.clock.now() + timedelta(days=9)
    with office.app.test_request_context("/?lang=en"):
        (view,) = view_terminals([state], now, timedelta(hours=24))
        assert view.alert
        newer = type(state)(**{**{name: getattr(state, name) for name in state.__slots__}, "epoch": 2})
        views = view_terminals([newer, state], now, timedelta(hours=24))
    assert [(one.state.epoch, one.ended, one.alert) for one in views] == [(2, False, True), (1, True, False)]


def test_words_of_customers_are_shown_as_text(office: Office) -> None:
    office.staffed()
    merchant, sender = office.open_shop()
    sender.rate(sender.ask(), 1, comment=SCRIPT)
    sender.suggest(SCRIPT)
    sender.complain(comment=SCRIPT, order=SCRIPT)
    sender.upload_all(office.central)
    for page in ("complaints", "ratings", "suggestions"):
        text = office.text(f"/officer/{page}?merchant={merchant}")
        assert SCRIPT not in text
        assert "&lt;script&gt;" in text


def test_complaint_shows_words_amount_remedy_and_category_of_its_catalogue(office: Office) -> None:
    office.staffed()
    _, sender = office.open_shop()
    sender.complain(comment="汤里有头发", amount="64.00 CNY", order="087", occurred_at="2026-05-20T11:58")
    sender.upload_all(office.central)
    chinese, english = office.text("/officer/complaints", "zh"), office.text("/officer/complaints", "en")
    for words in ("汤里有头发", "64.00 元", "2026-05-20 11:58", "087", "东西有质量问题", "退钱"):
        assert words in chinese
    for words in ("Something is wrong with the goods", "Money back", "64.00 CNY", "2026-05-20 11:58"):
        assert words in english


def test_answer_about_a_sale_typed_in_at_the_counter_is_marked(office: Office) -> None:
    office.staffed()
    _, sender = office.open_shop()
    typed, reported = sender.ask(source="manual"), sender.ask()
    sender.rate(typed, 5)
    sender.rate(reported, 4)
    sender.rate(None, 3)
    sender.complain(typed)
    sender.upload_all(office.central)
    assert office.text("/officer/ratings").count("not in the score") == 1
    assert "not in the score" in office.text("/officer/ratings?level=5")
    assert "typed in at the counter" in office.text("/officer/complaints")


def test_every_answer_is_said_to_be_verified_and_what_that_means(office: Office) -> None:
    office.staffed()
    _, sender = office.open_shop()
    sender.rate(sender.ask(), 5)
    sender.complain()
    for page in ("complaints", "ratings"):
        assert "Verified: the signature" not in office.text(f"/officer/{page}")
    sender.upload_all(office.central)
    for page in ("complaints", "ratings"):
        text = office.text(f"/officer/{page}")
        assert "Verified: the signature" in text
        assert text.count(">verified<") == 1


def test_code_that_no_catalogue_explains_stands_for_itself(office: Office) -> None:
    office.staffed()
    _, sender = office.open_shop()
    sender.rate(sender.ask(), 5)
    sender.upload_all(office.central)
    assert "<li>tasty</li>" in office.text("/officer/ratings")


def test_ratings_are_listed_by_level_and_merchant_page_by_page(office: Office) -> None:
    office.staffed()
    merchant, sender = office.open_shop()
    other, second = office.open_shop(2)
    sender.sell(52, 5)
    sender.rate(sender.ask(), 1, comment="慢")
    second.rate(second.ask(), 1, comment="快")
    sender.upload_all(office.central)
    second.upload_all(office.central)
    assert office.text("/officer/ratings?level=1").count('class="card voice"') == 2
    bad = office.text(f"/officer/ratings?level=1&merchant={merchant}")
    assert "慢" in bad
    assert "快" not in bad
    assert office.text(f"/officer/ratings?merchant={merchant}&page=2").count('class="card voice"') == 3
    assert office.text(f"/officer/ratings?merchant={other}").count('class="card voice"') == 1
    assert office.text("/officer/ratings?level=7&page=x").count('class="card voice"') == 50


def test_unknown_merchant_is_not_found(office: Office) -> None:
    office.staffed()
    for page in ("merchants/AAAAAAAAAAA", "merchants/AAAAAAAAAAA/edit", "ratings?merchant=AAAAAAAAAAA"):
        assert office.get(f"/officer/{page}").status_code == 404


# ---------------------------------------------------------------- the register


def test_merchant_is_added_and_changed_by_form(office: Office) -> None:
    office.staffed()
    added = office.send("/officer/merchants/new", "/officer/merchants/new", **FORM)
    assert added.status_code == 303
    assert "Saved: 北街小馆" in office.text(added.location)
    edit = f"{added.location}/edit"
    assert f'value="{credit_code(1)}"' in office.text(edit)
    office.send(edit, edit, **{**FORM, "shop_name": "南街小馆"})
    assert "南街小馆" in office.text(added.location)


def test_form_with_errors_comes_back_as_it_was_typed(office: Office) -> None:
    office.staffed()
    typed = {
        **FORM,
        "credit_code": "91510129MA00000000",
        "phone": "call me",
        "address": "",
        "trade": "circus",
    }
    answer = office.send("/officer/merchants/new", "/officer/merchants/new", **typed)
    page = answer.get_data(as_text=True)
    assert answer.status_code == 422
    assert re.findall(r'class="field-error" id="(\w+)-error"', page) == [
        "credit_code",
        "address",
        "trade",
        "phone",
    ]
    for value in ("示例餐饮有限公司", "91510129MA00000000", "call me"):
        assert f'value="{value}"' in page
    assert page.count(' aria-invalid="true"') == 4
    assert _count(office) == 0


def test_credit_code_of_another_merchant_is_an_error_in_its_field(office: Office) -> None:
    office.staffed()
    office.register(1)
    second = office.register(2)
    edit = f"/officer/merchants/{second}/edit"
    for page in ("/officer/merchants/new", edit):
        answer = office.send(page, page, **FORM)
        assert answer.status_code == 409
        assert 'id="credit_code-error"' in answer.get_data(as_text=True)


def test_sample_file_is_taken_as_it_is(office: Office) -> None:
    office.staffed()
    sample = office.get("/officer/import/sample.csv")
    assert sample.data.startswith(b"\xef\xbb\xbf")
    answer = _import(office, sample.data)
    assert answer.status_code == 303
    assert "Imported: 1 new" in office.text(answer.location)
    assert "0 new, 0 brought up to date, 1 as they were" in office.text(_import(office, sample.data).location)


def test_every_line_at_fault_is_listed_and_nothing_is_imported(office: Office) -> None:
    office.staffed()
    lines = [
        "name,credit_code,address,trade",
        f"甲,{credit_code(1)},北街1号,餐饮",
        "乙,91510129MA00000000,,餐饮",
        f"丙,{credit_code(1)},北街3号,马戏",
    ]
    answer = _import(office, "\r\n".join(lines).encode("gb18030"))
    rows = re.findall(
        r'<td class="number"[^>]*>(\d+)</td><td[^>]*>([^<]+)</td>', answer.get_data(as_text=True)
    )
    assert answer.status_code == 422
    assert rows == [("3", "Credit code"), ("3", "Address"), ("4", "Trade")]
    assert _count(office) == 0


def test_many_problems_are_counted_instead_of_listed(office: Office) -> None:
    office.staffed()
    lines = ["name,credit_code,address,trade", *(f"店{number},x,街,餐饮" for number in range(230))]
    page = _import(office, "\n".join(lines).encode()).get_data(as_text=True)
    assert page.count('<td class="number"') == 200
    assert "And 30 more." in page


@pytest.mark.parametrize(
    ("octets", "words"),
    [
        (b"", "The first line must hold the headings"),
        (b"name,credit_code,address,trade\n", "The file holds no merchant"),
        (b"name,colour\n1,2\n", "The first line must hold the headings"),
        (b"\xff\xff\xff", "neither UTF-8 nor GB18030"),
        (b"name,credit_code,address,trade\na,b\n", "do not match the headings"),
        (b"name,credit_code,address,trade\n" + b"\n" * 20_001, "The file is too large"),
    ],
)
def test_file_that_is_no_list_says_why(office: Office, octets: bytes, words: str) -> None:
    office.staffed()
    answer = _import(office, octets)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)


def test_import_without_a_file_asks_for_one(office: Office) -> None:
    office.staffed()
    answer = office.send("/officer/import", "/officer/import")
    assert "Choose a file first." in answer.get_data(as_text=True)


# ---------------------------------------------------------------- codes


def test_code_on_screen_enrols_one_terminal_and_is_never_shown_again(office: Office) -> None:
    merchant = office.staffed().register()
    code = office.make_code(merchant)
    here = f"/officer/merchants/{merchant}"
    assert code not in office.text(here)
    assert isinstance(enrol_with(office.central, parse_code(code), SigningKey.generate()), Enrolled)
    with pytest.raises(NotFoundError):
        enrol_with(office.central, parse_code(code), SigningKey.generate())
    page = office.text(here)
    assert ">Used<" in page
    assert "Enrolled, nothing sent yet" in page


def test_page_with_a_code_is_not_kept_by_the_browser(office: Office) -> None:
    merchant = office.staffed().register()
    here = f"/officer/merchants/{merchant}"
    answer = office.send(here, f"{here}/code")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "until 2026-05-20 12:15" in answer.get_data(as_text=True)


def test_code_on_screen_is_over_after_fifteen_minutes(office: Office) -> None:
    merchant = office.staffed().register()
    code = office.make_code(merchant)
    office.clock.advance(15 * 60)
    with pytest.raises(NotFoundError):
        enrol_with(office.central, parse_code(code), SigningKey.generate())
    assert ">Expired<" in office.text(f"/officer/merchants/{merchant}")


def test_withdrawn_code_enrols_nobody(office: Office) -> None:
    merchant = office.staffed().register()
    code = office.make_code(merchant)
    here = f"/officer/merchants/{merchant}"
    office.send(here, f"{here}/codes/{list_codes(office.central)[0].id}/refuse")
    with pytest.raises(NotFoundError):
        enrol_with(office.central, parse_code(code), SigningKey.generate())
    assert ">Withdrawn<" in office.text(here)


def test_sheet_prints_code_steps_and_a_square_for_a_scanner(office: Office) -> None:
    merchant = office.staffed().register()
    here = f"/officer/merchants/{merchant}"
    page = office.send(here, f"{here}/sheet").get_data(as_text=True)
    assert "<svg" in page
    assert "merchant-agent terminal enrol" in page
    assert "until 2026-06-03 12:00" in page
    assert "北街小馆" in page


def test_sheet_waits_for_the_officer_who_sees_the_key(office: Office) -> None:
    merchant = office.staffed().register()
    code, key = parse_code(office.make_code(merchant, "sheet")), SigningKey.generate()
    assert isinstance(enrol_with(office.central, code, key), Waiting)
    assert "Terminals that wait for you" in office.text("/officer")
    here = f"/officer/merchants/{merchant}"
    seen = office.text(here)
    assert " ".join(re.findall("....", fingerprint(key.public)[:16])) in seen
    assert "192.0.2.1" in seen
    action = f"{here}/codes/{list_codes(office.central)[0].id}/confirm"
    assert office.send(here, action).status_code == 303
    assert isinstance(enrol_with(office.central, code, key), Enrolled)
    assert "Terminals that wait for you" not in office.text("/officer")
    assert office.send(here, action).status_code == 409


def test_refused_sheet_enrols_nobody(office: Office) -> None:
    merchant = office.staffed().register()
    code, key = parse_code(office.make_code(merchant, "sheet")), SigningKey.generate()
    enrol_with(office.central, code, key)
    here = f"/officer/merchants/{merchant}"
    office.send(here, f"{here}/codes/{list_codes(office.central)[0].id}/refuse")
    with pytest.raises(NotFoundError):
        enrol_with(office.central, code, key)
    assert [entry.state for entry in list_codes(office.central)] == [CodeState.REFUSED]


def test_unknown_code_is_not_found(office: Office) -> None:
    merchant = office.staffed().register()
    here = f"/officer/merchants/{merchant}"
    for code in ("AAAA", "!!", "A" * 43):
        assert office.send(here, f"{here}/codes/{code}/confirm").status_code == 404
