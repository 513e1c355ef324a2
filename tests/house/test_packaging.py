"""What is shipped: every package, and the files beside the code."""

from __future__ import annotations

import configparser
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from merchant_agent.resources import directory, static_directory, translations_directory

ROOT = Path(__file__).resolve().parents[2]
MAPPED = {"merchant_agent.config", "merchant_agent.templates"}


def _tracked(*patterns: str) -> set[str]:
    listed = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", *patterns], check=True, capture_output=True, text=True
    ).stdout
    return set(listed.split())


def test_setup_cfg_lists_every_package() -> None:
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg")
    listed = set(setup["options"]["packages"].split())
    found = {
        path.parent.relative_to(ROOT).as_posix().replace("/", ".")
        for path in (ROOT / "merchant_agent").rglob("__init__.py")
    }
    assert listed == found | MAPPED


@pytest.fixture(scope="session")
def wheel_names(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder = tmp_path_factory.mktemp("wheel")
    source = folder / "source"
    # Built from a copy: the build leaves folders behind that linters would read.
    source.mkdir()
    archive = subprocess.run(
        ["git", "-C", str(ROOT), "ls-files", "-z"], check=True, capture_output=True
    ).stdout
    for name in archive.decode().split("\0"):
        if name and (ROOT / name).is_file():
            target = source / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes((ROOT / name).read_bytes())
    subprocess.run(
        [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "-w", str(folder), str(source)],
        check=True,
    )
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        return set(wheel.namelist())


def test_wheel_ships_config_templates_and_static_files(wheel_names: set[str]) -> None:
    expected = {
        f"merchant_agent/{name}"
        for name in _tracked("config/*.toml", "config/**/*.toml", "templates/**/*.html")
    }
    expected |= _tracked(
        "merchant_agent/static/**", "merchant_agent/translations/**/*.mo", "merchant_agent/evidence/*.md"
    )
    assert expected
    assert expected <= wheel_names


def test_wheel_ships_every_module_and_no_test(wheel_names: set[str]) -> None:
    assert _tracked("merchant_agent/**/*.py", "merchant_agent/*.py") <= wheel_names
    assert not {name for name in wheel_names if name.startswith("tests")}


def test_folders_are_found_in_the_source_tree() -> None:
    assert (directory("config") / "terminal.toml").is_file()
    assert directory("templates").is_dir()
    assert static_directory().is_dir()
    assert translations_directory().is_dir()


def test_units_start_commands_that_there_are_and_start_them_again() -> None:
    for path in sorted((ROOT / "config" / "systemd").glob("*.service")):
        unit = configparser.ConfigParser(strict=False, interpolation=None)
        unit.optionxform = str  # type: ignore[assignment, method-assign]
        unit.read(path)
        service = unit["Service"]
        assert service["Restart"] == "always"
        assert unit["Unit"]["StartLimitIntervalSec"] == "0"
        assert service["ProtectSystem"] == "strict"
        started = service["ExecStart"]
        assert (
            "merchant-agent terminal run --data" in started or "merchant_agent.central.app:wsgi()" in started
        )
    assert len(list((ROOT / "config" / "systemd").glob("*.service"))) == 2
