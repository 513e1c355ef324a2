"""The terminal's commands, as people type them: in processes of their own."""

from __future__ import annotations

import json
import signal
import socket
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from merchant_agent.domain.sales import Sale
from merchant_agent.errors import StartError
from merchant_agent.evidence.trust import encode_trust
from merchant_agent.settings import TerminalSettings
from merchant_agent.store.backup import backup_into
from merchant_agent.store.folder import ADDRESS_NAME, DataFolder
from merchant_agent.store.store import Store
from merchant_agent.store.whereabouts import read_whereabouts, tell_whereabouts
from merchant_agent.terminal.accounts import set_pin
from merchant_agent.terminal.app import choose_host
from merchant_agent.terminal.collect.prompts import take_sale
from merchant_agent.terminal.devices import find_pos_token, list_tablets, pair
from merchant_agent.terminal.services import close_terminal, open_terminal
from merchant_agent.terminal.store.holds import load_hold
from merchant_agent.terminal.store.models import Prompt
from merchant_agent.terminal.store.opening import DATABASE_NAME, open_existing, open_store
from tests.clocks import START, ManualClock
from tests.enrolled import enrolled_journal
from tests.live_central import LiveCentral
from tests.programs import require_one_sentence, run_program, running_program

PIN = "271828"


@pytest.fixture
def data(tmp_path: Path, clock: ManualClock) -> Path:
    """The folder of an enrolled terminal that does not run."""
    path = tmp_path / "terminal"
    with enrolled_journal(path, clock):
        return path


@contextmanager
def _store(data: Path) -> Iterator[Store]:
    store = open_existing(data, read_only=True)
    try:
        yield store
    finally:
        store.close()


