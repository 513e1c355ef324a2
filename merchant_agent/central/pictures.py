"""Pictures from strangers, made harmless: what is kept is drawn anew and holds nothing but the picture.

Type by content, never by name: JPEG and PNG alone. Sizes are read and bounded before anything is decoded.
Where it was taken, by which camera, hidden previews and whatever hung behind the picture are not
copied; which way is up is applied first.
"""

from __future__ import annotations

import io
import struct
import threading
import zlib

from PIL import Image, ImageOps

from merchant_agent.errors import InvalidError

_FORMATS = ("JPEG", "PNG")
# Cameras of phones make JPEG of up to 50 megapixels, which a JPEG decoder can shrink while it reads.
_MOST_PIXELS = {"JPEG": 64_000_000, "PNG": 25_000_000}
_LONGEST_SIDE = 30_000
_MOST_BYTES = 600_000
# Longest side and JPEG quality, until it is small enough.
_STEPS = ((1600, 82), (1600, 65), (1280, 60), (1024, 50))
# What Pillow raises over octets that are no picture, or a malicious one.
_UNREADABLE = (
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,
    ValueError,
    OverflowError,
    struct.error,
    zlib.error,
)
# The largest picture takes 200 MB while it is read: one at a time in this process.
_one_at_once = threading.Lock()


def clean_picture(octets: bytes) -> bytes:
    """The same picture as a fresh JPEG of at most 1600 x 1600 pixels, upright, without metadata.

    Raises:
        InvalidError: "photo", when it is no JPEG or PNG that can be read; "photo-size", with too many pixels.
    """
    with _one_at_once:
        try:
            with Image.open(io.BytesIO(octets), formats=_FORMATS) as image:
                _require_size(image)
                drawn = _drawn(image)
        except _UNREADABLE as error:
            raise InvalidError("photo", f"no picture can be read: {type(error).__name__}") from error
        return _encoded(drawn)


def _require_size(image: Image.Image) -> None:
    width, height = image.size
    if max(width, height) > _LONGEST_SIDE or width * height > _MOST_PIXELS[_kind(image)]:
        raise InvalidError("photo-size", f"{width} x {height} pixels")


def _kind(image: Image.Image) -> str:
    """What a file that opened as one of `_FORMATS` is; several JPEG in one file call themselves MPO."""
    return "PNG" if image.format == "PNG" else "JPEG"


def _drawn(image: Image.Image) -> Image.Image:
    """The first picture in the file, upright and in RGB on white; nothing but its pixels is taken over."""
    side = _STEPS[0][0]
    image.draft("RGB", (side, side))
    upright = ImageOps.exif_transpose(image)
    upright.thumbnail((side, side))
    coloured = upright.convert("RGBA")
    fresh = Image.new("RGB", coloured.size, "white")
    fresh.paste(coloured, mask=coloured.getchannel("A"))
    return fresh


def _encoded(picture: Image.Image) -> bytes:
    octets = b""
    for side, quality in _STEPS:
        picture.thumbnail((side, side))
        out = io.BytesIO()
        picture.save(out, "JPEG", quality=quality, optimize=True)
        octets = out.getvalue()
        if len(octets) <= _MOST_BYTES:
            break
    return octets
