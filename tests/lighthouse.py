"""Lighthouse on the phone's pages: accessibility must be 100, best practices at least 95.

`make lighthouse`, or `python -m tests.lighthouse`; it needs npm, with which Lighthouse comes, and Chromium.
No part of `make test`: there axe-core examines the same pages and their states.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

from merchant_agent.demo.running import Running, running_demo
from tests.e2e.looks import PHONE
from tests.e2e.people import LANDSCAPE, Tablet, Till, read_code
from tests.e2e.phones import Customer

_LIGHTHOUSE = "lighthouse@12.8.2"
_LEAST = {"accessibility": 100, "best-practices": 95}
_SHOP = "--host-resolver-rules=MAP shop.test 127.0.0.1"


@dataclass(frozen=True, kw_only=True)
class Target:
    """A page, and the cookies that open it."""

    name: str
    url: str
    cookies: str = ""


def main() -> int:
    """Prints each page's two figures; 1 where one is too low."""
    chromium = shutil.which("chromium") or ""
    failed = False
    with (
        tempfile.TemporaryDirectory() as folder,
        running_demo(Path(folder), terminal_port=0, central_port=0, tablets=0) as demo,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=chromium or None, args=[_SHOP, "--no-sandbox"])
        for target in _targets(demo, browser):
            scores = _measure(target, chromium, Path(folder, "report.json"))
            low = any(scores[name] < least for name, least in _LEAST.items())
            failed = failed or low
            sys.stdout.write(f"{target.name:20} {scores}{'  too low' if low else ''}\n")
            sys.stdout.flush()
        browser.close()
    return int(failed)


def _targets(demo: Running, browser: Browser) -> list[Target]:
    """Every page that has an address; those with a secret by their cookies."""
    page = browser.new_context(viewport={"width": PHONE[0], "height": PHONE[1]}).new_page()
    # The tablet before any sale: afterwards it asks about that.
    slip = _here(_slip(demo, browser, page))
    till = Till(demo=demo)
    fresh, used = (till.sell(order)["invitation"]["url"] for order in ("L-1", "L-2"))
    poster = f"{demo.central.url}/p/{demo.merchant}"
    customer = Customer(page=page, lang="zh", look=lambda _name, _page: None)
    customer.rate(used)
    case = _here(customer.complain(used))
    code = case.rpartition("/")[2]
    addresses = {
        "invitation": fresh,
        "invitation, used": used,
        "poster": poster,
        "suggestion": f"{fresh}/suggest",
        "complaint": f"{fresh}/complain",
        "asked for": f"{fresh}/urged",
        "asked for, told": f"{fresh}/told",
        "thanks": f"{fresh}/thanks/rating/{code}",
        "case, locked": case,
        "slip, locked": slip,
    }
    plain = [Target(name=name, url=url) for name, url in addresses.items()]
    cookies = "; ".join(f"{each['name']}={each['value']}" for each in page.context.cookies())
    opened = {"case": case, "slip": slip}
    return plain + [Target(name=name, url=url, cookies=cookies) for name, url in opened.items()]


def _slip(demo: Running, browser: Browser, page: Page) -> str:
    """The slip of a complaint on the tablet, whose claim the page has presented."""
    tablet = Tablet(page=browser.new_page(viewport={"width": LANDSCAPE[0], "height": LANDSCAPE[1]}))
    tablet.pair(demo.kiosk)
    tablet.complain(category="price", remedy="refund", comment="多收了钱", amount="12")
    address = read_code(tablet.screen("thanks-complaint").locator("[data-qr]"))
    page.goto(address)
    expect(page.locator(".course")).to_be_visible()
    return address.partition("#")[0]


def _here(url: str) -> str:
    """By an address that Chromium trusts without encryption."""
    return url.replace("shop.test", "127.0.0.1").partition("?")[0]


def _measure(target: Target, chromium: str, report: Path) -> dict[str, int]:
    command = [
        *("npx", "--yes", _LIGHTHOUSE, f"{target.url}"),
        *("--quiet", "--output=json", f"--output-path={report}"),
        f"--only-categories={','.join(_LEAST)}",
        "--chrome-flags=--headless=new --no-sandbox",
    ]
    if target.cookies:
        command.append(f"--extra-headers={json.dumps({'Cookie': target.cookies})}")
    environment = os.environ | ({"CHROME_PATH": chromium} if chromium else {})
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL)
    categories = json.loads(report.read_text("utf-8"))["categories"]
    return {name: round(categories[name]["score"] * 100) for name in _LEAST}


if __name__ == "__main__":
    sys.exit(main())