@contextmanager
def _running(data: Path, *flags: str) -> Iterator[str]:
    """The address of the terminal of `data`, which runs until the block ends."""
    with running_program(
        "terminal", "run", "--data", str(data), "--port", "0", "--ready-json", *flags
    ) as process:
        assert process.stdout is not None
        yield json.loads(process.stdout.readline())["url"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(5) == 0


def _command(name: str, data: Path, *arguments: str, stdin: str = "") -> str:
    """What a command of the terminal printed; it succeeded."""
    ended = run_program("terminal", name, "--data", str(data), *arguments, stdin=stdin)
    assert ended.code == 0, ended
    return ended.out.strip()


def test_enrol_with_a_code_of_central(tmp_path: Path, live_central: LiveCentral) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(encode_trust(live_central.central.identity.trust()))
    options = ["--central", live_central.url, "--trust", str(trust), "--code", live_central.code()]
    told = _command("enrol", tmp_path / "terminal", *options)
    assert told.startswith("Enrolled for 示例面馆 as ")


def test_enrol_with_a_wrong_code_is_one_sentence(tmp_path: Path, live_central: LiveCentral) -> None:
    arguments = ["--central", live_central.url, "--code", "0000 0000 0000 0"]
    ended = run_program("terminal", "enrol", "--data", str(tmp_path / "terminal"), *arguments)
    require_one_sentence(ended, "code")


def test_enrol_with_a_file_that_is_no_trust_file_is_one_sentence(tmp_path: Path) -> None:
    trust = tmp_path / "trust.json"
    trust.write_bytes(b"{}")
    options = ["--central", "http://127.0.0.1:9", "--code", "x", "--trust", str(trust)]
    ended = run_program("terminal", "enrol", "--data", str(tmp_path / "terminal"), *options)
    require_one_sentence(ended, str(trust))


def test_run_answers_pages_and_stops_on_sigterm(data: Path) -> None:
    with _running(data) as url:
        assert urllib3.request("GET", f"{url}/readyz").json() == {"ready": True}
        assert urllib3.request("GET", f"{url}/counter/sign-in").status == 200


def test_run_on_a_busy_port_is_one_sentence(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = str(busy.getsockname()[1])
        require_one_sentence(run_program("terminal", "run", "--data", str(data), "--port", port), port)


def test_run_for_the_network_before_a_pin_is_set_is_refused(data: Path) -> None:
    ended = run_program("terminal", "run", "--data", str(data), "--host", "0.0.0.0", "--port", "0")  # noqa: S104
    require_one_sentence(ended, "PIN", "set-pin")


@pytest.mark.parametrize(
    ("wanted", "before", "after"),
    [("", "127.0.0.1", "0.0.0.0"), ("localhost", "localhost", "localhost"), ("::1", "::1", "::1")],  # noqa: S104
)
def test_the_network_enters_once_a_pin_is_set(
    tmp_path: Path, clock: ManualClock, wanted: str, before: str, after: str
) -> None:
    store = open_store(DataFolder(tmp_path), ballast_bytes=0, keep_backups=1)
    with store.read() as reader:
        assert choose_host(reader, wanted) == before
    set_pin(store, clock, PIN, who="test")
    with store.read() as reader:
        assert choose_host(reader, wanted) == after
    store.close()


@pytest.mark.parametrize("wanted", ["0.0.0.0", "192.168.1.20", "shop.example"])  # noqa: S104
def test_no_setting_lets_the_network_in_before_a_pin_is_set(tmp_path: Path, wanted: str) -> None:
    store = open_store(DataFolder(tmp_path), ballast_bytes=0, keep_backups=1)
    with store.read() as reader, pytest.raises(StartError):
        choose_host(reader, wanted)
    store.close()


def test_a_pin_and_a_password_are_set_while_the_terminal_runs(data: Path) -> None:
    with _running(data) as url:
        _command("set-pin", data, "--stdin", stdin=f"{PIN}\n")
        _command("set-password", data, "--stdin", stdin="correct horse battery\n")
        page = urllib3.request("GET", f"{url}/counter/sign-in").data.decode()
        assert "set-pin" not in page


@pytest.mark.parametrize(("command", "secret"), [("set-pin", "123456"), ("set-password", "short")])
def test_a_secret_that_is_easy_to_guess_is_a_wrong_call(data: Path, command: str, secret: str) -> None:
    ended = run_program("terminal", command, "--data", str(data), "--stdin", stdin=secret)
    assert ended.code == 2
    assert secret not in ended.said


def test_a_pairing_link_of_the_command_line_pairs_a_tablet_of_the_running_terminal(data: Path) -> None:
    with _running(data) as url:
        link = _command("pair-link", data, "--till", "2")
        assert link.startswith(f"{url}/kiosk/pair/")
        answer = urllib3.request("GET", link, redirect=False)
        assert answer.status == 302
        assert answer.headers["Location"].startswith("/kiosk")
    with _store(data) as store, store.read() as reader:
        assert [tablet.till for tablet in list_tablets(reader)] == ["2"]


def test_what_a_killed_terminal_left_is_no_address(data: Path) -> None:
    tell_whereabouts(data, "127.0.0.1", 1)
    assert read_whereabouts(data) is not None
    assert _command("pair-link", data).startswith("http://127.0.0.1:8700/kiosk/pair/")
    assert read_whereabouts(data) is None


def test_a_stopped_terminal_tells_no_address(data: Path) -> None:
    with _running(data):
        assert read_whereabouts(data) is not None
    assert read_whereabouts(data) is None


@pytest.mark.parametrize("octets", [b"", b"[]", b"{}", b"\xff", b'{"host": "x", "port": "y", "pid": 1}'])
def test_what_is_no_address_is_none(data: Path, octets: bytes) -> None:
    (data / ADDRESS_NAME).write_bytes(octets)
    assert read_whereabouts(data) is None


def test_a_pairing_link_works_as_long_as_was_said(data: Path) -> None:
    secret = _command("pair-link", data, "--minutes", "60").rsplit("/", 1)[1]
    store = open_existing(data, read_only=False)
    with store.write() as writer:
        assert pair(writer, secret, at=START)
    store.close()


def test_a_pos_token_of_the_command_line_is_its_tills(data: Path) -> None:
    token = _command("pos-token", data, "--till", "2")
    with _store(data) as store, store.read() as reader:
        found = find_pos_token(reader, token)
    assert found is not None
    assert found.till == "2"


def test_a_tills_name_that_is_too_long_is_a_wrong_call(data: Path) -> None:
    assert run_program("terminal", "pos-token", "--data", str(data), "--till", "x" * 33).code == 2


def test_export_writes_a_file_that_verify_accepts(data: Path, clock: ManualClock, tmp_path: Path) -> None:
    _sell(data, clock)
    out = tmp_path / "evidence.zip"
    ended = run_program("export", "--data", str(data), "--out", str(out))
    assert ended.code == 0, ended
    assert "1 records" in ended.out
    assert "records.jws" in zipfile.ZipFile(out).namelist()
    assert run_program("verify", str(out)).code == 0
    require_one_sentence(run_program("export", "--data", str(data), "--out", str(out)), str(out))


def test_rebuild_puts_right_what_differs_from_the_ledger_and_says_so(data: Path, clock: ManualClock) -> None:
    _sell(data, clock)
    assert run_program("rebuild", "--data", str(data)).code == 0
    store = open_existing(data, read_only=False)
    with store.write() as writer:
        writer.execute(Prompt.update({Prompt.till: "another"}))
    store.close()
    found = run_program("rebuild", "--data", str(data))
    assert found.code == 1
    assert "1 rows put right" in found.out
    assert "till" in found.said
    assert run_program("rebuild", "--data", str(data)).code == 0


@pytest.mark.parametrize("command", ["export", "rebuild"])
def test_a_folder_without_a_terminal_is_one_sentence(tmp_path: Path, command: str) -> None:
    options = ["--out", str(tmp_path / "out.zip")] if command == "export" else []
    require_one_sentence(run_program(command, "--data", str(tmp_path / "none"), *options), "none")


def _sell(data: Path, clock: ManualClock) -> None:
    terminal = open_terminal(TerminalSettings(data=data, ballast_bytes=0), clock)
    assert take_sale(terminal, Sale(order="087", till="1")) is not None
    close_terminal(terminal)


@pytest.fixture
def enrolled_data(tmp_path: Path, live_central: LiveCentral) -> Path:
    """The folder of a terminal that was enrolled at a running central."""
    path = tmp_path / "terminal"
    _command("enrol", path, "--central", live_central.url, "--code", live_central.code())
    return path


def test_rotate_begins_another_epoch(enrolled_data: Path) -> None:
    assert _command("rotate", enrolled_data).startswith("Epoch 2 of ")
    assert _command("rotate", enrolled_data, "--suspected").startswith("Epoch 3 of ")


def test_rotate_without_central_is_one_sentence_and_changes_nothing(
    enrolled_data: Path, live_central: LiveCentral
) -> None:
    live_central.stop()
    ended = run_program("terminal", "rotate", "--data", str(enrolled_data))
    require_one_sentence(ended, "Nothing was changed")
    live_central.start()
    assert _command("rotate", enrolled_data).startswith("Epoch 2 of ")


def test_end_is_final(enrolled_data: Path) -> None:
    assert _command("end", enrolled_data, "--reason", "closed") == "The terminal has ended."
    again = run_program("terminal", "end", "--data", str(enrolled_data), "--reason", "closed")
    require_one_sentence(again, "ended")


def test_restore_lists_backups_and_puts_one_in_place(enrolled_data: Path) -> None:
    with DataFolder(enrolled_data) as folder:
        store = open_existing(enrolled_data, read_only=False)
        backup = backup_into(store, folder.backups, stem="terminal", keep=7)
        store.close()
    assert str(backup) in _command("restore", enrolled_data, "--list")
    told = _command("restore", enrolled_data, "--backup", str(backup))
    assert "is in place" in told
    with _store(enrolled_data) as store, store.read() as reader:
        hold = load_hold(reader)
    assert hold is not None
    assert hold.reason == "restored"


def test_restore_of_what_is_no_backup_is_one_sentence_and_changes_nothing(data: Path, tmp_path: Path) -> None:
    before = (data / DATABASE_NAME).read_bytes()
    wrong = tmp_path / "wrong.db"
    wrong.write_bytes(b"SQLite format 3\0" + bytes(4096))
    for path in (wrong, tmp_path / "missing.db"):
        ended = run_program("terminal", "restore", "--data", str(data), "--backup", str(path))
        require_one_sentence(ended, str(path))
    assert (data / DATABASE_NAME).read_bytes() == before
    assert run_program("terminal", "restore", "--data", str(data)).code == 2


def test_restore_while_the_terminal_runs_is_refused(data: Path, tmp_path: Path) -> None:
    with _running(data):
        ended = run_program("terminal", "restore", "--data", str(data), "--backup", str(tmp_path / "x.db"))
    require_one_sentence(ended, "in use")
