"""What a reader of one language would stumble over: words of the other one, wherever the page says or shows them."""

from __future__ import annotations

import re

from playwright.sync_api import Page

# Names and signs that are the same in every language,
# and what people chose themselves: names of a setting and of accounts.
_NAMES = (
    "host",
    "officer",
    "demo",
    "POS",
    "CSV",
    "Odoo",
    "PIN",
    "QR",
    "ID",
    "IP",
    "API",
    "ESC/POS",
    "USB",
    "HTTP",
    "CNY",
    "GB",
    "HMAC",
    "JSON",
    "Linux",
    "Raw",
    "SNMP",
    "TCP",
    "UTF",
    "Windows",
    # As Windows calls it in every language.
    "Standard",
    "Port",
    "Merchant",
    "Agent",
)
# The demo's shop and authority, which have one name.
_SHOPS = re.compile(r"[\u4e00-\u9fff]*(?:示例|北街)[\u4e00-\u9fff]*(?: ?\d+ ?号)?")
_CHINESE = re.compile(r"[\u4e00-\u9fff]+")
_ENGLISH = re.compile(r"[A-Za-z]{2,}")
# Addresses, paths, heads of columns, query codes, order numbers, versions and the units of figures.
_CODES = re.compile(
    r"https?://\S*|\w+://|/\w+(?:/\w+)+|\b[a-z]+(?:,[a-z]+)+|\.tmp\b|\b[\d.]+:\d+/\w+|[\w.-]+\.(?:test|cn|example)[\w/:.-]*|merchant-agent[ \w-]*|"
    r"\b[A-Z0-9]+(?:-[A-Za-z0-9]+)+\b|\b(?=[A-Z0-9]*\d)[A-Z0-9]{3,}\b|\b[a-z0-9]*\d[a-z0-9.]*\b|\b[KM]i?B\b"
)

# Texts that somebody else wrote, or that are marked as being of another language, are left out.
_SAID = """() => {
    const lang = document.documentElement.lang.slice(0, 2);
    const isOurs = (element) => (element.closest("[lang]")?.lang.slice(0, 2) ?? lang) === lang
        && !element.closest("code, .code, .address, .words, [data-slot=order], textarea, .theirs, script, style, noscript");
    const said = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const { parentElement, data } = walker.currentNode;
        if (data.trim() && parentElement.checkVisibility() && isOurs(parentElement)) said.push(data);
    }
    for (const element of document.querySelectorAll("[aria-label], [placeholder], [title], [alt]")) {
        if (!element.checkVisibility() || !isOurs(element)) continue;
        for (const name of ["aria-label", "placeholder", "title", "alt"]) if (element.getAttribute(name)) said.push(element.getAttribute(name));
    }
    return { lang, said: [document.title, ...said] };
}"""


def foreign_words(page: Page) -> list[str]:
    """The texts on the page in which words of another language than the page's stand."""
    told = page.evaluate(_SAID)
    return [text.strip() for text in told["said"] if has_foreign(text, told["lang"])]


def has_foreign(text: str, lang: str) -> bool:
    """Whether a reader of `zh` finds English in the text, or a reader of `en` Chinese."""
    if lang == "en":
        return _CHINESE.search(_SHOPS.sub("", text)) is not None
    return any(word not in _NAMES for word in _ENGLISH.findall(_CODES.sub(" ", text)))
