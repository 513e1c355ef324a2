"""Photos as forms bring them: how large such a request may be, and what is read of it."""

from __future__ import annotations

from flask import Blueprint, request

from merchant_agent.central.photos import MAX_PHOTO_BYTES, MOST_PHOTOS, read_photos

_FORM_BYTES = 262_144


def allow_photos(pages: Blueprint, *endpoints: str) -> None:
    """Lets these views of the blueprint take as many bytes as their photos may have, and no others."""
    names = {f"{pages.name}.{endpoint}" for endpoint in endpoints}

    def widen(endpoint: str | None, _values: object) -> None:
        # Before the form is read for the first time, which the check of its token does.
        if endpoint in names:
            request.max_content_length = MOST_PHOTOS * MAX_PHOTO_BYTES + _FORM_BYTES

    pages.url_value_preprocessor(widen)


def sent_photos() -> tuple[bytes, ...]:
    """The photos in the form, cleaned.

    Raises:
        InvalidError: as `read_photos`.
    """
    files = request.files.getlist("photo")[: MOST_PHOTOS + 1]
    return read_photos([file.stream.read(MAX_PHOTO_BYTES + 1) for file in files])


def has_photos() -> bool:
    """Whether the form brings any, which a browser does not send again by itself."""
    return any(file.filename for file in request.files.getlist("photo"))
