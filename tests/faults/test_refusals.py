"""What cannot start says why, in one sentence without a traceback."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from merchant_agent.demo.running import Running, running_demo
from tests.programs import require_one_sentence, run_program, running_program
from tests.upstream import Reply, Upstream

CODE = "0000-0000-0000-0"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    folder = tmp_path_factory.mktemp("refusals") / "demo"
    with running_demo(folder, terminal_port=0, central_port=0, tablets=0) as running:
        yield running


@pytest.fixture
def busy_port() -> Iterator[int]:
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


def test_second_terminal_on_a_folder_is_refused(demo: Running) -> None:
    ended = run_program("terminal", "run", "--data", str(demo.folder.terminal), "--port", "0")
    require_one_sentence(ended, str(demo.folder.terminal), "in use by another process")


def test_second_central_on_a_folder_is_refused(demo: Running) -> None:
    ended = run_program("central", "run", "--data", str(demo.folder.central), "--port", "0")
    require_one_sentence(ended, str(demo.folder.central), "in use by another process")


def test_second_demo_on_a_folder_is_refused_and_harms_nobody(demo: Running) -> None:
    ended = run_program(
        "demo", "--data", str(demo.folder.path), "--terminal-port", "0", "--central-port", "0"
    )
    require_one_sentence(ended, str(demo.folder.path), "in use by another process")
    assert all(child.is_running for child in demo.children)


@pytest.mark.parametrize("program", ["terminal", "central"])
def test_busy_port_is_told(program: str, busy_port: int, tmp_path: Path) -> None:
    ended = run_program(
        program, "run", "--data", str(tmp_path), "--host", "127.0.0.1", "--port", str(busy_port)
    )
    require_one_sentence(ended, f"Port {busy_port} is in use", "--port")


@pytest.mark.parametrize("option", ["--terminal-port", "--central-port"])
def test_busy_port_of_the_demo_is_told_before_anything_starts(
    option: str, busy_port: int, tmp_path: Path
) -> None:
    other = {"--terminal-port": "--central-port", "--central-port": "--terminal-port"}[option]
    ended = run_program("demo", "--data", str(tmp_path / "demo"), option, str(busy_port), other, "0")
    require_one_sentence(ended, f"Port {busy_port} is in use", option)


def test_unreachable_central_is_told(tmp_path: Path, busy_port: int) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()[1]
    assert nobody != busy_port
    central = f"http://127.0.0.1:{nobody}"
    ended = run_program("terminal", "enrol", "--data", str(tmp_path), "--central", central, "--code", CODE)
    require_one_sentence(ended)


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=200, body=b"<html>Please sign in</html>", headers={"Content-Type": "text/html"}),
        Reply(status=302, headers={"Location": "http://portal.example/"}),
        Reply(status=404, body=b"not here", headers={"Content-Type": "text/plain"}),
        Reply(status=201, body=b'{"grant":"x","merchant":{},"trust":{},"central_url":""}'),
    ],
    ids=["captive-portal", "redirect", "other-server", "forged"],
)
def test_wrong_central_is_told(reply: Reply, tmp_path: Path) -> None:
    with Upstream() as upstream:
        upstream.script(reply)
        ended = run_program(
            "terminal", "enrol", "--data", str(tmp_path), "--central", upstream.url, "--code", CODE
        )
    require_one_sentence(ended)


@pytest.mark.parametrize("program", ["terminal", "central"])
@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"port = [", "cannot be understood"),
        (b"\xff\xfe\x00", "cannot be understood"),
        (b"prot = 8700", "did you mean port"),
        (b"port = 'eight'", "whole number"),
    ],
    ids=["broken", "binary", "unknown", "wrong"],
)
def test_unusable_settings_are_told(program: str, text: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / f"{program}.toml").write_bytes(text)
    ended = run_program(program, "run", "--data", str(tmp_path))
    require_one_sentence(ended, words)


@pytest.mark.parametrize("program", ["terminal", "central"])
def test_unreadable_settings_are_told(program: str, tmp_path: Path) -> None:
    (tmp_path / f"{program}.toml").mkdir()
    ended = run_program(program, "run", "--data", str(tmp_path))
    require_one_sentence(ended, f"{program}.toml", "cannot be read")


def test_unreadable_settings_of_the_demo_are_told(tmp_path: Path) -> None:
    (tmp_path / "terminal.toml").write_bytes(b"port = [")
    ended = run_program("demo", "--data", str(tmp_path), "--terminal-port", "0", "--central-port", "0")
    require_one_sentence(ended, "terminal.toml", "cannot be understood")


@pytest.mark.parametrize("program", ["terminal", "central"])
def test_folder_that_is_a_file_is_told(program: str, tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.write_bytes(b"")
    ended = run_program(program, "run", "--data", str(file / "inside"))
    require_one_sentence(ended, str(file))


def test_terminal_whose_central_is_gone_starts_all_the_same(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    with running_demo(folder, terminal_port=0, central_port=0, tablets=0):
        pass
    with running_program("terminal", "run", "--data", str(folder), "--port", "0", "--ready-json") as process:
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["url"].startswith("http://127.0.0.1:")
