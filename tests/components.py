"""All components on two pages, for tests and for whoever draws: `python -m tests.components`."""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import Flask, render_template, request
from werkzeug.serving import run_simple

from merchant_agent.clock import SystemClock
from merchant_agent.domain.catalogue import load_catalogue
from merchant_agent.resources import directory, static_directory
from merchant_agent.store.folder import DataFolder
from merchant_agent.terminal.store.opening import open_store
from merchant_agent.web.app import make_app
from merchant_agent.web.parts import WebParts

THEMES = ("light", "dark")
TOKENS = static_directory() / "css/tokens.css"
COLOUR = re.compile(r"--([a-z-]+): (#[0-9a-f]{3,6});")
_PORT = 8790


def components(folder: Path) -> Flask:
    """`/components` and `/components/kiosk`, each with `?theme=dark`, `?large=1` and `?lang=en`."""
    data = DataFolder(folder)
    catalogue = load_catalogue(directory("config") / "catalogue")
    app = make_app(
        WebParts(
            name="components",
            store=open_store(data, ballast_bytes=0, keep_backups=1),
            clock=SystemClock(),
            zone=ZoneInfo("Asia/Shanghai"),
            catalogue=catalogue,
            secret=bytes(32),
            api_paths=(),
            sign_in_pages={},
            session_hours=1,
        )
    )
    colours = dict.fromkeys(name for name, _ in COLOUR.findall(TOKENS.read_text("utf-8")))
    symbols = (directory("templates") / "kiosk/symbols.html").read_text("utf-8")
    icons = re.findall(r'symbol id="(icon-[a-z]+)"', symbols)

    @app.get("/components")
    def pages() -> str:
        return render_template("shared/components.html", theme=_theme(), colours=colours)

    @app.get("/components/kiosk")
    def tablet() -> str:
        return render_template(
            "shared/components_kiosk.html",
            theme=_theme(),
            large="large" in request.args,
            levels=catalogue.levels,
            tags=catalogue.tags_for(catalogue.trades[0].code),
            remedies=catalogue.remedies,
            icons=icons,
        )

    return app


def _theme() -> str:
    theme = request.args.get("theme", THEMES[0])
    return theme if theme in THEMES else THEMES[0]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        run_simple("127.0.0.1", _PORT, components(Path(made)))
