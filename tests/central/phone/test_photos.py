"""Photos of complaints: hashed into the record, kept encrypted, shown to few, and gone with the words."""

from __future__ import annotations

import hashlib
import io

import pytest
from PIL import Image
from werkzeug.test import TestResponse

from merchant_agent.central.erasure import erase, erase_old
from merchant_agent.central.photos import MAX_PHOTO_BYTES, look_at_photos
from merchant_agent.central.rebuild import rebuild
from merchant_agent.central.services import Central
from merchant_agent.central.store.models import Complaint, Disclosure, Photo
from merchant_agent.errors import NotFoundError, StoreCorruptError
from merchant_agent.evidence.bodies import Kind
from merchant_agent.evidence.disclosure import open_disclosure
from merchant_agent.evidence.fields import Place
from merchant_agent.evidence.octets import encode_b64u
from merchant_agent.store.credentials import AuditEntry
from tests.central.phone.customers import Phone, Visitor, phone
from tests.central.rows import count, rows
from tests.clocks import ManualClock

DAY_S = 86_400


def picture(colour: str = "red", size: tuple[int, int] = (90, 60)) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def complain(mine: Phone, base: str, *photos: bytes, name: str = "IMG_0001.jpg") -> TestResponse:
    path = f"{base}/complain"
    files = [(io.BytesIO(octets), name, "image/jpeg") for octets in photos]
    return mine.post(path, path, comment="少给了两件", photo=files)


def place(central: Central) -> Place:
    (row,) = rows(central, Complaint)
    return Place(issuer=row.issuer, epoch=row.epoch, seq=row.seq)


def member(central: Central) -> str:
    """The record's `photos`."""
    texts = [row.octets for row in rows(central, Disclosure) if row.name == "photos"]
    return open_disclosure(texts[0]).value


@pytest.fixture
def base(visitor: Visitor, merchant: str) -> str:
    assert visitor.uploaded == 0
    return f"/p/{merchant}"


def test_the_record_holds_the_hash_of_what_is_kept(central: Central, merchant: str, base: str) -> None:
    assert complain(phone(central), base, picture("red"), picture("blue")).status_code == 303
    shown = look_at_photos(central, merchant, place(central), who="wang.fang")
    assert [octets[:2] for octets in shown] == [b"\xff\xd8", b"\xff\xd8"]
    hashes = [encode_b64u(hashlib.sha256(octets).digest()) for octets in shown]
    assert member(central) == " ".join(hashes)
    assert not any(b"SECRET" in octets for octets in shown)
    assert rebuild(central.store).count == 0


def test_each_look_is_kept_before_anything_is_seen(central: Central, merchant: str, base: str) -> None:
    complain(phone(central), base, picture())
    where = place(central)
    look_at_photos(central, merchant, where, who="wang.fang")
    (entry,) = [row for row in rows(central, AuditEntry) if row.what == "photos-looked-at"]
    detail = f"{merchant} {where.issuer}.{where.epoch} {where.seq}"
    assert (entry.who, entry.detail) == ("wang.fang", detail)


def test_whoever_has_the_database_alone_sees_no_photo(central: Central, base: str) -> None:
    complain(phone(central), base, picture())
    (row,) = rows(central, Photo)
    assert b"JFIF" not in bytes(row.sealed)
    assert not list(central.folder.path.rglob("*.jp*g"))


def test_a_photo_that_was_exchanged_is_not_shown(central: Central, merchant: str, base: str) -> None:
    complain(phone(central), base, picture("red"), picture("blue"))
    other = rows(central, Photo)[1]
    with central.store.write() as tx:
        first = Photo.number == 0
        tx.execute(Photo.update({Photo.sealed: bytes(other.sealed)}).where(first))
    with pytest.raises(StoreCorruptError):
        look_at_photos(central, merchant, place(central), who="wang.fang")


def test_photos_are_erased_with_the_words(central: Central, merchant: str, base: str) -> None:
    mine = phone(central)
    case = complain(mine, base, picture()).headers["Location"]
    where = place(central)
    assert "photos" in erase(central, merchant, where, who="wang.fang")
    assert count(central, Photo) == 0
    with pytest.raises(NotFoundError):
        look_at_photos(central, merchant, where, who="wang.fang")
    assert mine.get(f"{case}/photo/0/0").status_code == 404
    assert rebuild(central.store).count == 0


def test_photos_are_erased_after_their_time(central: Central, base: str, clock: ManualClock) -> None:
    complain(phone(central), base, picture())
    clock.advance((central.settings.retention_days + 1) * DAY_S)
    assert erase_old(central) == 1
    assert count(central, Photo) == 0


@pytest.mark.parametrize(
    ("photos", "words"),
    [
        ([picture()] * 4, "最多三张照片"),
        ([b"<svg xmlns='http://www.w3.org/2000/svg'/>"], "不是这里能读的照片"),
        ([picture(), b"MZ\x90\x00"], "不是这里能读的照片"),
        ([picture() + bytes(MAX_PHOTO_BYTES)], "有一张照片太大"),
    ],
)
def test_nothing_is_signed_where_a_file_cannot_be_taken(
    central: Central, visitor: Visitor, base: str, photos: list[bytes], words: str
) -> None:
    answer = complain(phone(central), base, *photos)
    assert answer.status_code == 422
    page = answer.get_data(as_text=True)
    assert words in page
    assert "少给了两件" in page
    assert visitor.said(Kind.COMPLAINT) == []
    assert count(central, Photo) == 0


def test_a_form_that_has_to_be_corrected_asks_for_its_photos_again(central: Central, base: str) -> None:
    path = f"{base}/complain"
    file = (io.BytesIO(picture()), "a.jpg")
    answer = phone(central).post(path, path, comment="贵", amount="很多", photo=file)
    assert "再选一次照片" in answer.get_data(as_text=True)


@pytest.mark.parametrize("name", ["../../../etc/passwd", "..\\..\\x.jpg", "a\0b.jpg", "<b>.svg", "x" * 900])
def test_what_a_file_is_called_counts_for_nothing(
    central: Central, merchant: str, base: str, name: str
) -> None:
    before = {path for path in central.folder.path.rglob("*") if path.is_file()}
    assert complain(phone(central), base, picture(), name=name).status_code == 303
    assert len(look_at_photos(central, merchant, place(central), who="wang.fang")) == 1
    made = {path for path in central.folder.path.rglob("*") if path.is_file()} - before
    assert {path.suffix for path in made} <= {".key", ".sqlite-wal", ".sqlite-shm"}


def test_no_other_form_takes_so_many_bytes(central: Central, base: str) -> None:
    large = (io.BytesIO(bytes(MAX_PHOTO_BYTES)), "a.jpg")
    assert phone(central).post(base, f"{base}/suggest", comment="好", photo=large).status_code == 413


def test_more_than_three_photos_can_weigh_is_not_read(central: Central, base: str) -> None:
    assert complain(phone(central), base, *[bytes(MAX_PHOTO_BYTES)] * 4).status_code == 413


def test_a_complaint_without_photos_says_so_with_no_member(central: Central, base: str) -> None:
    assert complain(phone(central), base, b"").status_code == 303
    assert [row.name for row in rows(central, Disclosure)] == ["comment"]


def test_the_warning_about_faces_stands_before_the_button(central: Central, base: str) -> None:
    page = phone(central).read(f"{base}/complain")
    assert page.index("不要拍到人脸") < page.index('type="file"')
