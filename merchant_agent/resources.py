"""Where the files that ship beside the code lie, in a wheel, an editable install or a checkout."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

_PACKAGE = Path(__file__).resolve().parent


def directory(name: Literal["templates", "config"]) -> Path:
    """The folder of that name: inside the package when installed, beside it in the source tree.

    Editable installs do not map nested folders (setuptools issue 4248), hence the second look.

    Raises:
        FileNotFoundError: neither place has it; the installation is broken.
    """
    for place in (_PACKAGE / name, _PACKAGE.parent / name):
        if place.is_dir():
            return place
    raise FileNotFoundError(f"the folder {name} of merchant_agent is missing from this installation")


def static_directory() -> Path:
    """The folder of style sheets, scripts and icons."""
    return _PACKAGE / "static"


def translations_directory() -> Path:
    """The folder of message catalogues."""
    return _PACKAGE / "translations"
