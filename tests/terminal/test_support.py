"""The support bundle: enough to help by, and no secret."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from merchant_agent.terminal.devices import make_pos_token
from tests.clocks import START, ManualClock
from tests.programs import require_one_sentence, run_program
from tests.terminal.collect.shop import Shop

COMMENT = "我叫张三，手机 13800000000"
ORDER = "ORDER-087"


@pytest.fixture
def data(tmp_path: Path, clock: ManualClock) -> Path:
    """The folder of a terminal with a complaint, a token and settings that hold passwords."""
    path = tmp_path / "terminal"
    with Shop(path, clock) as shop:
        sale = shop.sell(ORDER)
        shop.done(sale, 1, comment=COMMENT)
        with shop.terminal.store.write() as writer:
            (tmp_path / "token").write_text(make_pos_token(writer, "", at=START))
    (path / "terminal.toml").write_text(
        'port = 0\nproxy = "http://me:hush1@proxy:3128"\ncentral_url = "http://me:hush2@127.0.0.1:1"\n'
    )
    (path / "log").mkdir(exist_ok=True)
    (path / "log" / "terminal.log").write_text("2026-05-20 INFO upload: accepted\n")
    return path


def test_a_bundle_helps_and_holds_no_secret(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    ended = run_program("terminal", "support-bundle", "--data", str(data), "--out", str(out))
    assert ended.code == 0, ended
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as bundle:
        texts = {name: bundle.read(name).decode() for name in bundle.namelist()}
    assert ended.out.split() == list(texts)
    assert set(texts) == {"doctor.json", "settings.json", "versions.json", "log/terminal.log"}
    assert json.loads(texts["doctor.json"])["program"] == "terminal"
    assert json.loads(texts["settings.json"])["proxy"]["value"] == "http://me:***@proxy:3128"
    assert json.loads(texts["versions.json"])["packages"]["Flask"]
    keys = [path.read_text() for path in (data / "keys").rglob("*.pem")]
    assert keys
    token = (tmp_path / "token").read_text()
    for secret in ("hush1", "hush2", COMMENT, "13800000000", ORDER, token, *keys):
        assert not [name for name, text in texts.items() if secret in text]


def test_a_file_that_is_there_is_not_written_over(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "bundle.zip"
    out.write_text("mine")
    ended = run_program("terminal", "support-bundle", "--data", str(data), "--out", str(out))
    require_one_sentence(ended, "bundle.zip")
    assert out.read_text() == "mine"
