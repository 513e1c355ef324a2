"""One look: every component in every state, the colours that are told, and where the pictures come from."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from werkzeug.serving import make_server

from merchant_agent.resources import directory, static_directory
from tests.components import COLOUR, THEMES, TOKENS, components
from tests.e2e.conftest import Examine, OpenPage
from tests.e2e.people import HOST, LANDSCAPE

_CSS = static_directory() / "css"
_PHONE = (360, 740)
_VENDORED = static_directory() / "vendor/tabler-icons-3.51.0"
_DRAWN_FROM = {
    "icon-check": "circle-check",
    "icon-unsaved": "alert-triangle",
    "icon-unconnected": "wifi-off",
    "icon-tablet": "device-tablet",
    "icon-erase": "backspace",
    "icon-plug": "plug",
    "icon-sun": "sun",
    "icon-pin": "pin",
}
_READ_ON = [
    *(("ink", ground, 7.0) for ground in ("ground", "card", "field", "tint")),
    *(("soft", ground, 4.5) for ground in ("ground", "card")),
    *(("accent", ground, 4.5) for ground in ("ground", "card")),
    *(("alert", ground, 4.5) for ground in ("card", "alert-tint")),
    ("accent-deep", "tint", 4.5),
    ("on-accent", "accent", 4.5),
    ("edge", "field", 3.0),
    ("edge", "card", 3.0),
]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The components' address."""
    server = make_server("127.0.0.1", 0, components(tmp_path_factory.mktemp("components")), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://{HOST}:{server.port}/components"
    server.shutdown()
    thread.join()


@pytest.mark.parametrize("size", [LANDSCAPE, _PHONE], ids=["wide", "narrow"])
@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("path", ["", "/kiosk", "/kiosk?large=1"], ids=["pages", "tablet", "large"])
def test_nothing_is_found_on_any_component(
    served: str,
    open_page: OpenPage,
    examine: Examine,
    *,
    size: tuple[int, int],
    theme: str,
    lang: str,
    path: str,
) -> None:
    page = open_page(size)
    page.goto(f"{served}{path}{'&' if '?' in path else '?'}theme={theme}&lang={lang}")
    expect(page.locator("h1")).to_be_visible()
    examine(page)


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize(("words", "ground", "least"), _READ_ON)
def test_colours_can_be_told_apart(theme: str, words: str, ground: str, least: float) -> None:
    colours = _colours(theme)
    assert _contrast(colours[words], colours[ground]) >= least


def test_both_themes_tell_every_colour_and_each_has_its_words() -> None:
    assert _colours("light").keys() == _colours("dark").keys()
    light, _, _ = TOKENS.read_text("utf-8").partition('[data-theme="dark"] {')
    told = [line for line in light.splitlines() if line.startswith("  --")]
    assert [line for line in told if "/*" not in line and "--type:" not in line] == []


def test_style_sheets_use_only_properties_that_are_told() -> None:
    told = set(re.findall(r"--[a-z-]+(?=:)", TOKENS.read_text("utf-8")))
    for sheet in _CSS.glob("*.css"):
        text = sheet.read_text("utf-8")
        own = set(re.findall(r"--[a-z0-9-]+(?=:)", text))
        used = set(re.findall(r"var\((--[a-z0-9-]+)", text))
        assert {name for name in used - told - own if not name.startswith("--pico-")} == set(), sheet.name


def test_every_icon_is_drawn_as_its_vendored_file() -> None:
    symbols = (directory("templates") / "kiosk/symbols.html").read_text("utf-8")
    drawn = dict(re.findall(r'<symbol id="(icon-[a-z]+)"[^>]*>(.*?)</symbol>', symbols))
    assert drawn.keys() == _DRAWN_FROM.keys()
    for name, file in _DRAWN_FROM.items():
        paths = re.findall(r'<path d="([^"]+)"', (_VENDORED / f"{file}.svg").read_text("utf-8"))
        assert re.findall(r'd="([^"]+)"', drawn[name]) == paths, name


def _colours(theme: str) -> dict[str, str]:
    light, _, dark = TOKENS.read_text("utf-8").partition('[data-theme="dark"] {')
    return dict(COLOUR.findall(light if theme == "light" else dark))


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_light(one), _light(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def _light(colour: str) -> float:
    """Source: WCAG 2.2, relative luminance."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
