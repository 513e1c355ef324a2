"""What the phone's forms have in common: the words for what to correct, and what their pages show."""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import gettext

from merchant_agent.central.answers import COMMENT_MAX_CHARS, Lang
from merchant_agent.central.photos import MOST_PHOTOS, takes_photos
from merchant_agent.central.services import Central
from merchant_agent.central.web.uploads import has_photos
from merchant_agent.errors import RequestError
from merchant_agent.web.locale import current_lang


def what_to_correct(error: RequestError) -> str:
    """What to correct, in a sentence or two."""
    words: dict[str, str] = {
        "comment": gettext("Please write a few words first, 1,000 characters at most."),
        "complaint": gettext("Choose what went wrong, or say it in your own words."),
        "amount": gettext("Enter the amount in digits, such as 64 or 64.50."),
        "contact": gettext("A phone number has 7 to 15 digits."),
        "consents": gettext("Please choose who may call you, or clear the number."),
        "occurred-at": gettext("Enter a date and a time of day."),
        "occurred-in-future": gettext("This time has not come yet."),
        "order": gettext("The order number is too long, or holds characters that cannot be shown."),
        "photos": gettext("Three photos at most, please."),
        "photo": gettext("One of the files is no photo that can be read here. Take a JPEG or PNG picture."),
        "photo-size": gettext("One of the photos is too large. Take a smaller one, or a screenshot of it."),
        "photo-bytes": gettext("One of the photos is too large. Take a smaller one, or a screenshot of it."),
        "addition": gettext("Write a few words, choose a photo, or enter a number."),
        "additions": gettext("This complaint holds as much as it can. The station can call you for more."),
        "urging": gettext("Choose what happened, or say it in your own words."),
    }
    said = words.get(error.code) or gettext("Something in the entry is not right. Please try once more.")
    if has_photos() and not error.code.startswith("photo"):
        again = gettext("Then choose the photos once more.")
        return f"{said} {again}"
    return said


def form_values(central: Central, trade: str) -> Mapping[str, object]:
    """What every form's page shows, by name."""
    catalogue = central.catalogue
    return {
        "catalogue": catalogue,
        "aspects": catalogue.aspects_for(trade)[1:],
        "tags": catalogue.tags_for(trade),
        "common": catalogue.common_categories(trade),
        "others": catalogue.other_categories(trade),
        "number": catalogue.trade(trade).number,
        "max_comment": COMMENT_MAX_CHARS,
        "most_photos": MOST_PHOTOS if takes_photos() else 0,
    }


def form_lang() -> Lang:
    """The language in which the form was filled in."""
    return "en" if current_lang() == "en" else "zh"
