"""What the web layer is handed by the program that it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo

from flask import current_app

from merchant_agent.clock import Clock
from merchant_agent.domain.catalogue import Catalogue
from merchant_agent.store.store import Store

_KEY = "merchant_agent"


@dataclass(frozen=True, slots=True, kw_only=True)
class WebParts:
    """The collaborators of one application.

    `name` is the program's and keeps its cookies apart from the other's on the same machine.
    `sign_in_pages` maps a role to the path of the page on which it signs in. `secret` signs
    the cookie that carries CSRF tokens. `api_paths` are the beginnings of paths whose answers
    are for programs. `proxies` is how many reverse proxies in front are believed.
    """

    name: str
    store: Store
    clock: Clock
    zone: tzinfo
    catalogue: Catalogue
    secret: bytes
    api_paths: tuple[str, ...]
    sign_in_pages: Mapping[str, str] = field(default_factory=dict)
    session_hours: int = 12
    max_body_bytes: int = 1 << 20
    proxies: int = 0


def keep_parts(extensions: dict[str, object], parts: WebParts) -> None:
    """Makes `parts` what `web_parts` returns within the application that has these extensions."""
    extensions[_KEY] = parts


def web_parts() -> WebParts:
    """The collaborators of the application that handles the present request."""
    parts = current_app.extensions[_KEY]
    if not isinstance(parts, WebParts):
        raise TypeError("the application was not made by make_app")
    return parts
