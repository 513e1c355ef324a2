"""Settings: sources, origins, refusals, the last good copy, and the commented files."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from click.testing import CliRunner

from merchant_agent.cli import root
from merchant_agent.errors import SettingsError
from merchant_agent.resources import directory
from merchant_agent.settings import (
    CentralSettings,
    TerminalSettings,
    documented,
    file_name,
    keep_good_copy,
    load,
    shown,
)

KINDS = [TerminalSettings, CentralSettings]


def test_later_sources_win_and_each_value_tells_its_origin(tmp_path: Path) -> None:
    path = tmp_path / "terminal.toml"
    path.write_text("port = 1001\nidle_rating_s = 30\nupload_every_s = 60\n")
    loaded = load(
        TerminalSettings,
        tmp_path,
        flags={"port": 1003, "host": None},
        environ={"MERCHANT_AGENT_PORT": "1002", "MERCHANT_AGENT_IDLE_RATING_S": "31"},
    )
    assert (loaded.settings.port, loaded.origins["port"]) == (1003, "flag")
    assert (loaded.settings.idle_rating_s, loaded.origins["idle_rating_s"]) == (31, "environment")
    assert (loaded.settings.upload_every_s, loaded.origins["upload_every_s"]) == (60, str(path))
    assert (loaded.settings.host, loaded.origins["host"]) == ("", "default")


def test_unknown_key_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    (tmp_path / "terminal.toml").write_text("idle_rating = 30\n")
    with pytest.raises(SettingsError, match="idle_rating_s"):
        load(TerminalSettings, tmp_path, environ={})


def test_unknown_environment_name_is_refused_with_the_nearest_name(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="upload_every_s"):
        load(TerminalSettings, tmp_path, environ={"MERCHANT_AGENT_UPLOAD_EVERY": "3"})


def test_environment_of_the_other_program_is_left_alone(tmp_path: Path) -> None:
    loaded = load(TerminalSettings, tmp_path, environ={"MERCHANT_AGENT_AUTHORITY": "Bureau"})
    assert set(loaded.origins.values()) == {"default", "flag"}


@pytest.mark.parametrize(
    "line",
    [
        "port = 65536",
        "port = true",
        'port = "many"',
        "port = 1.5",
        'zone = "Mars/Olympus"',
        'business_day_starts = "4 am"',
        'central_url = "ftp://x"',
        "central_url = 7",
    ],
)
def test_value_out_of_range_is_refused(tmp_path: Path, line: str) -> None:
    (tmp_path / "terminal.toml").write_text(line + "\n")
    with pytest.raises(SettingsError, match=line.split(" ", maxsplit=1)[0]):
        load(TerminalSettings, tmp_path, environ={})


@pytest.mark.parametrize("damage", [b"", b"   \n", b"port = ", b"\xff\xfe\x00", b"port = 1"[:5]])
def test_broken_file_gives_way_to_its_last_good_copy(tmp_path: Path, damage: bytes) -> None:
    path = tmp_path / "terminal.toml"
    path.write_text("port = 1001\n")
    load(TerminalSettings, tmp_path, environ={})
    keep_good_copy(TerminalSettings, tmp_path)
    path.write_bytes(damage)
    loaded = load(TerminalSettings, tmp_path, environ={})
    assert loaded.settings.port == 1001
    assert len(loaded.warnings) == 1


def test_good_copy_survives_a_start_with_an_empty_file(tmp_path: Path) -> None:
    path = tmp_path / "terminal.toml"
    path.write_text("port = 1001\n")
    keep_good_copy(TerminalSettings, tmp_path)
    path.write_text("")
    keep_good_copy(TerminalSettings, tmp_path)
    assert load(TerminalSettings, tmp_path, environ={}).settings.port == 1001


def test_broken_file_without_a_good_copy_is_refused(tmp_path: Path) -> None:
    (tmp_path / "central.toml").write_text("port = ")
    with pytest.raises(SettingsError):
        load(CentralSettings, tmp_path, environ={})


@pytest.mark.parametrize("kind", KINDS)
def test_commented_file_lists_every_setting_with_its_default(
    kind: type[TerminalSettings | CentralSettings],
) -> None:
    text = (directory("config") / file_name(kind)).read_text("utf-8")
    assert tomllib.loads(text) == {}
    uncommented = "\n".join(line[2:] for line in text.splitlines() if " = " in line and line.startswith("# "))
    assert tomllib.loads(uncommented) == {name: default for name, default, _ in documented(kind)}
    prose = text.replace("\n# ", " ")
    assert all(doc in prose for _, _, doc in documented(kind))


def test_password_in_the_database_address_is_never_shown(tmp_path: Path) -> None:
    settings = load(
        CentralSettings, tmp_path, flags={"database": "postgresql://me:hush@db/x"}, environ={}
    ).settings
    assert shown(settings, "database") == "postgresql://me:***@db/x"


def test_command_shows_values_and_origins(tmp_path: Path) -> None:
    (tmp_path / "central.toml").write_text('authority = "示范县市场监督管理局"\n')
    result = CliRunner().invoke(root, ["settings", "central", "--data", str(tmp_path), "--json"])
    assert result.exit_code == 0
    assert '"authority": {"value": "\\u793a' in result.output
    assert str(tmp_path / "central.toml") in result.output
