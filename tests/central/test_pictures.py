"""Pictures from strangers: nothing but the picture gets through, and what is none is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from merchant_agent.central.pictures import clean_picture
from merchant_agent.errors import InvalidError

ORIENTATION = 0x0112
GPS = 0x8825
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def jpeg(size: tuple[int, int] = (64, 48), colour: str = "red", **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", **more)
    return out.getvalue()


def png(image: Image.Image, **more: object) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", **more)
    return out.getvalue()


def chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of black pixels, a thousandth of its size in memory."""
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    lines = zlib.compress(b"\0" * ((width // 8 + 1) * height), 9)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", lines) + chunk(b"IEND", b"")


def opened(octets: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(octets))
    image.load()
    return image


def refused(octets: bytes, code: str = "photo") -> None:
    with pytest.raises(InvalidError) as caught:
        clean_picture(octets)
    assert caught.value.code == code


def test_the_place_where_it_was_taken_is_gone() -> None:
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(GPS)[2] = (31.0, 14.0, 0.0)
    sent = jpeg(exif=exif, comment=b"SECRETCOMMENT", icc_profile=b"SECRETPROFILE" * 20)
    assert b"SECRETCAMERA" in sent
    assert b"SECRETCOMMENT" in sent
    kept = clean_picture(sent)
    assert b"SECRET" not in kept
    image = opened(kept)
    assert len(image.getexif()) == 0
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


def test_texts_in_a_png_are_gone() -> None:
    texts = PngImagePlugin.PngInfo()
    texts.add_text("Author", "SECRETNAME")
    sent = png(Image.new("RGB", (9, 9)), pnginfo=texts)
    assert b"SECRETNAME" in sent
    assert b"SECRETNAME" not in clean_picture(sent)


def test_which_way_is_up_is_applied() -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    image = Image.new("RGB", (80, 40), "white")
    image.paste("red", (0, 0, 40, 40))
    out = io.BytesIO()
    image.save(out, "JPEG", exif=exif, quality=95)
    upright = opened(clean_picture(out.getvalue()))
    assert upright.size == (40, 80)
    red, green, _ = upright.getpixel((20, 10))  # type: ignore[misc]
    assert (red > 200, green < 60) == (True, True)


@pytest.mark.parametrize("size", [(4000, 3000), (3000, 4000), (12_000, 4), (1600, 1600)])
def test_the_longest_side_is_bounded(size: tuple[int, int]) -> None:
    width, height = opened(clean_picture(jpeg(size))).size
    assert max(width, height) == 1600
    assert min(width, height) >= 1


def test_a_small_picture_stays_as_large_as_it_is() -> None:
    assert opened(clean_picture(jpeg((64, 48)))).size == (64, 48)


def test_even_noise_is_kept_small() -> None:
    noise = Image.effect_noise((3000, 3000), 200)
    assert len(clean_picture(png(noise))) < 800_000


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_other_kinds_of_pixels_become_a_plain_picture(mode: str) -> None:
    assert opened(clean_picture(png(Image.new(mode, (20, 20))))).mode == "RGB"


def test_what_is_transparent_becomes_white() -> None:
    clear = Image.new("RGBA", (20, 20), (255, 0, 0, 0))
    assert opened(clean_picture(png(clear))).getpixel((5, 5)) == (255, 255, 255)


@pytest.mark.parametrize("size", [(10_000, 10_000), (5_100, 5_000), (40_000, 10)])
def test_a_bomb_is_refused_before_it_is_unpacked(size: tuple[int, int]) -> None:
    bomb = png_bomb(*size)
    assert len(bomb) < 100_000
    with pytest.raises(InvalidError):
        clean_picture(bomb)


def test_a_header_that_promises_too_much_is_refused() -> None:
    octets = bytearray(jpeg())
    at = octets.index(b"\xff\xc0") + 5
    octets[at : at + 4] = struct.pack(">HH", 9_000, 9_000)
    refused(bytes(octets), "photo-size")
    octets[at : at + 4] = struct.pack(">HH", 65_500, 65_500)
    refused(bytes(octets))


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"no picture",
        SVG,
        b"GIF89a" + bytes(40),
        b"%PDF-1.7\n%%EOF",
        b"RIFF\x24\x00\x00\x00WEBPVP8 " + bytes(24),
        b"II*\x00" + bytes(64),
        b"BM" + bytes(64),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"MZ" + bytes(200),
        b"\xff\xd8\xff\xe0",
        b"\x89PNG\r\n\x1a\n",
    ],
)
def test_other_files_are_refused_by_their_content(octets: bytes) -> None:
    refused(octets)


@pytest.mark.parametrize("tail", [SVG, b"<?php system($_GET[0]); ?>", b"PK\x03\x04" + bytes(64)])
def test_what_hangs_behind_a_picture_is_cut_off(tail: bytes) -> None:
    kept = clean_picture(jpeg() + tail)
    assert tail not in kept
    assert kept.endswith(b"\xff\xd9")


def test_a_picture_that_begins_as_a_page_is_refused() -> None:
    refused(b"<html><script>alert(1)</script></html>" + jpeg())


@pytest.mark.parametrize("whole", [jpeg((40, 30)), png(Image.new("RGB", (40, 30), "blue"))])
def test_a_picture_that_is_cut_off_is_refused(whole: bytes) -> None:
    for length in range(0, len(whole) - 30, 7):
        refused(whole[:length])


@given(st.integers(0, 600), st.binary(min_size=1, max_size=8))
def test_spoiled_octets_are_a_picture_or_refused(at: int, octets: bytes) -> None:
    spoiled = bytearray(jpeg((40, 30)))
    spoiled[at : at + len(octets)] = octets
    try:
        assert clean_picture(bytes(spoiled)).startswith(b"\xff\xd8")
    except InvalidError as error:
        assert error.code in {"photo", "photo-size"}  # noqa: PT017 -- either outcome is right


@given(st.integers(0, 400), st.binary(min_size=1, max_size=8))
def test_spoiled_png_octets_are_a_picture_or_refused(at: int, octets: bytes) -> None:
    spoiled = bytearray(png(Image.new("P", (40, 30))))
    spoiled[at : at + len(octets)] = octets
    try:
        assert clean_picture(bytes(spoiled)).startswith(b"\xff\xd8")
    except InvalidError as error:
        assert error.code in {"photo", "photo-size"}  # noqa: PT017 -- either outcome is right
