"""README against the code: settings, commands, dependencies."""

from __future__ import annotations

import configparser
import re

from tests.readme import README, updated

TEXT = README.read_text("utf-8")


def test_commands_and_settings_stand_in_readme_as_they_are_in_the_code() -> None:
    assert updated(TEXT) == TEXT
    assert TEXT.count("| `merchant-agent ") > 10


def test_every_dependency_has_its_reason() -> None:
    setup = configparser.ConfigParser()
    setup.read(README.with_name("setup.cfg"))
    lines = setup["options"]["install_requires"].split("\n")
    for extra in setup["options.extras_require"].values():
        lines += extra.split("\n")
    names = {re.split(r"[\s\[<>=]", line.strip(), maxsplit=1)[0] for line in lines if line.strip()}
    table = TEXT[TEXT.index("## What it stands on") :].lower()
    assert {name for name in names if name not in table} == set()
    assert all(re.search(r"[<>=]", line) or line.strip() == "tzdata" for line in lines if line.strip())
