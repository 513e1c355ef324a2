"""Following a complaint: who has its claim reads it and adds to it, and nobody else."""

from __future__ import annotations

import io
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from merchant_agent.central.calls import call_back
from merchant_agent.central.complaints import MOST_ADDITIONS, Supplement, add_to
from merchant_agent.central.contacts import look_at_contact
from merchant_agent.central.erasure import erase
from merchant_agent.central.following import find_case, read_course, read_key, write_key
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Addition, Disclosure, Photo
from merchant_agent.errors import ConflictError, ForbiddenError
from merchant_agent.evidence.bodies import AdditionBody, ComplaintBody, Kind
from merchant_agent.evidence.disclosure import make_disclosure
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.evidence.slip import claim_hash
from tests.central.phone.customers import Phone, Visitor, phone
from tests.central.phone.test_photos import picture
from tests.central.rows import count, rows
from tests.central.sender import CATALOGUE, Sent

NUMBER = "13800001234"


@pytest.fixture
def base(visitor: Visitor, merchant: str) -> str:
    assert visitor.uploaded == 0
    return f"/p/{merchant}"


def file(mine: Phone, base: str, **fields: object) -> str:
    """Complains; the address of the case's page."""
    path = f"{base}/complain"
    sent = mine.post(path, path, **{"comment": "少给了两件", **fields})
    assert sent.status_code == 303
    return sent.headers["Location"]


def key_of(page: str) -> str:
    found = re.search(r'class="code key">([0-9A-HJKMNP-TV-Z]{4}(?:-[0-9A-HJKMNP-TV-Z]{4}){3})<', page)
    assert found is not None
    return found[1]


def place(row: Addition) -> Place:
    return Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq)


def complain_on_tablet(visitor: Visitor, prompt: Sent | None = None) -> Sent:
    sender = visitor.sender
    body = ComplaintBody(
        categories=("price",),
        remedies=("refund",),
        channel="tablet",
        lang="zh",
        catalogue=CATALOGUE,
        claim=claim_hash(visitor.claim),
        consents=(),
        notice=None,
        first="shop",
    )
    sender.at = visitor.clock.now()
    about = sender.about(prompt or sender.ask())
    words = [make_disclosure("comment", "多收了钱")]
    return sender.append(Kind.COMPLAINT, body, about=about, disclosures=words)


@pytest.fixture
def slip(visitor: Visitor) -> str:
    """The slip of a complaint on the tablet, which has arrived."""
    sent = complain_on_tablet(visitor)
    text = visitor.slip(sent, level=0, complaint=True)
    visitor.upload()
    return text


def test_the_phone_that_complained_opens_its_case(central: Central, base: str) -> None:
    mine = phone(central)
    case = file(mine, base)
    page = mine.read(case)
    assert "投诉已保存" in page
    assert "少给了两件" in page
    assert "市场监管部门已收到" in page
    assert "您没有留电话" in page


def test_nobody_else_reads_it(central: Central, base: str) -> None:
    case = file(phone(central), base, photo=(io.BytesIO(picture()), "a.jpg"))
    other = phone(central)
    assert "少给了两件" not in other.read(case)
    assert other.get(f"{case}/photo/0/0").status_code == 401
    assert other.post(case, f"{case}/add", comment="不要了").status_code == 401
    assert other.post(case, f"{case}/open", claim="A" * 16).status_code == 422
    assert count(central, Addition) == 0


def test_another_device_opens_it_with_the_characters(central: Central, base: str) -> None:
    mine, other = phone(central), phone(central)
    case = file(mine, base)
    key = key_of(mine.read(case))
    opened = other.post(case, f"{case}/open", claim=f" {key.lower().replace('-', ' ')} ")
    assert (opened.status_code, opened.headers["Location"]) == (303, case)
    assert key not in opened.headers["Location"]
    assert "少给了两件" in other.read(case)
    cookie = opened.headers["Set-Cookie"]
    assert all(part in cookie for part in ("HttpOnly", "SameSite=Lax", f"Path={case}"))


