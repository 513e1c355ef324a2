"""What customers do on their own phones, page by page: each state is looked at by whoever walks along."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Literal

from PIL import Image
from playwright.sync_api import FilePayload, Page, expect

from tests.e2e.looks import Look
from tests.e2e.people import at_shop

WECHAT = (
    "Mozilla/5.0 (Linux; Android 14; V2254A Build/UP1A.231005.007; wv) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Version/4.0 Chrome/126.0.6478.188 Mobile Safari/537.36 XWEB/1260183 MMWEBSDK/20240802 "
    "MicroMessenger/8.0.50.2701(0x28003253) WeChat/arm64 Weixin NetType/WIFI Language/zh_CN ABI/arm64"
)
NUMBER = "13800005678"

Lang = Literal["zh", "en"]


def photo(colour: str, size: tuple[int, int] = (2400, 1800)) -> bytes:
    """A photo as a camera makes it, with what it hides."""
    exif = Image.Exif()
    exif[0x010F] = "SECRETCAMERA"
    exif.get_ifd(0x8825)[2] = (31.0, 14.0, 0.0)
    out = io.BytesIO()
    Image.new("RGB", size, colour).save(out, "JPEG", exif=exif)
    return out.getvalue()


def as_files(**pictures: bytes) -> list[FilePayload]:
    """Files as a page's input takes them, by name."""
    return [
        {"name": f"{name}.jpg", "mimeType": "image/jpeg", "buffer": octets}
        for name, octets in pictures.items()
    ]


@dataclass(frozen=True, kw_only=True)
class Customer:
    """Somebody with a phone; `look` is shown each state under a name."""

    page: Page
    lang: Lang
    look: Look

    def open(self, url: str) -> None:
        """An address as a camera reads it."""
        self.page.goto(f"{at_shop(url)}?lang={self.lang}")

    def rate(self, url: str) -> None:
        """A 2 with reasons, sides and words, by way of a tap that was mended."""
        self.open(url)
        self.look("first", self.page)
        self._tap(5)
        self.page.locator(".chosen a").click()
        self._tap(2)
        self.look("reasons", self.page)
        self.page.locator("input[name=tag]").first.check(force=True)
        self.page.locator(".aspects summary").click()
        self.page.locator(".aspect input[value='2']").first.check(force=True)
        self.look("reasons-aspects", self.page)
        self.page.locator("textarea").fill("等了四十分钟")
        self._send()
        expect(self.page.locator(".big-code")).to_be_visible()
        self.look("thanks-rating", self.page)
        self.open(url)
        self.look("first-rated", self.page)

    def suggest(self, url: str) -> None:
        """A suggestion."""
        self.open(f"{url}/suggest")
        self.look("suggest", self.page)
        self.page.locator("textarea").fill("多放两把椅子")
        self._send()
        self.look("thanks-suggestion", self.page)

    def complain(self, url: str) -> str:
        """A complaint with two photos and a number, at first not complete; its case's address."""
        page = self.page
        self.open(f"{url}/complain")
        self.look("complain", page)
        self._send()
        expect(page.locator("[role=alert]:visible")).to_have_count(1)
        self.look("complain-refused", page)
        page.locator("input[name=category]").first.check(force=True)
        page.locator("input[name=remedy]").first.check(force=True)
        page.locator("textarea").fill("少给了两件衣服")
        page.locator("#amount").fill("64.5")
        self.choose("red", "blue")
        page.locator(".calling > summary").click()
        assert page.locator("input[name=consent]:checked").count() == 0
        page.locator("#contact").fill(NUMBER)
        page.locator("input[name=consent]").first.check(force=True)
        self.look("complain-filled", page)
        self._send()
        expect(page.locator(".course")).to_be_visible()
        self.look("case", page)
        return page.url

    def choose(self, *colours: str) -> None:
        """Photos from the album, which the page shows."""
        files = as_files(**{colour: photo(colour) for colour in colours})
        self.page.locator("input[type=file]").set_input_files(files)
        expect(self.page.locator(".previews canvas")).to_have_count(len(colours))

    def add(self) -> None:
        """Words and a photo, to the case that the page shows."""
        page = self.page
        page.locator(".action:has(form[action$='/add']) > summary").click()
        self.look("case-adding", page)
        page.locator("form[action$='/add'] textarea").fill("第二天又去问，没有人理")
        self.choose("green")
        page.locator("form[action$='/add'] button[type=submit]").click()
        expect(page.locator(".notice-done")).to_be_visible()
        self.look("case-added", page)

    def urge(self, url: str) -> None:
        """Tells the authority that the staff asked for a good rating."""
        page = self.page
        self.open(f"{url}/urged")
        self.look("urge", page)
        self._send()
        self.look("urge-refused", page)
        page.locator("input[name=way]").nth(1).check(force=True)
        page.locator("textarea").fill("给好评送了一瓶水")
        self._send()
        expect(page.locator(".verdict")).to_be_visible()
        self.look("told", page)

    def _tap(self, level: int) -> None:
        self.page.locator(f".face-button[value='{level}']").click()

    def _send(self) -> None:
        self.page.locator("main form button[type=submit].wide").click()