@pytest.mark.parametrize("claim", ["", "x", "é" * 14, "A" * 14, "A" * 400])
def test_a_cookie_that_is_no_claim_opens_nothing(central: Central, base: str, claim: str) -> None:
    case = file(phone(central), base)
    found = find_case(central, case.rpartition("/")[2])
    assert not found.is_claimed_by(claim)


def test_a_rating_s_code_is_no_case(central: Central, base: str) -> None:
    mine = phone(central)
    rated = mine.post(base, f"{base}/rating", level="5").headers["Location"]
    assert mine.get(f"/c/{rated.rpartition('/')[2]}").status_code == 404
    assert mine.get("/c/nonsense").status_code in {400, 422}


def test_words_photos_and_a_number_are_added_later(
    central: Central, visitor: Visitor, merchant: str, base: str
) -> None:
    mine = phone(central)
    case = file(mine, base)
    sent = mine.post(
        case,
        f"{case}/add",
        comment="店员态度不好",
        contact="138 0000 1234",
        consent=["authority", "shop"],
        photo=(io.BytesIO(picture()), "a.jpg"),
    )
    assert (sent.status_code, sent.headers["Location"]) == (303, case)
    page = mine.read(case)
    assert "已补充到您的投诉里" in page
    assert "店员态度不好" in page
    assert NUMBER not in page
    assert mine.get(f"{case}/photo/1/0").data.startswith(b"\xff\xd8")
    (row,) = rows(central, Addition)
    assert look_at_contact(central, merchant, place(row), who="wang.fang") == NUMBER
    (body,) = visitor.said(Kind.ADDITION)
    assert isinstance(body, AdditionBody)
    assert (body.consents, body.notice) == (("authority", "shop"), central.catalogue.notice.version)
    assert "工作人员查看了您的电话" in mine.read(case)
    assert rebuild(central.store).count == 0


def test_a_number_for_the_shop_alone_is_not_shown_to_officers(
    central: Central, merchant: str, base: str
) -> None:
    mine = phone(central)
    case = file(mine, base)
    mine.post(case, f"{case}/add", contact=NUMBER, consent=["shop"])
    (row,) = rows(central, Addition)
    with pytest.raises(ForbiddenError):
        look_at_contact(central, merchant, place(row), who="wang.fang")


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({}, "请写几句话、选一张照片，或填一个电话"),
        ({"contact": NUMBER}, "请选择谁可以打电话给您"),
        ({"comment": "长" * 1001}, "最多1000字"),
    ],
)
def test_what_cannot_be_added_stays_on_the_page(
    central: Central, base: str, fields: dict[str, object], words: str
) -> None:
    mine = phone(central)
    case = file(mine, base)
    answer = mine.post(case, f"{case}/add", **fields)
    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert count(central, Addition) == 0


def test_a_case_is_not_filled_without_end(central: Central, base: str) -> None:
    mine = phone(central)
    case = file(mine, base)
    found = find_case(central, case.rpartition("/")[2])
    for number in range(MOST_ADDITIONS):
        add_to(central, found.merchant, found.complaint, Supplement(comment=str(number)))
    with pytest.raises(ConflictError):
        add_to(central, found.merchant, found.complaint, Supplement(comment="还有"))
    assert "/add" not in mine.read(case)


def test_what_was_added_is_erased_like_the_complaint(central: Central, merchant: str, base: str) -> None:
    mine = phone(central)
    case = file(mine, base)
    mine.post(case, f"{case}/add", comment="后悔的话", photo=(io.BytesIO(picture()), "a.jpg"))
    (row,) = rows(central, Addition)
    erase(central, merchant, place(row), who="wang.fang")
    assert "后悔的话" not in mine.read(case)
    assert count(central, Photo) == 0
    assert {each.name for each in rows(central, Disclosure)} == {"comment"}
    assert rebuild(central.store).count == 0


def test_a_complaint_from_the_tablet_is_followed_by_its_slip(
    central: Central, visitor: Visitor, slip: str
) -> None:
    mine = phone(central)
    mine.open(slip, visitor.claim)
    page = mine.read(f"/s/{slip}")
    assert "在店里的平板上" in page
    sent = mine.post(
        f"/s/{slip}", f"/s/{slip}/add", comment="补一张照片", photo=(io.BytesIO(picture()), "a.jpg")
    )
    assert sent.status_code == 303
    assert "补一张照片" in mine.read(f"/s/{slip}")
    assert mine.get(f"/s/{slip}/photo/1/0").mimetype == "image/jpeg"


def test_a_till_that_opened_the_slip_too_sees_nothing_that_was_added(
    central: Central, visitor: Visitor, slip: str
) -> None:
    mine, till = phone(central), phone(central)
    mine.open(slip, visitor.claim)
    mine.post(f"/s/{slip}", f"/s/{slip}/add", comment="补充的话", photo=(io.BytesIO(picture()), "a.jpg"))
    till.open(slip, visitor.claim)
    for device in (mine, till):
        assert "补充的话" not in device.read(f"/s/{slip}")
        assert device.get(f"/s/{slip}/photo/1/0").status_code == 403


def test_without_the_claim_nothing_is_added_by_a_slip(central: Central, visitor: Visitor, slip: str) -> None:
    stranger = phone(central)
    assert stranger.post(f"/s/{slip}", f"/s/{slip}/add", comment="不要了").status_code == 401
    assert visitor.said(Kind.ADDITION) == []


def test_a_visit_without_a_complaint_takes_no_addition(central: Central, visitor: Visitor) -> None:
    text = visitor.slip(visitor.rate())
    visitor.upload()
    mine = phone(central)
    mine.open(text, visitor.claim)
    assert mine.post(f"/s/{text}", f"/s/{text}/add", comment="补充").status_code == 422


@given(st.binary(min_size=10, max_size=10))
def test_a_claim_survives_being_copied_by_hand(claim: bytes) -> None:
    assert read_key(write_key(encode_b64u(claim))) == encode_b64u(claim)


def test_the_claim_stands_in_no_record_and_no_table(central: Central, base: str) -> None:
    mine = phone(central)
    case = file(mine, base)
    key = key_of(mine.read(case))
    found = find_case(central, case.rpartition("/")[2])
    claim = read_key(key)
    assert claim.encode() not in found.complaint.octets
    with central.store.read() as reader:
        course = read_course(reader, found.merchant, found.complaint)
    assert claim not in repr(course)


def test_a_call_that_reached_nobody_stands_in_the_course(
    central: Central, merchant: str, visitor: Visitor, slip: str
) -> None:
    mine = phone(central)
    mine.open(slip, visitor.claim)
    where = Place(issuer=visitor.sender.issuer, epoch=1, seq=visitor.sender.sent[-1].seq)
    call_back(central, merchant, where, "not_reached", who="wang.fang")
    page = mine.read(f"/s/{slip}")
    assert "维权服务站打过电话，没有打通" in page
    assert "wang.fang" not in page


@pytest.mark.parametrize("number", ["1", "99999999999", "9" * 30])
def test_a_photo_that_is_not_there_is_not_found(central: Central, base: str, number: str) -> None:
    mine = phone(central)
    case = file(mine, base, photo=(io.BytesIO(picture()), "a.jpg"))
    assert mine.get(f"{case}/photo/0/0").status_code == 200
    assert mine.get(f"{case}/photo/0/{number}").status_code == 404
    assert mine.get(f"{case}/photo/{number}/0").status_code == 404


def test_one_call_about_a_visit_of_two_records_stands_once_in_the_course(
    central: Central, merchant: str, visitor: Visitor
) -> None:
    prompt = visitor.sender.ask()
    visitor.rate(prompt)
    complaint = complain_on_tablet(visitor, prompt)
    slip = visitor.slip(complaint, complaint=True)
    visitor.upload()
    mine = phone(central)
    mine.open(slip, visitor.claim)
    where = Place(issuer=visitor.sender.issuer, epoch=1, seq=complaint.seq)
    call_back(central, merchant, where, "not_reached", who="wang.fang")
    assert mine.read(f"/s/{slip}").count("维权服务站打过电话，没有打通") == 1
